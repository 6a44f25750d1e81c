#include "kernels/conv.h"
#include "kernels/onednn.h"

#ifdef FB_ONEDNN
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/parallel.h"
#include "kernels/gemm.h"
#endif

namespace fb::onednn {

#ifdef FB_ONEDNN
namespace {

using dnnl::memory;
using Tag = memory::format_tag;

constexpr int64_t least_work = 1 << 13;                // below it a call of the library costs more than the product
constexpr size_t most_primitives = 256;
constexpr int64_t plain_channels = 3;                  // backward data with so few channels is fastest in plain layout

enum class Direction : int64_t { forward, data, weights };

memory::dims with(int64_t a, int64_t b, const Dims& rest) {
  memory::dims d{a, b};
  for (int64_t v : rest) d.push_back(v);
  return d;
}
memory::dims list(const Dims& values, int64_t less = 0) {
  memory::dims d;
  for (int64_t v : values) d.push_back(v - less);
  return d;
}
memory::desc packed(const memory::dims& sizes) {
  memory::dims strides(sizes.size(), 1);
  for (size_t i = sizes.size() - 1; i-- > 0;) strides[i] = strides[i + 1] * sizes[i + 1];
  return memory::desc(sizes, memory::data_type::f32, strides);
}
memory::desc any(const memory::dims& sizes) { return memory::desc(sizes, memory::data_type::f32, Tag::any); }

// A primitive with the layouts of its operands, as our packed tensors have them and as it wants them.
struct Entry {
  dnnl::primitive primitive;
  memory::desc x, w, y, own_x, own_w, own_y, bias;
};

struct Descs { memory::dims x, w, y; };
Descs sizes_of(const ConvSizes& k) {
  Descs d{with(k.samples, k.channels, k.in), with(k.filters / k.groups, k.channels / k.groups, k.kernel), with(k.samples, k.filters, k.out)};
  if (k.groups > 1) d.w.insert(d.w.begin(), k.groups);
  return d;
}

// A convolution over one dim as one over two: oneDNN has its fast kernels for those.
ConvSizes with_two_dims(const ConvSizes& k) {
  if (k.dims() != 1) return k;
  return {k.samples, k.channels, k.filters, k.groups, k.in.inserted(0, 1), k.kernel.inserted(0, 1), k.out.inserted(0, 1),
          k.stride.inserted(0, 1), k.padding.inserted(0, 0), k.padding_end.inserted(0, 0), k.dilation.inserted(0, 1)};
}

std::shared_ptr<Entry> make(const ConvSizes& given, Direction direction, bool bias) {
  const ConvSizes k = with_two_dims(given);
  const Descs d = sizes_of(k);
  auto e = std::make_shared<Entry>();
  e->x = packed(d.x);
  e->w = packed(d.w);
  e->y = packed(d.y);
  if (bias) e->bias = packed({k.filters});
  const auto algorithm = dnnl::algorithm::convolution_direct;
  const memory::dims stride = list(k.stride), dilation = list(k.dilation, 1), left = list(k.padding), right = list(k.padding_end);
  const bool plain = direction == Direction::data && k.channels <= plain_channels;
  const memory::desc x = plain ? e->x : any(d.x), y = plain ? e->y : any(d.y), w = any(d.w);
  const auto kind = dnnl::prop_kind::forward_training;
  const dnnl::convolution_forward::primitive_desc forward =
      bias ? dnnl::convolution_forward::primitive_desc(engine(), kind, algorithm, x, w, e->bias, y, stride, dilation, left, right)
           : dnnl::convolution_forward::primitive_desc(engine(), kind, algorithm, x, w, y, stride, dilation, left, right);
  auto take = [&](const auto& p, const memory::desc& own_x, const memory::desc& own_w, const memory::desc& own_y) {
    e->own_x = own_x;
    e->own_w = own_w;
    e->own_y = own_y;
    e->primitive = dnnl::primitive(p);
  };
  if (direction == Direction::forward) {
    take(dnnl::convolution_forward(forward), forward.src_desc(), forward.weights_desc(), forward.dst_desc());
  } else if (direction == Direction::data) {
    const dnnl::convolution_backward_data::primitive_desc p(engine(), algorithm, x, w, y, stride, dilation, left, right, forward);
    take(dnnl::convolution_backward_data(p), p.diff_src_desc(), p.weights_desc(), p.diff_dst_desc());
  } else {
    const dnnl::convolution_backward_weights::primitive_desc p(engine(), algorithm, x, w, y, stride, dilation, left, right, forward);
    take(dnnl::convolution_backward_weights(p), p.src_desc(), p.diff_weights_desc(), p.diff_dst_desc());
  }
  return e;
}

// Primitives by sizes and threads. When the map is full it starts anew: programs with ever new shapes do not grow.
std::shared_ptr<Entry> entry_for(const ConvSizes& k, Direction direction, bool bias) {
  static std::mutex lock;
  static auto* entries = new std::map<std::vector<int64_t>, std::shared_ptr<Entry>>;
  std::vector<int64_t> key{static_cast<int64_t>(direction), bias, thread_count(), k.samples, k.channels, k.filters, k.groups};
  for (const Dims* d : {&k.in, &k.kernel, &k.out, &k.stride, &k.padding, &k.padding_end, &k.dilation})
    key.insert(key.end(), d->begin(), d->end());
  const std::lock_guard<std::mutex> held(lock);
  if (const auto found = entries->find(key); found != entries->end()) return found->second;
  std::shared_ptr<Entry> made;
  try {
    made = make(k, direction, bias);
  } catch (const dnnl::error&) {}                      // not supported: remembered too
  if (entries->size() >= most_primitives) entries->clear();
  (*entries)[key] = made;
  return made;
}

// One operand: the tensor's memory, or a buffer in the layout that the primitive wants.
struct Operand {
  memory user, own;
  Tensor buffer;
  Operand(const Tensor& t, const memory::desc& packed, const memory::desc& wanted) : user(packed, engine(), t.data()) {
    if (packed == wanted) {
      own = user;
      return;
    }
    buffer = empty({static_cast<int64_t>(wanted.get_size() + 3) / 4}, DType::f32);
    own = memory(wanted, engine(), buffer.data());
  }
  void fill(dnnl::stream& s) { if (buffer) dnnl::reorder(user, own).execute(s, user, own); }
  void give(dnnl::stream& s) { if (buffer) dnnl::reorder(own, user).execute(s, own, user); }
};

bool fits(const ConvSizes& k, const Tensor& t) { return onednn_enabled() && t.dtype() == DType::f32 && k.work() >= least_work; }

}  // namespace

bool conv_forward(const ConvSizes& k, const Tensor& y, const Tensor& x, const Tensor& w, const Tensor& bias) {
  if (!fits(k, y)) return false;
  const auto e = entry_for(k, Direction::forward, bool(bias));
  if (!e) return false;
  Operand ox(x, e->x, e->own_x), ow(w, e->w, e->own_w), oy(y, e->y, e->own_y);
  std::unordered_map<int, memory> args{{DNNL_ARG_SRC, ox.own}, {DNNL_ARG_WEIGHTS, ow.own}, {DNNL_ARG_DST, oy.own}};
  if (bias) args.insert({DNNL_ARG_BIAS, memory(e->bias, engine(), bias.data())});
  const Unlocked unlocked;
  use_threads(thread_count());
  dnnl::stream s(engine());
  ox.fill(s);
  ow.fill(s);
  e->primitive.execute(s, args);
  oy.give(s);
  s.wait();
  return true;
}

bool conv_backward_data(const ConvSizes& k, const Tensor& gx, const Tensor& g, const Tensor& w) {
  if (!fits(k, g)) return false;
  const auto e = entry_for(k, Direction::data, false);
  if (!e) return false;
  Operand ox(gx, e->x, e->own_x), ow(w, e->w, e->own_w), oy(g, e->y, e->own_y);
  const Unlocked unlocked;
  use_threads(thread_count());
  dnnl::stream s(engine());
  oy.fill(s);
  ow.fill(s);
  e->primitive.execute(s, {{DNNL_ARG_DIFF_SRC, ox.own}, {DNNL_ARG_WEIGHTS, ow.own}, {DNNL_ARG_DIFF_DST, oy.own}});
  ox.give(s);
  s.wait();
  return true;
}

bool conv_backward_weights(const ConvSizes& k, const Tensor& gw, const Tensor& g, const Tensor& x) {
  if (!fits(k, g)) return false;
  const auto e = entry_for(k, Direction::weights, false);
  if (!e) return false;
  Operand ox(x, e->x, e->own_x), ow(gw, e->w, e->own_w), oy(g, e->y, e->own_y);
  const Unlocked unlocked;
  use_threads(thread_count());
  dnnl::stream s(engine());
  ox.fill(s);
  oy.fill(s);
  e->primitive.execute(s, {{DNNL_ARG_SRC, ox.own}, {DNNL_ARG_DIFF_WEIGHTS, ow.own}, {DNNL_ARG_DIFF_DST, oy.own}});
  ow.give(s);
  s.wait();
  return true;
}

#else
bool conv_forward(const ConvSizes&, const Tensor&, const Tensor&, const Tensor&, const Tensor&) { return false; }
bool conv_backward_data(const ConvSizes&, const Tensor&, const Tensor&, const Tensor&) { return false; }
bool conv_backward_weights(const ConvSizes&, const Tensor&, const Tensor&, const Tensor&) { return false; }
#endif

}  // namespace fb::onednn
