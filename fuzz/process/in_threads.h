/// One loop for whatever is done by several threads, or by several processes that a thread each waits for.
#pragma once

#include <cstddef>
#include <functional>

namespace tileproof {

/// Calls `work(thread, i)` once for each i below `count`, on at most `threads` threads; each takes the lowest i that is
/// left. After an exception no further i is taken; when all threads have ended, the exception of the lowest i is
/// thrown.
/// @param is_over  true: no further i is taken. Called by one thread at a time
void in_threads(std::size_t threads, std::size_t count,
                const std::function<void(std::size_t thread, std::size_t i)>& work,
                const std::function<bool()>& is_over = nullptr);

}  // namespace tileproof
