// Each property about the eager formulas finds formulas that are nearly right.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "properties/judging/properties_for_tests.h"
#include "properties/registry.h"
#include "reference/quantize.h"

namespace tileproof {

namespace {

using reference::Exact;
using reference::Extent;
using reference::FloatFormat;
using reference::FloatParameters;
using reference::IntegerParameters;

constexpr const char* choose_float = "choose/float_parameters_are_those_of_the_formula";
constexpr const char* choose_integer = "choose/integer_parameters_are_those_of_the_formula";
constexpr const char* quantize_float = "quantize/float_codes_are_those_of_the_formula";
constexpr const char* quantize_integer = "quantize/integer_codes_are_those_of_the_formula";
constexpr const char* weights_float = "eager/float_weights_are_rounded_twice";
constexpr const char* weights_integer = "eager/integer_weights_are_rounded_once";

IntegerParameters chosen_integer_with_eps(FloatFormat format, Extent extent) {
  return reference::chosen_integer(format, extent, reference::eps_of(format));
}

/// The formulas under test. Each default is right; a test replaces one of them.
struct Formulas {
  FloatParameters (*choose_float)(FloatFormat, Extent) = reference::chosen_float;
  IntegerParameters (*choose_integer)(FloatFormat, Extent) = chosen_integer_with_eps;
  int (*quantize_float)(FloatFormat, std::uint32_t, FloatParameters) = reference::quantized_float;
  int (*quantize_integer)(FloatFormat, std::uint32_t, IntegerParameters) = reference::quantized_integer;
  std::uint32_t (*weight_float)(FloatFormat, int, std::uint32_t, std::uint32_t) = reference::eager::dequantized_float;
  std::uint32_t (*weight_integer)(FloatFormat, int, std::uint32_t, int) = reference::eager::dequantized_integer;
  bool rows_before_groups = false;  // parameters laid out [n][k / group_size]
};

class Formulated : public SubjectByOperation {
 public:
  explicit Formulated(Formulas formulas) : formulas_(formulas) {}
  Memory& memory() override { return lenient_host_memory(); }

 private:
  void choose(const Call& c) override {
    const FloatFormat format = float_format_of(c.types.weight);
    for (std::int64_t group = 0; group < c.k / c.group_size; ++group) {
      for (std::int64_t row = 0; row < c.n; ++row) {
        Extent extent = {loaded(c, c.weights(), row * c.k + group * c.group_size), 0};
        extent.max = extent.min;
        for (std::int64_t i = 0; i < c.group_size; ++i) {
          const std::uint32_t weight = loaded(c, c.weights(), row * c.k + group * c.group_size + i);
          extent = {reference::smaller(format, extent.min, weight), reference::larger(format, extent.max, weight)};
        }
        const std::int64_t at = at_of(c, row, group);
        if (c.scheme->zero_kind == Zero::value) {
          const FloatParameters chosen = formulas_.choose_float(format, extent);
          stored(c, c.scales(), at, chosen.scale);
          stored(c, c.zeros(), at, chosen.zero);
        } else {
          const IntegerParameters chosen = formulas_.choose_integer(format, extent);
          stored(c, c.scales(), at, chosen.scale);
          c.zero_points()[at] = static_cast<std::int8_t>(chosen.zero_point);
        }
      }
    }
  }

  void quantize(const Call& c) override {
    for (std::int64_t i = 0; i < c.n * c.k; ++i) {
      const std::int64_t at = at_of(c, i / c.k, i % c.k / c.group_size);
      const std::uint32_t weight = loaded(c, c.weights(), i);
      const std::uint32_t scale = loaded(c, c.scales(), at);
      c.codes()[i] =
          c.scheme->zero_kind == Zero::value
              ? formulas_.quantize_float(float_format_of(c.types.weight), weight, {scale, loaded(c, c.zeros(), at)})
              : formulas_.quantize_integer(float_format_of(c.types.weight), weight, {scale, c.zero_points()[at]});
    }
  }

  void dequantize_eagerly(const Call& c) override {
    for (std::int64_t i = 0; i < c.n * c.k; ++i) {
      const std::int64_t at = at_of(c, i / c.k, i % c.k / c.group_size);
      const std::uint32_t scale = loaded(c, c.scales(), at);
      stored(
          c, c.weights(), i,
          c.scheme->zero_kind == Zero::value
              ? formulas_.weight_float(float_format_of(c.types.weight), c.codes()[i], scale, loaded(c, c.zeros(), at))
              : formulas_.weight_integer(float_format_of(c.types.weight), c.codes()[i], scale, c.zero_points()[at]));
    }
  }

  std::int64_t at_of(const Call& c, std::int64_t row, std::int64_t group) const {
    return formulas_.rows_before_groups ? row * c.groups().k + group : group * c.n + row;
  }
  static std::uint32_t loaded(const Call& c, const void* from, std::int64_t index) {
    std::uint32_t bits = 0;
    const auto bytes = static_cast<std::size_t>(bytes_of(c.types.weight));
    std::memcpy(&bits, static_cast<const std::uint8_t*>(from) + index * bytes_of(c.types.weight), bytes);
    return bits;
  }
  static void stored(const Call& c, void* to, std::int64_t index, std::uint32_t bits) {
    const auto bytes = static_cast<std::size_t>(bytes_of(c.types.weight));
    std::memcpy(static_cast<std::uint8_t*>(to) + index * bytes_of(c.types.weight), &bits, bytes);
  }

  Formulas formulas_;
};

Verdict verdict_on(const Formulas& formulas, const std::string& property) {
  Formulated subject(formulas);
  return judge(property_of(property), row_with(subject_row("aten-eager").capabilities), subject,
               {.cases = 200, .seed = 1})
      .verdict;
}

/// round(value) with ties away from zero (wrong: the formula's ties go to even), clamped to 0..15.
int half_away(Exact value) {
  value.exponent += 1;
  const int halves = reference::rounded_and_clamped(value, -40, 40);
  const int rounded = halves >= 0 ? (halves + 1) / 2 : -((1 - halves) / 2);
  return rounded < 0 ? 0 : rounded > 15 ? 15 : rounded;
}

Exact steps_of(FloatFormat f, std::uint32_t weight, FloatParameters chosen) {
  const std::uint32_t eight_scales = reference::eager::multiply(f, chosen.scale, reference::whole(8));
  const std::uint32_t offset =
      reference::eager::subtract(f, weight, reference::eager::subtract(f, chosen.zero, eight_scales));
  return reference::decode(f, reference::eager::divide(f, offset, reference::decode(f, chosen.scale)));
}

struct MutantFormula {
  const char* name;
  const char* found_by;
  Formulas formulas;
};

std::vector<MutantFormula> mutant_formulas() {
  return {
      {"no_smallest_scale",
       choose_float,
       {.choose_float =
            [](FloatFormat f, Extent e) {
              const std::uint32_t range = reference::eager::subtract(f, e.max, e.min);
              const std::uint32_t scale = reference::eager::divide(f, range, reference::whole(15));
              const std::uint32_t zero =
                  reference::eager::add(f, e.min, reference::eager::multiply(f, scale, reference::whole(8)));
              return FloatParameters{scale, zero};
            }}},
      {"zero_is_the_least_weight",
       choose_float,
       {.choose_float =
            [](FloatFormat f, Extent e) {
              return FloatParameters{reference::chosen_float(f, e).scale, e.min};
            }}},
      {"sixteen_steps",
       choose_float,
       {.choose_float =
            [](FloatFormat f, Extent e) {
              const std::uint32_t range = reference::eager::subtract(f, e.max, e.min);
              const std::uint32_t scale = reference::larger(
                  f, reference::rounded(f, reference::quotient(reference::decode(f, range), reference::whole(16))),
                  reference::chosen_float(f, {0, 0}).scale);
              return FloatParameters{scale, reference::chosen_float(f, e).zero};
            }}},
      {"range_is_not_rounded",
       choose_float,
       {.choose_float =
            [](FloatFormat f, Extent e) {
              const Exact range =
                  reference::sum(reference::decode(f, e.max), reference::negated(reference::decode(f, e.min)));
              // Round to fp32 first: reference::quotient takes magnitudes of at most 25 bits.
              const std::uint32_t in_fp32 = reference::rounded(reference::fp32, range);
              const std::uint32_t divided = reference::rounded(
                  f, reference::quotient(reference::decode(reference::fp32, in_fp32), reference::whole(15)));
              const std::uint32_t scale = reference::larger(f, divided, reference::chosen_float(f, {0, 0}).scale);
              const std::uint32_t zero =
                  reference::eager::add(f, e.min, reference::eager::multiply(f, scale, reference::whole(8)));
              return FloatParameters{scale, zero};
            }}},
      {"zero_is_not_kept_exact",
       choose_integer,
       {.choose_integer =
            [](FloatFormat f, Extent e) {
              const FloatParameters chosen = reference::chosen_float(f, e);
              return IntegerParameters{chosen.scale, chosen_integer_with_eps(f, e).zero_point};
            }}},
      {"smallest_scale_of_the_float_domain",
       choose_integer,
       {.choose_integer =
            [](FloatFormat f, Extent e) {
              return reference::chosen_integer(f, e, reference::chosen_float(f, {0, 0}).scale);
            }}},
      {"zero_point_half_away",
       choose_integer,
       {.choose_integer =
            [](FloatFormat f, Extent e) {
              IntegerParameters chosen = chosen_integer_with_eps(f, e);
              const std::uint32_t min = reference::smaller(f, e.min, 0);
              chosen.zero_point = half_away(reference::negated(
                  reference::decode(f, reference::eager::divide(f, min, reference::decode(f, chosen.scale)))));
              return chosen;
            }}},
      {"code_half_away",
       quantize_float,
       {.quantize_float = [](FloatFormat f, std::uint32_t w,
                             FloatParameters p) { return half_away(steps_of(f, w, p)); }}},
      {"code_not_clamped_above",
       quantize_float,
       {.quantize_float = [](FloatFormat f, std::uint32_t w,
                             FloatParameters p) { return reference::rounded_and_clamped(steps_of(f, w, p), 0, 16); }}},
      {"code_not_clamped_below",
       quantize_float,
       {.quantize_float = [](FloatFormat f, std::uint32_t w,
                             FloatParameters p) { return reference::rounded_and_clamped(steps_of(f, w, p), -1, 15); }}},
      {"midpoint_rounded_with_the_zero",
       quantize_float,
       {.quantize_float =
            [](FloatFormat f, std::uint32_t w, FloatParameters p) {
              const std::uint32_t offset = reference::eager::subtract(f, w, p.zero);
              const std::uint32_t steps = reference::eager::divide(f, offset, reference::decode(f, p.scale));
              return reference::rounded_and_clamped(
                  reference::decode(f, reference::eager::add(f, steps, reference::rounded(f, reference::whole(8)))), 0,
                  15);
            }}},
      {"divides_by_the_scale",
       quantize_integer,
       {.quantize_integer =
            [](FloatFormat f, std::uint32_t w, IntegerParameters p) {
              const Exact steps = reference::decode(f, reference::eager::divide(f, w, reference::decode(f, p.scale)));
              const int code = reference::rounded_and_clamped(steps, -64, 64) + p.zero_point;
              return code < 0 ? 0 : code > 15 ? 15 : code;
            }}},
      {"adds_the_zero_point_before_rounding",
       quantize_integer,
       {.quantize_integer =
            [](FloatFormat f, std::uint32_t w, IntegerParameters p) {
              const std::uint32_t reciprocal = reference::eager::divide(f, reference::rounded(f, reference::whole(1)),
                                                                        reference::decode(f, p.scale));
              const std::uint32_t steps = reference::eager::multiply(f, w, reference::decode(f, reciprocal));
              const std::uint32_t zero_point = reference::rounded(f, reference::whole(p.zero_point));
              return reference::rounded_and_clamped(reference::decode(f, reference::eager::add(f, steps, zero_point)),
                                                    0, 15);
            }}},
      {"one_rounding", weights_float, {.weight_float = reference::dequantized_float}},
      {"zero_added_before_the_midpoint",
       weights_float,
       {.weight_float =
            [](FloatFormat f, int code, std::uint32_t scale, std::uint32_t zero) {
              const std::uint32_t whole_code = reference::eager::multiply(f, scale, reference::whole(code));
              const std::uint32_t midpoint = reference::eager::multiply(f, scale, reference::whole(8));
              return reference::eager::add(f, reference::eager::subtract(f, whole_code, midpoint), zero);
            }}},
      {"zero_point_scaled_apart",
       weights_integer,
       {.weight_integer =
            [](FloatFormat f, int code, std::uint32_t scale, int zero_point) {
              return reference::eager::subtract(f, reference::eager::multiply(f, scale, reference::whole(code)),
                                                reference::eager::multiply(f, scale, reference::whole(zero_point)));
            }}},
      {"parameters_written_rows_first", choose_float, {.rows_before_groups = true}},
      {"parameters_read_rows_first", quantize_integer, {.rows_before_groups = true}},
      {"zeros_read_rows_first", weights_float, {.rows_before_groups = true}},
  };
}

class MutantFormulaIsFound : public testing::TestWithParam<std::size_t> {};

TEST_P(MutantFormulaIsFound, ByItsProperty) {
  const MutantFormula mutant = mutant_formulas()[GetParam()];
  EXPECT_EQ(verdict_on(mutant.formulas, mutant.found_by), Verdict::failed);
}

std::string name_of_generated(const testing::TestParamInfo<std::size_t>& row) {
  return mutant_formulas()[row.param].name;
}

INSTANTIATE_TEST_SUITE_P(Eager, MutantFormulaIsFound, testing::Range(std::size_t{0}, mutant_formulas().size()),
                         name_of_generated);

TEST(RightFormulas, PassEveryProperty) {
  for (const char* property :
       {choose_float, choose_integer, quantize_float, quantize_integer, weights_float, weights_integer}) {
    EXPECT_EQ(verdict_on({}, property), Verdict::passed) << property;
  }
}

}  // namespace

}  // namespace tileproof
