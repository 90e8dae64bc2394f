// Tests of how a mapping of operators is read; fuzz/commands/map_test.cpp has the wrong ones, as a user sees them.
#include "properties/subjects/operator_mapping.h"

#include <gtest/gtest.h>

namespace tileproof {

namespace {

MappedOperation mapped(const std::string& line, const char* format) {
  return mapping_of({line}, *format_of("format", format)).front();
}

TEST(OperatorMapping, ReadsNamesLiteralsAndKeywords) {
  using Kind = MappedArgument::Kind;
  const MappedOperation one = mapped(
      "dequantize=op.out(packed,scales , zeros, n, n, -1, 0.5, 1e-3, true, none, \"a, (b)\", out = dtype)", "awq");
  EXPECT_EQ(one.operation, Operation::dequantize);
  EXPECT_EQ(one.op, "op.out");
  EXPECT_EQ(one.names(), (std::vector<std::string>{"packed", "scales", "zeros", "n", "dtype"})) << "each once";
  const std::vector<Kind> kinds = {Kind::named, Kind::named, Kind::named,   Kind::named, Kind::named, Kind::integer,
                                   Kind::real,  Kind::real,  Kind::boolean, Kind::none,  Kind::text,  Kind::named};
  ASSERT_EQ(one.arguments.size(), kinds.size());
  for (std::size_t i = 0; i < kinds.size(); ++i) EXPECT_EQ(one.arguments[i].kind, kinds[i]) << i;
  EXPECT_EQ(one.arguments[10].value, "a, (b)");
  EXPECT_EQ(one.arguments[11].keyword, "out");
  EXPECT_TRUE(mapped("pack = op(pairs)", "awq").arguments.front().keyword.empty());
}

TEST(OperatorMapping, TurnsTheResultThatIsNotInTheFormatsOrder) {
  const std::string dequantize = "dequantize = op(packed, scales, zeros) -> weights";
  EXPECT_FALSE(mapped(dequantize, "awq").is_transposed);
  EXPECT_FALSE(mapped(dequantize + "[k][n]", "awq").is_transposed);
  EXPECT_TRUE(mapped(dequantize + "[n][k]", "awq").is_transposed);
  EXPECT_TRUE(mapped("unpack = op(packed) -> codes[k][n]", "awq").is_transposed);
  EXPECT_FALSE(mapped("unpack = op(packed) -> codes[n][k]", "awq").is_transposed);
  EXPECT_TRUE(mapped(dequantize + "[k][n]", "pack-quantized").is_transposed);
}

TEST(OperatorMapping, HasTheSchemeWhoseTensorsItTakes) {
  const Format& plain = *format_of("format", "plain");
  const auto scheme = [&](const std::string& line) { return scheme_of(mapping_of({line}, plain), plain); };
  EXPECT_EQ(scheme("dequantize = op(packed, scales_and_zeros)"), scheme::floating);
  EXPECT_EQ(scheme("dequantize = op(packed, zero_points, scales)"), scheme::integer);
  EXPECT_EQ(scheme("dequantize = op(packed, scales)"), scheme::none);
  EXPECT_EQ(scheme("unpack = op(packed)"), scheme::floating) << "the first";
  EXPECT_THROW(scheme("dequantize = op(packed)"), UsageError);
  EXPECT_THROW(scheme("dequantize = op(packed, scales, scales_and_zeros)"), UsageError);
}

}  // namespace

}  // namespace tileproof
