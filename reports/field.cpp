#include "reports/field.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "reports/text.h"

namespace tileproof::reports {

using nlohmann::json;

Field Field::operator[](const std::string& name) const {
  require(value_ != nullptr && value_->is_object(), "an object");
  const auto found = value_->find(name);
  return {found == value_->end() ? nullptr : &*found, document_, path_.empty() ? name : path_ + "." + name};
}

std::vector<Field> Field::items() const {
  require(value_ != nullptr && value_->is_array(), "an array");
  std::vector<Field> fields;
  for (const json& item : *value_) {
    fields.push_back({&item, document_, path_ + "[" + std::to_string(fields.size()) + "]"});
  }
  return fields;
}

std::map<std::string, Field> Field::members() const {
  require(value_ != nullptr && value_->is_object(), "an object");
  std::map<std::string, Field> fields;
  for (const auto& item : value_->items()) fields.emplace(item.key(), (*this)[item.key()]);
  return fields;
}

std::string Field::text() const {
  require(value_ != nullptr && value_->is_string(), "a string");
  return value_->get<std::string>();
}

std::uint64_t Field::count() const {
  // nlohmann's parser makes unsigned numbers, but a json made from an int holds a signed one, even if positive.
  const bool whole = value_ != nullptr && value_->is_number_integer();
  require(whole && (value_->is_number_unsigned() || value_->get<std::int64_t>() >= 0), "a whole number, not negative");
  return value_->get<std::uint64_t>();
}

double Field::seconds() const {
  const bool is_number = value_ != nullptr && value_->is_number();
  const double value = is_number ? value_->get<double>() : -1;
  require(std::isfinite(value) && value >= 0, "a number of seconds");
  return value;
}

double Field::number() const {
  require(value_ != nullptr && value_->is_number() && std::isfinite(value_->get<double>()), "a number");
  return value_->get<double>();
}

bool Field::is_truth() const { return value_ != nullptr && value_->is_boolean(); }

bool Field::truth() const {
  require(value_ != nullptr && value_->is_boolean(), "true or false");
  return value_->get<bool>();
}

bool Field::is_nothing() const { return value_ == nullptr || value_->is_null(); }

std::string Field::label() const {
  if (is_nothing()) return "";
  require(value_->is_string() || value_->is_number(), "a text or a number");
  return value_->is_string() ? value_->get<std::string>() : value_->dump();
}

std::map<std::string, std::uint64_t> Field::counts() const {
  std::map<std::string, std::uint64_t> counts;
  for (const auto& [name, field] : members()) counts[name] = field.count();
  return counts;
}

std::vector<std::string> Field::texts() const {
  std::vector<std::string> texts;
  for (const Field& item : items()) texts.push_back(item.text());
  return texts;
}

std::map<std::string, std::string> Field::texts_by_name() const {
  std::map<std::string, std::string> texts;
  for (const auto& [name, field] : members()) texts[name] = field.text();
  return texts;
}

void Field::require(bool holds, const std::string& expected) const {
  if (holds) return;
  const std::string where = path_.empty() ? "" : one_line(path_) + ": ";
  throw std::runtime_error(std::string(document_) + ": " + where + "expected " + expected + ", got " +
                           (value_ == nullptr ? "nothing" : printed()));
}

std::string Field::printed() const {
  constexpr std::size_t enough_to_recognize = 60;
  return shortened(one_line(value_->dump(-1, ' ', false, json::error_handler_t::replace)), enough_to_recognize);
}

void Field::require_schema(std::uint64_t version) const {
  const Field schema = (*this)["schema"];
  schema.require(schema.count() == version, std::to_string(version) + ", the only one that this version reads");
}

std::string shown(const json& record, const char* name) { return visible(record.at(name).get<std::string>()); }

}  // namespace tileproof::reports
