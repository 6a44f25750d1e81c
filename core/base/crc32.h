#pragma once
#include <cstddef>
#include <cstdint>

namespace fb {

// The checksum of zip archives (polynomial 0x04C11DB7, bits reflected) of `bytes` at `data`.
uint32_t crc32(const void* data, size_t bytes);

}  // namespace fb
