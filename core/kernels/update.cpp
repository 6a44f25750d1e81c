#include "kernels/update.h"

#include <algorithm>

#include "base/parallel.h"
#include "ops.h"
#include "tensor/convert.h"

namespace fb::update {
namespace {

constexpr int64_t chunk = 1024;                        // elements that stay in the first cache between passes
constexpr int64_t update_grain = 32768;

template <class T> void prepare(T* out, const T* grad, const T* param, T sign, T decay, int64_t n) {
  if (decay == 0) for (int64_t i = 0; i < n; ++i) out[i] = sign * grad[i];
  else for (int64_t i = 0; i < n; ++i) out[i] = sign * grad[i] + decay * param[i];
}

bool flat_together(const std::vector<const Tensors*>& lists, size_t i) {
  bool packed = true, alike = is_dense((*lists[0])[i].layout());
  for (const Tensors* list : lists) {
    packed &= (*list)[i].is_contiguous();
    alike &= (*list)[i].strides() == (*lists[0])[i].strides();
  }
  return packed || alike;
}

}  // namespace

void check_lengths(std::string_view op, const std::vector<const Tensors*>& lists) {
  for (const Tensors* list : lists)
    check(list->size() == lists[0]->size(), op, ": expected lists of ", static_cast<int64_t>(lists[0]->size()),
          " tensors, one per parameter, but got ", static_cast<int64_t>(list->size()));
}

double number_in(const Tensor& t) {
  check(t.numel() == 1, "expected a tensor with one element, got shape ", t.shape().list());
  double v;
  convert_packed(t.dtype(), DType::f64, &v, t.data(), 1);
  return v;
}
void write_number(const Tensor& t, double value) {
  convert_packed(DType::f64, t.dtype(), t.data(), &value, 1);
  ++t->version();
}
void multiply_number(const Tensor& t, double by) {
  const double v = number_in(t);
  write_number(t, t.dtype() == DType::f64 ? v * by : static_cast<float>(v) * static_cast<float>(by));
}
double advance(const Tensor& step) {
  const double next = number_in(step) + 1;
  write_number(step, next);
  return next;
}

void Group::add(const std::vector<const Tensors*>& lists, size_t i, const Constants& constants) {
  const Tensor& param = (*lists[0])[i];
  check<DTypeError>(is_differentiable(param.dtype()), op_, ": parameters must be floating or complex, got ", name_of(param.dtype()));
  const bool flat = flat_together(lists, i);
  Item item;
  item.compute = storage_of(compute_of(real_of(param.dtype())));
  for (int s = 0; s < rule_.streams; ++s) {
    Tensor t = (*lists[s])[i];
    check<ShapeError>(t.shape() == param.shape(), op_, ": parameter ", static_cast<int64_t>(i), " has shape ", param.shape().list(),
                      " but its gradient or state has shape ", t.shape().list());
    check<DTypeError>(is_complex(t.dtype()) == is_complex(param.dtype()) && is_differentiable(t.dtype()), op_, ": parameter ",
                      static_cast<int64_t>(i), " is ", name_of(param.dtype()), " but its gradient or state is ", name_of(t.dtype()));
    if (rule_.written >> s & 1) {
      check(t->storage->writable(), op_, ": the memory of a tensor to update is read-only");
      ++t->version();
    }
    if (!flat && !t.is_contiguous()) {
      const Tensor packed = contiguous(t);
      apart_.emplace_back(rule_.written >> s & 1 ? t : Tensor(), packed);
      t = packed;
    }
    item.data[s] = t.data();
    item.types[s] = real_of(t.dtype());
  }
  item.n = param.numel() * (is_complex(param.dtype()) ? 2 : 1);
  item.start = total_;
  item.constants = constants;
  total_ += item.n;
  items_.push_back(item);
}

void Group::run() {
  parallel_for(total_, update_grain, [this](int64_t begin, int64_t end) {
    auto next = std::upper_bound(items_.begin(), items_.end(), begin, [](int64_t at, const Item& x) { return at < x.start; });
    for (auto item = next - 1; item != items_.end() && item->start < end; ++item)
      run_item(*item, std::max<int64_t>(begin - item->start, 0), std::min(end - item->start, item->n));
  });
  for (const auto& [original, packed] : apart_) if (original) copy_(original, packed);
}

void Group::run_item(const Item& item, int64_t begin, int64_t end) const {
  if (begin >= end) return;
  const Step step = item.compute == DType::f64 ? rule_.in_double : rule_.in_float;
  bool direct = !preparation_.needed();
  for (int s = 0; s < rule_.streams; ++s) direct &= item.types[s] == item.compute;
  if (!direct) {
    for (int64_t i = begin; i < end; i += chunk) run_chunk(item, step, i, std::min(chunk, end - i));
    return;
  }
  void* streams[max_streams];
  for (int s = 0; s < rule_.streams; ++s) streams[s] = item.data[s] + begin * bytes_of(item.compute);
  step(streams, item.constants.k, end - begin);
}

// Through scratch: converts what is stored in another type, and prepares the gradient.
void Group::run_chunk(const Item& item, Step step, int64_t begin, int64_t n) const {
  alignas(64) double scratch[max_streams][chunk];
  alignas(64) double prepared[chunk];
  void* streams[max_streams];
  for (int s = 0; s < rule_.streams; ++s) {
    char* at = item.data[s] + begin * bytes_of(item.types[s]);
    streams[s] = at;
    if (item.types[s] == item.compute) continue;
    convert_packed(item.types[s], item.compute, scratch[s], at, n);
    streams[s] = scratch[s];
  }
  if (preparation_.needed()) {
    static const auto in_float = Clones<&prepare<float>>::pick();
    static const auto in_double = Clones<&prepare<double>>::pick();
    const double sign = preparation_.maximize ? -1 : 1, decay = preparation_.weight_decay;
    if (item.compute == DType::f64)
      in_double(prepared, static_cast<double*>(streams[1]), static_cast<double*>(streams[0]), sign, decay, n);
    else
      in_float(reinterpret_cast<float*>(prepared), static_cast<float*>(streams[1]), static_cast<float*>(streams[0]),
               static_cast<float>(sign), static_cast<float>(decay), n);
    streams[1] = prepared;
  }
  step(streams, item.constants.k, n);
  for (int s = 0; s < rule_.streams; ++s)
    if ((rule_.written >> s & 1) && item.types[s] != item.compute)
      convert_packed(item.compute, item.types[s], item.data[s] + begin * bytes_of(item.types[s]), streams[s], n);
}

}  // namespace fb::update
