#include "autograd/modes.h"
#include "autograd/saved.h"
#include "func/interceptor.h"
#include "op/call.h"
#include "ops.h"

namespace fb {

std::string (*capture_origin)() = nullptr;
bool anomaly_checks_nan = true;

// Nodes and view steps that die while another is being destroyed wait their turn, so that a graph of any depth
// is freed by a loop.
namespace {
struct Dying {
  bool busy = false;
  std::vector<Node*>* nodes = nullptr;
  std::vector<ViewStep*>* steps = nullptr;
};
thread_local constinit Dying dying;

void bury() {
  dying.busy = true;
  for (;;) {
    if (!dying.nodes->empty()) {
      Node* n = dying.nodes->back();
      dying.nodes->pop_back();
      delete n;
    } else if (!dying.steps->empty()) {
      ViewStep* s = dying.steps->back();
      dying.steps->pop_back();
      delete s;
    } else break;
  }
  dying.busy = false;
}
void prepare() {
  if (dying.nodes) return;
  dying.nodes = new std::vector<Node*>;
  dying.steps = new std::vector<ViewStep*>;
}
}  // namespace

void retain(Hook* h) { ++h->refs; }
void release(Hook* h) { if (--h->refs == 0) delete h; }

void retain(Node* n) { ++n->refs; }
void release(Node* n) {
  if (--n->refs) return;
  prepare();
  dying.nodes->push_back(n);
  if (!dying.busy) bury();
}
void retain(ViewStep* s) { ++s->refs; }
void release(ViewStep* s) {
  if (--s->refs) return;
  prepare();
  dying.steps->push_back(s);
  if (!dying.busy) bury();
}

uint64_t next_sequence() {
  static thread_local uint64_t sequence = 0;
  return ++sequence;
}

Edge edge_of(const Tensor& t) {
  if (!requires_grad(t.body())) return {};
  if (t->node) return Edge{t->node, {}, t->out_nr, 0, t.dtype()};
  return Edge{{}, t, 0, 0, t.dtype()};
}

static bool needs_record(const Args& args) {
  for (const Value& v : args) {
    if (v.tag == Value::tensor) {
      if (requires_grad(v.body())) return true;
    } else if (v.tag == Value::tensors) {
      for (const Tensor& t : v.as_tensors()) if (t && requires_grad(t.body())) return true;
    }
  }
  return false;
}

static uint32_t version_of(const Tensor& t) { return t && t->storage ? t->version() : 0; }
static uint32_t versions_of(const Value& v) {          // versions only grow, so one sum stands for a whole list
  if (v.tag == Value::tensor) return version_of(v.as_tensor());
  uint32_t sum = 0;
  if (v.tag == Value::tensors) for (const Tensor& t : v.as_tensors()) sum += version_of(t);
  return sum;
}

static void add_edges(OpNode& n, const Args& args, uint32_t& saves) {
  const Op& op = *n.op;
  const bool decomposed = op.kind == Kind::fused && !op.vjp[0].function && !op.joint_vjp;
  for (int i = 0; i < args.size(); ++i) {
    const VjpRow& rule = op.vjp[i];
    if (args[i].tag != Value::tensor && args[i].tag != Value::tensors) continue;
    if (!rule.function && !(decomposed && op.schema.params[i].holds_tensors())) continue;
    bool needed = false;
    if (args[i].tag == Value::tensor) {
      if (Edge e = edge_of(args[i].as_tensor())) {
        e.param = static_cast<uint8_t>(i);
        n.edges.emplace(std::move(e));
        needed = true;
      }
    } else {
      for (const Tensor& t : args[i].as_tensors()) needed |= t && requires_grad(t.body());
      if (needed) for (const Tensor& t : args[i].as_tensors()) {
        Edge e = t ? edge_of(t) : Edge{};
        e.param = static_cast<uint8_t>(i);
        if (t) e.dtype = t.dtype();
        n.edges.emplace(std::move(e));
      }
      if (needed && rule.list_shapes) for (const Tensor& t : args[i].as_tensors()) n.list_shapes.emplace(t.shape());
    }
    if (needed) saves |= decomposed ? ~0u : rule.saves_in;
  }
}

static void check_savable(const Op& op, const Value& v) {
  auto check_one = [&](Body* b) {
    check<GradError>(!b->inference(), op.name, ": backward would need a tensor made in inference "
                     "mode; pass its clone(), or make it under torch.no_grad() instead");
  };
  if (v.tag == Value::tensor) check_one(v.body());
  else for (const Tensor& t : v.as_tensors()) if (t) check_one(t.body());
}

Ref<OpNode> begin_record(const Op& op, const Args& args, Form form) {
  if (!needs_record(args)) return {};
  Ref<OpNode> n(new OpNode(op));
  n->sequence = next_sequence();
  uint32_t saves = 0;
  add_edges(*n, args, saves);
  if (n->edges.empty()) return {};
  if (form == Form::in_place) check_in_place(op.name, args[0].as_tensor());
  check(form != Form::out, op.name, ": a result written to out= has no gradient, but an argument "
        "requires grad; leave out= away, or call it under torch.no_grad()");
  for (int i = 0; i < args.size(); ++i) {
    const bool holds = args[i].tag == Value::tensor || args[i].tag == Value::tensors;
    if (!holds) n->saved.push(args[i]);
    else if (!(saves >> i & 1)) n->saved.push(Value());
    else if (form == Form::in_place && i == 0) {       // its value is about to be overwritten
      GradOn on;
      Scoped python(mode.for_python, false);
      n->saved.push(clone(args[0].as_tensor()));
      n->saved_any = true;
    } else {
      check_savable(op, args[i]);
      n->saved.push(args[i]);
      n->saved_any = true;
    }
    n->versions.emplace(versions_of(n->saved[i]));
  }
  return n;
}

// A detached alias: a node must not own its own output.
static Tensor output_alias(const Tensor& out) {
  Scoped python(mode.for_python, false);
  return detached(out);
}

static void keep_shapes(OpNode& n, const Args& args) {
  n.shapes = std::make_unique<Dims[]>(args.size());
  for (int i = 0; i < args.size(); ++i) if (args[i].tag == Value::tensor) n.shapes[i] = args[i].as_tensor().shape();
}

void finish_record(const Op& op, Ref<OpNode> n, const Args& args, Tensor* out, Form form) {
  bool shapes = false, types = false;
  uint8_t save_out = 0;
  for (const Edge& e : n->edges) {
    const VjpRow& rule = op.vjp[e.param];
    shapes |= rule.shapes;
    types |= rule.types;
    save_out |= rule.saves_out;
    const bool tensor = args[e.param].tag == Value::tensor;
    if (op.kind == Kind::elementwise && tensor) shapes |= !(args[e.param].as_tensor().shape() == out[0].shape());
    if (op.kind == Kind::bilinear) shapes = true;
  }
  if (shapes) keep_shapes(*n, args);
  if (types) {
    n->types = std::make_unique<DType[]>(args.size());
    for (int i = 0; i < args.size(); ++i) if (args[i].tag == Value::tensor) n->types[i] = args[i].as_tensor().dtype();
  }
  n->grad_name = !mode.grad_name.empty() ? mode.grad_name : op.grad_name_of ? op.grad_name_of(args, out) : op.grad_name;
  if (capture_origin) n->origin = std::make_unique<std::string>(capture_origin());
  const int outputs = op.schema.output_count;
  if (form == Form::functional) {
    for (int k = 0; k < outputs; ++k) {
      const bool constant = !out[k] || !is_differentiable(out[k].dtype()) || (op.constant_outputs >> k & 1);
      if (outputs > 1) n->outputs.push_back({out[k] ? out[k].shape() : Dims(), constant ? DType::i64 : out[k].dtype()});
      if (constant) continue;
      out[k]->node = Ref<Node>(n.get());
      out[k]->requires_grad = true;
      out[k]->out_nr = static_cast<uint16_t>(k);
    }
  } else rebase_history(out[0].body(), Ref<Node>(n.get()));
  for (int k = 0; k < outputs; ++k) if (save_out >> k & 1) {
    n->saved_any = true;
    n->out[k] = output_alias(out[k]);
    n->out_versions[k] = version_of(out[k]);
  }
  if (mode.saved_hooks && n->saved_any) [[unlikely]] {
    try {
      n->pack();
    } catch (...) {                                    // a written tensor may hold the node already: it must not run
      n->drop_saved();
      n->freed = true;
      throw;
    }
  }
}

void OpNode::drop_saved() {
  saved.clear();
  for (Tensor& t : out) t = Tensor();
  packed.reset();
  shapes.reset();
}

void OpNode::check_versions() const {
  for (int i = 0; i < saved.size(); ++i) {
    const uint32_t now = versions_of(saved[i]);
    if (now == versions[i]) [[likely]] continue;
    const bool list = saved[i].tag == Value::tensors;
    const Tensor& first = list ? saved[i].as_tensors().front() : saved[i].as_tensor();
    check<VersionError>(false, grad_name, " needs a value that was modified by an inplace operation: input '",
                        op->schema.params[i].name, "', [", first ? name_of(first.dtype()) : std::string_view(
                        "list"), list ? " tensors " : " tensor ", first ? first.shape() : Dims(), "], is at "
                        "version ", now, ", it was saved at version ", versions[i], ". Use the out-of-place "
                        "form of the operation that changed it, or clone() it first.");
  }
  for (int k = 0; k < Schema::max_outputs; ++k) if (out[k]) {
    const uint32_t now = version_of(out[k]);
    check<VersionError>(now == out_versions[k], grad_name, " needs a value that was modified by an inplace "
                        "operation: its output ", k, ", [", name_of(out[k].dtype()), " tensor ",
                        out[k].shape(), "], is at version ", now, ", it was saved at version ",
                        out_versions[k], ". Use the out-of-place form of the operation that changed it, or "
                        "clone() it first.");
  }
}

Tensor OpNode::output_value(const Tensor& value, int k, bool create_graph) {
  if (!value || !create_graph) return value;
  Tensor t = detached(value);                          // the output again, this time with its history
  t->node = Ref<Node>(this);
  t->requires_grad = true;
  t->out_nr = static_cast<uint16_t>(k);
  return t;
}

void OpNode::fit(Tensor& grad, const Edge& edge) const {
  const bool broadcasts = op->kind == Kind::elementwise || op->kind == Kind::bilinear;
  if (broadcasts && shapes && saved[edge.param].tag != Value::tensors && !(grad.shape() == shapes[edge.param]))
    grad = sum_to_shape(grad, shapes[edge.param]);
  if (grad.dtype() == edge.dtype) return;
  if (is_complex(grad.dtype()) && !is_complex(edge.dtype)) grad = real_part(grad);
  if (grad.dtype() != edge.dtype) grad = to_dtype(grad, edge.dtype);
}

void OpNode::run(Tensor* grads_out, Small<Tensor, 4>& grads_in, bool create_graph) {
  check_versions();
  for (int k = 0; k < edges.size(); ++k) grads_in.emplace();
  if (!op->absent_grads) for (size_t k = 0; k < outputs.size(); ++k)
    if (!grads_out[k] && is_differentiable(outputs[k].dtype)) grads_out[k] = full(outputs[k].shape, Scalar(0.0), outputs[k].dtype);
  Tensor values[Schema::max_outputs];
  for (int k = 0; k < Schema::max_outputs; ++k) values[k] = out[k];
  Args unpacked;
  const std::shared_ptr<const PackedTensors> taken = packed;   // a hook may free the graph
  if (taken) [[unlikely]] {
    unpacked = saved;
    unpack(*taken, unpacked, values, create_graph);
  }
  const Args& inputs = taken ? unpacked : saved;
  if (op->kind == Kind::fused && !op->vjp[0].function && !op->joint_vjp) return run_decomposed(inputs, grads_out, grads_in, create_graph);

  for (int k = 0; k < Schema::max_outputs; ++k) values[k] = output_value(values[k], k, create_graph);
  uint32_t needs = 0;
  for (const Edge& e : edges) if (e) needs |= 1u << e.param;
  DType grad_dtype = default_dtype();
  for (int k = 0; k < output_count(); ++k) if (grads_out[k]) { grad_dtype = grads_out[k].dtype(); break; }
  const Recorded c{*op, inputs, values, shapes.get(), types.get(), &list_shapes, grad_dtype, needs};
  if (op->joint_vjp) {
    Tensor by_param[Schema::max_params];
    op->vjp[edges[0].param].function(grads_out, c, by_param);
    int position = 0;                                  // vjp_all answers by tensor parameter, in schema order
    for (int i = 0; i < op->schema.count; ++i) {
      if (!op->schema.params[i].holds_tensors()) continue;
      for (int k = 0; k < edges.size(); ++k) if (edges[k].param == i) grads_in[k] = by_param[position];
      ++position;
    }
  } else {
    for (int k = 0; k < edges.size(); ++k) {           // a tensor list: one call fills all its edges
      if (k && edges[k - 1].param == edges[k].param) continue;
      op->vjp[edges[k].param].function(grads_out, c, &grads_in[k]);
    }
  }
  for (int k = 0; k < edges.size(); ++k) if (grads_in[k] && edges[k]) fit(grads_in[k], edges[k]);
}

}  // namespace fb
