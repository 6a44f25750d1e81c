#pragma once
#include <numeric>

#include "kernels/lapack_reference.h"

// Singular values, and eigenvalues of Hermitian matrices, by Jacobi's rotations.
namespace fb::lapack::reference {

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
  using W = Wide<T>;
  const bool wide = m < n;                             // then the adjoint is decomposed
  const int rows = wide ? n : m, k = wide ? m : n;
  std::vector<W> x(size_t(rows) * k), v(size_t(k) * k, W(0));
  for (int j = 0; j < k; ++j) {
    v[size_t(j) * k + j] = W(1);
    for (int i = 0; i < rows; ++i)
      x[size_t(j) * rows + i] = W(wide ? conjugate(a[j + int64_t(i) * lda]) : a[i + int64_t(j) * lda]);
  }
  const int exponent = bring_below_one(x);
  double total = 0;
  for (const W e : x) total += size2(e);
  const double noise = std::sqrt(total) * std::numeric_limits<double>::epsilon();
  if (!orthogonalize(rows, k, x.data(), v.data(), noise)) return 1;
  std::vector<double> norms(k, 0.0);
  for (int j = 0; j < k; ++j) {
    for (int i = 0; i < rows; ++i) norms[j] += size2(x[size_t(j) * rows + i]);
    norms[j] = std::sqrt(norms[j]);
  }
  std::vector<int> order(k);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int i, int j) { return norms[i] > norms[j]; });
  for (int j = 0; j < k; ++j) s[j] = RealOf<T>(std::ldexp(norms[order[j]], exponent));
  if (vectors == Vectors::none) return 0;

  const int columns = vectors == Vectors::all ? rows : k;
  std::vector<W> left(size_t(rows) * columns);         // the long side's vectors
  int known = 0;
  for (; known < k && norms[order[known]] > noise; ++known)
    for (int i = 0; i < rows; ++i)
      left[size_t(known) * rows + i] = x[size_t(order[known]) * rows + i] / W(norms[order[known]]);
  complete(rows, known, columns, left.data(), rows);
  for (int j = 0; j < columns; ++j)
    for (int i = 0; i < rows; ++i) {
      const T e(left[size_t(j) * rows + i]);
      (wide ? vh[j + int64_t(i) * ldvh] : u[i + int64_t(j) * ldu]) = wide ? conjugate(e) : e;
    }
  for (int j = 0; j < k; ++j)
    for (int i = 0; i < k; ++i) {
      const T e(v[size_t(order[j]) * k + i]);
      (wide ? u[i + int64_t(j) * ldu] : vh[j + int64_t(i) * ldvh]) = wide ? e : conjugate(e);
    }
  return 0;
}

// Two-sided Jacobi on a Hermitian matrix (Golub & Van Loan §8.5).
template <class T> int hermitian_eigen(bool vectors, bool upper, int n, T* a, int lda, RealOf<T>* values) {
  using W = Wide<T>;
  std::vector<W> x(size_t(n) * n), v(size_t(n) * n, W(0));
  const Grid<W> h{x.data(), 1, n};
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i) {
      const bool stored = upper ? i <= j : i >= j;
      const T e = stored ? a[i + int64_t(j) * lda] : conjugate(a[j + int64_t(i) * lda]);
      h.at(i, j) = i == j ? W(real(e)) : W(e);
      v[size_t(j) * n + i] = W(i == j);
    }
  const int exponent = bring_below_one(x);
  bool done = n < 2;
  for (int sweep = 0; sweep < 60 && !done; ++sweep) {
    done = true;
    for (int p = 0; p + 1 < n; ++p)
      for (int q = p + 1; q < n; ++q) {
        const W g = h(p, q);
        const double g2 = size(g);
        const double scale = std::sqrt(std::fabs(real(h(p, p)))) * std::sqrt(std::fabs(real(h(q, q))));
        if (!std::isfinite(g2)) return 1;
        if (g2 <= std::numeric_limits<double>::epsilon() * 0.01 * scale ||
            g2 < std::numeric_limits<double>::min()) continue;
        done = false;
        double c, s;
        jacobi_angle(real(h(q, q)) - real(h(p, p)), g2, c, s);
        const W phase = g / W(g2);
        rotate(&h.at(0, p), &h.at(0, q), n, c, s, phase);
        for (int i = 0; i < n; ++i) {                  // the same from the left, conjugated
          const W u = h(p, i), w = h(q, i) * phase;
          h.at(p, i) = W(c) * u - W(s) * w;
          h.at(q, i) = W(s) * u + W(c) * w;
        }
        h.at(p, q) = h.at(q, p) = W(0);
        rotate(&v[size_t(p) * n], &v[size_t(q) * n], n, c, s, phase);
      }
  }
  if (!done) return 1;
  std::vector<int> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int i, int j) { return real(h(i, i)) < real(h(j, j)); });
  for (int j = 0; j < n; ++j) values[j] = RealOf<T>(std::ldexp(real(h(order[j], order[j])), exponent));
  if (vectors) for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i) a[i + int64_t(j) * lda] = T(v[size_t(order[j]) * n + i]);
  return 0;
}

}  // namespace fb::lapack::reference
