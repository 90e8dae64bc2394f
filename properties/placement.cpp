#include "placement.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "subject.h"

namespace tileproof {

namespace {

/// Behind an output the fence holds the eight rows of an n-tile that a careless kernel would write, up to a limit that
/// keeps small cases quick; a store further away than that is not seen.
std::size_t fence_bytes_behind(const Tensor& tensor) {
  constexpr std::size_t least = 512;
  constexpr std::size_t most = 65536;
  return tensor.is_input() ? 4096 : std::clamp(8 * tensor.bytes, least, most);
}
constexpr std::size_t fence_bytes_before_all = 4096;
constexpr std::size_t alignment = 256;

}  // namespace

bool all_are(std::uint8_t byte, std::span<const std::uint8_t> bytes) {
  return bytes.empty() || (bytes[0] == byte && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

std::size_t misalignment(const Tensor& tensor) { return tensor.alignment < alignment ? tensor.alignment : 0; }

Placement placed(const std::vector<Tensor>& tensors) {
  Placement placement;
  placement.bytes = fence_bytes_before_all;
  for (const Tensor& tensor : tensors) {
    placement.bytes += misalignment(tensor);
    placement.tensors.push_back({&tensor, placement.bytes});
    const std::size_t end = placement.bytes + tensor.bytes + fence_bytes_behind(tensor);
    placement.bytes = (end + alignment - 1) / alignment * alignment;
  }
  return placement;
}

std::vector<void*> addresses_apart(Memory& memory, const std::vector<Tensor>& tensors) {
  std::vector<std::size_t> bytes;
  for (const Tensor& tensor : tensors) bytes.push_back(misalignment(tensor) + tensor.bytes);
  std::vector<void*> addresses = memory.apart(bytes);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    addresses[i] = static_cast<std::uint8_t*>(addresses[i]) + misalignment(tensors[i]);
  }
  return addresses;
}

void check_fence(std::span<const std::uint8_t> bytes, std::uint8_t fence, const Placed* before, const Placed* behind) {
  if (all_are(fence, bytes)) return;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (bytes[at] == fence) continue;
    const bool past_the_end = before != nullptr && (behind == nullptr || at < bytes.size() - at);
    const Tensor& tensor = past_the_end ? *before->tensor : *behind->tensor;
    const std::size_t distance = past_the_end ? at + 1 : bytes.size() - at;
    throw GuardViolation("wrote outside " + tensor.name + ": the byte " + std::to_string(distance) +
                         (past_the_end ? " past its end" : " before its beginning") + " was changed");
  }
}

std::exception_ptr refusal_of_use(Memory& memory, std::uint8_t* arena, const Placement& placement,
                                  const std::function<void(const std::vector<void*>&)>& use) {
  std::vector<void*> addresses;
  for (const Placed& p : placement.tensors) addresses.push_back(arena + p.begin);
  try {
    const OnlyTensors only_tensors(memory, arena, placement);
    use(addresses);
  } catch (const Refused&) {
    return std::current_exception();
  }
  return nullptr;
}

Room::Room(std::vector<std::uint8_t>& kept, std::size_t bytes) {
  constexpr std::size_t most_kept = std::size_t{1} << 22;
  std::vector<std::uint8_t>& room = bytes <= most_kept ? kept : own_;
  if (room.size() < bytes) room.resize(bytes);
  begin_ = room.data();
}

Image::Image(Memory& memory, const Placement& placement)
    : memory_(memory), placement_(placement), arena_(static_cast<std::uint8_t*>(memory.arena(placement.bytes))) {
  thread_local std::vector<std::uint8_t> kept;
  if (!memory.is_here()) copy_.emplace(kept, placement.bytes);
  begin_ = copy_ ? copy_->begin() : arena_;
}

void Image::write_fences(std::uint8_t fence) {
  for_each_fence(placement_, [&](std::size_t from, std::size_t to, const Placed*, const Placed*) {
    if (from != to) std::memset(begin_ + from, fence, to - from);
  });
}

void Image::write_poison(const Placed& p, std::uint16_t poison) {
  std::array<std::uint16_t, 32> repeated;
  repeated.fill(poison);
  std::uint8_t* at = here(p);
  std::size_t left = p.tensor->bytes;
  for (; left >= sizeof repeated; left -= sizeof repeated, at += sizeof repeated) {
    std::memcpy(at, repeated.data(), sizeof repeated);
  }
  if (left != 0) std::memcpy(at, repeated.data(), left);
}

std::exception_ptr Image::use(const std::function<void(const std::vector<void*>&)>& use) {
  if (copy_) memory_.copy_in(arena_, begin_, placement_.bytes);
  const std::exception_ptr refused = refusal_of_use(memory_, arena_, placement_, use);
  if (copy_) memory_.copy_out(begin_, arena_, placement_.bytes);
  return refused;
}

void Image::check_fences(std::uint8_t fence) const {
  for_each_fence(placement_, [&](std::size_t from, std::size_t to, const Placed* before, const Placed* behind) {
    check_fence({begin_ + from, to - from}, fence, before, behind);
  });
}

OnlyTensors::OnlyTensors(Memory& memory, std::uint8_t* arena, const Placement& placement)
    : memory_(memory), arena_(arena), bytes_(placement.bytes) {
  memory.forbid(arena, bytes_);
  for (const Placed& p : placement.tensors) memory.allow(arena + p.begin, p.tensor->bytes);
}

}  // namespace tileproof
