#include "fuzz/records/expected_failures.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "expected_failures_json.h"
#include "properties/catalogue/properties.h"

namespace tileproof {

namespace {

using nlohmann::json;

struct Field {
  const char* name;
  std::string ExpectedFailure::*member;
  bool required;
};
constexpr Field fields[] = {{"id", &ExpectedFailure::id, true},
                            {"subject", &ExpectedFailure::subject, true},
                            {"property", &ExpectedFailure::property, true},
                            {"kind", &ExpectedFailure::kind, false},
                            {"says", &ExpectedFailure::says, false},
                            {"what", &ExpectedFailure::what, true},
                            {"since", &ExpectedFailure::since, true},
                            {"expires", &ExpectedFailure::expires, true}};

/// The variants that a ledger entry names, or "" for all.
std::vector<std::string> variants_of(const json& given) {
  if (!given.contains("variants")) return {""};
  return given["variants"].get<std::vector<std::string>>();
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
    std::string legal = "variants";
    for (const Field& field : fields) {
      legal += ", " + std::string(field.name);
      if (!given.contains(field.name)) {
        if (field.required) throw wrong(place + " has no '" + field.name + "'", "a text for it");
        continue;
      }
      if (!given[field.name].is_string()) throw wrong(place + "." + field.name + " is no text", "a text");
      row.*field.member = given[field.name];
      if (field.required && (row.*field.member).empty()) throw wrong(place + "." + field.name + " is empty", "a text");
    }
    for (const auto& [key, value] : given.items()) {
      const bool known =
          std::any_of(std::begin(fields), std::end(fields), [&name = key](const Field& f) { return name == f.name; });
      if (!known && key != "variants") throw wrong(place + " has a field '" + key + "'", legal);
    }
    const auto named = std::find_if(properties().begin(), properties().end(),
                                    [&](const Property& c) { return c.name == row.property; });
    if (named == properties().end()) {
      throw wrong(place + " is about the property '" + row.property + "'", "a name of 'tileproof list properties'");
    }
    const Property& property = *named;
    if (given.contains("variants") && !are_texts(given["variants"])) {
      throw wrong(place + ".variants is no list of texts", "some of the property's variants");
    }
    for (const std::string& variant : variants_of(given)) {
      row.variant = variant;
      const std::vector<std::string> all = variants_on_any_subject(property);
      if (!variant.empty() && std::find(all.begin(), all.end(), variant) == all.end()) {
        throw wrong(place + " is about the variant '" + variant + "'", "a variant of " + property.name);
      }
      rows.push_back(row);
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

const ExpectedFailure* known_as(const std::vector<ExpectedFailure>& expected_failures, const Finding& finding) {
  for (const ExpectedFailure& row : expected_failures) {
    const bool is_about = row.property == finding.problem.property && row.subject == finding.problem.subject;
    if (is_about && matches(row, finding)) return &row;
  }
  return nullptr;
}

}  // namespace tileproof
