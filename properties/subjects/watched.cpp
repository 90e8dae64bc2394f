#include "properties/subjects/watched.h"

#include "properties/subjects/rows.h"

namespace tileproof {

const std::vector<Plant>& plants() {
  static const std::vector<Plant> rows = {
      {"memcheck", "watched:reads-past-the-end", "canary_read_past_the_end", "a read one byte past an input's end"},
      {"initcheck", "watched:reads-unwritten", "canary_read_of_unwritten", "a read of an output before it is written"},
      {"racecheck", "watched:races", "canary_race", "two warps that store to one word of shared memory"},
      {"synccheck", "watched:diverged-barrier", "canary_diverged_barrier", "a barrier that half a warp does not reach"},
  };
  return rows;
}

const std::vector<SubjectRow>& watched_subjects() {
  static const std::vector<SubjectRow> rows = [] {
    std::vector<SubjectRow> all = {{"watched:cuda", "the production kernels, each tensor in an allocation of its own",
                                    true, production_capabilities(), [] { return make_watched_cuda_subject(""); }}};
    for (const Plant& plant : plants()) {
      all.push_back({plant.subject, std::string("the same with ") + plant.what, true, production_capabilities(),
                     [&plant] { return make_watched_cuda_subject(plant.kernel); }});
    }
    return all;
  }();
  return rows;
}

}  // namespace tileproof
