#include "bind/python.h"

NB_MODULE(_C, m) {
  using namespace fb;
  nb::set_leak_warnings(false);                        // types and op objects live as long as the process
  bind_errors(m);
  bind_types(m);
  bind_tensor(m);
  bind_ops(m);
  bind_indexing(m);
  bind_autograd(m);
  bind_saved(m);
  bind_interop(m);
  bind_random(m);
  bind_runtime(m);
}
