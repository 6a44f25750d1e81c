// One generic callable per op name: parse by the schema, box, call, unbox. fb.exp and Tensor.exp are two
// objects that differ in what their error messages count.
#include <nanobind/stl/string.h>

#include <string>
#include <unordered_map>

#include "bind/callable.h"

#include <structmember.h>
#include "ops.h"

namespace fb {

struct CloneFormat;

namespace {

struct OpObject {
  PyObject_HEAD
  vectorcallfunc vectorcall;
  std::vector<Overload>* overloads;
  PyObject *name, *weakrefs;
  bool in_place;
  bool method;                                         // the first is self, which messages do not count
};

PyTypeObject* op_type;
std::unordered_map<std::string, PyObject*>& objects() {
  static auto* map = new std::unordered_map<std::string, PyObject*>;
  return *map;
}

// A factory takes its memory order from its first tensor, so that one is put into the order asked for.
[[gnu::cold]] void follow_format(Args& args, PyObject* format) {
  const std::string name = nb::cast<std::string>(nb::handle(format).attr("_format_name"));
  if (name == "preserve_format" || args[0].tag != Value::tensor) return;
  GradOff off;
  args[0] = Value(call_op<CloneFormat>(args[0].as_tensor(), name));
}

PyObject* run(OpObject* self, const Op& op, Args& args, const Extras& extras, const Call& c) {
  if (self->in_place) {
    Tensor out[Schema::max_outputs] = {args[0].as_tensor()};
    {
      Scoped python(mode.for_python, false);
      call(op, args, out, Form::in_place);
    }
    return c.positional ? Py_NewRef(c.args[0]) : to_python(std::move(out[0]));
  }
  if (extras.out) return call_with_out(op, args, extras.out);
  if (op.schema.returns_list) {
    Tensors list;
    {
      Scoped python(mode.for_python, true);
      list = op.decompose_list(args);
    }
    PyObject* r = PyTuple_New(static_cast<Py_ssize_t>(list.size()));
    for (size_t i = 0; i < list.size(); ++i)
      PyTuple_SET_ITEM(r, static_cast<Py_ssize_t>(i), to_python(std::move(list[i])));
    return r;
  }
  Tensor out[Schema::max_outputs];
  if (extras.memory_format) follow_format(args, extras.memory_format);
  {
    Scoped python(mode.for_python, true);
    call(op, args, out);
  }
  if (extras.requires_grad) {
    check_can_require_grad(true, out[0].dtype());
    out[0]->requires_grad = true;
  }
  return op.schema.output_count == 1 ? to_python(std::move(out[0])) : pack_results(op, out);
}

[[gnu::cold]] PyObject* call_in_former_order(OpObject* self, const Call& c) {
  for (const Overload& o : *self->overloads) {
    Reordered modern;
    if (!reorder(c, o, modern)) continue;
    const Call call = modern.call();
    Args args;
    Extras extras;
    bool overridden = false;
    Mismatch why;
    if (!parse(call, o, args, extras, overridden, why)) continue;
    warn_of_former_order(*o.op);
    return run(self, *o.op, args, extras, call);
  }
  return nullptr;
}

PyObject* call_python(PyObject* object, PyObject* const* given, size_t nargsf, PyObject* kwnames) {
  auto* self = reinterpret_cast<OpObject*>(object);
  const Call c{given, PyVectorcall_NARGS(nargsf), kwnames};
  try {
    Mismatch why;
    for (const Overload& o : *self->overloads) {
      Args args;
      Extras extras;
      bool overridden = false;
      if (!parse(c, o, args, extras, overridden, why)) continue;
      if (overridden && has_override(c)) return call_override(object, c);
      return run(self, *o.op, args, extras, c);
    }
    if (has_override(c)) return call_override(object, c);
    if (PyObject* result = call_in_former_order(self, c)) return result;
    const std::string_view name = PyUnicode_AsUTF8(self->name);
    if (self->overloads->size() == 1) explain(name, self->method, *(*self->overloads)[0].op, why, c);
    explain_all(name, self->method, *self->overloads, c);
  } catch (...) {
    return raise_current();
  }
}

PyObject* bind_method(PyObject* f, PyObject* self, PyObject*) {
  return self ? PyMethod_New(f, self) : Py_NewRef(f);
}

PyObject* op_repr(PyObject* o) {
  return PyUnicode_FromFormat("<built-in function %U>", reinterpret_cast<OpObject*>(o)->name);
}
PyObject* op_name(PyObject* o, void*) { return Py_NewRef(reinterpret_cast<OpObject*>(o)->name); }
PyObject* op_doc(PyObject* o, void*) {
  auto* self = reinterpret_cast<OpObject*>(o);
  std::string doc;
  for (const Overload& v : *self->overloads) doc += text(v.op->schema.text, "\n");
  doc += (*self->overloads)[0].op->doc;
  return PyUnicode_FromStringAndSize(doc.data(), static_cast<Py_ssize_t>(doc.size()));
}
PyObject* op_module(PyObject*, void*) { return PyUnicode_FromString("flambeau"); }
PyObject* op_reduce(PyObject* o, PyObject*) {          // pickles and copies by name
  return PyUnicode_FromFormat("%U", reinterpret_cast<OpObject*>(o)->name);
}
PyObject* op_self_copy(PyObject* o, PyObject*) { return Py_NewRef(o); }

PyObject* make_object(const std::string& name, const std::vector<const Op*>& ops, bool in_place,
                      bool method) {
  auto* o = PyObject_New(OpObject, op_type);
  o->vectorcall = call_python;
  o->overloads = new std::vector<Overload>;
  o->in_place = in_place;
  o->method = method;
  o->weakrefs = nullptr;
  o->name = PyUnicode_InternFromString(name.c_str());
  for (const Op* op : ops) {
    Overload v{op, {}};
    for (int i = 0; i < op->schema.count; ++i)
      v.names.push_back(PyUnicode_InternFromString(std::string(op->schema.params[i].name).c_str()));
    o->overloads->push_back(std::move(v));
  }
  return reinterpret_cast<PyObject*>(o);
}

}  // namespace

PyObject* op_object(const char* name) {
  const auto found = objects().find(name);
  return found == objects().end() ? nullptr : found->second;
}

PyObject* call_by_name(const char* op, PyObject* const* args, size_t n) {
  PyObject* o = op_object(op);
  if (!o) {
    PyErr_Format(PyExc_NotImplementedError, "%s is not available", op);
    return nullptr;
  }
  return call_python(o, args, n, nullptr);
}

void bind_ops(nb::module_& m) {
  static PyMemberDef members[] = {
      {"__vectorcalloffset__", T_PYSSIZET, offsetof(OpObject, vectorcall), READONLY, nullptr},
      {"__weaklistoffset__", T_PYSSIZET, offsetof(OpObject, weakrefs), READONLY, nullptr},
      {}};
  static PyGetSetDef getset[] = {{"__name__", op_name, nullptr, nullptr, nullptr},
                                 {"__qualname__", op_name, nullptr, nullptr, nullptr},
                                 {"__doc__", op_doc, nullptr, nullptr, nullptr},
                                 {"__module__", op_module, nullptr, nullptr, nullptr},
                                 {}};
  static PyMethodDef methods[] = {{"__reduce__", op_reduce, METH_NOARGS, nullptr},
                                  {"__copy__", op_self_copy, METH_NOARGS, nullptr},
                                  {"__deepcopy__", op_self_copy, METH_O, nullptr},
                                  {}};
  static PyType_Slot slots[] = {{Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                                {Py_tp_members, members},
                                {Py_tp_getset, getset},
                                {Py_tp_methods, methods},
                                {Py_tp_repr, reinterpret_cast<void*>(op_repr)},
                                {Py_tp_descr_get, reinterpret_cast<void*>(bind_method)},
                                {0, nullptr}};
  static PyType_Spec spec = {"flambeau._C.Op", sizeof(OpObject), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR |
                                 Py_TPFLAGS_DISALLOW_INSTANTIATION,
                             slots};
  op_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));

  std::vector<std::string> order;
  std::unordered_map<std::string, std::vector<const Op*>> functional, in_place;
  for (const Op* op : registry().ops()) {
    const std::string name(op->name);
    if (op->only_in_place) {
      if (in_place[name].empty() && functional[name].empty()) order.push_back(name);
      in_place[name].push_back(op);
      continue;
    }
    if (functional[name].empty() && in_place[name].empty()) order.push_back(name);
    functional[name].push_back(op);
    if (op->has_in_place) {
      if (in_place[name + "_"].empty() && functional[name + "_"].empty()) order.push_back(name + "_");
      in_place[name + "_"].push_back(op);
    }
  }
  nb::module_ types = m.def_submodule("return_types");
  nb::handle tensor(reinterpret_cast<PyObject*>(tensor_type));
  for (const std::string& name : order) {
    const bool writes = !in_place[name].empty();
    const auto& ops = writes ? in_place[name] : functional[name];
    nb::object f = nb::steal(make_object(name, ops, writes, false));
    objects()[name] = f.ptr();
    f.inc_ref();
    m.attr(name.c_str()) = f;
    // functions of torch.linalg and torch.fft only
    const bool in_module = name.starts_with("linalg_") || name.starts_with("fft_");
    if (!in_module && ops[0]->schema.count && ops[0]->schema.params[0].name == "self") {
      nb::object method = nb::steal(make_object(name, ops, writes, true));
      tensor.attr(name.c_str()) = method;
      method.inc_ref();                                // methods, too, live as long as the process
    }
    for (const Op* op : ops)
      if (!writes && op->schema.output_count > 1 && !op->schema.outputs[0].empty())
        add_return_type(types, op);
  }
  bind_overrides(m);
  m.def("_op_schemas", [] {
    nb::list l;
    for (const Op* op : registry().ops()) l.append(nb::str(op->schema.text.data(), op->schema.text.size()));
    return l;
  });
  m.def("_op_table", [] {
    static const char* kinds[] = {"elementwise", "reduction", "view", "bilinear", "fused", "composite",
                                  "opaque", "factory"};
    nb::list l;
    for (const Op* op : registry().ops()) {
      nb::dict d;
      d["name"] = nb::str(op->name.data(), op->name.size());
      d["schema"] = nb::str(op->schema.text.data(), op->schema.text.size());
      d["doc"] = nb::str(op->doc);
      d["kind"] = kinds[int(op->kind)];
      d["in_place"] = op->has_in_place;
      d["only_in_place"] = op->only_in_place;
      d["differentiable"] = op->differentiable;
      d["printable"] = op->ir != nullptr;
      l.append(d);
    }
    return l;
  });
  m.def("functor_ir", [](const std::string& name, nb::handle dtype) {
    const Op* op = registry().find(name);
    check<ValueError>(op && op->ir, "functor_ir: ", name, " has no printable functor");
    const std::string s = op->ir(dtype_of_object(dtype.ptr()));
    return nb::str(s.data(), s.size());
  }, nb::arg("name"), nb::arg("dtype"));
}

}  // namespace fb
