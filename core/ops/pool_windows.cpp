#include "ops/pool_windows.h"

namespace fb::pool {

Dims per_dim(const char* op, const char* name, const Dims& given, int dims) {
  constexpr const char* words[] = {"", "one int", "two ints", "three ints"};
  if (given.size() == 1) return Dims::filled(dims, given[0]);
  check(given.size() == dims, op, ": ", name, " takes one number or ", words[dims], ", got ", given.list());
  return given;
}

static void check_input(const char* op, const Dims& sizes, int dims) {
  if (std::string_view(op) == "avg_pool2d")
    check<IndexError>(sizes.size() >= 3, op, ": the input needs ", dims + 1, " dims at least; there is no "
                      "dim -3 in ", -sizes.size(), " … ", sizes.size() - 1, ", the shape is ", sizes.list());
  bool full = sizes.size() == dims + 1 || sizes.size() == dims + 2;
  for (int i = sizes.size() == dims + 2 ? 1 : 0; full && i < sizes.size(); ++i) full = sizes[i] > 0;
  check(full, op, ": the input needs ", dims + 1, " dims, or ", dims + 2, " with a batch, and only the batch "
        "may be 0; its shape is ", sizes.list());
}

static int64_t pooled_size(int64_t in, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation,
                           bool ceil_mode) {
  const int64_t room = in + 2 * padding - dilation * (kernel - 1) - 1 + (ceil_mode ? stride - 1 : 0);
  int64_t out = (room >= 0 ? room / stride : -1) + 1;
  if (ceil_mode && (out - 1) * stride >= in + padding) --out;   // the last window starts inside
  return out;
}

Windows sliding(const char* op, const Dims& sizes, int dims, const Dims& kernel, const Dims& stride,
                const Dims& padding, const Dims& dilation, bool ceil_mode, bool count_padding) {
  check_input(op, sizes, dims);
  const Dims k = per_dim(op, "kernel_size", kernel, dims),
             s = stride.empty() ? k : per_dim(op, "stride", stride, dims);
  const Dims p = per_dim(op, "padding", padding, dims), d = per_dim(op, "dilation", dilation, dims);
  Windows w(sizes, dims);
  Dims outs;
  for (int i = 0; i < dims; ++i) {
    check(s[i] != 0, op, ": stride must not be 0");
    check(k[i] > 0 && s[i] > 0 && d[i] > 0, op, ": kernel_size, stride and dilation must be positive, got ",
          k.list(), ", ", s.list(), ", ", d.list());
    check(p[i] >= 0, op, ": padding must not be negative, got ", p[i]);
    check(p[i] <= ((k[i] - 1) * d[i] + 1) / 2, op, ": padding=", p[i], " exceeds half of the kernel, of "
          "size ", k[i], " with dilation ", d[i]);
    const int64_t in = sizes[sizes.size() - dims + i],
                  out = pooled_size(in, k[i], s[i], p[i], d[i], ceil_mode);
    outs.push(std::max<int64_t>(out, 0));
    Axis& a = w.axis[3 - dims + i];
    a = {in, {}, {}, {}, d[i]};
    for (int64_t o = 0; o < out; ++o) {
      const int64_t from = o * s[i] - p[i];
      const int64_t first = from < 0 ? from + (-from + d[i] - 1) / d[i] * d[i] : from,
                    last = std::min(from + (k[i] - 1) * d[i] + 1, in);
      a.start.push_back(first);
      a.end.push_back(last);
      a.count.push_back(count_padding ? std::min(from + k[i], in + p[i]) - from : last - first);
    }
  }
  for (int64_t o : outs) {
    check(o > 0, op, ": an input of ", sizes.list(), " gives an output of ", outs.list(), ", which is empty; "
          "reduce kernel_size or enlarge the input");
    w.shape.push(o);
  }
  return w;
}

Windows adaptive(const char* op, const Dims& sizes, const Dims& outs) {
  const int dims = outs.size();
  for (int64_t o : outs) check(o >= 0, op, ": output_size must not be negative, got ", outs.list());
  check_input(op, sizes, dims);
  Windows w(sizes, dims);
  for (int i = 0; i < dims; ++i) {
    const int64_t in = sizes[sizes.size() - dims + i], out = outs[i];
    Axis& a = w.axis[3 - dims + i];
    a = {in, {}, {}, {}, 1};
    for (int64_t o = 0; o < out; ++o) {
      a.start.push_back(o * in / out);
      a.end.push_back(((o + 1) * in + out - 1) / out);
      a.count.push_back(a.end.back() - a.start.back());
    }
    w.shape.push(out);
  }
  return w;
}

Whole whole_windows(const Axis& a) {
  Whole w;
  const int64_t n = a.out();
  int64_t extent = 0;
  for (int64_t i = 0; i < n; ++i) extent = std::max(extent, a.end[i] - a.start[i]);
  w.taps = (extent + a.step - 1) / a.step;
  const auto whole = [&](int64_t i) { return (a.end[i] - a.start[i] + a.step - 1) / a.step == w.taps; };
  while (w.first < n && !whole(w.first)) ++w.first;
  w.last = std::min(n, w.first + 1);
  if (w.last < n) w.stride = a.start[w.last] - a.start[w.first];
  while (w.last < n && whole(w.last) && a.start[w.last] - a.start[w.last - 1] == w.stride) ++w.last;
  return w;
}

DType packed_as(std::string_view op, DType d) {
  check<UnsupportedError>(category_of(d) == Category::integral || category_of(d) == Category::floating, "\"",
                          op, "\" not implemented for '", row(d).legacy, "'");
  return storage_of(compute_of(d));
}

}  // namespace fb::pool
