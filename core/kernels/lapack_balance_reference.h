#pragma once
#include <utility>

#include "kernels/lapack_reference.h"

namespace fb::lapack::reference {

// Brings eigenvalues that stand alone in their row or column to the ends of the diagonal, then scales the
// part from `low` to `high` by powers of two until rows and columns have about the same length (Parlett &
// Reinsch, Numer. Math. 13, 1969; lengths in the 2-norm: James, Langou & Lowery, On matrix balancing and
// eigenvector computation, 2014). T = double or C128.
template <class T> struct Balance {
  Balance(const Grid<T>& h, int n) : high(n - 1), from(n), scale(n, 1.0) {
    auto alone = [&](int i, bool in_row) {
      for (int j = low; j <= high; ++j) if (j != i && (in_row ? h(i, j) : h(j, i)) != T(0)) return false;
      return true;
    };
    auto bring = [&](int i, int to) {
      from[to] = i;
      if (i == to) return;
      for (int k = 0; k < n; ++k) std::swap(h.at(k, i), h.at(k, to));
      for (int k = 0; k < n; ++k) std::swap(h.at(i, k), h.at(to, k));
    };
    for (int i = high; i >= low && low < high; --i)
      if (alone(i, true)) {
        bring(i, high);
        i = high--;                                    // all rows again
      }
    for (int i = low; i <= high && low < high; ++i)
      if (alone(i, false)) {
        bring(i, low);
        i = low++;
      }
    while (scale_once(h, n)) {}
  }
  // Turns a vector of the balanced matrix into one of the given matrix.
  template <class S> void undo(std::vector<S>& x) const {
    for (int i = low; i <= high; ++i) x[i] *= S(scale[i]);
    for (int i = low - 1; i >= 0; --i) std::swap(x[i], x[from[i]]);
    for (int i = high + 1; i < int(x.size()); ++i) std::swap(x[i], x[from[i]]);
  }

  int low = 0, high;

 private:
  std::vector<int> from;                               // where rows at the ends were
  std::vector<double> scale;

  bool scale_once(const Grid<T>& h, int n) {
    constexpr double most = 0x1p300;                   // products of scaled elements stay finite
    bool changed = false;
    for (int i = low; i <= high; ++i) {
      double column = 0, row = 0;
      for (int k = low; k <= high; ++k) {
        column = std::hypot(column, sum_of_parts(h(k, i)));
        row = std::hypot(row, sum_of_parts(h(i, k)));
      }
      if (column == 0 || row == 0) continue;
      double f = 1, c = column, r = row;
      while (c < r / 2 && f < most) f *= 2, c *= 2, r /= 2;
      while (c / 2 >= r && f > 1 / most) f /= 2, c /= 2, r *= 2;
      if (!(c + r < 0.95 * (column + row)) || scale[i] * f < 1 / most || scale[i] * f > most) continue;
      scale[i] *= f;
      changed = true;
      for (int k = low; k < n; ++k) h.at(i, k) *= T(1 / f);
      for (int k = 0; k <= high; ++k) h.at(k, i) *= T(f);
    }
    return changed;
  }
};

}  // namespace fb::lapack::reference
