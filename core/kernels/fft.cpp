#include "kernels/fft.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

#include "base/parallel.h"
#include "kernels/fft_plan.h"

namespace fb::fft {
namespace {

template <class T> struct Wide;
template <> struct Wide<float> { typedef float type __attribute__((vector_size(32))); };
template <> struct Wide<double> { typedef double type __attribute__((vector_size(32))); };
template <class V, class T> inline constexpr int width = sizeof(V) / sizeof(T);
template <class V, class T> inline T& part(V& v, int w) { return reinterpret_cast<T*>(&v)[w]; }

template <class V> struct Space {                      // aligned, uninitialised
  explicit Space(int64_t n) : data(static_cast<Pair<V>*>(::operator new(sizeof(Pair<V>) *
        size_t(std::max<int64_t>(n, 1)), std::align_val_t(64)))) {}
  ~Space() { ::operator delete(data, std::align_val_t(64)); }
  Space(const Space&) = delete;
  Pair<V>* data;
};

template <class T> struct Work {                       // what a thread needs, shared
  const Job* job;
  const Plan<T>* plan;
  const Root<T>* half;                                 // of an even length of real numbers
  void *a, *b;
};

// As many lines at once as a vector of doubles holds.
template <class V, class T> void run_chirp(const Plan<T>* plan, Pair<V>* data) {
  using D = std::conditional_t<(width<V, T> > 1), Wide<double>::type, double>;
  constexpr int together = width<D, double>;
  const Chirp& c = *plan->chirp;
  const int64_t n = plan->n;
  Space<D> first(c.length), second(c.length);
  for (int group = 0; group < width<V, T>; group += together) {
    Pair<D>* halves[2] = {first.data, second.data};
    Pair<D>* x = halves[0];
    for (int64_t k = 0; k < n; ++k) {
      Pair<D> v;
      for (int w = 0; w < together; ++w) {
        part<D, double>(v.re, w) = part<V, T>(data[k].re, group + w);
        part<D, double>(v.im, w) = part<V, T>(data[k].im, group + w);
      }
      x[k] = times(v, c.turn[k].re, c.turn[k].im);
    }
    memset(static_cast<void*>(x + n), 0, sizeof(Pair<D>) * size_t(c.length - n));
    cloned_passes<D, double>(c.passes, halves);
    x = halves[0];
    for (int64_t k = 0; k < c.length; ++k) {           // parts exchanged: the next transform runs backward
      const Pair<D> p = times(x[k], c.filter[k].re, c.filter[k].im);
      x[k] = {p.im, p.re};
    }
    cloned_passes<D, double>(c.passes, halves);
    x = halves[0];
    for (int64_t k = 0; k < n; ++k) {
      Pair<D> p = times(Pair<D>{x[k].im, x[k].re}, c.turn[k].re, c.turn[k].im);
      for (int w = 0; w < together; ++w) {
        part<V, T>(data[k].re, group + w) = T(part<D, double>(p.re, w));
        part<V, T>(data[k].im, group + w) = T(part<D, double>(p.im, w));
      }
    }
  }
}

template <class V, class T> [[gnu::noinline]] void run_plan(const Plan<T>& plan, Pair<V>** buffers) {
  if (!plan.chirp) return cloned_passes<V, T>(plan.passes, buffers);
  static const auto run = Clones<&run_chirp<V, T>>::pick();
  run(&plan, buffers[0]);
}

// Where a line begins, counted in its side's elements.
inline int64_t start_of(int64_t line, int64_t length, int64_t inner) {
  return line / inner * length * inner + line % inner;
}

// `width` complex numbers at one place of as many lines; backward transforms exchange real and imaginary
// parts.
template <class V, class T> inline Pair<V> load(const T* in, const int64_t* starts, int64_t at,
                                                bool swapped) {
  Pair<V> v;
  for (int w = 0; w < width<V, T>; ++w) {
    const T* p = in + 2 * (starts[w] + at);
    part<V, T>(v.re, w) = p[swapped];
    part<V, T>(v.im, w) = p[!swapped];
  }
  return v;
}
template <class V, class T> inline void store(T* out, const int64_t* starts, int64_t at, Pair<V> v,
                                              bool swapped, T scale) {
  v.re *= scale;
  v.im *= scale;
  for (int w = 0; w < width<V, T>; ++w) {
    T* p = out + 2 * (starts[w] + at);
    p[swapped] = part<V, T>(v.re, w);
    p[!swapped] = part<V, T>(v.im, w);
  }
}

// Room for lines on their way through the plan, which ends in one of two buffers.
template <class V, class T> struct Lines {
  const Plan<T>& plan;
  Pair<V>* buffers[2];
  explicit Lines(const Work<T>& k)
      : plan(*k.plan), buffers{static_cast<Pair<V>*>(k.a), static_cast<Pair<V>*>(k.b)} {}
  Pair<V>* begin() const { return buffers[0]; }
  Pair<V>* transform() {
    run_plan<V, T>(plan, buffers);
    return buffers[0];
  }
};

template <class V, class T>
inline void complex_lines(const Work<T>& k, int64_t first, const int64_t* starts, const int64_t* out_starts) {
  const Job& j = *k.job;
  Lines<V, T> lines(k);
  Pair<V>* data = lines.begin();
  const T* in = static_cast<const T*>(j.in);
  for (int64_t i = 0; i < j.n; ++i) data[i] = load<V, T>(in, starts, i * j.inner, !j.forward);
  if (j.turns) {
    int64_t turn_starts[width<V, T>];
    for (int w = 0; w < width<V, T>; ++w) turn_starts[w] = (first + w) * j.n;
    for (int64_t i = 0; i < j.n; ++i) {
      const Pair<V> t = load<V, T>(static_cast<const T*>(j.turns), turn_starts, i, false), x = data[i];
      data[i] = {x.re * t.re - x.im * t.im, x.re * t.im + x.im * t.re};
    }
  }
  data = lines.transform();
  for (int64_t i = 0; i < j.n; ++i)
    store<V, T>(static_cast<T*>(j.out), out_starts, i * j.out_inner, data[i], !j.forward, T(j.scale));
}

// Real numbers, an even count as pairs: Z = FFT(x[2j] + i x[2j+1]) holds both halves' transforms.
template <class V, class T> inline void real_lines(const Work<T>& k, const int64_t* in_starts,
                                                   const int64_t* out_starts) {
  const Job& j = *k.job;
  Lines<V, T> lines(k);
  Pair<V>* data = lines.begin();
  const T* in = static_cast<const T*>(j.in);
  T* out = static_cast<T*>(j.out);
  const T scale = T(j.scale);
  const bool swapped = false;
  if (!k.half) {
    for (int64_t i = 0; i < j.n; ++i)
      for (int w = 0; w < width<V, T>; ++w) {
        part<V, T>(data[i].re, w) = in[in_starts[w] + i * j.inner];
        part<V, T>(data[i].im, w) = 0;
      }
    data = lines.transform();
    for (int64_t i = 0; i <= j.n / 2; ++i) {
      if (!j.forward) data[i].im = -data[i].im;
      store<V, T>(out, out_starts, i * j.inner, data[i], swapped, scale);
    }
    return;
  }
  const int64_t h = j.n / 2;
  for (int64_t i = 0; i < h; ++i)
    for (int w = 0; w < width<V, T>; ++w) {
      part<V, T>(data[i].re, w) = in[in_starts[w] + 2 * i * j.inner];
      part<V, T>(data[i].im, w) = in[in_starts[w] + (2 * i + 1) * j.inner];
    }
  data = lines.transform();
  for (int64_t i = 0; i <= h; ++i) {
    const Pair<V> z = data[i == h ? 0 : i], y = data[i == 0 ? 0 : h - i];
    const Pair<V> even = {z.re + y.re, z.im - y.im}, odd = minus_i(Pair<V>{z.re - y.re, z.im + y.im});
    Pair<V> x = even + times(odd, k.half[i].re, k.half[i].im);
    if (!j.forward) x.im = -x.im;
    store<V, T>(out, out_starts, i * j.inner, x, swapped, scale / 2);
  }
}

// The real numbers whose half spectrum is given; the imaginary parts of its ends do not count.
template <class V, class T> inline void half_lines(const Work<T>& k, const int64_t* in_starts,
                                                   const int64_t* out_starts) {
  const Job& j = *k.job;
  Lines<V, T> lines(k);
  Pair<V>* data = lines.begin();
  const T* in = static_cast<const T*>(j.in);
  T* out = static_cast<T*>(j.out);
  const T scale = T(j.scale);
  // as a forward transform takes it: conjugated when backward
  auto at = [&](int64_t i) {
    Pair<V> x = load<V, T>(in, in_starts, i * j.inner, false);
    if (!j.forward) x.im = -x.im;
    if (i == 0 || 2 * i == j.n) x.im = x.im - x.im;
    return x;
  };
  if (!k.half) {
    for (int64_t i = 0; i <= j.n / 2; ++i) {
      const Pair<V> x = at(i);
      data[i] = x;
      if (i) data[j.n - i] = {x.re, -x.im};
    }
    data = lines.transform();
    for (int64_t i = 0; i < j.n; ++i)
      for (int w = 0; w < width<V, T>; ++w) out[out_starts[w] + i * j.inner] = part<V, T>(data[i].re, w) *
          scale;
    return;
  }
  const int64_t h = j.n / 2;
  for (int64_t i = 0; i < h; ++i) {
    const Pair<V> x = at(i), y = at(h - i);
    const Pair<V> even = {x.re + y.re, x.im - y.im}, odd = times(Pair<V>{x.re - y.re, x.im + y.im},
                                                                 k.half[i].re, k.half[i].im);
    data[i] = {even.re - odd.im, even.im + odd.re};    // even + i odd
  }
  data = lines.transform();
  for (int64_t i = 0; i < h; ++i)
    for (int w = 0; w < width<V, T>; ++w) {
      out[out_starts[w] + 2 * i * j.inner] = part<V, T>(data[i].re, w) * scale;
      out[out_starts[w] + (2 * i + 1) * j.inner] = part<V, T>(data[i].im, w) * scale;
    }
}

template <class V, class T> inline void some_lines(const Work<T>& k, int64_t first) {
  const Job& j = *k.job;
  const int64_t half = j.n / 2 + 1;
  int64_t in_starts[width<V, T>], out_starts[width<V, T>];
  for (int w = 0; w < width<V, T>; ++w) {
    in_starts[w] = start_of(first + w, j.kind == Kind::half_to_real ? half : j.n, j.inner);
    out_starts[w] = start_of(first + w, j.kind == Kind::real_to_half ? half : j.n, j.out_inner);
  }
  if (j.kind == Kind::complex) complex_lines<V, T>(k, first, in_starts, out_starts);
  else if (j.kind == Kind::real_to_half) real_lines<V, T>(k, in_starts, out_starts);
  else half_lines<V, T>(k, in_starts, out_starts);
}

template <class T> void run_lines(const Work<T>* k, int64_t begin, int64_t end) {
  using V = typename Wide<T>::type;
  int64_t line = begin;
  for (; line + width<V, T> <= end; line += width<V, T>) some_lines<V, T>(*k, line);
  for (; line < end; ++line) some_lines<T, T>(*k, line);
}

template <class T> void run_job(Job job) {
  if (!job.out_inner) job.out_inner = job.inner;
  const bool halves = job.kind != Kind::complex && job.n % 2 == 0;
  const auto plan = plan_for<T>(halves ? job.n / 2 : job.n);
  const auto half = halves ? half_roots<T>(job.n) : nullptr;
  static const auto run = Clones<&run_lines<T>>::pick();
  const double work = double(job.n) * (std::log2(double(job.n)) + 2) * (plan->chirp ? 8 : 1);
  const int64_t grain = std::max<int64_t>(8, static_cast<int64_t>(6e4 / work));
  parallel_for(job.lines, grain, [&](int64_t begin, int64_t end) {
    using V = typename Wide<T>::type;
    Space<V> a(plan->n), b(plan->n);
    const Work<T> work_here{&job, plan.get(), half ? half->at.data() : nullptr, a.data, b.data};
    run(&work_here, begin, end);
  });
}

// ---- one long line as a square of short ones (Bailey, FFTs in external or hierarchical memory, J.
// Supercomputing 4 (1990)): columns, turned, then rows, stored as columns. Short lines fill vectors, caches
// and threads.
// beyond, the table of turns outgrows its use
constexpr int64_t long_line = 1 << 14, longest_square = 1 << 23;

int64_t short_side(int64_t n) {                        // the largest divisor up to √n
  int64_t d = static_cast<int64_t>(std::sqrt(double(n)));
  while (n % d) --d;
  return d;
}
template <class T> struct Square { std::vector<Root<T>> turns; };

template <class T> std::shared_ptr<const Square<T>> square_for(int64_t n) {
  return cached<Square<T>>(n, [](int64_t length) {
    auto r = std::make_shared<Square<T>>();
    const int64_t rows = short_side(length), columns = length / rows;
    r->turns.reserve(length);
    for (int64_t k = 0; k < rows; ++k)
      for (int64_t i = 0; i < columns; ++i) {
        const auto w = root_of_unity(k * i, length);
        r->turns.push_back({T(w.re), T(w.im)});
      }
    return std::shared_ptr<const Square<T>>(r);
  });
}

template <class T> bool run_squares(const Job& job) {
  if (job.kind != Kind::complex || job.inner != 1 || job.n < long_line ||
      job.n > longest_square) return false;
  const int64_t rows = short_side(job.n), columns = job.n / rows;
  std::vector<int> factors;
  if (rows < 64 || !factors_of(job.n, factors)) return false;
  const auto square = square_for<T>(job.n);
  Space<T> middle(job.n);
  for (int64_t line = 0; line < job.lines; ++line) {
    const T* in = static_cast<const T*>(job.in) + 2 * line * job.n;
    T* out = static_cast<T*>(job.out) + 2 * line * job.n;
    run_job<T>({Kind::complex, rows, columns, columns, 0, job.forward, 1, in, middle.data, nullptr});
    run_job<T>({Kind::complex, columns, rows, 1, rows, job.forward, job.scale, middle.data, out,
                square->turns.data()});
  }
  return true;
}

}  // namespace

template <class T> void transform(const Job& job) {
  if (job.lines <= 0 || job.n <= 0) return;
  Unlocked unlocked(double(job.n) * double(job.lines) > 4e3);
  if (!run_squares<T>(job)) run_job<T>(job);
}
template void transform<float>(const Job&);
template void transform<double>(const Job&);

}  // namespace fb::fft
