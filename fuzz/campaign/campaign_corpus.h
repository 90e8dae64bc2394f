/// A campaign begins by running its corpora again, and keeps in the working corpus what it has found.
#pragma once

#include "fuzz/campaign/campaign.h"
#include "fuzz/campaign/replaying.h"

namespace tileproof {

class CampaignCorpus {
 public:
  struct Limits {
    std::chrono::milliseconds case_deadline;
    std::int64_t shrink_tries;
    double shrink_seconds;
    std::function<bool()> stop;  // asked before each line: true leaves the rest
  };

  /// @throws UsageError if the folder cannot be made, and as WorkingCorpus
  CampaignCorpus(const std::filesystem::path& folder, const SelectedSubject&,
                 const std::vector<ExpectedFailure>& expected_failures, const Limits&);

  /// Runs the subject's lines of the working corpus and of the repository's again, and moves lines of the working
  /// corpus between its files as they pass or fail.
  /// @return findings, without those that the ledger expects
  std::vector<CampaignFinding> run_again(const std::vector<const Property*>& properties);
  /// How many lines ran ("replayed"), how many failed, and how many were left.
  const nlohmann::json& counts() const { return counts_; }

  void keep(const std::map<std::string, Signed>& findings);

 private:
  CampaignFinding as_seen(const Replayed&);
  CampaignFinding as_kept(const Replayed&);
  CampaignFinding as_found(const Replayed&, Worker&);

  WorkingCorpus corpus_;
  const SelectedSubject& selected_;
  const std::vector<ExpectedFailure>& expected_failures_;
  Limits limits_;
  nlohmann::json counts_ = nlohmann::json::object();
};

}  // namespace tileproof
