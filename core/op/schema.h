#pragma once
#include <string_view>

namespace fb {

// The notation PyTorch users know: "clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor". One
// parser, run by the compiler (checks in op.h) and at start-up (argument handling in bind/).
enum class Type : unsigned char { Tensor, Tensors, OptionalTensors, Scalar, Int, Float, Bool, Ints, Floats, DType, Str,
                                  Generator, Steps, Object, unknown };

// What a parameter is to a transform: a dim is shifted by vmap, a size gains the batch size in front.
enum class Role : unsigned char { plain, dim, size };

struct Param {
  std::string_view name, fallback;                     // fallback: the default's text
  Type type = Type::unknown;
  Role role = Role::plain;
  bool optional = false, keyword_only = false, has_default = false, written = false;   // written: Tensor(a!)
  constexpr bool holds_tensors() const {
    return type == Type::Tensor || type == Type::Tensors || type == Type::OptionalTensors;
  }
};

struct Schema {
  static constexpr int max_params = 20, max_outputs = 4;
  std::string_view text, name, overload;               // "max.dim(…)": name max, overload dim
  Param params[max_params];
  std::string_view outputs[max_outputs];               // names, empty when unnamed
  int count = 0, output_count = 0;
  bool returns_list = false, ok = true;

  constexpr int tensor_count() const {
    int n = 0;
    for (int i = 0; i < count; ++i) n += params[i].holds_tensors();
    return n;
  }
  constexpr int find(std::string_view wanted) const {
    for (int i = 0; i < count; ++i) if (params[i].name == wanted) return i;
    return -1;
  }
};

constexpr Type type_of(std::string_view t) {
  constexpr struct { std::string_view text; Type type; } words[] = {
      {"Tensor", Type::Tensor}, {"Tensor[]", Type::Tensors}, {"Tensor?[]", Type::OptionalTensors}, {"Scalar", Type::Scalar},
      {"int", Type::Int}, {"float", Type::Float}, {"bool", Type::Bool}, {"int[]", Type::Ints}, {"float[]", Type::Floats},
      {"dtype", Type::DType}, {"str", Type::Str}, {"Generator", Type::Generator}, {"Steps", Type::Steps}, {"object", Type::Object}};
  for (const auto& w : words) if (w.text == t) return w.type;
  return Type::unknown;
}

constexpr bool parse_param(std::string_view a, Param& p) {
  const auto space = a.find(' ');
  if (space == a.npos) return false;
  auto t = a.substr(0, space);
  const auto equals = a.find('=');
  p.name = a.substr(space + 1, (equals == a.npos ? a.size() : equals) - space - 1);
  if (equals != a.npos) {
    p.fallback = a.substr(equals + 1);
    p.has_default = true;
  }
  if (t.back() == '?') {
    p.optional = true;
    t.remove_suffix(1);
  }
  if (t == "Tensor(a!)" || t == "Tensor(a!)[]") p.written = true;
  if (t == "Tensor(a)" || t == "Tensor(a!)") t = "Tensor";
  if (t == "Tensor(a!)[]") t = "Tensor[]";
  p.type = type_of(t);
  if (p.name.starts_with("dim")) p.role = Role::dim;
  if (p.name == "size" || p.name == "shape") p.role = Role::size;
  return p.type != Type::unknown;
}

constexpr Schema parse_schema(std::string_view text) {
  Schema s;
  s.text = text;
  const auto open = text.find('('), close = text.rfind(") ->");
  if (open == text.npos || close == text.npos) {
    s.ok = false;
    return s;
  }
  s.name = text.substr(0, open);
  if (const auto dot = s.name.find('.'); dot != s.name.npos) {
    s.overload = s.name.substr(dot + 1);
    s.name = s.name.substr(0, dot);
  }
  bool keyword_only = false;
  for (auto i = open + 1; i < close;) {
    auto end = text.find(", ", i);
    if (end == text.npos || end > close) end = close;
    const auto part = text.substr(i, end - i);
    i = end + 2;
    if (part == "*") {
      keyword_only = true;
      continue;
    }
    if (s.count == Schema::max_params || !parse_param(part, s.params[s.count])) {
      s.ok = false;
      return s;
    }
    s.params[s.count++].keyword_only = keyword_only;
  }
  auto out = text.substr(close + 5);
  if (out == "()") return s;
  if (out == "Tensor[]" || out == "Tensor(a)[]") {
    s.returns_list = true;
    s.output_count = 1;
    return s;
  }
  if (out.starts_with('(') ) out = out.substr(1, out.size() - 2);
  while (!out.empty()) {
    if (s.output_count == Schema::max_outputs) {
      s.ok = false;
      return s;
    }
    const auto comma = out.find(", ");
    const auto part = out.substr(0, comma);
    const auto space = part.find(' ');
    s.outputs[s.output_count++] = space == part.npos ? std::string_view() : part.substr(space + 1);
    out = comma == out.npos ? std::string_view() : out.substr(comma + 2);
  }
  return s;
}

}  // namespace fb
