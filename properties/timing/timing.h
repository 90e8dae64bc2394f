/// Timing: how long operations take beside yardsticks that move as many bytes, and whether what they gave was right.
///
/// A repeat takes the yardsticks and the operation one after the other, so that they see the same clocks: what is
/// compared from run to run is their ratio within a repeat. To add a row to the table, add one to a timer's kinds; to
/// add a place where operations are timed, write a file like timing/host.cpp and a row in timing.cpp.
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

/// What is timed. Its name is a row's identity, in a table and from run to run.
struct Timed {
  std::string where;  // host, cuda, torch-cuda
  Operation operation = Operation::unpack;
  Shape shape = {};
  const Format* format = tinygemm(2);
  std::int64_t group_size = 128;  // of dequantize, as what follows
  const Scheme* scheme = scheme::floating;
  Type type = Type::bf16;
  bool cold = false;  // the cache is flushed before every call
};

/// "cuda dequantize bf16 float 4096x4096 tinygemm-8 group=128 warm"
std::string name_of(const Timed&);
/// What the operation must read once and write once.
std::int64_t bytes_of(const Timed&);

/// What was timed, each as often as the others.
namespace timed_as {
inline constexpr const char* operation = "operation";
inline constexpr const char* copy = "copy";          // of as many bytes in all: half of them read, half of them written
inline constexpr const char* fill = "fill";          // of as many bytes
inline constexpr const char* identity = "identity";  // the same weights as aten gives them: times an identity matrix
}  // namespace timed_as

struct Timing {
  std::map<std::string, std::vector<double>> seconds;  // of one call, a repeat each
  std::int64_t calls = 1;                              // of the operation in a repeat
  std::string wrong;  // how the operation's result after the last repeat differs from the formula; "": not at all
};

/// The rows of a place: an operation in one form, at each of some formats.
struct TimedKind {
  Operation operation;
  Type type = Type::bf16;
  const Scheme* scheme = scheme::floating;
  std::int64_t group_size = 128;
  std::vector<const Format*> formats = tinygemm_formats();
  bool at_largest_alone = false;  // of the shapes
  std::int64_t experts = 1;       // of more than one: at a shape of its own, `shape_of_expert`
};
inline constexpr Shape shape_of_expert = {14336, 4096};

/// A place where operations are timed.
class Timer {
 public:
  virtual ~Timer() = default;
  virtual Timing time(const Timed&, int repeats) = 0;
  /// What a reader must know of the place to compare two runs.
  virtual std::map<std::string, std::string> device() const { return {}; }
};

/// A timer, or why there is none on this machine.
struct MadeTimer {
  std::unique_ptr<Timer> timer = nullptr;
  std::string why_not = "";
};

struct TimerRow {
  std::string name;
  std::string what;
  bool needs_gpu;
  std::vector<std::string> where;  // what the rows are called: one name, or one for each way of calling
  std::vector<Shape> usual_shapes;
  std::vector<TimedKind> kinds;
  bool has_cold = false;
  std::string subject;  // whose cases are counted, where the place has one
  std::function<MadeTimer()> make;
};

const std::vector<TimerRow>& timers();

/// What there is to time.
/// @param shapes   empty: the usual ones
/// @param skipped  gets a line for every combination that is left out, because its k is none
std::vector<Timed> timed_rows(const TimerRow&, const std::vector<Shape>& shapes, std::vector<std::string>& skipped);

/// "32768x32768,4096x4096". @throws UsageError naming `argument`
std::vector<Shape> shapes_of(const char* argument, const std::string& text);

/// The tensors of what is timed, in memory: inputs written, the output poisoned, and room for a yardstick.
class TimedTensors {
 public:
  TimedTensors(const Timed&, Memory&);

  /// The operation's call. Of a batch of experts it says how large each is.
  Call call() const;

  /// In the order of the call; the output is the last.
  void* at(std::size_t tensor) const { return tensors_.at(tensor).at; }
  void* output() const { return tensors_.back().at; }
  std::size_t output_bytes() const { return tensors_.back().bytes(timed_.shape.experts); }
  std::int64_t bytes() const { return bytes_; }  // of all of them
  // Room for a yardstick: as many bytes, and of these the second half, aligned as the first is.
  void* room() const { return room_; }
  void* second_half_of_room() const { return second_half_; }

  /// How the output differs from its formula; "" where it does not.
  std::string wrong() const;

 private:
  struct Tensor {
    Role role;
    TensorForm form;  // of an expert
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
