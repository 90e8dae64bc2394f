#include "enumerated_shapes.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <string>

namespace tileproof {

namespace {

struct Shape {
  std::int64_t n;
  std::int64_t k;
};

/// Weight matrices of decoder models: attention and both sides of the feed-forward of Llama 7B, 13B, 3 8B and 70B.
constexpr Shape shapes_of_models[] = {{4096, 4096},  {5120, 5120}, {11008, 4096}, {4096, 11008}, {14336, 4096},
                                      {4096, 14336}, {8192, 8192}, {28672, 8192}, {8192, 28672}};

/// Every tail of the last n-tile, alone and behind whole ones.
constexpr std::int64_t rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 18, 23, 40};

/// Where a supertile of 128 columns or less meets groups: smaller, equal, larger, of no power of two.
constexpr std::int64_t group_sizes[] = {16, 32, 48, 64, 96, 128, 256, 512};
constexpr std::int64_t group_sizes_of_models[] = {32, 64, 128, 256};

/// How many digits of so many bits number so many things.
std::int64_t digits_of(std::int64_t count, int bits) {
  std::int64_t digits = 1;
  for (; (count - 1) >> bits != 0; count = ((count - 1) >> bits) + 1) ++digits;
  return digits;
}

/// Every digit of every element, or of every group's parameters, in a plane and its complement.
Enumeration one_matrix(const Problem& problem, const Claim& claim) {
  const bool has_groups = claim.name.starts_with("group/");
  const bool in_whole_tiles = claim.needs.front() == Operation::pack;  // whose padding is compared too
  const std::int64_t digits =
      has_groups ? digits_of(problem.groups() * problem.n, 6) : digits_of(problem.n * problem.k, 4);
  const std::int64_t elements = (in_whole_tiles ? (problem.n + 7) / 8 * 8 : problem.n) * problem.k;
  return {.steps = 1,
          .points_of_step = static_cast<std::uint64_t>(problem.n * problem.k),
          .compared_of_step = static_cast<std::uint64_t>(2 * digits * elements),
          .point = "elements of matrices",
          .problem = [problem](std::int64_t) { return problem; },
          .order = "the smaller matrices first"};
}

template <class T>
std::vector<T> common(const std::vector<T>& wanted, const std::vector<T>& taken) {
  std::vector<T> both;
  for (const T& value : wanted) {
    if (std::find(taken.begin(), taken.end(), value) != taken.end()) both.push_back(value);
  }
  return both;
}

/// The matrices of a claim, whichever its subject takes, the small ones first.
std::vector<Enumeration> matrices_of(const Envelope& envelope, const Claim& claim) {
  const Draws& draws = claim.draws;
  const bool has_groups = claim.name.starts_with("group/");
  std::vector<Enumeration> all;
  std::set<std::string> lines;  // where rows come in eights, tails are all one
  const auto add = [&](Problem problem) {
    problem.n = (problem.n + envelope.n_multiple - 1) / envelope.n_multiple * envelope.n_multiple;
    const bool taken = problem.k % problem.group_size == 0 && envelope.takes(problem);
    if (taken && lines.insert(line_of(problem)).second) all.push_back(one_matrix(problem, claim));
  };
  const auto for_each_group_size = [&](const auto& sizes, const auto& use) {
    for (const std::int64_t group_size : sizes) {
      use(group_size);
      if (!has_groups) return;  // one will do, whatever it is
    }
  };
  for (const std::int64_t inner_k_tiles : envelope.inner_k_tiles) {
    for (const Domain domain : common(draws.domains, envelope.domains)) {
      for (const Type type : common(draws.types, envelope.types)) {
        const auto problem_of = [&](std::int64_t n, std::int64_t k, std::int64_t group_size) {
          Problem problem;
          problem.n = n;
          problem.k = k;
          problem.inner_k_tiles = inner_k_tiles;
          problem.group_size = group_size;
          problem.domain = domain;
          problem.out = type;
          return problem;
        };
        const auto small = [&](std::int64_t group_size) {
          const std::int64_t columns = std::lcm(16 * inner_k_tiles, group_size);
          for (const std::int64_t n : rows) {
            for (const std::int64_t times : {1, 2, 5}) add(problem_of(n, columns * times, group_size));
          }
        };
        const std::vector<std::int64_t>& taken = envelope.group_sizes;
        if (has_groups) {
          for_each_group_size(group_sizes, small);
        } else {
          small(taken.front());
        }
      }
    }
  }
  for (const std::int64_t inner_k_tiles : envelope.inner_k_tiles) {
    for (const Shape& shape : shapes_of_models) {
      for_each_group_size(group_sizes_of_models, [&](std::int64_t group_size) {
        Problem problem;
        problem.n = shape.n;
        problem.k = shape.k;
        problem.inner_k_tiles = inner_k_tiles;
        problem.group_size = has_groups ? group_size : envelope.group_sizes.front();
        problem.domain = common(draws.domains, envelope.domains).front();
        problem.out = common(draws.types, envelope.types).front();
        add(problem);
      });
    }
  }
  return all;
}

}  // namespace

Claim proved_over_shapes(Claim claim) {
  claim.proof = "layout";
  claim.enumerations = [claim](const Envelope& envelope) { return matrices_of(envelope, claim); };
  return claim;
}

}  // namespace tileproof
