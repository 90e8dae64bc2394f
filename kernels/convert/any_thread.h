/// A thread that converts between any two layouts, in any legal sizes: it owns a word of the result, or a byte where
/// words lie across rows, and asks both layouts where its codes are. Slower than the warps of convert_warp.h, which
/// know their layouts beforehand.
#pragma once

#include "kernels/arguments.h"
#include "kernels/slots.h"

namespace tileproof::kernels {

struct AnyThread {
  static constexpr int most_codes = 8;

  const std::uint8_t* from;
  std::uint8_t* to;
  Slots source, target;
  std::int64_t experts;
  int codes;                            // of a thread: those of a word, or of a byte
  std::int64_t from_first[most_codes];  // of a word: how far the slot of each is from that of the first, in the source
  FastDivmod threads_of_expert;

  explicit AnyThread(const ConvertArguments& a)
      : from(static_cast<const std::uint8_t*>(a.packed)),
        to(static_cast<std::uint8_t*>(a.converted)),
        source(*a.source, a.n, a.k),
        target(*a.target, a.n, a.k),
        experts(a.experts),
        codes(has_whole_words(a) ? most_codes : 2),
        threads_of_expert(target.count() / codes) {
    for (int i = 0; i < codes; ++i) from_first[i] = source_slot(i) - source_slot(0);
  }

  std::int64_t threads() const { return experts * threads_of_expert.divisor; }

  /// Whether the codes of every word of the target lie as far apart in the source as those of every other one.
  static bool has_whole_words(const ConvertArguments& a) {
    for (const Layout* layout : {a.source, a.target}) {
      if (layout->rows_of_block != 0 && a.n % layout->rows_of_block != 0) return false;
    }
    for (int i = 0; i < 3; ++i) {
      const Bit bit = a.target->order.at(i);
      const std::int64_t extent = bit.axis == Axis::n ? a.n : a.k;
      if (extent % (std::int64_t{2} << bit.number) != 0) return false;
    }
    return true;
  }

  std::int64_t source_slot(std::int64_t target_slot) const {
    std::int64_t row = 0, column = 0;
    target.find(target_slot, row, column);
    return source.slot_of(row, column);
  }

  TILEPROOF_DEVICE void operator()(std::int64_t thread) const {
    const std::int64_t expert = threads_of_expert.quotient(thread);
    const std::uint8_t* const of_expert = from + expert * (source.count() / 2);
    const std::int64_t first = (thread - expert * threads_of_expert.divisor) * codes;
    if (codes == most_codes) {
      reinterpret_cast<std::uint32_t*>(to)[thread] = word(of_expert, first);
    } else {
      to[thread] = static_cast<std::uint8_t>(code(of_expert, first) | code(of_expert, first + 1) << 4);
    }
  }

 private:
  TILEPROOF_DEVICE std::uint32_t code(const std::uint8_t* of_expert, std::int64_t target_slot) const {
    std::int64_t row = 0, column = 0;
    target.find(target_slot, row, column);
    return source.is_padding(row) ? 0 : code_in(of_expert, source.slot_of(row, column));
  }

  TILEPROOF_DEVICE std::uint32_t word(const std::uint8_t* of_expert, std::int64_t target_slot) const {
    std::int64_t row = 0, column = 0;
    target.find(target_slot, row, column);
    if (source.is_padding(row)) return 0;
    const std::int64_t first = source.slot_of(row, column);
    std::uint32_t word = 0;
    TILEPROOF_UNROLL
    for (int i = 0; i < most_codes; ++i) word |= code_in(of_expert, first + from_first[i]) << (4 * i);
    return word;
  }

  static TILEPROOF_DEVICE std::uint32_t code_in(const std::uint8_t* of_expert, std::int64_t slot) {
    return of_expert[slot >> 1] >> (slot % 2 * 4) & 15u;
  }
};

}  // namespace tileproof::kernels
