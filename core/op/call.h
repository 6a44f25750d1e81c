#pragma once
#include "autograd/modes.h"
#include "op/op.h"

namespace fb {

// The path of every call: intercept → run → record. `out` has room for the schema's outputs; in the in-place
// and out forms it holds the tensors to write.
void call(const Op& op, Args& args, Tensor* out, Form form = Form::functional);

template <class S, class... A> Tensor call_op(A&&... a) {
  Args args(std::forward<A>(a)...);
  Tensor out[Schema::max_outputs];
  call(*op_row<S>, args, out);
  return std::move(out[0]);
}
template <int N, class S, class... A> Outputs<N> call_outputs(A&&... a) {
  Args args(std::forward<A>(a)...);
  Tensor out[Schema::max_outputs];
  call(*op_row<S>, args, out);
  Outputs<N> r;
  for (int k = 0; k < N; ++k) r[k] = std::move(out[k]);
  return r;
}
template <class S, class... A> void call_in_place(const Tensor& self, A&&... a) {
  Args args(self, std::forward<A>(a)...);
  Tensor out[Schema::max_outputs] = {self};
  call(*op_row<S>, args, out, Form::in_place);
}
template <class S, class... A> Tensors call_list(A&&... a) {
  Args args(std::forward<A>(a)...);
  return op_row<S>->decompose_list(args);
}

// How the kinds run.
void run_elementwise(const Op&, const Args&, Tensor* out, Form);
void run_reduction(const Op&, const Args&, Tensor* out, Form);
void run_by_write(const Op&, const Args&, Tensor* out, Form);      // functional form of an op that only writes

void run_in_place(const Op&, const Args&, Tensor* out);             // writes, and moves the version

Tensor saved_tensor(const Recorded& c, int param);     // a number in a Tensor place becomes a 0-d tensor

}  // namespace fb
