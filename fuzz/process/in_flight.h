/// Records which case each worker is running, in a file that the workers and their supervisor map. A stored value
/// outlives a killed worker and needs no system call.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

namespace tileproof {

class InFlight {
 public:
  /// Maps `slots` slots of the file, and creates the file if it does not exist.
  /// @throws std::runtime_error if that fails
  InFlight(const std::filesystem::path& file, std::size_t slots);
  ~InFlight();
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

  struct Now {
    std::uint64_t index;
    std::chrono::nanoseconds since;  // how long it has run
  };

  void begin(std::size_t slot, std::uint64_t index);
  void end(std::size_t slot);
  /// The case that the slot's worker is running, if any.
  std::optional<Now> now(std::size_t slot) const;

 private:
  struct Slot {
    std::atomic<std::uint64_t> next_index;  // the case's index + 1; 0: none
    std::atomic<std::int64_t> begun;        // on the machine's steady clock
  };
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free && sizeof(Slot) == 16);

  Slot* slots_;
  std::size_t bytes_;
};

}  // namespace tileproof
