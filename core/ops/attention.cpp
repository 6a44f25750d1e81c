#include <cmath>
#include <optional>

#include "autograd/node.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

struct Softmax; struct CausalSoftmax; struct Dropout; struct FusedAttention;

struct ScaledDotProductAttention {
  static constexpr auto schema = "scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, "
                                 "float dropout_p=0.0, bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor";
  static constexpr auto doc = R"(
    softmax(query keyᵀ scale + mask) value, with scale 1/√E unless given (Vaswani et al. 2017).

    Shapes: query (*, L, E), key (*, S, E), value (*, S, V), mask broadcastable to (*, L, S) → (*, L, V).
    Dtypes: floating; the mask bool (True: attend) or floating.   Errors: RuntimeError if a mask and is_causal are given.

    >>> fb._C.scaled_dot_product_attention(fb.ones(1, 1, 2), fb.ones(1, 1, 2), fb.ones(1, 1, 2))
    tensor([[[1., 1.]]])
  )";
  using kind = Composite;
  static void examine(const Args& args) {
    const Tensor &q = args[0].as_tensor(), &k = args[1].as_tensor(), &v = args[2].as_tensor();
    check(q.dtype() == k.dtype() && k.dtype() == v.dtype(), "scaled_dot_product_attention: query is ",
          name_of(q.dtype()), ", key ", name_of(k.dtype()), ", value ", name_of(v.dtype()), "; convert them "
          "to one dtype");
    check(q.dim() >= 2 && k.dim() >= 2 && v.dim() >= 2, "scaled_dot_product_attention: query, key and value "
          "need a length and an embedding dim; they have ", q.dim(), ", ", k.dim(), " and ", v.dim(),
          " dims");
    check(!args[3] || !args[5].as_int(), "scaled_dot_product_attention: attn_mask and is_causal=True exclude "
          "each other; put the causal part into the mask");
  }
  // Zero where attention is allowed, -inf elsewhere.
  static Tensor bias_of(T_ allowed, DType d) {
    return where(allowed, zeros(Dims(), d), full(Dims(), Scalar(-INFINITY), d));
  }
  static Dims leading(T_ t) {
    Dims d = t.shape();
    d.resize(d.size() - 2);
    return d;
  }
  static Tensor with_batch(T_ t, Dims batch) {
    if (leading(t) == batch) return t;
    batch.push(t.size(-2));
    batch.push(t.size(-1));
    return expand(t, batch);
  }
  // Heads of key and value repeated for groups of query heads.
  static Tensor repeated(T_ t, int64_t heads) {
    const int64_t own = t.size(-3);
    if (own == heads) return t;
    check(own > 0 && heads % own == 0, "scaled_dot_product_attention: ", heads, " heads of query cannot be "
          "shared out evenly among ", own, " heads of key and value");
    Dims wide = t.shape().inserted(t.dim() - 2, heads / own), shape = t.shape();
    shape[t.dim() - 3] = heads;
    return reshape(expand(unsqueeze(t, -3), wide), shape);
  }
  static Tensor decompose(Tensor q, Tensor k, Tensor v, Tensor mask, double dropout_p, bool is_causal, std::optional<double> scale, bool gqa) {
    if (bytes_of(q.dtype()) == 2) {                    // half types are computed in float throughout
      const Tensor m = mask && mask.dtype() != DType::boolean ? to_dtype(mask, DType::f32) : mask;
      const Tensor y = decompose(to_dtype(q, DType::f32), to_dtype(k, DType::f32), to_dtype(v, DType::f32), m, dropout_p, is_causal, scale, gqa);
      return to_dtype(y, q.dtype());
    }
    const double factor = scale.value_or(1 / std::sqrt(static_cast<double>(q.size(-1))));
    if (gqa) {
      check(q.dim() >= 3, "enable_gqa needs query (*, heads, L, E), but got shape ", q.shape().list());
      k = repeated(k, q.size(-3));
      v = repeated(v, q.size(-3));
    }
    const bool learned_mask = mask && mode.grad && requires_grad(mask.body());
    if (dropout_p == 0 && !learned_mask && (q.dtype() == DType::f32 || q.dtype() == DType::f64)) {
      const Dims batch = broadcast_shapes("scaled_dot_product_attention", broadcast_shapes("scaled_dot_product_attention", leading(q), leading(k)),
                                          leading(v));
      const Tensor m = mask && mask.dtype() != DType::boolean ? to_dtype(mask, q.dtype()) : mask;
      return call_op<FusedAttention>(with_batch(q, batch), with_batch(k, batch), with_batch(v, batch), m, is_causal, factor);
    }
    Tensor scores = matmul(q * std::sqrt(factor), transpose(k, -2, -1) * std::sqrt(factor));
    if (mask) scores = scores + (mask.dtype() == DType::boolean ? bias_of(mask, q.dtype()) : mask);
    Tensor some;                                       // rows that may attend to nothing give zeros, not nan
    if (mask) {
      const GradOff off;
      some = ne(amax(scores, Dims{-1}, true), -INFINITY);
    }
    const Tensor zero = zeros(Dims(), scores.dtype());
    if (some) scores = where(some, scores, zero);
    Tensor weights = is_causal ? call_op<CausalSoftmax>(scores) : call_op<Softmax>(scores, -1, Value());
    if (some) weights = where(some, weights, zero);
    if (dropout_p > 0) weights = call_op<Dropout>(weights, dropout_p, true);
    return matmul(weights, v);
  }
};

FB_GROUP(attention, ScaledDotProductAttention)

}  // namespace fb
