#pragma once
#include <array>

#include "op/kinds.h"
#include "op/schema.h"
#include "op/value.h"
#include "tensor/loop.h"

// What an op is: one struct turned into one registry row. The templates that do it are in op/build.h, which
// only files of ops/ include.
namespace fb {

struct Op;

// ---- what a vjp may ask for; naming it is what saves it
template <int I> struct In : Tensor { static constexpr int in = I; };            // value of input I
struct Out : Tensor { static constexpr int out = 0; };                           // value of the output
template <int K> struct OutAt : Tensor { static constexpr int out = K; };        // value of output K
template <int I> struct Shape : Dims { static constexpr int shape = I; };        // shape of input I, no value kept
template <int I> struct Shapes {                                                 // shapes of a tensor list
  const Small<Dims, 2>& list;
  static constexpr int shapes = I;
};
template <int I, class T> struct Arg {                                           // a non-tensor argument
  T value;
  operator const T&() const { return value; }
  static constexpr int arg = I;
};
template <int I> struct InType { DType value; operator DType() const { return value; } static constexpr int type = I; };
struct Needs {                                                                   // which inputs want a gradient
  uint32_t mask;
  bool operator[](int param) const { return mask >> param & 1; }
  static constexpr bool needs = true;
};
struct NoGrad {};                                                                // `static NoGrad vjp_index();`
template <int N> using Outputs = std::array<Tensor, N>;

// What a vjp sees of the recorded call.
struct Recorded {
  const Op& op;
  const Args& in;
  const Tensor* out;
  const Dims* shapes;                                  // by parameter
  const DType* types;                                  // by parameter
  const Small<Dims, 2>* list_shapes;
  DType grad_dtype;
  uint32_t needs;
};

using Fold = void (*)(void* accumulator, const void* in, int64_t n);             // n values into one accumulator
// Row k of n values, k · stride further on, into accumulator k.
using FoldMany = void (*)(void* accumulators, const void* in, int64_t stride, int64_t rows, int64_t n);
// Value i of every such row into accumulator i.
using FoldRows = void (*)(void* accumulators, const void* in, int64_t stride, int64_t rows, int64_t n);
using Finish = void (*)(void* out, const void* accumulator, int64_t n, int64_t reduced);
using VjpFunction = void (*)(const Tensor* grads_out, const Recorded&, Tensor* grads_in);

struct VjpRow {
  VjpFunction function = nullptr;
  uint32_t saves_in = 0;                               // parameters whose value is kept
  uint8_t saves_out = 0;                               // outputs whose value is kept
  bool shapes = false, list_shapes = false, types = false;
};

// The loops of an elementwise or reducing op for one compute type.
struct Kernels {
  Loop loop = nullptr;
  Fold fold = nullptr, merge = nullptr;                // merge: n accumulators into one
  FoldMany fold_many = nullptr;
  FoldRows fold_rows = nullptr;
  Finish finish = nullptr;
  void (*start)(void* accumulators, int64_t n) = nullptr;
  Compute result = Compute::f32;                       // packed type of what the loop writes
  uint8_t accumulator_bytes = 0;
};

struct Op {
  std::string_view name;                               // without the overload
  const char* doc = "";
  Schema schema;
  Kind kind;
  std::string_view grad_name;                          // of the graph node, as PyTorch prints it
  std::string_view (*grad_name_of)(const Args&, const Tensor* out) = nullptr;

  void (*run)(const Op&, const Args&, Tensor* out, Form) = nullptr;
  void (*decompose)(const Args&, Tensor* out) = nullptr;
  Tensors (*decompose_list)(const Args&) = nullptr;    // of a composite that returns a list
  void (*write)(const Args&) = nullptr;                // of an op with an in-place kernel: writes into self
  void (*examine)(const Args&) = nullptr;              // the op's own argument checks

  VjpRow vjp[Schema::max_params];                      // by parameter
  bool differentiable = false;
  bool joint_vjp = false;                              // one vjp gives the gradients of all inputs
  bool has_in_place = false, only_in_place = false, printable = false, needs_elements = false;
  uint8_t constant_outputs = 0;                        // mask of outputs that carry no gradient
  bool absent_grads = false;                           // vjp gets undefined tensors, not zeros, for outputs without a gradient
  bool out_apart = false, out_exact = false;           // out= may share no memory with an input; must have the dtype of the result

  Result result = Result::same;                        // elementwise and reduction
  Accepts accepts;
  uint8_t tensor_count = 0, scalar_count = 0;
  uint32_t number_params = 0;                          // Tensor parameters that take a Python number as it is
  bool takes_only_numbers = true;                      // even all of them at once
  uint8_t bool_inputs = 0;                             // mask of inputs that stay bool (where's condition)
  int8_t dim_param = -1, keepdim_param = -1, dtype_param = -1;
  Kernels kernels[compute_count];
  std::string (*ir)(DType) = nullptr;
};

template <class S> inline Op* op_row = nullptr;        // filled by registration; `op_row<Exp>` needs only `struct Exp;`

}  // namespace fb
