// Mutants of convert: the index of one format in place of the other's, padding that is not the target's, and what
// memory and batches show.
#include "properties/mutants/mutants.h"

namespace tileproof {

namespace {

using namespace finds;
using reference::codes_of_word;

/// The right slot of an element in the format that is converted to.
std::int64_t slot_to(const Call& c, reference::Element e) { return c.format_to->layout.slot_of(e, c.size()); }
std::int64_t slot_from(const Call& c, reference::Element e) { return c.format->layout.slot_of(e, c.size()); }

std::uint8_t* bytes_to(const Call& c) { return c.at<std::uint8_t>(Role::converted); }

Mutation in_convert(Mutation parts) {
  parts.in = convert_alone;
  return parts;
}

/// The mutants, declared for some formats.
std::vector<Mutant> between(const std::vector<const Format*>& formats, const std::vector<const Format*>& formats_to,
                            std::vector<Mutant> mutants) {
  for (Mutant& mutant : mutants) {
    mutant.formats = formats;
    mutant.formats_to = formats_to;
    if (formats_to.size() == 1) std::erase(mutant.formats, formats_to.front());
  }
  return mutants;
}

/// Copies the codes of the rows that fill the last n-tile.
void copy_padding(const Call& c, const Moment&) {
  const Size padded = c.format->layout.padded(c.size());
  for (std::int64_t n = c.n; n < padded.n; ++n) {
    for (std::int64_t k = 0; k < c.k; ++k) {
      const int code = reference::code_at(c.packed(), c.format->layout.slot_of({n, k}, padded));
      reference::set_code_at(bytes_to(c), c.format_to->layout.slot_of({n, k}, padded), code);
    }
  }
}

}  // namespace

std::vector<Mutant> convert_mutants() {
  using reference::Element;
  const std::vector<Mutant> anywhere = {
      {"convert-nibbles-reversed",
       "convert puts the first code of a word into the highest nibble",
       {convert_index, convert_bits, sense_convert},
       in_convert({.slot = [](const Call& c, Element e) { return slot_to(c, e) ^ 7; }})},
      {"convert-exchanges-n-and-k",
       "convert takes the matrix of n rows for one of k rows",
       {convert_index, convert_bits, sense_convert},
       in_convert({.slot =
                       [](const Call& c, Element e) {
                         const std::int64_t index = e.k * c.n + e.n;
                         return slot_to(c, {index / c.k, index % c.k});
                       }})},
      {"convert-counts-words-in-16-bits",
       "convert wraps the index of a word at 65,536",
       {large_convert},
       in_convert({.slot = [](const Call& c, Element e) { return slot_to(c, e) % (65536 * codes_of_word); }})},
      {"convert-reads-past-its-input",
       "convert takes the last code of the last row from the word behind the last",
       {convert_bits, reads_convert, convert_index},
       in_convert({.source =
                       [](const Call& c, Element e) {
                         const std::int64_t slot = slot_from(c, e);
                         const bool is_last = e.n + 1 == c.n && e.k + 1 == c.k;
                         return is_last ? c.format->layout.slots(c.size()) + slot % codes_of_word : slot;
                       }})},
      {"convert-writes-past-the-end",
       "convert stores one byte more than there are",
       {writes_convert, convert_index},
       in_convert(
           {.after = [](const Call& c, const Moment&) { bytes_to(c)[c.format_to->layout.slots(c.size()) / 2] = 0; }}),
       "guard"},
      {"convert-wrong-when-split",
       "convert has a wrong first code when its threads are split in another way",
       {same_convert},
       in_convert({.after =
                       [](const Call& c, const Moment& moment) {
                         if (moment.variation != 0) bytes_to(c)[0] ^= 1;
                       }})},
      {"convert-of-the-first-expert",
       "convert gives every expert what it gives the first",
       {batch_convert, many_convert},
       in_convert({.whose_input = [](std::int64_t) { return std::int64_t{0}; }})},
  };
  const std::vector<Mutant> to_awq = {
      {"convert-forgets-the-interleave",
       "convert puts the eight codes of a word of awq in natural order",
       {convert_index, convert_bits, sense_convert},
       in_convert({.slot = [](const Call& c, Element e) { return e.k * c.n + e.n; }})},
  };
  const std::vector<Mutant> from_tinygemm = {
      {"convert-swaps-lanes",
       "convert takes two neighbouring lanes of its input for each other",
       {convert_index, convert_bits, sense_convert},
       in_convert({.source =
                       [](const Call& c, Element e) {
                         const std::int64_t words_of_lane = c.format->layout.dims(c.size()).extents[3];
                         return slot_from(c, e) ^ (codes_of_word * words_of_lane);
                       }})},
  };
  const std::vector<Mutant> to_padding = {
      {"convert-leaves-padding",
       "convert does not write the rows that fill the last n-tile",
       {writes_convert, convert_bits},
       in_convert({.leaves_padding = true})},
  };
  const std::vector<Mutant> from_padding_to_padding = {
      {"convert-copies-padding",
       "convert gives what its input holds in the rows that fill the last n-tile",
       {convert_padding, convert_bits},
       in_convert({.after = copy_padding})},
  };
  const std::vector<Mutant> of_odd_rows = {
      {"convert-skips-the-last-rows",
       "convert leaves the codes of the last rows out where they are no whole eight",
       {convert_index, convert_bits},
       in_convert({.skips = [](const Call& c, Element e) { return e.n >= c.n / 8 * 8; }})},
  };
  const std::vector<const Format*> all = formats_of_codes_alone();
  std::vector<const Format*> not_of_eight = all;
  std::erase_if(not_of_eight, [](const Format* format) { return format->layout.legal.n % 8 == 0; });
  const std::vector<const Format*> awq = {format_of("format", "awq")};
  return in_one_list({between(all, all, anywhere), between(all, awq, to_awq),
                      between(tinygemm_formats(), all, from_tinygemm),
                      between(not_of_eight, tinygemm_formats(), to_padding),
                      between(tinygemm_formats(), tinygemm_formats(), from_padding_to_padding),
                      between(not_of_eight, not_of_eight, of_odd_rows)});
}

}  // namespace tileproof
