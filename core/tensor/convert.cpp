#include "tensor/convert.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/half.h"
#include "base/isa.h"
#include "base/scalar.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace fb {
namespace {

using math::Complex;
struct Half { uint16_t bits; };
struct BFloat { uint16_t bits; };

template <DType d> struct Stored;
template <> struct Stored<DType::boolean> { using type = uint8_t; };
template <> struct Stored<DType::u8> { using type = uint8_t; };
template <> struct Stored<DType::i8> { using type = int8_t; };
template <> struct Stored<DType::i16> { using type = int16_t; };
template <> struct Stored<DType::i32> { using type = int32_t; };
template <> struct Stored<DType::i64> { using type = int64_t; };
template <> struct Stored<DType::f16> { using type = Half; };
template <> struct Stored<DType::bf16> { using type = BFloat; };
template <> struct Stored<DType::f32> { using type = float; };
template <> struct Stored<DType::f64> { using type = double; };
template <> struct Stored<DType::c64> { using type = Complex<float>; };
template <> struct Stored<DType::c128> { using type = Complex<double>; };

inline float widen(Half h) { return widen_f16(h.bits); }
inline float widen(BFloat b) { return widen_bf16(b.bits); }
template <class T> inline T widen(T v) { return v; }

template <class T> inline constexpr bool is_complex_type = false;
template <class T> inline constexpr bool is_complex_type<Complex<T>> = true;

template <DType to, class A> inline typename Stored<to>::type narrow(A v) {
  using B = typename Stored<to>::type;
  if constexpr (is_complex_type<A> && is_complex_type<B>) {
    using R = decltype(B{}.re);
    return {static_cast<R>(v.re), static_cast<R>(v.im)};
  } else if constexpr (is_complex_type<A>) {
    if constexpr (to == DType::boolean) return v.re != 0 || v.im != 0;
    else return narrow<to>(v.re);
  } else if constexpr (is_complex_type<B>) {
    using R = decltype(B{}.re);
    return {static_cast<R>(v), R(0)};
  } else if constexpr (to == DType::boolean) return v != 0;
  else if constexpr (to == DType::f16) return {narrow_f16(static_cast<float>(v))};
  else if constexpr (to == DType::bf16) return {narrow_bf16(static_cast<float>(v))};
  else if constexpr (std::is_floating_point_v<A> && std::is_integral_v<B>) return static_cast<B>(static_cast<int64_t>(v));
  else return static_cast<B>(v);
}

template <DType from, DType to> inline void convert(void* out, const void* in, int64_t n) {
  auto* o = static_cast<typename Stored<to>::type*>(out);
  auto* a = static_cast<const typename Stored<from>::type*>(in);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) o[i] = narrow<to>(widen(a[i]));
}

using Convert = void (*)(void*, const void*, int64_t);

#ifdef __x86_64__
// Levels 3 and 4 have instructions between float16 and float32, which no loop of integers becomes.
__attribute__((target("arch=x86-64-v3"))) void widen_f16_v3(void* out, const void* in, int64_t n) {
  float* o = static_cast<float*>(out);
  const uint16_t* a = static_cast<const uint16_t*>(in);
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) _mm256_storeu_ps(o + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(a + i))));
  for (; i < n; ++i) o[i] = widen_f16(a[i]);
}
constexpr __mmask16 all_lanes = 0xffff;                // the unmasked forms start from an undefined register in GCC's headers
__attribute__((target("arch=x86-64-v4"))) void widen_f16_v4(void* out, const void* in, int64_t n) {
  float* o = static_cast<float*>(out);
  const uint16_t* a = static_cast<const uint16_t*>(in);
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    _mm512_storeu_ps(o + i, _mm512_maskz_cvtph_ps(all_lanes, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i))));
  for (; i < n; ++i) o[i] = widen_f16(a[i]);
}
constexpr int to_nearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
__attribute__((target("arch=x86-64-v3"))) void narrow_f16_v3(void* out, const void* in, int64_t n) {
  uint16_t* o = static_cast<uint16_t*>(out);
  const float* a = static_cast<const float*>(in);
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(o + i), _mm256_cvtps_ph(_mm256_loadu_ps(a + i), to_nearest));
  for (; i < n; ++i) o[i] = narrow_f16(a[i]);
}
__attribute__((target("arch=x86-64-v4"))) void narrow_f16_v4(void* out, const void* in, int64_t n) {
  uint16_t* o = static_cast<uint16_t*>(out);
  const float* a = static_cast<const float*>(in);
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(o + i), _mm512_maskz_cvtps_ph(all_lanes, _mm512_loadu_ps(a + i), to_nearest));
  for (; i < n; ++i) o[i] = narrow_f16(a[i]);
}
Convert widen_f16_loop() { return cpu_level() >= 4 ? widen_f16_v4 : cpu_level() == 3 ? widen_f16_v3 : nullptr; }
Convert narrow_f16_loop() { return cpu_level() >= 4 ? narrow_f16_v4 : cpu_level() == 3 ? narrow_f16_v3 : nullptr; }
#else
Convert widen_f16_loop() { return nullptr; }
Convert narrow_f16_loop() { return nullptr; }
#endif

struct Table { Convert to[dtype_count][dtype_count] = {}; };

template <int from, int to> Convert pick() {
  constexpr DType a = static_cast<DType>(from), b = static_cast<DType>(to);
  if constexpr (category_of(a) == Category::complex || category_of(b) == Category::complex) return &convert<a, b>;
  else return Clones<&convert<a, b>>::pick();
}

const Table& table() {
  static const Table t = [] {
    Table made;
    [&]<int... P>(std::integer_sequence<int, P...>) {
      ((made.to[P / dtype_count][P % dtype_count] = pick<P / dtype_count, P % dtype_count>()), ...);
    }(std::make_integer_sequence<int, dtype_count * dtype_count>{});
    constexpr int half = static_cast<int>(DType::f16), single = static_cast<int>(DType::f32);
    if (const Convert loop = widen_f16_loop()) made.to[half][single] = loop;
    if (const Convert loop = narrow_f16_loop()) made.to[single][half] = loop;
    return made;
  }();
  return t;
}

struct Wide { uint64_t a, b; };

// Elements that lie reversed or every other one: shuffles in vectors.
template <class W> inline void pack_steps(char* o, const char* i, int64_t step, int64_t n) {
  W* to = reinterpret_cast<W*>(o);
  const W* from = reinterpret_cast<const W*>(i);
  if (step == 2) {
#pragma GCC ivdep
    for (int64_t k = 0; k < n; ++k) to[k] = from[2 * k];
  } else {
#pragma GCC ivdep
    for (int64_t k = 0; k < n; ++k) to[k] = from[-k];
  }
}

template <class W> inline void fill_run(char* o, const char* one, int64_t n) {
  W* to = reinterpret_cast<W*>(o);
  const W value = *reinterpret_cast<const W*>(one);
  for (int64_t k = 0; k < n; ++k) to[k] = value;
}

template <class W> void copy_run(char* o, int64_t os, const char* i, int64_t is, int64_t n) {
  constexpr int64_t e = sizeof(W);
  if (is == 0 && os == e) {
    static const auto loop = Clones<&fill_run<W>>::pick();
    loop(o, i, n);
  } else if (is == e && os == e) {
    memcpy(o, i, static_cast<size_t>(n * e));
  } else if (os == e && (is == 2 * e || is == -e) && n >= 16) {
    static const auto loop = Clones<&pack_steps<W>>::pick();
    loop(o, i, is / e, n);
  } else {
    for (int64_t k = 0; k < n; ++k) memcpy(o + k * os, i + k * is, sizeof(W));
  }
}

}  // namespace

// Between float16 and other real types: by way of float32, as one element is converted too.
static void convert_by_float(DType from, DType to, void* out, const void* in, int64_t n) {
  constexpr int64_t most = 512;
  alignas(64) float between[most];
  for (int64_t i = 0; i < n; i += most) {
    const int64_t count = std::min(most, n - i);
    table().to[static_cast<int>(from)][static_cast<int>(DType::f32)](between, static_cast<const char*>(in) + i * bytes_of(from), count);
    table().to[static_cast<int>(DType::f32)][static_cast<int>(to)](static_cast<char*>(out) + i * bytes_of(to), between, count);
  }
}

void convert_packed(DType from, DType to, void* out, const void* in, int64_t n) {
  if (from == to) memcpy(out, in, static_cast<size_t>(n * bytes_of(to)));
  else if (n >= 16 && (from == DType::f16 || to == DType::f16) && from != DType::f32 && to != DType::f32 && !is_complex(from) &&
           !is_complex(to)) convert_by_float(from, to, out, in, n);
  else table().to[static_cast<int>(from)][static_cast<int>(to)](out, in, n);
}

void copy_strided(int bytes, char* out, int64_t out_stride, const char* in, int64_t in_stride, int64_t n) {
  switch (bytes) {
    case 1: return copy_run<uint8_t>(out, out_stride, in, in_stride, n);
    case 2: return copy_run<uint16_t>(out, out_stride, in, in_stride, n);
    case 4: return copy_run<uint32_t>(out, out_stride, in, in_stride, n);
    case 8: return copy_run<uint64_t>(out, out_stride, in, in_stride, n);
    default: return copy_run<Wide>(out, out_stride, in, in_stride, n);
  }
}

static double largest_of(DType d) {
  switch (d) {
    case DType::f16: return 65504;
    case DType::bf16: return 0x1.FEp127;
    case DType::f32: case DType::c64: return 0x1.FFFFFEp127;
    default: return 0x1.FFFFFFFFFFFFFp1023;
  }
}

bool holds(DType dtype, const Scalar& value) {
  if (value.is_complex() && !is_complex(dtype) && value.to<Complex<double>>().im != 0) return false;
  if (dtype == DType::boolean) return true;
  const double v = value.real();
  if (is_differentiable(dtype)) return !(std::abs(v) > largest_of(dtype)) || std::isinf(v);
  if (dtype == DType::i64) return value.is_integral() || (v >= -0x1p63 && v < 0x1p63);
  const double limit = std::ldexp(1.0, 8 * bytes_of(dtype) - (dtype == DType::u8 ? 0 : 1));
  return v > (dtype == DType::u8 ? -limit : -limit - 1) && v < limit;
}

void check_holds(DType dtype, const Scalar& value) {
  check(holds(dtype, value), "the value does not fit into ", name_of(dtype), " without overflow");
}

Scalar read_number(DType dtype, const void* at) {
  int64_t whole;
  double number;
  switch (category_of(dtype)) {
    case Category::boolean: return Scalar(*static_cast<const bool*>(at));
    case Category::integral: convert_packed(dtype, DType::i64, &whole, at, 1); return Scalar(whole);
    case Category::floating: convert_packed(dtype, DType::f64, &number, at, 1); return Scalar(number);
    default: {
      math::Complex<double> c;
      convert_packed(dtype, DType::c128, &c, at, 1);
      return Scalar(c);
    }
  }
}

void fill_packed(DType dtype, void* out, const Scalar& value, int64_t n) {
  if (n == 0) return;
  char one[16];
  switch (value.category()) {
    case Category::complex: {
      const auto v = value.to<Complex<double>>();
      convert_packed(DType::c128, dtype, one, &v, 1);
      break;
    }
    case Category::floating: {
      const double v = value.real();
      convert_packed(DType::f64, dtype, one, &v, 1);
      break;
    }
    default: {
      const int64_t v = value.integer();
      convert_packed(DType::i64, dtype, one, &v, 1);
    }
  }
  copy_strided(bytes_of(dtype), static_cast<char*>(out), bytes_of(dtype), one, 0, n);
}

}  // namespace fb
