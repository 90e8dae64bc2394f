#include "properties/subjects/distilled.h"

#include <numeric>

namespace tileproof {

namespace {

constexpr std::int64_t all_inner_k_tiles[] = {2, 4, 8};
constexpr std::int64_t tails[] = {16, 13, 1};                   // rows: whole n-tiles, a part of the last, one alone
constexpr std::int64_t half_supertiles_of_group[] = {1, 2, 4};  // smaller than a supertile, equal, larger

struct OfDomain {
  Domain domain;
  const char* property;
};
constexpr OfDomain of_domains[] = {{Domain::floating, "value/float_domain_rounds_once"},
                                   {Domain::integer, "value/integer_domain_rounds_once"},
                                   {Domain::none, "value/no_zero_point_rounds_once"}};
constexpr Type types[] = {Type::bf16, Type::fp16, Type::fp32};

}  // namespace

std::vector<Problem> distilled_problems(const std::string& subject) {
  std::vector<Problem> problems;
  const auto add = [&](const char* property, Problem problem) {
    problem.property = property;
    problem.subject = subject;
    problem.seed = problems.size() + 1;
    problems.push_back(problem);
  };
  for (const std::int64_t inner_k_tiles : all_inner_k_tiles) {
    for (const std::int64_t n : tails) {
      Problem problem;
      problem.n = n;
      problem.k = 32 * inner_k_tiles;
      problem.inner_k_tiles = inner_k_tiles;
      add("index/pack_puts_every_code_where_the_specification_says", problem);
      add("bits/unpack_reads_the_specified_nibbles_of_any_word", problem);
    }
  }
  std::size_t turn = 0;  // of the tails: each meets every type and domain
  for (const std::int64_t inner_k_tiles : all_inner_k_tiles) {
    for (const std::int64_t half_supertiles : half_supertiles_of_group) {
      for (const Type type : types) {
        for (const OfDomain& one : of_domains) {
          Problem problem;
          problem.n = tails[turn++ % 3];
          problem.inner_k_tiles = inner_k_tiles;
          problem.domain = one.domain;
          problem.out = type;
          problem.group_size = half_supertiles * problem.supertile_columns() / 2;
          problem.k = 2 * std::lcm(problem.supertile_columns(), problem.group_size);
          add(one.property, problem);
        }
      }
      ++turn;
    }
  }
  return problems;
}

}  // namespace tileproof
