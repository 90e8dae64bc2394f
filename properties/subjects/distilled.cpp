#include "properties/subjects/distilled.h"

#include "properties/problem/tinygemm.h"

namespace tileproof {

namespace {

constexpr std::int64_t tails[] = {16, 13, 1};              // rows: whole n-tiles, a partial last one, one row
constexpr std::int64_t half_units_of_group[] = {1, 2, 4};  // smaller than the unit of k, equal, larger

struct OfScheme {
  const Scheme* scheme;
  const char* property;
};
const OfScheme of_schemes[] = {{scheme::floating, "value/float_domain_rounds_once"},
                               {scheme::integer, "value/integer_domain_rounds_once"},
                               {scheme::none, "value/no_zero_point_rounds_once"}};
constexpr Type all_types[] = {Type::bf16, Type::fp16, Type::fp32};

}  // namespace

std::vector<Problem> distilled_problems(const std::string& subject) {
  std::vector<Problem> problems;
  const auto add = [&](const char* property, Problem problem) {
    problem.property = property;
    problem.subject = subject;
    problem.seed = problems.size() + 1;
    problems.push_back(problem);
  };
  for (const Format* format : tinygemm_formats()) {
    for (const std::int64_t n : tails) {
      Problem problem;
      problem.n = n;
      problem.k = 2 * format->layout.legal.k;
      problem.format = format;
      add("index/pack_puts_every_code_where_the_specification_says", problem);
      add("bits/unpack_reads_the_specified_nibbles_of_any_word", problem);
    }
  }
  std::size_t turn = 0;  // selects the tail, so that each meets every type and scheme
  for (const Format* format : tinygemm_formats()) {
    for (const std::int64_t half_units : half_units_of_group) {
      for (const Type type : all_types) {
        for (const OfScheme& one : of_schemes) {
          Problem problem;
          problem.n = tails[turn++ % 3];
          problem.format = format;
          problem.scheme = one.scheme;
          problem.types = type;
          problem.group_size = half_units * problem.layout().legal.k / 2;
          problem.k = 2 * k_unit(*problem.format, problem.group_size);
          add(one.property, problem);
        }
      }
      ++turn;
    }
  }
  return problems;
}

}  // namespace tileproof
