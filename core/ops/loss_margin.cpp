// Margin losses of class scores.
#include <vector>

#include "kernels/rows.h"
#include "loss.h"
#include "op/build.h"

namespace fb {

struct Gather; struct ClampMin; struct MultiMarginLoss; struct MultilabelMarginTerms; struct MultilabelMarginBackward;

namespace {

struct Scores {
  int64_t samples, classes;
  explicit Scores(const char* op, const Dims& sizes) : samples(sizes.size() == 2 ? sizes[0] : 1), classes(sizes.empty() ? 1 : sizes.back()) {
    check(sizes.size() <= 2 && classes > 0, op, ": the input must be a vector of scores or a batch of "
          "them, its shape is ", sizes.list());
  }
};

void check_classes(T_ target, int64_t classes) {
  const Tensor t = contiguous(target);
  for (int64_t i = 0; i < t.numel(); ++i)
    check(t.data<int64_t>()[i] >= 0 && t.data<int64_t>()[i] < classes, "multi_margin_loss: class ",
          t.data<int64_t>()[i], " is out of range for ", classes, " classes");
}

Tensor reduced_samples(const Tensor& losses, bool batched, const std::string& reduction) {
  if (reduce_of(reduction) == Reduce::none) return batched ? losses : view(losses, Dims());
  return reduced(losses, reduction);
}

}  // namespace

struct MultiMarginLoss {
  static constexpr auto schema = "multi_margin_loss(Tensor input, Tensor target, Scalar p=1, Scalar margin=1, Tensor? weight=None, "
                                 "str reduction='mean') -> Tensor";
  static constexpr auto doc = R"(
    weight[y] Σ_i max(0, margin - x[y] + x[i])^p / C over the classes i other than the target y.

    Shapes: input (N, C) or (C), target (N) or (), weight (C) → (N), or () if reduced.   Dtypes: input floating, target int64.
    Errors: RuntimeError for targets that are not classes; ValueError unless p is 1 or 2.

    >>> fb._C.multi_margin_loss(fb.tensor([[0., 1.]]), fb.tensor([0]))
    tensor(1.)
  )";
  using kind = Fused;
  static void examine(const Args& args) {
    const Tensor &x = args[0].as_tensor(), &y = args[1].as_tensor();
    reduce_of(unbox<std::string>(args[5]));
    const Scores k("multi_margin_loss", x.shape());
    const double p = unbox<Scalar>(args[2]).real();
    check(p == 1 || p == 2, "multi_margin_loss: only p == 1 and p == 2 supported, not ", p);
    check<UnsupportedError>(is_floating(x.dtype()), "\"multi_margin_loss\" not implemented for '", row(x.dtype()).legacy, "'");
    check(y.dtype() == DType::i64, "multi_margin_loss: class numbers must be Long, target is ",
          row(y.dtype()).legacy);
    check(y.dim() <= 1 && y.numel() == k.samples, "multi_margin_loss: ", k.samples, " samples need as many "
          "numbers in target, its shape is ", y.shape().list());
    const Tensor w = unbox<Tensor>(args[4]);
    check(!w || (w.dim() <= 1 && w.numel() == k.classes), "multi_margin_loss: ", k.classes, " classes need "
          "as many numbers in weight, its shape is ", w ? w.shape().list() : "");
    check(!w || w.dtype() == x.dtype(), "expected scalar type ", row(x.dtype()).legacy, " but found ", row((w ? w : x).dtype()).legacy);
    check_classes(y, k.classes);
  }
  static Tensor kernel(Tensor input, Tensor target, Scalar p, Scalar margin, Tensor weight, std::string reduction) {
    const Scores k("multi_margin_loss", input.shape());
    const DType type = computed_as(input.dtype());
    const Tensor x = contiguous(to_dtype(input, type)), y = contiguous(target), w = weight ? contiguous(to_dtype(weight, type)) : weight;
    Tensor losses = empty({k.samples}, type);
    by_real(type, [&]<class T>(T) {
      const bool squared = p.real() == 2;
      const T m = margin.to<T>();
      parallel_for(k.samples, row_grain(k.classes), [&, to = losses.data<T>()](int64_t b, int64_t e) {
        for (int64_t s = b; s < e; ++s) {
          const T* a = x.data<T>() + s * k.classes;
          const int64_t t = y.data<int64_t>()[s];
          const T own = a[t];
          T total = sum_lanes<T>(k.classes, [=](int64_t i) {
            const T z = m - own + a[i], positive = i != t && z > T(0) ? z : T(0);
            return squared ? positive * positive : positive;
          });
          to[s] = total / T(k.classes) * (w ? w.data<T>()[t] : T(1));
        }
      });
    });
    return to_dtype(reduced_samples(losses, target.dim() > 0, reduction), input.dtype());
  }
  static Tensor decompose(Tensor input, Tensor target, Scalar p, Scalar margin, Tensor weight, std::string reduction) {
    const Scores k("multi_margin_loss", input.shape());
    const Tensor x = reshape(input, Dims{k.samples, k.classes}), y = reshape(target, Dims{k.samples, 1});
    Tensor z = positive_part(add(x, margin) - call_op<Gather>(x, 1, y, false));
    if (p.real() == 2) z = z * z;
    Tensor own = zeros(x.shape(), DType::boolean);
    for (int64_t s = 0; s < k.samples; ++s) own.data<bool>()[s * k.classes + contiguous(y).data<int64_t>()[s]] = true;
    Tensor losses = sum(where(own, zeros(Dims(), x.dtype()), z), Dims{1}) / static_cast<double>(k.classes);
    if (weight) losses = losses * view(call_op<Gather>(view(contiguous(weight), Dims{1, k.classes}), 1, view(contiguous(y), Dims{1, k.samples}), false),
                                       Dims{k.samples});
    return reduced_samples(losses, target.dim() > 0, reduction);
  }
};

namespace {

// Calls body(j, i) for every listed class j and every class i that is not listed of one sample.
template <class Body> void each_pair(const int64_t* target, int64_t classes, std::vector<char>& listed, const Body& body) {
  listed.assign(classes, 0);
  int64_t n = 0;
  for (; n < classes && target[n] >= 0; ++n) listed[target[n]] = 1;
  for (int64_t k = 0; k < n; ++k)
    for (int64_t i = 0; i < classes; ++i)
      if (!listed[i]) body(target[k], i);
}

void examine_labels(T_ x, T_ y) {
  const Scores k("multilabel_margin_loss", x.shape());
  check<UnsupportedError>(is_floating(x.dtype()), "\"multilabel_margin_loss_forward_out_frame\" not implemented for '", row(x.dtype()).legacy, "'");
  check(y.shape() == x.shape() || (x.dim() < 2 && y.dim() < 2 && y.numel() == x.numel()),
        "multilabel_margin_loss: target of shape ", y.shape().list(), " must have the shape of input, ",
        x.shape().list());
  check(y.dtype() == DType::i64, "multilabel_margin_loss: class numbers must be Long, target is ",
        row(y.dtype()).legacy);
  const Tensor t = contiguous(y);
  for (int64_t i = 0; i < t.numel(); ++i)
    check(t.data<int64_t>()[i] >= -1 && t.data<int64_t>()[i] < k.classes, "multilabel_margin_loss: class ",
          t.data<int64_t>()[i], " is out of range for ", k.classes, " classes");
}

}  // namespace

struct MultilabelMarginLoss {
  static constexpr auto schema = "multilabel_margin_loss(Tensor input, Tensor target, str reduction='mean') -> Tensor";
  static constexpr auto doc = R"(
    Σ max(0, 1 - x[j] + x[i]) / C over the classes j that target lists before its first -1 and the classes i it does not.

    Shapes: input, target (N, C) or (C) → (N) or (), or () if reduced.   Dtypes: input floating, target int64.
    Errors: RuntimeError for targets that are neither classes nor -1.

    >>> fb._C.multilabel_margin_loss(fb.tensor([0., 1.]), fb.tensor([0, -1]))
    tensor(1.)
  )";
  using kind = Opaque;
  static void examine(const Args& args) {
    reduce_of(unbox<std::string>(args[2]));
    examine_labels(args[0].as_tensor(), args[1].as_tensor());
  }
  static Tensor kernel(Tensor input, Tensor target, std::string reduction) {
    const Scores k("multilabel_margin_loss", input.shape());
    const DType type = computed_as(input.dtype());
    const Tensor x = contiguous(to_dtype(input, type)), y = contiguous(target);
    Tensor losses = empty({k.samples}, type);
    by_real(type, [&]<class T>(T) {
      std::vector<char> listed;
      for (int64_t s = 0; s < k.samples; ++s) {
        const T* a = x.data<T>() + s * k.classes;
        T total = 0;
        each_pair(y.data<int64_t>() + s * k.classes, k.classes, listed, [&](int64_t j, int64_t i) {
          const T z = T(1) - a[j] + a[i];
          total += z > T(0) ? z : T(0);
        });
        losses.data<T>()[s] = total / T(k.classes);
      }
    });
    return to_dtype(reduced_samples(losses, target.dim() > 1, reduction), input.dtype());
  }
  static Tensor vjp_input(Tensor g, In<0> input, In<1> target, Arg<2, std::string> reduction) {
    return call_op<MultilabelMarginBackward>(g, input, target, reduction.value);
  }
  static NoGrad vjp_target();
};

struct MultilabelMarginBackward {
  static constexpr auto schema = "_multilabel_margin_backward(Tensor grad, Tensor input, Tensor target, str reduction) -> Tensor";
  static constexpr auto doc = "Gradient of multilabel_margin_loss in its input.";
  using kind = Opaque;
  static constexpr bool differentiable = false;
  static Tensor kernel(Tensor grad, Tensor input, Tensor target, std::string reduction) {
    const Reduce r = reduce_of(reduction);
    examine_labels(input, target);
    const Scores k("multilabel_margin_loss", input.shape());
    check(grad.numel() == (r == Reduce::none ? k.samples : 1), "multilabel_margin_loss: gradient of shape ", grad.shape().list(),
          " does not fit the loss");
    const DType type = computed_as(input.dtype());
    const Tensor x = contiguous(to_dtype(input, type)), y = contiguous(target), g = contiguous(to_dtype(grad, type));
    Tensor gx = zeros(input.shape(), type);
    by_real(type, [&]<class T>(T) {
      std::vector<char> listed;
      for (int64_t s = 0; s < k.samples; ++s) {
        const T* a = x.data<T>() + s * k.classes;
        T* to = gx.data<T>() + s * k.classes;
        const T each = g.data<T>()[r == Reduce::none ? s : 0] / T(k.classes) / T(r == Reduce::mean ? k.samples : 1);
        each_pair(y.data<int64_t>() + s * k.classes, k.classes, listed, [&](int64_t j, int64_t i) {
          if (T(1) - a[j] + a[i] > T(0)) to[j] -= each, to[i] += each;
        });
      }
    });
    return to_dtype(gx, input.dtype());
  }
};

FB_GROUP(loss_margin, MultiMarginLoss, MultilabelMarginLoss, MultilabelMarginBackward)

}  // namespace fb
