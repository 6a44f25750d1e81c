#pragma once
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <utility>

#include "base/error.h"

namespace fb {

// A list of sizes, strides or dims: five inline places, more on the heap.
class Dims {
 public:
  static constexpr int inline_count = 5;
  static constexpr int max_count = 64;

  Dims() = default;
  Dims(std::initializer_list<int64_t> list) { for (int64_t v : list) push(v); }
  Dims(const Dims& o) { copy_from(o); }
  Dims(Dims&& o) noexcept { steal(o); }
  Dims& operator=(const Dims& o) {
    if (this != &o) { drop(); copy_from(o); }
    return *this;
  }
  Dims& operator=(Dims&& o) noexcept {
    if (this != &o) { drop(); steal(o); }
    return *this;
  }
  ~Dims() { drop(); }

  static Dims filled(int count, int64_t value) {
    Dims d;
    for (int i = 0; i < count; ++i) d.push(value);
    return d;
  }

  int size() const { return count_; }
  bool empty() const { return count_ == 0; }
  int64_t* begin() { return capacity_ ? places_.heap : places_.local; }
  int64_t* end() { return begin() + count_; }
  const int64_t* begin() const { return capacity_ ? places_.heap : places_.local; }
  const int64_t* end() const { return begin() + count_; }
  int64_t& operator[](int i) { return begin()[i]; }
  int64_t operator[](int i) const { return begin()[i]; }
  int64_t back() const { return begin()[count_ - 1]; }

  void push(int64_t v) {
    if (count_ == (capacity_ ? capacity_ : inline_count)) [[unlikely]] grow();
    begin()[count_++] = v;
  }
  void resize(int count) {
    while (count_ < count) push(0);
    count_ = static_cast<uint8_t>(count);
  }
  bool contains(int64_t v) const {
    for (int64_t x : *this) if (x == v) return true;
    return false;
  }
  bool operator==(const Dims& o) const {
    if (count_ != o.count_) return false;
    const int64_t *a = begin(), *b = o.begin();
    for (int i = 0; i < count_; ++i) if (a[i] != b[i]) return false;
    return true;
  }
  Dims inserted(int at, int64_t v) const {
    Dims r;
    for (int i = 0; i <= count_; ++i) {
      if (i == at) r.push(v);
      if (i < count_) r.push((*this)[i]);
    }
    return r;
  }
  Dims erased(int at) const {
    Dims r;
    for (int i = 0; i < count_; ++i) if (i != at) r.push((*this)[i]);
    return r;
  }
  int64_t product() const {
    int64_t p = 1;
    for (int64_t v : *this) p *= v;
    return p;
  }
  std::string str() const {                          // (2, 3), and (4,) as Python prints a tuple
    std::string s = "(";
    for (int i = 0; i < count_; ++i) s += (i ? ", " : "") + std::to_string((*this)[i]);
    return s + (count_ == 1 ? ",)" : ")");
  }
  std::string list() const {                         // [2, 3]
    std::string s = "[";
    for (int i = 0; i < count_; ++i) s += (i ? ", " : "") + std::to_string((*this)[i]);
    return s + "]";
  }

 private:
  union { int64_t local[inline_count]; int64_t* heap; } places_ = {};
  uint8_t count_ = 0, capacity_ = 0;                 // capacity 0: the inline places are in use

  void copy_from(const Dims& o) {
    if (!o.capacity_) [[likely]] {                   // a fixed-size copy; a loop over count_ becomes `rep movs`
      places_ = o.places_;
      count_ = o.count_;
      capacity_ = 0;
      return;
    }
    capacity_ = o.capacity_;
    count_ = o.count_;
    places_.heap = new int64_t[capacity_];
    memcpy(places_.heap, o.places_.heap, sizeof(int64_t) * count_);
  }
  void steal(Dims& o) noexcept {
    places_ = o.places_;
    count_ = o.count_;
    capacity_ = std::exchange(o.capacity_, uint8_t(0));
    o.count_ = 0;
  }
  void drop() { if (capacity_) [[unlikely]] { delete[] places_.heap; capacity_ = 0; } }
  void grow() {
    check<ShapeError>(count_ < max_count, "a tensor may have at most ", max_count, " dimensions");
    const int larger = capacity_ ? max_count : 16;
    auto* heap = new int64_t[larger];
    memcpy(heap, begin(), sizeof(int64_t) * count_);
    drop();
    places_.heap = heap;
    capacity_ = static_cast<uint8_t>(larger);
  }
};

inline void check_sizes(const Dims& sizes) {
  for (int64_t n : sizes) check(n >= 0, "a size must not be negative; got ", n, " in ", sizes.list());
}

// A dim counted from the end becomes one counted from the front; a 0-d tensor takes 0 and -1.
inline int wrap_dim(int64_t dim, int count) {
  const int64_t range = count ? count : 1;
  check<IndexError>(dim >= -range && dim < range, "dim ", dim, " is out of range in a tensor of ", count,
                    " dims; it may lie from ", -range, " to ", range - 1);
  return static_cast<int>(dim < 0 ? dim + range : dim);
}

}  // namespace fb
