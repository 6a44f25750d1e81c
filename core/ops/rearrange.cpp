#include <algorithm>
#include <numeric>

#include "base/parallel.h"
#include "op/build.h"
#include "ops.h"

// Copies with the elements in another order or number.
namespace fb {

struct Repeat;
struct Roll;
struct Flip;
struct Rot90;
struct Stack;
struct IndexSelect;
struct PixelShuffle;
struct PixelUnshuffle;
struct ChannelShuffle;

struct Repeat {
  static constexpr auto schema = "repeat(Tensor self, int[] repeats) -> Tensor";
  static constexpr auto doc = R"(
    Copies of self side by side, repeats[i] times along dim i; new dims come in front.

    Shapes: self (d0, …), repeats of at least as many entries → (r0·d0, …).   Dtypes: all.

    >>> fb.tensor([1, 2]).repeat(2)
    tensor([1, 2, 1, 2])
  )";
  using kind = Opaque;
  static Dims padded(const Dims& shape, int rank) {
    Dims r = Dims::filled(rank - shape.size(), 1);
    for (int64_t s : shape) r.push(s);
    return r;
  }
  static Tensor kernel(Tensor x, Dims repeats) {
    check(repeats.size() >= x.dim(), "repeat: a tensor of shape ", x.shape().list(), " needs a number for "
          "each dim, got ", repeats.list());
    const int n = repeats.size();
    const Dims shape = padded(x.shape(), n);
    Dims out, apart, ones, wide;                       // apart: the result with copies and elements in dims of their own
    for (int k = 0; k < n; ++k) {
      out.push(repeats[k] * shape[k]);
    }
    check_sizes(out);
    for (int k = 0; k < n; ++k)
      for (int64_t s : {repeats[k], shape[k]}) {
        apart.push(s);
        ones.push(apart.size() % 2 ? 1 : s);
      }
    Tensor r = empty(out, x.dtype());
    if (r.numel()) copy_(alias(r, Layout(apart)), view(contiguous(x), ones));
    return r;
  }
  static Tensor vjp(Tensor g, Shape<0> shape, Arg<1, Dims> repeats) {
    const Dims full_shape = padded(shape, repeats.value.size());
    Dims apart, over;
    for (int k = 0; k < full_shape.size(); ++k) {
      over.push(apart.size());
      apart.push(repeats.value[k]);
      apart.push(full_shape[k]);
    }
    if (over.empty()) return g;
    if (g.numel() == 0) return zeros(shape, g.dtype());
    return reshape(sum(reshape(g, apart), over, false), shape);
  }
};

struct Tile {
  static constexpr auto schema = "tile(Tensor self, int[] dims) -> Tensor";
  static constexpr auto doc = R"(
    Copies of self side by side; missing leading counts are one.

    Shapes: as repeat.   Dtypes: all.

    >>> fb.tile(fb.tensor([[1, 2]]), (2,))
    tensor([[1, 2, 1, 2]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Dims dims) {
    return call_op<Repeat>(x, dims.size() < x.dim() ? Repeat::padded(dims, x.dim()) : dims);
  }
};

struct RepeatInterleave {
  static constexpr auto schema = "repeat_interleave(Tensor self, int repeats, int? dim=None, *, int? output_size=None) -> Tensor";
  static constexpr auto doc = R"(
    Every slice along a dim repeated in place, all `repeats` times or each by its own count; without dim, of the
    flattened tensor.

    Shapes: self (…, n, …) → (…, n·repeats, …).   Dtypes: all; counts int64, int32.

    >>> fb.repeat_interleave(fb.tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor self, int64_t repeats, std::optional<int64_t> dim, std::optional<int64_t> output_size) {
    check(repeats >= 0, "repeat_interleave: repeats must not be negative, got ", repeats);
    const Tensor x = dim && self.dim() ? self : reshape(self, {-1});
    const int d = dim ? wrap_dim(*dim, x.dim()) : 0;
    Dims wide = x.shape().inserted(d + 1, repeats), shape = x.shape();
    shape[d] *= repeats;
    check(!output_size || *output_size == shape[d], "repeat_interleave: the result has size ", shape[d],
          ", output_size says ", output_size.value_or(0));
    return view(contiguous(expand(unsqueeze(x, d + 1), wide)), shape);
  }
};

// Each index i, counts[i] times.
static Tensor repeated_indices(const Tensor& counts, std::optional<int64_t> output_size) {
  check(counts.dtype() == DType::i64 || counts.dtype() == DType::i32, "repeat_interleave: repeats must be "
        "Long or Int, it is ", row(counts.dtype()).legacy);
  check(counts.dim() == 1, "repeat_interleave: repeats must be a vector, it has ", counts.dim(), " dims");
  const Tensor packed = contiguous(to_dtype(counts, DType::i64));
  const int64_t* n = packed.data<int64_t>();
  int64_t total = 0;
  for (int64_t i = 0; i < packed.numel(); ++i) {
    check(n[i] >= 0, "repeat_interleave: repeats must not be negative, found ", n[i]);
    total += n[i];
  }
  check(!output_size || *output_size == total, "repeat_interleave: output_size ", output_size.value_or(0), " does not match the sum of repeats ", total);
  Tensor r = empty({total}, DType::i64);
  int64_t* to = r.data<int64_t>();
  for (int64_t i = 0; i < packed.numel(); ++i) to = std::fill_n(to, n[i], i);
  return r;
}

struct RepeatInterleaveCounts {
  static constexpr auto schema =
      "repeat_interleave.self_Tensor(Tensor self, Tensor repeats, int? dim=None, *, int? output_size=None) -> Tensor";
  static constexpr auto doc = RepeatInterleave::doc;
  using kind = Composite;
  static Tensor decompose(Tensor self, Tensor repeats, std::optional<int64_t> dim, std::optional<int64_t> output_size) {
    const Tensor x = dim && self.dim() ? self : reshape(self, {-1});
    const int d = dim ? wrap_dim(*dim, x.dim()) : 0;
    check(repeats.dim() <= 1, "repeat_interleave: repeats must be a number or a vector, it has ",
          repeats.dim(), " dims");
    const bool one = repeats.numel() == 1;
    check(one || repeats.numel() == x.shape()[d], "repeat_interleave: ", repeats.numel(), " numbers in "
          "repeats for ", x.shape()[d], " elements along dim ", d);
    const Tensor counts = one ? expand(reshape(repeats, {1}), {x.shape()[d]}) : repeats;
    return call_op<IndexSelect>(x, d, repeated_indices(counts, output_size));
  }
};

struct RepeatInterleaveIndices {
  static constexpr auto schema = "repeat_interleave.Tensor(Tensor repeats, *, int? output_size=None) -> Tensor";
  static constexpr auto doc = RepeatInterleave::doc;
  using kind = Composite;
  static Tensor decompose(Tensor repeats, std::optional<int64_t> output_size) { return repeated_indices(repeats, output_size); }
};

static Layout part_of(const Layout& x, int d, int64_t start, int64_t length) {
  Dims shape = x.shape;
  shape[d] = length;
  return {shape, x.strides, x.offset + start * x.strides[d]};
}

struct Roll {
  static constexpr auto schema = "roll(Tensor self, int[] shifts, int[] dims=[]) -> Tensor";
  static constexpr auto doc = R"(
    Elements shifted along dims; those pushed out come in again at the other end. Without dims, of the flattened tensor.

    Shapes: self (*) → (*).   Dtypes: all.

    >>> fb.roll(fb.tensor([1, 2, 3]), 1)
    tensor([3, 1, 2])
  )";
  using kind = Opaque;
  // Copies block by block: each dim is cut in two, so k dims give 2^k blocks.
  static void copy_blocks(const Tensor& r, const Layout& to, const Tensor& x, const Layout& from, const Dims& shifts, const Dims& dims, int k) {
    if (k == dims.size()) return copy_(alias(r, to), alias(x, from));
    const int d = int(dims[k]);
    const int64_t n = to.shape[d], s = ((shifts[k] % n) + n) % n;
    copy_blocks(r, part_of(to, d, s, n - s), x, part_of(from, d, 0, n - s), shifts, dims, k + 1);
    if (s) copy_blocks(r, part_of(to, d, 0, s), x, part_of(from, d, n - s, s), shifts, dims, k + 1);
  }
  static Tensor kernel(Tensor x, Dims shifts, Dims dims) {
    check(!shifts.empty(), "`shifts` required");
    if (dims.empty()) {
      check(shifts.size() == 1, "roll: without dims there is one shift, got ", shifts.size());
      return view(kernel(reshape(x, {-1}), shifts, {0}), x.shape());
    }
    check(shifts.size() == dims.size(), "roll: ", shifts.size(), " shifts for ", dims.size(), " dims");
    Dims each, total;                                  // a dim named twice is shifted by the sum
    for (int k = 0; k < dims.size(); ++k) {
      const int d = wrap_dim(dims[k], x.dim());
      check<IndexError>(x.dim() > 0, "roll: a 0-dimensional tensor has no dim ", dims[k]);
      if (!each.contains(d)) {
        each.push(d);
        total.push(0);
      }
      for (int i = 0; i < each.size(); ++i) if (each[i] == d) total[i] += shifts[k];
    }
    Tensor r = empty(x.shape(), x.dtype());
    if (x.numel()) copy_blocks(r, r.layout(), x, x.layout(), total, each, 0);
    return r;
  }
  static Tensor vjp(Tensor g, Arg<1, Dims> shifts, Arg<2, Dims> dims) {
    Dims back;
    for (int64_t s : shifts.value) back.push(-s);
    return call_op<Roll>(g, back, dims.value);
  }
};

static Layout flipped(const Layout& x, const Dims& dims) {
  Layout r = x;
  if (x.numel == 0) return r;
  Dims seen;
  for (int64_t dim : dims) {
    const int d = wrap_dim(dim, x.dim());
    check(!seen.contains(d), "flip: dims names dim ", d, " twice");
    seen.push(d);
    if (x.dim() == 0) continue;
    r.offset += (x.shape[d] - 1) * x.strides[d];
    r.strides[d] = -x.strides[d];
  }
  return {r.shape, r.strides, r.offset};
}

static Tensor copied(const Tensor& x, const Layout& from) {
  Tensor r = empty(from.shape, x.dtype());
  if (r.numel()) copy_(r, alias(x, from));
  return r;
}

struct Flip {
  static constexpr auto schema = "flip(Tensor self, int[] dims) -> Tensor";
  static constexpr auto doc = R"(
    The order of elements reversed along dims.

    Shapes: self (*) → (*).   Dtypes: all.

    >>> fb.flip(fb.tensor([1, 2, 3]), (0,))
    tensor([3, 2, 1])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor x, Dims dims) {
    for (int64_t d : dims) wrap_dim(d, x.dim());
    return copied(x, flipped(x.layout(), dims));
  }
  static Tensor vjp(Tensor g, Arg<1, Dims> dims) { return call_op<Flip>(g, dims.value); }
};

struct Fliplr {
  static constexpr auto schema = "fliplr(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    The order of columns reversed.

    Shapes: self (m, n, …) → (m, n, …).   Dtypes: all.

    >>> fb.fliplr(fb.tensor([[1, 2]]))
    tensor([[2, 1]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x) {
    check(x.dim() >= 2, "fliplr: the input needs two dims at least, it has ", x.dim());
    return call_op<Flip>(x, Dims{1});
  }
};

struct Flipud {
  static constexpr auto schema = "flipud(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    The order of rows reversed.

    Shapes: self (m, …) → (m, …).   Dtypes: all.

    >>> fb.flipud(fb.tensor([1, 2]))
    tensor([2, 1])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x) {
    check(x.dim() >= 1, "flipud: the input is 0-dimensional");
    return call_op<Flip>(x, Dims{0});
  }
};

struct Rot90 {
  static constexpr auto schema = "rot90(Tensor self, int k=1, int[] dims=[0,1]) -> Tensor";
  static constexpr auto doc = R"(
    Turned by k right angles in the plane of two dims, the first turning to where the second points.

    Shapes: self (…, m, …, n, …) → the two sizes swapped for odd k.   Dtypes: all.

    >>> fb.rot90(fb.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor x, int64_t k, Dims dims) {
    check(dims.size() == 2, "rot90: dims must name the two dims of a plane, got ", dims.list());
    check(x.dim() >= 2, "rot90: the input has ", x.dim(), " dims, turning takes two at least");
    check(dims[0] != dims[1] && std::abs(dims[0] - dims[1]) != x.dim(), "rot90: dims must name two different "
          "dims, got ", dims[0], " and ", dims[1]);
    const int a = wrap_dim(dims[0], x.dim()), b = wrap_dim(dims[1], x.dim());
    k = ((k % 4) + 4) % 4;
    if (k == 0) return clone(x);
    if (k == 2) return copied(x, flipped(x.layout(), {a, b}));
    Layout from = flipped(x.layout(), {k == 1 ? b : a});
    std::swap(from.shape[a], from.shape[b]);
    std::swap(from.strides[a], from.strides[b]);
    return copied(x, Layout(from.shape, from.strides, from.offset));
  }
  static Tensor vjp(Tensor g, Arg<1, int64_t> k, Arg<2, Dims> dims) { return call_op<Rot90>(g, -k.value, dims.value); }
};

struct Combinations {
  static constexpr auto schema = "combinations(Tensor self, int r=2, bool with_replacement=False) -> Tensor";
  static constexpr auto doc = R"(
    All combinations of r elements of a vector, in lexicographic order of their positions.

    Shapes: self (n) → (count, r).   Dtypes: all.

    >>> fb.combinations(fb.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, int64_t r, bool with_replacement) {
    check(x.dim() == 1, "combinations: the input must be a vector, its shape is ", x.shape().list());
    check(r >= 0, "combinations: r must not be negative, got ", r);
    if (r == 0) return empty({0}, x.dtype());
    const int64_t n = x.numel(), step = with_replacement ? 0 : 1;
    std::vector<int64_t> rows, pick(static_cast<size_t>(r));
    for (int64_t k = 0; k < r; ++k) pick[size_t(k)] = k * step;
    auto most = [&](int64_t k) { return n - 1 - (r - 1 - k) * step; };
    for (bool any = n > 0 && most(0) >= 0; any;) {
      rows.insert(rows.end(), pick.begin(), pick.end());
      int64_t k = r - 1;
      while (k >= 0 && pick[size_t(k)] == most(k)) --k;
      if (k < 0) break;
      const int64_t first = pick[size_t(k)] + 1;
      for (int64_t j = k; j < r; ++j) pick[size_t(j)] = first + (j - k) * step;
    }
    Tensor index = empty({static_cast<int64_t>(rows.size()) / r, r}, DType::i64);
    std::copy(rows.begin(), rows.end(), index.data<int64_t>());
    Tensors columns;
    for (int64_t k = 0; k < r; ++k) columns.push_back(call_op<IndexSelect>(x, 0, select(index, 1, k)));
    return call_op<Stack>(columns, 1);
  }
};

struct Vander {
  static constexpr auto schema = "vander(Tensor x, int? N=None, bool increasing=False) -> Tensor";
  static constexpr auto doc = R"(
    The Vandermonde matrix of a vector: column j holds its powers N-1-j, or j if increasing.

    Shapes: x (n) → (n, N); N is n unless given.   Dtypes: all.

    >>> fb.vander(fb.tensor([2, 3]))
    tensor([[2, 1],
            [3, 1]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, std::optional<int64_t> count, bool increasing) {
    check(x.dim() == 1, "vander: x must be a vector, its shape is ", x.shape().list());
    const int64_t n = count.value_or(x.numel());
    check(n >= 0, "vander: N must not be negative, got ", n);
    const DType d = category_of(x.dtype()) <= Category::integral ? DType::i64 : x.dtype();
    if (n == 0) return empty({x.numel(), 0}, d);
    Tensors columns{ones(x.shape(), d)};
    const Tensor base = to_dtype(x, d);
    for (int64_t k = 1; k < n; ++k) columns.push_back(k == 1 ? base : mul(columns.back(), base));
    const Tensor r = call_op<Stack>(columns, 1);
    return increasing ? r : call_op<Flip>(r, Dims{1});
  }
};

static int64_t lead_product(const Dims& s, int keep) {
  int64_t n = 1;
  for (int k = 0; k < s.size() - keep; ++k) n *= s[k];
  return n;
}
static Dims with_tail(const Dims& s, const Dims& tail) {
  Dims r = s;
  r.resize(s.size() - tail.size());
  for (int64_t t : tail) r.push(t);
  return r;
}

struct PixelShuffle {
  static constexpr auto schema = "pixel_shuffle(Tensor input, int upscale_factor) -> Tensor";
  static constexpr auto doc = R"(
    Channels turned into pixels: each group of r² channels becomes an image r times as wide and high.

    Shapes: input (*, C·r², H, W) → (*, C, H·r, W·r).   Dtypes: all.

    >>> fb.pixel_shuffle(fb.ones(4, 1, 1), 2).shape
    torch.Size([1, 2, 2])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor x, int64_t r) {
    check(x.dim() >= 3, "pixel_shuffle: the input must be (…, C, H, W), it has ", x.dim(), " dims");
    check(r > 0, "pixel_shuffle: upscale_factor must be positive, got ", r);
    const int64_t c = x.size(-3), h = x.size(-2), w = x.size(-1), n = lead_product(x.shape(), 3);
    check(c % (r * r) == 0, "pixel_shuffle: the ", c, " channels, dim -3, are no multiple of upscale_factor "
          "squared, ", r * r);
    const Tensor apart = permute(reshape(x, {n, c / (r * r), r, r, h, w}), {0, 1, 4, 2, 5, 3});
    return view(contiguous(r == 1 ? clone(apart) : apart), with_tail(x.shape(), {c / (r * r), h * r, w * r}));
  }
  static Tensor vjp(Tensor g, Arg<1, int64_t> r) { return call_op<PixelUnshuffle>(g, r.value); }
};

struct PixelUnshuffle {
  static constexpr auto schema = "pixel_unshuffle(Tensor input, int downscale_factor) -> Tensor";
  static constexpr auto doc = R"(
    Pixels turned into channels: the inverse of pixel_shuffle.

    Shapes: input (*, C, H·r, W·r) → (*, C·r², H, W).   Dtypes: all.

    >>> fb.pixel_unshuffle(fb.ones(1, 2, 2), 2).shape
    torch.Size([4, 1, 1])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor x, int64_t r) {
    check(x.dim() >= 3, "pixel_unshuffle: the input must be (…, C, H, W), it has ", x.dim(), " dims");
    check(r > 0, "pixel_unshuffle: downscale_factor must be positive, got ", r);
    const int64_t c = x.size(-3), h = x.size(-2), w = x.size(-1), n = lead_product(x.shape(), 3);
    check(h % r == 0, "pixel_unshuffle: the height ", h, " is no multiple of downscale_factor, ", r);
    check(w % r == 0, "pixel_unshuffle: the width ", w, " is no multiple of downscale_factor, ", r);
    const Tensor apart = permute(reshape(x, {n, c, h / r, r, w / r, r}), {0, 1, 3, 5, 2, 4});
    return view(contiguous(r == 1 ? clone(apart) : apart), with_tail(x.shape(), {c * r * r, h / r, w / r}));
  }
  static Tensor vjp(Tensor g, Arg<1, int64_t> r) { return call_op<PixelShuffle>(g, r.value); }
};

struct ChannelShuffle {
  static constexpr auto schema = "channel_shuffle(Tensor input, int groups) -> Tensor";
  static constexpr auto doc = R"(
    Channels dealt out: the first of every group, then the second, and so on.

    Shapes: input (N, C, …) → (N, C, …); groups divides C.   Dtypes: all.

    >>> fb.channel_shuffle(fb.arange(4).view(1, 4, 1), 2).view(-1)
    tensor([0, 2, 1, 3])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor x, int64_t groups) {
    check(x.dim() > 2, "channel_shuffle: the input must be (N, C, *) with three dims at least, its shape is ",
          x.shape().list());
    const int64_t n = x.shape()[0], c = x.shape()[1];
    check(groups > 0, "channel_shuffle: groups must be positive, got ", groups);
    check(c % groups == 0, "channel_shuffle: ", c, " channels cannot be shared out evenly among ", groups,
          " groups");
    int64_t rest = 1;
    for (int k = 2; k < x.dim(); ++k) rest *= x.shape()[k];
    return view(contiguous(transpose(reshape(x, {n, groups, c / groups, rest}), 1, 2)), x.shape());
  }
  static Tensor vjp(Tensor g, Arg<1, int64_t> groups) { return call_op<ChannelShuffle>(g, g.shape()[1] / groups); }
};

FB_GROUP(rearrange, Repeat, Tile, RepeatInterleave, RepeatInterleaveCounts, RepeatInterleaveIndices, Roll, Flip, Fliplr, Flipud, Rot90,
         Combinations, Vander, PixelShuffle, PixelUnshuffle, ChannelShuffle)

}  // namespace fb
