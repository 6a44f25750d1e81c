#pragma once
#include <optional>
#include <string>

#include "base/scalar.h"
#include "base/small.h"
#include "tensor/tensor.h"

namespace fb {

class Generator;
void retain(const Generator*);
void release(const Generator*);

// A counted box for arguments that do not fit beside a tag.
struct Boxed;
void destroy(Boxed*);
struct Boxed : Cached<Boxed> {
  uint32_t refs = 0;
  virtual ~Boxed() = default;
  friend void retain(Boxed* b) { ++b->refs; }
  friend void release(Boxed* b) { if (--b->refs == 0) destroy(b); }
};
template <class T> struct Box final : Boxed {
  T value;
  explicit Box(T v) : value(std::move(v)) {}
};
using Floats = std::vector<double>;
using OptionalTensors = std::vector<Tensor>;           // undefined tensors stand for None

// One boxed argument, 16 bytes.
class Value {
 public:
  enum Tag : uint8_t { none, tensor, i64, f64, boolean, dtype, generator, first_box, tensors = first_box, ints, floats,
                       complex, string, steps, object };
  Tag tag = none;

  Value() : whole_(0) {}
  Value(std::nullopt_t) : whole_(0) {}
  Value(const Tensor& t) : tag(t ? tensor : none), body_(t.body()) { if (body_) retain(body_); }
  Value(Tensor&& t) : tag(t ? tensor : none), body_(t.ref().detach()) {}
  Value(int64_t v) : tag(i64), whole_(v) {}
  Value(int v) : tag(i64), whole_(v) {}
  Value(double v) : tag(f64), number_(v) {}
  Value(bool v) : tag(boolean), whole_(v) {}
  Value(DType d) : tag(dtype), whole_(static_cast<int64_t>(d)) {}
  Value(const Scalar& s);
  Value(const Dims& d) : Value(ints, new Box<Dims>(d)) {}
  Value(const Floats& d) : Value(floats, new Box<Floats>(d)) {}
  Value(const Tensors& t) : Value(tensors, new Box<Tensors>(t)) {}
  Value(math::Complex<double> c) : Value(complex, new Box<math::Complex<double>>(c)) {}
  Value(std::string s) : Value(string, new Box<std::string>(std::move(s))) {}
  Value(const char* s) : Value(std::string(s)) {}
  Value(Generator* g) : tag(g ? generator : none), generator_(g) { if (g) retain(g); }
  Value(Tag t, Boxed* b) : tag(t), box_(b) { retain(box_); }
  template <class T> Value(const std::optional<T>& o) : Value(o ? Value(*o) : Value()) {}
  Value(const Value& o) : tag(o.tag), whole_(o.whole_) { hold(); }
  Value(Value&& o) noexcept : tag(o.tag), whole_(o.whole_) { o.tag = none; }
  Value& operator=(Value o) noexcept {
    std::swap(tag, o.tag);
    std::swap(whole_, o.whole_);
    return *this;
  }
  ~Value() { if (tag == tensor) release(body_); else if (tag >= generator) [[unlikely]] let_go(); }

  explicit operator bool() const { return tag != none; }
  bool is_number() const { return tag == i64 || tag == f64 || tag == boolean || tag == complex; }
  Body* body() const { return body_; }
  const Tensor& as_tensor() const {
    static_assert(sizeof(Tensor) == sizeof(Body*));
    return reinterpret_cast<const Tensor&>(body_);
  }
  Scalar as_scalar() const;
  double as_double() const { return tag == f64 ? number_ : tag == complex ? unboxed<math::Complex<double>>().re : double(whole_); }
  int64_t as_int() const { return tag == f64 ? static_cast<int64_t>(number_) : whole_; }
  const Dims& as_ints() const { return unboxed<Dims>(); }
  Tensors& as_tensors() const { return unboxed<Tensors>(); }
  const std::string& as_string() const { return unboxed<std::string>(); }
  Generator* as_generator() const { return tag == generator ? generator_ : nullptr; }
  Boxed* box() const { return box_; }
  template <class T> T& unboxed() const { return static_cast<Box<T>*>(box_)->value; }

 private:
  union {
    Body* body_;
    int64_t whole_;
    double number_;
    Generator* generator_;
    Boxed* box_;
  };
  void hold() const {
    if (tag == tensor) retain(body_);
    else if (tag == generator) retain(generator_);
    else if (tag >= first_box) retain(box_);
  }
  void let_go() {
    if (tag == generator) release(generator_);
    else release(box_);
  }
};

// From a boxed argument to the C++ type an op's function takes.
template <class T> struct is_optional : std::false_type {};
template <class T> struct is_optional<std::optional<T>> : std::true_type {};
template <class T> T unbox(const Value& v) {
  if constexpr (is_optional<T>::value) return v.tag == Value::none ? T() : T(unbox<typename T::value_type>(v));
  else if constexpr (std::is_same_v<T, Value>) return v;
  else if constexpr (std::is_same_v<T, Tensor>) return v.tag == Value::tensor ? v.as_tensor() : Tensor();
  else if constexpr (std::is_same_v<T, Tensors>) return v.tag == Value::tensors ? v.as_tensors() : Tensors();
  else if constexpr (std::is_same_v<T, bool>) return v.as_int() != 0;
  else if constexpr (std::is_same_v<T, int64_t>) return v.as_int();
  else if constexpr (std::is_same_v<T, double>) return v.as_double();
  else if constexpr (std::is_same_v<T, Scalar>) return v.as_scalar();
  else if constexpr (std::is_same_v<T, Dims>) return v.tag == Value::ints ? v.as_ints() : v.tag == Value::i64 ? Dims{v.as_int()} : Dims();
  else if constexpr (std::is_same_v<T, Floats>) return v.tag == Value::floats ? v.unboxed<Floats>() : Floats();
  else if constexpr (std::is_same_v<T, DType>) return static_cast<DType>(v.as_int());
  else if constexpr (std::is_same_v<T, std::string>) return v.tag == Value::string ? v.as_string() : std::string();
  else if constexpr (std::is_same_v<T, Generator*>) return v.as_generator();
  else static_assert(sizeof(T) == 0, "unbox: no such argument type; see op/value.h");
}

// The arguments of one call: eight inline places, more on the heap.
class Args {
 public:
  static constexpr int inline_count = 8;
  Args() = default;
  template <class... A>
    requires(sizeof...(A) > 0 && (!std::is_same_v<std::remove_cvref_t<A>, Args> && ...))
  explicit Args(A&&... a) { (push(std::forward<A>(a)), ...); }
  Args(const Args& o) { for (const Value& v : o) push(v); }
  Args& operator=(const Args& o) {
    if (this == &o) return *this;
    clear();
    for (const Value& v : o) push(v);
    return *this;
  }
  ~Args() {
    clear();
    if (places_ != local()) ::operator delete(places_);
  }
  template <class A> void push(A&& a) {
    if (count_ == capacity_) [[unlikely]] grow();
    new (places_ + count_) Value(std::forward<A>(a));
    ++count_;
  }
  void clear() {
    for (int i = 0; i < count_; ++i) places_[i].~Value();
    count_ = 0;
  }
  int size() const { return count_; }
  Value& operator[](int i) { return places_[i]; }
  const Value& operator[](int i) const { return places_[i]; }
  Value* begin() { return places_; }
  Value* end() { return places_ + count_; }
  const Value* begin() const { return places_; }
  const Value* end() const { return places_ + count_; }

 private:
  alignas(Value) unsigned char raw_[sizeof(Value) * inline_count];
  Value* places_ = local();
  int count_ = 0, capacity_ = inline_count;

  Value* local() { return reinterpret_cast<Value*>(raw_); }
  void grow();
};

}  // namespace fb
