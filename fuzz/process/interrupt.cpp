#include "fuzz/process/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>

namespace tileproof {

namespace {

std::atomic<std::int64_t> interrupted = 0;  // time in milliseconds; 0: not interrupted
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "a signal handler sets it");

std::int64_t milliseconds_now() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1'000'000 + 1;
}

/// The second signal ends the process. A signal that follows at once counts as the first: coreutils' timeout signals
/// its child and then the group of both.
void interrupt(int signal) {
  constexpr std::int64_t apart_min = 1000;
  std::int64_t first = 0;
  const std::int64_t now = milliseconds_now();
  if (!interrupted.compare_exchange_strong(first, now)) {
    if (now - first < apart_min) return;
    std::signal(signal, SIG_DFL);
    raise(signal);
    return;
  }
  const char said[] = "\ninterrupted: what has been judged is reported next; once more ends it at once\n";
  if (write(STDERR_FILENO, said, sizeof said - 1) < 0) return;
}

void nothing(int) {}

void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags | SA_RESTART;  // so that reading a child's output continues
  sigaction(signal, &action, nullptr);
}

}  // namespace

void report_when_interrupted() {
  for (const int signal : ending_signals) {
    struct sigaction before = {};
    sigaction(signal, nullptr, &before);
    const bool under_nohup = signal == SIGHUP && before.sa_handler == SIG_IGN;
    if (!under_nohup) handle(signal, interrupt, 0);
  }
}

bool is_interrupted() { return interrupted != 0; }

// Use handlers, because SIG_IGN would be inherited by every child through exec.
void survive_failed_writes() {
  for (const int signal : {SIGPIPE, SIGXFSZ}) handle(signal, nothing, 0);
}

}  // namespace tileproof
