#include "properties/memory/guarded.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <limits>

#include "properties/memory/errors.h"
#include "properties/memory/generated_tensor.h"
#include "properties/memory/placement.h"

namespace tileproof {

namespace {

using Use = std::function<void(const std::vector<void*>&)>;

/// Checks an output after the call, and takes what the caller wants of it.
/// @param where        the memory of `at`: the call's own, or this process's
/// @param is_poisoned  whether the output held the poison before the call
using Take = std::function<void(const Tensor&, Memory& where, const std::uint8_t* at, bool is_poisoned)>;

std::string element_of_all(std::size_t element, std::size_t elements) {
  return "element " + std::to_string(element) + " of " + std::to_string(elements);
}

/// The 16-bit pattern repeated to 32 bits.
std::uint32_t repeated(std::uint16_t value) { return static_cast<std::uint32_t>(value) << 16 | value; }

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

/// The number of elements that hold the poison, of bytes on the host.
std::size_t count_of_poison(const Tensor& tensor, const std::uint8_t* at, std::size_t bytes, std::uint16_t poison) {
  if (tensor.element_bytes == 2) return count_of_poison(poison, at, bytes / 2);
  if (tensor.element_bytes == 4) return count_of_poison(repeated(poison), at, bytes / 4);
  std::size_t count = 0;
  for (std::size_t byte = 0; byte < bytes; byte += tensor.element_bytes) {
    count += is_poison(at, byte, tensor.element_bytes, poison);
  }
  return count;
}

/// The poison that an output gets. One-byte elements all hold its lower byte, which differs from one poison to another;
/// so do packed elements of any width, so that a result of poison alone has one value in whichever units it is packed.
std::uint16_t poison_of(const Tensor& output, const Fill& fill) {
  const bool is_of_bytes = output.element_bytes == 1 || output.may_equal_poison;
  return is_of_bytes ? static_cast<std::uint16_t>((fill.poison & 0xff) * 0x101) : fill.poison;
}

/// Requires that no element of an output holds the poison.
/// @param where  the memory of `at`; read in parts if it is not of this process
/// @throws NotWritten
void require_written(const Tensor& output, const Fill& fill, Memory& where, const std::uint8_t* at) {
  if (output.may_equal_poison) return;
  constexpr std::size_t most_read = std::size_t{1} << 20;  // bytes, a multiple of every element's
  const std::uint16_t poison = poison_of(output, fill);
  const std::size_t part = where.is_here() ? output.bytes : std::min(output.bytes, most_read);
  std::vector<std::uint8_t> copied(where.is_here() ? 0 : part);
  std::vector<bool> holds_poison;
  for (std::size_t begin = 0; begin < output.bytes; begin += part) {
    const std::size_t bytes = std::min(part, output.bytes - begin);
    if (!where.is_here()) where.copy_out(copied.data(), at + begin, bytes);
    const std::uint8_t* const here = where.is_here() ? at : copied.data();
    if (count_of_poison(output, here, bytes, poison) == 0) continue;
    holds_poison.resize(output.bytes / output.element_bytes);
    for (std::size_t byte = 0; byte < bytes; byte += output.element_bytes) {
      if (is_poison(here, byte, output.element_bytes, poison))
        holds_poison[(begin + byte) / output.element_bytes] = true;
    }
  }
  if (!holds_poison.empty()) throw NotWritten(output.name, std::move(holds_poison));
}

/// Whether elements of an output that has a formula can hold the poison, which no formula expects but as a NaN that
/// stands for another.
bool may_hold_poison(const Tensor& output, const Fill& fill, const Differences& differences) {
  const std::uint32_t poison = repeated(fill.poison) & (0xffffffff >> (32 - 8 * output.element_bytes));
  return differences.other_nans != 0 || std::any_of(differences.listed.begin(), differences.listed.end(),
                                                    [&](const Differences::One& one) { return one.got == poison; });
}

[[noreturn]] void refuse_changed(const Tensor& input, std::size_t byte) {
  throw GuardViolation("changed its input " + input.name + ": " +
                       element_of_all(byte / input.element_bytes, input.bytes / input.element_bytes));
}

/// @param before  the bytes of an input before the call
void check_input(const Tensor& input, const std::uint8_t* before, const std::uint8_t* after) {
  if (input.bytes == 0 || std::memcmp(after, before, input.bytes) == 0) return;
  refuse_changed(input, static_cast<std::size_t>(std::mismatch(after, after + input.bytes, before).first - after));
}

/// Checks an input that the memory itself can compare with its formula, or copy out.
void check_input(const Tensor& input, Memory& memory, const void* at) {
  if (input.formula != nullptr) {
    const Differences differences = memory.compare(*input.formula, input.element_bytes, at);
    if (differences.wrong == 0) return;
    refuse_changed(input, static_cast<std::size_t>(differences.listed.at(0).index) * input.element_bytes);
  }
  std::vector<std::uint8_t> after(input.bytes);
  if (input.bytes != 0) memory.copy_out(after.data(), at, input.bytes);
  check_input(input, static_cast<const std::uint8_t*>(input.input), after.data());
}

/// Writes each tensor where it lies, calls the subject, and checks each tensor where it lies.
/// @param is_poisoned  whether outputs get the poison first
/// @param call         returns the exception with which the subject refused, if it did
void judged_in_place(Memory& memory, const std::vector<Tensor>& tensors, const std::vector<void*>& addresses,
                     const Fill& fill, bool is_poisoned, const std::function<std::exception_ptr()>& call,
                     const Take& take) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& tensor = tensors[i];
    void* const at = addresses[i];
    if (!tensor.is_input()) {
      if (!is_poisoned) continue;
      memory.write(generated::Constant{repeated(fill.poison), elements_of(*tensor.formula)}, tensor.element_bytes, at);
    } else if (tensor.formula != nullptr) {
      memory.write(*tensor.formula, tensor.element_bytes, at);
    } else if (tensor.bytes != 0) {
      memory.copy_in(at, tensor.input, tensor.bytes);
    }
  }
  const std::exception_ptr refused = call();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].is_input()) {
      check_input(tensors[i], memory, addresses[i]);
    } else if (!refused) {
      take(tensors[i], memory, static_cast<const std::uint8_t*>(addresses[i]), is_poisoned);
    }
  }
  if (refused) std::rethrow_exception(refused);
}

/// A large arena: the memory writes and compares everything in place.
void judged_there(Memory& memory, const Placement& placement, const std::vector<Tensor>& tensors, const Fill& fill,
                  const Use& use, const Take& take) {
  for (const Fence& one : placement.fences) {
    const std::vector<std::uint8_t> bytes(one.end - one.begin, fill.fence);
    memory.copy_in(placement.arena + one.begin, bytes.data(), bytes.size());
  }
  const auto call = [&] {
    const std::exception_ptr refused = validate_use(memory, placement, use);
    for (const Fence& one : placement.fences) {
      std::vector<std::uint8_t> bytes(one.end - one.begin);
      memory.copy_out(bytes.data(), placement.arena + one.begin, bytes.size());
      check_fence(one, bytes, fill.fence);
    }
    return refused;
  };
  judged_in_place(memory, tensors, placement.addresses(), fill, true, call, take);
}

/// Uninitialized bytes for one call.
class Room {
 public:
  /// @param kept  a thread's buffer from earlier calls; reused and grown, unless far more is needed than should be kept
  Room(std::vector<std::uint8_t>& kept, std::size_t bytes) {
    constexpr std::size_t most_kept = std::size_t{1} << 22;
    std::vector<std::uint8_t>& room = bytes <= most_kept ? kept : own_;
    if (room.size() < bytes) room.resize(bytes);
    begin_ = room.data();
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  std::uint8_t* begin() const { return begin_; }

 private:
  std::vector<std::uint8_t> own_;
  std::uint8_t* begin_;
};

void write_poison(const Tensor& output, const Fill& fill, std::uint8_t* to) {
  const std::uint16_t poison = poison_of(output, fill);
  std::array<std::uint16_t, 32> repeated;
  repeated.fill(poison);
  std::size_t left = output.bytes;
  for (; left >= sizeof repeated; left -= sizeof repeated, to += sizeof repeated) {
    std::memcpy(to, repeated.data(), sizeof repeated);
  }
  if (left != 0) std::memcpy(to, repeated.data(), left);
}

/// Everything is written and checked on the host: in the arena itself where it is in this process, else in an image of
/// it that is copied once each way.
void judged_here(Memory& memory, const Placement& placement, const Fill& fill, const Use& use, const Take& take) {
  thread_local std::vector<std::uint8_t> kept_image, kept_inputs;
  const bool is_here = memory.is_here();
  const Room image(kept_image, is_here ? 0 : placement.bytes);
  std::uint8_t* const arena = is_here ? placement.arena : image.begin();
  std::size_t formula_bytes = 0;
  for (const auto& [tensor, begin] : placement.tensors) formula_bytes += tensor->formula != nullptr ? tensor->bytes : 0;
  const Room formulas(kept_inputs, formula_bytes);  // the inputs as they were written, one after the other
  std::uint8_t* written = formulas.begin();
  std::vector<const std::uint8_t*> inputs;
  for (const Fence& one : placement.fences) std::memset(arena + one.begin, fill.fence, one.end - one.begin);
  for (const auto& [tensor, begin] : placement.tensors) {
    inputs.push_back(static_cast<const std::uint8_t*>(tensor->input));
    if (!tensor->is_input()) {
      write_poison(*tensor, fill, arena + begin);
      continue;
    }
    if (tensor->formula != nullptr) {
      write_here(*tensor->formula, tensor->element_bytes, written);
      inputs.back() = written;
      written += tensor->bytes;
    }
    if (tensor->bytes != 0) std::memcpy(arena + begin, inputs.back(), tensor->bytes);
  }
  if (!is_here) memory.copy_in(placement.arena, arena, placement.bytes);
  const std::exception_ptr refused = validate_use(memory, placement, use);
  if (!is_here) memory.copy_out(arena, placement.arena, placement.bytes);
  for (const Fence& one : placement.fences) {
    check_fence(one, {arena + one.begin, one.end - one.begin}, fill.fence);
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& [tensor, begin] = placement.tensors[i];
    if (tensor->is_input()) {
      check_input(*tensor, inputs[i], arena + begin);
    } else if (!refused) {
      take(*tensor, lenient_host_memory(), arena + begin, true);
    }
  }
  if (refused) std::rethrow_exception(refused);
}

/// @param most_carried  the largest number of bytes of an arena that is judged on the host
void judged(Memory& memory, const std::vector<Tensor>& tensors, const Fill& fill, const Use& use,
            std::size_t most_carried, const Take& take) {
  if (const std::vector<void*> addresses = addresses_apart(memory, tensors); !addresses.empty()) {
    // A tool reports out-of-bounds accesses and reads of uninitialized memory: each tensor lies at the end of an
    // allocation of its own, and there are no fences and no poison.
    const auto call = [&] {
      use(addresses);
      return std::exception_ptr();
    };
    return judged_in_place(memory, tensors, addresses, fill, false, call, take);
  }
  const Placement placement = placed(memory, tensors);
  if (placement.bytes <= most_carried) return judged_here(memory, placement, fill, use, take);
  judged_there(memory, placement, tensors, fill, use, take);
}

/// "never wrote 3 elements of weights, the first is element 2 of 7"
std::string text_of_not_written(const std::string& output, const std::vector<bool>& elements) {
  const auto first = static_cast<std::size_t>(std::find(elements.begin(), elements.end(), true) - elements.begin());
  return "never wrote " + std::to_string(std::count(elements.begin(), elements.end(), true)) + " elements of " +
         output + ", the first is " + element_of_all(first, elements.size());
}

/// Calls `each` with the differences of an output, or with the listed ones where it is too large.
void visit(const Tensor& output, Memory& where, const std::uint8_t* at, const reference::FloatFormat* any_nan,
           const Differences& differences, const EachDifference& each) {
  if (differences.wrong == std::ssize(differences.listed) || output.bytes > most_bytes_visited) {
    for (const Differences::One& one : differences.listed) each(one);
    return;
  }
  std::vector<std::uint8_t> copy;
  if (!where.is_here()) {
    copy.resize(output.bytes);
    where.copy_out(copy.data(), at, output.bytes);
    at = copy.data();
  }
  compare_here(*output.formula, output.element_bytes, at, any_nan, each);
}

}  // namespace

NotWritten::NotWritten(const std::string& output_, std::vector<bool> holds_poison_)
    : GuardViolation(text_of_not_written(output_, holds_poison_)),
      output(output_),
      holds_poison(std::move(holds_poison_)) {}

void guarded(Memory& memory, const std::vector<Tensor>& tensors, const Fill& fill, const Use& use) {
  constexpr std::size_t any = std::numeric_limits<std::size_t>::max();
  judged(memory, tensors, fill, use, any,
         [&](const Tensor& output, Memory& where, const std::uint8_t* at, bool is_poisoned) {
           if (is_poisoned) require_written(output, fill, where, at);
           if (output.bytes != 0) where.copy_out(output.output, at, output.bytes);
         });
}

GeneratedResult guarded_generated(Memory& memory, const std::vector<Tensor>& tensors, const Fill& fill,
                                  const reference::FloatFormat* any_nan, const std::vector<std::int64_t>& wanted,
                                  const Use& use, const EachDifference& each, std::size_t most_carried) {
  GeneratedResult result;
  judged(memory, tensors, fill, use, most_carried,
         [&](const Tensor& output, Memory& where, const std::uint8_t* at, bool is_poisoned) {
           const std::size_t element_bytes = output.element_bytes;
           result.differences = where.compare(*output.formula, element_bytes, at, any_nan);
           if (is_poisoned && may_hold_poison(output, fill, result.differences))
             require_written(output, fill, where, at);
           if (each) visit(output, where, at, any_nan, result.differences, each);
           for (const std::int64_t index : wanted) {
             std::uint32_t& element = result.read.emplace_back();
             where.copy_out(&element, at + static_cast<std::size_t>(index) * element_bytes, element_bytes);
           }
         });
  return result;
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
  void* arena = memory.arena(words * 4);
  memory.write(right, 4, arena);
  return memory.compare(right, 4, arena).wrong == 0 && memory.compare(wrong, 4, arena).wrong == words;
}

}  // namespace tileproof
