/// Records as their readers see them: every value knows where in its document it stands, and complains when it is not
/// what was expected. Internal to reports/.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace tileproof::reports {

/// A value of a document, or a missing one. It complains when it is read, not when it is looked up.
class Field {
 public:
  /// @param document  its name for messages; it outlives its fields, as the value does
  Field(const nlohmann::json& whole, const char* document) : value_(&whole), document_(document) {}

  Field operator[](const std::string& name) const;
  std::vector<Field> items() const;
  /// The members of an object, in the order of their names.
  std::map<std::string, Field> members() const;

  // Each throws std::runtime_error: "summary.json: judgements[3].verdict: expected a string, got 7".
  std::string text() const;
  std::uint64_t count() const;
  double seconds() const;
  double number() const;  // finite
  bool is_truth() const;
  bool truth() const;
  bool is_nothing() const;  // missing, or null
  /// Text, or a number as text; "" of nothing.
  std::string label() const;
  std::map<std::string, std::uint64_t> counts() const;
  void require(bool holds, const std::string& expected) const;
  /// Of a whole record: that it is of the one version that can be read.
  void require_schema(std::uint64_t version) const;

 private:
  Field(const nlohmann::json* value, const char* document, std::string path)
      : value_(value), document_(document), path_(std::move(path)) {}
  std::string printed() const;

  const nlohmann::json* value_;
  const char* document_;
  std::string path_;
};

}  // namespace tileproof::reports
