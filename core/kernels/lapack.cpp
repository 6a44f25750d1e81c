#include "kernels/lapack.h"

#include <algorithm>
#include <memory>

#include "kernels/lapack_eigen_reference.h"
#include "kernels/lapack_jacobi_reference.h"
#include "kernels/lapack_ldl_reference.h"
#include "kernels/lapack_reference.h"

#ifdef FB_OPENBLAS
// Lengths of character arguments follow all others, as gfortran passes them.
extern "C" {
void scipy_openblas_set_num_threads(int n);
#define FB_LAPACK(p, unitary)                                                                                \
  void scipy_##p##potrf_(const char*, const int*, void*, const int*, int*, size_t);                          \
  void scipy_##p##getrf_(const int*, const int*, void*, const int*, int*, int*);                             \
  void scipy_##p##trsm_(const char*, const char*, const char*, const char*, const int*, const int*,          \
                        const void*,                                                                         \
                        const void*, const int*, void*, const int*, size_t, size_t, size_t, size_t);         \
  void scipy_##p##geqrf_(const int*, const int*, void*, const int*, void*, void*, const int*, int*);         \
  void scipy_##p##unitary##gqr_(const int*, const int*, const int*, void*, const int*, const void*, void*,   \
                                const int*, int*);                                                           \
  void scipy_##p##unitary##mqr_(const char*, const char*, const int*, const int*, const int*, const void*,   \
                                const int*, const void*, void*, const int*, void*, const int*, int*, size_t, \
                                size_t);                                                                     \
  void scipy_##p##sytrf_(const char*, const int*, void*, const int*, int*, void*, const int*, int*, size_t); \
  void scipy_##p##sytrs_(const char*, const int*, const int*, const void*, const int*, const int*, void*,    \
                         const int*, int*, size_t);
#define FB_LAPACK_REAL(p)                                                                                    \
  void scipy_##p##syevd_(const char*, const char*, const int*, void*, const int*, void*, void*,              \
                         const int*, int*,                                                                   \
                         const int*, int*, size_t, size_t);                                                  \
  void scipy_##p##geev_(const char*, const char*, const int*, void*, const int*, void*, void*, void*,        \
                        const int*,                                                                          \
                        void*, const int*, void*, const int*, int*, size_t, size_t);                         \
  void scipy_##p##gesdd_(const char*, const int*, const int*, void*, const int*, void*, void*, const int*,   \
                         void*,                                                                              \
                         const int*, void*, const int*, int*, int*, size_t);                                 \
  void scipy_##p##gesvd_(const char*, const char*, const int*, const int*, void*, const int*, void*, void*,  \
                         const int*, void*, const int*, void*, const int*, int*, size_t, size_t);
#define FB_LAPACK_COMPLEX(p)                                                                                 \
  void scipy_##p##heevd_(const char*, const char*, const int*, void*, const int*, void*, void*,              \
                         const int*, void*,                                                                  \
                         const int*, int*, const int*, int*, size_t, size_t);                                \
  void scipy_##p##geev_(const char*, const char*, const int*, void*, const int*, void*, void*, const int*,   \
                        void*,                                                                               \
                        const int*, void*, const int*, void*, int*, size_t, size_t);                         \
  void scipy_##p##gesdd_(const char*, const int*, const int*, void*, const int*, void*, void*, const int*,   \
                         void*,                                                                              \
                         const int*, void*, const int*, void*, int*, int*, size_t);                          \
  void scipy_##p##gesvd_(const char*, const char*, const int*, const int*, void*, const int*, void*, void*,  \
                         const int*, void*, const int*, void*, const int*, void*, int*, size_t, size_t);     \
  void scipy_##p##hetrf_(const char*, const int*, void*, const int*, int*, void*, const int*, int*, size_t); \
  void scipy_##p##hetrs_(const char*, const int*, const int*, const void*, const int*, const int*, void*,    \
                         const int*, int*, size_t);
FB_LAPACK(s, or) FB_LAPACK(d, or) FB_LAPACK(c, un) FB_LAPACK(z, un)
FB_LAPACK_REAL(s) FB_LAPACK_REAL(d) FB_LAPACK_COMPLEX(c) FB_LAPACK_COMPLEX(z)
}
#endif

namespace fb::lapack {
namespace {

#ifdef FB_OPENBLAS
template <class T> struct Routines;
#define FB_ROUTINES(T, p, unitary, eig)                                                                      \
  template <> struct Routines<T> {                                                                           \
    static constexpr auto potrf = scipy_##p##potrf_;                                                         \
    static constexpr auto getrf = scipy_##p##getrf_;                                                         \
    static constexpr auto trsm = scipy_##p##trsm_;                                                           \
    static constexpr auto geqrf = scipy_##p##geqrf_;                                                         \
    static constexpr auto gqr = scipy_##p##unitary##gqr_;                                                    \
    static constexpr auto mqr = scipy_##p##unitary##mqr_;                                                    \
    static constexpr auto sytrf = scipy_##p##sytrf_;                                                         \
    static constexpr auto sytrs = scipy_##p##sytrs_;                                                         \
    static constexpr auto hetrf = scipy_##p##eig##trf_;                                                      \
    static constexpr auto hetrs = scipy_##p##eig##trs_;                                                      \
    static constexpr auto eigh = scipy_##p##eig##evd_;                                                       \
    static constexpr auto geev = scipy_##p##geev_;                                                           \
    static constexpr auto gesdd = scipy_##p##gesdd_;                                                         \
    static constexpr auto gesvd = scipy_##p##gesvd_;                                                         \
  };
FB_ROUTINES(float, s, or, sy)
FB_ROUTINES(double, d, or, sy)
FB_ROUTINES(C64, c, un, he)
FB_ROUTINES(C128, z, un, he)

bool use_library() {
  // threads are ours to spread
  static const bool wanted = (scipy_openblas_set_num_threads(1), !only_reference_kernels());
  return wanted;
}
// Matrices so small that a call of the library takes longer than the work.
bool tiny(int m, int n) { return m <= 8 && n <= 8; }
template <class T> int length_of(T wanted) {           // what a workspace query answered
  if constexpr (requires { wanted.re; }) return std::max(1, static_cast<int>(wanted.re));
  else return std::max(1, static_cast<int>(wanted));
}
template <class T> struct Space {                      // uninitialised, at least one element
  explicit Space(int64_t n) : data(new T[static_cast<size_t>(std::max<int64_t>(n, 1))]) {}
  std::unique_ptr<T[]> data;
  operator T*() { return data.get(); }
};
#endif

}  // namespace

template <class T> int cholesky(bool upper, int n, T* a, int lda) {
#ifdef FB_OPENBLAS
  if (use_library() && !tiny(n, n)) {
    int info = 0;
    Routines<T>::potrf(upper ? "U" : "L", &n, a, &lda, &info, 1);
    return info;
  }
#endif
  return reference::cholesky(upper, n, a, lda);
}

template <class T> int lu(int m, int n, T* a, int lda, int* pivots) {
#ifdef FB_OPENBLAS
  if (use_library() && !tiny(m, n)) {
    int info = 0;
    Routines<T>::getrf(&m, &n, a, &lda, pivots, &info);
    return info;
  }
#endif
  return reference::lu(m, n, a, lda, pivots);
}

template <class T>
void solve_triangle(bool left, bool upper, Apply op, bool unit, int m, int n, const T* a, int lda, T* b,
                    int ldb) {
#ifdef FB_OPENBLAS
  if (use_library() && !tiny(m, n)) {
    const T one(1);
    Routines<T>::trsm(left ? "L" : "R", upper ? "U" : "L", op == Apply::plain ? "N" : op == Apply::adjoint
                      ? "C" : "T",
                      unit ? "U" : "N", &m, &n, &one, a, &lda, b, &ldb, 1, 1, 1, 1);
    return;
  }
#endif
  reference::solve_triangle(left, upper, op, unit, m, n, a, lda, b, ldb);
}

template <class T> void qr(int m, int n, T* a, int lda, T* tau) {
#ifdef FB_OPENBLAS
  if (use_library()) {
    int info = 0, length = -1;
    T wanted;
    Routines<T>::geqrf(&m, &n, a, &lda, tau, &wanted, &length, &info);
    length = length_of(wanted);
    Space<T> work(length);
    Routines<T>::geqrf(&m, &n, a, &lda, tau, work, &length, &info);
    return;
  }
#endif
  reference::qr(m, n, a, lda, tau);
}

template <class T> void form_q(int m, int n, int k, T* a, int lda, const T* tau) {
#ifdef FB_OPENBLAS
  if (use_library()) {
    int info = 0, length = -1;
    T wanted;
    Routines<T>::gqr(&m, &n, &k, a, &lda, tau, &wanted, &length, &info);
    length = length_of(wanted);
    Space<T> work(length);
    Routines<T>::gqr(&m, &n, &k, a, &lda, tau, work, &length, &info);
    return;
  }
#endif
  reference::form_q(m, n, k, a, lda, tau);
}

template <class T>
void apply_q(bool left, bool adjoint, int m, int n, int k, const T* a, int lda, const T* tau, T* c, int ldc) {
#ifdef FB_OPENBLAS
  if (use_library()) {
    int info = 0, length = -1;
    T wanted;
    const char *side = left ? "L" : "R", *op = !adjoint ? "N" : is_complex_type<T> ? "C" : "T";
    Routines<T>::mqr(side, op, &m, &n, &k, a, &lda, tau, c, &ldc, &wanted, &length, &info, 1, 1);
    length = length_of(wanted);
    Space<T> work(length);
    Routines<T>::mqr(side, op, &m, &n, &k, a, &lda, tau, c, &ldc, work, &length, &info, 1, 1);
    return;
  }
#endif
  reference::apply_q(left, adjoint, m, n, k, a, lda, tau, c, ldc);
}

template <class T> int hermitian_eigen(bool vectors, bool upper, int n, T* a, int lda, RealOf<T>* values) {
#ifdef FB_OPENBLAS
  if (use_library()) {
    using R = RealOf<T>;
    int info = 0, length = -1, real_length = -1, whole_length = -1, whole_wanted = 0;
    T wanted;
    R real_wanted;
    const char *job = vectors ? "V" : "N", *uplo = upper ? "U" : "L";
    if constexpr (is_complex_type<T>) {
      Routines<T>::eigh(job, uplo, &n, a, &lda, values, &wanted, &length, &real_wanted, &real_length,
                        &whole_wanted,
                        &whole_length, &info, 1, 1);
      length = length_of(wanted);
      real_length = length_of(real_wanted);
      whole_length = std::max(1, whole_wanted);
      Space<T> work(length);
      Space<R> real_work(real_length);
      Space<int> whole_work(whole_length);
      Routines<T>::eigh(job, uplo, &n, a, &lda, values, work, &length, real_work, &real_length, whole_work,
                        &whole_length,
                        &info, 1, 1);
    } else {
      Routines<T>::eigh(job, uplo, &n, a, &lda, values, &wanted, &length, &whole_wanted, &whole_length, &info,
                        1, 1);
      length = length_of(wanted);
      whole_length = std::max(1, whole_wanted);
      Space<T> work(length);
      Space<int> whole_work(whole_length);
      Routines<T>::eigh(job, uplo, &n, a, &lda, values, work, &length, whole_work, &whole_length, &info, 1,
                        1);
    }
    return info;
  }
#endif
  return reference::hermitian_eigen(vectors, upper, n, a, lda, values);
}

#ifdef FB_OPENBLAS
// LAPACK gives the eigenvectors of a real matrix as pairs of real and imaginary parts.
template <class R>
void unpack_pairs(int n, const R* re, const R* im, const R* v, math::Complex<R>* values,
                  math::Complex<R>* vectors) {
  for (int j = 0; j < n; ++j) {
    values[j] = {re[j], im[j]};
    const bool pair = im[j] != R(0) && j + 1 < n;
    if (pair) values[j + 1] = {re[j + 1], im[j + 1]};
    if (vectors) for (int64_t i = 0; i < n; ++i) {
      const R x = v[i + int64_t(j) * n], y = pair ? v[i + int64_t(j + 1) * n] : R(0);
      vectors[i + int64_t(j) * n] = {x, y};
      if (pair) vectors[i + int64_t(j + 1) * n] = {x, -y};
    }
    j += pair;
  }
}
#endif

template <class T>
int eigen(int n, T* a, int lda, math::Complex<RealOf<T>>* values, math::Complex<RealOf<T>>* vectors) {
#ifdef FB_OPENBLAS
  if (use_library()) {
    using R = RealOf<T>;
    int info = 0, length = -1;
    const int one = 1, ld = std::max(n, 1);
    T wanted;
    const char* job = vectors ? "V" : "N";
    if constexpr (is_complex_type<T>) {
      Space<R> real_work(2 * n);
      Routines<T>::geev("N", job, &n, a, &lda, values, nullptr, &one, vectors, &ld, &wanted, &length,
                        real_work, &info, 1, 1);
      length = length_of(wanted);
      Space<T> work(length);
      Routines<T>::geev("N", job, &n, a, &lda, values, nullptr, &one, vectors, &ld, work, &length, real_work,
                        &info, 1, 1);
    } else {
      Space<R> re(n), im(n), v(vectors ? int64_t(n) * n : 1);
      Routines<T>::geev("N", job, &n, a, &lda, re, im, nullptr, &one, v, &ld, &wanted, &length, &info, 1, 1);
      length = length_of(wanted);
      Space<T> work(length);
      Routines<T>::geev("N", job, &n, a, &lda, re, im, nullptr, &one, v, &ld, work, &length, &info, 1, 1);
      unpack_pairs<R>(n, re, im, v, values, vectors);
    }
    return info;
  }
#endif
  return reference::eigen(n, a, lda, values, vectors);
}

template <class T>
int svd(Vectors vectors, [[maybe_unused]] char driver, int m, int n, T* a, int lda, RealOf<T>* s, T* u,
        int ldu, T* vh, int ldvh) {
#ifdef FB_OPENBLAS
  if (use_library()) {
    using R = RealOf<T>;
    int info = 0, length = -1;
    const int64_t small = std::min(m, n), large = std::max(m, n);
    T wanted;
    const char* job = vectors == Vectors::none ? "N" : vectors == Vectors::all ? "A" : "S";
    Space<int> whole_work(8 * small);
    Space<R> real_work(is_complex_type<T> ? small * std::max(5 * small + 7, 2 * large + 2 * small + 1) + 5 *
                       small : 1);
    auto run = [&](T* work) {
      if constexpr (is_complex_type<T>) {
        if (driver == 'v') Routines<T>::gesvd(job, job, &m, &n, a, &lda, s, u, &ldu, vh, &ldvh, work, &length,
                                              real_work, &info, 1, 1);
        else Routines<T>::gesdd(job, &m, &n, a, &lda, s, u, &ldu, vh, &ldvh, work, &length, real_work,
                                whole_work, &info, 1);
      } else {
        if (driver == 'v') Routines<T>::gesvd(job, job, &m, &n, a, &lda, s, u, &ldu, vh, &ldvh, work, &length,
                                              &info, 1, 1);
        else Routines<T>::gesdd(job, &m, &n, a, &lda, s, u, &ldu, vh, &ldvh, work, &length, whole_work, &info,
                                1);
      }
    };
    run(&wanted);
    length = length_of(wanted);
    Space<T> work(length);
    run(work);
    return info;
  }
#endif
  return reference::svd(vectors, m, n, a, lda, s, u, ldu, vh, ldvh);
}

template <class T> int ldl(bool hermitian, int n, T* a, int lda, int* pivots) {
#ifdef FB_OPENBLAS
  if (use_library()) {
    int info = 0, length = -1;
    T wanted;
    const auto factor = hermitian ? Routines<T>::hetrf : Routines<T>::sytrf;
    factor("L", &n, a, &lda, pivots, &wanted, &length, &info, 1);
    length = length_of(wanted);
    Space<T> work(length);
    factor("L", &n, a, &lda, pivots, work, &length, &info, 1);
    return info;
  }
#endif
  return reference::ldl(hermitian, n, a, lda, pivots);
}

template <class T>
void solve_ldl(bool hermitian, int n, int columns, const T* a, int lda, const int* pivots, T* b, int ldb) {
#ifdef FB_OPENBLAS
  if (use_library()) {
    int info = 0;
    const auto solve = hermitian ? Routines<T>::hetrs : Routines<T>::sytrs;
    solve("L", &n, &columns, a, &lda, pivots, b, &ldb, &info, 1);
    return;
  }
#endif
  reference::solve_ldl(hermitian, n, columns, a, lda, pivots, b, ldb);
}

#define FB_INSTANCE(T)                                                                                       \
  template int cholesky(bool, int, T*, int);                                                                 \
  template int lu(int, int, T*, int, int*);                                                                  \
  template void solve_triangle(bool, bool, Apply, bool, int, int, const T*, int, T*, int);                   \
  template void qr(int, int, T*, int, T*);                                                                   \
  template void form_q(int, int, int, T*, int, const T*);                                                    \
  template void apply_q(bool, bool, int, int, int, const T*, int, const T*, T*, int);                        \
  template int hermitian_eigen(bool, bool, int, T*, int, RealOf<T>*);                                        \
  template int eigen(int, T*, int, math::Complex<RealOf<T>>*, math::Complex<RealOf<T>>*);                    \
  template int svd(Vectors, char, int, int, T*, int, RealOf<T>*, T*, int, T*, int);                          \
  template int ldl(bool, int, T*, int, int*);                                                                \
  template void solve_ldl(bool, int, int, const T*, int, const int*, T*, int);
FB_INSTANCE(float)
FB_INSTANCE(double)
FB_INSTANCE(C64)
FB_INSTANCE(C128)

}  // namespace fb::lapack
