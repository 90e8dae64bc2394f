/// The messages between the runner and its workers, as JSON. Text from a subject need not be UTF-8: invalid bytes
/// become U+FFFD.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include <utility>

#include "properties/judging/judge.h"
#include "properties/subjects/kernel_library.h"
#include "properties/subjects/library.h"
#include "properties/subjects/python.h"

namespace tileproof {

/// Tells a worker how to make its subject: by the name of a row, from a library, a Python module or kernels.
struct SubjectOrder {
  std::string subject;
  std::optional<Library> library;
  std::optional<PythonModule> python = std::nullopt;
  std::optional<KernelLibrary> kernel = std::nullopt;

  /// Whether the subject is its user's.
  bool is_given() const { return library || python || kernel; }
};

// Reading throws nlohmann::json::exception for a field that is missing or wrong.

nlohmann::json json_of(const SubjectOrder&);
SubjectOrder subject_order_of(const nlohmann::json&);

nlohmann::json json_of(const Capabilities&);
Capabilities capabilities_of(const nlohmann::json&);

nlohmann::json json_of(const Finding&);
Finding finding_of(const nlohmann::json&);

nlohmann::json json_of(const CaseOutcome&);
CaseOutcome outcome_of(const nlohmann::json&);

nlohmann::json json_of(const Coverage&);
Coverage met_of(const nlohmann::json&);

// Wrong elements are arrays. nlohmann::json calls these by their names.
void to_json(nlohmann::json&, const WrongElement&);
void from_json(const nlohmann::json&, WrongElement&);

/// A whole number within the type's range. A plain conversion would accept fractions, booleans and numbers that
/// overflow.
/// @throws nlohmann::json::exception if it is none
template <class Int>
Int whole_of(const nlohmann::json& value) {
  if (value.is_number_unsigned()) {
    if (const auto number = value.get<std::uint64_t>(); std::in_range<Int>(number)) return static_cast<Int>(number);
  } else if (value.is_number_integer()) {
    if (const auto number = value.get<std::int64_t>(); std::in_range<Int>(number)) return static_cast<Int>(number);
  }
  throw nlohmann::json::type_error::create(302, "no whole number, or one that is too large", &value);
}

/// Requires a number of cases, elements or shrinks. They are limited to 2^50: no batch has more, and sums cannot
/// overflow.
/// @throws nlohmann::json::exception if it is none
void require_count(const nlohmann::json&);

/// Turns a UsageError of `read`, about a name or a line that JSON holds, into an error of that JSON.
template <class Read>
auto part_of_json(Read read) {
  try {
    return read();
  } catch (const UsageError& illegal) {
    throw nlohmann::json::other_error::create(501, illegal.what(), static_cast<const nlohmann::json*>(nullptr));
  }
}

/// The value as text on one line; strings may contain anything.
std::string dumped(const nlohmann::json&, int indent = -1);

}  // namespace tileproof
