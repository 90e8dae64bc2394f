// Preloaded into the interpreter of a Python module (LD_PRELOAD). Torch gets the memory of tensors on the CPU from
// posix_memalign and gives it back to free: the harness answers these here, so that it can poison and fence a tensor.
#include "properties/subjects/python/allocations.h"

#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

extern "C" void __libc_free(void*);
extern "C" void* __libc_realloc(void*, std::size_t);

namespace {

using tileproof::AllocationFunctions;

std::atomic<const AllocationFunctions*> harness = nullptr;
// In this thread the harness answers: its own allocations are not intercepted. A preloaded library may use the fixed
// part of a thread's storage, whose first use allocates nothing.
[[gnu::tls_model("initial-exec")]] thread_local bool answers = false;

// The next library's functions. Before they are found, which may itself free memory, glibc's own are called.
void (*free_of_next)(void*) = __libc_free;
void* (*realloc_of_next)(void*, std::size_t) = __libc_realloc;

[[gnu::constructor]] void find_next() {
  if (void* found = dlsym(RTLD_NEXT, "free")) free_of_next = reinterpret_cast<void (*)(void*)>(found);
  if (void* found = dlsym(RTLD_NEXT, "realloc"))
    realloc_of_next = reinterpret_cast<void* (*)(void*, std::size_t)>(found);
}

/// Asks the harness, unless it is what allocates.
template <class Answer, class Ask>
Answer asked(Answer otherwise, Ask ask) {
  const AllocationFunctions* functions = harness.load(std::memory_order_acquire);
  if (functions == nullptr || answers) return otherwise;
  answers = true;
  const Answer answer = ask(*functions);
  answers = false;
  return answer;
}

/// Memory that the harness hands out has at least the alignment of a tensor.
bool may_be_of_harness(const void* memory) {
  constexpr std::uintptr_t alignment = 64;
  return memory != nullptr && reinterpret_cast<std::uintptr_t>(memory) % alignment == 0;
}

}  // namespace

extern "C" {

[[gnu::visibility("default")]] void tileproof_intercept_allocations(const AllocationFunctions* functions) {
  harness.store(functions, std::memory_order_release);
}

[[gnu::visibility("default")]] int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) noexcept {
  const bool is_power = alignment != 0 && (alignment & (alignment - 1)) == 0;
  if (!is_power || alignment % sizeof(void*) != 0) return EINVAL;
  void* given = asked<void*>(nullptr, [&](const auto& functions) { return functions.allocate(alignment, bytes); });
  if (given == nullptr) given = std::aligned_alloc(alignment, bytes);
  if (given == nullptr) return ENOMEM;
  *memory = given;
  return 0;
}

[[gnu::visibility("default")]] void free(void* memory) noexcept {
  const bool is_taken =
      may_be_of_harness(memory) && asked(false, [&](const auto& functions) { return functions.take_back(memory); });
  if (!is_taken) free_of_next(memory);
}

[[gnu::visibility("default")]] void* realloc(void* memory, std::size_t bytes) noexcept {
  constexpr std::size_t unknown = AllocationFunctions::unknown;
  std::size_t before = unknown;
  if (may_be_of_harness(memory))
    before = asked(unknown, [&](const auto& functions) { return functions.bytes_of(memory); });
  if (before == unknown) return realloc_of_next(memory, bytes);
  void* larger = std::malloc(bytes);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, memory, std::min(before, bytes));
  free(memory);
  return larger;
}

}  // extern "C"
