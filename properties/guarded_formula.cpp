// A guarded call over tensors that are too large to be carried to a judge: they are written and compared where they
// lie.
#include <algorithm>
#include <exception>

#include "formula.h"
#include "placement.h"
#include "subject.h"

namespace tileproof {

namespace {

/// The poison or the fence of a tensor of such elements, as a value of four bytes.
std::uint32_t repeated(std::uint16_t value) { return static_cast<std::uint32_t>(value) << 16 | value; }

/// What an element of so many bytes holds before the call.
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

void require_unchanged(Memory& memory, const Placed& p, const void* at) {
  const Differences differences = memory.compare(*p.tensor->formula, p.tensor->element_bytes, at);
  if (differences.wrong == 0) return;
  throw GuardViolation("changed its input " + p.tensor->name + ": element " +
                       std::to_string(differences.listed.at(0).index) + " of " +
                       std::to_string(elements_of(*p.tensor->formula)));
}

/// What is left of the poison is no result, whether or not it is a wrong one: where any NaN will do, the poison is one.
void require_written(Memory& memory, const Placed& p, const Fill& fill, const void* at) {
  const std::int64_t elements = elements_of(*p.tensor->formula);
  const Formula poison = formula::Constant{repeated(fill.poison), elements};
  const std::int64_t unwritten = elements - memory.compare(poison, p.tensor->element_bytes, at).wrong;
  if (unwritten == 0) return;
  throw GuardViolation("never wrote " + std::to_string(unwritten) + " elements of " + p.tensor->name);
}

/// As guarded() does where a tool watches: each tensor in an allocation of its own, no fence, no poison.
FormulaResult watched(Memory& memory, const std::vector<void*>& addresses, const std::vector<Tensor>& tensors,
                      const reference::Format* any_nan, const std::function<void(const std::vector<void*>&)>& use) {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!tensors[i].is_output) memory.write(*tensors[i].formula, tensors[i].element_bytes, addresses[i]);
  }
  use(addresses);
  FormulaResult result;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (!tensors[i].is_output) {
      require_unchanged(memory, {&tensors[i], 0}, addresses[i]);
    } else {
      result.differences = memory.compare(*tensors[i].formula, tensors[i].element_bytes, addresses[i], any_nan);
    }
  }
  return result;
}

}  // namespace

FormulaResult guarded_by_formula(Memory& memory, const std::vector<Tensor>& tensors, const Fill& fill,
                                 const reference::Format* any_nan, const std::vector<std::int64_t>& wanted,
                                 const std::function<void(const std::vector<void*>&)>& use) {
  if (const std::vector<void*> addresses = addresses_apart(memory, tensors); !addresses.empty()) {
    return watched(memory, addresses, tensors, any_nan, use);
  }
  const Placement placement = placed(tensors);
  auto* arena = static_cast<std::uint8_t*>(memory.arena(placement.bytes));
  std::vector<void*> addresses;
  for_each_fence(placement, [&](std::size_t from, std::size_t to, const Placed*, const Placed*) {
    write_fence(memory, arena, from, to, fill.fence);
  });
  for (const Placed& p : placement.tensors) {
    addresses.push_back(arena + p.begin);
    const auto elements = static_cast<std::int64_t>(p.tensor->bytes / p.tensor->element_bytes);
    const Formula poison = formula::Constant{repeated(fill.poison), elements};
    memory.write(p.tensor->is_output ? poison : *p.tensor->formula, p.tensor->element_bytes, arena + p.begin);
  }

  std::exception_ptr refused;
  try {
    const OnlyTensors only_tensors(memory, arena, placement);
    use(addresses);
  } catch (const Refused&) {
    refused = std::current_exception();  // whoever refuses has not touched anything either
  }

  for_each_fence(placement, [&](std::size_t from, std::size_t to, const Placed* before, const Placed* behind) {
    check_fence(copied_out(memory, arena, from, to), fill.fence, before, behind);
  });
  FormulaResult judged;
  for (const Placed& p : placement.tensors) {
    const std::uint8_t* at = arena + p.begin;
    const std::size_t element_bytes = p.tensor->element_bytes;
    if (!p.tensor->is_output) {
      require_unchanged(memory, p, at);
    } else if (!refused) {
      judged.differences = memory.compare(*p.tensor->formula, element_bytes, at, any_nan);
      const bool has_poison =
          std::any_of(judged.differences.listed.begin(), judged.differences.listed.end(),
                      [&](const Differences::One& one) { return one.got == poison_of(fill, element_bytes); });
      if (has_poison || judged.differences.other_nans != 0) require_written(memory, p, fill, at);
      for (const std::int64_t index : wanted) {
        std::uint32_t element = 0;
        memory.copy_out(&element, at + static_cast<std::size_t>(index) * element_bytes, element_bytes);
        judged.read.push_back(element);
      }
    }
  }
  if (refused) std::rethrow_exception(refused);
  return judged;
}

}  // namespace tileproof
