#pragma once
#include <algorithm>
#include <cmath>

#include "kernels/samplers.h"
#include "ops.h"
#include "tensor/convert.h"

// Filling tensors of any layout and dtype from the samplers, which know packed memory only.
namespace fb {

inline Generator& generator_or_default(Generator* g) { return g ? *g : default_generator(); }

inline Rounding rounding_of(DType d) {
  return d == DType::f16 ? Rounding::float16 : d == DType::bf16 ? Rounding::bfloat16 : Rounding::none;
}

// Calls draw(T*, n, Rounding) on packed memory in the order of self's strides. Half types are drawn as float.
template <class Draw> void draw_floats(const Tensor& self, const char* op, Draw&& draw) {
  check<UnsupportedError>(is_floating(self.dtype()), "\"", op, "\" not implemented for '", row(self.dtype()).legacy, "'");
  const bool half = bytes_of(self.dtype()) == 2;
  if (self.is_contiguous() && !half) {
    if (self.dtype() == DType::f32) draw(self.data<float>(), self.numel(), Rounding::none);
    else draw(self.data<double>(), self.numel(), Rounding::none);
    return;
  }
  const DType d = half ? DType::f32 : self.dtype();
  const Tensor packed = empty_strided(self.shape(), dense_strides_like(self.layout()), d);
  if (d == DType::f32) draw(packed.data<float>(), packed.numel(), rounding_of(self.dtype()));
  else draw(packed.data<double>(), packed.numel(), Rounding::none);
  copy_(self, packed);
}

// The same for samplers of numbers of any real type.
template <class Draw> void draw_numbers(const Tensor& self, Draw&& draw) {
  if (is_floating(self.dtype())) return draw_floats(self, "random", draw);
  Tensor packed = self;
  if (!self.is_contiguous()) packed = empty_strided(self.shape(), dense_strides_like(self.layout()), self.dtype());
  const int64_t n = packed.numel();
  switch (self.dtype()) {
    case DType::boolean: draw(packed.data<bool>(), n, Rounding::none); break;
    case DType::u8: draw(packed.data<uint8_t>(), n, Rounding::none); break;
    case DType::i8: draw(packed.data<int8_t>(), n, Rounding::none); break;
    case DType::i16: draw(packed.data<int16_t>(), n, Rounding::none); break;
    case DType::i32: draw(packed.data<int32_t>(), n, Rounding::none); break;
    case DType::i64: draw(packed.data<int64_t>(), n, Rounding::none); break;
    default: throw DTypeError(text("random sampling is not implemented for '", row(self.dtype()).legacy, "'"));
  }
  if (packed.body() != self.body()) copy_(self, packed);
}

inline Tensor as_real(const Tensor& z) {                       // (…) complex → (…, 2) real, the same memory
  Dims shape = z.shape(), strides = z.strides();
  for (int64_t& s : strides) s *= 2;
  shape.push(2);
  strides.push(1);
  Tensor r = alias(z, Layout(shape, strides, z.layout().offset * 2));
  r->dtype = real_of(z.dtype());
  return r;
}

inline void fill_uniform(const Tensor& self, double from, double to, Generator& g) {
  draw_floats(is_complex(self.dtype()) ? as_real(self) : self, "check_uniform_bounds", [&]<class T>(T* out, int64_t n, Rounding r) {
    if constexpr (std::is_same_v<T, float>) {
      if (r != Rounding::none) return uniform(out, n, from, to, r, g);
    }
    uniform(out, n, from, to, g);
  });
}

inline void fill_normal(const Tensor& self, double mean, double std, Generator& g) {
  const Tensor x = is_complex(self.dtype()) ? as_real(self) : self;
  const double scale = is_complex(self.dtype()) ? std / std::sqrt(2.0) : std;
  const bool serial = !x.is_contiguous();
  draw_floats(x, "normal_kernel_cpu", [&]<class T>(T* out, int64_t n, Rounding r) {
    if (serial) return normal_serial(out, n, mean, scale, g);
    if constexpr (std::is_same_v<T, float>) {
      if (r != Rounding::none) return normal(out, n, mean, scale, r, g);
    }
    normal(out, n, mean, scale, g);
  });
}

inline int digits_of(DType d) { return d == DType::f16 ? 11 : d == DType::bf16 ? 8 : d == DType::f32 ? 24 : 53; }

struct Limits { int64_t low, high; };
inline Limits limits_of(DType d) {
  switch (d) {
    case DType::boolean: return {0, 1};
    case DType::u8: return {0, 255};
    case DType::i8: return {-128, 127};
    case DType::i16: return {-32768, 32767};
    case DType::i32: return {INT32_MIN, INT32_MAX};
    case DType::i64: return {INT64_MIN, INT64_MAX};
    default: return {-(int64_t(1) << digits_of(d)), int64_t(1) << digits_of(d)};
  }
}

inline void fill_range(const Tensor& self, int64_t from, int64_t to, Generator& g) {   // from … to − 1
  check(from < to, "random_: the range from ", from, " to ", to, " is empty; `from` must lie below `to`");
  const Limits limits = limits_of(self.dtype());
  if (is_floating(self.dtype())) {
    const IntegerBounds b = representable_bounds(from, to, digits_of(self.dtype()));
    from = b.from;
    to = b.to;
    check(from < to, "random_: the range is empty in the dtype of self, from ", from, " to ", to, "; `from` "
          "must lie below `to`");
  } else {
    check(from >= limits.low && from <= limits.high, "random_: from=", from, " is out of bounds for ",
          name_of(self.dtype()));
    check(to - 1 >= limits.low && to - 1 <= limits.high, "random_: to=", to, " is out of bounds for ",
          name_of(self.dtype()));
  }
  const uint64_t count = static_cast<uint64_t>(to) - static_cast<uint64_t>(from);
  draw_numbers(self, [&](auto* out, int64_t n, Rounding) { random_range(out, n, from, count, g); });
}

inline void check_probability(const char* op, double p) {
  check(p >= 0 && p <= 1, op, ": p is a probability, from 0 to 1; got ", p);
}

inline Tensor wide_probabilities(const Tensor& p, const Dims& shape) {      // float, or double if p is
  return contiguous(expand(to_dtype(p, p.dtype() == DType::f64 ? DType::f64 : DType::f32), shape));
}

inline void fill_bernoulli(const Tensor& self, const Tensor& p, Generator& g) {
  check<DTypeError>(is_floating(p.dtype()), "expected probabilities tensor to have floating type, got ", name_of(p.dtype()));
  const Tensor wide = wide_probabilities(p, self.shape());
  const int64_t count = wide.numel();
  for (int64_t i = 0; i < count; ++i) {
    const double v = wide.dtype() == DType::f64 ? wide.data<double>()[i] : wide.data<float>()[i];
    check(v >= 0 && v <= 1, "bernoulli: each entry of p is a probability, from 0 to 1; found ", v);
  }
  draw_numbers(self, [&](auto* out, int64_t n, Rounding) {
    if (wide.dtype() == DType::f64) bernoulli(out, wide.data<double>(), n, g);
    else bernoulli(out, wide.data<float>(), n, g);
  });
}

inline Tensor checked_empty(const Dims& size, DType dtype) {
  check_sizes(size);
  return empty(size, dtype);
}

// Applies draw(out, a, b, n) on packed floats or doubles; b may be undefined.
template <class Draw> Tensor drawn_like(const Tensor& a, const Tensor& b, Draw&& draw) {
  check<DTypeError>(is_floating(a.dtype()), "sampling is not implemented for '", row(a.dtype()).legacy, "'");
  const DType wide = a.dtype() == DType::f64 ? DType::f64 : DType::f32;
  const Tensor x = contiguous(to_dtype(a, wide)), y = b ? contiguous(to_dtype(b, wide)) : Tensor();
  Tensor r = empty(x.shape(), wide);
  if (wide == DType::f64) draw(r.data<double>(), x.data<double>(), y ? y.data<double>() : nullptr, x.numel());
  else draw(r.data<float>(), x.data<float>(), y ? y.data<float>() : nullptr, x.numel());
  return to_dtype(r, a.dtype());
}

}  // namespace fb
