#include "kernels/gemm.h"

#include <atomic>
#include <climits>
#include <cstring>
#include <string_view>

#include "base/parallel.h"
#include "kernels/gemm_reference.h"
#include "kernels/onednn.h"
#include "ops.h"

#ifdef FB_OPENBLAS
extern "C" {
void scipy_openblas_set_num_threads(int n);
void scipy_cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float* a, int lda, const float* b,
                       int ldb, float beta, float* c, int ldc);
void scipy_cblas_dgemm(int order, int ta, int tb, int m, int n, int k, double alpha, const double* a, int lda,
                       const double* b, int ldb, double beta, double* c, int ldc);
void scipy_cblas_cgemm(int order, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int lda,
                       const void* b, int ldb, const void* beta, void* c, int ldc);
void scipy_cblas_zgemm(int order, int ta, int tb, int m, int n, int k, const void* alpha, const void* a, int lda,
                       const void* b, int ldb, const void* beta, void* c, int ldc);
void scipy_cblas_sgemv(int order, int ta, int m, int n, float alpha, const float* a, int lda, const float* x, int incx,
                       float beta, float* y, int incy);
void scipy_cblas_dgemv(int order, int ta, int m, int n, double alpha, const double* a, int lda, const double* x, int incx,
                       double beta, double* y, int incy);
void scipy_cblas_cgemv(int order, int ta, int m, int n, const void* alpha, const void* a, int lda, const void* x, int incx,
                       const void* beta, void* y, int incy);
void scipy_cblas_zgemv(int order, int ta, int m, int n, const void* alpha, const void* a, int lda, const void* x, int incx,
                       const void* beta, void* y, int incy);
}
#endif

namespace fb {

bool only_reference_kernels() {
  static const bool only = [] {
    const char* wanted = std::getenv("FLAMBEAU_KERNEL");
    return wanted && std::string_view(wanted) == "reference";
  }();
  return only;
}

namespace {

using C64 = math::Complex<float>;
using C128 = math::Complex<double>;

using reference::tiny_work;
constexpr int64_t onednn_work = 1 << 15;               // below it OpenBLAS is as fast
constexpr int64_t threaded_work = int64_t(1) << 21;    // multiplications
constexpr int64_t thread_work = 1 << 18;               // multiplications worth waking a thread for
constexpr int64_t unlock_work = 1 << 16;               // worth letting other Python threads run

int element_bytes(Compute c) { return bytes_of(storage_of(c)); }

// Which matrices BLAS takes as they are: one stride is 1, the other a leading dimension.
struct BlasLayout {
  bool fits = false, transposed = false;
  int64_t leading = 1;
};
BlasLayout blas_layout(const Matrix& x) {
  if (x.cols == 1 || x.col_stride == 1) {
    const int64_t leading = x.rows == 1 ? std::max<int64_t>(x.cols, 1) : x.row_stride;
    if (leading >= std::max<int64_t>(x.cols, 1) && leading <= INT_MAX) return {true, false, leading};
  }
  if (x.rows == 1 || x.row_stride == 1) {
    const int64_t leading = x.cols == 1 ? std::max<int64_t>(x.rows, 1) : x.col_stride;
    if (leading >= std::max<int64_t>(x.rows, 1) && leading <= INT_MAX) return {true, true, leading};
  }
  return {};
}

// Rows that already hold the bias make the product accumulate on it.
Product with_bias_in_place(const Product& p) {
  if (!p.bias) return p;
  Product q = p;
  const int64_t bytes = p.out.cols * element_bytes(p.type), step = p.out.row_stride * element_bytes(p.type);
  for (int64_t i = 0; i < p.out.rows; ++i) memcpy(p.out.data + i * step, p.bias, bytes);
  q.bias = nullptr;
  q.beta = 1;
  return q;
}

// A kernel runs a whole product on this thread (or on threads of its own) or says that it does not take it.
struct Kernel {
  std::string_view name;
  bool (*run)(const Product& p);
  bool threads_itself;
};

#ifdef FB_ONEDNN
bool run_onednn(const Product& p) {
  if (!onednn_enabled() || p.type != Compute::f32 || p.work() < onednn_work || p.out.rows == 1 || p.out.cols == 1) return false;
  const BlasLayout a = blas_layout(p.a), b = blas_layout(p.b);
  if (!a.fits || !b.fits) return false;
  const Product q = with_bias_in_place(p);
  // A product of a few microseconds does not repay waking threads, least of all on a busy machine.
  onednn::use_threads(p.work() < threaded_work ? 1 : thread_count());
  return dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', p.out.rows, p.out.cols, p.a.cols,
                    q.alpha.to<float>(), reinterpret_cast<const float*>(p.a.data), a.leading,
                    reinterpret_cast<const float*>(p.b.data), b.leading, q.beta.to<float>(),
                    reinterpret_cast<float*>(p.out.data), p.out.row_stride) == dnnl_success;
}
#endif

#ifdef FB_OPENBLAS
constexpr int row_major = 101, plain = 111, transposed = 112;

struct BlasCall {
  int ta, tb, m, n, k, lda, ldb, ldc;
  const void *a, *b;
  void* c;
};
template <class T, auto function> void blas_gemm(const BlasCall& x, const Scalar& alpha, const Scalar& beta) {
  const T s = alpha.to<T>(), t = beta.to<T>();
  if constexpr (std::is_floating_point_v<T>)
    function(row_major, x.ta, x.tb, x.m, x.n, x.k, s, static_cast<const T*>(x.a), x.lda, static_cast<const T*>(x.b), x.ldb, t,
             static_cast<T*>(x.c), x.ldc);
  else function(row_major, x.ta, x.tb, x.m, x.n, x.k, &s, x.a, x.lda, x.b, x.ldb, &t, x.c, x.ldc);
}
// a: the matrix, m×n as stored; b: the vector with its stride in ldb; c: the result.
template <class T, auto function> void blas_gemv(const BlasCall& x, const Scalar& alpha, const Scalar& beta) {
  const T s = alpha.to<T>(), t = beta.to<T>();
  if (t == T{}) memset(x.c, 0, sizeof(T) * (x.ta == plain ? x.m : x.n));   // some versions compute 0 * nan
  if constexpr (std::is_floating_point_v<T>)
    function(row_major, x.ta, x.m, x.n, s, static_cast<const T*>(x.a), x.lda, static_cast<const T*>(x.b), x.ldb, t,
             static_cast<T*>(x.c), 1);
  else function(row_major, x.ta, x.m, x.n, &s, x.a, x.lda, x.b, x.ldb, &t, x.c, 1);
}

// A product with one row or one column: `matrix` times `vector`.
bool run_openblas_vector(const Product& p) {
  const bool column = p.out.cols == 1;
  const Matrix& matrix = column ? p.a : p.b;
  const int64_t stride = column ? p.b.row_stride : p.a.col_stride;
  const BlasLayout x = blas_layout(matrix);
  if (!x.fits || stride <= 0 || stride > INT_MAX || (column && p.out.row_stride != 1)) return false;
  const bool flip = column == x.transposed;            // does the stored matrix have to be applied transposed?
  const int stored_rows = static_cast<int>(x.transposed ? matrix.cols : matrix.rows);
  const int stored_cols = static_cast<int>(x.transposed ? matrix.rows : matrix.cols);
  const BlasCall call{flip ? transposed : plain, 0, stored_rows, stored_cols, 0, static_cast<int>(x.leading),
                      static_cast<int>(stride), 1, matrix.data, column ? p.b.data : p.a.data, p.out.data};
  switch (p.type) {
    case Compute::f32: blas_gemv<float, scipy_cblas_sgemv>(call, p.alpha, p.beta); return true;
    case Compute::f64: blas_gemv<double, scipy_cblas_dgemv>(call, p.alpha, p.beta); return true;
    case Compute::c64: blas_gemv<C64, scipy_cblas_cgemv>(call, p.alpha, p.beta); return true;
    case Compute::c128: blas_gemv<C128, scipy_cblas_zgemv>(call, p.alpha, p.beta); return true;
    default: return false;
  }
}

bool run_openblas(const Product& p) {
  [[maybe_unused]] static const bool pinned = (scipy_openblas_set_num_threads(1), true);   // threads are ours to spread
  if (p.type == Compute::i64 || p.work() <= tiny_work) return false;
  if (std::max({p.out.rows, p.out.cols, p.a.cols, p.out.row_stride}) > INT_MAX) return false;
  const BlasLayout a = blas_layout(p.a), b = blas_layout(p.b);
  if (!a.fits || !b.fits) return false;
  const Product q = with_bias_in_place(p);
  if ((p.out.rows == 1 || p.out.cols == 1) && run_openblas_vector(q)) return true;
  const BlasCall call{a.transposed ? transposed : plain, b.transposed ? transposed : plain, static_cast<int>(p.out.rows),
                      static_cast<int>(p.out.cols), static_cast<int>(p.a.cols), static_cast<int>(a.leading),
                      static_cast<int>(b.leading), static_cast<int>(p.out.row_stride), p.a.data, p.b.data, p.out.data};
  switch (p.type) {
    case Compute::f32: blas_gemm<float, scipy_cblas_sgemm>(call, q.alpha, q.beta); return true;
    case Compute::f64: blas_gemm<double, scipy_cblas_dgemm>(call, q.alpha, q.beta); return true;
    case Compute::c64: blas_gemm<C64, scipy_cblas_cgemm>(call, q.alpha, q.beta); return true;
    default: blas_gemm<C128, scipy_cblas_zgemm>(call, q.alpha, q.beta); return true;
  }
}
#endif

template <class T> reference::Operands<T> operands(const Product& p) {
  return {reinterpret_cast<const T*>(p.a.data), reinterpret_cast<const T*>(p.b.data),
                                 reinterpret_cast<const T*>(p.bias), reinterpret_cast<T*>(p.out.data), p.out.rows, p.out.cols,
                                 p.a.cols, p.a.row_stride, p.a.col_stride, p.b.row_stride, p.b.col_stride, p.out.row_stride,
                                 p.alpha.to<T>(), p.beta.to<T>()};
}

template <class F> void with_type(Compute type, const F& f) {
  switch (type) {
    case Compute::f32: return f(float());
    case Compute::f64: return f(double());
    case Compute::c64: return f(C64());
    case Compute::c128: return f(C128());
    default: return f(int64_t());
  }
}

bool run_reference(const Product& p) {
  with_type(p.type, [&]<class T>(T) { reference::run<T>(operands<T>(p)); });
  return true;
}

void run_tiny(const Product& p, const Batch* batch = nullptr, int64_t begin = 0, int64_t end = 0) {
  with_type(p.type, [&]<class T>(T) { reference::run_tiny<T>(operands<T>(p), batch, begin, end); });
}

constexpr Kernel kernels[] = {
#ifdef FB_ONEDNN
    {"onednn", run_onednn, true},
#endif
#ifdef FB_OPENBLAS
    {"openblas", run_openblas, false},
#endif
    {"reference", run_reference, false},
};

void run_here(const Product& p, bool may_thread_itself) {
  for (const Kernel& k : kernels) {
    const bool last = k.name == "reference";
    if ((only_reference_kernels() && !last) || (k.threads_itself && !may_thread_itself)) continue;
    if (k.run(p)) return;
  }
}

// Rows or columns [begin, end) of a product.
Product part_of(const Product& p, bool by_rows, int64_t begin, int64_t end) {
  Product q = p;
  const int64_t bytes = element_bytes(p.type);
  if (by_rows) {
    q.a.rows = q.out.rows = end - begin;
    q.a.data += begin * p.a.row_stride * bytes;
    q.out.data += begin * p.out.row_stride * bytes;
  } else {
    q.b.cols = q.out.cols = end - begin;
    q.b.data += begin * p.b.col_stride * bytes;
    q.out.data += begin * bytes;
    if (q.bias) q.bias += begin * bytes;
  }
  return q;
}

void run_on_threads(const Product& p) {
  const int64_t work = p.work();
  if (work < 2 * thread_work || thread_count() == 1) return run_here(p, true);
#ifdef FB_ONEDNN
  if (!only_reference_kernels() && !inside_parallel() && run_onednn(p)) return;
#endif
  const bool by_rows = p.out.rows >= p.out.cols;
  const int64_t length = by_rows ? p.out.rows : p.out.cols;
  const int64_t grain = std::max<int64_t>(thread_work / std::max<int64_t>(work / length, 1), 1);
  parallel_for(length, grain, [&](int64_t begin, int64_t end) { run_here(part_of(p, by_rows, begin, end), false); });
}

}  // namespace

void gemm(const Product& p) {
  if (p.out.rows == 0 || p.out.cols == 0) return;
  const int64_t work = p.work();
  if (work <= tiny_work) return run_tiny(p);
  Unlocked unlocked(work >= unlock_work);
  run_on_threads(p);
}

void gemm_batched(const Product& p, const Batch& batch) {
  if (p.out.rows == 0 || p.out.cols == 0) return;
  const int64_t bytes = element_bytes(p.type), step = p.out.rows * p.out.row_stride * bytes;
  auto product = [&](int64_t i) {
    Product q = p;
    q.a.data += batch.a[i] * bytes;
    q.b.data += batch.b[i] * bytes;
    q.out.data += i * step;
    return q;
  };
  const int64_t work = p.work();
  Unlocked unlocked(work * batch.count >= unlock_work);
  const int64_t grain = std::max<int64_t>(thread_work / std::max<int64_t>(work, 1), 1);
  if (work <= tiny_work)
    return parallel_for(batch.count, grain, [&](int64_t begin, int64_t end) { run_tiny(p, &batch, begin, end); });
  if (batch.count < thread_count() && work >= 2 * thread_work) {
    for (int64_t i = 0; i < batch.count; ++i) run_on_threads(product(i));
    return;
  }
  parallel_for(batch.count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) run_here(product(i), true);
  });
}

void dot(Compute type, void* out, const void* x, int64_t xs, const void* y, int64_t ys, int64_t n) {
  with_type(type, [&]<class T>(T) {
    static const auto run = Clones<&reference::dot_strided<T>>::pick();
    run(static_cast<T*>(out), static_cast<const T*>(x), xs, static_cast<const T*>(y), ys, n);
  });
}

// ---- tensors
Matrix matrix_of(const Tensor& t) {
  const int d = t.dim();
  return {t.data(), t.shape()[d - 2], t.shape()[d - 1], t.strides()[d - 2], t.strides()[d - 1]};
}

namespace {

// Operands that no library takes as they are get packed when the product is large enough to pay for it.
Tensor ready(const Tensor& t, DType compute, int64_t work) {
  if (t.dtype() != compute) return contiguous(to_dtype(t, compute));
  if (work <= tiny_work || compute == DType::i64 || blas_layout(matrix_of(t)).fits) return t;
  return contiguous(t);
}

// Offsets of the matrices of `t` for every index of the batch dims of `out`.
void batch_offsets(const Tensor& t, const Dims& out, std::vector<int64_t>& offsets) {
  const int dims = out.size() - 2, lead = out.size() - t.dim();
  offsets.assign(1, 0);
  for (int d = 0; d < dims; ++d) {
    const int64_t stride = d < lead || t.shape()[d - lead] == 1 ? 0 : t.strides()[d - lead];
    std::vector<int64_t> next;
    next.reserve(offsets.size() * out[d]);
    for (int64_t base : offsets) for (int64_t i = 0; i < out[d]; ++i) next.push_back(base + i * stride);
    offsets.swap(next);
  }
}

// Can (…, m) be walked with one stride, so that a batch of products with one `b` is a single product?
bool folds(const Tensor& a, const Tensor& b, Matrix& folded) {
  for (int d = 0; d < b.dim() - 2; ++d) if (b.shape()[d] != 1) return false;
  const int rows_dim = a.dim() - 2;
  folded = matrix_of(a);
  int64_t rows = 1, stride = 0;
  for (int d = rows_dim; d >= 0; --d) {
    const int64_t size = a.shape()[d];
    if (size == 1) continue;
    if (rows == 1) stride = a.strides()[d];
    else if (a.strides()[d] != rows * stride) return false;
    rows *= size;
  }
  folded.rows = rows;
  if (rows > 1) folded.row_stride = stride;
  return true;
}

}  // namespace

void matmul_into(const Tensor& out, const Tensor& a, const Tensor& b, const Scalar& alpha, const Scalar& beta,
                 const Tensor& bias) {
  if (out.numel() == 0) return;
  const DType dtype = out.dtype(), compute = storage_of(compute_of(dtype));
  if (dtype != compute) {
    if (alpha.equals(1) && beta.equals(0) && !only_reference_kernels() && onednn::matmul_half(out, a, b, bias)) return;
    const Tensor wide = beta.equals(0) ? empty(out.shape(), compute) : contiguous(to_dtype(out, compute));
    matmul_into(wide, to_dtype(a, compute), to_dtype(b, compute), alpha, beta, bias ? to_dtype(bias, compute) : Tensor());
    return copy_(out, wide);
  }
  const int64_t work = out.numel() * a.size(-1);
  const Tensor x = ready(a, compute, work), y = ready(b, compute, work);
  Product p{compute_of(compute), matrix_of(x), matrix_of(y), matrix_of(out), alpha, beta, bias ? bias.data() : nullptr};
  if (out.dim() == 2) return gemm(p);
  Matrix folded;
  if (x.dim() == out.dim() && folds(x, y, folded)) {
    p.a = folded;
    p.out.rows = folded.rows;
    return gemm(p);
  }
  std::vector<int64_t> a_offsets, b_offsets;
  batch_offsets(x, out.shape(), a_offsets);
  batch_offsets(y, out.shape(), b_offsets);
  gemm_batched(p, {static_cast<int64_t>(a_offsets.size()), a_offsets.data(), b_offsets.data()});
}

static std::atomic<bool> onednn_on = true;
bool onednn_enabled() { return onednn_on.load(std::memory_order_relaxed); }
void enable_onednn(bool on) { onednn_on.store(on, std::memory_order_relaxed); }
bool set_onednn_verbose([[maybe_unused]] int level) {
#ifdef FB_ONEDNN
  return dnnl_set_verbose(level) == dnnl_success;
#else
  return false;
#endif
}

bool has_onednn() {
#ifdef FB_ONEDNN
  return true;
#else
  return false;
#endif
}

}  // namespace fb
