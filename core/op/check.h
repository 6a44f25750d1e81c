#pragma once
#include "op/op.h"

// Every mistake an op's author can make, in words. `build` is not instantiated for a struct that fails one.
namespace fb {

// The one vocabulary of differentiable parameter names; C++ cannot enumerate members, so vjp_<name> is looked
// for under these names only, and a Tensor parameter without a vjp is an error.
#define FB_PARAMETER_NAMES(X)                                                                                    \
  X(self) X(other) X(weight) X(bias) X(tensors) X(index) X(src) X(source) X(grad) X(output) X(mat1) X(mat2)    \
  X(input) X(target) X(mask) X(condition) X(end) X(tensor1) X(tensor2) X(value) X(values) X(indices) X(batch1)   \
  X(batch2) X(vec) X(vec1) X(vec2) X(mat) X(mean) X(std) X(mean_in) X(rstd) X(running_mean) X(running_var)       \
  X(hx) X(cx) X(w_ih) X(w_hh) X(b_ih) X(b_hh) X(query) X(key) X(attn_mask) X(x) X(y) X(n) X(min) X(max)         \
  X(exponent) X(repeats) X(boundaries) X(sorted_sequence) X(weights) X(p) X(A) X(B) X(LU) X(pivots) X(tau)       \
  X(input1) X(input2) X(x1) X(x2) X(q) X(scale) X(offsets) X(per_sample_weights) X(anchor) X(positive)           \
  X(negative) X(log_probs) X(targets) X(log_input) X(var) X(real) X(imag) X(abs) X(angle) X(steps) X(hidden)     \
  X(params) X(normalized) X(result) X(total) X(noise) X(lengths) X(data) X(batch_sizes) X(concentration) X(rate) \
  X(tensor) X(grid) X(theta) X(start) X(grads) X(pos_weight) X(prob) X(count)

template <class S> consteval bool has_vjp_for(std::string_view name) {
#define X(n) if (name == #n) return requires { &S::vjp_##n; };
  FB_PARAMETER_NAMES(X)
#undef X
  return false;
}

// Does the struct state a derivative of its own?
template <class S> consteval bool derives() {
  if (S::kind::kind == Kind::composite || S::kind::kind == Kind::factory) return false;
  constexpr Schema s = parse_schema(S::schema);
  if (requires { &S::vjp; } || requires { &S::vjp_all; }) return true;
  for (int i = 0; i < s.count; ++i)
    if (s.params[i].holds_tensors() && has_vjp_for<S>(s.params[i].name)) return true;
  return false;
}

template <class S> consteval bool every_input_has_vjp() {
  constexpr Schema s = parse_schema(S::schema);
  if (requires { &S::vjp_all; }) return true;
  if (requires { &S::vjp; }) return s.tensor_count() == 1;
  for (int i = 0; i < s.count; ++i)
    if (s.params[i].holds_tensors() && !has_vjp_for<S>(s.params[i].name)) return false;
  return true;
}

// Ops whose results carry no derivative say so: `static constexpr bool differentiable = false;`.
template <class S> consteval bool declared_constant() {
  if constexpr (requires { S::differentiable; }) return !S::differentiable;
  else return false;
}

template <class A> consteval bool fits(const Param& p) {             // a C++ parameter against a schema parameter
  using T = std::remove_cvref_t<A>;
  if (std::is_same_v<T, Value>) return true;
  if constexpr (is_optional<T>::value) return p.optional && fits<typename T::value_type>(p);
  switch (p.type) {
    case Type::Tensor: return std::is_same_v<T, Tensor>;
    case Type::Tensors: case Type::OptionalTensors: return std::is_same_v<T, Tensors>;
    case Type::Bool: return std::is_same_v<T, bool>;
    case Type::Int: return std::is_same_v<T, int64_t>;
    case Type::Ints: return std::is_same_v<T, Dims>;
    case Type::Floats: return std::is_same_v<T, Floats>;
    case Type::Scalar: return std::is_same_v<T, Scalar> || std::is_same_v<T, double>;
    case Type::Float: return std::is_same_v<T, double>;
    case Type::DType: return std::is_same_v<T, DType>;
    case Type::Str: return std::is_same_v<T, std::string>;
    case Type::Generator: return std::is_same_v<T, Generator*>;
    default: return false;
  }
}
template <class R, class... A> consteval bool takes_schema(R (*)(A...), const Schema& s) {
  int i = 0;
  return int(sizeof...(A)) == s.count && (fits<A>(s.params[i++]) && ...);
}
template <class... A> consteval bool view_takes_schema(Layout (*)(const Layout&, A...), const Schema& s) {
  int i = 1;
  return int(sizeof...(A)) + 1 == s.count && (fits<A>(s.params[i++]) && ...);
}
template <class A> consteval bool may_ask(const Schema& s) {
  if constexpr (requires { A::in; }) return A::in < s.count && s.params[A::in].holds_tensors();
  else if constexpr (requires { A::shape; }) return A::shape < s.count && s.params[A::shape].type == Type::Tensor;
  else if constexpr (requires { A::shapes; }) return A::shapes < s.count && s.params[A::shapes].type != Type::Tensor && s.params[A::shapes].holds_tensors();
  else if constexpr (requires { A::out; }) return A::out < s.output_count;
  else if constexpr (requires { A::arg; }) return A::arg < s.count && fits<decltype(A::value)>(s.params[A::arg]);
  else if constexpr (requires { A::type; }) return A::type < s.count && s.params[A::type].type == Type::Tensor;
  else return std::is_same_v<A, Tensor> || std::is_same_v<A, Needs>;
}
template <class R, class... A> consteval bool asks_for_schema(R (*)(A...), const Schema& s) {
  return (may_ask<std::remove_cvref_t<A>>(s) && ...);
}
template <class S> consteval bool vjps_ask_for_schema() {
  constexpr Schema s = parse_schema(S::schema);
  bool ok = true;
  if constexpr (requires { &S::vjp; }) ok &= asks_for_schema(&S::vjp, s);
  if constexpr (requires { &S::vjp_all; }) ok &= asks_for_schema(&S::vjp_all, s);
#define X(n) if constexpr (requires { &S::vjp_##n; }) ok &= asks_for_schema(&S::vjp_##n, s);
  FB_PARAMETER_NAMES(X)
#undef X
  return ok;
}

#define FB_CHECK(ok, ...)        \
  static_assert(ok, __VA_ARGS__); \
  if constexpr (!(ok)) return false; \
  else
template <class S> consteval bool check_op() {
  FB_CHECK((requires { S::schema; S::doc; typename S::kind; }), "an op needs: schema, doc and kind") {
    using K = typename S::kind;
    constexpr Schema s = parse_schema(S::schema);
    FB_CHECK(s.ok, "schema: expected \"name(Type arg, Type? arg=default, *, ...) -> Tensor\" with the types of op/schema.h") {
      FB_CHECK(K::kind != Kind::elementwise || (requires { &S::template forward<float>; }) || !(requires { requires K::accepts.floats; }),
               "kind Elementwise needs: template <class T> static T forward(T x, ...)")
      FB_CHECK(K::kind != Kind::reduction || (requires { S::template start<float>(); }),
               "kind Reduction needs: start<T>(), map(T), combine(A, A), finish(A, n)")
      FB_CHECK(K::kind != Kind::view || (requires { &S::forward; }), "kind View needs: static Layout forward(const Layout&, ...)")
      FB_CHECK((K::kind != Kind::bilinear && K::kind != Kind::fused && K::kind != Kind::opaque && K::kind != Kind::factory) ||
                   (requires { &S::kernel; }) || (requires { &S::write; }),
               "kinds Bilinear, Fused, Opaque and Factory need: static Tensor kernel(...), or write(Tensor self, ...) for in-place ops")
      FB_CHECK((K::kind != Kind::composite && K::kind != Kind::fused) || (requires { &S::decompose; }) || (K::kind == Kind::composite && (requires { &S::write; })),
               "kinds Fused and Composite need: static Tensor decompose(...) written with other ops, or Composite write(Tensor self, ...) for in-place ops")
      {
        if constexpr (requires { &S::kernel; })
          static_assert(takes_schema(&S::kernel, s), "kernel: one C++ parameter per schema parameter, same order: Tensor, int -> int64_t, int[] -> Dims, Scalar, float -> double, bool, Tensor[] -> Tensors, dtype -> DType, str -> std::string; T? -> std::optional<T>");
        if constexpr (requires { &S::decompose; })
          static_assert(takes_schema(&S::decompose, s), "decompose: one C++ parameter per schema parameter, same order, types as for kernel");
        if constexpr (requires { &S::write; })
          static_assert(takes_schema(&S::write, s), "write: one C++ parameter per schema parameter, same order, types as for kernel");
        if constexpr (K::kind == Kind::view)
          static_assert(view_takes_schema(&S::forward, s), "View forward: const Layout& for self, then one C++ parameter per further schema parameter");
        static_assert(vjps_ask_for_schema<S>(), "vjp: after the gradients, In<i> and Shape<i> must name a Tensor, Arg<i, T> another argument of that C++ type, Out/OutAt<k> an existing output");
        if constexpr (derives<S>())
          static_assert(every_input_has_vjp<S>(), "every Tensor of the schema needs vjp (one input) or vjp_<name>(Tensor g, ...); write `static NoGrad vjp_<name>();` if there is none; new names go to FB_PARAMETER_NAMES in op/check.h");
        else if constexpr (K::kind == Kind::opaque || K::kind == Kind::bilinear || K::kind == Kind::view || K::kind == Kind::reduction || (K::kind == Kind::elementwise))
          static_assert(s.tensor_count() == 0 || declared_constant<S>(), "an op without a vjp says so: `static constexpr bool differentiable = false;`");
        return true;
      }
    }
  }
}

}  // namespace fb
