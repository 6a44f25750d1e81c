#include "base/parallel.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#ifdef FB_OPENMP
#include <omp.h>
#endif

namespace fb {

Interpreter interpreter;

static bool forked_child = false;                     // libgomp hangs in a child of a process that used threads

// The number of CPUs this process may really use: affinity mask, then the control group's quota.
static int usable_cpus() {
  int n = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) n = CPU_COUNT(&set);
  if (FILE* file = fopen("/sys/fs/cgroup/cpu.max", "r")) {
    double quota = 0, period = 0;
    if (fscanf(file, "%lf %lf", &quota, &period) == 2 && period > 0)
      n = std::min(n, std::max(1, static_cast<int>(std::ceil(quota / period))));
    fclose(file);
  }
#endif
  if (const char* wanted = std::getenv("OMP_NUM_THREADS"))
    if (int w = std::atoi(wanted); w > 0) n = w;
  return std::max(1, n);
}

static int& threads() {
  static int n = [] {
    pthread_atfork(nullptr, nullptr, [] {
      forked_child = true;
#ifdef FB_OPENMP
      omp_set_num_threads(1);                          // oneDNN asks the runtime
#endif
    });
    return usable_cpus();
  }();
  return n;
}

int thread_count() { return forked_child ? 1 : threads(); }
void set_thread_count(int n) {
  threads() = n;
#ifdef FB_OPENMP
  omp_set_num_threads(n);
#endif
}

bool inside_parallel() {
#ifdef FB_OPENMP
  return omp_in_parallel();
#else
  return false;
#endif
}

void parallel_ranges(int64_t n, int64_t grain, RangeBody body, const void* context) {
  const int64_t wanted = std::min<int64_t>(thread_count(), (n + grain - 1) / std::max<int64_t>(grain, 1));
  Unlocked unlocked;
  if (wanted <= 1 || inside_parallel()) return body(context, 0, n);
#ifdef FB_OPENMP
  const int64_t share = (n + wanted - 1) / wanted;
#pragma omp parallel num_threads(static_cast<int>(wanted))
  {
    const int64_t begin = omp_get_thread_num() * share, end = std::min(n, begin + share);
    if (begin < end) body(context, begin, end);
  }
#else
  body(context, 0, n);
#endif
}

}  // namespace fb
