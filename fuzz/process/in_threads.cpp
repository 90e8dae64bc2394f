#include "fuzz/process/in_threads.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

namespace tileproof {

void in_threads(std::size_t threads, std::size_t count,
                const std::function<void(std::size_t thread, std::size_t i)>& work,
                const std::function<bool()>& is_over) {
  std::mutex mutex;
  std::size_t next = 0;
  std::size_t thrown_at = std::numeric_limits<std::size_t>::max();
  std::exception_ptr thrown;
  const auto take_all = [&](std::size_t thread) {
    for (;;) {
      std::size_t i = 0;
      {
        const std::lock_guard lock(mutex);
        if (next == count || thrown || (is_over && is_over())) return;
        i = next++;
      }
      try {
        work(thread, i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (i < thrown_at) thrown = std::current_exception();
        thrown_at = std::min(i, thrown_at);
      }
    }
  };
  std::vector<std::thread> others;
  for (std::size_t thread = 1; thread < std::min(threads, count); ++thread) others.emplace_back(take_all, thread);
  take_all(0);
  for (std::thread& other : others) other.join();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace tileproof
