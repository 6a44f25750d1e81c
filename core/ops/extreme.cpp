#include "kernels/extreme.h"

#include "op/build.h"

namespace fb {

struct Maximum; struct Minimum; struct Amax; struct Amin;

static Outputs<2> extreme_of(std::string_view op, const Tensor& x, int64_t dim, bool keepdim, bool largest) {
  check_real(op, x.dtype());
  check_line(op, x, dim);
  const Along a(x.shape(), dim);
  const Tensor from = computable(x);
  const Dims shape = reduced_at(x.shape(), a.dim, keepdim);
  Tensor values = empty(shape, from.dtype()), indices = empty(shape, DType::i64);
  for_real_type(from.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if (largest) extreme_along<T, true>(from.data<T>(), a, values.data<T>(), indices.data<int64_t>());
    else extreme_along<T, false>(from.data<T>(), a, values.data<T>(), indices.data<int64_t>());
  });
  return {to_dtype(values, x.dtype()), indices};
}

static void check_elements(std::string_view op, const Tensor& x) {
  check_real(op, x.dtype());
  check(x.numel() != 0, op, "(): an empty input has no extreme; pass dim, along which the size is not 0");
}

static Tensor place_of_extreme(std::string_view op, const Tensor& x, std::optional<int64_t> dim, bool keepdim,
                               bool largest) {
  check(!is_complex(x.dtype()), op, ": complex numbers have no order");
  check(x.dtype() != DType::boolean, op, ": bool is not supported; convert the input, e.g. with .int()");
  if (dim) return extreme_of(op, x, *dim, keepdim, largest)[1];
  check<IndexError>(x.numel() != 0, op, "(): an empty input has no extreme; pass dim, along which the size "
                    "is not 0");
  const Tensor at = extreme_of(op, reshape(x, {-1}), 0, false, largest)[1];
  return keepdim ? reshape(at, Dims::filled(x.dim(), 1)) : at;
}

struct Max {
  static constexpr auto schema = "max(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Largest element; nan if there is one. Ties share the gradient equally.

    Shapes: self (*) → ().   Dtypes: real.   Errors: RuntimeError if there are no elements.

    >>> fb.max(fb.tensor([1., 3., 2.]))
    tensor(3.)
  )";
  using kind = Opaque;
  static constexpr auto grad_name = "MaxBackward1";
  static Tensor kernel(Tensor x) {
    check_elements("max", x);
    return amax(x);
  }
  static Tensor vjp(Tensor g, In<0> x, Out y) { return shared_vjp(g, x, y, Value(), false); }
};

struct MaxDim {
  static constexpr auto schema =
      "max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)";
  static constexpr auto doc = R"(
    Largest elements along `dim` and where they first stand; nan is larger than all.

    Shapes: self (*) → twice self without dim, or with size 1 there if keepdim.   Dtypes: real; indices int64.
    Errors: IndexError if the dim has no elements.

    >>> fb.max(fb.tensor([[1., 3.], [5., 4.]]), 1)[1]
    tensor([1, 0])
  )";
  using kind = Opaque;
  static constexpr auto grad_name = "MaxBackward0";
  static Outputs<2> kernel(Tensor x, int64_t dim, bool keepdim) {
    return extreme_of("max", x, dim, keepdim, true);
  }
  static Tensor vjp(Tensor g, OutAt<1> index, Shape<0> shape, Arg<1, int64_t> dim, Arg<2, bool> keepdim) {
    return picked_vjp(g, index, shape, dim, keepdim);
  }
};

struct MaxOther {
  static constexpr auto schema = "max.other(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = "The larger of two tensors, element by element: maximum.";
  using kind = Composite;
  static Tensor decompose(Tensor self, Tensor other) { return call_op<Maximum>(self, other); }
};

struct Min {
  static constexpr auto schema = "min(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    Smallest element; nan if there is one. Ties share the gradient equally.

    Shapes: self (*) → ().   Dtypes: real.   Errors: RuntimeError if there are no elements.

    >>> fb.min(fb.tensor([3., 1., 2.]))
    tensor(1.)
  )";
  using kind = Opaque;
  static constexpr auto grad_name = "MinBackward1";
  static Tensor kernel(Tensor x) {
    check_elements("min", x);
    return amin(x);
  }
  static Tensor vjp(Tensor g, In<0> x, Out y) { return shared_vjp(g, x, y, Value(), false); }
};

struct MinDim {
  static constexpr auto schema =
      "min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)";
  static constexpr auto doc = R"(
    Smallest elements along `dim` and where they first stand; nan is smaller than all.

    Shapes: self (*) → twice self without dim, or with size 1 there if keepdim.   Dtypes: real; indices int64.
    Errors: IndexError if the dim has no elements.

    >>> fb.min(fb.tensor([[1., 3.], [5., 4.]]), 1)[1]
    tensor([0, 1])
  )";
  using kind = Opaque;
  static constexpr auto grad_name = "MinBackward0";
  static Outputs<2> kernel(Tensor x, int64_t dim, bool keepdim) {
    return extreme_of("min", x, dim, keepdim, false);
  }
  static Tensor vjp(Tensor g, OutAt<1> index, Shape<0> shape, Arg<1, int64_t> dim, Arg<2, bool> keepdim) {
    return picked_vjp(g, index, shape, dim, keepdim);
  }
};

struct MinOther {
  static constexpr auto schema = "min.other(Tensor self, Tensor other) -> Tensor";
  static constexpr auto doc = "The smaller of two tensors, element by element: minimum.";
  using kind = Composite;
  static Tensor decompose(Tensor self, Tensor other) { return call_op<Minimum>(self, other); }
};

struct Argmax {
  static constexpr auto schema = "argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor";
  static constexpr auto doc = R"(
    Where the largest element first stands, in the flattened tensor or along `dim`; nan is larger than all.

    Shapes: self (*) → () or self without dim; keepdim leaves size 1.   Dtypes: real but bool; int64.
    Errors: IndexError if there is nothing to choose from.

    >>> fb.argmax(fb.tensor([[1., 3.], [5., 4.]]))
    tensor(2)
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensor x, std::optional<int64_t> dim, bool keepdim) {
    return place_of_extreme("argmax", x, dim, keepdim, true);
  }
};

struct Argmin {
  static constexpr auto schema = "argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor";
  static constexpr auto doc = R"(
    Where the smallest element first stands, in the flattened tensor or along `dim`; nan is smaller than all.

    Shapes: self (*) → () or self without dim; keepdim leaves size 1.   Dtypes: real but bool; int64.
    Errors: IndexError if there is nothing to choose from.

    >>> fb.argmin(fb.tensor([[1., 3.], [5., 4.]]), 1)
    tensor([0, 1])
  )";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensor x, std::optional<int64_t> dim, bool keepdim) {
    return place_of_extreme("argmin", x, dim, keepdim, false);
  }
};

struct Aminmax {
  static constexpr auto schema =
      "aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)";
  static constexpr auto doc = R"(
    Smallest and largest element, of all or along `dim`; nan if there is one. Ties share gradients equally.

    Shapes: self (*) → twice () or self without dim; keepdim leaves size 1.   Dtypes: real.
    Errors: RuntimeError of no elements, IndexError if dim has none.

    >>> fb.aminmax(fb.tensor([3., 1., 2.]))[0]
    tensor(1.)
  )";
  using kind = Opaque;
  static constexpr bool out_exact = true;
  static Outputs<2> kernel(Tensor x, Value dim, bool keepdim) {
    check_real("aminmax", x.dtype());
    if (dim) check_line("aminmax", x, dim.as_int());
    else check(x.numel() != 0, "aminmax: an empty input has neither a minimum nor a maximum");
    return {amin(x, dim, keepdim), amax(x, dim, keepdim)};
  }
  static Tensor vjp(Tensor g_min, Tensor g_max, In<0> x, Out low, OutAt<1> high, Arg<1, Value> dim,
      Arg<2, bool> keepdim) {
    return shared_vjp(g_min, x, low, dim, keepdim) + shared_vjp(g_max, x, high, dim, keepdim);
  }
};

// Runs f(line start in x, in index, element size) on every line of two tensors that differ in one dim only.
template <class F> static void for_line_pairs(const Along& whole, const Along& picked, const F& f) {
  for_lines(picked, [&](int64_t line) { f(whole.start(line), picked.start(line)); });
}

struct TakeAlong {
  static constexpr auto schema = "_take_along(Tensor self, Tensor index, int dim) -> Tensor";
  static constexpr auto doc =
      "Elements along dim at the places of index, which are in range; other sizes agree.";
  using kind = Opaque;
  static constexpr auto grad_name = "GatherBackward0";
  static Tensor kernel(Tensor self, Tensor index, int64_t dim) {
    const Tensor x = contiguous(self), at = contiguous(index);
    Tensor r = empty(index.shape(), x.dtype());
    const Along whole(x.shape(), dim), picked(index.shape(), dim);
    const int bytes = bytes_of(x.dtype());
    const char* from = x.data();
    char* to = r.data();
    const int64_t* places = at.data<int64_t>();
    for_line_pairs(whole, picked, [&](int64_t in, int64_t out) {
      for (int64_t i = 0; i < picked.n; ++i) {
        const int64_t o = out + i * picked.inner;
        memcpy(to + o * bytes, from + (in + places[o] * whole.inner) * bytes, static_cast<size_t>(bytes));
      }
    });
    return r;
  }
  static Tensor vjp_self(Tensor g, In<1> index, Shape<0> shape, Arg<2, int64_t> dim) {
    return put_along(g, index, dim, shape.empty() ? 1 : shape[wrap_dim(dim, shape.size())]);
  }
  static NoGrad vjp_index();
};

struct PutAlong {
  static constexpr auto schema = "_put_along(Tensor self, Tensor index, int dim, int length) -> Tensor";
  static constexpr auto doc =
      "Zeros of size `length` along dim, with the elements of self added at the places of index.";
  using kind = Opaque;
  static constexpr auto grad_name = "ScatterAddBackward0";
  static Tensor kernel(Tensor self, Tensor index, int64_t dim, int64_t length) {
    const Tensor x = computable(self), at = contiguous(index);
    const int d = wrap_dim(dim, x.dim());
    Tensor r = zeros(resized_at(x.shape(), d, length), x.dtype());
    const Along whole(r.shape(), dim), picked(x.shape(), dim);
    const int64_t* places = at.data<int64_t>();
    for_any_type(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      const T* from = x.data<T>();
      T* to = r.data<T>();
      for_line_pairs(whole, picked, [&](int64_t in, int64_t out) {
        for (int64_t i = 0; i < picked.n; ++i) {
          const int64_t o = out + i * picked.inner;
          to[in + places[o] * whole.inner] += from[o];
        }
      });
    });
    return to_dtype(r, self.dtype());
  }
  static Tensor vjp_self(Tensor g, In<1> index, Arg<2, int64_t> dim) { return take_along(g, index, dim); }
  static NoGrad vjp_index();
};

// A 0-d tensor may stand for a dim, so the overload that takes a tensor comes first.
FB_GROUP(extreme, Max, MaxOther, MaxDim, Min, MinOther, MinDim, Argmax, Argmin, Aminmax, TakeAlong, PutAlong)

}  // namespace fb
