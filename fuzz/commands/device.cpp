// tileproof device: the GPU of this machine as JSON, null where there is none. For provenance, of which a process that
// must survive its GPU asks another one.
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
  } catch (const SubjectError& error) {  // of a device that is lost: whoever runs on it will say so
    return {{"name", ""}, {"error", error.what()}};
  }
}

}  // namespace

std::function<int()> set_up_device(CLI::App& app) {
  app.group("");  // not for people: not in --help
  return [] {
    std::cout << dumped(device()) << "\n";
    return exit_code::passed;
  };
}

}  // namespace tileproof
