#include "fuzz/process/screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

namespace tileproof {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

bool takes_escapes(int descriptor) {
  const std::string terminal = variable("TERM");
  return variable("NO_COLOR").empty() && !terminal.empty() && terminal != "dumb" && isatty(descriptor) != 0;
}

int columns_of(int descriptor, int otherwise) {
  constexpr long most = 10000;
  const long wanted = std::strtol(variable("COLUMNS").c_str(), nullptr, 10);
  if (wanted > 0 && wanted <= most) return static_cast<int>(wanted);
  winsize size = {};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : otherwise;
}

bool has_lost_its_reader(int descriptor) {
  pollfd stream = {descriptor, POLLOUT, 0};
  return poll(&stream, 1, 0) == 1 && (stream.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace tileproof
