#pragma once
#include <string_view>
#include <vector>

#include "bind/python.h"

// What the files of the generic callable share: a call as Python hands it over, and the steps of its way.
namespace fb {

struct Overload {
  const Op* op;
  std::vector<PyObject*> names;                        // of the parameters, interned
};

struct Call {
  PyObject* const* args;
  Py_ssize_t positional;
  PyObject* kwnames;
  Py_ssize_t keywords() const { return kwnames ? PyTuple_GET_SIZE(kwnames) : 0; }
  PyObject* keyword(Py_ssize_t k) const { return args[positional + k]; }
};

// Keyword arguments that a kind supplies beside the schema's.
struct Extras {
  PyObject* out = nullptr;
  bool requires_grad = false;
  PyObject* memory_format = nullptr;
};

// Why the arguments did not fit; raised only when the callable has one overload.
enum class Fault { type, missing, many, keyword };
struct Mismatch {
  Fault fault = Fault::keyword;
  int param = -1;                                      // of `many`: how many there may be
  PyObject* given = nullptr;
};

// ---- ops_arguments.cpp
// Boxes the arguments as the schema asks; false, and why, if they do not fit.
bool parse(const Call& c, const Overload& o, Args& args, Extras& extras, bool& overridden, Mismatch& why);

// ---- ops_mismatch.cpp
// Both raise TypeError; `bound` says that the first argument is self, which messages do not count.
[[noreturn, gnu::cold]] void explain(std::string_view name, bool bound, const Op& op, const Mismatch& why,
                                     const Call& c);
[[noreturn, gnu::cold]] void explain_all(std::string_view name, bool bound,
                                         const std::vector<Overload>& overloads, const Call& c);

// ---- ops_former_order.cpp
// A call whose numbers are moved behind its tensors, and what keeps its arguments alive.
struct Reordered {
  std::vector<PyObject*> given;
  nb::object names;
  Py_ssize_t tensors = 0;
  Call call() const { return {given.data(), tensors, names.ptr()}; }
};
[[gnu::cold]] bool reorder(const Call& c, const Overload& o, Reordered& modern);
[[gnu::cold]] void warn_of_former_order(const Op& op); // once per op

// ---- ops_override.cpp
[[gnu::cold]] bool has_override(const Call& c);
[[gnu::cold]] PyObject* call_override(PyObject* callable, const Call& c);
void bind_overrides(nb::module_& m);

// ---- ops_out.cpp
PyObject* call_with_out(const Op& op, Args& args, PyObject* given);

// ---- ops_return_types.cpp
PyObject* pack_results(const Op& op, Tensor* out);     // none or several
void add_return_type(nb::module_& types, const Op* op);

}  // namespace fb
