// Size: matrices larger than any index of 16 bits counts, in rows, supertiles, groups and scales, each as specified;
// among them a square one, which a problem that is drawn hardly ever is. They are fixed and few; what needs indices of
// more than 32 bits is index_beyond_32_bits_test.cpp's part.
#include "claim.h"
#include "specification.h"

namespace tileproof {

namespace {

Problem problem_of_shape(std::int64_t n, std::int64_t k, std::int64_t inner_k_tiles, std::int64_t group_size,
                         Domain domain) {
  Problem problem;
  problem.n = n;
  problem.k = k;
  problem.inner_k_tiles = inner_k_tiles;
  problem.group_size = group_size;
  problem.domain = domain;
  return problem;
}

void large_matrix(Case& c, Operation operation) {
  const Matrix<std::uint8_t> codes = c.codes();
  const std::vector<std::uint32_t> packed = specified::packed(codes, c.problem.inner_k_tiles);
  if (operation == Operation::pack) return c.expect_equal(c.pack(codes), packed);
  if (operation == Operation::unpack) return c.expect_equal(c.unpack(packed), specified::as_int32(codes));
  const Parameters parameters = c.parameters();
  c.expect_equal(c.dequantize(packed, parameters),
                 specified::weights(c.problem, specified::as_int32(codes), parameters));
}

}  // namespace

std::vector<Claim> size_claims() {
  std::vector<Claim> rows;
  for (const Operation operation : operations_on_the_layout) {
    rows.push_back({.name = std::string("size/") + name_of(operation) + "_of_a_large_matrix_is_as_specified",
                    .hunts = "an index of 16 bits; a row, supertile or group that wraps",
                    .needs = {operation},
                    .meets = {&partial_tile, &several_groups},
                    .draws = {.domains = {Domain::floating, Domain::integer},
                              .types = {Type::bf16},
                              .fixed = {problem_of_shape(70001, 32, 2, 32, Domain::floating),
                                        problem_of_shape(3, 32 * 40000, 2, 16, Domain::floating),
                                        problem_of_shape(5, 64 * 10240, 4, 64, Domain::floating),
                                        problem_of_shape(9, 128 * 1280, 8, 1024, Domain::integer),
                                        problem_of_shape(512, 512, 4, 128, Domain::floating)}},
                    .body = [operation](Case& c) { large_matrix(c, operation); },
                    .on_refusal = OnRefusal::failed});
  }
  return rows;
}

}  // namespace tileproof
