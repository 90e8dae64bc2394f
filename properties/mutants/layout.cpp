// Mutants of the layout: codes are in the wrong word, lane or nibble, or come out of the right one as another number.
#include <algorithm>

#include "properties/mutants/mutants.h"

namespace tileproof {

namespace {

using namespace finds;
/// A slot as a 32-bit word and a nibble in it.
struct Place {
  std::int64_t word;
  int nibble;
};

Place place_at_slot(std::int64_t slot) { return {slot / 8, static_cast<int>(slot % 8)}; }

Place right_place(const Walk& w, std::int64_t n, std::int64_t k) { return place_at_slot(w.right_slot(n, k)); }

using WrongPlace = Place (*)(const Walk&, std::int64_t n, std::int64_t k);

Mutation with_place(WrongPlace place, const std::set<Operation>& in = everywhere) {
  Mutation parts;
  parts.in = in;
  parts.slot = [place](const Walk& w, std::int64_t n, std::int64_t k) {
    const Place at = place(w, n, k);
    return at.word * 8 + at.nibble;
  };
  return parts;
}

using WrongCode = int (*)(const Walk&, Place, int code);

Mutation with_code(WrongCode code, const std::set<Operation>& in) {
  Mutation parts;
  parts.in = in;
  parts.code = [code](const Walk& w, std::int64_t slot, int right) { return code(w, place_at_slot(slot), right); };
  return parts;
}

/// Coordinates in tinygemm's buffer [n-tiles][supertiles of a row][lanes][words of a lane], for mutants that combine
/// them differently.
struct Coordinates {
  std::int64_t n_tile, n_tiles, supertile, supertiles_of_row;
  int lane, word_of_lane, words_of_lane, nibble;
};

Coordinates coordinates_of(const Walk& w, std::int64_t n, std::int64_t k) {
  const Place place = right_place(w, n, k);
  const reference::Dims dims = w.format->layout.dims(w.size());
  const auto [n_tiles, supertiles_of_row, lanes, words_of_lane] = dims.extents;
  return {.n_tile = place.word / words_of_lane / lanes / supertiles_of_row,
          .n_tiles = n_tiles,
          .supertile = place.word / words_of_lane / lanes % supertiles_of_row,
          .supertiles_of_row = supertiles_of_row,
          .lane = static_cast<int>(place.word / words_of_lane % lanes),
          .word_of_lane = static_cast<int>(place.word % words_of_lane),
          .words_of_lane = static_cast<int>(words_of_lane),
          .nibble = place.nibble};
}

Place place_at(const Coordinates& c) {
  return {((c.n_tile * c.supertiles_of_row + c.supertile) * 32 + c.lane) * c.words_of_lane + c.word_of_lane, c.nibble};
}

/// The place of element (n, k) in a matrix of another format.
Place place_in(const Format* format, const Walk& w, std::int64_t n, std::int64_t k) {
  Walk other = w;
  other.format = format;
  return right_place(other, n, k);
}

}  // namespace

std::vector<Mutant> layout_mutants() {
  return {
      // Nibbles.
      {"nibbles-in-order",
       "the eight codes of a word stand in natural order",
       {pack_index, unpack_index, dequantize_index, recorded_pack},
       "mismatch",
       [] {
         return with_place([](const Walk& w, std::int64_t n, std::int64_t k) {
           constexpr int natural[8] = {0, 2, 4, 6, 1, 3, 5, 7};
           Place place = right_place(w, n, k);
           place.nibble = natural[place.nibble];
           return place;
         });
       }},
      {"halves-of-word-swapped",
       "the odd columns stand in the lower half of a word, the even ones in the upper",
       {pack_index, unpack_index, dequantize_index},
       "mismatch",
       [] {
         return with_place([](const Walk& w, std::int64_t n, std::int64_t k) {
           Place place = right_place(w, n, k);
           place.nibble ^= 4;
           return place;
         });
       }},
      {"pack-nibbles-reversed",
       "pack puts the first code of a word into the highest nibble",
       {pack_index, round_trip, words_back, sense_pack},
       "mismatch",
       [] {
         return with_place(
             [](const Walk& w, std::int64_t n, std::int64_t k) {
               Place place = right_place(w, n, k);
               place.nibble = 7 - place.nibble;
               return place;
             },
             pack_alone);
       }},
      {"unpack-neighbours-swapped",
       "unpack takes columns 8 apart from each other's nibble",
       {unpack_index, any_word, difference, sense_unpack},
       "mismatch",
       [] {
         return with_place(
             [](const Walk& w, std::int64_t n, std::int64_t k) {
               Place place = right_place(w, n, k);
               place.nibble ^= 1;
               return place;
             },
             unpack_alone);
       }},
      {"dequantize-fragments-swapped",
       "dequantize takes the two k-tiles of a word in the wrong order",
       {dequantize_index, float_value, difference},
       "mismatch",
       [] {
         return with_place(
             [](const Walk& w, std::int64_t n, std::int64_t k) {
               Place place = right_place(w, n, k);
               place.nibble ^= 2;
               return place;
             },
             dequantize_alone);
       }},
      {"fragment-of-consecutive-columns",
       "a lane's four columns are taken as consecutive: 4 * (lane % 4) + {0, 1, 2, 3}",
       {pack_index, unpack_index, dequantize_index},
       "mismatch",
       [] {
         return with_place([](const Walk& w, std::int64_t n, std::int64_t k) {
           const std::int64_t c = k % 16;
           // the column whose code the right layout puts here
           const std::int64_t column = c / 4 * 2 + c % 2 + (c % 4 / 2 * 8);
           return right_place(w, n, k - c + column);
         });
       }},
      // Lanes and words.
      {"rows-of-tile-reversed",
       "row 7 - n stands where row n should",
       {pack_index, unpack_index},
       "mismatch",
       [] {
         return with_place(
             [](const Walk& w, std::int64_t n, std::int64_t k) { return right_place(w, n / 8 * 8 + 7 - n % 8, k); });
       }},
      {"lanes-by-columns",
       "a lane is column pair * 8 + row, not row * 4 + column pair",
       {pack_index, unpack_index, dequantize_index},
       "mismatch",
       [] {
         return with_place([](const Walk& w, std::int64_t n, std::int64_t k) {
           Coordinates c = coordinates_of(w, n, k);
           c.lane = c.lane % 4 * 8 + c.lane / 4;
           return place_at(c);
         });
       }},
      {"last-lane-off-by-one",
       "dequantize reads lanes 28 to 30 for 29 to 31",
       {dequantize_index, difference, sense_code},
       "mismatch",
       [] {
         return with_place(
             [](const Walk& w, std::int64_t n, std::int64_t k) {
               Coordinates c = coordinates_of(w, n, k);
               if (c.lane > 28) --c.lane;
               return place_at(c);
             },
             dequantize_alone);
       }},
      {"words-of-lane-reversed",
       "a lane's words stand in reverse: wrong only for tinygemm-4 and -8",
       {pack_index, unpack_index, dequantize_index},
       "mismatch",
       [] {
         return with_place([](const Walk& w, std::int64_t n, std::int64_t k) {
           Coordinates c = coordinates_of(w, n, k);
           c.word_of_lane = c.words_of_lane - 1 - c.word_of_lane;
           return place_at(c);
         });
       }},
      {"words-before-lanes",
       "a supertile is [words of a lane][32]: wrong only for tinygemm-4 and -8",
       {pack_index, unpack_index, dequantize_index},
       "mismatch",
       [] {
         return with_place([](const Walk& w, std::int64_t n, std::int64_t k) {
           const Coordinates c = coordinates_of(w, n, k);
           const std::int64_t supertile = c.n_tile * c.supertiles_of_row + c.supertile;
           return Place{(supertile * c.words_of_lane + c.word_of_lane) * 32 + c.lane, c.nibble};
         });
       }},
      // Supertiles and n-tiles.
      {"inner-k-tiles-ignored",
       "every matrix is laid out as tinygemm-2",
       {pack_index, unpack_index, dequantize_index},
       "mismatch",
       [] {
         return with_place(
             [](const Walk& w, std::int64_t n, std::int64_t k) { return place_in(tinygemm(2), w, n, k); });
       }},
      {"inner-k-tiles-8-as-4",
       "dequantize reads what was packed as tinygemm-8 as if it were tinygemm-4",
       {dequantize_index, difference},
       "mismatch",
       [] {
         return with_place(
             [](const Walk& w, std::int64_t n, std::int64_t k) {
               return place_in(w.format == tinygemm(8) ? tinygemm(4) : w.format, w, n, k);
             },
             dequantize_alone);
       }},
      {"n-tiles-inside-supertiles",
       "packed is [k supertiles][n-tiles]: wrong only with several of both",
       {pack_index, unpack_index, dequantize_index},
       "mismatch",
       [] {
         return with_place([](const Walk& w, std::int64_t n, std::int64_t k) {
           const Coordinates c = coordinates_of(w, n, k);
           return Place{((c.supertile * c.n_tiles + c.n_tile) * 32 + c.lane) * c.words_of_lane + c.word_of_lane,
                        c.nibble};
         });
       }},
      {"stride-of-a-square",
       "unpack steps over n-tiles by n where it should by k: wrong only where the matrix is not square",
       {unpack_index, any_word},
       "mismatch",
       [] {
         return with_place(
             [](const Walk& w, std::int64_t n, std::int64_t k) {
               Coordinates c = coordinates_of(w, n, k);
               const std::int64_t words = w.format->layout.units(w.size());
               c.supertiles_of_row = std::max<std::int64_t>(1, w.n / w.format->layout.legal.k);
               Place place = place_at(c);
               place.word %= words;  // wrong, but inside the buffer
               return place;
             },
             unpack_alone);
       }},
      {"last-supertile-repeats",
       "unpack takes the last supertile of a row from the one before: wrong only with several",
       {unpack_index, any_word, sense_unpack},
       "mismatch",
       [] {
         return with_place(
             [](const Walk& w, std::int64_t n, std::int64_t k) {
               Coordinates c = coordinates_of(w, n, k);
               if (c.supertile + 1 == c.supertiles_of_row && c.supertile > 0) --c.supertile;
               return place_at(c);
             },
             unpack_alone);
       }},
      {"one-supertile-alone",
       "dequantize takes nibble 0 for nibble 7 where a row is one supertile",
       {dequantize_index, difference},
       "mismatch",
       [] {
         return with_place(
             [](const Walk& w, std::int64_t n, std::int64_t k) {
               Place place = right_place(w, n, k);
               if (w.k == w.format->layout.legal.k && place.nibble == 7) place.nibble = 0;
               return place;
             },
             dequantize_alone);
       }},
      {"square-is-transposed",
       "unpack gives the transposed matrix where it is square, and only there",
       {large_unpack},
       "mismatch",
       [] {
         return with_place([](const Walk& w, std::int64_t n,
                              std::int64_t k) { return w.n == w.k ? right_place(w, k, n) : right_place(w, n, k); },
                           unpack_alone);
       }},
      // Indices that are too narrow.
      {"words-counted-in-16-bits",
       "dequantize wraps the index of a word at 65,536",
       {large_weights},
       "mismatch",
       [] {
         return with_place(
             [](const Walk& w, std::int64_t n, std::int64_t k) {
               Place place = right_place(w, n, k);
               place.word &= 0xffff;
               return place;
             },
             dequantize_alone);
       }},
      {"rows-counted-in-16-bits",
       "unpack takes row n - 65,536 for row n",
       {large_unpack},
       "mismatch",
       [] {
         return with_place([](const Walk& w, std::int64_t n, std::int64_t k) { return right_place(w, n & 0xffff, k); },
                           unpack_alone);
       }},
      {"columns-counted-in-16-bits",
       "pack takes column k - 65,536 for column k",
       {large_pack},
       "mismatch",
       [] {
         return with_place([](const Walk& w, std::int64_t n, std::int64_t k) { return right_place(w, n, k & 0xffff); },
                           pack_alone);
       }},
      {"rows-past-65535-skipped",
       "dequantize has a row for each block of a grid dimension of at most 65,535",
       {large_weights},
       "guard",
       [] {
         Mutation parts;
         parts.in = dequantize_alone;
         parts.skips = [](const Walk&, std::int64_t n, std::int64_t) { return n >= 65535; };
         return parts;
       }},
      // Codes.
      {"pairs-swapped",
       "pack takes the even column from the low nibble of a byte",
       {pack_index, round_trip, recorded_pack},
       "mismatch",
       [] {
         return with_place([](const Walk& w, std::int64_t n, std::int64_t k) { return right_place(w, n, k ^ 1); },
                           pack_alone);
       }},
      {"pack-drops-high-nibbles",
       "pack takes the even columns for code 0",
       {pack_index, round_trip, words_back},
       "mismatch",
       [] {
         return with_code([](const Walk&, Place place, int code) { return place.nibble < 4 ? 0 : code; }, pack_alone);
       }},
      {"pack-drops-low-nibbles",
       "pack takes the odd columns for code 0",
       {pack_index, round_trip, words_back},
       "mismatch",
       [] {
         return with_code([](const Walk&, Place place, int code) { return place.nibble < 4 ? code : 0; }, pack_alone);
       }},
      {"pack-masks-three-bits",
       "pack keeps three bits of a code",
       {pack_index, round_trip, words_back},
       "mismatch",
       [] { return with_code([](const Walk&, Place, int code) { return code & 7; }, pack_alone); }},
      {"unpack-gives-signed-codes",
       "unpack gives code - 8",
       {unpack_index, round_trip, any_word},
       "mismatch",
       [] { return with_code([](const Walk&, Place, int code) { return code - 8; }, unpack_alone); }},
      {"unpack-sign-extends-the-top-nibble",
       "unpack shifts a signed word: codes above 7 in nibble 7 come out negative",
       {unpack_index, round_trip, any_word},
       "mismatch",
       [] {
         return with_code(
             [](const Walk&, Place place, int code) { return place.nibble == 7 && code > 7 ? code - 16 : code; },
             unpack_alone);
       }},
      {"dequantize-sign-extends-the-top-nibble",
       "the same in dequantize",
       {dequantize_index, shown_by_unit_scales, float_value},
       "mismatch",
       [] {
         return with_code(
             [](const Walk&, Place place, int code) { return place.nibble == 7 && code > 7 ? code - 16 : code; },
             dequantize_alone);
       }},
      {"code-fifteen-in-one-lane",
       "unpack gives 7 for code 15 in nibble 6 of lane 17",
       {unpack_index, any_word},
       "mismatch",
       [] {
         return with_code(
             [](const Walk& w, Place place, int code) {
               const std::int64_t lane = place.word / w.format->layout.dims(w.size()).extents[3] % 32;
               return lane == 17 && place.nibble == 6 && code == 15 ? 7 : code;
             },
             unpack_alone);
       }},
  };
}

}  // namespace tileproof
