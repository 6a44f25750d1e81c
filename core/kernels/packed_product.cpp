#include "kernels/packed_product.h"

#include <cstdlib>
#include <string_view>

#include "base/parallel.h"
#include "kernels/onednn.h"

namespace fb {

#ifdef FB_ONEDNN

using dnnl::memory;

struct PackedProduct::Packed {
  dnnl::matmul primitive;
  memory::desc in, out, bias;
  Tensor buffer;
  memory weights;
  int threads;
};

// FLAMBEAU_KERNEL=reference asks for the portable kernels, here as in gemm.
static bool wants_reference() {
  static const bool wants = [] {
    const char* kernel = std::getenv("FLAMBEAU_KERNEL");
    return kernel && std::string_view(kernel) == "reference";
  }();
  return wants;
}

static constexpr int64_t least_work = 1 << 18;         // of one product
static constexpr int64_t threaded_work = int64_t(1) << 21;
static constexpr int64_t least_times = 4;              // bringing b into another layout costs about one product

PackedProduct::PackedProduct(Compute type, const Matrix& b, int64_t rows, int64_t times, bool adds, const char* bias)
    : type_(type), b_(b), rows_(rows), adds_(adds), bias_(bias) {
  const int64_t work = rows * b.rows * b.cols;
  if (type != Compute::f32 || rows < 2 || work < least_work || times < least_times || wants_reference()) return;
  auto p = std::make_unique<Packed>();
  p->threads = work < threaded_work || inside_parallel() ? 1 : thread_count();
  constexpr auto f32 = memory::data_type::f32;
  using Tag = memory::format_tag;
  try {
    onednn::use_threads(p->threads);
    p->in = memory::desc({rows, b.rows}, f32, Tag::ab);
    p->out = memory::desc({rows, b.cols}, f32, Tag::ab);
    const memory::desc any({b.rows, b.cols}, f32, Tag::any);
    dnnl::primitive_attr attributes;
    if (adds) {
      dnnl::post_ops sum;
      sum.append_sum(1.0f);
      attributes.set_post_ops(sum);
    }
    if (bias) p->bias = memory::desc({1, b.cols}, f32, Tag::ab);
    const auto& engine = onednn::engine();
    const auto wanted = bias ? dnnl::matmul::primitive_desc(engine, p->in, any, p->bias, p->out, attributes)
                             : dnnl::matmul::primitive_desc(engine, p->in, any, p->out, attributes);
    p->primitive = dnnl::matmul(wanted);
    p->buffer = empty({static_cast<int64_t>(wanted.weights_desc().get_size() + 3) / 4}, DType::f32);
    p->weights = memory(wanted.weights_desc(), engine, p->buffer.data());
    memory given(memory::desc({b.rows, b.cols}, f32, memory::dims{b.row_stride, b.col_stride}), engine, b.data);
    dnnl::stream s(engine);
    dnnl::reorder(given, p->weights).execute(s, given, p->weights);
    s.wait();
    packed_ = std::move(p);
  } catch (const dnnl::error&) {}                      // not supported: gemm serves
}

void PackedProduct::run(const void* a, void* out) const {
  if (packed_) {
    const auto& engine = onednn::engine();
    std::unordered_map<int, memory> args{{DNNL_ARG_SRC, memory(packed_->in, engine, const_cast<void*>(a))},
                                         {DNNL_ARG_WEIGHTS, packed_->weights},
                                         {DNNL_ARG_DST, memory(packed_->out, engine, out)}};
    if (bias_) args.insert({DNNL_ARG_BIAS, memory(packed_->bias, engine, const_cast<char*>(bias_))});
    onednn::use_threads(packed_->threads);
    dnnl::stream s(engine);
    packed_->primitive.execute(s, args);
    s.wait();
    return;
  }
#else

struct PackedProduct::Packed {};

PackedProduct::PackedProduct(Compute type, const Matrix& b, int64_t rows, int64_t, bool adds, const char* bias)
    : type_(type), b_(b), rows_(rows), adds_(adds), bias_(bias) {}

void PackedProduct::run(const void* a, void* out) const {
#endif
  char* in = static_cast<char*>(const_cast<void*>(a));
  gemm({type_, {in, rows_, b_.rows, b_.rows, 1}, b_, {static_cast<char*>(out), rows_, b_.cols, b_.cols, 1}, 1, adds_ ? 1 : 0, bias_});
}

PackedProduct::~PackedProduct() = default;

}  // namespace fb
