"""The dtype of a result: two dimensioned tensors by the table, then 0-d tensors and numbers by category."""
import flambeau as fb
import pytest

NAMES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex64",
         "complex128"]
SHORT = {"b": "bool", "u8": "uint8", "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64", "f16": "float16",
         "bf": "bfloat16", "f32": "float32", "f64": "float64", "c64": "complex64", "c128": "complex128"}
# Row and column in the order of NAMES.
TABLE = """
b    u8   i8   i16  i32  i64  f16  bf   f32  f64  c64  c128
u8   u8   i16  i16  i32  i64  f16  bf   f32  f64  c64  c128
i8   i16  i8   i16  i32  i64  f16  bf   f32  f64  c64  c128
i16  i16  i16  i16  i32  i64  f16  bf   f32  f64  c64  c128
i32  i32  i32  i32  i32  i64  f16  bf   f32  f64  c64  c128
i64  i64  i64  i64  i64  i64  f16  bf   f32  f64  c64  c128
f16  f16  f16  f16  f16  f16  f16  f32  f32  f64  c64  c128
bf   bf   bf   bf   bf   bf   f32  bf   f32  f64  c64  c128
f32  f32  f32  f32  f32  f32  f32  f32  f32  f64  c64  c128
f64  f64  f64  f64  f64  f64  f64  f64  f64  f64  c128 c128
c64  c64  c64  c64  c64  c64  c64  c64  c64  c128 c64  c128
c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128
"""
ROWS = [[SHORT[cell] for cell in line.split()] for line in TABLE.split("\n") if line]
PAIRS = [(a, b, ROWS[i][k]) for i, a in enumerate(NAMES) for k, b in enumerate(NAMES)]


def ones(dtype, shape=(2,)):
    return fb.tensor([1, 1] if shape else 1, dtype=getattr(fb, dtype))


def name_of(tensor):
    return str(tensor.dtype).removeprefix("torch.")


@pytest.mark.parametrize("first, second, expected", PAIRS)
def test_two_dimensioned_tensors(first, second, expected):
    assert name_of(ones(first) + ones(second)) == expected
    assert name_of(fb.where(fb.tensor([True, False]), ones(first), ones(second))) == expected
    assert (ones(first) == ones(second)).dtype is fb.bool
    assert name_of(fb.add(ones(first, ()), ones(second, ()))) == expected


@pytest.mark.parametrize("tensor, scalar, expected", [
    ("uint8", "int64", "uint8"), ("int8", "uint8", "int8"), ("bool", "int16", "int16"), ("int64", "float16", "float16"),
    ("int32", "float64", "float64"), ("float16", "float64", "float16"), ("bfloat16", "float16", "bfloat16"),
    ("float32", "complex128", "complex64"), ("float64", "complex64", "complex128"), ("int64", "complex64", "complex64"),
    ("complex64", "float64", "complex64"),
])
def test_a_tensor_of_no_dims_counts_by_its_category_only(tensor, scalar, expected):
    assert name_of(ones(tensor) * ones(scalar, ())) == expected
    assert name_of(ones(scalar, ()) * ones(tensor)) == expected


@pytest.mark.parametrize("tensor, number, expected", [
    ("bool", True, "bool"), ("bool", 2, "int64"), ("bool", 2.5, "float32"), ("bool", 1j, "complex64"),
    ("uint8", 300, "uint8"), ("int16", True, "int16"), ("int16", 2.5, "float32"), ("int64", 1j, "complex64"),
    ("float16", 2.5, "float16"), ("bfloat16", 3, "bfloat16"), ("float32", 1j, "complex64"),
    ("float64", 1j, "complex128"),
    ("complex64", 2.5, "complex64"),
])
def test_a_number_counts_by_its_category_only(tensor, number, expected):
    assert name_of(ones(tensor) + number) == expected
    assert name_of(number + ones(tensor)) == expected
    assert name_of(ones(tensor, ()) + number) == expected


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64"])
def test_quotients_of_integers_have_the_default_dtype(dtype):
    assert name_of(ones(dtype) / ones(dtype)) == "float32"
    assert name_of(ones(dtype) / 2) == "float32"


def test_operands_wrap_to_the_dtype_of_narrow_integers():
    x = fb.tensor([255, 1], dtype=fb.uint8)
    assert (x == -1).tolist() == [True, False]
    assert (x // fb.tensor(-1)).tolist() == [1, 0]
    assert (x + 300).tolist() == [43, 45]


def test_results_are_not_narrowed_in_place():
    with pytest.raises(RuntimeError, match="the result is Float, which self, of Int, cannot hold"):
        ones("int32").add_(1.5)
    with pytest.raises(RuntimeError, match="cannot hold"):
        ones("float32").mul_(1j)
    assert ones("float32").gt_(0).tolist() == [1.0, 1.0]


def test_integers_divided_by_zero_raise():
    for divide in (lambda x: x // 0, lambda x: x % 0, lambda x: fb.fmod(x, fb.tensor([1, 0]))):
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            divide(fb.tensor([1, 2]))
    least = fb.tensor([-2**63])
    assert (least // -1).tolist() == [-2**63] and (least % -1).tolist() == [0]


def test_narrow_integers_beside_negative_numbers():
    x = fb.tensor([3, 4], dtype=fb.uint8)
    assert (x * -3).tolist() == [247, 244] and (x * fb.tensor(-3)).tolist() == [247, 244]
    for divisor in (-2, fb.tensor(-2), fb.tensor(-2, dtype=fb.int8)):    # quotients are floating: no wrapping
        assert (x / divisor).tolist() == [-1.5, -2.0]
    assert fb.copysign(x, fb.tensor(-1)).tolist() == [-3.0, -4.0]
    assert fb.maximum(x, fb.tensor(-1, dtype=fb.int8)).tolist() == [255, 255]


def test_masked_fill_takes_numbers_of_any_dtype():
    x, mask = fb.tensor([1, 2]), fb.tensor([True, False])
    assert x.masked_fill(mask, fb.tensor(7.9)).tolist() == [7, 2]
    assert x.to(fb.bool).masked_fill(mask, fb.tensor(0.0)).tolist() == [False, True]
    with pytest.raises(RuntimeError):
        x.masked_fill(mask, fb.tensor(1e30))
