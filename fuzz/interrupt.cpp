#include "interrupt.h"

#include <signal.h>
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

}  // namespace

void report_when_interrupted() {
  struct sigaction action = {};
  action.sa_handler = interrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool is_interrupted() { return interrupted; }

}  // namespace tileproof
