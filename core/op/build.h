#pragma once
#include <type_traits>

#include "base/isa.h"
#include "math/complex.h"
#include "op/call.h"
#include "op/check.h"
#include "op/loops.h"
#include "op/registry.h"

// From an op's struct to its registry row. Included by the files of ops/ only.
namespace fb {

template <class... T> struct Types {};

// ---- fetching what a vjp names
template <class A> A fetch(const Tensor* grads, int position, const Recorded& c) {
  if constexpr (requires { A::in; }) {
    A a;
    static_cast<Tensor&>(a) = saved_tensor(c, A::in);
    return a;
  } else if constexpr (requires { A::out; }) {
    A a;
    static_cast<Tensor&>(a) = c.out[A::out];
    return a;
  } else if constexpr (requires { A::shape; }) {
    A a;
    static_cast<Dims&>(a) = c.shapes[A::shape];
    return a;
  } else if constexpr (requires { A::shapes; }) return A{*c.list_shapes};
  else if constexpr (requires { A::arg; }) return A{unbox<decltype(A::value)>(c.in[A::arg])};
  else if constexpr (requires { A::type; }) return A{c.types[A::type]};
  else if constexpr (requires { A::needs; }) return A{c.needs};
  else return grads[position];
}

template <class A> void note(VjpRow& r) {
  if constexpr (requires { A::in; }) r.saves_in |= 1u << A::in;
  else if constexpr (requires { A::out; }) r.saves_out |= 1 << A::out;
  else if constexpr (requires { A::shape; }) r.shapes = true;
  else if constexpr (requires { A::shapes; }) r.list_shapes = true;
  else if constexpr (requires { A::type; }) r.types = true;
  else if constexpr (requires { A::arg; }) {
    if constexpr (std::is_same_v<decltype(A::value), Tensors>) r.saves_in |= 1u << A::arg;
  }
}

template <auto function> struct VjpOf;
template <class R, class... A, R (*function)(A...)> struct VjpOf<function> {
  static void call(const Tensor* grads_out, const Recorded& c, Tensor* grads_in) {
    [&]<size_t... I>(std::index_sequence<I...>) {
      if constexpr (std::is_same_v<R, Tensor>) {
        grads_in[0] = function(fetch<std::remove_cvref_t<A>>(grads_out, I, c)...);
      } else {
        R r = function(fetch<std::remove_cvref_t<A>>(grads_out, I, c)...);
        for (size_t k = 0; k < r.size(); ++k) grads_in[k] = std::move(r[k]);
      }
    }(std::index_sequence_for<A...>{});
  }
  static VjpRow row() {
    VjpRow r;
    if constexpr (!std::is_same_v<R, NoGrad>) {
      r.function = call;
      (note<std::remove_cvref_t<A>>(r), ...);
    }
    return r;
  }
};

template <class S> VjpRow vjp_for(std::string_view name) {
#define X(n) \
  if constexpr (requires { &S::vjp_##n; }) \
    if (name == #n) return VjpOf<&S::vjp_##n>::row();
  FB_PARAMETER_NAMES(X)
#undef X
  if constexpr (requires { &S::vjp; }) return VjpOf<&S::vjp>::row();
  return {};
}

// ---- calling a C++ function with unboxed arguments
template <auto function> struct Unboxed;
template <class R, class... A, R (*function)(A...)> struct Unboxed<function> {
  template <class Consume> static auto with(const Args& a, Consume&& consume) {
    return [&]<size_t... I>(std::index_sequence<I...>) {
      if constexpr (std::is_void_v<R>) function(unbox<std::remove_cvref_t<A>>(a[I])...);
      else return consume(function(unbox<std::remove_cvref_t<A>>(a[I])...));
    }(std::index_sequence_for<A...>{});
  }
  static void call(const Args& a, Tensor* out) {
    if constexpr (std::is_void_v<R>) with(a, [](auto&&) {});
    else with(a, [&](R&& r) {
      if constexpr (std::is_same_v<R, Tensor>) out[0] = std::move(r);
      else for (size_t k = 0; k < r.size(); ++k) out[k] = std::move(r[k]);
    });
  }
  static Tensors list(const Args& a) {
    if constexpr (std::is_same_v<R, Tensors>) return with(a, [](R&& r) { return std::move(r); });
    else return {};
  }
  static void run(const Op&, const Args& a, Tensor* out, Form) { call(a, out); }
  static constexpr uint32_t boxed_params = []<size_t... I>(std::index_sequence<I...>) {
    return ((std::is_same_v<std::remove_cvref_t<A>, Value> ? 1u << I : 0u) | ... | 0u);
  }(std::index_sequence_for<A...>{});
  static void effect(const Args& a) {
    [&]<size_t... I>(std::index_sequence<I...>) { function(unbox<std::remove_cvref_t<A>>(a[I])...); }
    (std::index_sequence_for<A...>{});
  }
};

template <auto function> struct ViewOf;
template <class... A, Layout (*function)(const Layout&, A...)> struct ViewOf<function> {
  static void run(const Op&, const Args& a, Tensor* out, Form) {
    [&]<size_t... I>(std::index_sequence<I...>) {
      const Tensor& x = a[0].as_tensor();
      out[0] = alias(x, function(x.layout(), unbox<std::remove_cvref_t<A>>(a[I + 1])...));
    }(std::index_sequence_for<A...>{});
  }
};

// ---- which compute types an elementwise or reducing struct is instantiated for
template <class T> inline constexpr bool is_narrow_integer = std::is_integral_v<T> && sizeof(T) < 8;
template <class S> concept HasNarrowLoops = requires { requires S::narrow_integers; };
template <class S, class T> consteval bool computes_in() {
  using K = typename S::kind;
  if (is_narrow_integer<T>) return HasNarrowLoops<S>;
  if (std::is_same_v<T, float> || std::is_same_v<T, double>) return K::accepts.floats || K::result == Result::floating;
  if (std::is_same_v<T, int64_t>)
    return K::result != Result::floating && (K::accepts.integers || K::accepts.booleans);
  return K::accepts.complexes;
}

// An op of an instruction or two for each element says `light`: memory sets its pace, and there 256-bit vectors were
// measured to stream faster than 512-bit ones (16 MB of floats: by 10 to 20 %).
template <class S, class T> inline constexpr int highest_level = requires { S::light; } && std::is_floating_point_v<T> ? 3 : 4;

template <class S, class T> void build_loop(Op& op) {
  if constexpr (computes_in<S, T>()) {
    using F = Functor<S, T>;
    Kernels& k = op.kernels[int(compute_for<T>)];
    if constexpr (std::is_floating_point_v<T> || std::is_integral_v<T>) k.loop = Clones<&each<S, T>, highest_level<S, T>>::pick();
    else k.loop = &each<S, T>;                         // complex arithmetic gains nothing from wider vectors
    k.result = compute_for<typename F::Result>;
    op.scalar_count = F::count - op.tensor_count;
    op.bool_inputs = F::bool_mask;
  }
}

template <class S> void build_elementwise(Op& op) {
  using K = typename S::kind;
  op.result = K::result;
  op.accepts = K::accepts;
  op.run = run_elementwise;
  op.has_in_place = true;
  build_loop<S, float>(op);
  build_loop<S, double>(op);
  build_loop<S, int64_t>(op);
  build_loop<S, math::Complex<float>>(op);
  build_loop<S, math::Complex<double>>(op);
  build_loop<S, uint8_t>(op);
  build_loop<S, int8_t>(op);
  build_loop<S, int16_t>(op);
  build_loop<S, int32_t>(op);
  if constexpr (requires { &S::forward_bool; }) {
    Kernels& k = op.kernels[int(Compute::boolean)];
    k.loop = &each_bool<S>;
    k.result = Compute::boolean;
  }
  if constexpr (K::printable && K::accepts.floats) {
    using F = Functor<S, float>;
    if constexpr (!std::is_same_v<typename F::Result, bool> && F::bool_mask == 0 && F::count <= 3 && F::count == parse_schema(S::schema).tensor_count()) {
      op.printable = true;
      op.ir = print_ir<S>;
    }
  }
}

// The loops of a struct that is no op of its own: what an op's `run` chooses for some of its arguments.
template <class S> const Op& variant() {
  static const Op* made = [] {
    static constexpr Schema s = parse_schema(S::schema);
    auto* op = new Op;
    op->name = s.name;
    op->schema = s;
    op->kind = Kind::elementwise;
    op->tensor_count = s.tensor_count();
    build_elementwise<S>(*op);
    return op;
  }();
  return *made;
}

template <class S, class T> void build_fold(Op& op) {
  if constexpr (computes_in<S, T>()) {
    using F = Folder<S, T>;
    Kernels& k = op.kernels[int(compute_for<T>)];
    if constexpr (std::is_floating_point_v<T> || std::is_integral_v<T>) {
      k.fold = Clones<&F::fold>::pick();
      k.fold_many = Clones<&F::fold_many>::pick();
      k.fold_rows = Clones<&F::fold_rows>::pick();
    } else {
      k.fold = &F::fold;
      k.fold_many = &F::fold_many;
      k.fold_rows = &F::fold_rows;
    }
    k.merge = &F::merge;
    k.start = &F::start;
    k.finish = &F::finish;
    k.result = compute_for<typename F::Result>;
    k.accumulator_bytes = sizeof(typename F::Accumulator);
  }
}

template <class S> void build_reduction(Op& op) {
  using K = typename S::kind;
  op.result = K::result;
  op.accepts = K::accepts;
  op.run = run_reduction;
  if constexpr (requires { S::needs_elements; }) op.needs_elements = S::needs_elements;
  build_fold<S, float>(op);
  build_fold<S, double>(op);
  build_fold<S, int64_t>(op);
  build_fold<S, math::Complex<float>>(op);
  build_fold<S, math::Complex<double>>(op);
  build_fold<S, uint8_t>(op);
  build_fold<S, int8_t>(op);
  build_fold<S, int16_t>(op);
  build_fold<S, int32_t>(op);
}

template <class S> void build_derivatives(Op& op) {
  constexpr Schema s = parse_schema(S::schema);
  if constexpr (requires { &S::vjp_all; }) {           // one function returns the gradient of every tensor parameter
    op.joint_vjp = true;
    const VjpRow r = VjpOf<&S::vjp_all>::row();
    for (int i = 0; i < s.count; ++i) if (s.params[i].holds_tensors()) op.vjp[i] = r;
    op.differentiable = true;
  } else {
    for (int i = 0; i < s.count; ++i) {
      if (!s.params[i].holds_tensors()) continue;
      op.vjp[i] = vjp_for<S>(s.params[i].name);
      op.differentiable |= op.vjp[i].function != nullptr;
    }
  }
}

template <class S> void build(Registry& registry) {
  using K = typename S::kind;
  static constexpr Schema s = parse_schema(S::schema);
  Op* op = op_row<S> = new Op;
  op->name = s.name;
  op->doc = S::doc;
  op->schema = s;
  op->kind = K::kind;
  op->tensor_count = s.tensor_count();
  op->dim_param = s.find("dim");
  op->keepdim_param = s.find("keepdim");
  op->dtype_param = s.find("dtype");
  if constexpr (requires { S::grad_name; }) {
    if constexpr (requires { std::string_view(S::grad_name); }) op->grad_name = S::grad_name;
    else op->grad_name_of = &S::grad_name;
  } else op->grad_name = default_grad_name(s.name);
  if constexpr (requires { &S::examine; }) op->examine = &S::examine;

  if constexpr (K::kind == Kind::elementwise) op->number_params = s.tensor_count() > 1 ? ~0u : 0u;
  if constexpr (requires { &S::kernel; }) op->number_params |= Unboxed<&S::kernel>::boxed_params;
  if constexpr (requires { &S::decompose; }) op->number_params |= Unboxed<&S::decompose>::boxed_params;
  if constexpr (requires { &S::write; }) op->number_params |= Unboxed<&S::write>::boxed_params;

  if constexpr (K::kind == Kind::elementwise) build_elementwise<S>(*op);
  else if constexpr (K::kind == Kind::reduction) build_reduction<S>(*op);
  else if constexpr (K::kind == Kind::view) op->run = ViewOf<&S::forward>::run;
  else if constexpr (requires { &S::kernel; }) op->run = Unboxed<&S::kernel>::run;
  if constexpr (requires { &S::write; }) {
    op->write = Unboxed<&S::write>::effect;
    op->has_in_place = true;
    op->only_in_place = s.name.ends_with('_') && !s.name.ends_with("__");
    if (!op->run) op->run = run_by_write;
  }
  if constexpr (requires { S::number_params; }) op->number_params = S::number_params;
  if constexpr (requires { S::takes_only_numbers; }) op->takes_only_numbers = S::takes_only_numbers;
  if constexpr (requires { &S::run; }) op->run = &S::run;
  if constexpr (requires { S::in_place; }) op->has_in_place = S::in_place;
  if constexpr (requires { S::out_apart; }) op->out_apart = S::out_apart;
  if constexpr (requires { S::constant_outputs; }) op->constant_outputs = S::constant_outputs;
  if constexpr (requires { S::absent_grads; }) op->absent_grads = S::absent_grads;
  if constexpr (requires { S::out_exact; }) op->out_exact = S::out_exact;
  if constexpr (requires { &S::decompose; }) {
    if constexpr (s.returns_list) op->decompose_list = Unboxed<&S::decompose>::list;
    else op->decompose = Unboxed<&S::decompose>::call;
  }
  if constexpr (derives<S>()) build_derivatives<S>(*op);
  else if (K::kind == Kind::fused) op->differentiable = true;      // through decompose, at backward time
  registry.add(op);
}

template <class S> void add(Registry& registry) {
  if constexpr (check_op<S>()) build<S>(registry);
}

#define FB_GROUP(group, ...)                                                                     \
  void register_##group([[maybe_unused]] Registry& registry) {                                              \
    [&]<class... S>(Types<S...>) { (add<S>(registry), ...); }(Types<__VA_ARGS__>{});             \
  }

}  // namespace fb
