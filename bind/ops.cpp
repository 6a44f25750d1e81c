// One generic callable per op name: parse by the schema, box, call, unbox. fb.exp and Tensor.exp are two objects that
// differ in what their error messages count.
#include <nanobind/stl/string.h>

#include <string>
#include <unordered_map>

#include "bind/python.h"

#include <structmember.h>
#include "ops.h"

namespace fb {

struct CloneFormat;

namespace {

struct Overload {
  const Op* op;
  std::vector<PyObject*> names;                        // interned
};

struct OpObject {
  PyObject_HEAD
  vectorcallfunc vectorcall;
  std::vector<Overload>* overloads;
  PyObject *name, *weakrefs;
  bool in_place, method;                               // method: the first argument is self, which messages do not count
};

PyTypeObject* op_type;
std::unordered_map<std::string, PyObject*>& objects() {
  static auto* map = new std::unordered_map<std::string, PyObject*>;
  return *map;
}
std::unordered_map<const Op*, PyTypeObject*>& return_types() {
  static auto* map = new std::unordered_map<const Op*, PyTypeObject*>;
  return *map;
}
PyObject* torch_function_handler = nullptr;            // (callable, args, kwargs, types) → result

const char* type_word(Type t) {
  switch (t) {
    case Type::Tensor: return "Tensor";
    case Type::Tensors: return "tuple of Tensors";
    case Type::OptionalTensors: return "tuple of Tensors or None";
    case Type::Scalar: return "Number";
    case Type::Int: return "int";
    case Type::Float: return "float";
    case Type::Bool: return "bool";
    case Type::Ints: return "tuple of ints";
    case Type::Floats: return "tuple of floats";
    case Type::DType: return "torch.dtype";
    case Type::Str: return "str";
    case Type::Generator: return "torch.Generator";
    default: return "object";
  }
}

void push_default(Args& args, const Param& p) {
  const std::string_view f = p.fallback;
  if (f.empty() || f == "None") return args.push(Value());
  switch (p.type) {
    case Type::Bool: return args.push(f == "True");
    case Type::Int: return args.push(int64_t(strtoll(f.data(), nullptr, 10)));
    case Type::Float: return args.push(strtod(f.data(), nullptr));
    case Type::Str: return args.push(std::string(f.substr(1, f.size() - 2)));
    case Type::Ints: {
      Dims d;
      if (f.front() != '[') d.push(strtoll(f.data(), nullptr, 10));
      else for (size_t i = 1; i < f.size() && f[i] != ']';) {
        char* end;
        d.push(strtoll(f.data() + i, &end, 10));
        i = static_cast<size_t>(end - f.data());
        while (i < f.size() && (f[i] == ',' || f[i] == ' ')) ++i;
      }
      return args.push(d);
    }
    case Type::Scalar:
      if (f == "True" || f == "False") return args.push(f == "True");
      if (f.find_first_of(".e") != f.npos) return args.push(strtod(f.data(), nullptr));
      return args.push(int64_t(strtoll(f.data(), nullptr, 10)));
    default: return args.push(Value());
  }
}

// Keyword arguments that a kind supplies beside the schema's.
struct Extras {
  PyObject* out = nullptr;
  bool requires_grad = false;
  PyObject* memory_format = nullptr;
};

struct Call {
  PyObject* const* args;
  Py_ssize_t positional;
  PyObject* kwnames;
  Py_ssize_t keywords() const { return kwnames ? PyTuple_GET_SIZE(kwnames) : 0; }
  PyObject* keyword(Py_ssize_t k) const { return args[positional + k]; }
};

bool gathers(const Param& p) {                         // x.view(2, 3) is x.view((2, 3))
  return p.type == Type::Ints && (p.name == "size" || p.name == "shape" || p.name == "dims" || p.name == "sizes" || p.name == "repeats");
}

std::string_view shown_name(const Param& p) { return p.name == "self" ? std::string_view("input") : p.name; }

// The element that keeps a sequence from being a list of ints or tensors.
[[gnu::cold]] void wrong_element(std::string_view name, const Op& op, int i, int position, PyObject* given) {
  const Param& p = op.schema.params[i];
  if ((p.type != Type::Ints && p.type != Type::Tensors) || (!PyTuple_Check(given) && !PyList_Check(given))) return;
  int64_t v;
  for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(given); ++k) {
    PyObject* item = PySequence_Fast_GET_ITEM(given, k);
    if (p.type == Type::Ints ? to_int(item, v) : is_tensor(item)) continue;
    throw TypeError(text(name, "(): argument '", shown_name(p), "' (position ", position, ") must be ", type_word(p.type),
                         ", but found element of type ", Py_TYPE(item)->tp_name, " at pos ", k ? k + 1 : 0));
  }
}

[[gnu::cold]] void wrong_type(std::string_view name, const Op& op, int i, int position, PyObject* given) {
  wrong_element(name, op, i, position, given);
  const Param& p = op.schema.params[i];
  throw TypeError(text(name, "(): argument '", shown_name(p), "' (position ", position,
                       ") must be ", type_word(p.type), ", not ", Py_TYPE(given)->tp_name));
}

const char* alias_of(std::string_view name) {          // NumPy's words for the same parameter
  if (name == "self") return "input";
  if (name == "dim") return "axis";
  if (name == "keepdim") return "keepdims";
  if (name == "other") return "x2";
  return nullptr;
}

PyObject* find_keyword(const Call& c, const Overload& o, int i) {
  for (Py_ssize_t k = 0; k < c.keywords(); ++k)
    if (PyTuple_GET_ITEM(c.kwnames, k) == o.names[i]) return c.keyword(k);
  for (Py_ssize_t k = 0; k < c.keywords(); ++k) {
    PyObject* given = PyTuple_GET_ITEM(c.kwnames, k);
    if (PyUnicode_Compare(given, o.names[i]) == 0) return c.keyword(k);
    const char* alias = alias_of(o.op->schema.params[i].name);
    if (alias && PyUnicode_CompareWithASCIIString(given, alias) == 0) return c.keyword(k);
  }
  return nullptr;
}

// Keywords that no parameter took: out=, and a factory's device, layout, requires_grad …
[[gnu::noinline]] bool take_extras(const Call& c, const Overload& o, Py_ssize_t positional, Extras& extras) {
  const Op& op = *o.op;
  for (Py_ssize_t k = 0; k < c.keywords(); ++k) {
    PyObject* given = PyTuple_GET_ITEM(c.kwnames, k);
    PyObject* value = c.keyword(k);
    bool known = false, given_twice = false;
    for (int i = 0; i < op.schema.count && !known; ++i) {
      given_twice = i < positional && !op.schema.params[i].keyword_only;
      const char* alias = alias_of(op.schema.params[i].name);
      known = PyUnicode_Compare(given, o.names[i]) == 0 || (alias && PyUnicode_CompareWithASCIIString(given, alias) == 0);
      if (known && i < c.positional && !op.schema.params[i].keyword_only) return false;   // given twice
    }
    if (known && given_twice) return false;
    if (known) continue;
    const std::string_view name = PyUnicode_AsUTF8(given);
    if (name == "out" && !op.schema.returns_list) {
      if (value != Py_None) extras.out = value;
    } else if (op.kind == Kind::factory && name == "device") {
      if (value != Py_None) check_device(value);
    } else if (op.kind == Kind::factory && name == "requires_grad") {
      extras.requires_grad = PyObject_IsTrue(value) == 1;
    } else if (op.kind == Kind::factory && name == "memory_format") {
      if (value != Py_None) extras.memory_format = value;
    } else if (op.kind == Kind::factory && (name == "layout" || name == "pin_memory" || name == "names")) {
      continue;
    } else {
      return false;
    }
  }
  return true;
}

// Why the arguments did not fit; raised only when the callable has one overload.
struct Mismatch { int param = -1; PyObject* given = nullptr; const char* what = nullptr; };

bool parse(const Call& c, const Overload& o, Args& args, Extras& extras, bool& overridden, Mismatch& why) {
  const Op& op = *o.op;
  const Schema& s = op.schema;
  Py_ssize_t used = 0, positional = c.positional;
  for (int i = 0; i < s.count; ++i) {
    const Param& p = s.params[i];
    PyObject* v = nullptr;
    nb::object gathered;
    if (i < positional && !p.keyword_only) {
      v = c.args[i];
      if (gathers(p) && !PyTuple_Check(v) && !PyList_Check(v)) {
        gathered = nb::steal(PyTuple_New(positional - i));
        for (Py_ssize_t k = i; k < positional; ++k) PyTuple_SET_ITEM(gathered.ptr(), k - i, Py_NewRef(c.args[k]));
        v = gathered.ptr();
        positional = i + 1;
      }
    } else if (c.kwnames) {
      v = find_keyword(c, o, i);
      if (v) ++used;
      else if (i < positional) break;                  // positional arguments beyond the keyword-only mark
    }
    if (!v) {
      if (!p.has_default && !p.optional) {
        why = {i, nullptr, "missing"};
        return false;
      }
      push_default(args, p);
      continue;
    }
    if (!push_argument(args, op, i, v, overridden)) {
      why = {i, v, "type"};
      for (Py_ssize_t k = i; gathered.is_valid() && k < c.positional; ++k) {   // the tuple lives in this loop only
        int64_t whole;
        if (to_int(c.args[k], whole)) continue;
        why.given = c.args[k];
        break;
      }
      return false;
    }
  }
  int takes = 0;
  for (int i = 0; i < s.count; ++i) takes += !s.params[i].keyword_only;
  if (positional > takes) {
    why = {takes, nullptr, "many"};
    return false;
  }
  if (used != c.keywords() && !take_extras(c, o, positional, extras)) {
    why = {-1, nullptr, "keyword"};
    return false;
  }
  if (!o.op->takes_only_numbers && args[0].is_number() && args[1].is_number()) {
    why = {0, c.positional ? c.args[0] : Py_None, "type"};
    return false;
  }
  return true;
}

[[gnu::cold]] void missing(std::string_view name, const Op& op, int first, const Call& c) {
  std::string names;
  int count = 0;
  for (int i = first; i < op.schema.count; ++i) {
    const Param& p = op.schema.params[i];
    bool given = false;
    for (Py_ssize_t k = 0; k < c.keywords(); ++k) given |= PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(c.kwnames, k), std::string(p.name).c_str()) == 0;
    if (given || p.has_default || p.optional || p.keyword_only) continue;
    names += text(count++ ? ", \"" : "\"", shown_name(p), "\"");
  }
  throw TypeError(text(name, "() missing ", count, " required positional arguments: ", names));
}

[[gnu::cold]] void explain(OpObject* self, const Op& op, const Mismatch& why, const Call& c) {
  const std::string_view name = PyUnicode_AsUTF8(self->name);
  if (why.what == std::string_view("type")) wrong_type(name, op, why.param, why.param + (self->method ? 0 : 1), why.given);
  if (why.what == std::string_view("missing"))
    missing(name, op, why.param, c);
  if (why.what == std::string_view("many"))
    throw TypeError(text(name, "() takes ", why.param - self->method, " positional arguments but ", c.positional - self->method, " were given"));
  std::string unknown;
  for (Py_ssize_t k = 0; k < c.keywords(); ++k) {
    const std::string_view given = PyUnicode_AsUTF8(PyTuple_GET_ITEM(c.kwnames, k));
    if (op.schema.find(given) < 0 && given != "out" && given != "input" && given != "axis" && given != "keepdims") unknown = given;
  }
  throw TypeError(text(name, "() got an unexpected keyword argument '", unknown, "'"));
}

[[gnu::cold]] void explain_all(OpObject* self, const Call& c) {
  std::string given, forms;
  for (Py_ssize_t i = self->method; i < c.positional; ++i) given += std::string(given.empty() ? "" : ", ") + Py_TYPE(c.args[i])->tp_name;
  for (Py_ssize_t k = 0; k < c.keywords(); ++k)
    given += std::string(given.empty() ? "" : ", ") + PyUnicode_AsUTF8(PyTuple_GET_ITEM(c.kwnames, k)) + "=" + Py_TYPE(c.keyword(k))->tp_name;
  for (const Overload& o : *self->overloads) forms += text("\n * ", o.op->schema.text);
  throw TypeError(text(PyUnicode_AsUTF8(self->name), "() received an invalid combination of arguments - got (", given,
                       "), but expected one of:", forms));
}

PyObject* pack_results(const Op& op, Tensor* out) {
  const int n = op.schema.output_count;
  if (n == 0) Py_RETURN_NONE;
  if (n == 1) return to_python(std::move(out[0]));
  const auto found = return_types().find(&op);
  PyObject* r = found != return_types().end() ? PyStructSequence_New(found->second) : PyTuple_New(n);
  if (!r) throw nb::python_error();
  for (int k = 0; k < n; ++k) {
    PyObject* item = to_python(std::move(out[k]));
    if (found != return_types().end()) PyStructSequence_SetItem(r, k, item);
    else PyTuple_SET_ITEM(r, k, item);
  }
  return r;
}

void resize_out(const Op& op, const Tensor& out, const Tensor& value) {
  if (out.shape() == value.shape()) return;
  if (out.numel() != 0) {
    const std::string message = text("An output with one or more elements was resized since it had shape ", out.shape().list(),
                                     ", which does not match the required output shape ", value.shape().list(), " of ", op.name, ".");
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
    check(!shared, op.name, "(): unsupported operation: out and an input refer to a single memory location: pass the clone() of the input");
  }
}

PyObject* call_with_out(const Op& op, Args& args, PyObject* given) {
  Tensor out[Schema::max_outputs];
  const int n = op.schema.output_count;
  std::vector<PyObject*> targets;
  if (n == 1 && is_tensor(given)) targets.push_back(given);
  else if (PyTuple_Check(given) || PyList_Check(given))
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(given); ++i) targets.push_back(PySequence_Fast_GET_ITEM(given, i));
  bool fits = static_cast<int>(targets.size()) == n;
  for (PyObject* t : targets) fits &= is_tensor(t);
  if (!fits) throw TypeError(text(op.name, "(): argument 'out' must be ", n == 1 ? "Tensor" : "tuple of Tensors", ", not ", Py_TYPE(given)->tp_name));
  for (PyObject* t : targets)
    check<GradError>(!mode.grad || !body_of(t)->requires_grad, op.name, "(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad.");
  if (mode.grad) for (const Value& v : args)
    check<GradError>(v.tag != Value::tensor || !v.body()->requires_grad, op.name, "(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad.");
  const Scoped<Autocast*> off(mode.autocast, nullptr);   // out= decides the dtype
  for (PyObject* t : targets) check_apart(op, args, tensor_of(t));
  const bool direct = op.kind == Kind::elementwise && n == 1 && !op.out_exact && !mode.top;
  if (direct) out[0] = tensor_of(targets[0]);
  call(op, args, out, direct ? Form::out : Form::functional);
  for (int k = 0; k < n; ++k) {
    const Tensor target = tensor_of(targets[k]);
    if (out[k].body() == target.body()) {
      ++target->version();
      continue;
    }
    check<DTypeError>(!op.out_exact || out[k].dtype() == target.dtype(), op.name, "(): self and out expected to have the same dtype: Expected out "
                      "tensor to have dtype ", name_of(out[k].dtype()), ", but got ", name_of(target.dtype()), " instead");
    check<DTypeError>(can_cast(out[k].dtype(), target.dtype()), "result type ", row(out[k].dtype()).legacy, " can't be cast to the desired output type ", row(target.dtype()).legacy);
    resize_out(op, target, out[k]);
    copy_(target, out[k]);
  }
  return Py_NewRef(given);
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
    for (size_t i = 0; i < list.size(); ++i) PyTuple_SET_ITEM(r, static_cast<Py_ssize_t>(i), to_python(std::move(list[i])));
    return r;
  }
  Tensor out[Schema::max_outputs];
  if (extras.memory_format) follow_format(args, extras.memory_format);
  {
    Scoped python(mode.for_python, true);
    call(op, args, out);
  }
  if (extras.requires_grad) {
    check(is_differentiable(out[0].dtype()), "Only Tensors of floating point and complex dtype can require gradients");
    out[0]->requires_grad = true;
  }
  return pack_results(op, out);
}

[[gnu::cold]] PyObject* call_override(OpObject* self, const Call& c) {
  nb::object args = nb::steal(PyTuple_New(c.positional)), kwargs = nb::steal(PyDict_New());
  for (Py_ssize_t i = 0; i < c.positional; ++i) PyTuple_SET_ITEM(args.ptr(), i, Py_NewRef(c.args[i]));
  for (Py_ssize_t k = 0; k < c.keywords(); ++k) PyDict_SetItem(kwargs.ptr(), PyTuple_GET_ITEM(c.kwnames, k), c.keyword(k));
  return PyObject_CallFunctionObjArgs(torch_function_handler, reinterpret_cast<PyObject*>(self), args.ptr(), kwargs.ptr(), nullptr);
}

thread_local bool overrides_off = false;

[[gnu::cold]] bool has_override(const Call& c) {
  if (!torch_function_handler || overrides_off) return false;
  auto overrides = [](PyObject* o) {
    return Py_TYPE(o) != tensor_type && Py_TYPE(o) != parameter_type && PyObject_HasAttrString(reinterpret_cast<PyObject*>(Py_TYPE(o)), "__torch_function__");
  };
  for (Py_ssize_t i = 0; i < c.positional + c.keywords(); ++i) {
    PyObject* o = c.args[i];
    if (PyLong_Check(o) || PyFloat_Check(o) || PyUnicode_Check(o) || o == Py_None) continue;
    if (overrides(o)) return true;
    if (PyTuple_Check(o) || PyList_Check(o))
      for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(o); ++k)
        if (overrides(PySequence_Fast_GET_ITEM(o, k))) return true;
  }
  return false;
}

// add_(-lr, grad), addcmul_(0.1, a, b), addmm(beta, m, alpha, a, b): until PyTorch 1.5 the numbers that are keywords
// now stood between the tensors. Numbers fill the keyword-only Scalars in order, tensors the places before them.
[[gnu::cold]] PyObject* call_in_former_order(OpObject* self, const Call& c) {
  for (const Overload& o : *self->overloads) {
    const Schema& s = o.op->schema;
    std::vector<PyObject*> given, numbers;
    for (Py_ssize_t i = 0; i < c.positional; ++i)
      (PyLong_Check(c.args[i]) || PyFloat_Check(c.args[i]) || PyComplex_Check(c.args[i]) ? numbers : given).push_back(c.args[i]);
    if (numbers.empty() || given.size() < 2) continue;
    const auto tensors = static_cast<Py_ssize_t>(given.size());
    nb::list names;
    for (int i = 0; i < s.count && !numbers.empty(); ++i) {
      if (!s.params[i].keyword_only || s.params[i].type != Type::Scalar) continue;
      names.append(nb::handle(o.names[i]));
      given.push_back(numbers.front());
      numbers.erase(numbers.begin());
    }
    if (!numbers.empty()) continue;
    for (Py_ssize_t k = 0; k < c.keywords(); ++k) {
      names.append(nb::handle(PyTuple_GET_ITEM(c.kwnames, k)));
      given.push_back(c.keyword(k));
    }
    const nb::tuple keywords(names);
    const Call modern{given.data(), tensors, keywords.ptr()};
    Args args;
    Extras extras;
    bool overridden = false;
    Mismatch why;
    if (!parse(modern, o, args, extras, overridden, why)) continue;
    static std::unordered_map<const Op*, bool> said;
    if (!std::exchange(said[o.op], true)) {
      const std::string message = text(o.op->name, "(): numbers between the tensors are the order of PyTorch before 1.5; write ",
                                       s.text.substr(0, s.text.find(" ->")), ". (Said once.)");
      if (PyErr_WarnEx(PyExc_UserWarning, message.c_str(), 1)) throw nb::python_error();
    }
    return run(self, *o.op, args, extras, modern);
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
      if (overridden && has_override(c)) return call_override(self, c);
      return run(self, *o.op, args, extras, c);
    }
    if (has_override(c)) return call_override(self, c);
    if (PyObject* result = call_in_former_order(self, c)) return result;
    if (self->overloads->size() == 1) explain(self, *(*self->overloads)[0].op, why, c);
    explain_all(self, c);
    return nullptr;
  } catch (...) {
    return raise_current();
  }
}

PyObject* bind_method(PyObject* f, PyObject* self, PyObject*) { return self ? PyMethod_New(f, self) : Py_NewRef(f); }

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

PyObject* make_object(const std::string& name, const std::vector<const Op*>& ops, bool in_place, bool method) {
  auto* o = PyObject_New(OpObject, op_type);
  o->vectorcall = call_python;
  o->overloads = new std::vector<Overload>;
  o->in_place = in_place;
  o->method = method;
  o->weakrefs = nullptr;
  o->name = PyUnicode_InternFromString(name.c_str());
  for (const Op* op : ops) {
    Overload v{op, {}};
    for (int i = 0; i < op->schema.count; ++i) v.names.push_back(PyUnicode_InternFromString(std::string(op->schema.params[i].name).c_str()));
    o->overloads->push_back(std::move(v));
  }
  return reinterpret_cast<PyObject*>(o);
}

// torch.return_types.max(values=…, indices=…)
PyObject* return_type_repr(PyObject* o) {
  std::string s = std::string(Py_TYPE(o)->tp_name) + "(\n";
  nb::object fields = nb::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(o)), "__match_args__"));
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(o); ++i) {
    nb::object r = nb::steal(PyObject_Repr(PyTuple_GET_ITEM(o, i)));
    if (!r.is_valid()) return nullptr;
    s += text(i ? ",\n" : "", PyUnicode_AsUTF8(PyTuple_GET_ITEM(fields.ptr(), i)), "=", PyUnicode_AsUTF8(r.ptr()));
  }
  return PyUnicode_FromString((s + ")").c_str());
}

void add_return_type(nb::module_& types, const Op* op) {
  auto* fields = new PyStructSequence_Field[Schema::max_outputs + 1]{};
  for (int k = 0; k < op->schema.output_count; ++k) fields[k].name = (new std::string(op->schema.outputs[k]))->c_str();
  auto* name = new std::string(text("torch.return_types.", op->name));
  auto* description = new PyStructSequence_Desc{name->c_str(), "", fields, op->schema.output_count};
  PyTypeObject* type = PyStructSequence_NewType(description);
  type->tp_repr = return_type_repr;
  type->tp_str = return_type_repr;
  return_types()[op] = type;
  types.attr(std::string(op->name).c_str()) = nb::handle(reinterpret_cast<PyObject*>(type));
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
  static PyMemberDef members[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(OpObject, vectorcall), READONLY, nullptr},
                                  {"__weaklistoffset__", T_PYSSIZET, offsetof(OpObject, weakrefs), READONLY, nullptr}, {}};
  static PyGetSetDef getset[] = {{"__name__", op_name, nullptr, nullptr, nullptr}, {"__qualname__", op_name, nullptr, nullptr, nullptr},
                                 {"__doc__", op_doc, nullptr, nullptr, nullptr}, {"__module__", op_module, nullptr, nullptr, nullptr}, {}};
  static PyMethodDef methods[] = {{"__reduce__", op_reduce, METH_NOARGS, nullptr}, {"__copy__", op_self_copy, METH_NOARGS, nullptr},
                                  {"__deepcopy__", op_self_copy, METH_O, nullptr}, {}};
  static PyType_Slot slots[] = {{Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)}, {Py_tp_members, members}, {Py_tp_getset, getset},
                                {Py_tp_methods, methods}, {Py_tp_repr, reinterpret_cast<void*>(op_repr)},
                                {Py_tp_descr_get, reinterpret_cast<void*>(bind_method)}, {0, nullptr}};
  static PyType_Spec spec = {"flambeau._C.Op", sizeof(OpObject), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};
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
    const bool in_module = name.starts_with("linalg_") || name.starts_with("fft_");   // functions of torch.linalg and torch.fft only
    if (!in_module && ops[0]->schema.count && ops[0]->schema.params[0].name == "self") {
      nb::object method = nb::steal(make_object(name, ops, writes, true));
      tensor.attr(name.c_str()) = method;
      method.inc_ref();                                // as the functions, methods live as long as the process
    }
    for (const Op* op : ops)
      if (!writes && op->schema.output_count > 1 && !op->schema.outputs[0].empty()) add_return_type(types, op);
  }
  m.def("_set_torch_function_handler", [](nb::object f) { torch_function_handler = f.release().ptr(); });
  m.def("_set_overrides_off", [](bool off) { return std::exchange(overrides_off, off); });
  m.def("_op_schemas", [] {
    nb::list l;
    for (const Op* op : registry().ops()) l.append(nb::str(op->schema.text.data(), op->schema.text.size()));
    return l;
  });
  m.def("_op_table", [] {
    static const char* kinds[] = {"elementwise", "reduction", "view", "bilinear", "fused", "composite", "opaque", "factory"};
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
