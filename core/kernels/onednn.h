#pragma once
#ifdef FB_ONEDNN
#include <dnnl.hpp>

#ifdef FB_OPENMP
#include <omp.h>
#endif

// What the kernels that call oneDNN share.
namespace fb::onednn {

inline const dnnl::engine& engine() {
  static const auto* e = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *e;
}

// oneDNN takes as many threads as the runtime would give.
inline void use_threads([[maybe_unused]] int n) {
#ifdef FB_OPENMP
  if (omp_get_max_threads() != n) omp_set_num_threads(n);
#endif
}

}  // namespace fb::onednn
#endif
