/// Checked access to JSON records: each value knows its path in the document, and throws an error with that path if it
/// is not what was expected. Internal to reports/.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace tileproof::reports {

/// A value of a document, or a missing one. Reading a missing value throws; looking it up does not.
class Field {
 public:
  /// @param document  the document's name, for messages; it and `whole` must outlive all fields
  Field(const nlohmann::json& whole, const char* document) : value_(&whole), document_(document) {}

  Field operator[](const std::string& name) const;
  std::vector<Field> items() const;
  /// The items, or none if the value is missing or null, as in records of older versions.
  std::vector<Field> items_if_any() const { return is_nothing() ? std::vector<Field>() : items(); }
  /// The members of an object, in the order of their names.
  std::map<std::string, Field> members() const;

  // Each function that reads throws std::runtime_error:
  // "summary.json: judgements[3].verdict: expected a string, got 7".
  std::string text() const;
  std::uint64_t count() const;
  double seconds() const;
  double number() const;  // finite
  bool is_truth() const;
  bool truth() const;
  bool is_nothing() const;  // missing, or null
  /// A text, or a number as text; "" if the value is missing or null.
  std::string label() const;
  std::map<std::string, std::uint64_t> counts() const;
  std::vector<std::string> texts() const;                    // an array of strings
  std::map<std::string, std::string> texts_by_name() const;  // an object of strings
  void require(bool holds, const std::string& expected) const;
  /// Requires that this whole record has the one schema version that can be read.
  void require_schema(std::uint64_t version) const;

 private:
  Field(const nlohmann::json* value, const char* document, std::string path)
      : value_(value), document_(document), path_(std::move(path)) {}
  std::string printed() const;

  const nlohmann::json* value_;
  const char* document_;
  std::string path_;
};

/// The text of a member that must be there, safe to show.
std::string shown(const nlohmann::json& record, const char* name);

}  // namespace tileproof::reports
