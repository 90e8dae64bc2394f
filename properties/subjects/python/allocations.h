/// The functions by which the harness answers the allocations that python/allocations.cpp intercepts.
#pragma once

#include <cstddef>

namespace tileproof {

struct AllocationFunctions {
  /// @return nullptr: the C library shall answer
  void* (*allocate)(std::size_t alignment, std::size_t bytes);
  /// The bytes of memory from allocate(); unknown for other memory.
  static constexpr std::size_t unknown = ~std::size_t{0};
  std::size_t (*bytes_of)(void*);
  /// @return whether the memory was from allocate(), and has been taken back
  bool (*take_back)(void*);
};

/// The name of the function `void(const AllocationFunctions*)` that the preloaded library has.
inline constexpr const char* name_of_intercepting = "tileproof_intercept_allocations";

}  // namespace tileproof
