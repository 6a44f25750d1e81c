#include <algorithm>

#include "autograd/node.h"
#include "op/build.h"
#include "op/joined.h"
#include "ops.h"

// Views of one tensor in several parts. All parts share one graph node, so that a backward pass joins their
// gradients once instead of adding one full-sized gradient per part.
namespace fb {

struct Stack;

namespace {

struct PartsNode final : Node {
  std::string_view grad_name;
  int dim;
  bool drops_dim;                                      // the parts lack `dim`: their gradients are stacked

  std::string_view name() const override { return grad_name; }
  void drop_saved() override {}
  bool saves_anything() const override { return false; }
  void run(Tensor* grads_out, Small<Tensor, 4>& grads_in, bool) override {
    Tensors parts;
    for (size_t k = 0; k < outputs.size(); ++k)
      parts.push_back(grads_out[k] ? grads_out[k] : zeros(outputs[k].shape, outputs[k].dtype));
    grads_in.emplace(drops_dim ? call_op<Stack>(parts, dim) : cat(parts, dim));
  }
};

}  // namespace

// `parts` were made without history; they get a common node, and their place in self for in-place writes.
static Tensors share_node(const Tensor& x, Tensors parts, int dim, bool drops_dim, std::string_view grad_name) {
  if (!mode.grad || parts.empty()) return parts;
  const Edge edge = edge_of(x);
  Ref<Node> node;
  if (edge) {
    auto* n = new PartsNode;
    node = Ref<Node>(n);
    n->sequence = next_sequence();
    n->grad_name = grad_name;
    n->dim = dim;
    n->drops_dim = drops_dim;
    n->edges.emplace(edge);
    for (const Tensor& t : parts) n->outputs.push_back({t.shape(), t.dtype()});
  }
  int64_t start = 0;
  for (size_t k = 0; k < parts.size(); ++k) {
    const int64_t length = drops_dim ? 1 : parts[k].shape()[dim];
    if (drops_dim) remember_view(*op_row<Select>, Args(x, dim, start), &parts[k]);
    else remember_view(*op_row<Narrow>, Args(x, dim, start, length), &parts[k]);
    start += length;
    if (!node) continue;
    parts[k]->node = node;
    parts[k]->out_nr = static_cast<uint16_t>(k);
    parts[k]->requires_grad = true;
  }
  return parts;
}

// Parts of the given sizes, which add up to the size of `dim`.
static Tensors parts_of(const Tensor& x, const std::vector<int64_t>& sizes, int dim, std::string_view grad_name) {
  Tensors r;
  int64_t start = 0;
  if (mode.top) {                                      // an interceptor must see ops
    const Scoped name(mode.grad_name, grad_name);
    for (int64_t n : sizes) {
      r.push_back(narrow(x, dim, start, n));
      start += n;
    }
    return r;
  }
  for (int64_t n : sizes) {
    Dims shape = x.shape();
    shape[dim] = n;
    r.push_back(alias(x, Layout(shape, x.strides(), x.layout().offset + (n ? start * x.strides()[dim] : 0))));
    start += n;
  }
  return share_node(x, std::move(r), dim, false, grad_name);
}

static Tensors split_evenly(const Tensor& x, int64_t size, int dim, std::string_view grad_name) {
  const int64_t n = x.shape()[dim];
  check(size >= 0, "split: split_size must not be negative, got ", size);
  check(size > 0 || n == 0, "split: parts of split_size 0 never cover a dim of size ", n);
  std::vector<int64_t> sizes;
  for (int64_t start = 0; start < n; start += size) sizes.push_back(std::min(size, n - start));
  if (sizes.empty()) sizes.push_back(0);
  return parts_of(x, sizes, dim, grad_name);
}

static Tensors split_sized(const Tensor& x, const Dims& sizes, int dim, std::string_view grad_name) {
  int64_t sum = 0;
  for (int64_t n : sizes) {
    check(n >= 0, "split: a part must not have a negative size, got ", sizes.list());
    sum += n;
  }
  check(sum == x.shape()[dim], "split: the sizes ", sizes.list(), " must add up to ", x.shape()[dim], ", the "
        "size of dim ", dim);
  return parts_of(x, std::vector<int64_t>(sizes.begin(), sizes.end()), dim, grad_name);
}

static int split_dim(std::string_view op, const Tensor& x, int64_t dim) {
  check(x.dim() > 0, op, ": a 0-dimensional tensor has no dim to split");
  return wrap_dim(dim, x.dim());
}

struct Unbind {
  static constexpr auto schema = "unbind(Tensor(a) self, int dim=0) -> Tensor(a)[]";
  static constexpr auto doc = R"(
    All slices along a dim, which is dropped; views.

    Shapes: self (…, n, …) → n tensors (…, …).   Dtypes: all.

    >>> fb.unbind(fb.tensor([1, 2]))
    (tensor(1), tensor(2))
  )";
  using kind = Composite;
  static Tensors decompose(Tensor x, int64_t dim) {
    check<IndexError>(x.dim() > 0, "unbind: a 0-dimensional tensor has no dim ", dim);
    const int d = wrap_dim(dim, x.dim());
    Tensors r;
    if (mode.top) {
      const Scoped name(mode.grad_name, std::string_view("UnbindBackward0"));
      for (int64_t i = 0; i < x.shape()[d]; ++i) r.push_back(select(x, d, i));
      return r;
    }
    const Dims shape = x.shape().erased(d), strides = x.strides().erased(d);
    for (int64_t i = 0; i < x.shape()[d]; ++i) r.push_back(alias(x, Layout(shape, strides, x.layout().offset + i * x.strides()[d])));
    return share_node(x, std::move(r), d, true, "UnbindBackward0");
  }
};

struct Split {
  static constexpr auto schema = "split(Tensor(a) self, int split_size, int dim=0) -> Tensor(a)[]";
  static constexpr auto doc = R"(
    Consecutive parts of split_size along a dim, the last maybe smaller; or parts of the sizes in a list. Views.

    Shapes: self (…, n, …) → tensors (…, split_size, …).   Dtypes: all.
    Errors: RuntimeError if listed sizes do not add up to n.

    >>> fb.split(fb.arange(3), 2)
    (tensor([0, 1]), tensor([2]))
  )";
  using kind = Composite;
  static Tensors decompose(Tensor x, int64_t size, int64_t dim) { return split_evenly(x, size, split_dim("split", x, dim), "SplitBackward0"); }
};

struct SplitSizes {
  static constexpr auto schema = "split.sizes(Tensor(a) self, int[] split_size, int dim=0) -> Tensor(a)[]";
  static constexpr auto doc = Split::doc;
  using kind = Composite;
  static Tensors decompose(Tensor x, Dims sizes, int64_t dim) {
    return split_sized(x, sizes, split_dim("split", x, dim), "SplitWithSizesBackward0");
  }
};

struct SplitSizesKeyword {
  static constexpr auto schema = "split.keyword(Tensor(a) self, int[] split_size_or_sections, int dim=0) -> Tensor(a)[]";
  static constexpr auto doc = Split::doc;
  using kind = Composite;
  static Tensors decompose(Tensor x, Dims sizes, int64_t dim) {
    if (sizes.size() == 1) return Split::decompose(x, sizes[0], dim);
    return SplitSizes::decompose(x, sizes, dim);
  }
};

struct SplitWithSizes {
  static constexpr auto schema = "split_with_sizes(Tensor(a) self, int[] split_sizes, int dim=0) -> Tensor(a)[]";
  static constexpr auto doc = Split::doc;
  using kind = Composite;
  static Tensors decompose(Tensor x, Dims sizes, int64_t dim) { return SplitSizes::decompose(x, sizes, dim); }
};

struct UnsafeSplit {
  static constexpr auto schema = "unsafe_split(Tensor self, int split_size, int dim=0) -> Tensor[]";
  static constexpr auto doc = Split::doc;
  using kind = Composite;
  static Tensors decompose(Tensor x, int64_t size, int64_t dim) {
    return split_evenly(x, size, split_dim("split", x, dim), "UnsafeSplitBackward0");
  }
};

struct UnsafeSplitWithSizes {
  static constexpr auto schema = "unsafe_split_with_sizes(Tensor self, int[] split_sizes, int dim=0) -> Tensor[]";
  static constexpr auto doc = Split::doc;
  using kind = Composite;
  static Tensors decompose(Tensor x, Dims sizes, int64_t dim) {
    return split_sized(x, sizes, split_dim("split", x, dim), "UnsafeSplitWithSizesBackward0");
  }
};

static Tensors chunked(const Tensor& x, int64_t chunks, int64_t dim, std::string_view grad_name) {
  const int d = split_dim("chunk", x, dim);
  check(chunks > 0, "chunk: chunks must be positive, got ", chunks);
  const int64_t n = x.shape()[d], size = (n + chunks - 1) / chunks;
  if (size == 0) return parts_of(x, std::vector<int64_t>(static_cast<size_t>(chunks), 0), d, grad_name);
  return split_evenly(x, size, d, grad_name);
}

struct Chunk {
  static constexpr auto schema = "chunk(Tensor(a) self, int chunks, int dim=0) -> Tensor(a)[]";
  static constexpr auto doc = R"(
    At most `chunks` consecutive parts along a dim, all of one size but the last; views.

    Shapes: self (…, n, …) → tensors (…, ⌈n / chunks⌉, …).   Dtypes: all.

    >>> fb.chunk(fb.arange(3), 2)
    (tensor([0, 1]), tensor([2]))
  )";
  using kind = Composite;
  static Tensors decompose(Tensor x, int64_t chunks, int64_t dim) { return chunked(x, chunks, dim, "SplitBackward0"); }
};

struct UnsafeChunk {
  static constexpr auto schema = "unsafe_chunk(Tensor self, int chunks, int dim=0) -> Tensor[]";
  static constexpr auto doc = Chunk::doc;
  using kind = Composite;
  static Tensors decompose(Tensor x, int64_t chunks, int64_t dim) { return chunked(x, chunks, dim, "UnsafeSplitBackward0"); }
};

static Tensors in_sections(const Tensor& x, int64_t sections, int d) {
  check(sections > 0, "tensor_split: the number of sections must be positive, got ", sections);
  const int64_t n = x.shape()[d];
  Tensors r;
  int64_t start = 0;
  for (int64_t i = 0; i < sections; ++i) {
    const int64_t size = n / sections + (i < n % sections);
    r.push_back(narrow(x, d, start, size));
    start += size;
  }
  return r;
}

static Tensors at_indices(const Tensor& x, const Dims& indices, int d) {
  const int64_t n = x.shape()[d];
  auto clipped = [n](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + n : i, 0, n); };
  Tensors r;
  int64_t start = 0;
  for (int k = 0; k <= indices.size(); ++k) {
    const int64_t end = k < indices.size() ? clipped(indices[k]) : n;
    r.push_back(narrow(x, d, start, std::max<int64_t>(0, end - start)));
    start = end;
  }
  return r;
}

static int tensor_split_dim(const Tensor& x, int64_t dim) {
  check(x.dim() > 0, "tensor_split: a tensor of ", x.dim(), " dims has nothing to split");
  return wrap_dim(dim, x.dim());
}

struct TensorSplit {
  static constexpr auto schema = "tensor_split(Tensor self, int sections, int dim=0) -> Tensor[]";
  static constexpr auto doc = R"(
    Parts along a dim: `sections` of nearly equal size, the first ones larger by one; or cut before given indices. Views.

    Shapes: self (…, n, …) → tensors (…, m, …).   Dtypes: all.

    >>> fb.tensor_split(fb.arange(3), 2)
    (tensor([0, 1]), tensor([2]))
  )";
  using kind = Composite;
  static Tensors decompose(Tensor x, int64_t sections, int64_t dim) { return in_sections(x, sections, tensor_split_dim(x, dim)); }
};

struct TensorSplitIndices {
  static constexpr auto schema = "tensor_split.indices(Tensor self, int[] indices, int dim=0) -> Tensor[]";
  static constexpr auto doc = TensorSplit::doc;
  using kind = Composite;
  static Tensors decompose(Tensor x, Dims indices, int64_t dim) { return at_indices(x, indices, tensor_split_dim(x, dim)); }
};

struct TensorSplitTensor {
  static constexpr auto schema = "tensor_split.tensor(Tensor self, Tensor tensor_indices_or_sections, int dim=0) -> Tensor[]";
  static constexpr auto doc = TensorSplit::doc;
  using kind = Composite;
  static Tensors decompose(Tensor x, Tensor where, int64_t dim) {
    const int d = tensor_split_dim(x, dim);
    check(where.dtype() == DType::i64, "tensor_split: tensor_indices_or_sections must be int64, it is ",
          name_of(where.dtype()));
    check(where.dim() <= 1, "tensor_split: tensor_indices_or_sections must be a number or a vector, it has ",
          where.dim(), " dims");
    const Tensor w = contiguous(where);
    if (where.dim() == 0) return in_sections(x, *w.data<int64_t>(), d);
    Dims indices;
    for (int64_t i = 0; i < w.numel(); ++i) indices.push(w.data<int64_t>()[i]);
    return at_indices(x, indices, d);
  }
};

static Tensors even_sections(std::string_view op, const Tensor& x, int64_t sections, int d) {
  check(sections > 0 && x.shape()[d] % sections == 0, op, ": dim ", d, " of size ", x.shape()[d], " cannot "
        "be cut into ", sections, " equal parts");
  return in_sections(x, sections, d);
}

namespace {

// hsplit, vsplit and dsplit: the dim each splits, and how many dims it asks for.
struct HorizontalSplit {
  static constexpr char name[] = "hsplit";
  static constexpr int least = 1;
  static constexpr auto doc = R"(
    tensor_split along dim 1, or dim 0 of a vector; sections must divide it.

    >>> fb.hsplit(fb.tensor([[1, 2]]), 2)
    (tensor([[1]]), tensor([[2]]))
  )";
  static int dim(const Tensor& x) { return x.dim() == 1 ? 0 : 1; }
};
struct VerticalSplit {
  static constexpr char name[] = "vsplit";
  static constexpr int least = 2;
  static constexpr auto doc = R"(
    tensor_split along dim 0 of at least two; sections must divide it.

    >>> fb.vsplit(fb.tensor([[1], [2]]), 2)
    (tensor([[1]]), tensor([[2]]))
  )";
  static int dim(const Tensor&) { return 0; }
};
struct DepthSplit {
  static constexpr char name[] = "dsplit";
  static constexpr int least = 3;
  static constexpr auto doc = R"(
    tensor_split along dim 2 of at least three; sections must divide it.

    >>> fb.dsplit(fb.tensor([[[1, 2]]]), 2)
    (tensor([[[1]]]), tensor([[[2]]]))
  )";
  static int dim(const Tensor&) { return 2; }
};

template <class N> int named_dim(const Tensor& x) {
  check(x.dim() >= N::least, N::name, ": the input has ", x.dim(), " dims, splitting this way takes ", N::least);
  return N::dim(x);
}

}  // namespace

template <class N> struct SplitEvenly {
  static constexpr auto schema = joined(N::name, "(Tensor self, int sections) -> Tensor[]");
  static constexpr auto doc = N::doc;
  using kind = Composite;
  static Tensors decompose(Tensor x, int64_t sections) {
    return even_sections(N::name, x, sections, named_dim<N>(x));
  }
};
template <class N> struct SplitAt {
  static constexpr auto schema = joined(N::name, ".indices(Tensor self, int[] indices) -> Tensor[]");
  static constexpr auto doc = N::doc;
  using kind = Composite;
  static Tensors decompose(Tensor x, Dims indices) { return at_indices(x, indices, named_dim<N>(x)); }
};

FB_GROUP(split, Unbind, Split, SplitSizes, SplitSizesKeyword, SplitWithSizes, UnsafeSplit,
         UnsafeSplitWithSizes, Chunk, UnsafeChunk, TensorSplit, TensorSplitIndices, TensorSplitTensor,
         SplitEvenly<HorizontalSplit>, SplitAt<HorizontalSplit>, SplitEvenly<VerticalSplit>,
         SplitAt<VerticalSplit>, SplitEvenly<DepthSplit>, SplitAt<DepthSplit>)

}  // namespace fb
