#include "properties/accuracy/measurements.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "properties/accuracy/figures.h"
#include "properties/catalogue/properties.h"
#include "properties/judging/properties_for_tests.h"
#include "properties/problem/specification.h"
#include "properties/registry.h"
#include "properties/subjects/mutable_operators_for_tests.h"
#include "properties/subjects/mutable_reference.h"

namespace tileproof {

namespace {

const Measurement& measurement_of(Operation operation) {
  return *std::find_if(measurements().begin(), measurements().end(),
                       [&](const Measurement& measurement) { return measurement.operation == operation; });
}

/// A case of the measurement on a subject of this process.
struct AccuracyRun {
  Coverage coverage;
  CaseOutcome outcome;
};
AccuracyRun compared_elements(const Measurement& measurement, const Problem& problem, const std::string& subject) {
  const SubjectRow& row = subject_row(subject);
  const MadeSubject made = row.make();
  InThisProcess here(row.capabilities, *made.subject);
  AccuracyRun result;
  result.coverage.compared_elements.emplace();
  result.outcome = here.run(measurement.property, problem_for(measurement, problem, subject), result.coverage);
  return result;
}

/// The figures of a row, and the curves of that row alone.
struct AccuracyFigures : RowFigures, AccuracyCurves {
  using RowFigures::RowFigures;
  void add(const Measurement& measurement, const Problem& problem, const AccuracyData& data,
           const ComparedElements& compared_elements) {
    add_case(measurement, problem, data, compared_elements, *this, *this);
  }
};

/// The figures of those of the measurement's problems that `wanted` selects.
template <class Wanted>
AccuracyFigures figures_of(Operation operation, const std::string& subject, Wanted wanted) {
  const Measurement& measurement = measurement_of(operation);
  std::optional<AccuracyFigures> figures;
  for (const Problem& problem : accuracy_problems()) {
    if (!is_measured(measurement, problem, subject_row(subject).capabilities) || !wanted(problem)) continue;
    if (!figures) {
      figures.emplace(measurement.of_weights ? std::optional(float_format_of(problem.types.weight)) : std::nullopt);
    }
    figures->add(measurement, problem, data_of(measurement, problem),
                 *compared_elements(measurement, problem, subject).coverage.compared_elements);
  }
  return figures.value();
}

bool is_bf16_float(const Problem& p) { return p.scheme->zero_kind == Zero::value && p.types == Type::bf16; }

std::set<std::int64_t> columns_of(const AccuracyFigures& figures) {
  std::set<std::int64_t> columns;
  for (const auto& [at, cell] : figures.row_by_column) columns.insert(at.second);
  return columns;
}

TEST(AccuracyProblems, ArePossibleAndHaveDataOfTheirOwn) {
  std::set<std::uint64_t> seeds;
  for (Problem problem : accuracy_problems()) {
    EXPECT_NO_THROW(require_possible(problem)) << line_of(problem);
    EXPECT_LE(problem.n * problem.k, 32768) << line_of(problem);
    EXPECT_TRUE(seeds.insert(problem.seed).second) << line_of(problem);
  }
}

TEST(AccuracyProblems, HaveTailsAndLongRowsAndEveryProfileOfEachCombination) {
  std::set<std::string> combinations;
  std::set<std::int64_t> ks;
  std::set<std::string> profiles;
  bool has_tail = false;
  for (const Problem& p : accuracy_problems()) {
    combinations.insert(std::string(p.scheme->name) + name_of(p.types) + p.format->name + " " +
                        std::to_string(p.group_size));
    ks.insert(p.k);
    profiles.insert(p.profile);
    has_tail |= p.n % 8 != 0;
  }
  // Schemes x types x group sizes.
  const std::size_t of_tinygemm_and_plain = 4 * 3 * 3 * 6, of_awq_and_gptq = 3 * 3 * 6, of_aten_for_cpus = 3 * 3 * 4;
  const std::size_t of_mlx = 3 * 3, of_pack_quantized_and_plain_int32 = 2 * 2 * 3 * 6, of_nf4_and_fp4 = 2 * 3 * 4;
  const std::size_t of_mxfp4 = 3, of_nvfp4 = 3 * 3, of_gguf = 4, of_marlin = 2 * 3 * 6;
  EXPECT_EQ(combinations.size(), of_tinygemm_and_plain + of_awq_and_gptq + of_aten_for_cpus + of_mlx +
                                     of_pack_quantized_and_plain_int32 + of_nf4_and_fp4 + of_mxfp4 + of_nvfp4 +
                                     of_gguf + of_marlin);
  EXPECT_TRUE(has_tail);
  EXPECT_TRUE(ks.contains(64) && ks.contains(128) && ks.contains(256) && ks.contains(512) && ks.contains(1024));
  EXPECT_EQ(profiles.size(), 7u);
}

TEST(AccuracyProblems, AreThoseThatASubjectTakes) {
  const auto count = [](Operation operation, const char* subject) {
    return std::count_if(accuracy_problems().begin(), accuracy_problems().end(), [&](const Problem& p) {
      return is_measured(measurement_of(operation), p, subject_row(subject).capabilities);
    });
  };
  const auto all = static_cast<std::ptrdiff_t>(accuracy_problems().size());
  EXPECT_EQ(count(Operation::dequantize, "reference"), all);
  EXPECT_EQ(count(Operation::dequantize, "cpu"), 3 * 6 * 3 * (7 + 3 + 3));
  EXPECT_EQ(count(Operation::pack, "host"), 3 * 7);  // one for each profile and inner_k_tiles
  EXPECT_EQ(count(Operation::matmul, "host"), 0);
  EXPECT_EQ(count(Operation::dequantize_eagerly, "reference"), 6 * 3 * (7 + 3));
  // In each of its formats, although a machine has only one of them.
  EXPECT_EQ(count(Operation::pack, "aten-cpu"), 3 * 7);
  EXPECT_EQ(count(Operation::matmul, "aten-cpu"), 3 * 4 * 7);  // groups of 32 to 256
}

TEST(Measurements, ArePropertiesThatReplayKnowsAndVerdictsNeedNot) {
  for (const Measurement& measurement : measurements()) {
    EXPECT_EQ(property_of(measurement.property.name).name, measurement.property.name);
    for (const Property& property : properties()) EXPECT_NE(property.name, measurement.property.name);
    for (const Problem& problem : accuracy_problems()) {
      const SubjectRow& row = subject_row("reference");
      if (!is_measured(measurement, problem, row.capabilities) || problem.profile != "mixed" ||
          problem.group_size != 32)
        continue;
      const MadeSubject made = row.make();
      EXPECT_EQ(judge_one(problem_for(measurement, problem, row.name), row, *made.subject).verdict, Verdict::passed);
    }
  }
}

TEST(AccuracyFigures, OfARightSubjectAreBitEqual) {
  for (const Operation operation : kernel_operations) {
    const AccuracyFigures figures = figures_of(operation, "mutant:nothing", [](const Problem& p) {
      return is_bf16_float(p) && (p.group_size == 32 || p.profile == "mixed");
    });
    EXPECT_GT(figures.accuracy.elements, 100000);
    EXPECT_EQ(figures.accuracy.bit_equal, figures.accuracy.elements);
    EXPECT_EQ(figures.accuracy.distances.largest(), 0);
    EXPECT_TRUE(figures.row_by_column.empty());
  }
}

// Nibble 7 holds the last of four columns in the second k-tile of a word: columns 16 + {9, 11, 13, 15} of 32.
TEST(AccuracyFigures, ShowTheColumnsOfAMutantOfTheLayout) {
  const AccuracyFigures weights = figures_of(
      Operation::dequantize, "mutant:dequantize-sign-extends-the-top-nibble",
      [](const Problem& p) { return is_bf16_float(p) && p.profile == "ordinary" && p.scheme == scheme::floating; });
  const std::set<std::int64_t> of_nibble_7 = {25, 27, 29, 31, 57, 59, 61, 63};
  EXPECT_EQ(columns_of(weights), of_nibble_7);
  const AccuracyFigures codes =
      figures_of(Operation::unpack, "mutant:unpack-sign-extends-the-top-nibble", [](const Problem&) { return true; });
  EXPECT_EQ(columns_of(codes), of_nibble_7);
  // Codes of 8 and more come out 16 too small.
  EXPECT_EQ(codes.accuracy.distances.largest(), 16);
  EXPECT_EQ(codes.accuracy.distances.above(), 0);
  // The mutant drops the code in the high nibble of a byte, which is the even column.
  const AccuracyFigures packed =
      figures_of(Operation::pack, "mutant:pack-drops-high-nibbles", [](const Problem&) { return true; });
  for (const std::int64_t column : columns_of(packed)) EXPECT_EQ(column % 2, 0);
  EXPECT_EQ(columns_of(packed).size(), 32u);
}

TEST(AccuracyFigures, ShowTheColumnsOfAMutantOfGroups) {
  const auto columns_with = [](std::int64_t group_size) {
    return columns_of(figures_of(Operation::dequantize, "mutant:last-column-of-the-next-group", [&](const Problem& p) {
      return is_bf16_float(p) && p.group_size == group_size && p.profile == "ordinary";
    }));
  };
  EXPECT_EQ(columns_with(16), (std::set<std::int64_t>{15, 31, 47, 63}));
  EXPECT_EQ(columns_with(32), (std::set<std::int64_t>{31, 63}));
  EXPECT_EQ(columns_with(64), std::set<std::int64_t>{63});
}

TEST(AccuracyFigures, ShowTheBinadesOfAMutant) {
  const AccuracyFigures figures = figures_of(Operation::dequantize, "mutant:subnormal-inputs-flushed", is_bf16_float);
  ASSERT_GT(figures.accuracy.unexplained, 0);
  // A subnormal scale, or any scale with a subnormal zero. In schemes without such zeros, only binades below the normal
  // numbers differ.
  std::int64_t below_normals = 0;
  for (const auto& [at, of_scale] : figures.by_binade) below_normals += at < -126 ? of_scale.unexplained : 0;
  EXPECT_GT(below_normals, 0);
  EXPECT_GT(figures.accuracy.flushed, 0);
}

// The specification's own eager formula rounds twice, so every difference is one that it predicts.
TEST(AccuracyFigures, CountWhatIsExplainedApart) {
  const Measurement& measurement = measurement_of(Operation::dequantize_eagerly);
  const AccuracyFigures figures = figures_of(Operation::dequantize_eagerly, "reference", is_bf16_float);
  std::int64_t twice = 0;
  for (const Problem& p : accuracy_problems()) {
    if (!is_bf16_float(p) || p.format != tinygemm(2)) continue;
    const AccuracyData data = data_of(measurement, p);
    const Matrix<std::uint32_t> eager = specified::eager_weights(p, specified::as_int32(data.codes), data.parameters);
    for (std::size_t i = 0; i < eager.elements.size(); ++i) {
      twice += eager.elements[i] != data.expected.elements[i] ? 1 : 0;
    }
  }
  EXPECT_GT(twice, 0);
  EXPECT_EQ(figures.accuracy.explained, (std::map<std::string, std::int64_t>{{"two roundings, as predicted", twice}}));
  EXPECT_EQ(figures.accuracy.unexplained, 0);
  for (const auto& [at, cell] : figures.row_by_column) EXPECT_EQ(cell.unexplained, 0);
}

// A subject that rounds twice without promising to: nothing explains the differences.
TEST(AccuracyFigures, OfAMutantAreUnexplained) {
  const AccuracyFigures figures = figures_of(Operation::dequantize, "mutant:two-roundings", is_bf16_float);
  EXPECT_GT(figures.accuracy.unexplained, 0);
  EXPECT_TRUE(figures.accuracy.explained.empty());
}

/// Another subject's results with the last bit of one of them flipped.
class OneBitOff : public Subject {
 public:
  explicit OneBitOff(Subject& right) : right_(right) {}
  Memory& memory() override { return right_.memory(); }
  void run(const Call& c) override {
    right_.run(c);
    if (c.operation == Operation::matmul) c.products()[c.m * c.n - 1] ^= 1;
    if (c.operation == Operation::dequantize_eagerly) c.at<std::uint8_t>(Role::weights)[0] ^= 1;
  }

 private:
  Subject& right_;
};

/// A case of the measurement on a subject of this test.
ComparedElements compared_elements_of(const Measurement& measurement, const Problem& problem,
                                      const Capabilities& capabilities, Subject& subject) {
  Coverage coverage;
  coverage.compared_elements.emplace();
  InThisProcess(capabilities, subject).run(measurement.property, problem_for(measurement, problem, "mine"), coverage);
  return *coverage.compared_elements;
}

std::map<std::string, std::int64_t> counts_of(const ComparedElements& compared_elements) {
  std::map<std::string, std::int64_t> counts;
  for (const ComparedElements::Difference& one : compared_elements.differences) {
    ++counts[one.reason == ComparedElements::none ? ""
                                                  : compared_elements.reasons[static_cast<std::size_t>(one.reason)]];
  }
  return counts;
}

Problem accuracy_problem(const std::string& profile, Type type) {
  return *std::find_if(accuracy_problems().begin(), accuracy_problems().end(), [&](const Problem& p) {
    return p.scheme->zero_kind == Zero::value && p.types == type && p.profile == profile && p.group_size == 32 &&
           p.k <= 256;
  });
}

// A model explains only what it reproduces bit for bit.
TEST(ComparedElements, OneBitOffWhatIsPredictedIsUnexplained) {
  const Measurement& eager = measurement_of(Operation::dequantize_eagerly);
  const SubjectRow& row = subject_row("reference");
  const MadeSubject reference = row.make();
  OneBitOff off(*reference.subject);
  for (const char* profile : {"ordinary", "distant", "mixed"}) {
    const Problem problem = accuracy_problem(profile, Type::bf16);
    auto predicted = counts_of(compared_elements_of(eager, problem, row.capabilities, *reference.subject));
    EXPECT_EQ(predicted.count(""), 0u);
    const auto got = counts_of(compared_elements_of(eager, problem, row.capabilities, off));
    ASSERT_EQ(got.count(""), 1u) << profile;
    EXPECT_EQ(got.at(""), 1) << profile;
  }
}

/// Another subject's eager weights, with the NaNs that a host's processor makes.
class NansOfItsOwn : public Subject {
 public:
  explicit NansOfItsOwn(Subject& right) : right_(right) {}
  Memory& memory() override { return right_.memory(); }
  void run(const Call& c) override {
    right_.run(c);
    for (std::int64_t i = 0; i < c.n * c.k; ++i) {
      if (float_format_of(c.types.weight).is_nan(loaded(c.weights(), c.types.weight, i)))
        stored(c.weights(), c.types.weight, i, 0xffc0);
    }
  }

 private:
  Subject& right_;
};

TEST(ComparedElements, APredictedNanIsExplainedByAnyWhereNobodyPromisedItsBits) {
  const Measurement& eager = measurement_of(Operation::dequantize_eagerly);
  const SubjectRow& row = subject_row("reference");
  const MadeSubject reference = row.make();
  NansOfItsOwn other(*reference.subject);
  Capabilities promises_none = row.capabilities;
  promises_none.one_nan = false;
  const auto all = [&](const Capabilities& capabilities, Subject& subject) {
    std::map<std::string, std::int64_t> counts;
    for (const Problem& problem : accuracy_problems()) {
      if (!is_bf16_float(problem) || !is_measured(eager, problem, capabilities)) continue;
      for (const auto& [reason, count] : counts_of(compared_elements_of(eager, problem, capabilities, subject))) {
        counts[reason] += count;
      }
    }
    return counts;
  };
  auto promised = all(row.capabilities, other);
  EXPECT_GT(promised[""], 0);
  auto unpromised = all(promises_none, other);
  EXPECT_EQ(unpromised[""], 0);
  // A result that only the second rounding makes NaN does not count as a NaN with other bits.
  auto same = all(row.capabilities, *reference.subject);
  EXPECT_EQ(unpromised["two roundings, as predicted"], same["two roundings, as predicted"]);
  EXPECT_GT(same["two roundings, as predicted"], promised["two roundings, as predicted"]);
}

// An identity matmul rounds each weight once and adds it to zeros: -0 becomes +0, and an infinity or a NaN makes all
// other elements of its row NaN.
TEST(ComparedElements, WhatAMatmulLosesIsExplainedAndNothingElse) {
  const Measurement& matmul = measurement_of(Operation::matmul);
  const Capabilities capabilities = library_capabilities({Operation::matmul});
  MutableOperators right;
  OneBitOff off(right);
  std::map<std::string, std::int64_t> seen;
  for (const char* profile : {"ordinary", "finite-edges", "mixed", "edges"}) {
    const Problem problem = accuracy_problem(profile, Type::bf16);
    ASSERT_TRUE(is_measured(matmul, problem, capabilities));
    const AccuracyData data = data_of(matmul, problem);
    const ComparedElements compared_elements = compared_elements_of(matmul, problem, capabilities, right);
    std::int64_t minus_zeros = 0, beside_infinities = 0;
    for (std::int64_t row = 0; row < problem.n; ++row) {
      const auto not_finite = [&](std::int64_t column) { return (data.expected(row, column) & 0x7fff) >= 0x7f80; };
      std::int64_t of_row = 0;
      for (std::int64_t column = 0; column < problem.k; ++column) of_row += not_finite(column) ? 1 : 0;
      for (std::int64_t column = 0; column < problem.k; ++column) {
        const bool others = of_row > (not_finite(column) ? 1 : 0);
        beside_infinities += others && !(data.expected(row, column) == 0x7fff) ? 1 : 0;
        minus_zeros += !others && data.expected(row, column) == 0x8000 ? 1 : 0;
      }
    }
    auto counts = counts_of(compared_elements);
    EXPECT_EQ(counts[""], 0) << profile;
    EXPECT_EQ(counts["-0 is lost: -0 + 0 is +0"], minus_zeros) << profile;
    EXPECT_GE(counts["0 times an Inf or NaN of the row is NaN"], beside_infinities) << profile;
    for (const auto& [reason, count] : counts) seen[reason] += count;
    // Flips the last bit of a finite weight.
    const bool is_finite = std::string(profile) == "ordinary";
    const auto of_wrong = counts_of(compared_elements_of(matmul, problem, capabilities, off));
    EXPECT_EQ(of_wrong.count(""), is_finite ? 1u : of_wrong.count("")) << profile;
  }
  EXPECT_GT(seen["-0 is lost: -0 + 0 is +0"], 0);
  EXPECT_GT(seen["0 times an Inf or NaN of the row is NaN"], 0);
}

/// A subject's results as a matrix.
Matrix<std::uint32_t> results_of(const AccuracyData& data, const ComparedElements& compared_elements) {
  Matrix<std::uint32_t> got = data.expected;
  for (const ComparedElements::Difference& one : compared_elements.differences) {
    EXPECT_NE(got.elements[static_cast<std::size_t>(one.index)], one.got);
    got.elements[static_cast<std::size_t>(one.index)] = one.got;
  }
  return got;
}

// Computes the same figures another way: element by element, from the matrices.
TEST(AccuracyFigures, AreThoseOfASlowCount) {
  const Measurement& measurement = measurement_of(Operation::dequantize);
  const auto wanted = [](const Problem& p) {
    return p.scheme->zero_kind == Zero::value && p.types == Type::fp16 && p.format == tinygemm(4) && p.group_size == 96;
  };
  const AccuracyFigures figures = figures_of(Operation::dequantize, "mutant:double-then-rounded", wanted);
  const AccuracyFigures wrong_groups = figures_of(Operation::dequantize, "mutant:scale-of-the-even-row", wanted);
  for (const auto& [name, of_mutant] :
       {std::pair("mutant:double-then-rounded", &figures), std::pair("mutant:scale-of-the-even-row", &wrong_groups)}) {
    std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> places;
    std::map<std::int64_t, std::int64_t> by_k, elements_by_k, by_binade, elements_by_binade;
    for (const Problem& p : accuracy_problems()) {
      if (!wanted(p)) continue;
      const AccuracyData data = data_of(measurement, p);
      const Matrix<std::uint32_t> got =
          results_of(data, *compared_elements(measurement, p, name).coverage.compared_elements);
      for (std::int64_t row = 0; row < p.n; ++row) {
        for (std::int64_t column = 0; column < p.k; ++column) {
          const double scale = std::fabs(specified::value(reference::fp16, data.parameters.scales(column / 96, row)));
          const int of_scale = scale == 0              ? binade::zero
                               : std::isnan(scale)     ? binade::nan
                               : !std::isfinite(scale) ? binade::infinite
                                                       : std::ilogb(scale);
          const int log2_k = static_cast<int>(std::floor(std::log2(p.k)));
          ++elements_by_k[log2_k];
          ++elements_by_binade[of_scale];
          if (got(row, column) == data.expected(row, column)) continue;
          ++places[{row % 64, column % 64}];
          ++by_k[log2_k];
          ++by_binade[of_scale];
        }
      }
    }
    EXPECT_EQ(places.size(), of_mutant->row_by_column.size()) << name;
    for (const auto& [at, cell] : of_mutant->row_by_column) EXPECT_EQ(places[at], cell.wrong) << name;
    EXPECT_EQ(elements_by_k.size(), of_mutant->by_k.size()) << name;
    for (const auto& [at, point] : of_mutant->by_k) {
      EXPECT_EQ(elements_by_k[at], point.elements) << name;
      EXPECT_EQ(by_k[at], point.elements - point.bit_equal) << name;
    }
    EXPECT_EQ(elements_by_binade.size(), of_mutant->by_binade.size()) << name;
    for (const auto& [at, point] : of_mutant->by_binade) {
      EXPECT_EQ(elements_by_binade[at], point.elements) << name;
      EXPECT_EQ(by_binade[at], point.elements - point.bit_equal) << name;
    }
    EXPECT_EQ(of_mutant->by_group.size(), 1u) << name;
    EXPECT_EQ(of_mutant->by_group.at(96).elements, of_mutant->accuracy.elements) << name;
  }
}

TEST(AccuracyFigures, OfPartsAddUp) {
  const auto figures = [](const std::set<std::string>& profiles) {
    return figures_of(Operation::dequantize, "mutant:scale-of-the-even-row", [&](const Problem& p) {
      return is_bf16_float(p) && p.format == tinygemm(2) && profiles.contains(p.profile);
    });
  };
  const AccuracyFigures both = figures({"ordinary", "cancelling"});
  EXPECT_EQ(both.accuracy.unexplained,
            figures({"ordinary"}).accuracy.unexplained + figures({"cancelling"}).accuracy.unexplained);
  EXPECT_EQ(both.of_ordinary.unexplained, figures({"ordinary"}).accuracy.unexplained);
  std::int64_t in_places = 0, of_groups = 0, of_scales = 0;
  for (const auto& [at, cell] : both.row_by_column) in_places += cell.unexplained;
  for (const auto& [at, point] : both.by_group) of_groups += point.unexplained;
  for (const auto& [at, point] : both.by_binade) of_scales += point.unexplained;
  EXPECT_EQ(of_scales, both.accuracy.unexplained);
  EXPECT_EQ(in_places, both.accuracy.unexplained);
  EXPECT_EQ(of_groups, both.accuracy.unexplained);
}

TEST(AccuracyFigures, RefuseACaseThatExpectedSomethingElse) {
  const Measurement& measurement = measurement_of(Operation::dequantize);
  const Problem& problem = accuracy_problems().front();
  const AccuracyData data = data_of(measurement, problem);
  AccuracyFigures figures(reference::bf16);
  ComparedElements other = *compared_elements(measurement, problem, "mutant:nothing").coverage.compared_elements;
  EXPECT_NO_THROW(figures.add(measurement, problem, data, other));
  ++other.expected_hash;
  EXPECT_THROW(figures.add(measurement, problem, data, other), std::logic_error);
}

TEST(ComparedElements, IsNothingOfACaseThatNeverCompares) {
  const AccuracyRun skipped =
      compared_elements(measurement_of(Operation::dequantize), accuracy_problems().at(1), "mutant:last-tile-skipped");
  ASSERT_TRUE(skipped.outcome.finding.has_value());
  EXPECT_EQ(skipped.outcome.finding->kind, "guard");
  EXPECT_EQ(skipped.coverage.compared_elements->elements, 0);
}

TEST(ComparedElements, IsOfOneComparison) {
  Idle idle;
  const Capabilities capabilities;
  InThisProcess here(capabilities, idle);
  const Matrix<std::int32_t> codes(1, 16);
  const Problem problem = problem_with("--n=1 --k=32");
  const auto run = [&](int comparisons, bool is_measured) {
    Coverage coverage;
    if (is_measured) coverage.compared_elements.emplace();
    const Property property = property_with([&](Case& c) {
      for (int i = 0; i < comparisons; ++i) c.expect_equal(codes, codes);
    });
    return here.run(property, problem, coverage).finding.has_value();
  };
  EXPECT_FALSE(run(1, true));
  EXPECT_FALSE(run(2, false));
  EXPECT_TRUE(run(2, true));
}

}  // namespace

}  // namespace tileproof
