// The path of every call: intercept → run → record.
#include "op/call.h"

#include "autograd/node.h"
#include "func/autocast.h"
#include "func/interceptor.h"
#include "ops.h"

namespace fb {

static bool any_requires_grad(const Args& args) {
  for (const Value& v : args) if (v.tag == Value::tensor && requires_grad(v.body())) return true;
  return false;
}

// Kernels may put a new result together by in-place ops; nobody saw those writes.
static void forget_writes(const Op& op, const Args& args, Tensor* out) {
  if (op.kind == Kind::elementwise || op.kind == Kind::reduction || op.kind == Kind::view) return;
  for (int k = 0; k < op.schema.output_count; ++k) {
    const Tensor& t = out[k];
    if (!t || t->version() == 0 || t->storage->references() != 1) continue;
    bool given = false;                                // an input that came back as it is
    for (const Value& v : args) {
      given |= v.tag == Value::tensor && v.body() == t.body();
      if (v.tag == Value::tensors) for (const Tensor& one : v.as_tensors()) given |= one.body() == t.body();
    }
    if (!given) t->version() = 0;
  }
}

void call(const Op& op, Args& args, Tensor* out, Form form) {
  if (mode.autocast && call_autocast(op, args, out, form)) [[unlikely]] return;
  if (op.examine) [[unlikely]] op.examine(args);
  Interceptor* top = mode.top;
  const bool decomposes = op.kind == Kind::composite || (top && form == Form::functional && top->wants_decomposed(op));
  if (decomposes) {                                    // its ops re-enter
    if (form == Form::functional) return op.decompose(args, out);
    if (form == Form::in_place && op.write && op.kind == Kind::composite) return op.write(args);
    Tensor value[Schema::max_outputs];
    if (mode.grad && any_requires_grad(args)) {        // what is recorded of self outlives the write
      Args kept = args;
      kept[0] = Value(clone(args[0].as_tensor()));
      op.decompose(kept, value);
    } else op.decompose(args, value);
    if (value[0].body() != out[0].body()) copy_(out[0], value[0]);
    return;
  }

  // What an in-place run destroys is captured before it.
  Ref<OpNode> node;
  if (mode.grad && op.differentiable) node = begin_record(op, args, form);

  if (top) [[unlikely]] {
    if (form == Form::functional) top->handle(op, args, out);
    else {
      Tensor value[Schema::max_outputs];
      GradOff off;
      top->handle(op, args, value);
      top->write(out[0], value[0]);
    }
  } else {
    GradOff off;                                       // kernels may call ops; those are not part of the graph
    if (form == Form::in_place) run_in_place(op, args, out);
    else {
      op.run(op, args, out, form);
      if (form == Form::functional) [[likely]] forget_writes(op, args, out);
    }
  }

  if (op.kind == Kind::view && mode.grad) remember_view(op, args, out);
  if (node) finish_record(op, std::move(node), args, out, form);
}

void run_in_place(const Op& op, const Args& args, Tensor* out) {
  check(out[0]->storage->writable(), op.name, "_: the memory of this tensor is read-only");
  check(mode.inference || !out[0]->inference(), op.name, "_: an inference tensor may be changed in place only inside InferenceMode; "
        "clone() it to get a normal tensor.");
  if (may_overlap_itself(out[0].layout())) check_each_written_once(text(op.name, "_"), out[0]);
  if (op.write) {
    Scoped python(mode.for_python, false);
    const uint32_t before = out[0]->version();
    op.write(args);
    out[0]->version() = before;                        // ops that write() calls are not writes of their own
  } else if (op.kind == Kind::elementwise) {
    op.run(op, args, out, Form::in_place);
  } else {                                             // compute, then copy
    Scoped python(mode.for_python, false);
    Tensor value[Schema::max_outputs];
    op.run(op, args, value, Form::functional);
    check<ShapeError>(value[0].shape() == out[0].shape(), op.name, "_: the result has shape ", value[0].shape(),
                      " and does not fit into self of shape ", out[0].shape());
    copy_(out[0], value[0]);
    return;                                            // copy_ moved the version
  }
  ++out[0]->version();
}

void run_by_write(const Op& op, const Args& args, Tensor* out, Form) {
  Args on_copy = args;
  out[0] = clone(args[0].as_tensor());
  on_copy[0] = Value(out[0]);
  Scoped python(mode.for_python, false);
  op.write(on_copy);
}

Tensor saved_tensor(const Recorded& c, int param) {
  const Value& v = c.in[param];
  if (!v.is_number()) return unbox<Tensor>(v);
  const DType d = v.tag == Value::complex ? complex_of(c.grad_dtype) : c.grad_dtype;
  return full(Dims(), v.as_scalar(), d);
}

}  // namespace fb
