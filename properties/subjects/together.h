/// Runs work in several host threads that begin at once.
#pragma once

#include <cstddef>
#include <functional>

namespace tileproof {

/// How many threads call an operation at once, and how often each of them.
inline constexpr std::size_t callers = 4;
inline constexpr std::size_t calls_of_caller = 8;

/// Calls `work` from `count` threads, which begin together and compute in the default mode.
/// @throws the first exception of a thread, once all have ended
void together(std::size_t count, const std::function<void(std::size_t thread)>& work);

}  // namespace tileproof
