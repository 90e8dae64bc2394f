#include "properties/memory/placement.h"

#include <algorithm>
#include <cstring>

#include "properties/memory/errors.h"

namespace tileproof {

namespace {

/// The fence behind an output has eight times its bytes, for a kernel that always writes all eight rows of an n-tile,
/// up to a limit that keeps small cases fast. A store beyond the fence is not seen.
std::size_t fence_bytes_behind(const Tensor& tensor) {
  constexpr std::size_t least = 512;
  constexpr std::size_t most = 65536;
  return tensor.is_input() ? 4096 : std::clamp(8 * tensor.bytes, least, most);
}
constexpr std::size_t fence_bytes_before = 4096;
constexpr std::size_t alignment = 256;
constexpr std::size_t alignment_of_allocators = 64;  // torch's allocator on a CPU

std::size_t room_bytes(const Tensor& tensor) {
  return std::max(fence_bytes_before, fence_bytes_behind(tensor)) + tensor.bytes + alignment;
}

/// The start address of a tensor that ends as close to `pages_end` as its alignment allows. pages_end is aligned.
std::uintptr_t begin_before(std::uintptr_t pages_end, const Tensor& tensor) {
  const std::uintptr_t last = pages_end - tensor.bytes;
  if (tensor.alignment >= alignment) return last / alignment_of_allocators * alignment_of_allocators;
  if (tensor.touches_page && last % tensor.alignment == 0) return last;
  const std::uintptr_t begin = last / alignment * alignment + misalignment(tensor);
  return begin <= last ? begin : begin - alignment;
}

/// Places a tensor in its pages, with a fence on both sides, one of which may be short.
void place_between_pages(Placement& placement, const Tensor& tensor, const Pages& pages) {
  const auto offset = [&](std::uintptr_t address) {
    return static_cast<std::size_t>(address - reinterpret_cast<std::uintptr_t>(placement.arena));
  };
  const auto pages_begin = reinterpret_cast<std::uintptr_t>(pages.begin);
  const auto pages_end = reinterpret_cast<std::uintptr_t>(pages.end);
  const bool is_at_page = tensor.alignment >= alignment || tensor.touches_page;
  const std::uintptr_t begin = !tensor.page_before ? begin_before(pages_end, tensor)
                               : is_at_page        ? pages_begin
                                                   : pages_begin + misalignment(tensor);
  const std::uintptr_t end = begin + tensor.bytes;
  const std::uintptr_t fence_begin = tensor.page_before ? pages_begin : begin - fence_bytes_before;
  const std::uintptr_t fence_end = tensor.page_before ? end + fence_bytes_behind(tensor) : pages_end;
  placement.tensors.push_back({&tensor, offset(begin)});
  placement.fences.push_back({offset(fence_begin), offset(begin), nullptr, &tensor});
  placement.fences.push_back({offset(end), offset(fence_end), &tensor, nullptr});
  placement.bytes += fence_end - fence_begin;
}

/// While it lives, the subject may touch the tensors and nothing between them.
class OnlyTensors {
 public:
  OnlyTensors(Memory& memory, const Placement& placement) : memory_(memory), placement_(placement) {
    memory.forbid(placement.arena, placement.bytes);
    for (const Placed& p : placement.tensors) memory.allow(placement.arena + p.begin, p.tensor->bytes);
  }
  ~OnlyTensors() { memory_.allow(placement_.arena, placement_.bytes); }
  OnlyTensors(const OnlyTensors&) = delete;
  OnlyTensors& operator=(const OnlyTensors&) = delete;

 private:
  Memory& memory_;
  const Placement& placement_;
};

}  // namespace

bool all_are(std::uint8_t byte, std::span<const std::uint8_t> bytes) {
  return bytes.empty() || (bytes[0] == byte && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

std::vector<void*> Placement::addresses() const {
  std::vector<void*> all;
  for (const Placed& p : tensors) all.push_back(arena + p.begin);
  return all;
}

std::size_t misalignment(const Tensor& tensor) { return tensor.alignment < alignment ? tensor.alignment : 0; }

Placement placed(const std::vector<Tensor>& tensors) {
  Placement placement;
  std::size_t fence_begin = 0;
  std::size_t begin = fence_bytes_before;
  const Tensor* before = nullptr;
  for (const Tensor& tensor : tensors) {
    begin += misalignment(tensor);
    placement.tensors.push_back({&tensor, begin});
    placement.fences.push_back({fence_begin, begin, before, &tensor});
    fence_begin = begin + tensor.bytes;
    begin = (fence_begin + fence_bytes_behind(tensor) + alignment - 1) / alignment * alignment;
    before = &tensor;
  }
  if (before != nullptr) placement.fences.push_back({fence_begin, begin, before, nullptr});
  placement.bytes = begin;
  return placement;
}

Placement placed(Memory& memory, const std::vector<Tensor>& tensors) {
  std::vector<std::size_t> bytes;
  for (const Tensor& tensor : tensors) bytes.push_back(room_bytes(tensor));
  Placement placement;
  placement.pages = memory.pages(bytes);
  if (placement.pages.size() < tensors.size() || tensors.empty()) {
    placement = placed(tensors);
    placement.arena = static_cast<std::uint8_t*>(memory.arena(placement.bytes));
    return placement;
  }
  placement.arena = placement.pages.front().begin;
  for (std::size_t i = 0; i < tensors.size(); ++i) place_between_pages(placement, tensors[i], placement.pages[i]);
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

void check_fence(const Fence& where, std::span<const std::uint8_t> bytes, std::uint8_t fence) {
  if (all_are(fence, bytes)) return;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (bytes[at] == fence) continue;
    const bool past_the_end = where.before != nullptr && (where.behind == nullptr || at < bytes.size() - at);
    const Tensor& tensor = past_the_end ? *where.before : *where.behind;
    const std::size_t distance = past_the_end ? at + 1 : bytes.size() - at;
    throw GuardViolation("wrote outside " + tensor.name + ": the byte " + std::to_string(distance) +
                         (past_the_end ? " past its end" : " before its beginning") + " was changed");
  }
}

std::exception_ptr validate_use(Memory& memory, const Placement& placement,
                                const std::function<void(const std::vector<void*>&)>& use) {
  const std::vector<void*> addresses = placement.addresses();
  std::vector<GuardedTensor> between_pages;
  for (std::size_t i = 0; i < placement.tensors.size() && !placement.pages.empty(); ++i) {
    const Placed& p = placement.tensors[i];
    between_pages.push_back(
        {p.tensor->name.c_str(), placement.arena + p.begin, placement.arena + p.end(), placement.pages[i]});
  }
  try {
    const OnlyTensors only_tensors(memory, placement);
    if (between_pages.empty()) {
      use(addresses);
    } else {
      const std::string touched = touched_by(between_pages, memory.on_touch(), [&] { use(addresses); });
      if (!touched.empty()) throw GuardViolation(touched);
    }
  } catch (const Refused&) {
    return std::current_exception();
  }
  return nullptr;
}

}  // namespace tileproof
