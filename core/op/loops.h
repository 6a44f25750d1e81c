#pragma once
#include <tuple>
#include <type_traits>

#include "math/words_ir.h"
#include "op/op.h"

// The loops that a functor or a fold is put into. Included through op/build.h.
namespace fb {

template <class T> struct Signature;
template <class R, class... A> struct Signature<R (*)(A...)> {
  using Result = R;
  using Arguments = std::tuple<A...>;
  static constexpr int count = sizeof...(A);
  static constexpr uint8_t bool_mask = []<size_t... I>(std::index_sequence<I...>) {
    return static_cast<uint8_t>(((std::is_same_v<std::remove_cvref_t<A>, bool> ? 1u << I : 0u) | ... | 0u));
  }(std::index_sequence_for<A...>{});
};

template <class S, class T> struct Functor : Signature<decltype(&S::template forward<T>)> {
  static constexpr int tensors = parse_schema(S::schema).tensor_count();
  // Bools are read as bytes: GCC 12 does not vectorise loops that load bool.
  template <int I> using In = std::conditional_t<(Functor::bool_mask >> I & 1) != 0, uint8_t, T>;
};

// A functor whose straight-line forward does not hold everywhere has `needs_slow(x…)`, which tells where, and
// `slow(x…)`, which serves there.
template <class S, class T> concept HasSlow = math::Plain<T> && (requires(T x) { S::needs_slow(x); S::slow(x); } ||
                                                                 requires(T x) { S::needs_slow(x, x); S::slow(x, x); });

// Tests a stretch in vectors before it is written, since `out` may be an input.
template <class S, class T, class... In> inline void each_or_slow(T* out, int64_t n, const In*... in) {
  constexpr int64_t stretch = 512;
  for (int64_t first = 0; first < n; first += stretch) {
    const int64_t end = n - first < stretch ? n : first + stretch;
    std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t> slow = 0;   // as wide as T: a bool would not vectorise
    for (int64_t i = first; i < end; ++i) slow |= S::needs_slow(in[i]...);
    if (slow) [[unlikely]] {
      for (int64_t i = first; i < end; ++i) out[i] = S::needs_slow(in[i]...) ? S::slow(in[i]...) : S::forward(in[i]...);
    } else {
#pragma GCC ivdep
      for (int64_t i = first; i < end; ++i) out[i] = S::forward(in[i]...);
    }
  }
}

template <class S, class T> inline void each(void* out, const void* const* in, const void* scalars, int64_t n) {
  using F = Functor<S, T>;
  using R = typename F::Result;
  R* o = static_cast<R*>(out);
  [&]<size_t... I, size_t... K>(std::index_sequence<I...>, std::index_sequence<K...>) {
    const std::tuple<const typename F::template In<I>*...> p{static_cast<const typename F::template In<I>*>(in[I])...};
    const T* values = static_cast<const T*>(scalars);
    const std::tuple<std::conditional_t<K + 1 != 0, T, T>...> k{values[K]...};
    (void)k;
    (void)values;
    if constexpr (HasSlow<S, T>) each_or_slow<S>(o, n, std::get<I>(p)...);
    else {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) o[i] = S::forward(std::get<I>(p)[i]..., std::get<K>(k)...);
    }
  }(std::make_index_sequence<F::tensors>{}, std::make_index_sequence<F::count - F::tensors>{});
}

template <class S> inline void each_bool(void* out, const void* const* in, const void*, int64_t n) {
  constexpr int count = Signature<decltype(&S::forward_bool)>::count;
  bool* o = static_cast<bool*>(out);
  [&]<size_t... I>(std::index_sequence<I...>) {
    for (int64_t i = 0; i < n; ++i) o[i] = S::forward_bool(static_cast<const bool*>(in[I])[i]...);
  }(std::make_index_sequence<count>{});
}

template <class S> [[gnu::cold]] std::string print_ir(DType dtype) {
  auto body = [&](auto f) {
    using F = decltype(f);
    constexpr int n = Functor<S, F>::count;
    ir::start(sizeof(F) == 4);
    return [&]<size_t... I>(std::index_sequence<I...>) {
      const auto r = S::forward(((void)I, ir::argument<ir::Value<F>>(int(I)))...);
      return ir::finish(op_row<S>->name, n, r.id);
    }(std::make_index_sequence<n>{});
  };
  return dtype == DType::f64 ? body(double()) : body(float());
}

// A reduction's author writes start<T>(), map(T) → accumulator, combine(a, b), finish(a, n) → result.
template <class S, class T> struct Folder {
  using Accumulator = decltype(S::map(T{}));
  using Result = decltype(S::finish(Accumulator{}, int64_t(1)));
  static constexpr int lanes = 32;                     // independent chains, so that additions overlap

  static void fold(void* accumulator, const void* in, int64_t n) {
    const T* a = static_cast<const T*>(in);
    Accumulator s[lanes];
    const Accumulator zero = S::template start<Accumulator>();
    int64_t i = 0;
    if (n >= lanes) {
      for (int j = 0; j < lanes; ++j) s[j] = zero;
      for (; i + lanes <= n; i += lanes)
        for (int j = 0; j < lanes; ++j) s[j] = S::combine(s[j], S::map(a[i + j]));
      for (int w = lanes / 2; w; w /= 2)
        for (int j = 0; j < w; ++j) s[j] = S::combine(s[j], s[j + w]);
    } else s[0] = zero;
    for (; i < n; ++i) s[0] = S::combine(s[0], S::map(a[i]));
    Accumulator* r = static_cast<Accumulator*>(accumulator);
    *r = S::combine(*r, s[0]);
  }

  // `width` partial results of each row become half as many: loops across rows, where one row would be a chain.
  template <int width> static void halve(Accumulator* out, const Accumulator* in, int64_t rows) {
    constexpr int half = width / 2;
#pragma GCC ivdep
    for (int64_t r = 0; r < rows; ++r)
      for (int j = 0; j < half; ++j) out[r * half + j] = S::combine(in[r * width + j], in[r * width + half + j]);
  }
  static void fold_many(void* accumulators, const void* in, int64_t stride, int64_t rows, int64_t n) {
    constexpr int together = 16, width = 16;
    Accumulator* result = static_cast<Accumulator*>(accumulators);
    const T* a = static_cast<const T*>(in);
    Accumulator parts[together * width], eight[together * 8], four[together * 4], two[together * 2];
    for (int64_t first = 0; first < rows; first += together, result += together) {
      const int64_t count = rows - first < together ? rows - first : together;
      Accumulator one[together];
      for (int64_t r = 0; r < count; ++r, a += stride) row_parts(parts + r * width, a, n);
      halve<16>(eight, parts, count);
      halve<8>(four, eight, count);
      halve<4>(two, four, count);
      halve<2>(one, two, count);
#pragma GCC ivdep
      for (int64_t r = 0; r < count; ++r) result[r] = S::combine(result[r], one[r]);
    }
  }
  // A row folded into 16 partial results.
  static void row_parts(Accumulator* parts, const T* a, int64_t n) {
    constexpr int width = 16;
    int64_t i = 0;
    if (n >= lanes) {
      Accumulator s[lanes];
      for (int j = 0; j < lanes; ++j) s[j] = S::map(a[j]);
      for (i = lanes; i + lanes <= n; i += lanes)
        for (int j = 0; j < lanes; ++j) s[j] = S::combine(s[j], S::map(a[i + j]));
      for (int j = 0; j < width; ++j) parts[j] = S::combine(s[j], s[j + width]);
    } else {
      const Accumulator zero = S::template start<Accumulator>();
      for (int j = 0; j < width; ++j) parts[j] = zero;
    }
    if (i + width <= n) {
      for (int j = 0; j < width; ++j) parts[j] = S::combine(parts[j], S::map(a[i + j]));
      i += width;
    }
    for (int j = 0; i < n; ++i, ++j) parts[j] = S::combine(parts[j], S::map(a[i]));
  }
  static void fold_rows(void* accumulators, const void* in, int64_t stride, int64_t rows, int64_t n) {
    Accumulator* o = static_cast<Accumulator*>(accumulators);
    const T* a = static_cast<const T*>(in);
    int64_t r = 0;
    for (; r + 4 <= rows; r += 4, a += 4 * stride) {   // the accumulators are read and written a fourth as often
      int64_t i = 0;
      for (; i + lanes <= n; i += lanes) {
        Accumulator s[lanes];
        for (int j = 0; j < lanes; ++j) s[j] = o[i + j];
        for (int q = 0; q < 4; ++q)
          for (int j = 0; j < lanes; ++j) s[j] = S::combine(s[j], S::map(a[q * stride + i + j]));
        for (int j = 0; j < lanes; ++j) o[i + j] = s[j];
      }
      for (int q = 0; q < 4; ++q)
#pragma GCC ivdep
        for (int64_t k = i; k < n; ++k) o[k] = S::combine(o[k], S::map(a[q * stride + k]));
    }
    for (; r < rows; ++r, a += stride) {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) o[i] = S::combine(o[i], S::map(a[i]));
    }
  }
  static void merge(void* accumulators, const void* others, int64_t n) {
    Accumulator* r = static_cast<Accumulator*>(accumulators);
    const Accumulator* a = static_cast<const Accumulator*>(others);
    for (int64_t i = 0; i < n; ++i) r[i] = S::combine(r[i], a[i]);
  }
  static void start(void* accumulators, int64_t n) {
    for (int64_t i = 0; i < n; ++i) static_cast<Accumulator*>(accumulators)[i] = S::template start<Accumulator>();
  }
  static void finish(void* out, const void* accumulators, int64_t n, int64_t reduced) {
    for (int64_t i = 0; i < n; ++i)
      static_cast<Result*>(out)[i] = S::finish(static_cast<const Accumulator*>(accumulators)[i], reduced);
  }
};

}  // namespace fb
