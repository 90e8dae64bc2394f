// Mutants of memory and state: elements left out, stores and loads outside, changed inputs, and results that depend on
// earlier calls or on how the call is split.
#include <algorithm>
#include <utility>

#include "properties/mutants/mutants.h"
#include "properties/problem/draw.h"

namespace tileproof {

namespace {

using namespace finds;

using After = std::function<void(const Call&, const Moment&)>;
Mutation after_pack(After after) { return {.in = pack_alone, .after = std::move(after)}; }
Mutation after_unpack(After after) { return {.in = unpack_alone, .after = std::move(after)}; }
Mutation after_dequantize(After after) { return {.in = dequantize_alone, .after = std::move(after)}; }

// A load outside the inputs shows only if it reaches the result; a second store to the same element only if it stores
// another value or lands elsewhere. A mutant that changes no byte is left to sanitizers and has no row here.

/// Makes the last bit of one weight wrong.
void flip(const Call& c, std::int64_t element) {
  stored(c.weights(), c.types.weight, element, loaded(c.weights(), c.types.weight, element) ^ 1);
}

bool always(const Call&, reference::Element) { return true; }
bool is_in_a_partial_tile(const Call& c, reference::Element e) { return e.n >= c.n / 8 * 8; }

std::int64_t slot_count(const Call& c) { return c.format->layout.slots(c.size()); }
std::int64_t byte_count(const Call& c) { return slot_count(c) / 2; }

Size padded(const Call& c) { return c.format->layout.padded(c.size()); }

/// The slot of element (n, k) in the padded matrix, where the element may be in the rows that fill the last n-tile.
std::int64_t slot_in_padding(const Call& c, std::int64_t n, std::int64_t k) {
  return c.format->layout.slot_of({n, k}, padded(c));
}

/// Packs codes into the rows that fill the last n-tile.
void fill_padding(const Call& c, std::int64_t columns, int (*code_of)(const Call&, std::int64_t k)) {
  for (std::int64_t n = c.n; n < padded(c).n; ++n) {
    for (std::int64_t k = 0; k < columns; ++k) {
      reference::set_code_at(c.packed_bytes(), slot_in_padding(c, n, k), code_of(c, k));
    }
  }
}

/// Gives the result of the last call again where the two calls are the same.
Mutation cached(Operation operation, Role result, bool (*are_same)(const Call&, const Call&)) {
  return {.in = {operation},
          .after = [=, last = Call(), kept = std::vector<std::uint8_t>()](const Call& c, const Moment&) mutable {
            auto* const bytes = c.at<std::uint8_t>(result);
            if (are_same(last, c)) {
              std::copy(kept.begin(), kept.end(), bytes);
            } else {
              kept.assign(bytes, bytes + form_of(c, {result, true})->bytes());
              last = c;
            }
          }};
}
bool have_same_input(const Call& a, const Call& b) {
  return a.packed_bytes() == b.packed_bytes() && a.n == b.n && a.k == b.k;
}

}  // namespace

std::vector<Mutant> memory_mutants() {
  using reference::Element;
  const std::vector<Mutant> anywhere = {
      // Elements left out.
      {"last-strip-skipped",
       "the last 32 columns are left out where they stand alone",
       {writes_weights, unpack_index},
       {.skips = [](const Call& c, Element e) { return c.k % 64 == 32 && e.k >= c.k - 32; }},
       "guard"},
      {"nothing-written",
       "dequantize returns without a word",
       {writes_weights, float_value},
       {.in = dequantize_alone, .skips = always},
       "guard"},
      // Where pack adds to its output, it does not clear it either: it leaves what is there.
      {"pack-writes-nothing",
       "pack returns without a word: what is there is taken for packed",
       {writes_pack, pack_index},
       {.in = pack_alone, .skips = always, .adds_to_output = true}},
      // Adds to the old contents, as a kernel that writes an element twice would.
      {"pack-ors-into-its-output",
       "pack does not clear its output first",
       {pack_index, writes_pack},
       {.in = pack_alone, .adds_to_output = true},
       "guard"},
      {"unpack-adds-to-its-output",
       "unpack adds where it should store",
       {unpack_index, writes_unpack},
       {.in = unpack_alone, .adds_to_output = true},
       "guard"},
      // The poison is a NaN, so every sum with it is a NaN: the properties about values find this, those about fences
      // do not.
      {"weights-added-to-the-output",
       "dequantize adds where it should store",
       {float_value, dequantize_index},
       {.in = dequantize_alone, .adds_to_output = true}},
      {"first-row-written-twice",
       "dequantize stores row 0 again, from the codes of row 1",
       {dequantize_index, float_value, sense_code},
       after_dequantize([](const Call& c, const Moment&) {
         if (c.n < 2) return;
         for (std::int64_t k = 0; k < c.k; ++k) {
           const std::int64_t from = c.format->result_at({1, k}, c.size()), to = c.format->result_at({0, k}, c.size());
           stored(c.weights(), c.types.weight, to, loaded(c.weights(), c.types.weight, from));
         }
       })},
      // Stores outside the output.
      {"writes-past-the-end",
       "one weight more than there are is stored",
       {writes_weights, float_value},
       after_dequantize([](const Call& c, const Moment&) { stored(c.weights(), c.types.weight, c.n * c.k, 0); }),
       "guard"},
      {"writes-before-the-beginning",
       "the weight before the first one is stored too",
       {writes_weights, float_value},
       after_dequantize([](const Call& c, const Moment&) { stored(c.weights(), c.types.weight, -1, 0); }),
       "guard"},
      {"unpack-writes-past-the-end",
       "unpack stores four codes at a time behind its last",
       {writes_unpack, unpack_index},
       after_unpack([](const Call& c, const Moment&) { std::fill_n(c.codes() + c.n * c.k, 4, 0); }),
       "guard"},
      {"pack-writes-past-the-end",
       "pack stores one word or byte more than there are",
       {writes_pack, pack_index},
       after_pack([](const Call& c, const Moment&) {
         std::fill_n(c.packed_bytes() + byte_count(c), c.format->layout.bytes_of_unit, std::uint8_t{0});
       }),
       "guard"},
      // Loads outside the inputs.
      {"reads-past-the-scales",
       "the last row's last group takes the scale behind the last",
       {own_scale, reads_weights},
       {.scale_at =
            [](const Call& c, Element e) {
              const std::int64_t own = c.parameter_at(e.n, e.k);
              return own + (own + 1 == c.groups().n * c.groups().k ? 1 : 0);
            }}},
      {"reads-past-the-packed-words",
       "unpack takes the last code of the last row from the word behind the last",
       {any_word, reads_unpack, unpack_index},
       {.in = unpack_alone,
        .slot =
            [](const Call& c, Element e) {
              const std::int64_t slot = c.format->layout.slot_of(e, c.size());
              return e.n + 1 == c.n && e.k + 1 == c.k ? slot_count(c) + slot % 8 : slot;
            }}},
      {"wrong-where-words-are-aligned",
       "unpack reads packed words four at a time where they are aligned to 16 bytes, and takes the first code from the "
       "second of them",
       {any_word, unpack_index},
       after_unpack([](const Call& c, const Moment&) {
         if (reinterpret_cast<std::uintptr_t>(c.packed_bytes()) % 16 == 0 && slot_count(c) > 8)
           c.codes()[0] = reference::code_at(c.packed_bytes(), 8);
       })},
      // Inputs changed.
      {"input-changed",
       "dequantize changes the first packed byte",
       {float_value, own_scale},
       after_dequantize([](const Call& c, const Moment&) { c.packed_bytes()[0] ^= 1; }),
       "guard"},
      {"scales-changed",
       "dequantize leaves the first scale with another sign",
       {float_value, own_scale},
       after_dequantize([](const Call& c, const Moment&) {
         const Type type = c.types.parameter;
         stored(c.scales(), type, 0, loaded(c.scales(), type, 0) ^ float_format_of(type).sign_bit());
       }),
       "guard"},
      {"unpack-shifts-its-input",
       "unpack leaves the last packed byte shifted",
       {any_word, words_back},
       after_unpack([](const Call& c, const Moment&) { c.packed_bytes()[byte_count(c) - 1] >>= 4; }),
       "guard"},
      {"pack-changes-its-codes",
       "pack clears the first byte of its codes",
       {round_trip, sense_pack},
       after_pack([](const Call& c, const Moment&) { c.pairs()[0] = 0; }),
       "guard"},
      // Results kept from earlier calls.
      {.name = "cached-result",
       .what = "dequantize gives its last result again where address, size, type and scheme are the same",
       .found_by = {sense_code, sense_scale, own_scale},
       .parts = cached(Operation::dequantize, Role::weights,
                       [](const Call& a, const Call& b) {
                         return have_same_input(a, b) && a.types == b.types && a.scheme == b.scheme;
                       }),
       .has_memory = true},
      {.name = "unpack-cached",
       .what = "unpack gives its last result again where address and size are the same",
       .found_by = {sense_unpack, unpack_index},
       .parts = cached(Operation::unpack, Role::codes, have_same_input),
       .has_memory = true},
      {.name = "last-element-of-the-last-call",
       .what = "unpack gives the last element that it gave in the call before",
       .found_by = {unpack_index, any_word, sense_unpack},
       .parts = after_unpack(
           [last = 0](const Call& c, const Moment&) mutable { std::swap(c.codes()[c.n * c.k - 1], last); }),
       .has_memory = true},
      {.name = "wrong-after-the-first-call",
       .what = "dequantize is right once, and then wrong in its last weight",
       .found_by = {same_weights, float_value, dequantize_index},
       .parts = after_dequantize([](const Call& c, const Moment& moment) {
         if (moment.earlier_calls > 0) flip(c, c.n * c.k - 1);
       }),
       .has_memory = true},
      {.name = "pack-wrong-every-third-call",
       .what = "every third call of pack has a wrong last byte",
       .found_by = {same_pack, pack_index},
       .parts = after_pack([](const Call& c, const Moment& moment) {
         if (moment.earlier_calls % 3 == 2) c.packed_bytes()[byte_count(c) - 1] ^= 1;
       }),
       .has_memory = true},
      {.name = "unpack-wrong-after-dequantize",
       .what = "unpack gives a wrong first code where a dequantize has run since the last unpack",
       .found_by = {no_scales},
       .parts = {.in = {Operation::unpack, Operation::dequantize},
                 .after =
                     [dirty = false](const Call& c, const Moment&) mutable {
                       if (c.operation == Operation::unpack && dirty) c.codes()[0] ^= 1;
                       dirty = c.operation == Operation::dequantize;
                     }},
       .has_memory = true},
      {.name = "race",
       .what = "in one call of four, a weight somewhere is half written",
       .found_by = {same_weights},
       .parts = after_dequantize([](const Call& c, const Moment& moment) {
         const auto call = static_cast<std::uint64_t>(moment.earlier_calls);
         if (drawn(1, 0, call) % 4 == 0) flip(c, below(std::min<std::int64_t>(c.n * c.k, 1 << 30), drawn(1, 1, call)));
       }),
       .has_memory = true},
      // Results that depend on how the call is split.
      {"wrong-when-split",
       "dequantize has a wrong first weight when its threads are split in another way",
       {same_weights},
       after_dequantize([](const Call& c, const Moment& moment) {
         if (moment.variation != 0) flip(c, 0);
       })},
      {"unpack-wrong-when-split",
       "the same in unpack",
       {same_unpack},
       after_unpack([](const Call& c, const Moment& moment) {
         if (moment.variation != 0) c.codes()[c.n * c.k - 1] ^= 1;
       })},
      // Rare mistakes.
      {"one-weight-in-a-million",
       "the last bit of element 999,999 of every 1,000,003 weights is wrong",
       {large_weights},
       after_dequantize([](const Call& c, const Moment&) {
         for (std::int64_t i = 999999; i < c.n * c.k; i += 1000003) flip(c, i);
       })},
      {"one-code-in-a-million",
       "unpack gives a wrong element 999,999 of every 1,000,003",
       {large_unpack},
       after_unpack([](const Call& c, const Moment&) {
         for (std::int64_t i = 999999; i < c.n * c.k; i += 1000003) c.codes()[i] ^= 8;
       })},
      {"one-word-in-a-hundred-thousand",
       "pack gives a wrong storage unit 99,999 of every 100,003",
       {large_pack},
       after_pack([](const Call& c, const Moment&) {
         const std::int64_t of_unit = c.format->layout.bytes_of_unit;
         for (std::int64_t i = 99999; i < byte_count(c) / of_unit; i += 100003)
           c.packed_bytes()[(i + 1) * of_unit - 1] ^= 0x80;
       })},
  };
  const std::vector<Mutant> of_odd_rows = {
      {"last-odd-row-skipped",
       "dequantize works on two rows at a time, and leaves out the last of an odd number",
       {writes_weights, dequantize_index},
       {.in = dequantize_alone, .skips = [](const Call& c, Element e) { return c.n % 2 != 0 && e.n + 1 == c.n; }},
       "guard"},
  };
  const std::vector<Mutant> of_zeros = {
      {"wrong-where-scales-are-not-aligned",
       "dequantize rounds down the address of a scale and its zero to a multiple of both",
       {float_value, own_zero},
       after_dequantize([](const Call& c, const Moment&) {
         const auto bytes_of_pair = static_cast<std::uintptr_t>(2 * bytes_of(c.types.parameter));
         if (reinterpret_cast<std::uintptr_t>(c.scales()) % bytes_of_pair != 0) flip(c, 0);
       })},
  };
  const std::vector<Mutant> of_tinygemm = {
      {"last-tile-skipped",
       "a last n-tile of fewer than eight rows is left out",
       {writes_weights, unpack_index, dequantize_index},
       {.skips = is_in_a_partial_tile},
       "guard"},
      {"pack-skips-the-last-tile",
       "pack leaves the codes of a last n-tile of fewer than eight rows out: they become 0",
       {pack_index, round_trip, sense_pack},
       {.in = pack_alone, .skips = is_in_a_partial_tile}},
      {"padding-rows-written",
       "dequantize stores all eight rows of the last n-tile",
       {writes_weights, dequantize_index},
       after_dequantize([](const Call& c, const Moment&) {
         for (std::int64_t i = c.n * c.k; i < padded(c).n * c.k; ++i) stored(c.weights(), c.types.weight, i, 0);
       }),
       "guard"},
      {"pack-fills-padding-with-eights",
       "the rows past n are packed as code 8, which means 0",
       {pack_index, recorded_pack},
       after_pack(
           [](const Call& c, const Moment&) { fill_padding(c, c.k, [](const Call&, std::int64_t) { return 8; }); })},
      {"pack-reads-rows-past-the-end",
       "pack fills the rows past n with the bytes behind its input",
       {pack_index, reads_pack},
       after_pack([](const Call& c, const Moment&) {
         fill_padding(c, std::min<std::int64_t>(c.k, 64),
                      [](const Call& of, std::int64_t k) { return of.pairs()[of.n * of.k / 2 + k / 2] & 15; });
       })},
      {"padding-reaches-the-last-row",
       "unpack adds what the row past n holds to the last row, which is code 0 where pack is right",
       {padding, any_word},
       after_unpack([](const Call& c, const Moment&) {
         if (c.n % 8 == 0) return;
         for (std::int64_t k = 0; k < c.k; ++k) {
           c.codes()[(c.n - 1) * c.k + k] |= reference::code_at(c.packed_bytes(), slot_in_padding(c, c.n, k));
         }
       })},
  };
  const auto has_no_half_block = [](const Format& format) {
    return has_no_tensors(format) && k_unit(format, 32) % 64 == 0;
  };
  /// The first code is the lowest of the second word.
  const auto begins_in_the_second_word = [](const Format& format) {
    return format.layout.slot_of({0, 0}, least_full_size(format)) == 8;
  };
  return in_one_list(
      {except(in_formats(every_format_there_is(), anywhere),
              {{"last-strip-skipped", has_no_half_block},
               {"wrong-where-words-are-aligned", begins_in_the_second_word},
               {"scales-changed", has_no_tensors},
               {"scales-changed", has_powers_of_two}}),
       in_formats(formats_where([](const Format& format) { return format.layout.legal.n % 2 != 0; }), of_odd_rows),
       except(in_formats(formats_with(schemes_with(Zero::value)), of_zeros),
              {{"wrong-where-scales-are-not-aligned", has_no_tensors}}),
       of_tinygemm});
}

}  // namespace tileproof
