/// The packed layouts that the kernels know: where each keeps its codes, stated from the storage word. A row of the
/// list `Layouts` at the end is all that a layout needs here.
///
/// A slot is four bits. Slots are counted through memory, the low half of a byte first, so that the lowest three bits
/// of a slot's number say which nibble of a 32-bit word it is. In these layouts the bits of that number are bits of the
/// row n and the column k, in an order of each layout's own: first those of the list `low`, then all other bits of one
/// of the two, as a number, and last those of the other. A word of AWQ's, for example, holds rows 8c + {0, 2, 4, 6, 1,
/// 3, 5, 7} of a column: bits 1, 2 and 0 of n. Then comes n / 8, and then k: int32 [k][n / 8].
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace tileproof::kernels {

enum class Axis { n, k };
constexpr Axis other(Axis axis) { return axis == Axis::n ? Axis::k : Axis::n; }

/// A bit of a row's or a column's number.
struct Bit {
  Axis axis = Axis::n;
  int number = 0;
  bool is_flipped = false;  // the slot's number has its complement

  bool operator==(const Bit&) const = default;
  constexpr bool is(Bit bit) const { return axis == bit.axis && number == bit.number; }
};
constexpr Bit n(int number) { return {Axis::n, number}; }
constexpr Bit k(int number) { return {Axis::k, number}; }
constexpr Bit not_k(int number) { return {Axis::k, number, true}; }

/// The order of the bits in a slot's number, the lowest first.
struct Order {
  static constexpr int most_low = 11;
  Bit low[most_low];
  int low_count;
  Axis next;  // whose other bits come after `low`

  bool operator==(const Order&) const = default;

  template <class... Bits>
  static constexpr Order of(Axis next, Bits... low) {
    return {{low...}, sizeof...(low), next};
  }

  /// How many bits of a row or a column are in `low`: those from bit 0 on.
  constexpr int low_of(Axis axis) const {
    int count = 0;
    for (int i = 0; i < low_count; ++i) count += low[i].axis == axis;
    return count;
  }
  /// The bit at a position of a slot's number that is below the bits that come last.
  constexpr Bit at(int position) const {
    if (position < low_count) return low[position];
    return {next, low_of(next) + position - low_count};
  }
  static constexpr int unknown = -1;
  /// Where a bit stands in a slot's number; unknown for those that come last, for that depends on the matrix.
  constexpr int position_of(Bit bit) const {
    for (int i = 0; i < low_count; ++i) {
      if (low[i].is(bit)) return i;
    }
    return bit.axis == next ? low_count + bit.number - low_of(next) : unknown;
  }
  constexpr bool flips(Bit bit) const {
    for (int i = 0; i < low_count; ++i) {
      if (low[i].is(bit)) return low[i].is_flipped;
    }
    return false;
  }
};

/// The numbers that the sizes of a matrix's tensors depend on.
struct Extents {
  std::int64_t n, k;
  std::int64_t group_size = 1;
};

/// One dimension of a tensor: times * ceil(extent / over).
struct Dim {
  // Names the extent: 'n', 'k', 'g' for the groups of a row, 'e' for all elements, 'b' for blocks of group_size of all
  // elements, of which the last may be shorter, '1' for a constant; 0: there is no such dimension.
  char axis = 0;
  int times = 1;
  int over = 1;

  constexpr std::int64_t extent(Extents of) const {
    switch (axis) {
      case 'n':
        return of.n;
      case 'k':
        return of.k;
      case 'g':
        return of.k / of.group_size;
      case 'e':
        return of.n * of.k;
      case 'b':
        return (of.n * of.k + of.group_size - 1) / of.group_size;
      default:
        return 1;
    }
  }
  constexpr std::int64_t size(Extents of) const { return (extent(of) + over - 1) / over * times; }
};

/// The dimensions of a tensor.
struct Dims {
  static constexpr int most = 4;
  Dim all[most] = {};  // those behind the last one are of axis 0

  constexpr int count() const {
    int dims = 0;
    while (dims < most && all[dims].axis != 0) ++dims;
    return dims;
  }
  constexpr std::int64_t size(int dim, Extents of) const { return all[dim].size(of); }
  constexpr std::int64_t elements(Extents of) const {
    std::int64_t product = 1;
    for (int d = 0; d < count(); ++d) product *= size(d, of);
    return product;
  }
  /// "[ceil(n/8)][k/64][32][2]": a ceil where the extent need not be a multiple.
  /// @param n_multiple, k_multiple  of which n and k are multiples
  std::string text(int n_multiple, int k_multiple) const {
    std::string text;
    for (int d = 0; d < count(); ++d) {
      const Dim& dim = all[d];
      const int multiple = dim.axis == 'n' ? n_multiple : dim.axis == 'k' ? k_multiple : 1;
      std::string size = dim.axis == 'g'   ? "k/group_size"
                         : dim.axis == 'e' ? "n*k"
                         : dim.axis == 'b' ? "n*k/group_size"
                                           : std::string(1, dim.axis);
      const std::string over = dim.over == 1 ? "" : "/" + std::to_string(dim.over);
      const bool is_whole = dim.axis != 'b' && (dim.over == 1 || multiple % dim.over == 0);
      size = is_whole ? size + over : "ceil(" + size + over + ")";
      if (dim.axis == '1') size = std::to_string(dim.times);
      if (dim.axis != '1' && dim.times > 1) size = std::to_string(dim.times) + "*" + size;
      text += "[" + size + "]";
    }
    return text;
  }
  /// "[8, 16, 32, 2]"
  std::string sizes_text(Extents of) const {
    std::string text;
    for (int d = 0; d < count(); ++d) text += (d == 0 ? "[" : ", ") + std::to_string(size(d, of));
    return text + "]";
  }
};

/// A layout as data.
struct Layout {
  const char* name;    // of the format
  const char* dtype;   // of the packed tensor
  Dims dims;           // of the packed tensor
  int n_multiple = 1;  // legal n and k are multiples of these
  int k_multiple = 1;
  int n_padded_to = 1;  // rows of code 0 fill n up to a multiple of this
  // Rows come in blocks of so many, of which the last may be shorter: such a one is column by column, its rows in
  // order. 0: there are no blocks.
  int rows_of_block = 0;
  Order order;

  std::string dims_text() const { return dims.text(n_multiple, k_multiple); }
  std::int64_t padded_n(std::int64_t n) const { return (n + n_padded_to - 1) / n_padded_to * n_padded_to; }
};

// tinygemm's: a word is two fragments, of neighbouring k-tiles, of operand B of the tensor-core instruction m16n8k16; a
// lane has inner_k_tiles / 2 of them. An n-tile is 8 rows, a k-tile 16 columns.
constexpr Layout tinygemm(const char* name, int inner_k_tiles, Order order) {
  const int columns = 16 * inner_k_tiles;  // of a supertile
  return {.name = name,
          .dtype = "int32",
          .dims = {{{'n', 1, 8}, {'k', 1, columns}, {'1', 32}, {'1', inner_k_tiles / 2}}},
          .k_multiple = columns,
          .n_padded_to = 8,
          .order = order};
}
struct Tinygemm2 {
  static constexpr Layout row =
      tinygemm("tinygemm-2", 2, Order::of(Axis::k, k(3), k(4), k(0), k(1), k(2), n(0), n(1), n(2)));
};
struct Tinygemm4 {
  static constexpr Layout row =
      tinygemm("tinygemm-4", 4, Order::of(Axis::k, k(3), k(4), k(0), k(5), k(1), k(2), n(0), n(1), n(2)));
};
struct Tinygemm8 {
  static constexpr Layout row =
      tinygemm("tinygemm-8", 8, Order::of(Axis::k, k(3), k(4), k(0), k(5), k(6), k(1), k(2), n(0), n(1), n(2)));
};

/// The codes that tinygemm's pack takes: two columns a byte, the even one in the high half.
struct Plain {
  static constexpr Layout row = {.name = "plain",
                                 .dtype = "uint8",
                                 .dims = {{{'n'}, {'k', 1, 2}}},
                                 .k_multiple = 2,
                                 .order = Order::of(Axis::k, not_k(0))};
};
/// Eight columns a word.
struct PlainInt32 {
  static constexpr Layout row = {.name = "plain-int32",
                                 .dtype = "int32",
                                 .dims = {{{'n'}, {'k', 1, 8}}},
                                 .k_multiple = 8,
                                 .order = Order::of(Axis::k)};
};
/// GPTQ: eight columns a word, the words of neighbouring rows together. Version 1 differs in its zero points alone.
struct Gptq {
  static constexpr Layout row = {.name = "gptq",
                                 .dtype = "int32",
                                 .dims = {{{'k', 1, 8}, {'n'}}},
                                 .n_multiple = 8,
                                 .k_multiple = 8,
                                 .order = Order::of(Axis::n, k(0), k(1), k(2))};
};
struct GptqV1 {
  static constexpr Layout row = [] {
    Layout as_two = Gptq::row;
    as_two.name = "gptq-v1";
    return as_two;
  }();
};
/// AWQ: eight rows of one column a word, the even ones in its low half.
struct Awq {
  static constexpr Layout row = {.name = "awq",
                                 .dtype = "int32",
                                 .dims = {{{'k'}, {'n', 1, 8}}},
                                 .n_multiple = 8,
                                 .order = Order::of(Axis::n, n(1), n(2), n(0))};
};
/// Marlin: a word is two fragments, of neighbouring n-tiles, of that operand B; a lane has four of them.
struct Marlin {
  static constexpr Layout row = {
      .name = "marlin",
      .dtype = "int32",
      .dims = {{{'k', 1, 16}, {'n', 2}}},
      .n_multiple = 64,
      .k_multiple = 16,
      .order = Order::of(Axis::n, k(3), n(3), k(0), n(4), n(5), k(1), k(2), n(0), n(1), n(2))};
};
// aten's weights for CPUs, by the capability of the machine that packed: a block's rows lie together, column by column.
constexpr Layout int4pack_cpu(const char* name, int rows_of_block, Order order) {
  return {.name = name,
          .dtype = "uint8",
          .dims = {{{'n'}, {'k', 1, 2}}},
          .n_multiple = 16,
          .k_multiple = 2,
          .rows_of_block = rows_of_block,
          .order = order};
}
struct Int4PackCpuDefault {
  static constexpr Layout row =
      int4pack_cpu("int4pack-cpu-default", 32, Order::of(Axis::k, n(0), n(1), n(2), n(3), n(4)));
};
struct Int4PackCpuAvx2 {
  static constexpr Layout row = int4pack_cpu("int4pack-cpu-avx2", 32, Order::of(Axis::k, n(4), n(0), n(1), n(2), n(3)));
};
struct Int4PackCpuAvx512 {
  static constexpr Layout row =
      int4pack_cpu("int4pack-cpu-avx512", 64, Order::of(Axis::k, n(5), n(0), n(1), n(2), n(3), n(4)));
};

inline constexpr const Layout* layouts[] = {&Tinygemm2::row,       &Tinygemm4::row,
                                            &Tinygemm8::row,       &Plain::row,
                                            &PlainInt32::row,      &Gptq::row,
                                            &GptqV1::row,          &Awq::row,
                                            &Marlin::row,          &Int4PackCpuDefault::row,
                                            &Int4PackCpuAvx2::row, &Int4PackCpuAvx512::row};

/// "tinygemm-2, tinygemm-4, ...", all of them.
inline std::string legal_formats() {
  std::string text;
  for (const Layout* layout : layouts) text += (text.empty() ? "" : ", ") + std::string(layout->name);
  return text;
}

/// @return the layout of a format, or nullptr where the kernels know none of that name
constexpr const Layout* layout_named(std::string_view name) {
  for (const Layout* layout : layouts) {
    if (name == layout->name) return layout;
  }
  return nullptr;
}

}  // namespace tileproof::kernels
