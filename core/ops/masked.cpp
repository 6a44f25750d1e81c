#include "base/parallel.h"
#include "kernels/indexing.h"
#include "kernels/typed.h"
#include "op/build.h"
#include "ops.h"
#include "tensor/convert.h"
#include "tensor/walk.h"

namespace fb {

struct MaskedSelect;
struct MaskedScatter;

static void check_mask(std::string_view op, const Tensor& mask) {
  check(mask.dtype() == DType::boolean, op, ": the mask must be bool, it is ", name_of(mask.dtype()),
        "; convert it with .bool()");
}

template <class W> void blend(void* out, const void* const* in, const void* scalars, int64_t n) {
  auto* o = static_cast<W*>(out);
  const auto* x = static_cast<const W*>(in[0]);
  const auto* m = static_cast<const uint8_t*>(in[1]);
  const W v = *static_cast<const W*>(scalars);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) o[i] = m[i] ? v : x[i];
}

struct MaskedFill {
  static constexpr auto schema = "masked_fill(Tensor self, Tensor mask, Tensor value) -> Tensor";
  static constexpr auto doc = R"(
    self with the elements where mask is true set to a number.

    Shapes: self (*), mask broadcastable with it, value a number or 0-d → broadcast of self and mask.
    Dtypes: all; mask bool.

    >>> fb.masked_fill(fb.tensor([1., 2.]), fb.tensor([True, False]), 0)
    tensor([0., 2.])
  )";
  using kind = Opaque;
  static constexpr bool in_place = true;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[2].tag == Value::tensor ? "MaskedFillBackward1" : "MaskedFillBackward0";
  }
  static void examine(const Args& args) {
    const Tensor& self = args[0].as_tensor();
    check_mask("masked_fill", args[1].as_tensor());
    if (args[2].tag != Value::tensor) {
      return check_holds(self.dtype(), args[2].as_scalar());
    }
    const Tensor& value = args[2].as_tensor();
    check(value.dim() == 0, "masked_fill: value must be a single number or a 0-dimensional tensor, it has ",
          value.dim(), " dims");
    check_holds(self.dtype(), read_number(value.dtype(), value.data()));
  }
  static void fill(const Tensor& to, const Tensor& from, const Tensor& mask, const Value& value) {
    alignas(16) char number[16];
    if (value.tag == Value::tensor) convert_packed(value.as_tensor().dtype(), to.dtype(), number, value.as_tensor().data(), 1);
    else fill_packed(to.dtype(), number, value.as_scalar(), 1);
    Walk walk(to.shape());
    walk.add_input(from, to.dtype());
    walk.add_input(mask, DType::boolean);
    walk.set_output(to, to.dtype());
    with_bytes(bytes_of(to.dtype()), [&](auto w) {
      using W = decltype(w);
      if constexpr (sizeof(W) == 16) walk.run(&blend<W>, number);
      else walk.run(Clones<&blend<W>>::pick(), number);
    });
  }
  static Tensor kernel(Tensor self, Tensor mask, Value value) {
    const Dims shape = broadcast_shapes("masked_fill", self.shape(), mask.shape());
    Tensor r = shape == self.shape() ? empty_like(self, self.dtype()) : empty(shape, self.dtype());
    fill(r, self, mask, value);
    return r;
  }
  static void write(Tensor self, Tensor mask, Value value) {
    check<ShapeError>(broadcast_shapes("masked_fill_", self.shape(), mask.shape()) == self.shape(),
                      "masked_fill_: a mask of shape ", mask.shape().list(), " does not fit self of shape ",
                      self.shape().list());
    fill(self, self, share_memory(self, mask) ? clone(mask) : mask, value);
  }
  static NoGrad vjp_mask();
  static Tensor vjp_self(Tensor g, Shape<0> shape, In<1> mask) { return sum_to_shape(call_op<MaskedFill>(g, mask, 0), shape); }
  static Tensor vjp_value(Tensor g, In<1> mask) { return sum(where(mask, g, Scalar(0))); }
};

struct MaskedSelect {
  static constexpr auto schema = "masked_select(Tensor self, Tensor mask) -> Tensor";
  static constexpr auto doc = R"(
    The elements where mask is true, in logical order.

    Shapes: self (*), mask (*), broadcast → (n,).   Dtypes: all; mask bool.

    >>> fb.masked_select(fb.tensor([1, 2, 3]), fb.tensor([True, False, True]))
    tensor([1, 3])
  )";
  using kind = Opaque;
  static constexpr bool out_apart = true, out_exact = true;
  static void examine(const Args& args) {
    check(args[1].as_tensor().dtype() == DType::boolean, "masked_select: the mask must be bool; convert it "
          "with .bool()");
  }
  static Tensor kernel(Tensor self, Tensor mask) {
    const Dims shape = broadcast_shapes("masked_select", self.shape(), mask.shape());
    return compress(contiguous(expand(self, shape)), contiguous(expand(mask, shape)));
  }
  static NoGrad vjp_mask();
  static Tensor vjp_self(Tensor g, Shape<0> shape, In<1> mask) {
    const Dims both = broadcast_shapes("masked_select", shape, mask.shape());
    return sum_to_shape(call_op<MaskedScatter>(zeros(both, g.dtype()), mask, g), shape);
  }
};

struct MaskedScatter {
  static constexpr auto schema = "masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor";
  static constexpr auto doc = R"(
    self with the elements where mask is true replaced by those of source, in order.

    Shapes: self (*), mask broadcastable with it, source with an element or more for each true one of the mask →
    broadcast of self and mask.   Dtypes: all, source as self; mask bool.

    >>> fb.masked_scatter(fb.zeros(3), fb.tensor([True, False, True]), fb.tensor([1., 2.]))
    tensor([1., 0., 2.])
  )";
  using kind = Opaque;
  static constexpr bool in_place = true;
  static void examine(const Args& args) {
    const DType a = args[0].as_tensor().dtype(), b = args[2].as_tensor().dtype();
    check(args[1].as_tensor().dtype() == DType::boolean, "masked_scatter: the mask must be bool, it is ",
          name_of(args[1].as_tensor().dtype()), "; convert it with .bool()");
    check(a == b, "masked_scatter: self is ", row(a).legacy, " and source is ", row(b).legacy, "; convert "
          "one to the dtype of the other");
  }
  static Tensor kernel(Tensor self, Tensor mask, Tensor source) {
    const Dims shape = broadcast_shapes("masked_scatter", self.shape(), mask.shape());
    Tensor r = empty(shape, self.dtype());
    copy_(r, self);
    const Tensor m = contiguous(expand(mask, shape)), from = contiguous(source), places = mask_positions(m);
    check(from.numel() >= places.numel(), "masked_scatter: expected the number of elements of source (", from.numel(),
          ") to be at least the number of true elements of mask (", places.numel(), ")");
    const int64_t* at = places.data<int64_t>();
    with_bytes(bytes_of(r.dtype()), [&](auto w) {
      using W = decltype(w);
      W* to = r.data<W>();
      const W* in = from.data<W>();
      parallel_for(places.numel(), 65536, [&](int64_t begin, int64_t end) { for (int64_t i = begin; i < end; ++i) to[at[i]] = in[i]; });
    });
    return r;
  }
  static NoGrad vjp_mask();
  static Tensor vjp_self(Tensor g, Shape<0> shape, In<1> mask) { return sum_to_shape(call_op<MaskedFill>(g, mask, 0), shape); }
  static Tensor vjp_source(Tensor g, In<1> mask, Shape<2> shape) {
    const Tensor picked = call_op<MaskedSelect>(g, mask);
    const int64_t missing = shape.product() - picked.numel();
    return reshape(missing ? cat({picked, zeros({missing}, g.dtype())}, 0) : picked, shape);
  }
};

FB_GROUP(masked, MaskedFill, MaskedSelect, MaskedScatter)

}  // namespace fb
