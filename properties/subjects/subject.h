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
#include "properties/subjects/process_state.h"

namespace tileproof {

enum class Operation {
  pack,
  unpack,
  dequantize,
  matmul,
  // The chain of tensor operations that eager PyTorch has for each: before there is a packed weight, and instead of
  // one.
  choose,
  quantize,
  dequantize_eagerly
};
const char* name_of(Operation);
/// @throws UsageError where there is no operation of the name
Operation operation_of(const char* argument, const std::string& name);

// What an operation is given: raw pointers into the subject's memory. Packed words to read, scales and zero points are
// aligned to their elements, the codes of pack and every output to 16 bytes; the tensors of matmul as allocators align.
// Pack, unpack and dequantize take a batch of experts, matrices of one size one behind the other: `experts` leads every
// shape. It is 1 for subjects that take no batch (Capabilities::takes_experts).

struct PackCall {
  const std::uint8_t* codes;  // [n][k / 2], the even column in the high nibble
  std::uint32_t* packed;      // as the format lays it out, in whole words of 32 bits
  std::int64_t n, k;
  const Format* format;
  std::int64_t experts = 1;
};

struct UnpackCall {
  const std::uint32_t* packed;
  std::int32_t* codes;  // [n][k]
  std::int64_t n, k;
  const Format* format;
  std::int64_t experts = 1;
};

struct DequantizeCall {
  const std::uint32_t* packed;
  const void* scales;  // the scheme's first tensor of parameters
  const void* zeros;   // its second one, nullptr where there is none
  void* weights;       // of the weights' type, in the order of the format's result
  std::int64_t n, k, group_size;
  const Format* format;
  const Scheme* scheme;
  Types types;
  std::int64_t experts = 1;
};

/// out = activations * weights^T, the weights packed and dequantized inside, as aten's kernels do.
struct MatmulCall {
  const std::uint16_t* activations;       // bf16 [m][k]
  const std::uint8_t* codes;              // [n][k / 2], as PackCall::codes
  const std::uint16_t* scales_and_zeros;  // bf16 [k / group_size][n][2]
  std::uint16_t* out;                     // bf16 [m][n]
  std::int64_t m, n, k, group_size;
  const Format* format;
  const Scheme* scheme;  // of the weights inside
  Types types;
};

/// The parameters of each group of weights, in the float or the integer domain.
struct ChooseCall {
  const void* weights;       // Type [n][k], finite, and in each group the largest less the least too
  void* scales;              // Type [k / group_size][n]
  void* zeros;               // the same; float domain
  std::int8_t* zero_points;  // integer domain: [k / group_size][n]
  std::int64_t n, k, group_size;
  const Scheme* scheme;
  Type type;
};

struct QuantizeCall {
  const void* weights;             // Type [n][k]
  const void* scales;              // as ChooseCall's
  const void* zeros;               // float domain
  const std::int8_t* zero_points;  // integer domain
  std::int32_t* codes;             // [n][k], 0..15
  std::int64_t n, k, group_size;
  const Scheme* scheme;
  Type type;
};

struct DequantizeEagerlyCall {
  const std::int32_t* codes;       // [n][k], 0..15
  const void* scales;              // as ChooseCall's
  const void* zeros;               // float domain
  const std::int8_t* zero_points;  // integer domain
  void* weights;                   // Type [n][k]
  std::int64_t n, k, group_size;
  const Scheme* scheme;
  Type type;
};

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

class Operators;
struct Fill;

class Subject {
 public:
  virtual ~Subject() = default;

  /// Where the pointers of its calls live.
  virtual Memory& memory() = 0;

  // Each runs an operation of the capabilities to its end, or throws SubjectError.
  virtual void run(const PackCall&);
  virtual void run(const UnpackCall&);
  virtual void run(const DequantizeCall&);
  virtual void run(const MatmulCall&);
  virtual void run(const ChooseCall&);
  virtual void run(const QuantizeCall&);
  virtual void run(const DequantizeEagerlyCall&);

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
