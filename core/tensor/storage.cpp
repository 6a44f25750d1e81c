#include "tensor/storage.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/error.h"

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace fb {
namespace {

struct Block { Block* next; };
constexpr int class_count = 256;
constexpr size_t most_cached = size_t(2) << 30;       // bytes kept warm at most; more goes back to the system

struct Cache {
  Block* head[class_count] = {};
  uint64_t allocated = 0, peak = 0, cached = 0, allocations = 0, hits = 0;
};
constinit Cache cache;

struct SizeClass { int index; size_t bytes; };
SizeClass size_class(size_t n) {
  if (n <= 1024) {
    const size_t c = n ? (n + 63) / 64 : 1;
    return {static_cast<int>(c), c * 64};
  }
  const int exponent = 63 - __builtin_clzll(n - 1);
  const size_t step = size_t(1) << (exponent - 2);
  const size_t rounded = (n + step - 1) & ~(step - 1);
  return {16 + (exponent - 10) * 4 + static_cast<int>((n - 1 - (size_t(1) << exponent)) / step) + 1, rounded};
}

// Lets the system take the memory of the whole pages in a range whose contents are of no use any more.
void give_back_pages(void* data, size_t bytes) {
#ifdef __linux__
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(data) + page - 1) / page * page;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(data) + bytes) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
#else
  static_cast<void>(data), static_cast<void>(bytes);
#endif
}

// Large blocks ask for large pages: streaming through them misses the TLB far less, and their first use faults 512
// times less often.
void* new_block(size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr size_t large_page = size_t(2) << 20;
  if (bytes >= large_page) {
    void* block = std::aligned_alloc(large_page, (bytes + large_page - 1) / large_page * large_page);
    if (block) madvise(block, bytes / large_page * large_page, MADV_HUGEPAGE);   // the rest would be rounded up
    return block;
  }
#endif
  return std::aligned_alloc(64, bytes);
}

}  // namespace

void* allocate(size_t n) {
  const SizeClass c = size_class(n);
  ++cache.allocations;
  cache.allocated += c.bytes;
  if (cache.allocated > cache.peak) cache.peak = cache.allocated;
  Block*& head = cache.head[c.index];
  if (head) [[likely]] {
    void* block = head;
    head = head->next;
    cache.cached -= c.bytes;
    ++cache.hits;
    return block;
  }
  void* block = new_block(c.bytes);
  if (!block) {
    trim_memory();
    block = new_block(c.bytes);
  }
  if (!block) {
    cache.allocated -= c.bytes;
    throw Error(text("not enough memory: you tried to allocate ", n, " bytes"));
  }
  return block;
}

void deallocate(void* p, size_t n) {
  const SizeClass c = size_class(n);
  cache.allocated -= c.bytes;
  if (cache.cached + c.bytes > most_cached) return std::free(p);
  auto* block = static_cast<Block*>(p);
  block->next = cache.head[c.index];
  cache.head[c.index] = block;
  cache.cached += c.bytes;
}

MemoryStats memory_stats() { return {cache.allocated, cache.peak, cache.cached, cache.allocations, cache.hits}; }
void reset_peak_memory() { cache.peak = cache.allocated; }

void trim_memory() {
  for (Block*& head : cache.head) {
    while (head) {
      Block* next = head->next;
      std::free(head);
      head = next;
    }
  }
  cache.cached = 0;
}

Ref<Storage> Storage::make(size_t bytes) {
  static_assert(sizeof(Storage) <= 2 * header);
  constexpr size_t lead = (sizeof(Storage) + header - 1) / header * header;
  check(bytes < (size_t(1) << 47), "invalid size: ", bytes, " bytes are more than a process can address");
  auto* s = new (allocate(bytes + lead)) Storage;
  s->data_ = reinterpret_cast<char*>(s) + lead;
  s->bytes_ = bytes;
  s->block_bytes_ = bytes + lead;
  return Ref<Storage>::adopt(s);
}

Ref<Storage> Storage::foreign(void* data, size_t bytes, void (*let_go)(void*), void* context, bool writable) {
  auto* s = new (allocate(sizeof(Storage))) Storage;
  s->data_ = data;
  s->bytes_ = bytes;
  s->block_bytes_ = sizeof(Storage);
  s->let_go_ = let_go;
  s->context_ = context;
  s->writable_ = writable;
  return Ref<Storage>::adopt(s);
}

void Storage::resize(size_t bytes) {
  check(owns_bytes(), "resize_: this storage has no memory of its own that could grow");
  void* larger = allocate(bytes);
  memcpy(larger, data_, std::min(bytes, bytes_));
  if (resized_) deallocate(resized_, resized_bytes_);
  resized_ = data_ = larger;
  resized_bytes_ = bytes_ = bytes;
}

void Storage::move_into(void* data, void (*let_go)(void*), void* context) {
  memcpy(data, data_, bytes_);
  if (let_go_) let_go_(context_);
  else if (!resized_) give_back_pages(data_, bytes_);   // the block must stay, it begins with this header
  if (resized_) deallocate(resized_, resized_bytes_);
  resized_ = nullptr;
  data_ = data;
  let_go_ = let_go;
  context_ = context;
  writable_ = true;
}

void Storage::destroy(Storage* s) {
  if (s->let_go_) s->let_go_(s->context_);
  if (s->resized_) deallocate(s->resized_, s->resized_bytes_);
  deallocate(s, s->block_bytes_);
}

}  // namespace fb
