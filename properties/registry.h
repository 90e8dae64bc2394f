/// The registry: resolves the names that a command line or a record may hold. It is the only code that knows every
/// folder of properties/.
#pragma once

#include <string>

#include "properties/case/property.h"
#include "properties/subjects/subject.h"

namespace tileproof {

struct TimerRow;

/// The row of a subject, a mutant, a subject for compute-sanitizer or a misbehaving subject.
/// @throws UsageError if no subject has the name
const SubjectRow& subject_row(const std::string& name);

/// A property of the catalogue, or of a measurement of accuracy.
/// @throws UsageError if no property has the name
const Property& property_of(const std::string& name);

/// The problem of a line.
/// @throws UsageError if the line is none, or names no property, or its sizes are impossible
Problem possible_problem(const std::string& line);

/// The row of a timer, or a row that times a mutant in host memory.
/// @throws UsageError if neither has the name
TimerRow timer_row(const std::string& name);

}  // namespace tileproof
