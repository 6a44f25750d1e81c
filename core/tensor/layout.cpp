#include "tensor/layout.h"

#include <algorithm>

namespace fb {

Dims packed_strides(const Dims& shape) {
  Dims strides = shape;
  int64_t step = 1;
  for (int i = shape.size() - 1; i >= 0; --i) {
    strides[i] = step;
    step *= std::max<int64_t>(shape[i], 1);
  }
  return strides;
}

Layout::Layout(const Dims& s) : shape(s), strides(s) {
  int64_t step = 1;
  for (int i = s.size() - 1; i >= 0; --i) {
    strides[i] = step;
    numel *= s[i];
    step *= s[i] > 1 ? s[i] : 1;
  }
}

Layout::Layout(const Dims& s, const Dims& t, int64_t off) : shape(s), strides(t), offset(off) {
  int64_t step = 1;
  for (int i = s.size() - 1; i >= 0; --i) {
    if (s[i] != 1 && t[i] != step) contiguous = false;
    numel *= s[i];
    step *= s[i];
  }
  if (numel == 0) contiguous = true;
}

int64_t Layout::last_element() const {
  int64_t last = 0;
  for (int i = 0; i < dim(); ++i) last += (shape[i] - 1) * strides[i];
  return last;
}

static Dims order_by_stride(const Layout& x) {         // dims, largest stride first; ties keep their order
  Dims order;
  for (int i = 0; i < x.dim(); ++i) order.push(i);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return x.strides[int(a)] > x.strides[int(b)];
  });
  return order;
}

// The dims in the order in which memory is filled, fastest first. A dim of stride 0 says nothing about order and stays
// where it is, so that something made like an expanded tensor is packed in index order (PyTorch's rule, by experiment).
static Dims filling_order(const Layout& x) {
  Dims order;
  for (int i = x.dim() - 1; i >= 0; --i) order.push(i);
  for (int i = 1; i < x.dim(); ++i) {
    for (int moved = i, before = i - 1; before >= 0; --before) {
      const int a = int(order[before]), b = int(order[moved]);
      if (x.strides[a] == 0 || x.strides[b] == 0) continue;
      if (x.strides[a] < x.strides[b]) break;
      if (x.strides[a] == x.strides[b] && x.shape[a] <= x.shape[b]) continue;
      std::swap(order[before], order[moved]);
      moved = before;
    }
  }
  return order;
}

Dims dense_strides_like(const Layout& x) {
  const Dims order = filling_order(x);
  Dims strides = x.shape;
  int64_t step = 1;
  for (int i = 0; i < x.dim(); ++i) {
    const int d = int(order[i]);
    strides[d] = step;
    step *= std::max<int64_t>(x.shape[d], 1);
  }
  return strides;
}

bool is_dense(const Layout& x) {
  if (x.contiguous) return true;
  const Dims order = order_by_stride(x);
  int64_t step = 1;
  for (int i = x.dim() - 1; i >= 0; --i) {
    const int d = int(order[i]);
    if (x.shape[d] == 1) continue;
    if (x.strides[d] != step) return false;
    step *= x.shape[d];
  }
  return true;
}

bool may_overlap_itself(const Layout& x) {
  if (x.contiguous || x.numel == 0) return false;
  const Dims order = order_by_stride(x);
  int64_t reach = 0;                                   // last element covered by the dims seen so far
  for (int i = x.dim() - 1; i >= 0; --i) {
    const int d = int(order[i]);
    if (x.shape[d] == 1) continue;
    if (x.strides[d] <= reach) return true;
    reach += (x.shape[d] - 1) * x.strides[d];
  }
  return false;
}

Dims broadcast_shapes(std::string_view op, const Dims& a, const Dims& b) {
  if (a == b) return a;
  const int n = std::max(a.size(), b.size());
  Dims r = Dims::filled(n, 1);
  for (int i = n - 1; i >= 0; --i) {                    // from the last dim, so that errors name it first
    const int64_t x = i < n - a.size() ? 1 : a[i - n + a.size()];
    const int64_t y = i < n - b.size() ? 1 : b[i - n + b.size()];
    check<ShapeError>(x == y || x == 1 || y == 1, op, ": the shapes ", a, " and ", b, " do not broadcast, as sizes ",
                      x, " and ", y, " of dim ", i, " must match");
    r[i] = x == 1 ? y : x;
  }
  return r;
}

Dims infer_size(std::string_view op, const Dims& size, int64_t numel) {
  Dims r = size;
  int64_t known = 1;
  int hole = -1;
  for (int i = 0; i < size.size(); ++i) {
    if (size[i] == -1) {
      check(hole < 0, op, ": only one size can be -1, to be worked out from the others; got ",
            size.list());
      hole = i;
    } else {
      check(size[i] >= 0, op, ": a size must not be negative, got ", size[i], " in ", size.list());
      known *= size[i];
    }
  }
  if (hole >= 0) {
    check(known != 0, op, ": ", numel, " elements do not tell what -1 stands for in ", size.list(),
          ", as another size is 0");
    r[hole] = numel / known;
    known *= r[hole];
  }
  check(known == numel, op, ": ", numel, " elements do not fill the shape ", size.list());
  return r;
}

bool try_view(const Layout& x, const Dims& shape, Layout& result) {
  if (x.contiguous) {
    result = Layout(shape);
    result.offset = x.offset;
    return true;
  }
  Dims strides = Dims::filled(shape.size(), 1);
  int i = x.dim() - 1, j = shape.size() - 1;
  while (j >= 0) {                                     // match groups of old and new dims from the right
    while (i >= 0 && x.shape[i] == 1) --i;
    int64_t step = i >= 0 ? x.strides[i] : 1, have = i >= 0 ? x.shape[i--] : 1, want = shape[j];
    int first = j;
    while (have != want) {
      if (have < want) {
        while (i >= 0 && x.shape[i] == 1) --i;
        if (i < 0 || x.strides[i] != step * have) return false;
        have *= x.shape[i--];
      } else {
        if (first == 0) return false;
        want *= shape[--first];
      }
    }
    for (int k = j; k >= first; --k) {
      strides[k] = step;
      step *= std::max<int64_t>(shape[k], 1);
    }
    j = first - 1;
  }
  result = Layout(shape, strides, x.offset);
  return true;
}

}  // namespace fb
