/// A layout says where the 4-bit codes of a matrix lie in one buffer. This header holds the words that layouts are
/// written in, and what can be asked of every layout: legality, size, bijection, access to a code.
///
/// A slot counts nibbles through memory: slot s is in byte s / 2, the low nibble first. Storage words are
/// little-endian, so nibble i of the word w of 32 bits, 0 = least significant, is slot 8 * w + i.
///
/// A layout is a type without state:
///
///   name            text; the format of one layout has its name
///   legal           what n and k are multiples of
///   Storage, dtype  the unsigned type of an element of the buffer; the tensor's dtype, which may be signed
///   dims, dims_text the shape of the buffer's tensor, as numbers and as a formula for messages
///   padding_code    the code that fills slots without an element
///   padded_to       optional: what n and k are filled up to a multiple of, where there is padding
///   slot_of         from the element; element_at from the storage order, nothing for padding: written independently
///   coordinates     the names of a slot's place, for texts: the storage unit and the nibble last
///   run_columns,    optional: the slots of so many consecutive k, from a multiple of it on and within one row,
///   slot_from_first relative to the first
///   block           optional: the matrix is cut into blocks of so many rows and columns, which lie one behind the
///                   other, those of a row of blocks first; each is laid out as a matrix of its size
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>

namespace tileproof::reference {

/// a / b for a >= 0, b > 0. A GPU divides 32-bit numbers much faster than 64-bit ones.
constexpr std::int64_t divided(std::int64_t a, std::int64_t b) {
  if (((a | b) >> 32) == 0) return static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b);
  return a / b;
}

/// A matrix of n rows and k columns.
struct Size {
  std::int64_t n;
  std::int64_t k;
  constexpr bool operator==(const Size&) const = default;
};

/// Which element of the unpacked matrix a code is: row n, column k.
struct Element {
  std::int64_t n;
  std::int64_t k;
  constexpr bool operator==(const Element&) const = default;
};

/// A legal n is a multiple of n, a legal k one of k; 0 is legal.
struct Multiples {
  std::int64_t n = 1;
  std::int64_t k = 1;
  constexpr bool operator==(const Multiples&) const = default;
};

/// The shape of a tensor, contiguous, the last extent fastest.
struct Dims {
  static constexpr int most = 4;
  std::int64_t extents[most] = {};
  int count = 0;

  constexpr Dims() = default;
  template <class... Extents>
  constexpr Dims(std::int64_t first, Extents... others)  // NOLINT: a shape is written {n, k / 2}
      : extents{first, static_cast<std::int64_t>(others)...}, count(1 + static_cast<int>(sizeof...(others))) {
    static_assert(1 + sizeof...(others) <= most);
  }

  constexpr const std::int64_t* begin() const { return extents; }
  constexpr const std::int64_t* end() const { return extents + count; }
  constexpr std::int64_t elements() const {
    std::int64_t product = 1;
    for (int i = 0; i < count; ++i) product *= extents[i];
    return product;
  }
  constexpr bool operator==(const Dims&) const = default;
};

/// One number of a place, and its name: lane 13.
struct Coordinate {
  const char* name;
  std::int64_t value;
};

/// A place in a buffer for people: "n-tile 0, k-tile 2, lane 13, word 52, nibble 4".
struct Coordinates {
  static constexpr int most = 6;
  Coordinate all[most] = {};
  int count = 0;

  constexpr Coordinates() = default;
  template <class... Others>
  constexpr Coordinates(Coordinate first, Others... others)  // NOLINT: as Dims
      : all{first, others...}, count(1 + static_cast<int>(sizeof...(others))) {
    static_assert(1 + sizeof...(others) <= most);
  }

  constexpr const Coordinate* begin() const { return all; }
  constexpr const Coordinate* end() const { return all + count; }
};

template <class L>
concept IsLayout = requires(Element element, Size size, std::int64_t slot) {
  typename L::Storage;
  { L::name[0] } -> std::convertible_to<char>;
  { L::dtype[0] } -> std::convertible_to<char>;
  { L::dims_text[0] } -> std::convertible_to<char>;
  { L::legal } -> std::convertible_to<Multiples>;
  { L::padding_code } -> std::convertible_to<int>;
  { L::dims(size) } -> std::same_as<Dims>;
  { L::slot_of(element, size) } -> std::same_as<std::int64_t>;
  { L::element_at(slot, size) } -> std::same_as<std::optional<Element>>;
  { L::coordinates(slot, size) } -> std::same_as<Coordinates>;
};

template <class L>
concept HasRuns = IsLayout<L> && requires {
  { L::run_columns } -> std::convertible_to<int>;
  { L::slot_from_first(0) } -> std::same_as<int>;
};

template <class L>
concept HasBlocks = IsLayout<L> && requires {
  { L::block } -> std::convertible_to<Size>;
};

template <class Storage>
inline constexpr int slots_of_unit = 2 * static_cast<int>(sizeof(Storage));

/// The name of a storage unit in texts.
template <IsLayout L>
constexpr const char* unit_name() {
  return sizeof(typename L::Storage) == 1 ? "byte" : "word";
}

/// @return whether a matrix may lie so. n and k may be 0.
template <IsLayout L>
constexpr bool is_legal(Size size) {
  return size.n >= 0 && size.k >= 0 && size.n % L::legal.n == 0 && size.k % L::legal.k == 0;
}

/// @return the size of the matrix with its padding: as many elements as the buffer has slots
template <IsLayout L>
constexpr Size padded(Size size) {
  if constexpr (requires { L::padded_to; }) {
    const Multiples to = L::padded_to;
    return {(size.n + to.n - 1) / to.n * to.n, (size.k + to.k - 1) / to.k * to.k};
  } else {
    return size;
  }
}

/// @return the storage units of a buffer: bytes, or words of 32 bits
template <IsLayout L>
constexpr std::int64_t units(Size size) {
  return L::dims(size).elements();
}

/// @return the slots of a buffer, those of padding included
template <IsLayout L>
constexpr std::int64_t slots(Size size) {
  return units<L>(size) * slots_of_unit<typename L::Storage>;
}

/// The code in a slot of a buffer, read by bytes or by words of the storage.
template <class Storage>
constexpr int code_at(const Storage* storage, std::int64_t slot) {
  constexpr int of_unit = slots_of_unit<Storage>;
  return static_cast<int>(storage[slot / of_unit] >> (slot % of_unit * 4) & 15);
}

/// Writes a code into a slot, and leaves the unit's other slots as they are.
template <class Storage>
constexpr void set_code_at(Storage* storage, std::int64_t slot, int code) {
  constexpr int of_unit = slots_of_unit<Storage>;
  const auto shift = static_cast<int>(slot % of_unit) * 4;
  Storage& unit = storage[slot / of_unit];
  unit = static_cast<Storage>((unit & ~(Storage{15} << shift)) | static_cast<Storage>(code) << shift);
}

/// The place of a slot of a batch, whose matrices lie one behind the other: the unit is counted through the batch,
/// every other number within the matrix.
template <IsLayout L>
constexpr Coordinates coordinates_in_batch(std::int64_t slot, Size size) {
  const std::int64_t of_matrix = slots<L>(size);
  const std::int64_t matrix = of_matrix == 0 ? 0 : slot / of_matrix;
  Coordinates place = L::coordinates(slot - matrix * of_matrix, size);
  place.all[place.count - 2].value += matrix * units<L>(size);
  return place;
}

/// @return whether slot_of and element_at are inverse to each other: every slot has one element or is padding, and
/// every element one slot. Time n * k: for a static_assert of small sizes, or a test.
template <IsLayout L>
constexpr bool is_bijection(Size size) {
  std::int64_t found = 0;
  for (std::int64_t slot = 0; slot < slots<L>(size); ++slot) {
    const std::optional<Element> found_here = L::element_at(slot, size);
    if (!found_here) continue;
    const Element element = *found_here;
    const bool is_inside = element.n >= 0 && element.n < size.n && element.k >= 0 && element.k < size.k;
    if (!is_inside || L::slot_of(element, size) != slot) return false;
    ++found;
  }
  return found == size.n * size.k;
}

/// @return whether slot_from_first says of a whole matrix what slot_of says
template <HasRuns L>
constexpr bool runs_are_as_specified(Size size) {
  for (std::int64_t n = 0; n < size.n; ++n) {
    for (std::int64_t k = 0; k < size.k; ++k) {
      const auto i = static_cast<int>(k % L::run_columns);
      if (L::slot_of({n, k}, size) != L::slot_of({n, k - i}, size) + L::slot_from_first(i)) return false;
    }
  }
  return true;
}

/// @return whether a matrix is what `block` says
template <HasBlocks L>
constexpr bool blocks_are_as_specified(Size size) {
  const std::int64_t of_row = size.k / L::block.k;
  for (std::int64_t n = 0; n < size.n; ++n) {
    for (std::int64_t k = 0; k < size.k; ++k) {
      const std::int64_t before = n / L::block.n * of_row + k / L::block.k;
      const std::int64_t within = L::slot_of({n % L::block.n, k % L::block.k}, L::block);
      if (L::slot_of({n, k}, size) != before * slots<L>(L::block) + within) return false;
    }
  }
  return true;
}

namespace shown_before_anything_runs {
constexpr bool a_slot_is_the_nibble_of_a_little_endian_word() {
  const std::uint32_t words[] = {0x76543210, 0xfedcba98};
  const std::uint8_t bytes[] = {0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe};
  for (int slot = 0; slot < 16; ++slot) {
    if (code_at(words, slot) != slot || code_at(bytes, slot) != slot) return false;
  }
  return true;
}
static_assert(a_slot_is_the_nibble_of_a_little_endian_word());
}  // namespace shown_before_anything_runs

}  // namespace tileproof::reference
