#include <algorithm>

#include "base/parallel.h"
#include "kernels/relocate.h"
#include "op/build.h"
#include "ops.h"
#include "tensor/convert.h"
#include "tensor/walk.h"

namespace fb {

// Between tensors that fill their memory in the same order, which needs no plan.
static bool cast_flat(const Tensor& to, const Tensor& from) {
  const bool same_order = to.shape() == from.shape() &&
      ((to.is_contiguous() && from.is_contiguous()) || (to.strides() == from.strides() && is_dense(to.layout())));
  if (!same_order) return false;
  const DType a = from.dtype(), b = to.dtype();
  const char* in = from.data();
  char* out = to.data();
  parallel_for(to.numel(), elementwise_grain, [=](int64_t begin, int64_t end) {
    convert_packed(a, b, out + begin * bytes_of(b), in + begin * bytes_of(a), end - begin);
  });
  return true;
}

// Between any two arrangements of one dtype.
static bool moved(const Tensor& to, const Tensor& from) {
  if (to.dtype() != from.dtype() || to.numel() == 0) return false;
  const int bytes = bytes_of(to.dtype()), lead = to.dim() - from.dim();
  Dims to_strides, from_strides;
  for (int k = 0; k < to.dim(); ++k) {
    to_strides.push(to.strides()[k] * bytes);
    from_strides.push(k < lead || from.shape()[k - lead] == 1 ? 0 : from.strides()[k - lead] * bytes);
  }
  return relocate(bytes, to.shape(), to.data(), to_strides, from.data(), from_strides);
}

// Copies elements of any dtype to any other; unlike promotion, a cast may narrow.
static void cast_into(const Tensor& to, const Tensor& from) {
  if (cast_flat(to, from) || moved(to, from)) return;
  Walk walk(to.shape());
  walk.add_input(from, to.dtype());
  walk.set_output(to, to.dtype());
  Loop loop;
  switch (bytes_of(to.dtype())) {
    case 1: loop = [](void* o, const void* const* in, const void*, int64_t n) { memcpy(o, in[0], n); }; break;
    case 2: loop = [](void* o, const void* const* in, const void*, int64_t n) { memcpy(o, in[0], 2 * n); }; break;
    case 4: loop = [](void* o, const void* const* in, const void*, int64_t n) { memcpy(o, in[0], 4 * n); }; break;
    case 8: loop = [](void* o, const void* const* in, const void*, int64_t n) { memcpy(o, in[0], 8 * n); }; break;
    default: loop = [](void* o, const void* const* in, const void*, int64_t n) { memcpy(o, in[0], 16 * n); };
  }
  walk.run(loop, nullptr);
}

struct Copy {
  static constexpr auto schema = "copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor";
  static constexpr auto doc = R"(
    The elements of src, broadcast to self's shape and cast to its dtype; copy_ writes them into self.

    Shapes: self (*), src broadcastable to (*) → (*).   Dtypes: all, narrowing casts included.

    >>> fb.zeros(2).copy_(fb.tensor([1, 2]))
    tensor([1., 2.])
  )";
  using kind = Opaque;
  static constexpr auto grad_name = "CopyBackwards";
  static void write(Tensor self, Value src, bool) {
    if (src.is_number()) return fill_(self, src.as_scalar());
    Tensor from = src.as_tensor();
    if (from.body() == self.body()) return;
    check<ShapeError>(broadcast_shapes("copy_", self.shape(), from.shape()) == self.shape(), "copy_: src of "
                      "shape ", from.shape().list(), " does not fit into self of shape ", self.shape().list());
    check_no_partial_overlap("copy_", self, from);
    if (share_memory(self, from)) {
      Tensor apart = empty(from.shape(), from.dtype());
      cast_into(apart, from);
      from = apart;
    }
    cast_into(self, from);
  }
  static Tensor vjp_self(Tensor g) { return zeros_like(g); }   // what is overwritten no longer matters
  static Tensor vjp_src(Tensor g, Shape<1> shape, InType<1> dtype) {
    const Tensor real = is_complex(dtype) ? g : real_part(g);
    return sum_to_shape(real, shape);
  }
};

struct FillScalar {
  static constexpr auto schema = "fill(Tensor self, Scalar value) -> Tensor";
  static constexpr auto doc = R"(
    self with every element set to a number.

    Shapes: self (*) → (*).   Dtypes: all.

    >>> fb.fill(fb.zeros(2), 3.)
    tensor([3., 3.])
  )";
  using kind = Opaque;
  static void write(Tensor self, Scalar value) {
    check_holds(self.dtype(), value);
    if (self.is_contiguous()) return fill_packed(self.dtype(), self.data(), value, self.numel());
    Tensor one = empty(Dims(), self.dtype());
    fill_packed(self.dtype(), one.data(), value, 1);
    cast_into(self, one);
  }
  static Tensor vjp(Tensor g) { return zeros_like(g); }
};

// A new tensor like x with the strides of a memory format.
static Tensor with_format(const Tensor& x, DType dtype, const std::string& format) {
  if (format == "preserve_format") return empty_like(x, dtype);
  if (format == "contiguous_format") return empty(x.shape(), dtype);
  const int rank = format == "channels_last" ? 4 : 5;
  check(format == "channels_last" || format == "channels_last_3d", "contiguous: unknown memory format ",
        format);
  check(x.dim() == rank, "required rank ", rank, " tensor to use ", format, " format");
  Dims strides = Dims::filled(rank, 1);                // channels vary fastest, then the last dim, …, the batch slowest
  int64_t step = std::max<int64_t>(1, x.shape()[1]);
  for (int d = rank - 1; d >= 0; --d) {
    if (d == 1) continue;
    strides[d] = step;
    step *= std::max<int64_t>(1, x.shape()[d]);
  }
  return empty_strided(x.shape(), strides, dtype);
}

struct FillTensor {
  static constexpr auto schema = "fill.Tensor(Tensor self, Tensor value) -> Tensor";
  static constexpr auto doc = R"(
    self with every element set to the number in a 0-d tensor; gradients flow to it.

    Shapes: self (*), value () → (*).   Dtypes: all.

    >>> fb.fill(fb.zeros(2), fb.tensor(3.))
    tensor([3., 3.])
  )";
  using kind = Opaque;
  static constexpr auto grad_name = "FillBackward1";
  static void write(Tensor self, Tensor value) {
    check(value.dim() == 0, "fill_: value must be a single number or a 0-dimensional tensor, it has ",
          value.dim(), " dims");
    cast_into(self, share_memory(self, value) ? clone(value) : value);
  }
  static Tensor vjp_self(Tensor g) { return zeros_like(g); }
  static Tensor vjp_value(Tensor g) { return sum(g); }
};

struct Clone {
  static constexpr auto schema = "clone(Tensor self) -> Tensor";
  static constexpr auto doc = R"(
    A copy with memory of its own; gradients flow through it.

    Shapes: self (*) → (*).   Dtypes: all.

    >>> fb.clone(fb.ones(2))
    tensor([1., 1.])
  )";
  using kind = Opaque;
  static Tensor kernel(Tensor x) {
    Tensor r = empty_like(x, x.dtype());
    cast_into(r, x);
    return r;
  }
  static Tensor vjp(Tensor g) { return g; }
};

struct CloneFormat {
  static constexpr auto schema = "clone.format(Tensor self, *, str? memory_format) -> Tensor";
  static constexpr auto doc = "A copy with memory of its own, in the order of a memory format.";
  using kind = Opaque;
  static Tensor kernel(Tensor x, std::optional<std::string> format) {
    Tensor r = with_format(x, x.dtype(), format.value_or("preserve_format"));
    cast_into(r, x);
    return r;
  }
  static Tensor vjp(Tensor g) { return g; }
};

struct Contiguous {
  static constexpr auto schema = "_contiguous(Tensor self) -> Tensor";
  static constexpr auto doc = "A copy packed in logical order, last dim fastest.";
  using kind = Opaque;
  static constexpr auto grad_name = "CloneBackward0";
  static Tensor kernel(Tensor x) {
    Tensor r = empty(x.shape(), x.dtype());
    cast_into(r, x);
    return r;
  }
  static Tensor vjp(Tensor g) { return g; }
};

struct To {
  static constexpr auto schema = "_to_copy(Tensor self, dtype dtype) -> Tensor";
  static constexpr auto doc = "A copy converted to another dtype.";
  using kind = Opaque;
  static constexpr auto grad_name = "ToCopyBackward0";
  static Tensor kernel(Tensor x, DType dtype) {
    Tensor r = empty_like(x, dtype);
    cast_into(r, x);
    return r;
  }
  static Tensor vjp(Tensor g, InType<0> dtype) { return to_dtype(is_complex(dtype) ? g : real_part(g), dtype); }
};

Tensor contiguous_like(const Tensor& g, const Layout& layout) {
  Tensor r = is_dense(layout) ? empty_strided(layout.shape, layout.strides, g.dtype()) : empty(layout.shape, g.dtype());
  GradOff off;
  cast_into(r, g);
  return r;
}

FB_GROUP(copy, Copy, FillTensor, FillScalar, Clone, CloneFormat, Contiguous, To)

}  // namespace fb
