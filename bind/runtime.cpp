// Threads, memory, default dtype, version of the machine code in use.
#include "base/isa.h"
#include "base/parallel.h"
#include "bind/python.h"
#include "func/autocast.h"
#include "kernels/gemm.h"
#include "ops.h"

namespace fb {

static DType dtype_argument(const char* function, nb::handle h, const char* name, int position) {
  if (!is_dtype(h.ptr()))
    throw TypeError(text(function, "(): argument '", name, "' (position ", position, ") must be torch.dtype, not ", Py_TYPE(h.ptr())->tp_name));
  return dtype_of_object(h.ptr());
}

void bind_runtime(nb::module_& m) {
  interpreter.release = [] { return PyGILState_Check() ? static_cast<void*>(PyEval_SaveThread()) : nullptr; };
  interpreter.acquire = [](void* state) { PyEval_RestoreThread(static_cast<PyThreadState*>(state)); };
  m.def("get_num_threads", [] { return thread_count(); });
  m.def("set_num_threads", [](nb::handle count) {
    check(PyLong_Check(count.ptr()) && !PyBool_Check(count.ptr()), "set_num_threads: the number must be an "
          "int, not ", Py_TYPE(count.ptr())->tp_name);
    const int n = nb::cast<int>(count);
    check(n > 0, "set_num_threads: the number must be positive, got ", n);
    set_thread_count(n);
  });
  m.def("_has_onednn", [] { return has_onednn(); });
  m.def("_set_onednn_enabled", enable_onednn);
  m.def("_set_onednn_verbose", set_onednn_verbose);
  m.def("_cpu_level", [] { return cpu_level(); });
  m.def("get_default_dtype", [] { return nb::borrow(dtype_object(default_dtype())); });
  m.def("_set_default_dtype", [](nb::handle d) {
    const DType type = dtype_of_object(d.ptr());
    check<TypeError>(is_floating(type), "set_default_dtype: the default must be a floating dtype, not ",
                     name_of(type));
    set_default_dtype(type);
  });
  m.def("promote_types", [](nb::handle a, nb::handle b) {
    return nb::borrow(dtype_object(promote(dtype_argument("promote_types", a, "type1", 1), dtype_argument("promote_types", b, "type2", 2))));
  }, nb::arg("type1"), nb::arg("type2"));
  m.def("can_cast", [](nb::handle a, nb::handle b) { return can_cast(dtype_argument("can_cast", a, "from_", 1), dtype_argument("can_cast", b, "to", 2)); },
        nb::arg("from_"), nb::arg("to"));
  m.def("_all_true", [](nb::handle bools) {
    const Tensor t = contiguous(take(bools));
    check(t.dtype() == DType::boolean, "_all_true takes a bool tensor");
    return t.numel() == 0 || !memchr(t.data(), 0, static_cast<size_t>(t.numel()));
  });
  m.def("_result_type", [](nb::handle a, nb::handle b) {
    Args args;
    for (nb::handle h : {a, b}) {
      Scalar s;
      if (is_tensor(h.ptr())) args.push(tensor_of(h.ptr()));
      else if (to_scalar(h.ptr(), s)) args.push(Value(s));
      else throw TypeError(text("result_type(): expected a Tensor or a number, not ", Py_TYPE(h.ptr())->tp_name));
    }
    return nb::borrow(dtype_object(result_type(args, 0, 2)));
  });
  m.def("_resize_", [](nb::handle t, nb::handle size) {
    Dims d;
    check<TypeError>(to_ints(size.ptr(), d), "resize_(): sizes must be ints");
    for (int64_t s : d) check(s >= 0, "Trying to resize tensor with negative dimension ", s);
    resize_tensor(take(t), d);
  });
  m.def("memory_stats", [] {
    const MemoryStats s = memory_stats();
    nb::dict d;
    d["allocated_bytes"] = s.allocated_bytes;
    d["peak_bytes"] = s.peak_bytes;
    d["cached_bytes"] = s.cached_bytes;
    d["allocations"] = s.allocations;
    d["cache_hits"] = s.cache_hits;
    return d;
  });
  m.def("_autocast_enabled", [] { return autocast_state().enabled; });
  m.def("_set_autocast_enabled", [](bool on) { autocast_state().enable(on); }, nb::arg("enabled"));
  m.def("_autocast_dtype", [] { return nb::borrow(dtype_object(autocast_state().dtype)); });
  m.def("_set_autocast_dtype", [](nb::handle d) { autocast_state().dtype = dtype_of_object(d.ptr()); }, nb::arg("dtype"));
  m.def("_autocast_cache_enabled", [] { return autocast_state().cache_enabled; });
  m.def("_set_autocast_cache_enabled", [](bool on) { autocast_state().cache_enabled = on; }, nb::arg("enabled"));
  m.def("_autocast_nesting", [](int step) { return autocast_state().nesting += step; }, nb::arg("step"));
  m.def("_clear_autocast_cache", [] { autocast_state().forget(); });
  m.def("reset_peak_memory", [] { reset_peak_memory(); });
  m.def("trim_memory", [] { trim_memory(); });
}

}  // namespace fb
