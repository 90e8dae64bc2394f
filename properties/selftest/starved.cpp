// Starved properties: a property that tests too little must not pass. Each row lacks one thing, and passes once that is
// supplied.
#include <rapidcheck.h>

#include <optional>

#include "properties/problem/specification.h"
#include "properties/registry.h"
#include "properties/selftest/selftest.h"

namespace tileproof {

namespace {

/// A property that holds for the control: unpack and dequantize as specified.
void as_specified(Case& c) {
  const Matrix<std::uint8_t> codes = c.codes();
  const Parameters parameters = c.parameters();
  const std::vector<std::uint32_t> packed = specified::packed(*c.problem.format, codes);
  c.expect_equal(c.unpack(packed), specified::as_int32(codes));
  c.expect_equal(c.dequantize(packed, parameters),
                 specified::weights(c.problem, specified::as_int32(codes), parameters));
}

Property starved_property(std::function<void(Case&)> body, Sampling sampling = {},
                          std::vector<const CoverageGoals*> meets = {}) {
  Property property;
  property.name = "starved/property";
  property.needs = {Operation::unpack, Operation::dequantize};
  property.meets = std::move(meets);
  property.sampling = std::move(sampling);
  property.body = std::move(body);
  return property;
}

/// A property of convert, with the goals about the format that it gives.
Property starved_property_of_convert(Sampling sampling, const CoverageGoals& wanted) {
  const auto body = [](Case& c) {
    const Matrix<std::uint8_t> codes = c.codes();
    c.expect_equal(c.convert(specified::packed(*c.problem.format, codes)),
                   specified::packed(*c.problem.format_to, codes));
  };
  sampling.of_codes = true;
  Property property = starved_property(body, std::move(sampling), {&wanted});
  property.needs = {Operation::convert};
  return property;
}

/// A property that tests too little, or a subject that does too little, and the verdict it must get.
struct StarvedRow {
  std::string name;
  std::string what;
  std::string says;  // part of the expected reason or finding
  Property starved;
  /// The property with the missing part supplied. It must pass, which shows that the missing part was the reason.
  /// Nothing if nothing can be supplied.
  std::optional<Property> fed = std::nullopt;
  SubjectRow subject = subject_row("mutant:nothing");
  Verdict wanted = Verdict::mistrusted;
  bool without_cases = false;
};

Problem shaped(std::int64_t n, std::int64_t k, const Format* format = tinygemm(2), std::int64_t group_size = 32) {
  Problem problem;
  problem.n = n;
  problem.k = k;
  problem.format = format;
  problem.group_size = group_size;
  problem.seed = 1;
  return problem;
}

Problem shaped_as_nf4(std::int64_t n, std::int64_t k) {
  Problem problem = shaped(n, k, format_of("format", "nf4"), 64);
  problem.scheme = schemes_of(*problem.format).front();
  problem.types = types_of(*problem.scheme, every_types()).front();
  return problem;
}

/// A property that requires one class of problems: starved, it gets only `only_these` problems; fed, it draws from all.
/// @param first_missed  the first of its coverage goals that the starved property misses
StarvedRow of_class(const std::string& name, const std::string& what, const CoverageGoals& wanted,
                    const std::string& first_missed, std::vector<Problem> only_these, const Sampling& fed = {}) {
  return {.name = name,
          .what = what,
          .says = "never met: " + first_missed,
          .starved = starved_property(as_specified, {.fixed = std::move(only_these)}, {&wanted}),
          .fed = starved_property(as_specified, fed, {&wanted})};
}

/// As of_class(), for a class of conversions: starved, it gets one problem.
StarvedRow of_conversions(const std::string& name, const std::string& what, const CoverageGoals& wanted,
                          const std::string& first_missed) {
  Problem only_this = shaped(8, 64);
  only_this.format_to = tinygemm(4);
  return {.name = name,
          .what = what,
          .says = "never met: " + first_missed,
          .starved = starved_property_of_convert({.fixed = {only_this}}, wanted),
          .fed = starved_property_of_convert({}, wanted)};
}

/// Refuses every call.
class Refusing : public Subject {
 public:
  Memory& memory() override { return lenient_host_memory(); }
  void run(const Call&) override { throw Refused("not today"); }
};

/// Returns from every call without doing anything.
class Idling : public Subject {
 public:
  Memory& memory() override { return lenient_host_memory(); }
  void run(const Call&) override {}
};

template <class Made>
SubjectRow row_of(const std::string& name, const std::string& what) {
  return {name, what, false, kernel_capabilities(), [] { return MadeSubject{std::make_unique<Made>(), ""}; }};
}

std::vector<StarvedRow> starved_rows() {
  const Property complete = starved_property(as_specified);
  const auto discards = [](Case&) { RC_DISCARD("not this one"); };
  const Sampling two_ways = {.variants = {"always", "sometimes"}};
  return {
      of_class("of codes", "256 codes for 128 places of a word", every_code_at_every_nibble,
               "every code at every nibble of a word", {shaped(8, 32)}),
      of_class("of special values", "scales of ordinary size alone", every_class_of_scale, "scale ",
               {shaped(64, 512), shaped(64, 1024)}, {.profiles = {"edges", "any"}}),
      of_class("of tiles", "n-tiles of eight rows alone", with_padding, "padding", {shaped(8, 64), shaped(16, 64)}),
      of_class("of formats", "tinygemm-2 and -4, never -8", every_format, "format tinygemm-8",
               {shaped(8, 64), shaped(8, 64, tinygemm(4))}),
      of_conversions("of formats that are converted to", "tinygemm-4 alone", every_format_to,
                     "converted to tinygemm-2"),
      of_conversions("of tiles that are converted to", "n-tiles of eight rows alone", with_padding_to,
                     "padding of what is converted to"),
      of_class("of groups", "one group a row", several_groups, "several groups",
               {shaped(8, 32), shaped(9, 64, tinygemm(2), 64)}),
      of_class("of group sizes", "groups no larger than a block", groups_around_a_block, "group larger than a block",
               {shaped(8, 64), shaped(8, 64, tinygemm(4))}),
      of_class("of uneven shapes", "rows of whole bytes in whole blocks", uneven_shapes,
               "rows of an odd number of columns", {shaped_as_nf4(8, 64), shaped_as_nf4(3, 128)}),
      of_class("of unusual groups", "groups of 32 and 64", unusual_groups, "group of more than 256",
               {shaped(8, 64), shaped(8, 64, tinygemm(2), 64)}),
      of_class("of many groups", "no more groups than columns of a group", more_groups_than_a_group_has_columns,
               "more groups than group_size", {shaped(8, 1024)}),
      of_class("of shapes", "square matrices alone", not_square, "not square", {shaped(32, 32), shaped(64, 64)}),
      of_class("of types", "bf16 alone", every_type, "weights fp16", {shaped(8, 64), shaped(9, 96)}),
      {"of comparisons", "a body that runs the subject and compares nothing", "no element was compared",
       starved_property([](Case& c) { c.unpack(specified::packed(*c.problem.format, c.codes())); }), complete},
      {"of values", "a body that compares one value with itself", "more than one value", starved_property([](Case& c) {
         Matrix<std::int32_t> sevens(2, 2);
         for (std::int32_t& seven : sevens.elements) seven = 7;
         c.expect_equal(sevens, sevens);
       }),
       complete},
      {"of differences unexplained", "a body that explains every element away", "all of them were explained",
       starved_property([](Case& c) {
         Matrix<std::uint32_t> got(1, 2), expected(1, 2);
         got.elements = {1, 2};
         expected.elements = {3, 4};
         c.expect_equal_or_explained(got, expected,
                                     [](std::int64_t, std::int64_t, std::uint32_t) { return "a reason"; });
       })},
      {.name = "of cases",
       .what = "a run of no case",
       .says = "no element was compared",
       .starved = complete,
       .fed = complete,
       .without_cases = true},
      {"by a generator that has nothing", "a property without a profile to draw scales from", "the generator gave up",
       starved_property(as_specified, {.profiles = {}}), complete},
      {"by a body that discards", "a body that wants none of its problems", "the generator gave up",
       starved_property(discards), complete},
      {"by a body that discards its own problems", "likewise where they are fixed", "discarded",
       starved_property(discards, {.fixed = {shaped(8, 64)}})},
      {"of a variant", "one of two ways of calling compares nothing", "never met: variant sometimes",
       starved_property(
           [](Case& c) {
             if (c.problem.variant == "always") as_specified(c);
           },
           two_ways),
       starved_property(as_specified, two_ways)},
      // A subject that does nothing either refuses every call, so that nothing is compared, or returns without writing.
      // The second is a failure, not a lack of cases: the poison is still in its output.
      {.name = "by a subject that takes nothing",
       .what = "every call is refused: there is nothing to trust",
       .says = "the subject refuses every case",
       .starved = complete,
       .subject = row_of<Refusing>("refusing", "takes nothing")},
      {.name = "by a subject that writes nothing",
       .what = "every call returns at once: FAILED, which is more than MISTRUSTED",
       .says = "never wrote",
       .starved = complete,
       .subject = row_of<Idling>("idling", "writes nothing"),
       .wanted = Verdict::failed},
  };
}

SelfResult judged(const StarvedRow& row, const SelfEffort& effort) {
  const auto judged_on_subject = [&](const Property& property, std::int64_t cases) {
    return judge(property, row.subject, *row.subject.make().subject, {.cases = cases, .seed = effort.seed});
  };
  const Judgement judgement = judged_on_subject(row.starved, row.without_cases ? 0 : effort.cases);
  const std::string said = judgement.findings.empty() ? judgement.reason : judgement.findings.front().details;
  const std::string verdict = name_of(judgement.verdict), wanted = name_of(row.wanted);
  const bool as_wanted = judgement.verdict == row.wanted && said.find(row.says) != std::string::npos;
  const bool fed = !row.fed || judged_on_subject(*row.fed, effort.cases).verdict == Verdict::passed;
  SelfResult result;
  result.verdict = as_wanted && fed ? SelfVerdict::held : SelfVerdict::broken;
  result.said = verdict + ": " + said;
  if (!as_wanted) result.details = "wanted " + wanted + ": " + row.says;
  if (!fed) result.details += " does not pass where it is fed";
  result.fields = {{"row", row.name}, {"what", row.what}, {"wanted", wanted}, {"verdict", verdict}, {"reason", said}};
  return result;
}

}  // namespace

SelfProof proof_of_starved_properties() {
  SelfProof proof = {.name = "starved",
                     .what = "a property that looked at too little is MISTRUSTED, and is not once it is fed"};
  for (const StarvedRow& row : starved_rows()) {
    proof.steps.push_back({row.name, [row](const SelfEffort& effort) { return judged(row, effort); }});
  }
  proof.summary = [](const std::vector<SelfResult>& results) { return tally(results, "rows", "as wanted"); };
  return proof;
}

}  // namespace tileproof
