#include "bind/python.h"

namespace fb {
Generator* generator_of(PyObject*) { return nullptr; }
void retain(Generator*) {}
void release(Generator*) {}
}  // namespace fb

NB_MODULE(_C, m) {
  using namespace fb;
  nb::set_leak_warnings(false);                        // types and op objects live as long as the process
  bind_errors(m);
  bind_types(m);
  bind_tensor(m);
  bind_ops(m);
  bind_indexing(m);
  bind_autograd(m);
  bind_interop(m);
  bind_runtime(m);
}
