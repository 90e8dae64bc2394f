// State: a call leaves its process and its thread as it found them, whether the call is legal, refused or empty.
#include <algorithm>

#include "properties/case/calls.h"
#include "properties/catalogue/illegal_calls.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/specification.h"

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
  const OperatorCall right = legal_call(c.problem, operation, data);
  if (variant == legal) {
    const OperatorResult result = c.call(right);
    expect_unchanged(c);
    return expect_specified(c, operation, data, result);
  }
  OperatorCall call = variant == illegal ? right : empty_call(c.problem, operation, variant);
  if (variant == illegal) {
    // fp64 is a wrong type, which every operator can notice before it reads anything.
    Argument& first = call.arguments.front();
    first = tensor_argument(first.name, Element::fp64, first.sizes,
                            std::vector<std::uint8_t>(static_cast<std::size_t>(count_of(first.sizes) * 8)));
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
  const Problem& p = c.problem;
  const Matrix<std::uint8_t> codes = c.codes();
  const std::vector<std::uint32_t> packed = specified::packed(*p.format, codes);
  if (operation == Operation::matmul) {
    const Matrix<std::uint16_t> activations = whole_activations(p);
    const Matrix<std::uint32_t> got = c.matmul(activations, codes, unit_scales(p));
    expect_unchanged(c);
    c.elements_are("row m, column n of the product");
    c.expect_equal(got, whole_products(p, activations, codes));
  } else if (operation == Operation::pack) {
    const std::vector<std::uint32_t> got = c.pack(codes);
    expect_unchanged(c);
    c.expect_equal(got, packed);
  } else if (operation == Operation::unpack) {
    const Matrix<std::int32_t> got = c.unpack(packed);
    expect_unchanged(c);
    c.expect_equal(got, specified::as_int32(codes));
  } else {
    const Parameters parameters = c.parameters();
    const Matrix<std::uint32_t> got = c.dequantize(packed, parameters);
    expect_unchanged(c);
    c.expect_equal(got, specified::weights(p, specified::as_int32(codes), parameters));
  }
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
  for (const Operation operation : {Operation::pack, Operation::unpack, Operation::dequantize, Operation::matmul}) {
    Property property = {
        .name = std::string("state/") + name_of(operation) + "_leaves_its_process_as_it_was",
        .finds = "flush-to-zero, grad mode, a number of threads, a stream, a locale that a call leaves behind",
        .needs = {operation},
        .meets = {&every_format},
        .sampling = {.most_k = 1024, .most_elements = 16384},
        .body = [operation](Case& c) { process_stays_as_it_was(c, operation); }};
    property.sampling.of_codes = operation != Operation::dequantize;
    if (operation == Operation::matmul) property.sampling.n_multiple = 8;
    property.sampling.variants_for = [operation](const Capabilities& capabilities) {
      return variants(operation, capabilities);
    };
    property.begins_afresh = true;  // a change that happens once per process happens in its first call
    rows.push_back(std::move(property));
  }
  return rows;
}

}  // namespace tileproof
