/// A correct subject in scalar code over the reference, each part of which can be replaced by a mutated one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>

#include "properties/subjects/subject.h"
#include "reference/matrix.h"

namespace tileproof {

/// The inputs of a weight: a group's parameters as bits, and the code that they are applied to.
struct WeightInputs {
  reference::FloatFormat weight_type;
  reference::FloatFormat parameter_type;
  const Scheme* scheme;
  int code;
  std::uint32_t scale;
  std::uint32_t zero;
  int zero_point;
};

/// The last input of a scheme's formula: the zero, the zero point, or the matrix's factor.
std::uint32_t last_input(const WeightInputs&);
/// The specified weight.
std::uint32_t right_weight(const WeightInputs&);

/// The time of a call.
struct Moment {
  std::int64_t earlier_calls;  // calls of the same operation on the same subject
  std::uint64_t variation;     // the last argument of Subject::vary()
};

/// The mutated parts of a scalar implementation; an empty part is correct.
struct Mutation {
  /// The operations that have the mutated parts; the others are correct.
  std::set<Operation> in = {std::begin(kernel_operations), std::end(kernel_operations)};

  // The parts that each element goes through, in this order.
  std::function<bool(const Call&, reference::Element)> skips = nullptr;
  std::function<std::int64_t(const Call&, reference::Element)> slot =
      nullptr;  // of convert: in the format converted to
  std::function<std::int64_t(const Call&, reference::Element)> source = nullptr;  // the slot that convert reads
  /// The code that is read from a slot, or written to it, in place of the correct one.
  std::function<int(const Call&, std::int64_t slot, int code)> code = nullptr;
  /// An element's scale, and its zero, as Call::parameter_at; an empty zero_at stands for scale_at.
  std::function<std::int64_t(const Call&, reference::Element)> scale_at = nullptr;
  std::function<std::int64_t(const Call&, reference::Element)> zero_at = nullptr;
  std::function<std::uint32_t(const WeightInputs&)> weight = nullptr;
  bool adds_to_output = false;  // adds to the output instead of storing
  bool leaves_padding = false;  // convert writes codes alone
  // The expert of a batch whose codes or packed words, or whose parameters, an expert's result is made of.
  std::function<std::int64_t(std::int64_t expert)> whose_input = nullptr;
  std::function<std::int64_t(std::int64_t expert)> whose_parameters = nullptr;

  /// Called after an operation. A lambda may keep state from call to call: every subject has its own copy.
  std::function<void(const Call&, const Moment&)> after = nullptr;

  bool touches(Operation) const;
};

/// @param memory  holds the tensors; lenient by default, for mutants that fences must show
std::unique_ptr<Subject> mutable_reference(Mutation, std::unique_ptr<Memory> memory = make_lenient_host_memory());

}  // namespace tileproof
