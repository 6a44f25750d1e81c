#pragma once
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace fb {

// A vector with N inline places.
template <class T, int N> class Small {
 public:
  Small() = default;
  Small(const Small&) = delete;
  Small& operator=(const Small&) = delete;
  ~Small() {
    clear();
    if (places_ != local()) ::operator delete(places_);
  }
  void clear() {
    for (uint32_t i = count_; i-- > 0;) places_[i].~T();
    count_ = 0;
  }
  template <class... A> T& emplace(A&&... a) {
    if (count_ == capacity_) grow();
    return *new (places_ + count_++) T(std::forward<A>(a)...);
  }
  T& operator[](size_t i) { return places_[i]; }
  const T& operator[](size_t i) const { return places_[i]; }
  T& back() { return places_[count_ - 1]; }
  int size() const { return static_cast<int>(count_); }
  bool empty() const { return count_ == 0; }
  T* begin() { return places_; }
  T* end() { return places_ + count_; }
  const T* begin() const { return places_; }
  const T* end() const { return places_ + count_; }

 private:
  alignas(T) unsigned char raw_[sizeof(T) * N];
  T* places_ = local();
  uint32_t count_ = 0, capacity_ = N;

  T* local() { return reinterpret_cast<T*>(raw_); }
  void grow() {                                        // every place is taken
    const uint32_t taken = capacity_;
    T* larger = static_cast<T*>(::operator new(sizeof(T) * taken * 2));
    for (uint32_t i = 0; i < taken; ++i) {
      new (larger + i) T(std::move(places_[i]));
      places_[i].~T();
    }
    if (places_ != local()) ::operator delete(places_);
    places_ = larger;
    capacity_ = taken * 2;
  }
};

}  // namespace fb
