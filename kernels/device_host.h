/// The types and intrinsics of device.h on a host: the same meanings in portable C++, bit for bit.
///
/// Needs IEEE arithmetic as the compiler gives it by default, no -ffast-math, in the mode of float_mode.h.
#pragma once

#include <atomic>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "kernels/float_mode.h"
#include "kernels/kernels.h"
#include "kernels/warps.h"

#define TILEPROOF_DEVICE inline
#define TILEPROOF_HOST_DEVICE inline
#define TILEPROOF_UNROLL
#define TILEPROOF_TABLE constexpr

namespace tileproof::kernels {

struct alignas(16) Quad {
  std::uint32_t x, y, z, w;
};

template <class Bits>
struct Two {
  Bits x, y;
};

/// An address that a GPU can load from or store to in one instruction: a multiple of so many bytes.
template <std::size_t bytes, class T>
T* aligned(T* address) {
  assert(reinterpret_cast<std::uintptr_t>(address) % bytes == 0);
  return address;
}

inline std::uint32_t loaded(const std::uint32_t* word) { return *aligned<4>(word); }
inline std::uint16_t loaded(const std::uint16_t* bits) { return *aligned<2>(bits); }
inline int loaded(const std::int8_t* value) { return *value; }
inline std::uint8_t loaded(const std::uint8_t* byte) { return *byte; }
inline std::int32_t loaded(const std::int32_t* number) { return *aligned<4>(number); }
template <class Bits>
Two<Bits> loaded_two(const Bits* from) {
  return {aligned<sizeof(Two<Bits>)>(from)[0], from[1]};
}
inline Quad loaded_quad(const void* from) {
  Quad quad;
  std::memcpy(&quad, aligned<sizeof quad>(from), sizeof quad);
  return quad;
}
inline void store(Quad quad, void* to) { std::memcpy(aligned<sizeof quad>(to), &quad, sizeof quad); }
inline Quad loaded_quad_of_line(const void* from) { return loaded_quad(from); }
inline void store_of_line(Quad quad, void* to) { store(quad, to); }

inline std::uint32_t bytes_of(std::uint32_t a, std::uint32_t b, std::uint32_t selector) {
  const std::uint64_t both = static_cast<std::uint64_t>(b) << 32 | a;
  std::uint32_t bytes = 0;
  for (int i = 0; i < 4; ++i) bytes |= (both >> (selector >> (4 * i) & 7) * 8 & 0xff) << (8 * i);
  return bytes;
}

/// Makes a number another one, where that is larger.
inline void raise_to(std::uint64_t* number, std::uint64_t to) {
  const std::atomic_ref<std::uint64_t> shared(*number);
  std::uint64_t found = shared.load();
  while (found < to && !shared.compare_exchange_weak(found, to)) {
  }
}

/// Two values held in floats, each exactly a value of its 16-bit type.
struct FloatPair {
  float low, high;
};
/// The offsets of two codes.
struct OffsetPair {
  int low, high;
};

// What follows has no branches: a loop over many of them is compiled to vectors.

/// What rounding of a sum of two doubles lost: exact (Knuth's two-sum).
inline double lost_by(double sum, double product, double c) {
  const double of_product = sum - c;
  return (product - of_product) + (c - (sum - of_product));
}

/// bf16 bits of an fp32 value's bits; NaN as the hardware makes it.
inline std::uint32_t bf16_bits(std::uint32_t bits) {
  const std::uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return (bits & 0x7fffffff) > 0x7f800000 ? 0x7fff : rounded;
}

/// bf16 bits of a * b + c with one rounding, where a * b has at most 53 bits. A float near the sum decides alone,
/// unless it lies halfway between two bf16 values: every rounding on the way there leaves halves and what lies beyond
/// them in order, so that only onto such a tie can the sum have been rounded, and its error says from which side.
inline std::uint32_t bf16_fma(float a, float b, float c) {
  const double product = static_cast<double>(a) * b;  // exact
  const double sum = product + c;
  const auto nearest = static_cast<float>(sum);
  const double error = (sum - nearest) + lost_by(sum, product, c);  // of a * b + c - nearest
  const auto bits = std::bit_cast<std::uint32_t>(nearest);
  const bool was_rounded_to_tie = ((bits & 0xffff) == 0x8000) & (error != 0);
  const std::uint32_t next = (error > 0) == (nearest > 0) ? bits + 1 : bits - 1;  // away from zero, or towards it
  return bf16_bits(was_rounded_to_tie ? next : bits);
}

/// fp16 bits of a double, with one rounding; NaN as the hardware makes it.
inline std::uint32_t fp16_bits(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const double magnitude = std::fabs(value);
  const bool is_finite = magnitude < 65520;  // halfway between the largest fp16 and 2^16
  // The last bit weighs 2^unit, subnormals' as much as the smallest binade's, -14. Adding 1.5 * 2^(52 + unit) rounds to
  // a multiple of it, to nearest even, as an fp32 unit would be dropped.
  constexpr std::uint64_t smallest_binade = 1023 - 14;
  const std::uint64_t exponent = bits >> 52 & 0x7ff;
  const std::uint64_t binade = exponent < smallest_binade ? smallest_binade : exponent;
  const auto unit = std::bit_cast<double>((binade - 10) << 52);
  const auto units_of_one = std::bit_cast<double>((2046 + 10 - binade) << 52);  // 1 / unit
  const double rounder = unit * 0x1.8p52;
  const double rounded = ((magnitude + rounder) - rounder) * units_of_one;
  const auto units = static_cast<std::int32_t>(is_finite ? rounded : 0);
  const auto pattern = static_cast<std::uint32_t>((binade - smallest_binade) << 10) + static_cast<std::uint32_t>(units);
  const auto sign = static_cast<std::uint32_t>(bits >> 63) << 15;
  const std::uint32_t beyond = magnitude != magnitude ? 0x7fff : sign | 0x7c00;
  return is_finite ? sign | pattern : beyond;
}

/// An fp16's exponent and fraction lie in a float as those of a value 2^112 times as small, subnormal or not.
inline float fp16_value(std::uint16_t bits) {
  const std::uint32_t magnitude = bits & 0x7fff, sign = static_cast<std::uint32_t>(bits & 0x8000) << 16;
  const float finite = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
  const std::uint32_t beyond = magnitude > 0x7c00 ? 0x7fc00000 : 0x7f800000;
  return std::bit_cast<float>(sign | (magnitude < 0x7c00 ? std::bit_cast<std::uint32_t>(finite) : beyond));
}

/// bf16, two values a register.
struct Bf16 {
  using Bits = std::uint16_t;
  using Value = FloatPair;
  static float value(Bits bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
  static std::uint32_t fma(float a, float b, float c) { return bf16_fma(a, b, c); }
  /// Two 8-bit significands have an exact float product: one rounding, to bf16.
  static std::uint32_t product(float a, float b) { return bf16_bits(std::bit_cast<std::uint32_t>(a * b)); }

  static Value from_bits(Bits bits) { return {value(bits), value(bits)}; }
  static int biased(int offset) { return offset; }
  static int biased_by_code(int code) { return code; }
  static Value from_values(std::uint32_t bits) {
    return {value(static_cast<Bits>(bits)), value(static_cast<Bits>(bits >> 16))};
  }
  static OffsetPair offset_of_values(std::uint32_t pair) {
    return {static_cast<int>(pair & 0xffff), static_cast<int>(pair >> 16)};
  }
  static Value minus(std::uint32_t pair, OffsetPair offset) {
    return {static_cast<float>(static_cast<int>(pair & 0xffff) - offset.low),
            static_cast<float>(static_cast<int>(pair >> 16) - offset.high)};
  }
  static Value minus(std::uint32_t pair, int offset) { return minus(pair, OffsetPair{offset, offset}); }
  static std::uint32_t fma(Value a, Value b, Value c) {
    return fma(a.low, b.low, c.low) | fma(a.high, b.high, c.high) << 16;
  }
  static std::uint32_t product(Value a, Value b) { return product(a.low, b.low) | product(a.high, b.high) << 16; }
  static Bits rounded(float value) { return static_cast<Bits>(bf16_bits(std::bit_cast<std::uint32_t>(value))); }
  static std::uint32_t rounded_two(float low, float high) {
    return rounded(low) | static_cast<std::uint32_t>(rounded(high)) << 16;
  }
};

/// fp16, two values a register.
struct Fp16 {
  using Bits = std::uint16_t;
  using Value = FloatPair;
  static float value(Bits bits) { return fp16_value(bits); }
  /// From the smallest subnormal to 2^20 there are 44 bits: a double holds the sum exactly.
  static std::uint32_t fma(float a, float b, float c) { return fp16_bits(static_cast<double>(a) * b + c); }
  static std::uint32_t product(float a, float b) { return fp16_bits(static_cast<double>(a) * b); }

  static Value from_bits(Bits bits) { return {value(bits), value(bits)}; }
  static int biased(int offset) { return offset; }
  static int biased_by_code(int code) { return code; }
  static Value from_values(std::uint32_t bits) {
    return {value(static_cast<Bits>(bits)), value(static_cast<Bits>(bits >> 16))};
  }
  static OffsetPair offset_of_values(std::uint32_t pair) {
    return {static_cast<int>(pair & 0xffff), static_cast<int>(pair >> 16)};
  }
  static Value minus(std::uint32_t pair, OffsetPair offset) { return Bf16::minus(pair, offset); }
  static Value minus(std::uint32_t pair, int offset) { return Bf16::minus(pair, offset); }
  static std::uint32_t fma(Value a, Value b, Value c) {
    return fma(a.low, b.low, c.low) | fma(a.high, b.high, c.high) << 16;
  }
  static std::uint32_t product(Value a, Value b) { return product(a.low, b.low) | product(a.high, b.high) << 16; }
  static Bits rounded(float value) { return static_cast<Bits>(fp16_bits(value)); }
  static std::uint32_t rounded_two(float low, float high) {
    return rounded(low) | static_cast<std::uint32_t>(rounded(high)) << 16;
  }
};

/// fp32 bits of a value; NaN as the hardware makes it.
inline std::uint32_t fp32_bits(std::uint32_t bits) { return (bits & 0x7fffffff) > 0x7f800000 ? 0x7fffffff : bits; }

/// a * b + c with one rounding, where a is a small whole number. The double sum decides alone, unless it lies halfway
/// between two floats and has been rounded itself. (Among subnormal floats it is exact: everything is a multiple of the
/// smallest of them.)
inline std::uint32_t fp32_fma(float a, float b, float c) {
  const double product = static_cast<double>(a) * b;  // exact
  const double sum = product + c;
  const double lost = lost_by(sum, product, c);
  const auto bits = std::bit_cast<std::uint64_t>(sum);
  const bool was_rounded_to_tie = ((bits & 0x1fffffff) == 0x10000000) & (lost != 0);
  const auto towards_zero = std::bit_cast<std::uint32_t>(static_cast<float>(std::bit_cast<double>(bits - 0x10000000)));
  const bool is_next = ((lost > 0) == (sum > 0)) & ((towards_zero & 0x7fffffff) < 0x7f800000);  // none after infinity
  return fp32_bits(was_rounded_to_tie ? towards_zero + (is_next ? 1 : 0)
                                      : std::bit_cast<std::uint32_t>(static_cast<float>(sum)));
}

/// fp32, one value a register.
struct Fp32 {
  using Bits = std::uint32_t;
  using Value = float;
  static float value(Bits bits) { return std::bit_cast<float>(bits); }
  static std::uint32_t fma(float a, float b, float c) { return fp32_fma(a, b, c); }
  static std::uint32_t product(float a, float b) { return fp32_bits(std::bit_cast<std::uint32_t>(a * b)); }

  static Value from_bits(Bits bits) { return value(bits); }
  static int biased(int offset) { return offset; }
  static int biased_by_code(int code) { return code; }
  static Value from_values(std::uint32_t bits) { return value(bits); }
  static int offset_of_values(std::uint32_t code) { return static_cast<int>(code); }
  static Value minus(std::uint32_t code, int offset) { return static_cast<float>(static_cast<int>(code) - offset); }
  static Bits rounded(float value) { return fp32_bits(std::bit_cast<std::uint32_t>(value)); }
};

/// Sum and product with one rounding each, which nothing joins; NaN as the hardware makes it.
inline float float_of(std::uint32_t bits) { return std::bit_cast<float>(bits); }
inline float product_of(float a, float b) { return float_of(fp32_bits(std::bit_cast<std::uint32_t>(a * b))); }
inline float sum_of(float a, float b) { return float_of(fp32_bits(std::bit_cast<std::uint32_t>(a + b))); }

template <class Thread>
void run(Thread thread, std::int64_t threads, Range range) {
  const DefaultFloatMode mode;
  const std::int64_t end = range.end < threads ? range.end : threads;
  for (std::int64_t index = range.begin < 0 ? 0 : range.begin; index < end; ++index) thread(index);
}

/// The words of a warp's lanes: here those of all.
template <int registers>
class WarpWords {
 public:
  template <class Use>
  void for_each_lane(Use use) {
    for (int lane = 0; lane < lanes_of_warp; ++lane) use(lane, words_[lane]);
  }
  template <int a, int b, int lane_bit>
  void exchange_lanes() {
    for (int lane = 0; lane < lanes_of_warp; ++lane) {
      if ((lane & lane_bit) == 0) std::swap(words_[lane][b], words_[lane | lane_bit][a]);
    }
  }

 private:
  std::uint32_t words_[lanes_of_warp][registers];
};

/// A value for each lane of a warp. Here there are those of all.
template <class T>
class PerLane {
 public:
  T& of(int lane) { return all_[lane]; }
  T from(int lane) const { return all_[lane]; }

 private:
  T all_[lanes_of_warp];
};

/// A table of sixteen words, which the lanes of a warp look up.
class TableOfLanes {
 public:
  TableOfLanes(const std::uint32_t* table, int /*lane*/) : table_(table) {}
  std::uint32_t at(std::uint32_t index) const { return table_[index & 15]; }

 private:
  const std::uint32_t* table_;
};

template <class Warp>
void run(Warp warp, Warps warps, Range range) {
  WarpWords<Warp::registers> words;
  run([&](std::int64_t index) { warp(index, words); }, warps.count, range);
}

/// Runs a range of the kernel of an operation.
/// @param with_kernel  calls what it is given with a kernel, and how many threads or warps it has; or not at all
template <class WithKernel>
void run_kernel(Range range, WithKernel with_kernel) {
  with_kernel([&](const auto& kernel, auto count) { run(kernel, count, range); });
}
template <class WithKernel>
std::int64_t threads_of_kernel(WithKernel with_kernel) {
  std::int64_t all = 0;
  with_kernel([&](const auto&, auto count) { all = static_cast<std::int64_t>(count); });
  return all;
}
template <class WithKernel>
bool is_kernel_of_warps(WithKernel with_kernel) {
  bool is_so = false;
  with_kernel([&]<class Count>(const auto&, Count) { is_so = std::is_same_v<Count, Warps>; });
  return is_so;
}

/// Defines an operation of kernels.h by the function with_kernel(arguments, use).
#define TILEPROOF_DEFINE_OPERATION(name, Arguments)                          \
  void name(const Arguments& a, Range range) {                               \
    run_kernel(range, [&](const auto& use) { with_kernel(a, use); });        \
  }                                                                          \
  std::int64_t threads_of(const Arguments& a) {                              \
    return threads_of_kernel([&](const auto& use) { with_kernel(a, use); }); \
  }

}  // namespace tileproof::kernels
