// Indices of more than 16 and of more than 32 bits, without the memory: operands are mapped and never reserved, and the
// last threads of an operation, or its last n-tiles by every way of the code for CPU tensors, touch a few pages of
// them. The results are compared with the specification.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "properties/problem/draw.h"
#include "properties/subjects/kernel_arguments.h"
#include "reference/dequantize.h"
#include "reference/matrix.h"

namespace tileproof {

namespace {

/// Address space that becomes memory where it is touched.
template <class T>
class Sparse {
 public:
  explicit Sparse(std::int64_t elements) : bytes_(static_cast<std::size_t>(elements) * sizeof(T)) {
    memory_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  ~Sparse() {
    if (memory_ != MAP_FAILED) munmap(memory_, bytes_);
  }
  Sparse(const Sparse&) = delete;
  Sparse& operator=(const Sparse&) = delete;

  bool mapped() const { return memory_ != MAP_FAILED; }
  T* data() const { return static_cast<T*>(memory_); }
  /// Makes all elements 0.
  void forget() { madvise(memory_, bytes_, MADV_DONTNEED); }

 private:
  std::size_t bytes_;
  void* memory_;
};

constexpr std::int64_t more_than_16_bits = 65537;
constexpr std::int64_t more_than_32_bits = (std::int64_t{1} << 32) + 1;

struct Shape {
  const char* name;
  std::int64_t n, supertiles, experts;
  bool has_short_rows = true;  // false: an n-tile is too long to be walked
  std::int64_t k(int inner_k_tiles) const { return supertiles * 16 * inner_k_tiles; }
};
void PrintTo(const Shape& shape, std::ostream* to) { *to << shape.name; }
constexpr Shape all_shapes[] = {
    {"65537NTiles", 8 * more_than_16_bits - 3, 4, 1},
    {"65537Supertiles", 8, more_than_16_bits, 1},
    {"65537Experts", 11, 4, more_than_16_bits},
    {"NTilesOf33Bits", 8 * more_than_32_bits - 3, 4, 1},
    {"RowsTimesGroupsOf38Bits", (std::int64_t{1} << 33) + 5, 16, 1},
    {"ExpertsTimesRowsOf35Bits", 8195, 4, (std::int64_t{1} << 22) + 1},
    {"SupertilesOf33Bits", 5, more_than_32_bits, 1, false},
};

class LargeIndices : public testing::TestWithParam<std::tuple<Shape, int>> {
 protected:
  const Shape shape = std::get<0>(GetParam());
  const int inner_k_tiles = std::get<1>(GetParam());
  const std::int64_t n = shape.n, k = shape.k(inner_k_tiles), experts = shape.experts, last_expert = experts - 1;
  const std::int64_t words_of_expert = (n + 7) / 8 * k;
  const std::int64_t first_column = k > 1024 ? k - 1024 : 0;

  /// The last row of the last expert and, because most last n-tiles are not full, the last row of the n-tile before, if
  /// there is one.
  std::vector<std::int64_t> rows() const {
    std::vector<std::int64_t> rows = {n - 1};
    if (const std::int64_t before = (n - 1) / 8 * 8 - 1; before >= 0) rows.push_back(before);
    return rows;
  }
  template <class Use>
  void for_each_element(Use use) const {
    for (const std::int64_t row : rows()) {
      for (std::int64_t column = first_column; column < k && !HasFatalFailure(); ++column) use(row, column);
    }
  }
  std::int64_t element(std::int64_t row, std::int64_t column) const { return (last_expert * n + row) * k + column; }
  static std::uint64_t bits(std::int64_t row, std::int64_t column) {
    return drawn(1, stream::words, static_cast<std::uint64_t>(row * 1024 + column));
  }

  void fill(const Sparse<std::uint32_t>& packed) const {
    for_each_element([&](std::int64_t row, std::int64_t column) {
      const auto place = reference::place_of(row, column, k, inner_k_tiles);
      packed.data()[last_expert * words_of_expert + place.word] = static_cast<std::uint32_t>(bits(row, column) >> 32);
    });
  }
  int code(const Sparse<std::uint32_t>& packed, std::int64_t row, std::int64_t column) const {
    return reference::code_of_packed(packed.data() + last_expert * words_of_expert, row, column, k, inner_k_tiles);
  }

  /// Runs the last threads, then the last two n-tiles by each way, and calls `look` after each run.
  template <class Arguments, class Look>
  void run(const Arguments& a, Look look) const {
    constexpr std::int64_t last_threads = 4096;  // enough for all columns that are looked at, in any order
    const std::int64_t threads = kernels::threads_of(a), n_tiles = kernels::n_tiles_of(a);
    run_kernel(a, kernels::Range{std::max(threads - last_threads, std::int64_t{0}), threads});
    look();
    if (!shape.has_short_rows) return;
    for (const kernels::Way way : kernels::all_ways()) {
      run_kernel(a, kernels::NTiles{std::max(n_tiles - 2, std::int64_t{0}), n_tiles}, way);
      look();
    }
  }

  template <class T>
  void dequantizes(kernels::Domain domain, kernels::Type type, reference::FloatFormat format) const;
};

constexpr const char* no_address_space = "no address space for so many elements";

TEST_P(LargeIndices, PacksTheLastElements) {
  const Sparse<std::uint8_t> codes(experts * n * (k / 2));
  Sparse<std::uint32_t> packed(experts * words_of_expert);
  if (!codes.mapped() || !packed.mapped()) GTEST_SKIP() << no_address_space;
  for_each_element([&](std::int64_t row, std::int64_t column) {
    codes.data()[element(row, column) / 2] = static_cast<std::uint8_t>(bits(row, column / 2) >> 32);
  });
  const kernels::PackArguments a = {codes.data(), packed.data(), n, k, inner_k_tiles, experts};
  run(a, [&] {
    for_each_element([&](std::int64_t row, std::int64_t column) {
      const int byte = codes.data()[element(row, column) / 2];
      ASSERT_EQ(code(packed, row, column), column % 2 == 0 ? byte >> 4 : byte & 15) << row << ", " << column;
    });
    packed.forget();
  });
}

TEST_P(LargeIndices, UnpacksTheLastElements) {
  const Sparse<std::uint32_t> packed(experts * words_of_expert);
  Sparse<std::int32_t> codes(experts * n * k);
  if (!packed.mapped() || !codes.mapped()) GTEST_SKIP() << no_address_space;
  fill(packed);
  const kernels::UnpackArguments a = {packed.data(), codes.data(), n, k, inner_k_tiles, experts};
  run(a, [&] {
    for_each_element([&](std::int64_t row, std::int64_t column) {
      ASSERT_EQ(codes.data()[element(row, column)], code(packed, row, column)) << row << ", " << column;
    });
    codes.forget();
  });
}

template <class T>
void LargeIndices::dequantizes(kernels::Domain domain, kernels::Type type, reference::FloatFormat format) const {
  constexpr std::int64_t group_size = 16;
  const bool has_zeros = domain == kernels::Domain::floating;
  const std::int64_t groups = k / group_size, parameters = experts * groups * n;
  const Sparse<std::uint32_t> packed(experts * words_of_expert);
  const Sparse<T> scales(parameters * (has_zeros ? 2 : 1));
  const Sparse<std::int8_t> zero_points(parameters);
  Sparse<T> weights(experts * n * k);
  if (!packed.mapped() || !scales.mapped() || !zero_points.mapped() || !weights.mapped()) {
    GTEST_SKIP() << no_address_space;
  }
  fill(packed);
  // Numbers near 1, different for each group and row.
  const auto one = static_cast<std::uint32_t>(format.bias()) << format.fraction_bits;
  const auto number = [&](std::uint64_t bits) { return static_cast<T>(one + (bits >> 40) % (one / 16)); };
  const auto at = [&](std::int64_t row, std::int64_t column) {
    return (last_expert * groups + column / group_size) * n + row;
  };
  for_each_element([&](std::int64_t row, std::int64_t column) {
    const std::uint64_t of_group = bits(row, column / group_size);
    const std::int64_t index = at(row, column);
    scales.data()[has_zeros ? 2 * index : index] = number(of_group);
    if (has_zeros) scales.data()[2 * index + 1] = number(mixed(of_group));
    zero_points.data()[index] = static_cast<std::int8_t>(of_group);
  });
  const kernels::DequantizeArguments a = {
      packed.data(), scales.data(), zero_points.data(), weights.data(), n, k, group_size, inner_k_tiles, domain,
      type,          experts};
  run(a, [&] {
    for_each_element([&](std::int64_t row, std::int64_t column) {
      const std::int64_t index = at(row, column);
      const int of = code(packed, row, column);
      const std::uint32_t scale = scales.data()[has_zeros ? 2 * index : index];
      const std::uint32_t expected = has_zeros
                                         ? reference::dequantized_float(format, of, scale, scales.data()[2 * index + 1])
                                     : domain == kernels::Domain::integer
                                         ? reference::dequantized_integer(format, of, scale, zero_points.data()[index])
                                         : reference::dequantized_none(format, of, scale);
      ASSERT_EQ(weights.data()[element(row, column)], expected) << row << ", " << column;
    });
    weights.forget();
  });
}

TEST_P(LargeIndices, DequantizesTheLastElementsInTheFloatDomain) {
  dequantizes<std::uint16_t>(kernels::Domain::floating, kernels::Type::bf16, reference::bf16);
}
TEST_P(LargeIndices, DequantizesTheLastElementsInTheIntegerDomain) {
  dequantizes<std::uint16_t>(kernels::Domain::integer, kernels::Type::fp16, reference::fp16);
}
TEST_P(LargeIndices, DequantizesTheLastElementsWithoutAZeroPoint) {
  dequantizes<std::uint32_t>(kernels::Domain::none, kernels::Type::fp32, reference::fp32);
}

INSTANTIATE_TEST_SUITE_P(, LargeIndices, testing::Combine(testing::ValuesIn(all_shapes), testing::Values(2, 4, 8)),
                         [](const auto& of) {
                           return std::string(std::get<0>(of.param).name) + "OfInnerKTiles" +
                                  std::to_string(std::get<1>(of.param));
                         });

/// Convert of matrices whose last elements lie beyond 32 bits: by warps, and code by code.
struct LargeConversion {
  const char* name;
  const char* format;
  const char* format_to;
  std::int64_t n, k, experts;
  bool is_by_warps;
};
void PrintTo(const LargeConversion& one, std::ostream* to) { *to << one.name; }
constexpr LargeConversion large_conversions[] = {
    {"ToMarlin", "tinygemm-8", "marlin", 64 * (std::int64_t{1} << 28), 128, 1, true},
    {"FromAwqOfManyColumns", "awq", "tinygemm-2", 32, 32 * more_than_32_bits, 1, true},
    {"ToPlainOfManyExperts", "tinygemm-4", "plain", 13, 64, (std::int64_t{1} << 26) + 1, true},
    {"BetweenOthers", "awq", "gptq", 8 * more_than_32_bits, 8, 1, false},
    {"InPartsOfBlocks", "tinygemm-2", "int4pack-cpu-avx512", 64 * (std::int64_t{1} << 28) + 16, 32, 1, false}};

class LargeConvert : public testing::TestWithParam<LargeConversion> {};

TEST_P(LargeConvert, OfTheLastElementsIsAsSpecified) {
  const LargeConversion& p = GetParam();
  const Format &format = *format_of("format", p.format), &format_to = *format_of("format", p.format_to);
  const Size size = {p.n, p.k};
  const std::int64_t bytes = format.layout.slots(size) / 2, bytes_to = format_to.layout.slots(size) / 2;
  const Sparse<std::uint8_t> packed(p.experts * bytes), converted(p.experts * bytes_to);
  if (!packed.mapped() || !converted.mapped()) GTEST_SKIP() << no_address_space;
  const kernels::ConvertArguments a = {
      packed.data(), converted.data(), kernel_layout(format), kernel_layout(format_to), p.n, p.k, p.experts};
  ASSERT_EQ(kernels::is_by_warps(a), p.is_by_warps);
  // Elements that the last of all pieces of work gives, whatever the layouts are.
  const std::vector<reference::Element> last = {{p.n - 1, p.k - 1}, {p.n - 3, p.k - 1}, {p.n - 6, p.k - 1}};
  std::uint8_t* const from = packed.data() + (p.experts - 1) * bytes;
  for (std::size_t i = 0; i < last.size(); ++i) {
    reference::set_code_at(from, format.layout.slot_of(last[i], size), static_cast<int>(5 + i));
  }
  const std::int64_t all = kernels::threads_of(a);
  kernels::convert(a, {std::max(all - 4096, std::int64_t{0}), all});
  const std::uint8_t* const to = converted.data() + (p.experts - 1) * bytes_to;
  for (std::size_t i = 0; i < last.size(); ++i) {
    EXPECT_EQ(reference::code_at(to, format_to.layout.slot_of(last[i], size)), static_cast<int>(5 + i)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(, LargeConvert, testing::ValuesIn(large_conversions),
                         [](const auto& instance) { return std::string(instance.param.name); });

/// Dequantize of other formats whose last elements lie beyond 32 bits: by each kind of kernel.
struct LargeDequantization {
  const char* name;
  const char* format;
  std::int64_t n, k, group_size, experts;
  bool is_by_warps;
};
void PrintTo(const LargeDequantization& one, std::ostream* to) { *to << one.name; }
constexpr LargeDequantization large_dequantizations[] = {
    {"AwqOfManyRows", "awq", 32 * more_than_32_bits, 8, 8, 1, true},
    {"GptqOfManyColumns", "gptq", 8, 8 * more_than_32_bits, 8, 1, true},
    {"AwqInParts", "awq", 8 * more_than_32_bits, 1, 1, 1, false},
    {"PlainOfManyExperts", "plain", 8, 64, 32, (std::int64_t{1} << 26) + 1, true},
    {"Nf4", "nf4", more_than_32_bits, 3, 64, 1, true},
    {"Nf4OfManyExperts", "nf4", 3, 3, 32, more_than_32_bits, true},
    {"Q40", "q4_0", more_than_32_bits, 32, 32, 1, false},
    {"Q4K", "q4_k", 1, 256 * (std::int64_t{1} << 26), 32, 1, false}};

class LargeDequantize : public testing::TestWithParam<LargeDequantization> {};

TEST_P(LargeDequantize, OfTheLastElementsIsAsSpecified) {
  const LargeDequantization& p = GetParam();
  const Format& format = *format_of("format", p.format);
  const Scheme& scheme = *schemes_of(format).front();
  const Size size = {p.n, p.k}, groups = format.groups(size, p.group_size);
  const reference::Layout& layout = format.layout;
  const std::int64_t bytes = layout.slots(size) / 2;
  const Sparse<std::uint8_t> packed(p.experts * bytes);
  const Sparse<std::uint32_t> weights(p.experts * p.n * p.k);  // fp32
  const auto elements_of = [&](int i) {
    return i < scheme.tensor_count ? scheme.tensors[i].dims(groups).elements() : std::int64_t{1};
  };
  const Sparse<std::uint32_t> scales(p.experts * elements_of(0)), zeros(p.experts * elements_of(1));
  for (const bool mapped : {packed.mapped(), weights.mapped(), scales.mapped(), zeros.mapped()}) {
    if (!mapped) GTEST_SKIP() << no_address_space;
  }
  const kernels::AnyDequantizeArguments a = {
      packed.data(),
      {scales.data(), zeros.data()},
      weights.data(),
      kernels::format_named(kernels::Use::dequantize, p.format, scheme.name, scheme.tensor_count),
      p.n,
      p.k,
      p.group_size,
      kernels::Type::fp32,
      p.experts};
  ASSERT_FALSE(kernels::validate(a));
  ASSERT_EQ(kernels::is_by_warps(a), p.is_by_warps);
  const reference::Element last = {p.n - 1, p.k - 1}, group = format.group_of(last, size, p.group_size);
  const bool in_block = scheme.in_blocks;
  const std::uint32_t scale = in_block ? 0x3c00 : 0x3f800000;  // 1
  std::uint8_t* const from = packed.data() + (p.experts - 1) * bytes;
  reference::set_code_at(from, layout.slot_of(last, size), 5);
  std::uint32_t scale_bits = scale;
  if (in_block) {
    const reference::GroupBits bits = {scheme.groups_of_number > 1 ? scale | 3u << 16 : scale, 0};
    scheme.block.put(from + scheme.block.first_byte(group, groups), group.k % scheme.block.groups, bits);
    scale_bits = bits.scale;
  } else {
    const std::int64_t place = scheme.scale_at(group, groups);
    scales.data()[(p.experts - 1) * elements_of(0) + place] = scale;
  }
  const std::int64_t all = kernels::threads_of(a);
  kernels::dequantize(a, {std::max(all - 64, std::int64_t{0}), all});
  const std::uint32_t expected =
      scheme.weight(reference::fp32, in_block ? reference::fp16 : reference::fp32, 5, scale_bits, 0);
  EXPECT_NE(expected, 0u);
  EXPECT_EQ(weights.data()[(p.experts - 1) * p.n * p.k + format.result_at(last, size)], expected);
}

INSTANTIATE_TEST_SUITE_P(, LargeDequantize, testing::ValuesIn(large_dequantizations),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace

}  // namespace tileproof
