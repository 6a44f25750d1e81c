#pragma once
#include <cstddef>
#include <string_view>

// Text put together at compile time: schemas and docs of ops that differ in a number or a word.
namespace fb {

template <size_t length> struct Joined {
  static constexpr size_t size = length;
  char chars[length + 1]{};
  constexpr operator std::string_view() const { return {chars, length}; }
  constexpr operator const char*() const { return chars; }
};

template <class Part> inline constexpr size_t joined_size = Part::size;
template <> inline constexpr size_t joined_size<char> = 1;
template <size_t n> inline constexpr size_t joined_size<char[n]> = n - 1;

// joined("conv", '2', "d"): literals, characters, and what was joined before.
template <class... Parts> consteval auto joined(const Parts&... parts) {
  Joined<(joined_size<Parts> + ...)> r;
  size_t at = 0;
  const auto append = [&]<class Part>(const Part& part) {
    if constexpr (joined_size<Part> == 1 && requires { r.chars[0] = part; }) r.chars[at++] = part;
    else for (const char c : std::string_view(part)) r.chars[at++] = c;
  };
  (append(parts), ...);
  return r;
}

inline constexpr char digit(int n) { return static_cast<char>('0' + n); }

}  // namespace fb
