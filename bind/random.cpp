// torch.Generator and the default generator.
#include "bind/python.h"

#include <nanobind/stl/string.h>

#include "kernels/mt19937.h"
#include "ops.h"

namespace fb {
namespace {

struct GeneratorHandle {
  Ref<Generator> generator;
};

uint64_t seed_from(nb::handle h) {                      // −2^63 … 2^64 − 1, negative ones remapped
  nb::object index = nb::steal(PyNumber_Index(h.ptr()));
  if (!index.is_valid()) {
    PyErr_Clear();
    throw Error(text("manual_seed: the seed must be an int, not ", Py_TYPE(h.ptr())->tp_name));
  }
  int overflow = 0;
  const int64_t v = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
  if (!overflow) return static_cast<uint64_t>(v);
  const uint64_t u = PyLong_AsUnsignedLongLong(index.ptr());
  if (overflow < 0 || PyErr_Occurred()) {
    PyErr_Clear();
    throw ValueError("Overflow when unpacking unsigned long long: a seed lies in [-2**63, 2**64)");
  }
  return u;
}

Tensor state_tensor(const Generator& g) {
  const std::vector<uint8_t> bytes = g.state();
  Tensor t = empty({static_cast<int64_t>(bytes.size())}, DType::u8);
  memcpy(t.data(), bytes.data(), bytes.size());
  return t;
}
void restore(Generator& g, nb::handle state) {
  const Tensor t = take(state);
  check<TypeError>(t.dtype() == DType::u8, "set_state: a state is a tensor of uint8, not ",
                   name_of(t.dtype()));
  const Tensor packed = contiguous(t);
  check(packed.numel() == Generator::state_bytes, "RNG state is wrong size: ", packed.numel(), " bytes, expected ", Generator::state_bytes);
  g.set_state({packed.data<uint8_t>(), static_cast<size_t>(packed.numel())});
}

}  // namespace

Generator* generator_of(PyObject* o) {
  if (!nb::isinstance<GeneratorHandle>(nb::handle(o))) return nullptr;
  return nb::inst_ptr<GeneratorHandle>(nb::handle(o))->generator.get();
}

void bind_random(nb::module_& m) {
  nb::class_<GeneratorHandle> g(m, "Generator", nb::dynamic_attr(), nb::is_weak_referenceable());
  g.attr("__module__") = "flambeau";
  g.def("__init__", [](GeneratorHandle* self, nb::object device) {
    if (!device.is_none()) {
      const nb::object d = nb::handle(reinterpret_cast<PyObject*>(nb::module_::import_("flambeau._C").attr("device").ptr()))(device);
      const std::string type = nb::cast<std::string>(nb::object(d.attr("type")));
      check<DeviceError>(type == "cpu", "there is no ", type, " generator (no CUDA device): flambeau computes on the CPU; use device='cpu'");
    }
    new (self) GeneratorHandle{Ref<Generator>(new Generator)};
  }, nb::arg("device") = nb::none());
  g.def("manual_seed", [](nb::object self, nb::handle seed) {
    nb::cast<GeneratorHandle&>(self).generator->manual_seed(seed_from(seed));
    return self;
  });
  g.def("initial_seed", [](const GeneratorHandle& h) { return h.generator->initial_seed(); });
  g.def("seed", [](GeneratorHandle& h) { return h.generator->seed(); });
  g.def("get_state", [](const GeneratorHandle& h) { return give(state_tensor(*h.generator)); });
  g.def("set_state", [](nb::object self, nb::handle state) {
    restore(*nb::cast<GeneratorHandle&>(self).generator, state);
    return self;
  });
  g.def("get_offset", [](const GeneratorHandle&) -> int64_t { throw Error("a CPU Generator does not use an offset"); });
  g.def("set_offset", [](const GeneratorHandle&, int64_t) { throw Error("a CPU Generator does not use an offset"); });
  for (const char* name : {"graphsafe_get_state", "graphsafe_set_state"})
    g.def(name, [](nb::args) { throw UnsupportedError("states that graph captures share are not supported by a CPU Generator"); });
  g.def("clone_state", [](const GeneratorHandle& h) { return GeneratorHandle{Ref<Generator>(new Generator(*h.generator))}; });
  g.def_prop_ro("device", [](const GeneratorHandle&) { return nb::steal(device_object("cpu", -1)); });
  g.def("__getstate__", [](const GeneratorHandle& h) { return nb::make_tuple(nb::int_(h.generator->initial_seed()), give(state_tensor(*h.generator))); });
  g.def("__setstate__", [](GeneratorHandle& self, nb::tuple state) {
    new (&self) GeneratorHandle{Ref<Generator>(new Generator(seed_from(state[0])))};
    restore(*self.generator, state[1]);
  });
  m.attr("default_generator") = GeneratorHandle{Ref<Generator>(&default_generator())};
}

}  // namespace fb
