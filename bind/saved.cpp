// Saved-tensor hooks written in Python, and questions to the running engine.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include "autograd/saved.h"
#include "autograd/modes.h"
#include "bind/python.h"

namespace fb {
namespace {

struct PythonPacked final : Packed {
  nb::object unpack_hook, what;
  PythonPacked(nb::object hook, nb::object w) : unpack_hook(std::move(hook)), what(std::move(w)) {}
  Tensor unpack() override {
    const nb::object t = unpack_hook(what);
    check<TypeError>(is_tensor(t.ptr()), "unpack_hook must return a tensor, it returned ",
                     Py_TYPE(t.ptr())->tp_name);
    return take(t);
  }
};

struct PythonHooks final : SavedHooks {
  nb::object pack_hook, unpack_hook;
  PythonHooks(nb::object p, nb::object u) : pack_hook(std::move(p)), unpack_hook(std::move(u)) {}
  Ref<Packed> pack(const Tensor& t) override {
    nb::object what = pack_hook(give(t));
    return Ref<Packed>(new PythonPacked(unpack_hook, std::move(what)));
  }
};

// The blocks that this thread is in. A pointer, since a thread-local object with a destructor would outlive Python.
thread_local constinit std::vector<PythonHooks*>* blocks = nullptr;
thread_local constinit std::string* refusal = nullptr;

void push(nb::object pack, nb::object unpack) {
  check<TypeError>(PyCallable_Check(pack.ptr()) && PyCallable_Check(unpack.ptr()), "saved_tensors_hooks expects two functions, not ",
                   Py_TYPE(pack.ptr())->tp_name, " and ", Py_TYPE(unpack.ptr())->tp_name);
  if (refusal) throw Error(*refusal);
  if (!blocks) blocks = new std::vector<PythonHooks*>;
  blocks->push_back(new PythonHooks(std::move(pack), std::move(unpack)));
  mode.saved_hooks = blocks->back();
}

void pop() {
  check(blocks && !blocks->empty(), "saved_tensors_hooks: no block to leave");
  PythonHooks* last = blocks->back();
  blocks->pop_back();
  mode.saved_hooks = blocks->empty() ? nullptr : blocks->back();
  delete last;
}

std::optional<std::string> disable(std::optional<std::string> message) {
  std::optional<std::string> before;
  if (refusal) before = *refusal;
  if (message && mode.saved_hooks) throw Error(*message);
  delete refusal;
  refusal = message ? new std::string(*message) : nullptr;
  return before;
}

// A saved tensor of a Function written in Python.
struct PackedHandle { PackedSlot slot; };

}  // namespace

void bind_saved(nb::module_& m) {
  m.def("_push_saved_tensors_hooks", push);
  m.def("_pop_saved_tensors_hooks", pop);
  m.def("_set_saved_tensors_hooks_disabled", disable, nb::arg("message").none());
  nb::class_<PackedHandle>(m, "_Packed").def("unpack", [](const PackedHandle& h) { return give(unpack_saved(h.slot)); });
  m.def("_pack_saved", [](nb::handle t) -> nb::object {       // None: no block is active
    if (!mode.saved_hooks) return nb::none();
    return nb::cast(PackedHandle{pack_saved(take(t))});
  });
}

}  // namespace fb
