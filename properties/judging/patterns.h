/// Patterns: what all wrong elements of a finding share, and classes of problems that a known finding may be about.
#pragma once

#include <string>
#include <vector>

#include "properties/judging/judge.h"

namespace tileproof {

/// The patterns that all kept elements share, the first of values (case/wrong_elements.h) and the first of places, and
/// the constant by which codes are off; "" if they share none or are fewer than two, as one element fits many. Patterns
/// of places: the last n-tile, the first or last column of a group, groups after the first.
std::string pattern_of(const Finding&);

/// The first pattern of values that all kept elements, one or more, show; "" if there is none.
std::string value_pattern_of(const Finding&);

/// Whether a problem is of a class, as "a group crosses rows".
bool is_of_class(const Problem&, const std::string& name);
std::vector<std::string> classes_of_problems();

}  // namespace tileproof
