#pragma once
#include "math/complex_type.h"

namespace fb::math {

template <class T> Complex<T> operator+(Complex<T> a, Complex<T> b) { return {a.re + b.re, a.im + b.im}; }
template <class T> Complex<T> operator-(Complex<T> a, Complex<T> b) { return {a.re - b.re, a.im - b.im}; }
template <class T> Complex<T> operator-(Complex<T> a) { return {-a.re, -a.im}; }
template <class T> Complex<T> operator*(Complex<T> a, Complex<T> b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
template <class T> Complex<T> operator/(Complex<T> a, Complex<T> b) {
  const T d = b.re * b.re + b.im * b.im;
  return {(a.re * b.re + a.im * b.im) / d, (a.im * b.re - a.re * b.im) / d};
}
template <class T> bool operator==(Complex<T> a, Complex<T> b) { return a.re == b.re && a.im == b.im; }
template <class T> bool operator!=(Complex<T> a, Complex<T> b) { return !(a == b); }

}  // namespace fb::math
