/// Where the tensors of a guarded call lie in their arena, and the fences between them. Internal to guarded calls.
#pragma once

#include <span>

#include "guarded.h"

namespace tileproof {

/// How far behind an aligned address a tensor is aligned to what it promises and no better.
std::size_t misalignment(const Tensor&);

struct Placed {
  const Tensor* tensor;
  std::size_t begin;  // in the arena, in bytes
  std::size_t end() const { return begin + tensor->bytes; }
};

struct Placement {
  std::vector<Placed> tensors;
  std::size_t bytes = 0;  // of the arena
};

/// @param tensors  live as long as the placement
Placement placed(const std::vector<Tensor>& tensors);

/// Addresses of the tensors, each at the end of an allocation of its own, where a tool watches allocations; else none.
std::vector<void*> addresses_apart(Memory&, const std::vector<Tensor>&);

/// Calls `use` with the first and last byte of every fence and the tensors beside it, of which there is one at least.
template <class Use>
void for_each_fence(const Placement& placement, Use use) {
  std::size_t begin = 0;
  const Placed* last = nullptr;
  for (const Placed& p : placement.tensors) {
    use(begin, p.begin, last, &p);
    begin = p.end();
    last = &p;
  }
  if (last != nullptr) use(begin, placement.bytes, last, static_cast<const Placed*>(nullptr));
}

/// Far the most bytes are as they should be, and a comparison with their neighbours sees that at once.
bool all_are(std::uint8_t byte, std::span<const std::uint8_t> bytes);

/// Looks at a fence, from the end of one tensor to the beginning of the next, of which there is at least one.
/// @throws GuardViolation for the first byte that was changed; the tensor that it is nearer to is named
void check_fence(std::span<const std::uint8_t> bytes, std::uint8_t fence, const Placed* before, const Placed* behind);

/// While it lives, the subject may touch the tensors and nothing between them.
class OnlyTensors {
 public:
  OnlyTensors(Memory&, std::uint8_t* arena, const Placement&);
  ~OnlyTensors() { memory_.allow(arena_, bytes_); }
  OnlyTensors(const OnlyTensors&) = delete;
  OnlyTensors& operator=(const OnlyTensors&) = delete;

 private:
  Memory& memory_;
  std::uint8_t* arena_;
  std::size_t bytes_;
};

}  // namespace tileproof
