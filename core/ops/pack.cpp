// Batches of sequences of different lengths packed step by step, and weights split into length and direction.
#include <algorithm>
#include <vector>

#include "kernels/rows.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

struct IndexSelect; struct IndexCopy; struct LinalgVectorNorm; struct NormExceptDim;

namespace {

// Rows of a padded (T, N, *) batch that `sizes[t]` sequences still have at step t, step by step.
Tensor packed_rows(const std::vector<int64_t>& sizes, int64_t batch) {
  int64_t count = 0;
  for (int64_t n : sizes) count += n;
  Tensor rows = empty({count}, DType::i64);
  int64_t* to = rows.data<int64_t>();
  for (size_t t = 0; t < sizes.size(); ++t)
    for (int64_t n = 0; n < sizes[t]; ++n) *to++ = static_cast<int64_t>(t) * batch + n;
  return rows;
}

Tensor int64_of(const std::vector<int64_t>& values) {
  Tensor t = empty({static_cast<int64_t>(values.size())}, DType::i64);
  std::copy(values.begin(), values.end(), t.data<int64_t>());
  return t;
}

Dims with_front(T_ x, int dims, const Dims& front) {   // x's shape with its first dims replaced
  Dims r = front;
  for (int i = dims; i < x.dim(); ++i) r.push(x.shape()[i]);
  return r;
}

}  // namespace

struct PackPaddedSequence {
  static constexpr auto schema = "_pack_padded_sequence(Tensor input, Tensor lengths, bool batch_first) -> (Tensor, Tensor)";
  static constexpr auto doc = R"(
    The rows of a padded batch that are not padding, step by step, and how many sequences each step has.

    Shapes: input (T, N, *), or (N, T, *) with batch_first, lengths (N), decreasing → (Σ lengths, *), (max length).
    Dtypes: all; lengths int64.   Errors: RuntimeError for lengths that are not positive, increase or exceed T.

    >>> fb._C._pack_padded_sequence(fb.tensor([[1, 2], [3, 0]]), fb.tensor([2, 1]), False)
    (tensor([1, 2, 3]), tensor([2, 1]))
  )";
  using kind = Composite;
  static Outputs<2> decompose(Tensor input, Tensor lengths, bool batch_first) {
    check(input.dim() >= 2, "pack_padded_sequence: expected a batch of sequences of at least 2 dims, but got sizes ", input.shape().list());
    const Tensor x = batch_first ? transpose(input, 0, 1) : input;
    const int64_t batch = x.shape()[1], steps = x.shape()[0];
    check(lengths.dtype() == DType::i64 && lengths.dim() == 1, "pack_padded_sequence: lengths must be a "
          "vector of int64, it has ", lengths.dim(), " dims of ", row(lengths.dtype()).legacy);
    check(batch > 0, "pack_padded_sequence: the batch is empty");
    check(lengths.numel() == batch, "pack_padded_sequence: ", lengths.numel(), " lengths for a batch of ",
          batch);
    const Tensor packed = contiguous(lengths);
    const int64_t* length = packed.data<int64_t>();
    check(length[batch - 1] > 0, "pack_padded_sequence: a sequence must have one step at least, lengths "
          "holds ", length[batch - 1]);
    for (int64_t n = 1; n < batch; ++n)
      check(length[n] <= length[n - 1], "pack_padded_sequence: lengths must not increase; sort the batch by "
            "length, or pass enforce_sorted=False");
    check(length[0] <= steps, "Expected lengths of at most ", steps, " steps, but got ", length[0]);
    std::vector<int64_t> sizes(length[0]);
    for (int64_t n = 0; n < batch; ++n)
      for (int64_t t = 0; t < length[n]; ++t) ++sizes[t];
    const Tensor flat = reshape(x, with_front(x, 2, Dims{steps * batch}));
    return {call_op<IndexSelect>(flat, 0, packed_rows(sizes, batch)), int64_of(sizes)};
  }
};

struct PadPackedSequence {
  static constexpr auto schema = "_pad_packed_sequence(Tensor data, Tensor batch_sizes, bool batch_first, Scalar padding_value, "
                                 "int total_length) -> (Tensor, Tensor)";
  static constexpr auto doc = R"(
    The padded batch that a packed one stands for, and the lengths of its sequences; undoes _pack_padded_sequence.

    Shapes: data (M, *), batch_sizes (T) → (T, N, *), or (N, T, *) with batch_first, (N); total_length > 0 replaces T.
    Dtypes: all.   Errors: RuntimeError if total_length is below T or batch_sizes do not add up to M.

    >>> fb._C._pad_packed_sequence(fb.tensor([1, 2, 3]), fb.tensor([2, 1]), False, 0, -1)
    (tensor([[1, 2],
            [3, 0]]), tensor([2, 1]))
  )";
  using kind = Composite;
  static Outputs<2> decompose(Tensor data, Tensor batch_sizes, bool batch_first, Scalar padding, int64_t total_length) {
    check(batch_sizes.dtype() == DType::i64 && batch_sizes.dim() == 1 && batch_sizes.numel() > 0 && data.dim() > 0,
          "pad_packed_sequence: batch_sizes must be a 1D int64 tensor with elements, but got sizes ", batch_sizes.shape().list());
    const Tensor packed = contiguous(batch_sizes);
    const int64_t* size = packed.data<int64_t>();
    const int64_t steps = packed.numel(), batch = size[0];
    int64_t total = 0;
    for (int64_t t = 0; t < steps; ++t) {
      check(size[t] > 0 && (t == 0 || size[t] <= size[t - 1]), "pad_packed_sequence: batch_sizes must be positive and not increase");
      total += size[t];
    }
    check(total == data.shape()[0], "pad_packed_sequence: batch_sizes add up to ", total, ", but data has ", data.shape()[0], " rows");
    check(total_length <= 0 || total_length >= steps, "pad_packed_sequence: the longest sequence has ", steps,
          " steps, more than total_length=", total_length);
    const int64_t all = total_length > 0 ? total_length : steps;
    const std::vector<int64_t> sizes(size, size + steps);
    std::vector<int64_t> lengths(batch);
    for (int64_t n : sizes)
      for (int64_t i = 0; i < n; ++i) ++lengths[i];
    const Tensor flat = call_op<IndexCopy>(full(with_front(data, 1, Dims{all * batch}), padding, data.dtype()), 0, packed_rows(sizes, batch), data);
    const Tensor padded = view(flat, with_front(data, 1, Dims{all, batch}));
    return {batch_first ? transpose(padded, 0, 1) : padded, int64_of(lengths)};
  }
};

struct NormExceptDim {
  static constexpr auto schema = "norm_except_dim(Tensor v, int pow=2, int dim=0) -> Tensor";
  static constexpr auto doc = R"(
    The p-norms over all dims but one, which are kept with size 1; over all of them if dim is -1.

    Shapes: v (*) → (1, …, n, …, 1), or () for dim -1.   Dtypes: floating.

    >>> fb.norm_except_dim(fb.tensor([[3., 4.]]), 2, 0)
    tensor([[5.]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor v, int64_t p, int64_t dim) {
    if (dim == -1) return call_op<LinalgVectorNorm>(v, static_cast<double>(p), Value(), false, Value());
    const int kept = wrap_dim(dim, v.dim());
    Dims others;
    for (int i = 0; i < v.dim(); ++i)
      if (i != kept) others.push(i);
    if (others.empty()) return abs(v);
    return call_op<LinalgVectorNorm>(v, static_cast<double>(p), others, true, Value());
  }
};

struct WeightNorm {
  static constexpr auto schema = "_weight_norm(Tensor v, Tensor g, int dim=0) -> Tensor";
  static constexpr auto doc = R"(
    v scaled so that its norms over all dims but one are g.

    Shapes: v (*), g as norm_except_dim gives it → v's.   Dtypes: floating.   Source: Salimans & Kingma, arXiv:1602.07868.

    >>> fb._C._weight_norm(fb.tensor([[3., 4.]]), fb.tensor([[10.]]))
    tensor([[6., 8.]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor v, Tensor g, int64_t dim) {
    const Tensor scale = g / call_op<NormExceptDim>(v, 2, dim);
    const Scoped name(mode.grad_name, std::string_view("WeightNormInterfaceBackward0"));
    return v * scale;
  }
};

FB_GROUP(pack, PackPaddedSequence, PadPackedSequence, NormExceptDim, WeightNorm)

}  // namespace fb
