#pragma once
#include <list>
#include <memory>
#include <mutex>

#include "base/isa.h"
#include "kernels/fft_passes.h"

// Plans of transforms: factors, twiddles and chirps of a length, kept for the next call.
namespace fb::fft {

inline bool factors_of(int64_t n, std::vector<int>& factors) {
  for (int radix : {8, 4, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31})
    while (n % radix == 0) {
      factors.push_back(radix);
      n /= radix;
    }
  return n == 1;
}
inline int64_t next_smooth(int64_t least) {                   // the next length of factors 2, 3 and 5 only
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

// The passes are compiled for each CPU level, apart from what loads and stores: once for all kinds of
// transforms.
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

inline std::unique_ptr<Chirp> make_chirp(int64_t n) {
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
  for (int64_t k = 0; k < c->length; ++k) c->filter.push_back({data[k].re / double(c->length),
                                                               data[k].im / double(c->length)});
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
template <class T> std::shared_ptr<const Plan<T>> plan_for(int64_t n) {
  return cached<Plan<T>>(n, make_plan<T>);
}

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

}  // namespace fb::fft
