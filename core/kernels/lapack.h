#pragma once
#include <type_traits>

#include "kernels/gemm.h"
#include "math/complex.h"

// Factorizations of one matrix of T = float, double or Complex of either. Matrices lie in column-major order:
// element (i, j) is at a[i + j * lda]. LAPACK does the work where OpenBLAS is there, the reference elsewhere.
// An int result is 0 or says where a factorization broke down, counted from one.
namespace fb::lapack {

using C64 = math::Complex<float>;
using C128 = math::Complex<double>;
template <class T> struct RealPart { using type = T; };
template <class T> struct RealPart<math::Complex<T>> { using type = T; };
template <class T> using RealOf = typename RealPart<T>::type;
template <class T> inline constexpr bool is_complex_type = !std::is_same_v<T, RealOf<T>>;

enum class Apply { plain, transposed, adjoint };
enum class Vectors { none, reduced, all };

// Turns the triangle of a Hermitian positive definite matrix into its Cholesky factor; leaves the other
// alone.
template <class T> int cholesky(bool upper, int n, T* a, int lda);
// Row interchanges (from one) and the factors L, with its unit diagonal left out, and U, in place.
template <class T> int lu(int m, int n, T* a, int lda, int* pivots);
// b := op(a)⁻¹ b, or b op(a)⁻¹ when not left; b is m×n.
template <class T>
void solve_triangle(bool left, bool upper, Apply op, bool unit, int m, int n, const T* a, int lda, T* b,
                    int ldb);

// Householder form: R above the diagonal, the reflectors I - tau v vᴴ below it.
template <class T> void qr(int m, int n, T* a, int lda, T* tau);
// k reflectors multiplied out: n columns of their product, m×n, in place.
template <class T> void form_q(int m, int n, int k, T* a, int lda, const T* tau);
// c := Q c, Qᴴ c, c Q or c Qᴴ, with k reflectors.
template <class T>
void apply_q(bool left, bool adjoint, int m, int n, int k, const T* a, int lda, const T* tau, T* c, int ldc);

// Ascending eigenvalues of a Hermitian matrix from one triangle; the eigenvectors replace it if asked for.
template <class T> int hermitian_eigen(bool vectors, bool upper, int n, T* a, int lda, RealOf<T>* values);
// Eigenvalues, and right eigenvectors of length one (n×n), of any square matrix, which is destroyed.
template <class T>
int eigen(int n, T* a, int lda, math::Complex<RealOf<T>>* values, math::Complex<RealOf<T>>* vectors);
// a = u diag(s) vh, with `a` destroyed; driver 'd' divides and conquers, 'v' iterates.
template <class T>
int svd(Vectors vectors, char driver, int m, int n, T* a, int lda, RealOf<T>* s, T* u, int ldu, T* vh,
        int ldvh);

// Bunch-Kaufman factors of the lower triangle, and solving with them.
template <class T> int ldl(bool hermitian, int n, T* a, int lda, int* pivots);
template <class T>
void solve_ldl(bool hermitian, int n, int columns, const T* a, int lda, const int* pivots, T* b, int ldb);

}  // namespace fb::lapack
