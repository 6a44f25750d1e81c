#include "func/autocast.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "autograd/node.h"
#include "op/call.h"
#include "op/registry.h"
#include "ops.h"

namespace fb {
namespace {

enum class Policy : uint8_t { lower, float32, widest, none };

// PyTorch's lists for the CPU, found by calling each op with mixed precision on and looking at the dtype of the result.
constexpr std::string_view lower[] = {
    "addbmm", "addmm", "baddbmm", "bmm", "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d",
    "conv_transpose3d", "convolution", "linalg_vecdot", "linear", "lstm", "matmul", "mm", "_matmul", "prelu",
    "scaled_dot_product_attention"};
constexpr std::string_view float32[] = {
    "adaptive_avg_pool3d", "adaptive_max_pool3d", "avg_pool3d", "binary_cross_entropy", "binary_cross_entropy_with_logits",
    "cdist", "cholesky", "cholesky_inverse", "cholesky_solve", "cosine_embedding_loss", "cross_entropy_loss", "ctc_loss",
    "fft_fft", "fft_fft2", "fft_fftn", "fft_hfft", "fft_ifft", "fft_ifft2", "fft_ifftn", "fft_ihfft", "fft_irfft",
    "fft_irfft2", "fft_irfftn", "fft_rfft", "fft_rfft2", "fft_rfftn", "fractional_max_pool2d", "fractional_max_pool3d",
    "geqrf", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "hinge_embedding_loss", "huber_loss", "inverse",
    "kl_div", "l1_loss", "linalg_cholesky", "linalg_cholesky_ex", "linalg_cond", "linalg_eig", "linalg_eigh",
    "linalg_eigvals", "linalg_eigvalsh", "linalg_householder_product", "linalg_inv", "linalg_inv_ex", "linalg_lstsq",
    "linalg_matrix_rank", "linalg_qr", "linalg_solve", "linalg_svd", "linalg_svdvals", "linalg_tensorinv",
    "linalg_tensorsolve", "lu_solve", "margin_ranking_loss", "max_pool3d", "max_unpool2d", "max_unpool3d", "mse_loss",
    "multi_margin_loss", "multilabel_margin_loss", "nanquantile", "nll_loss_nd", "orgqr", "ormqr", "pinverse",
    "poisson_nll_loss", "polar", "prod", "qr", "quantile", "_border_pad", "smooth_l1_loss", "soft_margin_loss", "stft",
    "svd", "trace", "triangular_solve", "triplet_margin_loss", "view_as_complex"};
constexpr std::string_view widest[] = {"cat", "stack", "index_copy"};
constexpr std::string_view none[] = {"bilinear"};       // composites made of products, which PyTorch's are not

std::unordered_map<const Op*, Policy> policies_of_registry() {
  std::unordered_map<std::string_view, Policy> named;
  for (std::string_view n : lower) named[n] = Policy::lower;
  for (std::string_view n : float32) named[n] = Policy::float32;
  for (std::string_view n : widest) named[n] = Policy::widest;
  for (std::string_view n : none) named[n] = Policy::none;
  std::unordered_map<const Op*, Policy> policies;
  for (const Op* op : registry().ops())
    if (auto found = named.find(op->name); found != named.end()) policies[op] = found->second;
  return policies;
}

bool takes_part(const Tensor& t) { return t && is_floating(t.dtype()) && t.dtype() != DType::f64; }

// A parameter is cast once for all its uses in a context: the graph then adds its gradients in the lower precision,
// as PyTorch's does. The entry keeps the parameter, so that its address is not taken by another.
struct Cast {
  Tensor parameter, result;
  uint32_t version;
};
std::unordered_map<Body*, Cast>& casts() {
  static thread_local std::unordered_map<Body*, Cast> made;
  return made;
}

Tensor lowered(const Tensor& t, DType dtype) {
  Body* body = t.body();
  if (!autocast_state().cache_enabled || !mode.grad || t.dtype() != DType::f32 || !body->requires_grad || body->node) return to_dtype(t, dtype);
  auto found = casts().find(body);
  if (found != casts().end() && found->second.version == body->version() && found->second.result.dtype() == dtype) return found->second.result;
  Tensor result = to_dtype(t, dtype);
  casts()[body] = {t, result, body->version()};
  return result;
}

template <class Each> void each_tensor(const Args& args, Each&& each) {
  for (int i = 0; i < args.size(); ++i) {
    if (args[i].tag == Value::tensor) each(args[i].as_tensor());
    else if (args[i].tag == Value::tensors) for (const Tensor& t : args[i].as_tensors()) each(t);
  }
}

// PyTorch has one op for each way and number of dims; circular padding and reflection in three dims are in no list.
bool exempt(const Op& op, const Args& args) {
  if (op.name != "_border_pad") return false;
  const std::string& way = args[2].as_string();
  return way == "circular" || (way == "reflect" && args[1].tag == Value::ints && args[1].as_ints().size() == 6);
}

DType target(Policy policy, const Args& args) {
  if (policy == Policy::lower) return autocast_state().dtype;
  if (policy == Policy::float32) return DType::f32;
  DType wide = autocast_state().dtype;
  each_tensor(args, [&](const Tensor& t) { if (takes_part(t)) wide = promote(wide, t.dtype()); });
  return wide;
}

void cast(Args& args, DType dtype, bool lowers) {
  const Scoped python(mode.for_python, false);
  auto one = [&](const Tensor& t) { return !takes_part(t) || t.dtype() == dtype ? t : lowers ? lowered(t, dtype) : to_dtype(t, dtype); };
  for (int i = 0; i < args.size(); ++i) {
    if (args[i].tag == Value::tensor) args[i] = Value(one(args[i].as_tensor()));
    else if (args[i].tag == Value::tensors) {
      Tensors list = args[i].as_tensors();             // a copy: the caller's list stays as it is
      for (Tensor& t : list) t = one(t);
      args[i] = Value(list);
    }
  }
}

}  // namespace

Autocast& autocast_state() {
  static thread_local Autocast state;
  return state;
}

void Autocast::enable(bool on) {
  enabled = on;
  mode.autocast = on ? this : nullptr;
}

void Autocast::forget() { casts().clear(); }

bool call_autocast(const Op& op, Args& args, Tensor* out, Form form) {
  static const std::unordered_map<const Op*, Policy> policies = policies_of_registry();
  const auto found = form == Form::functional ? policies.find(&op) : policies.end();
  if (found == policies.end() && op.kind == Kind::composite) return false;
  const Scoped<Autocast*> off(mode.autocast, nullptr);
  if (found != policies.end() && found->second != Policy::none && !exempt(op, args)) cast(args, target(found->second, args), found->second == Policy::lower);
  call(op, args, out, form);
  return true;
}

}  // namespace fb
