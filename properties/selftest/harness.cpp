// Properties of the harness itself: the problem's text, the comparator, the generators and shrinking.
#include <rapidcheck.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <sstream>

#include "properties/case/generator.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/draw.h"
#include "properties/problem/values.h"
#include "properties/registry.h"
#include "properties/selftest/selftest.h"

namespace tileproof {

namespace {

/// How often each named thing occurred.
using Distribution = std::map<std::string, std::int64_t>;

std::string text_of(const Distribution& coverage) {
  std::ostringstream text;
  std::size_t column = 0;
  for (const auto& [name, count] : coverage) {
    const std::string one = name + " " + std::to_string(count);
    if (column != 0) text << (column + one.size() > 110 ? "\n" : ", ");
    column = column != 0 && column + one.size() <= 110 ? column + one.size() + 2 : one.size();
    text << one;
  }
  return text.str();
}

/// @param broken  describes the property's violation, or is empty
SelfResult result_of(const std::optional<std::string>& broken, const std::string& said, const Distribution& coverage) {
  SelfResult result;
  result.verdict = broken ? SelfVerdict::broken : SelfVerdict::held;
  result.said = said;
  result.details = broken ? *broken : text_of(coverage);
  for (const auto& [name, count] : coverage) result.fields.emplace_back("met " + name, count);
  result.fields.emplace_back("details", broken ? *broken : "");
  return result;
}

/// The i-th problem of a generator, at sizes from RapidCheck's smallest to its largest.
Problem drawn_from(const rc::Gen<Problem>& generator, std::uint64_t seed, std::uint64_t i) {
  return generator(rc::Random(mixed(seed) + i), static_cast<int>(i % 101)).value();
}

/// Calls `use` with every property, every subject that takes it (one mutant stands for all) and their sample space.
template <class Use>
void for_each_pairing(Use use) {
  std::vector<const SubjectRow*> rows;
  for (const SubjectRow& row : subjects()) rows.push_back(&row);
  rows.push_back(&mutant_subjects().front());
  for (const Property& property : properties()) {
    for (const SubjectRow* row : rows) {
      std::string why_not;
      const SampleSpace space = sample_space_of(property, row->capabilities, &why_not);
      if (why_not.empty()) use(property, *row, space);
    }
  }
}

// --- The problem's text

/// Sets arbitrary numbers. A line need not be a possible problem.
Problem with_any_numbers(Problem p, std::uint64_t seed, std::uint64_t i) {
  std::uint64_t at = 0;
  for (std::int64_t* number : {&p.n, &p.k, &p.group_size}) {
    const std::uint64_t bits = drawn(seed, 8, 4 * i + at++);
    *number = static_cast<std::int64_t>(bits >> (bits & 63));  // covers all magnitudes
  }
  p.seed = drawn(seed, 9, i) >> (i % 64);
  return p;
}

SelfResult parses_back(const SelfEffort& effort) {
  Distribution coverage;
  std::optional<std::string> broken;
  const auto look = [&](const std::string& kind, const Problem& problem) {
    ++coverage[kind];
    const std::string line = line_of(problem);
    if (!broken && problem_of(line) != problem) broken = "another problem than printed this comes back: " + line;
    if (!broken && line_of(problem_of(line)) != line) broken = "another line comes back than " + line;
  };
  for_each_pairing([&](const Property& property, const SubjectRow& row, const SampleSpace& space) {
    for (Problem problem : space.sampling.fixed) {
      problem.property = property.name;
      problem.subject = row.name;
      look("fixed", problem);
    }
    for (const std::string& variant : space.sampling.variants) {
      SampleSpace of_variant = space;
      of_variant.sampling.variants = {variant};
      const rc::Gen<Problem> generator = problems(property.name, row.name, of_variant);
      for (std::uint64_t i = 0; i < 20; ++i) {
        const Problem problem = drawn_from(generator, effort.seed, i);
        look("drawn", problem);
        look("with any numbers", with_any_numbers(problem, effort.seed, i));
      }
    }
  });
  for (const SubjectRow& row : mutant_subjects()) {
    Problem problem;
    problem.property = properties().front().name;
    problem.subject = row.name;
    look("of a mutant", problem);
  }
  return result_of(broken, std::to_string(coverage["drawn"]) + " drawn problems", coverage);
}

/// Problems that differ in one field print different lines.
SelfResult lines_differ(const SelfEffort& effort) {
  Distribution coverage;
  std::optional<std::string> broken;
  const Property& property = properties().front();
  const SubjectRow& row = mutant_subjects().front();
  std::string ignored;
  const rc::Gen<Problem> generator =
      problems(property.name, row.name, sample_space_of(property, row.capabilities, &ignored));
  const std::pair<const char*, std::function<void(Problem&, std::uint64_t)>> changes[] = {
      {"property", [](Problem& p, std::uint64_t) { p.property += "x"; }},
      {"subject", [](Problem& p, std::uint64_t) { p.subject += "x"; }},
      {"n", [](Problem& p, std::uint64_t bit) { p.n ^= std::int64_t{1} << bit; }},
      {"k", [](Problem& p, std::uint64_t bit) { p.k ^= std::int64_t{1} << bit; }},
      {"format", [](Problem& p, std::uint64_t) { p.format = p.format == tinygemm(2) ? tinygemm(8) : tinygemm(2); }},
      {"group_size", [](Problem& p, std::uint64_t bit) { p.group_size ^= std::int64_t{1} << bit; }},
      {"scheme", [](Problem& p,
                    std::uint64_t) { p.scheme = p.scheme->zero_kind == Zero::none ? scheme::integer : scheme::none; }},
      {"weight_type",
       [](Problem& p, std::uint64_t) { p.types.weight = p.types.weight == Type::fp32 ? Type::fp16 : Type::fp32; }},
      {"parameter_type",
       [](Problem& p, std::uint64_t) {
         p.types.parameter = p.types.parameter == Type::fp32 ? Type::fp16 : Type::fp32;
       }},
      {"scales", [](Problem& p, std::uint64_t) { p.scales += "x"; }},
      {"variant", [](Problem& p, std::uint64_t) { p.variant += "x"; }},
      {"seed", [](Problem& p, std::uint64_t bit) { p.seed ^= std::uint64_t{1} << bit; }}};
  for (std::uint64_t i = 0; i < 63; ++i) {
    const Problem problem = drawn_from(generator, effort.seed, i);
    for (const auto& [field, change] : changes) {
      Problem other = problem;
      change(other, i);
      ++coverage[field];
      if (line_of(other) == line_of(problem)) broken = std::string("the line does not show ") + field;
    }
  }
  return result_of(broken, "every field, in every bit", coverage);
}

// --- The comparator

class NeverAsked : public Subject {
 public:
  Memory& memory() override { return host_memory(); }
};

/// Whether the comparison fails the case.
template <class Compare>
bool objects(Type type, const Capabilities& capabilities, Compare compare) {
  NeverAsked subject;
  Coverage coverage;
  Problem problem;
  problem.property = "self/comparator";
  problem.types = type;
  Case c(problem, capabilities, subject, coverage);
  try {
    compare(c);
    return false;
  } catch (const Failure&) {
    return true;
  }
}

/// One way to compare matrices, and how many bits of an element count.
template <class T>
struct Comparison {
  std::string name;
  Type type;
  int bits;
  std::function<void(Case&, const Matrix<T>& got, const Matrix<T>& expected)> compare;
};

/// Describes what a comparison misses, over every bit of every element of some small matrices, and over their shapes.
template <class T>
std::optional<std::string> wrong_in(const Comparison<T>& one, std::uint64_t seed, Distribution& coverage) {
  const Capabilities capabilities = kernel_capabilities();
  const auto differs = [&](const Matrix<T>& got, const Matrix<T>& expected) {
    return objects(one.type, capabilities, [&](Case& c) { one.compare(c, got, expected); });
  };
  const std::pair<std::int64_t, std::int64_t> shapes[] = {{1, 1}, {1, 9}, {7, 1}, {3, 5}, {2, 32}};
  for (const auto& [rows, columns] : shapes) {
    for (std::uint64_t fill = 0; fill < 3; ++fill) {  // zeros, ones, random
      Matrix<T> expected(rows, columns);
      for (std::size_t i = 0; i < expected.elements.size(); ++i) {
        const std::uint64_t any = fill == 0 ? 0 : fill == 1 ? ~std::uint64_t{0} : drawn(seed, 7, i);
        expected.elements[i] = static_cast<T>(one.bits == 64 ? any : any & ((std::uint64_t{1} << one.bits) - 1));
      }
      if (differs(expected, expected)) return one.name + " finds equal matrices different";
      for (std::size_t i = 0; i < expected.elements.size(); ++i) {
        for (int bit = 0; bit < one.bits; ++bit) {
          Matrix<T> got = expected;
          got.elements[i] = static_cast<T>(static_cast<std::uint64_t>(got.elements[i]) ^ std::uint64_t{1} << bit);
          ++coverage[one.name];
          // A difference must be found whichever side is wrong; one fill swaps the sides.
          if (differs(got, expected) && (fill != 2 || differs(expected, got))) continue;
          return one.name + " does not see bit " + std::to_string(bit) + " of element " + std::to_string(i) + " of " +
                 std::to_string(rows) + " x " + std::to_string(columns);
        }
      }
      Matrix<T> wider(rows, columns + 1), turned(columns, rows);
      turned.elements = expected.elements;
      if (!differs(wider, expected)) return one.name + " does not see a column too many";
      if (rows != columns && !differs(turned, expected)) return one.name + " does not see another shape";
    }
  }
  return {};
}

SelfResult nothing_different_is_equal(const SelfEffort& effort) {
  Distribution coverage;
  std::optional<std::string> broken;
  const auto add = [&](const std::optional<std::string>& wrong) {
    if (!broken) broken = wrong;
  };
  add(wrong_in(
      Comparison<std::uint8_t>{"codes before packing", Type::bf16, 8,
                               [](Case& c, const auto& got, const auto& expected) { c.expect_equal(got, expected); }},
      effort.seed, coverage));
  add(wrong_in(
      Comparison<std::int32_t>{"codes", Type::bf16, 32,
                               [](Case& c, const auto& got, const auto& expected) { c.expect_equal(got, expected); }},
      effort.seed, coverage));
  for (const Type type : {Type::bf16, Type::fp16, Type::fp32}) {
    const int bits = float_format_of(type).bits();
    add(wrong_in(Comparison<std::uint32_t>{std::string(name_of(type)) + " weights", type, bits,
                                           [](Case& c, const auto& got, const auto& expected) {
                                             c.expect_equal(got, expected);
                                           }},
                 effort.seed, coverage));
    add(wrong_in(Comparison<std::uint32_t>{std::string(name_of(type)) + " weights, some of them explained", type, bits,
                                           [](Case& c, const auto& got, const auto& expected) {
                                             c.expect_equal_or_explained(
                                                 got, expected,
                                                 [](std::int64_t, std::int64_t, std::uint32_t) -> const char* {
                                                   return nullptr;  // explains none of the differences
                                                 });
                                           }},
                 effort.seed, coverage));
  }
  // Packed words have no shape, so compare one word too few or too many instead.
  const auto differ = [](const std::vector<std::uint32_t>& got, const std::vector<std::uint32_t>& expected) {
    return objects(Type::bf16, kernel_capabilities(), [&](Case& c) { c.expect_equal(got, expected); });
  };
  for (std::size_t count = 1; count <= 64; count *= 4) {
    std::vector<std::uint32_t> expected(count);
    for (std::size_t i = 0; i < count; ++i) expected[i] = static_cast<std::uint32_t>(drawn(effort.seed, 7, i));
    if (differ(expected, expected)) add("packed words that are equal are found different");
    for (std::size_t bit = 0; bit < 32 * count; ++bit) {
      std::vector<std::uint32_t> got = expected;
      got[bit / 32] ^= 1u << bit % 32;
      ++coverage["packed words"];
      if (!differ(got, expected)) add("bit " + std::to_string(bit) + " of packed words is not seen");
    }
    std::vector<std::uint32_t> fewer = expected;
    fewer.pop_back();
    if (!differ(fewer, expected) || !differ(expected, fewer)) add("a packed word too few is not seen");
  }
  return result_of(broken, "every bit of every place", coverage);
}

// --- The generators

SelfResult domains_are_reached(const SelfEffort& effort) {
  Distribution coverage;
  std::optional<std::string> broken;
  for_each_pairing([&](const Property& property, const SubjectRow& row, const SampleSpace& space) {
    if (property.sampling.is_fixed() || row.name != mutant_subjects().front().name) return;
    const rc::Gen<Problem> generator = problems(property.name, row.name, space);
    Coverage own;
    Distribution named;
    for (std::int64_t i = 0; i < effort.cases; ++i) {
      const Problem p = drawn_from(generator, effort.seed, static_cast<std::uint64_t>(i));
      require_possible(p);
      require_within(p, space);
      count_problem(p, own);
      ++named["group_size " + std::to_string(p.group_size)];
      ++named[std::string("scheme ") + p.scheme->name];
      ++named["profile " + p.scales];
    }
    named.insert(own.classes.begin(), own.classes.end());
    std::vector<std::string> promised;
    for (const std::int64_t size : space.capabilities.group_sizes) {
      const std::vector<const Format*>& formats = space.capabilities.formats;
      const bool fits = std::any_of(formats.begin(), formats.end(), [&](const Format* format) {
        return k_unit(*format, size) <= space.sampling.most_k;
      });
      if (fits) promised.push_back("group_size " + std::to_string(size));
    }
    for (const Format* format : space.capabilities.formats) promised.push_back(std::string("format ") + format->name);
    for (const Scheme* scheme : space.sampling.schemes) promised.push_back(std::string("scheme ") + scheme->name);
    for (const Types types : space.sampling.types) promised.push_back(std::string("weights ") + name_of(types.weight));
    for (const std::string& profile : space.sampling.profiles) promised.push_back("profile " + profile);
    for (const char* name : {"not square", "several groups", "group smaller than a block", "group equal to a block",
                             "group larger than a block", "group of more than 256", "group of no power of two",
                             "more groups than group_size"}) {
      promised.push_back(name);
    }
    if (with_padding.goals.front().in_reach(space.capabilities)) promised.push_back("padding");
    for (const std::string& name : promised) {
      if (named[name] == 0) broken = property.name + " never draws " + name;
    }
    for (const auto& [name, count] : named) coverage[name] += count;
    ++coverage["properties"];
  });
  return result_of(broken, std::to_string(effort.cases) + " problems of each property", coverage);
}

/// Every class of values in every type is drawn by the profiles that promise it, and profiles that promise finite
/// values draw no others.
SelfResult values_are_reached(const SelfEffort& effort) {
  Distribution coverage;
  std::optional<std::string> broken;
  constexpr std::uint64_t sampling = 4000;
  for (const Profile& profile : profiles()) {
    const std::string profile_name = profile.name;
    const bool promises_all = profile_name == "edges" || profile_name == "mixed";
    for (const Type type : {Type::bf16, Type::fp16, Type::fp32}) {
      const reference::FloatFormat format = float_format_of(type);
      Distribution classes;
      for (std::uint64_t i = 0; i < sampling; ++i) {
        const ScaleAndZero both = profile.drawn(format, effort.seed, i);
        for (const ValueClass& row : value_classes()) {
          if (row.contains(format, both.scale)) ++classes[std::string("scale ") + row.name];
          if (row.contains(format, both.zero)) ++classes[std::string("zero ") + row.name];
          const bool special = row.contains(format, both.scale) || row.contains(format, both.zero);
          if (special && profile.finite && !row.finite) {
            broken = profile_name + " says that it is finite, and draws " + row.name + " in " + name_of(type);
          }
        }
      }
      for (const ValueClass& row : value_classes()) {
        for (const char* of : {"scale ", "zero "}) {
          const std::string name = of + std::string(row.name);
          if (promises_all && classes[name] == 0)
            broken = profile_name + " never draws " + name + " in " + name_of(type);
          coverage[profile_name + ": " + name] += classes[name];
        }
      }
    }
  }
  std::erase_if(coverage, [](const auto& one) { return one.second == 0; });
  return result_of(broken, std::to_string(sampling) + " draws of each profile and type", coverage);
}

SelfResult codes_are_reached(const SelfEffort& effort) {
  Distribution coverage;
  std::optional<std::string> broken;
  Problem problem;
  problem.n = 96;
  problem.k = 128;
  problem.seed = effort.seed;
  for (const Format* format : tinygemm_formats()) {
    problem.format = format;
    NeverAsked subject;
    const Capabilities capabilities = kernel_capabilities();
    for (const bool as_words : {false, true}) {
      Coverage own;
      Case c(problem, capabilities, subject, own);
      if (as_words) {
        c.words();
      } else {
        for (const std::uint8_t code : c.codes().elements) ++coverage["code " + std::to_string(code)];
      }
      const CoverageGoal& every_code = every_code_at_every_nibble.goals.front();
      if (!every_code.is_met(own, every_code.name)) broken = "not every code at every nibble";
    }
  }
  return result_of(broken, "every code at every nibble", coverage);
}

// --- Shrinking

constexpr std::int64_t cap = 400;  // problems proposed while shrinking one; some of them are not run again

/// A property that fails only for one row less each time: shrinking would try every row count, each after many problems
/// that pass.
SelfResult slow_shrinking_ends(const SelfEffort& effort) {
  Distribution coverage;
  std::optional<std::string> broken;
  for (std::uint64_t seed = effort.seed; seed < effort.seed + 5; ++seed) {
    std::int64_t fewest = 0;
    std::int64_t tries = 0;
    Property slow;
    slow.name = "self/slow";
    slow.sampling = {.most_k = 32, .most_elements = 32 * 20000};
    slow.body = [&](Case& c) {
      tries += fewest != 0 ? 1 : 0;
      c.expect_equal(std::vector<std::uint32_t>{1, 2}, std::vector<std::uint32_t>{1, 2});
      if (fewest == 0 ? c.problem.n < 3000 : c.problem.n != fewest - 1) return;
      fewest = c.problem.n;
      throw Failure("mismatch", std::to_string(c.problem.n) + " rows");
    };
    NeverAsked subject;
    const SubjectRow row = {"self", "never asked", false, kernel_capabilities(), nullptr};
    Effort drawn;
    drawn.cases = effort.cases;
    drawn.seed = seed;
    const Judgement judgement = judge(slow, row, subject, drawn);
    ++coverage["runs"];
    coverage["problems tried"] += tries;
    if (judgement.findings.empty()) {
      broken = "never drew 3000 rows";
      continue;
    }
    if (tries > cap + 1) broken = "tried " + std::to_string(tries) + " problems";
    if (tries < cap / 4) broken = "ended after " + std::to_string(tries) + " tries, which shows nothing of the cap";
    if (judgement.findings.front().problem.n != fewest) broken = "the last problem that failed is not the one reported";
  }
  return result_of(broken, "the cap is " + std::to_string(cap), coverage);
}

/// A property that fails in one way for large problems and in another way for small ones. The first way must be
/// reported.
SelfResult shrinking_keeps_the_kind(const SelfEffort& effort) {
  Distribution coverage;
  std::optional<std::string> broken;
  constexpr std::int64_t most = 500;  // elements of a problem that fails the second way
  for (std::uint64_t seed = effort.seed; seed < effort.seed + 20; ++seed) {
    Property property;
    property.name = "self/two_ways";
    property.body = [&](Case& c) {
      const bool large = c.problem.n * c.problem.k > most;
      throw Failure(large ? "mismatch" : "guard", std::to_string(c.problem.n * c.problem.k));
    };
    NeverAsked subject;
    const SubjectRow row = {"self", "never asked", false, kernel_capabilities(), nullptr};
    std::string first_kind;
    Effort drawn;
    drawn.cases = effort.cases;
    drawn.seed = seed;
    const Judgement judgement = judge(property, row, subject, drawn, [&](const Observation& seen) {
      if (first_kind.empty()) first_kind = seen.kind;
    });
    const Finding& finding = judgement.findings.at(0);
    const std::int64_t elements = finding.problem.n * finding.problem.k;
    ++coverage["began as " + first_kind];
    if (finding.kind != first_kind) broken = "began as " + first_kind + ", is reported as " + finding.kind;
    if ((elements > most) != (first_kind == "mismatch"))
      broken = "began as " + first_kind + ", ended in another problem";
    if (first_kind == "mismatch" && elements > 2 * most) broken = "was not shrunk: " + line_of(finding.problem);
  }
  if (coverage["began as mismatch"] == 0) broken = "no problem was large";
  return result_of(broken, "20 runs", coverage);
}

SelfResult shrinking_ends(const SelfEffort& effort) {
  Distribution coverage;
  std::optional<std::string> broken;
  std::int64_t longest = 0;
  std::string of_longest;
  for (const Mutant& mutant : mutants()) {
    if (effort.stop && effort.stop()) break;
    if (mutant.found_by.empty()) continue;
    const Property& property = property_of(mutant.found_by.front());
    if (property.sampling.is_fixed()) continue;  // fixed problems are not shrunk
    const SubjectRow& row = subject_row("mutant:" + mutant.name);
    const MadeSubject made = row.make();
    std::optional<std::string> first_kind;
    std::int64_t tries = 0;
    std::int64_t least = 0;
    Effort drawn;
    drawn.cases = effort.cases;
    drawn.seed = effort.seed;
    const Judgement judgement = judge(property, row, *made.subject, drawn, [&](const Observation& seen) {
      const std::int64_t elements = seen.problem.n * seen.problem.k;
      if (first_kind) ++tries;
      if (seen.status != "failed") return;
      if (!first_kind) {
        first_kind = seen.kind;
      } else if (elements > least) {
        broken = mutant.name + " shrank to a larger problem";
      }
      if (seen.kind != *first_kind) broken = mutant.name + " was " + *first_kind + " and shrank to " + seen.kind;
      least = elements;
    });
    if (judgement.findings.empty()) {
      broken = mutant.name + " was not found";
      continue;
    }
    const Finding& finding = judgement.findings.front();
    if (tries > cap + 1) broken = mutant.name + " tried " + std::to_string(tries) + " problems while it was shrunk";
    if (finding.kind != *first_kind)
      broken = mutant.name + " was " + *first_kind + " and is reported as " + finding.kind;
    if (finding.problem.n * finding.problem.k != least)
      broken = mutant.name + " is not reported by its smallest problem";
    if (tries >= longest) of_longest = mutant.name;
    longest = std::max(longest, tries);
    ++coverage["kind " + finding.kind];
    ++coverage[least <= 32 ? "shrunk to 32 elements" : least <= 1024 ? "to at most 1024" : "to more than 1024"];
  }
  coverage["most problems tried"] = longest;
  return result_of(
      broken, "at most " + std::to_string(longest) + " tries (" + of_longest + "), the cap is " + std::to_string(cap),
      coverage);
}

}  // namespace

const std::vector<HarnessProperty>& harness_properties() {
  static const std::vector<HarnessProperty> rows = {
      {"text/a_problem_parses_back_from_its_line", "problems of every property and subject, and any numbers",
       parses_back},
      {"text/problems_that_differ_print_different_lines", "in any one field, in any one bit", lines_differ},
      {"comparator/nothing_different_compares_equal", "every bit of every place, in every element type",
       nothing_different_is_equal},
      {"generators/reach_all_of_their_domains", "every property: sizes, groups, domains, types, profiles",
       domains_are_reached},
      {"generators/reach_every_class_of_value", "every profile, in every type", values_are_reached},
      {"generators/reach_every_code_at_every_nibble", "codes and words", codes_are_reached},
      {"shrinking/never_ends_in_a_larger_problem", "every mutant that is drawn", shrinking_ends},
      {"shrinking/keeps_the_kind_of_failure", "large problems that fail in one way, small ones in another",
       shrinking_keeps_the_kind},
      {"shrinking/ends_within_its_cap", "a failure that shrinks by one row at a time", slow_shrinking_ends},
  };
  return rows;
}

}  // namespace tileproof
