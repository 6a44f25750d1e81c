#include "op/registry.h"

#include <cctype>
#include <string>

namespace fb {

// Every group of ops, in the order of registration.
#define FB_GROUPS(X) \
  X(arithmetic) X(division) X(power) X(sign) X(clamp) X(pairs) X(comparison) X(bitwise) X(rounding) \
  X(complex) X(exponential) X(trigonometric) X(special) X(special_gamma) X(special_bessel) \
  X(special_polynomial) X(activation) X(activation_gate) X(activation_vjp) X(reduce) X(statistics) \
  X(extreme) X(scan) X(sort) X(search) X(view) X(join) X(copy) X(index) X(index_along) \
  X(gather) X(masked) X(create) X(random) X(random_create) X(random_sample) X(random_gamma) X(matmul) \
  X(linear) X(softmax) X(loss) X(loss_class) X(loss_pair) X(loss_margin) X(normalize) X(normalize_channel) \
  X(normalize_group) X(embedding) X(dropout) X(update) X(update_adaptive) X(conv) X(pool_max) X(pool_mean) X(pool_fractional) X(addmm) \
  X(contraction) X(einsum) X(chain) X(cross) X(diagonal) X(dims) X(pad) X(rearrange) X(relayout) \
  X(scatter) X(split) X(window) X(difference) X(distance) X(histogram) X(norm) X(quantile) X(select) \
  X(unique) X(rnn) X(rnn_sequence) X(rnn_sequence_gru) X(rnn_sequence_plain) X(attention) X(attention_fused) X(upsample) \
  X(upsample_filter) X(ctc) X(grid) X(pack) \
  X(linalg_factor) X(linalg_solve) X(linalg_factored) X(linalg_det) X(linalg_qr) X(linalg_eigen) X(linalg_svd) \
  X(linalg_lstsq) X(linalg_norm) X(linalg_exp) X(fft) X(fft_dims) X(stft)

#define X(group) void register_##group(Registry&);
FB_GROUPS(X)
#undef X

Registry& registry() {
  static Registry* made = [] {
    auto* r = new Registry;
#define X(group) register_##group(*r);
    FB_GROUPS(X)
#undef X
    return r;
  }();
  return *made;
}

const Op* Registry::find(std::string_view name) const {
  for (const Op* op : ops_) if (op->name == name) return op;
  return nullptr;
}

std::string_view default_grad_name(std::string_view op) {
  std::string s;
  bool upper = true;
  for (char c : op) {
    if (c == '_') upper = true;
    else {
      s += upper ? static_cast<char>(std::toupper(c)) : c;
      upper = false;
    }
  }
  return *new std::string(s + "Backward0");            // lives as long as its op
}

}  // namespace fb
