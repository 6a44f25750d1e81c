// add_(-lr, grad), addcmul_(0.1, a, b), addmm(beta, m, alpha, a, b): until PyTorch 1.5 the numbers that are
// keywords now stood between the tensors. Numbers fill the keyword-only Scalars in order, tensors the places
// before them.
#include <string>
#include <unordered_map>
#include <utility>

#include "bind/callable.h"

namespace fb {

bool reorder(const Call& c, const Overload& o, Reordered& modern) {
  const Schema& s = o.op->schema;
  std::vector<PyObject*>& given = modern.given;
  std::vector<PyObject*> numbers;
  for (Py_ssize_t i = 0; i < c.positional; ++i) {
    PyObject* v = c.args[i];
    (PyLong_Check(v) || PyFloat_Check(v) || PyComplex_Check(v) ? numbers : given).push_back(v);
  }
  if (numbers.empty() || given.size() < 2) return false;
  modern.tensors = static_cast<Py_ssize_t>(given.size());
  nb::list names;
  for (int i = 0; i < s.count && !numbers.empty(); ++i) {
    if (!s.params[i].keyword_only || s.params[i].type != Type::Scalar) continue;
    names.append(nb::handle(o.names[i]));
    given.push_back(numbers.front());
    numbers.erase(numbers.begin());
  }
  if (!numbers.empty()) return false;
  for (Py_ssize_t k = 0; k < c.keywords(); ++k) {
    names.append(nb::handle(PyTuple_GET_ITEM(c.kwnames, k)));
    given.push_back(c.keyword(k));
  }
  modern.names = nb::tuple(names);
  return true;
}

void warn_of_former_order(const Op& op) {
  static std::unordered_map<const Op*, bool> said;
  if (std::exchange(said[&op], true)) return;
  const std::string_view schema = op.schema.text;
  const std::string message =
      text(op.name, "(): numbers between the tensors are the order of PyTorch before 1.5; write ",
           schema.substr(0, schema.find(" ->")), ". (Said once.)");
  if (PyErr_WarnEx(PyExc_UserWarning, message.c_str(), 1)) throw nb::python_error();
}

}  // namespace fb
