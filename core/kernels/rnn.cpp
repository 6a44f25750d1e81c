#include <algorithm>

#include "base/isa.h"
#include "kernels/packed_product.h"
#include "kernels/recurrent.h"
#include "math/hyperbolic.h"

namespace fb {
namespace {

template <class T, bool relu> inline void activate(T* y, int64_t begin, int64_t end) {
#pragma GCC ivdep
  for (int64_t i = begin; i < end; ++i) y[i] = relu ? (y[i] < T(0) ? T(0) : y[i]) : math::tanh(y[i]);
}

template <class T> struct StepBackward {
  const T *y, *grad_y, *grad_h;
  T* grad_x;
};
template <class T, bool relu> inline void step_backward(StepBackward<T> k, int64_t begin, int64_t end) {
#pragma GCC ivdep
  for (int64_t i = begin; i < end; ++i) {
    const T g = k.grad_y[i] + k.grad_h[i], y = k.y[i];
    k.grad_x[i] = relu ? (y <= T(0) ? T(0) : g) : g * (T(1) - y * y);
  }
}

template <class T, bool relu> void run_forward(const Recurrence& s, const T* x, const T* h0, const T* w, T* y) {
  const int64_t states = s.states();
  const auto loop = Clones<&activate<T, relu>>::pick();
  const PackedProduct product(compute_for<T>, turned(packed_matrix(w, s.size, s.size)), s.batch, s.time, true);
  std::copy_n(x, s.time * states, y);
  for (int64_t k = 0; k < s.time; ++k) {
    T* here = y + s.step(k) * states;
    const T* h = k ? y + s.step(k - 1) * states : h0;
    product.run(h, here);
    parallel_for(states, row_grain(1), [&](int64_t begin, int64_t end) { loop(here, begin, end); });
  }
}

template <class T, bool relu>
void run_backward(const Recurrence& s, const T* h0, const T* w, const T* y, const RnnGradients& dg) {
  const int64_t states = s.states();
  const auto loop = Clones<&step_backward<T, relu>>::pick();
  T *grad_h = dg.h0.data<T>(), *grad_x = dg.x.data<T>();
  const PackedProduct product(compute_for<T>, packed_matrix(w, s.size, s.size), s.batch, s.time, false);
  std::fill_n(grad_h, states, T(0));
  for (int64_t k = s.time; k-- > 0;) {
    const int64_t at = s.step(k) * states;
    const StepBackward<T> step{y + at, dg.y.data<T>() + at, grad_h, grad_x + at};
    parallel_for(states, row_grain(1), [&](int64_t begin, int64_t end) { loop(step, begin, end); });
    product.run(grad_x + at, grad_h);
  }
  if (dg.w) recurrent_weight_gradient(s, 1, grad_x, h0, y, dg.w.data<T>());
}

}  // namespace

void rnn_forward(const Recurrence& s, bool relu, const Tensor& x, const Tensor& h0, const Tensor& w, const Tensor& y) {
  by_real(x.dtype(), [&]<class T>(T) {
    const auto run = relu ? &run_forward<T, true> : &run_forward<T, false>;
    run(s, x.data<T>(), h0.data<T>(), w.data<T>(), y.data<T>());
  });
}

void rnn_backward(const Recurrence& s, bool relu, const Tensor& h0, const Tensor& w, const Tensor& y, const RnnGradients& dg) {
  by_real(y.dtype(), [&]<class T>(T) {
    const auto run = relu ? &run_backward<T, true> : &run_backward<T, false>;
    run(s, h0.data<T>(), w.data<T>(), y.data<T>(), dg);
  });
}

}  // namespace fb
