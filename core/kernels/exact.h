#pragma once
// Include this first in a file whose results must be the same bits on every CPU: it forbids the compiler to
// fuse a product and a sum on its own. A fused step is then written out as fb::fma.
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

// One copy of a function per CPU level; the loader picks one. Only for functions that use fb::fma for fusing.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define FB_EXACT_CLONES [[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]]
#else
#define FB_EXACT_CLONES
#endif

namespace fb {
// Without an FMA instruction these call the C library, whose result is correctly rounded too.
[[gnu::always_inline]] inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
[[gnu::always_inline]] inline double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
}  // namespace fb
