/// A subject: an implementation under test. To add one, write a file like subjects/host.cpp and a row in subjects.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "properties/memory/errors.h"
#include "properties/memory/memory.h"
#include "properties/problem/problem.h"
#include "properties/problem/tinygemm.h"
#include "properties/subjects/call.h"
#include "properties/subjects/process_state.h"

namespace tileproof {

/// What a subject accepts: problems are drawn inside it, never filtered.
struct Capabilities {
  std::vector<Operation> operations;
  std::int64_t n_multiple = 1;
  std::int64_t most_n = std::int64_t{1} << 40;  // rows
  std::int64_t most_k = std::int64_t{1} << 40;  // columns
  std::vector<const Format*> formats = tinygemm_formats();
  std::vector<std::int64_t> group_sizes = {32, 64, 128, 256, 16, 48, 80, 96, 112, 160, 512, 1024};
  bool any_group_size = true;  // takes every multiple of 16 that divides k, not only these
  std::vector<const Scheme*> schemes = {scheme::floating, scheme::integer, scheme::none};
  std::vector<Types> types = {Type::bf16, Type::fp16, Type::fp32};
  bool any_alignment = true;  // takes inputs aligned to their elements, outputs to 16 bytes; else: as allocators align
  bool one_nan = true;        // every NaN it makes is the one the hardware makes
  bool several_callers = true;  // may be called from several threads at once
  bool takes_tensors = false;   // made of PyTorch operators: Subject::operators() is not null
  bool takes_experts = false;   // takes a batch of experts in one call of raw pointers
  bool is_specification = false;
  std::int64_t step_elements = std::int64_t{1} << 21;  // of a step of a proof: many, where a device works on them

  bool has(Operation) const;
  bool takes(const Problem&) const;
};

/// For a subject that is called with an operation that it does not have. @throws std::logic_error
[[noreturn]] void lacks(Operation);

class Operators;
struct Fill;

class Subject {
 public:
  virtual ~Subject() = default;

  /// Where the pointers of its calls live.
  virtual Memory& memory() = 0;

  /// Runs an operation of the capabilities to its end. @throws SubjectError; std::logic_error: it has no such operation
  virtual void run(const Call& call) { lacks(call.operation); }

  /// Asks for another way of running that must give the same bits: another launch shape, another stream. 0 is the usual
  /// one.
  virtual void vary(std::uint64_t /*variation*/) {}
  /// The ways of dispatch between which it chooses by what it is given and where it runs: variation 2 * i + 1 forces
  /// way i. None: there is one.
  virtual std::vector<std::string> ways() const { return {}; }
  /// The way that the last run took, by its name.
  virtual std::string way() const { return ""; }

  /// What a call must leave as it was.
  virtual ProcessState state() { return process_state(); }
  /// The same before the subject's first call: every case asks for it before it calls.
  const ProcessState& first_state() {
    if (first_state_.empty()) first_state_ = state();
    return first_state_;
  }

  /// What memory holds that the subject allocates itself.
  virtual void fill_own_memory(const Fill&) {}
  /// The subject as PyTorch operators, where it is made of them.
  virtual Operators* operators() { return nullptr; }

 private:
  ProcessState first_state_;
};

/// A subject, or why this machine cannot run it.
struct MadeSubject {
  std::unique_ptr<Subject> subject = nullptr;
  std::string why_not = "";
  std::optional<Capabilities> capabilities =
      std::nullopt;         // where only making it shows what it has: somebody's library
  std::string device = "";  // likewise: cpu or cuda
};

struct SubjectRow {
  std::string name;
  std::string what;
  bool needs_gpu;
  Capabilities capabilities;
  std::function<MadeSubject()> make;
  bool one_at_a_time = false;  // judged by one process: loading it takes long, or it has threads of its own
};

/// What the production kernels take, and everything else that implements all of their operations.
Capabilities kernel_capabilities();
/// The same of the specification, which can be asked about itself.
Capabilities specification_capabilities();
/// What operators over tensors take, unless they say otherwise: the float domain in bf16, and aten's group sizes.
Capabilities library_capabilities(std::vector<Operation>);
/// The same on a GPU, where the steps of a proof are larger.
Capabilities on_a_gpu(Capabilities);

/// Every subject, in the order of verdict tables.
const std::vector<SubjectRow>& subjects();

}  // namespace tileproof
