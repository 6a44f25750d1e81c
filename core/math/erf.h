#pragma once
#include "math/exponential.h"

// Error function, normal distribution and their inverses. Accuracy: at most 2 ulp, far tails included, but
// in double log_ndtr: 3 ulp, erfinv and ndtri: 3 ulp, 5 without fused multiply-add.
namespace fb::math {

// erf(x) / x - 1 in x² for |x| ≤ 1: Chebyshev interpolation, error 3e-11 (float), 7e-18. Taking 1 away keeps
// the product with x from rounding twice.
template <class T> T erf_excess(T square) {
  if constexpr (single<T>) {
    return poly(square, -9.6670445714869964e-6, 0.00011265959025606609, -0.00084840804055351063,
                0.0052210318078580228, -0.026865430727670243, 0.11283782495236845, -0.37612638468028710,
                0.1283791670615434);
  } else {
    return poly(square, -7.7958988270021422e-10, 1.3720064546777686e-8, -1.6208483801871706e-7,
                1.6447424703317362e-6, -1.4924736907419660e-5, 0.00012055294904839708,
                -0.00085483259753896921, 0.0052239776071164227, -0.026866170643237770, 0.11283791670945006,
                -0.37612638903183540, 0.12837916709551257);
  }
}

enum class Effort { single, plain, careful };

// e^(x²) erfc(x) for x ≥ 0. (1 + 2x) times it is smooth in t = (x - 4) / (x + 4) from 0 to infinity
// (Shepherd & Laframboise, Math. Comp. 36 (1981)); Chebyshev interpolation, error 2e-18; 2e-9 for results in
// single precision. `careful` carries what the divisions and sums lose: ½ ulp instead of 4.
template <Effort effort, class T> Pair<T> erfcx_positive(T x) {
  T limited = select(x > T(1e300), T(1e300), x);
  T above = limited + T(4.0), below = limited - T(4.0);
  T t = below / above;
  if constexpr (effort == Effort::single) {
    T p = poly(t, -9.4075719807201950e-6, 0.00011417931914866990, -0.00021785505461842240,
               -0.00070904627310661429, 0.0050440318283601712, -0.016230489245366698, 0.037163409208387658,
               -0.066318993701488274, 0.093733508704317068, -0.10104095256639912, 0.068097012479655219,
               0.015379769732623957, -0.13962111641494575, 1.2329951174258005);
    return {p / (T(1.0) + T(2.0) * limited), T(0.0)};
  } else {
    T slope = poly(t, -1.4311318470928162e-10, -2.6557266163125749e-10, 1.8256951189539070e-9,
                   3.1672611119361696e-9, -1.4806988146925794e-8, -2.0554531369859300e-8,
                   1.1025271999000153e-7, 7.7460686356819793e-8, -8.2507833868124504e-7,
                   2.9198219084548258e-7, 5.7093141135324918e-6, -1.1221292615314274e-5,
                   -2.4398994455762100e-5, 0.00015062149237837335, -0.00019925676026410457,
                   -0.00075777326203091503, 0.0050319699895242517, -0.016197734059683292,
                   0.037167515536323988, -0.066330365812199045, 0.093732834998410491, -0.10103906603629991,
                   0.068097054254691298, 0.015379652102619590, -0.13962111684056251);
    constexpr double at_zero = 1.2329951186255525;
    if constexpr (effort == Effort::plain) {
      return {(T(at_zero) + slope * t) / (T(1.0) + T(2.0) * limited), T(0.0)};
    }
    T above_low = two_sum(limited, T(4.0)).low, below_low = two_sum(limited, T(-4.0)).low;
    auto [product, product_low] = two_product(t, above);
    T t_low = (((below - product) - product_low) + (below_low - t * above_low)) / above;
    // the derivative of the polynomial, to 1 %
    T derivative = poly(t, -0.627406, 0.920499, -0.301019, 0.0310126, 0.0214190, -0.130100);
    auto [sum, lost] = fast_two_sum(T(at_zero), slope * t);
    auto [bottom, bottom_low] = two_sum(T(1.0), T(2.0) * limited);
    T quotient = sum / bottom;
    auto [back, back_low] = two_product(quotient, bottom);
    T rest = ((sum - back) - back_low) + (lost + t_low * derivative);
    return {quotient, (rest - quotient * bottom_low) / bottom};
  }
}

// e^(x² · scale) = (high + low) · 2^exponent, for scale ±1 or ±½: x² is an exact sum, and `low` is what the
// last addition loses. |x| is cut where every use of it has under- or overflowed.
template <class T> struct Gaussian { T high, low; Bits<T> exponent; };
template <class T> Gaussian<T> gaussian(T x, double scale) {
  T limit = T(scale * scale == 1.0 ? 28.0 : 40.0);
  T limited = select(x > limit, limit, x);
  auto [square, rest] = two_product(limited, limited);
  auto [r, count, exponent] = reduce_by_log2(square * T(scale));
  auto [sum, lost] = fast_two_sum(T(1.0), r);
  T tail = exp_tail(r) * (r * r) + lost;
  auto [high, low] = fast_two_sum(sum, tail + rest * T(scale) * (sum + tail));
  return {high, low, exponent};
}

// The product with another pair; 2^k comes last, so that subnormal results are right too.
template <class T> T scaled_product(Gaussian<T> g, Pair<T> factor) {
  return scale2_bits(g.high * factor.high + (g.high * factor.low + g.low * factor.high), g.exponent);
}

template <class T> T erf(T x) {
  T a = fabs(x);
  T near_zero = a + a * erf_excess(a * a);
  T far;
  if constexpr (single<T>) {
    // erf(2.5 + u) for |u| ≤ 1.5: Chebyshev interpolation, error 1e-9
    T u = select(a > T(4.0), T(4.0), a) - T(2.5);
    far = poly(u, -3.7010294586574444e-7, 8.9343411082759764e-7, 3.6213872665042054e-6,
               -1.5745340234869689e-5, 7.2204306874360517e-6, 8.1181513278870470e-5,
               -0.00025250234594417607, 0.00025860507679333207, 0.00054368475237343096,
               -0.0027974555251942250, 0.0061169890496881087, -0.0086226418108991860,
               0.0083501280629628615, -0.0054456833175561208, 0.0021782835532555149, 0.99959304750795052);
  } else {
    far = T(1.0) - scaled_product(gaussian(a, -1.0), erfcx_positive<Effort::plain>(a));
  }
  return copysign(select(a < T(1.0), near_zero, far), x);
}

template <class T> T erfc(T x) {
  if constexpr (single<T>) {
    auto wide = widen(x), a = fabs(wide);
    auto tail = scaled_product(gaussian(a, -1.0), erfcx_positive<Effort::single>(a));
    return narrow(select(wide < 0.0, 2.0 - tail, tail));
  } else {
    T a = fabs(x);
    T tail = scaled_product(gaussian(a, -1.0), erfcx_positive<Effort::careful>(a));
    T near_zero = T(1.0) - (x + x * erf_excess(x * x));
    return select(a < T(0.5), near_zero, select(x < T(0.0), T(2.0) - tail, tail));
  }
}

// e^(x²) erfc(x): 1/(x√π) far right, 2e^(x²) far left.
template <class T> T erfcx(T x) {
  if constexpr (single<T>) {
    return narrow(erfcx(widen(x)));
  } else {
    T a = fabs(x);
    auto [right, right_low] = erfcx_positive<Effort::careful>(a);
    // 2 e^(x²) - erfcx(-x)
    auto [high, low, exponent] = gaussian(a, 1.0);
    Bits<T> next = exponent + Bits<T>(1ull);
    T growth = scale2_bits(high, next), growth_low = scale2_bits(low, next);
    T left = select(is_inf(growth), growth, (growth - right) + (growth_low - right_low));
    T y = select(x < T(0.0), left, right + right_low);
    return select(x > T(1e300), T(0.5641895835477563) / x, y);
  }
}

// Φ(x), the probability that a standard normal number is below x.
template <class T> T ndtr(T x) {
  if constexpr (single<T>) {
    return narrow(ndtr(widen(x)));
  } else {
    T a = fabs(x), z = a * T(0.7071067811865476);
    T tail = T(0.5) * scaled_product(gaussian(a, -0.5), erfcx_positive<Effort::careful>(z));
    T half = x * T(0.35355339059327376);
    T near_zero = T(0.5) + (half + half * erf_excess(z * z));
    return select(a < T(0.5), near_zero, select(x > T(0.0), T(1.0) - tail, tail));
  }
}

// log Φ(x). For x < 0: log(erfcx(-x/√2) / 2) - x²/2.
template <class T> T log_ndtr(T x) {
  if constexpr (single<T>) {
    return narrow(log_ndtr(widen(x)));
  } else {
    auto left = x < T(0.0);
    auto [scaled, scaled_low] = erfcx_positive<Effort::careful>(fabs(x) * T(0.7071067811865476));
    T above = -ndtr(-x), sum = T(1.0) + above;
    // one logarithm serves both sides
    T lost = above - (sum - T(1.0));
    T y = log_of_sum(select(left, T(0.5) * scaled, sum), select(left, T(0.5) * scaled_low, lost));
    T right = select(above == T(0.0), above, y);
    return select(left, y - T(0.5) * x * x, right);
  }
}

// erfinv of y = ±(1 - 2 tail): both are given, because one of them is exact where the other is not.
// Source: Wichura, Algorithm AS 241 (PPND16), Applied Statistics 37 (1988), which gives the normal quantile
// √2 erfinv(y) to 1e-16 by three rational functions; in the middle a Newton step takes away what they round.
template <class T> T erfinv_of(T y, T tail) {
  T q = y * T(0.5), r = T(0.180625) - q * q;
  T central_top = poly(r, 2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4,
                       4.5921953931549871457e+4, 1.3731693765509461125e+4, 1.9715909503065514427e+3,
                       1.3314166789178437745e+2, 3.3871328727963666080e0);
  T central_bottom = poly(r, 5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4,
                          2.1213794301586595867e+4, 5.3941960214247511077e+3, 6.8718700749205790830e+2,
                          4.2313330701600911252e+1, 1.0);
  T s = sqrt(-log(tail));
  T m = s - T(1.6), f = s - T(5.0);
  T middle_top = poly(m, 7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
                      1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0,
                      4.63033784615654529590e0, 1.42343711074968357734e0);
  T middle_bottom = poly(m, 1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
                         1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
                         2.05319162663775882187e0, 1.0);
  T far_top = poly(f, 2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
                   2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
                   5.46378491116411436990e0, 6.65790464350110377720e0);
  T far_bottom = poly(f, 2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
                      7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
                      5.99832206555887937690e-1, 1.0);
  auto central = fabs(q) <= T(0.425), near = s <= T(5.0);
  T top = select(central, q * central_top, select(near, middle_top, far_top));
  T bottom = select(central, central_bottom, select(near, middle_bottom, far_bottom));
  T z = top / bottom * T(0.7071067811865476), square = z * z;
  // erf(z) - y: z - y is exact; the slope of erfinv there is √π/2 e^(z²), 1 % suffices
  T miss = (z - y) + z * erf_excess(square);
  T slope = poly(square, 0.1477045, 0.4431135, 0.8862269, 0.8862269);
  T y_signed = select(central, z - miss * slope, copysign(z, y));
  T ends = copysign(T(infinity<T>), y);
  return select(tail == T(0.0), ends, select(tail > T(0.0), y_signed, T(nan<T>)));
}

// Φ⁻¹(p)
template <class T> T ndtri(T p) {
  if constexpr (single<T>) {
    return narrow(ndtri(widen(p)));
  } else {
    T tail = select(p < T(0.5), p, T(1.0) - p);
    return erfinv_of((p - T(0.5)) * T(2.0), tail) * T(1.4142135623730951);
  }
}

template <class T> T erfinv(T x) {
  if constexpr (single<T>) return narrow(erfinv(widen(x)));
  else return erfinv_of(x, (T(1.0) - fabs(x)) * T(0.5));
}

}  // namespace fb::math
