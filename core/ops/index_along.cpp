#include "kernels/lines.h"
#include "kernels/typed.h"
#include "op/build.h"
#include "ops.h"
#include "tensor/convert.h"

// Writing whole slices along a dim, named by a vector of indices; and writing by flat position.
namespace fb {

struct IndexSelect;
struct IndexAdd;
struct IndexFill;
struct IndexCopy;
struct IndexFillTensor;
struct Take;
struct Put;
struct ScatterReduce;

// A vector of in-bounds int64 indices along dim d of x.
static Tensor slice_rows(std::string_view op, const Tensor& index, const Dims& shape, int d, bool negative) {
  const int64_t size = shape[d];
  check<IndexError>(index.dim() <= 1, op, ": index must be a vector, it has ", index.dim(), " dims");
  check<Error>(index.dtype() == DType::i64 || index.dtype() == DType::i32, op, ": index must be int32 or "
               "int64, it is ", row(index.dtype()).legacy);
  const Tensor rows = contiguous(to_dtype(at_least_1d(index), DType::i64));
  if (rows.numel() == 0) return rows;
  const auto [least, most] = range_of(rows.data<int64_t>(), rows.numel());
  check<IndexError>(least >= (negative ? -size : 0) && most < size, op, ": index ", most >= size ? most :
                    least, " is out of bounds in dim ", d, " of size ", size);
  return rows;
}

static IndexPlan plan_along(const Tensor& x, int d, const Tensor& rows) {
  Tensors indices(static_cast<size_t>(d));
  indices.push_back(rows);
  return plan_index(x, indices);
}

// Source in the shape of the slices it goes to, packed and apart from self.
template <class E> Tensor packed_source(std::string_view op, const Tensor& self, int d, const Tensor& source, const IndexPlan& plan) {
  const Tensor given = at_least_1d(source);
  if (given.dim() == plan.shape.size())
    check<E>(given.shape()[d] == plan.shape[d], op, ": index has ", plan.shape[d], " entries, source has "
             "size ", given.shape()[d], " in dim ", d);
  check(self.dtype() == source.dtype(), op, ": self is ", row(self.dtype()).legacy, " and source is ",
        row(source.dtype()).legacy, "; convert one to the dtype of the other");
  const bool scalar = source.dim() == 0 && plan.shape.product() == 1;
  check<ShapeError>(scalar || given.shape() == plan.shape, op, "(): source must have the shape of self but for dimension ", d, ": source has shape ",
                    source.shape().list(), ", self ", self.shape().list(), ", the slices named by index ", plan.shape.list());
  return contiguous(share_memory(self, source) ? clone(source) : source);
}

struct IndexAdd {
  static constexpr auto schema = "index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor";
  static constexpr auto doc = R"(
    self with alpha times the slices of source added to the slices along a dim that index names.

    Shapes: self (…, n, …), index (k), source (…, k, …) → (…, n, …).   Dtypes: all, source as self; index int64, int32.
    Errors: IndexError if an index is out of bounds; negative ones are.

    >>> fb.index_add(fb.zeros(3), 0, fb.tensor([0, 0]), fb.tensor([1., 2.]))
    tensor([3., 0., 0.])
  )";
  using kind = Opaque;
  static void write(Tensor self, int64_t dim, Tensor index, Tensor source, Scalar alpha) {
    const int d = wrap_dim(dim, self.dim());
    const Tensor x = at_least_1d(self), rows = slice_rows("index_add_", index, x.shape(), d, false);
    const IndexPlan plan = plan_along(x, d, rows);
    const Tensor packed = packed_source<Error>("index_add_", self, d, source, plan);
    add_indexed(plan, x, alpha.equals(1) ? packed : to_dtype(mul(packed, Value(alpha)), self.dtype()));
  }
  static NoGrad vjp_index();
  static Tensor vjp_self(Tensor g) { return g; }
  static Tensor vjp_source(Tensor g, Arg<1, int64_t> dim, In<2> index, Shape<3> shape, Arg<4, Scalar> alpha) {
    const Tensor r = reshape(call_op<IndexSelect>(g, dim.value, index), shape);
    return alpha.value.equals(1) ? r : mul(r, Value(alpha.value));
  }
};

struct IndexCopy {
  static constexpr auto schema = "index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor";
  static constexpr auto doc = R"(
    self with the slices along a dim that index names replaced by those of source.

    Shapes: self (…, n, …), index (k), source (…, k, …) → (…, n, …).   Dtypes: all, source as self; index int64.
    Errors: IndexError if an index is out of bounds; negative ones are.

    >>> fb.index_copy(fb.zeros(3), 0, fb.tensor([2]), fb.tensor([1.]))
    tensor([0., 0., 1.])
  )";
  using kind = Opaque;
  static void write(Tensor self, int64_t dim, Tensor index, Tensor source) {
    const int d = wrap_dim(dim, self.dim());
    check(index.dtype() == DType::i64, "index_copy_: index must be int64, it is ", row(index.dtype()).legacy);
    const Tensor x = at_least_1d(self), rows = slice_rows("index_copy_", index, x.shape(), d, false);
    const IndexPlan plan = plan_along(x, d, rows);
    write_indexed(plan, x, packed_source<IndexError>("index_copy_", self, d, source, plan));
  }
  static NoGrad vjp_index();
  static Tensor vjp_self(Tensor g, Arg<1, int64_t> dim, In<2> index) { return call_op<IndexFill>(g, dim.value, index, 0); }
  static Tensor vjp_source(Tensor g, Arg<1, int64_t> dim, In<2> index, Shape<3> shape) {
    return reshape(call_op<IndexSelect>(g, dim.value, index), shape);
  }
};

static void fill_slices(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& one) {
  const int d = wrap_dim(dim, self.dim());
  const Tensor x = at_least_1d(self), rows = slice_rows("index_fill_", index, x.shape(), d, true);
  write_indexed(plan_along(x, d, rows), x, one);
}

struct IndexFill {
  static constexpr auto schema = "index_fill(Tensor self, int dim, Tensor index, Scalar value) -> Tensor";
  static constexpr auto doc = R"(
    self with the slices along a dim that index names set to one number.

    Shapes: self (…, n, …), index (k) → (…, n, …).   Dtypes: all; index int64, int32.
    Errors: IndexError if an index is out of bounds.

    >>> fb.index_fill(fb.zeros(3), 0, fb.tensor([-1]), 7)
    tensor([0., 0., 7.])
  )";
  using kind = Opaque;
  static void write(Tensor self, int64_t dim, Tensor index, Scalar value) {
    check(!value.is_complex() || is_complex(self.dtype()), "index_fill_: a complex value does not fit into a "
          "tensor of ", row(self.dtype()).legacy);
    Tensor one = empty(Dims(), self.dtype());
    fill_packed(self.dtype(), one.data(), value, 1);
    fill_slices(self, dim, index, one);
  }
  static NoGrad vjp_index();
  static Tensor vjp_self(Tensor g, Arg<1, int64_t> dim, In<2> index) { return call_op<IndexFill>(g, dim.value, index, 0); }
};

struct IndexFillTensor {
  static constexpr auto schema = "index_fill.tensor(Tensor self, int dim, Tensor index, Tensor value) -> Tensor";
  static constexpr auto doc = IndexFill::doc;
  using kind = Opaque;
  static constexpr auto grad_name = "IndexFillBackward1";
  static void write(Tensor self, int64_t dim, Tensor index, Tensor value) {
    check(value.dim() == 0, "index_fill_: value must be a single number or a 0-dimensional tensor, it has ",
          value.dim(), " dims");
    fill_slices(self, dim, index, contiguous(to_dtype(value, self.dtype())));
  }
  static NoGrad vjp_index();
  static Tensor vjp_self(Tensor g, Arg<1, int64_t> dim, In<2> index) { return call_op<IndexFill>(g, dim.value, index, 0); }
  static Tensor vjp_value(Tensor g, Arg<1, int64_t> dim, In<2> index) { return sum(g - call_op<IndexFill>(g, dim.value, index, 0)); }
};

struct IndexReduce {
  static constexpr auto schema =
      "index_reduce(Tensor self, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True) -> Tensor";
  static constexpr auto doc = R"(
    self with the slices of source that index sends to each slice along a dim reduced into it: by "prod", "mean",
    "amax" or "amin", with the slice's own values unless include_self is False.

    Shapes: self (…, n, …), index (k), source (…, k, …) → (…, n, …).   Dtypes: real, source as self; index int64, int32.

    >>> fb.index_reduce(fb.ones(2), 0, fb.tensor([1, 1]), fb.tensor([2., 3.]), "prod")
    tensor([1., 6.])
  )";
  using kind = Composite;
  static constexpr bool in_place = true;
  static Tensor decompose(Tensor self, int64_t dim, Tensor index, Tensor source, std::string reduce, bool include_self) {
    check(reduce == "prod" || reduce == "mean" || reduce == "amax" || reduce == "amin",
          "index_reduce: unknown reduce='", reduce, "', choose 'prod', 'mean', 'amax' or 'amin'");
    check(self.dtype() == source.dtype(), "index_reduce: self is ", row(self.dtype()).legacy, " and source "
          "is ", row(source.dtype()).legacy, "; convert one to the dtype of the other");
    const int d = wrap_dim(dim, self.dim());
    const int64_t size = self.dim() ? self.shape()[d] : 1;
    const Tensor rows = slice_rows("index_reduce", index, Dims{size}, 0, false);
    Dims shape = self.dim() ? self.shape() : Dims{1}, place = Dims::filled(std::max(1, self.dim()), 1);
    shape[d] = place[d] = rows.numel();
    check(shape == source.shape() || (self.dim() == 0 && source.numel() == rows.numel()), "index_reduce: "
          "with ", rows.numel(), " indices, source must have shape ", shape.list(), "; it has ",
          source.shape().list());
    const Scoped name(mode.grad_name, std::string_view("IndexReduceBackward0"));
    const Tensor all = expand(view(rows, place), shape);
    if (self.dim()) return call_op<ScatterReduce>(self, d, all, source, reduce, include_self);
    return reshape(call_op<ScatterReduce>(reshape(self, {1}), 0, all, reshape(source, shape), reduce, include_self), Dims());
  }
};

struct Put {
  static constexpr auto schema = "put(Tensor self, Tensor index, Tensor source, bool accumulate=False) -> Tensor";
  static constexpr auto doc = R"(
    self with elements, by their position in the flattened tensor, set to those of source, or these added to them.

    Shapes: self (*), index and source of as many elements as each other → (*).   Dtypes: all, source as self; index int64.
    Errors: IndexError if an index is out of bounds.

    >>> fb.put(fb.zeros(3), fb.tensor([-1]), fb.tensor([5.]))
    tensor([0., 0., 5.])
  )";
  using kind = Opaque;
  static void write(Tensor self, Tensor index, Tensor source, bool accumulate) {
    check(index.dtype() == DType::i64, "put_: index must be int64, it is ", row(index.dtype()).legacy);
    check(self.dtype() == source.dtype(), "put_: self is ", name_of(self.dtype()), " and source is ",
          name_of(source.dtype()), "; convert one to the dtype of the other");
    check(index.numel() == source.numel(), "put_: ", source.numel(), " values for ", index.numel(), " places "
          "in index");
    if (index.numel() == 0) return;
    check<IndexError>(self.numel() > 0, "put_: self is empty, every index is out of range");
    const Tensor from = reshape(contiguous(share_memory(self, source) ? clone(source) : source), {-1});
    const Tensor flat = reshape(self, {-1});           // a copy where strides do not allow a view
    const IndexPlan plan = plan_index(flat, {reshape(index, {-1})});
    if (accumulate) add_indexed(plan, flat, from);
    else write_indexed(plan, flat, from);
    if (flat->storage.get() != self->storage.get()) copy_(self, view(flat, self.shape()));
  }
  static NoGrad vjp_index();
  static Tensor vjp_self(Tensor g, In<1> index, Arg<3, bool> accumulate) {
    return accumulate ? g : call_op<Put>(g, index, zeros(index.shape(), g.dtype()), false);
  }
  static Tensor vjp_source(Tensor g, In<1> index, Shape<2> shape) { return reshape(call_op<Take>(g, index), shape); }
};

FB_GROUP(index_along, IndexAdd, IndexCopy, IndexFill, IndexFillTensor, IndexReduce, Put)

}  // namespace fb
