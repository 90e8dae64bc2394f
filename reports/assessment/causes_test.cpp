// The order of findings: the most diagnostic one comes first.
#include "reports/assessment/causes.h"

#include <gtest/gtest.h>

#include "reports/assessment/groups.h"
#include "reports/records/records_for_tests.h"

namespace tileproof::reports {

namespace {

json failed(const std::string& property, const std::string& cause = "", const std::string& kind = "mismatch",
            const std::string& subject = "host") {
  json one = judgement(property, subject, "FAILED");
  one["findings"][0]["kind"] = kind;
  if (!cause.empty()) one["findings"][0]["cause"] = cause;
  return one;
}

std::vector<std::string> order(const std::vector<json>& judgements) {
  const Summary all = read(summary(judgements));
  std::vector<std::string> properties;
  for (const Failure& failure : failures_of(all)) properties.push_back(failure.judgement->property);
  return properties;
}

using Names = std::vector<std::string>;

TEST(OrderOfCause, IsMemoryThenLayoutThenGroupThenValueThenArithmetic) {
  EXPECT_EQ(
      order({failed("sense/a"), failed("difference/a"), failed("arithmetic/a"), failed("value/a"), failed("codes/a"),
             failed("group/a"), failed("bits/a"), failed("index/a"), failed("read/a"), failed("write/a")}),
      (Names{"write/a", "read/a", "index/a", "bits/a", "group/a", "value/a", "codes/a", "arithmetic/a", "sense/a",
             "difference/a"}));
}

TEST(OrderOfCause, PutsAGuardAndACrashFirstWhateverTheProperty) {
  EXPECT_EQ(order({failed("index/a"), failed("value/a", "", "guard"), failed("sense/a", "", "crash")}),
            (Names{"value/a", "sense/a", "index/a"}));
}

TEST(OrderOfCause, PutsTheValueBeforeAnIndexThatOnlySeemsWrong) {
  EXPECT_EQ(order({failed("index/a", "value"), failed("bits/a"), failed("codes/a"), failed("group/a")}),
            (Names{"group/a", "codes/a", "index/a", "bits/a"}));
  // index/b shows an index that is really wrong, which explains the wrong codes.
  EXPECT_EQ(order({failed("index/a", "value"), failed("index/b"), failed("bits/a"), failed("value/a")}),
            (Names{"index/b", "bits/a", "value/a", "index/a"}));
}

TEST(OrderOfCause, PutsStaleDataBeforeTheIndexThatItSeemsToBe) {
  EXPECT_EQ(order({failed("value/a"), failed("bits/a"), failed("index/a", "state")}),
            (Names{"index/a", "bits/a", "value/a"}));
}

TEST(OrderOfCause, HoldsForWhatACampaignFound) {
  json one = campaign_finding("value/a on host: float", "flaky"),
       other = campaign_finding("write/a on host: float", "flaky");
  other["kind"] = "guard";
  const Campaign found = read_campaign(campaign({one, other}));
  const std::vector<const CampaignFinding*> ordered = in_order_of_cause(found);
  ASSERT_EQ(ordered.size(), 2u);
  EXPECT_EQ(ordered[0]->fingerprint, "write/a on host: float");
}

}  // namespace

}  // namespace tileproof::reports
