#include "autograd/saved.h"

#include "autograd/modes.h"
#include "ops.h"

namespace fb {

PackedSlot pack_saved(const Tensor& t) {
  GradOff off;
  Scoped python(mode.for_python, false);
  const uint32_t version = t->version();
  PackedSlot slot{mode.saved_hooks->pack(t), t.shape(), t.dtype()};
  check(t->version() == version, "saved_tensors_hooks: pack_hook changed its argument, of shape ", t.shape(),
        ", in place; it is in use elsewhere, so pack a copy");
  return slot;
}

Tensor unpack_saved(const PackedSlot& slot) {
  GradOff off;
  Scoped python(mode.for_python, false);
  const Tensor t = slot.packed->unpack();
  check<ShapeError>(t.shape() == slot.shape, "Output of saved tensor unpack_hook has shape ", t.shape(), ", but the packed tensor had ", slot.shape);
  check<DTypeError>(t.dtype() == slot.dtype, "Output of saved tensor unpack_hook is ", name_of(t.dtype()), ", but the packed tensor was ", name_of(slot.dtype));
  return t;
}

Tensor tied(const Tensor& value, const Edge& edge) {
  Tensor t = detached(value);
  t->requires_grad = true;
  if (edge.node) {
    t->node = edge.node;
    t->out_nr = edge.out_nr;
    return t;
  }
  Ref<OpNode> n(new OpNode(*op_row<Alias>));           // passes the gradient on to the leaf
  n->sequence = next_sequence();
  n->grad_name = n->op->grad_name;
  Edge to = edge;
  to.param = 0;
  n->edges.emplace(std::move(to));
  n->saved.push(Value());
  n->versions.emplace(0u);
  t->node = Ref<Node>(n.get());
  return t;
}

// Replaces what the node saved by what the hooks make of it.
void OpNode::pack() {
  auto all = std::make_shared<PackedTensors>();
  for (int i = 0; i < saved.size(); ++i) {
    if (saved[i].tag == Value::tensor) {
      PackedSlot slot = pack_saved(saved[i].as_tensor());
      slot.param = static_cast<int16_t>(i);
      all->slots.push_back(std::move(slot));
      saved[i] = Value();
    } else if (saved[i].tag == Value::tensors) {
      Tensors rest(saved[i].as_tensors().size());
      for (size_t k = 0; k < rest.size(); ++k) {
        const Tensor& t = saved[i].as_tensors()[k];
        if (!t) continue;
        PackedSlot slot = pack_saved(t);
        slot.param = static_cast<int16_t>(i);
        slot.element = static_cast<int16_t>(k);
        all->slots.push_back(std::move(slot));
      }
      saved[i] = Value(rest);
    } else continue;
    versions[i] = 0;
  }
  for (int k = 0; k < Schema::max_outputs; ++k) if (out[k]) {
    Tensor shown = detached(out[k]);                   // with its history the node would own itself
    shown->requires_grad = true;
    PackedSlot slot = pack_saved(shown);
    slot.out = static_cast<int16_t>(k);
    all->slots.push_back(std::move(slot));
    out[k] = Tensor();
  }
  if (!all->slots.empty()) packed = std::move(all);
}

static const Edge* edge_for(const OpNode& n, const PackedSlot& slot) {
  int element = 0;
  for (const Edge& e : n.edges) {
    if (e.param != slot.param) continue;
    if (slot.element < 0 || element++ == slot.element) return e ? &e : nullptr;
  }
  return nullptr;
}

void OpNode::unpack(const PackedTensors& all, Args& inputs, Tensor* outputs, bool create_graph) const {
  for (const PackedSlot& slot : all.slots) {
    Tensor t = unpack_saved(slot);
    if (slot.out >= 0) {
      outputs[slot.out] = t;
      continue;
    }
    if (const Edge* e = create_graph ? edge_for(*this, slot) : nullptr) t = tied(t, *e);
    if (slot.element < 0) {
      inputs[slot.param] = Value(t);
      continue;
    }
    Tensors list = inputs[slot.param].as_tensors();
    list[slot.element] = t;
    inputs[slot.param] = Value(list);
  }
}

}  // namespace fb
