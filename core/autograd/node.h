#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "op/op.h"

namespace fb {

// A user's function called during backward; bind/ holds the Python side.
struct Hook {
  uint32_t refs = 0;
  virtual ~Hook() = default;
  virtual Tensor on_grad(const Tensor& grad) = 0;      // the gradient to use instead, or undefined
  virtual void on_node(Tensors& grads_in, const Tensors& grads_out) = 0;   // may replace grads_in
  virtual void before_node(Tensors& grads_out) = 0;    // may replace grads_out
};

// Where a gradient goes: to a node's output slot, or into a leaf.
struct Edge {
  Ref<Node> node;
  Tensor leaf;
  uint16_t out_nr = 0;
  uint8_t param = 0;                                   // which parameter of the op this input was
  DType dtype = DType::f32;
  explicit operator bool() const { return node || leaf; }
};

struct OutputInfo {
  Dims shape;
  DType dtype;
};

struct NodeHooks {
  std::vector<std::pair<uint16_t, Ref<Hook>>> on_output;           // tensor hooks, in order of registration
  std::vector<std::pair<uint16_t, Body*>> retained;                // tensors whose .grad is to be filled
  std::vector<Ref<Hook>> before, after;
};

// One recorded call.
struct Node {
  uint32_t refs = 0;
  bool freed = false;
  uint64_t sequence = 0;                               // creation number: backward runs the latest first
  Small<Edge, 2> edges;
  std::vector<OutputInfo> outputs;                     // only for nodes with several outputs
  std::unique_ptr<NodeHooks> hooks;
  std::unique_ptr<std::string> origin;                 // where it was made, under detect_anomaly

  virtual ~Node() = default;
  virtual std::string_view name() const = 0;
  // grads_out by output, undefined where nothing arrived; grads_in by edge.
  virtual void run(Tensor* grads_out, Small<Tensor, 4>& grads_in, bool create_graph) = 0;
  virtual void drop_saved() = 0;
  virtual int output_count() const { return outputs.empty() ? 1 : static_cast<int>(outputs.size()); }
  virtual bool saves_anything() const { return true; }

  NodeHooks& more() {
    if (!hooks) hooks = std::make_unique<NodeHooks>();
    return *hooks;
  }
  void forget_retained(Body* b);
};

struct PackedTensors;

// The record of an op: what its vjps asked for.
struct OpNode final : Node, Cached<OpNode> {
  const Op* op;
  std::string_view grad_name;
  Args saved;
  Small<uint32_t, 8> versions;                         // of saved tensors, as seen when saved
  Tensor out[Schema::max_outputs];
  uint32_t out_versions[Schema::max_outputs] = {};
  std::unique_ptr<Dims[]> shapes;
  std::unique_ptr<DType[]> types;
  Small<Dims, 2> list_shapes;
  bool saved_any = false;
  std::shared_ptr<const PackedTensors> packed;         // saved tensors that hooks took

  explicit OpNode(const Op& o) : op(&o) {}
  std::string_view name() const override { return grad_name; }
  void run(Tensor* grads_out, Small<Tensor, 4>& grads_in, bool create_graph) override;
  void drop_saved() override;
  bool saves_anything() const override { return saved_any; }
  void pack();
  void unpack(const PackedTensors& all, Args& inputs, Tensor* outputs, bool create_graph) const;

 private:
  void check_versions() const;
  void run_decomposed(const Args& inputs, Tensor* grads_out, Small<Tensor, 4>& grads_in, bool create_graph);
  void fit(Tensor& grad, const Edge& edge) const;
  Tensor output_value(const Tensor& value, int k, bool create_graph);
};

// How a view was made from its root: replaying the steps on the root gives it again.
struct ViewStep : Cached<ViewStep> {
  uint32_t refs = 0;
  const Op* op;
  Args rest;                                           // all arguments but the tensor
  Ref<ViewStep> before;
};
void retain(ViewStep*);
void release(ViewStep*);

struct ViewInfo : Cached<ViewInfo> {
  Tensor root;
  Ref<ViewStep> steps;
  uint32_t seen;                                       // the root's history when this view's node was made
};
struct StepsBox final : Boxed {
  Ref<ViewStep> steps;
  explicit StepsBox(Ref<ViewStep> s) : steps(std::move(s)) {}
};
Tensor replay(ViewStep* steps, const Tensor& root);
ViewStep* steps_of(const Value& v);

bool requires_grad(Body* b);                           // after bringing a view's node up to date
Edge edge_of(const Tensor& t);
uint64_t next_sequence();
Ref<Node>& grad_node(Body* b);                         // up to date

// Opening and closing the record of one call (record.cpp).
Ref<OpNode> begin_record(const Op& op, const Args& args, Form form);
void finish_record(const Op& op, Ref<OpNode> node, const Args& args, Tensor* out, Form form);
void remember_view(const Op& op, const Args& args, Tensor* out);
// Makes `node` the history of `self` after an in-place write (inplace.cpp).
void rebase_history(Body* self, Ref<Node> node, uint16_t out_nr = 0);
void check_in_place(std::string_view op, const Tensor& self);

extern bool anomaly_checks_nan;
extern std::string (*capture_origin)();                // set while detect_anomaly is on

}  // namespace fb
