// Mutants of memory and state: elements left out, stores and loads outside, changed inputs, and results that depend on
// earlier calls or on how the call is split.
#include <algorithm>
#include <cstring>
#include <memory>

#include "properties/mutants/mutants.h"
#include "properties/problem/draw.h"

namespace tileproof {

namespace {

using namespace finds;

using Skips = bool (*)(const Walk&, std::int64_t n, std::int64_t k);

Mutation with_skips(Skips skips, const std::set<Operation>& in = everywhere) {
  Mutation parts;
  parts.in = in;
  parts.skips = skips;
  return parts;
}

Mutation after(void (*dequantize)(const Call&, const Moment&)) {
  Mutation parts;
  parts.after[Operation::dequantize] = dequantize;
  return parts;
}

Mutation adding_in(const std::set<Operation>& in) {
  Mutation parts;
  parts.in = in;
  parts.adds_to_output = true;
  return parts;
}

// A load outside the inputs shows only if it reaches the result; a second store to the same element only if it stores
// another value or lands elsewhere. A mutant that changes no byte is left to sanitizers and has no row here.

/// Makes the last bit of one weight wrong.
void flip(const Call& c, std::int64_t element) {
  stored(c.weights(), c.types.weight, element, loaded(c.weights(), c.types.weight, element) ^ 1);
}

/// A result kept from one call to the next, and the call it belongs to.
struct Kept {
  const void* input = nullptr;
  std::int64_t n = 0, k = 0;
  Types types;
  const Scheme* scheme = scheme::floating;
  std::vector<std::uint8_t> bytes;
};

std::int64_t words(const Call& c) { return packed_words(*c.format, c.size()); }

Size padded(const Call& c) { return c.format->layout.padded(c.size()); }

/// The slot of element (n, k) in the padded matrix, where the element may be in the rows that fill the last n-tile.
std::int64_t slot_in_padding(const Call& c, std::int64_t n, std::int64_t k) {
  return c.format->layout.slot_of({n, k}, padded(c));
}

}  // namespace

std::vector<Mutant> memory_mutants() {
  return {
      // Elements left out.
      {"last-tile-skipped",
       "a last n-tile of fewer than eight rows is left out",
       {writes_weights, unpack_index, dequantize_index},
       "guard",
       [] {
         return with_skips(
             [](const Walk& w, std::int64_t n, std::int64_t) { return w.n % 8 != 0 && n >= w.n / 8 * 8; });
       }},
      {"last-strip-skipped",
       "the last 32 columns are left out where they stand alone",
       {writes_weights, unpack_index},
       "guard",
       [] {
         return with_skips([](const Walk& w, std::int64_t, std::int64_t k) { return w.k % 64 == 32 && k >= w.k - 32; });
       }},
      {"last-odd-row-skipped",
       "dequantize works on two rows at a time, and leaves out the last of an odd number",
       {writes_weights, dequantize_index},
       "guard",
       [] {
         return with_skips([](const Walk& w, std::int64_t n, std::int64_t) { return w.n % 2 != 0 && n + 1 == w.n; },
                           dequantize_alone);
       }},
      {"pack-skips-the-last-tile",
       "pack leaves the codes of a last n-tile of fewer than eight rows out: they become 0",
       {pack_index, round_trip, sense_pack},
       "mismatch",
       [] {
         return with_skips([](const Walk& w, std::int64_t n, std::int64_t) { return w.n % 8 != 0 && n >= w.n / 8 * 8; },
                           pack_alone);
       }},
      {"nothing-written",
       "dequantize returns without a word",
       {writes_weights, float_value},
       "guard",
       [] { return with_skips([](const Walk&, std::int64_t, std::int64_t) { return true; }, dequantize_alone); }},
      {"pack-writes-nothing",
       "pack returns without a word: what is there is taken for packed",
       {writes_pack, pack_index},
       "mismatch",
       [] {
         Mutation parts;
         parts.instead_of[Operation::pack] = [](const Call&, const Moment&) { return true; };
         return parts;
       }},
      // Adds to the old contents, as a kernel that writes an element twice would.
      {"pack-ors-into-its-output",
       "pack does not clear its output first",
       {pack_index, writes_pack},
       "guard",
       [] { return adding_in(pack_alone); }},
      {"unpack-adds-to-its-output",
       "unpack adds where it should store",
       {unpack_index, writes_unpack},
       "guard",
       [] { return adding_in(unpack_alone); }},
      // The poison is a NaN, so every sum with it is a NaN: the properties about values find this, those about fences
      // do not.
      {"weights-added-to-the-output",
       "dequantize adds where it should store",
       {float_value, dequantize_index},
       "mismatch",
       [] { return adding_in(dequantize_alone); }},
      {"first-row-written-twice",
       "dequantize stores row 0 again, from the codes of row 1",
       {dequantize_index, float_value, sense_code},
       "mismatch",
       [] {
         return after([](const Call& c, const Moment&) {
           if (c.n < 2) return;
           const auto bytes = static_cast<std::size_t>(c.k * bytes_of(c.types.weight));
           std::memcpy(c.weights(), c.at<std::uint8_t>(Role::weights) + bytes, bytes);
         });
       }},
      // Stores outside the output.
      {"writes-past-the-end",
       "one weight more than there are is stored",
       {writes_weights, float_value},
       "guard",
       [] { return after([](const Call& c, const Moment&) { stored(c.weights(), c.types.weight, c.n * c.k, 0); }); }},
      {"writes-before-the-beginning",
       "the weight before the first one is stored too",
       {writes_weights, float_value},
       "guard",
       [] { return after([](const Call& c, const Moment&) { stored(c.weights(), c.types.weight, -1, 0); }); }},
      {"padding-rows-written",
       "dequantize stores all eight rows of the last n-tile",
       {writes_weights, dequantize_index},
       "guard",
       [] {
         return after([](const Call& c, const Moment&) {
           for (std::int64_t i = c.n * c.k; i < padded(c).n * c.k; ++i) stored(c.weights(), c.types.weight, i, 0);
         });
       }},
      {"unpack-writes-past-the-end",
       "unpack stores four codes at a time behind its last",
       {writes_unpack, unpack_index},
       "guard",
       [] {
         Mutation parts;
         parts.after[Operation::unpack] = [](const Call& c, const Moment&) {
           for (std::int64_t i = 0; i < 4; ++i) c.codes()[c.n * c.k + i] = 0;
         };
         return parts;
       }},
      {"pack-writes-past-the-end",
       "pack stores one word more than there are",
       {writes_pack, pack_index},
       "guard",
       [] {
         Mutation parts;
         parts.after[Operation::pack] = [](const Call& c, const Moment&) { c.packed()[words(c)] = 0; };
         return parts;
       }},
      {"pack-fills-padding-with-eights",
       "the rows past n are packed as code 8, which means 0",
       {pack_index, recorded_pack},
       "mismatch",
       [] {
         Mutation parts;
         parts.after[Operation::pack] = [](const Call& c, const Moment&) {
           for (std::int64_t n = c.n; n < padded(c).n; ++n) {
             for (std::int64_t k = 0; k < c.k; ++k) {
               reference::set_code_at(c.packed(), slot_in_padding(c, n, k), 8);
             }
           }
         };
         return parts;
       }},
      // Loads outside the inputs.
      {"reads-past-the-scales",
       "the last row's last group takes the scale behind the last",
       {own_scale, reads_weights},
       "mismatch",
       [] {
         Mutation parts;
         parts.scale_at = [](const Call& c, std::int64_t n, std::int64_t k) {
           const std::int64_t own = k / c.group_size * c.n + n;
           return own + (own + 1 == c.k / c.group_size * c.n ? 1 : 0);
         };
         return parts;
       }},
      {"reads-past-the-packed-words",
       "unpack takes the last code of the last row from the word behind the last",
       {any_word, reads_unpack, unpack_index},
       "mismatch",
       [] {
         Mutation parts;
         parts.in = unpack_alone;
         parts.slot = [](const Walk& w, std::int64_t n, std::int64_t k) {
           const std::int64_t slot = w.right_slot(n, k);
           return n + 1 == w.n && k + 1 == w.k ? w.format->layout.slots(w.size()) + slot % 8 : slot;
         };
         return parts;
       }},
      {"wrong-where-words-are-aligned",
       "unpack reads packed words four at a time where they are aligned to 16 bytes, and takes the first code from the "
       "second of them",
       {any_word, unpack_index},
       "mismatch",
       [] {
         Mutation parts;
         parts.after[Operation::unpack] = [](const Call& c, const Moment&) {
           if (reinterpret_cast<std::uintptr_t>(c.packed()) % 16 == 0)
             c.codes()[0] = static_cast<int>(c.packed()[1] & 15);
         };
         return parts;
       }},
      {"wrong-where-scales-are-not-aligned",
       "dequantize rounds down the address of a scale and its zero to a multiple of both",
       {float_value, own_zero},
       "mismatch",
       [] {
         return after([](const Call& c, const Moment&) {
           const std::int64_t bytes = bytes_of(c.types.parameter);
           if (reinterpret_cast<std::uintptr_t>(c.scales()) % static_cast<std::uintptr_t>(2 * bytes) == 0) return;
           flip(c, 0);
         });
       }},
      {"pack-reads-rows-past-the-end",
       "pack fills the rows past n with the bytes behind its input",
       {pack_index, reads_pack},
       "mismatch",
       [] {
         Mutation parts;
         parts.after[Operation::pack] = [](const Call& c, const Moment&) {
           for (std::int64_t n = c.n; n < padded(c).n; ++n) {
             for (std::int64_t k = 0; k < std::min<std::int64_t>(c.k, 64); ++k) {
               const int code = c.pairs()[c.n * c.k / 2 + k / 2] & 15;
               reference::set_code_at(c.packed(), slot_in_padding(c, n, k), code);
             }
           }
         };
         return parts;
       }},
      {"padding-reaches-the-last-row",
       "unpack adds what the row past n holds to the last row, which is code 0 where pack is right",
       {padding, any_word},
       "mismatch",
       [] {
         Mutation parts;
         parts.after[Operation::unpack] = [](const Call& c, const Moment&) {
           if (c.n % 8 == 0) return;
           for (std::int64_t k = 0; k < c.k; ++k) {
             c.codes()[(c.n - 1) * c.k + k] |= reference::code_at(c.packed(), slot_in_padding(c, c.n, k));
           }
         };
         return parts;
       }},
      // Inputs changed.
      {"input-changed",
       "dequantize changes the first packed word",
       {float_value, own_scale},
       "guard",
       [] { return after([](const Call& c, const Moment&) { c.packed()[0] ^= 1; }); }},
      {"scales-changed",
       "dequantize leaves the first scale with another sign",
       {float_value, own_scale},
       "guard",
       [] {
         return after([](const Call& c, const Moment&) {
           stored(c.scales(), c.types.parameter, 0,
                  loaded(c.scales(), c.types.parameter, 0) ^ float_format_of(c.types.parameter).sign_bit());
         });
       }},
      {"unpack-shifts-its-input",
       "unpack leaves the last packed word shifted",
       {any_word, words_back},
       "guard",
       [] {
         Mutation parts;
         parts.after[Operation::unpack] = [](const Call& c, const Moment&) { c.packed()[words(c) - 1] >>= 4; };
         return parts;
       }},
      {"pack-changes-its-codes",
       "pack clears the first byte of its codes",
       {round_trip, sense_pack},
       "guard",
       [] {
         Mutation parts;
         parts.after[Operation::pack] = [](const Call& c, const Moment&) { c.pairs()[0] = 0; };
         return parts;
       }},
      // Results kept from earlier calls.
      {.name = "cached-result",
       .what = "dequantize gives its last result again where address, size, type and scheme are the same",
       .found_by = {sense_code, sense_scale, own_scale},
       .kind = "mismatch",
       .parts =
           [] {
             Mutation parts;
             const auto kept = std::make_shared<Kept>();
             const auto bytes_of_result = [](const Call& c) {
               return static_cast<std::size_t>(c.n * c.k * bytes_of(c.types.weight));
             };
             parts.instead_of[Operation::dequantize] = [=](const Call& c, const Moment&) {
               const bool same = kept->input == c.packed() && kept->n == c.n && kept->k == c.k &&
                                 kept->types == c.types && kept->scheme == c.scheme;
               if (same) std::memcpy(c.weights(), kept->bytes.data(), bytes_of_result(c));
               return same;
             };
             parts.after[Operation::dequantize] = [=](const Call& c, const Moment&) {
               const auto* weights = c.at<std::uint8_t>(Role::weights);
               *kept = {c.packed(), c.n, c.k, c.types, c.scheme, {weights, weights + bytes_of_result(c)}};
             };
             return parts;
           },
       .has_memory = true},
      {.name = "unpack-cached",
       .what = "unpack gives its last result again where address and size are the same",
       .found_by = {sense_unpack, unpack_index},
       .kind = "mismatch",
       .parts =
           [] {
             Mutation parts;
             const auto kept = std::make_shared<Kept>();
             parts.instead_of[Operation::unpack] = [=](const Call& c, const Moment&) {
               const bool same = kept->input == c.packed() && kept->n == c.n && kept->k == c.k;
               if (same) std::memcpy(c.codes(), kept->bytes.data(), kept->bytes.size());
               return same;
             };
             parts.after[Operation::unpack] = [=](const Call& c, const Moment&) {
               const auto* codes = c.at<std::uint8_t>(Role::codes);
               *kept = {c.packed(), c.n, c.k, Type::bf16, scheme::floating, {codes, codes + c.n * c.k * 4}};
             };
             return parts;
           },
       .has_memory = true},
      {.name = "last-element-of-the-last-call",
       .what = "unpack gives the last element that it gave in the call before",
       .found_by = {unpack_index, any_word, sense_unpack},
       .kind = "mismatch",
       .parts =
           [] {
             Mutation parts;
             const auto last = std::make_shared<std::int32_t>(0);
             parts.after[Operation::unpack] = [=](const Call& c, const Moment&) {
               std::swap(c.codes()[c.n * c.k - 1], *last);
             };
             return parts;
           },
       .has_memory = true},
      {.name = "wrong-after-the-first-call",
       .what = "dequantize is right once, and then wrong in its last weight",
       .found_by = {same_weights, float_value, dequantize_index},
       .kind = "mismatch",
       .parts =
           [] {
             return after([](const Call& c, const Moment& moment) {
               if (moment.earlier_calls > 0) flip(c, c.n * c.k - 1);
             });
           },
       .has_memory = true},
      {.name = "pack-wrong-every-third-call",
       .what = "every third call of pack has a wrong last word",
       .found_by = {same_pack, pack_index},
       .kind = "mismatch",
       .parts =
           [] {
             Mutation parts;
             parts.after[Operation::pack] = [](const Call& c, const Moment& moment) {
               if (moment.earlier_calls % 3 == 2) c.packed()[words(c) - 1] ^= 1;
             };
             return parts;
           },
       .has_memory = true},
      {.name = "unpack-wrong-after-dequantize",
       .what = "unpack gives a wrong first code where a dequantize has run since the last unpack",
       .found_by = {no_scales},
       .kind = "mismatch",
       .parts =
           [] {
             Mutation parts;
             const auto dirty = std::make_shared<bool>(false);
             parts.after[Operation::dequantize] = [=](const Call&, const Moment&) { *dirty = true; };
             parts.after[Operation::unpack] = [=](const Call& c, const Moment&) {
               if (*dirty) c.codes()[0] ^= 1;
               *dirty = false;
             };
             return parts;
           },
       .has_memory = true},
      {.name = "race",
       .what = "in one call of four, a weight somewhere is half written",
       .found_by = {same_weights},
       .kind = "mismatch",
       .parts =
           [] {
             return after([](const Call& c, const Moment& moment) {
               const auto call = static_cast<std::uint64_t>(moment.earlier_calls);
               if (drawn(1, 0, call) % 4 == 0)
                 flip(c, below(std::min<std::int64_t>(c.n * c.k, 1 << 30), drawn(1, 1, call)));
             });
           },
       .has_memory = true},
      // Results that depend on how the call is split.
      {"wrong-when-split",
       "dequantize has a wrong first weight when its threads are split in another way",
       {same_weights},
       "mismatch",
       [] {
         return after([](const Call& c, const Moment& moment) {
           if (moment.variation != 0) flip(c, 0);
         });
       }},
      {"unpack-wrong-when-split",
       "the same in unpack",
       {same_unpack},
       "mismatch",
       [] {
         Mutation parts;
         parts.after[Operation::unpack] = [](const Call& c, const Moment& moment) {
           if (moment.variation != 0) c.codes()[c.n * c.k - 1] ^= 1;
         };
         return parts;
       }},
      // Rare mistakes.
      {"one-weight-in-a-million",
       "the last bit of element 999,999 of every 1,000,003 weights is wrong",
       {large_weights},
       "mismatch",
       [] {
         return after([](const Call& c, const Moment&) {
           for (std::int64_t i = 999999; i < c.n * c.k; i += 1000003) flip(c, i);
         });
       }},
      {"one-code-in-a-million",
       "unpack gives a wrong element 999,999 of every 1,000,003",
       {large_unpack},
       "mismatch",
       [] {
         Mutation parts;
         parts.after[Operation::unpack] = [](const Call& c, const Moment&) {
           for (std::int64_t i = 999999; i < c.n * c.k; i += 1000003) c.codes()[i] ^= 8;
         };
         return parts;
       }},
      {"one-word-in-a-hundred-thousand",
       "pack gives a wrong word 99,999 of every 100,003",
       {large_pack},
       "mismatch",
       [] {
         Mutation parts;
         parts.after[Operation::pack] = [](const Call& c, const Moment&) {
           for (std::int64_t i = 99999; i < words(c); i += 100003) c.packed()[i] ^= 0x80000000u;
         };
         return parts;
       }},
  };
}

}  // namespace tileproof
