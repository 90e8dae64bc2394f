/// How a limited time is shared by tasks that are done one after the other.
#pragma once

#include <cstddef>
#include <vector>

namespace tileproof {

/// The order in which as many tasks as can be are done whole: those that need least first; equals as they stand.
/// @param needs  seconds that each is thought to need
std::vector<std::size_t> least_first(const std::vector<double>& needs);

/// The seconds that the first of the tasks still to be done may take, so that as many of them as can be are done whole
/// and each of the others has a part. Where what it needs leaves the others their least part, several times that, as
/// it may have been thought too little; otherwise as much as each of the others.
/// @param needs  of those still to be done, in ascending order; never empty
/// @param left  seconds for all of them together; nothing where it is negative
double share_of_first(const std::vector<double>& needs, double left);

}  // namespace tileproof
