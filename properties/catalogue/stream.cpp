// Streams and devices: an operator runs on its caller's stream and device, and waits for nothing else.
#include "properties/catalogue/of_tensors.h"

#include "properties/catalogue/properties.h"

namespace tileproof {

namespace {

struct CallModeRow {
  const char* variant;
  CallMode mode;
};
constexpr CallModeRow call_modes[] = {{"slow-producer", CallMode::slow_producer},
                                      {"two-streams", CallMode::two_streams},
                                      {"graph", CallMode::graph},
                                      {"no-synchronization", CallMode::no_synchronization}};

std::vector<std::string> call_mode_variants() {
  std::vector<std::string> names;
  for (const CallModeRow& row : call_modes) names.push_back(row.variant);
  return names;
}

void in_a_mode(Case& c, Operation operation, CallMode mode) {
  const CallData data = drawn_data(c, operation);
  const OperatorCall alternate = legal_call(c.problem, operation, other_data(c, operation, 1));
  expect_specified(c, operation, data, c.call(legal_call(c.problem, operation, data), mode, &alternate));
}

void streams_are_followed(Case& c, Operation operation) {
  for (const CallModeRow& row : call_modes) {
    if (c.problem.variant == row.variant) in_a_mode(c, operation, row.mode);
  }
}

}  // namespace

std::vector<Property> stream_properties() {
  std::vector<Property> rows;
  for (const Operation operation : all_operations) {
    rows.push_back(tensor_property("stream", operation, "follows_the_current_stream",
                                   "the default stream; hidden synchronization; no graph capture",
                                   tensor_sampling(operation, call_mode_variants()), streams_are_followed));
  }
  for (const Operation operation : all_operations) {
    rows.push_back(tensor_property("device", operation, "runs_on_the_device_of_its_tensors",
                                   "the current device for the tensors'", tensor_sampling(operation),
                                   [](Case& c, Operation one) { in_a_mode(c, one, CallMode::second_device); }));
  }
  for (Property& property : rows) property.on_refusal = OnRefusal::failed;
  return rows;
}

}  // namespace tileproof
