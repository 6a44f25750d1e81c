#include "autograd/engine.h"

#include <algorithm>

#include "autograd/modes.h"
#include "func/interceptor.h"
#include "op/call.h"
#include "ops.h"

namespace fb {
namespace {

// What one run knows about a node or a leaf. Nothing is kept in the nodes, so that engines can run at once.
struct State {
  Node* node = nullptr;
  Body* leaf = nullptr;
  int waiting = 0;                                     // gradients still to come
  bool owned[Schema::max_outputs] = {};                // the buffer was made here and may be added to in place
  bool needed = true;
  Tensor grads[Schema::max_outputs];
  std::unique_ptr<Tensors> more_grads;                 // of a node with more outputs than that (Python functions)

  Tensor& grad(int k) {
    if (k < Schema::max_outputs) return grads[k];
    if (!more_grads) more_grads = std::make_unique<Tensors>(node->output_count());
    return (*more_grads)[k];
  }
};

// Pointer → state, by open addressing.
class States {
 public:
  States() : slots_(64, -1) { all_.reserve(16); }
  int find(const void* key) const {
    for (size_t h = hash(key) & mask_;; h = (h + 1) & mask_) {
      if (slots_[h] < 0) return -1;
      if (key_of(all_[slots_[h]]) == key) return slots_[h];
    }
  }
  int get(Node* n, Body* leaf, bool& fresh) {
    const void* key = n ? static_cast<const void*>(n) : leaf;
    size_t h = hash(key) & mask_;
    for (; slots_[h] >= 0; h = (h + 1) & mask_) if (key_of(all_[slots_[h]]) == key) {
      fresh = false;
      return slots_[h];
    }
    fresh = true;
    slots_[h] = static_cast<int>(all_.size());
    State s;
    s.node = n;
    s.leaf = leaf;
    all_.push_back(std::move(s));
    if (all_.size() * 2 > mask_) grow();
    return static_cast<int>(all_.size()) - 1;
  }
  State& operator[](int i) { return all_[i]; }
  const State& operator[](int i) const { return all_[i]; }
  int size() const { return static_cast<int>(all_.size()); }

 private:
  std::vector<State> all_;
  std::vector<int> slots_;
  size_t mask_ = 63;

  static const void* key_of(const State& s) { return s.node ? static_cast<const void*>(s.node) : s.leaf; }
  static size_t hash(const void* p) { return (reinterpret_cast<uintptr_t>(p) >> 6) * 0x9E3779B97F4A7C15ull >> 20; }
  void grow() {
    mask_ = mask_ * 2 + 1;
    slots_.assign(mask_ + 1, -1);
    for (size_t i = 0; i < all_.size(); ++i) {
      size_t h = hash(key_of(all_[i])) & mask_;
      while (slots_[h] >= 0) h = (h + 1) & mask_;
      slots_[h] = static_cast<int>(i);
    }
  }
};

// May the engine keep this very tensor as a gradient buffer, or is somebody else looking at it?
bool sole_owner(Tensor& g) {
  return g->count == 3 && g->storage && g->storage->references() == 1 && g->storage->owns_bytes() && is_dense(g.layout());
}

class Run {
 public:
  Run(const Tensors& roots, const Tensors& inputs, const BackwardOptions& options)
      : roots_(roots), inputs_(inputs), options_(options), captured_(inputs.size()) {}

  Tensors go(const Tensors& seeds) {
    visit();
    Scoped grad(mode.grad, options_.create_graph);
    Scoped python(mode.for_python, false);
    seed(seeds);
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), [this](int a, int b) { return later(a, b); });
      const int i = heap_.back();
      heap_.pop_back();
      if (states_[i].node) run_node(i);
      else run_leaf(i);
    }
    return std::move(captured_);
  }

  bool restricted() const { return !inputs_.empty(); }
  bool comes_to(const Node* node, const Body* leaf) const {
    const int i = states_.find(node ? static_cast<const void*>(node) : leaf);
    return i >= 0 && states_[i].needed;
  }

 private:
  struct Want { int state, out_nr; };
  const Tensors &roots_, &inputs_;
  const BackwardOptions& options_;
  States states_;
  std::vector<int> heap_, root_states_;
  std::vector<Want> wants_;
  Tensors captured_;

  bool later(int a, int b) {                           // leaves first: they only take what has arrived
    const Node *x = states_[a].node, *y = states_[b].node;
    return (x ? x->sequence : ~0ull) < (y ? y->sequence : ~0ull);
  }
  void push(int i) {
    heap_.push_back(i);
    std::push_heap(heap_.begin(), heap_.end(), [this](int a, int b) { return later(a, b); });
  }

  void visit() {                                       // count what each node waits for
    std::vector<int> stack;
    std::vector<int> order;
    bool fresh;
    for (size_t k = 0; k < roots_.size(); ++k) {
      const Edge e = edge_of(roots_[k]);
      check<GradError>(bool(e), "backward: tensor ", k, " has neither requires_grad nor a grad_fn, so there "
                       "is nothing to go through");
      const int i = states_.get(e.node.get(), e.leaf.body(), fresh);
      if (fresh && e.node) stack.push_back(i);
      root_states_.push_back(i);
    }
    while (!stack.empty()) {
      const int i = stack.back();
      stack.pop_back();
      order.push_back(i);
      Node* n = states_[i].node;
      for (const Edge& e : n->edges) {
        if (!e) continue;
        const int j = states_.get(e.node.get(), e.leaf.body(), fresh);
        ++states_[j].waiting;
        if (fresh && e.node) stack.push_back(j);
      }
    }
    for (const Tensor& t : inputs_) {
      const Edge e = edge_of(t);
      check<GradError>(bool(e), "grad: an input does not require grad; call requires_grad_() on it before it "
                       "is used");
      const void* key = e.node ? static_cast<const void*>(e.node.get()) : e.leaf.body();
      wants_.push_back({states_.find(key), e.out_nr});
    }
    if (!inputs_.empty()) prune(order);
  }

  // With inputs given, only nodes on a path to one of them run.
  void prune(std::vector<int>& order) {
    for (int i = 0; i < states_.size(); ++i) states_[i].needed = false;
    for (const Want& w : wants_) if (w.state >= 0) states_[w.state].needed = true;
    std::sort(order.begin(), order.end(), [this](int a, int b) { return states_[a].node->sequence < states_[b].node->sequence; });
    bool fresh;
    for (int i : order) {
      bool any = states_[i].needed;
      for (const Edge& e : states_[i].node->edges)
        if (e) any |= states_[states_.get(e.node.get(), e.leaf.body(), fresh)].needed;
      states_[i].needed = any;
    }
  }

  void seed(const Tensors& seeds) {
    for (size_t k = 0; k < roots_.size(); ++k) {
      const Tensor& root = roots_[k];
      Tensor g = k < seeds.size() ? seeds[k] : Tensor();
      if (!g) {
        check<GradError>(root.numel() == 1, "backward: output ", k, " has shape ", root.shape(), "; only a "
                         "scalar needs no gradient, pass one of that shape");
        g = full(root.shape(), Scalar(1.0), root.dtype());
      }
      State& s = states_[root_states_[k]];
      deposit(s, s.node ? root->out_nr : 0, std::move(g), false);
      if (s.waiting == 0 && std::find(heap_.begin(), heap_.end(), root_states_[k]) == heap_.end()) push(root_states_[k]);
    }
  }

  void deposit(State& s, int k, Tensor g, bool own) {
    Tensor& place = s.grad(k);
    bool* owned = k < Schema::max_outputs ? &s.owned[k] : nullptr;
    if (!place) {
      place = std::move(g);
      if (owned) *owned = own;
    } else if (owned && *owned && !options_.create_graph && place.shape() == g.shape() && place->storage && !place->wrapper() && !g->wrapper()) {
      add_(place, g);
    } else {
      place = add(place, g);
      if (owned) *owned = true;
    }
  }

  void capture(int i) {
    for (size_t w = 0; w < wants_.size(); ++w)
      if (wants_[w].state == i && !options_.accumulate) captured_[w] = states_[i].grad(wants_[w].out_nr);
  }
  bool wanted(int i) const {
    for (const Want& w : wants_) if (w.state == i) return true;
    return false;
  }

  void run_leaf(int i) {
    Body* leaf = states_[i].leaf;
    Tensor g = std::move(states_[i].grads[0]);
    if (!g) return;
    if (leaf->extra) for (const Ref<Hook>& h : leaf->extra->hooks) if (Tensor r = h->on_grad(g)) g = r;
    states_[i].grads[0] = g;
    capture(i);
    states_[i].grads[0] = Tensor();
    if (!options_.accumulate || (!inputs_.empty() && !wanted(i))) return;
    accumulate(leaf, std::move(g));
    if (leaf->extra && !leaf->extra->accumulated_hooks.empty()) {
      Tensor self{Ref<Body>(leaf)};
      const std::vector<Ref<Hook>> hooks = leaf->extra->accumulated_hooks;
      for (const Ref<Hook>& h : hooks) h->on_grad(self);
    }
  }

  void accumulate(Body* leaf, Tensor g) {
    if (!leaf->grad) {
      if (options_.create_graph) leaf->grad = mode.grad ? clone(g) : g;
      else leaf->grad = sole_owner(g) && g.strides() == leaf->layout.strides ? std::move(g) : detached(contiguous_like(g, leaf->layout));
    } else if (options_.create_graph || leaf->grad->wrapper() || g->wrapper() || requires_grad(leaf->grad.body())) {
      leaf->grad = add(leaf->grad, g);
    } else {
      GradOff off;
      add_(leaf->grad, g);
    }
  }

  void run_node(int i) {
    const Ref<Node> n(states_[i].node);
    const int outputs = n->output_count();
    Tensors grads_out(outputs);
    bool any = false;
    for (int k = 0; k < outputs; ++k) {
      Tensor& g = states_[i].grad(k);
      if (g) any = true;
      grads_out[k] = std::move(g);
    }
    Small<Tensor, 4> grads_in;
    if (any && n->hooks) run_output_hooks(*n, grads_out);
    for (size_t w = 0; w < wants_.size(); ++w)
      if (wants_[w].state == i && !options_.accumulate) captured_[w] = grads_out[wants_[w].out_nr];
    if (options_.accumulate && !wants_.empty()) accumulate_inputs(i, grads_out);
    if (any && states_[i].needed && feeds_needed(*n)) run_vjp(*n, grads_out, grads_in);
    bool fresh;
    for (int k = 0; k < n->edges.size(); ++k) {
      const Edge& e = n->edges[k];
      if (!e) continue;
      const int j = states_.get(e.node.get(), e.leaf.body(), fresh);
      State& s = states_[j];
      if (k < grads_in.size() && grads_in[k]) {
        const bool own = sole_owner(grads_in[k]);
        deposit(s, e.node ? e.out_nr : 0, std::move(grads_in[k]), own);
      }
      if (--s.waiting == 0) push(j);
    }
    if (!options_.retain_graph && n->saves_anything() && grads_in.size()) {
      n->drop_saved();
      n->freed = true;
    }
  }

  void accumulate_inputs(int i, const Tensors& grads_out) {
    for (size_t w = 0; w < wants_.size(); ++w)
      if (wants_[w].state == i && grads_out[wants_[w].out_nr]) accumulate(inputs_[w].body(), grads_out[wants_[w].out_nr]);
  }

  bool feeds_needed(const Node& n) {
    if (inputs_.empty()) return true;
    bool fresh;
    for (const Edge& e : n.edges) if (e && states_[states_.get(e.node.get(), e.leaf.body(), fresh)].needed) return true;
    return false;
  }

  void run_output_hooks(Node& n, Tensors& grads_out) {
    const auto on_output = n.hooks->on_output;         // copies: a hook may remove itself
    for (const auto& [k, h] : on_output)
      if (grads_out[k]) if (Tensor r = h->on_grad(grads_out[k])) grads_out[k] = r;
    for (const auto& [k, b] : n.hooks->retained) if (grads_out[k]) accumulate_retained(b, grads_out[k]);
    const auto before = n.hooks->before;
    for (const Ref<Hook>& h : before) h->before_node(grads_out);
  }
  void accumulate_retained(Body* b, const Tensor& g) {
    b->grad = b->grad ? add(b->grad, g) : options_.create_graph ? g : detached(contiguous_like(g, b->layout));
  }

  void run_vjp(Node& n, Tensors& grads_out, Small<Tensor, 4>& grads_in) {
    check<GradError>(!n.freed, n.name(), ": its saved values were freed by an earlier backward. To backward "
                     "a second time, pass retain_graph=True the first time, or compute the outputs again.");
    try {
      n.run(grads_out.data(), grads_in, options_.create_graph);
    } catch (VersionError& e) {
      if (!n.origin) throw;
      throw VersionError(text(e.what(), "\nThe forward call that made ", n.name(), ":\n", *n.origin));
    }
    if (n.hooks && !n.hooks->after.empty()) {
      Tensors in;
      for (Tensor& t : grads_in) in.push_back(t);
      const auto after = n.hooks->after;
      for (const Ref<Hook>& h : after) h->on_node(in, grads_out);
      for (int k = 0; k < grads_in.size(); ++k) grads_in[k] = in[k];
    }
    if (capture_origin && anomaly_checks_nan && n.origin) check_nan(n, grads_in);
  }

  static void check_nan(const Node& n, Small<Tensor, 4>& grads_in) {
    GradOff off;
    for (int k = 0; k < grads_in.size(); ++k) {
      const bool bad = grads_in[k] && is_differentiable(grads_in[k].dtype()) && has_nan(grads_in[k]);
      check<GradError>(!bad, "detect_anomaly: ", n.name(), " gave nan as gradient ", k, " of its inputs. It "
                       "was recorded here:\n", *n.origin);
    }
  }
};

}  // namespace

static thread_local int64_t running = -1;
static thread_local const Run* current = nullptr;
int64_t current_backward() { return running; }
bool will_run(const Node* node, const Body* leaf) {
  check<GradError>(current, "whether a node will be executed can be asked only during the backward pass");
  return current->comes_to(node, leaf);
}
bool whole_backward() { return !current || !current->restricted(); }

Tensors backward(const Tensors& roots, const Tensors& seeds, const Tensors& inputs, const BackwardOptions& options) {
  const Scoped<Autocast*> off(mode.autocast, nullptr);  // the casts are in the graph
  static int64_t runs = 0;
  const Scoped number(running, runs++);
  Run run(roots, inputs, options);
  const Scoped<const Run*> here(current, &run);
  return run.go(seeds);
}

// A fused op without a vjp: differentiate its decomposition.
void OpNode::run_decomposed(const Args& inputs_saved, Tensor* grads_out, Small<Tensor, 4>& grads_in, bool create_graph) {
  GradOn on;
  Args args = inputs_saved;
  if (!create_graph) for (const Edge& e : edges) {
    Tensor d = detached(args[e.param].as_tensor());
    d->requires_grad = true;
    args[e.param] = Value(d);
  }
  Tensor values[Schema::max_outputs];
  op->decompose(args, values);
  Tensors inputs, roots, seeds;
  for (const Edge& e : edges) inputs.push_back(args[e.param].as_tensor());
  for (int k = 0; k < output_count(); ++k) if (values[k] && grads_out[k] && fb::requires_grad(values[k].body())) {
    roots.push_back(values[k]);
    seeds.push_back(grads_out[k]);
  }
  BackwardOptions options;
  options.accumulate = false;
  options.retain_graph = options.create_graph = create_graph;
  const Tensors r = backward(roots, seeds, inputs, options);
  for (size_t k = 0; k < r.size(); ++k) grads_in[k] = r[k];
}

}  // namespace fb
