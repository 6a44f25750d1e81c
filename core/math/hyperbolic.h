#pragma once
#include "math/exponential.h"

// Hyperbolic functions and their inverses. Accuracy: at most 2 ulp in float and double.
namespace fb::math {

template <class T> T tanh(T x) {
  T a = fabs(x), z = a * a;
  // (tanh x - x) / x³ in x² for |x| < 0.625: Chebyshev interpolation, error 2e-9 (float), 4e-18
  T p;
  if constexpr (single<T>) {
    p = poly(z, 0.0022926473569971762, -0.0083438595045099223, 0.021768892383791811, -0.053959256349293116,
             0.13333303543284378, -0.33333333172050478);
  } else {
    p = poly(z, 6.4846121563163947e-6, -3.1199968741786462e-5, 9.2570158526029785e-5, -0.00023759014908800235,
             0.00058966050304721168, -0.0014557753814086394, 0.0035921217472709826, -0.0088632351029350291,
             0.021869488518994312, -0.053968253967896665, 0.13333333333333041, -0.33333333333333333);
  }
  T near_zero = a + a * z * p;
  // 1 - 2 / (e^2a + 1); from a = 20 on this is 1
  auto [mantissa, exponent] = exp_parts(T(2.0) * select(a > T(20.0), T(20.0), a));
  T far = T(1.0) - T(2.0) / (mantissa * power_of_two<T>(exponent) + T(1.0));
  return copysign(select(a < T(0.625), near_zero, far), x);
}

template <class T> T sinh(T x) {
  T a = fabs(x), z = a * a;
  // (sinh x - x) / x³ in x² for |x| < 1: Chebyshev interpolation, error 2e-10 (float), 3e-22
  T p;
  if constexpr (single<T>) {
    p = poly(z, 2.8062802582276946e-6, 0.00019838101968683889, 0.0083333396759170609, 0.16666666646842134);
  } else {
    p = poly(z, 2.8445264169895286e-15, 7.6466253616566577e-13, 1.6059048396350562e-10, 2.5052108364058041e-8,
             2.7557319224040339e-6, 0.00019841269841269773, 0.0083333333333333334, 0.16666666666666667);
  }
  T half = half_exp(a);
  return copysign(select(a < T(1.0), a + a * z * p, half - T(0.25) / half), x);
}

template <class T> T cosh(T x) {
  T half = half_exp(fabs(x));
  return half + T(0.25) / half;
}

// Inverses: Sun, fdlibm s_asinh.c, e_acosh.c, e_atanh.c. Above `huge`, where x² is near overflow,
// log(2x) = log1p(x) + ln 2 to the last bit. Floats go through double.
template <class T> T asinh(T x) {
  if constexpr (single<T>) {
    return narrow(asinh(widen(x)));
  } else {
    T a = fabs(x), square = a * a;
    auto huge = a > T(1e17);
    T argument = select(huge, a, a + square / (T(1.0) + sqrt(square + T(1.0))));
    return copysign(log1p(argument) + select(huge, T(0.6931471805599453), T(0.0)), x);
  }
}

template <class T> T acosh(T x) {
  if constexpr (single<T>) {
    return narrow(acosh(widen(x)));
  } else {
    T t = x - T(1.0);
    auto huge = x > T(1e17);
    T argument = select(huge, x, t + sqrt(T(2.0) * t + t * t));
    T y = log1p(argument) + select(huge, T(0.6931471805599453), T(0.0));
    return select(x >= T(1.0), y, T(nan<T>));
  }
}

template <class T> T atanh(T x) {
  if constexpr (single<T>) {
    return narrow(atanh(widen(x)));
  } else {
    T a = fabs(x), twice = a + a;
    T argument = select(a < T(0.5), twice + twice * a / (T(1.0) - a), twice / (T(1.0) - a));
    return copysign(T(0.5) * log1p(argument), x);
  }
}

}  // namespace fb::math
