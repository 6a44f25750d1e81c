#pragma once
#include <memory>

#include "kernels/gemm.h"

namespace fb {

// Products with one matrix again and again, as the steps of a recurrent layer take them: out = a·b, or += if `adds`. For
// float32 and enough work b is brought once into the layout that oneDNN reads fastest; else every product is a gemm.
class PackedProduct {
 public:
  PackedProduct(Compute type, const Matrix& b, int64_t rows, int64_t times, bool adds, const char* bias = nullptr);
  ~PackedProduct();
  PackedProduct(const PackedProduct&) = delete;
  void run(const void* a, void* out) const;            // packed (rows, b.rows) and (rows, b.cols)

 private:
  struct Packed;
  std::unique_ptr<Packed> packed_;
  Compute type_;
  Matrix b_;
  int64_t rows_;
  bool adds_;
  const char* bias_;
};

}  // namespace fb
