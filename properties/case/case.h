/// A case: one problem put to one subject. What a property's body works with: it draws data, runs operations, expects
/// results.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "properties/case/contents.h"
#include "properties/case/coverage.h"
#include "properties/memory/generated_tensor.h"
#include "properties/memory/guarded.h"
#include "properties/problem/matrix.h"
#include "properties/problem/parameters.h"
#include "properties/problem/problem.h"
#include "properties/subjects/operators.h"
#include "properties/subjects/subject.h"

namespace tileproof {

/// Where an element lies, for people: "row 3, column 40 (n-tile 0, ..., nibble 2)".
std::string place_text(const Problem&, std::int64_t row, std::int64_t column);
/// Weights in the order of their format's result, as rows of n; of a batch, expert by expert.
Matrix<std::uint32_t> in_rows(const Problem&, Matrix<std::uint32_t> weights);
/// "n-tile 0, k-tile 2, lane 13, word 52, nibble 4"
std::string text_of(const reference::Coordinates&);
/// Bits as "0x7f80".
std::string hex_text(std::uint32_t bits, int digits);
/// Bits of a weight as "0x7f80 (inf)".
std::string weight_text(const Problem&, std::uint32_t bits);

/// An element that is not as expected: of weights, bits of the problem's type; else a whole number's.
struct WrongElement {
  std::int64_t row;
  std::int64_t column;
  std::uint32_t expected;
  std::uint32_t got;
  bool of_weights;
};

/// A property that does not hold for a case.
struct Failure : std::runtime_error {
  /// @param smaller_  a smaller problem that should fail in the same way, where the property knows one
  Failure(const std::string& kind_, const std::string& details, bool device_lost_ = false,
          std::optional<Problem> smaller_ = std::nullopt)
      : std::runtime_error(details), kind(kind_), device_lost(device_lost_), smaller(std::move(smaller_)) {}
  std::string kind;  // mismatch, guard, error, nondeterminism
  bool device_lost;
  std::optional<Problem> smaller;   // that should fail in the same way
  std::vector<WrongElement> wrong;  // the first ones, where elements are wrong
  std::string cause;  // "value" or "state", where the evidence shows that and not what the property is about
};

/// What an output may hold besides the specified bits: a reason, or nullptr.
using Explanation = std::function<const char*(std::int64_t row, std::int64_t column, std::uint32_t got)>;

// Tensors of bytes that a guarded call is given, and fills.
inline constexpr std::size_t alignment_of_allocators = 256;
Tensor input(const char* name, const std::vector<std::uint8_t>& bytes, std::size_t element_bytes,
             std::size_t alignment = alignment_of_allocators);
Tensor output(const char* name, std::vector<std::uint8_t>& bytes, std::size_t element_bytes,
              std::size_t alignment = alignment_of_allocators);

class Case {
 public:
  Case(const Problem& problem_, const Capabilities& capabilities_, Subject& subject, Coverage& coverage);
  ~Case();  // a variation that the body asked for ends with it
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;

  const Problem problem;
  const Capabilities& capabilities;  // of the subject

  // Data, from the problem's seed alone; of a batch, expert by expert.
  Matrix<std::uint8_t> codes();        // [n][k], 0..15
  std::vector<std::uint32_t> words();  // arbitrary 32 bits; whole n-tiles
  Parameters parameters();
  std::uint64_t choice(std::uint64_t index) const;  // for which row to flip and the like

  // Operations of the subject, guarded; results as bits.
  std::vector<std::uint32_t> pack(const Matrix<std::uint8_t>& codes);
  Matrix<std::int32_t> unpack(const std::vector<std::uint32_t>& packed);
  Matrix<std::uint32_t> dequantize(const std::vector<std::uint32_t>& packed, const Parameters&);
  /// Products are bf16, and given as bits of the same values in the problem's type of weights: bf16 or fp32.
  Matrix<std::uint32_t> matmul(const Matrix<std::uint16_t>& activations, const Matrix<std::uint8_t>& codes,
                               const Parameters&);

  // Operations over generated tensors, guarded and judged where they lie: packed words of codes, codes,
  // weights. Elements that are equal count as compared. @param wanted  elements of the result to read, by index
  GeneratedResult pack(const generated::Codes&, const std::vector<std::int64_t>& wanted = {});
  GeneratedResult unpack(const generated::Codes&, const std::vector<std::int64_t>& wanted = {});
  GeneratedResult dequantize(const generated::Codes&, const generated::Parameters&,
                             const std::vector<std::int64_t>& wanted = {});

  /// An operation called from several host threads at once, each again and again over data of its own.
  /// @param codes, parameters  of each caller; parameters for dequantize alone
  /// @return what each call gave, as bits: all of a caller, then the next one's
  std::vector<std::vector<std::uint32_t>> at_once(Operation, const std::vector<Matrix<std::uint8_t>>& codes,
                                                  const std::vector<Parameters>& parameters);
  std::vector<OperatorResult> call_at_once(const std::vector<OperatorCall>&);

  // Eager formulas of the subject; weights are [n][k], as bits.
  Parameters choose(const Matrix<std::uint32_t>& weights);
  Matrix<std::int32_t> quantize(const Matrix<std::uint32_t>& weights, const Parameters&);
  Matrix<std::uint32_t> dequantize_eagerly(const Matrix<std::int32_t>& codes, const Parameters&);

  // Operators of the subject, over tensors; every storage is guarded.
  OperatorResult call(const OperatorCall&, CallMode = CallMode::usual, const OperatorCall* alternate = nullptr);
  /// A call that the subject has taken before. @throws Failure where it refuses it now
  OperatorResult call_again(const OperatorCall&);
  OperatorResult call_on_meta(const OperatorCall&);
  std::vector<std::string> argument_names(Operation);

  Subject& subject() { return subject_; }
  /// What memory holds before the calls that follow.
  void fill(const Fill&);

  /// The codes and parameters that were drawn are not those of the call: messages leave them out.
  void show_no_data() {
    codes_ = {};
    parameters_ = {};
  }

  /// What an element of the comparisons that follow is, where it is not a result as such: for messages.
  void elements_are(const char* what) { elements_are_ = what; }

  // Judgement. Each throws Failure, naming the first wrong elements.
  /// Counts a comparison that held, of something that is no element.
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
  template <class T>
  void record_hash(const std::string& way, const Matrix<T>& result) {
    coverage_.record_hash(way, result.elements);
  }
  void record_hash(const std::string& way, const std::vector<std::uint32_t>& result) {
    coverage_.record_hash(way, result);
  }
  void expect_equal(const Matrix<std::int32_t>& got, const Matrix<std::int32_t>& expected);
  void expect_equal(const Matrix<std::uint8_t>& got, const Matrix<std::uint8_t>& expected);
  void expect_equal(const std::vector<std::uint32_t>& got_packed, const std::vector<std::uint32_t>& expected);
  void expect_equal(const Matrix<std::uint32_t>& got, const Matrix<std::uint32_t>& expected);
  void expect_equal_or_explained(const Matrix<std::uint32_t>& got, const Matrix<std::uint32_t>& expected,
                                 const Explanation&);
  /// For bounds: |got - exact| <= bound, elementwise; `name` is the bound's.
  void expect_within(const Matrix<double>& got, const Matrix<double>& exact, const Matrix<double>& bound,
                     const char* name);

 private:
  /// The least that a subject must take: see Call.
  static std::size_t alignment_of(const Call&, RoleRow, std::size_t element_bytes);
  /// As allocators align; or, of every other problem, to what a subject must take and no better, where it does: a
  /// kernel may read several elements at once where it can. An untouchable page lies before all tensors, or behind all.
  void align(std::vector<Tensor>&);
  /// What `call` throws of a guarded call becomes a Failure.
  template <class Run>
  auto guarded_call(std::vector<Tensor>&, Run run);
  void run(std::vector<Tensor>, const std::function<void(const std::vector<void*>&)>&);
  /// @param contents  of the inputs @return and of the outputs
  Contents run(Call, Contents contents);
  Matrix<std::int32_t> codes_of(const Contents& given);
  Matrix<std::uint32_t> weights_of(const Contents& given);
  /// The operation's last tensor is judged where it lies.
  GeneratedResult run_generated(Operation, const generated::Codes&, const generated::Parameters*,
                                const std::vector<std::int64_t>& wanted);
  template <class T>
  void compare(const Matrix<T>& got, const Matrix<T>& expected, const Explanation&);
  /// Why an element that differs is no failure; nullptr where it is one.
  template <class T>
  const char* reason(T got, T expected, std::int64_t row, std::int64_t column, const Explanation&) const;
  template <class T>
  void measurement(const Matrix<T>& got, const Matrix<T>& expected, const Explanation&);
  std::string element_text(std::int64_t row, std::int64_t column) const;

  Subject& subject_;
  Coverage& coverage_;
  Fill fill_;
  std::string elements_are_;
  Matrix<std::uint8_t> codes_;  // as last drawn, for messages
  Parameters parameters_;       // likewise
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
