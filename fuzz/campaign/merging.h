/// What shards of a hunt have come to together, from their journals: what one hunt would have, that ran their cases.
#pragma once

#include <string>
#include <vector>

#include "fuzz/campaign/hunt_summary.h"

namespace tileproof {

struct HuntOfFolders {
  HuntFacts facts;
  std::string begun;  // the first of them: 2026-11-22T15:50:00Z
  /// The cases of which they ran a part.
  CaseList list() const;
};

/// @throws Illegal where a folder's journal cannot be read, or they are not shards of one hunt
HuntOfFolders hunt_of_folders(const std::vector<std::string>& folders);

}  // namespace tileproof
