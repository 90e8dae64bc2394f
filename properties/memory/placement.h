/// The positions of a guarded call's tensors and fences in the arena. Internal to guarded calls.
#pragma once

#include <exception>
#include <span>

#include "properties/memory/guarded.h"

namespace tileproof {

/// The offset from an aligned address that aligns a tensor to exactly its promise and no better.
std::size_t misalignment(const Tensor&);

struct Placed {
  const Tensor* tensor;
  std::size_t begin;  // in the arena, in bytes
  std::size_t end() const { return begin + tensor->bytes; }
};

/// The bytes of the arena between two tensors, or beside one.
struct Fence {
  std::size_t begin;
  std::size_t end;
  const Tensor* before;  // nullptr at the start of the arena
  const Tensor* behind;  // nullptr at its end
};

struct Placement {
  std::vector<Placed> tensors;
  std::vector<Fence> fences;
  std::size_t bytes = 0;  // tensors and fences together
  std::uint8_t* arena = nullptr;
  std::vector<Pages> pages;  // one for each tensor, where there are untouchable pages

  std::vector<void*> addresses() const;  // of the tensors, in the arena
};

/// Offsets of tensors and fences one after the other, before there is an arena.
/// @param tensors  must outlive the placement
Placement placed(const std::vector<Tensor>& tensors);
/// The positions with addresses: in the memory's arena, or each tensor in pages of its own.
Placement placed(Memory&, const std::vector<Tensor>& tensors);

/// Addresses of the tensors, each at the end of an allocation of its own, where a tool watches allocations; else empty.
std::vector<void*> addresses_apart(Memory&, const std::vector<Tensor>&);

/// Whether all bytes equal `byte`. It compares each byte with its neighbour, which is fast in the usual case that all
/// are equal.
bool all_are(std::uint8_t byte, std::span<const std::uint8_t> bytes);

/// Checks the bytes of a fence.
/// @throws GuardViolation for the first changed byte; it names the nearer tensor
void check_fence(const Fence&, std::span<const std::uint8_t> bytes, std::uint8_t fence);

/// Calls `use` with the addresses of the tensors in the arena, while everything else in the arena is forbidden.
/// @return the exception with which the subject refused, if it did; a subject that refuses must not touch anything
/// either
/// @throws GuardViolation if the subject touched an untouchable page
std::exception_ptr validate_use(Memory&, const Placement&, const std::function<void(const std::vector<void*>&)>& use);

}  // namespace tileproof
