"""scaled_dot_product_attention against its formula, over more rows and columns than one block holds."""

import math

import flambeau as torch
import pytest
from flambeau.nn import functional as F


def by_formula(q, k, v, mask=None, is_causal=False, scale=None):
    scores = q @ k.mT * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if is_causal:
        mask = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool).tril()
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
    return torch.softmax(scores, -1).nan_to_num(0) @ v


def leaves(*shapes, dtype=torch.float64):
    torch.manual_seed(0)
    return [torch.randn(shape, dtype=dtype, requires_grad=True) for shape in shapes]


def check(inputs, **options):
    y, wanted = F.scaled_dot_product_attention(*inputs, **options), None
    mask = options.pop("attn_mask", None)
    wanted = by_formula(*inputs, mask, **options)
    torch.testing.assert_close(y, wanted)
    g = torch.randn_like(y)
    for a, b in zip(torch.autograd.grad(y, inputs, g), torch.autograd.grad(wanted, inputs, g), strict=True):
        torch.testing.assert_close(a, b)
    return y


@pytest.mark.parametrize("rows, columns", [(1, 1), (3, 5), (200, 150), (150, 200), (40, 3000)])
@pytest.mark.parametrize("is_causal", [False, True])
def test_many_rows_and_columns(rows, columns, is_causal):
    check(leaves((2, rows, 8), (2, columns, 8), (2, columns, 5)), is_causal=is_causal, scale=0.4)


@pytest.mark.parametrize("kind", ["bool", "bool of rows", "float", "float of heads"])
def test_masks(kind):
    inputs = leaves((2, 3, 140, 4), (2, 3, 9, 4), (2, 3, 9, 4))
    allowed = torch.rand(140, 9) > 0.3
    allowed[5] = kind == "float"                         # a row that may see nothing gives zeros
    mask = {"bool": allowed, "bool of rows": allowed[:, :1],
            "float": torch.randn(140, 9, dtype=torch.float64).masked_fill(~allowed, -math.inf),
            "float of heads": torch.randn(2, 3, 1, 9, dtype=torch.float64)}[kind]
    y = check(inputs, attn_mask=mask)
    assert not kind.startswith("bool") or y[:, :, 5].eq(0).all()


def test_a_row_that_numbers_hide():
    q, k, v = leaves((2, 4), (3, 4), (3, 4))
    mask = torch.tensor([[0, 0, 0], [-math.inf] * 3], dtype=torch.float64)
    y = F.scaled_dot_product_attention(q, k, v, mask)
    assert y[1].eq(0).all() and torch.autograd.grad(y.sum(), q)[0][1].eq(0).all()


def test_heads_side_by_side():
    q, k, v = (x.transpose(1, 2) for x in leaves((2, 30, 3, 4), (2, 20, 3, 4), (2, 20, 3, 4)))
    y = check([q, k, v], is_causal=True)
    assert y.transpose(1, 2).is_contiguous()


def test_grouped_heads_and_broadcast_batches():
    q, k, v = leaves((2, 6, 7, 4), (2, 3, 5, 4), (2, 3, 5, 4))
    y = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    torch.testing.assert_close(y, by_formula(q, k.repeat_interleave(2, 1), v.repeat_interleave(2, 1)))
    check(leaves((2, 3, 7, 4), (3, 5, 4), (1, 3, 5, 4)))


def test_a_mask_that_learns():
    q, k, v = leaves((4, 3), (5, 3), (5, 2))
    bias = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    y, wanted = F.scaled_dot_product_attention(q, k, v, bias), by_formula(q, k, v, bias)
    torch.testing.assert_close(torch.autograd.grad(y.sum(), bias), torch.autograd.grad(wanted.sum(), bias))


@pytest.mark.parametrize("options", [{}, {"is_causal": True}])
def test_second_derivatives(options):
    inputs = leaves((1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 3, 2))
    assert torch.autograd.gradgradcheck(lambda *x: F.scaled_dot_product_attention(*x, **options), inputs)


def test_nan_and_empty():
    q, k, v = (x.detach() for x in leaves((3, 4), (5, 4), (5, 4)))
    q[1, 0] = math.nan
    y = F.scaled_dot_product_attention(q, k, v)
    assert y[1].isnan().all() and not y[[0, 2]].isnan().any()
    assert F.scaled_dot_product_attention(q, k[:0], v[:0]).eq(0).all()
    assert F.scaled_dot_product_attention(q[:0], k, v).shape == (0, 4)
    v = torch.arange(40.0).view(2, 5, 4).requires_grad_()  # no features: every row is the mean
    y = F.scaled_dot_product_attention(torch.ones(2, 3, 0), torch.ones(2, 5, 0), v, scale=1.0)
    torch.testing.assert_close(y, v.mean(1, keepdim=True).expand(2, 3, 4))
    y.sum().backward()
    torch.testing.assert_close(v.grad, torch.full((2, 5, 4), 0.6))


def test_what_does_not_fit():
    q, k = torch.ones(3, 4), torch.ones(5, 6)
    with pytest.raises(RuntimeError, match=r"\(3, 4\).*\(5, 6\)"):
        F.scaled_dot_product_attention(q, k, k)
    with pytest.raises(RuntimeError):
        F.scaled_dot_product_attention(torch.ones(2, 3, 4), torch.ones(3, 5, 4), torch.ones(3, 5, 4))
    with pytest.raises(RuntimeError):
        F.scaled_dot_product_attention(torch.ones(3, 4), torch.ones(5, 4), torch.ones(5, 4), torch.ones(2, 5))
