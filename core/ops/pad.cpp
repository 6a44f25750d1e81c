#include <algorithm>

#include "base/parallel.h"
#include "kernels/typed.h"
#include "op/build.h"
#include "ops.h"
#include "tensor/convert.h"

// Padding, and the patches that convolutions read.
namespace fb {

struct ConstantPad;
struct MirrorPad;
struct MirrorPadBackward;
struct Im2col;
struct Col2im;

// The last pair of `pad` belongs to the first padded dim.
static Dims padded_shape(const Dims& shape, const Dims& pad) {
  check(pad.size() % 2 == 0, "pad: 2 numbers for each dim are needed, got ", pad.size());
  check(pad.size() <= 2 * shape.size(), "pad: ", pad.size(), " numbers are too many for an input of ",
        shape.size(), " dims, two for each");
  Dims r = shape;
  for (int k = 0; k < pad.size() / 2; ++k) {
    const int d = shape.size() - 1 - k;
    r[d] += pad[2 * k] + pad[2 * k + 1];
    check(r[d] >= 0, "pad: dim ", d, " of size ", shape[d], " cannot be cropped by ", pad[2 * k], " and ",
          pad[2 * k + 1]);
  }
  return r;
}

struct ConstantPad {
  static constexpr auto schema = "constant_pad_nd(Tensor self, int[] pad, Scalar value=0) -> Tensor";
  static constexpr auto doc = R"(
    self with a border of one number; negative widths crop.

    Shapes: self (*, n) → (*, before + n + after), pad giving (before, after) from the last dim on.   Dtypes: all.

    >>> fb.constant_pad_nd(fb.tensor([1]), (1, 1))
    tensor([0, 1, 0])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor x, Dims pad, Scalar value) {
    const Dims shape = padded_shape(x.shape(), pad);
    Tensor r = full(shape, value, x.dtype());
    Layout to = r.layout(), from = x.layout();
    for (int k = 0; k < pad.size() / 2; ++k) {
      const int d = x.dim() - 1 - k;
      const int64_t before = pad[2 * k], begin = std::max<int64_t>(0, before);
      const int64_t end = std::min(shape[d], before + x.shape()[d]), n = std::max<int64_t>(0, end - begin);
      to.shape[d] = from.shape[d] = n;
      to.offset += n ? begin * to.strides[d] : 0;
      from.offset += n ? (begin - before) * from.strides[d] : 0;
    }
    copy_(alias(r, Layout(to.shape, to.strides, to.offset)), alias(x, Layout(from.shape, from.strides, from.offset)));
    return r;
  }
  static Tensor vjp(Tensor g, Arg<1, Dims> pad) {
    Dims back;
    for (int64_t p : pad.value) back.push(-p);
    return call_op<ConstantPad>(g, back, 0);
  }
};

namespace {

enum class Border { reflect, replicate, circular };

Border border_named(const std::string& mode) {
  return mode == "reflect" ? Border::reflect : mode == "replicate" ? Border::replicate : Border::circular;
}

// Which element of a dim of size n is shown at each of its padded positions.
std::vector<int64_t> shown_at(Border border, int64_t n, int64_t before, int64_t padded) {
  std::vector<int64_t> r(static_cast<size_t>(padded));
  for (int64_t i = 0; i < padded; ++i) {
    int64_t at = i - before;
    if (border == Border::replicate) at = std::clamp<int64_t>(at, 0, n - 1);
    else if (border == Border::circular) at = ((at % n) + n) % n;
    else if (at < 0) at = -at;
    else if (at >= n) at = 2 * (n - 1) - at;
    r[static_cast<size_t>(i)] = at;
  }
  return r;
}

// The padded dims of a tensor, up to three, seen as (planes, a, b, c) with the sources of each position.
struct PadPlan {
  int64_t planes = 1;
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1};
  std::vector<int64_t> source[3];
  int64_t run_begin = 0, run_end = 0;                  // columns [begin, end) of the result show columns that follow each other

  PadPlan(const Dims& shape, const Dims& pad, Border border) {
    const int count = pad.size() / 2, first = shape.size() - count;
    for (int k = 0; k < first; ++k) planes *= shape[k];
    for (int k = 0; k < 3; ++k) {
      const int d = shape.size() - 3 + k, p = 2 - k;
      if (p < count) {
        in[k] = shape[d];
        out[k] = shape[d] + pad[2 * p] + pad[2 * p + 1];
      }
      source[k] = shown_at(border, in[k], p < count ? pad[2 * p] : 0, out[k]);
    }
    const int64_t before = count > 0 ? pad[0] : 0;
    run_begin = std::clamp<int64_t>(before, 0, out[2]);
    run_end = std::clamp<int64_t>(before + in[2], run_begin, out[2]);
  }
  int64_t in_plane() const { return in[0] * in[1] * in[2]; }
  int64_t out_plane() const { return out[0] * out[1] * out[2]; }

  // body(offset of a row of the result, offset of the row of the input it shows), over a range of planes.
  template <class Body> void rows(int64_t begin, int64_t end, const Body& body) const {
    for (int64_t p = begin; p < end; ++p)
      for (int64_t a = 0; a < out[0]; ++a)
        for (int64_t b = 0; b < out[1]; ++b)
          body(((p * out[0] + a) * out[1] + b) * out[2], ((p * in[0] + source[0][size_t(a)]) * in[1] + source[1][size_t(b)]) * in[2]);
  }
  int64_t grain() const { return std::max<int64_t>(1, 32768 / std::max<int64_t>(1, out_plane())); }
};

}  // namespace

struct MirrorPad {
  static constexpr auto schema = "_border_pad(Tensor self, int[] pad, str mode) -> Tensor";
  static constexpr auto doc = "self with a border of its own elements: mode reflect, replicate or circular.";
  using kind = Opaque;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    static constexpr std::string_view names[2][3] = {
        {"ReflectionPad1DBackward0", "ReflectionPad2DBackward0", "ReflectionPad3DBackward0"},
        {"ReplicationPad1DBackward0", "ReplicationPad2DBackward0", "ReplicationPad3DBackward0"}};
    const Border border = border_named(args[2].as_string());
    return border == Border::circular ? "CopySlices" : names[int(border)][std::clamp(args[1].as_ints().size() / 2, 1, 3) - 1];
  }
  static Tensor kernel(Tensor self, Dims pad, std::string mode) {
    const Tensor x = contiguous(self);
    Tensor r = empty(padded_shape(x.shape(), pad), x.dtype());
    if (r.numel() == 0) return r;
    const PadPlan plan(x.shape(), pad, border_named(mode));
    const int64_t* columns = plan.source[2].data();
    with_bytes(bytes_of(x.dtype()), [&](auto w) {
      using W = decltype(w);
      W* out = r.data<W>();
      const W* in = x.data<W>();
      parallel_for(plan.planes, plan.grain(), [&](int64_t begin, int64_t end) {
        plan.rows(begin, end, [&](int64_t to, int64_t from) {
          for (int64_t c = 0; c < plan.run_begin; ++c) out[to + c] = in[from + columns[c]];
          if (plan.run_end > plan.run_begin)
            std::copy_n(in + from + columns[plan.run_begin], plan.run_end - plan.run_begin, out + to + plan.run_begin);
          for (int64_t c = plan.run_end; c < plan.out[2]; ++c) out[to + c] = in[from + columns[c]];
        });
      });
    });
    return r;
  }
  static Tensor vjp(Tensor g, Shape<0> shape, Arg<1, Dims> pad, Arg<2, std::string> mode) {
    return call_op<MirrorPadBackward>(g, shape, pad.value, mode.value);
  }
};

struct MirrorPadBackward {
  static constexpr auto schema = "_border_pad_backward(Tensor self, int[] size, int[] pad, str mode) -> Tensor";
  static constexpr auto doc = "The elements of a padded gradient added to the elements they show.";
  using kind = Opaque;
  static Tensor kernel(Tensor self, Dims size, Dims pad, std::string mode) {
    const Tensor g = contiguous(self);
    Tensor r = zeros(size, g.dtype());
    if (g.numel() == 0) return r;
    const PadPlan plan(size, pad, border_named(mode));
    const int64_t* columns = plan.source[2].data();
    with_number(g.dtype(), [&](auto w) {
      using T = decltype(w);
      T* out = r.data<T>();
      const T* in = g.data<T>();
      parallel_for(plan.planes, plan.grain(), [&](int64_t begin, int64_t end) {
        plan.rows(begin, end, [&](int64_t from, int64_t to) {
          for (int64_t c = 0; c < plan.out[2]; ++c) out[to + columns[c]] = plus(out[to + columns[c]], in[from + c]);
        });
      });
    });
    return r;
  }
  static Tensor vjp(Tensor g, Arg<2, Dims> pad, Arg<3, std::string> mode) { return call_op<MirrorPad>(g, pad.value, mode.value); }
};

struct Pad {
  static constexpr auto schema = "pad(Tensor input, int[] pad, str mode=\"constant\", float? value=None) -> Tensor";
  static constexpr auto doc = R"(
    input with a border: of a number (constant), mirrored at the edge (reflect), of the edge (replicate), or wrapped
    around (circular).

    Args: pad gives (before, after) for the last dim, then the one before it, and so on; negative widths crop. The last
    three modes pad all but the first one or two dims.
    Shapes: input (*, n) → (*, before + n + after).   Dtypes: all.

    >>> fb.pad(fb.tensor([[1, 2]]), (1, 0), "replicate")
    tensor([[1, 1, 2]])
  )";
  using kind = Composite;
  static void check_border(const Tensor& x, const Dims& pad, const std::string& mode) {
    const int n = x.dim(), count = pad.size() / 2;
    if (mode != "constant" && mode != "reflect" && mode != "replicate" && mode != "circular")
      throw UnsupportedError(text("pad: unknown mode='", mode, "'"));
    const bool fits = pad.size() % 2 == 0 && count >= 1 && count <= 3 && (n == count + 1 || n == count + 2);
    if (!fits) throw UnsupportedError(text("pad: ", pad.size(), " numbers do not fit an input of ", n,
                                           " dims with mode='", mode, "': give 2 numbers for 2 or 3 dims, 4 "
                                           "for 3 or 4, 6 for 4 or 5"));
    padded_shape(x.shape(), pad);
    for (int k = 0; k < count; ++k) {
      const int64_t size = x.shape()[n - 1 - k], before = pad[2 * k], after = pad[2 * k + 1];
      if (mode == "reflect") check(before < size && after < size, "pad: mode='reflect' needs padding smaller "
                                   "than the dim; got (", before, ", ", after, ") for dim ", n - 1 - k,
                                   " of the ", n, "-dimensional input of shape ", x.shape().list());
      if (mode == "circular") check(before <= size && after <= size, "pad: mode='circular' needs padding no "
                                    "larger than the dim; got (", before, ", ", after, ") for dim ",
                                    n - 1 - k, " of shape ", x.shape().list());
      check(size > 0, "Expected a non-empty dimension ", n - 1 - k, " to pad, but got input of shape ", x.shape().list());
    }
  }
  static Tensor decompose(Tensor x, Dims pad, std::string mode, std::optional<double> value) {
    if (mode == "constant") return call_op<ConstantPad>(x, pad, value ? Value(*value) : Value(0));
    check(!value || *value == 0, "pad: mode='", mode, "' takes its values from the input; leave `value` "
          "away");
    check_border(x, pad, mode);
    Dims crop = pad, grow = pad;
    for (int k = 0; k < pad.size(); ++k) {
      crop[k] = std::min<int64_t>(pad[k], 0);
      grow[k] = std::max<int64_t>(pad[k], 0);
    }
    if (mode == "circular" && !(grow == pad)) return call_op<MirrorPad>(call_op<ConstantPad>(x, crop, 0), grow, mode);   // what is left wraps
    return call_op<MirrorPad>(x, pad, mode);
  }
};

// ---- patches
namespace {

struct Patches {                                       // of images (n, c, h, w), seen by a kernel at rows × columns places
  int64_t n, c, h, w, kh, kw, dh, dw, ph, pw, sh, sw, rows, columns;
  Patches(int64_t batch, int64_t channels, int64_t height, int64_t width, const Dims& kernel, const Dims& dilation, const Dims& padding, const Dims& stride)
      : n(batch), c(channels), h(height), w(width), kh(kernel[0]), kw(kernel[1]), dh(dilation[0]), dw(dilation[1]), ph(padding[0]),
        pw(padding[1]), sh(stride[0]), sw(stride[1]) {
    rows = places(h, ph, dh, kh, sh);
    columns = places(w, pw, dw, kw, sw);
  }
  static int64_t places(int64_t size, int64_t pad, int64_t dilation, int64_t kernel, int64_t stride) {
    const int64_t room = size + 2 * pad - dilation * (kernel - 1) - 1;
    return room < 0 ? -((-room + stride - 1) / stride) + 1 : room / stride + 1;
  }
  int64_t length() const { return rows * columns; }

  // body(offset in the columns, offset in the image or -1) for one channel of one image and kernel position.
  template <class Body> void channel(int64_t plane, const Body& body) const {
    for (int64_t i = 0; i < kh; ++i)
      for (int64_t j = 0; j < kw; ++j)
        for (int64_t r = 0; r < rows; ++r) {
          const int64_t y = r * sh - ph + i * dh, to = ((plane * kh + i) * kw + j) * length() + r * columns;
          for (int64_t q = 0; q < columns; ++q) {
            const int64_t x = q * sw - pw + j * dw;
            const bool inside = y >= 0 && y < h && x >= 0 && x < w;
            body(to + q, inside ? (plane * h + y) * w + x : int64_t(-1));
          }
        }
  }
};

Dims pair(const Dims& d, std::string_view op, std::string_view what, int64_t least) {
  check(d.size() == 1 || d.size() == 2, op, ": ", what, " must be an int or 2 ints, but got size ", d.size(), ": ", d.list());
  const Dims r = d.size() == 2 ? d : Dims{d[0], d[0]};
  check(r[0] >= least && r[1] >= least, op, ": ", what, " should be ", least ? "greater than zero" : "non-negative", ", but got ", r.list());
  return r;
}

}  // namespace

struct Im2col {
  static constexpr auto schema = "im2col(Tensor self, int[] kernel_size, int[] dilation=1, int[] padding=0, int[] stride=1) -> Tensor";
  static constexpr auto doc = R"(
    The patches of images that a sliding kernel covers, one per column.

    Shapes: self (N, C, H, W) or (C, H, W) → (N, C·kh·kw, L) or (C·kh·kw, L), for L places of the kernel.   Dtypes: all.

    >>> fb.im2col(fb.ones(1, 1, 2, 2), 2).shape
    torch.Size([1, 4, 1])
  )";
  using kind = Opaque;
  static constexpr auto grad_name = "Im2ColBackward0";
  static Tensor kernel(Tensor self, Dims kernel_size, Dims dilation, Dims padding, Dims stride) {
    check<IndexError>(self.dim() >= 3, "unfold: the input must be (C, H, W) or (N, C, H, W); a shape of ",
                      self.shape().list(), " has too few dims");
    check(self.dim() == 3 || self.dim() == 4, "unfold: the input must be (C, H, W) or (N, C, H, W), and only "
          "N may be 0; its shape is ", self.shape().list());
    const bool batched = self.dim() == 4;
    const Tensor x = contiguous(self);
    const Patches p(batched ? x.shape()[0] : 1, x.size(-3), x.size(-2), x.size(-1), pair(kernel_size, "unfold", "kernel size", 1),
                    pair(dilation, "unfold", "dilation", 1), pair(padding, "unfold", "padding", 0), pair(stride, "unfold", "stride", 1));
    check(p.rows > 0 && p.columns > 0, "unfold: no block fits, rows and columns of blocks would be (", p.rows,
          ", ", p.columns, "); the image is (", p.h, ", ", p.w, "), kernel_size=", kernel_size.list(),
          ", dilation=", dilation.list(), ", padding=", padding.list());
    Tensor r = empty(batched ? Dims{p.n, p.c * p.kh * p.kw, p.length()} : Dims{p.c * p.kh * p.kw, p.length()}, x.dtype());
    with_bytes(bytes_of(x.dtype()), [&](auto t) {
      using W = decltype(t);
      W* out = r.data<W>();
      const W* in = x.data<W>();
      parallel_for(p.n * p.c, 1, [&](int64_t begin, int64_t end) {
        for (int64_t plane = begin; plane < end; ++plane)
          p.channel(plane, [&](int64_t to, int64_t from) { out[to] = from < 0 ? W() : in[from]; });
      });
    });
    return r;
  }
  static Tensor vjp(Tensor g, Shape<0> shape, Arg<1, Dims> kernel_size, Arg<2, Dims> dilation, Arg<3, Dims> padding, Arg<4, Dims> stride) {
    const int n = shape.size();
    return call_op<Col2im>(g, Dims{shape[n - 2], shape[n - 1]}, kernel_size.value, dilation.value, padding.value, stride.value);
  }
};

struct Col2im {
  static constexpr auto schema =
      "col2im(Tensor self, int[] output_size, int[] kernel_size, int[] dilation=1, int[] padding=0, int[] stride=1) -> Tensor";
  static constexpr auto doc = R"(
    Images summed up from patches: the transpose of im2col.

    Shapes: self (N, C·kh·kw, L) or (C·kh·kw, L) → (N, C, H, W) or (C, H, W) of output_size (H, W).   Dtypes: all.

    >>> fb.col2im(fb.ones(1, 4, 1), 2, 2).shape
    torch.Size([1, 1, 2, 2])
  )";
  using kind = Opaque;
  static constexpr auto grad_name = "Col2ImBackward0";
  static Tensor kernel(Tensor self, Dims output_size, Dims kernel_size, Dims dilation, Dims padding, Dims stride) {
    check(self.dim() == 2 || self.dim() == 3, "fold: the input must be (C * kernel size, L) or (N, C * "
          "kernel size, L), and only N may be 0; its shape is ", self.shape().list());
    const bool batched = self.dim() == 3;
    const Tensor x = contiguous(self);
    const Dims kernel = pair(kernel_size, "fold", "kernel size", 1), size = pair(output_size, "fold", "output size", 1);
    check(x.size(-2) % (kernel[0] * kernel[1]) == 0, "fold: the ", x.size(-2), " rows of the input must be a "
          "multiple of the elements of kernel_size=", kernel.list());
    const Patches p(batched ? x.shape()[0] : 1, x.size(-2) / (kernel[0] * kernel[1]), size[0], size[1], kernel,
                    pair(dilation, "fold", "dilation", 1), pair(padding, "fold", "padding", 0), pair(stride, "fold", "stride", 1));
    check(p.length() == x.size(-1), "fold: output_size=", size.list(), " has ", p.rows, " * ", p.columns,
          " = ", p.length(), " blocks, the input ", x.size(-1), " columns; kernel_size=", kernel.list(),
          ", dilation=", dilation.list(), ", padding=", padding.list(), ", stride=", stride.list());
    Tensor r = zeros(batched ? Dims{p.n, p.c, p.h, p.w} : Dims{p.c, p.h, p.w}, x.dtype());
    with_number(x.dtype(), [&](auto t) {
      using T = decltype(t);
      T* out = r.data<T>();
      const T* in = x.data<T>();
      parallel_for(p.n * p.c, 1, [&](int64_t begin, int64_t end) {
        for (int64_t plane = begin; plane < end; ++plane)
          p.channel(plane, [&](int64_t from, int64_t to) { if (to >= 0) out[to] = plus(out[to], in[from]); });
      });
    });
    return r;
  }
  static Tensor vjp(Tensor g, Arg<2, Dims> kernel_size, Arg<3, Dims> dilation, Arg<4, Dims> padding, Arg<5, Dims> stride) {
    return call_op<Im2col>(g, kernel_size.value, dilation.value, padding.value, stride.value);
  }
};

FB_GROUP(pad, ConstantPad, MirrorPad, MirrorPadBackward, Pad, Im2col, Col2im)

}  // namespace fb
