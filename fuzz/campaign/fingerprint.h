/// A fingerprint: the text that all findings of one mistake share.
#pragma once

#include <string>

#include "properties/judging/judge.h"

namespace tileproof {

/// "property on subject: tinygemm-4 float bf16: mismatch: the sign alone". A kind of failure, and where elements
/// are wrong, a pattern that all those listed share: the last n-tile, the first or last column of a group, one nibble;
/// a sign, a power of two, a constant.
std::string fingerprint_of(const Finding&);

/// Whether two findings are of one failure: of one property, subject, types and layout, kind and pattern, where both
/// have enough wrong elements to show one.
bool are_alike(const Finding&, const Finding&);

/// The pattern alone; "" where the elements listed share none.
std::string pattern_of(const Finding&);

}  // namespace tileproof
