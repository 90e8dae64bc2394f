#include "fuzz/records/protocol.h"

#include <algorithm>

namespace tileproof {

using nlohmann::json;

// --- Names, and elements as arrays ---------------------------------------------------------------------------------

// Names that are read may come from an edited file.
void to_json(json& name, Operation operation) { name = name_of(operation); }
void from_json(const json& name, Operation& operation) {
  operation = part_of_json([&] { return operation_of("operation", name.get<std::string>()); });
}

void to_json(json& pair, const Types& types) { pair = json::array({name_of(types.weight), name_of(types.parameter)}); }
void from_json(const json& pair, Types& types) {
  const auto names = pair.get<std::vector<std::string>>();
  if (names.size() != 2) throw json::other_error::create(501, "no pair of types", &pair);
  types = part_of_json([&] { return Types(type_of("type", names[0]), type_of("type", names[1])); });
}

void to_json(json& array, const WrongElement& e) {
  array = {e.row, e.column, e.expected, e.got, e.of_weights, e.of_two_roundings, e.of_row_groups};
}
void from_json(const json& array, WrongElement& e) {
  e = {whole_of<std::int64_t>(array.at(0)),
       whole_of<std::int64_t>(array.at(1)),
       whole_of<std::uint32_t>(array.at(2)),
       whole_of<std::uint32_t>(array.at(3)),
       array.at(4),
       array.at(5),
       array.at(6)};
}

void to_json(json& array, const ComparedElements::Difference& one) { array = {one.index, one.got, one.reason}; }
void from_json(const json& array, ComparedElements::Difference& one) { one = {array.at(0), array.at(1), array.at(2)}; }

// --- Fields that JSON holds under their own names ------------------------------------------------------------------

// Some types have further fields, which json_of() adds.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Capabilities, operations, n_multiple, k_multiple, most_n, most_k, group_sizes,
                                   any_group_size, uneven_rows, types, any_alignment, one_nan, several_callers,
                                   takes_tensors, mapped_arguments, takes_experts, is_specification, step_elements,
                                   not_watched)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Library, file, name_space, operators, required, map, device)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(PythonModule, file, interpreter, format, device)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(KernelLibrary, file, format, device)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Finding, kind, details, shrinks, wrong, cause)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ComparedElements, elements, expected_hash, differences, reasons)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Largest, value, where)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Coverage, compared, several_values, first_value, code_at_nibble, classes, explained,
                                   largest, output_hash, runs)

namespace {

/// The names of rows, each once: formats that store a scheme's parameters differently have a scheme of the same name
/// each.
template <class Row>
json names_of(const std::vector<const Row*>& rows) {
  json names = json::array();
  for (const Row* row : rows) {
    if (std::find(names.begin(), names.end(), row->name) == names.end()) names.push_back(row->name);
  }
  return names;
}

std::vector<const Format*> formats_of(const json& names) {
  std::vector<const Format*> formats;
  for (const json& name : names) {
    formats.push_back(part_of_json([&] { return format_of("format", name.get<std::string>()); }));
  }
  return formats;
}

/// The schemes with these names that some of the formats have.
std::vector<const Scheme*> schemes_of(const json& names, const std::vector<const Format*>& formats) {
  std::vector<const Scheme*> schemes = every_scheme();
  const json all_names = names_of(schemes);
  for (const json& name : names) {
    const bool is_one = std::find(all_names.begin(), all_names.end(), name) != all_names.end();
    if (!is_one) throw json::other_error::create(501, "no scheme of this name", &name);
  }
  std::erase_if(schemes, [&](const Scheme* scheme) {
    const auto has_it = [&](const Format* format) { return format->has(*scheme); };
    return std::find(names.begin(), names.end(), scheme->name) == names.end() ||
           std::none_of(formats.begin(), formats.end(), has_it);
  });
  return schemes;
}

/// A value that is not there is null.
template <class T>
json optional_of(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}
template <class T>
std::optional<T> optional_in(const json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<T>());
}

/// Numbers that are used as divisors must be positive.
void require_divisor(const json& value) {
  if (whole_of<std::int64_t>(value) > 0) return;
  throw json::other_error::create(501, "a number that is not positive", &value);
}

}  // namespace

void require_count(const json& value) {
  constexpr std::int64_t most = std::int64_t{1} << 50;
  const auto count = whole_of<std::int64_t>(value);
  if (count < 0 || count > most) throw json::out_of_range::create(406, "no number of cases or elements", &value);
}

// --- Messages ------------------------------------------------------------------------------------------------------

json json_of(const SubjectOrder& order) {
  json library = optional_of(order.library);
  if (order.library) library["takes"] = json_of(order.library->takes);
  return {{"subject", order.subject},
          {"library", library},
          {"python", optional_of(order.python)},
          {"kernel", optional_of(order.kernel)}};
}

SubjectOrder subject_order_of(const json& value) {
  SubjectOrder order = {value.at("subject"), optional_in<Library>(value.at("library")),
                        optional_in<PythonModule>(value.at("python")), optional_in<KernelLibrary>(value.at("kernel"))};
  if (order.library) order.library->takes = capabilities_of(value.at("library").at("takes"));
  return order;
}

json json_of(const Capabilities& capabilities) {
  json value = capabilities;
  value["formats"] = names_of(capabilities.formats);
  value["formats_to"] = names_of(capabilities.formats_to);
  value["formats_of"] = json::object();
  for (const auto& [operation, formats] : capabilities.formats_of) {
    value["formats_of"][name_of(operation)] = names_of(formats);
  }
  value["schemes"] = names_of(capabilities.schemes);
  return value;
}

Capabilities capabilities_of(const json& value) {
  for (const char* name : {"n_multiple", "k_multiple", "most_n", "most_k", "step_elements"})
    require_divisor(value.at(name));
  for (const json& group_size : value.at("group_sizes")) require_divisor(group_size);
  Capabilities capabilities = value;
  capabilities.formats = formats_of(value.at("formats"));
  capabilities.formats_to = formats_of(value.at("formats_to"));
  for (const auto& [operation, formats] : value.at("formats_of").items()) {
    const Operation named = part_of_json([&, name = operation] { return operation_of("operation", name); });
    capabilities.formats_of[named] = formats_of(formats);
  }
  capabilities.schemes = schemes_of(value.at("schemes"), capabilities.formats);
  return capabilities;
}

json json_of(const Finding& finding) {
  json value = finding;
  value["problem"] = line_of(finding.problem);
  value["smaller"] = finding.smaller ? json(line_of(*finding.smaller)) : json();
  return value;
}

Finding finding_of(const json& value) {
  const auto problem_in = [](const json& line) {
    return part_of_json([&] { return problem_of(line.get<std::string>()); });
  };
  require_count(value.at("shrinks"));
  Finding finding = value;
  finding.problem = problem_in(value.at("problem"));
  if (!value.at("smaller").is_null()) finding.smaller = problem_in(value.at("smaller"));
  return finding;
}

json json_of(const CaseOutcome& outcome) {
  if (outcome.has_passed() && !outcome.device_lost) return "passed";
  return {{"finding", outcome.finding ? json_of(*outcome.finding) : json()},
          {"device_lost", outcome.device_lost},
          {"discarded", outcome.discarded},
          {"refused", optional_of(outcome.refused)},
          {"unavailable", optional_of(outcome.unavailable)}};
}

CaseOutcome outcome_of(const json& value) {
  if (value == "passed") return {};
  CaseOutcome outcome = {.device_lost = value.at("device_lost"),
                         .discarded = value.at("discarded"),
                         .refused = optional_in<std::string>(value.at("refused")),
                         .unavailable = optional_in<std::string>(value.at("unavailable"))};
  if (const json& finding = value.at("finding"); !finding.is_null()) outcome.finding = finding_of(finding);
  return outcome;
}

json json_of(const Coverage& coverage) {
  json value = coverage;
  value["compared_elements"] = optional_of(coverage.compared_elements);
  return value;
}

Coverage met_of(const json& value) {
  Coverage coverage = value;
  coverage.compared_elements = optional_in<ComparedElements>(value.at("compared_elements"));
  return coverage;
}

std::string dumped(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

}  // namespace tileproof
