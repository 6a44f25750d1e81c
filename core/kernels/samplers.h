#pragma once
#include <cstdint>

#include "mt19937.h"

// Samplers into contiguous memory. For a seed they return, bit for bit, the numbers that PyTorch returns on
// the CPU; which draws each takes, and in which precision, is tabulated in docs/design/random.md.
//
// T is float, double or, where a signature says `Number`, also bool or an integer type. float16 and bfloat16
// samples are drawn as float and rounded once; only where that is not the whole rule does a sampler take a
// `Rounding`, and it then returns floats that the type represents exactly.
namespace fb {

enum class Rounding { none, float16, bfloat16 };

// ---- real numbers
template <class T>
void uniform(T* out, int64_t n, double from, double to, Generator&);  // [from, to)
void uniform(float* out, int64_t n, double from, double to, Rounding, Generator&);

// Contiguous tensors: 16 or more elements are drawn in blocks, fewer as `normal_serial` draws them.
template <class T>
void normal(T* out, int64_t n, double mean, double std, Generator&);
void normal(float* out, int64_t n, double mean, double std, Rounding, Generator&);
// Tensors that are not contiguous, in memory order.
template <class T>
void normal_serial(T* out, int64_t n, double mean, double std, Generator&);

template <class T>
void exponential(T* out, int64_t n, double rate, Generator&);
template <class T>
void cauchy(T* out, int64_t n, double median, double sigma, Generator&);
template <class T>
void log_normal(T* out, int64_t n, double mean, double std, Generator&);

// ---- whole numbers
template <class Number>
void geometric(Number* out, int64_t n, double p, Generator&);  // trials until the first success, from 1
template <class Number>
void bernoulli(Number* out, int64_t n, double p, Generator&);
template <class Number, class T>
void bernoulli(Number* out, const T* p, int64_t n, Generator&);
template <class T>
void poisson(T* out, const T* rate, int64_t n, Generator&);
template <class T>
void binomial(T* out, const T* trials, const T* p, int64_t n, Generator&);

// random_(): 0 … the maximum of an integer type, 0 … 2^digits of a floating type (digits of its significand).
template <class Number>
void random_all(Number* out, int64_t n, Generator&);
void random_all(float* out, int64_t n, Rounding, Generator&);
// random_(-2^63, None) into int64 or a floating type.
template <class Number>
void random_all64(Number* out, int64_t n, Generator&);
// first … first + count - 1; needs 1 <= count.
template <class Number>
void random_range(Number* out, int64_t n, int64_t first, uint64_t count, Generator&);
// The bounds of random_(from, to) moved inward to numbers that a significand of `digits` bits represents.
struct IntegerBounds {
  int64_t from;
  int64_t to;
};
IntegerBounds representable_bounds(int64_t from, int64_t to, int digits);

template <class Number>
void randperm(Number* out, int64_t n, Generator&);

// ---- choices
// p (rows, categories) unnormalised → out (rows, draws); each row must sum to a positive number.
template <class T>
void multinomial(int64_t* out, const T* p, int64_t rows, int64_t categories, int64_t draws, Generator&);
// Without replacement: p / exponential(1). The largest keys are the sample, in falling order.
template <class T>
void multinomial_keys(T* out, const T* p, int64_t n, Generator&);

// ---- gamma family
template <class T>
void standard_gamma(T* out, const T* alpha, int64_t n, Generator&);
template <class T>
void dirichlet(T* out, const T* alpha, int64_t rows, int64_t categories, Generator&);

// ---- noise layers
// Keeps with probability 1 - p: out = x * (keep ? scale : 0); keep may be null.
template <class T>
void dropout(T* out, bool* keep, const T* x, int64_t n, double p, double scale, Generator&);
// Where x <= 0: out = x * slope, noise = slope, uniform in [lower, upper); elsewhere out = x, noise = 1.
template <class T>
void rrelu(T* out, T* noise, const T* x, int64_t n, double lower, double upper, Generator&);

}  // namespace fb
