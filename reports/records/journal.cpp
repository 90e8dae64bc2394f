// Reads the parts of a campaign that only its journal has; if the campaign has not ended, all of it.
#include <algorithm>
#include <ctime>
#include <fstream>
#include <iomanip>
#include <set>
#include <sstream>
#include <stdexcept>

#include "reports/records/records.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

std::string utc(double seconds) {
  const auto whole = static_cast<std::time_t>(seconds);
  std::tm parts = {};
  gmtime_r(&whole, &parts);
  std::ostringstream text;
  text << std::put_time(&parts, "%Y-%m-%d %H:%M:%SZ");
  return text.str();
}

/// The first and the last batch of cases that showed a fingerprint.
struct Seen {
  std::string first, last;
};

class Journal {
 public:
  explicit Journal(Campaign& campaign) : campaign_(campaign), is_begun_(campaign.subject.empty()) {}

  /// @return the line's title, such as "run", "finding" or "end"; "test_case" for a case
  std::string take(const json& line) {
    const std::string title = line.at("type") == "test_case" ? "test_case" : line.at("title").get<std::string>();
    last_title_ = title;
    if (title == "test_case") {
      const json& metadata = line.at("metadata");
      if (metadata.contains("cell")) cells_.insert(metadata.at("cell").get<std::string>());
      return title;
    }
    const json& content = line.at("content");
    if (title == "run" && is_begun_) {
      campaign_.subject = content.at("subject");
      campaign_.seed = content.at("seed");
    }
    if (title == "end") take_end(content, line.value("time", 0.0));
    if (title == "finding" && is_begun_) take_finding(content);
    return title;
  }

  void end() {
    campaign_.cells.assign(cells_.begin(), cells_.end());
    for (CampaignFinding& finding : campaign_.findings) {
      const auto seen = seen_.find(finding.fingerprint);
      if (seen == seen_.end()) continue;
      finding.first_seen = seen->second.first;
      finding.last_seen = seen->second.last;
    }
    if (last_title_ != "stop" && !is_begun_)
      throw std::runtime_error("it goes on after campaign.json, and has no ending");
  }

 private:
  void take_end(const json& counts, double time) {
    const std::string when =
        "case " + std::to_string(counts.at("number").get<std::uint64_t>() * 64) + " or later, " + utc(time);
    for (const auto& item : counts.at("fingerprints").items()) {
      Seen& seen = seen_[item.key()];
      if (seen.first.empty()) seen.first = when;
      seen.last = when;
    }
    if (!is_begun_) return;
    for (const char* what : {"passed", "failed", "refused", "unavailable", "discarded"}) {
      campaign_.cases += counts.at(what).get<std::uint64_t>();
    }
    campaign_.elements += counts.at("elements").get<std::uint64_t>();
  }

  void take_finding(const json& content) {
    CampaignFinding finding;
    finding.fingerprint = content.at("fingerprint");
    finding.how = content.at("how");
    finding.shrunk = content.at("shrunk");
    finding.was_looked_into = content.at("looked_into");
    finding.kind = content.at("smallest").at("kind");
    finding.details = content.at("smallest").at("details");
    std::istringstream words(content.at("smallest").at("problem").get<std::string>());
    for (std::string word; words >> word;) finding.replay.push_back(word);
    std::erase_if(campaign_.findings,
                  [&](const CampaignFinding& one) { return one.fingerprint == finding.fingerprint; });
    campaign_.findings.push_back(std::move(finding));
  }

  Campaign& campaign_;
  bool is_begun_;  // true: there is no campaign.json, so all is taken from the journal
  std::set<std::string> cells_;
  std::map<std::string, Seen> seen_;
  std::string last_title_;
};

}  // namespace

void add_journal(const std::filesystem::path& file, Campaign& campaign) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw std::runtime_error("it cannot be read");
  Journal journal(campaign);
  std::size_t number = 0;
  std::string wrong, cut;
  for (std::string line; std::getline(stream, line);) {
    const std::string where = "line " + std::to_string(++number);
    if (wrong.empty()) wrong = cut;
    cut.clear();
    const json parsed = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (parsed.is_discarded() || (stream.eof() && !line.empty())) {
      cut = where + " is cut, or no JSON";
      continue;
    }
    try {
      // A line that was cut by a kill is no error if a resumed campaign's "run" line follows it.
      if (journal.take(parsed) == "run")
        wrong = wrong.starts_with("line " + std::to_string(number - 1) + " ") ? "" : wrong;
    } catch (const json::exception& error) {
      if (wrong.empty()) wrong = where + ": " + error.what();
    }
  }
  journal.end();
  if (wrong.empty()) wrong = cut;
  if (!wrong.empty()) throw std::runtime_error(wrong);
}

}  // namespace tileproof::reports
