// Enumerations: a property's steps cover its whole domain, each point once, and a failing step is reduced to the
// smallest problem that fails.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <tuple>
#include <vector>

#include "properties/case/sample_space.h"
#include "properties/catalogue/properties.h"
#include "properties/judging/properties_for_tests.h"
#include "properties/memory/generated_evaluation.h"
#include "properties/problem/draw.h"
#include "properties/registry.h"
#include "properties/subjects/mutable_reference.h"
#include "reference/layouts/tensor_core_tiled.h"

namespace tileproof {

namespace {

std::vector<const Property*> enumerated_properties() {
  std::vector<const Property*> all;
  for (const Property& property : properties()) {
    if (property.enumerations != nullptr) all.push_back(&property);
  }
  return all;
}

struct NamedCapabilities {
  const char* name;
  Capabilities capabilities;
};

std::vector<NamedCapabilities> kinds_of_capabilities() {
  Capabilities library = library_capabilities({Operation::pack, Operation::unpack, Operation::dequantize});
  Capabilities narrow = library;
  narrow.formats = {tinygemm(8)};
  narrow.group_sizes = {128};
  narrow.n_multiple = 8;
  return {{"kernels", kernel_capabilities()},
          {"kernels on a GPU", on_a_gpu(production_capabilities())},
          {"library", library},
          {"library on a GPU", on_a_gpu(library)},
          {"every format", subject_row("mutant:nothing").capabilities},
          {"narrow library", narrow},
          {"narrow library on a GPU", on_a_gpu(narrow)}};
}

/// Calls `use` with a property's enumerations for each set of capabilities that can be asked.
template <class Use>
void for_each_capabilities(const Property& property, Use use) {
  for (const NamedCapabilities& named : kinds_of_capabilities()) {
    std::string why_not;
    const SampleSpace space = sample_space_of(property, named.capabilities, &why_not);
    if (!why_not.empty()) continue;
    SCOPED_TRACE(property.name + " for " + named.name);
    const Capabilities capabilities = named.capabilities.of(property.needs);
    use(property.enumerations(capabilities), capabilities, space);
  }
}

TEST(Enumerations, AreThere) {
  std::map<std::string, int> kinds;
  for (const Property* property : enumerated_properties()) {
    ++kinds[property->proof];
    int asked = 0;
    for_each_capabilities(*property, [&](const std::vector<Enumeration>& all, const Capabilities&, const SampleSpace&) {
      ++asked;
      EXPECT_FALSE(all.empty());
    });
    EXPECT_TRUE(asked > 0 || property->of_specification) << property->name;
  }
  EXPECT_EQ(kinds["arithmetic"], 9);
  EXPECT_EQ(kinds["words"], 2);
  EXPECT_GT(kinds["layout"], 0);
}

/// Calls `use` with some steps spread over an enumeration that is too large to run whole.
template <class Use>
void for_some_steps(const Enumeration& enumeration, Use use) {
  constexpr std::int64_t most = 256;
  const std::int64_t apart = std::max<std::int64_t>(1, enumeration.steps / most);
  for (std::int64_t step = 0; step < enumeration.steps; step += apart) use(step);
  use(enumeration.steps - 1);
}

TEST(Enumerations, AreOfProblemsThatAreLegalAndWithinWhatPropertyAndSubjectTake) {
  for (const Property* property : enumerated_properties()) {
    for_each_capabilities(*property, [&](const std::vector<Enumeration>& all, const Capabilities& capabilities,
                                         const SampleSpace& space) {
      for (const Enumeration& enumeration : all) {
        for_some_steps(enumeration, [&](std::int64_t step) {
          Problem problem = enumeration.problem(step);
          problem.property = property->name;
          problem.subject = "mine";
          ASSERT_NO_THROW(require_possible(problem)) << line_of(problem);
          const bool is_taken = capabilities.takes(problem);
          ASSERT_TRUE(is_taken || enumeration.point == "elements of matrices") << line_of(problem);
          if (!is_taken) return;  // told to be out of reach, and not run
          ASSERT_NO_THROW(require_within(problem, space)) << line_of(problem);
          // A step compares at most as many points as its matrix has elements.
          ASSERT_LE(enumeration.points_of_step, static_cast<std::uint64_t>(problem.n * problem.k)) << line_of(problem);
        });
      }
    });
  }
}

TEST(Enumerations, HaveNoProblemTwice) {
  using Key = std::tuple<std::int64_t, std::int64_t, const Format*, const Format*, std::int64_t, const Scheme*, Types,
                         std::string>;
  for (const Property* property : enumerated_properties()) {
    for_each_capabilities(*property, [&](const std::vector<Enumeration>& all, const Capabilities&, const SampleSpace&) {
      std::set<Key> shapes;
      for (const Enumeration& enumeration : all) {
        const Problem first = enumeration.problem(0);
        EXPECT_TRUE(shapes
                        .insert({first.n, first.k, first.format, first.format_to, first.group_size, first.scheme,
                                 first.types, first.variant})
                        .second)
            << line_of(first);
        // The steps of one enumeration differ only in where their points begin. Tests below check arithmetic and words
        // more closely.
        if (property->proof == "arithmetic" || property->proof == "words") continue;
        std::vector<std::uint64_t> seeds;
        for (std::int64_t step = 0; step < enumeration.steps; ++step) seeds.push_back(enumeration.problem(step).seed);
        std::sort(seeds.begin(), seeds.end());
        EXPECT_TRUE(std::adjacent_find(seeds.begin(), seeds.end()) == seeds.end());
      }
    });
  }
}

TEST(Enumerations, OfArithmeticHaveEveryPairInOneStep) {
  for (const Property* property : enumerated_properties()) {
    if (property->proof != "arithmetic") continue;
    const std::uint64_t codes = 16;
    // fp32 takes scales and zeros that bf16 holds; in the integer domain once more with full fractions; without a zero
    // point, all scales. A factor of the matrix has 16 bits.
    const auto bits_of = [](const Problem& step) {
      const Scheme& scheme = *step.scheme;
      const bool of_fp32 = step.types.parameter == Type::fp32;
      if (scheme.zero_kind == Zero::value) return 32;
      const int of_factor = scheme.has_factor ? 16 : 0;
      if (scheme.zero_kind == Zero::none) return float_format_of(step.types.parameter).bits() + of_factor;
      return (scheme.zero_points.count() == 256 ? 24 : 20) + (of_fp32 ? 1 : 0);
    };
    for_each_capabilities(*property, [&](const std::vector<Enumeration>& all, const Capabilities& capabilities,
                                         const SampleSpace&) {
      if (capabilities.formats.size() <= 3) {
        EXPECT_EQ(all.size(), 1u) << "one scheme of each kind";
      } else if (capabilities.is_specification) {
        EXPECT_GT(all.size(), 1u) << "those of all formats";
      }
      for (const Enumeration& enumeration : all) {
        const std::uint64_t pairs = std::uint64_t{1} << bits_of(enumeration.problem(0));
        const auto steps = static_cast<std::uint64_t>(enumeration.steps);
        EXPECT_EQ(enumeration.points_of_step * steps, pairs * codes);
        const std::uint64_t pairs_of_step = enumeration.points_of_step / codes;
        std::vector<bool> taken(static_cast<std::size_t>(steps));
        for (std::int64_t step = 0; step < enumeration.steps; ++step) {
          const Problem problem = enumeration.problem(step);
          ASSERT_EQ(static_cast<std::uint64_t>(problem.group_count()), pairs_of_step);
          ASSERT_EQ(problem.seed % pairs_of_step, 0u);
          ASSERT_LT(problem.seed / pairs_of_step, steps);
          ASSERT_FALSE(taken[static_cast<std::size_t>(problem.seed / pairs_of_step)]) << line_of(problem);
          taken[static_cast<std::size_t>(problem.seed / pairs_of_step)] = true;
        }
      }
    });
  }
}

/// Calls `use` with the bits of each scale and zero point of a step, as they are written to a subject's memory.
template <class Use>
void for_each_pair(const Problem& p, Use use) {
  generated::Parameters parameters = generated::parameters_of(p, generated::Parameters::Kind::every);
  parameters.first = p.seed;
  const auto pairs = static_cast<std::size_t>(p.group_count());
  std::vector<std::uint32_t> scales(pairs);
  std::vector<std::int8_t> zero_points(pairs);
  host_memory().write(generated::ScaleElements{parameters}, 4, scales.data());
  if (p.scheme->zero_kind == Zero::point) {
    host_memory().write(generated::ZeroElements{parameters}, 1, zero_points.data());
  }
  for (std::size_t i = 0; i < pairs; ++i) use(scales[i], zero_points[i]);
}

TEST(Enumerations, OfArithmeticWithoutAZeroPointHoldEveryScale) {
  for (const Type type : {Type::bf16, Type::fp16}) {
    const Property& property =
        property_of(std::string("arithmetic/every_") + name_of(type) + "_weight_without_a_zero_point_is_rounded_once");
    const Enumeration all = property.enumerations(kernel_capabilities()).at(0);
    std::vector<int> coverage(1 << 16);
    for (std::int64_t step = 0; step < all.steps; ++step) {
      for_each_pair(all.problem(step), [&](std::uint32_t scale, int) { ++coverage.at(scale); });
    }
    EXPECT_EQ(std::count(coverage.begin(), coverage.end(), 1), 1 << 16) << name_of(type);
  }
}

/// The low 23 bits of an index count through the fractions; the 512 values above them give each sign and exponent once.
TEST(Enumerations, OfFp32WithoutAZeroPointHoldEveryScale) {
  using generated::pair_at;
  std::set<std::uint32_t> highs;
  for (std::uint64_t high = 0; high < 512; ++high) {
    const std::uint32_t first = pair_at<Type::fp32, reference::ScaleOnly>(high << 23).scale;
    EXPECT_EQ(first & 0x7fffffu, 0u);
    highs.insert(first >> 23);
    for (const std::uint64_t low : {1u, 0x400000u, 0x7fffffu}) {
      EXPECT_EQ((pair_at<Type::fp32, reference::ScaleOnly>(high << 23 | low).scale), first | low);
    }
  }
  EXPECT_EQ(highs.size(), 512u);
}

/// The second half of the integer domain repeats the scales of the first half with other low halves, most of them not
/// 0.
TEST(Enumerations, OfFp32InTheIntegerDomainHaveFullFractionsToo) {
  using generated::pair_at;
  std::int64_t full = 0;
  for (std::uint64_t pattern = 0; pattern < 1 << 16; ++pattern) {
    const std::uint64_t number = pattern << 8 | 3;
    const auto first = pair_at<Type::fp32, reference::AffineInteger>(number);
    const auto second = pair_at<Type::fp32, reference::AffineInteger>(1 << 24 | number);
    ASSERT_EQ(first.scale & 0xffffu, 0u);
    ASSERT_EQ(second.scale >> 16, first.scale >> 16);
    ASSERT_EQ(second.zero_point, first.zero_point);
    full += (second.scale & 0xff00u) != 0 ? 1 : 0;
  }
  EXPECT_GT(full, 65000);
}

TEST(Enumerations, OfArithmeticOfTheIntegerDomainHoldEveryScaleWithEveryZeroPoint) {
  for (const Type type : {Type::bf16, Type::fp16}) {
    const Property& property =
        property_of(std::string("arithmetic/every_") + name_of(type) + "_weight_of_the_integer_domain_is_rounded_once");
    const Enumeration all = property.enumerations(kernel_capabilities()).at(0);
    std::vector<bool> coverage(1 << 24);
    std::int64_t again = 0;
    std::int64_t pairs = 0;
    for (std::int64_t step = 0; step < all.steps; ++step) {
      for_each_pair(all.problem(step), [&](std::uint32_t scale, int zero_point) {
        const std::size_t at = (scale & 0xffffu) << 8 | static_cast<std::uint8_t>(zero_point);
        again += coverage[at];
        coverage[at] = true;
        ++pairs;
      });
    }
    EXPECT_EQ(again, 0) << name_of(type);
    EXPECT_EQ(pairs, 1 << 24) << name_of(type);
  }
}

/// The fp32 pairs have the values of the bf16 pairs.
TEST(Enumerations, OfFp32AreOfTheValuesOfBf16) {
  using generated::pair_at;
  for (std::uint64_t i = 0; i < 1 << 16; ++i) {
    const std::uint64_t number = drawn(1, 0, i);
    const auto wide = pair_at<Type::fp32, reference::AffineFloat>(number & 0xffffffff);
    const auto narrow = pair_at<Type::bf16, reference::AffineFloat>(number & 0xffffffff);
    ASSERT_EQ(wide.scale, narrow.scale << 16);
    ASSERT_EQ(wide.zero, narrow.zero << 16);
    const auto wide_integer = pair_at<Type::fp32, reference::AffineInteger>(number & 0xffffff);
    const auto narrow_integer = pair_at<Type::bf16, reference::AffineInteger>(number & 0xffffff);
    ASSERT_EQ(wide_integer.scale, narrow_integer.scale << 16);
    ASSERT_EQ(wide_integer.zero_point, narrow_integer.zero_point);
  }
}

/// The 2^32 pairs of the float domain are too many to mark one by one. A number has two halves: fractions in the low
/// bits, signs and exponents in the high bits. Each half takes all its values once, and neither depends on the other.
template <Type type>
void expect_every_pair_of_the_float_domain_once(int fraction_bits) {
  using generated::Pair;
  const auto at = [](std::uint64_t number) { return generated::pair_at<type, reference::AffineFloat>(number); };
  const int low_bits = 2 * fraction_bits;
  const std::uint32_t fraction = (1u << fraction_bits) - 1;
  std::set<std::pair<std::uint32_t, std::uint32_t>> tops;
  for (std::uint64_t high = 0; high < std::uint64_t{1} << (32 - low_bits); ++high) {
    const Pair pair = at(high << low_bits);
    ASSERT_EQ((pair.scale | pair.zero) & fraction, 0u);
    ASSERT_LT(pair.scale | pair.zero, 1u << 16);
    tops.insert({pair.scale, pair.zero});
  }
  EXPECT_EQ(tops.size(), std::size_t{1} << (32 - low_bits));
  const std::uint64_t some_high = std::uint64_t{5} << low_bits;
  const Pair of_high = at(some_high);
  std::vector<bool> coverage(std::size_t{1} << low_bits);
  for (std::uint64_t low = 0; low < coverage.size(); ++low) {
    const Pair pair = at(some_high | low);
    ASSERT_EQ(pair.scale & ~fraction, of_high.scale);
    ASSERT_EQ(pair.zero & ~fraction, of_high.zero);
    const std::size_t fractions = std::size_t{pair.scale & fraction} << fraction_bits | (pair.zero & fraction);
    ASSERT_FALSE(coverage[fractions]);
    coverage[fractions] = true;
  }
  for (std::uint64_t i = 0; i < 1 << 16; ++i) {
    const std::uint64_t number = drawn(2, 0, i) & 0xffffffff;
    const std::uint64_t low = number & ((std::uint64_t{1} << low_bits) - 1);
    ASSERT_EQ(at(number).scale, at(number - low).scale | (at(some_high | low).scale & fraction));
    ASSERT_EQ(at(number).zero, at(number - low).zero | (at(some_high | low).zero & fraction));
  }
}

TEST(Enumerations, OfTheFloatDomainHoldEveryPairOnce) {
  expect_every_pair_of_the_float_domain_once<Type::bf16>(7);
  expect_every_pair_of_the_float_domain_once<Type::fp16>(10);
}

TEST(Spreading, VisitsEveryPointOnce) {
  static_assert(spread(0, 0) == 0, "of one step, which is the first");
  for (int bits = 0; bits <= 21; ++bits) {
    std::vector<bool> coverage(std::size_t{1} << bits);
    for (std::uint64_t i = 0; i < coverage.size(); ++i) {
      const std::uint64_t point = spread(i, bits);
      ASSERT_LT(point, coverage.size());
      ASSERT_FALSE(coverage[point]) << bits;
      coverage[point] = true;
    }
  }
  // Larger sizes follow from the step alone: an odd step is coprime to every power of two.
  for (int bits = 1; bits <= 64; ++bits) EXPECT_EQ(spread(1, bits) % 2, 1u) << bits;
}

// Words.

TEST(Enumerations, OfWordsHaveEveryWordWithEverySwizzleInOneStep) {
  // The places of a word: lanes of one row or of all eight rows, words of a lane, and two strips where a lane has one
  // word.
  const std::map<std::int64_t, std::uint64_t> places_of_row = {{2, 4 * 1 * 2}, {4, 4 * 2}, {8, 4 * 4}};
  for (const Property* property : enumerated_properties()) {
    if (property->proof != "words") continue;
    const std::uint64_t rows = property->name.find("_supertile") != std::string::npos ? 8 : 1;
    for_each_capabilities(
        *property, [&](const std::vector<Enumeration>& all, const Capabilities& capabilities, const SampleSpace&) {
          if (capabilities.formats.size() > 3) {
            const auto whole =
                std::ranges::count_if(capabilities.formats, [](auto one) { return packs_codes_alone(*one); });
            EXPECT_EQ(std::ssize(all), whole);
            return;  // places are those of tinygemm
          }
          ASSERT_EQ(all.size(), capabilities.formats.size());
          std::uint64_t points = 0;
          for (const Enumeration& enumeration : all) {
            const std::uint64_t places = rows * places_of_row.at(tinygemm_number(*enumeration.problem(0).format));
            const std::uint64_t of_this = enumeration.points_of_step * static_cast<std::uint64_t>(enumeration.steps);
            EXPECT_EQ(of_this, places << 32);
            points += of_this;
            const std::uint64_t words_of_step = enumeration.points_of_step;
            const std::uint64_t blocks = (std::uint64_t{1} << 32) / words_of_step;
            ASSERT_EQ(blocks * words_of_step, std::uint64_t{1} << 32);
            std::map<std::uint64_t, std::vector<bool>> blocks_of_swizzle;
            for (std::int64_t step = 0; step < enumeration.steps; ++step) {
              const Problem problem = enumeration.problem(step);
              const std::uint64_t first = problem.seed & 0xffffffff;
              ASSERT_EQ(static_cast<std::uint64_t>(reference::words_of(problem.n, problem.k)), words_of_step);
              ASSERT_EQ(first % words_of_step, 0u);
              std::vector<bool>& taken = blocks_of_swizzle[problem.seed >> 32];
              taken.resize(blocks);
              ASSERT_FALSE(taken[first / words_of_step]);
              taken[first / words_of_step] = true;
            }
            EXPECT_EQ(blocks_of_swizzle.size(), places);
            // A swizzle permutes the words within a block.
            for (const auto& [swizzle, taken] : blocks_of_swizzle) EXPECT_LT(swizzle, words_of_step);
          }
          EXPECT_TRUE(capabilities.formats.size() < 3 || points == rows * 32 << 32) << points;
        });
  }
}

TEST(Enumerations, OfWordsTakeAWordToEveryPlaceThatThePropertySaysOnce) {
  // lane, word of the lane, whether the strip is odd
  using Place = std::tuple<std::int64_t, std::int64_t, std::int64_t>;
  for (const Property* property : enumerated_properties()) {
    if (property->proof != "words") continue;
    const bool whole = property->name.find("_supertile") != std::string::npos;
    for (const Enumeration& enumeration : property->enumerations(kernel_capabilities())) {
      const std::int64_t inner = tinygemm_number(*enumeration.problem(0).format);
      const std::int64_t words_of_lane = inner / 2;
      std::set<std::uint32_t> swizzles;
      for (std::int64_t step = 0; step < enumeration.steps; ++step) {
        swizzles.insert(static_cast<std::uint32_t>(enumeration.problem(step).seed >> 32));
      }
      std::set<Place> expected;  // every lane of one row, or of all rows
      for (std::int64_t lane = 0; lane < (whole ? 32 : 4); ++lane) {
        for (std::int64_t word = 0; word < words_of_lane; ++word) {
          for (std::int64_t odd = 0; odd < (words_of_lane == 1 ? 2 : 1); ++odd) expected.insert({lane, word, odd});
        }
      }
      for (const std::uint32_t word : {0u, 1u, 0xdeadbeefu, 0x80000000u, 0xffffffffu}) {
        std::vector<Place> places;
        std::set<std::int64_t> rows;
        for (const std::uint32_t swizzle : swizzles) {
          // The word's position, from the formula that unpack's input is written by.
          const auto first = static_cast<std::uint32_t>(word / enumeration.points_of_step * enumeration.points_of_step);
          const auto at = static_cast<std::int64_t>((word - first) ^ swizzle);
          const Problem step = enumeration.problem(0);
          const GeneratedTensor words = generated::PackedWords{{.kind = generated::Codes::Kind::every_word,
                                                                .n = step.n,
                                                                .k = step.k,
                                                                .format = index_of(*step.format),
                                                                .first = first,
                                                                .swizzle = swizzle}};
          ASSERT_EQ(element_of(words, at), word);
          const std::int64_t lane = at / words_of_lane % 32;
          rows.insert(lane / 4);
          places.push_back(
              {whole ? lane : lane % 4, at % words_of_lane, words_of_lane == 1 ? at / (32 * words_of_lane) % 2 : 0});
        }
        EXPECT_EQ(rows.size(), whole ? 8u : 1u) << property->name << " " << word;
        EXPECT_EQ(places.size(), expected.size());
        EXPECT_EQ(std::set<Place>(places.begin(), places.end()), expected) << property->name << " " << word;
      }
    }
  }
}

// Failures.

/// The findings of a failing step, and of the smaller problem that its failure names.
struct TwoFindings {
  std::optional<Finding> step;
  std::optional<Finding> smaller;
};

TwoFindings findings_of(const Property& property, Problem problem, Mutation parts) {
  const Capabilities capabilities = kernel_capabilities();
  const std::unique_ptr<Subject> subject = mutable_reference(std::move(parts));
  InThisProcess runner(capabilities, *subject);
  problem.property = property.name;
  problem.subject = "mutant";
  TwoFindings found;
  Coverage coverage;
  found.step = runner.run(property, problem, coverage).finding;
  if (!found.step || !found.step->smaller) return found;
  std::string why_not;
  EXPECT_NO_THROW(require_possible(*found.step->smaller));
  EXPECT_NO_THROW(require_within(*found.step->smaller, sample_space_of(property, capabilities, &why_not)));
  Coverage of_smaller;
  found.smaller = runner.run(property, *found.step->smaller, of_smaller).finding;
  return found;
}

/// The pair of a step's last row and group: the furthest that reduction must go.
generated::Pair last_pair(const Problem& p) {
  const auto number = p.seed + static_cast<std::uint64_t>(p.group_count()) - 1;
  if (p.scheme->zero_kind == Zero::value) return generated::pair_at<Type::bf16, reference::AffineFloat>(number);
  if (p.scheme->zero_kind == Zero::point) return generated::pair_at<Type::bf16, reference::AffineInteger>(number);
  return generated::pair_at<Type::bf16, reference::ScaleOnly>(number);
}

TEST(AStepOfArithmeticThatFails, NamesTheOneTripleInTheSmallestMatrix) {
  for (const Scheme* scheme : {scheme::floating, scheme::integer, scheme::none}) {
    const char* const words = scheme->zero_kind == Zero::value   ? "of_the_float_domain"
                              : scheme->zero_kind == Zero::point ? "of_the_integer_domain"
                                                                 : "without_a_zero_point";
    const Property& property = property_of(std::string("arithmetic/every_bf16_weight_") + words + "_is_rounded_once");
    Capabilities small = kernel_capabilities();
    small.step_elements = 1 << 16;  // a step then has the fewest rows allowed
    const Enumeration enumeration = property.enumerations(small).at(0);
    const Problem problem = enumeration.problem(enumeration.steps - 1);
    const generated::Pair pair = last_pair(problem);
    Mutation parts;
    parts.weight = [=](const WeightInputs& w) {
      const bool hit = w.code == 11 && w.scale == pair.scale && w.zero == pair.zero && w.zero_point == pair.zero_point;
      return right_weight(w) ^ (hit ? 1u : 0u);
    };
    const TwoFindings found = findings_of(property, problem, parts);
    ASSERT_TRUE(found.step && found.smaller) << property.name;
    EXPECT_SAYS(found.step->details, "1 of " + std::to_string(problem.n * problem.k) + " weights is wrong");
    EXPECT_EQ(found.smaller->kind, "mismatch");
    EXPECT_EQ(found.smaller->problem.n, 1);
    EXPECT_EQ(found.smaller->problem.k, 32);
    EXPECT_SAYS(found.smaller->details, "1 of 32 weights is wrong");
    EXPECT_SAYS(found.smaller->details, "code 11");
    EXPECT_FALSE(findings_of(property, problem, {}).step) << "the right subject";
  }
}

TEST(AStepOfWordsThatFails, NamesTheWordInOneSupertile) {
  for (const std::size_t which : {0u, 1u, 2u}) {
    const Property& property = property_of("words/unpack_reads_every_word_in_every_place_of_a_supertile");
    const Enumeration enumeration = property.enumerations(kernel_capabilities()).at(which);
    const Problem problem = enumeration.problem(5);
    const auto first = static_cast<std::uint32_t>(problem.seed);
    const std::uint32_t word = first + static_cast<std::uint32_t>(enumeration.points_of_step) - 3;
    const auto swizzle = static_cast<std::int64_t>(problem.seed >> 32);
    const std::int64_t words_of_supertile = 16 * tinygemm_number(*problem.format);
    const std::int64_t hit = (static_cast<std::int64_t>(word - first) ^ swizzle) % words_of_supertile;
    Mutation parts;
    parts.in = {Operation::unpack};
    parts.after = [=](const Call& call, const Moment&) {
      for (std::int64_t i = 0; i < reference::words_of(call.n, call.k); ++i) {
        if (call.packed()[i] != word || i % words_of_supertile != hit) continue;
        const reference::Element at =
            reference::element_at({i, 6}, call.k, static_cast<int>(tinygemm_number(*call.format)));
        call.codes()[at.n * call.k + at.k] ^= 1;
      }
    };
    const TwoFindings found = findings_of(property, problem, parts);
    ASSERT_TRUE(found.step && found.smaller) << problem.format->name;
    EXPECT_EQ(found.smaller->problem.n, 8);
    EXPECT_EQ(found.smaller->problem.k, problem.layout().legal.k);
    EXPECT_SAYS(found.smaller->details, "1 of " + std::to_string(8 * problem.layout().legal.k) + " codes is wrong");
    std::ostringstream hexadecimal;
    hexadecimal << "of the word 0x" << std::hex << word << ":";
    EXPECT_SAYS(found.step->details, hexadecimal.str());
    EXPECT_SAYS(found.smaller->details, hexadecimal.str());
    EXPECT_FALSE(findings_of(property, problem, {}).step) << "the right subject";
  }
}

}  // namespace

}  // namespace tileproof
