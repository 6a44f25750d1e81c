#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

// Symbols that print LLVM IR. A Value is a number in a tape kept by ir.cpp: all printing is out of line,
// so that instantiating a functor for symbols is a few plain calls and stays cheap to compile.
namespace fb::ir {

enum class Type : uint8_t { i1, i32, i64, f32, f64 };

template <class F> inline constexpr Type type_of = std::is_same_v<F, float>      ? Type::f32
                                                   : std::is_same_v<F, double>   ? Type::f64
                                                   : std::is_same_v<F, uint32_t> ? Type::i32
                                                                                 : Type::i64;

// Begins a function of %x, %y, %z, all float (single) or all double. The tape belongs to the thread.
void start(bool single);
// The whole function `define T @fb_<name>_f32(T %x, …)`, of the first `params` arguments, returning `result`.
std::string finish(std::string_view name, int params, int result);

int argument(int place, Type type);
int constant(double value, Type type);
int constant(uint64_t value, Type type);
int binary(const char* opcode, int a, int b);
int unary(const char* opcode, int a);
int compare(const char* opcode, int a, int b);
int choose(int condition, int a, int b);
int convert(const char* opcode, int a, Type to);
int intrinsic(const char* name, int a, int b = -1);

struct Bool {
  int id;
  template <class T> requires std::is_same_v<T, bool> operator T() const {
    static_assert(sizeof(T) == 0,
                  "forward is straight-line code: write select(condition, a, b), not ?: or if, "
                  "and & or |, not && or ||");
    return false;
  }
  friend Bool operator&(Bool a, Bool b) { return {binary("and", a.id, b.id)}; }
  friend Bool operator|(Bool a, Bool b) { return {binary("or", a.id, b.id)}; }
  friend Bool operator^(Bool a, Bool b) { return {binary("xor", a.id, b.id)}; }
  friend Bool operator!(Bool a) { return {binary("xor", a.id, constant(uint64_t(1), Type::i1))}; }
};

template <class F> struct Value;

// Floating symbols. "contract" lets LLVM fuse multiply and add, as -ffp-contract=fast does for numbers.
template <class F> requires std::is_floating_point_v<F> struct Value<F> {
  using Scalar = F;
  int id;
  Value() = default;
  Value(double c) : id(constant(c, type_of<F>)) {}
  static Value at(int id) { Value v; v.id = id; return v; }

  friend Value operator+(Value a, Value b) { return at(binary("fadd contract", a.id, b.id)); }
  friend Value operator-(Value a, Value b) { return at(binary("fsub contract", a.id, b.id)); }
  friend Value operator*(Value a, Value b) { return at(binary("fmul contract", a.id, b.id)); }
  friend Value operator/(Value a, Value b) { return at(binary("fdiv contract", a.id, b.id)); }
  friend Value operator-(Value a) { return at(unary("fneg", a.id)); }
  Value& operator+=(Value b) { return *this = *this + b; }
  Value& operator-=(Value b) { return *this = *this - b; }
  Value& operator*=(Value b) { return *this = *this * b; }
  Value& operator/=(Value b) { return *this = *this / b; }
  friend Bool operator<(Value a, Value b) { return {compare("fcmp olt", a.id, b.id)}; }
  friend Bool operator>(Value a, Value b) { return {compare("fcmp ogt", a.id, b.id)}; }
  friend Bool operator<=(Value a, Value b) { return {compare("fcmp ole", a.id, b.id)}; }
  friend Bool operator>=(Value a, Value b) { return {compare("fcmp oge", a.id, b.id)}; }
  friend Bool operator==(Value a, Value b) { return {compare("fcmp oeq", a.id, b.id)}; }
  friend Bool operator!=(Value a, Value b) { return {compare("fcmp une", a.id, b.id)}; }
};

// Bit patterns of floating symbols.
template <class F> requires std::is_unsigned_v<F> struct Value<F> {
  using Scalar = F;
  int id;
  Value() = default;
  Value(F c) : id(constant(uint64_t(c), type_of<F>)) {}
  static Value at(int id) { Value v; v.id = id; return v; }

  friend Value operator+(Value a, Value b) { return at(binary("add", a.id, b.id)); }
  friend Value operator-(Value a, Value b) { return at(binary("sub", a.id, b.id)); }
  friend Value operator&(Value a, Value b) { return at(binary("and", a.id, b.id)); }
  friend Value operator|(Value a, Value b) { return at(binary("or", a.id, b.id)); }
  friend Value operator^(Value a, Value b) { return at(binary("xor", a.id, b.id)); }
  friend Value operator<<(Value a, int n) { return at(binary("shl", a.id, Value(F(n)).id)); }
  friend Value operator>>(Value a, int n) { return at(binary("lshr", a.id, Value(F(n)).id)); }
  friend Bool operator==(Value a, Value b) { return {compare("icmp eq", a.id, b.id)}; }
  friend Bool operator!=(Value a, Value b) { return {compare("icmp ne", a.id, b.id)}; }
};

// The function's argument number `place` (0 to 2), as a Value<F> or, for an i1, a Bool.
template <class T> T argument(int place) {
  T value;
  if constexpr (std::is_same_v<T, Bool>) value.id = argument(place, Type::i1);
  else value.id = argument(place, type_of<typename T::Scalar>);
  return value;
}

}  // namespace fb::ir
