// Starved properties: a property that tests too little must not pass. Each row lacks one thing, and passes once that is
// supplied.
#include <rapidcheck.h>

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

Property starved_property(std::vector<const CoverageGoals*> meets, Sampling sampling,
                          std::function<void(Case&)> body = as_specified) {
  Property property;
  property.name = "starved/property";
  property.needs = {Operation::unpack, Operation::dequantize};
  property.meets = std::move(meets);
  property.sampling = std::move(sampling);
  property.body = std::move(body);
  return property;
}

using Judged = std::function<Judgement(const SelfEffort&)>;

Judged on_subject(const Property& property, const SubjectRow& row) {
  return [=](const SelfEffort& effort) {
    const MadeSubject made = row.make();
    Effort drawn;
    drawn.cases = effort.cases;
    drawn.seed = effort.seed;
    return judge(property, row, *made.subject, drawn);
  };
}

Judged on_control(const Property& property) {
  return [=](const SelfEffort& effort) { return on_subject(property, subject_row("mutant:nothing"))(effort); };
}

Problem shaped(std::int64_t n, std::int64_t k, const Format* format = tinygemm(2), std::int64_t group_size = 32) {
  Problem problem;
  problem.n = n;
  problem.k = k;
  problem.format = format;
  problem.group_size = group_size;
  problem.seed = 1;
  return problem;
}

/// A property that requires one class of problems: starved, it gets only `only_these` problems; fed, it draws from all.
/// @param first_missed  the first of its coverage goals that the starved property misses
StarvedRow of_class(const std::string& name, const std::string& what, const CoverageGoals& wanted,
                    const std::string& first_missed, std::vector<Problem> only_these, const Sampling& fed = {}) {
  return {.name = name,
          .what = what,
          .wanted = Verdict::mistrusted,
          .says = "never met: " + first_missed,
          .judged = on_control(starved_property({&wanted}, {.fixed = std::move(only_these)})),
          .fed = on_control(starved_property({&wanted}, fed))};
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

}  // namespace

const std::vector<StarvedRow>& starved_rows() {
  static const std::vector<StarvedRow> rows = [] {
    std::vector<StarvedRow> all = {
        of_class("of codes", "256 codes for 128 places of a word", every_code_at_every_nibble,
                 "every code at every nibble of a word", {shaped(8, 32)}),
        of_class("of special values", "scales of ordinary size alone", every_class_of_scale, "scale ",
                 {shaped(64, 512), shaped(64, 1024)}, {.profiles = {"edges", "any"}}),
        of_class("of tiles", "n-tiles of eight rows alone", with_padding, "padding", {shaped(8, 64), shaped(16, 64)}),
        of_class("of formats", "tinygemm-2 and -4, never -8", every_format, "format tinygemm-8",
                 {shaped(8, 64), shaped(8, 64, tinygemm(4))}),
        of_class("of groups", "one group a row", several_groups, "several groups",
                 {shaped(8, 32), shaped(9, 64, tinygemm(2), 64)}),
        of_class("of group sizes", "groups no larger than a block", groups_around_a_block, "group larger than a block",
                 {shaped(8, 64), shaped(8, 64, tinygemm(4))}),
        of_class("of unusual groups", "groups of 32 and 64", unusual_groups, "group of more than 256",
                 {shaped(8, 64), shaped(8, 64, tinygemm(2), 64)}),
        of_class("of many groups", "no more groups than columns of a group", more_groups_than_a_group_has_columns,
                 "more groups than group_size", {shaped(8, 1024)}),
        of_class("of shapes", "square matrices alone", not_square, "not square", {shaped(32, 32), shaped(64, 64)}),
        of_class("of types", "bf16 alone", every_type, "weights fp16", {shaped(8, 64), shaped(9, 96)}),
    };
    const auto add = [&all](const std::string& name, const std::string& what, const std::string& says, Judged judged,
                            Judged fed = nullptr) {
      all.push_back({name, what, Verdict::mistrusted, says, std::move(judged), std::move(fed)});
    };
    const auto fed = on_control(starved_property({}, {}));
    add("of comparisons", "a body that runs the subject and compares nothing", "no element was compared",
        on_control(
            starved_property({}, {}, [](Case& c) { c.unpack(specified::packed(*c.problem.format, c.codes())); })),
        fed);
    add("of values", "a body that compares one value with itself", "more than one value",
        on_control(starved_property({}, {},
                                    [](Case& c) {
                                      Matrix<std::int32_t> sevens(2, 2);
                                      for (std::int32_t& seven : sevens.elements) seven = 7;
                                      c.expect_equal(sevens, sevens);
                                    })),
        fed);
    add("of differences unexplained", "a body that explains every element away", "all of them were explained",
        on_control(starved_property({}, {}, [](Case& c) {
          Matrix<std::uint32_t> got(1, 2), expected(1, 2);
          got.elements = {1, 2};
          expected.elements = {3, 4};
          c.expect_equal_or_explained(got, expected,
                                      [](std::int64_t, std::int64_t, std::uint32_t) { return "a reason"; });
        })));
    add(
        "of cases", "a run of no case", "no element was compared",
        [](const SelfEffort& effort) {
          SelfEffort none = effort;
          none.cases = 0;
          return on_control(starved_property({}, {}))(none);
        },
        fed);
    add("by a generator that has nothing", "a property without a profile to draw scales from", "the generator gave up",
        on_control(starved_property({}, {.profiles = {}})), fed);
    add("by a body that discards", "a body that wants none of its problems", "the generator gave up",
        on_control(starved_property({}, {}, [](Case&) { RC_DISCARD("not this one"); })), fed);
    add("by a body that discards its own problems", "likewise where they are fixed", "discarded",
        on_control(starved_property({}, {.fixed = {shaped(8, 64)}}, [](Case&) { RC_DISCARD("not this one"); })));
    add("of a variant", "one of two ways of calling compares nothing", "never met: variant sometimes",
        on_control(starved_property({}, {.variants = {"always", "sometimes"}},
                                    [](Case& c) {
                                      if (c.problem.variant == "always") as_specified(c);
                                    })),
        on_control(starved_property({}, {.variants = {"always", "sometimes"}})));
    // A subject that does nothing either refuses every call, so that nothing is compared, or returns without writing.
    // The second is a failure, not a lack of cases: the poison is still in its output.
    add("by a subject that takes nothing", "every call is refused: there is nothing to trust",
        "the subject refuses every case",
        on_subject(starved_property({}, {}), row_of<Refusing>("refusing", "takes nothing")));
    all.push_back({.name = "by a subject that writes nothing",
                   .what = "every call returns at once: FAILED, which is more than MISTRUSTED",
                   .wanted = Verdict::failed,
                   .says = "never wrote",
                   .judged = on_subject(starved_property({}, {}), row_of<Idling>("idling", "writes nothing"))});
    return all;
  }();
  return rows;
}

}  // namespace tileproof
