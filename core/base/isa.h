#pragma once
#include <cstdlib>

// CPU levels: the x86-64 micro-architecture levels 2 (SSE4.2), 3 (AVX2, FMA) and 4 (AVX-512).
// Code is cloned per level by function attributes and never by per-file compiler flags: an inline function
// compiled for a higher level in one file may be the copy that the linker keeps for every file.

// `flatten` inlines the whole body into each clone, so that all of it is compiled for the clone's level.
#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(gnu::flatten)
#define FB_FLATTEN [[gnu::flatten]]
#endif
#endif
#ifndef FB_FLATTEN
#define FB_FLATTEN
#endif

namespace fb {

#if defined(__x86_64__)

inline int detect_cpu_level() {
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                  __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  return v4 ? 4 : v3 ? 3 : 2;
}

// The level in use: what the CPU supports, or less if the environment says FLAMBEAU_LEVEL=2 or 3.
inline int cpu_level() {
  static const int level = [] {
    const int supported = detect_cpu_level();
    const char* wanted = std::getenv("FLAMBEAU_LEVEL");
    if (!wanted || wanted[0] < '2' || wanted[0] > '4' || wanted[1] != '\0') return supported;
    return wanted[0] - '0' < supported ? wanted[0] - '0' : supported;
  }();
  return level;
}

// Clones<&body>::pick() is the clone of `body` for this CPU, of level `top` at most; `body` is an ordinary function
// returning void.
template <auto body, int top = 4> struct Clones;
template <class... A, void (*body)(A...), int top> struct Clones<body, top> {
  FB_FLATTEN __attribute__((target("arch=x86-64-v2"))) static void v2(A... a) { body(a...); }
  FB_FLATTEN __attribute__((target("arch=x86-64-v3"))) static void v3(A... a) { body(a...); }
  FB_FLATTEN __attribute__((target("arch=x86-64-v4"))) static void v4(A... a) { body(a...); }
  static auto pick() {
    const int level = cpu_level();
    if constexpr (top >= 4) if (level >= 4) return &v4;
    return level >= 3 ? &v3 : &v2;
  }
};

#else

// One version: vectors are part of the base architecture (arm64: NEON and fused multiply-add).
inline int cpu_level() { return 2; }

template <auto body, int top = 4> struct Clones;
template <class... A, void (*body)(A...), int top> struct Clones<body, top> {
  static auto pick() { return body; }
};

#endif

}  // namespace fb
