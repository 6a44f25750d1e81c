#include <cmath>

#include "op/build.h"
#include "ops/fft.h"

// Short-time Fourier transforms.
namespace fb {

struct Stft; struct Istft; struct Pad; struct Unfold; struct Col2im; struct ViewAsReal;

namespace {

std::string described(const Tensor& x) { return text(row(x.dtype()).legacy, x.shape().list()); }

// The window over a whole frame: what is given, or ones, in its middle.
Tensor frame_window(const Tensor& window, int64_t win_length, int64_t n_fft, DType d) {
  Tensor w = window ? window : ones({win_length}, d);
  if (win_length == n_fft) return w;
  const int64_t left = (n_fft - win_length) / 2;
  return call_op<ConstantPad>(w, Dims{left, n_fft - win_length - left}, Scalar(0));
}
// Frames added where they lay: (B, n, T) → (B, length).
Tensor overlap_add(const Tensor& frames, int64_t hop, int64_t length) {
  const Tensor r = call_op<Col2im>(frames, Dims{1, length}, Dims{1, frames.size(1)}, Dims{1, 1}, Dims{0, 0},
                                   Dims{1, hop});
  return reshape(r, {frames.size(0), length});
}

}  // namespace

struct Stft {
  static constexpr auto schema =
      "stft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, "
      "bool center=True, str pad_mode=\"reflect\", bool normalized=False, bool? onesided=None, bool? return_complex=None, "
          "bool? align_to_window=None) -> Tensor";
  static constexpr auto doc = R"(
    Short-time Fourier transform: frames of n_fft samples, hop_length apart (n_fft/4), times a window of
    win_length (n_fft; ones) in their middle, each transformed. center pads the signal so that frame t is
    centred on sample t hop_length; normalized divides by √n_fft; onesided, the default for real signals,
    keeps n_fft/2 + 1 frequencies.

    Shapes: self (L) or (B, L), window (win_length) → (F, T) or (B, F, T), with a last dim of 2 unless
    return_complex.
    Dtypes: floating, complex.
    Errors: RuntimeError for sizes that do not fit, and for a real signal without return_complex.

    >>> fb.stft(fb.ones(16), 8, window=fb.ones(8), return_complex=True).shape
    torch.Size([5, 9])
  )";
  using kind = Composite;
  static Tensor centered(const Tensor& x, int64_t by, const std::string& pad_mode) {
    const bool single = x.dim() == 1;
    const Tensor wide = unsqueeze(single ? unsqueeze(x, 0) : x, 0);
    const Tensor r = squeeze(call_op<Pad>(wide, Dims{by, by}, pad_mode, Value()), 0);
    return single ? squeeze(r, 0) : r;
  }
  static Tensor decompose(Tensor self, int64_t n_fft, std::optional<int64_t> hop_length,
                          std::optional<int64_t> win_length,
                          Tensor window, bool center, std::string pad_mode, bool normalized,
                              std::optional<bool> onesided,
                          std::optional<bool> return_complex, std::optional<bool> align_to_window) {
    check(!center || !align_to_window, "stft: align_to_window is for center=False only");
    const int64_t hop = hop_length.value_or(n_fft / 4), win = win_length.value_or(n_fft);
    const bool complex = is_complex(self.dtype()) || (window && is_complex(window.dtype()));
    check(return_complex || complex, "stft: for real input, say whether the result is complex: pass "
          "return_complex=True");
    check(is_differentiable(self.dtype()),
          "stft: the signal must be of floating or complex numbers, got ", described(self));
    check<ShapeError>(self.dim() == 1 || self.dim() == 2, "stft: the signal must be a vector, or a matrix "
                      "with a batch of them; got ", described(self));
    Tensor x = center && n_fft > 0 ? centered(self, n_fft / 2, pad_mode) : self;
    const bool single = x.dim() == 1;
    if (single) x = unsqueeze(x, 0);
    const bool aligned = align_to_window.value_or(false);
    const int64_t least = aligned ? win : n_fft;
    const auto call_text = [&] { return text("stft(", described(x), ", n_fft=", n_fft, ", hop_length=", hop,
                                             ", win_length=", win, ")"); };
    check(n_fft > 0 && least <= x.size(1), call_text(), ": n_fft must lie from 1 to ", x.size(1), ", the length "
          "of the signal");
    check(hop > 0, call_text(), ": hop_length must be positive");
    check(win > 0 && win <= n_fft, call_text(), ": win_length must lie from 1 to n_fft");
    check(!window || (window.dim() == 1 && window.size(0) == win), call_text(),
          ": window must be a vector of win_length=", win, " numbers, its shape is ", window ?
          window.shape().list() : "");
    const bool half = onesided.value_or(!complex);
    check(!half || !complex, "stft: onesided=True needs a real signal and window, one of them is complex");

    if (aligned && n_fft > win) {
      const int64_t left = (n_fft - win) / 2;
      x = call_op<ConstantPad>(x, Dims{left, n_fft - win - left}, Scalar(0));
    }
    Tensor frames = call_op<Unfold>(x, int64_t(1), n_fft, hop);                      // (B, T, n_fft)
    if (window || win < n_fft) frames = frames * frame_window(window, win, n_fft, x.dtype());
    const double scale = normalized ? 1 / std::sqrt(double(n_fft)) : 1.0;
    const Tensor spectrum = complex ? fft_complex(frames, Dims{2}, scale, true) : fft_real(frames, 2, scale,
          true, half);
    Tensor r = transpose(spectrum, 1, 2);
    if (single) r = squeeze(r, 0);
    return return_complex.value_or(complex) ? r : call_op<ViewAsReal>(r);
  }
};

struct Istft {
  static constexpr auto schema =
      "istft(Tensor self, int n_fft, int? hop_length=None, int? win_length=None, Tensor? window=None, "
      "bool center=True, "
      "bool normalized=False, bool? onesided=None, int? length=None, bool return_complex=False) -> Tensor";
  static constexpr auto doc = R"(
    The signal whose stft with the same arguments is nearest to self: frames are transformed back, windowed
    and added, and divided by the sum of the squared windows (Griffin & Lim 1984). It is cut, or filled with
    zeros, to `length`.

    Shapes: self (F, T) or (B, F, T) → (L) or (B, L).   Dtypes: complex; real unless return_complex.
    Errors: RuntimeError for sizes that do not fit, and where the squared windows sum to zero.

    >>> s = fb.stft(fb.ones(16), 8, window=fb.ones(8), return_complex=True)
    >>> fb.istft(s, 8, window=fb.ones(8))[:3]
    tensor([1., 1., 1.])
  )";
  using kind = Composite;
  // (B, T, F) → (B, T, n_fft)
  static Tensor back(const Tensor& frames, int64_t n_fft, bool half, bool complex, double scale) {
    if (complex) return fft_complex(frames, Dims{2}, scale, false);
    return fft_to_real(half ? frames : narrow(frames, 2, 0, n_fft / 2 + 1), 2, n_fft, scale, false);
  }
  static void check_arguments(const Tensor& self, int64_t n_fft, int64_t hop, int64_t win,
                              const Tensor& window, bool half, bool complex) {
    check(is_complex(self.dtype()), "istft: the input must be complex, as stft with return_complex=True "
          "gives it");
    const auto call_text = [&] { return text("istft(", described(self), ", n_fft=", n_fft, ", hop_length=",
                                             hop, ", win_length=", win, ")"); };
    check<IndexError>(self.dim() >= 2, call_text(),
                      ": the input needs a dim of frequencies and one of frames");
    check<ShapeError>(self.dim() <= 3, call_text(), ": the input may have 2 or 3 dims");
    check(self.numel() != 0, call_text(), ": the input is empty");
    const int64_t wanted = half ? n_fft / 2 + 1 : n_fft;
    check<ShapeError>(self.size(-2) == wanted, call_text(),
                      ": the dim before the last holds frequencies and needs size ", wanted, " with "
                      "onesided=", half, "; it has ", self.size(-2));
    check(hop > 0 && hop <= win, call_text(), ": hop_length must lie from 1 to win_length");
    check(win > 0 && win <= n_fft, call_text(), ": win_length must lie from 1 to n_fft");
    check(!window || (window.dim() == 1 && window.size(0) == win), call_text(),
          ": window must be a vector of win_length numbers, its shape is ", window ? window.shape().list() :
          "");
    check(!half || !complex, "istft: onesided=True needs a real signal and window, one of them is complex");
  }
  static Tensor decompose(Tensor self, int64_t n_fft, std::optional<int64_t> hop_length,
                          std::optional<int64_t> win_length,
                          Tensor window, bool center, bool normalized, std::optional<bool> onesided,
                              std::optional<int64_t> length,
                          bool return_complex) {
    const int64_t hop = hop_length.value_or(n_fft / 4), win = win_length.value_or(n_fft);
    const bool half = onesided.value_or(self.dim() >= 2 && self.size(-2) != n_fft);
    check_arguments(self, n_fft, hop, win, window, half, return_complex ||
                    (window && is_complex(window.dtype())));
    check(return_complex || !window || !is_complex(window.dtype()),
          "istft: a complex window gives a complex signal; pass return_complex=True");
    const bool single = self.dim() == 2;
    const Tensor x = transpose(single ? unsqueeze(self, 0) : self, 1, 2);                 // (B, T, F)
    const Tensor w = frame_window(window, win, n_fft, real_of(x.dtype()));
    const double scale = normalized ? 1 / std::sqrt(double(n_fft)) : 1 / double(n_fft);
    const Tensor frames = back(x, n_fft, half, return_complex, scale) * w;
    const int64_t count = x.size(1), full = n_fft + hop * (count - 1);
    Tensor y = overlap_add(transpose(frames, 1, 2), hop, full);
    const Tensor squares = expand(unsqueeze(unsqueeze(w * w, 0), -1), {1, n_fft, count});
    Tensor envelope = overlap_add(contiguous(squares), hop, full);
    const int64_t start = center ? n_fft / 2 : 0, end = length ? start + *length : center ? full - n_fft / 2
        : full;
    const int64_t stop = std::min(end, full);
    check(stop > start, "istft: nothing is left of ", full, " samples between ", start, " and ", end);
    y = narrow(y, 1, start, stop - start);
    envelope = narrow(envelope, 1, start, stop - start);
    {
      GradOff off;
      const Tensor least = to_dtype(amin(abs(envelope)), DType::f64);
      check(least.data<double>()[0] > 1e-11, "istft(", described(self), ", n_fft=", n_fft, ", hop_length=",
            hop, ", win_length=", win,
            "): the windows leave a sample uncovered, their least sum is ", least.data<double>()[0]);
    }
    y = y / envelope;
    if (end > full) y = call_op<ConstantPad>(y, Dims{0, end - full}, Scalar(0));
    return single ? squeeze(y, 0) : y;
  }
};

FB_GROUP(stft, Stft, Istft)

}  // namespace fb
