/// The slots of a matrix in a layout of layouts.h, computed for any legal size.
#pragma once

#include "kernels/device.h"
#include "kernels/layouts.h"

namespace tileproof::kernels {

/// A layout of a matrix: which slot holds a code, and which code a slot holds.
class Slots {
 public:
  Slots(const Layout& layout, std::int64_t rows, std::int64_t columns)
      : order_(layout.order),
        low_n_(layout.order.low_of(Axis::n)),
        low_k_(layout.order.low_of(Axis::k)),
        n_(rows),
        k_(columns),
        padded_n_(layout.padded_n(rows)),
        next_(order_.next == Axis::n ? padded_n_ >> low_n_ : columns >> low_k_),
        short_block_(layout.rows_of_block == 0 ? padded_n_ : rows / layout.rows_of_block * layout.rows_of_block) {}

  /// Numbers that each have a row and a column, in an order of bits.
  Slots(const Order& order, std::int64_t rows, std::int64_t columns)
      : Slots(Layout{.name = "", .dtype = "", .dims = {}, .order = order}, rows, columns) {}

  /// How many slots an expert has.
  TILEPROOF_HOST_DEVICE std::int64_t count() const { return padded_n_ * k_; }

  TILEPROOF_HOST_DEVICE std::int64_t slot_of(std::int64_t row, std::int64_t column) const {
    if (row >= short_block_) return short_block_ * k_ + column * (n_ - short_block_) + (row - short_block_);
    const std::int64_t next = order_.next == Axis::n ? row >> low_n_ : column >> low_k_;
    const std::int64_t last = order_.next == Axis::n ? column >> low_k_ : row >> low_n_;
    std::int64_t slot = (last * next_.divisor + next) << order_.low_count;
    for (int i = 0; i < order_.low_count; ++i) {
      const Bit bit = order_.low[i];
      const std::int64_t number = bit.axis == Axis::n ? row : column;
      slot |= ((number >> bit.number & 1) ^ (bit.is_flipped ? 1 : 0)) << i;
    }
    return slot;
  }

  /// The code that a slot holds. Of padding, row is n or more.
  TILEPROOF_HOST_DEVICE void find(std::int64_t slot, std::int64_t& row, std::int64_t& column) const {
    if (slot >= short_block_ * k_) {
      const std::int64_t of_block = slot - short_block_ * k_, height = n_ - short_block_;
      column = of_block / height;
      row = short_block_ + of_block % height;
      return;
    }
    const std::int64_t rest = slot >> order_.low_count;
    const std::int64_t last = next_.quotient(rest), next = rest - last * next_.divisor;
    row = (order_.next == Axis::n ? next : last) << low_n_;
    column = (order_.next == Axis::n ? last : next) << low_k_;
    for (int i = 0; i < order_.low_count; ++i) {
      const Bit bit = order_.low[i];
      const std::int64_t is_set = (slot >> i & 1) ^ (bit.is_flipped ? 1 : 0);
      (bit.axis == Axis::n ? row : column) |= is_set << bit.number;
    }
  }

  TILEPROOF_DEVICE bool is_padding(std::int64_t row) const { return row >= n_; }

 private:
  Order order_;
  int low_n_, low_k_;
  std::int64_t n_, k_, padded_n_;
  FastDivmod next_;           // how many there are of what comes next
  std::int64_t short_block_;  // its first row
};

}  // namespace tileproof::kernels
