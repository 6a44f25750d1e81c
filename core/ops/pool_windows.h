#pragma once
#include <algorithm>
#include <vector>

#include "op/call.h"

// Where the windows of pooling lie, for the largest and the mean of each.
namespace fb::pool {

// Where the windows of one dim lie: elements start, start + step, … below end; `count` is what a mean divides
// by.
struct Axis {
  int64_t in = 1;
  std::vector<int64_t> start{0}, end{1}, count{1};
  int64_t step = 1;
  int64_t out() const { return static_cast<int64_t>(start.size()); }
};

// Three axes, missing ones in front, and the planes (samples and channels) that share them.
struct Windows {
  Axis axis[3];
  int64_t planes = 1;
  double divisor = 0;                                  // of means, if not 0
  Dims shape;                                          // of the result
  int64_t volume() const { return axis[0].in * axis[1].in * axis[2].in; }
  int64_t places() const { return axis[0].out() * axis[1].out() * axis[2].out(); }
  Windows(const Dims& sizes, int dims) {
    for (int i = 0; i < sizes.size() - dims; ++i) {
      planes *= sizes[i];
      shape.push(sizes[i]);
    }
  }
};

// One number for all dims, or one for each.
Dims per_dim(const char* op, const char* name, const Dims& given, int dims);
Windows sliding(const char* op, const Dims& sizes, int dims, const Dims& kernel, const Dims& stride,
                const Dims& padding, const Dims& dilation, bool ceil_mode, bool count_padding);
Windows adaptive(const char* op, const Dims& sizes, const Dims& outs);

// Windows [first, last) of an axis that hold all taps and start `stride` elements after one another.
struct Whole { int64_t first = 0, last = 0, stride = 1, taps = 0; };
Whole whole_windows(const Axis& a);

// Pooling computes in double, float or int64.
template <class Body> void by_number(DType d, const Body& body) {
  if (d == DType::f64) body(double());
  else if (d == DType::f32) body(float());
  else body(int64_t());
}
DType packed_as(std::string_view op, DType d);

// For the docs. cube: one plane whose sides are two; largest and mean: of its elements; last: the place of the
// largest.
template <int n> struct Plane;
template <> struct Plane<1> {
  static constexpr char places[] = "L", cube[] = "fb.arange(2.).view(1, 2)";
  static constexpr char largest[] = "1.0", mean[] = "0.5", last[] = "1";
};
template <> struct Plane<2> {
  static constexpr char places[] = "H, W", cube[] = "fb.arange(4.).view(1, 2, 2)";
  static constexpr char largest[] = "3.0", mean[] = "1.5", last[] = "3";
};
template <> struct Plane<3> {
  static constexpr char places[] = "D, H, W", cube[] = "fb.arange(8.).view(1, 2, 2, 2)";
  static constexpr char largest[] = "7.0", mean[] = "3.5", last[] = "7";
};

}  // namespace fb::pool
