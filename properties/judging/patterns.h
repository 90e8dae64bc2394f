/// Patterns: what all wrong elements of a finding share, and classes of problems that a known finding may be about.
#pragma once

#include <string>
#include <vector>

#include "properties/judging/judge.h"

namespace tileproof {

/// The patterns that all listed elements share, the first of values and the first of places, and the constant by which
/// codes are off; "" if they share none or are fewer than two, as one element fits many. Patterns of values: the sign
/// of a zero, a NaN or an infinity, the sign, a subnormal that became zero, either of the first and this, the
/// neighbouring value, a power of two. Patterns of places: the last n-tile, the first or last column of a group, groups
/// after the first.
std::string pattern_of(const Finding&);

/// Whether all listed elements, one or more, show a pattern of values.
bool shows(const Finding&, const std::string& pattern_of_values);
/// The first pattern of values that shows() finds; "" if there is none.
std::string value_pattern_of(const Finding&);
/// The names that shows() takes.
std::vector<std::string> patterns_of_values();

/// Whether a problem is of a class, as "a group crosses rows".
bool is_of_class(const Problem&, const std::string& name);
std::vector<std::string> classes_of_problems();

}  // namespace tileproof
