/// A fingerprint is the text that all findings of one mistake share.
#pragma once

#include <string>

#include "properties/judging/judge.h"

namespace tileproof {

/// For example "property on subject: tinygemm-4 float bf16: mismatch: the sign alone". It names the kind of failure
/// and, if at least two elements are wrong, a pattern that all listed elements share. Patterns of values: a NaN or an
/// infinity, the sign, the neighbouring value, a power of two, a constant. Patterns of places: the last n-tile, the
/// first or last column of a group, groups after the first.
std::string fingerprint_of(const Finding&);

/// Whether two findings are of one failure: the same property, variant, subject, scheme, types, format and kind, and
/// the same pattern if each has at least two wrong elements.
bool are_alike(const Finding&, const Finding&);

/// The pattern alone; "" if the listed elements share none or are fewer than two.
std::string pattern_of(const Finding&);

}  // namespace tileproof
