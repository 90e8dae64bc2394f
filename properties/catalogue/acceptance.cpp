// Acceptance: an operator either takes a call, or refuses it with an error that names the reason and changes nothing.
// The fake operator accepts and refuses the same calls as the real one.
#include <algorithm>
#include <optional>
#include <regex>

#include "properties/catalogue/illegal_calls.h"
#include "properties/catalogue/of_tensors.h"
#include "properties/catalogue/properties.h"
#include "properties/catalogue/views.h"

namespace tileproof {

namespace {

void legal_calls_are_taken(Case& c, Operation operation) {
  const CallData data = drawn_data(c, operation);
  const OperatorCall call = legal_call(c.problem, operation, data, c.capabilities);
  const OperatorResult result = c.call(call);
  expect_form(c, operation, result);  // other properties compare the elements
}

/// Whether a word stands alone in a text, not as a part of a longer word.
bool has_word(const std::string& text, const std::string& word) {
  return std::regex_search(text, std::regex("\\b" + word + "\\b"));
}

/// An error must name an argument at fault, as the operator's schema has it; otherwise the caller has to guess.
void expect_named(Case& c, const Illegally& illegal, const std::string& message) {
  const std::vector<std::string> of_schema = c.argument_names(illegal.call.operation);
  const std::vector<std::string>& at_fault = illegal.row.at_fault;
  std::string names;
  for (std::size_t i = 0; i < illegal.call.arguments.size(); ++i) {
    const std::string& own_name = illegal.call.arguments[i].name;
    if (std::find(at_fault.begin(), at_fault.end(), own_name) == at_fault.end()) continue;
    const std::string& name = of_schema.at(i);
    if (has_word(message, name)) return c.count_check(0);
    names += (names.empty() ? "" : " or ") + name;
  }
  throw Failure("unclear", "the error for " + text_of(illegal.call) + " does not name " + names + ": " + message);
}

void illegal_calls_are_refused(Case& c, Operation operation) {
  const Illegally illegal = illegally_called(c, operation);
  const CallData data = illegal.row.base ? drawn_data(c, operation) : illegal.data;
  const OperatorCall legal = legal_call(c.problem, operation, data, c.capabilities);
  const OperatorResult before = c.call(legal);
  const std::string accepts = "accepts " + text_of(illegal.call) + "; legal is " + illegal.row.legal;
  std::optional<OperatorResult> result;
  try {
    result = c.call(illegal.call);
  } catch (const Refused& refused) {
    expect_named(c, illegal, refused.what());
  } catch (const Failure& failure) {
    throw Failure("accepted", accepts + "; and then: " + failure.what(), failure.device_lost);
  }
  if (result && !illegal.row.exact) throw Failure("accepted", accepts + "; it gives " + result->text());
  if (result) illegal.row.exact(c, illegal.data, *result);
  // The refused call must leave no trace: the legal call still gives its first result.
  c.elements_are("what the legal call gives after the illegal one, expected what it gave before");
  expect_same(c, c.call_again(legal), before);
}

std::vector<std::string> fake_variants(Operation operation, const Capabilities& capabilities) {
  std::vector<std::string> names = {"legal"};
  for (const std::string& name : empty_variants(operation)) names.push_back(name);
  for (const std::string& name : view_variants(operation, Views::strides, capabilities)) names.push_back(name);
  for (const std::string& name : names_of_illegal_calls(operation, capabilities)) names.push_back(name);
  return names;
}

std::optional<OperatorResult> unless_refused(const std::function<OperatorResult()>& call) {
  try {
    return call();
  } catch (const Refused&) {
    return std::nullopt;
  }
}

void meta_tensors_agree(Case& c, Operation operation) {
  const std::vector<std::string> illegal = names_of_illegal_calls(operation, c.capabilities);
  const std::vector<std::string> empty = empty_variants(operation);
  const std::string& variant = c.problem.variant;
  OperatorCall call;
  if (variant == "legal") {
    call = legal_call(c.problem, operation, drawn_data(c, operation), c.capabilities);
  } else if (std::find(empty.begin(), empty.end(), variant) != empty.end()) {
    call = empty_call(c.problem, operation, variant, c.capabilities);
  } else if (std::find(illegal.begin(), illegal.end(), variant) != illegal.end()) {
    call = illegally_called(c, operation).call;
  } else {
    call = viewed_call(c, operation, Views::strides).call;
  }
  // first, since a missing fake kernel ends the case
  const auto fake = unless_refused([&] { return c.call_on_meta(call); });
  const auto real = unless_refused([&] { return c.call(call); });
  c.count_check(static_cast<std::uint32_t>(c.problem.n));
  c.count_check(~static_cast<std::uint32_t>(c.problem.n));
  const auto text = [](const std::optional<OperatorResult>& result) {
    return result ? result->text() + " with strides " + tileproof::text_of(result->strides) : std::string("an error");
  };
  if (text(real) == text(fake)) return;
  throw Failure("mismatch", "over meta tensors: " + text(fake) + "; over real ones: " + text(real) + "; the call is " +
                                text_of(call));
}

}  // namespace

std::vector<Property> acceptance_properties() {
  std::vector<Property> rows;
  for (const Operation operation : operator_operations) {
    Property accept = tensor_property("accept", operation, "takes_every_legal_call", "a legal call that is refused",
                                      tensor_sampling(operation), legal_calls_are_taken);
    accept.meets = {&every_format, &with_padding, &not_square};
    accept.on_refusal = OnRefusal::failed;
    // Use sizes and profiles as large and as varied as those of the properties about values.
    accept.sampling.most_k = Sampling().most_k;
    accept.sampling.most_elements = Sampling().most_elements;
    if (result_role(operation) == Role::weights)
      accept.sampling.profiles = {"ordinary", "finite-edges", "edges", "any", "mixed"};
    rows.push_back(accept);
  }
  for (const Operation operation : operator_operations) {
    Property reject =
        tensor_property("reject", operation, "refuses_every_illegal_call_and_says_why",
                        "sizes and types that are trusted instead of checked; errors that leave the caller to guess",
                        tensor_sampling(operation), illegal_calls_are_refused);
    reject.sampling.variants_for = [operation](const Capabilities& e) { return names_of_illegal_calls(operation, e); };
    rows.push_back(std::move(reject));
  }
  for (const Operation operation : operator_operations) {
    Property fake = tensor_property("fake", operation, "over_meta_tensors_agrees",
                                    "a fake operator that gives another form, or takes other calls",
                                    tensor_sampling(operation), meta_tensors_agree);
    fake.sampling.variants_for = [operation](const Capabilities& e) { return fake_variants(operation, e); };
    rows.push_back(std::move(fake));
  }
  return rows;
}

}  // namespace tileproof
