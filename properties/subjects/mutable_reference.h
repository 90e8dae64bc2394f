/// A subject in scalar code over the reference, right as it is: each of its parts can be replaced by a mutated one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "properties/subjects/subject.h"
#include "reference/matrix.h"

namespace tileproof {

/// A matrix that an operation walks over.
struct Walk {
  Operation operation;
  const Format* format;
  std::int64_t n, k;

  Size size() const { return {n, k}; }
  std::int64_t right_slot(std::int64_t row, std::int64_t column) const {
    return format->layout.slot_of({row, column}, size());
  }
};

/// A group's parameters, as bits, and the code they are applied to: what a weight is a function of.
struct WeightInputs {
  reference::FloatFormat weight_type;
  reference::FloatFormat parameter_type;
  const Scheme* scheme;
  int code;
  std::uint32_t scale;
  std::uint32_t zero;
  int zero_point;
};

/// The specified weight.
std::uint32_t right_weight(const WeightInputs&);

/// When a call is made.
struct Moment {
  std::int64_t earlier_calls;  // of the same operation on the same subject
  std::uint64_t variation;     // what Subject::vary asked for
};

/// The parts of a scalar implementation. An empty one is right.
struct Mutation {
  /// The operations that the parts below are of; the others are right.
  std::set<Operation> in = {Operation::pack, Operation::unpack, Operation::dequantize};

  // What each element goes through, in this order.
  std::function<bool(const Walk&, std::int64_t n, std::int64_t k)> skips;
  std::function<std::int64_t(const Walk&, std::int64_t n, std::int64_t k)> slot;
  /// The code that is taken from, or put to, a slot that holds or is given this one.
  std::function<int(const Walk&, std::int64_t slot, int code)> code;
  /// Of [k / group_size][n], which scale, and which zero where that is another.
  std::function<std::int64_t(const Call&, std::int64_t n, std::int64_t k)> scale_at;
  std::function<std::int64_t(const Call&, std::int64_t n, std::int64_t k)> zero_at;
  std::function<std::uint32_t(const WeightInputs&)> weight;
  bool adds_to_output = false;  // instead of storing
  // Which expert of a batch has the codes or packed words, or the parameters, that an expert's result is made of.
  std::function<std::int64_t(std::int64_t expert)> whose_input;
  std::function<std::int64_t(std::int64_t expert)> whose_parameters;

  // Before an operation and after it. What comes before says whether the operation is left out.
  std::map<Operation, std::function<bool(const Call&, const Moment&)>> instead_of;
  std::map<Operation, std::function<void(const Call&, const Moment&)>> after;

  bool touches(Operation) const;
};

/// One element of a type, as bits.
std::uint32_t loaded(const void* from, Type type, std::int64_t index);
void stored(void* to, Type type, std::int64_t index, std::uint32_t bits);

/// @param memory  where its tensors live: lenient, for mutants that fences must show
std::unique_ptr<Subject> mutable_reference(Mutation, std::unique_ptr<Memory> memory = make_lenient_host_memory());

}  // namespace tileproof
