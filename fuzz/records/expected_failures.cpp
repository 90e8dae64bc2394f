#include "fuzz/records/expected_failures.h"

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "expected_failures_json.h"
#include "properties/catalogue/properties.h"
#include "properties/judging/patterns.h"
#include "properties/subjects/cpu_capability.h"
#include "reference/formats.h"
#include "reports/text.h"

namespace tileproof {

namespace {

using nlohmann::json;

struct Field {
  const char* name;
  std::string ExpectedFailure::*member;
  bool required;
  std::vector<std::string> (*legal)() = nullptr;  // the values that a field may have; nullptr: any text
};

std::vector<std::string> legal_formats() {
  std::vector<std::string> names;
  for (const Format& format : reference::formats) names.emplace_back(format.name);
  return names;
}
std::vector<std::string> legal_schemes() {
  std::vector<std::string> names;
  for (const Scheme* scheme : every_scheme()) names.emplace_back(scheme->name);
  return names;
}
std::vector<std::string> legal_weight_types() { return {"bf16", "fp16", "fp32"}; }
std::vector<std::string> legal_devices() { return {"cpu", "cuda"}; }
std::vector<std::string> legal_capabilities() {
  return {std::begin(cpu_capability_names), std::end(cpu_capability_names)};
}

constexpr Field fields[] = {{"id", &ExpectedFailure::id, true},
                            {"subject", &ExpectedFailure::subject, true},
                            {"library", &ExpectedFailure::library, false},
                            {"capability", &ExpectedFailure::capability, false, legal_capabilities},
                            {"device", &ExpectedFailure::device, false, legal_devices},
                            {"format", &ExpectedFailure::format, false, legal_formats},
                            {"scheme", &ExpectedFailure::scheme, false, legal_schemes},
                            {"weight_type", &ExpectedFailure::weight_type, false, legal_weight_types},
                            {"where", &ExpectedFailure::where, false, classes_of_problems},
                            {"kind", &ExpectedFailure::kind, false},
                            {"pattern", &ExpectedFailure::pattern, false, patterns_of_values},
                            {"says", &ExpectedFailure::says, false},
                            {"what", &ExpectedFailure::what, true},
                            {"since", &ExpectedFailure::since, true},
                            {"expires", &ExpectedFailure::expires, true}};
// An entry has one of these two, and may have variants of its property.
constexpr const char* one_property = "property";
constexpr const char* several_properties = "properties";
constexpr const char* some_variants = "variants";

/// The texts of a list that an entry may have, or a single "" for all.
std::vector<std::string> texts_of(const json& given, const char* name) {
  if (!given.contains(name)) return {""};
  return given[name].get<std::vector<std::string>>();
}

bool are_texts(const json& values) {
  return values.is_array() && !values.empty() &&
         std::all_of(values.begin(), values.end(), [](const json& value) { return value.is_string(); });
}

/// The variants that a property has on any subject. Some depend on what a subject does not take.
std::vector<std::string> variants_on_any_subject(const Property& property) {
  if (!property.sampling.variants_for) return property.sampling.variants;
  const Capabilities whole = library_capabilities({});
  std::vector<std::string> all = property.sampling.variants_for(whole);
  const auto add = [&](const Capabilities& narrow) {
    for (const std::string& variant : property.sampling.variants_for(narrow)) {
      if (std::find(all.begin(), all.end(), variant) == all.end()) all.push_back(variant);
    }
  };
  for (const Format* format : whole.formats) {
    Capabilities narrow = whole;
    narrow.formats = {format};
    add(narrow);
  }
  for (const std::int64_t group_size : whole.group_sizes) {
    Capabilities narrow = whole;
    narrow.group_sizes = {group_size};
    add(narrow);
  }
  return all;
}

/// Adds a row for each variant of the row's property.
void add_variants(ExpectedFailure row, const std::vector<std::string>& variants, const std::string& place,
                  const std::function<UsageError(const std::string&, const std::string&)>& wrong,
                  std::vector<ExpectedFailure>& rows) {
  const auto property =
      std::find_if(properties().begin(), properties().end(), [&](const Property& p) { return p.name == row.property; });
  if (property == properties().end()) {
    throw wrong(place + " is about the property '" + row.property + "'", "a name of 'tileproof list properties'");
  }
  for (const std::string& variant : variants) {
    row.variant = variant;
    const std::vector<std::string> all = variants_on_any_subject(*property);
    if (!variant.empty() && std::find(all.begin(), all.end(), variant) == all.end()) {
      throw wrong(place + " is about the variant '" + variant + "'", "a variant of " + property->name);
    }
    rows.push_back(row);
  }
}

std::vector<ExpectedFailure> parsed(const std::string& name, const std::string& text) {
  const auto wrong = [&](const std::string& what, const std::string& legal) {
    return UsageError("--known", "'" + name + "' (" + what + ")", legal);
  };
  const json expected_failures = json::parse(text, nullptr, false);
  if (!expected_failures.is_object() || !expected_failures.contains("findings") ||
      !expected_failures["findings"].is_array()) {
    throw wrong("no JSON object with an array 'findings'", "{\"findings\": [{\"id\": ..., ...}]}");
  }
  std::vector<ExpectedFailure> rows;
  for (std::size_t i = 0; i < expected_failures["findings"].size(); ++i) {
    const json& given = expected_failures["findings"][i];
    const std::string place = "findings[" + std::to_string(i) + "]";
    if (!given.is_object()) throw wrong(place + " is no object", "an object");
    ExpectedFailure row;
    std::string legal = std::string(one_property) + ", " + several_properties + ", " + some_variants;
    for (const Field& field : fields) {
      legal += ", " + std::string(field.name);
      if (!given.contains(field.name)) {
        if (field.required) throw wrong(place + " has no '" + field.name + "'", "a text for it");
        continue;
      }
      if (!given[field.name].is_string()) throw wrong(place + "." + field.name + " is no text", "a text");
      row.*field.member = given[field.name];
      if (field.required && (row.*field.member).empty()) throw wrong(place + "." + field.name + " is empty", "a text");
      if (field.legal == nullptr) continue;
      const std::vector<std::string> values = field.legal();
      if (std::find(values.begin(), values.end(), row.*field.member) != values.end()) continue;
      throw wrong(place + "." + field.name + " is '" + row.*field.member + "'", reports::joined(values, ", "));
    }
    for (const auto& [key, value] : given.items()) {
      const bool known =
          std::any_of(std::begin(fields), std::end(fields), [&name = key](const Field& f) { return name == f.name; });
      const bool is_list = key == one_property || key == several_properties || key == some_variants;
      if (!known && !is_list) throw wrong(place + " has a field '" + key + "'", legal);
    }
    for (const char* list : {several_properties, some_variants}) {
      if (!given.contains(list) || are_texts(given[list])) continue;
      throw wrong(place + "." + list + " is no list of texts", "some names");
    }
    const bool has_one = given.contains(one_property) && given[one_property].is_string();
    if (has_one == given.contains(several_properties)) {
      throw wrong(place + (has_one ? " has both 'property' and 'properties'" : " has no 'property'"),
                  "a text for it, or a list 'properties'");
    }
    for (const std::string& property :
         has_one ? std::vector<std::string>{given[one_property]} : texts_of(given, several_properties)) {
      row.property = property;
      add_variants(row, texts_of(given, some_variants), place, wrong, rows);
    }
  }
  return rows;
}

}  // namespace

const std::vector<ExpectedFailure>& own_expected_failures() {
  static const std::vector<ExpectedFailure> rows = parsed("reports/expected_failures.json", expected_failures_json);
  return rows;
}

std::vector<ExpectedFailure> expected_failures_of(const std::string& file) {
  if (file.empty()) return own_expected_failures();
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) throw UsageError("--known", "'" + file + "' (it cannot be read)", "a ledger of known findings, as JSON");
  return parsed(file, text.str());
}

std::vector<ExpectedFailure> expected_of(const std::vector<ExpectedFailure>& all, const SubjectFacts& facts,
                                         const Capabilities& takes) {
  const auto is = [](const std::string& wanted, const std::string& here) { return wanted.empty() || wanted == here; };
  const auto has = [](const std::string& wanted, const auto& rows, auto name_of_row) {
    return wanted.empty() || std::ranges::any_of(rows, [&](const auto& row) { return name_of_row(row) == wanted; });
  };
  const auto name = [](const auto* row) { return std::string(row->name); };
  std::vector<ExpectedFailure> expected;
  std::ranges::copy_if(all, std::back_inserter(expected), [&](const ExpectedFailure& row) {
    return is(row.library, facts.library) && is(row.capability, facts.capability) && is(row.device, facts.device) &&
           has(row.format, takes.formats, name) && has(row.scheme, takes.schemes, name) &&
           has(row.weight_type, takes.types, [](const Types& types) { return std::string(name_of(types.weight)); });
  });
  return expected;
}

std::string conditions_of(const ExpectedFailure& row) {
  std::string text;
  for (const Field& field : fields) {
    if (field.required || (row.*field.member).empty()) continue;
    text += (text.empty() ? "" : ", ") + std::string(field.name) + " " + row.*field.member;
  }
  return text;
}

const ExpectedFailure* known_as(const std::vector<ExpectedFailure>& expected_failures, const Finding& finding) {
  std::vector<const ExpectedFailure*> about;
  for (const ExpectedFailure& row : expected_failures) {
    if (row.property == finding.problem.property && row.subject == finding.problem.subject) about.push_back(&row);
  }
  const std::vector<const ExpectedFailure*> expecting = rows_that_expect(about, finding);
  return expecting.empty() ? nullptr : expecting.front();
}

}  // namespace tileproof
