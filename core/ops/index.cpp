#include "kernels/indexing.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

struct MaskedFill;
struct Index;
struct IndexPut;
struct IndexBackward;

static const Tensor* only_mask(const Tensors& indices) {
  const Tensor* found = nullptr;
  for (const Tensor& t : indices) {
    if (!t) continue;
    if (found || t.dtype() != DType::boolean) return nullptr;
    found = &t;
  }
  return found;
}

struct Index {
  static constexpr auto schema = "_index(Tensor self, Tensor?[] indices) -> Tensor";
  static constexpr auto doc = R"(
    Elements picked by integer tensors or masks, one per dim, None for dims taken whole.

    Shapes: self (d0, d1, …), indices broadcast to (*) → the indexed dims replaced by (*): in their place if they are
    neighbours, in front if not. A mask of k dims counts as k integer tensors.   Dtypes: all; indices int64, int32,
    bool, uint8.   Errors: IndexError if an index is out of bounds.

    >>> fb.arange(6)[fb.tensor([4, -1])]
    tensor([4, 5])
  )";
  using kind = Opaque;
  static constexpr auto grad_name = "IndexBackward0";
  static Tensor kernel(Tensor self, Tensors indices) {
    const Tensor* mask = only_mask(indices);
    if (mask && mask->shape() == self.shape() && mask->dim() > 0) return compress(contiguous(self), contiguous(*mask));
    const IndexPlan plan = plan_index(self, indices);
    Tensor r = empty(plan.shape, self.dtype());
    read_indexed(plan, self, r);
    return r;
  }
  static NoGrad vjp_indices();
  static Tensor vjp_self(Tensor g, Shape<0> shape, Arg<1, Tensors> indices) {
    return call_op<IndexBackward>(g, indices.value, shape);
  }
};

struct IndexBackward {
  static constexpr auto schema = "_index_backward(Tensor self, Tensor?[] indices, int[] size) -> Tensor";
  static constexpr auto doc = "Zeros of `size` with self added at the indexed elements: the transpose of indexing.";
  using kind = Opaque;
  static Tensor kernel(Tensor self, Tensors indices, Dims size) {
    Tensor r = zeros(size, self.dtype());
    const IndexPlan plan = plan_index(r, indices);
    if (plan.distinct) write_indexed(plan, r, contiguous(self));
    else add_indexed(plan, r, contiguous(self));
    return r;
  }
  static NoGrad vjp_indices();
  static Tensor vjp_self(Tensor g, Arg<1, Tensors> indices) { return call_op<Index>(g, indices.value); }
};

static bool broadcasts_to(const Dims& from, const Dims& to) {
  if (from.size() > to.size()) return false;
  for (int k = 1; k <= from.size(); ++k) {
    const int64_t a = from[from.size() - k], b = to[to.size() - k];
    if (a != b && a != 1) return false;
  }
  return true;
}

// Values apart from self's memory, packed in the shape of the indexing result, or a single one.
static Tensor packed_values(const Tensor& self, const Tensor& values, const Dims& shape) {
  check(broadcasts_to(values.shape(), shape), "shape mismatch: the indexed part has shape ", shape.list(),
        ", to which a value of shape ", values.shape().list(), " cannot be broadcast");
  const Tensor apart = share_memory(self, values) ? clone(values) : values;
  return apart.numel() == 1 ? contiguous(apart) : contiguous(expand(apart, shape));
}

struct IndexPut {
  static constexpr auto schema = "index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor";
  static constexpr auto doc = R"(
    self with the indexed elements set to `values`, or `values` added to them if accumulate.

    Shapes: as indexing; values broadcastable to its result.   Dtypes: all, values as self; indices int64, int32, bool,
    uint8.   Limits: without accumulate, which of several values for one element remains is not specified.

    >>> fb.zeros(3).index_put((fb.tensor([0, 0]),), fb.tensor(1.), accumulate=True)
    tensor([2., 0., 0.])
  )";
  using kind = Opaque;
  static void write(Tensor self, Tensors indices, Tensor values, bool accumulate) {
    check(values.dtype() == self.dtype(), "index_put_: self is ", row(self.dtype()).legacy, " and values is ",
          row(values.dtype()).legacy, "; convert values with .to(self.dtype)");
    const Tensor* mask = only_mask(indices);
    if (mask && mask == &indices[0] && values.numel() == 1 && !accumulate && mask->dim() > 0 && mask->dim() <= self.dim()) {
      Dims lead = self.shape(), shape = mask->shape();
      lead.resize(mask->dim());
      if (lead == shape) {
        shape.resize(self.dim());
        for (int k = mask->dim(); k < self.dim(); ++k) shape[k] = 1;
        return call_in_place<MaskedFill>(self, reshape(*mask, shape), reshape(values, Dims()));
      }
    }
    Tensors apart = indices;
    for (Tensor& t : apart) if (t && share_memory(t, self)) t = clone(t);
    const IndexPlan plan = plan_index(self, apart);
    const Tensor packed = packed_values(self, values, plan.shape);
    if (accumulate) add_indexed(plan, self, packed);
    else write_indexed(plan, self, packed);
  }
  static NoGrad vjp_indices();
  static Tensor vjp_self(Tensor g, Arg<1, Tensors> indices, Arg<3, bool> accumulate) {
    return accumulate ? g : call_op<IndexPut>(g, indices.value, zeros(Dims(), g.dtype()), false);
  }
  static Tensor vjp_values(Tensor g, Arg<1, Tensors> indices, Shape<2> shape) {
    return sum_to_shape(call_op<Index>(g, indices.value), shape);
  }
};

struct Nonzero {
  static constexpr auto schema = "nonzero(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    The coordinates of all elements that are not zero, one row each, in logical order.

    Shapes: self (d1, …, dk) → (n, k), int64.   Dtypes: all.

    >>> fb.nonzero(fb.tensor([[0, 7], [8, 0]]))
    tensor([[0, 1],
            [1, 0]])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensor x) { return mask_coordinates(contiguous(to_dtype(x, DType::boolean))); }
};

struct NonzeroTuple {
  static constexpr auto schema = "nonzero_numpy(Tensor self) -> Tensor[]";
  static constexpr auto doc = R"(
    The coordinates of all elements that are not zero, one tensor per dim: an index that picks them.

    Shapes: self (d1, …, dk) → k tensors (n,), int64; a 0-d self counts as 1-d.   Dtypes: all.

    >>> fb.nonzero_numpy(fb.tensor([0, 7]))
    (tensor([1]),)
  )";
  using kind = Composite;
  static Tensors decompose(Tensor x) {
    const Tensor all = call_op<Nonzero>(x.dim() ? x : unsqueeze(x, 0));
    Tensors r;
    for (int k = 0; k < all.shape()[1]; ++k) r.push_back(select(all, 1, k));
    return r;
  }
};

struct Argwhere {
  static constexpr auto schema = "argwhere(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    The coordinates of all elements that are not zero, one row each.

    Shapes: self (d1, …, dk) → (n, k), int64.   Dtypes: all.

    >>> fb.argwhere(fb.tensor([0, 7]))
    tensor([[1]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x) { return call_op<Nonzero>(x); }
};

struct WhereCondition {
  static constexpr auto schema = "where.condition(Tensor condition) -> Tensor[]";
  static constexpr auto doc = "The coordinates of all elements of condition that are not zero, one tensor per dim.";
  using kind = Composite;
  static Tensors decompose(Tensor condition) { return NonzeroTuple::decompose(condition); }
};

FB_GROUP(index, Index, IndexBackward, IndexPut, Nonzero, NonzeroTuple, Argwhere, WhereCondition)

}  // namespace fb
