#include "fuzz/process/sanitizers.h"

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "fuzz/process/interrupt.h"
#include "properties/problem/stopwatch.h"

namespace tileproof {

namespace {

constexpr int exit_of_findings = 86;  // the tool exits with this if it finds something; not one of our exit codes

struct Ran {
  int exit;           // -1: died of a signal
  std::string text;   // stdout and stderr
  std::string ended;  // "exit code 3", "SIGSEGV"
};

Ran run(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>&1 </dev/null").c_str(), "r");
  if (pipe == nullptr) return {-1, "no process could be started", "no process could be started"};
  std::string text;
  std::array<char, 4096> buffer;
  for (std::size_t read; (read = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) text.append(buffer.data(), read);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) return {WEXITSTATUS(status), text, "exit code " + std::to_string(WEXITSTATUS(status))};
  const char* name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : nullptr;
  return {-1, text, "SIG" + std::string(name != nullptr ? name : "?")};
}

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char letter : text) result += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return result + "'";
}

/// The beginning of a tool's output: its first findings.
std::string beginning(const std::string& text) {
  constexpr std::size_t most = 2000;
  return "\n" + text.substr(0, most) + (text.size() > most ? "..." : "");
}

/// Turns PyTorch's caching allocator off, should a library bring it: one allocation of it holds many tensors, so that
/// an access outside one tensor is inside another. The timeout ends a kernel that waits at a barrier for ever.
std::string under(const Sanitizer& sanitizer, const std::string& command) {
  return "PYTORCH_NO_CUDA_MEMORY_CACHING=1 timeout 600 compute-sanitizer --tool " + sanitizer.tool +
         " --error-exitcode " + std::to_string(exit_of_findings) + " --print-limit 10 " + command;
}

void judge(const Sanitizer& sanitizer, const std::string& program, const std::string& cases_command,
           SanitizerResult& result) {
  const Ran planted = run(under(sanitizer, program + " " + sanitizer.plant_command));
  const bool names_it = planted.text.find(sanitizer.canary_kernel) != std::string::npos;
  if (planted.exit != exit_of_findings || !names_it) {
    result.verdict = Verdict::mistrusted;
    result.reason =
        "did not notice what was planted, " + sanitizer.planted + " (" + planted.ended + "):" + beginning(planted.text);
    return;
  }
  const Ran ours = run(under(sanitizer, program + " " + cases_command));
  if (ours.exit != 0) {
    result.verdict = Verdict::failed;
    result.reason = (ours.exit == exit_of_findings ? "found" : ours.ended) + ":" + beginning(ours.text);
    return;
  }
  result.verdict = Verdict::passed;
  result.reason = "noticed " + sanitizer.planted + "; found nothing in the cases";
}

}  // namespace

std::vector<SanitizerResult> run_sanitizers(const std::string& program, const std::string& cases_command,
                                            const std::vector<Sanitizer>& sanitizers) {
  const std::string quoted_program = quoted(program);
  std::string why_not;
  if (run("compute-sanitizer --version").exit != 0) why_not = "no compute-sanitizer on PATH";
  // Run without a tool first: a failure there is not the tool's finding.
  const Ran plain = why_not.empty() ? run(quoted_program + " " + cases_command) : Ran{3, "", ""};
  if (why_not.empty() && plain.exit == 3) why_not = plain.text.substr(0, plain.text.find('\n'));
  std::vector<SanitizerResult> results;
  for (const Sanitizer& sanitizer : sanitizers) {
    const Clock::time_point begin = Clock::now();
    SanitizerResult result;
    result.tool = sanitizer.tool;
    if (is_interrupted()) {
      result.verdict = Verdict::mistrusted;
    } else if (!why_not.empty()) {
      result.verdict = Verdict::skipped;
      result.reason = why_not;
    } else if (plain.exit != 0) {
      result.verdict = Verdict::failed;
      result.reason = "the cases fail without a tool (" + plain.ended + "):" + beginning(plain.text);
    } else {
      judge(sanitizer, quoted_program, cases_command, result);
    }
    // A signal that ends the run reaches its children too, so their failures are no verdict.
    if (is_interrupted() && result.verdict != Verdict::passed) {
      result.verdict = Verdict::mistrusted;
      result.reason = "interrupted";
    }
    result.seconds = seconds_since(begin);
    results.push_back(result);
  }
  return results;
}

}  // namespace tileproof
