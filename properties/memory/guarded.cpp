#include "properties/memory/guarded.h"

#include <algorithm>
#include <cstring>
#include <exception>

#include "properties/memory/errors.h"
#include "properties/memory/generated_tensor.h"
#include "properties/memory/placement.h"

namespace tileproof {

namespace {

std::string in_elements(const Tensor& tensor, std::size_t byte) {
  return "element " + std::to_string(byte / tensor.element_bytes) + " of " +
         std::to_string(tensor.bytes / tensor.element_bytes);
}

/// The number of elements equal to the poison; `Element` gives their width.
template <class Element>
std::size_t count_of_poison(Element poison, const std::uint8_t* at, std::size_t elements) {
  constexpr std::size_t together = 64 / sizeof(Element);  // fixed length, so that the compiler vectorizes the loop
  std::size_t count = 0;
  for (; elements >= together; elements -= together, at += together * sizeof(Element)) {
    Element block[together];
    std::memcpy(block, at, sizeof block);
    Element of_block = 0;
    for (const Element element : block) of_block = static_cast<Element>(of_block + (element == poison));
    count += of_block;
  }
  for (; elements > 0; --elements, at += sizeof(Element)) {
    Element element;
    std::memcpy(&element, at, sizeof element);
    count += element == poison;
  }
  return count;
}

/// The poison is two repeated bytes. A one-byte element holds either of them, depending on its address.
bool is_poison(const std::uint8_t* at, std::size_t byte, std::size_t bytes, std::uint16_t poison) {
  for (std::size_t i = 0; i < bytes; ++i) {
    if (at[byte + i] != static_cast<std::uint8_t>(poison >> ((byte + i) % 2 * 8))) return false;
  }
  return true;
}

void check_output(const Tensor& tensor, const std::uint8_t* after, std::uint16_t poison) {
  if (tensor.may_equal_poison) return;
  const std::size_t elements = tensor.bytes / tensor.element_bytes;
  std::size_t unwritten = 0;
  if (tensor.element_bytes == 2) {
    unwritten = count_of_poison(poison, after, elements);
  } else if (tensor.element_bytes == 4) {
    unwritten = count_of_poison(static_cast<std::uint32_t>(poison) << 16 | poison, after, elements);
  } else {
    for (std::size_t at = 0; at < tensor.bytes; at += tensor.element_bytes) {
      unwritten += is_poison(after, at, tensor.element_bytes, poison);
    }
  }
  if (unwritten == 0) return;
  std::size_t first = 0;
  while (!is_poison(after, first, tensor.element_bytes, poison)) first += tensor.element_bytes;
  throw GuardViolation("never wrote " + std::to_string(unwritten) + " elements of " + tensor.name + ", the first is " +
                       in_elements(tensor, first));
}

void check_input(const Tensor& tensor, const std::uint8_t* after) {
  const auto* bytes = static_cast<const std::uint8_t*>(tensor.input);
  if (tensor.bytes == 0 || std::memcmp(after, bytes, tensor.bytes) == 0) return;
  for (std::size_t at = 0; at < tensor.bytes; ++at) {
    if (after[at] != bytes[at]) {
      throw GuardViolation("changed its input " + tensor.name + ": " + in_elements(tensor, at));
    }
  }
}

/// Runs a call with each tensor at the end of an allocation of its own, for a tool that reports out-of-bounds accesses
/// and reads of uninitialized memory. There are no fences and no poison; inputs are compared.
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
    check_input(tensor, after.data());
  }
}

}  // namespace

void guarded(Memory& memory, const std::vector<Tensor>& tensors, const Fill& fill,
             const std::function<void(const std::vector<void*>&)>& use) {
  if (const std::vector<void*> addresses = addresses_apart(memory, tensors); !addresses.empty()) {
    return watched(memory, addresses, tensors, use);
  }
  const Placement placement = placed(memory, tensors);
  Image image(memory, placement);
  image.write_fences(fill.fence);
  for (const Placed& p : placement.tensors) {
    if (p.tensor->input == nullptr) {
      image.write_poison(p, fill.poison);
    } else if (p.tensor->bytes != 0) {
      std::memcpy(image.here(p), p.tensor->input, p.tensor->bytes);
    }
  }
  const std::exception_ptr refused = image.use(use);
  image.check_fences(fill.fence);
  for (const Placed& p : placement.tensors) {
    if (p.tensor->input != nullptr) {
      check_input(*p.tensor, image.here(p));
    } else if (!refused) {
      check_output(*p.tensor, image.here(p), fill.poison);
      if (p.tensor->bytes != 0) std::memcpy(p.tensor->output, image.here(p), p.tensor->bytes);
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

bool holds_what_is_written(Memory& memory) {
  constexpr std::size_t words = 4096;
  const GeneratedTensor right = generated::Constant{0x5a5aa5a5, words};
  const GeneratedTensor wrong = generated::Constant{0x5a5aa5a4, words};
  try {
    void* arena = memory.arena(words * 4);
    memory.write(right, 4, arena);
    return memory.compare(right, 4, arena).wrong == 0 && memory.compare(wrong, 4, arena).wrong == words;
  } catch (const SubjectError&) {
    return false;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace tileproof
