#include "autograd/node.h"
#include "op/build.h"
#include "ops.h"

// In-place forms of views: self takes over the layout, and in the graph the node, of a view of itself.
namespace fb {

struct TOp;
struct Squeeze;
struct SqueezeDims;
struct StridedView;

static void become_view(const Tensor& self, Args args, const Op& op, std::string_view grad_name) {
  if (mode.grad && requires_grad(self.body())) check_in_place(op.name, self);
  Tensor out[Schema::max_outputs];
  {
    const Scoped name(mode.grad_name, grad_name);
    Scoped python(mode.for_python, false);
    call(op, args, out);
  }
  Body* b = self.body();
  if (mode.grad) {
    if (b->view()) std::swap(b->extra->view, out[0]->extra->view);   // of the same root, one step further
    if (out[0]->node) {
      if (b->extra && b->extra->retains_grad && b->node) b->node->forget_retained(b);
      b->node = out[0]->node;
      b->out_nr = out[0]->out_nr;
      b->requires_grad = true;
      if (b->extra && b->extra->retains_grad) b->node->more().retained.push_back({b->out_nr, b});
    }
  }
  b->layout = out[0].layout();
  ++b->version();
}

struct TransposeInPlace {
  static constexpr auto schema = "transpose_(Tensor(a!) self, int dim0, int dim1) -> Tensor(a!)";
  static constexpr auto doc = "transpose, in place: self's own layout changes.";
  using kind = Composite;
  static void write(Tensor self, int64_t dim0, int64_t dim1) {
    become_view(self, Args(self, dim0, dim1), *op_row<Transpose>, "TransposeBackward1");
  }
};
struct SwapaxesInPlace {
  static constexpr auto schema = "swapaxes_(Tensor(a!) self, int axis0, int axis1) -> Tensor(a!)";
  static constexpr auto doc = "swapaxes, in place: self's own layout changes.";
  using kind = Composite;
  static void write(Tensor self, int64_t axis0, int64_t axis1) { TransposeInPlace::write(self, axis0, axis1); }
};
struct SwapdimsInPlace {
  static constexpr auto schema = "swapdims_(Tensor(a!) self, int dim0, int dim1) -> Tensor(a!)";
  static constexpr auto doc = "swapdims, in place: self's own layout changes.";
  using kind = Composite;
  static void write(Tensor self, int64_t dim0, int64_t dim1) { TransposeInPlace::write(self, dim0, dim1); }
};
struct TInPlace {
  static constexpr auto schema = "t_(Tensor(a!) self) -> Tensor(a!)";
  static constexpr auto doc = "t, in place: self's own layout changes.";
  using kind = Composite;
  static void write(Tensor self) { become_view(self, Args(self), *op_row<TOp>, "TBackward1"); }
};
struct UnsqueezeInPlace {
  static constexpr auto schema = "unsqueeze_(Tensor(a!) self, int dim) -> Tensor(a!)";
  static constexpr auto doc = "unsqueeze, in place: self's own layout changes.";
  using kind = Composite;
  static void write(Tensor self, int64_t dim) { become_view(self, Args(self, dim), *op_row<Unsqueeze>, "UnsqueezeBackward1"); }
};
struct SqueezeInPlace {
  static constexpr auto schema = "squeeze_(Tensor(a!) self) -> Tensor(a!)";
  static constexpr auto doc = "squeeze, in place: self's own layout changes.";
  using kind = Composite;
  static void write(Tensor self) { become_view(self, Args(self), *op_row<Squeeze>, "SqueezeBackward3"); }
};
struct SqueezeDimInPlace {
  static constexpr auto schema = "squeeze_.dim(Tensor(a!) self, int[] dim) -> Tensor(a!)";
  static constexpr auto doc = SqueezeInPlace::doc;
  using kind = Composite;
  static void write(Tensor self, Dims dims) { become_view(self, Args(self, dims), *op_row<SqueezeDims>, "SqueezeBackward4"); }
};
struct AsStridedInPlace {
  static constexpr auto schema = "as_strided_(Tensor(a!) self, int[] size, int[] stride, int? storage_offset=None) -> Tensor(a!)";
  static constexpr auto doc = "as_strided, in place: self's own layout changes.";
  using kind = Composite;
  static void write(Tensor self, Dims size, Dims stride, std::optional<int64_t> offset) {
    const Tensor checked = call_op<AsStrided>(detached(self), size, stride, offset);
    become_view(self, Args(self, size, stride, checked.layout().offset, self.strides(), self.layout().offset), *op_row<StridedView>,
                "AsStridedBackward1");
  }
};

FB_GROUP(relayout, TransposeInPlace, SwapaxesInPlace, SwapdimsInPlace, TInPlace, UnsqueezeInPlace, SqueezeInPlace, SqueezeDimInPlace,
         AsStridedInPlace)

}  // namespace fb
