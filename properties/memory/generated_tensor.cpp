// Generated tensors on the host: computed run by run, and written to or compared in any memory.
#include "properties/memory/generated_tensor.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "properties/memory/generated_evaluation.h"
#include "properties/memory/memory.h"

namespace tileproof::generated {

Codes codes_of(const Problem& p, Codes::Kind kind) {
  return {.kind = kind, .n = p.n, .k = p.k, .format = index_of(*p.format)};
}

Parameters parameters_of(const Problem& p, Parameters::Kind kind) {
  return {.kind = kind,
          .type = p.types.parameter,
          .scheme = index_of(*p.scheme),
          .n = p.n,
          .groups = p.groups(),
          .group_size = p.group_size};
}

}  // namespace tileproof::generated

namespace tileproof {

namespace {

/// Weights from a table: a group has at most sixteen different weights, so each is computed once, however many columns
/// share it.
template <Type type, class Used>
class TabulatedWeights {
 public:
  using Element = typename generated::WeightsOf<type, Used>::Element;
  explicit TabulatedWeights(const generated::WeightsOf<type, Used>& weights) : weights_(weights) {}

  std::int64_t elements() const { return weights_.elements(); }
  void operator()(std::int64_t first, std::uint32_t (&values)[generated::run]) {
    const generated::RunOfMatrix at = weights_.run_at(first);
    if (at.group != group_ || at.row != row_) {
      group_ = at.group;
      row_ = at.row;
      const generated::Pair pair = weights_.pair_of(at);
      if (!has_pair_ || !(pair == pair_)) weights_.weights(generated::every_code_once, pair, table_);
      has_pair_ = true;
      pair_ = pair;
    }
    const std::uint64_t codes = weights_.codes_of(at);
    for (int i = 0; i < generated::run; ++i) values[i] = table_[generated::code_of_run(codes, i)];
  }

 private:
  generated::WeightsOf<type, Used> weights_;
  std::int64_t group_ = -1;
  std::int64_t row_ = -1;
  bool has_pair_ = false;
  generated::Pair pair_ = {};
  std::uint32_t table_[generated::run] = {};
};

/// Calls `use` with the formula's evaluator that is fastest on a host.
template <class Use>
auto with_host_evaluator(const GeneratedTensor& formula, Use use) {
  return generated::with_evaluator(formula, [&use]<class Evaluator>(Evaluator evaluator) {
    if constexpr (requires { evaluator.run_at(0); }) {
      // A group of one run gains nothing from a table.
      const bool is_by_rows = evaluator.tensor.order == reference::ResultOrder::n_k;
      if (is_by_rows && evaluator.tensor.parameters.group_size > generated::run)
        return use(TabulatedWeights(evaluator));
    }
    return use(evaluator);
  });
}

/// Calls `use` with each run of a range: the index of its first element, its values, and how many there are.
template <class Evaluator, class Use>
void for_each_run(Evaluator& evaluator, std::int64_t first, std::int64_t count, Use use) {
  for (std::int64_t at = first; at < first + count; at += generated::run) {
    std::uint32_t values[generated::run] = {};
    evaluator(at, values);
    use(at, values, static_cast<int>(std::min<std::int64_t>(generated::run, first + count - at)));
  }
}

/// @param first  the start of a run
template <class Element, class Evaluator>
void write_range(Evaluator& evaluator, std::int64_t first, std::int64_t count, std::uint8_t* to) {
  for_each_run(evaluator, first, count, [&](std::int64_t at, const std::uint32_t* values, int of_run) {
    Element elements[generated::run];
    for (int i = 0; i < generated::run; ++i) elements[i] = static_cast<Element>(values[i]);
    std::uint8_t* const to_run = to + static_cast<std::size_t>(at - first) * sizeof(Element);
    if (of_run == generated::run) {
      std::memcpy(to_run, elements, sizeof elements);
    } else {
      std::memcpy(to_run, elements, static_cast<std::size_t>(of_run) * sizeof(Element));
    }
  });
}

/// Adds the differences in a range.
template <class Element, class Evaluator>
void compare_range(Evaluator& evaluator, std::int64_t first, std::int64_t count, const std::uint8_t* got,
                   const reference::FloatFormat* any_nan, Differences& differences) {
  for_each_run(evaluator, first, count, [&](std::int64_t at, const std::uint32_t* values, int of_run) {
    const std::uint8_t* const of_got = got + static_cast<std::size_t>(at - first) * sizeof(Element);
    Element elements[generated::run];
    if (of_run == generated::run) {
      std::memcpy(elements, of_got, sizeof elements);
      std::uint32_t differ = 0;
      for (int i = 0; i < generated::run; ++i) differ |= elements[i] ^ static_cast<Element>(values[i]);
      if (differ == 0) return;
    } else {
      std::memcpy(elements, of_got, static_cast<std::size_t>(of_run) * sizeof(Element));
    }
    for (int i = 0; i < of_run; ++i) {
      const auto element = static_cast<std::uint32_t>(elements[i]);
      if (elements[i] == static_cast<Element>(values[i])) continue;
      if (any_nan != nullptr && any_nan->is_nan(element) && any_nan->is_nan(values[i])) {
        ++differences.other_nans;
        continue;
      }
      if (++differences.wrong <= Differences::most_listed) differences.listed.push_back({at + i, element});
    }
  });
}

/// Calls `use` with the unsigned type of `element_bytes` bytes.
template <class Use>
auto with_element(std::size_t element_bytes, Use use) {
  if (element_bytes == 1) return use.template operator()<std::uint8_t>();
  if (element_bytes == 2) return use.template operator()<std::uint16_t>();
  return use.template operator()<std::uint32_t>();
}

/// Elements carried to or from a memory together: whole runs that fit the nearest caches.
constexpr std::int64_t block_elements = 4096;

/// The packed words of this thread's last matrix of codes, which all steps of a proof of the arithmetic share.
const std::vector<std::uint32_t>* kept_words(const GeneratedTensor& formula) {
  thread_local GeneratedTensor kept = generated::Constant{};
  thread_local std::vector<std::uint32_t> words;
  constexpr std::int64_t most_elements = 1 << 20;
  const auto* wanted = std::get_if<generated::PackedWords>(&formula);
  if (wanted == nullptr || wanted->codes.kind == generated::Codes::Kind::every_word) return nullptr;
  if (reference::formats[wanted->codes.format].layout.bytes_of_unit != sizeof words.front()) return nullptr;
  const auto* last = std::get_if<generated::PackedWords>(&kept);
  if (last != nullptr && last->codes == wanted->codes) return &words;
  const std::int64_t elements = elements_of(formula);
  if (elements > most_elements) return nullptr;
  kept = generated::Constant{};
  words.resize(static_cast<std::size_t>(elements));
  write_here(formula, sizeof(std::uint32_t), words.data());
  kept = formula;
  return &words;
}

}  // namespace

std::uint64_t generated::pairs_of(Type type, const Scheme& scheme) {
  return with_type(type, [&]<Type of_type>() {
    return reference::with_scheme(index_of(scheme), []<class Used>() {
      return std::uint64_t{1} << bits_of_number<of_type, Used::Scheme::zero_kind>;
    });
  });
}

std::int64_t elements_of(const GeneratedTensor& formula) {
  return generated::with_evaluator(formula, [](const auto& evaluator) { return evaluator.elements(); });
}

std::uint32_t element_of(const GeneratedTensor& formula, std::int64_t index) {
  return generated::with_evaluator(formula, [index](const auto& evaluator) {
    std::uint32_t run[generated::run] = {};
    evaluator(index / generated::run * generated::run, run);
    return run[index % generated::run];
  });
}

void write_here(const GeneratedTensor& formula, std::size_t element_bytes, void* to) {
  with_host_evaluator(formula, [&](auto evaluator) {
    with_element(element_bytes, [&]<class Element>() {
      write_range<Element>(evaluator, 0, evaluator.elements(), static_cast<std::uint8_t*>(to));
    });
  });
}

Differences compare_here(const GeneratedTensor& formula, std::size_t element_bytes, const void* got,
                         const reference::FloatFormat* any_nan) {
  Differences differences;
  with_host_evaluator(formula, [&](auto evaluator) {
    with_element(element_bytes, [&]<class Element>() {
      compare_range<Element>(evaluator, 0, evaluator.elements(), static_cast<const std::uint8_t*>(got), any_nan,
                             differences);
    });
  });
  return differences;
}

void Memory::write(const GeneratedTensor& formula, std::size_t element_bytes, void* to) {
  if (const auto* words = kept_words(formula)) return copy_in(to, words->data(), words->size() * sizeof words->front());
  if (is_here()) return write_here(formula, element_bytes, to);
  with_host_evaluator(formula, [&](auto evaluator) {
    with_element(element_bytes, [&]<class Element>() {
      std::array<std::uint8_t, block_elements * sizeof(Element)> block;
      for (std::int64_t first = 0; first < evaluator.elements(); first += block_elements) {
        const std::int64_t count = std::min(block_elements, evaluator.elements() - first);
        write_range<Element>(evaluator, first, count, block.data());
        copy_in(static_cast<Element*>(to) + first, block.data(), static_cast<std::size_t>(count) * sizeof(Element));
      }
    });
  });
}

Differences Memory::compare(const GeneratedTensor& formula, std::size_t element_bytes, const void* got,
                            const reference::FloatFormat* any_nan) {
  if (const auto* words = kept_words(formula)) {
    std::vector<std::uint32_t> now(words->size());
    copy_out(now.data(), got, now.size() * sizeof now.front());
    if (now == *words) return {};
  }
  if (is_here()) return compare_here(formula, element_bytes, got, any_nan);
  Differences differences;
  with_host_evaluator(formula, [&](auto evaluator) {
    with_element(element_bytes, [&]<class Element>() {
      std::array<std::uint8_t, block_elements * sizeof(Element)> block;
      for (std::int64_t first = 0; first < evaluator.elements(); first += block_elements) {
        const std::int64_t count = std::min(block_elements, evaluator.elements() - first);
        copy_out(block.data(), static_cast<const Element*>(got) + first,
                 static_cast<std::size_t>(count) * sizeof(Element));
        compare_range<Element>(evaluator, first, count, block.data(), any_nan, differences);
      }
    });
  });
  return differences;
}

}  // namespace tileproof
