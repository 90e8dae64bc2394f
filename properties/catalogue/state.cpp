// State: a call leaves its process and its thread as it found them, whether the call is legal, refused or empty.
#include <algorithm>

#include "properties/case/calls.h"
#include "properties/catalogue/illegal_calls.h"
#include "properties/catalogue/of_tensors.h"
#include "properties/catalogue/properties.h"

namespace tileproof {

namespace {

constexpr const char* legal = "legal";
constexpr const char* illegal = "illegal";

/// Fails if the process differs from its state before the first call.
void expect_unchanged(Case& c) {
  const std::vector<std::string> changed = changes(c.subject().first_state(), c.subject().state());
  c.count_check(static_cast<std::uint32_t>(c.problem.n));
  c.count_check(~static_cast<std::uint32_t>(c.problem.n));
  if (changed.empty()) return;
  std::string text = "leaves its process changed; before the first call and now:";
  for (const std::string& one : changed) text += "\n  " + one;
  throw Failure("state", text);
}

void call_operator(Case& c, Operation operation) {
  const std::string& variant = c.problem.variant;
  const CallData data = drawn_data(c, operation);
  const OperatorCall right = legal_call(c.problem, operation, data, c.capabilities);
  if (variant == legal) {
    const OperatorResult result = c.call(right);
    expect_unchanged(c);
    return expect_specified(c, operation, data, result);
  }
  OperatorCall call = variant == illegal ? right : empty_call(c.problem, operation, variant, c.capabilities);
  if (variant == illegal) {
    // fp64 is a wrong type, which every operator can notice before it reads anything.
    Argument& first = *std::ranges::find_if(call.arguments, &Argument::is_tensor);
    become(first, Element::fp64, first.sizes);
  }
  try {
    c.call(call);  // other properties judge the result
  } catch (const Refused&) {
  } catch (const Failure& failure) {
    if (failure.device_lost) throw;
  }
  expect_unchanged(c);
}

void call_pointers(Case& c, Operation operation) {
  const CallData data = drawn_data(c, operation);
  const Result got = c.run(operation, data);
  expect_unchanged(c);
  expect_specified(c, operation, data, got);
}

void process_stays_as_it_was(Case& c, Operation operation) {
  if (c.capabilities.takes_tensors) {
    call_operator(c, operation);
  } else {
    call_pointers(c, operation);
  }
}

std::vector<std::string> variants(Operation operation, const Capabilities& capabilities) {
  if (!capabilities.takes_tensors) return {""};
  std::vector<std::string> names = {legal, illegal};
  for (const std::string& name : empty_variants(operation)) names.push_back(name);
  return names;
}

}  // namespace

std::vector<Property> state_properties() {
  std::vector<Property> rows;
  const auto add = [&rows](Operation operation) {
    Property property = operation_property(
        "state", operation, "leaves_its_process_as_it_was",
        "flush-to-zero, grad mode, a number of threads, a stream, a locale that a call leaves behind", {&every_format},
        process_stays_as_it_was);
    property.sampling.n_multiple = n_multiple_of(operation);
    property.sampling.most_k = 1024;
    property.sampling.most_elements = 16384;
    property.sampling.variants_for = [operation](const Capabilities& capabilities) {
      return variants(operation, capabilities);
    };
    property.begins_afresh = true;  // a change that happens once per process happens in its first call
    rows.push_back(std::move(property));
  };
  for (const Operation operation : operator_operations) add(operation);
  add(Operation::convert);
  return rows;
}

}  // namespace tileproof
