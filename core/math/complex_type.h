#pragma once

namespace fb::math {

// Two numbers side by side, as C and NumPy lay complex numbers out. Its arithmetic is in math/complex.h.
template <class T> struct Complex {
  T re, im;
};

}  // namespace fb::math
