/// The four PyTorch operators in scalar code over the reference, without torch, for the tests of the properties about
/// operators and of their judging. The subject is correct, and each part can be replaced by a mutated one.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "properties/catalogue/of_tensors.h"
#include "properties/memory/guarded.h"
#include "properties/subjects/operators.h"

namespace tileproof {

/// Whether a call's tensors are stacks of experts.
bool is_stack(const OperatorCall&);

/// A rule that a call must obey. Rules are checked in order, so a rule may rely on those before it.
struct OperatorRule {
  std::string name;      // as "scales groups"; mutants take rules away by it
  std::string argument;  // the argument at fault if the rule does not hold
  std::string legal;
  std::function<bool(const OperatorCall&)> holds;
};
using RulesOfOperators = std::map<Operation, std::vector<OperatorRule>>;
const RulesOfOperators& right_rules();

/// Runs a call that is made in some mode: over its own inputs, or over the alternate inputs.
struct Runs {
  std::function<OperatorResult()> call;
  std::function<OperatorResult()> alternate;
};

/// The elements of a call's tensors by name, as bits.
using Elements = std::map<std::string, std::vector<std::uint32_t>>;

/// The parts of the subject; each default is correct.
struct OperatorParts {
  RulesOfOperators rules = right_rules();       // for real tensors
  RulesOfOperators meta_rules = right_rules();  // for meta tensors
  std::map<std::string, std::string> names;     // the schema's names of arguments that differ from ours
  bool has_device = false;                      // if so, the host is another place

  /// Changes the call before its tensors are read.
  std::function<void(OperatorCall&)> look = [](OperatorCall&) {};
  /// Changes the elements that were read: those of every tensor in sequence, experts first.
  std::function<void(const OperatorCall&, Elements&)> reads = [](const OperatorCall&, Elements&) {};
  std::function<std::string(const std::string& message)> error = [](const std::string& message) { return message; };
  /// Called before a call is refused.
  std::function<void()> refusal = [] {};
  /// Change a result's form and elements, of a real call and of a call over meta tensors.
  std::function<void(const OperatorCall&, OperatorResult&)> result = [](const OperatorCall&, OperatorResult&) {};
  std::function<void(const OperatorCall&, OperatorResult&)> meta_result = [](const OperatorCall&, OperatorResult&) {};
  /// Change memory: the result's allocation, which fences surround, and the inputs.
  std::function<void(std::uint8_t* result, std::size_t bytes, const Fill&)> stores = [](std::uint8_t*, std::size_t,
                                                                                        const Fill&) {};
  std::function<void(const OperatorCall&, const std::vector<void*>& at)> touches = [](const OperatorCall&,
                                                                                      const std::vector<void*>&) {};
  /// Runs a call in a mode; if empty, every mode but the usual one is Unavailable.
  std::function<OperatorResult(CallMode, const Runs&)> in_mode = nullptr;
};

class MutableOperators : public SubjectByOperation, public Operators {
 public:
  explicit MutableOperators(OperatorParts parts = {}) : parts_(std::move(parts)) {}

  Memory& memory() override { return lenient_host_memory(); }
  void fill_own_memory(const Fill& fill) override { fill_ = fill; }
  Operators* operators() override { return this; }

  OperatorResult call(const OperatorCall&, const std::vector<void*>& at, CallMode,
                      const OperatorCall* alternate) override;
  OperatorResult call_on_meta(const OperatorCall&) override;
  std::vector<std::string> argument_names(Operation) override;

 private:
  void pack(const Call&) override;
  void unpack(const Call&) override;
  void dequantize(const Call&) override;
  void matmul(const Call&) override;
  void require_legal(const OperatorCall&, const RulesOfOperators&) const;
  OperatorResult called(const OperatorCall&, const std::vector<void*>& at);
  OperatorResult stored(const OperatorCall&, OperatorResult) const;

  OperatorParts parts_;
  Fill fill_;
};

/// The subject's row, with the capabilities of PyTorch operators.
SubjectRow row_of_operators(const std::string& name);

}  // namespace tileproof
