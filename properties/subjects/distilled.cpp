#include "properties/subjects/distilled.h"

#include <algorithm>

#include "kernels/formats.h"
#include "kernels/layouts.h"
#include "properties/problem/draw.h"
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
  // Convert: each kernel of whole words, and the threads that take what those do not: other pairs, and parts of blocks.
  const auto add_convert = [&](const Format* format, const Format* format_to, std::int64_t n) {
    Problem problem;
    problem.n = n;
    problem.k = 128;
    problem.format = format;
    problem.format_to = format_to;
    problem.scheme = schemes_of(*format).front();
    problem.types = types_of(*problem.scheme, every_types()).front();
    add("bits/convert_gives_what_pack_gives_of_the_unpacked_codes", problem);
    while (draws_least_alignment(problems.back().seed)) ++problems.back().seed;  // warps take aligned memory
  };
  for (const Format* one : tinygemm_formats()) {
    for (const kernels::Layout* layout : kernels::layouts) {
      const Format* const other = format_of("format", layout->name);
      if (one == other) continue;
      add_convert(one, other, 64);
      if (std::ranges::count(tinygemm_formats(), other) == 0) add_convert(other, one, 64);
    }
  }
  add_convert(format_of("format", "awq"), format_of("format", "marlin"), 64);
  for (const char* name : {"plain", "int4pack-cpu-default", "int4pack-cpu-avx512"}) {
    add_convert(tinygemm(4), format_of("format", name), 80);
    add_convert(format_of("format", name), tinygemm(4), 80);
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
  // Dequantize of other formats: by the warps of each, and in sizes that leave parts of what they take.
  for (const kernels::Format& row : kernels::dequantized_formats) {
    const Format* const format = format_of("format", std::string(row.name()));
    const Scheme* const scheme = format->scheme_named(row.scheme);
    if (is_tinygemm(*format) || row.parameter_count() != scheme->tensor_count) continue;
    for (const Types types : types_of(*scheme, every_types())) {
      for (const std::int64_t n : {64, 24}) {
        Problem problem;
        problem.format = format;
        problem.scheme = scheme;
        problem.types = types;
        problem.group_size = 32;
        problem.n = n;
        problem.k = 256 + (n == 24 ? k_unit(*format, 32) : 0);
        const auto is_alike = [=](const OfScheme& one) { return one.scheme->zero_kind == scheme->zero_kind; };
        add(std::ranges::find_if(of_schemes, is_alike)->property, problem);
        while (draws_least_alignment(problems.back().seed)) ++problems.back().seed;
      }
    }
  }
  return problems;
}

}  // namespace tileproof
