/// A campaign begins by running its corpora again, and keeps in the working corpus what it has found.
#pragma once

#include "fuzz/campaign/campaign.h"
#include "fuzz/corpus/corpus.h"

namespace tileproof {

class CampaignCorpus {
 public:
  /// @param stop  asked before each line: true leaves the rest
  /// @throws UsageError if the folder cannot be made, and as WorkingCorpus
  CampaignCorpus(const std::filesystem::path& folder, const SelectedSubject&,
                 const std::vector<ExpectedFailure>& expected_failures, const CampaignOptions&,
                 const std::function<bool()>& stop);

  /// Runs the subject's lines of the working corpus and of the repository's again, and moves lines of the working
  /// corpus between its files as they pass or fail.
  /// @return findings, without those that the ledger expects
  std::vector<CampaignFinding> run_again(const std::vector<const Property*>& properties);
  /// How many lines ran ("replayed"), how many failed, and how many were left.
  const nlohmann::json& counts() const { return counts_; }

  void keep(const std::map<std::string, Signed>& findings);

 private:
  void look_into(const CorpusLine&, bool is_kept, Worker& fresh, CampaignFinding& found);
  void keep(const CampaignFinding&, const std::string& comment);

  WorkingCorpus corpus_;
  const SelectedSubject& selected_;
  const std::vector<ExpectedFailure>& expected_failures_;
  CampaignOptions options_;
  std::function<bool()> stop_;
  nlohmann::json counts_ = nlohmann::json::object();
};

}  // namespace tileproof
