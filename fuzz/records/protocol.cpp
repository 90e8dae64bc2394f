#include "fuzz/records/protocol.h"

namespace tileproof {

namespace {

using nlohmann::json;

template <class Enum>
std::vector<int> numbers_of(const std::vector<Enum>& values) {
  std::vector<int> numbers;
  for (const Enum value : values) numbers.push_back(static_cast<int>(value));
  return numbers;
}

/// Checks the value of an enum in a journal's capabilities: somebody may have edited the file.
/// @param last  of the enumeration
template <class Enum>
std::vector<Enum> values_of(const json& numbers, Enum last) {
  std::vector<Enum> values;
  for (const json& number : numbers) {
    const int value = whole_of<int>(number);
    if (value < 0 || value > static_cast<int>(last)) throw json::other_error::create(501, "of no such kind", &number);
    values.push_back(static_cast<Enum>(value));
  }
  return values;
}

/// A number that others are divided by.
std::int64_t fast_divmod_of(const json& value) {
  const auto number = whole_of<std::int64_t>(value);
  if (number <= 0) throw json::other_error::create(501, "a number that is not positive", &value);
  return number;
}
std::vector<std::int64_t> fast_divmods_of(const json& values) {
  std::vector<std::int64_t> numbers;
  for (const json& value : values) numbers.push_back(fast_divmod_of(value));
  return numbers;
}

template <class Enum>
std::vector<Enum> values_of(const json& numbers) {
  std::vector<Enum> values;
  for (const json& number : numbers) values.push_back(static_cast<Enum>(number.get<int>()));
  return values;
}

json optional_of(const std::optional<std::string>& text) { return text ? json(*text) : json(nullptr); }
std::optional<std::string> text_of(const json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<std::string>());
}

}  // namespace

json json_of(const SubjectOrder& order) {
  json library = nullptr;
  if (order.library) {
    json operators = json::array();
    for (const auto& [operation, name] : order.library->operators) {
      operators.push_back({static_cast<int>(operation), name});
    }
    library = {{"file", order.library->file},     {"namespace", order.library->name_space},
               {"operators", operators},          {"required", numbers_of(order.library->required)},
               {"device", order.library->device}, {"takes", json_of(order.library->takes)}};
  }
  return {{"subject", order.subject}, {"library", library}};
}

SubjectOrder subject_order_of(const json& value) {
  SubjectOrder order = {value["subject"], std::nullopt};
  const json& given = value["library"];
  if (given.is_null()) return order;
  Library library;
  library.file = given["file"];
  library.name_space = given["namespace"];
  for (const json& one : given["operators"]) library.operators[static_cast<Operation>(one[0].get<int>())] = one[1];
  library.required = values_of<Operation>(given["required"]);
  library.device = given["device"];
  library.takes = capabilities_of(given["takes"]);
  order.library = library;
  return order;
}

json json_of(const Capabilities& e) {
  return {{"operations", numbers_of(e.operations)},
          {"n_multiple", e.n_multiple},
          {"most_n", e.most_n},
          {"most_k", e.most_k},
          {"inner_k_tiles", e.inner_k_tiles},
          {"group_sizes", e.group_sizes},
          {"any_group_size", e.any_group_size},
          {"domains", numbers_of(e.domains)},
          {"types", numbers_of(e.types)},
          {"any_alignment", e.any_alignment},
          {"one_nan", e.one_nan},
          {"several_callers", e.several_callers},
          {"takes_tensors", e.takes_tensors},
          {"takes_experts", e.takes_experts},
          {"is_specification", e.is_specification},
          {"step_elements", e.step_elements}};
}

Capabilities capabilities_of(const json& value) {
  return {.operations = values_of(value.at("operations"), Operation::dequantize_eagerly),
          .n_multiple = fast_divmod_of(value.at("n_multiple")),
          .most_n = fast_divmod_of(value.at("most_n")),
          .most_k = fast_divmod_of(value.at("most_k")),
          .inner_k_tiles = fast_divmods_of(value.at("inner_k_tiles")),
          .group_sizes = fast_divmods_of(value.at("group_sizes")),
          .any_group_size = value.at("any_group_size"),
          .domains = values_of(value.at("domains"), Domain::none),
          .types = values_of(value.at("types"), Type::fp32),
          .any_alignment = value.at("any_alignment"),
          .one_nan = value.at("one_nan"),
          .several_callers = value.at("several_callers"),
          .takes_tensors = value.at("takes_tensors"),
          .takes_experts = value.at("takes_experts"),
          .is_specification = value.at("is_specification"),
          .step_elements = fast_divmod_of(value.at("step_elements"))};
}

json json_of(const std::vector<WrongElement>& elements) {
  json all = json::array();
  for (const WrongElement& e : elements) all.push_back({e.row, e.column, e.expected, e.got, e.of_weights});
  return all;
}

std::vector<WrongElement> wrong_elements_of(const json& all) {
  std::vector<WrongElement> elements;
  for (const json& e : all) {
    elements.push_back({whole_of<std::int64_t>(e.at(0)), whole_of<std::int64_t>(e.at(1)),
                        whole_of<std::uint32_t>(e.at(2)), whole_of<std::uint32_t>(e.at(3)), e.at(4)});
  }
  return elements;
}

json json_of(const CaseOutcome& outcome) {
  json finding = nullptr;
  if (outcome.finding) finding = {{"kind", outcome.finding->kind}, {"details", outcome.finding->details}};
  if (outcome.finding) finding["cause"] = outcome.finding->cause;
  if (outcome.finding) finding["wrong"] = json_of(outcome.finding->wrong);
  if (outcome.finding && outcome.finding->smaller) finding["smaller"] = line_of(*outcome.finding->smaller);
  return {{"finding", finding},
          {"device_lost", outcome.device_lost},
          {"discarded", outcome.discarded},
          {"refused", optional_of(outcome.refused)},
          {"unavailable", optional_of(outcome.unavailable)}};
}

CaseOutcome outcome_of(const json& value, const Problem& problem) {
  CaseOutcome outcome;
  if (!value["finding"].is_null()) {
    outcome.finding = Finding{problem, value["finding"]["kind"], value["finding"]["details"]};
    outcome.finding->wrong = wrong_elements_of(value["finding"]["wrong"]);
    outcome.finding->cause = value["finding"]["cause"];
    if (value["finding"].contains("smaller")) {
      outcome.finding->smaller = problem_of(value["finding"]["smaller"].get<std::string>());
    }
  }
  outcome.device_lost = value["device_lost"];
  outcome.discarded = value["discarded"];
  outcome.refused = text_of(value["refused"]);
  outcome.unavailable = text_of(value["unavailable"]);
  return outcome;
}

json json_of(const ComparedElements& compared_elements) {
  json differences = json::array();
  for (const ComparedElements::Difference& one : compared_elements.differences) {
    differences.push_back({one.index, one.got, one.reason});
  }
  return {{"elements", compared_elements.elements},
          {"expected_hash", compared_elements.expected_hash},
          {"differences", differences},
          {"reasons", compared_elements.reasons}};
}

ComparedElements compared_elements_of(const json& value) {
  ComparedElements compared_elements;
  compared_elements.elements = value["elements"];
  compared_elements.expected_hash = value["expected_hash"];
  for (const json& one : value["differences"])
    compared_elements.differences.push_back({one.at(0), one.at(1), one.at(2)});
  compared_elements.reasons = value["reasons"];
  return compared_elements;
}

json json_of(const Coverage& coverage) {
  json largest = json::object();
  for (const auto& [name, one] : coverage.largest) largest[name] = {{"value", one.value}, {"where", one.where}};
  json compared_elements = nullptr;
  if (coverage.compared_elements) compared_elements = json_of(*coverage.compared_elements);
  return {{"compared", coverage.compared},
          {"several_values", coverage.several_values},
          {"first_value", coverage.first_value},
          {"code_at_nibble", coverage.code_at_nibble},
          {"classes", coverage.classes},
          {"explained", coverage.explained},
          {"largest", largest},
          {"output_hash", coverage.output_hash},
          {"runs", coverage.runs},
          {"compared_elements", compared_elements}};
}

Coverage met_of(const json& value) {
  Coverage coverage;
  coverage.compared = value["compared"];
  coverage.several_values = value["several_values"];
  coverage.first_value = value["first_value"];
  coverage.code_at_nibble = value["code_at_nibble"];
  coverage.classes = value["classes"].get<decltype(coverage.classes)>();
  coverage.explained = value["explained"].get<decltype(coverage.explained)>();
  for (const auto& [name, one] : value["largest"].items()) coverage.measured(name, one["value"], one["where"]);
  coverage.output_hash = value["output_hash"];
  coverage.runs = value["runs"].get<decltype(coverage.runs)>();
  if (!value["compared_elements"].is_null()) coverage.compared_elements = compared_elements_of(value["compared_elements"]);
  return coverage;
}

std::string dumped(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

}  // namespace tileproof
