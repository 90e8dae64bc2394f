/// A fingerprint is the text that all findings of one mistake share.
#pragma once

#include <string>

#include "properties/judging/judge.h"

namespace tileproof {

/// For example "property on subject: tinygemm-4 float bf16: mismatch: the sign alone". It names the kind of failure
/// and, if at least two elements are wrong, a pattern that all listed elements share (properties/judging/patterns.h).
std::string fingerprint_of(const Finding&);

/// Whether two findings are of one failure: the same property, variant, subject, scheme, types, format and kind, and
/// the same pattern if each has at least two wrong elements.
bool are_alike(const Finding&, const Finding&);

}  // namespace tileproof
