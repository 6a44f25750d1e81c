#include "op/build.h"
#include "ops/products.h"

namespace fb {

struct Linear {
  static constexpr auto schema = "linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor";
  static constexpr auto doc = R"(
    input times the transpose of weight, plus bias.

    Shapes: input (…, k), weight (n, k) or (k), bias broadcastable to the result → (…, n) or (…).
    Dtypes: all but bool, equal.   Errors: RuntimeError for sizes that do not meet.

    >>> fb.nn.functional.linear(fb.ones(1, 2), fb.ones(3, 2), fb.ones(3))
    tensor([[3., 3., 3.]])
  )";
  using kind = Fused;
  static std::string_view grad_name(const Args& args, const Tensor*) {
    const int dim = args[0].as_tensor().dim();
    const bool vector = args[1].as_tensor().dim() == 1, bias = args[2].tag == Value::tensor;
    if (bias) return dim == 2 ? "AddmmBackward0" : args[0].as_tensor().is_contiguous() ? "ViewBackward0" : "AddBackward0";
    if (vector && dim <= 2) return dim == 2 ? "MvBackward0" : "DotBackward0";
    return dim == 2 ? "MmBackward0" : dim == 1 ? "SqueezeBackward4" : "UnsafeViewBackward0";
  }

  static void check_operands(const Tensor& x, const Tensor& w, const std::optional<Tensor>& bias) {
    check<ShapeError>(x.dim() > 0 && w.dim() > 0, "linear: input and weight need a dim at least, they have ",
                      x.dim(), " and ", w.dim());
    check<ShapeError>(w.dim() <= 2, "linear: weight must be a vector or a matrix, it has ", w.dim(), " dims");
    const int64_t k = x.size(-1);
    if (k != w.size(-1)) {
      const int64_t rows = k ? x.numel() / k : 0;
      check<ShapeError>(false, "linear: an input of ", rows, "x", k, " cannot be multiplied by a weight of ",
                        w.size(-1), "x", w.dim() == 1 ? 1 : w.size(0), " (transposed); the shapes are ",
                        x.shape().list(), " and ", w.shape().list());
    }
    check<DTypeError>(x.dtype() == w.dtype(), "linear: input is ", c_name(x.dtype()), " and weight is ",
                      c_name(w.dtype()), "; convert one to the dtype of the other");
    check<DTypeError>(!bias || bias->dtype() == x.dtype(), "linear: bias is ", bias ?
                      row(bias->dtype()).legacy : "", " and input is ", row(x.dtype()).legacy, "; convert "
                      "one to the dtype of the other");
    check_number_type(x.dtype(), "addmm_impl_cpu_");
  }

  static Tensor kernel(Tensor x, Tensor w, std::optional<Tensor> bias) {
    check_operands(x, w, bias);
    const bool vector = w.dim() == 1;
    const Tensor matrix = vector ? with_dim(w, 0) : w;
    const Tensor turned = alias(matrix, Layout({matrix.shape()[1], matrix.shape()[0]}, {matrix.strides()[1], matrix.strides()[0]},
                                               matrix.layout().offset));
    Dims shape = x.shape();
    shape[x.dim() - 1] = matrix.shape()[0];
    const Dims final_shape = vector ? shape.erased(shape.size() - 1) : shape;
    const Tensor r = empty(final_shape, x.dtype());
    const Tensor out = shape.size() == 1 ? alias(r, Layout({1, shape[0]})) : vector ? alias(r, Layout(shape)) : r;
    const Tensor rows = x.dim() == 1 ? with_dim(x, 0) : x;
    if (!bias) {
      matmul_into(out, rows, turned);
    } else if (!vector && bias->dim() == 1 && bias->numel() == shape[shape.size() - 1]) {
      matmul_into(out, rows, turned, 1, 0, contiguous(*bias));
    } else {
      check<ShapeError>(bias->dim() <= final_shape.size() && broadcast_shapes("linear", final_shape, bias->shape()) == final_shape,
                        "linear: bias of shape ", bias->shape().list(), " cannot be added to a result of "
                        "shape ", final_shape.list());
      copy_(r, *bias);
      matmul_into(out, rows, turned, 1, 1);
    }
    return r;
  }
  static Tensor decompose(Tensor x, Tensor w, std::optional<Tensor> bias) {
    const Tensor r = matmul(x, w.dim() == 1 ? w : transpose(w, 0, 1));
    return bias ? add(r, *bias) : r;
  }

  static Tensor vjp_input(Tensor g, In<1> w) {
    if (w.dim() == 1) return unsqueeze(g, -1) * conj(w);
    return matmul(g, conj(w));
  }
  static Tensor vjp_weight(Tensor g, In<0> x, Shape<1> shape) {
    const int64_t n = shape.size() == 1 ? 1 : shape[0], k = x.size(-1);
    int64_t rows = 1;
    for (int d = 0; d < x.dim() - 1; ++d) rows *= x.shape()[d];
    const Tensor flat_g = shape.size() == 2 && g.dim() == 2 ? g : reshape(g, {rows, n});
    const Tensor flat_x = x.dim() == 2 ? Tensor(x) : reshape(x, {rows, k});
    const Tensor r = mm(transpose(flat_g, 0, 1), conj(flat_x));
    return shape.size() == 1 ? squeeze(r, 0) : r;
  }
  static Tensor vjp_bias(Tensor g, Shape<2> shape) { return sum_to_shape(g, shape); }
};

struct BilinearForm {
  static constexpr auto schema = "bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor";
  static constexpr auto doc = R"(
    One bilinear form of two inputs per output feature: input1ᵀ · weight[o] · input2 + bias[o].

    Shapes: input1 (…, i), input2 (…, j), weight (o, i, j), bias (o) → (…, o).   Dtypes: floating, complex.

    >>> fb.nn.functional.bilinear(fb.ones(1, 2), fb.ones(1, 3), fb.ones(1, 2, 3))
    tensor([[6.]])
  )";
  using kind = Composite;
  static Tensor decompose(Tensor a, Tensor b, Tensor w, std::optional<Tensor> bias) {
    check_shapes(a, b, w, bias);
    const int64_t i = w.shape()[1], j = w.shape()[2], outs = w.shape()[0];
    Dims lead = a.shape(), middle;
    lead.resize(a.dim() - 1);
    Dims shape = lead;
    shape.push(outs);
    middle = shape;
    middle.push(j);
    const Tensor half = reshape(matmul(a, reshape(permute(w, {1, 0, 2}), {i, outs * j})), middle);
    Tensor r = call_op<MatmulBatched>(half, unsqueeze(b, -1));
    {
      Scoped name(mode.grad_name, std::string_view("ViewBackward0"));
      r = squeeze(r, -1);
    }
    return bias ? add(r, *bias) : r;
  }
  static void check_shapes(const Tensor& a, const Tensor& b, const Tensor& w, const std::optional<Tensor>& bias) {
    check<ShapeError>(a.dim() == b.dim() && a.dim() > 0, "bilinear: input1 has ", a.dim(), " dims, input2 ",
                      b.dim(), "; they need the same, one at least");
    for (int d = 0; d < a.dim() - 1; ++d)
      check<ShapeError>(a.shape()[d] == b.shape()[d], "bilinear: in dim ", d, " of the batch, input1 has "
                        "size ", a.shape()[d], ", input2 ", b.shape()[d]);
    check<ShapeError>(w.dim() == 3, "bilinear(): weight must have 3 dimensions, got shape ", w.shape().list());
    check<ShapeError>(a.size(-1) == w.shape()[1], "bilinear: input1 has ", a.size(-1), " features, weight "
                      "expects ", w.shape()[1]);
    check<ShapeError>(b.size(-1) == w.shape()[2], "bilinear: input2 has ", b.size(-1), " features, weight "
                      "expects ", w.shape()[2]);
    check<ShapeError>(!bias || bias->numel() == w.shape()[0], "bilinear: weight gives ", w.shape()[0],
                      " features, bias has shape ", bias ? bias->shape().list() : "");
  }
};

FB_GROUP(linear, Linear, BilinearForm)

}  // namespace fb
