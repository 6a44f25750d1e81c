#include "op/build.h"
#include "op/registry.h"
#include "ops/products.h"

// Products of several matrices, and powers of one.
namespace fb {

namespace {

// The cheapest order of a chain of products (Cormen et al., Introduction to Algorithms, section 15.2).
struct ChainOrder {
  std::vector<std::vector<int>> split;

  explicit ChainOrder(const std::vector<int64_t>& sizes) {    // matrix i is sizes[i] × sizes[i + 1]
    const int n = static_cast<int>(sizes.size()) - 1;
    std::vector<std::vector<double>> cost(n, std::vector<double>(n, 0));
    split.assign(n, std::vector<int>(n, 0));
    for (int length = 1; length < n; ++length)
      for (int i = 0; i + length < n; ++i) {
        const int j = i + length;
        cost[i][j] = -1;
        for (int s = i; s < j; ++s) {
          const double c = cost[i][s] + cost[s + 1][j] + double(sizes[i]) * double(sizes[s + 1]) * double(sizes[j + 1]);
          if (cost[i][j] >= 0 && c >= cost[i][j]) continue;
          cost[i][j] = c;
          split[i][j] = s;
        }
      }
  }
  Tensor product(const Tensors& list, int i, int j) const {
    return i == j ? list[i] : mm(product(list, i, split[i][j]), product(list, split[i][j] + 1, j));
  }
};

void check_chain(const Tensors& list) {
  const int64_t n = static_cast<int64_t>(list.size());
  check(n >= 2, "multi_dot: a product takes two tensors or more, got ", n);
  for (int64_t i = 0; i < n; ++i) {
    const bool end = i == 0 || i == n - 1;
    check<ShapeError>(list[i].dim() == 2 || (end && list[i].dim() == 1), "multi_dot: tensor ", i, " has ",
                      list[i].dim(), " dims, it needs ", end ? "1 or 2" : "2");
    check<DTypeError>(list[i].dtype() == list[0].dtype(), "multi_dot: convert the tensors to one dtype; "
                      "tensor 0 is ", row(list[0].dtype()).legacy, ", tensor ", i, " ",
                      row(list[i].dtype()).legacy);
    check<ShapeError>(i == 0 || list[i - 1].size(-1) == list[i].size(0), "multi_dot(): tensors ", i - 1, " and ", i, " with shapes ",
                      i ? list[i - 1].shape().list() : "", " and ", list[i].shape().list(), " cannot be multiplied");
  }
}

Tensor chain_product(Tensors list) {
  check_chain(list);
  const bool row = list.front().dim() == 1, column = list.back().dim() == 1;
  Dims shape;
  if (!row) shape.push(list.front().size(0));
  if (!column) shape.push(list.back().size(1));
  if (row) list.front() = unsqueeze(list.front(), 0);
  if (column) list.back() = unsqueeze(list.back(), 1);
  std::vector<int64_t> sizes = {list[0].size(0)};
  for (const Tensor& t : list) sizes.push_back(t.size(1));
  const Tensor r = ChainOrder(sizes).product(list, 0, static_cast<int>(list.size()) - 1);
  return view(r, shape);
}

}  // namespace

struct LinalgMultiDot {
  static constexpr auto schema = "linalg_multi_dot(Tensor[] tensors) -> Tensor";
  static constexpr auto doc = R"(
    Product of two or more matrices in the order that needs the least work; the ends may be vectors.

    Shapes: (m, a), (a, b), …, (y, z) → (m, z); a vector at an end drops its dim.   Dtypes: all but bool, equal.

    >>> fb._C.linalg_multi_dot([fb.ones(1, 2), fb.ones(2, 3), fb.ones(3)])
    tensor([6.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensors tensors) { return chain_product(tensors); }
};

struct ChainMatmul {
  static constexpr auto schema = "chain_matmul(Tensor[] matrices) -> Tensor";
  static constexpr auto doc = R"(
    Product of one or more matrices in the order that needs the least work.

    Shapes: (m, a), (a, b), …, (y, z) → (m, z).   Dtypes: all but bool, equal.

    >>> fb.chain_matmul(fb.ones(1, 2), fb.ones(2, 3), fb.ones(3, 1))
    tensor([[6.]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensors matrices) {
    check(!matrices.empty(), "chain_matmul: give at least one matrix");
    for (size_t i = 0; i < matrices.size(); ++i)
      check<ShapeError>(matrices[i].dim() == 2, "chain_matmul: tensor ", static_cast<int64_t>(i), " has ",
                        matrices[i].dim(), " dims, a matrix has 2");
    return matrices.size() == 1 ? clone(matrices[0]) : chain_product(matrices);
  }
};

struct MatrixPower {
  static constexpr auto schema = "linalg_matrix_power(Tensor self, int n) -> Tensor";
  static constexpr auto doc = R"(
    Each matrix times itself n times, by repeated squaring; n = 0 is the identity, n < 0 a power of the inverse.

    Shapes: self (…, m, m) → (…, m, m).   Dtypes: all but bool; floating or complex for n < 0.

    >>> fb.matrix_power(fb.ones(2, 2), 2)
    tensor([[2., 2.],
            [2., 2.]])
  )";
  using kind = Composite;
  static Tensor identity_like(const Tensor& a) {
    const Tensor r = clone(a), eye = zeros(a.shape(), a.dtype());
    const int64_t m = a.size(-1);
    Dims shape = eye.shape(), strides = eye.strides();
    shape.resize(a.dim() - 1);
    strides.resize(a.dim() - 1);
    strides[a.dim() - 2] = m + 1;
    fill_(alias(eye, Layout(shape, strides, eye.layout().offset)), Scalar(1));
    copy_(r, eye);
    return r;
  }
  static Tensor decompose(Tensor self, int64_t n) {
    check<ShapeError>(self.dim() >= 2, "linalg.matrix_power: A must be a matrix or a batch of them, its "
                      "shape is ", self.shape().list());
    check<ShapeError>(self.size(-1) == self.size(-2), "linalg.matrix_power: only square matrices have "
                      "powers, these are ", self.size(-2), " x ", self.size(-1));
    if (n == 0) return identity_like(self);
    Tensor base = self;
    if (n < 0) {
      const Op* inverse = registry().find("linalg_inv");
      check<UnsupportedError>(inverse != nullptr, "linalg.matrix_power: negative powers need linalg.inv");
      Args args(self);
      Tensor out[Schema::max_outputs];
      call(*inverse, args, out);
      base = out[0];
      n = -n;
    }
    if (n == 1) return clone(base);
    if (n == 3) return matmul(matmul(base, base), base);
    Tensor result;
    for (; n; n /= 2) {
      if (n & 1) result = result ? matmul(result, base) : base;
      if (n > 1) base = matmul(base, base);
    }
    return result;
  }
};

FB_GROUP(chain, LinalgMultiDot, ChainMatmul, MatrixPower)

}  // namespace fb
