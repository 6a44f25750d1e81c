#pragma once
#include "kernels/gemm.h"
#include "kernels/rows.h"

// Recurrent layers in one direction over sequences of equal length. A step holds N rows; the gates of a row lie side by
// side, H each. `gates` are (T·N, g·H), states (N, H), outputs (T·N, H), recurrent weights (g·H, H).
namespace fb {

struct Recurrence {
  int64_t time, batch, size;                           // T, N, H
  bool backwards;
  int64_t step(int64_t k) const { return backwards ? time - 1 - k : k; }
  int64_t states() const { return batch * size; }
};

// Gated recurrent units (Cho et al. 2014), the reset gate applied after the product. x (T·N, 3H) holds the inputs' share
// of reset, update and candidate; b the biases of the recurrent product (3H) or nothing. Written: y, and gates (T·N, 4H),
// which hold what was activated and, last, the candidate's recurrent share.
void gru_forward(const Recurrence& s, const Tensor& x, const Tensor& h0, const Tensor& w, const Tensor& b, const Tensor& y,
                 const Tensor& gates);
// Gradients of outputs and gates; what they give for x, the recurrent products (T·N, 3H), the first state and w.
struct GruGradients {
  Tensor y, activated;
  Tensor x, products, h0, w;
};
void gru_backward(const Recurrence& s, const Tensor& gates, const Tensor& h0, const Tensor& w, const Tensor& y,
                  const GruGradients& dg);

// Elman's network (1990): y = tanh or relu of x + h·wᵀ.
void rnn_forward(const Recurrence& s, bool relu, const Tensor& x, const Tensor& h0, const Tensor& w, const Tensor& y);
// From the gradient of y those of x, the first state and, if it is there, w.
struct RnnGradients { Tensor y, x, h0, w; };
void rnn_backward(const Recurrence& s, bool relu, const Tensor& h0, const Tensor& w, const Tensor& y, const RnnGradients& dg);

// ---- for these kernels
template <class T> Matrix packed_matrix(const T* data, int64_t rows, int64_t cols) {
  return {reinterpret_cast<char*>(const_cast<T*>(data)), rows, cols, cols, 1};
}
inline Matrix turned(const Matrix& m) { return {m.data, m.cols, m.rows, m.col_stride, m.row_stride}; }

// The sum over all steps of gate gradientsᵀ · state before: one product for all steps but the first, one for that.
template <class T>
void recurrent_weight_gradient(const Recurrence& s, int64_t gates, const T* grad, const T* h0, const T* y, T* grad_w) {
  const int64_t width = gates * s.size, rest = (s.time - 1) * s.batch;
  const Matrix out = packed_matrix(grad_w, width, s.size);
  const T* first = grad + s.step(0) * s.batch * width;
  gemm({compute_for<T>, turned(packed_matrix(first, s.batch, width)), packed_matrix(h0, s.batch, s.size), out});
  if (rest == 0) return;
  const T *later = s.backwards ? grad : grad + s.batch * width, *before = s.backwards ? y + s.states() : y;
  gemm({compute_for<T>, turned(packed_matrix(later, rest, width)), packed_matrix(before, rest, s.size), out, 1, 1});
}

}  // namespace fb
