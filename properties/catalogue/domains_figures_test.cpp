// Checks the README's figures about converting zero points by another method: doubles, over one binade of scales. Every
// other binade has the same figures where nothing is subnormal or overflows.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "properties/problem/specification.h"
#include "reference/dequantize.h"
#include "reference/domains.h"

namespace tileproof {

namespace {

struct Figures {
  double zero_in_scales = 0;
  double zero_in_last_places = 0;
  double weight_in_scales = 0;
  double weight_of_zero_in_scales = 0;
  double weight_in_values = 0;  // over weights other than 0
};

/// How many representable values lie between two finite ones.
double values_between(reference::FloatFormat format, std::uint32_t a, std::uint32_t b) {
  const auto place = [&](std::uint32_t pattern) {
    const double magnitude = pattern & (format.sign_bit() - 1);
    return (pattern & format.sign_bit()) != 0 ? -magnitude : magnitude;
  };
  return std::fabs(place(a) - place(b));
}

Figures measured(reference::FloatFormat format, int first_zero_point, int last_zero_point) {
  Figures figures;
  const auto one = static_cast<std::uint32_t>(format.bias()) << format.fraction_bits;
  for (std::uint32_t pattern = one; pattern < one + (1u << format.fraction_bits); ++pattern) {
    const double scale = specified::value(format, pattern);
    for (int zero_point = first_zero_point; zero_point <= last_zero_point; ++zero_point) {
      const std::uint32_t zero = reference::float_zero_of(format, pattern, zero_point);
      const double moved = std::fabs(specified::value(format, zero) - (8 - zero_point) * scale);
      const double last_place =
          moved == 0 ? 1 : std::ldexp(1, std::ilogb(specified::value(format, zero)) - format.fraction_bits);
      figures.zero_in_scales = std::max(figures.zero_in_scales, moved / scale);
      figures.zero_in_last_places = std::max(figures.zero_in_last_places, moved / last_place);
      for (int code = 0; code < 16; ++code) {
        const std::uint32_t of_integer = reference::dequantized_integer(format, code, pattern, zero_point);
        const std::uint32_t of_float = reference::dequantized_float(format, code, pattern, zero);
        const double difference =
            std::fabs(specified::value(format, of_float) - specified::value(format, of_integer)) / scale;
        figures.weight_in_scales = std::max(figures.weight_in_scales, difference);
        double& other = code == zero_point ? figures.weight_of_zero_in_scales : figures.weight_in_values;
        other = std::max(other, code == zero_point ? difference : values_between(format, of_integer, of_float));
      }
    }
  }
  return figures;
}

std::string rounded(double value, const char* form) {
  char text[32];
  std::snprintf(text, sizeof text, form, value);
  return text;
}

/// The README on one line, so that line breaks do not matter.
std::string readme() {
  std::ifstream file(TILEPROOF_README);
  std::ostringstream text;
  for (std::string word; file >> word;) text << word << " ";
  return text.str();
}

#define EXPECT_STATES(text, part) EXPECT_NE((text).find(part), std::string::npos) << (part)

TEST(DomainsFigures, AreThoseThatReadmeStates) {
  const std::string text = readme();
  const Figures bf16 = measured(reference::bf16, 0, 15);
  const Figures fp16 = measured(reference::fp16, 0, 15);
  EXPECT_STATES(text, "15/128 in bf16 (" + rounded(bf16.weight_in_scales, "%.4f") + " is the largest there is)");
  EXPECT_STATES(text, "15/1024 in fp16 (" + rounded(fp16.weight_in_scales, "%.4f") + ")");
  EXPECT_LE(bf16.weight_in_scales, 15.0 / 128);
  EXPECT_LE(fp16.weight_in_scales, 15.0 / 1024);
  EXPECT_STATES(text, "moves by 7/256 and 7/2048 (" + rounded(bf16.zero_in_scales, "%.4f") + ", " +
                          rounded(fp16.zero_in_scales, "%.4f") + ")");
  EXPECT_LE(bf16.zero_in_scales, 7.0 / 256);
  EXPECT_LE(fp16.zero_in_scales, 7.0 / 2048);
  EXPECT_EQ(bf16.weight_of_zero_in_scales, bf16.zero_in_scales);
  EXPECT_EQ(fp16.weight_of_zero_in_scales, fp16.zero_in_scales);
  EXPECT_EQ(std::max(bf16.weight_in_values, fp16.weight_in_values), 4);
  EXPECT_STATES(text, "Near cancellation it can be four neighbouring values");
  const Figures all_bf16 = measured(reference::bf16, -128, 127);
  EXPECT_STATES(text,
                "cost more than a whole step in bf16 (" + rounded(all_bf16.weight_in_scales, "%.3f") + " scales)");
  // A zero is rounded once, so its error is at most half a last place.
  for (const Figures& one : {bf16, fp16, all_bf16}) EXPECT_LE(one.zero_in_last_places, 0.5);
  EXPECT_EQ(all_bf16.zero_in_last_places, 0.5);
}

}  // namespace

}  // namespace tileproof
