// How an elementwise op runs: promote, broadcast, allocate, walk.
#include "base/parallel.h"
#include "ops.h"
#include "tensor/convert.h"
#include "tensor/walk.h"

namespace fb {

DType result_type(const Args& args, int first, int count) {
  constexpr int unset = -1;
  int best[3] = {unset, unset, unset};                 // tensors with dims, 0-d tensors, numbers
  auto raise = [&](int which, DType d) {
    best[which] = best[which] == unset ? static_cast<int>(d) : static_cast<int>(promote(static_cast<DType>(best[which]), d));
  };
  for (int i = first; i < first + count; ++i) {
    const Value& v = args[i];
    if (v.tag == Value::tensor) raise(v.as_tensor().dim() ? 0 : 1, v.as_tensor().dtype());
    else if (v.tag == Value::f64) raise(2, default_dtype());
    else if (v.tag == Value::i64) raise(2, DType::i64);
    else if (v.tag == Value::boolean) raise(2, DType::boolean);
    else if (v.tag == Value::complex) raise(2, complex_of(default_dtype()));
  }
  int result = best[2];
  for (int which : {1, 0}) {                           // the higher priority decides unless a lower one has a higher category
    if (best[which] == unset) continue;
    if (result == unset) {
      result = best[which];
      continue;
    }
    const DType high = static_cast<DType>(best[which]), low = static_cast<DType>(result);
    if (category_of(low) <= category_of(high)) result = best[which];
    else if (is_complex(low) && is_floating(high)) result = static_cast<int>(complex_of(high));
    else result = static_cast<int>(promote(high, low));
  }
  return static_cast<DType>(result);
}

static bool accepts(const Op& op, DType d) {
  switch (category_of(d)) {
    case Category::boolean: return op.accepts.booleans;
    case Category::integral: return op.accepts.integers;
    case Category::floating: return op.accepts.floats;
    default: return op.accepts.complexes;
  }
}

struct ElementwiseTypes {
  DType result, compute, packed_out;
  Loop loop;
};

// Numbers that the loops take beside tensors (clamp's bounds) must keep their values in the type that computes.
static bool numbers_fit(const Op& op, const Args& args, DType d) {
  for (int k = 0; k < op.scalar_count; ++k) {
    const Scalar v = args[op.tensor_count + k].as_scalar();
    if (!v.is_integral()) return false;
    const int bits = 8 * bytes_of(d) - (d == DType::u8 ? 0 : 1);
    const int64_t n = v.integer(), low = d == DType::u8 ? 0 : -(int64_t(1) << bits);
    if (n < low || n >= int64_t(1) << bits) return false;
  }
  return true;
}

// Which of an op's loops serves a promoted dtype.
static Compute loop_for(const Op& op, const Args& args, DType promoted) {
  if (promoted == DType::boolean && op.kernels[int(Compute::boolean)].loop) return Compute::boolean;
  const Compute narrow = narrow_compute_of(promoted);
  return op.kernels[int(narrow)].loop && (narrow == compute_of(promoted) || numbers_fit(op, args, promoted)) ? narrow : compute_of(promoted);
}

// The dtype of the result, of the loop's inputs, and of what the loop writes.
static ElementwiseTypes types_for(const Op& op, const Args& args, DType promoted) {
  check<UnsupportedError>(accepts(op, promoted), "\"", op.name, "\" not implemented for '", row(promoted).legacy, "'");
  if (op.result == Result::floating && category_of(promoted) <= Category::integral) promoted = default_dtype();
  const Compute c = loop_for(op, args, promoted);
  const Kernels& k = op.kernels[int(c)];
  check<UnsupportedError>(k.loop, "\"", op.name, "\" not implemented for '", row(promoted).legacy, "'");
  const DType packed = storage_of(k.result);
  DType result = promoted;
  if (k.result == Compute::boolean) result = DType::boolean;
  else if (is_complex(promoted) && !is_complex(packed)) result = real_of(promoted);
  else if (k.result == Compute::i64 && category_of(promoted) > Category::integral) result = DType::i64;
  return {result, storage_of(c), packed, k.loop};
}

// Operands of other integers wrap around as a cast to the common dtype does: uint8 tensors equal -1 where 255. Not on
// their way to floating results: a uint8 tensor divided by -3 is negative.
static bool must_wrap(DType promoted, DType compute) {
  return category_of(promoted) == Category::integral && bytes_of(promoted) < 8 && category_of(compute) == Category::integral;
}
static Scalar wrapped(const Scalar& number, DType promoted) {
  char narrow[8];
  int64_t wide;
  fill_packed(promoted, narrow, number, 1);
  convert_packed(promoted, DType::i64, &wide, narrow, 1);
  return Scalar(wide);
}

static DType promoted_type(const Op& op, const Args& args) {
  if (!op.bool_inputs) return result_type(args, 0, op.tensor_count);
  Args rest;                                           // a bool operand (a condition) has no say in the result
  for (int i = 0; i < op.tensor_count; ++i) if (!(op.bool_inputs >> i & 1)) rest.push(args[i]);
  return result_type(rest, 0, rest.size());
}

static void convert_scalars(const Op& op, const Args& args, DType compute, char* scalars) {
  for (int k = 0; k < op.scalar_count; ++k)
    fill_packed(compute, scalars + k * bytes_of(compute), args[op.tensor_count + k].as_scalar(), 1);
}

// Contiguous operands of one shape and dtype, numbers allowed beside them, few elements: no plan needed.
static bool run_small(const Op& op, const Args& args, Tensor* out, Form form) {
  constexpr int64_t most = 512;
  const int n = op.tensor_count;
  const Body* first = nullptr;
  bool number = false;
  for (int i = 0; i < n; ++i) {
    if (args[i].tag != Value::tensor) {
      number |= args[i].is_number();
      if (!args[i].is_number()) return false;
      continue;
    }
    const Body* t = args[i].body();
    if (!first) first = t;
    if (!t->layout.contiguous || t->dtype != first->dtype || !(t->layout.shape == first->layout.shape)) return false;
  }
  if (!first || op.bool_inputs || first->layout.numel > elementwise_grain) return false;
  if (number && (first->layout.numel > most || result_type(args, 0, n) != first->dtype)) return false;
  const DType d = first->dtype;
  if (!accepts(op, d)) return false;
  const Compute c = loop_for(op, args, d);
  const Kernels& k = op.kernels[int(c)];
  if (!k.loop || storage_of(c) != d) return false;
  const DType packed = storage_of(k.result);
  if (packed != d && packed != DType::boolean && !is_complex(d)) return false;
  if (form == Form::functional) out[0] = empty(first->layout.shape, packed);
  else if (out[0].body() != first || packed != d) return false;
  const void* in[4];
  alignas(16) char numbers[4][most * 16], scalars[8 * 16];
  for (int i = 0; i < n; ++i) {
    if (args[i].tag == Value::tensor) {
      in[i] = args[i].as_tensor().data();
      if (form == Form::in_place && args[i].body() != first && args[i].body()->storage.get() == first->storage.get()) return false;
    } else {
      fill_packed(d, numbers[i], args[i].as_scalar(), first->layout.numel);
      in[i] = numbers[i];
    }
  }
  if (op.scalar_count) convert_scalars(op, args, d, scalars);
  k.loop(out[0].data(), in, scalars, first->layout.numel);
  return true;
}

static Dims common_shape(const Op& op, const Args& args) {
  Dims shape;
  bool any = false;
  for (int i = 0; i < op.tensor_count; ++i) {
    if (args[i].tag != Value::tensor) continue;
    shape = any ? broadcast_shapes(op.name, shape, args[i].as_tensor().shape()) : args[i].as_tensor().shape();
    any = true;
  }
  return shape;
}

// The result takes the memory order of the first dense input of its own shape.
static Tensor new_output(const Op& op, const Args& args, const Dims& shape, DType dtype) {
  for (int i = 0; i < op.tensor_count; ++i)
    if (args[i].tag == Value::tensor && args[i].as_tensor().shape() == shape) {
      const Tensor& t = args[i].as_tensor();
      return t.is_contiguous() ? empty(shape, dtype) : empty_like(t, dtype);
    }
  return empty(shape, dtype);
}

// Does an input read elements of the target at other places than they are written?
static bool must_go_elsewhere(const Op& op, const Args& args, const Tensor& target, Form form) {
  for (int i = 0; i < op.tensor_count; ++i) {
    if (args[i].tag != Value::tensor || args[i].body() == target.body()) continue;
    const Tensor& t = args[i].as_tensor();
    if (!share_memory(t, target)) continue;
    const bool same_place = t.dtype() == target.dtype() && t.layout().offset == target.layout().offset &&
                            t.shape() == target.shape() && t.strides() == target.strides();
    if (same_place) continue;
    check_no_partial_overlap(text(op.name, form == Form::in_place ? "_" : "(out=...)"), target, t);
    return true;
  }
  return false;
}

// What out= names is written directly where it can hold the result as it is; the caller sees to everything else.
static bool takes_result(const Tensor& target, const Dims& shape, DType result) {
  return target.shape() == shape && can_cast(result, target.dtype()) && target->storage->writable() &&
         (mode.inference || !target->inference()) && !may_overlap_itself(target.layout());
}

void run_elementwise(const Op& op, const Args& args, Tensor* out, Form form) {
  if (form != Form::out && run_small(op, args, out, form)) return;
  const DType promoted = promoted_type(op, args);
  const ElementwiseTypes types = types_for(op, args, promoted);
  const Dims shape = common_shape(op, args);
  if (form == Form::out && !takes_result(out[0], shape, types.result)) form = Form::functional;
  if (form != Form::functional) {
    check<DTypeError>(can_cast(types.result, out[0].dtype()), op.name, "_: the result is ",
                      row(types.result).legacy, ", which self, of ", row(out[0].dtype()).legacy, ", cannot "
                      "hold");
    check<ShapeError>(shape == out[0].shape(), op.name, "_: the result has shape ", shape.list(),
                      ", which does not fit into self of shape ", out[0].shape().list());
    if (must_go_elsewhere(op, args, out[0], form)) {
      Tensor made[Schema::max_outputs];
      run_elementwise(op, args, made, Form::functional);
      const uint32_t before = out[0]->version();       // this is one write, whose caller counts it
      copy_(out[0], made[0]);
      out[0]->version() = before;
      return;
    }
  } else out[0] = new_output(op, args, shape, types.result);
  alignas(16) char scalars[8 * 16];
  convert_scalars(op, args, types.compute, scalars);
  const bool wrap = must_wrap(promoted, types.compute);
  Walk walk(shape);
  for (int i = 0; i < op.tensor_count; ++i) {
    const DType wanted = op.bool_inputs >> i & 1 ? DType::boolean : types.compute;
    if (args[i].tag != Value::tensor) {
      const Scalar number = args[i].as_scalar();
      walk.add_number(wrap ? wrapped(number, promoted) : number, wanted);
    } else if (const Tensor& t = args[i].as_tensor(); wrap && t.dtype() != promoted && t.dim() == 0) {
      char here[16];
      convert_packed(t.dtype(), promoted, here, t.data(), 1);
      int64_t wide;
      convert_packed(promoted, DType::i64, &wide, here, 1);
      walk.add_number(Scalar(wide), wanted);
    } else walk.add_input(t, wanted);
  }
  walk.set_output(out[0], types.packed_out);
  walk.run(types.loop, scalars);
}

}  // namespace fb
