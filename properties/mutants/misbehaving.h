/// Subjects that crash, hang or corrupt their process, always or sometimes, so that a campaign must continue without
/// them. Each is the specification with one misbehaviour in unpack.
#pragma once

#include <vector>

#include "properties/subjects/subject.h"

namespace tileproof {

/// Named "misbehaving:NAME". Each must run in a process of its own.
const std::vector<SubjectRow>& misbehaving_subjects();

}  // namespace tileproof
