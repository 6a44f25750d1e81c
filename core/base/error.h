#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

// Errors as typed data. The class says which Python exception is raised (bind/errors.cpp); the wording is
// composed here and in error.cpp, nowhere else.
namespace fb {

struct Error : std::runtime_error { using runtime_error::runtime_error; };   // RuntimeError
struct ShapeError : Error { using Error::Error; };                           // RuntimeError
struct DTypeError : Error { using Error::Error; };                           // RuntimeError
struct DeviceError : Error { using Error::Error; };                          // RuntimeError
struct VersionError : Error { using Error::Error; };                         // RuntimeError
struct GradError : Error { using Error::Error; };                            // RuntimeError
struct LinAlgError : Error { using Error::Error; };                          // RuntimeError
struct IndexError : Error { using Error::Error; };                           // IndexError
struct ValueError : Error { using Error::Error; };                           // ValueError
struct TypeError : Error { using Error::Error; };                            // TypeError
struct UnsupportedError : Error { using Error::Error; };                     // NotImplementedError

// Joins text, numbers, shapes (anything with str()) and dtypes into one message.
void append_text(std::string& to, std::string_view text);
void append_text(std::string& to, long long number);
void append_text(std::string& to, double number);

template <class T> void append_part(std::string& to, const T& part) {
  if constexpr (requires { part.str(); }) append_text(to, part.str());
  else if constexpr (std::is_same_v<T, bool>) append_text(to, std::string_view(part ? "True" : "False"));
  else if constexpr (std::is_integral_v<T>) append_text(to, static_cast<long long>(part));
  else if constexpr (std::is_floating_point_v<T>) append_text(to, static_cast<double>(part));
  else append_text(to, std::string_view(part));
}

template <class... Parts> std::string text(const Parts&... parts) {
  std::string joined;
  (append_part(joined, parts), ...);
  return joined;
}

// check(ok, "add: ", shape, " …") throws E with the joined text when `ok` is false.
template <class E = Error, class... Parts> inline void check(bool ok, const Parts&... parts) {
  if (!ok) [[unlikely]] throw E(text(parts...));
}

}  // namespace fb
