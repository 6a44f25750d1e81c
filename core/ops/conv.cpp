// Convolutions. Three bilinear ops, each other's derivatives: forward, and its adjoints in input and weight.
#include "kernels/conv.h"

#include "kernels/rows.h"
#include "op/build.h"
#include "op/joined.h"
#include "ops.h"

namespace fb {

struct ConvForward; struct ConvData; struct ConvWeights; struct Convolution;

namespace {

constexpr const char* node_name = "ConvolutionBackward0";

// The type in which a convolution is computed and its operands are packed.
DType packed_as(DType d) { return storage_of(compute_of(d)); }

Tensor packed(T_ t) { return contiguous(to_dtype(t, packed_as(t.dtype()))); }

// A number given once counts for every dim.
Dims per_dim(const Dims& given, int dims, const char* name) {
  if (given.size() == 1) return Dims::filled(dims, given[0]);
  check(given.size() == dims, "conv: ", name, " takes one number or one for each of the ", dims, " spatial "
        "dims, got ", name, "=", given.list());
  return given;
}

Dims spatial(const Dims& shape) {
  Dims r;
  for (int i = 2; i < shape.size(); ++i) r.push(shape[i]);
  return r;
}

// `padding` holds a number for each dim, or those in front and then those behind.
ConvSizes sizes_of(const Dims& x, const Dims& w, const Dims& stride, const Dims& padding, const Dims& dilation, int64_t groups) {
  ConvSizes k{x[0], x[1], w[0], groups, spatial(x), spatial(w), {}, stride, {}, {}, dilation};
  const int n = k.dims();
  for (int i = 0; i < n; ++i) {
    k.padding.push(padding[i]);
    k.padding_end.push(padding[padding.size() == n ? i : n + i]);
    const int64_t room = k.in[i] + k.padding[i] + k.padding_end[i] - (dilation[i] * (k.kernel[i] - 1) + 1);
    k.out.push(room < 0 ? 0 : room / stride[i] + 1);
  }
  return k;
}

Dims shaped(int64_t a, int64_t b, const Dims& rest) {
  Dims r{a, b};
  for (int64_t v : rest) r.push(v);
  return r;
}

void check_numbers(const Dims& stride, const Dims& padding, const Dims& dilation, int64_t groups) {
  for (int64_t v : padding) check(v >= 0, "conv: padding must not be negative, got padding=", padding.list(),
                                  "; crop the input instead");
  for (int64_t v : stride) check(v > 0, "conv: stride must be positive, got stride=", stride.list());
  for (int64_t v : dilation) check(v > 0, "conv: dilation must be positive, got dilation=", dilation.list());
  check(groups > 0, "conv: groups must be positive, got groups=", groups);
}

void check_types(T_ x, T_ w, T_ bias) {
  check<DTypeError>(x.dtype() == w.dtype(), "conv: input is ", name_of(x.dtype()), " and weight is ",
                    name_of(w.dtype()), "; convert one to the dtype of the other");
  check<DTypeError>(!bias || bias.dtype() == x.dtype(), "conv: input is ", name_of(x.dtype()), " and bias is ",
                    bias ? name_of(bias.dtype()) : std::string_view(), "; convert one to the dtype of the other");
  check<UnsupportedError>(x.dtype() != DType::boolean, "convolution is not implemented for 'Bool'");
}

void check_shapes(T_ x, T_ w, T_ bias, int64_t groups, bool transposed) {
  const Dims &xs = x.shape(), &ws = w.shape();
  const std::string_view mode = transposed ? "transposed=1" : "";
  const std::string given = transposed ? std::string(mode) : text("groups=", groups);
  check(ws.size() == xs.size(), "conv: a weight of shape ", ws.list(), " needs an input of ", ws.size(),
        " dims, this one has ", xs.size());
  check(ws[0] % groups == 0, "conv: with ", given, ", weight needs a first size divisible by ", groups,
        "; its shape is ", ws.list());
  const int64_t wanted = transposed ? ws[0] : ws[1] * groups, filters = transposed ? ws[1] * groups : ws[0];
  check<ShapeError>(xs[1] == wanted, "Given ", given, ", weight of size ", ws.list(), ", expected input", xs.list(), " to have ", wanted,
                    " channels, but got ", xs[1], " channels instead");
  check<ShapeError>(!bias || (bias.dim() == 1 && bias.numel() == filters), "conv: a ", transposed ?
                    "transposed " : "", "weight of shape ", ws.list(), " needs a bias of 1 dim with ",
                    filters, " numbers, this one has shape ", bias ? bias.shape().list() : std::string());
}

void check_room(const ConvSizes& k) {
  Dims padded, reach;
  bool ok = true;
  for (int i = 0; i < k.dims(); ++i) {
    padded.push(k.in[i] + k.padding[i] + k.padding_end[i]);
    reach.push(k.dilation[i] * (k.kernel[i] - 1) + 1);
    ok &= padded[i] >= reach[i];
  }
  auto times = [](const Dims& d) {
    std::string s;
    for (int i = 0; i < d.size(); ++i) s += (i ? " x " : "") + std::to_string(d[i]);
    return s;
  };
  check(ok, "conv: the kernel (", times(reach), " with its dilation) is larger than the padded input (",
        times(padded), ")");
}

Tensor bias_gradient(T_ g) {
  Dims over;
  for (int i = 0; i < g.dim(); ++i) if (i != 1) over.push(i);
  return sum(g, over);
}

// (C, *) as a batch of one; `single` says whether it was one.
Tensor batched(const char* name, T_ x, int dims, bool& single) {
  check(x.dim() == dims + 1 || x.dim() == dims + 2, name, ": the input needs ", dims + 1, " dims, or ",
        dims + 2, " with a batch; its shape is ", x.shape().list());
  single = x.dim() == dims + 1;
  return single ? unsqueeze(x, 0) : x;
}
Tensor unbatched(T_ y, bool single) { return single ? squeeze(y, 0) : y; }

Tensor convolved(const char* name, int dims, T_ input, T_ weight, T_ bias, const Dims& stride, const Dims& padding, const Dims& dilation,
                 int64_t groups) {
  bool single;
  const Tensor x = batched(name, input, dims, single);
  return unbatched(call_op<Convolution>(x, weight, bias, stride, padding, dilation, false, Dims::filled(dims, 0), groups), single);
}

Tensor convolved_by_name(const char* name, int dims, T_ input, T_ weight, T_ bias, const Dims& stride, const std::string& padding,
                         const Dims& dilation, int64_t groups) {
  if (padding == "valid") return convolved(name, dims, input, weight, bias, stride, Dims{0}, dilation, groups);
  check(padding == "same", "Invalid padding string: '", padding, "'");
  for (int64_t s : stride) check(s == 1, "conv: padding='same' needs stride 1, got stride=", stride.list());
  check(weight.dim() == dims + 2, "Expected a weight of ", dims + 2, " dimensions for ", name, ", but got weight of size ", weight.shape().list());
  const Dims step = per_dim(dilation, dims, "dilation");
  Dims both = Dims::filled(2 * dims, 0);
  for (int i = 0; i < dims; ++i) {
    const int64_t total = step[i] * (weight.shape()[i + 2] - 1);
    both[i] = total / 2;
    both[dims + i] = total - total / 2;
  }
  check_numbers(Dims{1}, Dims{0}, step, groups);
  check_types(input, weight, bias);
  bool single;
  const Tensor x = batched(name, input, dims, single);
  check_shapes(x, weight, bias, groups, false);
  return unbatched(call_op<ConvForward>(x, weight, bias, Dims::filled(dims, 1), both, step, groups), single);
}

Tensor transposed(const char* name, int dims, T_ input, T_ weight, T_ bias, const Dims& stride, const Dims& padding, const Dims& output_padding,
                  int64_t groups, const Dims& dilation) {
  bool single;
  const Tensor x = batched(name, input, dims, single);
  return unbatched(call_op<Convolution>(x, weight, bias, stride, padding, dilation, true, output_padding, groups), single);
}

}  // namespace

struct ConvForward {
  static constexpr auto schema = "_convolution_forward(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, "
                                 "int[] dilation, int groups) -> Tensor";
  static constexpr auto doc = "Convolution of checked arguments.";
  using kind = Opaque;
  static constexpr auto grad_name = node_name;
  static Tensor kernel(Tensor x, Tensor w, Tensor bias, Dims stride, Dims padding, Dims dilation, int64_t groups) {
    const ConvSizes k = sizes_of(x.shape(), w.shape(), stride, padding, dilation, groups);
    Tensor y = empty(shaped(k.samples, k.filters, k.out), packed_as(x.dtype()));
    conv_forward(k, y, packed(x), packed(w), bias ? packed(bias) : bias);
    return to_dtype(y, x.dtype());
  }
  static Tensor vjp_input(Tensor g, Shape<0> x, In<1> w, Arg<3, Dims> stride, Arg<4, Dims> padding, Arg<5, Dims> dilation, Arg<6, int64_t> groups) {
    return call_op<ConvData>(g, conj(w), Value(), x, stride.value, padding.value, dilation.value, groups.value);
  }
  static Tensor vjp_weight(Tensor g, In<0> x, Shape<1> w, Arg<3, Dims> stride, Arg<4, Dims> padding, Arg<5, Dims> dilation, Arg<6, int64_t> groups) {
    return call_op<ConvWeights>(g, conj(x), w, stride.value, padding.value, dilation.value, groups.value);
  }
  static Tensor vjp_bias(Tensor g) { return bias_gradient(g); }
};

struct ConvData {
  static constexpr auto schema = "_convolution_data(Tensor input, Tensor weight, Tensor? bias, int[] sizes, int[] stride, int[] padding, "
                                 "int[] dilation, int groups) -> Tensor";
  static constexpr auto doc = "The adjoint of a convolution in its input of the given sizes; also the transposed convolution.";
  using kind = Opaque;
  static constexpr auto grad_name = node_name;
  static Tensor kernel(Tensor g, Tensor w, Tensor bias, Dims sizes, Dims stride, Dims padding, Dims dilation, int64_t groups) {
    const ConvSizes k = sizes_of(sizes, w.shape(), stride, padding, dilation, groups);
    Tensor x = empty(sizes, packed_as(g.dtype()));
    conv_backward_data(k, x, packed(g), packed(w));
    if (bias) {
      Dims shape = Dims::filled(x.dim(), 1);
      shape[1] = sizes[1];
      add_(x, view(packed(bias), shape));
    }
    return to_dtype(x, g.dtype());
  }
  static Tensor vjp_input(Tensor g, In<1> w, Arg<4, Dims> stride, Arg<5, Dims> padding, Arg<6, Dims> dilation, Arg<7, int64_t> groups) {
    return call_op<ConvForward>(g, conj(w), Value(), stride.value, padding.value, dilation.value, groups.value);
  }
  static Tensor vjp_weight(Tensor g, In<0> input, Shape<1> w, Arg<4, Dims> stride, Arg<5, Dims> padding, Arg<6, Dims> dilation,
                           Arg<7, int64_t> groups) {
    return call_op<ConvWeights>(conj(input), g, w, stride.value, padding.value, dilation.value, groups.value);
  }
  static Tensor vjp_bias(Tensor g) { return bias_gradient(g); }
};

struct ConvWeights {
  static constexpr auto schema = "_convolution_weights(Tensor grad, Tensor input, int[] sizes, int[] stride, int[] padding, int[] dilation, "
                                 "int groups) -> Tensor";
  static constexpr auto doc = "The adjoint of a convolution in its weight of the given sizes.";
  using kind = Opaque;
  static constexpr auto grad_name = node_name;
  static Tensor kernel(Tensor g, Tensor x, Dims sizes, Dims stride, Dims padding, Dims dilation, int64_t groups) {
    const ConvSizes k = sizes_of(x.shape(), sizes, stride, padding, dilation, groups);
    Tensor w = empty(sizes, packed_as(x.dtype()));
    conv_backward_weights(k, w, packed(g), packed(x));
    return to_dtype(w, x.dtype());
  }
  static Tensor vjp_grad(Tensor g, In<1> x, Arg<3, Dims> stride, Arg<4, Dims> padding, Arg<5, Dims> dilation, Arg<6, int64_t> groups) {
    return call_op<ConvForward>(conj(x), g, Value(), stride.value, padding.value, dilation.value, groups.value);
  }
  static Tensor vjp_input(Tensor g, In<0> grad, Shape<1> x, Arg<3, Dims> stride, Arg<4, Dims> padding, Arg<5, Dims> dilation, Arg<6, int64_t> groups) {
    return call_op<ConvData>(conj(grad), g, Value(), x, stride.value, padding.value, dilation.value, groups.value);
  }
};

struct Convolution {
  static constexpr auto schema = "convolution(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, "
                                 "bool transposed, int[] output_padding, int groups) -> Tensor";
  static constexpr auto doc = R"(
    Convolution of any number of spatial dims, or its transpose.

    Shapes: input (N, C, *), weight (O, C / groups, *) or transposed (C, O / groups, *), bias (O) → (N, O, *).
    Dtypes: all but bool.   Errors: RuntimeError for sizes that do not fit.

    >>> fb.convolution(fb.ones(1, 1, 3), fb.ones(1, 1, 2), None, [1], [0], [1], False, [0], 1)
    tensor([[[2., 2.]]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor input, Tensor weight, Tensor bias, Dims stride, Dims padding, Dims dilation, bool transposed,
                          Dims output_padding, int64_t groups) {
    const int n = input.dim() - 2;
    check(n > 0, "convolution: expected input (N, C, *) with spatial dims, but got input of size ", input.shape().list());
    const Dims s = per_dim(stride, n, "stride"), p = per_dim(padding, n, "padding"), d = per_dim(dilation, n, "dilation");
    check_numbers(s, p, d, groups);
    check_types(input, weight, bias);
    check_shapes(input, weight, bias, groups, transposed);
    if (transposed) {
      const Dims sizes = output_sizes(input, weight, s, p, d, output_padding, groups);
      return call_op<ConvData>(input, weight, bias, sizes, s, exact_padding(input, weight, sizes, s, p, d), d, groups);
    }
    check_room(sizes_of(input.shape(), weight.shape(), s, p, d, groups));
    return call_op<ConvForward>(input, weight, bias, s, p, d, groups);
  }
  // The padding behind for which a convolution of the result has exactly the input's size; it may be negative.
  static Dims exact_padding(T_ input, T_ weight, const Dims& sizes, const Dims& s, const Dims& p, const Dims& d) {
    const int n = s.size();
    Dims both = p;
    bool same = true;
    for (int i = 0; i < n; ++i) {
      const int64_t reach = d[i] * (weight.shape()[i + 2] - 1) + 1, out = input.shape()[i + 2];
      same &= (sizes[i + 2] + 2 * p[i] - reach) / s[i] + 1 == out;
      both.push((out - 1) * s[i] + reach - sizes[i + 2] - p[i]);
    }
    return same ? p : both;
  }
  static Dims output_sizes(T_ input, T_ weight, const Dims& s, const Dims& p, const Dims& d, const Dims& output_padding, int64_t groups) {
    const int n = s.size();
    const Dims more = per_dim(output_padding, n, "output_padding");
    Dims sizes{input.shape()[0], weight.shape()[1] * groups};
    for (int i = 0; i < n; ++i) {
      check(more[i] >= 0, "conv_transpose: output_padding must not be negative, got output_padding=",
            more.list());
      check(more[i] < s[i] || more[i] < d[i], "conv_transpose: output_padding=", more.list(), " must stay "
            "below stride=", s.list(), " or below dilation=", d.list());
      sizes.push((input.shape()[i + 2] - 1) * s[i] - 2 * p[i] + d[i] * (weight.shape()[i + 2] - 1) + more[i] + 1);
    }
    for (int64_t v : spatial(sizes))
      check(v > 0, "conv_transpose: an input of ", spatial(input.shape()).list(), " gives an output of ",
            spatial(sizes).list(), ", which is empty; reduce padding or enlarge the input");
    return sizes;
  }
};

namespace {

// For the docs. sides: of a kernel of ones; sum: of its elements; grown: the sides of two such kernels,
// convolved.
template <int n> struct Sides;
template <> struct Sides<1> {
  static constexpr char places[] = "L", sides[] = "2", sum[] = "2.0", grown[] = "3";
};
template <> struct Sides<2> {
  static constexpr char places[] = "H, W", sides[] = "2, 2", sum[] = "4.0", grown[] = "3, 3";
};
template <> struct Sides<3> {
  static constexpr char places[] = "D, H, W", sides[] = "2, 2, 2", sum[] = "8.0", grown[] = "3, 3, 3";
};

}  // namespace

template <int n> struct Conv {
  static constexpr auto name = joined("conv", digit(n), "d");
  static constexpr auto schema =
      joined(name, "(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, int[] padding=0, "
             "int[] dilation=1, int groups=1) -> Tensor");
  static constexpr auto doc = joined(R"(
    Convolution (cross-correlation) over )", digit(n), R"( dims.

    Shapes: input (N, C, )", Sides<n>::places, ") or (C, ", Sides<n>::places, "), "
    R"(weight (O, C / groups, *), bias (O) → (N, O, *).   Dtypes: all but bool.

    >>> fb.)", name, "(fb.ones(1, 1, ", Sides<n>::sides, "), fb.ones(1, 1, ", Sides<n>::sides, R"()).item()
    )", Sides<n>::sum, "\n  ");
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor w, Tensor b, Dims stride, Dims padding, Dims dilation,
                          int64_t groups) {
    return convolved(name, n, x, w, b, stride, padding, dilation, groups);
  }
};

template <int n> struct ConvNamedPadding {
  static constexpr auto schema =
      joined(Conv<n>::name, ".padding(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, "
             "str padding='valid', int[] dilation=1, int groups=1) -> Tensor");
  static constexpr auto doc = Conv<n>::doc;
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor w, Tensor b, Dims stride, std::string padding, Dims dilation,
                          int64_t groups) {
    return convolved_by_name(Conv<n>::name, n, x, w, b, stride, padding, dilation, groups);
  }
};

template <int n> struct ConvTranspose {
  static constexpr auto name = joined("conv_transpose", digit(n), "d");
  static constexpr auto schema =
      joined(name, "(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, int[] padding=0, "
             "int[] output_padding=0, int groups=1, int[] dilation=1) -> Tensor");
  static constexpr auto doc = joined(R"(
    Transposed convolution over )", digit(n), " dims: the adjoint of ", Conv<n>::name, R"(.

    Shapes: input (N, C, )", Sides<n>::places, ") or (C, ", Sides<n>::places, "), "
    R"(weight (C, O / groups, *), bias (O) → (N, O, *).   Dtypes: all but bool.

    >>> fb.)", name, "(fb.ones(1, 1, ", Sides<n>::sides, "), fb.ones(1, 1, ", Sides<n>::sides, R"()).shape
    torch.Size([1, 1, )", Sides<n>::grown, "])\n  ");
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor w, Tensor b, Dims stride, Dims padding, Dims output_padding,
                          int64_t groups, Dims dilation) {
    return transposed(name, n, x, w, b, stride, padding, output_padding, groups, dilation);
  }
};

struct ConvTbc {
  static constexpr auto schema = "conv_tbc(Tensor input, Tensor weight, Tensor bias, int pad=0) -> Tensor";
  static constexpr auto doc = R"(
    conv1d of time-major tensors.

    Shapes: input (T, N, C), weight (K, C, O), bias (O) → (T + 2 pad - K + 1, N, O).   Dtypes: all but bool.

    >>> fb.conv_tbc(fb.ones(2, 1, 1), fb.ones(1, 1, 1), fb.zeros(1)).shape
    torch.Size([2, 1, 1])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor w, Tensor bias, int64_t pad) {
    check(x.dim() == 3, "conv_tbc: input must be (time, batch, in_channels), its shape is ", x.shape());
    check(w.dim() == 3, "conv_tbc: weight must be (kernel_width, in_channels, out_channels), its shape is ",
          w.shape());
    check(bias.dim() == 1, "Bias must be 1-D, but got shape ", bias.shape());
    const Tensor y = call_op<Convolution>(permute(x, Dims{1, 2, 0}), permute(w, Dims{2, 1, 0}), bias, Dims{1}, Dims{pad}, Dims{1}, false, Dims{0}, 1);
    return permute(y, Dims{2, 0, 1});
  }
};

FB_GROUP(conv, ConvForward, ConvData, ConvWeights, Convolution, Conv<1>, ConvNamedPadding<1>,
         ConvTranspose<1>, Conv<2>, ConvNamedPadding<2>, ConvTranspose<2>, Conv<3>, ConvNamedPadding<3>,
         ConvTranspose<3>, ConvTbc)

}  // namespace fb
