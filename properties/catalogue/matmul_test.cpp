// The measurements that the properties about matmul report beside their verdict.
#include "properties/judging/properties_for_tests.h"
#include "properties/registry.h"
#include "properties/subjects/mutable_operators_for_tests.h"

namespace tileproof {

namespace {

TEST(RandomMatmul, ReportsItsLargestErrorByTheBinadeOfK) {
  const Property& property = property_of("matmul/of_random_activations_is_within_the_inner_product_bound");
  const Capabilities capabilities = library_capabilities({Operation::matmul});
  MutableOperators subject;
  Coverage all;
  for (const std::int64_t k : {64, 96, 128}) {
    Problem problem = problem_with("--n=16 --format=tinygemm-2 --group-size=32 --profile=ordinary --seed=7");
    problem.k = k;
    Coverage coverage;
    EXPECT_FALSE(InThisProcess(capabilities, subject).run(property, problem, coverage).finding.has_value());
    all.add(coverage);
  }
  ASSERT_EQ(all.largest.size(), 2u);  // k = 64 and 96 share a binade
  for (const char* k : {"64..127", "128..255"}) {
    const auto found =
        all.largest.find(std::string("largest error of a sum of ") + k + " terms, in units of the inner product bound");
    ASSERT_NE(found, all.largest.end()) << k;
    EXPECT_GT(found->second.value, 0);
    EXPECT_LE(found->second.value, 1);
    EXPECT_SAYS(found->second.where, "row ");
    EXPECT_SAYS(found->second.where, "--seed=0x7");
  }
}

}  // namespace

}  // namespace tileproof
