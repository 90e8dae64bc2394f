// A guarded call over generated tensors. Tensors that are too large to copy are written and compared in place.
#include <algorithm>
#include <cstring>
#include <exception>

#include "properties/memory/errors.h"
#include "properties/memory/generated_tensor.h"
#include "properties/memory/placement.h"

namespace tileproof {

namespace {

/// The 16-bit pattern repeated to 32 bits.
std::uint32_t repeated(std::uint16_t value) { return static_cast<std::uint32_t>(value) << 16 | value; }

/// Two bytes of the poison as it appears in elements of this width; one-byte elements hold its lower byte.
std::uint16_t poison_in(const Fill& fill, std::size_t element_bytes) {
  return element_bytes == 1 ? static_cast<std::uint16_t>((fill.poison & 0xff) * 0x101) : fill.poison;
}

/// The value that an element of this width holds before the call.
std::uint32_t poison_of(const Fill& fill, std::size_t element_bytes) {
  return element_bytes == 4 ? repeated(fill.poison) : element_bytes == 2 ? fill.poison : fill.poison & 0xff;
}

void write_fence(Memory& memory, std::uint8_t* arena, std::size_t from, std::size_t to, std::uint8_t fence) {
  const std::vector<std::uint8_t> bytes(to - from, fence);
  memory.copy_in(arena + from, bytes.data(), bytes.size());
}

std::vector<std::uint8_t> copied_out(Memory& memory, const std::uint8_t* arena, std::size_t from, std::size_t to) {
  std::vector<std::uint8_t> bytes(to - from);
  memory.copy_out(bytes.data(), arena + from, bytes.size());
  return bytes;
}

[[noreturn]] void refuse_changed(const Tensor& input, std::int64_t element) {
  throw GuardViolation("changed its input " + input.name + ": element " + std::to_string(element) + " of " +
                       std::to_string(elements_of(*input.formula)));
}

/// An element that still holds the poison was not written, even where any NaN is accepted and the poison is a NaN.
/// @param compared  returns how the output differs from a formula
void require_written(const Tensor& output, const Fill& fill, const Differences& differences,
                     const std::function<Differences(const GeneratedTensor&)>& compared) {
  const std::uint32_t poison = poison_of(fill, output.element_bytes);
  const bool has_poison = std::any_of(differences.listed.begin(), differences.listed.end(),
                                      [&](const Differences::One& one) { return one.got == poison; });
  if (!has_poison && differences.other_nans == 0) return;
  const std::int64_t elements = elements_of(*output.formula);
  const std::int64_t unwritten = elements - compared(generated::Constant{repeated(fill.poison), elements}).wrong;
  if (unwritten == 0) return;
  throw GuardViolation("never wrote " + std::to_string(unwritten) + " elements of " + output.name);
}

/// For a memory that a tool watches: each tensor in an allocation of its own, no fences, no poison.
GeneratedResult watched(Memory& memory, const std::vector<void*>& addresses, const std::vector<Tensor>& tensors,
                        const reference::FloatFormat* any_nan,
                        const std::function<void(const std::vector<void*>&)>& use) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!tensors[i].is_output) memory.write(*tensors[i].formula, tensors[i].element_bytes, addresses[i]);
  }
  use(addresses);
  GeneratedResult result;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!tensors[i].is_output) {
      const Differences differences = memory.compare(*tensors[i].formula, tensors[i].element_bytes, addresses[i]);
      if (differences.wrong != 0) refuse_changed(tensors[i], differences.listed.at(0).index);
    } else {
      result.differences = memory.compare(*tensors[i].formula, tensors[i].element_bytes, addresses[i], any_nan);
    }
  }
  return result;
}

/// A large arena: the memory writes and compares everything in place.
GeneratedResult judged_there(Memory& memory, const Placement& placement, const Fill& fill,
                             const reference::FloatFormat* any_nan, const std::vector<std::int64_t>& wanted,
                             const std::function<void(const std::vector<void*>&)>& use) {
  std::uint8_t* const arena = placement.arena;
  for (const Fence& one : placement.fences) write_fence(memory, arena, one.begin, one.end, fill.fence);
  for (const Placed& p : placement.tensors) {
    const auto elements = static_cast<std::int64_t>(p.tensor->bytes / p.tensor->element_bytes);
    const GeneratedTensor poison = generated::Constant{repeated(fill.poison), elements};
    memory.write(p.tensor->is_output ? poison : *p.tensor->formula, p.tensor->element_bytes, arena + p.begin);
  }

  const std::exception_ptr refused = validate_use(memory, placement, use);

  for (const Fence& one : placement.fences) {
    check_fence(one, copied_out(memory, arena, one.begin, one.end), fill.fence);
  }
  GeneratedResult judged;
  for (const Placed& p : placement.tensors) {
    const Tensor& tensor = *p.tensor;
    const std::uint8_t* at = arena + p.begin;
    if (!tensor.is_output) {
      const Differences differences = memory.compare(*tensor.formula, tensor.element_bytes, at);
      if (differences.wrong != 0) refuse_changed(tensor, differences.listed.at(0).index);
    } else if (!refused) {
      judged.differences = memory.compare(*tensor.formula, tensor.element_bytes, at, any_nan);
      require_written(tensor, fill, judged.differences,
                      [&](const GeneratedTensor& other) { return memory.compare(other, tensor.element_bytes, at); });
      for (const std::int64_t index : wanted) {
        std::uint32_t element = 0;
        memory.copy_out(&element, at + static_cast<std::size_t>(index) * tensor.element_bytes, tensor.element_bytes);
        judged.read.push_back(element);
      }
    }
  }
  if (refused) std::rethrow_exception(refused);
  return judged;
}

/// A small arena: everything is written and compared on the host, in an image that is copied once each way.
GeneratedResult judged_here(Memory& memory, const Placement& placement, const Fill& fill,
                            const reference::FloatFormat* any_nan, const std::vector<std::int64_t>& wanted,
                            const std::function<void(const std::vector<void*>&)>& use) {
  thread_local std::vector<std::uint8_t> kept;
  const Room inputs(kept, placement.bytes);  // the inputs as they were written, one after the other
  std::uint8_t* written = inputs.begin();
  Image image(memory, placement);
  image.write_fences(fill.fence);
  for (const Placed& p : placement.tensors) {
    const Tensor& tensor = *p.tensor;
    if (tensor.is_output) {
      image.write_poison(p, poison_in(fill, tensor.element_bytes));
    } else if (tensor.bytes != 0) {
      write_here(*tensor.formula, tensor.element_bytes, written);
      std::memcpy(image.here(p), written, tensor.bytes);
      written += tensor.bytes;
    }
  }
  const std::exception_ptr refused = image.use(use);
  image.check_fences(fill.fence);
  GeneratedResult judged;
  const std::uint8_t* next = inputs.begin();
  for (const Placed& p : placement.tensors) {
    const Tensor& tensor = *p.tensor;
    const std::uint8_t* at = image.here(p);
    if (!tensor.is_output) {
      const std::uint8_t* before = next;
      next += tensor.bytes;
      if (std::memcmp(at, before, tensor.bytes) == 0) continue;
      const auto changed = static_cast<std::size_t>(std::mismatch(at, at + tensor.bytes, before).first - at);
      refuse_changed(tensor, static_cast<std::int64_t>(changed / tensor.element_bytes));
    } else if (!refused) {
      judged.differences = compare_here(*tensor.formula, tensor.element_bytes, at, any_nan);
      require_written(tensor, fill, judged.differences,
                      [&](const GeneratedTensor& other) { return compare_here(other, tensor.element_bytes, at); });
      for (const std::int64_t index : wanted) {
        std::uint32_t element = 0;
        std::memcpy(&element, at + static_cast<std::size_t>(index) * tensor.element_bytes, tensor.element_bytes);
        judged.read.push_back(element);
      }
    }
  }
  if (refused) std::rethrow_exception(refused);
  return judged;
}

}  // namespace

GeneratedResult guarded_generated(Memory& memory, const std::vector<Tensor>& tensors, const Fill& fill,
                                  const reference::FloatFormat* any_nan, const std::vector<std::int64_t>& wanted,
                                  const std::function<void(const std::vector<void*>&)>& use, std::size_t most_carried) {
  if (const std::vector<void*> addresses = addresses_apart(memory, tensors); !addresses.empty()) {
    return watched(memory, addresses, tensors, any_nan, use);
  }
  const Placement placement = placed(memory, tensors);
  if (placement.bytes <= most_carried) return judged_here(memory, placement, fill, any_nan, wanted, use);
  return judged_there(memory, placement, fill, any_nan, wanted, use);
}

}  // namespace tileproof
