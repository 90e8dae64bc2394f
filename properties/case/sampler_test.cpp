// The sampler: every drawn problem is possible, inside the space and in its cell, all cells are visited, and no shrink
// is larger.
#include "properties/case/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <thread>
#include <tuple>

#include "properties/catalogue/properties.h"
#include "properties/mutants/mutants.h"
#include "properties/subjects/mutable_operators_for_tests.h"

namespace tileproof {

namespace {

/// The registered subjects, and a row that stands for operator libraries.
const std::vector<SubjectRow>& all_subjects() {
  static const std::vector<SubjectRow> rows = [] {
    std::vector<SubjectRow> all = subjects();
    all.push_back(row_of_operators("library"));
    return all;
  }();
  return rows;
}

/// A property, a subject that can take it, and the space that its problems are drawn from.
struct Pairing {
  const Property* property;
  const SubjectRow* row;
  SampleSpace space;
  std::string name() const { return property->name + " on " + row->name; }
  Sampler sampler(std::uint64_t seed = 1) const { return Sampler(*property, row->name, space, seed); }
  bool is_drawn() const { return !property->sampling.is_fixed(); }
};

const std::vector<Pairing>& pairings() {
  static const std::vector<Pairing> all = [] {
    std::vector<Pairing> result;
    for (const Property& property : properties()) {
      for (const SubjectRow& row : all_subjects()) {
        std::string why_not;
        SampleSpace space = sample_space_of(property, row.capabilities, &why_not);
        if (why_not.empty()) result.push_back({&property, &row, std::move(space)});
      }
    }
    return result;
  }();
  return all;
}

constexpr std::uint64_t sampling = 900;

/// The fewest columns that a problem can have: whole supertiles and whole groups.
std::int64_t unit_columns(const Problem& p) { return k_unit(*p.format, p.group_size, 1, p.format_to); }

/// Why a problem is wrong for a pairing; empty if nothing is wrong.
std::string objection_to(const Problem& p, const Pairing& pairing) {
  try {
    require_possible(p);
    require_within(p, pairing.space);
  } catch (const UsageError& illegal) {
    return illegal.what();
  }
  const Sampling& drawn = pairing.space.sampling;
  if (p.property != pairing.property->name || p.subject != pairing.row->name) return "another property's or subject's";
  if (problem_of(line_of(p)) != p) return "another problem comes back from its line";
  if (p.n < 1 || p.k < 1) return "empty";
  if (p.n % pairing.property->sampling.n_multiple != 0 || p.n % pairing.row->capabilities.n_multiple != 0)
    return "n is no multiple";
  if (p.k > std::max(drawn.most_k, unit_columns(p))) return "too many columns";
  const std::int64_t fewest_rows = n_unit(*p.format, drawn.n_multiple, p.format_to);
  if (p.n * p.k > std::max(drawn.most_elements, fewest_rows * p.k)) return "too many elements";
  const auto& sizes = pairing.space.capabilities.group_sizes;
  if (takes_uneven_rows(*p.format) && p.group_size == p.k) return "";
  if (std::find(sizes.begin(), sizes.end(), p.group_size) == sizes.end()) return "a group size that is not drawn";
  return "";
}

TEST(Sampler, HasPairingsToDrawFor) {
  EXPECT_GE(pairings().size(), 3 * 20u);
  EXPECT_GT(std::count_if(pairings().begin(), pairings().end(), [](const Pairing& one) { return one.is_drawn(); }),
            3 * 18);
}

TEST(Sampler, DrawsOnlyWhatIsPossibleAndWithinTheDomains) {
  for (const Pairing& pairing : pairings()) {
    if (!pairing.is_drawn()) continue;
    const Sampler problems = pairing.sampler();
    for (std::uint64_t i = 0; i < sampling; ++i) {
      const Problem problem = problems.at(i);
      ASSERT_EQ(objection_to(problem, pairing), "") << line_of(problem);
    }
  }
}

TEST(Sampler, HasFixedProblemsThatArePossibleAndWithinTheDomainsOfTheSubjectsThatTakeThem) {
  for (const Pairing& pairing : pairings()) {
    int taken = 0;
    for (Problem problem : pairing.space.sampling.fixed) {
      problem.property = pairing.property->name;
      problem.subject = pairing.row->name;
      problem.variant = pairing.property->sampling.variants.front();
      EXPECT_EQ(problem_of(line_of(problem)), problem) << line_of(problem);
      EXPECT_NO_THROW(require_possible(problem)) << line_of(problem);
      // Only problems that the subject does not take are left out.
      if (pairing.row->capabilities.takes(problem)) {
        ++taken;
        EXPECT_NO_THROW(require_within(problem, pairing.space)) << line_of(problem);
      } else {
        EXPECT_THROW(require_within(problem, pairing.space), UsageError) << line_of(problem);
      }
    }
    EXPECT_TRUE(taken > 0 || pairing.is_drawn()) << pairing.name() << " shows nothing";
  }
}

TEST(Sampler, HasNamesThatComeBackFromALine) {
  Problem problem;
  problem.subject = mutant_subjects().front().name;
  for (const Property& property : properties()) {
    problem.property = property.name;
    for (const std::string& variant : property.sampling.variants) {
      problem.variant = variant;
      EXPECT_EQ(problem_of(line_of(problem)), problem) << line_of(problem);
    }
  }
  for (const SubjectRow& row : mutant_subjects()) {
    problem.subject = row.name;
    EXPECT_EQ(problem_of(line_of(problem)), problem) << line_of(problem);
  }
}

TEST(Sampler, ReachesAllOfTheDomains) {
  for (const Pairing& pairing : pairings()) {
    if (!pairing.is_drawn()) continue;
    SCOPED_TRACE(pairing.name());
    std::set<const Format*> formats, formats_to;
    std::set<std::int64_t> group_sizes;
    std::set<const Scheme*> schemes;
    std::set<Types> types;
    std::set<std::string> profiles_drawn;
    std::set<std::uint64_t> seeds;
    std::map<std::string, int> counts;
    std::int64_t most_elements = 0;
    const Sampler problems = pairing.sampler();
    for (std::uint64_t i = 0; i < sampling; ++i) {
      const Problem p = problems.at(i);
      formats.insert(p.format);
      if (p.format_to != nullptr) formats_to.insert(p.format_to);
      if (p.group_size % 16 == 0) group_sizes.insert(p.group_size);
      schemes.insert(p.scheme);
      types.insert(p.types);
      profiles_drawn.insert(p.profile);
      seeds.insert(p.seed);
      most_elements = std::max(most_elements, p.n * p.k);
      counts["padding"] += p.layout().padded(p.size()).n != p.n ? 1 : 0;
      counts["one row, or as few as come together"] +=
          p.n == n_unit(*p.format, pairing.space.sampling.n_multiple, p.format_to) ? 1 : 0;
      counts["more n-tiles than one"] += p.n > 8 ? 1 : 0;
      counts["more n-tiles than eight"] += p.n > 64 ? 1 : 0;
      counts["not square"] += p.n != p.k ? 1 : 0;
      counts["one group"] += p.groups().k == 1 ? 1 : 0;
      counts["several groups"] += p.groups().k > 1 ? 1 : 0;
      counts["more groups than rows"] += p.groups().k > p.n ? 1 : 0;
      counts["more groups than a group has columns"] += p.groups().k > p.group_size ? 1 : 0;
      counts["more rows than groups"] += p.groups().k < p.n ? 1 : 0;
      counts["more supertiles than one"] += p.k > p.layout().legal.k ? 1 : 0;
      counts["a row of one uneven group"] += p.group_size % 16 != 0 ? 1 : 0;
      counts["an odd row"] += p.k % 2 != 0 ? 1 : 0;
      counts["group smaller than a block"] += p.group_size < p.layout().legal.k ? 1 : 0;
      counts["group equal to a block"] += p.group_size == p.layout().legal.k ? 1 : 0;
      counts["group larger than a block"] += p.group_size > p.layout().legal.k ? 1 : 0;
    }
    const auto set_of = [](const auto& list) { return std::set(list.begin(), list.end()); };
    EXPECT_EQ(formats, set_of(pairing.space.capabilities.formats));
    EXPECT_EQ(formats_to, set_of(pairing.space.capabilities.formats_to));
    EXPECT_EQ(group_sizes, set_of(pairing.space.capabilities.group_sizes));
    EXPECT_EQ(schemes, set_of(pairing.space.sampling.schemes));
    EXPECT_EQ(types, set_of(pairing.space.sampling.types));
    EXPECT_EQ(profiles_drawn, set_of(pairing.property->sampling.profiles));
    EXPECT_EQ(seeds.size(), sampling);
    EXPECT_GE(most_elements, pairing.space.sampling.most_elements / 2) << "never anything large";
    // Collect the classes for which the property's limits leave no room.
    const Sampling& drawn = pairing.space.sampling;
    const std::int64_t smallest_group = *group_sizes.begin();
    std::set<std::string> impossible;
    const auto no_format = [&](auto has) {
      return std::none_of(formats.begin(), formats.end(), [&](const Format* format) { return has(*format); });
    };
    const auto no_group = [&](auto has) {
      return no_format([&](const Format& format) {
        return std::any_of(group_sizes.begin(), group_sizes.end(), [&](std::int64_t size) {
          return format.group_sizes.contains(size) && has(size, format.layout.legal.k);
        });
      });
    };
    const auto fewest_rows = [&](const Format& format) { return n_unit(format, drawn.n_multiple); };
    if (no_format([&](const Format& format) {
          const Size few = {fewest_rows(format), format.layout.legal.k};
          return format.layout.padded(few).n != few.n;
        })) {
      impossible.insert("padding");
    }
    if (no_format([&](const Format& format) { return drawn.most_k / smallest_group > fewest_rows(format); })) {
      impossible.insert("more groups than rows");
    }
    if (no_format([](const Format& format) { return takes_uneven_rows(format); })) {
      impossible.insert("a row of one uneven group");
    }
    const auto takes_odd_rows = [&](const Format& format) {
      return std::ranges::any_of(pairing.space.capabilities.formats_to_of(format), [&](const Format* format_to) {
        return k_unit(format, 1, pairing.space.capabilities.k_multiple, format_to) == 1;
      });
    };
    if (no_format(takes_odd_rows)) impossible.insert("an odd row");
    if (no_group(std::less<>())) impossible.insert("group smaller than a block");
    if (no_group(std::equal_to<>())) impossible.insert("group equal to a block");
    if (drawn.most_k / smallest_group <= smallest_group) impossible.insert("more groups than a group has columns");
    // With so few elements, 64 rows fit only with at most two of the smallest groups, which is drawn too rarely.
    if (drawn.most_elements <= 64 * 2 * smallest_group) impossible.insert("more n-tiles than eight");
    for (const auto& [name, count] : counts) {
      if (impossible.contains(name)) continue;
      EXPECT_GE(count, 3) << name;
    }
  }
}

/// The k that are drawn for a format, in rows of fewer than `most` columns.
std::set<std::int64_t> columns_drawn(const Capabilities& capabilities, std::int64_t most) {
  Property property = properties().front();
  property.needs = {Operation::unpack};
  property.sampling = {.most_k = most - 1};
  std::string why_not;
  const SampleSpace space = sample_space_of(property, capabilities, &why_not);
  EXPECT_EQ(why_not, "");
  const Sampler problems(property, "s", space, 1);
  std::set<std::int64_t> columns;
  for (std::uint64_t turn = 0; turn < 4000; ++turn) columns.insert(problems.at(turn).k);
  return columns;
}

Capabilities capabilities_in(const char* format) {
  Capabilities capabilities = specification_capabilities();
  capabilities.formats = {format_of("format", format)};
  return capabilities;
}

TEST(Sampler, DrawsEveryLegalNumberOfFewColumns) {
  struct Row {
    const char* format;
    std::int64_t unit;
  };
  for (const Row& row : {Row{"nf4", 1},
                         {"fp4", 1},
                         {"awq", 1},
                         {"pack-quantized", 1},
                         {"plain", 2},
                         {"gptq", 8},
                         {"gptq-v1", 8},
                         {"plain-int32", 8},
                         {"q4_0", 32},
                         {"mxfp4-gguf", 32},
                         {"mxfp4", 32}}) {
    std::set<std::int64_t> all;
    for (std::int64_t k = row.unit; k < 34; k += row.unit) all.insert(k);
    Capabilities capabilities = capabilities_in(row.format);
    if (row.unit == 32) capabilities.group_sizes = {32};
    const std::set<std::int64_t> drawn = columns_drawn(capabilities, 34);
    EXPECT_TRUE(std::ranges::includes(all, drawn)) << row.format;
    for (const std::int64_t k : all) EXPECT_TRUE(drawn.contains(k)) << row.format << " " << k;
  }
}

TEST(Sampler, DrawsTheMultiplesOfKThatASubjectTakes) {
  for (const char* format : {"nf4", "awq", "plain", "tinygemm-2"}) {
    for (const std::int64_t multiple : {4, 6, 16}) {
      Capabilities capabilities = capabilities_in(format);
      capabilities.k_multiple = multiple;
      for (const std::int64_t k : columns_drawn(capabilities, 600)) {
        EXPECT_EQ(k % multiple, 0) << format << " " << k;
      }
    }
  }
  Capabilities no_rows = capabilities_in("awq");
  no_rows.uneven_rows = no_rows.any_group_size = false;
  for (const std::int64_t k : columns_drawn(no_rows, 600)) EXPECT_EQ(k % 16, 0) << "a size of group that is declared";
}

TEST(Sampler, DrawsEveryVariantAndShrinksStayInIt) {
  Property property = properties().front();
  property.sampling.variants = {"one", "two"};
  std::string why_not;
  const Pairing pairing = {&property, &subjects().front(),
                           sample_space_of(property, subjects().front().capabilities, &why_not)};
  ASSERT_EQ(why_not, "");
  std::set<std::string> variants;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const Problem drawn = pairing.sampler().at(i);
    variants.insert(drawn.variant);
    for (const Problem& step : smaller_problems(drawn, pairing.space)) EXPECT_EQ(step.variant, drawn.variant);
  }
  EXPECT_EQ(variants, std::set<std::string>({"one", "two"}));
}

TEST(Sampler, DependsOnSeedAndTurnAloneWhoeverDrawsAndInWhateverOrder) {
  const Pairing& pairing = pairings().front();
  constexpr std::uint64_t count = 60;
  std::vector<Problem> ascending;
  for (std::uint64_t i = 0; i < count; ++i) ascending.push_back(pairing.sampler(7).at(i));
  std::vector<Problem> by_threads(count);
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&, thread] {
      const Sampler problems = pairing.sampler(7);
      for (std::uint64_t i = count; i-- > 0;) {
        if (i % 3 == thread) by_threads[i] = problems.at(i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(by_threads, ascending);
  // No two problems are alike, also across seeds.
  std::set<std::string> lines;
  for (const std::uint64_t seed : {7u, 8u}) {
    for (std::uint64_t i = 0; i < count; ++i) lines.insert(line_of(pairing.sampler(seed).at(i)));
  }
  EXPECT_EQ(lines.size(), 2 * count);
}

TEST(Sampler, DrawsInTheCellThatItNamesAndVisitsEachBeforeAnyAgain) {
  for (const Pairing& pairing : pairings()) {
    if (!pairing.is_drawn()) continue;
    SCOPED_TRACE(pairing.name());
    const Sampler problems = pairing.sampler();
    const std::uint64_t count = problems.cell_count();
    for (std::uint64_t i = 0; i < 50; ++i) {
      const std::uint64_t turn = i * (count / 50 + 1);
      ASSERT_EQ(text_of(cell_of(*pairing.property, problems.at(turn))), text_of(problems.cell_at(turn)));
    }
    if (pairing.row->name != "host" || count > 20000) continue;
    // Each kind of problems goes through all its cells before it comes to any again.
    std::map<std::tuple<const Format*, const Format*, const Scheme*, Types>, std::set<Cell>> all, visited;
    const auto kind_of = [](const Cell& cell) {
      return std::tuple(cell.format, cell.format_to, cell.scheme, cell.types);
    };
    std::size_t most = 0;
    for (std::uint64_t number = 0; number < count; ++number) {
      std::set<Cell>& of_kind = all[kind_of(problems.cell(number))];
      of_kind.insert(problems.cell(number));
      most = std::max(most, of_kind.size());
    }
    for (std::uint64_t turn = 0; turn < most * all.size(); ++turn) {
      const Cell cell = problems.cell_at(turn);
      std::set<Cell>& of_kind = visited[kind_of(cell)];
      if (of_kind.size() == all[kind_of(cell)].size()) continue;
      ASSERT_TRUE(of_kind.insert(cell).second) << text_of(cell);
    }
    EXPECT_EQ(visited, all);
  }
}

/// Calls `use` with some drawn problems and each of their first shrinks.
template <class Use>
void for_each_shrink(const Pairing& pairing, Use use) {
  if (!pairing.is_drawn()) return;
  const Sampler problems = pairing.sampler();
  for (std::uint64_t i = 0; i < 25; ++i) {
    const Problem problem = problems.at(i * 7 + 1);
    for (const Problem& step : smaller_problems(problem, pairing.space)) use(problem, step);
  }
}

TEST(Shrinks, ArePossibleAndWithinTheDomainsAndKeepTheSeed) {
  std::int64_t looked_at = 0;
  for (const Pairing& pairing : pairings()) {
    for_each_shrink(pairing, [&](const Problem& problem, const Problem& shrunk) {
      ++looked_at;
      // A step keeps its rows where another format may have fewer at the same k.
      const std::string objection = objection_to(shrunk, pairing);
      const bool is_no_larger = objection == "too many elements" && shrunk.n * shrunk.k <= problem.n * problem.k;
      ASSERT_TRUE(objection.empty() || is_no_larger) << objection << "\n"
                                                     << line_of(problem) << "\n shrinks to " << line_of(shrunk);
      ASSERT_EQ(shrunk.seed, problem.seed) << line_of(problem);
      ASSERT_NE(shrunk, problem) << line_of(problem);
    });
  }
  EXPECT_GT(looked_at, 5000);
}

TEST(Shrinks, OfAProblemWithAPartOfItsDataKeepNoMoreThanTheyHave) {
  Problem problem;
  problem.n = 16;
  problem.k = 128;
  problem.codes = {2000, 2048};
  problem.parameters = {3, 64};
  ASSERT_NO_THROW(require_possible(problem));
  const std::vector<Problem> steps = smaller_problems(problem, {.capabilities = kernel_capabilities(), .sampling = {}});
  ASSERT_FALSE(steps.empty());
  for (const Problem& step : steps) EXPECT_NO_THROW(require_possible(step)) << line_of(step);
}

// A search that moves to the first failing shrink ends at the smallest case only if no shrink is larger.
TEST(Shrinks, HaveNoMoreElementsThanWhatTheyShrinkFrom) {
  std::int64_t looked_at = 0;
  std::int64_t larger = 0;
  std::string worst;
  for (const Pairing& pairing : pairings()) {
    for_each_shrink(pairing, [&](const Problem& problem, const Problem& shrunk) {
      ++looked_at;
      if (shrunk.n * shrunk.k <= problem.n * problem.k) return;
      ++larger;
      worst = line_of(problem) + "\n shrinks to " + line_of(shrunk);
    });
  }
  EXPECT_EQ(larger, 0) << "of " << looked_at << ", for example " << worst;
}

TEST(Shrinks, LeadToOneUnitOfThePlainestProblem) {
  for (const Pairing& pairing : pairings()) {
    if (!pairing.is_drawn()) continue;
    const Sampler problems = pairing.sampler();
    for (std::uint64_t i = 0; i < 5; ++i) {
      Problem problem = problems.at(i);
      int taken = 0;
      for (; taken < 1000; ++taken) {
        const std::vector<Problem> steps = smaller_problems(problem, pairing.space);
        if (steps.empty()) break;
        problem = steps.front();  // always the first step, as if every problem failed
      }
      ASSERT_LT(taken, 200) << "no end";
      const Capabilities& capabilities = pairing.space.capabilities;
      EXPECT_EQ(problem.n, n_unit(*problem.format, pairing.space.sampling.n_multiple, problem.format_to));
      // The plainest, unless it takes no matrix of so few columns.
      const auto takes = [&](const Format* format, const Format* format_to, std::int64_t group_size) {
        return format != format_to && format->group_sizes.contains(group_size) &&
               problem.k % k_unit(*format, group_size, 1, format_to) == 0 &&
               problem.n % n_unit(*format, 1, format_to) == 0;
      };
      const Format *const plainest = capabilities.formats.front(), *const format_to = problem.format_to;
      EXPECT_TRUE(problem.format == plainest || !takes(plainest, format_to, problem.group_size)) << line_of(problem);
      const Format* const plainest_to = capabilities.formats_to_of(*problem.format).front();
      EXPECT_TRUE(format_to == plainest_to || !takes(problem.format, plainest_to, problem.group_size))
          << line_of(problem);
      const std::int64_t least = capabilities.group_sizes.front();
      EXPECT_TRUE(problem.group_size == least || !takes(problem.format, format_to, least)) << line_of(problem);
      EXPECT_EQ(problem.k, unit_columns(problem));
      EXPECT_EQ(problem.scheme, schemes_of(*problem.format, pairing.space.sampling.schemes).front());
      EXPECT_EQ(problem.types, types_of(*problem.scheme, pairing.space.sampling.types).front());
      EXPECT_EQ(problem.profile, pairing.property->sampling.profiles.front());
    }
  }
}

// --- Domains

Property property_that_needs(std::vector<Operation> operations, Sampling drawn = {}) {
  return {"test/property", "", std::move(operations), {}, std::move(drawn), [](Case&) {}};
}

std::string why_not(const Property& property, const Capabilities& capabilities) {
  std::string reason;
  sample_space_of(property, capabilities, &reason);
  return reason;
}

TEST(DomainsOfAProperty, AreEmptyForAReasonWhereTheSubjectLacksAnOperation) {
  const Capabilities packs = {.operations = {Operation::pack}};
  EXPECT_EQ(why_not(property_that_needs({Operation::pack}), packs), "");
  EXPECT_EQ(why_not(property_that_needs({Operation::unpack}), packs), "the subject has no unpack");
  EXPECT_EQ(why_not(property_that_needs({Operation::pack, Operation::matmul}), packs), "the subject has no matmul");
  EXPECT_EQ(why_not(property_that_needs({Operation::matmul, Operation::pack}), packs), "the subject has no matmul");
  EXPECT_EQ(why_not(property_that_needs({Operation::dequantize}), packs), "the subject has no dequantize");
}

TEST(DomainsOfAProperty, AreEmptyForAReasonWhereAPropertyAboutTensorsMeetsASubjectOfRawPointers) {
  Property about_tensors = property_that_needs({Operation::pack});
  about_tensors.of_tensors = true;
  EXPECT_EQ(why_not(about_tensors, kernel_capabilities()), "the subject takes raw pointers, no tensors");
  EXPECT_EQ(why_not(about_tensors, library_capabilities({Operation::pack})), "");
  EXPECT_EQ(why_not(about_tensors, library_capabilities({Operation::unpack})), "the subject has no pack");
  about_tensors.of_tensors = false;
  EXPECT_EQ(why_not(about_tensors, library_capabilities({Operation::pack})), "");
}

TEST(DomainsOfAProperty, OfConvertAreFormatsOfCodesAloneAndTheirLeastGroups) {
  Capabilities capabilities = specification_capabilities();
  std::string reason;
  const SampleSpace space =
      sample_space_of(property_that_needs({Operation::convert}, {.of_codes = true}), capabilities, &reason);
  EXPECT_EQ(reason, "");
  EXPECT_EQ(space.capabilities.formats, formats_of_codes_alone());
  EXPECT_EQ(space.capabilities.formats_to, formats_of_codes_alone());
  EXPECT_EQ(space.capabilities.group_sizes, (std::vector<std::int64_t>{16, 32}));
  const auto objection = [&](const std::string& flags) -> std::string {
    try {
      require_within(problem_of("--property=c --subject=s --k=64 " + flags), space);
    } catch (const UsageError& illegal) {
      return illegal.what();
    }
    return "";
  };
  EXPECT_EQ(objection("--format-to=plain"), "");
  EXPECT_TRUE(objection("").starts_with("--format-to: given none, legal is tinygemm-4, tinygemm-8, plain, "));
  EXPECT_TRUE(objection("--format-to=tinygemm-2").starts_with("--format-to: given tinygemm-2, legal is tinygemm-4, "));
  EXPECT_EQ(objection("--format-to=awq --n=4"), "--n: given 4, legal is a multiple of 8 for this property and subject");
  EXPECT_EQ(why_not(property_that_needs({Operation::convert}), kernel_capabilities()), "the subject has no convert");
  // A property about another operation converts nothing.
  const SampleSpace of_pack = sample_space_of(property_that_needs({Operation::pack}), capabilities, &reason);
  EXPECT_THROW(require_within(problem_of("--property=c --subject=s --format-to=plain"), of_pack), UsageError);
}

TEST(AnCapabilities, TakesConversionsToItsFormatsOfAnyGroupSize) {
  Capabilities capabilities = kernel_capabilities();
  capabilities.group_sizes = {64};
  capabilities.any_group_size = false;
  capabilities.formats_to = {tinygemm(2), format_of("format", "awq")};
  const auto takes = [&](const std::string& flags) {
    return capabilities.takes(problem_of("--property=c --subject=s --k=64 " + flags));
  };
  EXPECT_TRUE(takes("--format-to=awq --group-size=16"));
  EXPECT_FALSE(takes("--format-to=awq --group-size=16 --n=4"));
  EXPECT_FALSE(takes("--format-to=plain"));
  EXPECT_FALSE(takes("--format-to=tinygemm-2"));
  EXPECT_TRUE(takes("--format=tinygemm-4 --format-to=tinygemm-2 --n=3"));
  EXPECT_FALSE(takes("--group-size=16"));
}

TEST(Shrinks, OfAConversionAreTowardsPlainerFormatsOnBothSides) {
  std::string reason;
  const SampleSpace space = sample_space_of(property_that_needs({Operation::convert}, {.of_codes = true}),
                                            specification_capabilities(), &reason);
  const Problem problem = problem_of("--property=c --subject=s --format=plain --format-to=awq --n=8 --k=32");
  std::set<std::string> pairs;
  for (const Problem& step : smaller_problems(problem, space)) {
    EXPECT_NO_THROW(require_possible(step)) << line_of(step);
    if (step.size() == problem.size()) pairs.insert(std::string(step.format->name) + " to " + step.format_to->name);
  }
  EXPECT_EQ(pairs, (std::set<std::string>{"plain to awq", "tinygemm-2 to awq", "plain to tinygemm-2"}));
}

TEST(AnCapabilities, TakesTheProblemsWhoseEveryNumberItHas) {
  Capabilities capabilities = library_capabilities({Operation::pack});
  capabilities.formats = {tinygemm(2), tinygemm(8)};
  capabilities.n_multiple = 4;
  const auto takes = [&](const std::string& flags) {
    return capabilities.takes(problem_of("--property=c --subject=s --k=512 --n=8 " + flags));
  };
  EXPECT_TRUE(takes(""));
  EXPECT_TRUE(takes("--format=tinygemm-8 --group-size=256"));
  EXPECT_TRUE(takes("--profile=edges --seed=0x5")) << "what a property draws from is the property's matter";
  EXPECT_FALSE(takes("--format=tinygemm-4"));
  EXPECT_FALSE(takes("--group-size=16"));
  EXPECT_FALSE(takes("--group-size=512"));
  EXPECT_FALSE(takes("--scheme=integer"));
  EXPECT_FALSE(takes("--scheme=none"));
  EXPECT_FALSE(takes("--weight-type=fp16 --parameter-type=fp16"));
  capabilities.any_group_size = true;
  EXPECT_TRUE(takes("--group-size=16"));
  Problem six_rows = problem_of("--property=c --subject=s --n=6");
  EXPECT_FALSE(capabilities.takes(six_rows));
  capabilities.n_multiple = 3;
  EXPECT_TRUE(capabilities.takes(six_rows));
  capabilities.k_multiple = 3;
  EXPECT_FALSE(capabilities.takes(six_rows));
}

TEST(AnCapabilities, TakesRowsOfOneGroupOnlyWhereItSaysSo) {
  Capabilities capabilities = capabilities_in("awq");
  const Problem row = problem_of("--property=c --subject=s --format=awq --n=8 --k=33 --group-size=33");
  EXPECT_TRUE(capabilities.takes(row));
  capabilities.any_group_size = false;
  EXPECT_TRUE(capabilities.takes(row));
  capabilities.uneven_rows = false;
  EXPECT_FALSE(capabilities.takes(row));
}

TEST(Shrinks, OfAnUnevenRowKeepOneGroupARow) {
  const Capabilities capabilities = capabilities_in("pack-quantized");
  Problem problem =
      problem_of("--property=c --subject=s --format=pack-quantized --n=3 --k=77 --group-size=77 --seed=0x5");
  std::set<std::int64_t> columns;
  for (const Problem& step : smaller_problems(problem, {.capabilities = capabilities, .sampling = {}})) {
    EXPECT_NO_THROW(require_possible(step)) << line_of(step);
    if (step.k == step.group_size) columns.insert(step.k);
  }
  for (const std::int64_t k : {1, 38, 76}) EXPECT_TRUE(columns.contains(k)) << k;
}

TEST(DomainsOfAProperty, AreEmptyForAReasonWhereDomainsOrTypesHaveNothingInCommon) {
  Capabilities floating = kernel_capabilities();
  floating.schemes = {scheme::floating};
  EXPECT_EQ(why_not(property_that_needs({}, {.schemes = {scheme::integer, scheme::none}}), floating),
            "the subject takes only the scheme float");
  Capabilities narrow = kernel_capabilities();
  narrow.types = {Type::bf16};
  EXPECT_EQ(why_not(property_that_needs({}, {.types = {Type::fp32}}), narrow),
            "the subject takes none of the property's types");
}

TEST(DomainsOfAProperty, AreWhatThePropertyAndTheSubjectShare) {
  Capabilities capabilities = kernel_capabilities();
  capabilities.schemes = {scheme::none, scheme::floating};
  capabilities.types = {Type::fp32, Type::bf16};
  capabilities.n_multiple = 6;
  std::string reason;
  const SampleSpace space = sample_space_of(
      property_that_needs(
          {}, {.schemes = {scheme::floating, scheme::integer}, .types = {Type::fp16, Type::bf16}, .n_multiple = 4}),
      capabilities, &reason);
  EXPECT_EQ(reason, "");
  for (const auto& both : {space.sampling.schemes, space.capabilities.schemes})
    EXPECT_EQ(both, std::vector<const Scheme*>{scheme::floating});
  for (const auto& both : {space.sampling.types, space.capabilities.types})
    EXPECT_EQ(both, std::vector<Types>{Type::bf16});
  EXPECT_EQ(space.sampling.n_multiple, 12);
  EXPECT_EQ(space.capabilities.n_multiple, 12);
}

TEST(DomainsOfAProperty, RefuseWhatIsOutsideByNameValueAndWhatIsLegal) {
  Capabilities capabilities = kernel_capabilities();
  capabilities.formats = {tinygemm(2), tinygemm(4)};
  capabilities.group_sizes = {32, 64};
  capabilities.any_group_size = false;
  capabilities.n_multiple = 16;
  std::string reason;
  const SampleSpace space = sample_space_of(property_that_needs({}, {.schemes = {scheme::floating, scheme::none},
                                                                     .types = {Type::bf16, Type::fp16},
                                                                     .profiles = {"ordinary", "edges"}}),
                                            capabilities, &reason);
  const auto objection = [&](const std::string& flags, const SampleSpace& within) -> std::string {
    try {
      require_within(problem_of("--property=c --subject=s --k=128 --n=16 " + flags), within);
    } catch (const UsageError& illegal) {
      return illegal.what();
    }
    return "";
  };
  for (const char* flags : {"", "--format=tinygemm-4", "--group-size=64", "--scheme=none",
                            "--weight-type=fp16 --parameter-type=fp16", "--profile=edges"}) {
    EXPECT_EQ(objection(flags, space), "") << flags;
  }
  EXPECT_EQ(objection("--format=tinygemm-8", space),
            "--format: given tinygemm-8, legal is tinygemm-2, tinygemm-4 for this property and subject");
  EXPECT_EQ(objection("--group-size=128", space),
            "--group-size: given 128, legal is 32, 64 for this property and subject");
  EXPECT_EQ(objection("--scheme=integer", space),
            "--scheme: given integer, legal is float, none for this property and subject");
  EXPECT_EQ(objection("--weight-type=fp32 --parameter-type=fp32", space),
            "--weight-type and --parameter-type: given fp32, legal is bf16, fp16 for this property and subject");
  EXPECT_EQ(objection("--profile=mixed", space),
            "--profile: given mixed, legal is ordinary, edges for this property and subject");
  EXPECT_EQ(objection("--variant=upside-down", space),
            "--variant: given upside-down, legal is none for this property and subject");
  SampleSpace multiples = space;
  multiples.capabilities.k_multiple = 48;
  EXPECT_EQ(objection("", multiples), "--k: given 128, legal is a multiple of 48 for this subject");
  SampleSpace varied = space;
  varied.sampling.variants = {"one", "two"};
  EXPECT_EQ(objection("--variant=two", varied), "");
  EXPECT_EQ(objection("", varied), "--variant: given none, legal is one, two for this property and subject");
  SampleSpace thirds = space;
  thirds.sampling.n_multiple = 3;
  EXPECT_EQ(objection("", thirds), "--n: given 16, legal is a multiple of 3 for this property and subject");
  SampleSpace any_group = space;
  any_group.capabilities.any_group_size = true;
  EXPECT_EQ(objection("--group-size=128", any_group), "");
}

TEST(DomainsOfAProperty, OfMutantSubjectsAreThoseOfTheKernels) {
  // Otherwise a mutant could be missed because its problems were never drawn.
  for (const SubjectRow& row : mutant_subjects()) {
    const std::vector<const Format*>& formats = row.capabilities.formats;
    if (std::find(formats.begin(), formats.end(), first_format) == formats.end()) continue;  // of other formats alone
    for (const Property& property : properties()) {
      if (property.from_several_threads) continue;  // mutants hold no lock
      if (operation_of(property) == Operation::convert && !row.capabilities.has(Operation::convert)) continue;
      EXPECT_EQ(why_not(property, row.capabilities), why_not(property, production_capabilities()))
          << row.name << ", " << property.name;
    }
  }
}

}  // namespace

}  // namespace tileproof
