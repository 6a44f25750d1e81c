#pragma once
#include <memory>
#include <vector>

#include "base/dtype.h"
#include "tensor/layout.h"
#include "tensor/storage.h"

namespace fb {

struct Node;
struct ViewInfo;
struct Wrapper;
struct Hook;
struct Body;
void retain(Hook*);
void release(Hook*);
void retain(Node*);
void release(Node*);

// A count of in-place writes of its own, for `.data`; every other alias shares the storage's.
struct Version : Cached<Version> {
  uint32_t refs = 0, value = 0;
  friend void retain(Version* v) { ++v->refs; }
  friend void release(Version* v) { if (--v->refs == 0) delete v; }
};

class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(Ref<Body> body) : body_(std::move(body)) {}
  Body* body() const { return body_.get(); }
  Body* operator->() const { return body_.get(); }
  explicit operator bool() const { return bool(body_); }
  Ref<Body>& ref() { return body_; }

  inline const Dims& shape() const;
  inline const Dims& strides() const;
  inline const Layout& layout() const;
  inline DType dtype() const;
  inline int64_t numel() const;
  inline int64_t size(int dim) const;                  // dim may count from the end
  inline int dim() const;
  inline bool is_contiguous() const;
  template <class T = char> inline T* data() const;    // address of the first element

 private:
  Ref<Body> body_;
};
using Tensors = std::vector<Tensor>;

// What few tensors need; allocated on demand.
struct TensorExtra {
  Ref<Version> own_version;
  ViewInfo* view = nullptr;                            // set for views made while grad mode is on
  Wrapper* wrapper = nullptr;                          // set for tensors that belong to an interceptor
  std::vector<Ref<Hook>> hooks;                        // of a leaf: called with its gradient
  std::vector<Ref<Hook>> accumulated_hooks;            // called after the gradient was added to .grad
  bool retains_grad = false, inference = false;
  ~TensorExtra();
};

// The state behind every handle to one tensor. `count` holds references << 1 | 1 while no Python object
// exists, and the PyObject* that owns this body afterwards: then the count is Python's.
struct Body {
  uintptr_t count = 3;
  Ref<Storage> storage;
  Layout layout;
  DType dtype = DType::f32;
  bool requires_grad = false;
  uint16_t out_nr = 0;                                 // which output of `node` this is
  uint32_t history = 0;                                // moves when an in-place write changes `node`
  Ref<Node> node;
  Tensor grad;
  std::unique_ptr<TensorExtra> extra;

  ~Body();
  uint32_t& version() {
    return extra && extra->own_version ? extra->own_version->value : storage->version;
  }
  ViewInfo* view() const { return extra ? extra->view : nullptr; }
  Wrapper* wrapper() const { return extra ? extra->wrapper : nullptr; }
  bool inference() const { return extra && extra->inference; }
  TensorExtra& more() {
    if (!extra) extra = std::make_unique<TensorExtra>();
    return *extra;
  }
};

// bind/ points these at the Python side.
struct PythonObjects {
  Body* (*new_body)() = nullptr;                       // a body inside a fresh Python object
  void (*retain)(void*) = nullptr;
  void (*release)(void*) = nullptr;
};
extern PythonObjects python_objects;

void destroy(Body* b);                                 // out of line: the last handle is gone
inline void retain(Body* b) {
  if (b->count & 1) b->count += 2;
  else python_objects.retain(reinterpret_cast<void*>(b->count));
}
inline void release(Body* b) {
  if (!(b->count & 1)) return python_objects.release(reinterpret_cast<void*>(b->count));
  b->count -= 2;
  if (b->count == 1) destroy(b);
}

inline const Dims& Tensor::shape() const { return body_->layout.shape; }
inline const Dims& Tensor::strides() const { return body_->layout.strides; }
inline const Layout& Tensor::layout() const { return body_->layout; }
inline DType Tensor::dtype() const { return body_->dtype; }
inline int64_t Tensor::numel() const { return body_->layout.numel; }
inline int Tensor::dim() const { return body_->layout.dim(); }
inline int64_t Tensor::size(int d) const { return shape()[wrap_dim(d, dim())]; }
inline bool Tensor::is_contiguous() const { return body_->layout.contiguous; }
template <class T> T* Tensor::data() const {
  return reinterpret_cast<T*>(static_cast<char*>(body_->storage->data()) + body_->layout.offset * bytes_of(body_->dtype));
}

Tensor empty(const Dims& shape, DType dtype);
Tensor empty_strided(const Dims& shape, const Dims& strides, DType dtype);   // strides must be dense
Tensor empty_like(const Tensor& t, DType dtype);       // keeps the order of a dense tensor's strides
Tensor alias(const Tensor& t, const Layout& layout);   // shares storage and version, no history
inline Tensor detached(const Tensor& t) { return alias(t, t.layout()); }
Tensor with_own_version(const Tensor& t);              // what `.data` gives
void resize_tensor(const Tensor& t, const Dims& shape);   // packed; the storage grows when it must
bool share_memory(const Tensor& a, const Tensor& b);   // one storage, and spans that meet
// An error, worded for `call`, if two indices of the tensor to write reach one element.
void check_each_written_once(std::string_view call, const Tensor& target);
// An error if target and input are dense and share part of their memory: what is written would be read later.
void check_no_partial_overlap(std::string_view call, const Tensor& target, const Tensor& input);

}  // namespace fb
