// Generated tensors on the host: computed run by run, and written to or compared in any memory.
#include "properties/memory/generated_tensor.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <stdexcept>

#include "properties/memory/generated_evaluation.h"
#include "properties/memory/memory.h"

namespace tileproof::generated {

Codes codes_of(const Problem& p, Codes::Kind kind) {
  return {.kind = kind, .n = p.n, .k = p.k, .format = index_of(*p.format)};
}

Codes in_format(const Format& format, Codes codes) {
  codes.format = index_of(format);
  return codes;
}

Parameters parameters_of(const Problem& p, Parameters::Kind kind) {
  return {.kind = kind,
          .type = p.types.parameter,
          .scheme = index_of(*p.scheme),
          .n = p.groups().n,
          .groups = p.groups().k,
          .group_size = p.group_size,
          .cross_rows = !p.format->groups_divide_rows};
}

}  // namespace tileproof::generated

namespace tileproof {

namespace {

/// Weights from a table: a group has at most sixteen different weights, so each is computed once, however many columns
/// share it.
template <class WeightsOf>
class TabulatedWeights {
 public:
  using Element = typename WeightsOf::Element;
  explicit TabulatedWeights(const WeightsOf& weights) : weights_(weights) {}

  std::int64_t elements() const { return weights_.elements(); }
  void operator()(std::int64_t first, std::uint32_t (&values)[generated::run]) {
    const generated::RunOfMatrix at = weights_.run_at(first);
    if (!(at.group == group_)) {
      group_ = at.group;
      const generated::Pair pair = weights_.pair_of(at);
      if (!has_pair_ || !(pair == pair_)) tabulate(pair);
      has_pair_ = true;
      pair_ = pair;
    }
    const std::uint64_t codes = weights_.codes_of(at);
    for (int i = 0; i < generated::run; ++i) values[i] = table_[generated::code_of_run(codes, i)];
  }

 private:
  /// Its steps are inlined: called one by one, they take four times as long.
  [[gnu::flatten]] void tabulate(const generated::Pair& pair) {
    weights_.weights(generated::every_code_once, pair, table_);
  }

  WeightsOf weights_;
  reference::Element group_ = {-1, -1};
  bool has_pair_ = false;
  generated::Pair pair_ = {};
  std::uint32_t table_[generated::run] = {};
};

/// Elements computed one by one, of a tensor of any size. It is one type for all evaluators, so that loops over its
/// elements are compiled once.
struct OneByOne {
  std::int64_t count;
  std::function<std::uint32_t(std::int64_t index)> element;

  std::int64_t elements() const { return count; }
  void operator()(std::int64_t first, std::uint32_t (&values)[generated::run]) const {
    for (int i = 0; i < generated::run && first + i < count; ++i) values[i] = element(first + i);
  }
};

/// Calls `use` with an evaluator, or, where the formula is not in runs, with its elements one by one.
template <class Evaluator, class Use>
void with_any_size(const Evaluator& evaluator, bool in_runs, Use use) {
  if constexpr (requires { evaluator.element(0); }) {
    if (!in_runs) {
      return use(OneByOne{evaluator.elements(), [=](std::int64_t index) { return evaluator.element(index); }});
    }
  }
  use(evaluator);
}

/// Calls `use` with the formula's evaluator.
/// @throws std::logic_error if the formula is of a tensor that its scheme does not have: nothing would be judged
template <class Use>
void with_evaluator(const GeneratedTensor& formula, Use use) {
  if (!generated::with_evaluator(formula, use)) throw std::logic_error("a formula of a tensor that is not there");
}

/// Calls `use` with the formula's evaluator that is fastest on a host, and with the unsigned type of `element_bytes`
/// bytes.
template <class Use>
void with_host_evaluator(const GeneratedTensor& formula, std::size_t element_bytes, Use use) {
  const auto with_element = [&](auto evaluator) {
    if (element_bytes == 1) return use.template operator()<std::uint8_t>(evaluator);
    if (element_bytes == 2) return use.template operator()<std::uint16_t>(evaluator);
    use.template operator()<std::uint32_t>(evaluator);
  };
  const bool in_runs = is_in_runs(formula);
  with_evaluator(formula, [&]<class Evaluator>(Evaluator evaluator) {
    if constexpr (requires { evaluator.run_at(0); }) {
      // A group of one run gains nothing from a table.
      const bool is_by_rows = evaluator.tensor.order == reference::ResultOrder::n_k;
      if (in_runs && is_by_rows && evaluator.tensor.parameters.group_size > generated::run)
        return with_element(TabulatedWeights(evaluator));
    }
    with_any_size(evaluator, in_runs, with_element);
  });
}

/// Calls `use` with each run: the index of its first element, its values, and how many there are.
template <class Evaluator, class Use>
void for_each_run(Evaluator& evaluator, Use use) {
  const std::int64_t elements = evaluator.elements();
  for (std::int64_t at = 0; at < elements; at += generated::run) {
    std::uint32_t values[generated::run] = {};
    evaluator(at, values);
    use(at, values, static_cast<int>(std::min<std::int64_t>(generated::run, elements - at)));
  }
}

/// The packed words of this thread's last matrix of codes, which all steps of a proof of the arithmetic share.
const std::vector<std::uint32_t>* kept_words(const GeneratedTensor& formula) {
  thread_local std::optional<generated::Codes> kept;
  thread_local std::vector<std::uint32_t> words;
  constexpr std::int64_t most_elements = 1 << 20;
  const auto* wanted = std::get_if<generated::PackedWords>(&formula);
  if (wanted == nullptr || wanted->codes.kind == generated::Codes::Kind::every_word) return nullptr;
  if (!packs_codes_alone(reference::formats[wanted->codes.format])) return nullptr;
  if (reference::formats[wanted->codes.format].layout.bytes_of_unit != sizeof words.front()) return nullptr;
  if (kept == wanted->codes) return &words;
  const std::int64_t elements = elements_of(formula);
  if (elements > most_elements) return nullptr;
  kept.reset();
  words.resize(static_cast<std::size_t>(elements));
  write_here(formula, sizeof(std::uint32_t), words.data());
  kept = wanted->codes;
  return &words;
}

/// Calls `use` with a type and the scheme's With, which has parameters of that type.
template <class Use>
auto with_parameters(Type type, int scheme, Use use) {
  return generated::with_type(type, [&]<Type of_type>() {
    return reference::with_scheme(scheme, [&]<class Used>() {
      if constexpr (generated::has_parameters_of<Used, of_type>()) return use.template operator()<of_type, Used>();
      throw std::logic_error(std::string(Used::Scheme::name) + " has no parameters of " + name_of(of_type));
      return decltype(use.template operator()<Type::bf16, reference::NoZeros>())();
    });
  });
}

}  // namespace

std::uint64_t generated::pairs_of(Type type, const Scheme& scheme) {
  return with_parameters(type, index_of(scheme), []<Type of_type, class Used>() {
    return std::uint64_t{1} << bits_of_number<of_type, typename Used::Scheme>;
  });
}

generated::Pair generated::pair_of(const Parameters& parameters, reference::Element group) {
  return with_parameters(parameters.type, parameters.scheme, [&]<Type type, class Used>() {
    return pair_of_group<type, typename Used::Scheme>(parameters, group);
  });
}

std::int64_t elements_of(const GeneratedTensor& formula) {
  std::int64_t elements = 0;
  with_evaluator(formula, [&](const auto& evaluator) { elements = evaluator.elements(); });
  return elements;
}

bool is_in_runs(const GeneratedTensor& formula) {
  const auto is_whole = [](std::int64_t count) { return count % generated::run == 0; };
  if (const auto* pairs = std::get_if<generated::CodePairs>(&formula)) return is_whole(pairs->codes.k);
  if (const auto* codes = std::get_if<generated::UnpackedCodes>(&formula)) return is_whole(codes->codes.k);
  const auto* weights = std::get_if<generated::Weights>(&formula);
  return weights == nullptr || (is_whole(weights->codes.k) && is_whole(weights->parameters.group_size));
}

std::uint32_t element_of(const GeneratedTensor& formula, std::int64_t index) {
  std::uint32_t element = 0;
  const bool in_runs = is_in_runs(formula);
  with_evaluator(formula, [&](const auto& whole) {
    with_any_size(whole, in_runs, [&](const auto& evaluator) {
      std::uint32_t run[generated::run] = {};
      evaluator(index / generated::run * generated::run, run);
      element = run[index % generated::run];
    });
  });
  return element;
}

void write_here(const GeneratedTensor& formula, std::size_t element_bytes, void* to) {
  with_host_evaluator(formula, element_bytes, [to]<class Element>(auto evaluator) {
    for_each_run(evaluator, [to](std::int64_t at, const std::uint32_t* values, int of_run) {
      Element elements[generated::run];
      for (int i = 0; i < generated::run; ++i) elements[i] = static_cast<Element>(values[i]);
      std::uint8_t* const to_run = static_cast<std::uint8_t*>(to) + static_cast<std::size_t>(at) * sizeof(Element);
      if (of_run == generated::run) {
        std::memcpy(to_run, elements, sizeof elements);
      } else {
        std::memcpy(to_run, elements, static_cast<std::size_t>(of_run) * sizeof(Element));
      }
    });
  });
}

Differences compare_here(const GeneratedTensor& formula, std::size_t element_bytes, const void* got,
                         const reference::FloatFormat* any_nan, const EachDifference& each) {
  Differences differences;
  with_host_evaluator(formula, element_bytes, [&]<class Element>(auto evaluator) {
    for_each_run(evaluator, [&, got](std::int64_t at, const std::uint32_t* values, int of_run) {
      const auto* const of_got = static_cast<const std::uint8_t*>(got) + static_cast<std::size_t>(at) * sizeof(Element);
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
        if (each) each({at + i, element});
      }
    });
  });
  return differences;
}

namespace {

/// Room for a formula's elements in this process, on their way to or from another memory.
std::vector<std::uint8_t> room_for(const GeneratedTensor& formula, std::size_t element_bytes) {
  return std::vector<std::uint8_t>(static_cast<std::size_t>(elements_of(formula)) * element_bytes);
}

}  // namespace

void Memory::write(const GeneratedTensor& formula, std::size_t element_bytes, void* to) {
  if (const auto* words = kept_words(formula)) return copy_in(to, words->data(), words->size() * sizeof words->front());
  if (is_here()) return write_here(formula, element_bytes, to);
  std::vector<std::uint8_t> elements = room_for(formula, element_bytes);
  write_here(formula, element_bytes, elements.data());
  copy_in(to, elements.data(), elements.size());
}

Differences Memory::compare(const GeneratedTensor& formula, std::size_t element_bytes, const void* got,
                            const reference::FloatFormat* any_nan) {
  if (const auto* words = kept_words(formula)) {
    std::vector<std::uint32_t> now(words->size());
    copy_out(now.data(), got, now.size() * sizeof now.front());
    if (now == *words) return {};
  }
  if (is_here()) return compare_here(formula, element_bytes, got, any_nan);
  std::vector<std::uint8_t> elements = room_for(formula, element_bytes);
  copy_out(elements.data(), got, elements.size());
  return compare_here(formula, element_bytes, elements.data(), any_nan);
}

}  // namespace tileproof
