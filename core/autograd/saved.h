#pragma once
#include "autograd/node.h"

// Saved-tensor hooks: what a node keeps for backward is handed to a pair of functions, one that packs it away and
// one that brings it back.
namespace fb {

// What stands for a saved tensor that a hook took.
struct Packed {
  uint32_t refs = 0;
  virtual ~Packed() = default;
  virtual Tensor unpack() = 0;
};
inline void retain(Packed* p) { ++p->refs; }
inline void release(Packed* p) { if (--p->refs == 0) delete p; }

struct SavedHooks {
  virtual ~SavedHooks() = default;
  virtual Ref<Packed> pack(const Tensor& t) = 0;
};

// A saved tensor in the keeping of hooks: parameter `param` of the op (element `element` of a list), or output `out`.
struct PackedSlot {
  Ref<Packed> packed;
  Dims shape;
  DType dtype;
  int16_t param = -1, element = -1, out = -1;
};
struct PackedTensors { std::vector<PackedSlot> slots; };

// Asks the innermost hooks; the tensor they return must have the shape and dtype of the one they took.
PackedSlot pack_saved(const Tensor& t);
Tensor unpack_saved(const PackedSlot& slot);
// `value` with the history that `edge` stands for.
Tensor tied(const Tensor& value, const Edge& edge);

}  // namespace fb
