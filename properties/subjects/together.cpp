#include "properties/subjects/together.h"

#include <barrier>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "properties/subjects/float_mode.h"

namespace tileproof {

void together(std::size_t count, const std::function<void(std::size_t thread)>& work) {
  std::barrier begin(static_cast<std::ptrdiff_t>(count));
  std::mutex mutex;
  std::exception_ptr thrown;
  const auto run = [&](std::size_t thread) {
    compute_in_default_mode();
    begin.arrive_and_wait();
    try {
      work(thread);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!thrown) thrown = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < count; ++thread) threads.emplace_back(run, thread);
  for (std::thread& thread : threads) thread.join();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace tileproof
