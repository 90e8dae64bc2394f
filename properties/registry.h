/// The registry: it resolves the names that a command line or a record may hold. It alone knows every folder here.
#pragma once

#include <string>

#include "properties/case/property.h"
#include "properties/subjects/subject.h"

namespace tileproof {

struct TimerRow;

/// A subject, a mutated one, one of compute-sanitizer's or a misbehaving one. @throws UsageError for a name that is
/// none
const SubjectRow& subject_row(const std::string& name);

/// A property of the catalogue or of the measurement. @throws UsageError for a name that is none
const Property& property_of(const std::string& name);

/// A timer, or a mutant in host memory, which is timed as it is. @throws UsageError for a name that is none
TimerRow timer_row(const std::string& name);

}  // namespace tileproof
