#include "kernels/gemm.h"
#include "kernels/onednn.h"
#include "ops.h"

#ifdef FB_ONEDNN
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/parallel.h"
#endif

namespace fb::onednn {

#ifdef FB_ONEDNN
namespace {

using dnnl::memory;

constexpr int64_t least_work = 1 << 16;                // below it products of converted floats are as fast
constexpr int64_t threaded_work = int64_t(1) << 21;
constexpr size_t most_primitives = 256;

bool has_isa(dnnl::cpu_isa wanted) {
  static const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  return (isa & static_cast<unsigned>(wanted)) == static_cast<unsigned>(wanted);
}
// Does the processor multiply this dtype itself?
bool has_products(DType d) {
  return d == DType::bf16 ? has_isa(dnnl::cpu_isa::avx512_core_bf16) : d == DType::f16 && has_isa(dnnl::cpu_isa::avx512_core_fp16);
}

// Sizes and strides as oneDNN wants them: broadcast dims have size 1. Only one of the last two dims may be apart.
bool describe(const Tensor& t, int dims, memory::data_type type, memory::desc& desc, std::vector<int64_t>& key) {
  memory::dims sizes, strides;
  for (int i = t.dim() - dims; i < t.dim(); ++i) {
    const bool lead = i < 0, repeats = !lead && t.strides()[i] == 0 && i < t.dim() - 2;
    sizes.push_back(lead || repeats ? 1 : t.shape()[i]);
    strides.push_back(lead || repeats ? 1 : t.strides()[i]);
  }
  int64_t &rows = strides[strides.size() - 2], &cols = strides.back();
  const int64_t m = sizes[sizes.size() - 2], n = sizes.back();
  if (n == 1) cols = 1;
  if (m == 1) rows = cols == 1 ? n : 1;
  const bool fits = (cols == 1 && rows >= n) || (rows == 1 && cols >= m);
  if (!fits) return false;
  for (int64_t& s : strides) if (s <= 0) return false;
  key.insert(key.end(), sizes.begin(), sizes.end());
  key.insert(key.end(), strides.begin(), strides.end());
  desc = memory::desc(sizes, type, strides);
  return true;
}

struct Entry {
  dnnl::matmul primitive;
  memory::desc a, b, bias, out;
};

std::shared_ptr<Entry> entry_for(std::vector<int64_t> key, const Entry& described) {
  static std::mutex lock;
  static auto* entries = new std::map<std::vector<int64_t>, std::shared_ptr<Entry>>;
  const std::lock_guard<std::mutex> held(lock);
  if (const auto found = entries->find(key); found != entries->end()) return found->second;
  std::shared_ptr<Entry> made = std::make_shared<Entry>(described);
  try {
    const auto& d = described;
    made->primitive = dnnl::matmul(d.bias ? dnnl::matmul::primitive_desc(engine(), d.a, d.b, d.bias, d.out)
                                          : dnnl::matmul::primitive_desc(engine(), d.a, d.b, d.out));
  } catch (const dnnl::error&) {
    made = nullptr;                                    // not supported: remembered too
  }
  if (entries->size() >= most_primitives) entries->clear();
  (*entries)[std::move(key)] = made;
  return made;
}

}  // namespace

bool matmul_half(const Tensor& out, const Tensor& given_a, const Tensor& given_b, const Tensor& bias) {
  const DType d = out.dtype();
  const int64_t work = out.numel() * given_a.size(-1);
  if (!has_products(d) || given_a.dtype() != d || given_b.dtype() != d || (bias && bias.dtype() != d) || work < least_work) return false;
  const int dims = out.dim();
  const auto type = d == DType::bf16 ? memory::data_type::bf16 : memory::data_type::f16;
  const int threads = work < threaded_work || inside_parallel() ? 1 : thread_count();
  std::vector<int64_t> key{static_cast<int64_t>(d), threads, bool(bias), dims};
  Entry e;
  Tensor a = given_a, b = given_b;
  const auto take = [&](Tensor& t, memory::desc& desc) {   // what no kernel reads as it lies is packed first
    if (describe(t, dims, type, desc, key)) return true;
    t = contiguous(t);
    return describe(t, dims, type, desc, key);
  };
  if (!take(a, e.a) || !take(b, e.b) || !describe(out, dims, type, e.out, key)) return false;
  if (bias) {
    memory::dims sizes(size_t(dims), 1), strides(size_t(dims), out.size(-1));
    sizes.back() = out.size(-1);
    strides.back() = 1;
    e.bias = memory::desc(sizes, type, strides);
  }
  const std::shared_ptr<Entry> entry = entry_for(std::move(key), e);
  if (!entry) return false;
  std::unordered_map<int, memory> args{{DNNL_ARG_SRC, memory(e.a, engine(), a.data())},
                                       {DNNL_ARG_WEIGHTS, memory(e.b, engine(), b.data())},
                                       {DNNL_ARG_DST, memory(e.out, engine(), out.data())}};
  if (bias) args.insert({DNNL_ARG_BIAS, memory(e.bias, engine(), bias.data())});
  const Unlocked unlocked;
  use_threads(threads);
  dnnl::stream s(engine());
  entry->primitive.execute(s, args);
  s.wait();
  return true;
}

#else
bool matmul_half(const Tensor&, const Tensor&, const Tensor&, const Tensor&) { return false; }
#endif

}  // namespace fb::onednn
