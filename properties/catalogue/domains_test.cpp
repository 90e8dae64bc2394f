// Each property about the two domains finds a prediction that is wrong by the smallest possible amount, and its
// enumeration is the whole domain.
#include "properties/catalogue/domains.h"

#include <gtest/gtest.h>

#include <set>

#include "properties/case/sample_space.h"
#include "properties/catalogue/properties.h"
#include "properties/judging/properties_for_tests.h"
#include "properties/problem/draw.h"

namespace tileproof {

namespace {

using domains::Exact;
using domains::FloatFormat;
using domains::Predictions;
using Body = void (*)(Case&, const Predictions&);

/// @return the failure text over rows * 32 points, or "" where nothing fails
std::string failure_of(Body body, const Predictions& predictions, const char* type, std::int64_t rows) {
  Problem problem = problem_with("--k=32 --scheme=integer --seed=0x12345 --weight-type=" + std::string(type) +
                                 " --parameter-type=" + type);
  problem.n = rows;
  const Capabilities capabilities = specification_capabilities();
  Idle idle;
  Coverage coverage;
  Case one(problem, capabilities, idle, coverage);
  try {
    body(one, predictions);
    return "";
  } catch (const Failure& failure) {
    return failure.what();
  }
}

Exact zero_of(FloatFormat format, std::uint32_t scale, int zero_point) {
  return reference::product(reference::whole(8 - zero_point), reference::decode(format, scale));
}

Exact halved(Exact value) {
  --value.exponent;
  return value;
}

/// Rounds ties to the odd neighbour, which is wrong.
std::optional<int> nearest_with_ties_to_odd(FloatFormat format, std::uint32_t scale, std::uint32_t zero) {
  const std::optional<int> right = reference::nearest_zero_point(format, scale, zero);
  if (!right) return right;
  const Exact exact_scale = reference::decode(format, scale);
  Exact twice = reference::sum(reference::decode(format, zero), reference::negated(zero_of(format, scale, *right)));
  ++twice.exponent;  // doubles the remainder: it equals a scale exactly at a tie
  if (reference::sum(twice, reference::negated(exact_scale)).magnitude == 0) return *right - 1;
  if (reference::sum(twice, exact_scale).magnitude == 0) return *right + 1;
  return right;
}

/// A wrong prediction, the property body that must find it, and the text that it must report.
struct WrongPrediction {
  const char* name;
  Body body;
  Predictions predictions;
  const char* says;
  std::int64_t rows = 2048;  // of 32 points each: enough to include the points that the prediction gets wrong
};

std::vector<WrongPrediction> wrong_predictions() {
  using namespace domains;
  return {
      {"exact_with_one_bit_too_many",
       conversion_rounds_where_predicted,
       {.is_exact =
            [](FloatFormat f, std::uint32_t scale, int zero_point) {
              const Exact zero = zero_of(f, scale, zero_point);
              return reference::conversion_is_exact(f, scale, zero_point) ||
                     (zero.kind == Exact::Kind::finite && reference::excess_bits(f, zero) == 1 &&
                      !reference::conversion_overflows(f, scale, zero_point));
            }},
       "predicted exact"},
      {"exact_for_powers_of_two_alone",
       conversion_rounds_where_predicted,
       {.is_exact =
            [](FloatFormat f, std::uint32_t scale, int zero_point) {
              return reference::conversion_is_exact(f, scale, zero_point) && ((8 - zero_point) & (7 - zero_point)) == 0;
            }},
       "predicted to round"},
      {"overflows_from_the_next_binade",
       conversion_rounds_where_predicted,
       {.overflows =
            [](FloatFormat f, std::uint32_t scale, int zero_point) {
              const Exact zero = zero_of(f, scale, zero_point);
              return zero.kind == Exact::Kind::finite &&
                     reference::bit_width(zero.magnitude) + zero.exponent > f.bias() + 1;
            }},
       "not predicted to overflow",
       32768},
      {"zero_point_128_is_forgotten",
       conversion_rounds_where_predicted,
       {.nearest = [](FloatFormat f, std::uint32_t scale, std::uint32_t zero) -> std::optional<int> {
         const std::optional<int> right = reference::nearest_zero_point(f, scale, zero);
         return right == -128 ? -127 : right;
       }},
       "does not come back"},
      {"bound_of_half_a_last_place",
       converted_weights_are_within_the_bound,
       {.bound = [](FloatFormat f, int code, std::uint32_t scale,
                    int zero_point) { return halved(reference::conversion_bound(f, code, scale, zero_point)); }},
       "more than the bound"},
      {"bound_of_the_weight_alone",
       converted_weights_are_within_the_bound,
       {.bound =
            [](FloatFormat f, int code, std::uint32_t scale, int zero_point) {
              const Exact weight = reference::product(reference::whole(code - zero_point), reference::decode(f, scale));
              return Exact{.magnitude = 1, .exponent = weight.exponent + reference::excess_bits(f, weight)};
            }},
       "more than the bound"},
      {"bound_of_the_zero_alone",
       converted_weights_are_within_the_bound,
       {.bound =
            [](FloatFormat f, int, std::uint32_t scale, int zero_point) {
              const Exact zero = zero_of(f, scale, zero_point);
              return Exact{.magnitude = 1, .exponent = zero.exponent + reference::excess_bits(f, zero)};
            }},
       "more than the bound"},
      {"signs_of_zeros_are_kept",
       converted_weights_are_within_the_bound,
       {.turns_a_zero = [](FloatFormat, int, std::uint32_t, int) { return false; }},
       "did not turn a zero"},
      {"ties_go_to_odd",
       nearest_zero_point_is_the_nearest,
       {.nearest = nearest_with_ties_to_odd},
       "a tie that does not go to even"},
      {"clamped_one_too_early",
       nearest_zero_point_is_the_nearest,
       {.nearest = [](FloatFormat f, std::uint32_t scale, std::uint32_t zero) -> std::optional<int> {
         const std::optional<int> right = reference::nearest_zero_point(f, scale, zero);
         return right == 127 ? 126 : right;
       }},
       "another zero point is nearer"},
      {"no_answer_for_subnormal_scales",
       nearest_zero_point_is_the_nearest,
       {.nearest = [](FloatFormat f, std::uint32_t scale, std::uint32_t zero) -> std::optional<int> {
         if ((scale & f.infinity()) == 0) return std::nullopt;
         return reference::nearest_zero_point(f, scale, zero);
       }},
       "no answer"},
      {"an_answer_for_a_scale_of_infinity",
       nearest_zero_point_is_the_nearest,
       {.nearest = [](FloatFormat f, std::uint32_t scale, std::uint32_t zero) -> std::optional<int> {
         return reference::nearest_zero_point(f, scale, zero).value_or(8);
       }},
       "an answer where there is none"},
      {"half_a_scale_is_no_bound",
       nearest_weights_are_within_the_bound,
       {.nearest_bound =
            [](FloatFormat f, int, std::uint32_t scale, int) {
              Exact half = halved(reference::decode(f, scale));
              half.negative = false;
              return half;
            }},
       "more than the bound"},
  };
}

class WrongPredictionIsFound : public testing::TestWithParam<std::size_t> {};

TEST_P(WrongPredictionIsFound, InEither16BitType) {
  const WrongPrediction wrong = wrong_predictions()[GetParam()];
  for (const char* type : {"bf16", "fp16"}) {
    EXPECT_EQ(failure_of(wrong.body, {}, type, wrong.rows), "");
    const std::string failure = failure_of(wrong.body, wrong.predictions, type, wrong.rows);
    EXPECT_SAYS(failure, wrong.says);
    EXPECT_SAYS(failure, "scale 0x");
  }
}

std::string name_of_prediction(const testing::TestParamInfo<std::size_t>& row) {
  return wrong_predictions()[row.param].name;
}

INSTANTIATE_TEST_SUITE_P(SampleSpace, WrongPredictionIsFound,
                         testing::Range(std::size_t{0}, wrong_predictions().size()), name_of_prediction);

std::vector<const Property*> provable_properties() {
  std::vector<const Property*> all;
  for (const Property& property : properties()) {
    if (property.proof == "domains") all.push_back(&property);
  }
  return all;
}

TEST(DomainsEnumeration, HoldsEveryPointOnceInEither16BitType) {
  EXPECT_EQ(provable_properties().size(), 4u);
  for (const Property* property : provable_properties()) {
    const std::vector<Enumeration> both = property->enumerations(specification_capabilities());
    ASSERT_EQ(both.size(), 2u) << property->name;
    for (const Enumeration& one : both) {
      const auto points = static_cast<std::uint64_t>(one.steps) * one.points_of_step;
      const bool of_zero_points = one.point.find("zero point") != std::string::npos;
      EXPECT_EQ(points, std::uint64_t{1} << (of_zero_points ? 24 : 32)) << one.point;
      for (const std::int64_t step : {std::int64_t{0}, std::int64_t{1}, one.steps - 1}) {
        const Problem problem = one.problem(step);
        EXPECT_NO_THROW(require_possible(problem));
        EXPECT_EQ(static_cast<std::uint64_t>(problem.n * problem.k), one.points_of_step);
        EXPECT_EQ(problem.seed, static_cast<std::uint64_t>(step) * one.points_of_step);
      }
    }
    EXPECT_NE(both[0].problem(0).types, both[1].problem(0).types);
  }
}

TEST(DomainsEnumeration, SpreadVisitsEachPointOnce) {
  for (const int bits : {1, 8, 16}) {
    std::set<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < std::uint64_t{1} << bits; ++i) seen.insert(spread(i + 12345, bits));
    EXPECT_EQ(seen.size(), std::size_t{1} << bits);
    EXPECT_EQ(*seen.rbegin(), (std::uint64_t{1} << bits) - 1);
  }
}

TEST(DomainsProperties, AreAboutTheSpecificationAlone) {
  for (const Property* property : provable_properties()) {
    std::string why_not;
    sample_space_of(*property, kernel_capabilities(), &why_not);
    EXPECT_EQ(why_not, "about the specification alone");
  }
}

TEST(DomainsProperties, ReportOneOfSeveralPlacesWhoeverCameFirst) {
  Coverage one, other;
  one.measured("a measure", 2, "there");
  other.measured("a measure", 2, "here");
  for (Coverage* coverage : {&one, &other}) coverage->expected_value(1);
  Coverage both = one, again = other;
  both.add(other);
  again.add(one);
  EXPECT_EQ(both.largest.at("a measure").where, "here");
  EXPECT_EQ(again.largest.at("a measure").where, "here");
}

TEST(DomainsProperties, ReportWhatAConversionCosts) {
  const Problem problem = problem_with("--n=2048 --k=32 --scheme=integer --seed=0x12345");
  const Capabilities capabilities = specification_capabilities();
  Idle idle;
  Coverage coverage;
  Case one(problem, capabilities, idle, coverage);
  domains::converted_weights_are_within_the_bound(one, {});
  EXPECT_EQ(coverage.compared, 16 * 65536);
  EXPECT_EQ(coverage.largest.at("largest difference of a weight, in units of its bound").value, 1);
  // Statement 4, in scales: at most 143 / 128 and 15 / 128. The measured maxima must come close to these bounds, or the
  // points near them were not tested.
  const double in_scales = coverage.largest.at("largest difference of a weight, in scales").value;
  EXPECT_LE(in_scales, 143.0 / 128);
  EXPECT_GT(in_scales, 1);
  const double of_4_bits = coverage.largest.at("largest difference of a weight, zero points 0..15, in scales").value;
  EXPECT_LE(of_4_bits, 15.0 / 128);
  EXPECT_GT(of_4_bits, 0.1);
}

}  // namespace

}  // namespace tileproof
