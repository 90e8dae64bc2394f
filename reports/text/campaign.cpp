// Prints a campaign's result, and a history, for the terminal.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "reports/field.h"
#include "reports/reports.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

std::string in_percent(double share) {
  std::ostringstream text;
  text.precision(share < 0.01 ? 2 : 3);
  text << 100 * share << " %";
  return text.str();
}

std::string seconds_text(double seconds) { return fixed(seconds, seconds < 10 ? 1 : 0) + " s"; }

}  // namespace

std::string campaign_page(const json& campaign, bool colours) {
  std::ostringstream text;
  // A finding that was looked into gets several lines. One of the same property and kind with another type or layout
  // gets one line.
  std::vector<std::string> others;
  for (const json& finding : campaign.at("findings")) {
    const std::uint64_t of_cases = finding.at("cases");
    const std::string fingerprint = shown(finding, "fingerprint");
    const std::string how_often = with_commas(of_cases) + (of_cases == 1 ? " case" : " cases");
    if (!finding.at("looked_into").get<bool>()) {
      others.push_back(fingerprint + ", " + how_often);
      continue;
    }
    text << "\nFOUND " << fingerprint << "\n  ";
    if (finding.contains("seen") && finding["seen"].at("runs") != 1) {
      const json& seen = finding["seen"];
      text << "seen in " << with_commas(seen.at("runs")) << " of " << with_commas(seen.at("of_runs"))
           << " campaigns since " << shown(seen, "first") << "; ";
    }
    text << how_often << "; " << shown(finding, "how") << "; " << shown(finding, "shrunk") << "\n  "
         << shown(finding, "kind") << ": " << shown(finding, "details") << "\n  "
         << replay_command(finding.at("replay")) << "\n";
  }
  constexpr std::size_t most_others = 10;
  if (!others.empty()) text << "\nand of the same properties and kinds:\n";
  for (std::size_t i = 0; i < std::min(others.size(), most_others); ++i) text << "  " << others[i] << "\n";
  if (others.size() > most_others) text << "  and " << others.size() - most_others << " more, in campaign.json\n";
  for (const auto& [id, cases] : campaign.at("known").items()) {
    text << "known: " << visible(id) << ", in " << with_commas(cases) << " cases\n";
  }
  const json& counts = campaign.at("counts");
  const json& cells = campaign.at("cells");
  const double seconds = campaign.at("seconds");
  const std::uint64_t cases = campaign.at("cases");
  const auto share = [&](const char* what) {
    return counts.at(what) == 0 ? "" : ", " + with_commas(counts.at(what)) + " " + what;
  };
  text << "\n"
       << with_commas(cases) << " cases of " << shown(campaign, "subject") << ": " << with_commas(counts.at("passed"))
       << " passed" << share("failed") << share("refused") << share("unavailable") << share("discarded") << "; "
       << with_commas(counts.at("elements")) << " elements compared\n";
  text << with_commas(cells.at("hit")) << " of " << with_commas(cells.at("reachable")) << " cells hit";
  if (cells.at("reachable") != 0) {
    text << " (" << in_percent(cells.at("hit").get<double>() / cells.at("reachable").get<double>()) << ")";
  }
  text << "; the next case is in a new one with a chance of "
       << in_percent(campaign.at("chance_that_the_next_is_new").get<double>()) << " (Good-Turing)\n";
  if (seconds > 0) {
    text << static_cast<std::uint64_t>(static_cast<double>(cases) / seconds) << " cases a second";
    text << "; workers were in cases for " << seconds_text(counts.at("seconds"));
    const json& of_workers = campaign.at("seconds_of_workers");
    text << ", started processes for " << seconds_text(of_workers.at("processes")) << ", looked into findings for "
         << seconds_text(of_workers.at("findings"));
    for (const auto& [what, took] : campaign.at("seconds_before").items()) {
      text << "; " << what << " before it: " << seconds_text(took);
    }
    text << "\n";
  }
  for (const json& property : campaign.at("never_asked")) {
    text << "never asked, as each case was refused or lacked something here: " << visible(property.get<std::string>())
         << "\n";
  }
  if (campaign.at("lost_workers") != 0)
    text << with_commas(campaign.at("lost_workers")) << " worker processes were lost\n";
  if (const json& corpus = campaign.at("corpus"); corpus.value("replayed", 0) != 0) {
    text << "of the corpus " << with_commas(corpus.at("replayed")) << " run again, " << with_commas(corpus.at("failed"))
         << " failed\n";
  }
  for (const json& one : campaign.at("planted")) {
    if (!one.at("found").get<bool>()) text << "planted and not found: " << one.at("mutant").get<std::string>() << "\n";
  }
  const std::string verdict = campaign.at("verdict");
  const std::string reason = campaign.at("reason");
  const Colour colour = verdict == "PASSED" ? Colour::green : verdict == "FAILED" ? Colour::red : Colour::yellow;
  text << painted(colour, verdict, colours) << ": " << (reason.empty() ? "" : visible(reason) + "; ")
       << counted(campaign.at("findings").size(), "finding") << "; it ended because " << shown(campaign, "why_it_ended")
       << "\n";
  return text.str();
}

std::string history_page(const json& history) {
  std::ostringstream text;
  for (const json& run : history.at("runs")) {
    const std::uint64_t findings = run.at("findings");
    text << shown(run, "begun") << "  " << padded(shown(run, "kind"), 6) << "  " << padded(shown(run, "verdict"), 10)
         << "  " << padded(seconds_text(run.at("seconds")), 8) << "  "
         << padded(findings == 0 ? "" : with_commas(findings) + (findings == 1 ? " finding" : " findings"), 12) << "  "
         << shown(run, "subject") << "  " << shown(run, "folder") << "\n";
  }
  for (const json& seen : history.at("findings")) {
    text << "\n"
         << shown(seen, "fingerprint") << "\n  in " << with_commas(seen.at("runs")) << " of "
         << with_commas(seen.at("of_runs")) << " campaigns, " << with_commas(seen.at("cases")) << " cases; first "
         << shown(seen, "first") << ", last " << shown(seen, "last") << "\n  " << shown(seen, "problem") << "\n";
  }
  text << "\n"
       << counted(history.at("runs").size(), "run") << " and " << counted(history.at("findings").size(), "finding")
       << " in " << shown(history, "file") << "\n";
  return text.str();
}

}  // namespace tileproof::reports
