// out=: results written into tensors of the caller. One rule for resizing, casting and overlap.
#include <string>

#include "bind/callable.h"
#include "ops.h"

namespace fb {
namespace {

void resize_out(const Op& op, const Tensor& out, const Tensor& value) {
  if (out.shape() == value.shape()) return;
  if (out.numel() != 0) {
    const std::string message = text(op.name, "(): out= has shape ", out.shape().list(),
                                     " and is resized to that of the result, ", value.shape().list(),
                                     "; give it that shape, or no elements, as out.resize_(0) does");
    if (PyErr_WarnEx(PyExc_UserWarning, message.c_str(), 1)) throw nb::python_error();
  }
  resize_tensor(out, value.shape());
}

// Writing would change what an op that reads by index is still to read.
void check_apart(const Op& op, const Args& args, const Tensor& target) {
  check_each_written_once(text(op.name, "()"), target);
  if (!op.out_apart) return;
  auto meets = [&](const Tensor& t) { return t && share_memory(t, target); };
  for (const Value& v : args) {
    bool shared = v.tag == Value::tensor && meets(v.as_tensor());
    if (v.tag == Value::tensors) for (const Tensor& t : v.as_tensors()) shared |= meets(t);
    check(!shared, op.name, "(): out= shares memory with an input, which would change while it is read; "
          "pass the clone() of the input");
  }
}

std::vector<PyObject*> targets_in(const Op& op, PyObject* given) {
  const int n = op.schema.output_count;
  std::vector<PyObject*> targets;
  if (n == 1 && is_tensor(given)) targets.push_back(given);
  else if (PyTuple_Check(given) || PyList_Check(given))
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(given); ++i)
      targets.push_back(PySequence_Fast_GET_ITEM(given, i));
  bool fits = static_cast<int>(targets.size()) == n;
  for (PyObject* t : targets) fits &= is_tensor(t);
  if (!fits)
    throw TypeError(text(op.name, "(): expected ", n == 1 ? "Tensor" : "tuple of Tensors", " as 'out', got ",
                         Py_TYPE(given)->tp_name));
  return targets;
}

void check_grad_is_not_lost(const Op& op, const Args& args, const std::vector<PyObject*>& targets) {
  if (!mode.grad) return;
  bool lost = false;
  for (PyObject* t : targets) lost |= body_of(t)->requires_grad;
  for (const Value& v : args) lost |= v.tag == Value::tensor && v.body()->requires_grad;
  check<GradError>(!lost, op.name, "(): a result written to out= has no gradient, but an argument requires "
                   "grad; leave out= away, or call it under torch.no_grad()");
}

// Factories and reductions that name no dtype take that of out=.
void take_dtype(const Op& op, Args& args, const Tensor& target) {
  const int dtype = op.schema.find("dtype");
  if (dtype >= 0 && !args[dtype] && (op.kind == Kind::factory || op.kind == Kind::reduction))
    args[dtype] = Value(target.dtype());
}

void copy_result(const Op& op, const Tensor& target, const Tensor& result) {
  check<DTypeError>(!op.out_exact || result.dtype() == target.dtype(), op.name, "(): out= must have the "
                    "dtype of the result, ", name_of(result.dtype()), ", got ", name_of(target.dtype()));
  check<DTypeError>(can_cast(result.dtype(), target.dtype()), op.name, "(): the result is ",
                    row(result.dtype()).legacy, ", which out=, of ", row(target.dtype()).legacy,
                    ", cannot hold; give out= the dtype of the result");
  resize_out(op, target, result);
  copy_(target, result);
}

}  // namespace

PyObject* call_with_out(const Op& op, Args& args, PyObject* given) {
  Tensor out[Schema::max_outputs];
  const std::vector<PyObject*> targets = targets_in(op, given);
  check_grad_is_not_lost(op, args, targets);
  const Scoped<Autocast*> off(mode.autocast, nullptr);   // out= decides the dtype
  for (PyObject* t : targets) check_apart(op, args, tensor_of(t));
  if (targets.size() == 1) take_dtype(op, args, tensor_of(targets[0]));
  const bool direct = op.kind == Kind::elementwise && targets.size() == 1 && !op.out_exact && !mode.top;
  if (direct) out[0] = tensor_of(targets[0]);
  call(op, args, out, direct ? Form::out : Form::functional);
  for (size_t k = 0; k < targets.size(); ++k) {
    const Tensor target = tensor_of(targets[k]);
    if (out[k].body() == target.body()) ++target->version();
    else copy_result(op, target, out[k]);
  }
  return Py_NewRef(given);
}

}  // namespace fb
