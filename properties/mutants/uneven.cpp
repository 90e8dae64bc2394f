// Mutants of uneven sizes: wrong only where a row begins within a byte, a row's last word is not full, or a count is
// odd.
#include "properties/mutants/mutants.h"

namespace tileproof {

namespace {

using namespace finds;

const std::set<Operation> reading = {Operation::unpack, Operation::dequantize};

bool has_odd_count(const Call& c) { return c.n * c.k % 2 != 0; }
bool is_last(const Call& c, reference::Element e) { return e.n + 1 == c.n && e.k + 1 == c.k; }
std::int64_t right_slot_of(const Call& c, reference::Element e) { return c.format->layout.slot_of(e, c.size()); }

/// Fills the slots without an element with another code.
void pad_with(const Call& c, int code) {
  for (std::int64_t slot = 0; slot < c.format->layout.slots(c.size()); ++slot) {
    if (!c.format->layout.element_at(slot, c.size())) reference::set_code_at(c.packed_bytes(), slot, code);
  }
}

}  // namespace

std::vector<Mutant> uneven_mutants() {
  using reference::Element;
  const std::vector<Mutant> of_elements = {
      {"rows-begin-with-a-byte",
       "every row is read from a whole byte on: wrong only where k is odd",
       {unpack_index, dequantize_index},
       {.in = reading,
        .slot =
            [](const Call& c, Element e) {
              return c.format->layout.slot_of(e, {c.n, c.k + c.k % 2}) % c.format->layout.slots(c.size());
            }}},
      {"rows-within-a-byte-begin-with-the-other-nibble",
       "unpack takes the first code of a row that begins within a byte from the byte's other nibble",
       {unpack_index, any_word},
       {.in = unpack_alone,
        .slot = [](const Call& c,
                   Element e) { return right_slot_of(c, e) ^ (e.k == 0 && e.n * c.k % 2 != 0 ? 1 : 0); }}},
      {"last-odd-code-dropped",
       "pack works on two codes at a time, and drops the last of an odd number",
       {pack_index, round_trip},
       {.in = pack_alone, .skips = [](const Call& c, Element e) { return has_odd_count(c) && is_last(c, e); }}},
  };
  const std::vector<Mutant> of_a_zero_that_is_no_code_0 = {
      {"last-byte-filled-with-code-0",
       "pack fills the last byte with code 0, where the code of 0 is another",
       {pack_index},
       {.in = pack_alone, .after = [](const Call& c, const Moment&) { pad_with(c, 0); }}},
  };
  const std::vector<Mutant> of_rows_of_words = {
      {"rows-of-whole-words",
       "a row has k / 8 words, rounded down: wrong only where the last is not full",
       {unpack_index, dequantize_index},
       {.in = reading, .slot = [](const Call& c, Element e) { return (e.n * (c.k / 8) + e.k / 8) * 8 + e.k % 8; }}},
      {"last-word-of-a-row-skipped",
       "dequantize works on whole words, and leaves out what is left of a row",
       {writes_weights, dequantize_index},
       {.in = dequantize_alone, .skips = [](const Call& c, Element e) { return e.k >= c.k / 8 * 8; }},
       "guard"},
      {"last-word-of-a-row-filled-with-eights",
       "pack fills a row's last word with code 8, which means 0",
       {pack_index},
       {.in = pack_alone, .after = [](const Call& c, const Moment&) { pad_with(c, 8); }}},
      {"padding-reaches-the-last-column",
       "unpack adds what a row's last word holds behind the last column to it",
       {padding, any_word},
       {.in = unpack_alone,
        .after =
            [](const Call& c, const Moment&) {
              for (std::int64_t n = 0; c.k % 8 != 0 && n < c.n; ++n) {
                c.codes()[(n + 1) * c.k - 1] |=
                    reference::code_at(c.packed_bytes(), right_slot_of(c, {n, c.k - 1}) + 1);
              }
            }}},
  };
  const std::vector<Mutant> of_any_k = {
      {"last-odd-column-skipped",
       "dequantize works on two columns at a time, and leaves out the last of an odd number",
       {writes_weights, dequantize_index},
       {.in = dequantize_alone, .skips = [](const Call& c, Element e) { return c.k % 2 != 0 && e.k + 1 == c.k; }},
       "guard"},
  };
  const std::vector<Mutant> of_blocks = {
      {"last-odd-block-skipped",
       "dequantize works on two blocks at a time, and leaves out the last of an odd number",
       {writes_weights, dequantize_index},
       {.in = dequantize_alone,
        .skips =
            [](const Call& c, Element e) {
              const std::int64_t block = c.format->layout.legal.k;
              return c.n * c.k / block % 2 != 0 && e.n + 1 == c.n && e.k >= c.k - block;
            }},
       "guard"},
  };
  const auto pads_rows = [](const Format& format) {
    return format.layout.legal.k == 1 && format.layout.padded({1, 1}).k == 8;
  };
  return in_one_list(
      {in_formats(formats_where([](const Format& format) { return !format.groups_divide_rows; }), of_elements),
       in_formats({format_of("format", "nf4")}, of_a_zero_that_is_no_code_0),
       in_formats(formats_where(pads_rows), of_rows_of_words),
       in_formats(formats_where([](const Format& format) { return format.layout.legal.k == 1; }), of_any_k),
       in_formats(formats_where(has_no_tensors), of_blocks)});
}

}  // namespace tileproof
