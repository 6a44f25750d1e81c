#pragma once
#include "base/scalar.h"
#include "tensor/loop.h"
#include "tensor/tensor.h"

namespace fb {

// Plans one elementwise call: merges adjacent dims, orders them by the output's strides, spreads the work on
// threads and cuts it into chunks. Kernels only ever see contiguous chunks of one compute type: an operand whose
// memory already is that passes through as a pointer, every other one is gathered and converted into a buffer
// in the first-level cache, and results are scattered back the same way.
class Walk {
 public:
  static constexpr int max_operands = 5;               // inputs and the output
  static constexpr int64_t chunk = 512;                // of short rows
  static constexpr int64_t room = 8192;                // bytes of a chunk in a buffer

  explicit Walk(const Dims& shape) : shape_(shape) {}
  void add_input(const Tensor& t, DType wanted);       // broadcast to the walk's shape, converted to `wanted`
  void add_number(const Scalar& number, DType wanted);
  void set_output(const Tensor& t, DType packed);      // `packed`: what the loop writes
  void run(Loop loop, const void* scalars);

 private:
  struct Operand {
    char* data = nullptr;
    Dims strides;                                      // in bytes, one per dim of the walk
    DType dtype, wanted;
    bool number = false;
    bool whole = false;                                // one packed run over the whole walk
    bool repeats = false;                              // the same row again and again
    bool constant = false;                             // one value all along a row
    Scalar value;
  };
  struct Cursor;

  Dims shape_;
  Operand inputs_[max_operands], output_;
  int input_count_ = 0;
  int64_t total_ = 0, inner_ = 0;
  bool by_rows_ = true;                                // a chunk is a piece of one row, not several short rows
  bool one_row_ = false;                               // nothing but one row of packed operands and constants
  bool all_direct_ = false;                            // along the inner dim every operand is a plain pointer
  int64_t limit_ = chunk;                              // most elements of a chunk that a row holds
  int64_t stretch_ = chunk;                            // elements of the one row between changes of place

  static Operand operand(const Tensor& t, DType wanted, const Dims& shape);
  void order_dims();
  void classify();
  void merge_dims();
  void gather_rows(const Operand& o, char* to, const Cursor& from, int64_t count) const;
  void run_row(Loop loop, const void* scalars, int64_t begin, int64_t end) const;
  void run_range(Loop loop, const void* scalars, int64_t begin, int64_t end) const;
};

}  // namespace fb
