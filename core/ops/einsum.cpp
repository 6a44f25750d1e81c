#include <algorithm>

#include "op/build.h"
#include "op/registry.h"
#include "ops/contraction.h"

namespace fb {
namespace {

using Labels = std::vector<int>;
constexpr int letters = 52, ellipsis = -1, label_count = letters + Dims::max_count;

int label_of(char c) { return c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : -1; }
char letter_of(int label) { return static_cast<char>(label < 26 ? 'A' + label : 'a' + label - 26); }
std::string shown(int label) { return label < letters ? std::string(1, letter_of(label)) : std::string("..."); }

struct Equation {
  std::vector<Labels> inputs;                          // with `ellipsis` where "..." stands
  Labels output;
  bool has_output = false;
};

Equation parse(const std::string& text) {
  Equation e;
  e.inputs.emplace_back();
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    Labels& term = e.has_output ? e.output : e.inputs.back();
    const std::string where = e.has_output ? std::string("output") : fb::text("operand ", static_cast<int64_t>(e.inputs.size() - 1));
    if (c == ' ') continue;
    if (c == '.') {
      check(text.compare(i, 3, "...") == 0, "einsum: a single '.' in ", where, "; an ellipsis has three");
      check(std::find(term.begin(), term.end(), ellipsis) == term.end(), "einsum: ", where, " has two "
            "ellipses");
      term.push_back(ellipsis);
      i += 2;
    } else if (c == ',' && !e.has_output) {
      e.inputs.emplace_back();
    } else if (c == '-' && !e.has_output && text.compare(i, 2, "->") == 0) {
      e.has_output = true;
      ++i;
    } else {
      const int label = label_of(c);
      check(label >= 0, "einsum: '", std::string(1, c), "' at index ", static_cast<int64_t>(i), " of the "
            "equation is not a letter, and only letters a-z and A-Z name dims");
      check(!e.has_output || std::find(term.begin(), term.end(), label) == term.end(), "einsum: the output "
            "repeats the subscript ", shown(label));
      term.push_back(label);
    }
  }
  return e;
}

// How many dims the ellipsis of an operand stands for.
int hidden_dims(const Labels& term, const Tensor& t, int64_t operand) {
  const bool has = std::find(term.begin(), term.end(), ellipsis) != term.end();
  const int named = static_cast<int>(term.size()) - has, dims = t.dim();
  check<ShapeError>(named <= dims, "einsum: operand ", operand, " has ", dims, " dims, the equation gives "
                    "it ", named, " subscripts");
  check<ShapeError>(has || named == dims, "einsum: operand ", operand, " has ", dims, " dims, the equation "
                    "gives it ", named, " subscripts and no ellipsis for the rest");
  return dims - named;
}

Labels spelled_out(const Labels& term, int hidden, int most_hidden) {
  Labels r;
  for (int label : term) {
    if (label != ellipsis) r.push_back(label);
    else for (int i = 0; i < hidden; ++i) r.push_back(letters + most_hidden - hidden + i);
  }
  return r;
}

// Takes the diagonal of dims that share a label.
Labelled without_repeats(Tensor t, Labels labels, int64_t operand) {
  static const Op* diagonal = registry().find("diagonal");
  for (size_t i = 0; i < labels.size(); ++i)
    for (size_t j = i + 1; j < labels.size();) {
      if (labels[i] != labels[j]) {
        ++j;
        continue;
      }
      const int64_t m = t.shape()[static_cast<int>(i)], n = t.shape()[static_cast<int>(j)];
      check<ShapeError>(m == n, "einsum: operand ", operand, " has subscript ", shown(labels[i]), " twice, "
                        "with sizes ", n, " and ", m);
      check<UnsupportedError>(diagonal != nullptr, "einsum(): repeated subscripts need the op diagonal");
      Args args(t, int64_t(0), static_cast<int64_t>(i), static_cast<int64_t>(j));
      Tensor out[Schema::max_outputs];
      call(*diagonal, args, out);                      // the diagonal becomes the last dim
      const int label = labels[i];
      labels.erase(labels.begin() + j);
      labels.erase(labels.begin() + i);
      labels.push_back(label);
      t = out[0];
      j = i + 1;
      if (i >= labels.size()) break;
    }
  return {t, labels};
}

std::vector<Labelled> operands_of(const Equation& e, const Tensors& tensors, int& most_hidden) {
  check(e.inputs.size() <= tensors.size(), "einsum: the equation has ", static_cast<int64_t>(e.inputs.size()),
        " inputs, given are ", static_cast<int64_t>(tensors.size()), " operands");
  check(e.inputs.size() >= tensors.size(), "einsum: the equation has ", static_cast<int64_t>(e.inputs.size()),
        " inputs, given are ", static_cast<int64_t>(tensors.size()), " operands");
  std::vector<int> hidden;
  most_hidden = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    hidden.push_back(hidden_dims(e.inputs[i], tensors[i], static_cast<int64_t>(i)));
    most_hidden = std::max(most_hidden, hidden[i]);
  }
  std::vector<int64_t> sizes(label_count, 1);
  std::vector<Labelled> r;
  for (size_t i = 0; i < tensors.size(); ++i) {
    r.push_back(without_repeats(tensors[i], spelled_out(e.inputs[i], hidden[i], most_hidden), static_cast<int64_t>(i)));
    for (size_t d = 0; d < r[i].labels.size(); ++d) {
      int64_t& size = sizes[r[i].labels[d]];
      const int64_t here = r[i].tensor.shape()[static_cast<int>(d)];
      check<ShapeError>(size == 1 || here == 1 || size == here, "einsum: subscript ", shown(r[i].labels[d]),
                        " is of size ", here, " in operand ", static_cast<int64_t>(i), ", and of size ", size,
                        " before it");
      if (size == 1) size = here;
    }
  }
  return r;
}

Labels output_labels(const Equation& e, const std::vector<Labelled>& operands, int most_hidden) {
  std::vector<int> uses(label_count, 0);
  for (const Labels& term : e.inputs) for (int label : term) if (label != ellipsis) ++uses[label];
  Labels r;
  if (!e.has_output) {                                 // what appears once, in alphabetical order, after the ellipsis
    for (int i = 0; i < most_hidden; ++i) r.push_back(letters + i);
    for (int label = 0; label < letters; ++label) if (uses[label] == 1) r.push_back(label);
    return r;
  }
  for (int label : e.output)
    check(label == ellipsis || uses[label], "einsum: the output has subscript ", label == ellipsis ? "" :
          shown(label), ", which no input has");
  (void)operands;
  return spelled_out(e.output, most_hidden, most_hidden);
}

double elements(const Labels& labels, const std::vector<Labelled>& operands) {
  double n = 1;
  for (int label : labels) {
    int64_t size = 1;
    for (const Labelled& x : operands)
      for (size_t d = 0; d < x.labels.size(); ++d)
        if (x.labels[d] == label) size = std::max(size, x.tensor.shape()[static_cast<int>(d)]);
    n *= static_cast<double>(size);
  }
  return n;
}

std::vector<bool> needed(const std::vector<Labelled>& operands, const Labels& output, size_t without_a, size_t without_b) {
  std::vector<bool> r(label_count, false);
  for (int label : output) r[label] = true;
  for (size_t i = 0; i < operands.size(); ++i)
    if (i != without_a && i != without_b) for (int label : operands[i].labels) r[label] = true;
  return r;
}

// The pair whose product needs the least work, then the least memory.
std::pair<size_t, size_t> cheapest_pair(const std::vector<Labelled>& operands, const Labels& output) {
  std::pair<size_t, size_t> best = {0, 1};
  if (operands.size() == 2) return best;
  double least = -1, smallest = 0;
  for (size_t i = 0; i < operands.size(); ++i)
    for (size_t j = i + 1; j < operands.size(); ++j) {
      Labels all = operands[i].labels, result;
      for (int label : operands[j].labels) if (std::find(all.begin(), all.end(), label) == all.end()) all.push_back(label);
      const std::vector<bool> kept = needed(operands, output, i, j);
      for (int label : all) if (kept[label]) result.push_back(label);
      const double work = elements(all, operands), size = elements(result, operands);
      if (least >= 0 && (work > least || (work == least && size >= smallest))) continue;
      least = work;
      smallest = size;
      best = {i, j};
    }
  return best;
}

}  // namespace

struct Einsum {
  static constexpr auto schema = "einsum(str equation, Tensor[] operands) -> Tensor";
  static constexpr auto doc = R"(
    Sum of products of the operands' elements in Einstein's notation; pairs are contracted in the cheapest order found.

    Shapes: as the equation says; "..." stands for any dims, broadcast.   Dtypes: all, equal.
    Errors: RuntimeError for an equation that does not fit the operands.

    >>> fb.einsum("ij,j->i", fb.ones(2, 3), fb.ones(3))
    tensor([3., 3.])
  )";
  using kind = Composite;
  static Tensor decompose(std::string text, Tensors tensors) {
    check(!tensors.empty(), "einsum: give an operand to each input of the equation");
    const Equation e = parse(text);
    int most_hidden = 0;
    std::vector<Labelled> operands = operands_of(e, tensors, most_hidden);
    const Labels output = output_labels(e, operands, most_hidden);
    if (operands.size() == 1) return arranged(sum_away(operands[0], needed({}, output, 0, 0)), output);
    while (operands.size() > 2) contract_next(operands, output);
    bool sums = false;
    for (size_t i = 0; i < 2; ++i)
      for (int label : operands[i].labels) sums |= std::find(output.begin(), output.end(), label) == output.end();
    Scoped name(mode.grad_name, sums ? std::string_view("ViewBackward0") : std::string_view());
    contract_next(operands, output);
    return arranged(operands[0], output);
  }
  static void contract_next(std::vector<Labelled>& operands, const Labels& output) {
    const auto [i, j] = cheapest_pair(operands, output);
    operands[i] = contract(operands[i], operands[j], needed(operands, output, i, j));
    operands.erase(operands.begin() + j);
  }
};

FB_GROUP(einsum, Einsum)

}  // namespace fb
