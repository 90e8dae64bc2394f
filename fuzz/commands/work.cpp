// tileproof work: the program of a worker process. The parent process starts it with a socket on descriptor 3.
#include <CLI/CLI.hpp>

#include <sys/socket.h>

#include <iostream>

#include "fuzz/commands/commands.h"
#include "fuzz/process/worker.h"

namespace tileproof {

std::function<int()> set_up_work(CLI::App& app) {
  app.group("");  // internal: hidden from --help
  return [] {
    constexpr int socket = 3;
    int type = 0;
    socklen_t size = sizeof type;
    if (getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
      std::cerr << "tileproof: 'work' is started by 'verify' and 'replay', not by hand\n";
      return exit_code::wrong_usage;
    }
    return work(socket);
  };
}

}  // namespace tileproof
