// Losses of class scores against class indices.
#include <algorithm>
#include <vector>

#include "kernels/rows.h"
#include "loss.h"
#include "math/exponential.h"
#include "op/build.h"

namespace fb {

struct NllLossNd; struct NllLossBackward; struct CrossEntropyLoss; struct CrossEntropyIndices;
struct CrossEntropyBackward; struct ClassCoefficients; struct Softmax;

namespace {

constexpr int64_t columns = 64;                        // places handled together when classes are strided

// Scores (samples, classes, places) with one class index for each sample and place, checked.
struct ClassTargets {
  int64_t samples = 1, classes, places = 1, count;
  Tensor index, weights;                               // int64; in the compute type, or undefined
  int64_t ignored;
  DType type;

  ClassTargets(const Dims& sizes, DType dtype, T_ target, T_ weight, int64_t ignore_index) : ignored(ignore_index) {
    const int dims = sizes.size();
    check<ValueError>(dims > 0, "nll_loss: the input is 0-dimensional, it needs a dim of classes");
    if (dims > 1) check_target(sizes, target.shape());
    else check<ValueError>(target.dim() <= 1 && target.numel() == 1, "nll_loss: an input of shape ",
                           sizes.list(), " is 1 sample and needs 1 class as target, got ", target.dim() ?
                           target.shape()[0] : 1);
    check(target.dtype() == DType::i64 || target.dtype() == DType::u8,
          "nll_loss: class numbers must be Long or Byte, target is ", row(target.dtype()).legacy);
    check<UnsupportedError>(is_floating(dtype), "\"nll_loss_out_frame\" not implemented for '", row(dtype).legacy, "'");
    samples = dims > 1 ? sizes[0] : 1;
    classes = dims > 1 ? sizes[1] : sizes[0];
    for (int i = 2; i < dims; ++i) places *= sizes[i];
    count = samples * places;
    type = computed_as(dtype);
    index = contiguous(to_dtype(target, DType::i64));
    if (weight) take_weights(weight, dtype);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t t = index.data<int64_t>()[i];
      check<IndexError>((t >= 0 && t < classes) || t == ignored, "nll_loss: class ", t, " is out of bounds "
                        "for ", classes, " classes");
    }
  }
  static void check_target(const Dims& sizes, const Dims& target) {
    const int64_t given = target.empty() ? 1 : target[0];
    check<ValueError>(sizes[0] == given, "nll_loss: the input has batch_size ", sizes[0], ", the target ", given);
    check(sizes.size() > 2 || target.size() == 1, "nll_loss: target holds one class per sample and so is a "
          "vector, its shape is ", target.list());
    const Dims wanted = sizes.erased(1);
    check(sizes.size() != 4 || target == wanted, "nll_loss: size mismatch, the input has shape ",
          sizes.list(), ", the target ", target.list());
    check(target == wanted, "Expected target size ", wanted.list(), ", got ", target.list());
  }
  void take_weights(T_ weight, DType dtype) {
    check(weight.dim() == 1 && weight.numel() == classes, "weight must be a vector of ", classes, " numbers, "
          "one per class; its shape is ", weight.shape().list());
    check<DTypeError>(weight.dtype() == dtype, "expected scalar type ", row(dtype).legacy, " but found ",
                      row(weight.dtype()).legacy, " for weight");
    weights = contiguous(to_dtype(weight, type));
  }
  template <class T> const T* weight_data() const { return weights ? weights.data<T>() : nullptr; }
  double total_weight() const {
    double total = 0;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t t = index.data<int64_t>()[i];
      if (t == ignored) continue;
      total += !weights ? 1.0 : type == DType::f64 ? weights.data<double>()[t] : weights.data<float>()[t];
    }
    return total;
  }
};

// What the loops of cross-entropy see.
template <class T> struct Classes {
  const T *x, *weight;                                 // weight: by class, may be null
  const int64_t* target;
  int64_t classes, places, ignored;
  T smoothing, weight_sum;                             // share spread over the classes; sum of all weights
  T weight_of(int64_t c) const { return weight ? weight[c] : T(1); }
};

template <class T> inline T row_top(const T* a, int64_t n) {
  return fold_lanes(n, -std::numeric_limits<T>::infinity(), [=](int64_t i) { return a[i]; },
                    [](T p, T q) { return p > q ? p : q; });
}

template <class T> inline void entropy_rows(const Classes<T>& k, T* loss, int64_t begin, int64_t end) {
  const int64_t n = k.classes;
  for (int64_t r = begin; r < end; ++r) {
    const T* a = k.x + r * n;
    const int64_t t = k.target[r];
    loss[r] = 0;
    if (t == k.ignored) continue;
    const T top = row_top(a, n);
    const T log_sum = math::log(sum_lanes<T>(n, [=](int64_t i) { return math::exp(a[i] - top); }));
    T sum = (log_sum - (a[t] - top)) * k.weight_of(t);
    if (k.smoothing != T(0)) {
      const T* w = k.weight;
      const T all = w ? sum_lanes<T>(n, [=](int64_t i) { return w[i] * (log_sum - (a[i] - top)); })
                      : sum_lanes<T>(n, [=](int64_t i) { return log_sum - (a[i] - top); });
      sum = (T(1) - k.smoothing) * sum + k.smoothing / T(n) * all;
    }
    loss[r] = sum;
  }
}

template <class T> inline void entropy_columns(const Classes<T>& k, T* loss, int64_t begin, int64_t end) {
  const int64_t n = k.classes, inner = k.places, strips = (inner + columns - 1) / columns;
  for (int64_t b = begin; b < end; ++b) {
    const int64_t first = b % strips * columns, w = std::min(columns, inner - first), sample = b / strips;
    const T* a = k.x + sample * n * inner + first;
    const int64_t* target = k.target + sample * inner + first;
    T* o = loss + sample * inner + first;
    T top[columns], total[columns], all[columns];
    for (int64_t j = 0; j < w; ++j) top[j] = -std::numeric_limits<T>::infinity(), total[j] = all[j] = 0;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < w; ++j) top[j] = a[i * inner + j] > top[j] ? a[i * inner + j] : top[j];
    for (int64_t i = 0; i < n; ++i)
#pragma GCC ivdep
      for (int64_t j = 0; j < w; ++j) total[j] += math::exp(a[i * inner + j] - top[j]);
    for (int64_t j = 0; j < w; ++j) total[j] = math::log(total[j]);
    if (k.smoothing != T(0))
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < w; ++j) all[j] += k.weight_of(i) * (total[j] - (a[i * inner + j] - top[j]));
    for (int64_t j = 0; j < w; ++j) {
      const int64_t t = target[j];
      o[j] = t == k.ignored ? T(0)
                            : (T(1) - k.smoothing) * k.weight_of(t) * (total[j] - (a[t * inner + j] - top[j])) +
                                  k.smoothing / T(n) * all[j];
    }
  }
}

// g: one number for each row times `scale`, or one for all.
template <class T>
inline void entropy_gradient_rows(const Classes<T>& k, const T* g, T scale, bool one, T* out, int64_t begin, int64_t end) {
  const int64_t n = k.classes;
  for (int64_t r = begin; r < end; ++r) {
    const T* a = k.x + r * n;
    T* o = out + r * n;
    const int64_t t = k.target[r];
    if (t == k.ignored) {
      std::fill(o, o + n, T(0));
      continue;
    }
    const T top = row_top(a, n), c = g[one ? 0 : r] * scale;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) o[i] = math::exp(a[i] - top);
    const T total = sum_lanes<T>(n, [=](int64_t i) { return o[i]; });
    const T own = (T(1) - k.smoothing) * k.weight_of(t), spread = k.smoothing / T(n);
    const T slope = c * (own + spread * k.weight_sum) / total;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) o[i] *= slope;
    o[t] -= c * own;
    if (spread != T(0))
      for (int64_t i = 0; i < n; ++i) o[i] -= c * spread * k.weight_of(i);
  }
}

template <class T>
inline void entropy_gradient_columns(const Classes<T>& k, const T* g, T scale, bool one, T* out, int64_t begin, int64_t end) {
  const int64_t n = k.classes, inner = k.places, strips = (inner + columns - 1) / columns;
  for (int64_t b = begin; b < end; ++b) {
    const int64_t first = b % strips * columns, w = std::min(columns, inner - first), sample = b / strips;
    const T* a = k.x + sample * n * inner + first;
    const int64_t* target = k.target + sample * inner + first;
    T* o = out + sample * n * inner + first;
    T top[columns], total[columns], factor[columns], slope[columns];
    for (int64_t j = 0; j < w; ++j) top[j] = -std::numeric_limits<T>::infinity(), total[j] = 0;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < w; ++j) top[j] = a[i * inner + j] > top[j] ? a[i * inner + j] : top[j];
    for (int64_t i = 0; i < n; ++i)
#pragma GCC ivdep
      for (int64_t j = 0; j < w; ++j) total[j] += o[i * inner + j] = math::exp(a[i * inner + j] - top[j]);
    for (int64_t j = 0; j < w; ++j) {
      const int64_t t = target[j];
      factor[j] = t == k.ignored ? T(0) : g[one ? 0 : sample * inner + first + j] * scale;
      const T own = t == k.ignored ? T(0) : (T(1) - k.smoothing) * k.weight_of(t);
      slope[j] = factor[j] * (own + k.smoothing / T(n) * k.weight_sum) / total[j];
    }
    for (int64_t i = 0; i < n; ++i) {
      const T spread = k.smoothing / T(n) * k.weight_of(i);
#pragma GCC ivdep
      for (int64_t j = 0; j < w; ++j) o[i * inner + j] = o[i * inner + j] * slope[j] - factor[j] * spread;
    }
    for (int64_t j = 0; j < w; ++j)
      if (target[j] != k.ignored)
        o[target[j] * inner + j] -= factor[j] * (T(1) - k.smoothing) * k.weight_of(target[j]);
  }
}

template <class T> Classes<T> classes_of(const ClassTargets& k, T_ x, double smoothing) {
  Classes<T> c{x.data<T>(), k.weight_data<T>(), k.index.data<int64_t>(), k.classes, k.places, k.ignored,
               static_cast<T>(smoothing), T(k.classes)};
  if (c.weight) {
    c.weight_sum = 0;
    for (int64_t i = 0; i < k.classes; ++i) c.weight_sum += c.weight[i];
  }
  return c;
}

// The losses of all samples and places as the caller wants them.
Tensor reduced_losses(const Tensor& losses, const ClassTargets& k, Reduce r, DType dtype) {
  if (r == Reduce::none) return to_dtype(losses, dtype);
  Tensor out = empty(Dims(), k.type);
  by_real(k.type, [&]<class T>(T) {
    const T* p = losses.data<T>();
    double total = 0;
    for (int64_t i = 0; i < k.count; ++i) total += p[i];
    *out.data<T>() = static_cast<T>(r == Reduce::mean ? total / k.total_weight() : total);
  });
  return to_dtype(out, dtype);
}

int class_dim(const Dims& sizes) { return sizes.size() > 1 ? 1 : 0; }

// The gradient of a loss, repeated along the class dim where it has one number a sample.
Tensor with_class_dim(T_ g, const Dims& sizes) { return g.dim() == 0 ? g : unsqueeze(g, class_dim(sizes)); }

}  // namespace

struct NllLossNd {
  static constexpr auto schema =
      "nll_loss_nd(Tensor input, Tensor target, Tensor? weight=None, str reduction='mean', int ignore_index=-100) -> Tensor";
  static constexpr auto doc = R"(
    -weight[t] * x[t] for log-probabilities x and class indices t; the mean divides by the sum of the weights used.

    Shapes: input (C), (N, C) or (N, C, *), target (), (N) or (N, *), weight (C) → target's, or () if reduced.
    Dtypes: input floating, target int64 or uint8, weight as input.
    Errors: IndexError if a target is neither a class nor ignore_index.

    >>> fb._C.nll_loss_nd(fb.tensor([[-1., -2.]]), fb.tensor([1]))
    tensor(2.)
  )";
  using kind = Opaque;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    return args[0].as_tensor().dim() > 2 ? "NllLoss2DBackward0" : "NllLossBackward0";
  }
  static Tensor kernel(Tensor input, Tensor target, Tensor weight, std::string reduction, int64_t ignore_index) {
    const Reduce r = reduce_of(reduction);
    const ClassTargets k(input.shape(), input.dtype(), target, weight, ignore_index);
    const Tensor x = contiguous(to_dtype(input, k.type));
    Tensor losses = empty(target.shape(), k.type);
    by_real(k.type, [&]<class T>(T) {
      const T *from = x.data<T>(), *w = k.weight_data<T>();
      const int64_t* t = k.index.data<int64_t>();
      for (int64_t i = 0; i < k.count; ++i) {
        const int64_t at = i / k.places * k.classes * k.places + t[i] * k.places + i % k.places;
        losses.data<T>()[i] = t[i] == k.ignored ? T(0) : -from[at] * (w ? w[t[i]] : T(1));
      }
    });
    return reduced_losses(losses, k, r, input.dtype());
  }
  static Tensor vjp_input(Tensor g, Shape<0> sizes, In<1> target, In<2> weight, Arg<3, std::string> reduction,
                          Arg<4, int64_t> ignore_index) {
    return call_op<NllLossBackward>(g, target, weight, reduction.value, ignore_index.value, sizes);
  }
  static NoGrad vjp_target();
  static NoGrad vjp_weight();
};

struct NllLossBackward {
  static constexpr auto schema = "_nll_loss_backward(Tensor grad, Tensor target, Tensor? weight, str reduction, "
                                 "int ignore_index, int[] sizes) -> Tensor";
  static constexpr auto doc = "Gradient of nll_loss_nd in its input of the given sizes.";
  using kind = Opaque;
  static Tensor kernel(Tensor grad, Tensor target, Tensor weight, std::string reduction, int64_t ignore_index, Dims sizes) {
    const Reduce r = reduce_of(reduction);
    const ClassTargets k(sizes, grad.dtype(), target, weight, ignore_index);
    const Tensor g = contiguous(to_dtype(grad, k.type));
    Tensor out = zeros(sizes, k.type);
    by_real(k.type, [&]<class T>(T) {
      const T *from = g.data<T>(), *w = k.weight_data<T>();
      const int64_t* t = k.index.data<int64_t>();
      const T scale = static_cast<T>(r == Reduce::mean ? 1.0 / k.total_weight() : 1.0);
      for (int64_t i = 0; i < k.count; ++i) {
        if (t[i] == k.ignored) continue;
        const int64_t at = i / k.places * k.classes * k.places + t[i] * k.places + i % k.places;
        out.data<T>()[at] = -from[g.numel() == 1 ? 0 : i] * scale * (w ? w[t[i]] : T(1));
      }
    });
    return to_dtype(out, grad.dtype());
  }
  // The loss is linear in its input, so its gradient's gradient is the loss again.
  static Tensor vjp_grad(Tensor g, In<1> target, In<2> weight, Arg<3, std::string> reduction, Arg<4, int64_t> ignore_index) {
    return call_op<NllLossNd>(g, target, weight, reduction.value, ignore_index.value);
  }
  static NoGrad vjp_target();
  static NoGrad vjp_weight();
};

struct ClassCoefficients {
  static constexpr auto schema = "_class_coefficients(Tensor input, Tensor target, Tensor? weight, str reduction, "
                                 "int ignore_index, float label_smoothing) -> Tensor";
  static constexpr auto doc = "q with cross-entropy = -(q * log_softmax(input)) summed over the classes, or over everything.";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensor input, Tensor target, Tensor weight, std::string reduction, int64_t ignore_index, double smoothing) {
    const ClassTargets k(input.shape(), input.dtype(), target, weight, ignore_index);
    Tensor q = zeros(input.shape(), k.type);
    by_real(k.type, [&]<class T>(T) {
      const T* w = k.weight_data<T>();
      const int64_t* t = k.index.data<int64_t>();
      const double scale = reduce_of(reduction) == Reduce::mean ? 1.0 / k.total_weight() : 1.0;
      for (int64_t i = 0; i < k.count; ++i) {
        if (t[i] == k.ignored) continue;
        T* o = q.data<T>() + i / k.places * k.classes * k.places + i % k.places;
        for (int64_t c = 0; c < k.classes; ++c)
          o[c * k.places] = static_cast<T>(scale * ((t[i] == c ? 1 - smoothing : 0) + smoothing / k.classes) * (w ? w[c] : T(1)));
      }
    });
    return to_dtype(q, input.dtype());
  }
};

struct CrossEntropyIndices {
  static constexpr auto schema = "_cross_entropy_indices(Tensor input, Tensor target, Tensor? weight, str reduction, "
                                 "int ignore_index, float label_smoothing) -> Tensor";
  static constexpr auto doc = "cross_entropy_loss for class indices.";
  using kind = Fused;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    if (args[5].as_double() != 0) return "AddBackward0";
    return args[0].as_tensor().dim() > 2 ? "NllLoss2DBackward0" : "NllLossBackward0";
  }
  static Tensor kernel(Tensor input, Tensor target, Tensor weight, std::string reduction, int64_t ignore_index, double smoothing) {
    const Reduce r = reduce_of(reduction);
    const ClassTargets k(input.shape(), input.dtype(), target, weight, ignore_index);
    const Tensor x = contiguous(to_dtype(input, k.type));
    Tensor losses = empty(target.shape(), k.type);
    by_real(k.type, [&]<class T>(T) {
      const Classes<T> c = classes_of<T>(k, x, smoothing);
      T* to = losses.data<T>();
      const auto rows = k.places == 1 ? Clones<&entropy_rows<T>>::pick() : Clones<&entropy_columns<T>>::pick();
      const int64_t strips = k.places == 1 ? 1 : (k.places + columns - 1) / columns;
      parallel_for(k.samples * strips, row_grain(k.classes * std::min(k.places, columns)),
                   [&](int64_t b, int64_t e) { rows(c, to, b, e); });
    });
    return reduced_losses(losses, k, r, input.dtype());
  }
  static Tensor decompose(Tensor input, Tensor target, Tensor weight, std::string reduction, int64_t ignore_index, double smoothing) {
    const Tensor q = call_op<ClassCoefficients>(input, target, weight, reduction, ignore_index, smoothing);
    const int dim = class_dim(input.shape());
    const Tensor loss = -(q * call_op<LogSoftmax>(input, dim, Value()));
    return reduce_of(reduction) == Reduce::none ? sum(loss, Dims{dim}) : sum(loss);
  }
  static Tensor vjp_input(Tensor g, In<0> input, In<1> target, In<2> weight, Arg<3, std::string> reduction,
                          Arg<4, int64_t> ignore_index, Arg<5, double> smoothing) {
    return call_op<CrossEntropyBackward>(g, input, target, weight, reduction.value, ignore_index.value, smoothing.value);
  }
  static NoGrad vjp_target();
  static NoGrad vjp_weight();
};

struct CrossEntropyBackward {
  static constexpr auto schema = "_cross_entropy_backward(Tensor grad, Tensor input, Tensor target, Tensor? weight, "
                                 "str reduction, int ignore_index, float label_smoothing) -> Tensor";
  static constexpr auto doc = "Gradient of cross_entropy_loss for class indices.";
  using kind = Fused;
  static Tensor kernel(Tensor grad, Tensor input, Tensor target, Tensor weight, std::string reduction, int64_t ignore_index,
                       double smoothing) {
    const Reduce r = reduce_of(reduction);
    const ClassTargets k(input.shape(), input.dtype(), target, weight, ignore_index);
    const Tensor x = contiguous(to_dtype(input, k.type)), g = contiguous(to_dtype(grad, k.type));
    Tensor out = empty(input.shape(), k.type);
    by_real(k.type, [&]<class T>(T) {
      const Classes<T> c = classes_of<T>(k, x, smoothing);
      const T* from = g.data<T>();
      T* to = out.data<T>();
      const T scale = static_cast<T>(r == Reduce::mean ? 1.0 / k.total_weight() : 1.0);
      const bool one = g.numel() == 1;
      const auto rows = k.places == 1 ? Clones<&entropy_gradient_rows<T>>::pick() : Clones<&entropy_gradient_columns<T>>::pick();
      const int64_t strips = k.places == 1 ? 1 : (k.places + columns - 1) / columns;
      parallel_for(k.samples * strips, row_grain(k.classes * std::min(k.places, columns)),
                   [&](int64_t b, int64_t e) { rows(c, from, scale, one, to, b, e); });
    });
    return to_dtype(out, input.dtype());
  }
  static Tensor decompose(Tensor grad, Tensor input, Tensor target, Tensor weight, std::string reduction, int64_t ignore_index,
                          double smoothing) {
    const Tensor q = call_op<ClassCoefficients>(input, target, weight, reduction, ignore_index, smoothing);
    const int dim = class_dim(input.shape());
    const Tensor d = with_class_dim(grad, input.shape()) * q;
    return call_op<Softmax>(input, dim, Value()) * sum(d, Dims{dim}, true) - d;
  }
};

struct CrossEntropyLoss {
  static constexpr auto schema = "cross_entropy_loss(Tensor input, Tensor target, Tensor? weight=None, str reduction='mean', "
                                 "int ignore_index=-100, float label_smoothing=0.0) -> Tensor";
  static constexpr auto doc = R"(
    Cross-entropy of softmax(input) along its class dim with class indices, or probabilities of input's shape.

    Shapes: input (C), (N, C) or (N, C, *), target indices (), (N) or (N, *), or probabilities as input,
    weight (C) → input's without C, or () if reduced.   Dtypes: input floating.
    Errors: IndexError if an index is neither a class nor ignore_index.

    >>> fb._C.cross_entropy_loss(fb.tensor([[0., 0.]]), fb.tensor([1]))
    tensor(0.6931)
  )";
  using kind = Composite;
  static Tensor decompose(Tensor input, Tensor target, Tensor weight, std::string reduction, int64_t ignore_index, double smoothing) {
    check(smoothing >= 0 && smoothing <= 1, "cross_entropy: label_smoothing must lie from 0 to 1, got ",
          smoothing);
    check<UnsupportedError>(is_floating(input.dtype()), "\"log_softmax", input.dim() <= 1 || input.dim() == 2 ? "_lastdim" : "",
                            "_kernel_impl\" not implemented for '", row(input.dtype()).legacy, "'");
    if (!(input.shape() == target.shape()))
      return call_op<CrossEntropyIndices>(input, target, weight, reduction, ignore_index, smoothing);
    check(is_floating(target.dtype()), "cross_entropy: target has the shape of input, so it must hold "
          "probabilities; it is ", row(target.dtype()).legacy);
    check(ignore_index < 0, "cross_entropy: ignore_index=", ignore_index, " has no meaning for a target of "
          "probabilities");
    return of_probabilities(input, target, weight, reduce_of(reduction), smoothing);
  }
  static Tensor of_probabilities(T_ input, T_ target, T_ weight, Reduce r, double smoothing) {
    const int dim = class_dim(input.shape());
    check<ValueError>(input.dim() > 0, "cross_entropy: the input is 0-dimensional, it needs a dim of "
                      "classes");
    const int64_t classes = input.shape()[dim];
    Tensor p = smoothing > 0 ? target * (1 - smoothing) + smoothing / static_cast<double>(classes) : target;
    Tensor terms = call_op<LogSoftmax>(input, dim, Value()) * p;
    if (weight) {
      check(weight.dim() == 1 && weight.numel() == classes, "cross_entropy: weight must be a vector of ",
            classes, " numbers, one per class; its shape is ", weight.shape().list());
      Dims shape = Dims::filled(input.dim(), 1);
      shape[dim] = classes;
      terms = terms * view(contiguous(weight), shape);
    }
    if (r == Reduce::none) return -sum(terms, Dims{dim});
    if (r == Reduce::sum) return -sum(terms);
    const Tensor total = -sum(terms);
    const Scoped name(mode.grad_name, std::string_view("DivBackward1"));
    return total / (static_cast<double>(input.numel()) / static_cast<double>(classes));
  }
};

FB_GROUP(loss_class, NllLossNd, NllLossBackward, ClassCoefficients, CrossEntropyIndices, CrossEntropyBackward, CrossEntropyLoss)

}  // namespace fb
