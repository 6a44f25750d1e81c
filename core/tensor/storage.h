#pragma once
#include <cstddef>
#include <cstdint>

#include "base/ref.h"

namespace fb {

// ---- the caching allocator: freed blocks stay warm in size classes, four per power of two
void* allocate(size_t bytes);                         // 64-byte aligned; throws Error when memory is exhausted
void deallocate(void* block, size_t bytes);           // `bytes` as given to allocate()

struct MemoryStats {
  uint64_t allocated_bytes, peak_bytes, cached_bytes, allocations, cache_hits;
};
MemoryStats memory_stats();
void reset_peak_memory();
void trim_memory();                                   // gives every cached block back to the system

// A mixin: class-specific new and delete through the cache.
template <class T> struct Cached {
  static void* operator new(size_t bytes) { return allocate(bytes); }
  static void* operator new(size_t, void* place) { return place; }
  static void operator delete(void* block, size_t bytes) { deallocate(block, bytes); }
};

// The bytes behind one or more tensors. Owned bytes follow the header in the same block; foreign bytes
// (NumPy, DLPack, a mapped file) come with a function that lets go of them.
class Storage {
 public:
  static Ref<Storage> make(size_t bytes);
  static Ref<Storage> foreign(void* data, size_t bytes, void (*let_go)(void*), void* context, bool writable = true);

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  bool owns_bytes() const { return !let_go_; }
  bool writable() const { return writable_; }
  uint32_t references() const { return refs_; }
  void resize(size_t bytes);                          // keeps the leading bytes; foreign storages refuse
  // Goes on in foreign memory of the same size; the bytes are copied there.
  void move_into(void* data, void (*let_go)(void*), void* context);

  uint32_t version = 0;                               // in-place writes so far, shared by all aliases

  friend void retain(Storage* s) { ++s->refs_; }
  friend void release(Storage* s) { if (--s->refs_ == 0) destroy(s); }

 private:
  static constexpr size_t header = 64;
  static void destroy(Storage* s);

  uint32_t refs_ = 1;
  bool writable_ = true;
  void* data_ = nullptr;
  size_t bytes_ = 0, block_bytes_ = 0;                // block_bytes_: what the header's block was asked for
  void* resized_ = nullptr;                           // a block of its own, after resize()
  size_t resized_bytes_ = 0;
  void (*let_go_)(void*) = nullptr;
  void* context_ = nullptr;
};

}  // namespace fb
