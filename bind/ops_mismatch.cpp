// What a call raises whose arguments fit no schema: the argument, what was expected of it, what was given.
#include <string>

#include "bind/callable.h"

namespace fb {
namespace {

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

std::string_view shown_name(const Param& p) { return p.name == "self" ? std::string_view("input") : p.name; }

std::string_view named(PyObject* keyword) { return PyUnicode_AsUTF8(keyword); }

[[noreturn]] void wrong_type(std::string_view name, const Param& p, int position, PyObject* given) {
  const std::string expected = text(name, "(): expected ", type_word(p.type), " as '", shown_name(p),
                                    "' (position ", position, "), ");
  if ((p.type == Type::Ints || p.type == Type::Tensors) && (PyTuple_Check(given) || PyList_Check(given))) {
    int64_t v;
    for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(given); ++k) {
      PyObject* item = PySequence_Fast_GET_ITEM(given, k);
      if (p.type == Type::Ints ? to_int(item, v) : is_tensor(item)) continue;
      throw TypeError(text(expected, "but ", shown_name(p), "[", k, "] is ", Py_TYPE(item)->tp_name));
    }
  }
  throw TypeError(text(expected, "got ", Py_TYPE(given)->tp_name));
}

[[noreturn]] void missing(std::string_view name, const Schema& s, int first, const Call& c) {
  std::string names;
  int count = 0;
  for (int i = first; i < s.count; ++i) {
    const Param& p = s.params[i];
    bool given = false;
    for (Py_ssize_t k = 0; k < c.keywords(); ++k) given |= named(PyTuple_GET_ITEM(c.kwnames, k)) == p.name;
    if (given || p.has_default || p.optional || p.keyword_only) continue;
    names += text(count++ ? ", '" : "'", shown_name(p), "'");
  }
  throw TypeError(text(name, "(): ", count, count == 1 ? " required argument" : " required arguments",
                       " missing: ", names));
}

[[noreturn]] void wrong_keyword(std::string_view name, const Schema& s, const Call& c) {
  std::string_view strange, twice;
  for (Py_ssize_t k = 0; k < c.keywords(); ++k) {
    const std::string_view given = named(PyTuple_GET_ITEM(c.kwnames, k));
    const bool known = s.find(given) >= 0 || given == "input" || given == "axis" || given == "keepdims";
    if (known) twice = given;
    else if (given != "out" || s.returns_list) strange = given;
  }
  if (strange.empty()) throw TypeError(text(name, "(): '", twice, "' is given by position and by keyword"));
  throw TypeError(text(name, "(): no keyword argument '", strange, "' in ", s.text));
}

}  // namespace

void explain(std::string_view name, bool bound, const Op& op, const Mismatch& why, const Call& c) {
  const Schema& s = op.schema;
  switch (why.fault) {
    case Fault::type: wrong_type(name, s.params[why.param], why.param + !bound, why.given);
    case Fault::missing: missing(name, s, why.param, c);
    case Fault::many:
      throw TypeError(text(name, "(): takes ", why.param - bound, " positional arguments, got ",
                           c.positional - bound));
    default: wrong_keyword(name, s, c);
  }
}

void explain_all(std::string_view name, bool bound, const std::vector<Overload>& overloads, const Call& c) {
  std::string given, forms;
  const auto comma = [&] { return given.empty() ? "" : ", "; };
  for (Py_ssize_t i = bound; i < c.positional; ++i) given += text(comma(), Py_TYPE(c.args[i])->tp_name);
  for (Py_ssize_t k = 0; k < c.keywords(); ++k)
    given += text(comma(), named(PyTuple_GET_ITEM(c.kwnames, k)), "=", Py_TYPE(c.keyword(k))->tp_name);
  for (const Overload& o : overloads) forms += text("\n * ", o.op->schema.text);
  throw TypeError(text(name, "(): arguments (", given, ") fit none of:", forms));
}

}  // namespace fb
