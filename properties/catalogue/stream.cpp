// Streams and devices: an operator runs on its caller's stream and device, and waits for nothing else.
#include "properties/catalogue/of_tensors.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/named.h"

namespace tileproof {

namespace {

constexpr Named<CallMode> call_modes[] = {{CallMode::slow_producer, "slow-producer"},
                                          {CallMode::two_streams, "two-streams"},
                                          {CallMode::graph, "graph"},
                                          {CallMode::no_synchronization, "no-synchronization"}};

void in_a_mode(Case& c, Operation operation, CallMode mode) {
  const CallData data = drawn_data(c, operation);
  const OperatorCall alternate = legal_call(c.problem, operation, other_data(c, operation, 1), c.capabilities);
  expect_specified(c, operation, data,
                   c.call(legal_call(c.problem, operation, data, c.capabilities), mode, &alternate));
}

void streams_are_followed(Case& c, Operation operation) {
  in_a_mode(c, operation, value_in(call_modes, "--variant", c.problem.variant));
}

}  // namespace

std::vector<Property> stream_properties() {
  std::vector<Property> rows;
  for (const Operation operation : operator_operations) {
    rows.push_back(tensor_property("stream", operation, "follows_the_current_stream",
                                   "the default stream; hidden synchronization; no graph capture",
                                   tensor_sampling(operation, names_of_rows(call_modes)), streams_are_followed));
  }
  for (const Operation operation : operator_operations) {
    rows.push_back(tensor_property("device", operation, "runs_on_the_device_of_its_tensors",
                                   "the current device for the tensors'", tensor_sampling(operation),
                                   [](Case& c, Operation one) { in_a_mode(c, one, CallMode::second_device); }));
  }
  for (Property& property : rows) property.on_refusal = OnRefusal::failed;
  return rows;
}

}  // namespace tileproof
