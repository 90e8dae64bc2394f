/// Where the tensors of a guarded call lie in their arena, and the fences between them. Internal to guarded calls.
#pragma once

#include <exception>
#include <optional>
#include <span>

#include "properties/memory/guarded.h"

namespace tileproof {

/// How far behind an aligned address a tensor is aligned to what it promises and no better.
std::size_t misalignment(const Tensor&);

struct Placed {
  const Tensor* tensor;
  std::size_t begin;  // in the arena, in bytes
  std::size_t end() const { return begin + tensor->bytes; }
};

/// Bytes of the arena between two tensors, or beside one.
struct Fence {
  std::size_t begin;
  std::size_t end;
  const Tensor* before;  // nullptr: none
  const Tensor* behind;  // likewise
};

struct Placement {
  std::vector<Placed> tensors;
  std::vector<Fence> fences;
  std::size_t bytes = 0;  // of tensors and fences
  std::uint8_t* arena = nullptr;
  std::vector<Pages> pages;  // of each tensor, where there are untouchable ones around them
};

/// Tensors and fences one behind the other, in an arena that is yet to be had.
/// @param tensors  live as long as the placement
Placement placed(const std::vector<Tensor>& tensors);
/// The same in memory: in its arena, or each in pages of its own.
Placement placed(Memory&, const std::vector<Tensor>& tensors);

/// Addresses of the tensors, each at the end of an allocation of its own, where a tool watches allocations; else none.
std::vector<void*> addresses_apart(Memory&, const std::vector<Tensor>&);

/// Far the most bytes are as they should be, and a comparison with their neighbours sees that at once.
bool all_are(std::uint8_t byte, std::span<const std::uint8_t> bytes);

/// Looks at a fence's bytes.
/// @throws GuardViolation for the first byte that was changed; the tensor that it is nearer to is named
void check_fence(const Fence&, std::span<const std::uint8_t> bytes, std::uint8_t fence);

/// Calls `use` with the addresses of the tensors in the arena, while nothing else of it may be touched.
/// @return what the subject refused with, if it did: whoever refuses has not touched anything either
/// @throws GuardViolation where it touched a page that nobody may
std::exception_ptr validate_use(Memory&, const Placement&, const std::function<void(const std::vector<void*>&)>& use);

/// Bytes for one call, with anything in them.
/// @param kept  a thread's, of earlier calls: taken and grown, unless many more are asked for than should be kept
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

/// An arena as the harness writes it and looks at it: where it lies, or a copy, carried in as a whole and out again.
class Image {
 public:
  Image(Memory&, const Placement&);

  /// Where a tensor's bytes are in the image.
  std::uint8_t* here(const Placed& p) const { return begin_ + p.begin; }

  void write_fences(std::uint8_t fence);
  void write_poison(const Placed&, std::uint16_t poison);
  /// validate_use(), between carrying the image in and out.
  std::exception_ptr use(const std::function<void(const std::vector<void*>&)>&);
  /// @throws GuardViolation for the first byte of a fence that was changed
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
