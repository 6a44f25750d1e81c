#include "ops/fft.h"

#include <cmath>

#include "kernels/along.h"
#include "kernels/fft.h"
#include "op/build.h"

// The transforms themselves, and those along one dim.
namespace fb {

double fft_scale(const Value& norm, int64_t n, bool forward) {
  const std::string mode = norm ? norm.as_string() : "backward";
  if (mode == "ortho") return 1 / std::sqrt(double(n));
  check(mode == "forward" || mode == "backward", "Invalid normalization mode: \"", mode,
        "\"; the modes are backward, forward and ortho");
  return (mode == "forward") == forward ? 1 / double(n) : 1;
}
Tensor fft_input(const Tensor& x, bool complex) {
  check(x.dtype() != DType::f16 && x.dtype() != DType::bf16, "Unsupported dtype ", row(x.dtype()).legacy);
  const DType d = is_differentiable(x.dtype()) ? x.dtype() : default_dtype();
  return to_dtype(x, complex ? complex_of(d) : d);
}
void check_points(int64_t n) { check(n >= 1, "fft: a transform of ", n, " points is empty; n must be at "
                                     "least 1"); }
Tensor fft_resized(const Tensor& x, int dim, int64_t n) {
  check_points(n);
  const int64_t have = x.shape()[dim];
  if (n == have) return x;
  if (n < have) return narrow(x, dim, 0, n);
  Dims pad = Dims::filled(2 * (x.dim() - dim), 0);
  pad[pad.size() - 1] = n - have;
  return call_op<ConstantPad>(x, pad, Scalar(0));
}
int fft_dim(const Tensor& x, int64_t dim) {
  check<IndexError>(x.dim() > 0, "fft: a 0-dimensional tensor has no dim ", dim);
  return wrap_dim(dim, x.dim());
}

// Transforms along one dim of packed tensors; `n` counts the numbers of a line that is not halved.
static void run_fft(fft::Kind kind, const Tensor& in, const Tensor& out, int dim, int64_t n, double scale,
                    bool forward) {
  const Along a(in.shape(), dim);
  const fft::Job job{kind, n, a.lines(), a.inner, 0, forward, scale, in.data(), out.data()};
  if (real_of(in.dtype()) == DType::f64) fft::transform<double>(job);
  else fft::transform<float>(job);
}

// Factors for the elements of a half spectrum: its ends stand for themselves, the others for a conjugate too.
static Tensor end_weights(int64_t n, int dim, int dims, DType real, double others) {
  const int64_t half = n / 2 + 1;
  const Tensor w = full({half}, Scalar(others), real);
  fill_(narrow(w, 0, 0, 1), Scalar(1));
  if (n % 2 == 0) fill_(narrow(w, 0, half - 1, 1), Scalar(1));
  Dims shape = Dims::filled(dims, 1);
  shape[dim] = half;
  return reshape(w, shape);
}

struct FftC2c {
  static constexpr auto schema = "_fft_c2c(Tensor self, int[] dim, float scale, bool forward) -> Tensor";
  static constexpr auto doc = "Transforms of complex numbers along dims, times scale.";
  using kind = Opaque;
  static constexpr auto grad_name = "FftC2CBackward0";
  static Tensor kernel(Tensor self, Dims dim, double scale, bool forward) {
    check<DTypeError>(is_complex(self.dtype()), "_fft_c2c: expected complex numbers, got ",
                      row(self.dtype()).legacy);
    const Tensor x = contiguous(self);
    const Tensor r = empty(x.shape(), x.dtype());
    if (dim.empty()) return x * scale;
    // a line is read before it is written: later dims run in place
    for (int i = dim.size(); i-- > 0;) {
      const int d = fft_dim(x, dim[i]);
      check_points(x.shape()[d]);
      const Tensor& from = i == dim.size() - 1 ? x : r;
      run_fft(fft::Kind::complex, from, r, d, x.shape()[d], i == 0 ? scale : 1, forward);
    }
    return r;
  }
  static Tensor vjp(Tensor g, Arg<1, Dims> dim, Arg<2, double> scale, Arg<3, bool> forward) {
    return fft_complex(g, dim.value, scale, !forward);
  }
};

struct FftR2c {
  static constexpr auto schema = "_fft_r2c(Tensor self, int dim, float scale, bool forward, bool onesided) "
      "-> Tensor";
  static constexpr auto doc = "Transforms of real numbers along a dim, times scale; onesided leaves the "
      "conjugate half out.";
  using kind = Opaque;
  static constexpr auto grad_name = "FftR2CBackward0";
  static Tensor kernel(Tensor self, int64_t dim, double scale, bool forward, bool onesided) {
    const DType type = self.dtype();
    check<DTypeError>(type == DType::f32 || type == DType::f64, "_fft_r2c: expected float or double, got ",
                      row(type).legacy);
    const Tensor x = contiguous(self);
    const int d = fft_dim(x, dim);
    const int64_t n = x.shape()[d], half = n / 2 + 1;
    check_points(n);
    const Tensor r = empty(resized_at(x.shape(), d, half), complex_of(x.dtype()));
    run_fft(fft::Kind::real_to_half, x, r, d, n, scale, forward);
    if (onesided || n <= 2) return r;
    const Tensor mirrored = call_op<Flip>(conj(narrow(r, d, 1, n - half)), Dims{d});
    return cat({r, mirrored}, d);
  }
  static Tensor vjp(Tensor g, Shape<0> shape, Arg<1, int64_t> dim, Arg<2, double> scale, Arg<3, bool> forward,
                    Arg<4, bool> onesided) {
    const int d = wrap_dim(dim, shape.size());
    if (!onesided) return real_part(fft_complex(g, Dims{d}, scale, !forward));
    return fft_to_real(g * end_weights(shape[d], d, shape.size(), real_of(g.dtype()), 0.5), d, shape[d],
                       scale, !forward);
  }
};

struct FftC2r {
  static constexpr auto schema = "_fft_c2r(Tensor self, int dim, int n, float scale, bool forward) -> Tensor";
  static constexpr auto doc = "The n real numbers along a dim whose transform, or inverse, has the given "
      "half, times scale.";
  using kind = Opaque;
  static constexpr auto grad_name = "FftC2RBackward0";
  static Tensor kernel(Tensor self, int64_t dim, int64_t n, double scale, bool forward) {
    check<DTypeError>(is_complex(self.dtype()), "_fft_c2r: expected complex numbers, got ",
                      row(self.dtype()).legacy);
    const int d = fft_dim(self, dim);
    check_points(n);
    check<ShapeError>(self.shape()[d] == n / 2 + 1, "_fft_c2r: half a spectrum of ", n, " has ", n / 2 + 1,
                      " elements, got ", self.shape()[d]);
    const Tensor x = contiguous(self);
    const Tensor r = empty(resized_at(x.shape(), d, n), real_of(x.dtype()));
    run_fft(fft::Kind::half_to_real, x, r, d, n, scale, forward);
    return r;
  }
  static Tensor vjp(Tensor g, Arg<1, int64_t> dim, Arg<2, int64_t> n, Arg<3, double> scale,
                    Arg<4, bool> forward) {
    const int d = wrap_dim(dim, g.dim());
    return fft_real(g, d, scale, !forward, true) * end_weights(n, d, g.dim(), real_of(g.dtype()), 2);
  }
};

static Tensor along_one(const Tensor& self, std::optional<int64_t> n, int64_t dim, const Value& norm,
                        bool forward) {
  const int d = fft_dim(self, dim);
  const Tensor x = fft_resized(fft_input(self, false), d, n.value_or(self.shape()[d]));
  const double scale = fft_scale(norm, x.shape()[d], forward);
  return is_complex(x.dtype()) ? fft_complex(x, Dims{d}, scale, forward) : fft_real(x, d, scale, forward,
        false);
}
static Tensor half_of_one(std::string_view op, const Tensor& self, std::optional<int64_t> n, int64_t dim,
                          const Value& norm, bool forward) {
  check(!is_complex(self.dtype()), op, ": the input is ", row(self.dtype()).legacy, ", but must be real; "
        "take its .real");
  const int d = fft_dim(self, dim);
  const Tensor x = fft_resized(fft_input(self, false), d, n.value_or(self.shape()[d]));
  return fft_real(x, d, fft_scale(norm, x.shape()[d], forward), forward, true);
}
static Tensor real_of_one(const Tensor& self, std::optional<int64_t> n, int64_t dim, const Value& norm,
                          bool forward) {
  const int d = fft_dim(self, dim);
  const int64_t length = n.value_or(2 * (self.shape()[d] - 1));
  check_points(length);
  return fft_to_real(fft_resized(fft_input(self, true), d, length / 2 + 1), d, length, fft_scale(norm, length,
        forward), forward);
}

struct FftFft {
  static constexpr auto schema = "fft_fft(Tensor self, int? n=None, int dim=-1, str? norm=None) -> Tensor";
  static constexpr auto doc = R"(
    Discrete Fourier transform along a dim: Σ x[j] e^(-2πi jk/n). The input is cut, or filled with zeros, to
    n; norm "backward" (default) leaves the sum alone, "forward" divides by n, "ortho" by √n.

    Shapes: self (*, m, *) → (*, n, *).   Dtypes: real ones give complex; integers as the default float; no
    16-bit floats.
    Errors: RuntimeError for n < 1 or another norm.
    Source: passes of small radix (Stockham), a chirp for lengths with large prime factors (Bluestein 1970).

    >>> fb.fft.fft(fb.tensor([1., 2., 3., 4.]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j, -2.-2.j])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, std::optional<int64_t> n, int64_t dim, Value norm) {
    return along_one(x, n, dim, norm, true);
  }
};

struct FftIfft {
  static constexpr auto schema = "fft_ifft(Tensor self, int? n=None, int dim=-1, str? norm=None) -> Tensor";
  static constexpr auto doc = R"(
    Inverse discrete Fourier transform along a dim: Σ x[k] e^(2πi jk/n), divided by n unless norm is "forward"
    or "ortho".

    Shapes: self (*, m, *) → (*, n, *).   Dtypes: as for fft.

    >>> fb.fft.ifft(fb.tensor([4., 0., 0., 0.]))
    tensor([1.-0.j, 1.-0.j, 1.-0.j, 1.+0.j])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, std::optional<int64_t> n, int64_t dim, Value norm) {
    return along_one(x, n, dim, norm, false);
  }
};

struct FftRfft {
  static constexpr auto schema = "fft_rfft(Tensor self, int? n=None, int dim=-1, str? norm=None) -> Tensor";
  static constexpr auto doc = R"(
    Transform of real numbers along a dim: the first n/2 + 1 elements of fft, of which the others are
    conjugates.

    Shapes: self (*, m, *) → (*, n/2 + 1, *).   Dtypes: real.   Errors: RuntimeError for complex numbers.

    >>> fb.fft.rfft(fb.tensor([1., 2., 3., 4.]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, std::optional<int64_t> n, int64_t dim, Value norm) {
    return half_of_one("rfft", x, n, dim, norm, true);
  }
};

struct FftIrfft {
  static constexpr auto schema = "fft_irfft(Tensor self, int? n=None, int dim=-1, str? norm=None) -> Tensor";
  static constexpr auto doc = R"(
    The n real numbers along a dim whose rfft is given; n is 2 (m - 1) unless given. The imaginary parts of
    the first element and, for even n, the last do not count.

    Shapes: self (*, m, *) → (*, n, *).   Dtypes: all but 16-bit floats; real.

    >>> fb.fft.irfft(fb.tensor([10.+0.j, -2.+2.j, -2.+0.j]))
    tensor([1., 2., 3., 4.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, std::optional<int64_t> n, int64_t dim, Value norm) {
    return real_of_one(x, n, dim, norm, false);
  }
};

struct FftHfft {
  static constexpr auto schema = "fft_hfft(Tensor self, int? n=None, int dim=-1, str? norm=None) -> Tensor";
  static constexpr auto doc = R"(
    The real transform along a dim of a Hermitian signal, x[-j] = conj(x[j]), given by its first n/2 + 1
    elements; n is 2 (m - 1) unless given.

    Shapes: self (*, m, *) → (*, n, *).   Dtypes: all but 16-bit floats; real.

    >>> fb.fft.hfft(fb.tensor([1.+0.j, 0.+1.j, 0.+0.j]))
    tensor([ 1.,  3.,  1., -1.])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, std::optional<int64_t> n, int64_t dim, Value norm) {
    return real_of_one(x, n, dim, norm, true);
  }
};

struct FftIhfft {
  static constexpr auto schema = "fft_ihfft(Tensor self, int? n=None, int dim=-1, str? norm=None) -> Tensor";
  static constexpr auto doc = R"(
    The inverse of hfft: the first n/2 + 1 elements of the ifft of real numbers along a dim.

    Shapes: self (*, m, *) → (*, n/2 + 1, *).   Dtypes: real.   Errors: RuntimeError for complex numbers.

    >>> fb.fft.ihfft(fb.tensor([4., 0., 0., 0.]))
    tensor([1.-0.j, 1.-0.j, 1.-0.j])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor x, std::optional<int64_t> n, int64_t dim, Value norm) {
    return half_of_one("ihfft", x, n, dim, norm, false);
  }
};

FB_GROUP(fft, FftC2c, FftR2c, FftC2r, FftFft, FftIfft, FftRfft, FftIrfft, FftHfft, FftIhfft)

}  // namespace fb
