"""Attention functions."""

from __future__ import annotations

import math
import warnings

from ... import _C

scaled_dot_product_attention = _C.scaled_dot_product_attention


def _canonical_mask(mask, mask_name, other_type, other_name, target_type, check_other=True):
    """A boolean mask as one to be added: −inf where it is True; floating masks as they are."""
    if mask is None:
        return None
    floating = mask.is_floating_point()
    if mask.dtype != _C.bool and not floating:
        raise RuntimeError(f"{mask_name} must be bool or floating, it is {mask.dtype}")
    if check_other and other_type is not None and mask.dtype != other_type:
        warnings.warn(
            f"{mask_name} is {mask.dtype} and {other_name} is {other_type}; masks of different kinds are "
            "going away, convert one",
            stacklevel=3,
        )
    if not floating:
        mask = _C.zeros_like(mask, dtype=target_type).masked_fill_(mask, float("-inf"))
    return mask


def _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads):
    """Whether the inputs have a batch dimension; AssertionError if they do not fit together."""
    if query.dim() not in (2, 3):
        raise AssertionError(f"query must be (L, E), or (L, N, E) with a batch; it has {query.dim()} dims")
    batched = query.dim() == 3
    kind, dims = ("batched (3-D)", 3) if batched else ("unbatched (2-D)", 2)
    if key.dim() != dims or value.dim() != dims:
        raise AssertionError(
            f"with a query of {dims} dims, {kind}, key and value need as many; they have {key.dim()} and "
            f"{value.dim()}"
        )
    if key_padding_mask is not None and key_padding_mask.dim() != dims - 1:
        raise AssertionError(
            f"with a query of {dims} dims, {kind}, key_padding_mask needs {dims - 1}; it has "
            f"{key_padding_mask.dim()}"
        )
    if attn_mask is not None and attn_mask.dim() not in (2, 3):
        raise AssertionError(
            f"attn_mask needs 2 dims, or 3 with a mask for each head; it has {attn_mask.dim()} (the query is "
            f"{kind})"
        )
    if not batched and attn_mask is not None and attn_mask.dim() == 3:
        expected = (num_heads, query.shape[0], key.shape[0])
        if tuple(attn_mask.shape) != expected:
            raise AssertionError(f"attn_mask must have shape {expected}, it has {tuple(attn_mask.shape)}")
    return batched


def _project(query, key, value, weight, bias, separate):
    """Query, key and value through their parts of the packed (or separate) projection."""
    biases = (None, None, None) if bias is None else bias.chunk(3)
    if separate is not None:
        weights = separate
    elif query is key and key is value:
        return _C.linear(query, weight, bias).chunk(3, -1)
    else:
        weights = weight.chunk(3)
    return [_C.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases)]


def _attention_mask(attn_mask, batch, heads, targets, sources):
    """The mask in a shape that fits the scores (batch, heads, targets, sources)."""
    if attn_mask is not None:
        if attn_mask.dim() == 2:
            if tuple(attn_mask.shape) != (targets, sources):
                raise RuntimeError(
                    f"attn_mask of two dims must have shape {(targets, sources)}, it has "
                    f"{tuple(attn_mask.shape)}"
                )
            attn_mask = attn_mask.unsqueeze(0).unsqueeze(0)
        else:
            if tuple(attn_mask.shape) != (batch * heads, targets, sources):
                raise RuntimeError(
                    f"attn_mask of three dims must have shape {(batch * heads, targets, sources)}, it has "
                    f"{tuple(attn_mask.shape)}"
                )
            attn_mask = attn_mask.view(batch, heads, targets, sources)
    return attn_mask


def _grow(mask, count):
    return None if mask is None else _C.pad(mask, (0, count))


def multi_head_attention_forward(
    query,
    key,
    value,
    embed_dim_to_check,
    num_heads,
    in_proj_weight,
    in_proj_bias,
    bias_k,
    bias_v,
    add_zero_attn,
    dropout_p,
    out_proj_weight,
    out_proj_bias,
    training=True,
    key_padding_mask=None,
    need_weights=True,
    attn_mask=None,
    use_separate_proj_weight=False,
    q_proj_weight=None,
    k_proj_weight=None,
    v_proj_weight=None,
    static_k=None,
    static_v=None,
    average_attn_weights=True,
    is_causal=False,
):
    """Multi-head attention (Vaswani et al. 2017) of query (L, N, E), key and value (S, N, E), or without N.

    Args:
        in_proj_weight, in_proj_bias: of the three input projections, stacked; or separate q/k/v_proj_weight.
        bias_k, bias_v: an extra learnt key and value; add_zero_attn: an extra position of zeros.
        key_padding_mask: (N, S), True or −inf where keys are left out.
        attn_mask: (L, S) or (N·num_heads, L, S), True or −inf where attention is not allowed.
        is_causal: promises that attn_mask is causal.
    Returns: output (L, N, E) and weights (N, L, S), (N, num_heads, L, S) without averaging, or None.
    """
    batched = _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        same_key, same_value = key is query, value is key
        query = query.unsqueeze(1)
        key = query if same_key else key.unsqueeze(1)
        value = key if same_value else value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    targets, batch, width = query.shape
    sources = key.shape[0]
    if is_causal and attn_mask is None:
        raise RuntimeError("is_causal promises something about attn_mask, so attn_mask must be given")
    other = None if attn_mask is None else attn_mask.dtype
    key_padding_mask = _canonical_mask(key_padding_mask, "key_padding_mask", other, "attn_mask", query.dtype)
    hint = is_causal and key_padding_mask is None and not need_weights
    attn_mask = None if hint else _canonical_mask(attn_mask, "attn_mask", None, "", query.dtype, False)
    _check_sizes(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    head_dim = width // num_heads
    separate = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None
    q, k, v = _project(query, key, value, in_proj_weight, in_proj_bias, separate)
    attn_mask = _attention_mask(attn_mask, batch, num_heads, targets, sources)
    if bias_k is not None and bias_v is not None:
        if static_k is not None or static_v is not None:
            raise AssertionError("multi_head_attention_forward: static_k and static_v cannot be combined "
                                 "with bias_k and bias_v")
        k, v = _C.cat([k, bias_k.repeat(1, batch, 1)]), _C.cat([v, bias_v.repeat(1, batch, 1)])
        attn_mask, key_padding_mask = _grow(attn_mask, 1), _grow(key_padding_mask, 1)
    # (L, N, E) → (N·heads, L, head_dim)
    q = q.contiguous().view(targets, batch * num_heads, head_dim).transpose(0, 1)
    k = _heads(k, static_k, "static_k", batch, num_heads, head_dim)
    v = _heads(v, static_v, "static_v", batch, num_heads, head_dim)
    if add_zero_attn:
        zeros = _C.zeros((batch * num_heads, 1, head_dim), dtype=k.dtype, device=k.device)
        k, v = _C.cat([k, zeros], 1), _C.cat([v, zeros], 1)
        attn_mask, key_padding_mask = _grow(attn_mask, 1), _grow(key_padding_mask, 1)
    sources = k.size(1)
    if key_padding_mask is not None:
        if tuple(key_padding_mask.shape) != (batch, sources):
            raise AssertionError(
                f"key_padding_mask should have shape {(batch, sources)}, shape[0] being the batch, but it has "
                f"{tuple(key_padding_mask.shape)}"
            )
        columns = key_padding_mask.view(batch, 1, 1, sources).expand(-1, num_heads, -1, -1)
        attn_mask = columns if attn_mask is None else attn_mask + columns
    dropout_p = dropout_p if training else 0.0
    if need_weights:
        scores = _C.bmm(q * math.sqrt(1.0 / head_dim), k.transpose(-2, -1))
        if attn_mask is not None:
            scores = scores.view(batch, num_heads, targets, sources) + attn_mask
            scores = scores.view(batch * num_heads, targets, sources)
        weights = _C.softmax(scores, -1)
        if dropout_p > 0.0:
            weights = _C.dropout(weights, dropout_p, True)
        joined = _C.bmm(weights, v).transpose(0, 1).contiguous().view(targets * batch, width)
        weights = weights.view(batch, num_heads, targets, sources)
        if average_attn_weights:
            weights = weights.mean(dim=1)
    else:
        shape = (batch, num_heads, -1, head_dim)
        joined = _C.scaled_dot_product_attention(
            q.view(shape), k.view(shape), v.view(shape), attn_mask, dropout_p, hint
        )
        joined = joined.permute(2, 0, 1, 3).contiguous().view(targets * batch, width)
        weights = None
    output = _C.linear(joined, out_proj_weight, out_proj_bias).view(targets, batch, -1)
    if not batched:
        output = output.squeeze(1)
        weights = None if weights is None else weights.squeeze(0)
    return output, weights


def _heads(projected, static, name, batch, num_heads, head_dim):
    """(S, N, E) → (N·heads, S, head_dim), or the given static tensor, checked."""
    if static is None:
        return projected.contiguous().view(projected.shape[0], batch * num_heads, head_dim).transpose(0, 1)
    if static.size(0) != batch * num_heads:
        raise AssertionError(f"expecting {name}.size(0) of {batch * num_heads}, but got {static.size(0)}")
    if static.size(2) != head_dim:
        raise AssertionError(f"expecting {name}.size(2) of {head_dim}, but got {static.size(2)}")
    return static


def _check_sizes(query, key, value, embed_dim, num_heads, separate):
    width = query.size(-1)
    if width != embed_dim:
        raise AssertionError(f"multi_head_attention_forward: embed_dim is {embed_dim}, but query has {width} "
                             "features")
    if width // num_heads * num_heads != width:
        raise AssertionError(f"multi_head_attention_forward: embed_dim={width} cannot be shared out evenly "
                             f"among num_heads={num_heads}")
    if separate:
        if tuple(key.shape[:2]) != tuple(value.shape[:2]):
            raise AssertionError(
                f"multi_head_attention_forward: key and value differ in length or batch, {key.shape[:2]} and "
                f"{value.shape[:2]}"
            )
    elif tuple(key.shape) != tuple(value.shape):
        raise AssertionError(f"multi_head_attention_forward: key and value differ in shape, {key.shape} and "
                             f"{value.shape}")
