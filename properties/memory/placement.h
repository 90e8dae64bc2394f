/// The positions of a guarded call's tensors and fences in the arena. Internal to guarded calls.
#pragma once

#include <exception>
#include <optional>
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

/// Uninitialized bytes for one call.
/// @param kept  a thread's buffer from earlier calls; reused and grown, unless far more is needed than should be kept
class Room {
 public:
  Room(std::vector<std::uint8_t>& kept, std::size_t bytes);
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  std::uint8_t* begin() const { return begin_; }

 private:
  std::vector<std::uint8_t> own_;
  std::uint8_t* begin_;
};

/// The arena as the harness sees it: the arena itself where it is in this process, else a copy that is copied in and
/// out as a whole.
class Image {
 public:
  Image(Memory&, const Placement&);

  /// The address of a tensor in the image.
  std::uint8_t* here(const Placed& p) const { return begin_ + p.begin; }

  void write_fences(std::uint8_t fence);
  void write_poison(const Placed&, std::uint16_t poison);
  /// Copies the image in, calls validate_use(), and copies the image out.
  std::exception_ptr use(const std::function<void(const std::vector<void*>&)>&);
  /// @throws GuardViolation for the first changed byte of a fence
  void check_fences(std::uint8_t fence) const;

 private:
  Memory& memory_;
  const Placement& placement_;
  std::optional<Room> copy_;
  std::uint8_t* begin_;
};

/// While it lives, the subject may touch the tensors and nothing between them.
class OnlyTensors {
 public:
  OnlyTensors(Memory&, const Placement&);
  ~OnlyTensors() { memory_.allow(placement_.arena, placement_.bytes); }
  OnlyTensors(const OnlyTensors&) = delete;
  OnlyTensors& operator=(const OnlyTensors&) = delete;

 private:
  Memory& memory_;
  const Placement& placement_;
};

}  // namespace tileproof
