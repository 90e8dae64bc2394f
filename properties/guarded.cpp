#include "guarded.h"

#include <algorithm>
#include <cstring>
#include <exception>

#include "placement.h"
#include "subject.h"

namespace tileproof {

namespace {

std::string in_elements(const Tensor& tensor, std::size_t byte) {
  return "element " + std::to_string(byte / tensor.element_bytes) + " of " +
         std::to_string(tensor.bytes / tensor.element_bytes);
}

void check_output(const Placed& placed, const std::vector<std::uint8_t>& before,
                  const std::vector<std::uint8_t>& after) {
  const Tensor& tensor = *placed.tensor;
  if (tensor.may_equal_poison) return;
  std::size_t unwritten = 0;
  std::size_t first = 0;
  for (std::size_t at = placed.begin; at < placed.end(); at += tensor.element_bytes) {
    if (std::memcmp(&before[at], &after[at], tensor.element_bytes) != 0) continue;
    if (unwritten++ == 0) first = at - placed.begin;
  }
  if (unwritten != 0) {
    throw GuardViolation("never wrote " + std::to_string(unwritten) + " elements of " + tensor.name +
                         ", the first is " + in_elements(tensor, first));
  }
}

void check_input(const Placed& placed, const std::vector<std::uint8_t>& after) {
  const auto* bytes = static_cast<const std::uint8_t*>(placed.tensor->input);
  if (placed.tensor->bytes == 0 || std::memcmp(&after[placed.begin], bytes, placed.tensor->bytes) == 0) return;
  for (std::size_t at = 0; at < placed.tensor->bytes; ++at) {
    if (after[placed.begin + at] != bytes[at]) {
      throw GuardViolation("changed its input " + placed.tensor->name + ": " + in_elements(*placed.tensor, at));
    }
  }
}

/// Each tensor at the end of an allocation of its own, for a tool that sees what is touched outside of one, and what is
/// read before it was written. No fence, no poison; inputs are compared.
void watched(Memory& memory, const std::vector<void*>& addresses, const std::vector<Tensor>& tensors,
             const std::function<void(const std::vector<void*>&)>& use) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& tensor = tensors[i];
    if (tensor.input != nullptr && tensor.bytes != 0) memory.copy_in(addresses[i], tensor.input, tensor.bytes);
  }
  use(addresses);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& tensor = tensors[i];
    if (tensor.bytes == 0) continue;
    if (tensor.input == nullptr) {
      memory.copy_out(tensor.output, addresses[i], tensor.bytes);
      continue;
    }
    std::vector<std::uint8_t> after(tensor.bytes);
    memory.copy_out(after.data(), addresses[i], tensor.bytes);
    check_input({&tensor, 0}, after);
  }
}

}  // namespace

void guarded(Memory& memory, const std::vector<Tensor>& tensors, const Fill& fill,
             const std::function<void(const std::vector<void*>&)>& use) {
  if (const std::vector<void*> addresses = addresses_apart(memory, tensors); !addresses.empty()) {
    return watched(memory, addresses, tensors, use);
  }
  const Placement placement = placed(tensors);
  const std::vector<Placed>& placed_tensors = placement.tensors;
  const std::size_t bytes = placement.bytes;

  std::vector<std::uint8_t> before(bytes, fill.fence);
  for (const Placed& p : placed_tensors) {
    if (p.tensor->input != nullptr) {
      if (p.tensor->bytes != 0) std::memcpy(&before[p.begin], p.tensor->input, p.tensor->bytes);
      continue;
    }
    const std::uint8_t poison[] = {static_cast<std::uint8_t>(fill.poison & 0xff),
                                   static_cast<std::uint8_t>(fill.poison >> 8)};
    for (std::size_t at = 0; at < p.tensor->bytes; ++at) before[p.begin + at] = poison[at % 2];
  }

  auto* arena = static_cast<std::uint8_t*>(memory.arena(bytes));
  memory.copy_in(arena, before.data(), bytes);
  std::vector<void*> addresses;
  for (const Placed& p : placed_tensors) addresses.push_back(arena + p.begin);

  std::exception_ptr refused;
  try {
    const OnlyTensors only_tensors(memory, arena, placement);
    use(addresses);
  } catch (const Refused&) {
    refused = std::current_exception();  // whoever refuses has not touched anything either
  }

  std::vector<std::uint8_t> after(bytes);
  memory.copy_out(after.data(), arena, bytes);
  for_each_fence(placement, [&](std::size_t from, std::size_t to, const Placed* last, const Placed* next) {
    check_fence({&after[from], to - from}, fill.fence, last, next);
  });
  for (const Placed& p : placed_tensors) {
    if (p.tensor->input != nullptr) {
      check_input(p, after);
    } else if (!refused) {
      check_output(p, before, after);
      if (p.tensor->bytes != 0) std::memcpy(p.tensor->output, &after[p.begin], p.tensor->bytes);
    }
  }
  if (refused) std::rethrow_exception(refused);
}

void require_whole_fences(const std::vector<std::uint8_t>& before, const std::vector<std::uint8_t>& behind,
                          std::uint8_t fence, std::size_t bytes) {
  if (all_are(fence, behind) && all_are(fence, before)) return;
  const std::string what = "wrote outside a tensor of " + std::to_string(bytes) + " bytes that it allocated: the byte ";
  for (std::size_t i = 0; i < behind.size(); ++i) {
    if (behind[i] != fence) throw GuardViolation(what + std::to_string(i + 1) + " past its end was changed");
  }
  for (std::size_t i = before.size(); i-- > 0;) {
    if (before[i] == fence) continue;
    throw GuardViolation(what + std::to_string(before.size() - i) + " before its beginning was changed");
  }
}

}  // namespace tileproof
