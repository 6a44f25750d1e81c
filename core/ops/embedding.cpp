// Bags of embeddings: sums, means and maxima over groups of rows.
#include <algorithm>
#include <vector>

#include "kernels/rows.h"
#include "op/build.h"
#include "ops.h"

namespace fb {

struct BagSum; struct BagMax; struct IndexSelect; struct ScatterAdd; struct EmbeddingBag;

namespace {

enum BagMode : int64_t { bag_sum, bag_mean, bag_max };

template <class T> struct BagRows {
  const T *from, *factor;                              // factor: by member, may be null
  const int64_t *source, *bag;
  T* to;
  int64_t members, width;
};

// Columns [begin, end) of out[bag[i]] += factor[i] * from[source[i]].
template <class T> inline void add_rows(const BagRows<T>& k, int64_t begin, int64_t end) {
  for (int64_t i = 0; i < k.members; ++i) {
    const T* a = k.from + k.source[i] * k.width;
    T* o = k.to + k.bag[i] * k.width;
    const T f = k.factor ? k.factor[i] : T(1);
    for (int64_t j = begin; j < end; ++j) o[j] += f * a[j];
  }
}

void check_indices(const char* name, T_ t) {
  check(t.dtype() == DType::i64 || t.dtype() == DType::i32, "embedding_bag: ", name, " must be Long or Int, "
        "it is ", row(t.dtype()).legacy);
}

// Which rows go to which bag, without those of padding.
struct Bags {
  std::vector<int64_t> source, bag, place, size;       // place: the member's position among the indices
  Bags(T_ indices, T_ offsets, bool include_last_offset, int64_t rows, int64_t padding) {
    const int64_t n = indices.numel(), given = offsets.numel();
    check(!include_last_offset || given > 0, "embedding_bag: with include_last_offset, offsets needs one "
          "entry at least");
    const int64_t bags = include_last_offset ? given - 1 : given;
    const int64_t *first = offsets.data<int64_t>(), *index = indices.data<int64_t>();
    if (given) {
      check(first[0] == 0, "embedding_bag: offsets must start with 0, it starts with ", first[0]);
      check(first[given - 1] <= n, "embedding_bag: the last of offsets is ", first[given - 1], ", past the "
            "end of the ", n, " indices");
    }
    size.assign(bags, 0);
    for (int64_t b = 0; b < bags; ++b) {
      const int64_t end = b + 1 < given ? first[b + 1] : n;
      check(first[b] >= 0 && first[b] <= end, "embedding_bag: offsets must not decrease, but got ", first[b], " before ", end);
      for (int64_t i = first[b]; i < end; ++i) {
        check(index[i] >= 0 && index[i] < rows, "embedding_bag: index ", index[i], " is out of range in a "
              "weight of ", rows, " rows");
        if (index[i] == padding) continue;
        source.push_back(index[i]);
        bag.push_back(b);
        place.push_back(i);
        ++size[b];
      }
    }
  }
};

// The kernels add rows unchecked, so that lists from elsewhere are checked first.
void check_members(T_ weight, T_ indices, T_ offsets, T_ factors, int64_t bags) {
  check(weight.dim() == 2 && is_floating(weight.dtype()), "embedding_bag: weight must be a floating matrix, but got ", row(weight.dtype()).legacy,
        " of shape ", weight.shape().list());
  check(bags >= 0, "embedding_bag: negative number of bags ", bags);
  for (const Tensor& t : {indices, offsets})
    check(t.dtype() == DType::i64 && t.dim() == 1 && t.is_contiguous() && t.numel() == indices.numel(),
          "embedding_bag: members must be int64 vectors of one length, but got ", row(t.dtype()).legacy, " of shape ", t.shape().list());
  check(!factors || (factors.dim() == 1 && factors.numel() == indices.numel()), "embedding_bag: a factor is needed for each of ", indices.numel(),
        " members");
  const int64_t *source = indices.data<int64_t>(), *bag = offsets.data<int64_t>(), rows = weight.shape()[0];
  for (int64_t i = 0; i < indices.numel(); ++i)
    check(source[i] >= 0 && source[i] < rows && bag[i] >= 0 && bag[i] < bags, "embedding_bag: member ", i, " lies outside: row ", source[i], " of ",
          rows, ", bag ", bag[i], " of ", bags);
}

Tensor whole_numbers_of(const std::vector<int64_t>& v) {
  Tensor t = empty({static_cast<int64_t>(v.size())}, DType::i64);
  std::copy(v.begin(), v.end(), t.data<int64_t>());
  return t;
}

}  // namespace

// The adjoint of adding rows to bags is adding them with the two index lists exchanged.
struct BagSum {
  static constexpr auto schema = "_bag_sum(Tensor weight, Tensor indices, Tensor offsets, Tensor? per_sample_weights, "
                                 "Tensor? count, int bags) -> Tensor";
  static constexpr auto doc = "Row indices[i] of weight times per_sample_weights[i], added to row offsets[i] of zeros; gradients are divided by count.";
  using kind = Opaque;
  static constexpr auto grad_name = "EmbeddingBagBackward0";
  static Tensor kernel(Tensor weight, Tensor indices, Tensor offsets, Tensor factors, Tensor, int64_t bags) {
    check_members(weight, indices, offsets, factors, bags);
    const DType type = computed_as(weight.dtype());
    const Tensor x = contiguous(to_dtype(weight, type)), f = factors ? contiguous(to_dtype(factors, type)) : factors;
    const int64_t width = weight.shape()[1];
    Tensor out = zeros({bags, width}, type);
    by_real(type, [&]<class T>(T) {
      const BagRows<T> k{x.data<T>(), f ? f.data<T>() : nullptr, indices.data<int64_t>(), offsets.data<int64_t>(), out.data<T>(),
                         indices.numel(), width};
      const auto add = Clones<&add_rows<T>>::pick();
      parallel_for(width, std::max<int64_t>(32, row_grain(k.members)), [&](int64_t b, int64_t e) { add(k, b, e); });
    });
    return to_dtype(out, weight.dtype());
  }
  static Tensor vjp_weight(Tensor g, Shape<0> sizes, In<1> indices, In<2> offsets, In<3> factors, In<4> count) {
    Tensor f = factors;
    if (count) f = f ? f / count : 1.0 / to_dtype(count, g.dtype());
    return call_op<BagSum>(g, offsets, indices, f, Tensor(), sizes[0]);
  }
  static Tensor vjp_per_sample_weights(Tensor g, In<0> weight, In<1> indices, In<2> offsets) {
    return sum(call_op<IndexSelect>(g, 0, offsets) * call_op<IndexSelect>(weight, 0, indices), Dims{-1});
  }
  static NoGrad vjp_indices();
  static NoGrad vjp_offsets();
  static NoGrad vjp_count();
};

struct BagMax {
  static constexpr auto schema = "_bag_max(Tensor weight, Tensor indices, Tensor offsets, int bags) -> (Tensor, Tensor)";
  static constexpr auto doc = "The largest elements of the rows of each bag and their rows; 0 and -1 for empty bags.";
  using kind = Opaque;
  static constexpr auto grad_name = "EmbeddingBagBackward0";
  static Outputs<2> kernel(Tensor weight, Tensor indices, Tensor offsets, int64_t bags) {
    check_members(weight, indices, offsets, Tensor(), bags);
    const DType type = computed_as(weight.dtype());
    const Tensor x = contiguous(to_dtype(weight, type));
    const int64_t width = weight.shape()[1], n = indices.numel();
    Tensor out = zeros({bags, width}, type), rows = full({bags, width}, Scalar(-1), DType::i64);
    by_real(type, [&]<class T>(T) {
      for (int64_t i = 0; i < n; ++i) {
        const int64_t source = indices.data<int64_t>()[i], at = offsets.data<int64_t>()[i] * width;
        const T* a = x.data<T>() + source * width;
        T* o = out.data<T>() + at;
        int64_t* r = rows.data<int64_t>() + at;
        for (int64_t j = 0; j < width; ++j)
          if (r[j] < 0 || a[j] > o[j]) o[j] = a[j], r[j] = source;
      }
    });
    return {to_dtype(out, weight.dtype()), rows};
  }
  static Tensor vjp_weight(Tensor g, Shape<0> sizes, OutAt<1> rows) {
    const Tensor kept = where(ge(rows, 0), g, zeros(Dims(), g.dtype())), index = where(ge(rows, 0), rows, zeros(Dims(), DType::i64));
    return call_op<ScatterAdd>(zeros(sizes, g.dtype()), 0, index, kept);
  }
  static NoGrad vjp_indices();
  static NoGrad vjp_offsets();
};

struct EmbeddingBag {
  static constexpr auto schema = "embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, "
                                 "bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, "
                                 "int? padding_idx=None) -> (Tensor, Tensor, Tensor, Tensor)";
  static constexpr auto doc = R"(
    Sums (mode 0), means (1) or maxima (2) of bags of rows of weight: bag b holds indices[offsets[b]:offsets[b + 1]].
    Gradients are dense whatever `sparse` says.

    Shapes: weight (V, D), indices (N), offsets (B), per_sample_weights (N) → (B, D); the bag of each member; the
    sizes of the bags, zeros for sums; and for maxima the rows they came from.   Dtypes: weight floating, indices int64 or int32.
    Errors: RuntimeError for indices outside the weight, offsets that do not start with 0 or end beyond the indices.

    >>> fb.embedding_bag(fb.tensor([[1.], [2.]]), fb.tensor([0, 1, 1]), fb.tensor([0, 2]))[0]
    tensor([[3.],
            [2.]])
  )";
  using kind = Composite;
  static void examine_bags(T_ weight, T_ indices, T_ offsets, int64_t mode, T_ factors) {
    check(weight.dim() == 2, "embedding_bag: weight has to be 2-D, but got shape ", weight.shape().list());
    check(indices.dim() == 1 && offsets.dim() == 1, "embedding_bag: indices and offsets have to be 1-D, but got shapes ",
          indices.shape().list(), " and ", offsets.shape().list());
    check_indices("indices", indices);
    check_indices("offsets", offsets);
    check(is_floating(weight.dtype()), "Expected tensor for argument 'weight' to have a floating scalar type, but got ",
          row(weight.dtype()).legacy, " instead (while checking arguments for embedding_bag)");
    check(mode >= bag_sum && mode <= bag_max, "embedding_bag: unknown mode ", mode, "; choose 0 (sum), 1 "
          "(mean) or 2 (max)");
    if (!factors) return;
    check(mode == bag_sum, "embedding_bag: per_sample_weights can only be summed; use mode='sum'");
    check(factors.dtype() == weight.dtype(), "expected scalar type ", row(weight.dtype()).legacy, " but found ", row(factors.dtype()).legacy,
          " for per_sample_weights");
    check(factors.shape() == indices.shape(), "expected per_sample_weights of shape ", indices.shape().list(), " but got ",
          factors.shape().list());
  }
  static Outputs<4> decompose(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq, int64_t mode, bool,
                              Tensor factors, bool include_last_offset, std::optional<int64_t> padding_idx) {
    examine_bags(weight, indices, offsets, mode, factors);
    const int64_t rows = weight.shape()[0];
    int64_t padding = padding_idx.value_or(-1);
    check(!padding_idx || (padding >= -rows && padding < rows), "padding_idx=", padding, " is no row of a "
          "weight of ", rows, " rows; it may lie from ", -rows, " to ", rows - 1);
    if (padding_idx && padding < 0) padding += rows;
    const Tensor index = contiguous(to_dtype(indices, DType::i64));
    const Bags k(index, contiguous(to_dtype(offsets, DType::i64)), include_last_offset, rows, padding);
    const int64_t bags = static_cast<int64_t>(k.size.size());
    const Tensor source = whole_numbers_of(k.source), bag = whole_numbers_of(k.bag), sizes = whole_numbers_of(k.size);
    if (mode == bag_max) {
      const auto r = call_outputs<2, BagMax>(weight, source, bag, bags);
      return {r[0], bag, sizes, r[1]};
    }
    Tensor f, count;
    if (mode == bag_mean) f = 1.0 / to_dtype(call_op<IndexSelect>(sizes, 0, bag), weight.dtype());
    else if (factors) f = k.place.size() == static_cast<size_t>(index.numel()) ? factors
                                                                             : call_op<IndexSelect>(factors, 0, whole_numbers_of(k.place));
    if (scale_grad_by_freq) {
      std::vector<int64_t> often(rows), each;
      for (int64_t s : k.source) ++often[s];
      for (int64_t s : k.source) each.push_back(often[s]);
      count = to_dtype(whole_numbers_of(each), weight.dtype());
    }
    const Tensor shown = mode == bag_sum ? zeros_like(sizes) : sizes;   // PyTorch does not count what it only adds
    return {call_op<BagSum>(weight, source, bag, f, count, bags), bag, shown, clone(shown)};
  }
};

FB_GROUP(embedding, BagSum, BagMax, EmbeddingBag)

}  // namespace fb
