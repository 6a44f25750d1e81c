#include "kernels/fft.h"

#include <algorithm>
#include <cstring>
#include <list>
#include <memory>
#include <mutex>
#include <new>

#include "base/isa.h"
#include "base/parallel.h"
#include "kernels/fft_passes.h"

namespace fb::fft {
namespace {

// ---- plans
bool factors_of(int64_t n, std::vector<int>& factors) {
  for (int radix : {8, 4, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31})
    while (n % radix == 0) {
      factors.push_back(radix);
      n /= radix;
    }
  return n == 1;
}
int64_t next_smooth(int64_t least) {                   // the next length of factors 2, 3 and 5 only
  for (int64_t n = least;; ++n) {
    int64_t rest = n;
    for (int f : {2, 3, 5}) while (rest % f == 0) rest /= f;
    if (rest == 1) return n;
  }
}

template <class T> std::vector<Pass<T>> passes_of(int64_t n, const std::vector<int>& factors) {
  std::vector<Pass<T>> passes;
  int64_t l = 1;
  for (int radix : factors) {
    Pass<T> p;
    p.radix = radix;
    p.l = l;
    p.m = n / (l * radix);
    if (p.m > 1) {
      p.twiddles.reserve(p.m * (radix - 1));
      for (int64_t i = 0; i < p.m; ++i)
        for (int j = 1; j < radix; ++j) {
          const auto w = root_of_unity(int64_t(j) * l * i, n);
          p.twiddles.push_back({T(w.re), T(w.im)});
        }
    }
    for (int j = 0; j < radix; ++j) {
      const auto w = root_of_unity(j, radix);
      p.roots.push_back({T(w.re), T(w.im)});
    }
    passes.push_back(std::move(p));
    l *= radix;
  }
  return passes;
}

// Only the passes are compiled for each CPU level: they are where the time goes.
template <class V, class T> void cloned_passes(const std::vector<Pass<T>>& passes, Pair<V>** data) {
  static const auto run = Clones<&run_passes<V, T>>::pick();
  run(&passes, data);
}

// A length with a large prime factor becomes a convolution with a chirp (Bluestein 1970), computed in double.
struct Chirp {
  int64_t length = 0;                                  // of the convolution, ≥ 2n - 1
  std::vector<Root<double>> turn;                      // e^(-πi k²/n)
  std::vector<Root<double>> filter;                    // transform of the conjugated chirp, over the length
  std::vector<Pass<double>> passes;
};

template <class T> struct Plan {
  int64_t n = 0;
  std::vector<Pass<T>> passes;
  std::unique_ptr<Chirp> chirp;                        // instead of passes
};

std::unique_ptr<Chirp> make_chirp(int64_t n) {
  auto c = std::make_unique<Chirp>();
  c->length = next_smooth(2 * n - 1);
  std::vector<int> factors;
  factors_of(c->length, factors);
  c->passes = passes_of<double>(c->length, factors);
  std::vector<Pair<double>> a(c->length, Pair<double>{0, 0}), b(c->length);
  int64_t square = 0;                                  // k² mod 2n
  for (int64_t k = 0; k < n; ++k) {
    const auto w = root_of_unity(square, 2 * n);
    c->turn.push_back(w);
    a[k] = {w.re, -w.im};
    if (k) a[c->length - k] = a[k];
    square = (square + 2 * k + 1) % (2 * n);
  }
  Pair<double>* buffers[2] = {a.data(), b.data()};
  cloned_passes<double, double>(c->passes, buffers);
  const Pair<double>* data = buffers[0];
  for (int64_t k = 0; k < c->length; ++k) c->filter.push_back({data[k].re / double(c->length), data[k].im / double(c->length)});
  return c;
}

template <class T> std::shared_ptr<const Plan<T>> make_plan(int64_t n) {
  auto plan = std::make_shared<Plan<T>>();
  plan->n = n;
  std::vector<int> factors;
  if (factors_of(n, factors)) plan->passes = passes_of<T>(n, factors);
  else plan->chirp = make_chirp(n);
  return plan;
}

// The plans used last; a plan holds about n roots.
template <class P, class Make> std::shared_ptr<const P> cached(int64_t n, const Make& make) {
  static std::mutex lock;
  static std::list<std::pair<int64_t, std::shared_ptr<const P>>> plans;
  constexpr size_t most = 24;
  {
    std::lock_guard guard(lock);
    for (auto i = plans.begin(); i != plans.end(); ++i) if (i->first == n) {
      plans.splice(plans.begin(), plans, i);
      return plans.front().second;
    }
  }
  auto plan = make(n);
  std::lock_guard guard(lock);
  plans.emplace_front(n, plan);
  if (plans.size() > most) plans.pop_back();
  return plan;
}
template <class T> std::shared_ptr<const Plan<T>> plan_for(int64_t n) { return cached<Plan<T>>(n, make_plan<T>); }

// e^(-2πi k/n) for k ≤ n/2, with which a transform of n/2 complex numbers becomes one of n real ones.
template <class T> struct HalfRoots { std::vector<Root<T>> at; };
template <class T> std::shared_ptr<const HalfRoots<T>> half_roots(int64_t n) {
  return cached<HalfRoots<T>>(n, [](int64_t length) {
    auto r = std::make_shared<HalfRoots<T>>();
    for (int64_t k = 0; k <= length / 2; ++k) {
      const auto w = root_of_unity(k, length);
      r->at.push_back({T(w.re), T(w.im)});
    }
    return std::shared_ptr<const HalfRoots<T>>(r);
  });
}

// ---- vectors of lines
template <class T> struct Wide;
template <> struct Wide<float> { typedef float type __attribute__((vector_size(32))); };
template <> struct Wide<double> { typedef double type __attribute__((vector_size(32))); };
template <class V, class T> inline constexpr int width = sizeof(V) / sizeof(T);
template <class V, class T> inline T& part(V& v, int w) { return reinterpret_cast<T*>(&v)[w]; }

template <class V> struct Space {                      // aligned, uninitialised
  explicit Space(int64_t n) : data(static_cast<Pair<V>*>(::operator new(sizeof(Pair<V>) * size_t(std::max<int64_t>(n, 1)), std::align_val_t(64)))) {}
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

template <class V, class T> void run_plan(const Plan<T>& plan, Pair<V>** buffers) {
  if (!plan.chirp) return cloned_passes<V, T>(plan.passes, buffers);
  Pair<V>* data = buffers[0];
  const Chirp& c = *plan.chirp;
  Space<double> first(c.length), second(c.length);
  for (int w = 0; w < width<V, T>; ++w) {
    Pair<double>* halves[2] = {first.data, second.data};
    Pair<double>* x = halves[0];
    for (int64_t k = 0; k < plan.n; ++k)
      x[k] = times(Pair<double>{double(part<V, T>(data[k].re, w)), double(part<V, T>(data[k].im, w))}, c.turn[k].re, c.turn[k].im);
    std::fill(x + plan.n, x + c.length, Pair<double>{0, 0});
    cloned_passes<double, double>(c.passes, halves);
    x = halves[0];
    for (int64_t k = 0; k < c.length; ++k) {           // parts exchanged: the next transform runs backward
      const Pair<double> p = times(x[k], c.filter[k].re, c.filter[k].im);
      x[k] = {p.im, p.re};
    }
    cloned_passes<double, double>(c.passes, halves);
    x = halves[0];
    for (int64_t k = 0; k < plan.n; ++k) {
      const Pair<double> p = times(Pair<double>{x[k].im, x[k].re}, c.turn[k].re, c.turn[k].im);
      part<V, T>(data[k].re, w) = T(p.re);
      part<V, T>(data[k].im, w) = T(p.im);
    }
  }
}

// Where line `line` begins, counted in its side's elements.
inline int64_t start_of(const Job& j, int64_t line, int64_t length) { return line / j.inner * length * j.inner + line % j.inner; }

// `width` complex numbers at one place of as many lines; backward transforms exchange real and imaginary parts.
template <class V, class T> inline Pair<V> load(const T* in, const int64_t* starts, int64_t at, bool swapped) {
  Pair<V> v;
  for (int w = 0; w < width<V, T>; ++w) {
    const T* p = in + 2 * (starts[w] + at);
    part<V, T>(v.re, w) = p[swapped];
    part<V, T>(v.im, w) = p[!swapped];
  }
  return v;
}
template <class V, class T> inline void store(T* out, const int64_t* starts, int64_t at, Pair<V> v, bool swapped, T scale) {
  v.re *= scale;
  v.im *= scale;
  for (int w = 0; w < width<V, T>; ++w) {
    T* p = out + 2 * (starts[w] + at);
    p[swapped] = part<V, T>(v.re, w);
    p[!swapped] = part<V, T>(v.im, w);
  }
}

template <class V, class T> inline void complex_lines(const Work<T>& k, const int64_t* starts) {
  const Job& j = *k.job;
  Pair<V>* buffers[2] = {static_cast<Pair<V>*>(k.a), static_cast<Pair<V>*>(k.b)};
  Pair<V>* data = buffers[0];
  const T* in = static_cast<const T*>(j.in);
  for (int64_t i = 0; i < j.n; ++i) data[i] = load<V, T>(in, starts, i * j.inner, !j.forward);
  run_plan<V, T>(*k.plan, buffers);
  data = buffers[0];
  for (int64_t i = 0; i < j.n; ++i) store<V, T>(static_cast<T*>(j.out), starts, i * j.inner, data[i], !j.forward, T(j.scale));
}

// Real numbers, an even count as pairs: Z = FFT(x[2j] + i x[2j+1]) holds both halves' transforms.
template <class V, class T> inline void real_lines(const Work<T>& k, const int64_t* in_starts, const int64_t* out_starts) {
  const Job& j = *k.job;
  Pair<V>* buffers[2] = {static_cast<Pair<V>*>(k.a), static_cast<Pair<V>*>(k.b)};
  Pair<V>* data = buffers[0];
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
    run_plan<V, T>(*k.plan, buffers);
    data = buffers[0];
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
  run_plan<V, T>(*k.plan, buffers);
  data = buffers[0];
  for (int64_t i = 0; i <= h; ++i) {
    const Pair<V> z = data[i == h ? 0 : i], y = data[i == 0 ? 0 : h - i];
    const Pair<V> even = {z.re + y.re, z.im - y.im}, odd = minus_i(Pair<V>{z.re - y.re, z.im + y.im});
    Pair<V> x = even + times(odd, k.half[i].re, k.half[i].im);
    if (!j.forward) x.im = -x.im;
    store<V, T>(out, out_starts, i * j.inner, x, swapped, scale / 2);
  }
}

// The real numbers whose half spectrum is given; the imaginary parts of its ends do not count.
template <class V, class T> inline void half_lines(const Work<T>& k, const int64_t* in_starts, const int64_t* out_starts) {
  const Job& j = *k.job;
  Pair<V>* buffers[2] = {static_cast<Pair<V>*>(k.a), static_cast<Pair<V>*>(k.b)};
  Pair<V>* data = buffers[0];
  const T* in = static_cast<const T*>(j.in);
  T* out = static_cast<T*>(j.out);
  const T scale = T(j.scale);
  auto at = [&](int64_t i) {                           // as a forward transform takes it: conjugated when backward
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
    run_plan<V, T>(*k.plan, buffers);
    data = buffers[0];
    for (int64_t i = 0; i < j.n; ++i)
      for (int w = 0; w < width<V, T>; ++w) out[out_starts[w] + i * j.inner] = part<V, T>(data[i].re, w) * scale;
    return;
  }
  const int64_t h = j.n / 2;
  for (int64_t i = 0; i < h; ++i) {
    const Pair<V> x = at(i), y = at(h - i);
    const Pair<V> even = {x.re + y.re, x.im - y.im}, odd = times(Pair<V>{x.re - y.re, x.im + y.im}, k.half[i].re, k.half[i].im);
    data[i] = {even.re - odd.im, even.im + odd.re};    // even + i odd
  }
  run_plan<V, T>(*k.plan, buffers);
  data = buffers[0];
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
    in_starts[w] = start_of(j, first + w, j.kind == Kind::half_to_real ? half : j.n);
    out_starts[w] = start_of(j, first + w, j.kind == Kind::real_to_half ? half : j.n);
  }
  if (j.kind == Kind::complex) complex_lines<V, T>(k, in_starts);
  else if (j.kind == Kind::real_to_half) real_lines<V, T>(k, in_starts, out_starts);
  else half_lines<V, T>(k, in_starts, out_starts);
}

template <class T> void run_lines(const Work<T>* k, int64_t begin, int64_t end) {
  using V = typename Wide<T>::type;
  int64_t line = begin;
  for (; line + width<V, T> <= end; line += width<V, T>) some_lines<V, T>(*k, line);
  for (; line < end; ++line) some_lines<T, T>(*k, line);
}

}  // namespace

template <class T> void transform(const Job& job) {
  if (job.lines <= 0 || job.n <= 0) return;
  const bool halves = job.kind != Kind::complex && job.n % 2 == 0;
  const auto plan = plan_for<T>(halves ? job.n / 2 : job.n);
  const auto half = halves ? half_roots<T>(job.n) : nullptr;
  const double work = double(job.n) * (std::log2(double(job.n)) + 2) * (plan->chirp ? 8 : 1);
  Unlocked unlocked(work * double(job.lines) > 2e4);
  const int64_t grain = std::max<int64_t>(8, static_cast<int64_t>(6e4 / work));
  parallel_for(job.lines, grain, [&](int64_t begin, int64_t end) {
    using V = typename Wide<T>::type;
    Space<V> a(plan->n), b(plan->n);
    const Work<T> work_here{&job, plan.get(), half ? half->at.data() : nullptr, a.data, b.data};
    run_lines<T>(&work_here, begin, end);
  });
}
template void transform<float>(const Job&);
template void transform<double>(const Job&);

}  // namespace fb::fft
