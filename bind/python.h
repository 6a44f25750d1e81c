#pragma once
#include <nanobind/nanobind.h>

#include "op/call.h"
#include "op/registry.h"

// What the files of bind/ share. Only this folder includes Python.h.
namespace nb = nanobind;

namespace fb {

// ---- the one class
extern PyTypeObject* tensor_type;
extern PyTypeObject* parameter_type;                   // flambeau.nn.Parameter, once it exists
inline bool is_tensor(PyObject* o) { return Py_TYPE(o) == tensor_type || PyType_IsSubtype(Py_TYPE(o), tensor_type); }
inline Body* body_of(PyObject* o) { return nb::inst_ptr<Body>(nb::handle(o)); }
inline Tensor tensor_of(PyObject* o) { return Tensor(Ref<Body>(body_of(o))); }
Tensor take(nb::handle h);                             // TypeError if it is no tensor
PyObject* to_python(Tensor&& t);                       // a new reference; None for an undefined tensor
inline nb::object give(Tensor t) { return nb::steal(to_python(std::move(t))); }
constexpr const char* not_one = "a Python number needs a tensor of one element";
inline void check_can_require_grad(bool wanted, DType d) {
  check(!wanted || is_differentiable(d), "requires_grad: only floating and complex tensors have gradients, this is one of ", name_of(d));
}
PyObject* make_subclass(PyTypeObject* type, const Tensor& data, bool requires_grad);

// ---- small types
PyObject* dtype_object(DType d);                       // borrowed
bool is_dtype(PyObject* o);
DType dtype_of_object(PyObject* o);                    // also float, int, bool, complex; TypeError otherwise
bool try_dtype(PyObject* o, DType& d);
PyObject* size_object(const Dims& d);                  // a new torch.Size
PyObject* device_object(const char* type, int index);  // a new torch.device
void check_device(PyObject* o);                        // raises unless the device is the CPU
bool names_device(PyObject* o);
Generator* generator_of(PyObject* o);                  // nullptr if it is none

// ---- conversions
PyObject* raise_current();                             // turns the C++ exception in flight into a Python one; nullptr
bool to_scalar(PyObject* o, Scalar& s);                // numbers, NumPy scalars
bool to_int(PyObject* o, int64_t& v);
bool to_ints(PyObject* o, Dims& d);                    // a sequence of ints, or one int
bool push_argument(Args& args, const Op& op, int param, PyObject* o, bool& overridden);
nb::object scalar_object(const Scalar& s);
Scalar item_of(const Tensor& t);
Tensor tensor_from_data(PyObject* data, PyObject* dtype, bool copy);   // lists, numbers, arrays, tensors

// ---- modules
void bind_types(nb::module_& m);
void bind_tensor(nb::module_& m);
void bind_ops(nb::module_& m);
void bind_indexing(nb::module_& m);
void bind_autograd(nb::module_& m);
void bind_saved(nb::module_& m);
void bind_interop(nb::module_& m);
void bind_errors(nb::module_& m);
void bind_random(nb::module_& m);
void bind_runtime(nb::module_& m);

PyObject* call_by_name(const char* op, PyObject* const* args, size_t n);   // through the generic callable
PyObject* op_object(const char* name);                 // borrowed; nullptr if there is none
PyObject* get_item(PyObject* self, PyObject* key);
int set_item(PyObject* self, PyObject* key, PyObject* value);

}  // namespace fb
