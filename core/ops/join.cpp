#include <algorithm>

#include "base/parallel.h"
#include "kernels/typed.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

struct Stack;
struct BlockDiag;

// Parts of a few elements a row each: element by element, since a call of memcpy would cost more than it copies.
template <class W> static void weave(char* out, const std::vector<const char*>& data, const std::vector<int64_t>& starts, int64_t begin,
                                     int64_t end) {
  constexpr int64_t size = sizeof(W), together = 512;  // rows whose lines stay in the cache until they are full
  const int64_t row = starts.back() / size;
  for (int64_t first = begin; first < end; first += together) {
    const int64_t last = std::min(end, first + together);
    for (size_t k = 0; k < data.size(); ++k) {
      const int64_t at = starts[k] / size, width = (starts[k + 1] - starts[k]) / size;
      const W* from = reinterpret_cast<const W*>(data[k]) + first * width;
      W* to = reinterpret_cast<W*>(out) + first * row + at;
      for (int64_t r = first; r < last; ++r, to += row, from += width)
        for (int64_t e = 0; e < width; ++e) to[e] = from[e];
    }
  }
}

// Packed parts of one dtype side by side along dim d of a packed result. The result is filled front to back, each
// thread its own range of bytes, whatever parts that covers.
static void join_packed(const Tensor& r, const Tensors& parts, int d) {
  const int64_t bytes = bytes_of(r.dtype());
  int64_t after = bytes, row = 0;
  for (int k = d + 1; k < r.dim(); ++k) after *= r.shape()[k];
  std::vector<int64_t> starts;                         // of each part in a row of the result
  std::vector<const char*> data;
  for (const Tensor& t : parts) {
    starts.push_back(row);
    data.push_back(t.data<const char>());
    row += t.shape()[d] * after;
  }
  starts.push_back(row);
  if (row == 0) return;
  char* out = r.data();
  constexpr int64_t few = 8;                           // elements
  if (row <= few * bytes * static_cast<int64_t>(parts.size()) && r.numel() * bytes > row) {
    const int64_t rows = r.numel() * bytes / row;
    return with_bytes(static_cast<int>(bytes), [&](auto w) {
      parallel_for(rows, std::max<int64_t>(1, (1 << 18) / row), [&](int64_t begin, int64_t end) {
        weave<decltype(w)>(out, data, starts, begin, end);
      });
    });
  }
  parallel_for(r.numel() * bytes, 1 << 18, [&](int64_t begin, int64_t end) {
    int64_t outer = begin / row, at = begin % row;
    size_t k = static_cast<size_t>(std::upper_bound(starts.begin(), starts.end(), at) - starts.begin()) - 1;
    for (int64_t done = begin; done < end;) {
      const int64_t width = starts[k + 1] - starts[k], n = std::min(end - done, starts[k + 1] - at);
      memcpy(out + done, data[k] + outer * width + (at - starts[k]), static_cast<size_t>(n));
      done += n;
      at += n;
      while (at == starts[k + 1] && ++k < data.size()) {}
      if (k == data.size()) {
        k = 0;
        at = 0;
        ++outer;
        while (starts[k + 1] == 0) ++k;
      }
    }
  });
}

static Layout narrowed(const Layout& x, int d, int64_t start, int64_t length) {
  Dims shape = x.shape;
  shape[d] = length;
  return {shape, x.strides, x.offset + start * x.strides[d]};
}

static Tensor join(const Tensors& parts, int d, const Dims& shape, DType dtype) {
  Tensor r = empty(shape, dtype);
  bool packed = true;
  for (const Tensor& t : parts) packed &= t.is_contiguous() && t.dtype() == dtype;
  if (packed) {
    join_packed(r, parts, d);
    return r;
  }
  int64_t start = 0;
  for (const Tensor& t : parts) {
    copy_(alias(r, narrowed(r.layout(), d, start, t.shape()[d])), t);
    start += t.shape()[d];
  }
  return r;
}

static DType common_dtype(const Tensors& tensors) {
  bool same = true;
  for (const Tensor& t : tensors) same &= t.dtype() == tensors[0].dtype();
  if (same) return tensors[0].dtype();
  Args all;
  for (const Tensor& t : tensors) all.push(t);
  return result_type(all, 0, all.size());
}

static bool skipped(const Dims& shape) { return shape.size() == 1 && shape[0] == 0; }   // PyTorch's legacy empty tensor

struct Cat {
  static constexpr auto schema = "cat(Tensor[] tensors, int dim=0) -> Tensor";
  static constexpr auto doc = R"(
    Tensors joined along an existing dim.

    Shapes: tensors of equal sizes but for `dim` → their sizes added there.   Dtypes: all, promoted.

    >>> fb.cat((fb.tensor([1, 2]), fb.tensor([3])))
    tensor([1, 2, 3])
  )";
  using kind = Opaque;
  static constexpr bool out_apart = true;
  static Tensor kernel(Tensors tensors, int64_t dim) {
    check<ValueError>(!tensors.empty(), "cat: tensors is empty, there must be one at least");
    const DType dtype = common_dtype(tensors);
    Tensors parts;
    for (size_t i = 0; i < tensors.size(); ++i) {
      check(tensors[i].dim() > 0, "cat: tensor ", i, " is 0-dimensional; give it a dim with .reshape(1), or "
            "use stack");
      if (!skipped(tensors[i].shape())) parts.push_back(tensors[i]);
    }
    if (parts.empty()) return empty({0}, dtype);
    const int d = wrap_dim(dim, parts[0].dim());
    Dims shape = parts[0].shape();
    shape[d] = 0;
    for (size_t i = 0; i < parts.size(); ++i) {
      const Dims& s = parts[i].shape();
      check(s.size() == shape.size(), "cat: the tensors differ in their number of dims, ", shape.size(),
            " and ", s.size());
      for (int k = 0; k < s.size(); ++k)
        check(k == d || s[k] == shape[k], "cat: along dim ", d, ", tensor ", i, " needs size ", shape[k],
              " in dim ", k, " as those before it; it has ", s[k]);
      shape[d] += s[d];
    }
    return join(parts, d, shape, dtype);
  }
  static Tensors vjp_tensors(Tensor g, Shapes<0> shapes, Arg<1, int64_t> dim) {
    Tensors r;
    int64_t start = 0;
    for (const Dims& s : shapes.list) {
      if (skipped(s)) {
        r.push_back(zeros(s, g.dtype()));
        continue;
      }
      const int d = wrap_dim(dim, s.size());
      r.push_back(narrow(g, d, start, s[d]));
      start += s[d];
    }
    return r;
  }
};

struct Stack {
  static constexpr auto schema = "stack(Tensor[] tensors, int dim=0) -> Tensor";
  static constexpr auto doc = R"(
    Tensors of one shape joined along a new dim.

    Shapes: n tensors (…, …) → (…, n, …).   Dtypes: all, promoted.

    >>> fb.stack((fb.tensor([1, 2]), fb.tensor([3, 4])), 1)
    tensor([[1, 3],
            [2, 4]])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensors tensors, int64_t dim) {
    check(!tensors.empty(), "stack: tensors is empty, there must be one at least");
    const int d = wrap_dim(dim, tensors[0].dim() + 1);
    Tensors parts;
    for (size_t i = 0; i < tensors.size(); ++i) {
      check(tensors[i].shape() == tensors[0].shape(), "stack: the tensors must agree in shape; tensor 0 is ",
            tensors[0].shape().list(), ", tensor ", i, " is ", tensors[i].shape().list());
      parts.push_back(unsqueeze(tensors[i], d));
    }
    return join(parts, d, tensors[0].shape().inserted(d, static_cast<int64_t>(tensors.size())), common_dtype(tensors));
  }
  static Tensors vjp_tensors(Tensor g, Arg<1, int64_t> dim) {
    const int d = wrap_dim(dim, g.dim());
    Tensors r;
    for (int64_t k = 0; k < g.shape()[d]; ++k) r.push_back(select(g, d, k));
    return r;
  }
};

struct Concat {
  static constexpr auto schema = "concat(Tensor[] tensors, int dim=0) -> Tensor";
  static constexpr auto doc = R"(
    Tensors joined along an existing dim: cat by another name.

    Shapes: as cat.   Dtypes: all, promoted.

    >>> fb.concat((fb.tensor([1]), fb.tensor([2])))
    tensor([1, 2])
  )";
  using kind = Composite;
  static Tensor decompose(Tensors tensors, int64_t dim) { return cat(tensors, dim); }
};

struct Concatenate {
  static constexpr auto schema = "concatenate(Tensor[] tensors, int dim=0) -> Tensor";
  static constexpr auto doc = R"(
    Tensors joined along an existing dim: cat by another name.

    Shapes: as cat.   Dtypes: all, promoted.

    >>> fb.concatenate((fb.tensor([1]), fb.tensor([2])))
    tensor([1, 2])
  )";
  using kind = Composite;
  static Tensor decompose(Tensors tensors, int64_t dim) { return cat(tensors, dim); }
};

// Every tensor brought to the rank that hstack, vstack or dstack joins.
template <class Op> static Tensors at_least(const Tensors& tensors, std::string_view op) {
  check(!tensors.empty(), op, " expects a non-empty TensorList");
  Tensors r;
  for (const Tensor& t : tensors) r.push_back(call_op<Op>(t));
  return r;
}

struct Atleast1d;
struct Atleast2d;
struct Atleast3d;

struct Hstack {
  static constexpr auto schema = "hstack(Tensor[] tensors) -> Tensor";
  static constexpr auto doc = R"(
    Tensors joined side by side: along dim 1, or dim 0 of vectors.

    Shapes: (m, n1), (m, n2), … → (m, n1 + n2 + …).   Dtypes: all, promoted.

    >>> fb.hstack((fb.tensor([1]), fb.tensor([2])))
    tensor([1, 2])
  )";
  using kind = Composite;
  static Tensor decompose(Tensors tensors) {
    const Tensors parts = at_least<Atleast1d>(tensors, "hstack");
    return cat(parts, parts[0].dim() == 1 ? 0 : 1);
  }
};

struct Vstack {
  static constexpr auto schema = "vstack(Tensor[] tensors) -> Tensor";
  static constexpr auto doc = R"(
    Tensors joined below each other: along dim 0, vectors as rows.

    Shapes: (m1, n), (m2, n), … → (m1 + m2 + …, n).   Dtypes: all, promoted.

    >>> fb.vstack((fb.tensor([1]), fb.tensor([2])))
    tensor([[1],
            [2]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensors tensors) { return cat(at_least<Atleast2d>(tensors, "vstack"), 0); }
};

struct RowStack {
  static constexpr auto schema = "row_stack(Tensor[] tensors) -> Tensor";
  static constexpr auto doc = R"(
    Tensors joined below each other: vstack by another name.

    Shapes: as vstack.   Dtypes: all, promoted.

    >>> fb.row_stack((fb.tensor([1]), fb.tensor([2]))).shape
    torch.Size([2, 1])
  )";
  using kind = Composite;
  static Tensor decompose(Tensors tensors) { return Vstack::decompose(tensors); }
};

struct Dstack {
  static constexpr auto schema = "dstack(Tensor[] tensors) -> Tensor";
  static constexpr auto doc = R"(
    Tensors joined along dim 2, after atleast_3d.

    Shapes: (m, n, k1), (m, n, k2), … → (m, n, k1 + k2 + …).   Dtypes: all, promoted.

    >>> fb.dstack((fb.ones(2), fb.ones(2))).shape
    torch.Size([1, 2, 2])
  )";
  using kind = Composite;
  static Tensor decompose(Tensors tensors) { return cat(at_least<Atleast3d>(tensors, "dstack"), 2); }
};

struct ColumnStack {
  static constexpr auto schema = "column_stack(Tensor[] tensors) -> Tensor";
  static constexpr auto doc = R"(
    Tensors joined along dim 1, vectors as columns.

    Shapes: (m) or (m, n), … → (m, columns in all).   Dtypes: all, promoted.

    >>> fb.column_stack((fb.tensor([1, 2]), fb.tensor([3, 4])))
    tensor([[1, 3],
            [2, 4]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensors tensors) {
    check(!tensors.empty(), "column_stack: tensors is empty, there must be one at least");
    Tensors parts;
    for (const Tensor& t : tensors) parts.push_back(t.dim() <= 1 ? reshape(t, {t.numel(), 1}) : t);
    return cat(parts, 1);
  }
};

struct BlockDiag {
  static constexpr auto schema = "block_diag(Tensor[] tensors) -> Tensor";
  static constexpr auto doc = R"(
    A matrix with the given ones along its diagonal and zeros elsewhere; vectors count as rows.

    Shapes: (m1, n1), (m2, n2), … → (m1 + m2 + …, n1 + n2 + …).   Dtypes: all, promoted.

    >>> fb.block_diag(fb.tensor([[1]]), fb.tensor([[2, 3]]))
    tensor([[1, 0, 0],
            [0, 2, 3]])
  )";
  using kind = Opaque;
  static Dims as_matrix(const Dims& s) {
    return s.size() == 2 ? s : s.size() == 1 ? Dims{1, s[0]} : Dims{1, 1};
  }
  static Tensor kernel(Tensors tensors) {
    for (size_t i = 0; i < tensors.size(); ++i)
      check(tensors[i].dim() <= 2, "block_diag: tensor ", i, " has ", tensors[i].dim(), " dims, a block has "
            "at most 2");
    if (tensors.empty()) return empty({1, 0}, default_dtype());
    int64_t rows = 0, columns = 0;
    for (const Tensor& t : tensors) {
      const Dims s = as_matrix(t.shape());
      rows += s[0];
      columns += s[1];
    }
    Tensor r = zeros({rows, columns}, common_dtype(tensors));
    rows = columns = 0;
    for (const Tensor& t : tensors) {
      const Dims s = as_matrix(t.shape());
      copy_(alias(r, narrowed(narrowed(r.layout(), 0, rows, s[0]), 1, columns, s[1])), view(contiguous(t), s));
      rows += s[0];
      columns += s[1];
    }
    return r;
  }
  static Tensors vjp_tensors(Tensor g, Shapes<0> shapes) {
    Tensors r;
    int64_t row = 0, column = 0;
    for (const Dims& shape : shapes.list) {
      const Dims s = as_matrix(shape);
      r.push_back(reshape(narrow(narrow(g, 0, row, s[0]), 1, column, s[1]), shape));
      row += s[0];
      column += s[1];
    }
    return r;
  }
};

struct Meshgrid {
  static constexpr auto schema = "meshgrid(Tensor[] tensors, *, str? indexing=None) -> Tensor[]";
  static constexpr auto doc = R"(
    Coordinates of a grid: each vector expanded along the dims of the others; views.

    Shapes: (n1), (n2), … → tensors (n1, n2, …) for indexing 'ij', the first two dims swapped for 'xy'.   Dtypes: all of one.

    >>> fb.meshgrid(fb.tensor([1, 2]), fb.tensor([3]), indexing='ij')[0]
    tensor([[1],
            [2]])
  )";
  using kind = Composite;
  static Tensors decompose(Tensors tensors, std::optional<std::string> indexing) {
    const std::string order = indexing.value_or("ij");
    check(!tensors.empty(), "meshgrid: tensors is empty, there must be one at least");
    check(order == "ij" || order == "xy", "meshgrid: unknown indexing='", order, "', choose 'ij' or 'xy'");
    Dims shape;
    for (const Tensor& t : tensors) {
      check(t.dim() <= 1, "meshgrid: each tensor must be a number or a vector, one has shape ",
            t.shape().list());
      check(t.dtype() == tensors[0].dtype(), "meshgrid: the tensors must agree in dtype; the first is ",
            row(tensors[0].dtype()).legacy, ", another ", row(t.dtype()).legacy);
      shape.push(t.numel());
    }
    const bool swap = order == "xy" && tensors.size() >= 2;
    if (swap) std::swap(shape[0], shape[1]);
    Tensors r;
    for (int k = 0; k < static_cast<int>(tensors.size()); ++k) {
      Dims ones = Dims::filled(shape.size(), 1);
      const int place = swap && k < 2 ? 1 - k : k;
      ones[place] = shape[place];
      r.push_back(expand(reshape(tensors[static_cast<size_t>(k)], ones), shape));
    }
    return r;
  }
};

struct CartesianProd {
  static constexpr auto schema = "cartesian_prod(Tensor[] tensors) -> Tensor";
  static constexpr auto doc = R"(
    All tuples with one element of each vector, in lexicographic order.

    Shapes: k vectors (n1), (n2), … → (n1·n2·…, k); one vector comes back as it is.   Dtypes: all of one.

    >>> fb.cartesian_prod(fb.tensor([1, 2]), fb.tensor([3]))
    tensor([[1, 3],
            [2, 3]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensors tensors) {
    for (const Tensor& t : tensors) check(t.dim() == 1, "cartesian_prod: each tensor must be a vector, one "
                                          "has shape ", t.shape().list());
    if (tensors.size() == 1) return tensors[0];
    Tensors columns;
    for (const Tensor& t : Meshgrid::decompose(tensors, "ij")) columns.push_back(reshape(t, {-1}));
    return call_op<Stack>(columns, 1);
  }
};

FB_GROUP(join, Cat, Concat, Concatenate, Stack, Hstack, Vstack, RowStack, Dstack, ColumnStack, BlockDiag, Meshgrid, CartesianProd)

}  // namespace fb
