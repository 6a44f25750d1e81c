#include "ops/contraction.h"

#include <algorithm>

#include "op/build.h"

namespace fb {

using Labels = std::vector<int>;

static int place_of(const Labels& labels, int label) {
  const auto found = std::find(labels.begin(), labels.end(), label);
  return found == labels.end() ? -1 : static_cast<int>(found - labels.begin());
}

Tensor arranged(const Labelled& x, const Labels& labels) {
  if (labels == x.labels) return x.tensor;
  Dims order;
  for (int label : labels) order.push(place_of(x.labels, label));
  return permute(x.tensor, order);
}

Labelled sum_away(const Labelled& x, const std::vector<bool>& kept) {
  Dims dims;
  Labelled r;
  for (size_t d = 0; d < x.labels.size(); ++d) {
    if (kept[x.labels[d]]) r.labels.push_back(x.labels[d]);
    else dims.push(static_cast<int64_t>(d));
  }
  r.tensor = dims.empty() ? x.tensor : sum(x.tensor, dims);
  return r;
}

static void drop(Labelled& x, int label) {             // a label of size one
  const int d = place_of(x.labels, label);
  x.tensor = squeeze(x.tensor, d);
  x.labels.erase(x.labels.begin() + d);
}

static Tensor shaped(const Tensor& t, const Dims& shape) { return t.shape() == shape ? t : reshape(t, shape); }

namespace {

// How the labels of two operands take part in their product.
struct Roles {
  Labels batch, left, right, contracted;
  Dims batch_shape, left_shape, right_shape;
  int64_t m = 1, n = 1, k = 1;

  Roles(const Labelled& a, const Labelled& b, const std::vector<bool>& kept) {
    for (size_t d = 0; d < a.labels.size(); ++d) {
      const int label = a.labels[d];
      const int64_t size = a.tensor.shape()[static_cast<int>(d)];
      if (place_of(b.labels, label) < 0) {
        left.push_back(label);
        left_shape.push(size);
        m *= size;
      } else if (kept[label]) {
        batch.push_back(label);
        batch_shape.push(size);
      } else {
        contracted.push_back(label);
        k *= size;
      }
    }
    for (size_t d = 0; d < b.labels.size(); ++d) {
      if (place_of(a.labels, b.labels[d]) >= 0) continue;
      right.push_back(b.labels[d]);
      right_shape.push(b.tensor.shape()[static_cast<int>(d)]);
      n *= right_shape.back();
    }
  }
};

Labels joined(const Labels& a, const Labels& b, const Labels& c = {}) {
  Labels r = a;
  r.insert(r.end(), b.begin(), b.end());
  r.insert(r.end(), c.begin(), c.end());
  return r;
}
Dims joined(const Dims& a, const Dims& b, const Dims& c = {}) {
  Dims r = a;
  for (int64_t v : b) r.push(v);
  for (int64_t v : c) r.push(v);
  return r;
}

Tensor elementwise_product(const Labelled& a, const Labelled& b, const Roles& roles) {
  const Dims ones_right = Dims::filled(roles.right_shape.size(), 1), ones_left = Dims::filled(roles.left_shape.size(), 1);
  const Tensor x = shaped(arranged(a, joined(roles.batch, roles.left)), joined(roles.batch_shape, roles.left_shape, ones_right));
  const Tensor y = shaped(arranged(b, joined(roles.batch, roles.right)), joined(roles.batch_shape, ones_left, roles.right_shape));
  return mul(x, y);
}

// Sizes of one are stretched by broadcasting: where only one operand has such a size, it loses the dim.
void drop_stretched(Labelled& a, Labelled& b) {
  for (const int label : Labels(a.labels)) {
    const int other = place_of(b.labels, label);
    if (other < 0) continue;
    const int64_t in_a = a.tensor.shape()[place_of(a.labels, label)], in_b = b.tensor.shape()[other];
    if (in_a == in_b) continue;
    if (in_a == 1) drop(a, label);
    else if (in_b == 1) drop(b, label);
    else check<ShapeError>(false, "contraction: sizes ", in_a, " and ", in_b, " of one dim do not match");
  }
}

}  // namespace

Labelled contract(Labelled a, Labelled b, const std::vector<bool>& kept) {
  drop_stretched(a, b);
  std::vector<bool> in_a = kept, in_b = kept;          // what only one operand has and nobody wants is summed first
  for (int label : b.labels) in_a[label] = true;
  for (int label : a.labels) in_b[label] = true;
  for (auto [operand, wanted] : {std::pair(&a, &in_a), std::pair(&b, &in_b)}) {
    const DType dtype = operand->tensor.dtype();       // sums of small integers widen; operands must not
    *operand = sum_away(*operand, *wanted);
    operand->tensor = to_dtype(operand->tensor, dtype);
  }
  const Roles roles(a, b, kept);
  Labelled r{{}, joined(roles.batch, roles.left, roles.right)};
  if (roles.contracted.empty()) {
    r.tensor = elementwise_product(a, b, roles);
    return r;
  }
  const Dims full = joined(roles.batch_shape, roles.left_shape, roles.right_shape);
  const Tensor x = shaped(arranged(a, joined(roles.batch, roles.left, roles.contracted)),
                          joined(roles.batch_shape, {roles.m, roles.k}));
  const Tensor y = shaped(arranged(b, joined(roles.batch, roles.contracted, roles.right)),
                          joined(roles.batch_shape, {roles.k, roles.n}));
  r.tensor = shaped(matmul(x, y), full);
  return r;
}

struct Tensordot {
  static constexpr auto schema = "tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor";
  static constexpr auto doc = R"(
    Sum of products over pairs of dims: dims_self[i] of self with dims_other[i] of other.

    Shapes: the remaining dims of self, then those of other.   Dtypes: all but bool, equal.

    >>> fb._C.tensordot(fb.ones(2, 3), fb.ones(3, 2), [1, 0], [0, 1])
    tensor(6.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Tensor b, Dims dims_a, Dims dims_b) {
    check<ShapeError>(dims_a.size() == dims_b.size(), "tensordot: dims names ", dims_a.size(), " dims of the "
                      "first tensor and ", dims_b.size(), " of the second");
    check<DTypeError>(a.dtype() == b.dtype(), "tensordot: expected both inputs to have same dtype, but got ", row(a.dtype()).legacy,
                      " and ", row(b.dtype()).legacy);
    const int count = a.dim() + b.dim();
    Labelled x{a, Labels(a.dim(), -1)}, y{b, Labels(b.dim(), -1)};
    std::vector<bool> kept(count + 1, true);
    int next = 0;
    for (int i = 0; i < dims_a.size(); ++i, ++next) {
      const int d = wrap_dim(dims_a[i], a.dim()), e = wrap_dim(dims_b[i], b.dim());
      check(x.labels[d] < 0 && y.labels[e] < 0, "tensordot: dim ", x.labels[d] >= 0 ? d : e, " is named "
            "twice in dims");
      const int64_t m = a.shape()[d], n = b.shape()[e];
      check<ShapeError>(m == n || m == 1 || n == 1, "tensordot: dim ", dims_a[i], " of the first tensor has "
                        "size ", m, ", dim ", dims_b[i], " of the second has size ", n);
      x.labels[d] = y.labels[e] = next;
      kept[next] = false;
    }
    Labels order;
    for (Labelled* operand : {&x, &y}) for (int& label : operand->labels) if (label < 0) order.push_back(label = next++);
    Scoped name(mode.grad_name, std::string_view("ViewBackward0"));
    return arranged(contract(x, y, kept), order);
  }
};

struct Inner {
  static constexpr auto schema = "inner(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Sum of products over the last dim of both; a 0-d operand just scales the other.

    Shapes: self (*a, k), other (*b, k) → (*a, *b).   Dtypes: all but bool, equal.

    >>> fb.inner(fb.ones(3), fb.ones(3))
    tensor(3.)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Tensor b) {
    if (a.dim() == 0 || b.dim() == 0) return mul(a, b);
    check<ShapeError>(a.size(-1) == b.size(-1), "inner: the sizes of the last dims differ; the shapes are ",
                      a.shape().list(), " and ", b.shape().list());
    if (a.dim() == 1 && b.dim() == 1) return call_op<Dot>(a, b);
    return call_op<Tensordot>(a, b, Dims{-1}, Dims{-1});
  }
};

struct Outer {
  static constexpr auto schema = "outer(Tensor self, Tensor vec2) -> Tensor";
  static constexpr auto doc = R"(
    Every product of an element of self with one of vec2.

    Shapes: self (m), vec2 (n) → (m, n).   Dtypes: all, promoted.

    >>> fb.outer(fb.tensor([1, 2]), fb.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Tensor b) {
    check<ShapeError>(a.dim() == 1, "outer: self must be a vector, it has ", a.dim(), " dims");
    check<ShapeError>(b.dim() == 1, "outer: vec2 must be a vector, it has ", b.dim(), " dims");
    return mul(unsqueeze(a, 1), b);
  }
};

struct Kron {
  static constexpr auto schema = "kron(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = R"(
    Kronecker product: each element of self replaced by its product with the whole of other.

    Shapes: self (a0, …), other (b0, …) → (a0·b0, …), missing leading dims counting as one.   Dtypes: all, promoted.

    >>> fb.kron(fb.tensor([1, 2]), fb.tensor([1, 1]))
    tensor([1, 1, 2, 2])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Tensor b) {
    const int dims = std::max(a.dim(), b.dim());
    Dims in_a, in_b, shape;
    for (int d = 0; d < dims; ++d) {
      const int i = d - (dims - a.dim()), j = d - (dims - b.dim());
      const int64_t m = i < 0 ? 1 : a.shape()[i], n = j < 0 ? 1 : b.shape()[j];
      for (int64_t v : {m, int64_t(1)}) in_a.push(v);
      for (int64_t v : {int64_t(1), n}) in_b.push(v);
      shape.push(m * n);
    }
    const Tensor product = mul(reshape(a, in_a), reshape(b, in_b));
    Scoped name(mode.grad_name, std::string_view("UnsafeViewBackward0"));
    return reshape(product, shape);
  }
};

FB_GROUP(contraction, Tensordot, Inner, Outer, Kron)

}  // namespace fb
