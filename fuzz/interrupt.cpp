#include "interrupt.h"

#include <signal.h>
#include <unistd.h>

namespace tileproof {

namespace {

volatile sig_atomic_t interrupted = 0;
void interrupt(int) {
  interrupted = 1;
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

bool is_interrupted() { return interrupted != 0; }

}  // namespace tileproof
