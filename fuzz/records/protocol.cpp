#include "fuzz/records/protocol.h"

#include <algorithm>

namespace tileproof {

namespace {

using nlohmann::json;

const char* text_of(Operation operation) { return name_of(operation); }
const char* text_of(const Format* format) { return format->name; }

template <class T>
json names_of(const std::vector<T>& values) {
  json names = json::array();
  for (const T& value : values) names.push_back(text_of(value));
  return names;
}

/// Converts names to values with `read`. The names may come from an edited file.
/// @throws json::other_error for an unknown name
template <class Read>
auto named_in(const json& names, Read read) {
  std::vector<decltype(read(""))> values;
  for (const json& name : names) {
    try {
      values.push_back(read(name.get<std::string>()));
    } catch (const UsageError& unknown) {
      throw json::other_error::create(501, unknown.what(), &name);
    }
  }
  return values;
}

std::vector<Operation> operations_of(const json& names) {
  return named_in(names, [](const std::string& name) { return operation_of("operation", name); });
}

/// Lists each name once.
json names_of_schemes(const std::vector<const Scheme*>& schemes) {
  json names = json::array();
  for (const Scheme* scheme : schemes) {
    if (std::find(names.begin(), names.end(), scheme->name) == names.end()) names.push_back(scheme->name);
  }
  return names;
}

/// The schemes with these names that some of the formats have. Formats that store a scheme's parameters differently
/// have a scheme of the same name each.
std::vector<const Scheme*> schemes_of(const json& names, const std::vector<const Format*>& formats) {
  for (const json& name : names) {
    const auto is_it = [&](const Scheme* scheme) { return scheme->name == name.get<std::string>(); };
    const std::vector<const Scheme*> all = every_scheme();
    if (std::none_of(all.begin(), all.end(), is_it))
      throw json::other_error::create(501, "no scheme of this name", &name);
  }
  std::vector<const Scheme*> schemes = every_scheme();
  std::erase_if(schemes, [&](const Scheme* scheme) {
    const auto has_it = [&](const Format* format) { return format->has(*scheme); };
    return std::find(names.begin(), names.end(), scheme->name) == names.end() ||
           std::none_of(formats.begin(), formats.end(), has_it);
  });
  return schemes;
}

json json_of(const std::vector<Types>& types) {
  json pairs = json::array();
  for (const Types& one : types) pairs.push_back({name_of(one.weight), name_of(one.parameter)});
  return pairs;
}

std::vector<Types> types_of(const json& pairs) {
  std::vector<Types> types;
  for (const json& pair : pairs) {
    const auto both = named_in(pair, [](const std::string& name) { return type_of("type", name); });
    if (both.size() != 2) throw json::other_error::create(501, "no pair of types", &pair);
    types.emplace_back(both[0], both[1]);
  }
  return types;
}

/// A number that is used as a divisor, so it must be positive.
std::int64_t divisor_of(const json& value) {
  const auto number = whole_of<std::int64_t>(value);
  if (number <= 0) throw json::other_error::create(501, "a number that is not positive", &value);
  return number;
}
std::vector<std::int64_t> divisors_of(const json& values) {
  std::vector<std::int64_t> numbers;
  for (const json& value : values) numbers.push_back(divisor_of(value));
  return numbers;
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
      operators.push_back({name_of(operation), name});
    }
    library = {{"file", order.library->file},     {"namespace", order.library->name_space},
               {"operators", operators},          {"required", names_of(order.library->required)},
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
  for (const json& one : given["operators"]) library.operators[operations_of({one[0]}).front()] = one[1];
  library.required = operations_of(given["required"]);
  library.device = given["device"];
  library.takes = capabilities_of(given["takes"]);
  order.library = library;
  return order;
}

json json_of(const Capabilities& e) {
  return {{"operations", names_of(e.operations)},
          {"n_multiple", e.n_multiple},
          {"most_n", e.most_n},
          {"most_k", e.most_k},
          {"formats", names_of(e.formats)},
          {"group_sizes", e.group_sizes},
          {"any_group_size", e.any_group_size},
          {"schemes", names_of_schemes(e.schemes)},
          {"types", json_of(e.types)},
          {"any_alignment", e.any_alignment},
          {"one_nan", e.one_nan},
          {"several_callers", e.several_callers},
          {"takes_tensors", e.takes_tensors},
          {"takes_experts", e.takes_experts},
          {"is_specification", e.is_specification},
          {"step_elements", e.step_elements}};
}

Capabilities capabilities_of(const json& value) {
  const auto formats = named_in(value.at("formats"), [](const std::string& name) { return format_of("format", name); });
  return {.operations = operations_of(value.at("operations")),
          .n_multiple = divisor_of(value.at("n_multiple")),
          .most_n = divisor_of(value.at("most_n")),
          .most_k = divisor_of(value.at("most_k")),
          .formats = formats,
          .group_sizes = divisors_of(value.at("group_sizes")),
          .any_group_size = value.at("any_group_size"),
          .schemes = schemes_of(value.at("schemes"), formats),
          .types = types_of(value.at("types")),
          .any_alignment = value.at("any_alignment"),
          .one_nan = value.at("one_nan"),
          .several_callers = value.at("several_callers"),
          .takes_tensors = value.at("takes_tensors"),
          .takes_experts = value.at("takes_experts"),
          .is_specification = value.at("is_specification"),
          .step_elements = divisor_of(value.at("step_elements"))};
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
  if (!value["compared_elements"].is_null())
    coverage.compared_elements = compared_elements_of(value["compared_elements"]);
  return coverage;
}

std::string dumped(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

}  // namespace tileproof
