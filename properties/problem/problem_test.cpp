// A problem equals the line it prints, and an unusable line or problem is refused with the name of the argument.
#include "properties/problem/problem.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <limits>
#include <sstream>

#include "properties/problem/rapidcheck_quietly.h"
#include "properties/problem/tinygemm.h"
#include "properties/problem/values.h"

namespace tileproof {

namespace {

/// Checks a property with a fixed seed, so that a failure repeats.
template <class Property>
testing::AssertionResult holds(const Property& property) {
  const rc::detail::TestResult result = checked_quietly(property, 20260111, 1000);
  if (result.is<rc::detail::SuccessResult>()) return testing::AssertionSuccess();
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  return testing::AssertionFailure() << text.str();
}

/// Any 64-bit number; the smallest and the largest are drawn more often.
rc::Gen<std::int64_t> any_number() {
  using Limits = std::numeric_limits<std::int64_t>;
  return rc::gen::weightedOneOf<std::int64_t>(
      {{3, rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::int64_t>())},
       {1, rc::gen::elementOf(std::vector<std::int64_t>{Limits::min(), -1, 0, 1, 16, Limits::max()})}});
}

/// Everything, or elements of which the first and the end may be any.
rc::Gen<Span> any_span() {
  return rc::gen::map(rc::gen::pair(any_number(), any_number()), [](const auto& both) {
    Span span;
    if (both.first >= 0 && both.second >= both.first) span = {both.first, both.second};
    return span;
  });
}

/// Problems with arbitrary numbers. A line need not be a possible problem.
rc::Gen<Problem> any_problem() {
  const auto names =
      rc::gen::tuple(rc::gen::elementOf(std::vector<std::string>{"a/b", "value/float=once", "x"}),
                     rc::gen::elementOf(std::vector<std::string>{"host", "mutant:two-roundings"}),
                     rc::gen::elementOf(std::vector<std::string>{"ordinary", "mixed", "no-such-profile"}),
                     rc::gen::elementOf(std::vector<std::string>{"", "one", "scales:one-group-too-few"}));
  const auto numbers = rc::gen::tuple(any_number(), any_number(), any_number());
  const auto type = rc::gen::element(Type::bf16, Type::fp16, Type::fp32);
  std::vector<const Format*> formats_to = every_format_there_is();
  formats_to.insert(formats_to.begin(), formats_to.size(), nullptr);
  const auto kinds =
      rc::gen::tuple(rc::gen::elementOf(every_format_there_is()), rc::gen::elementOf(formats_to),
                     rc::gen::arbitrary<std::uint8_t>(), type, type, any_number(), any_span(), any_span());
  return rc::gen::map(rc::gen::tuple(names, numbers, kinds), [](const auto& drawn) {
    Problem p;
    std::size_t scheme_index = 0;
    std::int64_t seed = 0;
    std::tie(p.property, p.subject, p.profile, p.variant) = std::get<0>(drawn);
    std::tie(p.n, p.k, p.group_size) = std::get<1>(drawn);
    std::tie(p.format, p.format_to, scheme_index, p.types.weight, p.types.parameter, seed, p.codes, p.parameters) =
        std::get<2>(drawn);
    p.scheme = schemes_of(*p.format)[scheme_index % schemes_of(*p.format).size()];
    p.experts = p.n;
    p.seed = static_cast<std::uint64_t>(seed);
    return p;
  });
}

/// The error text of a call that refuses; "" if it does not.
template <class Call>
std::string validate(const Call& call) {
  try {
    call();
    return "";
  } catch (const UsageError& illegal) {
    return illegal.what();
  }
}

void expect_refused(const std::string& message, const std::vector<std::string>& parts) {
  EXPECT_NE(message, "") << "was accepted";
  for (const std::string& part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << part << " is not in: " << message;
}

TEST(ProblemLine, ParsesBackToTheProblemThatPrintedIt) {
  EXPECT_TRUE(holds([] {
    const Problem problem = *any_problem();
    RC_ASSERT(problem_of(line_of(problem)) == problem);
    RC_ASSERT(line_of(problem_of(line_of(problem))) == line_of(problem));
  }));
}

TEST(ProblemLine, DiffersForProblemsThatDifferInAnyOneField) {
  const Problem base = problem_of("--property=c --subject=s");
  std::vector<Problem> problems(16, base);
  problems[1].property = "d";
  problems[2].subject = "t";
  problems[3].n = 9;
  problems[4].k = 64;
  problems[5].format = tinygemm(4);
  problems[6].group_size = 16;
  problems[7].scheme = scheme::none;
  problems[8].types.weight = Type::fp32;
  problems[9].profile = "edges";
  problems[10].seed = 1;
  problems[11].variant = "one";
  problems[12].variant = "two";
  problems[13].experts = 2;
  problems[14].types.parameter = Type::fp32;
  problems[15].format_to = tinygemm(4);
  for (std::size_t i = 0; i < problems.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(line_of(problems[i]), line_of(problems[j]));
  }
}

TEST(ProblemLine, IsWhatTheDesignSays) {
  Problem problem;
  problem.property = "value/float_domain_rounds_once";
  problem.subject = "cuda";
  problem.n = 24;
  problem.k = 96;
  problem.profile = "edges";
  problem.seed = 0xbeef;
  EXPECT_EQ(line_of(problem),
            "--property=value/float_domain_rounds_once --subject=cuda --format=tinygemm-2 --scheme=float "
            "--n=24 --k=96 --group-size=32 --weight-type=bf16 --parameter-type=bf16 --profile=edges --seed=0xbeef");
}

TEST(ProblemLine, NamesTheVariantWhereThereIsOne) {
  Problem problem = problem_of("--property=c --subject=s");
  EXPECT_EQ(line_of(problem).find("--variant"), std::string::npos);
  problem.variant = "scales_and_zeros:one-group-too-few";
  EXPECT_NE(line_of(problem).find(" --variant=scales_and_zeros:one-group-too-few "), std::string::npos)
      << line_of(problem);
  EXPECT_EQ(problem_of(line_of(problem)), problem);
}

TEST(ProblemLine, NamesTheFormatThatIsConvertedToWhereThereIsOne) {
  Problem problem = problem_of("--property=c --subject=s");
  EXPECT_EQ(line_of(problem).find("--format-to"), std::string::npos) << "lines of before stay as they are";
  problem.format_to = tinygemm(8);
  EXPECT_NE(line_of(problem).find(" --format=tinygemm-2 --format-to=tinygemm-8 "), std::string::npos)
      << line_of(problem);
  EXPECT_EQ(problem_of(line_of(problem)), problem);
}

TEST(ProblemLine, NamesTheExpertsWhereThereAreSeveral) {
  Problem problem = problem_of("--property=c --subject=s");
  EXPECT_EQ(line_of(problem).find("--experts"), std::string::npos) << "lines of before stay as they are";
  problem.experts = 3;
  EXPECT_NE(line_of(problem).find(" --experts=3"), std::string::npos) << line_of(problem);
  EXPECT_EQ(problem_of(line_of(problem)), problem);
}

TEST(ProblemLine, MayLeaveFieldsOutAndTakesAnyOrderAndSpace) {
  const Problem problem = problem_of("  --seed=17\t--n=5   --subject=s --property=c ");
  EXPECT_EQ(line_of(problem),
            "--property=c --subject=s --format=tinygemm-2 --scheme=float --n=5 --k=32 --group-size=32 "
            "--weight-type=bf16 --parameter-type=bf16 "
            "--profile=ordinary "
            "--seed=0x11");
  EXPECT_EQ(problem_of("--property=c --subject=s --seed=0XfFfFfFfFfFfFfFfF").seed, ~std::uint64_t{0});
}

TEST(ProblemLine, WithABadValueIsRefusedByFlagValueAndWhatIsLegal) {
  struct Row {
    std::string flag, value, legal;
  };
  std::vector<Row> rows = {{"--scheme", "floating", "float, integer, none"},
                           {"--scheme", "", "float, integer, none"},
                           {"--format", "tinygemm-3", "tinygemm-2, tinygemm-4, tinygemm-8"},
                           {"--format", "", "tinygemm-2, tinygemm-4, tinygemm-8"},
                           {"--format-to", "awk", "tinygemm-2, tinygemm-4, tinygemm-8"},
                           {"--format-to", "", "tinygemm-2, tinygemm-4, tinygemm-8"},
                           {"--weight-type", "double", "bf16, fp16, fp32"},
                           {"--parameter-type", "BF16", "bf16, fp16, fp32"}};
  for (const char* flag : {"--n", "--k", "--group-size", "--experts"}) {
    for (const char* value : {"", "x", "8x", "8.0", "0x8", "+8", "9223372036854775808"})
      rows.push_back({flag, value, "a whole number"});
  }
  for (const char* value : {"", "0x", "-1", "0x-1", "beef", "0xg", "0x10000000000000000", "18446744073709551616"}) {
    rows.push_back({"--seed", value, "at most 64 bits"});
  }
  for (const Row& row : rows) {
    SCOPED_TRACE(row.flag + "=" + row.value);
    expect_refused(validate([&] { problem_of("--property=c --subject=s " + row.flag + "=" + row.value); }),
                   {row.flag + ":", "'" + row.value + "'", row.legal});
  }
}

TEST(ProblemLine, WithAnUnknownFlagIsRefusedByListingTheKnown) {
  for (const std::string word : {"--m=3", "--N=3", "-n=3", "n=3", "--n", "3", "=", "--properties=c"}) {
    SCOPED_TRACE(word);
    expect_refused(validate([&] { problem_of("--property=c --subject=s " + word); }),
                   {"'" + word + "'", "FLAG=VALUE", "--property", "--subject", "--n ", "--k ", "--format", "--scheme",
                    "--group-size", "--weight-type", "--parameter-type", "--profile", "--seed"});
  }
}

TEST(ProblemLine, WithAFlagGivenTwiceIsRefused) {
  expect_refused(validate([] { problem_of("--property=c --subject=s --k=32 --n=8 --k=32"); }),
                 {"'--k'", "twice", "once"});
}

TEST(ProblemLine, WithoutAPropertyOrASubjectIsRefused) {
  for (const std::string line : {"", "   ", "--subject=s --n=8", "--property= --subject=s"}) {
    SCOPED_TRACE("'" + line + "'");
    expect_refused(validate([&] { problem_of(line); }), {"no --property", "--property=NAME"});
  }
  for (const std::string line : {"--property=c", "--property=c --subject="}) {
    SCOPED_TRACE("'" + line + "'");
    expect_refused(validate([&] { problem_of(line); }), {"no --subject", "--subject=NAME"});
  }
}

constexpr std::int64_t most_elements = std::int64_t{1} << 40;
constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();

/// A problem with these flags, and defaults otherwise.
Problem problem_with(const std::string& flags) { return problem_of("--property=c --subject=s " + flags); }

TEST(ProblemPossible, IsEverythingThatDataCanExistFor) {
  for (const char* flags : {"",
                            "--n=0",
                            "--k=0",
                            "--n=0 --k=0 --group-size=256",
                            "--n=1",
                            "--n=13 --k=96 --group-size=48",
                            "--k=96 --group-size=96",
                            "--k=64 --group-size=16",
                            "--k=64 --format=tinygemm-4",
                            "--k=128 --format=tinygemm-8 --group-size=128",
                            "--n=34359738367 --k=32",  // n * k is 2^40 - 32
                            "--n=1099511627776 --k=0",
                            "--n=0 --k=1099511627776",
                            "--format=plain --n=4 --k=16 --group-size=16",
                            "--format=nf4 --n=3 --k=48 --group-size=64 --scheme=nf4 --parameter-type=fp32",
                            "--format=nf4 --n=3 --k=5 --group-size=64 --scheme=nf4 --parameter-type=fp32",
                            "--format=fp4 --n=1 --k=1 --group-size=4096 --scheme=fp4 --parameter-type=fp32",
                            "--format=plain --n=1 --k=2 --group-size=2",
                            "--format=plain --format-to=awq --n=8 --k=48 --group-size=16",
                            "--format-to=plain-int32",
                            "--format=plain --n=3 --k=18 --group-size=6",
                            "--format=awq --n=8 --k=33 --group-size=33",
                            "--format=gptq --n=8 --k=24 --group-size=8",
                            "--format=pack-quantized --n=3 --k=9 --group-size=9",
                            "--format=plain-int32 --n=3 --k=8 --group-size=8",
                            "--format=q4_0 --n=1 --k=32 --weight-type=fp32 --parameter-type=fp16"}) {
    EXPECT_EQ(validate([&] { require_possible(problem_with(flags)); }), "") << flags;
  }
  for (const Profile& profile : profiles()) {
    EXPECT_EQ(validate([&] { require_possible(problem_with(std::string("--profile=") + profile.name)); }), "")
        << profile.name;
  }
}

TEST(ProblemPossible, IsNothingElse) {
  struct Row {
    const char* flags;
    std::vector<std::string> parts;  // of the message: argument, value given, what is legal
  };
  const Row rows[] = {
      {"--k=16 --group-size=16", {"--k:", "given 16,", "positive multiple of 32, as tinygemm-2 has it"}},
      {"--k=33", {"--k:", "given 33,", "multiple of 32"}},
      {"--k=96 --format=tinygemm-4", {"--k:", "given 96,", "multiple of 64, as tinygemm-4"}},
      {"--k=192 --format=tinygemm-8", {"--k:", "given 192,", "multiple of 128, as tinygemm-8"}},
      {"--k=-32", {"--k:", "given -32,", "multiple of 32"}},
      {"--format=plain --n=1 --k=3 --group-size=3", {"--k: given 3, legal is 0 or a positive multiple of 2, as plain"}},
      {"--format=plain --n=4 --k=8 --group-size=3",
       {"--group-size:", "given 3,", "a positive number that divides k = 8"}},
      {"--format=gptq --n=8 --k=12 --group-size=12",
       {"--k: given 12, legal is 0 or a positive multiple of 8, as gptq"}},
      {"--format=awq --n=4 --k=33 --group-size=33", {"--n: given 4, legal is 0 or a positive multiple of 8, as awq"}},
      {"--format=mxfp4 --n=1 --k=33 --parameter-type=e8m0", {"--k: given 33,", "multiple of 2, as mxfp4"}},
      {"--format=q4_0 --n=1 --k=16 --weight-type=fp32 --parameter-type=fp16", {"--k: given 16,", "multiple of 32"}},
      {"--format=marlin --n=64 --k=24 --group-size=24", {"--k: given 24,", "multiple of 16, as marlin"}},
      {"--format=nf4 --n=4 --k=24 --group-size=48 --parameter-type=fp32",
       {"--group-size: given 48, legal is 32, 64, 128, 256, 512, 1024, 2048, 4096"}},
      {"--n=-1", {"--n:", "given -1,", "0 or more"}},
      {"--n=-9223372036854775808", {"--n:", "given -9223372036854775808,", "0 or more"}},
      {"--n=9223372036854775807", {"--n:", "given 9223372036854775807,", "at most 2^40"}},
      {"--n=1099511627777", {"--n:", "given 1099511627777,", "at most 2^40"}},
      {"--n=2 --k=1099511627776", {"--k:", "given 1099511627776,", "at most 2^40"}},
      {"--n=1099511627776", {"--k:", "given 32,", "at most 2^40"}},
      {"--n=0 --k=9223372036854775776", {"--k:", "given 9223372036854775776,", "at most 2^40"}},
      {"--n=4294967296 --k=4294967296", {"--k:", "given 4294967296,", "at most 2^40"}},  // n * k wraps to 0
      {"--experts=0", {"--experts:", "given 0,", "1 or more"}},
      {"--experts=-1", {"--experts:", "given -1,", "1 or more"}},
      {"--n=4294967296 --k=32 --experts=4294967296", {"--experts:", "given 4294967296,", "at most 2^40"}},
      {"--group-size=0", {"--group-size:", "given 0,", "positive multiple of 16 that divides k = 32"}},
      {"--group-size=-32", {"--group-size:", "given -32,", "divides k = 32"}},
      {"--group-size=-9223372036854775808", {"--group-size:", "divides k = 32"}},
      {"--group-size=9223372036854775807", {"--group-size:", "divides k = 32"}},
      {"--group-size=8", {"--group-size:", "given 8,", "multiple of 16"}},
      {"--k=96 --group-size=24",
       {"--group-size:", "given 24,", "multiple of 16"}},  // divides k, but is not a multiple of 16
      // is a multiple of 16, but does not divide k
      {"--k=96 --group-size=64", {"--group-size:", "given 64,", "divides k = 96"}},
      {"--group-size=64", {"--group-size:", "given 64,", "divides k = 32"}},
      {"--format-to=tinygemm-2", {"--format-to:", "given 'tinygemm-2',", "legal is tinygemm-4", "are converted"}},
      {"--format-to=q4_0", {"--format-to:", "given 'q4_0',", "tinygemm-4, ", "between which codes are converted"}},
      {"--format=q4_0 --format-to=plain --weight-type=fp32 --parameter-type=fp16",
       {"--format:", "given 'q4_0',", "legal is tinygemm-2, ", "between which codes are converted"}},
      {"--format-to=awq --n=4", {"--n:", "given 4,", "positive multiple of 8, as awq has it"}},
      {"--format-to=tinygemm-4", {"--k:", "given 32,", "positive multiple of 64, as tinygemm-4 has it"}},
      {"--profile=no-such", {"--profile:", "'no-such'", "ordinary", "mixed"}},
      {"--profile=", {"--profile:", "''", "ordinary", "mixed"}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.flags);
    expect_refused(validate([&] { require_possible(problem_with(row.flags)); }), row.parts);
  }
}

TEST(ProblemPossible, IsNoProblemOfMoreElementsThanItSays) {
  constexpr std::int64_t most = std::int64_t{1} << 40;
  const auto around_a_power =
      rc::gen::map(rc::gen::pair(rc::gen::inRange(0, 41), rc::gen::inRange<std::int64_t>(-2, 3)),
                   [](const auto& drawn) { return (std::int64_t{1} << drawn.first) + drawn.second; });
  int possible = 0;
  int impossible = 0;
  EXPECT_TRUE(holds([&] {
    Problem problem = problem_with("");
    problem.n = *around_a_power;
    problem.k = *around_a_power / 32 * 32;
    const bool refused = validate([&] { require_possible(problem); }) != "";
    ++(refused ? impossible : possible);
    const bool within = problem.n >= 0 && (problem.n == 0 || problem.k <= most / problem.n);
    // The check divides by n + 1 so that it cannot overflow, and therefore refuses some products slightly below 2^40.
    const bool clearly_within = problem.n >= 0 && problem.n <= most && problem.k <= most / (problem.n + 1);
    RC_ASSERT((refused ? !clearly_within : within));
  }));
  EXPECT_GT(possible, 100);
  EXPECT_GT(impossible, 100);
}

TEST(Types, HaveTheirFormatsAndSizes) {
  EXPECT_EQ(float_format_of(Type::bf16), (reference::FloatFormat{8, 7}));
  EXPECT_EQ(float_format_of(Type::fp16), (reference::FloatFormat{5, 10}));
  EXPECT_EQ(float_format_of(Type::fp32), (reference::FloatFormat{8, 23}));
  EXPECT_EQ(bytes_of(Type::bf16), 2);
  EXPECT_EQ(bytes_of(Type::fp16), 2);
  EXPECT_EQ(bytes_of(Type::fp32), 4);
}

}  // namespace

}  // namespace tileproof
