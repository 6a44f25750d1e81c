#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

// The passes of a transform whose length has small prime factors: Stockham's, which needs no reordering
// (Swarztrauber, FFT algorithms for vector computers, Parallel Computing 1 (1984)). V is a number, or a SIMD
// vector that holds one number of each of several lines.
namespace fb::fft {

template <class V> struct Pair {
  V re, im;
  friend Pair operator+(Pair a, Pair b) { return {a.re + b.re, a.im + b.im}; }
  friend Pair operator-(Pair a, Pair b) { return {a.re - b.re, a.im - b.im}; }
};
template <class V, class T> inline Pair<V> times(Pair<V> a, T re, T im) {
  return {a.re * re - a.im * im, a.re * im + a.im * re};
}
template <class V> inline Pair<V> minus_i(Pair<V> a) { return {a.im, -a.re}; }        // -i a

template <class T> struct Root { T re, im; };

// e^(-2πi k/n), from an angle below π/4.
inline Root<double> root_of_unity(int64_t k, int64_t n) {
  k %= n;
  // angle = (quarter + rest / n) π/2
  const int64_t quarter = 4 * k / n, rest = 4 * k - quarter * n;
  double c, s;
  constexpr double half_pi = 1.5707963267948966;
  if (2 * rest <= n) {
    c = std::cos(half_pi * double(rest) / double(n));
    s = std::sin(half_pi * double(rest) / double(n));
  } else {
    c = std::sin(half_pi * double(n - rest) / double(n));
    s = std::cos(half_pi * double(n - rest) / double(n));
  }
  switch (quarter) {
    case 0: return {c, -s};
    case 1: return {-s, -c};
    case 2: return {-c, s};
    default: return {s, c};
  }
}

constexpr int largest_radix = 31;

// One pass of radix p over n = l * p * m numbers: in[i + m (j + p k)] → out[i + m (k + l j)], turned by
// twiddles.
template <class T> struct Pass {
  int radix = 0;
  int64_t l = 0, m = 0;
  std::vector<Root<T>> twiddles;                       // (radix - 1) for each i, those of i = 0 are 1
  std::vector<Root<T>> roots;                          // of a radix without a formula of its own
};

template <class V, class T> inline void radix2(Pair<V>* a) {
  const Pair<V> t = a[1];
  a[1] = a[0] - t;
  a[0] = a[0] + t;
}
template <class V, class T> inline void radix3(Pair<V>* a) {
  constexpr T half = T(-0.5), s = T(0.8660254037844386);
  const Pair<V> sum = a[1] + a[2], diff = minus_i(a[1] - a[2]);
  const Pair<V> mid = {a[0].re + half * sum.re, a[0].im + half * sum.im}, turn = {s * diff.re, s * diff.im};
  a[0] = a[0] + sum;
  a[1] = mid + turn;
  a[2] = mid - turn;
}
template <class V, class T> inline void radix4(Pair<V>* a) {
  const Pair<V> s = a[0] + a[2], d = a[0] - a[2], t = a[1] + a[3], e = minus_i(a[1] - a[3]);
  a[0] = s + t;
  a[1] = d + e;
  a[2] = s - t;
  a[3] = d - e;
}
template <class V, class T> inline void radix5(Pair<V>* a) {
  constexpr T c1 = T(0.30901699437494745), s1 = T(0.9510565162951535), c2 = T(-0.8090169943749475), s2 =
      T(0.5877852522924731);
  const Pair<V> p = a[1] + a[4], q = a[2] + a[3], u = minus_i(a[1] - a[4]), v = minus_i(a[2] - a[3]);
  const Pair<V> x = {a[0].re + c1 * p.re + c2 * q.re, a[0].im + c1 * p.im + c2 * q.im};
  const Pair<V> y = {a[0].re + c2 * p.re + c1 * q.re, a[0].im + c2 * p.im + c1 * q.im};
  const Pair<V> r = {s1 * u.re + s2 * v.re, s1 * u.im + s2 * v.im}, w = {s2 * u.re - s1 * v.re, s2 *
        u.im - s1 * v.im};
  a[0] = a[0] + p + q;
  a[1] = x + r;
  a[4] = x - r;
  a[2] = y + w;
  a[3] = y - w;
}
// Two transforms of four, joined.
template <class V, class T> inline void radix8(Pair<V>* a) {
  constexpr T h = T(0.7071067811865476);
  Pair<V> e[4] = {a[0], a[2], a[4], a[6]}, o[4] = {a[1], a[3], a[5], a[7]};
  radix4<V, T>(e);
  radix4<V, T>(o);
  o[1] = {h * (o[1].re + o[1].im), h * (o[1].im - o[1].re)};
  o[2] = minus_i(o[2]);
  o[3] = {h * (o[3].im - o[3].re), -h * (o[3].re + o[3].im)};
  for (int i = 0; i < 4; ++i) {
    a[i] = e[i] + o[i];
    a[i + 4] = e[i] - o[i];
  }
}
// An odd radix by its definition, real and imaginary parts of the pairs (j, p - j) together.
template <class V, class T> inline void radix_odd(int radix, Pair<V>* a, const Root<T>* roots) {
  const int h = (radix - 1) / 2;
  Pair<V> sum[largest_radix / 2 + 1], diff[largest_radix / 2 + 1];
  const Pair<V> first = a[0];
  Pair<V> all = first;
  for (int j = 1; j <= h; ++j) {
    sum[j] = a[j] + a[radix - j];
    diff[j] = minus_i(a[j] - a[radix - j]);
    all = all + sum[j];
  }
  a[0] = all;
  for (int k = 1; k <= h; ++k) {
    Pair<V> even = first, odd = {first.re - first.re, first.im - first.im};
    for (int j = 1, at = k; j <= h; ++j, at = at + k >= radix ? at + k - radix : at + k) {
      const Root<T> w = roots[at];                     // cos, -sin
      even = {even.re + w.re * sum[j].re, even.im + w.re * sum[j].im};
      odd = {odd.re - w.im * diff[j].re, odd.im - w.im * diff[j].im};
    }
    a[k] = even + odd;
    a[radix - k] = even - odd;
  }
}
// One pass; P is the radix where it has a formula, 0 elsewhere.
template <int P, auto butterfly, class V, class T> inline void run_pass(const Pass<T>& p, const Pair<V>* in,
      Pair<V>* out) {
  const int64_t m = p.m, l = p.l;
  const int radix = P ? P : p.radix;
  if (radix < 2) return;
  const Root<T>* roots = p.roots.data();
  for (int64_t k = 0; k < l; ++k) {
    const Pair<V>* from = in + m * radix * k;
    Pair<V>* to = out + m * k;
    const Root<T>* w = p.twiddles.data();
    for (int64_t i = 0; i < m; ++i, w += radix - 1) {
      Pair<V> a[P ? P : largest_radix];
      for (int j = 0; j < radix; ++j) a[j] = from[i + m * j];
      if constexpr (P != 0) butterfly(a);
      else radix_odd(radix, a, roots);
      to[i] = a[0];
      if (m == 1) for (int j = 1; j < radix; ++j) to[l * j] = a[j];       // the last pass turns nothing
      else for (int j = 1; j < radix; ++j) to[i + m * l * j] = times(a[j], w[j - 1].re, w[j - 1].im);
    }
  }
}

// All passes; the result is in data[0], exchanged with the spare data[1] as often as needed.
template <class V, class T> void run_passes(const std::vector<Pass<T>>* passes, Pair<V>** data) {
  for (const Pass<T>& p : *passes) {
    switch (p.radix) {
      case 2: run_pass<2, radix2<V, T>>(p, data[0], data[1]); break;
      case 3: run_pass<3, radix3<V, T>>(p, data[0], data[1]); break;
      case 4: run_pass<4, radix4<V, T>>(p, data[0], data[1]); break;
      case 5: run_pass<5, radix5<V, T>>(p, data[0], data[1]); break;
      case 8: run_pass<8, radix8<V, T>>(p, data[0], data[1]); break;
      default: run_pass<0, nullptr>(p, data[0], data[1]);
    }
    std::swap(data[0], data[1]);
  }
}

}  // namespace fb::fft
