// Matching positional and keyword arguments with the parameters of a schema. Every call passes here: one with
// positional arguments only compares no names, and what is rare stands in functions of its own.
#include <string>

#include "bind/callable.h"

namespace fb {
namespace {

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

bool gathers(const Param& p) {                         // x.view(2, 3) is x.view((2, 3))
  return p.type == Type::Ints && (p.name == "size" || p.name == "shape" || p.name == "dims" ||
                                  p.name == "sizes" || p.name == "repeats");
}

const char* alias_of(std::string_view name) {          // NumPy's words for the same parameter
  if (name == "self") return "input";
  if (name == "dim") return "axis";
  if (name == "keepdim") return "keepdims";
  if (name == "other") return "x2";
  return nullptr;
}

bool names_param(PyObject* given, const Overload& o, int i) {
  if (PyUnicode_Compare(given, o.names[i]) == 0) return true;
  const char* alias = alias_of(o.op->schema.params[i].name);
  return alias && PyUnicode_CompareWithASCIIString(given, alias) == 0;
}

PyObject* find_keyword(const Call& c, const Overload& o, int i) {
  for (Py_ssize_t k = 0; k < c.keywords(); ++k)
    if (PyTuple_GET_ITEM(c.kwnames, k) == o.names[i]) return c.keyword(k);
  for (Py_ssize_t k = 0; k < c.keywords(); ++k)
    if (names_param(PyTuple_GET_ITEM(c.kwnames, k), o, i)) return c.keyword(k);
  return nullptr;
}

// Keywords that no parameter took: out=, and a factory's device, layout, requires_grad …
[[gnu::noinline]] bool take_extras(const Call& c, const Overload& o, Extras& extras) {
  const Op& op = *o.op;
  for (Py_ssize_t k = 0; k < c.keywords(); ++k) {
    PyObject* given = PyTuple_GET_ITEM(c.kwnames, k);
    PyObject* value = c.keyword(k);
    bool known = false;
    for (int i = 0; i < op.schema.count && !known; ++i) {
      known = names_param(given, o, i);
      if (known && i < c.positional && !op.schema.params[i].keyword_only) return false;   // given twice
    }
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

nb::object gathered_from(const Call& c, Py_ssize_t first, Py_ssize_t end) {
  nb::object all = nb::steal(PyTuple_New(end - first));
  for (Py_ssize_t k = first; k < end; ++k) PyTuple_SET_ITEM(all.ptr(), k - first, Py_NewRef(c.args[k]));
  return all;
}

// What messages name of ints given one by one: the tuple made of them lives in `parse` only.
PyObject* first_not_int(const Call& c, Py_ssize_t first, PyObject* otherwise) {
  int64_t whole;
  for (Py_ssize_t k = first; k < c.positional; ++k)
    if (!to_int(c.args[k], whole)) return c.args[k];
  return otherwise;
}

}  // namespace

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
        gathered = gathered_from(c, i, positional);
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
        why = {Fault::missing, i, nullptr};
        return false;
      }
      push_default(args, p);
      continue;
    }
    if (!push_argument(args, op, i, v, overridden)) {
      why = {Fault::type, i, gathered.is_valid() ? first_not_int(c, i, v) : v};
      return false;
    }
  }
  int takes = 0;
  for (int i = 0; i < s.count; ++i) takes += !s.params[i].keyword_only;
  if (positional > takes) {
    why = {Fault::many, takes, nullptr};
    return false;
  }
  if (used != c.keywords() && !take_extras(c, o, extras)) {
    why = {Fault::keyword, -1, nullptr};
    return false;
  }
  if (!op.takes_only_numbers && args[0].is_number() && args[1].is_number()) {
    why = {Fault::type, 0, c.positional ? c.args[0] : Py_None};
    return false;
  }
  return true;
}

}  // namespace fb
