// Words: unpack, over all 2^32 words. A word is seen in every place by leaving the words where they are and exchanging
// places: word i of a block is first + (i xor swizzle), so that a swizzle takes each word to another lane.
#include <algorithm>
#include <sstream>

#include "properties/catalogue/properties.h"
#include "properties/problem/draw.h"
#include "reference/tile_map.h"

namespace tileproof {

namespace {

constexpr int swizzle_bits = 32;  // of a seed, above the first word

/// A seed is a swizzle and, below it, the first word.
void every_word_is_unpacked(Case& c) {
  const Problem& p = c.problem;
  generated::Codes codes = generated::codes_of(p, generated::Codes::Kind::every_word);
  codes.first = static_cast<std::uint32_t>(p.seed);
  codes.swizzle = static_cast<std::uint32_t>(p.seed >> swizzle_bits) % static_cast<std::uint32_t>(32 * p.inner_k_tiles);
  const GeneratedResult judged = c.unpack(codes);
  if (judged.differences.wrong == 0) return;

  std::ostringstream text;
  text << judged.differences.wrong << " of " << p.n * p.k << " codes are wrong:";
  std::optional<Problem> smaller;
  for (const Differences::One& one : judged.differences.listed) {
    const std::int64_t row = one.index / p.k;
    const std::int64_t column = one.index % p.k;
    const auto place = reference::place_of(row, column, p.k, static_cast<int>(p.inner_k_tiles));
    const std::uint32_t word = codes.first + (static_cast<std::uint32_t>(place.word) ^ codes.swizzle);
    text << "\n  " << place_text(p, row, column) << " of the word 0x" << std::hex << word << std::dec << ": expected "
         << (word >> (4 * place.nibble) & 15) << ", got " << static_cast<std::int32_t>(one.got);
    if (smaller) continue;
    // The same word in the same place of one supertile.
    const std::int64_t in_supertile = place.word % (16 * p.inner_k_tiles);
    smaller = p;
    smaller->n = std::max<std::int64_t>(8, c.capabilities.n_multiple);
    smaller->k = p.supertile_columns();
    smaller->group_size = std::min(p.group_size, smaller->k);
    smaller->seed = word - static_cast<std::uint32_t>(in_supertile);
  }
  throw Failure("mismatch", text.str(), false, smaller);
}

/// All words in the places that some bits of a word's number tell apart.
/// @param place_bits  the bits of the number that are exchanged, ascending
Enumeration words_in_places(const Capabilities& capabilities, std::int64_t inner_k_tiles,
                            const std::vector<int>& place_bits) {
  Problem step;
  step.inner_k_tiles = inner_k_tiles;
  step.k = 8192;
  step.n = std::max<std::int64_t>(capabilities.step_elements / step.k, 256);
  step.group_size = capabilities.group_sizes.front();
  const std::int64_t words_of_step = step.n * step.k / 8;  // a power of two
  int bits = static_cast<int>(place_bits.size());
  const int passes_bits = bits;
  for (std::int64_t blocks = (std::int64_t{1} << 32) / words_of_step; blocks > 1; blocks /= 2) ++bits;
  return {.steps = std::int64_t{1} << bits,
          .points_of_step = static_cast<std::uint64_t>(words_of_step),
          .compared_of_step = static_cast<std::uint64_t>(step.n * step.k),
          .point = "(word, place) pairs",
          .problem = [=](std::int64_t number) {
            const std::uint64_t at = spread(static_cast<std::uint64_t>(number), bits);
            std::uint64_t swizzle = 0;
            for (int bit = 0; bit < passes_bits; ++bit)
              swizzle |= (at >> bit & 1) << place_bits[static_cast<std::size_t>(bit)];
            Problem problem = step;
            problem.seed = swizzle << swizzle_bits | (at >> passes_bits) * static_cast<std::uint64_t>(words_of_step);
            return problem;
          }};
}

/// The bits of a word's number: the word of its lane, the lane, and whether its supertile is odd.
struct PlaceBits {
  int of_word;  // 0, 1 or 2
  int lane = 5;

  explicit PlaceBits(std::int64_t inner_k_tiles) : of_word(inner_k_tiles == 2 ? 0 : inner_k_tiles == 4 ? 1 : 2) {}
  /// Which quarter of a row's strip, and which of a pair of neighbouring strips: where words of a lane are one, strips
  /// are supertiles.
  std::vector<int> of_row() const {
    std::vector<int> bits;
    for (int bit = 0; bit < of_word + 2; ++bit) bits.push_back(bit);
    if (of_word == 0) bits.push_back(lane);
    return bits;
  }
  std::vector<int> of_supertile() const {
    std::vector<int> bits = of_row();
    for (int bit = of_word + 2; bit < of_word + lane; ++bit) bits.push_back(bit);
    return bits;
  }
};

/// @param whole  all lanes of a supertile, or those of a row
std::function<std::vector<Enumeration>(const Capabilities&)> every_word(bool whole) {
  return [whole](const Capabilities& capabilities) {
    std::vector<Enumeration> all;
    for (const std::int64_t inner_k_tiles : capabilities.inner_k_tiles) {
      const PlaceBits bits(inner_k_tiles);
      all.push_back(words_in_places(capabilities, inner_k_tiles, whole ? bits.of_supertile() : bits.of_row()));
    }
    return all;
  };
}

}  // namespace

std::vector<Property> words_properties() {
  const auto row = [](const std::string& name, const std::string& finds, bool whole) {
    return Property{.name = name,
                    .finds = finds,
                    .needs = {Operation::unpack},
                    .meets = {&every_inner_k_tiles, &not_square, &both_alignments},
                    .sampling = {.domains = {Domain::floating}, .types = {Type::bf16}, .n_multiple = 8},
                    .body = every_word_is_unpacked,
                    .proof = "words",
                    .enumerations = every_word(whole)};
  };
  return {row("words/unpack_reads_every_word_in_every_place_of_a_row",
              "masks and shifts that one word shows, in one of a row's four lanes or one of two neighbouring strips",
              false),
          row("words/unpack_reads_every_word_in_every_place_of_a_supertile",
              "the same, where a kernel treats lanes of different rows differently", true)};
}

}  // namespace tileproof
