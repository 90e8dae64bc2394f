/// What a hunt does with corpora: it begins by running them again, and keeps what it has found.
#pragma once

#include "climbing.h"
#include "hunt.h"
#include "replaying.h"

namespace tileproof {

class CorpusOfHunt {
 public:
  /// @throws Illegal as WorkingCorpus
  explicit CorpusOfHunt(const std::filesystem::path& folder) : corpus_(folder) {}

  /// Runs again what the working corpus and the repository's have of a subject, and moves what fails no more, or again.
  /// @return what fails, but for what is known
  std::vector<HuntFinding> run_again(const ChosenSubject&, const std::vector<const Claim*>& claims,
                                     std::chrono::milliseconds deadline, const std::vector<KnownFinding>& ledger,
                                     const std::function<bool()>& stop);
  /// How many were, and how many failed.
  const nlohmann::json& counts() const { return counts_; }

  void keep(const std::map<std::string, Signed>& findings, const ClosestOfClaims& closest);

 private:
  void take(const Replayed& one, bool is_kept, const std::vector<KnownFinding>& ledger,
            std::vector<HuntFinding>& failing);

  WorkingCorpus corpus_;
  ClosestOfClaims closest_;
  nlohmann::json counts_ = nlohmann::json::object();
};

}  // namespace tileproof
