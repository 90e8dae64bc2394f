/// What the runner and its workers tell each other, as JSON. Text from a subject need not be UTF-8: what is not becomes
/// U+FFFD.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include <utility>

#include "properties/judging/judge.h"
#include "properties/subjects/library.h"

namespace tileproof {

/// How a worker makes its subject: the name of a row, or a library.
struct SubjectOrder {
  std::string subject;
  std::optional<Library> library;
};

nlohmann::json json_of(const SubjectOrder&);
SubjectOrder subject_order_of(const nlohmann::json&);

nlohmann::json json_of(const Capabilities&);
Capabilities capabilities_of(const nlohmann::json&);

nlohmann::json json_of(const std::vector<WrongElement>&);
std::vector<WrongElement> wrong_elements_of(const nlohmann::json&);

nlohmann::json json_of(const CaseOutcome&);
/// @param problem  of the case, which the outcome's finding is about
CaseOutcome outcome_of(const nlohmann::json&, const Problem& problem);

nlohmann::json json_of(const ComparedElements&);
ComparedElements compared_elements_of(const nlohmann::json&);

nlohmann::json json_of(const Coverage&);
Coverage met_of(const nlohmann::json&);

/// A whole number, and one that the type holds: a plain conversion takes fractions, truth values and what overflows.
/// @throws nlohmann::json::exception where it is none
template <class Int>
Int whole_of(const nlohmann::json& value) {
  if (value.is_number_unsigned()) {
    if (const auto number = value.get<std::uint64_t>(); std::in_range<Int>(number)) return static_cast<Int>(number);
  } else if (value.is_number_integer()) {
    if (const auto number = value.get<std::int64_t>(); std::in_range<Int>(number)) return static_cast<Int>(number);
  }
  throw nlohmann::json::type_error::create(302, "no whole number, or one that is too large", &value);
}

/// On one line, whatever the strings hold.
std::string dumped(const nlohmann::json&, int indent = -1);

}  // namespace tileproof
