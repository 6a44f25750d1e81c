#pragma once
#include "kernels/recurrent.h"

// The steps of one LSTM layer in one direction over sequences of equal length (Hochreiter & Schmidhuber 1997; Gers et
// al. 2000). A step holds N rows; gates lie side by side in a row: input, forget, candidate, output, H each.
namespace fb {

// gates (T·N, 4H) hold the inputs' share and become the activated gates; y and cells (T·N, H) are written.
void lstm_forward(const Recurrence& s, const Tensor& gates, const Tensor& h0, const Tensor& c0, const Tensor& w, const Tensor& y,
                  const Tensor& cells);

// Gradients of outputs, cells and activated gates; what they give for the gates' inputs, both first states and w.
struct LstmGradients {
  Tensor y, cells, activated;
  Tensor gates, h0, c0, w;
};
// dg.gates (T·N, 4H), dg.h0, dg.c0 (N, H) and dg.w (4H, H), if it is there, are written. All tensors are packed.
void lstm_backward(const Recurrence& s, const Tensor& gates, const Tensor& c0, const Tensor& h0, const Tensor& w, const Tensor& y,
                   const Tensor& cells, const LstmGradients& dg);

}  // namespace fb
