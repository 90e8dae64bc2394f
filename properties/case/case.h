/// A case: one problem run on one subject. A property's body uses it to draw data, run operations and compare results.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "properties/case/contents.h"
#include "properties/case/coverage.h"
#include "properties/case/wrong_elements.h"
#include "properties/memory/generated_tensor.h"
#include "properties/memory/guarded.h"
#include "properties/problem/matrix.h"
#include "properties/problem/parameters.h"
#include "properties/problem/problem.h"
#include "properties/subjects/operators.h"
#include "properties/subjects/subject.h"

namespace tileproof {

/// Text of where an element lies: "row 3, column 40 (n-tile 0, ..., nibble 2)".
std::string place_text(const Problem&, std::int64_t row, std::int64_t column);
/// Reorders weights from the order of their format's result to rows of n; a batch is reordered expert by expert.
Matrix<std::uint32_t> in_rows(const Problem&, Matrix<std::uint32_t> weights);
/// "n-tile 0, k-tile 2, lane 13, word 52, nibble 4"
std::string text_of(const reference::Coordinates&);
/// Bits as "0x7f80".
std::string hex_text(std::uint32_t bits, int digits);
/// Bits of a weight as "0x7f80 (inf)".
std::string weight_text(const Problem&, std::uint32_t bits);

/// Thrown if a property does not hold for a case.
struct Failure : std::runtime_error {
  /// @param smaller_  a smaller problem that should fail in the same way, if the property knows one
  Failure(const std::string& kind_, const std::string& details, bool device_lost_ = false,
          std::optional<Problem> smaller_ = std::nullopt)
      : std::runtime_error(details), kind(kind_), device_lost(device_lost_), smaller(std::move(smaller_)) {}
  std::string kind;  // mismatch, guard, error, nondeterminism
  bool device_lost;
  std::optional<Problem> smaller;   // a smaller problem that should fail in the same way
  std::vector<WrongElement> wrong;  // as WrongElements keeps them, if any
  // "value" or "state", if the evidence shows that cause instead of what the property is about.
  std::string cause;
};

/// The result of a call that the subject took before. Refusing it now is a failure.
template <class Run>
auto taken_again(Run run) try {
  return run();
} catch (const Refused& refused) {
  throw Failure("error", std::string("refuses a call that it has taken before: ") + refused.what());
}

/// The codes and parameters that a problem's seed gives.
Matrix<std::uint8_t> drawn_codes(const Problem&);
Parameters drawn_parameters(const Problem&);

/// The reason for a NaN that is not the expected one.
inline constexpr const char* other_nan = "a NaN with other bits: the subject does not promise the hardware's";
/// Why an element may differ from the specified bits: the reason, or nullptr if it may not.
using Explanation = std::function<const char*(std::int64_t row, std::int64_t column, std::uint32_t got)>;

// Input and output tensors of a guarded call, over vectors of bytes.
inline constexpr std::size_t alignment_of_allocators = 256;
Tensor input(const char* name, const std::vector<std::uint8_t>& bytes, std::size_t element_bytes,
             std::size_t alignment = alignment_of_allocators);
Tensor output(const char* name, std::vector<std::uint8_t>& bytes, std::size_t element_bytes,
              std::size_t alignment = alignment_of_allocators);

/// The result of a call over formulas, and its wrong weights.
struct ComparedResult : GeneratedResult {
  std::vector<WrongElement> wrong;  // as WrongElements keeps them
};

class Case {
 public:
  Case(const Problem& problem_, const Capabilities& capabilities_, Subject& subject, Coverage& coverage);
  ~Case();  // ends the variation that the body asked for
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;

  const Problem problem;
  const Capabilities& capabilities;  // the subject's

  // Data, drawn from the problem's seed alone; a batch is drawn expert by expert.
  Matrix<std::uint8_t> codes();        // [n][k], 0..15
  std::vector<std::uint32_t> words();  // arbitrary storage units of a packed matrix, padding included
  Parameters parameters();
  std::uint64_t choice(std::uint64_t index) const;  // a random number for choices such as which row to flip

  // Guarded operations of the subject; results are bits.
  Result run(Operation, const CallData&);
  std::vector<std::uint32_t> pack(const Matrix<std::uint8_t>& codes);
  Matrix<std::int32_t> unpack(const std::vector<std::uint32_t>& packed);
  std::vector<std::uint32_t> convert(const std::vector<std::uint32_t>& packed);
  Matrix<std::uint32_t> dequantize(const std::vector<std::uint32_t>& packed, const Parameters&);
  /// Products are bf16, returned as bits of the same values in the problem's weight type: bf16 or fp32.
  Matrix<std::uint32_t> matmul(const Matrix<std::uint16_t>& activations, const Matrix<std::uint8_t>& codes,
                               const Parameters&);

  /// Runs a guarded operation over generated tensors, compared where they lie; equal elements count as compared.
  /// @param parameters  if the operation takes them
  /// @param wanted      indices of the result's elements to read; weights are numbered in rows of n
  ComparedResult run(Operation, const generated::Codes&, const generated::Parameters& parameters = {},
                     const std::vector<std::int64_t>& wanted = {});

  /// Calls an operation from several host threads at once; each thread repeats the call over its own data.
  /// @param data  one entry for each caller
  /// @return the result of each call: all results of one caller, then those of the next
  std::vector<Result> at_once(Operation, const std::vector<CallData>& data);
  std::vector<OperatorResult> call_at_once(const std::vector<OperatorCall>&);

  // Eager formulas of the subject; weights are [n][k], as bits.
  Parameters choose(const Matrix<std::uint32_t>& weights);
  Matrix<std::int32_t> quantize(const Matrix<std::uint32_t>& weights, const Parameters&);
  Matrix<std::uint32_t> dequantize_eagerly(const Matrix<std::int32_t>& codes, const Parameters&);

  // Operators of the subject, over tensors; every storage is guarded.
  OperatorResult call(const OperatorCall&, CallMode = CallMode::usual, const OperatorCall* alternate = nullptr);
  /// Repeats a call that the subject has accepted before.
  /// @throws Failure if the subject refuses it now
  OperatorResult call_again(const OperatorCall&);
  OperatorResult call_on_meta(const OperatorCall&);
  std::vector<std::string> argument_names(Operation);

  Subject& subject() { return subject_; }
  /// Sets what memory holds before each of the following calls.
  void fill(const Fill&);

  /// Leaves the drawn codes and parameters out of messages, because the call does not use them.
  void show_no_data() {
    codes_ = {};
    parameters_ = {};
  }

  /// Says what an element of the following comparisons is, for messages, if it is not simply a result.
  void elements_are(const char* what) { elements_are_ = what; }

  // Judging. Each expect_ function throws a Failure that names the first wrong elements.
  /// Counts a successful comparison of something that is not an element.
  void count_check(std::uint32_t value) { coverage_.expected_value(value); }
  /// Counts the case in a named class, which a coverage goal may ask for.
  void meets(const std::string& name) { ++coverage_.classes[name]; }
  /// Counts elements that differ from a plain expectation for a named reason, reproduced bit for bit.
  void count_explained(const std::string& reason, std::int64_t elements) {
    if (elements != 0) coverage_.explained[reason] += elements;
  }
  /// Reports a measure beside the verdict: the largest of all cases is kept.
  void measured(const std::string& name, double value, const std::string& where) {
    coverage_.measured(name, value, where);
  }
  /// Reports the hash of a result beside the verdict, for one of several ways of running an operation.
  void record_hash(const std::string& way, const Result& result) { coverage_.record_hash(way, result.bits.elements); }
  void expect_equal(const Result& got, const Result& expected);
  /// @param got  bits of weights if T is uint32_t, otherwise whole numbers
  template <class T>
  void expect_equal(const Matrix<T>& got, const Matrix<T>& expected) {
    compare(got, expected, nullptr);
  }
  void expect_equal(const std::vector<std::uint32_t>& got_packed, const std::vector<std::uint32_t>& expected);
  void expect_equal_or_explained(const Matrix<std::uint32_t>& got, const Matrix<std::uint32_t>& expected,
                                 const Explanation& explanation) {
    compare(got, expected, explanation);
  }
  /// Requires |got - exact| <= bound for each element; `name` is the bound's name.
  void expect_within(const Matrix<double>& got, const Matrix<double>& exact, const Matrix<double>& bound,
                     const char* name);

 private:
  /// The smallest alignment in bytes that a subject must accept: see Call.
  static std::size_t alignment_of(const Call&, RoleRow, std::size_t element_bytes);
  /// Aligns tensors as allocators do; or, for every other problem, only to what a subject must accept, if it accepts
  /// that: a kernel may read several elements at once where alignment allows. An untouchable page lies before all
  /// tensors, or behind all.
  void align(std::vector<Tensor>&);
  /// Turns the GuardViolation or SubjectError of a guarded call into a Failure.
  template <class Run>
  auto guarded_call(std::vector<Tensor>&, Run run);
  /// Runs a call under the fill, and under other poison where elements hold the first one.
  /// @param may_equal_poison  whether a legal element of an output may
  /// @param run               a guarded call of these tensors; throws NotWritten where an element holds the poison
  /// @throws NotWritten where elements were not written
  void under_poisons(std::vector<Tensor>&, bool may_equal_poison, const std::function<void(const Fill&)>& run);
  void run(std::vector<Tensor>, const std::function<void(const std::vector<void*>&)>&);
  /// @param contents  of the inputs
  /// @return the contents of the inputs and outputs
  Contents run(Call, Contents contents);
  Result result_of(const Call&, Contents contents);
  /// Counts the bytes that a call gave. Weights are reordered to rows of n, and products are widened to the weight
  /// type.
  Result result_in(const Call&, const std::vector<std::uint8_t>& bytes);
  template <class T>
  void compare(const Matrix<T>& got, const Matrix<T>& expected, const Explanation&);
  /// Why an element that differs is no failure; nullptr if it is a failure.
  template <class T>
  const char* reason(T got, T expected, std::int64_t row, std::int64_t column, const Explanation&) const;
  template <class T>
  void measurement(const Matrix<T>& got, const Matrix<T>& expected, const Explanation&);
  /// Whether the code at a place is one of those that were last drawn.
  bool is_drawn(std::int64_t row, std::int64_t column) const { return row < codes_.rows && column < codes_.columns; }
  /// Where the parameters that were last drawn have those of an element; nothing if they are of another problem.
  std::optional<reference::Element> drawn_group(std::int64_t row, std::int64_t column) const;
  /// Sets what a wrong weight's code and parameters tell of it, if they were drawn.
  void tell_mistake(WrongElement&) const;
  std::string element_text(std::int64_t row, std::int64_t column) const;

  Subject& subject_;
  Coverage& coverage_;
  Fill fill_;
  std::string elements_are_;
  Matrix<std::uint8_t> codes_;  // as last drawn, for messages
  Parameters parameters_;       // as last drawn, for messages
};

template <class Run>
auto Case::guarded_call(std::vector<Tensor>& tensors, Run run) {
  align(tensors);
  try {
    return run();
  } catch (const GuardViolation& violation) {
    throw Failure("guard", violation.what());
  } catch (const SubjectError& error) {
    throw Failure("error", error.what(), error.device_lost);
  }
}

}  // namespace tileproof
