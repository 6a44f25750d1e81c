#pragma once
#include <utility>

namespace fb {

// Intrusive reference. retain(T*) and release(T*) are found by argument-dependent lookup. Counts are not
// atomic: handles are copied only while holding the interpreter's lock.
template <class T> class Ref {
 public:
  Ref() = default;
  Ref(T* p) : p_(p) { if (p_) retain(p_); }
  Ref(const Ref& o) : p_(o.p_) { if (p_) retain(p_); }
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  ~Ref() { if (p_) release(p_); }
  Ref& operator=(Ref o) noexcept { std::swap(p_, o.p_); return *this; }
  static Ref adopt(T* p) {
    Ref r;
    r.p_ = p;
    return r;
  }
  T* detach() { return std::exchange(p_, nullptr); }
  T* get() const { return p_; }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  explicit operator bool() const { return p_; }
  bool operator==(const Ref& o) const { return p_ == o.p_; }

 private:
  T* p_ = nullptr;
};

// Sets a place for the life of a scope.
template <class T> class Scoped {
 public:
  Scoped(T& place, T value) : place_(place), old_(std::exchange(place, std::move(value))) {}
  ~Scoped() { place_ = std::move(old_); }
  Scoped(const Scoped&) = delete;

 private:
  T& place_;
  T old_;
};
template <class T, class V> Scoped(T&, V) -> Scoped<T>;

}  // namespace fb
