/// A subject as PyTorch operators: its calls have tensors with types, sizes, strides and devices, where the calls of
/// subject.h have raw pointers to dense data. This header needs no torch: subjects/torch_operators.cpp makes real
/// tensors.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "properties/subjects/subject.h"

namespace tileproof {

enum class Element { uint8, int8, int16, int32, int64, bf16, fp16, fp32, fp64, uint32 };
const char* name_of(Element);
/// The element of a name, as formats and types have it. torch's operators take E8M0 and E4M3 numbers as bytes.
Element element_named(const std::string& name);
std::int64_t bytes_of(Element);

using Sizes = std::vector<std::int64_t>;
std::string text_of(const Sizes&);  // "[3, 2]"
std::int64_t count_of(const Sizes&);
Sizes dense_strides(const Sizes&);  // strides of a contiguous tensor

/// Where a tensor of a call lives.
enum class Where { subject, host };

/// An argument of a call: a tensor, a number, or a dtype.
struct Argument {
  std::string name;  // our name: codes, packed_w, scales_and_zeros, activations, group_size
  std::optional<std::int64_t> number = std::nullopt;
  Element element = Element::uint8;
  Sizes sizes = {};
  Sizes strides = {};                      // in elements
  std::int64_t offset = 0;                 // in elements: the position of element 0 in the storage
  std::vector<std::uint8_t> storage = {};  // bytes
  Where where = Where::subject;
  bool is_dtype = false;

  bool is_tensor() const { return !number && !is_dtype; }
  std::string text() const;  // "bf16 [2, 8, 2]", "bf16", or the number
};

/// A call, with its arguments in the order of the operator's schema.
struct OperatorCall {
  Operation operation;
  std::vector<Argument> arguments;

  /// @throws std::logic_error if the call has no argument of that name
  Argument& argument(const std::string& name);
};

/// How a call is made. All but the usual one need CUDA.
enum class CallMode {
  usual,               // on the current stream, which is the default one
  slow_producer,       // on another stream, on which the inputs are still being written when the operator is called
  two_streams,         // on another stream, while a third one runs the operator over the alternate inputs
  graph,               // captured over the alternate inputs, replayed over the call's
  no_synchronization,  // the operator must return while its stream is still busy with work before it
  second_device,       // the tensors lie on the second device, and the first one is current
};

/// The result of a call. `bytes` holds the elements densely, whatever the tensor's strides.
struct OperatorResult {
  Element element;
  Sizes sizes;
  Sizes strides;
  std::vector<std::uint8_t> bytes;
  std::string device = "";  // as PyTorch writes it: "cpu", "cuda:0"

  std::string text() const;  // "bf16 [8, 32]"
};

class Operators {
 public:
  virtual ~Operators() = default;

  /// Calls an operator over inputs that lie in the subject's memory, and waits for the result.
  /// @param at         the storages of the call's tensors, in their order
  /// @param alternate  a call of the same types and sizes with other data, for the modes that need one; its data lie in
  ///                   its own arguments' storage
  /// @throws Refused if the operator throws
  /// @throws SubjectError if an error is left pending, or a rule of the mode is broken
  /// @throws GuardViolation, Unavailable
  virtual OperatorResult call(const OperatorCall&, const std::vector<void*>& at, CallMode,
                              const OperatorCall* alternate) = 0;

  /// Makes several calls at once, each repeatedly from a host thread of its own, and waits for all.
  /// @param at  the storages of all calls' tensors, in their order
  /// @return the results of all calls: calls_of_caller of the first thread, then those of the next
  virtual std::vector<OperatorResult> call_at_once(const std::vector<OperatorCall>& calls,
                                                   const std::vector<void*>& at) {
    static_cast<void>(at);
    throw std::logic_error(std::to_string(calls.size()) + " calls at once of a subject that takes one at a time");
  }

  /// Calls the operator over meta tensors. The result has no elements.
  /// @throws Refused
  /// @throws Unavailable if the operator has no meta kernel
  virtual OperatorResult call_on_meta(const OperatorCall&) = 0;

  /// The names in the operator's schema of a call's arguments, in the order of the call.
  virtual std::vector<std::string> argument_names(Operation) = 0;
};

/// A contiguous tensor.
/// @throws std::logic_error if the number of bytes does not fit
Argument tensor_argument(const std::string& name, Element, const Sizes&, std::vector<std::uint8_t> bytes);
Argument number_argument(const std::string& name, std::int64_t);
Argument dtype_argument(const std::string& name, Element);

}  // namespace tileproof
