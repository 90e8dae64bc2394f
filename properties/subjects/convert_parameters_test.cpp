// Convert of parameters, judged by the specification: scales and zeros are found where the target's row of the
// reference has them, weights are the same bits before and after where the conversion is exact, and a call is refused
// for the first group for which that cannot be so. The kernel's threads run on this host.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "properties/subjects/kernel_arguments.h"
#include "reference/domains.h"

namespace tileproof::convert_parameters_test {
namespace {

using reference::Element;
using reference::Exact;
using reference::FloatFormat;

/// A format and scheme as the kernels and the specification have it.
struct Side {
  const kernels::Format* row;
  const Format* format;
  const Scheme* scheme;

  explicit Side(const kernels::Format& of)
      : row(&of), format(format_of("format", std::string(of.name()))), scheme(format->scheme_named(of.scheme)) {}
  bool is_float() const { return scheme->zero_kind == reference::Zero::value; }
  std::string text() const { return std::string(row->name()) + " " + row->scheme; }
};

/// Without those whose columns have an order, which no specification has: their scales and zeros lie as the others'.
std::vector<Side> every_side() {
  std::vector<Side> sides;
  for (const kernels::Format& row : kernels::formats) {
    if (row.has_convertible_parameters() && !row.has_order_of_columns()) sides.emplace_back(row);
  }
  return sides;
}

/// A group, whichever the format: a zero, or a zero point.
struct Group {
  std::uint32_t scale = 0;
  bool is_float = false;
  std::uint32_t zero = 0;
  int zero_point = 0;

  std::uint32_t weight(FloatFormat type, int code) const {
    return is_float ? reference::dequantized_float(type, code, scale, zero)
                    : reference::dequantized_integer(type, code, scale, zero_point);
  }
  /// The number that a weight adds to (code - 8) * scale.
  Exact constant(FloatFormat type) const {
    if (is_float) return decode(type, zero);
    return product(reference::whole(8 - zero_point), decode(type, scale));
  }
};

bool has_same_weights(FloatFormat type, const Group& a, const Group& b) {
  const auto is_nan = [&](std::uint32_t bits) { return decode(type, bits).kind == reference::Kind::nan; };
  for (int code = 0; code < 16; ++code) {
    const std::uint32_t one = a.weight(type, code), other = b.weight(type, code);
    if (one != other && !(is_nan(one) && is_nan(other))) return false;
  }
  return true;
}

bool is_near(FloatFormat type, const Group& a, const Group& b) {
  Exact distance = sum(a.constant(type), negated(b.constant(type)));
  Exact scale = decode(type, a.scale);
  if (distance.kind != reference::Kind::finite || scale.kind != reference::Kind::finite) return false;
  distance.negative = true;
  scale.negative = false;
  ++distance.exponent;  // twice the distance
  const Exact left = sum(scale, distance);
  return !left.negative || left.magnitude == 0;
}

/// The parameters of a batch, as the specification lays them out.
struct Tensors {
  Side side;
  Type type;
  Size groups;  // of one expert: rows, and groups of a row
  std::vector<std::vector<std::uint8_t>> memory;

  Tensors(const Side& of, Type its_type, Size its_groups, std::int64_t experts)
      : side(of), type(its_type), groups(its_groups) {
    for (int i = 0; i < side.scheme->tensor_count; ++i) {
      const reference::ParameterTensor& tensor = side.scheme->tensors[i];
      const auto dims = tensor.dims(groups);
      std::int64_t elements = experts;
      for (int d = 0; d < dims.count; ++d) elements *= dims.extents[d];
      memory.emplace_back(static_cast<std::size_t>(elements * bytes_of_element(tensor)) + 16, std::uint8_t{0xa5});
    }
  }
  std::int64_t bytes_of_element(const reference::ParameterTensor& tensor) const {
    const std::string dtype = tensor.dtype == nullptr ? "" : tensor.dtype;
    return dtype.empty() ? bytes_of(type) : dtype == "int8" ? 1 : 4;
  }
  std::uint8_t* at(int tensor) { return memory[static_cast<std::size_t>(tensor)].data(); }

  /// Where an expert's tensor begins, for parameters of a number of bits.
  std::int64_t first(std::int64_t expert, bool of_pairs) const {
    return expert * groups.n * groups.k * (of_pairs ? 2 : 1);
  }

  Group get(std::int64_t expert, Element group) {
    const std::int64_t base = first(expert, side.is_float());
    Group found = {.scale = loaded(at(0), type, base + side.scheme->scale_at(group, groups)),
                   .is_float = side.is_float()};
    if (found.is_float) {
      found.zero = loaded(at(0), type, base + side.scheme->zero_at(group, groups));
    } else if (side.scheme->tensor_count == 1) {
      found.zero_point = side.scheme->midpoint;
    } else if (side.scheme->zeros_are_packed) {
      const std::int64_t slot = base + side.scheme->zero_at(group, groups);
      const int stored = at(1)[slot / 2] >> (slot % 2 * 4) & 15;
      found.zero_point = reference::zero_of_packed(stored, side.scheme->stored_less);
    } else {
      found.zero_point = reinterpret_cast<std::int8_t*>(at(1))[base + side.scheme->zero_at(group, groups)];
    }
    return found;
  }
  void put(std::int64_t expert, Element group, const Group& given) {
    const std::int64_t base = first(expert, side.is_float());
    stored(at(0), type, base + side.scheme->scale_at(group, groups), given.scale);
    if (side.is_float()) {
      stored(at(0), type, base + side.scheme->zero_at(group, groups), given.zero);
    } else if (side.scheme->tensor_count == 2 && side.scheme->zeros_are_packed) {
      const std::int64_t slot = base + side.scheme->zero_at(group, groups);
      const int bits = reference::packed_zero(given.zero_point, side.scheme->stored_less);
      std::uint8_t& byte = at(1)[slot / 2];
      byte = static_cast<std::uint8_t>((byte & (0xf0 >> (slot % 2 * 4))) | bits << (slot % 2 * 4));
    } else if (side.scheme->tensor_count == 2) {
      at(1)[base + side.scheme->zero_at(group, groups)] = static_cast<std::uint8_t>(given.zero_point);
    }
  }
};

struct Conversion {
  kernels::ConvertParametersArguments a = {};
  std::uint64_t refused = 0;

  Conversion(Tensors& from, Tensors& to, Size size, std::int64_t group_size, std::int64_t experts, bool is_nearest) {
    a.source = from.side.row;
    a.target = to.side.row;
    for (std::size_t i = 0; i < from.memory.size(); ++i) a.parameters[i] = from.memory[i].data();
    for (std::size_t i = 0; i < to.memory.size(); ++i) a.converted[i] = to.memory[i].data();
    a.n = size.n;
    a.k = size.k;
    a.group_size = group_size;
    a.type = kernel_type(from.type);
    a.is_nearest = is_nearest;
    a.experts = experts;
    a.refused = &refused;
  }
  Conversion(const Conversion&) = delete;
  Conversion& operator=(const Conversion&) = delete;

  /// The number of the first group that is refused.
  std::optional<std::int64_t> run(kernels::Range range) {
    refused = 0;
    kernels::convert_parameters(a, range);
    if (refused == 0) return std::nullopt;
    return a.groups() - static_cast<std::int64_t>(refused);
  }
  std::optional<std::int64_t> run() { return run({0, threads_of(a)}); }
};

/// The zero points that a format can state.
reference::Range zero_points_of(const Side& side) {
  if (side.scheme->zero_kind == reference::Zero::point) return side.scheme->zero_points;
  return {side.scheme->midpoint, side.scheme->midpoint};
}

class Draw {
 public:
  explicit Draw(std::uint32_t seed) : engine_(seed) {}
  int below(int end) { return static_cast<int>(engine_() % static_cast<unsigned>(end)); }
  std::uint32_t bits(FloatFormat type) { return static_cast<std::uint32_t>(engine_()) & ((type.sign_bit() << 1) - 1); }

  /// @param one_in  how seldom a group is anything but one that every format can have: positive, of few bits, 8
  Group group(const Side& side, FloatFormat type, int one_in) {
    const bool is_wild = below(one_in) == 0;
    std::uint32_t scale = is_wild ? wild_number(type) : reference::rounded(type, reference::whole(1 + below(3)));
    const reference::Range range = zero_points_of(side);
    int zero_point = is_wild ? below(range.count()) + range.lowest : std::clamp(8, range.lowest, range.highest);
    if (!side.is_float()) return {.scale = scale, .zero_point = zero_point};
    Group group = {.scale = scale, .is_float = true};
    if (is_wild && below(2) == 0) {
      group.zero = wild_number(type);
    } else {
      group.zero = reference::float_zero_of(type, scale, is_wild ? below(40) - 12 : 8);
      if (is_wild && below(3) == 0) group.zero ^= static_cast<std::uint32_t>(1 + below(3));
      if (is_wild && below(3) == 0) {  // between two codes
        Exact halves = product(reference::whole(2 * below(20) - 15), decode(type, scale));
        --halves.exponent;
        group.zero = reference::rounded(type, halves);
      }
    }
    return group;
  }

 private:
  std::uint32_t wild_number(FloatFormat type) {
    const std::uint32_t infinity = reference::rounded(type, {.kind = reference::Kind::infinite});
    const std::uint32_t special[] = {
        0, type.sign_bit(), 1, infinity, infinity | type.sign_bit(), infinity + 1, infinity - 1};
    if (below(4) == 0) return special[below(static_cast<int>(std::size(special)))];
    if (below(2) == 0) return bits(type);
    return (reference::rounded(type, reference::whole(1 + below(15))) + (bits(type) & 255)) |
           (bits(type) & type.sign_bit());
  }
  std::mt19937 engine_;
};

/// Expects the zero of the zero point, or the nearest zero point that the target has.
void expect_the_best(FloatFormat type, const Group& given, const Group& found, const Side& target) {
  ASSERT_EQ(found.scale, given.scale);
  if (given.is_float && found.is_float) {
    ASSERT_EQ(found.zero, given.zero);
  } else if (found.is_float) {
    const std::uint32_t zero = reference::float_zero_of(type, given.scale, given.zero_point);
    // Zero point 8 may become 0 with either sign.
    if (given.zero_point != 8) {
      ASSERT_EQ(found.zero, zero);
    }
    if (given.zero_point == 8) {
      ASSERT_EQ(found.zero & ~type.sign_bit(), 0u);
    }
  } else {
    const reference::Range range = zero_points_of(target);
    ASSERT_TRUE(range.contains(found.zero_point));
    std::optional<int> nearest = given.zero_point;
    if (given.is_float) nearest = reference::nearest_zero_point(type, given.scale, given.zero);
    if (nearest) {
      ASSERT_EQ(found.zero_point, std::clamp(*nearest, range.lowest, range.highest));
    }
  }
}
/// Whether a zero point of the target leaves the weights as they are.
bool has_exact_zero_point(FloatFormat type, const Group& given, const Side& target) {
  const reference::Range range = zero_points_of(target);
  for (int zero_point = range.lowest; zero_point <= range.highest; ++zero_point) {
    if (has_same_weights(type, given, {.scale = given.scale, .zero_point = zero_point})) return true;
  }
  return false;
}

constexpr Type all_types[] = {Type::bf16, Type::fp16, Type::fp32};

TEST(ConvertParameters, OfEveryPairIsExactOrRefusedOrWithinHalfAScale) {
  const std::vector<Side> sides = every_side();
  ASSERT_EQ(sides.size(), 3u * 4 + 2 + 3 + 2 + 3);
  std::int64_t exact = 0, refused = 0;
  std::uint32_t seed = 0;
  for (const Side& source : sides) {
    for (const Side& target : sides) {
      for (const Type type : all_types) {
        const FloatFormat format = float_format_of(type);
        for (int round = 0; round < 3; ++round) {
          Draw draw(++seed);
          const std::int64_t group_size = 128, experts = 1 + round % 2;
          const std::int64_t n_multiple = std::lcm(source.row->layout->n_multiple, target.row->layout->n_multiple);
          const Size size = {n_multiple == 1 ? 5 : 2 * n_multiple, (round % 3 + 1) * group_size};
          const Size groups = {size.n, size.k / group_size};
          Tensors from(source, type, groups, experts), to(target, type, groups, experts);
          for (std::int64_t e = 0; e < experts; ++e) {
            for (std::int64_t g = 0; g < groups.k; ++g) {
              for (std::int64_t n = 0; n < size.n; ++n)
                from.put(e, {n, g}, draw.group(source, format, round == 0 ? 1 : 400));
            }
          }
          const auto as_given = from.memory;
          for (const bool is_nearest : {false, true}) {
            Conversion call(from, to, size, group_size, experts, is_nearest);
            ASSERT_FALSE(kernels::validate(call.a));
            const auto first = call.run();
            std::optional<std::int64_t> first_wrong;
            const std::string text = source.text() + " to " + target.text() + ", " + name_of(type) + ", " +
                                     std::to_string(size.n) + " x " + std::to_string(size.k);
            for (std::int64_t i = call.a.groups() - 1; i >= 0; --i) {
              const std::int64_t n = i % size.n, g = i / size.n % groups.k, e = i / size.n / groups.k;
              const Group given = from.get(e, {n, g}), found = to.get(e, {n, g});
              SCOPED_TRACE(text + ", row " + std::to_string(n) + ", group " + std::to_string(g));
              expect_the_best(format, given, found, target);
              if (HasFatalFailure()) return;
              const bool same = has_same_weights(format, given, found);
              if (!same && !found.is_float) {
                ASSERT_FALSE(has_exact_zero_point(format, given, target));
              }
              if (!same && !(is_nearest && is_near(format, given, found))) first_wrong = i;
            }
            if (first != first_wrong) {
              const std::int64_t i = std::min(first.value_or(1 << 20), first_wrong.value_or(1 << 20));
              const Group given = from.get(i / size.n / groups.k, {i % size.n, i / size.n % groups.k});
              FAIL() << text << (is_nearest ? ", nearest" : "") << ": group " << i << " is judged otherwise: scale 0x"
                     << std::hex << given.scale << ", zero 0x" << given.zero << ", zero point " << std::dec
                     << given.zero_point;
            }
            ASSERT_EQ(from.memory, as_given) << text;
            for (const auto& bytes : to.memory) {
              for (auto byte = bytes.end() - 16; byte != bytes.end(); ++byte) ASSERT_EQ(*byte, 0xa5) << text;
            }
            ++(first ? refused : exact);
            ASSERT_FALSE(first && kernels::is_always_convertible(*source.row, *target.row)) << text;
          }
        }
      }
    }
  }
  EXPECT_GT(exact, 1000);
  EXPECT_GT(refused, 1000);
}

TEST(ConvertParameters, ThereAndBackGivesTheBytesAgain) {
  for (const Side& source : every_side()) {
    for (const Side& target : every_side()) {
      Draw draw(7);
      const Size size = {128, 384}, groups = {128, 3};
      Tensors from(source, Type::fp16, groups, 2), to(target, Type::fp16, groups, 2),
          back(source, Type::fp16, groups, 2);
      // The scales have few bits, and the zero point is one that both formats state.
      const reference::Range range = zero_points_of(source), other = zero_points_of(target);
      const int first = std::max({range.lowest, other.lowest, 1}), last = std::min({range.highest, other.highest, 15});
      const bool is_float = source.is_float(), both = is_float && target.is_float();
      if (!is_float && !target.is_float() && first > last) continue;
      for (std::int64_t i = 0; i < 2 * groups.n * groups.k; ++i) {
        Group group = draw.group(source, reference::fp16, 1000000);
        const int zero_point = is_float != target.is_float()
                                   ? (is_float ? std::clamp(8 - draw.below(2), other.lowest, other.highest)
                                               : std::clamp(8 - draw.below(2), range.lowest, range.highest))
                               : both ? draw.below(16)
                                      : first + draw.below(last - first + 1);
        if (is_float) group.zero = reference::float_zero_of(reference::fp16, group.scale, zero_point);
        group.zero_point = zero_point;
        from.put(i / (groups.n * groups.k), {i % groups.n, i / groups.n % groups.k}, group);
      }
      Conversion there(from, to, size, 128, 2, false), and_back(to, back, size, 128, 2, false);
      EXPECT_FALSE(there.run()) << source.text() << " to " << target.text();
      EXPECT_FALSE(and_back.run()) << target.text() << " to " << source.text();
      EXPECT_EQ(from.memory, back.memory) << source.text() << " to " << target.text() << " and back";
    }
  }
}

// Scales times zero points: the statements of reference/domains.h. Every thread is one group, so that each has a
// verdict.
void check_integer_to_float(Type type, int step) {
  const FloatFormat format = float_format_of(type);
  const auto side = [](const char* scheme, int parameters) {
    return Side(*kernels::format_named(kernels::Use::convert_parameters, "plain", scheme, parameters));
  };
  const std::int64_t scales = 65536 / step;
  const Size groups = {1, scales * 256};
  Tensors from(side("integer", 2), type, groups, 1), to(side("float", 1), type, groups, 1);
  for (std::int64_t i = 0; i < groups.k; ++i) {
    from.put(0, {0, i},
             {.scale = static_cast<std::uint32_t>(i / 256 * step), .zero_point = static_cast<int>(i % 256) - 128});
  }
  Conversion exact(from, to, {1, groups.k * 2}, 2, 1, false), nearest(from, to, {1, groups.k * 2}, 2, 1, true);
  ASSERT_EQ(threads_of(exact.a), groups.k);
  std::int64_t taken = 0, near = 0;
  for (std::int64_t i = 0; i < groups.k; ++i) {
    const bool is_near_enough = !nearest.run({i, i + 1}), is_exact = !exact.run({i, i + 1});
    const Group given = from.get(0, {0, i});
    const Exact scale = decode(format, given.scale);
    if (scale.kind != reference::Kind::finite) continue;  // the other test has these
    bool is_stated = conversion_is_exact(format, given.scale, given.zero_point);
    for (int code = 0; is_stated && code < 16; ++code)
      is_stated &= !conversion_turns_a_zero(format, code, given.scale, given.zero_point);
    if (is_exact != is_stated) {  // inexact, and no weight shows it; or a zero that is -0 instead
      ASSERT_TRUE(is_exact) << std::hex << given.scale << std::dec << " " << given.zero_point;
      ASSERT_TRUE(has_same_weights(format, given, to.get(0, {0, i}))) << std::hex << given.scale;
    }
    const bool is_finite = !conversion_overflows(format, given.scale, given.zero_point);
    ASSERT_EQ(is_near_enough, is_finite || is_exact) << std::hex << given.scale << std::dec << " " << given.zero_point;
    taken += is_exact;
    near += is_near_enough;
  }
  EXPECT_GT(taken, groups.k / 16);
  EXPECT_GT(near, groups.k / 2);
}
TEST(ConvertParameters, OfSomeScalesAndAllZeroPointsAreExactWhereDomainsSaysSo) {
  check_integer_to_float(Type::bf16, 127);
  check_integer_to_float(Type::fp16, 127);
}
TEST(ConvertParameters, OfEveryBf16ScaleAndZeroPointAreExactWhereDomainsSaysSo) {
  check_integer_to_float(Type::bf16, 1);
}

TEST(ConvertParameters, AnySplitOfTheThreadsGivesTheSameBits) {
  const Side source(*kernels::format_named(kernels::Use::convert_parameters, "tinygemm-8", "float", 1));
  const Side target(*kernels::format_named(kernels::Use::convert_parameters, "marlin", "integer", 2));
  const Size groups = {128, 4};
  Tensors from(source, Type::bf16, groups, 3), whole(target, Type::bf16, groups, 3),
      parts(target, Type::bf16, groups, 3);
  Draw draw(11);
  for (std::int64_t i = 0; i < 3 * groups.n * groups.k; ++i) {
    from.put(i / (groups.n * groups.k), {i % groups.n, i / groups.n % groups.k},
             draw.group(source, reference::bf16, 2));
  }
  Conversion all(from, whole, {128, 512}, 128, 3, true), some(from, parts, {128, 512}, 128, 3, true);
  const auto first = all.run();
  std::optional<std::int64_t> first_of_parts;
  for (std::int64_t end = threads_of(some.a); end > 0; end -= 5) {
    const auto found = some.run({std::max<std::int64_t>(end - 5, 0), end});
    if (found && (!first_of_parts || *found < *first_of_parts)) first_of_parts = found;
  }
  EXPECT_EQ(first, first_of_parts);
  EXPECT_EQ(whole.memory, parts.memory);
}

}  // namespace
}  // namespace tileproof::convert_parameters_test
