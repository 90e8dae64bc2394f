// Words: unpack over all 2^32 words. Word i of a block is first + (i xor swizzle), so a swizzle moves each word to
// another lane, and all swizzles show a word in every place.
#include <algorithm>
#include <numeric>
#include <sstream>

#include "properties/catalogue/properties.h"
#include "properties/problem/draw.h"

namespace tileproof {

namespace {

constexpr int swizzle_bits = 32;  // position of the swizzle in a seed; the first word is below it

/// A word is 32 bits, whatever the format's storage unit is.
constexpr std::int64_t codes_of_32_bits = 8;

/// The smallest matrix without padding that is whole words.
Size least_of_words(const Format& format) {
  Size size = least_full_size(format);
  while (format.layout.slots(size) % codes_of_32_bits != 0) size.k *= 2;
  return size;
}

/// The smallest matrix without padding whose rows have at least eight words, so that a kernel that reads several words
/// at once sees neighbours from different groups of words.
Size whole_rows(const Format& format) {
  constexpr std::int64_t least_words = 8;
  Size size = least_of_words(format);
  while (size.k < least_words * codes_of_32_bits) size.k *= 2;
  return size;
}

std::uint32_t words_of(const Format& format, Size size) {
  return static_cast<std::uint32_t>(format.layout.slots(size) / codes_of_32_bits);
}

/// How many words exchange places: at least those of two of the smallest matrices.
std::uint32_t places_of(const Format& format) {
  return std::max(2 * words_of(format, least_of_words(format)), words_of(format, whole_rows(format)));
}

/// The seed holds the swizzle in its upper 32 bits and the first word in its lower 32.
void every_word_is_unpacked(Case& c) {
  const Problem& p = c.problem;
  generated::Codes codes = generated::codes_of(p, generated::Codes::Kind::every_word);
  codes.first = static_cast<std::uint32_t>(p.seed);
  codes.swizzle = static_cast<std::uint32_t>(p.seed >> swizzle_bits) % places_of(*p.format);
  const GeneratedResult judged = c.run(Operation::unpack, codes);
  if (judged.differences.wrong == 0) return;

  std::ostringstream text;
  text << judged.differences.wrong << " of " << p.n * p.k
       << (judged.differences.wrong == 1 ? " codes is wrong:" : " codes are wrong:");
  std::optional<Problem> smaller;
  for (const Differences::One& one : judged.differences.listed) {
    const std::int64_t row = one.index / p.k;
    const std::int64_t column = one.index % p.k;
    const std::int64_t slot = p.layout().slot_of({row, column}, p.size());
    const auto number = static_cast<std::uint32_t>(slot / codes_of_32_bits);
    const std::uint32_t word = codes.first + (number ^ codes.swizzle);
    text << "\n  " << place_text(p, row, column) << " of the word 0x" << std::hex << word << std::dec << ": expected "
         << (word >> (4 * (slot % codes_of_32_bits)) & 15) << ", got " << static_cast<std::int32_t>(one.got);
    if (smaller) continue;
    // Report a smaller matrix that has this word in the same place.
    smaller = p;
    const Size least = least_of_words(*p.format);
    constexpr std::int64_t least_group = 16;  // every subject takes it
    if (least_group <= least.k && least.k < p.group_size) smaller->group_size = least.k;
    smaller->k = std::lcm(least.k, k_unit(*p.format, smaller->group_size, c.capabilities.k_multiple));
    smaller->n = std::max<std::int64_t>(least.n, c.capabilities.n_multiple);
    smaller->seed = word - number % words_of(*p.format, {least.n, smaller->k});
  }
  throw Failure("mismatch", text.str(), false, smaller);
}

/// Enumerates all words in all places that some bits of a word's index tell apart.
/// @param place_bits  the bits of the index that are exchanged
Enumeration words_in_places(const Capabilities& capabilities, const Format* format,
                            const std::vector<int>& place_bits) {
  Problem step;
  step.format = format;
  step.scheme = schemes_of(*format, capabilities.schemes).front();
  step.types = types_of(*step.scheme, capabilities.types).front();
  step.k = 8192;
  step.n = std::max<std::int64_t>(capabilities.step_elements / step.k, 256);
  const auto own = std::ranges::find_if(capabilities.group_sizes, [&](std::int64_t size) {
    return format->group_sizes.contains(size) && step.k % size == 0;
  });
  step.group_size = own != capabilities.group_sizes.end() ? *own : capabilities.group_sizes.front();
  const std::int64_t words_of_step = step.n * step.k / codes_of_32_bits;  // a power of two
  int bits = static_cast<int>(place_bits.size());
  const int passes_bits = bits;
  for (std::int64_t blocks = (std::int64_t{1} << 32) / words_of_step; blocks > 1; blocks /= 2) ++bits;
  return {.steps = std::int64_t{1} << bits,
          .points_of_step = static_cast<std::uint64_t>(words_of_step),
          .compared_of_step = static_cast<std::uint64_t>(step.n * step.k),
          .point = "(word, place) pairs",
          .problem = with_seeds(step, [=](std::int64_t number) {
            const std::uint64_t at = spread(static_cast<std::uint64_t>(number), bits);
            std::uint64_t swizzle = 0;
            for (int bit = 0; bit < passes_bits; ++bit)
              swizzle |= (at >> bit & 1) << place_bits[static_cast<std::size_t>(bit)];
            return swizzle << swizzle_bits | (at >> passes_bits) * static_cast<std::uint64_t>(words_of_step);
          })};
}

/// The bits of a word's index that tell the words of some rows apart, ascending.
std::vector<int> bits_of_rows(const Format& format, std::int64_t rows) {
  const Size size = whole_rows(format);
  std::uint32_t all = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < size.k; ++column) {
      all |= static_cast<std::uint32_t>(format.layout.slot_of({row, column}, size) / codes_of_32_bits);
    }
  }
  std::vector<int> bits;
  for (int bit = 0; bit < 32; ++bit) {
    if ((all >> bit & 1) != 0) bits.push_back(bit);
  }
  return bits;
}

/// @param whole  true: the words of all rows; false: those of one row
std::function<std::vector<Enumeration>(const Capabilities&)> every_word(bool whole) {
  return [whole](const Capabilities& capabilities) {
    std::vector<Enumeration> all;
    for (const Format* format : capabilities.formats) {
      if (!packs_codes_alone(*format)) continue;  // its words hold parameters too, and are no power of two
      std::vector<int> bits = bits_of_rows(*format, 1);
      for (const int bit : whole ? bits_of_rows(*format, whole_rows(*format).n) : std::vector<int>()) {
        if (std::find(bits.begin(), bits.end(), bit) == bits.end()) bits.push_back(bit);
      }
      all.push_back(words_in_places(capabilities, format, bits));
    }
    return all;
  };
}

}  // namespace

std::vector<Property> words_properties() {
  const auto row = [](const std::string& place, const std::string& finds, bool whole) {
    Property words = operation_property("words", Operation::unpack, "reads_every_word_in_every_place_of_a_" + place,
                                        finds, {&every_format, &not_square, &both_alignments}, every_word_is_unpacked);
    words.sampling.n_multiple = 8;
    words.proof = "words";
    words.enumerations = every_word(whole);
    return words;
  };
  return {
      row("row", "masks and shifts that one word shows, in one of a row's four lanes or one of two neighbouring strips",
          false),
      row("supertile", "the same, where a kernel treats lanes of different rows differently", true)};
}

}  // namespace tileproof
