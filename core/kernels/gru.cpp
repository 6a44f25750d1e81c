#include <algorithm>
#include <vector>

#include "base/isa.h"
#include "kernels/packed_product.h"
#include "kernels/recurrent.h"
#include "math/hyperbolic.h"

namespace fb {
namespace {

template <class T> struct StepForward {
  const T *x, *products, *before;
  T *gates, *y;
  int64_t size;
};
template <class T> inline void step_forward(StepForward<T> k, int64_t begin, int64_t end) {
  const int64_t h = k.size;
  for (int64_t r = begin; r < end; ++r) {
    const T *x = k.x + 3 * h * r, *p = k.products + 3 * h * r, *before = k.before + h * r;
    T *g = k.gates + 4 * h * r, *y = k.y + h * r;
#pragma GCC ivdep
    for (int64_t j = 0; j < 2 * h; ++j) g[j] = math::sigmoid(x[j] + p[j]);
#pragma GCC ivdep
    for (int64_t j = 0; j < h; ++j) {
      const T share = p[2 * h + j], fresh = math::tanh(x[2 * h + j] + g[j] * share);
      g[2 * h + j] = fresh;
      g[3 * h + j] = share;
      y[j] = fresh + g[h + j] * (before[j] - fresh);
    }
  }
}

template <class T> struct StepBackward {
  const T *gates, *before;
  const T *grad_y, *grad_activated;                    // of this step
  T *grad_x, *grad_products;
  T* grad_h;                                           // from the step after; becomes the share that passes by the gates
  int64_t size;
};
template <class T> inline void step_backward(StepBackward<T> k, int64_t begin, int64_t end) {
  const int64_t h = k.size;
  for (int64_t row = begin; row < end; ++row) {
    const T *gates = k.gates + 4 * h * row, *more = k.grad_activated + 4 * h * row;
    const T *before = k.before + h * row, *grad_y = k.grad_y + h * row;
    T *gx = k.grad_x + 3 * h * row, *gp = k.grad_products + 3 * h * row, *grad_h = k.grad_h + h * row;
#pragma GCC ivdep
    for (int64_t j = 0; j < h; ++j) {
      const T r = gates[j], z = gates[h + j], n = gates[2 * h + j], share = gates[3 * h + j];
      const T dy = grad_y[j] + grad_h[j];
      const T dn = (dy * (T(1) - z) + more[2 * h + j]) * (T(1) - n * n);
      const T dr = (dn * share + more[j]) * r * (T(1) - r);
      const T dz = (dy * (before[j] - n) + more[h + j]) * z * (T(1) - z);
      gx[j] = gp[j] = dr;
      gx[h + j] = gp[h + j] = dz;
      gx[2 * h + j] = dn;
      gp[2 * h + j] = dn * r + more[3 * h + j];
      grad_h[j] = dy * z;
    }
  }
}

template <class T>
void run_forward(const Recurrence& s, const T* x, const T* h0, const T* w, const T* b, T* y, T* gates) {
  const int64_t states = s.states(), width = 3 * s.size;
  const auto loop = Clones<&step_forward<T>>::pick();
  std::vector<T> products(static_cast<size_t>(s.batch * width));
  const PackedProduct product(compute_for<T>, turned(packed_matrix(w, width, s.size)), s.batch, s.time, false,
                              reinterpret_cast<const char*>(b));
  for (int64_t k = 0; k < s.time; ++k) {
    const int64_t at = s.step(k) * states;
    const T* h = k ? y + s.step(k - 1) * states : h0;
    product.run(h, products.data());
    const StepForward<T> step{x + 3 * at, products.data(), h, gates + 4 * at, y + at, s.size};
    parallel_for(s.batch, row_grain(4 * s.size), [&](int64_t begin, int64_t end) { loop(step, begin, end); });
  }
}

template <class T>
void run_backward(const Recurrence& s, const T* gates, const T* h0, const T* w, const T* y, const GruGradients& dg) {
  const int64_t states = s.states(), width = 3 * s.size;
  const auto loop = Clones<&step_backward<T>>::pick();
  T *grad_h = dg.h0.data<T>(), *products = dg.products.data<T>();
  const PackedProduct product(compute_for<T>, packed_matrix(w, width, s.size), s.batch, s.time, true);
  std::fill_n(grad_h, states, T(0));
  for (int64_t k = s.time; k-- > 0;) {
    const int64_t at = s.step(k) * states;
    const StepBackward<T> step{gates + 4 * at, k ? y + s.step(k - 1) * states : h0, dg.y.data<T>() + at,
                               dg.activated.data<T>() + 4 * at, dg.x.data<T>() + 3 * at, products + 3 * at, grad_h, s.size};
    parallel_for(s.batch, row_grain(4 * s.size), [&](int64_t begin, int64_t end) { loop(step, begin, end); });
    product.run(products + 3 * at, grad_h);
  }
  if (dg.w) recurrent_weight_gradient(s, 3, products, h0, y, dg.w.data<T>());
}

}  // namespace

void gru_forward(const Recurrence& s, const Tensor& x, const Tensor& h0, const Tensor& w, const Tensor& b, const Tensor& y,
                 const Tensor& gates) {
  by_real(x.dtype(), [&]<class T>(T) {
    run_forward<T>(s, x.data<T>(), h0.data<T>(), w.data<T>(), b ? b.data<T>() : nullptr, y.data<T>(), gates.data<T>());
  });
}

void gru_backward(const Recurrence& s, const Tensor& gates, const Tensor& h0, const Tensor& w, const Tensor& y,
                  const GruGradients& dg) {
  by_real(gates.dtype(), [&]<class T>(T) {
    run_backward<T>(s, gates.data<T>(), h0.data<T>(), w.data<T>(), y.data<T>(), dg);
  });
}

}  // namespace fb
