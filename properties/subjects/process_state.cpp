#include "properties/subjects/process_state.h"

#include <fenv.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

extern char** environ;

namespace tileproof {

namespace {

std::string hex(std::uint64_t value) {
  std::ostringstream text;
  text << "0x" << std::hex << value;
  return text.str();
}

std::string rounding_mode() {
  switch (fegetround()) {
    case FE_TONEAREST:
      return "to nearest";
    case FE_TOWARDZERO:
      return "toward zero";
    case FE_UPWARD:
      return "upward";
    case FE_DOWNWARD:
      return "downward";
  }
  return "unknown";
}

/// Flush-to-zero, denormals-are-zero and the masks of exceptions; the flags that any operation raises are left out.
std::string floating_point_control() {
#if defined(__x86_64__)
  constexpr std::uint32_t flags = 0x3f;
  std::uint16_t x87 = 0;
  asm volatile("fnstcw %0" : "=m"(x87));
  return hex(_mm_getcsr() & ~flags) + ", x87 " + hex(x87);
#elif defined(__aarch64__)
  std::uint64_t control = 0;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  return hex(control);
#else
  return "unknown";
#endif
}

void add_signals(ProcessState& state) {
  // The handler of SIGSEGV is the harness's own: see page_guard.h.
  constexpr int signals[] = {SIGBUS, SIGFPE,  SIGILL,  SIGABRT, SIGINT,  SIGTERM,
                             SIGHUP, SIGPIPE, SIGALRM, SIGCHLD, SIGUSR1, SIGUSR2};
  for (const int signal : signals) {
    struct sigaction action = {};
    if (sigaction(signal, nullptr, &action) != 0) continue;
    state["handler of signal " + std::to_string(signal)] = hex(reinterpret_cast<std::uintptr_t>(action.sa_handler)) +
                                                           ", flags " + hex(static_cast<unsigned>(action.sa_flags));
  }
  sigset_t blocked;
  sigemptyset(&blocked);
  pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  std::string names;
  for (int signal = 1; signal < 32; ++signal) {
    if (sigismember(&blocked, signal) == 1) names += " " + std::to_string(signal);
  }
  state["signal mask"] = names.empty() ? "none" : names.substr(1);
}

std::string umask_of_process() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Umask:")) return line.substr(line.find_first_not_of(" \t", 6));
  }
  return "unknown";
}

std::string cores_allowed() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? std::to_string(CPU_COUNT(&set)) : "unknown";
}

std::string target_of(int descriptor) {
  std::error_code error;
  const auto target = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor), error);
  return error ? "closed" : target.string();
}

}  // namespace

ProcessState process_state() {
  ProcessState state;
  state["rounding mode"] = rounding_mode();
  state["floating-point control"] = floating_point_control();
  const char* locale = setlocale(LC_ALL, nullptr);
  state["locale"] = locale == nullptr ? "none" : locale;
  std::error_code error;
  state["working directory"] = std::filesystem::current_path(error).string();
  state["umask"] = umask_of_process();
  state["cores allowed"] = cores_allowed();
  state["priority"] = std::to_string(getpriority(PRIO_PROCESS, 0));
  state["standard output"] = target_of(STDOUT_FILENO);
  state["standard error"] = target_of(STDERR_FILENO);
  add_signals(state);
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string text = *variable;
    // Record only a hash: many people read a report, and the value may be a secret.
    state["environment variable " + text.substr(0, text.find('='))] =
        "a text with the hash " + hex(std::hash<std::string>()(text));
  }
  return state;
}

std::vector<std::string> changes(const ProcessState& before, const ProcessState& after) {
  std::vector<std::string> all;
  const auto text_in = [](const ProcessState& state, const std::string& name) {
    const auto found = state.find(name);
    return found == state.end() ? std::string("not set") : found->second;
  };
  ProcessState names = before;
  names.insert(after.begin(), after.end());
  for (const auto& [name, value] : names) {
    const std::string was = text_in(before, name), is = text_in(after, name);
    if (was != is) all.push_back(name + ": was " + was + ", is " + is);
  }
  return all;
}

}  // namespace tileproof
