#include "properties/subjects/python.h"

#include <algorithm>
#include <utility>

#include "properties/memory/guarded.h"
#include "properties/problem/named.h"
#include "properties/subjects/python_blocks.h"
#include "properties/subjects/stated.h"

namespace tileproof {

namespace {

constexpr const char* device_name = "DEVICE";

PythonFunctions& python() {
  static PythonFunctions functions;
  return functions;
}

/// @param ask  is given room for a text, and returns an answer
/// @return the text of an answer that is done, or why something is unavailable
template <class Ask>
std::pair<PythonAnswer, std::string> answer_of(Ask ask) {
  std::string text(std::size_t{1} << 16, '\0');
  const auto answer = static_cast<PythonAnswer>(ask(text.data(), static_cast<std::int64_t>(text.size())));
  text.resize(text.find('\0') == std::string::npos ? text.size() : text.find('\0'));
  return {answer, text};
}

PythonArray array_of(const ArrayForm& form, void* data) {
  PythonArray array = {form.name, form.dtype, data, {}, form.dims.count};
  std::copy(form.dims.begin(), form.dims.end(), array.dims);
  return array;
}

/// One code a byte, from two codes a byte.
std::vector<std::uint8_t> codes_of_pairs(const Call& c) {
  std::vector<std::uint8_t> codes;
  codes.reserve(static_cast<std::size_t>(c.n * c.k));
  const std::uint8_t* row = c.pairs();
  for (std::int64_t n = 0; n < c.n; ++n, row += (c.k + 1) / 2) {
    for (std::int64_t k = 0; k < c.k; ++k) {
      codes.push_back(static_cast<std::uint8_t>(row[k / 2] >> (k % 2 == 0 ? 4 : 0) & 15));
    }
  }
  return codes;
}

class PythonSubject : public Subject {
 public:
  explicit PythonSubject(bool on_cuda) : cuda_blocks_(on_cuda ? python_cuda_blocks() : nullptr) {}

  Memory& memory() override { return host_memory(); }
  void fill_own_memory(const Fill& fill) override { fill_ = fill; }

  ProcessState state() override {
    ProcessState all = process_state();
    const auto [answer, text] = answer_of([](char* room, std::int64_t bytes) { return python().state(room, bytes); });
    if (answer != PythonAnswer::done) throw SubjectError(text);
    Facts facts(text);
    for (const std::string& name : facts.names()) all[name] = facts.one(name.c_str());
    return all;
  }

  void run(const Call& c) override {
    if (!takes(c.operation, Role::pairs)) return call(c, nullptr);
    const std::vector<std::uint8_t> codes = codes_of_pairs(c);
    guarded(*codes_memory_, {{.name = "codes", .input = codes.data(), .bytes = codes.size()}}, fill_,
            [&](const std::vector<void*>& at) { call(c, at.front()); });
  }

 private:
  /// @param codes  one code a byte, if the operation takes codes
  void call(const Call& c, void* codes) {
    PythonCall call = {};
    call.function = name_of(c.operation);
    call.fence = fill_.fence;
    for (const RoleRow& row : roles_of(c.operation)) {
      if (!form_of(c, row)) continue;
      const bool is_codes = row.role == Role::pairs;
      const ArrayForm form = is_codes ? ArrayForm{"codes", "uint8", {c.n, c.k}} : array_form_of(c, row.role);
      const PythonArray array = array_of(form, is_codes ? codes : c.at<void>(row.role));
      (row.is_output ? call.result : call.arrays[call.array_count++]) = array;
    }
    call.n = c.n;
    call.k = c.k;
    call.group_size = c.group_size;
    const auto [answer, text] = watched(call);
    if (blocks_ != nullptr) blocks_->check();
    if (answer == PythonAnswer::device_lost) throw SubjectError(text, /*device_lost_=*/true);
    if (cuda_blocks_ != nullptr) {
      cuda_blocks_->wait();
      cuda_blocks_->check();
    }
    if (answer == PythonAnswer::violation) throw GuardViolation(text);
    if (answer == PythonAnswer::unavailable) throw Unavailable(text);
    if (answer != PythonAnswer::done) throw SubjectError(text);
  }

  /// Calls the function under guard.
  std::pair<PythonAnswer, std::string> watched(const PythonCall& call) const {
    std::optional<Guarding> guarding, on_cuda;
    if (blocks_ != nullptr) guarding.emplace(*blocks_, fill_);
    if (cuda_blocks_ != nullptr) on_cuda.emplace(*cuda_blocks_, fill_);
    return answer_of([&](char* room, std::int64_t bytes) { return python().call(&call, room, bytes); });
  }

  GuardedBlocks* blocks_ = python_blocks();
  GuardedCudaBlocks* cuda_blocks_;  // nullptr where nothing lies on a CUDA device
  std::unique_ptr<Memory> codes_memory_ = make_host_memory(OnTouch::ends_process);  // Python holds locks in a call
  Fill fill_;
};

}  // namespace

std::string text_of_legal_module() {
  return "a Python file with " + joined(pointer_operations, ", ", [](Operation one) { return name_of(one); }) +
         ", or some of them, as functions of arrays";
}

void set_python_functions(const PythonFunctions& functions) { python() = functions; }

MadeSubject make_python_subject(const PythonModule& module) {
  if (python().import_module == nullptr) throw std::logic_error("this process is no Python interpreter");
  const auto [answer, text] = answer_of([&](char* room, std::int64_t bytes) {
    return python().import_module(module.file.c_str(), module.device.c_str(), room, bytes);
  });
  if (answer == PythonAnswer::unavailable) return {nullptr, text};
  std::vector<std::string> lines = lines_of(text);
  lines.resize(3);
  if (answer == PythonAnswer::illegal) throw UsageError(lines[0], lines[1], lines[2]);
  if (answer != PythonAnswer::done) throw std::runtime_error("the interpreter did not import the module: " + text);

  Facts facts(text);
  Capabilities takes = stated_capabilities(facts, module.file, module.format);
  takes.several_callers = false;
  if (takes.operations.empty()) {
    throw UsageError("--python", "'" + module.file + "' (it has none of them)", text_of_legal_module());
  }
  takes.not_watched = facts.one("not watched");
  const std::string device = facts.one(device_name);
  return {std::make_unique<PythonSubject>(device == "cuda"), "", takes, device, facts.one("LIBRARY")};
}

}  // namespace tileproof
