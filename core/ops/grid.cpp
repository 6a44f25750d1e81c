// Sampling of (N, C, *) at the places of a grid, and the grids of affine maps.
// Source: Jaderberg, Simonyan, Zisserman & Kavukcuoglu, arXiv:1506.02025.
#include <algorithm>
#include <cmath>

#include "kernels/grid.h"
#include "kernels/rows.h"
#include "op/build.h"
#include "op/joined.h"
#include "ops.h"

namespace fb {

struct GridSample; struct GridSampleBackward; struct Linspace;

namespace {

using namespace grid;

// Keys' cubic convolution with slope -0.75 at 1: weights of the elements -1, 0, 1, 2, and their derivatives.
template <class T> void cubic_weights(T t, T* w, T* d) {
  const T a = T(-0.75);
  auto far = [&](T x, T& value, T& slope) {
    value = ((a * x - T(5) * a) * x + T(8) * a) * x - T(4) * a;
    slope = (T(3) * a * x - T(10) * a) * x + T(8) * a;
  };
  auto near = [&](T x, T& value, T& slope) {
    value = ((a + T(2)) * x - (a + T(3))) * x * x + T(1);
    slope = (T(3) * (a + T(2)) * x - T(2) * (a + T(3))) * x;
  };
  far(t + T(1), w[0], d[0]);
  near(t, w[1], d[1]);
  near(T(1) - t, w[2], d[2]);
  far(T(2) - t, w[3], d[3]);
  d[2] = -d[2];
  d[3] = -d[3];
}

// The elements that a place reads: their offsets in a plane, weights, and derivatives of those.
template <class T> struct Taps {
  int count = 0;
  int64_t offset[16];
  T weight[16], slope[16][3];

  // `at[i]`: coordinates of dim i to choose from, outside ones negative, with their weights and slopes.
  void product(const Sampler& k, int choices, const int64_t (*at)[4], const T (*w)[4], const T (*d)[4]) {
    int all = 1;
    for (int i = 0; i < k.dims; ++i) all *= choices;
    for (int n = 0; n < all; ++n) {
      int64_t place = 0;
      bool inside = true;
      T total = 1;
      T slopes[3] = {1, 1, 1};
      for (int i = 0, rest = n; i < k.dims; ++i, rest /= choices) {
        const int c = rest % choices;
        inside = inside && at[i][c] >= 0 && at[i][c] < k.size[i];
        place = place * k.size[i] + at[i][c];
        total *= w[i][c];
        for (int j = 0; j < k.dims; ++j) slopes[j] *= i == j ? d[i][c] : w[i][c];
      }
      if (!inside) continue;
      offset[count] = place;
      weight[count] = total;
      std::copy(slopes, slopes + 3, slope[count++]);
    }
  }

  Taps(const Sampler& k, const T* grid) {              // grid: the last dim's coordinate first
    int64_t at[3][4];
    T w[3][4], d[3][4];
    const int choices = k.sampling == linear ? 2 : k.sampling == nearest ? 1 : 4;
    for (int i = 0; i < k.dims; ++i) {
      Coordinate<T> c = in_elements(grid[k.dims - 1 - i], k.size[i], k.aligned);
      c = brought_inside(c, k.size[i], k.sampling == cubic ? zero : k.outside, k.aligned);
      const T base = k.sampling == nearest ? std::nearbyint(c.at) : std::floor(c.at), t = c.at - base;
      w[i][0] = 1;
      d[i][0] = 0;
      if (k.sampling == linear) w[i][0] = T(1) - t, w[i][1] = t, d[i][0] = T(-1), d[i][1] = T(1);
      if (k.sampling == cubic) cubic_weights(t, w[i], d[i]);
      for (int n = 0; n < choices; ++n) {
        d[i][n] *= c.slope;
        Coordinate<T> element{base + T(k.sampling == cubic ? n - 1 : n), T(0)};
        if (k.sampling == cubic) element = brought_inside(element, k.size[i], k.outside, k.aligned);
        at[i][n] = static_cast<int64_t>(std::floor(element.at));
      }
    }
    product(k, choices, at, w, d);
  }
};

template <class T> void sample(const Sampler& k, const T* x, const T* grid, T* y, int64_t begin, int64_t end) {
  for (int64_t p = begin; p < end; ++p) {
    const int64_t n = p / k.places, place = p % k.places;
    const Taps<T> taps(k, grid + p * k.dims);
    for (int64_t c = 0; c < k.channels; ++c) {
      const T* plane = x + (n * k.channels + c) * k.volume;
      T total = 0;
      for (int i = 0; i < taps.count; ++i) total += taps.weight[i] * plane[taps.offset[i]];
      y[(n * k.channels + c) * k.places + place] = total;
    }
  }
}

// Gradients of one sample; gx may be null.
template <class T> void spread(const Sampler& k, const T* g, const T* x, const T* grid, T* gx, T* ggrid, int64_t n) {
  for (int64_t place = 0; place < k.places; ++place) {
    const int64_t p = n * k.places + place;
    const Taps<T> taps(k, grid + p * k.dims);
    T slopes[3] = {0, 0, 0};
    for (int64_t c = 0; c < k.channels; ++c) {
      const int64_t plane = (n * k.channels + c) * k.volume;
      const T each = g[(n * k.channels + c) * k.places + place];
      for (int i = 0; i < taps.count; ++i) {
        if (gx) gx[plane + taps.offset[i]] += taps.weight[i] * each;
        for (int j = 0; j < k.dims; ++j) slopes[j] += taps.slope[i][j] * each * x[plane + taps.offset[i]];
      }
    }
    for (int j = 0; j < k.dims; ++j) ggrid[p * k.dims + k.dims - 1 - j] = slopes[j];
  }
}

}  // namespace

struct GridSample {
  static constexpr auto schema = "grid_sampler(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor";
  static constexpr auto doc = R"(
    Values of input at the places of grid, whose coordinates in [-1, 1] count the last dim first.

    Modes: 0 linear, 1 nearest, 2 cubic; outside: 0 zeros, 1 the border, 2 reflections. With align_corners ±1 are the
    centres of the outermost elements, else their edges. Shapes: input (N, C, H, W) or (N, C, D, H, W), grid
    (N, *, 2) or (N, *, 3) → (N, C, *).   Dtypes: floating, both the same.   Errors: RuntimeError for other shapes.

    >>> fb.grid_sampler(fb.tensor([[[[0., 2.]]]]), fb.zeros(1, 1, 1, 2), 0, 0, False)
    tensor([[[[1.]]]])
  )";
  using kind = Opaque;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[0].as_tensor().dim() == 4 ? "GridSampler2DBackward0" : "GridSampler3DBackward0";
  }
  static void examine(const Args& args) {
    const Tensor &x = args[0].as_tensor(), &grid = args[1].as_tensor();
    const Dims &in = x.shape(), &at = grid.shape();
    const int64_t mode = args[2].as_int(), padding = args[3].as_int();
    check((in.size() == 4 || in.size() == 5) && in.size() == at.size(), "grid_sampler: input and grid need 4 "
          "dims each for images or 5 for volumes; their shapes are ", in.list(), " and ", at.list());
    check(in[0] == at[0], "grid_sampler: input and grid differ in batch size; their shapes are ", in.list(),
          " and ", at.list());
    check(at.back() == in.size() - 2, "grid_sampler: a position has ", in.size() - 2, " coordinates, so this "
          "must be the last size of grid; its shape is ", at.list());
    for (int i = 2; i < in.size(); ++i)
      check(in[i] > 0, "grid_sampler: nothing can be read from an input of shape ", in.list(), ", which is "
            "empty along dim ", i);
    check(mode >= linear && mode <= cubic && padding >= zero && padding <= reflection, "grid_sampler(): unknown mode ", mode, " or padding mode ",
          padding);
    check(mode != cubic || in.size() == 4, "grid_sampler: mode='bicubic' is for images, an input of 4 dims; "
          "this one has ", in.size());
    check<UnsupportedError>(is_floating(x.dtype()), "\"grid_sampler\" not implemented for '", row(x.dtype()).legacy, "'");
    check(x.dtype() == grid.dtype(), "grid_sampler: input is ", name_of(x.dtype()), " and grid is ",
          name_of(grid.dtype()), "; convert one to the dtype of the other");
  }
  static Tensor kernel(Tensor input, Tensor grid, int64_t mode, int64_t padding, bool aligned) {
    const DType type = computed_as(input.dtype());
    const Tensor x = contiguous(to_dtype(input, type)), at = contiguous(to_dtype(grid, type));
    const Sampler k(x.shape(), at.shape(), mode, padding, aligned);
    Dims shape{k.batch, k.channels};
    for (int i = 0; i < k.dims; ++i) shape.push(at.shape()[1 + i]);
    Tensor y = empty(shape, type);
    by_real(type, [&]<class T>(T) {
      const T *from = x.data<T>(), *places = at.data<T>();
      T* to = y.data<T>();
      const auto loop = k.flat() ? Clones<&sample_flat<T>>::pick() : &sample<T>;
      parallel_for(k.batch * k.places, row_grain(k.channels * 8), [&](int64_t b, int64_t e) { loop(k, from, places, to, b, e); });
    });
    return to_dtype(y, input.dtype());
  }
  static Outputs<2> vjp_all(Tensor g, In<0> input, In<1> grid, Arg<2, int64_t> mode, Arg<3, int64_t> padding, Arg<4, bool> aligned, Needs needs) {
    return call_outputs<2, GridSampleBackward>(g, input, grid, mode.value, padding.value, aligned.value, needs[0]);
  }
};

struct GridSampleBackward {
  static constexpr auto schema = "_grid_sampler_backward(Tensor grad, Tensor input, Tensor grid, int interpolation_mode, int padding_mode, "
                                 "bool align_corners, bool wants_input) -> (Tensor, Tensor)";
  static constexpr auto doc = "Gradients of grid_sampler in its input, if wanted, and its grid.";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Outputs<2> kernel(Tensor grad, Tensor input, Tensor grid, int64_t mode, int64_t padding, bool aligned, bool wants_input) {
    const Args recorded(input, grid, mode, padding);
    GridSample::examine(recorded);
    const DType type = computed_as(input.dtype());
    const Tensor x = contiguous(to_dtype(input, type)), at = contiguous(to_dtype(grid, type)), g = contiguous(to_dtype(grad, type));
    const Sampler k(x.shape(), at.shape(), mode, padding, aligned);
    check(g.numel() == k.batch * k.channels * k.places, "grid_sampler(): gradient of shape ", g.shape().list(), " does not fit");
    Tensor gx = zeros(wants_input ? x.shape() : Dims{0}, type), ggrid = empty(at.shape(), type);
    by_real(type, [&]<class T>(T) {
      const T *each = g.data<T>(), *from = x.data<T>(), *places = at.data<T>();
      T *to = wants_input ? gx.data<T>() : nullptr, *slopes = ggrid.data<T>();
      const auto loop = k.flat() ? Clones<&spread_flat<T>>::pick() : &spread<T>;
      parallel_for(k.batch, row_grain(k.places * k.channels * 8), [&](int64_t b, int64_t e) {
        for (int64_t n = b; n < e; ++n) loop(k, each, from, places, to, slopes, n);
      });
    });
    return {to_dtype(gx, input.dtype()), to_dtype(ggrid, grid.dtype())};
  }
};

namespace {

// Coordinates from -1 to 1 of the elements of one dim.
Tensor unit_steps(int64_t n, bool aligned, DType d) {
  const double end = n > 1 ? (aligned ? 1 : double(n - 1) / double(n)) : 0;
  return call_op<Linspace>(Value(-end), Value(end), n, Value(d));
}

}  // namespace

struct AffineGrid {
  static constexpr auto schema = "affine_grid_generator(Tensor theta, int[] size, bool align_corners) -> Tensor";
  static constexpr auto doc = R"(
    The grid for grid_sampler that maps places of the output through theta.

    Shapes: theta (N, 2, 3) with size (N, C, H, W), or (N, 3, 4) with (N, C, D, H, W) → (N, *, 2 or 3).   Dtypes: floating.

    >>> fb.affine_grid_generator(fb.tensor([[[1., 0., 0.], [0., 1., 0.]]]), (1, 1, 1, 2), True)
    tensor([[[[-1.,  0.],
              [ 1.,  0.]]]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor theta, Dims size, bool aligned) {
    check(size.size() == 4 || size.size() == 5, "affine_grid_generator: size must have 4 or 5 numbers, but got ", size.list());
    const int dims = size.size() - 2;
    check(theta.dim() == 3 && theta.shape()[0] == size[0] && theta.shape()[1] == dims && theta.shape()[2] == dims + 1,
          "affine_grid: for size ", size.list(), ", theta must have shape ", size[0], "x", dims, "x",
          dims + 1, "; it has ", theta.shape().list());
    for (int64_t n : size) check(n > 0, "affine_grid: every number in size must be positive, got ",
                                 size.list());
    Dims out{size[0]};
    Dims places;
    for (int i = 0; i < dims; ++i) places.push(size[2 + i]), out.push(size[2 + i]);
    Tensors columns;                                     // (x, y, …, 1) of every place
    for (int i = dims - 1; i >= 0; --i) {
      Dims along = Dims::filled(dims, 1);
      along[i] = size[2 + i];
      columns.push_back(reshape(expand(view(unit_steps(size[2 + i], aligned, theta.dtype()), along), places), Dims{places.product(), 1}));
    }
    columns.push_back(ones({places.product(), 1}, theta.dtype()));
    const Tensor base = expand(unsqueeze(cat(columns, 1), 0), Dims{size[0], places.product(), dims + 1});
    out.push(dims);
    const Tensor grid = bmm(base, transpose(theta, 1, 2));
    const Scoped name(mode.grad_name, std::string_view("AffineGridGeneratorBackward0"));
    return view(grid, out);
  }
};

template <int n> struct GridSampler {
  static constexpr auto name = joined("grid_sampler_", digit(n), "d");
  static constexpr auto schema =
      joined(name, "(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, "
             "bool align_corners) -> Tensor");
  static constexpr auto doc = joined("grid_sampler for inputs of ", digit(n), " spatial dims.");
  using kind = Composite;
  static Tensor decompose(Tensor x, Tensor grid, int64_t mode, int64_t padding, bool align_corners) {
    check(x.dim() == n + 2, name, ": expected input of ", n + 2, " dims, but got sizes ", x.shape().list());
    return call_op<GridSample>(x, grid, mode, padding, align_corners);
  }
};

FB_GROUP(grid, GridSample, GridSampleBackward, GridSampler<2>, GridSampler<3>, AffineGrid)

}  // namespace fb
