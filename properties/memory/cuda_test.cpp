// The device writes what the host computes, and its comparison finds one wrong element wherever that is.
#include "properties/memory/cuda.h"

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cstring>

#include "kernels/formats.h"
#include "properties/problem/tinygemm.h"
#include "reference/formats.h"

namespace tileproof {

namespace {

struct OfFormula {
  const char* name;
  GeneratedTensor formula;
  std::size_t element_bytes;
  bool is_on_device = true;
};

std::size_t bytes_of_zero(const Scheme& scheme, Types types) {
  if (scheme.zeros_are_packed || scheme.has_factor) return 4;
  return scheme.zero_kind == reference::Zero::point ? 1 : static_cast<std::size_t>(bytes_of(types.parameter));
}

/// The tensors of a problem.
void add_formulas(const Problem& p, generated::Codes::Kind codes_kind, generated::Parameters::Kind kind,
                  std::vector<OfFormula>& all) {
  const Format& format = *p.format;
  const Scheme& scheme = *p.scheme;
  generated::Codes codes = generated::codes_of(p, codes_kind);
  codes.shift = 4;
  generated::Parameters parameters = generated::parameters_of(p, kind);
  parameters.digit_bits = 4;
  parameters.zero_base = scheme.zero_points.highest;
  const kernels::Format* const dequantized =
      kernels::format_named(kernels::Use::dequantize, format.name, scheme.name, scheme.tensor_count);
  const bool is_packed_by_kernels = dequantized != nullptr || kernels::layout_named(format.name) != nullptr;
  all.push_back({format.name, generated::PackedWords{codes, parameters},
                 static_cast<std::size_t>(format.layout.bytes_of_unit), is_packed_by_kernels});
  const GeneratedTensor weights = generated::Weights{codes, parameters, format.result, p.types.weight};
  const bool is_any_size = format.result == reference::ResultOrder::k_n || !format.groups_divide_rows;
  all.push_back({scheme.name, weights, static_cast<std::size_t>(bytes_of(p.types.weight)),
                 dequantized != nullptr && (is_any_size || is_in_runs(weights))});
  if (scheme.tensor_count > 0) {
    all.push_back({scheme.name, generated::ScaleElements{parameters},
                   static_cast<std::size_t>(bytes_of(p.types.parameter)), dequantized != nullptr});
  }
  if (scheme.tensor_count > 1) {
    all.push_back(
        {scheme.name, generated::ZeroElements{parameters}, bytes_of_zero(scheme, p.types), dequantized != nullptr});
  }
}

/// The tensors of every format, scheme and type, in a size that sixteen elements fill and in one that they do not.
std::vector<OfFormula> formulas_of_every_format() {
  using CodesKind = generated::Codes::Kind;
  using Kind = generated::Parameters::Kind;
  std::vector<OfFormula> all;
  for (const Format* format : every_format_there_is()) {
    for (const Scheme* scheme : schemes_of(*format)) {
      for (const Types types : types_of(*scheme, every_types())) {
        for (const bool is_whole : {true, false}) {
          Problem p;
          p.format = format;
          p.scheme = scheme;
          p.types = types;
          p.group_size = format->group_sizes.contains(32) ? 32 : 16;
          if (!is_whole && format->group_sizes.contains(5)) p.group_size = 5;
          p.n = n_unit(*format, 1) * (is_whole ? 2 : 1);
          p.k = k_unit(*format, p.group_size) * (is_whole ? 2 : 3);
          if (!format->groups_divide_rows && !is_whole) p.n = 7, p.k = 37;
          require_possible(p);
          add_formulas(p, CodesKind::drawn, Kind::ordinary, all);
          if (!is_whole) continue;
          add_formulas(p, CodesKind::digit, Kind::identity, all);
          add_formulas(p, CodesKind::constant, Kind::scale_digit, all);
          add_formulas(p, CodesKind::each, Kind::zero_digit, all);
          add_formulas(p, CodesKind::each, Kind::every, all);
        }
      }
    }
  }
  return all;
}

std::vector<OfFormula> formulas() {
  const generated::Codes each = {
      .kind = generated::Codes::Kind::each, .n = 13, .k = 256, .format = index_of(*tinygemm(4))};
  generated::Codes digit = each;
  digit.kind = generated::Codes::Kind::digit;
  digit.shift = 4;
  digit.format = index_of(*tinygemm(8));
  generated::Codes words = each;
  words.kind = generated::Codes::Kind::every_word;
  words.first = 0xfffffff0;
  words.swizzle = 5;
  const generated::Parameters pairs = {.n = 13, .groups = 5, .group_size = 16, .first = 0x3f80'0000};
  generated::Parameters integer = pairs;
  integer.scheme = index_of(*scheme::integer);
  integer.type = Type::fp32;
  generated::Parameters of_matrix = pairs;
  of_matrix.groups = 16;
  of_matrix.type = Type::fp16;
  const Format& host_alone = *reference::format_named("mlx");
  generated::Codes of_mlx = each;
  of_mlx.format = index_of(host_alone);
  generated::Parameters mlx = of_matrix;
  mlx.scheme = index_of(*host_alone.schemes[0]);
  mlx.groups = 8;
  mlx.group_size = 32;
  std::vector<OfFormula> all = {{"constant", generated::Constant{0xffa5ffa5, 37}, 2},
                                {"pairs of codes", generated::CodePairs{digit}, 1},
                                {"packed words", generated::PackedWords{digit}, 4},
                                {"packed words that are kept", generated::PackedWords{each}, 4},
                                {"every word", generated::PackedWords{words}, 4},
                                {"codes of every word", generated::UnpackedCodes{words}, 4},
                                {"scales and zeros", generated::ScaleElements{pairs}, 2},
                                {"fp32 scales", generated::ScaleElements{integer}, 4},
                                {"zero points", generated::ZeroElements{integer}, 1},
                                {"weights", generated::Weights{each, of_matrix}, 2},
                                {"weights that the host computes", generated::Weights{of_mlx, mlx}, 2, false},
                                {"zeros that the host computes", generated::ZeroElements{mlx}, 2, false}};
  for (const OfFormula& one : formulas_of_every_format()) all.push_back(one);
  return all;
}

class DeviceJudge : public testing::Test {
  void SetUp() override {
    int devices = 0;
    const bool none = cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0;
    cudaGetLastError();
#if defined(TILEPROOF_REQUIRE_GPU)
    ASSERT_FALSE(none) << "no CUDA device";
#endif
    if (none) GTEST_SKIP() << "no CUDA device";
  }
};

TEST_F(DeviceJudge, WritesWhatTheHostComputes) {
  CudaMemory memory;
  for (const OfFormula& one : formulas()) {
    const auto elements = static_cast<std::size_t>(elements_of(one.formula));
    std::vector<std::uint8_t> host(elements * one.element_bytes);
    void* at = memory.arena(host.size());
    ASSERT_EQ(memory.computes(one.formula), one.is_on_device) << one.name;
    memory.write(one.formula, one.element_bytes, at);
    memory.copy_out(host.data(), at, host.size());
    for (std::size_t i = 0; i < elements; ++i) {
      const std::uint32_t expected = element_of(one.formula, static_cast<std::int64_t>(i));
      ASSERT_EQ(std::memcmp(&host[i * one.element_bytes], &expected, one.element_bytes), 0) << one.name << " " << i;
    }
    EXPECT_EQ(memory.compare(one.formula, one.element_bytes, at, nullptr).wrong, 0) << one.name;
  }
}

TEST_F(DeviceJudge, FindsOneWrongBitInEveryElement) {
  CudaMemory memory;
  for (const OfFormula& one : formulas()) {
    const std::int64_t elements = elements_of(one.formula);
    auto* at = static_cast<std::uint8_t*>(memory.arena(static_cast<std::size_t>(elements) * one.element_bytes));
    memory.write(one.formula, one.element_bytes, at);
    if (!one.is_on_device) continue;
    const std::int64_t step = elements > 200 ? elements / 37 : 1;
    for (std::int64_t i = 0; i < elements; i = i + step < elements || i == elements - 1 ? i + step : elements - 1) {
      std::uint8_t* wrong_at = at + static_cast<std::size_t>(i) * one.element_bytes;
      const std::uint32_t right = element_of(one.formula, i);
      const std::uint32_t wrong = right ^ 1u << (i % static_cast<std::int64_t>(8 * one.element_bytes));
      memory.copy_in(wrong_at, &wrong, one.element_bytes);
      const Differences found = memory.compare(one.formula, one.element_bytes, at, nullptr);
      ASSERT_EQ(found.wrong, 1) << one.name << " " << i;
      ASSERT_EQ(found.listed.at(0).index, i) << one.name;
      memory.copy_in(wrong_at, &right, one.element_bytes);
    }
    EXPECT_EQ(memory.compare(one.formula, one.element_bytes, at, nullptr).wrong, 0) << one.name;
  }
}

TEST_F(DeviceJudge, WritesAndComparesSeveralBlocksFromEveryAddress) {
  constexpr std::int64_t of_block = 4096;
  const generated::Codes codes = {
      .kind = generated::Codes::Kind::each, .n = 49, .k = 256, .format = index_of(*tinygemm(4))};
  generated::Codes more_codes = codes;
  more_codes.n = 97;
  const generated::Parameters pairs = {.n = 49, .groups = 16, .group_size = 16, .first = 0x3f80'0000};
  const OfFormula several_blocks[] = {{"constant", generated::Constant{0xffa5ffa5, 3 * of_block + 5}, 2},
                                      {"pairs of codes", generated::CodePairs{more_codes}, 1},
                                      {"codes", generated::UnpackedCodes{codes}, 4},
                                      {"weights", generated::Weights{codes, pairs}, 2}};
  CudaMemory memory;
  for (const OfFormula& one : several_blocks) {
    const std::int64_t elements = elements_of(one.formula);
    ASSERT_GT(elements, 3 * of_block);
    const std::size_t bytes = static_cast<std::size_t>(elements) * one.element_bytes;
    constexpr std::size_t room = 64;
    std::vector<std::uint8_t> expected(bytes);
    for (std::int64_t i = 0; i < elements; ++i) {
      const std::uint32_t element = element_of(one.formula, i);
      std::memcpy(&expected[static_cast<std::size_t>(i) * one.element_bytes], &element, one.element_bytes);
    }
    for (std::size_t offset = 0; offset <= 16; offset += one.element_bytes) {
      SCOPED_TRACE(std::string(one.name) + " at " + std::to_string(offset));
      auto* arena = static_cast<std::uint8_t*>(memory.arena(bytes + 2 * room));
      std::vector<std::uint8_t> all(bytes + 2 * room, 0x5a);
      memory.copy_in(arena, all.data(), all.size());
      memory.write(one.formula, one.element_bytes, arena + offset);
      std::copy(expected.begin(), expected.end(), all.begin() + static_cast<std::ptrdiff_t>(offset));
      std::vector<std::uint8_t> got(all.size());
      memory.copy_out(got.data(), arena, got.size());
      ASSERT_TRUE(got == all);
      EXPECT_EQ(memory.compare(one.formula, one.element_bytes, arena + offset, nullptr).wrong, 0);
      for (const std::int64_t i : {std::int64_t{0}, of_block - 1, of_block, 2 * of_block - 1, elements - 1}) {
        std::uint8_t* at = arena + offset + static_cast<std::size_t>(i) * one.element_bytes;
        const std::uint32_t right = element_of(one.formula, i), wrong = right ^ 1;
        memory.copy_in(at, &wrong, one.element_bytes);
        const Differences found = memory.compare(one.formula, one.element_bytes, arena + offset, nullptr);
        ASSERT_EQ(found.wrong, 1) << i;
        ASSERT_EQ(found.listed.at(0).index, i);
        memory.copy_in(at, &right, one.element_bytes);
      }
    }
  }
}

TEST_F(DeviceJudge, CountsAllDifferencesAndListsTheFirst) {
  CudaMemory memory;
  const generated::Codes codes = {.kind = generated::Codes::Kind::constant, .n = 16, .k = 4096, .value = 3};
  generated::Codes others = codes;
  others.value = 4;
  void* at = memory.arena(16 * 4096 * 4);
  memory.write(generated::UnpackedCodes{others}, 4, at);
  const Differences found = memory.compare(generated::UnpackedCodes{codes}, 4, at, nullptr);
  EXPECT_EQ(found.wrong, 16 * 4096);
  ASSERT_EQ(found.listed.size(), static_cast<std::size_t>(Differences::most_listed));
  EXPECT_EQ(found.listed.front().index, 0);
  EXPECT_EQ(found.listed.front().got, 4u);
}

}  // namespace

}  // namespace tileproof
