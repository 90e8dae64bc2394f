#include "interrupt.h"

#include <unistd.h>

#include <atomic>

namespace tileproof {

namespace {

std::atomic<bool> interrupted = false;  // of any thread's
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");
void interrupt(int) {
  interrupted = true;
  const char said[] = "\ninterrupted: what has been judged is reported next; once more ends it at once\n";
  if (write(STDERR_FILENO, said, sizeof said - 1) < 0) return;
}

void nothing(int) {}

void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags | SA_RESTART;  // what reads a child's output goes on reading it
  sigaction(signal, &action, nullptr);
}

}  // namespace

void report_when_interrupted() {
  for (const int signal : ending_signals) {
    struct sigaction before = {};
    sigaction(signal, nullptr, &before);
    const bool under_nohup = signal == SIGHUP && before.sa_handler == SIG_IGN;
    if (!under_nohup) handle(signal, interrupt, static_cast<int>(SA_RESETHAND));
  }
}

bool is_interrupted() { return interrupted; }

// Handlers and not SIG_IGN, which exec would hand on to every child.
void survive_failed_writes() {
  for (const int signal : {SIGPIPE, SIGXFSZ}) handle(signal, nothing, 0);
}

}  // namespace tileproof
