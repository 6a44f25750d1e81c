#include "op/build.h"
#include "op/joined.h"
#include "ops/fft.h"

// Transforms along several dims, the frequencies of their elements, and shifts of these.
namespace fb {

namespace {

struct Sizes {
  Dims dims, shape;                                    // wrapped; sizes along them
  int64_t points() const { return shape.product(); }
};

// Which dims a transform runs along and how many points each has: all dims, the last ones that `s` has sizes
// for, or `dim`.
Sizes sizes_of(const Tensor& x, const Value& s, const Value& dim) {
  Sizes r;
  const Dims wanted = unbox<Dims>(s);
  if (dim) {
    for (int64_t d : unbox<Dims>(dim)) r.dims.push(fft_dim(x, d));
    for (int i = 0; i < r.dims.size(); ++i)
      for (int k = 0; k < i; ++k) check(r.dims[i] != r.dims[k], "fft: dim names a dimension twice, got ",
                                        r.dims.list());
    check(!s || wanted.size() == r.dims.size(),
          "fft: s has ", wanted.size(), " sizes for the ", r.dims.size(), " dims in dim");
  } else {
    const int count = s ? wanted.size() : x.dim();
    check(count <= x.dim(), "fft: s has ", count, " sizes, the input only ", x.dim(), " dims");
    for (int i = 0; i < count; ++i) r.dims.push(x.dim() - count + i);
  }
  for (int i = 0; i < r.dims.size(); ++i) {
    const bool given = s && wanted[i] != -1;
    r.shape.push(given ? wanted[i] : x.shape()[int(r.dims[i])]);
    check_points(r.shape[i]);
  }
  return r;
}
Tensor resized(Tensor x, const Sizes& z, int count) {
  for (int i = 0; i < count; ++i) x = fft_resized(x, int(z.dims[i]), z.shape[i]);
  return x;
}
Dims all_but_last(const Dims& dims) {
  Dims r = dims;
  r.resize(dims.size() - 1);
  return r;
}
void check_axes(std::string_view op, const Sizes& z) {
  check(z.dims.size() > 0, op, ": dim is empty, name a dim to transform");
}

Tensor along_many(const Tensor& self, const Value& s, const Value& dim, const Value& norm, bool forward) {
  const Sizes z = sizes_of(self, s, dim);
  const Tensor x = resized(fft_input(self, true), z, z.dims.size());
  return fft_complex(x, z.dims, fft_scale(norm, z.points(), forward), forward);
}
// rfftn, and ihfftn backward.
Tensor half_of_many(std::string_view op, const Tensor& self, const Value& s, const Value& dim,
                    const Value& norm, bool forward) {
  check(!is_complex(self.dtype()), op, ": the input is ", row(self.dtype()).legacy, ", but must be real; "
        "take its .real");
  const Sizes z = sizes_of(self, s, dim);
  check_axes(op, z);
  const Tensor x = resized(fft_input(self, false), z, z.dims.size());
  const Tensor half = fft_real(x, z.dims.back(), fft_scale(norm, z.points(), forward), forward, true);
  return z.dims.size() == 1 ? half : fft_complex(half, all_but_last(z.dims), 1.0, forward);
}
// irfftn, and hfftn forward.
Tensor real_of_many(std::string_view op, const Tensor& self, const Value& s, const Value& dim,
                    const Value& norm, bool forward) {
  Tensor x = fft_input(self, true);
  Sizes z = sizes_of(x, s, dim);
  check_axes(op, z);
  const int last = z.dims.size() - 1;
  const Dims wanted = unbox<Dims>(s);
  if (!s || wanted[last] == -1) z.shape[last] = 2 * (x.shape()[int(z.dims[last])] - 1);
  check_points(z.shape[last]);
  x = fft_resized(resized(x, z, last), int(z.dims[last]), z.shape[last] / 2 + 1);
  if (last > 0) x = fft_complex(x, all_but_last(z.dims), 1.0, forward);
  return fft_to_real(x, z.dims[last], z.shape[last], fft_scale(norm, z.points(), forward), forward);
}

// What tells the transforms apart. words: what they are, for the docs; result: of ones of the shape `ones`.
struct Fft {
  static constexpr char name[] = "fft", words[] = "Discrete Fourier transform", ones[] = "2, 2",
                        shapes[] = "self (*) → (*).   Dtypes: all but 16-bit floats; complex.",
                        result[] = "tensor([[4.+0.j, 0.+0.j],\n            [0.+0.j, 0.+0.j]])";
  static Tensor of(T_ x, const Value& s, const Value& dim, const Value& norm) {
    return along_many(x, s, dim, norm, true);
  }
};
struct Ifft {
  static constexpr char name[] = "ifft", words[] = "Inverse discrete Fourier transform", ones[] = "2, 2",
                        shapes[] = "self (*) → (*).   Dtypes: all but 16-bit floats; complex.",
                        result[] = "tensor([[1.+0.j, 0.+0.j],\n            [0.+0.j, 0.+0.j]])";
  static Tensor of(T_ x, const Value& s, const Value& dim, const Value& norm) {
    return along_many(x, s, dim, norm, false);
  }
};
struct Rfft {
  static constexpr char name[] = "rfft", words[] = "Transform of real numbers", ones[] = "2, 2",
                        shapes[] = "self (*) → the last dim halved to n/2 + 1.   Dtypes: real; complex.",
                        result[] = "tensor([[4.+0.j, 0.+0.j],\n            [0.+0.j, 0.+0.j]])";
  static Tensor of(T_ x, const Value& s, const Value& dim, const Value& norm) {
    return half_of_many("rfftn", x, s, dim, norm, true);
  }
};
struct Irfft {
  static constexpr char name[] = "irfft", words[] = "Inverse of rfft, real,", ones[] = "1, 2",
                        shapes[] = "self (*) → the last dim n, by default 2 (m - 1).   Dtypes: all but "
                                   "16-bit floats; real.",
                        result[] = "tensor([[1., 0.]])";
  static Tensor of(T_ x, const Value& s, const Value& dim, const Value& norm) {
    return real_of_many("irfftn", x, s, dim, norm, false);
  }
};
struct Hfft {
  static constexpr char name[] = "hfft", words[] = "Real transform of a Hermitian signal given by half,",
                        ones[] = "1, 2",
                        shapes[] = "self (*) → the last dim n, by default 2 (m - 1).   Dtypes: all but "
                                   "16-bit floats; real.",
                        result[] = "tensor([[2., 0.]])";
  static Tensor of(T_ x, const Value& s, const Value& dim, const Value& norm) {
    return real_of_many("hfftn", x, s, dim, norm, true);
  }
};
struct Ihfft {
  static constexpr char name[] = "ihfft", words[] = "Inverse of hfft, half of it,", ones[] = "1, 2",
                        shapes[] = "self (*) → the last dim halved to n/2 + 1.   Dtypes: real; complex.",
                        result[] = "tensor([[1.-0.j, 0.-0.j]])";
  static Tensor of(T_ x, const Value& s, const Value& dim, const Value& norm) {
    return half_of_many("ihfftn", x, s, dim, norm, false);
  }
};

}  // namespace

template <class T> struct AlongTwo {
  static constexpr auto schema = joined("fft_", T::name, "2(Tensor self, int[]? s=None, int[] dim=[-2,-1], "
                                        "str? norm=None) -> Tensor");
  static constexpr auto doc = joined(R"(
    )", T::words, R"( along two dims;
    each is cut, or filled with zeros, to its size in s; norm as for )", T::name,
                                     R"(, with the product of the sizes.

    Shapes: )", T::shapes, R"(

    >>> fb.fft.)", T::name, "2(fb.ones(", T::ones, "))\n    ", T::result, "\n  ");
  using kind = Composite;
  static Tensor decompose(Tensor x, Value s, Value dim, Value norm) { return T::of(x, s, dim, norm); }
};

template <class T> struct AlongMany {
  static constexpr auto schema = joined("fft_", T::name, "n(Tensor self, int[]? s=None, int[]? dim=None, "
                                        "str? norm=None) -> Tensor");
  static constexpr auto doc = joined(R"(
    )", T::words, R"( along several dims,
    by default all, or the last ones that s has sizes for;
    each is cut, or filled with zeros, to its size in s; norm as for )", T::name,
                                     R"(, with the product of the sizes.

    Shapes: )", T::shapes, R"(

    >>> fb.fft.)", T::name, "n(fb.ones(", T::ones, "))\n    ", T::result, "\n  ");
  using kind = Composite;
  static Tensor decompose(Tensor x, Value s, Value dim, Value norm) { return T::of(x, s, dim, norm); }
};

// ---- frequencies
static DType frequency_dtype(std::string_view op, std::optional<DType> dtype) {
  const DType d = dtype.value_or(default_dtype());
  check(is_differentiable(d), op, ": frequencies are fractions, so dtype must be floating or complex, not ",
        row(d).legacy);
  return d;
}

struct FftFftfreq {
  static constexpr auto schema = "fft_fftfreq(int n, float d=1.0, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    The frequencies of the elements of fft, in cycles per unit: 0, 1, …, -1 over n d, for samples d apart.

    Shapes: → (n).   Dtypes: floating, complex.

    >>> fb.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
  )";
  using kind = Factory;
  static Tensor kernel(int64_t n, double d, std::optional<DType> dtype) {
    const DType to = frequency_dtype("fftfreq", dtype);
    check(n >= 0, "fftfreq: n must not be negative, got ", n);
    const Tensor r = empty({n}, DType::f64);
    for (int64_t i = 0; i < n; ++i) r.data<double>()[i] = double(i < (n + 1) / 2 ? i : i - n) / (double(n) *
          d);
    return to_dtype(r, to);
  }
};

struct FftRfftfreq {
  static constexpr auto schema = "fft_rfftfreq(int n, float d=1.0, *, dtype? dtype=None) -> Tensor";
  static constexpr auto doc = R"(
    The frequencies of the elements of rfft, in cycles per unit: 0, 1, …, n/2 over n d, for samples d apart.

    Shapes: → (n/2 + 1).   Dtypes: floating, complex.

    >>> fb.fft.rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
  )";
  using kind = Factory;
  static Tensor kernel(int64_t n, double d, std::optional<DType> dtype) {
    const DType to = frequency_dtype("rfftfreq", dtype);
    check(n >= 0, "rfftfreq: n must not be negative, got ", n);
    const Tensor r = empty({n / 2 + 1}, DType::f64);
    for (int64_t i = 0; i <= n / 2; ++i) r.data<double>()[i] = double(i) / (double(n) * d);
    return to_dtype(r, to);
  }
};

static Tensor shifted(const Tensor& x, const Value& dim, bool back) {
  Dims dims, shifts;
  if (dim) for (int64_t d : unbox<Dims>(dim)) dims.push(wrap_dim(d, x.dim()));
  else for (int d = 0; d < x.dim(); ++d) dims.push(d);
  for (int64_t d : dims) shifts.push(back ? (x.shape()[int(d)] + 1) / 2 : x.shape()[int(d)] / 2);
  return call_op<Roll>(x, shifts, dims);
}

struct FftFftshift {
  static constexpr auto schema = "fft_fftshift(Tensor self, int[]? dim=None) -> Tensor";
  static constexpr auto doc = R"(
    Elements in the order of fft moved so that frequency 0 is in the middle of each dim, or of those given.

    Shapes: self (*) → (*).   Dtypes: all.

    >>> fb.fft.fftshift(fb.tensor([0, 1, 2, -2, -1]))
    tensor([-2, -1,  0,  1,  2])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Value dim) { return shifted(x, dim, false); }
};

struct FftIfftshift {
  static constexpr auto schema = "fft_ifftshift(Tensor self, int[]? dim=None) -> Tensor";
  static constexpr auto doc = R"(
    The inverse of fftshift: frequency 0 goes from the middle to the front.

    Shapes: self (*) → (*).   Dtypes: all.

    >>> fb.fft.ifftshift(fb.tensor([-2, -1, 0, 1, 2]))
    tensor([ 0,  1,  2, -2, -1])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, Value dim) { return shifted(x, dim, true); }
};

FB_GROUP(fft_dims, AlongTwo<Fft>, AlongMany<Fft>, AlongTwo<Ifft>, AlongMany<Ifft>, AlongTwo<Rfft>,
         AlongMany<Rfft>, AlongTwo<Irfft>, AlongMany<Irfft>, AlongTwo<Hfft>, AlongMany<Hfft>, AlongTwo<Ihfft>,
         AlongMany<Ihfft>, FftFftfreq, FftRfftfreq, FftFftshift, FftIfftshift)

}  // namespace fb
