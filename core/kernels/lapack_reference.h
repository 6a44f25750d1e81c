#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/lapack.h"

// Portable factorizations in plain loops, for builds without OpenBLAS and as the oracle of tests.
namespace fb::lapack::reference {

using math::conjugate;
template <class T> RealOf<T> size2(T x) {              // |x|²
  if constexpr (is_complex_type<T>) return x.re * x.re + x.im * x.im;
  else return x * x;
}
template <class T> RealOf<T> real(T x) {
  if constexpr (is_complex_type<T>) return x.re;
  else return x;
}
template <class T> RealOf<T> size(T x) { return std::sqrt(size2(x)); }

// A matrix of any strides, read conjugated if asked for.
template <class T> struct Grid {
  T* data;
  int64_t row, col;
  bool conjugated = false;
  T& at(int64_t i, int64_t j) const { return data[i * row + j * col]; }
  T operator()(int64_t i, int64_t j) const { return conjugated ? conjugate(at(i, j)) : at(i, j); }
};

// Golub & Van Loan, Matrix Computations, 4th ed., §4.2.
template <class T> int cholesky(bool upper, int n, T* a, int lda) {
  const Grid<T> l = upper ? Grid<T>{a, lda, 1, true} : Grid<T>{a, 1, lda};    // l(i, j) for i ≥ j
  auto put = [&](int64_t i, int64_t j, T v) { l.at(i, j) = upper ? conjugate(v) : v; };
  for (int j = 0; j < n; ++j) {
    RealOf<T> d = real(l(j, j));
    for (int k = 0; k < j; ++k) d -= size2(l(j, k));
    if (!(d > 0)) return j + 1;
    d = std::sqrt(d);
    put(j, j, T(d));
    for (int i = j + 1; i < n; ++i) {
      T s = l(i, j);
      for (int k = 0; k < j; ++k) s -= l(i, k) * conjugate(l(j, k));
      put(i, j, s / T(d));
    }
  }
  return 0;
}

// |re| + |im|, by which LAPACK chooses pivots.
template <class T> RealOf<T> sum_of_parts(T x) {
  if constexpr (is_complex_type<T>) return std::fabs(x.re) + std::fabs(x.im);
  else return std::fabs(x);
}

// Outer products with the largest element of each column as pivot (ibid., §3.4).
template <class T> int lu(int m, int n, T* a, int lda, int* pivots) {
  const Grid<T> x{a, 1, lda};
  int info = 0;
  for (int j = 0; j < std::min(m, n); ++j) {
    int p = j;
    for (int i = j + 1; i < m; ++i) if (sum_of_parts(x(i, j)) > sum_of_parts(x(p, j))) p = i;
    pivots[j] = p + 1;
    if (x(p, j) == T(0)) {
      if (!info) info = j + 1;
      continue;
    }
    if (p != j) for (int k = 0; k < n; ++k) std::swap(x.at(j, k), x.at(p, k));
    for (int i = j + 1; i < m; ++i) x.at(i, j) /= x(j, j);
    for (int k = j + 1; k < n; ++k)
      for (int i = j + 1; i < m; ++i) x.at(i, k) -= x(i, j) * x(j, k);
  }
  return info;
}

template <class T>
void solve_triangle(bool left, bool upper, Apply op, bool unit, int m, int n, const T* a, int lda, T* b,
                    int ldb) {
  Grid<const T> t{a, 1, lda, op == Apply::adjoint};
  bool up = upper;
  if (op != Apply::plain) {
    std::swap(t.row, t.col);
    up = !up;
  }
  Grid<T> x{b, 1, ldb};
  if (!left) {                                         // x t = b is tᵀ xᵀ = bᵀ
    std::swap(t.row, t.col);
    up = !up;
    std::swap(x.row, x.col);
    std::swap(m, n);
  }
  for (int c = 0; c < n; ++c)
    for (int step = 0; step < m; ++step) {
      const int i = up ? m - 1 - step : step;
      T s = x(i, c);
      for (int k = up ? i + 1 : 0; k < (up ? m : i); ++k) s -= t(i, k) * x(k, c);
      x.at(i, c) = unit ? s : s / t(i, i);
    }
}

// c := (I - tau v vᴴ) c for rows from `first`, v[0] taken as 1.
template <class T> void reflect(const Grid<T>& c, int first, int rows, int cols, const T* v, T tau) {
  for (int j = 0; j < cols; ++j) {
    T s = c(first, j);
    for (int i = first + 1; i < rows; ++i) s += conjugate(v[i - first]) * c(i, j);
    s *= tau;
    c.at(first, j) -= s;
    for (int i = first + 1; i < rows; ++i) c.at(i, j) -= v[i - first] * s;
  }
}

// The reflector H = I - tau v vᴴ with Hᴴ x = beta e₁ and real beta, as LAPACK's larfg chooses it: x becomes
// beta and v without its leading 1. The power of two keeps squares from overflow.
template <class T> T householder(int n, T* x) {
  using R = RealOf<T>;
  using Limits = std::numeric_limits<R>;
  R largest = 0;
  for (int i = 0; i < n; ++i) largest = std::max(largest, sum_of_parts(x[i]));
  if (largest == 0) return T(0);
  const int exponent = std::clamp(std::ilogb(largest), Limits::min_exponent, Limits::max_exponent - 2);
  const R down = std::ldexp(R(1), -exponent), up = std::ldexp(R(1), exponent);
  R rest = 0, imaginary = 0;
  for (int i = 1; i < n; ++i) rest += size2(x[i] * T(down));
  const T alpha = x[0] * T(down);
  if constexpr (is_complex_type<T>) imaginary = alpha.im;
  if (rest == 0 && imaginary == 0) return T(0);
  const R beta = -std::copysign(std::sqrt(rest + size2(alpha)), real(alpha));
  for (int i = 1; i < n; ++i) x[i] = x[i] * T(down) / (alpha - T(beta));
  x[0] = T(beta * up);
  return (T(beta) - alpha) / T(beta);
}

// Householder's method with the signs of LAPACK's geqrf: the diagonal of R is real.
template <class T> void qr(int m, int n, T* a, int lda, T* tau) {
  for (int j = 0; j < std::min(m, n); ++j) {
    T* x = a + j + int64_t(j) * lda;
    tau[j] = householder(m - j, x);
    reflect(Grid<T>{a + int64_t(j + 1) * lda, 1, lda}, j, m, n - j - 1, x, conjugate(tau[j]));
  }
}

template <class T> void form_q(int m, int n, int k, T* a, int lda, const T* tau) {
  std::vector<T> q(size_t(m) * n, T(0));
  for (int j = 0; j < n; ++j) q[size_t(j) * m + j] = T(1);
  for (int j = k - 1; j >= 0; --j) reflect(Grid<T>{q.data(), 1, m}, j, m, n, a + j + int64_t(j) * lda,
                                           tau[j]);
  for (int j = 0; j < n; ++j) std::copy_n(q.data() + size_t(j) * m, m, a + int64_t(j) * lda);
}

template <class T>
void apply_q(bool left, bool adjoint, int m, int n, int k, const T* a, int lda, const T* tau, T* c, int ldc) {
  const int length = left ? m : n;
  for (int step = 0; step < k; ++step) {
    const int j = left == adjoint ? step : k - 1 - step;
    const T* v = a + j + int64_t(j) * lda;
    const T t = adjoint ? conjugate(tau[j]) : tau[j];
    if (left) {
      reflect(Grid<T>{c, 1, ldc}, j, m, n, v, t);
      continue;
    }
    for (int i = 0; i < m; ++i) {                      // row i := row i (I - t v vᴴ)
      T s = c[i + int64_t(j) * ldc];
      for (int l = j + 1; l < length; ++l) s += c[i + int64_t(l) * ldc] * v[l - j];
      s *= t;
      c[i + int64_t(j) * ldc] -= s;
      for (int l = j + 1; l < length; ++l) c[i + int64_t(l) * ldc] -= s * conjugate(v[l - j]);
    }
  }
}

// Iterations run in double for every dtype: results of float are then right to the last digits, and the code
// is there once for both.
template <class T> using Wide = std::conditional_t<is_complex_type<T>, C128, double>;

// Divides by the power of two above all elements and returns its exponent: squares then neither overflow nor
// vanish.
inline int bring_below_one(std::vector<double>& x) {
  double largest = 0;
  for (const double e : x) largest = std::max(largest, std::fabs(e));
  if (largest == 0 || !std::isfinite(largest)) return 0;
  const int exponent = std::ilogb(largest) + 1;
  for (double& e : x) e = std::ldexp(e, -exponent);
  return exponent;
}
inline int bring_below_one(std::vector<C128>& x) {
  std::vector<double> parts(2 * x.size());
  std::memcpy(parts.data(), x.data(), x.size() * sizeof(C128));
  const int exponent = bring_below_one(parts);
  std::memcpy(x.data(), parts.data(), x.size() * sizeof(C128));
  return exponent;
}

}  // namespace fb::lapack::reference
