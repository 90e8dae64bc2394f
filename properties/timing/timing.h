/// Timing: how long operations take next to yardsticks that move as many bytes, and whether their results are right. To
/// add a row, add it to a timer's kinds; to add a place where operations are timed, write a file like timing/host.cpp,
/// declare it in timing/rows.h, and add a row in timing.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "properties/memory/generated_tensor.h"
#include "properties/subjects/subject.h"

namespace tileproof {

struct Shape {
  std::int64_t n;
  std::int64_t k;
  std::int64_t experts = 1;
};

// A repeat runs the yardsticks and the operation one after the other at the same clocks. Runs are compared by their
// ratio within a repeat.

/// One timed operation. Its name identifies a row in tables and across runs.
struct Timed {
  std::string where;  // host, cuda, torch-cuda
  Operation operation = Operation::unpack;
  Shape shape = {};
  const Format* format = tinygemm(2);
  std::int64_t group_size = 128;  // this and the following fields are dequantize's
  const Scheme* scheme = scheme::floating;
  Type type = Type::bf16;
  bool cold = false;                  // flush the cache before every call
  const Format* format_to = nullptr;  // convert's
};

/// "cuda dequantize bf16 float 4096x4096 tinygemm-8 group=128 warm", "cuda convert 4096x4096 tinygemm-8 to awq warm"
std::string name_of(const Timed&);
/// The bytes that the operation must read once plus those it must write once.
std::int64_t bytes_of(const Timed&);

/// The names of what is timed. Each is timed equally often.
namespace timed_as {
inline constexpr const char* operation = "operation";
inline constexpr const char* copy = "copy";  // a copy of as many bytes in all: half read, half written
inline constexpr const char* fill = "fill";  // a fill of as many bytes
// aten's way to the same weights: int4 matmul with an identity matrix
inline constexpr const char* identity = "identity";
}  // namespace timed_as

struct Timing {
  std::map<std::string, std::vector<double>> seconds;  // of one call, one entry for each repeat
  std::int64_t calls = 1;                              // calls of the operation in one repeat
  std::string wrong;  // how the result after the last repeat differs from the formula; "": it does not
};

/// A kind of row: one operation in one form, for some formats.
struct TimedKind {
  Operation operation;
  Type type = Type::bf16;
  const Scheme* scheme = scheme::floating;
  std::int64_t group_size = 128;
  std::vector<const Format*> formats = tinygemm_formats();
  std::vector<const Format*> formats_to = {nullptr};  // convert's
  bool at_largest_alone = false;                      // only at the largest shape
  std::int64_t experts = 1;                           // more than one: timed at `shape_of_expert`
};
inline constexpr Shape shape_of_expert = {14336, 4096};

/// A place where operations are timed.
class Timer {
 public:
  virtual ~Timer() = default;
  virtual Timing time(const Timed&, int repeats) = 0;
  /// The facts about the place that a reader needs to compare two runs.
  virtual std::map<std::string, std::string> device() const { return {}; }
};

/// A timer, or the reason why this machine has none.
struct MadeTimer {
  std::unique_ptr<Timer> timer = nullptr;
  std::string why_not = "";
};

struct TimerRow {
  std::string name;
  bool needs_gpu;
  std::vector<std::string> where;  // the names of the rows: one, or one for each way of calling
  std::vector<Shape> usual_shapes;
  std::vector<TimedKind> kinds;
  bool has_cold = false;
  std::string subject;  // the subject whose cases are counted, if the place has one
  std::function<MadeTimer()> make;
};

const std::vector<TimerRow>& timers();

/// The rows to time.
/// @param shapes   empty: the usual shapes
/// @param skipped  receives a line for each combination that is left out because its k is not legal
std::vector<Timed> timed_rows(const TimerRow&, const std::vector<Shape>& shapes, std::vector<std::string>& skipped);

/// Reads "32768x32768,4096x4096".
/// @throws UsageError naming `argument`
std::vector<Shape> shapes_of(const char* argument, const std::string& text);

/// The tensors of one row in memory: inputs written, output poisoned, and scratch room for a yardstick.
class TimedTensors {
 public:
  TimedTensors(const Timed&, Memory&);

  /// The operation's call. For a batch of experts it includes the size of each.
  Call call() const;

  void* output() const { return tensors_.back().at; }
  std::size_t output_bytes() const { return tensors_.back().bytes(timed_.shape.experts); }
  std::int64_t bytes() const { return bytes_; }  // all tensors together
  // Scratch room for a yardstick, of as many bytes as the tensors; the second half is aligned like the first.
  void* room() const { return room_; }
  void* second_half_of_room() const { return second_half_; }

  /// How the output differs from its formula; "" if it does not.
  std::string wrong() const;

 private:
  struct Tensor {
    Role role;
    TensorForm form;  // of one expert
    void* at = nullptr;
    std::size_t element_bytes() const { return static_cast<std::size_t>(form.element_bytes); }
    std::size_t bytes(std::int64_t experts) const { return static_cast<std::size_t>(experts * form.bytes()); }
    std::uint8_t* of(std::int64_t expert) const { return static_cast<std::uint8_t*>(at) + bytes(expert); }
  };
  GeneratedTensor holds(const Tensor&, std::int64_t expert) const;
  static std::vector<Tensor> tensors_of(const Timed&);
  friend std::int64_t bytes_of(const Timed&);

  Timed timed_;
  Memory& memory_;
  std::vector<Tensor> tensors_;
  std::int64_t bytes_ = 0;
  void* room_ = nullptr;
  void* second_half_ = nullptr;
};

}  // namespace tileproof
