// Mutants of the layout: codes are in the wrong word, lane or nibble, or come out of the right one as another number.
#include <algorithm>
#include <string_view>
#include <utility>

#include "properties/mutants/mutants.h"

namespace tileproof {

namespace {

using namespace finds;
using reference::codes_of_word;  // a slot is codes_of_word * the word of 32 bits + the nibble

/// The right slot of element (n, k).
std::int64_t right_slot(const Call& c, std::int64_t n, std::int64_t k) {
  return c.format->layout.slot_of({n, k}, c.size());
}

/// Coordinates in tinygemm's buffer [n-tiles][supertiles of a row][lanes][words of a lane], for mutants that combine
/// them differently.
struct Coordinates {
  std::int64_t n_tile, n_tiles, supertile, supertiles_of_row, lane, word_of_lane, words_of_lane, nibble;
};

Coordinates coordinates_of(const Call& c, reference::Element e) {
  const std::int64_t slot = right_slot(c, e.n, e.k), word = slot / codes_of_word;
  const auto [n_tiles, supertiles_of_row, lanes, words_of_lane] = c.format->layout.dims(c.size()).extents;
  return {.n_tile = word / words_of_lane / lanes / supertiles_of_row,
          .n_tiles = n_tiles,
          .supertile = word / words_of_lane / lanes % supertiles_of_row,
          .supertiles_of_row = supertiles_of_row,
          .lane = word / words_of_lane % lanes,
          .word_of_lane = word % words_of_lane,
          .words_of_lane = words_of_lane,
          .nibble = slot % codes_of_word};
}

std::int64_t slot_at(const Coordinates& at) {
  const std::int64_t lane = (at.n_tile * at.supertiles_of_row + at.supertile) * 32 + at.lane;
  return (lane * at.words_of_lane + at.word_of_lane) * codes_of_word + at.nibble;
}

/// Puts the code of every element at wrong coordinates.
Mutation wrong_coordinates(const std::set<Operation>& in, void (*change)(Coordinates&)) {
  return {.in = in, .slot = [change](const Call& c, reference::Element e) {
            Coordinates at = coordinates_of(c, e);
            change(at);
            return slot_at(at);
          }};
}

int sign_extended_in_the_top_nibble(const Call&, std::int64_t slot, int code) {
  return slot % codes_of_word == 7 && code > 7 ? code - 16 : code;
}

}  // namespace

std::vector<Mutant> layout_mutants() {
  using reference::Element;
  const std::vector<Mutant> anywhere = {
      // Places of codes.
      {"halves-of-word-swapped",
       "the two halves of a word of 32 bits are swapped",
       {pack_index, unpack_index, dequantize_index},
       {.slot =
            [](const Call& c, Element e) {
              const std::int64_t slot = right_slot(c, e.n, e.k);
              return (slot ^ 4) < c.format->layout.slots(c.size()) ? slot ^ 4 : slot;  // the last word may not be whole
            }}},
      {"pack-nibbles-reversed",
       "pack puts the first code of a word into the highest nibble",
       {pack_index, round_trip, words_back, sense_pack},
       {.in = pack_alone, .slot = [](const Call& c, Element e) { return right_slot(c, e.n, e.k) ^ 7; }}},
      {"unpack-neighbours-swapped",
       "unpack takes two neighbouring nibbles for each other",
       {unpack_index, any_word, difference, sense_unpack},
       {.in = unpack_alone, .slot = [](const Call& c, Element e) { return right_slot(c, e.n, e.k) ^ 1; }}},
      {"square-is-transposed",
       "unpack gives the transposed matrix where it is square, and only there",
       {large_unpack},
       {.in = unpack_alone,
        .slot = [](const Call& c,
                   Element e) { return c.n == c.k ? right_slot(c, e.k, e.n) : right_slot(c, e.n, e.k); }}},
      // Indices that are too narrow.
      {"words-counted-in-16-bits",
       "dequantize wraps the index of a word at 65,536",
       {large_weights},
       {.in = dequantize_alone,
        .slot = [](const Call& c, Element e) { return right_slot(c, e.n, e.k) % (65536 * codes_of_word); }}},
      {"rows-counted-in-16-bits",
       "unpack takes row n - 65,536 for row n",
       {large_unpack},
       {.in = unpack_alone, .slot = [](const Call& c, Element e) { return right_slot(c, e.n & 0xffff, e.k); }}},
      {"columns-counted-in-16-bits",
       "pack takes column k - 65,536 for column k",
       {large_pack},
       {.in = pack_alone, .slot = [](const Call& c, Element e) { return right_slot(c, e.n, e.k & 0xffff); }}},
      {"rows-past-65535-skipped",
       "dequantize has a row for each block of a grid dimension of at most 65,535",
       {large_weights},
       {.in = dequantize_alone, .skips = [](const Call&, Element e) { return e.n >= 65535; }},
       "guard"},
      // Codes.
      {"pairs-swapped",
       "pack takes the even column from the low nibble of a byte",
       {pack_index, round_trip, recorded_pack},
       {.in = pack_alone,
        .slot = [](const Call& c, Element e) { return right_slot(c, e.n, std::min(e.k ^ 1, c.k - 1)); }}},
      {"pack-masks-three-bits",
       "pack keeps three bits of a code",
       {pack_index, round_trip, words_back},
       {.in = pack_alone, .code = [](const Call&, std::int64_t, int code) { return code & 7; }}},
      {"unpack-gives-signed-codes",
       "unpack gives code - 8",
       {unpack_index, round_trip, any_word},
       {.in = unpack_alone, .code = [](const Call&, std::int64_t, int code) { return code - 8; }}},
  };
  const std::vector<Mutant> of_eight_rows = {
      {"rows-of-tile-reversed",
       "row 7 - n stands where row n should",
       {pack_index, unpack_index},
       {.slot = [](const Call& c, Element e) { return right_slot(c, e.n / 8 * 8 + 7 - e.n % 8, e.k); }}},
  };
  const std::vector<Mutant> of_words = {
      {"dequantize-sign-extends-the-top-nibble",
       "dequantize shifts a signed word: codes above 7 in nibble 7 come out negative",
       {dequantize_index, shown_by_unit_scales, float_value},
       {.in = dequantize_alone, .code = sign_extended_in_the_top_nibble}},
  };
  const std::vector<Mutant> of_tinygemm = {
      // Nibbles.
      {"nibbles-in-order",
       "the eight codes of a word stand in natural order",
       {pack_index, unpack_index, dequantize_index, recorded_pack},
       wrong_coordinates(everywhere, [](Coordinates& at) { at.nibble = at.nibble % 4 * 2 + at.nibble / 4; })},
      {"dequantize-fragments-swapped",
       "dequantize takes the two k-tiles of a word in the wrong order",
       {dequantize_index, float_value, difference},
       {.in = dequantize_alone, .slot = [](const Call& c, Element e) { return right_slot(c, e.n, e.k) ^ 2; }}},
      {"fragment-of-consecutive-columns",
       "a lane's four columns are taken as consecutive: 4 * (lane % 4) + {0, 1, 2, 3}",
       {pack_index, unpack_index, dequantize_index},
       {.slot =
            [](const Call& c, Element e) {
              const std::int64_t column = e.k % 16;
              // the column whose code the right layout puts here
              return right_slot(c, e.n, e.k - column + column / 4 * 2 + column % 2 + column % 4 / 2 * 8);
            }}},
      // Lanes and words.
      {"lanes-by-columns",
       "a lane is column pair * 8 + row, not row * 4 + column pair",
       {pack_index, unpack_index, dequantize_index},
       wrong_coordinates(everywhere, [](Coordinates& at) { at.lane = at.lane % 4 * 8 + at.lane / 4; })},
      {"last-lane-off-by-one",
       "dequantize reads lanes 28 to 30 for 29 to 31",
       {dequantize_index, difference, sense_code},
       wrong_coordinates(dequantize_alone, [](Coordinates& at) { at.lane -= at.lane > 28 ? 1 : 0; })},
      {"words-of-lane-reversed",
       "a lane's words stand in reverse: wrong only for tinygemm-4 and -8",
       {pack_index, unpack_index, dequantize_index},
       wrong_coordinates(everywhere,
                         [](Coordinates& at) { at.word_of_lane = at.words_of_lane - 1 - at.word_of_lane; })},
      {"words-before-lanes",
       "a supertile is [words of a lane][32]: wrong only for tinygemm-4 and -8",
       {pack_index, unpack_index, dequantize_index},
       {.slot =
            [](const Call& c, Element e) {
              const Coordinates at = coordinates_of(c, e);
              const std::int64_t supertile = at.n_tile * at.supertiles_of_row + at.supertile;
              return ((supertile * at.words_of_lane + at.word_of_lane) * 32 + at.lane) * codes_of_word + at.nibble;
            }}},
      // Supertiles and n-tiles.
      {"inner-k-tiles-ignored",
       "every matrix is laid out as tinygemm-2",
       {pack_index, unpack_index, dequantize_index},
       {.slot = [](const Call& c, Element e) { return tinygemm(2)->layout.slot_of(e, c.size()); }}},
      {"inner-k-tiles-8-as-4",
       "dequantize reads what was packed as tinygemm-8 as if it were tinygemm-4",
       {dequantize_index, difference},
       {.in = dequantize_alone,
        .slot =
            [](const Call& c, Element e) {
              return (c.format == tinygemm(8) ? tinygemm(4) : c.format)->layout.slot_of(e, c.size());
            }}},
      {"n-tiles-inside-supertiles",
       "packed is [k supertiles][n-tiles]: wrong only with several of both",
       {pack_index, unpack_index, dequantize_index},
       wrong_coordinates(everywhere,
                         [](Coordinates& at) {
                           std::swap(at.n_tile, at.supertile);
                           at.supertiles_of_row = at.n_tiles;
                         })},
      {"stride-of-a-square",
       "unpack steps over n-tiles by n where it should by k: wrong only where the matrix is not square",
       {unpack_index, any_word},
       {.in = unpack_alone,
        .slot =
            [](const Call& c, Element e) {
              Coordinates at = coordinates_of(c, e);
              at.supertiles_of_row = std::max<std::int64_t>(1, c.n / c.format->layout.legal.k);
              return slot_at(at) % c.format->layout.slots(c.size());  // wrong, but inside the buffer
            }}},
      {"last-supertile-repeats",
       "unpack takes the last supertile of a row from the one before: wrong only with several",
       {unpack_index, any_word, sense_unpack},
       wrong_coordinates(unpack_alone,
                         [](Coordinates& at) {
                           if (at.supertile + 1 == at.supertiles_of_row && at.supertile > 0) --at.supertile;
                         })},
      {"one-supertile-alone",
       "dequantize takes nibble 0 for nibble 7 where a row is one supertile",
       {dequantize_index, difference},
       wrong_coordinates(dequantize_alone,
                         [](Coordinates& at) {
                           if (at.supertiles_of_row == 1 && at.nibble == 7) at.nibble = 0;
                         })},
      // Codes.
      {"pack-drops-high-nibbles",
       "pack takes the even columns for code 0",
       {pack_index, round_trip, words_back},
       {.in = pack_alone,
        .code = [](const Call&, std::int64_t slot, int code) { return slot % codes_of_word < 4 ? 0 : code; }}},
      {"pack-drops-low-nibbles",
       "pack takes the odd columns for code 0",
       {pack_index, round_trip, words_back},
       {.in = pack_alone,
        .code = [](const Call&, std::int64_t slot, int code) { return slot % codes_of_word < 4 ? code : 0; }}},
      {"unpack-sign-extends-the-top-nibble",
       "unpack shifts a signed word: codes above 7 in nibble 7 come out negative",
       {unpack_index, round_trip, any_word},
       {.in = unpack_alone, .code = sign_extended_in_the_top_nibble}},
      {"code-fifteen-in-one-lane",
       "unpack gives 7 for code 15 in nibble 6 of lane 17",
       {unpack_index, any_word},
       {.in = unpack_alone,
        .code =
            [](const Call& c, std::int64_t slot, int code) {
              const std::int64_t lane = slot / codes_of_word / c.format->layout.dims(c.size()).extents[3] % 32;
              return lane == 17 && slot % codes_of_word == 6 && code == 15 ? 7 : code;
            }}},
  };
  const std::vector<Mutant> of_blocks = {
      {"codes-of-a-block-in-pairs",
       "neighbours share a byte, where elements half a block apart do",
       {unpack_index, dequantize_index},
       {.slot =
            [](const Call& c, Element e) {
              const std::int64_t neighbours = std::string_view(c.format->name) == "q4_k" ? 64 : 32;
              return right_slot(c, e.n, e.k / neighbours * neighbours) + e.k % neighbours;
            }}},
  };
  return in_one_list(
      {in_formats(every_format_there_is(), anywhere), in_formats(formats_where(has_no_tensors), of_blocks),
       in_formats(formats_where([](const Format& format) { return least_full_size(format).n % 8 == 0; }),
                  of_eight_rows),
       in_formats(formats_where([](const Format& format) { return format.layout.bytes_of_unit == 4; }), of_words),
       of_tinygemm});
}

}  // namespace tileproof
