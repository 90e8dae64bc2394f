/// Subjects that a process does not survive, or not always: what a campaign must go on beside. The specification, but
/// for one thing each that it does in unpack.
#pragma once

#include <vector>

#include "properties/subjects/subject.h"

namespace tileproof {

/// Named "misbehaving:NAME"; each is run in a process of its own.
const std::vector<SubjectRow>& misbehaving_subjects();

}  // namespace tileproof
