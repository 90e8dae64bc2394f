/// The four PyTorch operators in scalar code over the reference, without torch: a subject for the tests of what is
/// claimed and judged about operators. Right as it is; each part can be replaced by a faulty one.
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

/// What must hold for a call, asked in order: a rule may rely on those before it.
struct OperatorRule {
  std::string name;      // "scales groups": faults take rules away by it
  std::string argument;  // that is at fault where it does not hold
  std::string legal;
  std::function<bool(const OperatorCall&)> holds;
};
using RulesOfOperators = std::map<Operation, std::vector<OperatorRule>>;
const RulesOfOperators& right_rules();

/// How to run a call that is made in some manner: over its own inputs, or over the alternate inputs's.
struct Runs {
  std::function<OperatorResult()> call;
  std::function<OperatorResult()> alternate;
};

/// The elements of a call's tensors by name, as bits.
using Elements = std::map<std::string, std::vector<std::uint32_t>>;

/// The parts of the subject; each default is right.
struct OperatorParts {
  RulesOfOperators rules = right_rules();       // of real tensors
  RulesOfOperators meta_rules = right_rules();  // of meta tensors
  std::map<std::string, std::string> names;     // what its schema calls an argument, where that is not our word
  bool has_device = false;                      // so that the host is another place

  /// What it takes a call for, before it reads the tensors.
  std::function<void(OperatorCall&)> look = [](OperatorCall&) {};
  /// What becomes of the elements it has read: those of every tensor, one after the other, experts first.
  std::function<void(const OperatorCall&, Elements&)> reads = [](const OperatorCall&, Elements&) {};
  std::function<std::string(const std::string& message)> error = [](const std::string& message) { return message; };
  /// Called where a call is refused, before it is said.
  std::function<void()> refusal = [] {};
  /// What becomes of a result's form and elements, of a real call and of one over meta tensors.
  std::function<void(const OperatorCall&, OperatorResult&)> result = [](const OperatorCall&, OperatorResult&) {};
  std::function<void(const OperatorCall&, OperatorResult&)> meta_result = [](const OperatorCall&, OperatorResult&) {};
  /// What becomes of memory: of the result's allocation, which fences surround, and of the inputs.
  std::function<void(std::uint8_t* result, std::size_t bytes, const Fill&)> stores = [](std::uint8_t*, std::size_t,
                                                                                        const Fill&) {};
  std::function<void(const OperatorCall&, const std::vector<void*>& at)> touches = [](const OperatorCall&,
                                                                                      const std::vector<void*>&) {};
  /// Where there is none, every manner but the usual one is Unavailable.
  std::function<OperatorResult(CallMode, const Runs&)> in_mode = nullptr;
};

class MutableOperators : public Subject, public Operators {
 public:
  explicit MutableOperators(OperatorParts parts = {}) : parts_(std::move(parts)) {}

  Memory& memory() override { return lenient_host_memory(); }
  void fill_own_memory(const Fill& fill) override { fill_ = fill; }
  Operators* operators() override { return this; }

  void run(const Call&) override;

  OperatorResult call(const OperatorCall&, const std::vector<void*>& at, CallMode,
                      const OperatorCall* alternate) override;
  OperatorResult call_on_meta(const OperatorCall&) override;
  std::vector<std::string> argument_names(Operation) override;

 private:
  void pack(const Call&);
  void unpack(const Call&);
  void dequantize(const Call&);
  void matmul(const Call&);
  void require_legal(const OperatorCall&, const RulesOfOperators&) const;
  OperatorResult called(const OperatorCall&, const std::vector<void*>& at);
  OperatorResult stored(const OperatorCall&, OperatorResult) const;

  OperatorParts parts_;
  Fill fill_;
};

/// The subject as rows of subjects are, with what PyTorch operators take.
SubjectRow row_of_operators(const std::string& name);

}  // namespace tileproof
