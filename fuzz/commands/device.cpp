// tileproof device: prints the GPU of this machine as JSON, or null if there is none. Another process asks it for
// provenance, so that a broken GPU cannot end that process.
#include <CLI/CLI.hpp>

#include <iostream>

#include "fuzz/commands/commands.h"
#include "fuzz/records/protocol.h"
#include "properties/subjects/cuda_device.h"
#include "properties/subjects/subject.h"

namespace tileproof {

namespace {

nlohmann::json device() {
  try {
    const std::map<std::string, std::string> facts = cuda_device();
    return facts.empty() ? nlohmann::json(nullptr) : nlohmann::json(facts);
  } catch (const SubjectError& error) {  // the device is lost: commands that run on it report that
    return {{"name", ""}, {"error", error.what()}};
  }
}

}  // namespace

std::function<int()> set_up_device(CLI::App& app) {
  app.group("");  // internal: hidden from --help
  return [] {
    std::cout << dumped(device()) << "\n";
    return exit_code::passed;
  };
}

}  // namespace tileproof
