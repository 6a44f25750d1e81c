// backward, graph nodes, hooks, modes, and functions written in Python.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "autograd/engine.h"
#include "autograd/saved.h"
#include "bind/python.h"
#include "ops.h"

namespace fb {
namespace {

// ---- hooks
struct PythonHook final : Hook {
  nb::object function;
  explicit PythonHook(nb::object f) : function(std::move(f)) {}
  static Tensor result(const nb::object& r) { return r.is_none() ? Tensor() : take(r); }
  std::string name() const { return nb::hasattr(function, "__name__") ? nb::cast<std::string>(nb::str(nb::object(function.attr("__name__")))) : std::string("hook"); }
  Tensor on_grad(const Tensor& grad) override {
    const nb::object r = function(give(grad));
    if (r.is_none()) return {};
    check<TypeError>(is_tensor(r.ptr()), "hook '", name(), "' has returned ", Py_TYPE(r.ptr())->tp_name, ", not a Tensor or None");
    Tensor replaced = take(r);
    check<ShapeError>(replaced.shape() == grad.shape(), "hook '", name(), "' got a gradient of shape ",
                      grad.shape().list(), " and returned one of shape ", replaced.shape().list(), "; the "
                      "shape must stay");
    check<DTypeError>(replaced.dtype() == grad.dtype(), "hook '", name(), "' got a gradient of ",
                      name_of(grad.dtype()), " and returned one of ", name_of(replaced.dtype()), "; the "
                      "dtype must stay");
    return replaced;
  }
  static nb::object packed(const Tensors& list) {
    nb::object t = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(list.size())));
    for (size_t i = 0; i < list.size(); ++i) PyTuple_SET_ITEM(t.ptr(), static_cast<Py_ssize_t>(i), to_python(Tensor(list[i])));
    return t;
  }
  static void replace(Tensors& list, const nb::object& r, const char* what) {
    if (r.is_none()) return;
    nb::object seq = is_tensor(r.ptr()) ? nb::object(nb::make_tuple(r)) : r;
    check(nb::len(seq) == list.size(), what, " got ", list.size(), " values and returned ",
          nb::len(seq), "; return one for each");
    for (size_t i = 0; i < list.size(); ++i) list[i] = result(seq[i]);
  }
  void on_node(Tensors& grads_in, const Tensors& grads_out) override { replace(grads_in, function(packed(grads_in), packed(grads_out)), "hook"); }
  void before_node(Tensors& grads_out) override { replace(grads_out, function(packed(grads_out)), "hook"); }
};

// ---- graph nodes as Python sees them
struct NodeHandle {
  Ref<Node> node;
  Tensor leaf;                                         // of an AccumulateGrad node, which exists for show only
};

nb::object node_object(const Ref<Node>& node, const Tensor& leaf);

// A node whose backward is a Python function: autograd.Function, hooks of modules.
struct PythonNode final : Node {
  nb::object context, apply;                           // apply(context, *grads_out) → gradients by edge
  std::string class_name;
  bool has_saved = true;
  std::string_view name() const override { return class_name; }
  void run(Tensor* grads_out, Small<Tensor, 4>& grads_in, bool create_graph) override {
    nb::object grads = nb::steal(PyTuple_New(output_count()));
    for (int k = 0; k < output_count(); ++k) PyTuple_SET_ITEM(grads.ptr(), k, to_python(Tensor(grads_out[k])));
    nb::object r = apply(context, grads, create_graph);
    for (int k = 0; k < edges.size(); ++k) {
      nb::object g = r[static_cast<size_t>(k)];
      grads_in.emplace(g.is_none() ? Tensor() : take(g));
    }
  }
  void drop_saved() override { context.attr("_release")(); }
  bool saves_anything() const override { return true; }
};

PyObject* node_registry = nullptr;                     // address → wrapper, weakly: one object per node

// Programs that draw graphs read the class of a node, so each name has one, made when first seen.
nb::object node_class(std::string_view name, bool accumulates) {
  static PyObject* classes = PyDict_New();             // kept until the process ends, as types are
  const nb::str key(name.data(), name.size());
  if (PyObject* known = PyDict_GetItem(classes, key.ptr())) return nb::borrow(known);
  nb::object base = nb::borrow(nb::type<NodeHandle>());
  nb::dict body;
  body["__module__"] = "builtins";
  body["__slots__"] = nb::tuple();
  if (accumulates)
    body["variable"] = nb::module_::import_("builtins").attr("property")(
        nb::cpp_function([](const NodeHandle& h) { return give(h.leaf); }));
  nb::object made = nb::handle(reinterpret_cast<PyObject*>(&PyType_Type))(key, nb::make_tuple(base), body);
  PyDict_SetItem(classes, key.ptr(), made.ptr());
  return made;
}

nb::object node_object(const Ref<Node>& node, const Tensor& leaf) {
  if (auto* p = dynamic_cast<PythonNode*>(node.get())) return p->context;
  if (!node_registry) {
    nb::object weakref = nb::module_::import_("weakref");
    node_registry = weakref.attr("WeakValueDictionary")().release().ptr();
  }
  const auto key = nb::int_(reinterpret_cast<uintptr_t>(node ? static_cast<void*>(node.get()) : leaf.body()));
  nb::object known = nb::handle(node_registry).attr("get")(key);
  if (!known.is_none()) return known;
  nb::object made = nb::cast(NodeHandle{node, leaf});
  made.attr("__class__") = node_class(node ? node->name() : std::string_view("AccumulateGrad"), !node);
  nb::handle(node_registry).attr("__setitem__")(key, made);
  return made;
}

Ref<Node> node_of(nb::handle h) {
  if (nb::isinstance<NodeHandle>(h)) return nb::cast<NodeHandle&>(h).node;
  if (nb::hasattr(h, "_node")) return nb::cast<NodeHandle&>(h.attr("_node")).node;
  return {};
}

nb::object shown(const Value& v) {
  switch (v.tag) {
    case Value::tensor: return give(v.as_tensor());
    case Value::tensors: return PythonHook::packed(v.as_tensors());
    case Value::ints: return nb::tuple(nb::steal(size_object(v.as_ints())));
    case Value::string: return nb::str(v.as_string().c_str());
    case Value::dtype: return nb::borrow(dtype_object(static_cast<DType>(v.as_int())));
    default: return v.is_number() ? scalar_object(v.as_scalar()) : nb::none();
  }
}

// grad_fn._saved_self and the like: what the record of an op keeps, by the name of its parameter; "result" is the output.
nb::object saved_value(const NodeHandle& h, const std::string& name) {
  auto* n = dynamic_cast<OpNode*>(h.node.get());
  if (!n) return nb::none();
  const int i = n->op->schema.find(name);
  if (i < 0 && name != "result") return nb::none();
  check<GradError>(!n->freed, n->name(), ": saved values were freed by backward. Call backward(retain_graph=True) to keep them.");
  Args inputs = n->saved;
  Tensor outputs[Schema::max_outputs];
  for (int k = 0; k < Schema::max_outputs; ++k) outputs[k] = n->out[k];
  if (n->packed) n->unpack(*n->packed, inputs, outputs, true);
  if (i >= 0) return shown(inputs[i]);
  return outputs[0] ? give(tied(outputs[0], Edge{h.node, {}, 0, 0, outputs[0].dtype()})) : nb::none();
}

// (node, output) of every input; an input that needs no gradient has no edge and shows as (None, 0).
nb::object next_functions(const NodeHandle& h) {
  nb::list l;
  if (!h.node) return nb::tuple(l);
  auto show = [&](const Edge& e) {
    l.append(e ? nb::make_tuple(node_object(e.node, e.leaf), e.node ? e.out_nr : 0) : nb::make_tuple(nb::none(), 0));
  };
  const auto* recorded = dynamic_cast<const OpNode*>(h.node.get());
  if (!recorded) {
    for (const Edge& e : h.node->edges) show(e);
    return nb::tuple(l);
  }
  const Op& op = *recorded->op;
  int next = 0;
  const auto& edges = recorded->edges;
  for (int i = 0; i < op.schema.count; ++i) {
    const int before = next;
    while (next < edges.size() && edges[next].param == i) show(edges[next++]);
    if (next == before && op.vjp[i].function && op.schema.params[i].type == Type::Tensor) show(Edge{});
  }
  while (next < edges.size()) show(edges[next++]);     // of ops with one rule for all inputs
  return nb::tuple(l);
}

Tensors take_list(nb::handle seq, bool optional) {
  Tensors r;
  for (nb::handle h : nb::borrow<nb::sequence>(seq)) r.push_back(optional && h.is_none() ? Tensor() : take(h));
  return r;
}

template <class List> void erase_hook(List& list, const Hook* hook) {
  for (size_t i = 0; i < list.size(); ++i) {
    const Hook* h;
    if constexpr (requires { list[i].second; }) h = list[i].second.get();
    else h = list[i].get();
    if (h == hook) {
      list.erase(list.begin() + static_cast<long>(i));
      return;
    }
  }
}

// An opaque token for removal: holds what the hook was put on.
struct HookToken {
  Ref<Hook> hook;
  Ref<Node> node;
  nb::object tensor_ref;                               // weak
  void remove() {
    if (node && node->hooks) {
      erase_hook(node->hooks->on_output, hook.get());
      erase_hook(node->hooks->before, hook.get());
      erase_hook(node->hooks->after, hook.get());
    }
    if (tensor_ref.is_valid()) {
      nb::object t = tensor_ref();
      if (!t.is_none()) if (Body* b = body_of(t.ptr()); b->extra) {
        erase_hook(b->extra->hooks, hook.get());
        erase_hook(b->extra->accumulated_hooks, hook.get());
      }
    }
  }
};

nb::object weak(nb::handle h) { return nb::steal(PyWeakref_NewRef(h.ptr(), nullptr)); }

std::string python_origin() {
  nb::object lines = nb::module_::import_("traceback").attr("format_stack")();
  return nb::cast<std::string>(nb::str("").attr("join")(lines));
}

void bind_tensor_history(nb::module_& m) {
  using Self = nb::handle_t<Body>;
  nb::handle t(reinterpret_cast<PyObject*>(tensor_type));
  auto property = [&](const char* name, auto get, auto set) {
    t.attr(name) = nb::module_::import_("builtins").attr("property")(nb::cpp_function(get), nb::cpp_function(set, nb::arg("self"), nb::arg("value").none()));
  };
  auto read_only = [&](const char* name, auto get) {
    t.attr(name) = nb::module_::import_("builtins").attr("property")(nb::cpp_function(get));
  };
  property("grad", [](nb::handle s) -> nb::object {
      Body* b = body_of(s.ptr());
      if (!b->grad && requires_grad(b) && b->node && !(b->extra && b->extra->retains_grad))
        if (PyErr_WarnEx(PyExc_UserWarning, ".grad is read of a tensor that is no leaf: backward() leaves it "
                         "None there; call .retain_grad() on the tensor beforehand to have it filled",
                         2)) throw nb::python_error();
      return give(b->grad);
    },
    [](nb::handle s, nb::handle v) {
      Body* b = body_of(s.ptr());
      if (v.is_none()) {
        b->grad = Tensor();
        return;
      }
      const Tensor g = take(v);
      check<ShapeError>(g.shape() == b->layout.shape, "assigned grad has another size than the tensor: grad ", g.shape().list(), ", tensor ", b->layout.shape.list());
      check<DTypeError>(g.dtype() == b->dtype, "assigned grad has another dtype than the tensor: grad ", name_of(g.dtype()), ", tensor ", name_of(b->dtype));
      check(g.body() != b, ".grad: a tensor cannot be its own gradient; assign a clone()");
      b->grad = g;
    });
  property("_grad", [](nb::handle s) { return give(body_of(s.ptr())->grad); }, [](nb::handle s, nb::handle v) { body_of(s.ptr())->grad = v.is_none() ? Tensor() : take(v); });
  read_only("grad_fn", [](nb::handle s) -> nb::object {
    Body* b = body_of(s.ptr());
    if (!grad_node(b)) return nb::none();
    return node_object(b->node, {});
  });
  read_only("_base", [](nb::handle s) -> nb::object {
    ViewInfo* v = body_of(s.ptr())->view();
    return v ? give(v->root) : nb::none();
  });
  read_only("retains_grad", [](nb::handle s) {
    Body* b = body_of(s.ptr());
    return b->extra && b->extra->retains_grad;
  });
  m.def("_is_view", [](Self s) { return body_of(s.ptr())->view() != nullptr; });
  m.def("_retain_grad", [](Self s) {
    Body* b = body_of(s.ptr());
    check(requires_grad(b), "retain_grad: the tensor has requires_grad=False, so there is no gradient to "
          "keep");
    if (!b->node || (b->extra && b->extra->retains_grad)) return;
    b->more().retains_grad = true;
    b->node->more().retained.push_back({b->out_nr, b});
  });
  m.def("_detach", [](Self s) { return give(detached(take(s))); });
  m.def("_detach_", [](Self s) {
    Body* b = body_of(s.ptr());
    check(!b->view(), "detach_: a view cannot leave the graph in place; use detach()");
    if (b->extra && b->extra->retains_grad && b->node) b->node->forget_retained(b);
    b->node = {};
    b->requires_grad = false;
  });
  m.def("_bump_version", [](Self s) { ++body_of(s.ptr())->version(); });
  m.def("_tensor_hook", [](Self s, nb::object f) {
    Body* b = body_of(s.ptr());
    check(requires_grad(b), "register_hook: the tensor does not require gradients, so the hook would never "
          "run");
    Ref<Hook> hook(new PythonHook(std::move(f)));
    if (b->node) b->node->more().on_output.push_back({b->out_nr, hook});
    else b->more().hooks.push_back(hook);
    return HookToken{hook, b->node, weak(s)};
  });
  m.def("_accumulated_hook", [](Self s, nb::object f) {
    Body* b = body_of(s.ptr());
    check(requires_grad(b) && !b->node, "register_post_accumulate_grad_hook: the tensor must be a leaf that "
          "requires gradients");
    Ref<Hook> hook(new PythonHook(std::move(f)));
    b->more().accumulated_hooks.push_back(hook);
    return HookToken{hook, {}, weak(s)};
  });
}

}  // namespace

void bind_autograd(nb::module_& m) {
  nb::class_<HookToken>(m, "_HookToken").def("remove", &HookToken::remove);
  nb::class_<NodeHandle> n(m, "_Node", nb::is_weak_referenceable(), nb::dynamic_attr());
  m.attr("Node") = n;
  n.def("name", [](const NodeHandle& h) { return h.node ? std::string(h.node->name()) : std::string("torch::autograd::AccumulateGrad"); });
  n.def_prop_ro("next_functions", next_functions);
  n.def_prop_ro("metadata", [](nb::handle h) {
    if (!nb::hasattr(h, "_metadata")) h.attr("_metadata") = nb::dict();
    return h.attr("_metadata");
  });
  n.def("_sequence_nr", [](const NodeHandle& h) { return h.node ? h.node->sequence : 0; });
  m.def("_saved_value", saved_value);
  m.def("_node_hook", [](nb::handle h, nb::object f, bool before) {
    Ref<Node> node = node_of(h);
    check(bool(node), "hooks on AccumulateGrad nodes are not available; use Tensor.register_hook");
    Ref<Hook> hook(new PythonHook(std::move(f)));
    (before ? node->more().before : node->more().after).push_back(hook);
    return HookToken{hook, node, nb::object()};
  });
  m.def("_gradient_edge", [](nb::handle t) {
    const Tensor x = take(t);
    const Edge e = edge_of(x);
    return nb::make_tuple(node_object(e.node, e.node ? Tensor() : x), e.out_nr);
  });

  m.def("_set_grad_enabled", [](bool on) { return std::exchange(mode.grad, on); });
  m.def("is_grad_enabled", [] { return mode.grad; });
  m.def("_is_grad_enabled", [] { return mode.grad; });
  m.def("_set_inference_mode", [](bool on) {           // inference mode includes no_grad
    static thread_local bool grad_before = true;
    const bool was = std::exchange(mode.inference, on);
    if (on && !was) grad_before = std::exchange(mode.grad, false);
    if (!on && was) mode.grad = grad_before;
    return was;
  });
  m.def("_set_multithreading_enabled", [](bool on) {   // recorded: backward runs in the thread that calls it
    static thread_local bool enabled = true;
    return std::exchange(enabled, on);
  });
  m.def("_set_grad_layout_policy", [](bool on) {
    static thread_local bool enforced = true;
    return std::exchange(enforced, on);
  });
  m.def("is_anomaly_enabled", [] { return capture_origin != nullptr; });
  m.def("is_inference_mode_enabled", [] { return mode.inference; });
  m.def("_set_grad_name", [](const std::string& name) {   // the name of the nodes made until it is cleared
    static std::vector<std::string*> kept;
    for (std::string* s : kept) if (*s == name) return void(mode.grad_name = *s);
    kept.push_back(new std::string(name));
    mode.grad_name = *kept.back();
  });
  m.def("_set_anomaly_mode", [](bool on, bool check_nan) {
    const nb::tuple before = nb::make_tuple(capture_origin != nullptr, anomaly_checks_nan);
    anomaly_checks_nan = check_nan;
    capture_origin = on ? python_origin : nullptr;
    return before;
  });
  m.def("_increment_version", [](nb::handle tensors) {
    for (const Tensor& t : take_list(tensors, false)) ++t->version();
  });
  m.def("_set_versions", [](nb::handle tensors, nb::handle versions) {
    const Tensors list = take_list(tensors, false);
    for (size_t i = 0; i < list.size(); ++i) list[i]->version() = nb::cast<uint32_t>(versions[i]);
  });
  m.def("_whole_backward", whole_backward);
  m.def("_current_graph_task_id", [] { return current_backward(); });
  m.def("_will_engine_execute_node", [](nb::handle h) {
    const Ref<Node> node = node_of(h);
    return will_run(node.get(), node ? nullptr : nb::cast<NodeHandle&>(h).leaf.body());
  });
  m.def("_tied", [](nb::handle value, const NodeHandle& h, int edge) {   // with the history of an input of the node
    const Edge& e = h.node->edges[edge];
    return give(e ? tied(take(value), e) : detached(take(value)));
  });
  m.def("is_anomaly_check_nan_enabled", [] { return anomaly_checks_nan; });

  m.def("_backward", [](nb::handle roots, nb::handle seeds, nb::handle inputs, bool retain_graph, bool create_graph, bool accumulate) {
    BackwardOptions o;
    o.retain_graph = retain_graph;
    o.create_graph = create_graph;
    o.accumulate = accumulate;
    const Tensors r = backward(take_list(roots, false), take_list(seeds, true), take_list(inputs, false), o);
    nb::list l;
    for (const Tensor& g : r) l.append(give(g));
    return l;
  });
  m.def("_backward_one", [](nb::handle root) { backward({take(root)}, {}, {}, {}); });

  // A node for outputs of a Python function; `inputs` are its tensors, in order, one edge each.
  m.def("_python_node", [](nb::object context, nb::object apply, const std::string& name, nb::handle inputs) {
    auto* p = new PythonNode;
    Ref<Node> node(p);
    p->sequence = next_sequence();
    p->context = std::move(context);
    p->apply = std::move(apply);
    p->class_name = name;
    for (const Tensor& t : take_list(inputs, true)) {
      Edge e = t ? edge_of(t) : Edge{};
      if (t) e.dtype = t.dtype();
      p->edges.emplace(std::move(e));
    }
    if (capture_origin) p->origin = std::make_unique<std::string>(capture_origin());
    return NodeHandle{node, {}};
  }, nb::arg("context").none(), nb::arg("apply"), nb::arg("name"), nb::arg("inputs"));
  m.def("_declare_outputs", [](const NodeHandle& h, nb::handle outputs) {   // None: not differentiable
    for (nb::handle o : nb::borrow<nb::sequence>(outputs)) {
      const Tensor t = o.is_none() ? Tensor() : take(o);
      h.node->outputs.push_back(t ? OutputInfo{t.shape(), t.dtype()} : OutputInfo{Dims(), DType::i64});
    }
  });
  m.def("_attach", [](nb::handle tensor, const NodeHandle& h, int out_nr) {
    const Tensor t = take(tensor);
    t->node = h.node;
    t->requires_grad = true;
    t->out_nr = static_cast<uint16_t>(out_nr);
  });
  m.def("_rebase", [](const NodeHandle& h, nb::handle t, int out_nr) { rebase_history(body_of(t.ptr()), h.node, static_cast<uint16_t>(out_nr)); });
  m.def("_check_in_place", [](nb::handle t) { check_in_place("in-place", take(t)); });
  bind_tensor_history(m);
}

}  // namespace fb
