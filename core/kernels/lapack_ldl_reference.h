#pragma once
#include <utility>

#include "kernels/lapack_reference.h"

// Symmetric indefinite systems by the diagonal pivoting of Bunch & Kaufman (Math. Comp. 31, 1977; Golub & Van
// Loan §4.4): A = L D Lᵀ, or L D Lᴴ, with blocks of one and two in D. Factors and pivots are those of
// LAPACK's sytf2 and hetf2 for the lower triangle: pivots count from one, and both rows of a block of two
// hold the negative of one.
namespace fb::lapack::reference {

// Conjugates if the matrix is Hermitian.
template <class T> T mirrored(bool hermitian, T x) { return hermitian ? conjugate(x) : x; }

// The row that replaces column k's, or row k + 1 if `two`.
struct Pivot { int row; bool two; };

template <class T> Pivot choose_pivot(bool hermitian, const Grid<T>& x, int n, int k) {
  using R = RealOf<T>;
  const R alpha = (1 + std::sqrt(R(17))) / 8;   // bounds the growth of elements
  auto on_diagonal = [&](int i) { return hermitian ? std::fabs(real(x(i, i))) : sum_of_parts(x(i, i)); };
  const R here = on_diagonal(k);
  int widest = k;
  R in_column = 0;
  for (int i = k + 1; i < n; ++i)
    if (sum_of_parts(x(i, k)) > in_column) widest = i, in_column = sum_of_parts(x(i, k));
  if (here >= alpha * in_column || widest == k) return {k, false};
  R in_row = 0;
  for (int j = k; j < widest; ++j) in_row = std::max(in_row, sum_of_parts(x(widest, j)));
  for (int i = widest + 1; i < n; ++i) in_row = std::max(in_row, sum_of_parts(x(i, widest)));
  if (here >= alpha * in_column * (in_column / in_row)) return {k, false};
  return {widest, on_diagonal(widest) < alpha * in_row};
}

// Exchanges rows and columns `a` < `b` of the part that is not yet factored; row `b` to the left of `a`
// stays.
template <class T> void exchange(bool hermitian, const Grid<T>& x, int n, int a, int b) {
  for (int i = b + 1; i < n; ++i) std::swap(x.at(i, a), x.at(i, b));
  for (int j = a + 1; j < b; ++j) {
    const T e = x(j, a);
    x.at(j, a) = mirrored(hermitian, x(b, j));
    x.at(b, j) = mirrored(hermitian, e);
  }
  x.at(b, a) = mirrored(hermitian, x(b, a));
  std::swap(x.at(a, a), x.at(b, b));
}

template <class T> int ldl(bool hermitian, int n, T* a, int lda, int* pivots) {
  const Grid<T> x{a, 1, lda};
  auto mirror = [&](T e) { return mirrored(hermitian, e); };
  auto make_real = [&](int i) { if (hermitian) x.at(i, i) = T(real(x(i, i))); };
  int info = 0;
  for (int k = 0; k < n;) {
    const Pivot p = choose_pivot(hermitian, x, n, k);
    const int to = k + int(p.two);
    make_real(k);
    if (p.row != to) {
      exchange(hermitian, x, n, to, p.row);
      if (p.two) std::swap(x.at(k + 1, k), x.at(p.row, k));
    }
    make_real(k);
    if (p.two) make_real(k + 1);
    pivots[k] = pivots[to] = p.two ? -(p.row + 1) : p.row + 1;
    if (!p.two) {
      const T d = x(k, k);
      if (d == T(0)) info = info ? info : k + 1;       // the whole column is zero
      else {
        const T factor = T(1) / d;
        for (int j = k + 1; j < n; ++j) {
          const T g = mirror(x(j, k)) * factor;
          for (int i = j; i < n; ++i) x.at(i, j) -= x(i, k) * g;
          make_real(j);
        }
        for (int i = k + 1; i < n; ++i) x.at(i, k) *= factor;
      }
    } else {
      const T b = x(k + 1, k), c = x(k + 1, k + 1) / b, d = x(k, k) / mirror(b);
      T det = c * d - T(1);                            // of the block, divided by that of its other diagonal
      if (hermitian) det = T(real(det));
      for (int j = k + 2; j < n; ++j) {
        const T u = x(j, k), v = x(j, k + 1);
        const T first = (c * u - v) / mirror(b) / det, second = (d * v - u) / b / det;
        for (int i = j; i < n; ++i) x.at(i, j) -= x(i, k) * mirror(first) + x(i, k + 1) * mirror(second);
        x.at(j, k) = first;
        x.at(j, k + 1) = second;
        make_real(j);
      }
    }
    k = to + 1;
  }
  return info;
}

template <class T>
void solve_ldl(bool hermitian, int n, int columns, const T* a, int lda, const int* pivots, T* b, int ldb) {
  const Grid<const T> x{a, 1, lda};
  auto mirror = [&](T e) { return mirrored(hermitian, e); };
  auto block_of_two = [&](int k) { return k + 1 < n && pivots[k] < 0; };
  std::vector<int> blocks;                             // first rows
  for (int k = 0; k < n; k += 1 + int(block_of_two(k))) blocks.push_back(k);
  auto exchange_rows = [&](T* y, int k) {
    const int last = k + int(block_of_two(k));
    std::swap(y[last], y[std::abs(pivots[last]) - 1]);
  };
  for (int column = 0; column < columns; ++column) {
    T* y = b + int64_t(column) * ldb;
    for (const int k : blocks) {                       // L and D
      const int end = k + 1 + int(block_of_two(k));
      exchange_rows(y, k);
      for (int j = k; j < end; ++j)
        for (int i = end; i < n; ++i) y[i] -= x(i, j) * y[j];
      if (end == k + 1) {
        y[k] /= hermitian ? T(real(x(k, k))) : x(k, k);
        continue;
      }
      const T e = x(k + 1, k), c = x(k + 1, k + 1) / e, d = x(k, k) / mirror(e), det = d * c - T(1);
      const T u = y[k] / mirror(e), v = y[k + 1] / e;
      y[k] = (c * u - v) / det;
      y[k + 1] = (d * v - u) / det;
    }
    for (size_t step = blocks.size(); step-- > 0;) {   // Lᵀ or Lᴴ
      const int k = blocks[step], end = k + 1 + int(block_of_two(k));
      for (int j = k; j < end; ++j)
        for (int i = end; i < n; ++i) y[j] -= mirror(x(i, j)) * y[i];
      exchange_rows(y, k);
    }
  }
}

}  // namespace fb::lapack::reference
