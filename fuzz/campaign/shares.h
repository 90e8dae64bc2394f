/// Shares a limited time among tasks that are done one after the other.
#pragma once

#include <cstddef>
#include <vector>

namespace tileproof {

/// The order in which as many tasks as possible are done whole: those that need least come first, equal ones in the
/// given order.
/// @param needs  estimated seconds for each task
std::vector<std::size_t> least_first(const std::vector<double>& needs);

/// The seconds that the first of the remaining tasks may take, so that as many as possible are done whole and each of
/// the others has a part. If its need leaves the others their least part, it may take several times its need, because
/// estimates err; otherwise it gets an equal share.
/// @param needs  estimated seconds of the remaining tasks, in ascending order; never empty
/// @param left  seconds for all of them together
/// @return 0 if `left` is not positive
double share_of_first(const std::vector<double>& needs, double left);

}  // namespace tileproof
