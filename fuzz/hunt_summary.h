/// What a hunt has come to, as JSON: hunt.json, which reports/ reads.
#pragma once

#include <nlohmann/json.hpp>

#include "hunt.h"

namespace tileproof {

struct HuntFacts {
  HuntIdentity identity;
  std::string command;
  std::string why;  // it ended
  std::map<std::uint64_t, BatchCounts> done;
  std::map<std::string, Signed> findings;
  nlohmann::json planted;
  bool finds_what_is_planted = false;
  std::int64_t lost_workers = 0;
  bool machine_is_at_fault = false;
  double seconds = 0;
};

/// Verdict, exit code and figures. Everything but times depends on the cases alone that were run.
/// @param list  of the hunt, or of the shards together
nlohmann::json hunt_summary(const HuntFacts&, const CaseList& list);

}  // namespace tileproof
