"""What every op of the registry promises by its schema and kind, checked on its sample inputs."""

import doctests
import flambeau as fb
import pytest
import samples
from flambeau import _C
from schemas import parse

FLOATS = [fb.float32, fb.float64, fb.bfloat16, fb.float16]
DTYPES = [*FLOATS, fb.int64, fb.int32, fb.uint8, fb.bool, fb.complex64, fb.complex128]
TOLERANCE = {fb.float32: 1e-4, fb.float64: 1e-9, fb.bfloat16: 5e-2, fb.float16: 8e-3}
LARGE = (260, 300)  # enough elements for several threads
REFUSALS = (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError)


class Case:
    """One op of the registry with one of its samples."""

    def __init__(self, row, schema, sample):
        self.row, self.schema, self.sample = row, schema, sample
        self.name, self.kind = row["name"], row["kind"]

    def __call__(self, args, kwargs, name=None):
        if hasattr(fb, "manual_seed"):
            fb.manual_seed(7)
        return getattr(_C, name or self.name)(*args, **kwargs)

    def run(self, dtype, **how):
        args, kwargs = self.sample.make(dtype, **how)
        return self(args, kwargs)

    def dtype(self):
        """The first dtype that the op takes."""
        for dtype in (fb.float64, fb.int64, fb.bool, fb.complex128):
            try:
                self.run(dtype)
                return dtype
            except REFUSALS:
                continue
        return pytest.fail(f"{self.schema.key} refuses its sample in every dtype: give it a line in samples.py")

    def needs(self, check):
        if check in self.sample.without:
            pytest.skip(self.sample.without[check])


ROWS = [(row, parse(row["schema"])) for row in _C._op_table()]
CASES = [pytest.param(Case(row, schema, sample), id=f"{schema.key}{i or ''}") for row, schema in ROWS
         for i, sample in enumerate(samples.samples_of(schema, row["kind"]) or [])]


def of_kind(*kinds):
    return pytest.mark.parametrize("case", [p for p in CASES if p.values[0].kind in kinds])


every_case = pytest.mark.parametrize("case", CASES)


def flat(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def numbers(tensor):
    """All elements in logical order."""
    return tensor.reshape([-1]).tolist()


def is_close(a, b, tolerance):
    if a == b or (a != a and b != b):
        return True
    return abs(a - b) <= tolerance * max(1.0, abs(a), abs(b))


def assert_same(found, wanted, tolerance=0.0):
    found, wanted = flat(found), flat(wanted)
    assert len(found) == len(wanted)
    for f, w in zip(found, wanted, strict=True):
        assert tuple(f.shape) == tuple(w.shape)
        for a, b in zip(numbers(f), numbers(w), strict=True):
            assert is_close(a, b, tolerance), (f.tolist(), w.tolist())


@pytest.mark.parametrize("row, schema", [pytest.param(r, s, id=s.key) for r, s in ROWS])
def test_has_a_sample(row, schema):
    found = samples.samples_of(schema, row["kind"])
    assert found is not None, f"{schema.key}: its schema does not tell its arguments: give it a line in samples.py"


@pytest.mark.parametrize("row, schema", [pytest.param(r, s, id=s.key) for r, s in ROWS])
def test_doc(row, schema):
    sentence = row["doc"].strip().split("\n\n")[0]
    assert "." in sentence or ":" in sentence, "begins with one sentence"
    if not row["name"].startswith("_") and not row["only_in_place"] and schema.named("generator") is None:
        overloads = "".join(other["doc"] for other, _ in ROWS if other["name"] == row["name"])
        internal = row["name"].endswith(("_backward", "_backward_data", "_vjp")) or row["name"] in samples.BEHIND
        assert ">>>" in overloads or internal or schema.key in samples.UNSHOWN, "shows an example"
    report = doctests.run_example(schema.key, row["doc"])
    assert not report, report


@every_case
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_dtype(case, dtype):
    best = case.dtype()
    try:
        result = case.run(dtype)
    except REFUSALS as error:
        assert dtype != best
        assert str(error), "a refusal says why"
        return
    if dtype not in TOLERANCE or "values" in case.sample.without or "half" in case.sample.without:
        return
    args, kwargs = case.sample.make(dtype)
    wide = [[x.to(fb.float64) if is_wide(x) else x for x in v] if isinstance(v, list) else
            v.to(fb.float64) if is_wide(v) else v for v in args]
    try:
        wanted = case(wide, kwargs)
    except REFUSALS:
        return
    for f, w in zip(flat(result), flat(wanted), strict=True):
        if f.dtype.is_floating_point:
            assert_same(f, w, TOLERANCE[f.dtype] if f.dtype in TOLERANCE else 0)


def is_wide(value):
    return isinstance(value, fb.Tensor) and value.dtype.is_floating_point


def spaced(tensor, _=None):
    """The same values with gaps between them in memory."""
    wide = _C.full([*tensor.shape, 2], 0, dtype=tensor.dtype)
    wide.select(-1, 0).copy_(tensor)
    return wide.select(-1, 0)


def turned(tensor, _=None):
    """The same values with the first and last dimension's order in memory exchanged."""
    if tensor.dim() < 2:
        return tensor
    return tensor.transpose(0, -1).clone(memory_format=fb.contiguous_format).transpose(0, -1)


@every_case
@pytest.mark.parametrize("change", [spaced, turned], ids=["spaced", "turned"])
def test_strides(case, change):
    case.needs("strides")
    case.needs("values")
    dtype = case.dtype()
    assert_same(case.run(dtype, change=change), case.run(dtype), 1e-12)


@of_kind("elementwise")
@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1, 1)], ids=str)
def test_empty_and_0d(case, shape):
    if not case.sample.derived:
        pytest.skip("its sample has shapes of its own")
    assert tuple(flat(case.run(case.dtype(), shape=shape))[0].shape) == shape


@of_kind("reduction")
def test_reduction_of_0d_and_empty(case):
    case.needs("values")
    dtype = case.dtype()
    args, kwargs = case.sample.make(dtype, shape=())
    if len(args) == 1:
        assert tuple(flat(case(args, kwargs))[0].shape) == ()
    args, kwargs = case.sample.make(dtype, shape=(0, 3))
    try:
        case(args, kwargs)
    except REFUSALS as error:
        assert str(error)


@of_kind("elementwise")
def test_broadcast(case):
    tensors = [a for a in case.sample.args if isinstance(a, samples.T)]
    if not case.sample.derived or len(tensors) < 2:
        pytest.skip("one tensor has nothing to broadcast with")
    args, kwargs = case.sample.make(case.dtype())
    shapes = [(3, 1), (4,), (2, 1, 1)]
    cut = []
    for i, a in enumerate(args):
        if isinstance(a, fb.Tensor):
            shape = shapes[i % 3]
            a = a.reshape([-1]).narrow(0, 0, shape[0] * (shape[1] if len(shape) > 1 else 1)).reshape(shape)
        cut.append(a)
    full = fb.broadcast_shapes(*[a.shape for a in cut if isinstance(a, fb.Tensor)])
    whole = [a.expand(full).clone(memory_format=fb.contiguous_format) if isinstance(a, fb.Tensor) else a for a in cut]
    assert_same(case(cut, kwargs), case(whole, kwargs))


@every_case
def test_out(case):
    case.needs("values")
    if case.schema.returns_list or case.row["only_in_place"] or not case.schema.outputs:
        pytest.skip("has no out=")
    dtype = case.dtype()
    args, kwargs = case.sample.make(dtype)
    wanted = flat(case(args, kwargs))
    out = [_C.full([0], 0, dtype=w.dtype) for w in wanted]
    result = flat(case(args, {**kwargs, "out": tuple(out) if len(out) > 1 else out[0]}))
    assert all(r is o for r, o in zip(result, out, strict=True))
    assert_same(out, wanted)


@every_case
def test_in_place(case):
    if not case.row["in_place"]:
        pytest.skip("has no in-place form")
    name = case.name if case.row["only_in_place"] else case.name + "_"
    args, kwargs = case.sample.make(case.dtype())
    target = args[0].clone()
    version = target._version
    wanted = None if case.row["only_in_place"] else case(args, kwargs)
    if wanted is not None and tuple(wanted.shape) != tuple(target.shape):
        pytest.skip("the result does not fit into self")
    args = [target, *args[1:]]
    try:
        result = case(args, kwargs, name)
    except REFUSALS as error:
        assert wanted is not None and wanted.dtype != target.dtype, error
        return
    assert result is target
    assert target._version > version or "version" in case.sample.without
    if wanted is not None:
        assert_same(target, wanted.to(target.dtype))


@of_kind("view")
def test_view_shares_memory(case):
    args, kwargs = case.sample.make(case.dtype())
    base = args[0]
    for view in flat(case(args, kwargs)):
        assert view.untyped_storage().data_ptr() == base.untyped_storage().data_ptr()
        if any(step == 0 and size > 1 for step, size in zip(view.stride(), view.shape, strict=True)):
            continue
        version = base._version
        before = numbers(base)
        view.fill_(0)
        assert base._version == version + 1
        assert numbers(base) != before


@every_case
def test_leaves_its_inputs_alone(case):
    if case.row["only_in_place"]:
        pytest.skip("writes into self")
    args, kwargs = case.sample.make(case.dtype())
    again, _ = case.sample.make(case.dtype())
    result = case(args, kwargs)
    for made in filter(fb.is_tensor, flat(result)):
        assert made._is_view() or made._version == 0 or any(made is a for a in args)
    for a, b in zip(args, again, strict=True):
        if isinstance(a, fb.Tensor):
            assert_same(a, b)
            assert a._version == b._version


def differentiable_call(case):
    """The call as a function of its float64 tensors, and these."""
    leaves, recorded = [], []

    def collect(tensor, sample):
        if sample.grad and not sample.whole:
            leaves.append(tensor.requires_grad_())
        return tensor

    args, kwargs = case.sample.make(fb.float64, change=collect)

    def call(*new):
        swap = {id(old): fresh for old, fresh in zip(leaves, new, strict=True)}

        def swapped(value):
            if isinstance(value, list):
                return [swapped(v) for v in value]
            return swap.get(id(value), value)
        result = flat(case([swapped(a) for a in args], {k: swapped(v) for k, v in kwargs.items()}))
        if not recorded:  # the first call is one that records
            recorded.append([i for i, r in enumerate(result) if r.requires_grad] or [0])
        return tuple(result[i] for i in recorded[0])

    return call, leaves


@every_case
def test_gradient(case):
    case.needs("grad")
    no_outputs = case.row["only_in_place"] or not case.schema.outputs
    if no_outputs or case.schema.returns_list and not case.row["differentiable"]:
        pytest.skip("not a function of its inputs")
    call, leaves = differentiable_call(case)
    try:
        outputs = flat(call(*leaves)) if leaves else []
    except REFUSALS:
        outputs = []
    if not any(o.requires_grad for o in outputs):
        assert not (case.row["differentiable"] and leaves), "has a derivative but records no graph"
        pytest.skip("not differentiable")
    assert fb.autograd.gradcheck(call, leaves, check_undefined_grad=False)
    if "gradgrad" not in case.sample.without:
        assert fb.autograd.gradgradcheck(call, leaves, check_undefined_grad=False)


@of_kind("elementwise", "reduction")
def test_threads_agree(case):
    case.needs("values")
    if not case.sample.derived or "strides" in case.sample.without:
        pytest.skip("its sample has shapes of its own")
    dtype = case.dtype()
    count = fb.get_num_threads()
    try:
        fb.set_num_threads(1)
        alone = case.run(dtype, shape=LARGE)
        fb.set_num_threads(3)
        together = case.run(dtype, shape=LARGE)
    finally:
        fb.set_num_threads(count)
    for a, b in zip(flat(alone), flat(together), strict=True):
        if case.kind == "elementwise":
            assert repr(a.tolist()) == repr(b.tolist())
        else:
            assert_same(a, b, 1e-12)
