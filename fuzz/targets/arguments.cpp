// Bytes as any call of a kernel. A refusal must name the argument, its value and what is legal, and must not hit a
// plainly legal call; an accepted call must have aligned tensors within 63 bits of bytes and, if it is small enough to
// run, do what the specification says and touch nothing else.
#include <limits>
#include <type_traits>

#include "fuzz/targets/calls.h"
#include "kernels/tinygemm/n_tiles.h"

namespace tileproof {

namespace {

using namespace kernels;
using Wide = __int128;

/// A small number, any number, or a number next to an edge.
std::int64_t any_number(Choices& choices) {
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  const std::int64_t kind = choices.below(8);
  if (kind < 4) return choices.below(256);
  if (kind < 6) return 16 * choices.below(256);
  if (kind == 6) return static_cast<std::int64_t>(choices.number(8));
  constexpr std::int64_t edges[] = {-1, std::int64_t{1} << 31, std::int64_t{1} << 32, largest / 64, largest / 8};
  const std::int64_t edge = choices.one_of(edges);
  const std::int64_t part = edge / (1 + choices.below(256));
  return part / 32 * 32 + 8 * choices.below(32) - 128;
}

/// Null, or an address that is never accessed.
template <class T>
T* any_pointer(Choices& choices) {
  const std::int64_t past = choices.below(256);
  return past == 255 ? nullptr : reinterpret_cast<T*>(static_cast<std::uintptr_t>(0x10000 + past));
}

struct Buffer {
  const void* pointer;
  Wide bytes;
  std::uintptr_t alignment;
};

template <class Arguments>
Wide elements_of(const Arguments& a) {
  return Wide{a.experts} * a.n * a.k;
}
template <class Arguments>
Wide packed_bytes(const Arguments& a) {
  return Wide{a.experts} * ((Wide{a.n} + 7) / 8 * 8) * a.k / 2;
}

/// A lower bound on the bytes that all 16-byte stores of a call write together.
Wide stored_bytes(const PackArguments& a) { return packed_bytes(a); }
Wide stored_bytes(const UnpackArguments& a) { return elements_of(a) * 4; }
Wide stored_bytes(const DequantizeArguments& a) { return elements_of(a) * (a.type == Type::fp32 ? 4 : 2) / 2; }

/// The buffers of a call whose sizes are legal.
std::vector<Buffer> buffers_of(const PackArguments& a) {
  return {{a.codes, elements_of(a) / 2, 16}, {a.packed, packed_bytes(a), 16}};
}
std::vector<Buffer> buffers_of(const UnpackArguments& a) {
  return {{a.packed, packed_bytes(a), 4}, {a.codes, elements_of(a) * 4, 16}};
}
std::vector<Buffer> buffers_of(const DequantizeArguments& a) {
  const std::uintptr_t element_bytes = a.type == Type::fp32 ? 4 : 2;
  const Wide parameters = elements_of(a) / a.group_size;
  const int of_group = a.domain == Domain::floating ? 2 : 1;
  return {{a.packed, packed_bytes(a), 4},
          {a.scales, parameters * of_group * static_cast<int>(element_bytes), element_bytes},
          {a.zero_points, a.domain == Domain::integer ? parameters : 0, 1},
          {a.weights, elements_of(a) * static_cast<int>(element_bytes), 16}};
}

bool is_group_size_legal(const DequantizeArguments& a) {
  return a.group_size > 0 && a.group_size % 16 == 0 && a.k % a.group_size == 0;
}
template <class Arguments>
bool is_group_size_legal(const Arguments&) {
  return true;
}

template <class Arguments>
bool is_shape_legal(const Arguments& a) {
  const bool is_layout = a.inner_k_tiles == 2 || a.inner_k_tiles == 4 || a.inner_k_tiles == 8;
  return is_layout && a.n >= 0 && a.k >= 0 && a.k % (16 * a.inner_k_tiles) == 0 && a.experts >= 0 &&
         is_group_size_legal(a);
}

bool is_usable(const Buffer& buffer) {
  const bool is_aligned = reinterpret_cast<std::uintptr_t>(buffer.pointer) % buffer.alignment == 0;
  return buffer.bytes == 0 || (buffer.pointer != nullptr && is_aligned);
}

template <class Arguments>
void check(const Arguments& a, Choices& choices) {
  if (const auto refusal = validate(a)) {
    require(!refusal->argument.empty() && !refusal->given.empty() && !refusal->legal.empty(), "refused without a why");
    if (!is_shape_legal(a)) return;
    // Far below 64-bit overflow, even when rounded up by eight rows.
    constexpr std::int64_t plain = std::int64_t{1} << 16;
    bool is_plain = a.n <= plain && a.k <= plain && a.experts <= plain;
    for (const Buffer& buffer : buffers_of(a)) is_plain &= is_usable(buffer);
    require(!is_plain, "refused, and is legal: " + refusal->text());
    return;
  }
  require(is_shape_legal(a), "accepted sizes that no tensor has");
  constexpr std::int64_t few = 1 << 10;
  bool is_small = a.experts <= few;  // also limits calls without elements
  for (const Buffer& buffer : buffers_of(a)) {
    require(is_usable(buffer), "accepted a pointer to nothing, or one that is not aligned");
    require(buffer.bytes <= std::numeric_limits<std::int64_t>::max(), "accepted what 63 bits cannot address");
    is_small &= buffer.bytes <= 1 << 15;
  }
  const std::int64_t threads = threads_of(a), n_tiles = n_tiles_of(a);
  // A thread of unpack stores two strips of sixteen bytes each.
  constexpr int bytes_of_thread = std::is_same_v<std::remove_cvref_t<decltype(a)>, UnpackArguments> ? 32 : 16;
  require(threads >= 0 && Wide{threads} * bytes_of_thread >= stored_bytes(a), "fewer threads than stores");
  require(n_tiles >= 0 && Wide{n_tiles} * 8 >= Wide{a.experts} * a.n, "fewer n-tiles than rows");
  if (is_small && n_tiles <= few) require_as_specified(a, choices);
}

void check_pack(Choices& choices) {
  check(PackArguments{any_pointer<std::uint8_t>(choices), any_pointer<std::uint32_t>(choices), any_number(choices),
                      any_number(choices), any_number(choices), any_number(choices)},
        choices);
}

void check_unpack(Choices& choices) {
  check(UnpackArguments{any_pointer<std::uint32_t>(choices), any_pointer<std::int32_t>(choices), any_number(choices),
                        any_number(choices), any_number(choices), any_number(choices)},
        choices);
}

void check_dequantize(Choices& choices) {
  const Domain domain = choices.one_of({Domain::floating, Domain::integer, Domain::none});
  const Type type = choices.one_of({Type::bf16, Type::fp16, Type::fp32});
  check(DequantizeArguments{any_pointer<std::uint32_t>(choices), any_pointer<void>(choices),
                            any_pointer<std::int8_t>(choices), any_pointer<void>(choices), any_number(choices),
                            any_number(choices), any_number(choices), any_number(choices), domain, type,
                            any_number(choices)},
        choices);
}

}  // namespace

}  // namespace tileproof

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tileproof::Choices choices(data, size);
  const auto check = choices.one_of({tileproof::check_pack, tileproof::check_unpack, tileproof::check_dequantize});
  check(choices);
  return 0;
}
