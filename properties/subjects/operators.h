/// A subject as PyTorch operators: calls with tensors, which have types, sizes, strides, devices, where the calls of
/// subject.h have raw pointers to dense data. No torch here: subjects/torch_operators.cpp makes real tensors of these.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "properties/subjects/subject.h"

namespace tileproof {

enum class Element { uint8, int8, int16, int32, int64, bf16, fp16, fp32, fp64 };
const char* name_of(Element);
std::int64_t bytes_of(Element);

using Sizes = std::vector<std::int64_t>;
std::string text_of(const Sizes&);  // "[3, 2]"
std::int64_t count_of(const Sizes&);
Sizes dense_strides(const Sizes&);  // of elements that lie one after the other

/// Where a tensor of a call lives.
enum class Where { subject, host };

/// An argument of a call: a tensor, or a number.
struct Argument {
  std::string name;  // in our words: codes, packed_w, scales_and_zeros, activations, group_size
  std::optional<std::int64_t> number;
  Element element = Element::uint8;
  Sizes sizes;
  Sizes strides;                      // in elements
  std::int64_t offset = 0;            // in elements: where element 0 lies in the storage
  std::vector<std::uint8_t> storage;  // bytes
  Where where = Where::subject;

  std::string text() const;  // "bf16 [2, 8, 2]", or the number
};

/// A call, its arguments in the order of the operator's schema.
struct OperatorCall {
  Operation operation;
  std::vector<Argument> arguments;

  /// @throws std::logic_error where it has none of that name
  Argument& argument(const std::string& name);
};

/// How a call is made. All but the usual one need CUDA.
enum class CallMode {
  usual,               // on the current stream, which is the default one
  slow_producer,       // on another stream, on which the inputs are still being written when the operator is called
  two_streams,         // on another stream, while a third one runs the same operator on the alternate inputs's inputs
  graph,               // captured over the alternate inputs's inputs, replayed over the call's
  no_synchronization,  // the operator must return while its stream is still busy with work before it
  second_device,       // the tensors lie on the second device, and the first one is current
};

/// What a call gave. The elements one after the other, whatever the strides of the tensor.
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
  /// @param at     the storages of the call's tensors, in their order
  /// @param alternate inputs  a call of the same types and sizes with other data, for the manners that need one; its
  /// storages are
  ///               the call's own
  /// @throws Refused where the operator throws; SubjectError where an error is left pending, or a rule of the manner
  ///         is broken; GuardViolation; Unavailable
  virtual OperatorResult call(const OperatorCall&, const std::vector<void*>& at, CallMode,
                              const OperatorCall* alternate) = 0;

  /// Makes several calls from as many host threads at once, each again and again, and waits for all.
  /// @param at  the storages of all calls' tensors, in their order
  /// @return what each thread was given last
  virtual std::vector<OperatorResult> call_at_once(const std::vector<OperatorCall>& calls,
                                                   const std::vector<void*>& at) {
    static_cast<void>(at);
    throw std::logic_error(std::to_string(calls.size()) + " calls at once of a subject that takes one at a time");
  }

  /// Calls the operator over meta tensors: what it gives has no elements.
  /// @throws Refused; Unavailable where the operator has no meta kernel
  virtual OperatorResult call_on_meta(const OperatorCall&) = 0;

  /// What the operator's schema calls its arguments.
  virtual std::vector<std::string> argument_names(Operation) = 0;
};

/// A tensor with its elements one after the other.
Argument tensor_argument(const std::string& name, Element, const Sizes&, std::vector<std::uint8_t> bytes);
Argument number_argument(const std::string& name, std::int64_t);

}  // namespace tileproof
