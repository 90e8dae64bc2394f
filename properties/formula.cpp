// Formulas on the host: evaluated block by block, written and compared through whatever memory it is.
#include "formula.h"

#include <algorithm>
#include <cstring>

#include "formula_evaluation.h"
#include "memory.h"

namespace tileproof {

namespace {

/// Elements of a block: small enough for the nearest caches, whole runs.
constexpr std::int64_t block_elements = 16384;

/// Calls `use` with consecutive blocks of evaluated elements: the first element's index, the values, their number.
template <class Evaluator, class Use>
void for_each_block(const Evaluator& evaluator, Use use) {
  std::vector<std::uint32_t> values(block_elements);
  const std::int64_t elements = evaluator.elements();
  for (std::int64_t first = 0; first < elements; first += block_elements) {
    const std::int64_t count = std::min(block_elements, elements - first);
    for (std::int64_t at = 0; at < count; at += formula::run) {
      std::uint32_t run[formula::run] = {};
      evaluator(first + at, run);
      std::copy(run, run + formula::run, values.begin() + at);
    }
    use(first, values.data(), count);
  }
}

/// The words of the last matrix of codes, which every step of a proof of the arithmetic has in common.
const std::vector<std::uint32_t>* kept_words(const Formula& formula) {
  static Formula kept = formula::Constant{};
  static std::vector<std::uint32_t> words;
  constexpr std::int64_t most_elements = 1 << 20;
  const auto* wanted = std::get_if<formula::PackedWords>(&formula);
  if (wanted == nullptr || wanted->codes.kind == formula::Codes::Kind::every_word) return nullptr;
  const auto* last = std::get_if<formula::PackedWords>(&kept);
  if (last != nullptr && last->codes == wanted->codes) return &words;
  if (elements_of(formula) > most_elements) return nullptr;
  kept = formula;
  words.clear();
  formula::with_evaluator(formula, [&](const auto& evaluator) {
    for_each_block(evaluator, [&](std::int64_t, const std::uint32_t* values, std::int64_t count) {
      words.insert(words.end(), values, values + count);
    });
  });
  return &words;
}

template <class Element>
void write_as(const Formula& formula, Memory& memory, void* to) {
  std::vector<Element> block(block_elements);
  formula::with_evaluator(formula, [&](const auto& evaluator) {
    for_each_block(evaluator, [&](std::int64_t first, const std::uint32_t* values, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) block[static_cast<std::size_t>(i)] = static_cast<Element>(values[i]);
      memory.copy_in(static_cast<Element*>(to) + first, block.data(),
                     static_cast<std::size_t>(count) * sizeof(Element));
    });
  });
}

template <class Element>
Differences compared_as(const Formula& formula, Memory& memory, const void* got, const reference::Format* any_nan) {
  std::vector<Element> block(block_elements);
  Differences differences;
  formula::with_evaluator(formula, [&](const auto& evaluator) {
    for_each_block(evaluator, [&](std::int64_t first, const std::uint32_t* values, std::int64_t count) {
      memory.copy_out(block.data(), static_cast<const Element*>(got) + first,
                      static_cast<std::size_t>(count) * sizeof(Element));
      std::int64_t wrong = 0;
      for (std::int64_t i = 0; i < count; ++i)
        wrong += block[static_cast<std::size_t>(i)] != static_cast<Element>(values[i]);
      if (wrong == 0) return;
      for (std::int64_t i = 0; i < count; ++i) {
        const auto element = static_cast<std::uint32_t>(block[static_cast<std::size_t>(i)]);
        if (static_cast<Element>(element) == static_cast<Element>(values[i])) continue;
        if (any_nan != nullptr && any_nan->is_nan(element) && any_nan->is_nan(values[i])) {
          ++differences.other_nans;
          continue;
        }
        if (++differences.wrong <= Differences::most_listed) differences.listed.push_back({first + i, element});
      }
    });
  });
  return differences;
}

}  // namespace

std::uint64_t formula::pairs_of(Type type, Domain domain) {
  return with_type_and_domain(type, domain, []<Type of_type, Domain of_domain>() {
    return std::uint64_t{1} << bits_of_number<of_type, of_domain>;
  });
}

std::int64_t elements_of(const Formula& formula) {
  return formula::with_evaluator(formula, [](const auto& evaluator) { return evaluator.elements(); });
}

std::uint32_t element_of(const Formula& formula, std::int64_t index) {
  return formula::with_evaluator(formula, [index](const auto& evaluator) {
    std::uint32_t run[formula::run] = {};
    evaluator(index / formula::run * formula::run, run);
    return run[index % formula::run];
  });
}

void Memory::write(const Formula& formula, std::size_t element_bytes, void* to) {
  if (const auto* words = kept_words(formula)) return copy_in(to, words->data(), words->size() * sizeof words->front());
  if (element_bytes == 1) return write_as<std::uint8_t>(formula, *this, to);
  if (element_bytes == 2) return write_as<std::uint16_t>(formula, *this, to);
  write_as<std::uint32_t>(formula, *this, to);
}

Differences Memory::compare(const Formula& formula, std::size_t element_bytes, const void* got,
                            const reference::Format* any_nan) {
  if (const auto* words = kept_words(formula)) {
    std::vector<std::uint32_t> now(words->size());
    copy_out(now.data(), got, now.size() * sizeof now.front());
    if (now == *words) return {};
  }
  if (element_bytes == 1) return compared_as<std::uint8_t>(formula, *this, got, any_nan);
  if (element_bytes == 2) return compared_as<std::uint16_t>(formula, *this, got, any_nan);
  return compared_as<std::uint32_t>(formula, *this, got, any_nan);
}

}  // namespace tileproof
