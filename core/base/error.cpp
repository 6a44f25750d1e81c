#include "base/error.h"

#include <cstdio>

namespace fb {

void append_text(std::string& to, std::string_view text) { to += text; }
void append_text(std::string& to, long long number) { to += std::to_string(number); }
void append_text(std::string& to, double number) {
  char digits[32];
  snprintf(digits, sizeof digits, "%g", number);
  to += digits;
}

}  // namespace fb
