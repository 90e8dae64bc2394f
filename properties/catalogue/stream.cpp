// Streams and devices: an operator runs where its caller is, and waits for nobody.
#include "properties/catalogue/of_tensors.h"

#include "properties/catalogue/properties.h"

namespace tileproof {

namespace {

struct MannerRow {
  const char* variant;
  Manner manner;
};
constexpr MannerRow manners[] = {{"slow-producer", Manner::slow_producer},
                                 {"two-streams", Manner::two_streams},
                                 {"graph", Manner::graph},
                                 {"no-synchronization", Manner::no_synchronization}};

std::vector<std::string> manner_variants() {
  std::vector<std::string> names;
  for (const MannerRow& row : manners) names.push_back(row.variant);
  return names;
}

void in_a_manner(Case& c, Operation operation, Manner manner) {
  const CallData data = drawn_data(c, operation);
  const OperatorCall decoy = legal_call(c.problem, operation, other_data(c, operation, 1));
  expect_specified(c, operation, data, c.call(legal_call(c.problem, operation, data), manner, &decoy));
}

void streams_are_followed(Case& c, Operation operation) {
  for (const MannerRow& row : manners) {
    if (c.problem.variant == row.variant) in_a_manner(c, operation, row.manner);
  }
}

}  // namespace

std::vector<Property> stream_properties() {
  std::vector<Property> rows;
  for (const Operation operation : all_operations) {
    rows.push_back(tensor_property("stream", operation, "follows_the_current_stream",
                                   "the default stream; hidden synchronization; no graph capture",
                                   tensor_sampling(operation, manner_variants()), streams_are_followed));
  }
  for (const Operation operation : all_operations) {
    rows.push_back(tensor_property("device", operation, "runs_on_the_device_of_its_tensors",
                                   "the current device for the tensors'", tensor_sampling(operation),
                                   [](Case& c, Operation one) { in_a_manner(c, one, Manner::second_device); }));
  }
  for (Property& property : rows) property.on_refusal = OnRefusal::failed;
  return rows;
}

}  // namespace tileproof
