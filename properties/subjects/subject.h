/// A subject: an implementation under test. To add one, write a file like subjects/reference.cpp, declare it in
/// rows.h, and add a row in subjects.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
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

/// The problems that a subject accepts. Problems are drawn inside its capabilities, never filtered.
struct Capabilities {
  std::vector<Operation> operations;
  std::int64_t n_multiple = 1;
  std::int64_t k_multiple = 1;
  std::int64_t most_n = std::int64_t{1} << 40;  // rows
  std::int64_t most_k = std::int64_t{1} << 40;  // columns
  std::vector<const Format*> formats = tinygemm_formats();
  std::vector<const Format*> formats_to = {};                       // that convert gives; of a format, all others
  std::map<Operation, std::vector<const Format*>> formats_of = {};  // of operations that take some of the formats alone
  std::vector<std::int64_t> group_sizes = {32, 64, 128, 256, 16, 48, 80, 96, 112, 160, 512, 1024};
  bool any_group_size = true;  // takes every legal size, not only these
  bool uneven_rows = true;     // takes rows of one group of no multiple of 16 elements, in formats that have such
  std::vector<const Scheme*> schemes = {scheme::floating, scheme::integer, scheme::none};
  std::vector<Types> types = {Type::bf16, Type::fp16, Type::fp32};
  bool any_alignment = true;  // takes inputs aligned to their elements, outputs to 16 bytes; else: as allocators align
  bool one_nan = true;        // every NaN that it makes has the hardware's bits
  bool several_callers = true;  // may be called from several threads at once
  bool takes_tensors = false;   // made of PyTorch operators: Subject::operators() is not null
  // The arguments of each operator, by the names of a mapping (operator_mapping.h) in its order. If this is empty, the
  // operators have tinygemm's schemas.
  std::map<Operation, std::vector<std::string>> mapped_arguments = {};
  bool takes_experts = false;  // takes a batch of experts in one call of raw pointers
  bool is_specification = false;
  std::int64_t step_elements = std::int64_t{1} << 21;  // in one step of a proof; more on a GPU
  std::string not_watched = "";  // memory that the subject allocates and nobody watches, in words; "" if there is none

  bool has(Operation) const;
  /// Whether an operation, if the subject has it, takes a format.
  bool takes(Operation, const Format&) const;
  /// Narrows to the formats that all of some operations take, with their schemes and types.
  Capabilities of(const std::vector<Operation>&) const;
  /// The formats that convert gives of one; of a subject without convert, nullptr alone.
  std::vector<const Format*> formats_to_of(const Format&) const;
  /// The group sizes of this list that are legal in a format.
  std::vector<std::int64_t> group_sizes_of(const Format&) const;
  /// Whether a row of the format may be one group of no multiple of 16 elements.
  bool takes_uneven_rows_of(const Format&) const;
  bool are_mapped() const { return !mapped_arguments.empty(); }
  /// The rows that an operator's unpack gives: those of the padding too, unless it is told n.
  std::int64_t rows_unpacked(const Format&, Size) const;
  bool takes(const Problem&) const;
};

/// Reports that a subject was called with an operation that it does not have.
/// @throws std::logic_error, always
[[noreturn]] void lacks(Operation);

class Operators;
struct Fill;

class Subject {
 public:
  virtual ~Subject() = default;

  /// The memory that holds the tensors of its calls.
  virtual Memory& memory() = 0;

  /// Runs an operation and waits for its end.
  /// @throws SubjectError
  /// @throws std::logic_error if the subject has no such operation
  virtual void run(const Call& call) { lacks(call.operation); }

  /// Asks for another way of running that must give the same bits: another launch shape, another stream. 0 is the usual
  /// one.
  virtual void vary(std::uint64_t /*variation*/) {}
  /// Names of the code paths between which the subject chooses by its input and machine; variation 2 * i + 1 forces way
  /// i. Empty if there is only one.
  virtual std::vector<std::string> ways() const { return {}; }
  /// The name of the way that the last run took.
  virtual std::string way() const { return ""; }

  /// The state that a call must leave unchanged.
  virtual ProcessState state() { return process_state(); }
  /// The state before the subject's first call; every case asks for it before its calls.
  const ProcessState& first_state() {
    if (first_state_.empty()) first_state_ = state();
    return first_state_;
  }

  /// Sets what memory holds that the subject allocates itself.
  virtual void fill_own_memory(const Fill&) {}
  /// The subject as PyTorch operators; nullptr if it is not made of them.
  virtual Operators* operators() { return nullptr; }

 private:
  ProcessState first_state_;
};

/// A subject with a function for each operation that it has.
class SubjectByOperation : public Subject {
 public:
  void run(const Call& c) override {
    switch (c.operation) {
      case Operation::pack:
        return pack(c);
      case Operation::unpack:
        return unpack(c);
      case Operation::dequantize:
        return dequantize(c);
      case Operation::convert:
        return convert(c);
      case Operation::matmul:
        return matmul(c);
      case Operation::choose:
        return choose(c);
      case Operation::quantize:
        return quantize(c);
      case Operation::dequantize_eagerly:
        return dequantize_eagerly(c);
    }
  }

 protected:
  virtual void pack(const Call& c) { lacks(c.operation); }
  virtual void unpack(const Call& c) { lacks(c.operation); }
  virtual void dequantize(const Call& c) { lacks(c.operation); }
  virtual void convert(const Call& c) { lacks(c.operation); }
  virtual void matmul(const Call& c) { lacks(c.operation); }
  virtual void choose(const Call& c) { lacks(c.operation); }
  virtual void quantize(const Call& c) { lacks(c.operation); }
  virtual void dequantize_eagerly(const Call& c) { lacks(c.operation); }
};

/// A subject, or why this machine cannot run it.
struct MadeSubject {
  std::unique_ptr<Subject> subject = nullptr;
  std::string why_not = "";
  std::optional<Capabilities> capabilities =
      std::nullopt;          // set if only making the subject shows them, as for a user's library
  std::string device = "";   // "cpu" or "cuda", set for a user's library
  std::string library = "";  // whose it is, with its version; "" if nobody has said
};

struct SubjectRow {
  std::string name;
  std::string what;
  bool needs_gpu = false;
  Capabilities capabilities;
  std::function<MadeSubject()> make;
  bool one_at_a_time = false;  // judged by one process: loading it takes long, or it has threads of its own
};

/// Capabilities of tinygemm's kernels, and of every subject that implements all of their operations.
Capabilities kernel_capabilities();
/// Capabilities of the production kernels: convert between all layouts that they know, and the rest in tinygemm's.
Capabilities production_capabilities();
/// Replaces the formats, with all of their schemes and types.
Capabilities in_formats(Capabilities, const std::vector<const Format*>&);
/// Adds convert to some formats.
Capabilities with_convert(Capabilities, const std::vector<const Format*>& formats_to);
/// Capabilities of the specification, which adds eager operations, every format, scheme and type, and properties about
/// itself.
Capabilities specification_capabilities();
/// Default capabilities of operators over tensors: the float scheme in bf16, and aten's group sizes.
Capabilities library_capabilities(std::vector<Operation>);
/// Adapts capabilities to a GPU, where the steps of a proof are larger.
Capabilities on_a_gpu(Capabilities);

/// Every subject, in the order of verdict tables.
const std::vector<SubjectRow>& subjects();

}  // namespace tileproof
