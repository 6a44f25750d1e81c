#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
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

// Householder's method with the signs of LAPACK's geqrf: the diagonal of R is real.
template <class T> void qr(int m, int n, T* a, int lda, T* tau) {
  using R = RealOf<T>;
  const Grid<T> x{a, 1, lda};
  for (int j = 0; j < std::min(m, n); ++j) {
    const T alpha = x(j, j);
    R rest = 0;
    for (int i = j + 1; i < m; ++i) rest += size2(x(i, j));
    R imaginary = 0;
    if constexpr (is_complex_type<T>) imaginary = alpha.im;
    if (rest == 0 && imaginary == 0) {
      tau[j] = T(0);
      continue;
    }
    const R beta = -std::copysign(std::sqrt(rest + size2(alpha)), real(alpha));
    tau[j] = (T(beta) - alpha) / T(beta);
    for (int i = j + 1; i < m; ++i) x.at(i, j) /= alpha - T(beta);
    x.at(j, j) = T(beta);
    reflect(Grid<T>{a + int64_t(j + 1) * lda, 1, lda}, j, m, n - j - 1, &x.at(j, j), conjugate(tau[j]));
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

// The rotation that makes two columns orthogonal: (x, y) := (c x - conj(e) s y, e s x + c y) with e the phase
// of g = xᴴy (Golub & Van Loan §8.6.3). `g2` is |g|, `difference` is |y|² - |x|².
template <class R> void jacobi_angle(R difference, R g2, R& c, R& s) {
  const R zeta = difference / (2 * g2);
  const R t = std::copysign(R(1), zeta) / (std::fabs(zeta) + std::sqrt(1 + zeta * zeta));
  c = 1 / std::sqrt(1 + t * t);
  s = c * t;
}
template <class T> void rotate(T* x, T* y, int64_t n, RealOf<T> c, RealOf<T> s, T phase) {
  for (int64_t i = 0; i < n; ++i) {
    const T u = x[i], w = y[i] * conjugate(phase);
    x[i] = T(c) * u - T(s) * w;
    y[i] = T(s) * u + T(c) * w;
  }
}

// One-sided Jacobi: columns of x (m×n) are rotated until they are orthogonal; v (n×n) takes the same
// rotations. Columns of length `noise` or less are left as they are: they hold rounding errors only.
template <class T> bool orthogonalize(int m, int n, T* x, T* v, RealOf<T> noise) {
  using R = RealOf<T>;
  const R small = std::numeric_limits<R>::epsilon();
  for (int sweep = 0; sweep < 60; ++sweep) {
    bool done = true;
    for (int p = 0; p + 1 < n; ++p)
      for (int q = p + 1; q < n; ++q) {
        T *a = x + int64_t(p) * m, *b = x + int64_t(q) * m, g(0);
        R aa = 0, bb = 0;
        for (int i = 0; i < m; ++i) {
          aa += size2(a[i]);
          bb += size2(b[i]);
          g += conjugate(a[i]) * b[i];
        }
        const R g2 = size(g);
        if (!std::isfinite(aa + bb + g2)) return false;
        if (g2 <= small * std::sqrt(aa) * std::sqrt(bb) || std::sqrt(std::min(aa, bb)) <= noise) continue;
        done = false;
        R c, s;
        jacobi_angle(bb - aa, g2, c, s);
        const T phase = g / T(g2);
        rotate(a, b, m, c, s, phase);
        rotate(v + int64_t(p) * n, v + int64_t(q) * n, n, c, s, phase);
      }
    if (done) return true;
  }
  return false;
}

// Fills columns [from, to) of q (m rows, leading dimension ldq) with unit vectors orthogonal to all before
// them.
template <class T> void complete(int m, int from, int to, T* q, int ldq) {
  for (int j = from, next = 0; j < to && next < m; ++next) {
    T* x = q + int64_t(j) * ldq;
    std::fill_n(x, m, T(0));
    x[next] = T(1);
    for (int twice = 0; twice < 2; ++twice)
      for (int k = 0; k < j; ++k) {
        const T* y = q + int64_t(k) * ldq;
        T s(0);
        for (int i = 0; i < m; ++i) s += conjugate(y[i]) * x[i];
        for (int i = 0; i < m; ++i) x[i] -= s * y[i];
      }
    RealOf<T> norm = 0;
    for (int i = 0; i < m; ++i) norm += size2(x[i]);
    norm = std::sqrt(norm);
    if (norm < RealOf<T>(0.5) / std::sqrt(RealOf<T>(m))) continue;
    for (int i = 0; i < m; ++i) x[i] /= T(norm);
    ++j;
  }
}

template <class T>
int svd(Vectors vectors, int m, int n, T* a, int lda, RealOf<T>* s, T* u, int ldu, T* vh, int ldvh) {
  using R = RealOf<T>;
  const bool wide = m < n;                             // then the adjoint is decomposed
  const int rows = wide ? n : m, k = wide ? m : n;
  std::vector<T> x(size_t(rows) * k), v(size_t(k) * k, T(0));
  for (int j = 0; j < k; ++j) {
    v[size_t(j) * k + j] = T(1);
    for (int i = 0; i < rows; ++i)
      x[size_t(j) * rows + i] = wide ? conjugate(a[j + int64_t(i) * lda]) : a[i + int64_t(j) * lda];
  }
  R total = 0;
  for (const T e : x) total += size2(e);
  const R noise = std::sqrt(total) * std::numeric_limits<R>::epsilon();
  if (!orthogonalize(rows, k, x.data(), v.data(), noise)) return 1;
  std::vector<R> norms(k, R(0));
  for (int j = 0; j < k; ++j) {
    for (int i = 0; i < rows; ++i) norms[j] += size2(x[size_t(j) * rows + i]);
    norms[j] = std::sqrt(norms[j]);
  }
  std::vector<int> order(k);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int i, int j) { return norms[i] > norms[j]; });
  for (int j = 0; j < k; ++j) s[j] = norms[order[j]];
  if (vectors == Vectors::none) return 0;

  const int columns = vectors == Vectors::all ? rows : k;
  std::vector<T> left(size_t(rows) * columns);         // the long side's vectors
  int known = 0;
  for (; known < k && s[known] > noise; ++known)
    for (int i = 0; i < rows; ++i)
      left[size_t(known) * rows + i] = x[size_t(order[known]) * rows + i] / T(s[known]);
  complete(rows, known, columns, left.data(), rows);
  for (int j = 0; j < columns; ++j)
    for (int i = 0; i < rows; ++i)
      (wide ? vh[j + int64_t(i) * ldvh] : u[i + int64_t(j) * ldu]) = wide ? conjugate(left[size_t(j) * rows +
            i])
                                                                          : left[size_t(j) * rows + i];
  for (int j = 0; j < k; ++j)
    for (int i = 0; i < k; ++i) {
      const T e = v[size_t(order[j]) * k + i];
      (wide ? u[i + int64_t(j) * ldu] : vh[j + int64_t(i) * ldvh]) = wide ? e : conjugate(e);
    }
  return 0;
}

// Two-sided Jacobi on a Hermitian matrix (Golub & Van Loan §8.5).
template <class T> int hermitian_eigen(bool vectors, bool upper, int n, T* a, int lda, RealOf<T>* values) {
  using R = RealOf<T>;
  std::vector<T> x(size_t(n) * n), v(size_t(n) * n, T(0));
  const Grid<T> h{x.data(), 1, n};
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i) {
      const bool stored = upper ? i <= j : i >= j;
      const T e = stored ? a[i + int64_t(j) * lda] : conjugate(a[j + int64_t(i) * lda]);
      h.at(i, j) = i == j ? T(real(e)) : e;
      v[size_t(j) * n + i] = T(i == j);
    }
  bool done = n < 2;
  for (int sweep = 0; sweep < 60 && !done; ++sweep) {
    done = true;
    for (int p = 0; p + 1 < n; ++p)
      for (int q = p + 1; q < n; ++q) {
        const T g = h(p, q);
        const R g2 = size(g), scale = std::sqrt(std::fabs(real(h(p, p)))) *
            std::sqrt(std::fabs(real(h(q, q))));
        if (!std::isfinite(g2)) return 1;
        if (g2 <= std::numeric_limits<R>::epsilon() * R(0.01) * scale ||
            g2 < std::numeric_limits<R>::min()) continue;
        done = false;
        R c, s;
        jacobi_angle(real(h(q, q)) - real(h(p, p)), g2, c, s);
        const T phase = g / T(g2);
        rotate(&h.at(0, p), &h.at(0, q), n, c, s, phase);
        for (int i = 0; i < n; ++i) {                  // the same from the left, conjugated
          const T u = h(p, i), w = h(q, i) * phase;
          h.at(p, i) = T(c) * u - T(s) * w;
          h.at(q, i) = T(s) * u + T(c) * w;
        }
        h.at(p, q) = h.at(q, p) = T(0);
        rotate(&v[size_t(p) * n], &v[size_t(q) * n], n, c, s, phase);
      }
  }
  if (!done) return 1;
  std::vector<int> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int i, int j) { return real(h(i, i)) < real(h(j, j)); });
  for (int j = 0; j < n; ++j) values[j] = real(h(order[j], order[j]));
  if (vectors) for (int j = 0; j < n; ++j) std::copy_n(&v[size_t(order[j]) * n], n, a + int64_t(j) * lda);
  return 0;
}

}  // namespace fb::lapack::reference
