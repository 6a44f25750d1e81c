#include "kernels/lstm.h"

#include <algorithm>
#include <cstring>

#include "base/isa.h"
#include "kernels/packed_product.h"
#include "math/hyperbolic.h"

namespace fb {
namespace {

template <class T> struct StepForward {
  T* gates;
  const T* before;                                     // cells of the step before
  T *cells, *y;
  int64_t size;
};
template <class T> inline void step_forward(StepForward<T> k, int64_t begin, int64_t end) {
  const int64_t h = k.size;
  for (int64_t r = begin; r < end; ++r) {
    T *g = k.gates + 4 * h * r, *cells = k.cells + h * r, *y = k.y + h * r;
    const T* before = k.before + h * r;
#pragma GCC ivdep
    for (int64_t j = 0; j < 2 * h; ++j) g[j] = math::sigmoid(g[j]);
#pragma GCC ivdep
    for (int64_t j = 2 * h; j < 3 * h; ++j) g[j] = math::tanh(g[j]);
#pragma GCC ivdep
    for (int64_t j = 3 * h; j < 4 * h; ++j) g[j] = math::sigmoid(g[j]);
#pragma GCC ivdep
    for (int64_t j = 0; j < h; ++j) {
      const T c = g[h + j] * before[j] + g[j] * g[2 * h + j];
      cells[j] = c;
      y[j] = g[3 * h + j] * math::tanh(c);
    }
  }
}

template <class T> struct StepBackward {
  const T *gates, *before, *cells;
  const T *grad_y, *grad_cells, *grad_activated;       // of this step
  const T* grad_h;                                     // from the step after
  T* grad_c;                                           // the same; becomes that for the step before
  T* grad_gates;
  int64_t size;
};
template <class T> inline void step_backward(StepBackward<T> k, int64_t begin, int64_t end) {
  const int64_t h = k.size;
  for (int64_t r = begin; r < end; ++r) {
    const T *gates = k.gates + 4 * h * r, *more = k.grad_activated + 4 * h * r;
    T* out = k.grad_gates + 4 * h * r;
    const T *before = k.before + h * r, *cells = k.cells + h * r, *grad_y = k.grad_y + h * r, *grad_h = k.grad_h + h * r;
    const T* grad_cells = k.grad_cells + h * r;
    T* grad_c = k.grad_c + h * r;
#pragma GCC ivdep
    for (int64_t j = 0; j < h; ++j) {
      const T i = gates[j], f = gates[h + j], a = gates[2 * h + j], o = gates[3 * h + j];
      const T level = math::tanh(cells[j]), dh = grad_y[j] + grad_h[j];
      const T dc = grad_c[j] + grad_cells[j] + dh * o * (T(1) - level * level);
      grad_c[j] = dc * f;
      out[j] = (dc * a + more[j]) * i * (T(1) - i);
      out[h + j] = (dc * before[j] + more[h + j]) * f * (T(1) - f);
      out[2 * h + j] = (dc * i + more[2 * h + j]) * (T(1) - a * a);
      out[3 * h + j] = (dh * level + more[3 * h + j]) * o * (T(1) - o);
    }
  }
}

template <class T> void run_forward(const Recurrence& s, T* gates, const T* h0, const T* c0, const T* w, T* y, T* cells) {
  const int64_t states = s.batch * s.size;
  const auto loop = Clones<&step_forward<T>>::pick();
  const PackedProduct product(compute_for<T>, turned(packed_matrix(w, 4 * s.size, s.size)), s.batch, s.time, true);
  for (int64_t k = 0; k < s.time; ++k) {
    const int64_t t = s.step(k);
    const T* h = k ? y + s.step(k - 1) * states : h0;
    T* here = gates + 4 * t * states;
    product.run(h, here);
    const StepForward<T> step{here, k ? cells + s.step(k - 1) * states : c0, cells + t * states, y + t * states, s.size};
    parallel_for(s.batch, row_grain(4 * s.size), [&](int64_t b, int64_t e) { loop(step, b, e); });
  }
}

}  // namespace

void lstm_forward(const Recurrence& s, const Tensor& gates, const Tensor& h0, const Tensor& c0, const Tensor& w, const Tensor& y,
                  const Tensor& cells) {
  by_real(gates.dtype(), [&]<class T>(T) {
    run_forward<T>(s, gates.data<T>(), h0.data<T>(), c0.data<T>(), w.data<T>(), y.data<T>(), cells.data<T>());
  });
}

void lstm_backward(const Recurrence& s, const Tensor& gates, const Tensor& c0, const Tensor& h0, const Tensor& w, const Tensor& y,
                   const Tensor& cells, const LstmGradients& dg) {
  by_real(gates.dtype(), [&]<class T>(T) {
    const int64_t states = s.batch * s.size;
    const auto loop = Clones<&step_backward<T>>::pick();
    T *grad_h = dg.h0.data<T>(), *grad_c = dg.c0.data<T>(), *grad_gates = dg.gates.data<T>();
    const PackedProduct product(compute_for<T>, packed_matrix(w.data<T>(), 4 * s.size, s.size), s.batch, s.time, false);
    std::fill_n(grad_h, states, T(0));
    std::fill_n(grad_c, states, T(0));
    for (int64_t k = s.time; k-- > 0;) {
      const int64_t at = s.step(k) * states;
      const T* before = k ? cells.data<T>() + s.step(k - 1) * states : c0.data<T>();
      const StepBackward<T> step{gates.data<T>() + 4 * at, before, cells.data<T>() + at, dg.y.data<T>() + at, dg.cells.data<T>() + at,
                                 dg.activated.data<T>() + 4 * at, grad_h, grad_c, grad_gates + 4 * at, s.size};
      parallel_for(s.batch, row_grain(4 * s.size), [&](int64_t b, int64_t e) { loop(step, b, e); });
      product.run(grad_gates + 4 * at, grad_h);
    }
    if (dg.w) recurrent_weight_gradient(s, 4, grad_gates, h0.data<T>(), y.data<T>(), dg.w.data<T>());
  });
}

}  // namespace fb
