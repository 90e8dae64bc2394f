// Dequantize of every format on a host: the same weights by warps and one by one, between fences, and what no property
// of the subject host has: groups in any order, and nested scales. That the weights are right is shown by these.
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/fenced_for_tests.h"
#include "kernels/kernels.h"

namespace tileproof::kernels {
namespace {

struct Sizes {
  std::int64_t n, k, group_size, experts;
};
// Tiles whole and in parts, a row that ends in a word or in a byte, groups of a few columns and of a row.
constexpr Sizes all_sizes[] = {{64, 512, 128, 1}, {256, 256, 32, 2}, {96, 320, 64, 1}, {40, 96, 48, 3},
                               {8, 264, 8, 2},    {320, 24, 24, 1},  {24, 40, 5, 2},   {5, 6, 3, 2},
                               {3, 32, 32, 3},    {1, 768, 32, 2},   {33, 65, 64, 2},  {7, 9, 4096, 3},
                               {16, 1536, 256, 1}};

std::int64_t bytes_of_dtype(const char* dtype, Type type) {
  if (dtype == nullptr) return type == Type::fp32 ? 4 : 2;
  return dtype == std::string("uint8") || dtype == std::string("int8") ? 1 : 4;
}

/// The memory of a call, with noise in it: every code, and scales of every class.
struct Memory {
  AnyDequantizeArguments a = {};
  Elements packed, weights;
  std::vector<Elements> parameters;

  std::int64_t bytes(const Dims& dims, const char* dtype) const {
    return a.experts * dims.elements({a.n, a.k, a.group_size}) * bytes_of_dtype(dtype, a.type);
  }
  std::int64_t packed_bytes() const { return bytes(a.format->layout->dims, a.format->layout->dtype); }
  std::int64_t parameter_bytes(int i) const {
    return bytes(a.format->parameters[i].dims, a.format->parameters[i].dtype);
  }
  std::int64_t weight_bytes() const { return a.experts * a.n * a.k * bytes_of_dtype(nullptr, a.type); }

  Memory(const Format& format, Type type, const Sizes& sizes) {
    a.format = &format;
    a.type = type;
    a.n = sizes.n;
    a.k = sizes.k;
    a.group_size = sizes.group_size;
    a.experts = sizes.experts;
    packed = noise(packed_bytes(), 1);
    weights = elements(weight_bytes());
    for (int i = 0; i < format.parameter_count(); ++i) {
      parameters.push_back(noise(parameter_bytes(i), static_cast<std::uint32_t>(i + 2)));
      const Parameter& one = format.parameters[i];
      if (one.name != std::string("g_idx")) continue;
      auto* const group = as<std::int32_t>(parameters.back());
      for (std::int64_t k = 0; k < a.experts * a.k; ++k)
        group[k] = static_cast<std::int32_t>(k * 7 % (a.k / a.group_size));
    }
    point();
  }
  void point() {
    a.packed = packed.data();
    a.weights = weights.data();
    for (std::size_t i = 0; i < parameters.size(); ++i) a.parameters[i] = parameters[i].data();
  }
  static bool is_legal(const Format& format, Type type, const Sizes& s) {
    const Layout& layout = *format.layout;
    return s.n % layout.n_multiple == 0 && s.k % layout.k_multiple == 0 && format.is_group_size(s.group_size, s.k) &&
           (format.weight_type != WeightType::fp32 || type == Type::fp32);
  }
  std::string text() const {
    return std::string(a.format->name()) + " " + a.format->scheme + " with " +
           std::to_string(a.format->parameter_count()) + ", type " + std::to_string(static_cast<int>(a.type)) + ", " +
           std::to_string(a.experts) + " of " + std::to_string(a.n) + " x " + std::to_string(a.k) + " in " +
           std::to_string(a.group_size);
  }
};

void run_all(const AnyDequantizeArguments& a) {
  const auto refusal = validate(a);
  ASSERT_FALSE(refusal) << refusal->text();
  dequantize(a, Range{0, threads_of(a)});
}

constexpr Type all_types[] = {Type::bf16, Type::fp16, Type::fp32};

template <class Use>
int for_all(Use use) {
  int calls = 0;
  for (const Format& format : dequantized_formats) {
    for (const Type type : all_types) {
      for (const Sizes& sizes : all_sizes) {
        if (!Memory::is_legal(format, type, sizes)) continue;
        Memory memory(format, type, sizes);
        run_all(memory.a);
        use(memory);
        ++calls;
      }
    }
  }
  return calls;
}

TEST(AnyDequantize, ReadsAndWritesWhatItOwnsAlone) {
  int fenced_weights = 0, calls = 0;
  for_all([&](Memory& m) {
    for (const Side side : both_sides) {
      const Fenced packed(m.packed, m.packed_bytes(), side),
          weights(elements(m.weight_bytes()), m.weight_bytes(), side);
      std::vector<std::unique_ptr<Fenced>> parameters;
      AnyDequantizeArguments a = m.a;
      a.packed = packed.as<void>();
      for (int i = 0; i < a.format->parameter_count(); ++i) {
        const Elements& of = m.parameters[static_cast<std::size_t>(i)];
        parameters.push_back(std::make_unique<Fenced>(of, m.parameter_bytes(i), side));
        a.parameters[i] = parameters.back()->as<void>();
      }
      // Weights are aligned to 16 bytes: at the end of a page not all can be. Those get memory with room behind it.
      Elements with_room = elements(m.weight_bytes() + 16);
      const bool is_aligned = reinterpret_cast<std::uintptr_t>(weights.as<void>()) % 16 == 0;
      a.weights = is_aligned ? weights.as<void>() : with_room.data();
      run_all(a);
      const std::uint8_t* const got = static_cast<const std::uint8_t*>(a.weights);
      EXPECT_EQ(std::memcmp(got, m.weights.data(), static_cast<std::size_t>(m.weight_bytes())), 0) << m.text();
      if (!is_aligned) {
        const Elements untouched = elements(m.weight_bytes() + 16);
        const std::size_t all = with_room.size() * 16, own = static_cast<std::size_t>(m.weight_bytes());
        EXPECT_EQ(std::memcmp(got + own, reinterpret_cast<const std::uint8_t*>(untouched.data()) + own, all - own), 0)
            << m.text();
      }
      EXPECT_TRUE(packed.holds(m.packed, m.packed_bytes())) << m.text();
      fenced_weights += is_aligned ? 1 : 0;
      ++calls;
    }
  });
  EXPECT_GT(calls, 600);
  EXPECT_GT(fenced_weights, 400);
}

/// A copy of memory whose first element lies so many bytes past alignment.
Elements moved_by(const Elements& of, std::int64_t bytes, std::int64_t past) {
  Elements moved = elements(bytes + past);
  std::memcpy(as<std::uint8_t>(moved) + past, of.data(), static_cast<std::size_t>(bytes));
  return moved;
}

TEST(AnyDequantize, GivesTheSameFromAnyAddress) {
  int by_warps = 0;
  for_all([&](Memory& m) {
    by_warps += is_by_warps(m.a) ? 1 : 0;
    const auto gives_the_same = [&](AnyDequantizeArguments a) {
      Elements weights = elements(m.weight_bytes());
      a.weights = weights.data();
      run_all(a);
      EXPECT_EQ(weights, m.weights) << m.text();
    };
    const std::int64_t of_packed = bytes_of_dtype(m.a.format->layout->dtype, m.a.type);
    Elements packed = moved_by(m.packed, m.packed_bytes(), of_packed);
    AnyDequantizeArguments a = m.a;
    a.packed = as<std::uint8_t>(packed) + of_packed;
    gives_the_same(a);
    for (int i = 0; i < m.a.format->parameter_count(); ++i) {
      const std::int64_t past = bytes_of_dtype(m.a.format->parameters[i].dtype, m.a.type);
      Elements parameter = moved_by(m.parameters[static_cast<std::size_t>(i)], m.parameter_bytes(i), past);
      a = m.a;
      a.parameters[i] = as<std::uint8_t>(parameter) + past;
      gives_the_same(a);
    }
  });
  EXPECT_GT(by_warps, 100);
}

TEST(AnyDequantize, GivesTheSameInPieces) {
  for_all([](Memory& m) {
    const Elements wanted = m.weights;
    m.weights = elements(m.weight_bytes());
    m.point();
    const std::int64_t all = threads_of(m.a);
    for (std::int64_t end = all; end > 0; end -= 3) dequantize(m.a, Range{end - 3, end});
    EXPECT_EQ(m.weights, wanted) << m.text();
  });
}

TEST(AnyDequantize, OfEveryMatrixGoesByWarpsWhereTheyFit) {
  for (const Format& format : dequantized_formats) {
    if (format.name().starts_with("tinygemm") || format.parameter_count() == 0) continue;
    for (const Type type : all_types) {
      Memory m(format, type, {256, 512, 128, 1});
      EXPECT_TRUE(is_by_warps(m.a)) << m.text();
    }
  }
}

// GPTQ's act-order: each column says its group.
TEST(AnyDequantize, WithGroupsInAnyOrderGivesWhatColumnsOfTheirOwnGroupsGive) {
  int calls = 0;
  for_all([&](Memory& m) {
    if (m.a.format->parameter_count() != 3) return;
    const Format* const alone = format_named(Use::dequantize, m.a.format->name(), m.a.format->scheme, 2);
    Memory each(*alone, m.a.type, {m.a.n, m.a.k, 1, m.a.experts});
    each.packed = m.packed;
    const std::int64_t groups = m.a.k / m.a.group_size;
    for (std::size_t i = 0; i < 2; ++i) {
      const std::int64_t of_group = m.parameter_bytes(static_cast<int>(i)) / (m.a.experts * groups);
      for (std::int64_t k = 0; k < m.a.experts * m.a.k; ++k) {
        const std::int64_t group = k / m.a.k * groups + as<std::int32_t>(m.parameters[2])[k];
        std::memcpy(as<std::uint8_t>(each.parameters[i]) + k * of_group,
                    as<std::uint8_t>(m.parameters[i]) + group * of_group, static_cast<std::size_t>(of_group));
      }
    }
    each.point();
    run_all(each.a);
    EXPECT_EQ(each.weights, m.weights) << m.text();

    // A number that is no group's makes its column NaN, and changes no other.
    const Elements before = m.weights;
    for (const std::int32_t wrong : {-1, static_cast<std::int32_t>(groups), 0x7fffffff}) {
      as<std::int32_t>(m.parameters[2])[m.a.k - 1] = wrong;
      run_all(m.a);
      for (std::int64_t n = 0; n < m.a.n; ++n) {
        const std::int64_t at = (m.a.k - 1) * m.a.n + n;
        if (m.a.type == Type::fp32) {
          EXPECT_EQ(as<std::uint32_t>(m.weights)[at], 0x7fffffffu) << m.text();
        } else {
          EXPECT_EQ(as<std::uint16_t>(m.weights)[at], 0x7fffu) << m.text();
        }
      }
      const std::int64_t of_column = m.a.n * bytes_of_dtype(nullptr, m.a.type), first = (m.a.k - 1) * of_column;
      std::memcpy(as<std::uint8_t>(m.weights) + first, reinterpret_cast<const std::uint8_t*>(before.data()) + first,
                  static_cast<std::size_t>(of_column));
      EXPECT_EQ(m.weights, before) << m.text();
    }
    ++calls;
  });
  EXPECT_GT(calls, 20);
}

TEST(AnyDequantize, WithNestedScalesGivesWhatTheScalesThatTheyStandForGive) {
  int calls = 0;
  for_all([&](Memory& m) {
    if (m.a.format->parameter_count() != 4) return;
    Memory plain(*format_named(Use::dequantize, m.a.format->name(), m.a.format->scheme, 1), m.a.type,
                 {m.a.n, m.a.k, m.a.group_size, m.a.experts});
    plain.packed = m.packed;
    const std::int64_t blocks = (m.a.n * m.a.k + m.a.group_size - 1) / m.a.group_size, above = (blocks + 255) / 256;
    for (std::int64_t i = 0; i < m.a.experts * blocks; ++i) {
      const std::int64_t expert = i / blocks, block = i % blocks;
      const std::uint8_t stored = as<std::uint8_t>(m.parameters[0])[i];
      volatile float product = as<float>(m.parameters[2])[expert * 256 + stored];
      product = product * as<float>(m.parameters[1])[expert * above + block / 256];
      as<float>(plain.parameters[0])[i] = product + as<float>(m.parameters[3])[expert];
    }
    plain.point();
    run_all(plain.a);
    EXPECT_EQ(plain.weights, m.weights) << m.text();
    ++calls;
  });
  EXPECT_GT(calls, 20);
}

TEST(AnyDequantize, RefusesAndSaysWhy) {
  const auto text_of = [](const AnyDequantizeArguments& a) {
    const auto refusal = validate(a);
    return refusal ? refusal->text() : "";
  };
  Memory m(*format_named(Use::dequantize, "awq", "integer", 2), Type::fp16, {16, 32, 16, 1});
  EXPECT_EQ(text_of(m.a), "");
  AnyDequantizeArguments a = m.a;
  a.n = 12;
  EXPECT_EQ(text_of(a), "n: given 12, legal is 0 or more, a multiple of 8 for awq");
  a = m.a;
  a.group_size = 5;
  EXPECT_EQ(text_of(a), "group_size: given 5, legal is a positive divisor of k");
  a = m.a;
  a.parameters[1] = nullptr;
  EXPECT_EQ(text_of(a), "zeros: given a null pointer, legal is memory of 4 elements");
  a = m.a;
  a.parameters[0] = static_cast<const std::uint8_t*>(a.parameters[0]) + 1;
  EXPECT_EQ(text_of(a), "scales: given an address 1 bytes past alignment, legal is aligned to 2 bytes");
  Memory blocks(*format_named(Use::dequantize, "q4_0", "symmetric", 0), Type::fp32, {2, 32, 32, 1});
  EXPECT_EQ(text_of(blocks.a), "");
  blocks.a.type = Type::bf16;
  EXPECT_EQ(text_of(blocks.a), "type: given 16 bits, legal is fp32");
  blocks.a.type = Type::fp32;
  blocks.a.group_size = 64;
  EXPECT_EQ(text_of(blocks.a), "group_size: given 64, legal is 32");
}

}  // namespace
}  // namespace tileproof::kernels
