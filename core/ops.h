#pragma once
#include "op/call.h"

// One declaration per op that C++ code calls. Forward declarations stand alone at namespace scope:
// `op_row<struct Add>` inside a function body would declare a new local class.
namespace fb {

struct Add; struct Sub; struct Mul; struct Div; struct Neg; struct Exp; struct Log; struct Sqrt; struct Sum; struct Amax;
struct Amin; struct Any; struct Mean; struct Eq; struct Ne; struct Gt; struct Ge; struct Lt; struct Le; struct Where;
struct Isnan; struct Transpose; struct Select; struct Narrow; struct Expand; struct ViewOp; struct Reshape;
struct Unsqueeze; struct SqueezeDim; struct Permute; struct AsStrided; struct Matmul; struct Mm; struct Bmm; struct Clone; struct To;
struct Full; struct Copy; struct FillScalar; struct Alias; struct Embed; struct Overwrite; struct Cat; struct Contiguous;
struct Conj; struct Real; struct Pow; struct Abs; struct Sign; struct Zero; struct SliceOp;

using T_ = const Tensor&;
inline Tensor add(const Value& a, const Value& b) { return call_op<Add>(a, b, 1); }
inline Tensor sub(const Value& a, const Value& b) { return call_op<Sub>(a, b, 1); }
inline Tensor mul(const Value& a, const Value& b) { return call_op<Mul>(a, b); }
inline Tensor div(const Value& a, const Value& b) { return call_op<Div>(a, b); }
inline Tensor neg(T_ a) { return call_op<Neg>(a); }
inline Tensor exp(T_ a) { return call_op<Exp>(a); }
inline Tensor log(T_ a) { return call_op<Log>(a); }
inline Tensor sqrt(T_ a) { return call_op<Sqrt>(a); }
inline Tensor abs(T_ a) { return call_op<Abs>(a); }
inline Tensor sign(T_ a) { return call_op<Sign>(a); }
inline Tensor pow(const Value& a, const Value& b) { return call_op<Pow>(a, b); }
inline Tensor sum(T_ a, const Value& dim = {}, bool keepdim = false) { return call_op<Sum>(a, dim, keepdim, Value()); }
inline Tensor mean(T_ a, const Value& dim = {}, bool keepdim = false) { return call_op<Mean>(a, dim, keepdim, Value()); }
inline Tensor amax(T_ a, const Value& dim = {}, bool keepdim = false) { return call_op<Amax>(a, dim, keepdim); }
inline Tensor amin(T_ a, const Value& dim = {}, bool keepdim = false) { return call_op<Amin>(a, dim, keepdim); }
inline Tensor eq(const Value& a, const Value& b) { return call_op<Eq>(a, b); }
inline Tensor ne(const Value& a, const Value& b) { return call_op<Ne>(a, b); }
inline Tensor gt(const Value& a, const Value& b) { return call_op<Gt>(a, b); }
inline Tensor ge(const Value& a, const Value& b) { return call_op<Ge>(a, b); }
inline Tensor lt(const Value& a, const Value& b) { return call_op<Lt>(a, b); }
inline Tensor le(const Value& a, const Value& b) { return call_op<Le>(a, b); }
inline Tensor where(T_ condition, const Value& a, const Value& b) { return call_op<Where>(condition, a, b); }
inline Tensor transpose(T_ a, int64_t i, int64_t j) { return call_op<Transpose>(a, i, j); }
inline Tensor select(T_ a, int64_t dim, int64_t i) { return call_op<Select>(a, dim, i); }
inline Tensor narrow(T_ a, int64_t dim, int64_t start, int64_t n) { return call_op<Narrow>(a, dim, start, n); }
inline Tensor slice(T_ a, int64_t dim, int64_t start, int64_t end, int64_t step) { return call_op<SliceOp>(a, dim, start, end, step); }
inline Tensor expand(T_ a, const Dims& size) { return call_op<Expand>(a, size, false); }
inline Tensor view(T_ a, const Dims& size) { return call_op<ViewOp>(a, size); }
inline Tensor reshape(T_ a, const Dims& size) { return call_op<Reshape>(a, size); }
inline Tensor permute(T_ a, const Dims& dims) { return call_op<Permute>(a, dims); }
inline Tensor unsqueeze(T_ a, int64_t dim) { return call_op<Unsqueeze>(a, dim); }
inline Tensor squeeze(T_ a, int64_t dim) { return call_op<SqueezeDim>(a, dim); }
inline Tensor matmul(T_ a, T_ b) { return call_op<Matmul>(a, b); }
inline Tensor mm(T_ a, T_ b) { return call_op<Mm>(a, b); }
inline Tensor bmm(T_ a, T_ b) { return call_op<Bmm>(a, b); }
inline Tensor clone(T_ a) { return call_op<Clone>(a); }
inline Tensor to_dtype(T_ a, DType d) { return a.dtype() == d ? a : call_op<To>(a, d); }
inline Tensor full(const Dims& size, const Scalar& v, DType d) { return call_op<Full>(size, v, d); }
inline Tensor zeros(const Dims& size, DType d) { return full(size, Scalar(0), d); }
inline Tensor ones(const Dims& size, DType d) { return full(size, Scalar(1), d); }
inline Tensor zeros_like(T_ a) { return full(a.shape(), Scalar(0), a.dtype()); }
inline Tensor ones_like(T_ a) { return full(a.shape(), Scalar(1), a.dtype()); }
inline Tensor cat(const Tensors& list, int64_t dim) { return call_op<Cat>(list, dim); }
inline void copy_(T_ self, const Value& src) { call_in_place<Copy>(self, src); }
inline void fill_(T_ self, const Scalar& v) { call_in_place<FillScalar>(self, v); }
inline void zero_(T_ self) { call_in_place<FillScalar>(self, Scalar(0)); }
inline void add_(T_ self, const Value& o) { call_in_place<Add>(self, o, 1); }
inline void mul_(T_ self, const Value& o) { call_in_place<Mul>(self, o); }

inline Tensor operator*(T_ a, T_ b) { return mul(a, b); }
inline Tensor operator*(T_ a, double b) { return mul(a, b); }
inline Tensor operator*(double a, T_ b) { return mul(b, a); }
inline Tensor operator+(T_ a, T_ b) { return add(a, b); }
inline Tensor operator+(T_ a, double b) { return add(a, b); }
inline Tensor operator+(double a, T_ b) { return add(b, a); }
inline Tensor operator-(T_ a, T_ b) { return sub(a, b); }
inline Tensor operator-(T_ a, double b) { return sub(a, b); }
inline Tensor operator-(double a, T_ b) { return sub(a, b); }
inline Tensor operator/(T_ a, T_ b) { return div(a, b); }
inline Tensor operator/(T_ a, double b) { return div(a, b); }
inline Tensor operator/(double a, T_ b) { return div(a, b); }
inline Tensor operator-(T_ a) { return neg(a); }

// Complex conjugate; real tensors come back as they are.
inline Tensor conj(T_ a) { return is_complex(a.dtype()) ? call_op<Conj>(a) : a; }
inline Tensor real_part(T_ a) { return is_complex(a.dtype()) ? call_op<Real>(a) : a; }
// Contiguous in logical order; the tensor itself if it already is.
inline Tensor contiguous(T_ a) { return a.is_contiguous() ? a : call_op<Contiguous>(a); }
// The transpose of broadcasting: sums a gradient down to the shape of the input it belongs to.
Tensor sum_to_shape(T_ g, const Dims& shape);
// A copy of g with the strides of `layout`, or packed where those are not dense.
Tensor contiguous_like(T_ g, const Layout& layout);
bool has_nan(T_ a);
// The dims a reduction's `dim` argument names (none: all of them), wrapped, each once.
Dims normalized_dims(const Value& dim, int count);
// Undoes a reduction's keepdim=False: puts size 1 back where dims were dropped, then expands to `shape`.
Tensor spread(T_ g, const Dims& shape, const Value& dim, bool keepdim);

// The dtype of a result by PyTorch's promotion rules: dimensioned tensors, then 0-d ones, then numbers.
DType result_type(const Args& args, int first, int count);

}  // namespace fb
