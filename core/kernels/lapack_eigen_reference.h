#pragma once
#include <utility>

#include "kernels/lapack_balance_reference.h"

// Eigenvalues and eigenvectors of general matrices, by the steps of LAPACK's geev: balancing, Hessenberg
// form, QR iteration to a triangle (real matrices: with blocks of two for conjugate pairs), back
// substitution.
namespace fb::lapack::reference {

// T = double or C128; elements below one in size.
template <class T> class GeneralEigen {
 public:
  GeneralEigen(int n, std::vector<T> matrix, bool vectors)
      : n_(n), vectors_(vectors), matrix_(std::move(matrix)), basis_(vectors ? size_t(n) * n : 0, T(0)),
        balance_(h_, n), low_(balance_.low), high_(balance_.high) {
    for (int i = 0; vectors && i < n; ++i) z_.at(i, i) = T(1);
  }
  // 0, or the number of the eigenvalue that the iteration did not reach.
  int run() {
    to_hessenberg();
    return to_triangle();
  }
  C128 value(int i) const {
    if constexpr (real_matrix) {
      if (!starts_pair(i) && !ends_pair(i)) return {h_(i, i), 0.0};
      const int k = starts_pair(i) ? i : i - 1;
      const double size = std::sqrt(std::fabs(h_(k, k + 1))) * std::sqrt(std::fabs(h_(k + 1, k)));
      return {h_(i, i), i == k ? size : -size};
    } else return h_(i, i);
  }
  // The eigenvector of value(i), of length one.
  void vector(int i, std::vector<C128>& to) const {
    if constexpr (real_matrix) {
      if (starts_pair(i)) return vector_of<C128>(i + 1, true, value(i), to);
      if (ends_pair(i)) {
        vector(i - 1, to);
        for (C128& e : to) e = conjugate(e);
        return;
      }
      vector_of<double>(i, false, h_(i, i), to);
    } else vector_of<C128>(i, false, h_(i, i), to);
  }

 private:
  static constexpr bool real_matrix = !is_complex_type<T>;
  static constexpr double ulp = std::numeric_limits<double>::epsilon();
  static constexpr double largest_step = 1e100;        // of back substitution: products and sums stay finite

  int n_;
  bool vectors_;
  std::vector<T> matrix_, basis_;
  Grid<T> h_{matrix_.data(), 1, n_}, z_{basis_.data(), 1, n_};
  Balance<T> balance_;
  int low_, high_;

  bool starts_pair(int i) const { return i + 1 < n_ && h_(i + 1, i) != T(0); }
  bool ends_pair(int i) const { return i > 0 && h_(i, i - 1) != T(0); }
  double smallest() const { return std::numeric_limits<double>::min() * (n_ / ulp); }

  // h := Hᴴ h H on columns from `column` and rows to `row`, z := z H, with H = I - tau v vᴴ on `length` rows
  // from `first`. Leaves the column of `v` alone.
  void transform(int first, int length, const T* v, T tau, int column, int column_end, int row, int row_end) {
    const int end = first + length;
    reflect(Grid<T>{&h_.at(0, column), 1, n_}, first, end, column_end - column, v, conjugate(tau));
    turned_.assign(v, v + length);
    for (T& e : turned_) e = conjugate(e);
    reflect(Grid<T>{&h_.at(row, 0), n_, 1}, first, end, row_end - row, turned_.data(), tau);
    if (vectors_) reflect(Grid<T>{z_.data, n_, 1}, first, end, n_, turned_.data(), tau);
  }
  std::vector<T> turned_;

  void to_hessenberg() {
    std::vector<T> v;
    for (int k = low_; k + 1 < high_; ++k) {
      T* x = &h_.at(k + 1, k);
      const int length = high_ - k;
      const T tau = householder(length, x);
      v.assign(x, x + length);
      std::fill_n(x + 1, length - 1, T(0));
      transform(k + 1, length, v.data(), tau, k + 1, n_, 0, high_ + 1);
    }
  }

  // Is the element below the diagonal in column k - 1 negligible? By Ahues & Tisseur, LAPACK Working Note
  // 122.
  bool splits(int k) const {
    const double below = sum_of_parts(h_(k, k - 1)), above = sum_of_parts(h_(k - 1, k));
    if (below <= smallest()) return true;
    double near = sum_of_parts(h_(k - 1, k - 1)) + sum_of_parts(h_(k, k));
    if (near == 0) {
      if (k - 2 >= low_) near += sum_of_parts(h_(k - 1, k - 2));
      if (k + 1 <= high_) near += sum_of_parts(h_(k + 1, k));
    }
    if (!(below <= ulp * near)) return false;
    const double a = sum_of_parts(h_(k, k)), b = sum_of_parts(h_(k - 1, k - 1) - h_(k, k));
    const double sum = std::max(a, b) + std::max(below, above);
    return std::min(below, above) * (std::max(below, above) / sum) <=
           std::max(smallest(), ulp * (std::min(a, b) * (std::max(a, b) / sum)));
  }

  int to_triangle() {
    const int limit = 30 * std::max(10, high_ - low_ + 1);
    for (int last = high_; last >= low_;) {
      int first = last;
      for (int round = 0;; ++round) {
        for (first = last; first > low_ && !splits(first);) --first;
        if (first > low_) h_.at(first, first - 1) = T(0);
        if (first >= last - int(real_matrix)) break;
        if (round == limit) return last + 1;
        sweep(first, last, round + 1);
      }
      if constexpr (real_matrix) if (first < last) standardize(first);
      last = first - 1;
    }
    return 0;
  }

  // The shifts of a sweep: one for complex matrices, two real or conjugate ones for real matrices. Every
  // tenth round takes others, in case the usual ones go round in circles.
  using Shifts = std::conditional_t<real_matrix, std::pair<C128, C128>, C128>;
  Shifts shifts(int first, int last, int round) const {
    const bool bottom = round % 20 == 0, top = !bottom && round % 10 == 0;
    const int at = bottom ? last : first;
    if constexpr (real_matrix) {
      double a = h_(last - 1, last - 1), b = h_(last - 1, last), c = h_(last, last - 1), d = h_(last, last);
      if (bottom || top) {
        const double s = bottom ? std::fabs(h_(last, last - 1)) + std::fabs(h_(last - 1, last - 2))
                                : std::fabs(h_(first + 1, first)) + std::fabs(h_(first + 2, first + 1));
        a = d = 0.75 * s + h_(at, at), b = -0.4375 * s, c = s;
      }
      const double s = std::fabs(a) + std::fabs(b) + std::fabs(c) + std::fabs(d);
      if (s == 0) return {C128(0.0), C128(0.0)};
      a /= s, b /= s, c /= s, d /= s;
      const double middle = (a + d) / 2, det = (a - middle) * (d - middle) - b * c;
      const double root = std::sqrt(std::fabs(det));
      if (det >= 0) return {C128(middle * s, root * s), C128(middle * s, -root * s)};
      const double plus = middle + root, minus = middle - root;
      const C128 nearer((std::fabs(plus - d) <= std::fabs(minus - d) ? plus : minus) * s);
      return {nearer, nearer};
    } else {
      if (bottom || top) {
        const double s = size(bottom ? h_(last, last - 1) : h_(first + 1, first));
        return T(0.75 * s) + h_(at, at);
      }
      const T d = h_(last, last), root = math::sqrt(h_(last - 1, last)) * math::sqrt(h_(last, last - 1));
      const double s = sum_of_parts(root);
      if (s == 0) return d;
      const T half = T(0.5) * (h_(last - 1, last - 1) - d);
      const double larger = std::max(s, sum_of_parts(half));
      const T p = half / T(larger), q = root / T(larger);
      T y = math::sqrt(p * p + q * q);
      if (p.re * y.re + p.im * y.im < 0) y = -y;       // the sum that does not cancel
      return d - root * (q / (p + y));
    }
  }
  // The first column of the product of h minus each shift, from row m, to a factor.
  void start(int m, const Shifts& s, T* v) const {
    double sum;
    if constexpr (real_matrix) {
      const auto [p, q] = s;
      const double a = h_(m, m), below = h_(m + 1, m);
      sum = std::fabs(a - q.re) + std::fabs(q.im) + std::fabs(below);
      const double c = below / sum;
      v[0] = c * h_(m, m + 1) + (a - p.re) * ((a - q.re) / sum) - p.im * (q.im / sum);
      v[1] = c * (a + h_(m + 1, m + 1) - p.re - q.re);
      v[2] = c * h_(m + 2, m + 1);
      sum = std::fabs(v[0]) + std::fabs(v[1]) + std::fabs(v[2]);
    } else {
      v[0] = h_(m, m) - s;
      v[1] = h_(m + 1, m);
      sum = sum_of_parts(v[0]) + sum_of_parts(v[1]);
    }
    for (int i = 0; i < reach; ++i) v[i] /= T(sum);
  }
  static constexpr int reach = real_matrix ? 3 : 2;

  // One implicit QR step on the block from `first` to `last`: a bulge is made and chased down.
  void sweep(int first, int last, int round) {
    const Shifts s = shifts(first, last, round);
    T v[3];
    int m = last - reach + 1;
    for (;; --m) {                                     // two small elements in a row also part a block
      start(m, s, v);
      if (m == first) break;
      double rest = 0, diagonal = 0;
      for (int i = 1; i < reach; ++i) rest += sum_of_parts(v[i]);
      for (int i = m - 1; i <= m + 1; ++i) diagonal += sum_of_parts(h_(i, i));
      if (sum_of_parts(h_(m, m - 1)) * rest <= ulp * sum_of_parts(v[0]) * diagonal) break;
    }
    const int row = vectors_ ? 0 : first, column_end = vectors_ ? n_ : last + 1;
    for (int k = m; k < last; ++k) {
      const int length = std::min(reach, last - k + 1);
      if (k > m) std::copy_n(&h_.at(k, k - 1), length, v);
      const T tau = householder(length, v);
      if (k > m) {
        h_.at(k, k - 1) = v[0];
        std::fill_n(&h_.at(k + 1, k - 1), length - 1, T(0));
      } else if (k > first) h_.at(k, k - 1) *= T(1) - conjugate(tau);
      transform(k, length, v, tau, k, column_end, row, std::min(k + reach, last) + 1);
    }
  }

  // Turns a real block of two by a rotation: a triangle if its eigenvalues are real, else equal diagonal
  // elements and others of opposite sign (Bai & Demmel, On swapping diagonal blocks in real Schur form, 1993,
  // §2).
  void standardize(int k) {
    const double a = h_(k, k), b = h_(k, k + 1), c = h_(k + 1, k), d = h_(k + 1, k + 1), p = (a - d) / 2;
    const double least = std::copysign(std::min(std::fabs(b), std::fabs(c)), b) * (c < 0 ? -1 : 1);
    const double most = std::max(std::fabs(b), std::fabs(c)), scale = std::max(std::fabs(p), most);
    if (c == 0) return;
    if (b == 0) {
      rotate_block(k, 0, 1);
      h_.at(k + 1, k) = 0;
      return;
    }
    if (a != d || (b < 0) == (c < 0)) {
      const double inside = p / scale * p + most / scale * least;
      if (inside >= 4 * ulp) {
        const double z = p + std::copysign(std::sqrt(scale) * std::sqrt(inside), p), length = std::hypot(c, z);
        rotate_block(k, z / length, c / length);
        return set_triangle(k, d + z, d - most / z * least, b - c);
      }
      const double sum = b + c, length = std::hypot(sum, a - d);
      const double cosine = std::sqrt((1 + std::fabs(sum) / length) / 2);
      rotate_block(k, cosine, -(p / (length * cosine)) * std::copysign(1.0, sum));
    }
    const double middle = (h_(k, k) + h_(k + 1, k + 1)) / 2, upper = h_(k, k + 1), lower = h_(k + 1, k);
    h_.at(k, k) = h_.at(k + 1, k + 1) = middle;
    if (lower == 0 || (upper != 0 && (upper < 0) != (lower < 0))) return;
    const double x = std::sqrt(std::fabs(upper)), y = std::sqrt(std::fabs(lower)), length = std::hypot(x, y);
    rotate_block(k, x / length, y / length);           // real after all: they were too near to tell
    const double away = std::copysign(x * y, lower);
    set_triangle(k, middle + away, middle - away, upper - lower);
  }
  void set_triangle(int k, double first, double second, double above) {
    h_.at(k, k) = first, h_.at(k + 1, k + 1) = second, h_.at(k, k + 1) = above, h_.at(k + 1, k) = 0;
  }
  void rotate_block(int k, double c, double s) {
    if (s == 0) return;
    auto turn = [&](T& x, T& y) {
      const T u = x;
      x = T(c) * u + T(s) * y;
      y = T(c) * y - T(s) * u;
    };
    for (int j = k; j < (vectors_ ? n_ : k + 2); ++j) turn(h_.at(k, j), h_.at(k + 1, j));
    for (int i = vectors_ ? 0 : k; i < k + 2; ++i) turn(h_.at(i, k), h_.at(i, k + 1));
    for (int i = 0; vectors_ && i < n_; ++i) turn(z_.at(i, k), z_.at(i, k + 1));
  }

  // x[i] /= d, after the whole of x has been made smaller if the quotient would leave the safe range.
  template <class S> static void divide(std::vector<S>& x, int i, S d) {
    const double bound = largest_step * sum_of_parts(d), present = sum_of_parts(x[i]);
    if (present > bound) for (S& e : x) e *= S(bound / present);
    x[i] /= d;
  }
  // The same for a block of two at rows i and i + 1, with complete pivoting.
  template <class S> void divide_pair(std::vector<S>& x, int i, S value, double least) const {
    const S m[2][2] = {{S(h_(i, i)) - value, S(h_(i, i + 1))},
                       {S(h_(i + 1, i)), S(h_(i + 1, i + 1)) - value}};
    int r = 0, c = 0;
    for (int k = 1; k < 4; ++k)
      if (sum_of_parts(m[k / 2][k % 2]) > sum_of_parts(m[r][c])) r = k / 2, c = k % 2;
    const S pivot = sum_of_parts(m[r][c]) < least ? S(least) : m[r][c];
    const S factor = m[1 - r][c] / pivot, corner = m[1 - r][1 - c] - factor * m[r][1 - c];
    const S first = x[i + r], second = x[i + 1 - r] - factor * first;
    x[i + c] = first;
    x[i + 1 - c] = second;
    divide(x, i + 1 - c, sum_of_parts(corner) < least ? S(least) : corner);
    x[i + c] -= m[r][1 - c] * x[i + 1 - c];
    divide(x, i + c, pivot);
  }

  // The eigenvector of the triangle whose block ends in row k, largest element about one.
  template <class S> std::vector<S> substitute(int k, bool pair, S value) const {
    std::vector<S> x(k + 1, S(0));
    const int block = k - int(pair);
    x[k] = S(1);
    if constexpr (is_complex_type<S>) if (pair) {
      const double above = real(h_(block, k)), below = real(h_(k, block));
      if (std::fabs(above) >= std::fabs(below)) x[block] = S(1), x[k] = {0.0, value.im / above};
      else x[block] = S(-value.im / below), x[k] = {0.0, 1.0};
    }
    auto subtract = [&](int from, int to, int rows) {  // what the known elements give in the rows above
      for (int j = from; j <= to; ++j)
        for (int i = 0; i < rows; ++i) x[i] -= S(h_(i, j)) * x[j];
    };
    subtract(block, k, block);
    const double least = std::max(ulp * sum_of_parts(value), smallest());
    for (int j = block - 1; j >= 0; --j) {
      const int to = j;
      const bool two = real_matrix && ends_pair(j);
      if constexpr (real_matrix) if (two) divide_pair(x, --j, value, least);
      const S d = S(h_(j, j)) - value;
      if (!two) divide(x, j, sum_of_parts(d) < least ? S(least) : d);
      subtract(j, to, j);
    }
    return x;
  }

  template <class S> void vector_of(int k, bool pair, S value, std::vector<C128>& to) const {
    std::vector<S> x = substitute(k, pair, value), y(n_, S(0));
    reduce(x);
    for (int j = 0; j <= k; ++j)
      for (int i = 0; i < n_; ++i) y[i] += S(z_(i, j)) * x[j];
    balance_.undo(y);
    reduce(y);
    double length = 0;
    for (const S e : y) length += size2(e);
    length = std::sqrt(length);
    const auto widest = std::max_element(y.begin(), y.end(), [](S a, S b) { return size2(a) < size2(b); });
    S phase(1);
    if constexpr (is_complex_type<S>) {                // the largest element becomes real
      phase = conjugate(*widest) / S(size(*widest));
      if (real_matrix) phase *= S(std::copysign(1.0, widest->re));
    }
    const auto at = widest - y.begin();
    to.resize(n_);
    for (int i = 0; i < n_; ++i) to[i] = C128(y[i] * phase / S(length));
    to[at].im = 0;
  }
  // Divides by the largest part.
  template <class S> static void reduce(std::vector<S>& x) {
    double largest = 0;
    for (const S e : x) largest = std::max(largest, sum_of_parts(e));
    if (largest > 0) for (S& e : x) e /= S(largest);
  }
};

template <class T>
int eigen(int n, const T* a, int lda, math::Complex<RealOf<T>>* values, math::Complex<RealOf<T>>* vectors) {
  using C = math::Complex<RealOf<T>>;
  std::vector<Wide<T>> matrix(size_t(n) * n);
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i) matrix[size_t(j) * n + i] = Wide<T>(a[i + int64_t(j) * lda]);
  const int exponent = bring_below_one(matrix);
  GeneralEigen<Wide<T>> solver(n, std::move(matrix), vectors != nullptr);
  if (const int info = solver.run()) return info;
  std::vector<C128> column;
  for (int j = 0; j < n; ++j) {
    const C128 e = solver.value(j);
    values[j] = C(C128(std::ldexp(e.re, exponent), std::ldexp(e.im, exponent)));
    if (!vectors) continue;
    solver.vector(j, column);
    for (int i = 0; i < n; ++i) vectors[i + int64_t(j) * n] = C(column[i]);
  }
  return 0;
}

}  // namespace fb::lapack::reference
