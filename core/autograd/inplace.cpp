#include "autograd/modes.h"
#include "autograd/node.h"
#include "op/call.h"
#include "ops.h"

namespace fb {

// Every view made in grad mode keeps its root and the steps from it. A write to a view gives the *root* an
// `overwrite` node; every view then sees that the root's history moved and rebuilds its own node by replaying.

ViewStep* steps_of(const Value& v) { return static_cast<StepsBox*>(v.box())->steps.get(); }

Tensor replay(ViewStep* last, const Tensor& root) {
  Small<ViewStep*, 8> chain;
  for (ViewStep* s = last; s; s = s->before.get()) chain.emplace(s);
  Tensor t = root;
  for (int i = chain.size(); i-- > 0;) {
    Args args(t);
    for (const Value& v : chain[i]->rest) args.push(v);
    Tensor out[Schema::max_outputs];
    call(*chain[i]->op, args, out);
    t = std::move(out[0]);
  }
  return t;
}

static void refresh(Body* b) {
  ViewInfo* v = b->view();
  if (v->seen == v->root->history) return;
  GradOn on;
  Scoped python(mode.for_python, false);
  const Tensor fresh = replay(v->steps.get(), v->root);
  if (b->extra->retains_grad && b->node) b->node->forget_retained(b);
  b->node = fresh->node;
  b->out_nr = fresh->out_nr;
  b->requires_grad = fresh->requires_grad;
  v->seen = v->root->history;
  if (b->extra->retains_grad && b->node) b->node->more().retained.push_back({b->out_nr, b});
}

bool requires_grad(Body* b) {
  if (b->extra && b->extra->view) [[unlikely]] refresh(b);
  return b->requires_grad;
}

Ref<Node>& grad_node(Body* b) {
  requires_grad(b);
  return b->node;
}

void remember_view(const Op& op, const Args& args, Tensor* out) {
  const Tensor& x = args[0].as_tensor();
  auto* step = new ViewStep;
  step->op = &op;
  for (int i = 1; i < args.size(); ++i) step->rest.push(args[i]);
  auto* info = new ViewInfo;
  info->steps = Ref<ViewStep>(step);
  if (ViewInfo* of = x->view()) {
    info->root = of->root;
    step->before = of->steps;
  } else info->root = x;
  info->seen = info->root->history;
  out[0]->more().view = info;
}

void check_in_place(std::string_view op, const Tensor& self) {
  const bool leaf = requires_grad(self.body()) && !self->node;
  check<GradError>(!leaf || self->view(), op, ": a leaf tensor that requires grad, here of shape ",
                   self.shape(), ", cannot be changed in place; write under torch.no_grad(), or to a copy");
  if (ViewInfo* v = self->view()) {
    const bool root_leaf = requires_grad(v->root.body()) && !v->root->node;
    check<GradError>(!root_leaf, op, "_: the target of shape ", self.shape(), " is a view of a leaf that "
                     "requires grad and cannot be changed in place; write under torch.no_grad(), or to a "
                     "copy");
  }
}

static void move_history(Body* b, Ref<Node> node, uint16_t out_nr) {
  const bool retains = b->extra && b->extra->retains_grad;
  if (retains && b->node) b->node->forget_retained(b);
  b->node = std::move(node);
  b->out_nr = out_nr;
  b->requires_grad = true;
  ++b->history;
  if (retains) b->node->more().retained.push_back({out_nr, b});
}

void rebase_history(Body* self, Ref<Node> node, uint16_t out_nr) {
  ViewInfo* v = self->view();
  if (!v) return move_history(self, std::move(node), out_nr);
  Ref<OpNode> o(new OpNode(*op_row<Overwrite>));
  o->sequence = next_sequence();
  o->grad_name = "CopySlices";
  if (Edge e = edge_of(v->root)) o->edges.emplace(std::move(e));
  o->edges.emplace(Edge{std::move(node), {}, out_nr, 1, self->dtype});
  o->saved.push(Value());
  o->saved.push(Value());
  o->saved.push(Value(Value::steps, new StepsBox(v->steps)));
  for (int i = 0; i < 3; ++i) o->versions.emplace(0u);
  move_history(v->root.body(), Ref<Node>(o.get()), 0);
}

void Node::forget_retained(Body* b) {
  if (!hooks) return;
  auto& list = hooks->retained;
  for (size_t i = 0; i < list.size(); ++i) if (list[i].second == b) {
    list.erase(list.begin() + static_cast<long>(i));
    return;
  }
}

}  // namespace fb
