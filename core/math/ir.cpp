#include "math/ir.h"

#include <bit>
#include <cstdio>
#include <vector>

namespace fb::ir {
namespace {

struct Item {
  std::string text;  // as an operand: %v12, or a constant
  Type type;
};

struct Tape {
  std::vector<Item> items;
  std::string body;
  std::string declarations;
  bool single = true;
};

thread_local Tape tape;

const char* spelling(Type type) {
  switch (type) {
    case Type::i1: return "i1";
    case Type::i32: return "i32";
    case Type::i64: return "i64";
    case Type::f32: return "float";
    case Type::f64: return "double";
  }
  return "";
}

int push(std::string text, Type type) {
  tape.items.push_back({std::move(text), type});
  return int(tape.items.size()) - 1;
}

std::string typed(int id) { return std::string(spelling(tape.items[id].type)) + " " + tape.items[id].text; }

int emit(const std::string& instruction, Type result) {
  std::string name = "%v" + std::to_string(tape.items.size());
  tape.body += "  " + name + " = " + instruction + "\n";
  return push(std::move(name), result);
}

}  // namespace

void start(bool single) {
  tape = Tape{};
  tape.single = single;
  for (const char* name : {"%x", "%y", "%z"}) push(name, single ? Type::f32 : Type::f64);
}

std::string finish(std::string_view name, int params, int result) {
  std::string text = tape.declarations + "define " + spelling(tape.items[result].type) + " @fb_";
  text += std::string(name) + (tape.single ? "_f32(" : "_f64(");
  for (int i = 0; i < params; ++i) text += (i ? ", " : "") + typed(i);
  text += ") {\n" + tape.body + "  ret " + typed(result) + "\n}\n";
  return text;
}

int argument(int place, Type type) {
  tape.items[place].type = type;
  return place;
}

int constant(double value, Type type) {
  // A float constant is printed as the double of the same value; anything finer LLVM rejects.
  const double rounded = type == Type::f32 ? double(float(value)) : value;
  char text[24];
  const auto pattern = static_cast<unsigned long long>(std::bit_cast<uint64_t>(rounded));
  std::snprintf(text, sizeof text, "0x%016llX", pattern);
  return push(text, type);
}

int constant(uint64_t value, Type type) {
  if (type == Type::i1) return push(value ? "true" : "false", type);
  const int64_t number = type == Type::i32 ? int32_t(uint32_t(value)) : int64_t(value);
  return push(std::to_string(number), type);
}

int binary(const char* opcode, int a, int b) {
  return emit(std::string(opcode) + " " + typed(a) + ", " + tape.items[b].text, tape.items[a].type);
}

int unary(const char* opcode, int a) {
  return emit(std::string(opcode) + " " + typed(a), tape.items[a].type);
}

int compare(const char* opcode, int a, int b) {
  return emit(std::string(opcode) + " " + typed(a) + ", " + tape.items[b].text, Type::i1);
}

int choose(int condition, int a, int b) {
  return emit("select " + typed(condition) + ", " + typed(a) + ", " + typed(b), tape.items[a].type);
}

int convert(const char* opcode, int a, Type to) {
  return emit(std::string(opcode) + " " + typed(a) + " to " + spelling(to), to);
}

int intrinsic(const char* name, int a, int b) {
  const Type type = tape.items[a].type;
  const std::string word = spelling(type);
  const std::string callee = word + " @llvm." + name + (type == Type::f32 ? ".f32(" : ".f64(");
  const std::string declaration = "declare " + callee + word + (b < 0 ? "" : ", " + word) + ")\n";
  if (tape.declarations.find(declaration) == std::string::npos) tape.declarations += declaration;
  return emit("call " + callee + typed(a) + (b < 0 ? "" : ", " + typed(b)) + ")", type);
}

}  // namespace fb::ir
