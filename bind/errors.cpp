// C++ errors become the Python classes of flambeau.errors, each of which derives from the built-in class that
// PyTorch raises in the same place.
#include "bind/python.h"

namespace fb {
namespace {

PyObject* classes = nullptr;                           // name → exception class

void set(const char* name, PyObject* built_in, const char* what) {
  PyObject* type = classes ? PyDict_GetItemString(classes, name) : nullptr;
  PyErr_SetString(type ? type : built_in, what);
}

}  // namespace

PyObject* raise_current() {
  try {
    throw;
  } catch (nb::python_error& e) {
    e.restore();
  } catch (nb::builtin_exception& e) {
    PyErr_SetString(e.type() == nb::exception_type::type_error ? PyExc_TypeError : PyExc_RuntimeError, e.what());
  } catch (const IndexError& e) { set("IndexError", PyExc_IndexError, e.what());
  } catch (const ValueError& e) { set("ValueError", PyExc_ValueError, e.what());
  } catch (const TypeError& e) { set("TypeError", PyExc_TypeError, e.what());
  } catch (const UnsupportedError& e) { set("UnsupportedError", PyExc_NotImplementedError, e.what());
  } catch (const ShapeError& e) { set("ShapeError", PyExc_RuntimeError, e.what());
  } catch (const DTypeError& e) { set("DTypeError", PyExc_RuntimeError, e.what());
  } catch (const DeviceError& e) { set("DeviceError", PyExc_RuntimeError, e.what());
  } catch (const VersionError& e) { set("VersionError", PyExc_RuntimeError, e.what());
  } catch (const LinAlgError& e) { set("LinAlgError", PyExc_RuntimeError, e.what());
  } catch (const GradError& e) { set("GradError", PyExc_RuntimeError, e.what());
  } catch (const std::bad_alloc&) { PyErr_NoMemory();
  } catch (const std::exception& e) { set("RuntimeError", PyExc_RuntimeError, e.what());
  }
  return nullptr;
}

void bind_errors(nb::module_& m) {
  m.def("_set_error_classes", [](nb::dict d) {
    Py_XDECREF(classes);
    classes = d.release().ptr();
  });
  nb::register_exception_translator([](const std::exception_ptr& p, void*) {
    try {
      std::rethrow_exception(p);
    } catch (const Error&) {
      raise_current();
    }
  });
}

}  // namespace fb
