// What a hunt is told as, next to the prompt.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "field.h"
#include "reports.h"
#include "summary.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string percent(double share) {
  std::ostringstream text;
  text.precision(share < 0.01 ? 2 : 3);
  text << 100 * share << " %";
  return text.str();
}

const char* colour_of(const std::string& verdict) {
  return verdict == "PASSED" ? "\x1b[32m" : verdict == "FAILED" ? "\x1b[31m" : "\x1b[33m";
}

}  // namespace

std::string hunt_page(const json& hunt, bool colours) {
  std::ostringstream text;
  // A card for what was looked into; of the same claims and kinds with other types or layouts, a line.
  std::vector<std::string> others;
  for (const json& finding : hunt.at("findings")) {
    const std::uint64_t of_cases = finding.at("cases");
    const std::string signature = visible(finding.at("signature").get<std::string>());
    const std::string how_often = grouped(of_cases) + (of_cases == 1 ? " case" : " cases");
    if (!finding.at("looked_into").get<bool>()) {
      others.push_back(signature + ", " + how_often);
      continue;
    }
    text << "\nFOUND " << signature << "\n  " << how_often << "; " << visible(finding.at("how").get<std::string>())
         << "; " << visible(finding.at("shrunk").get<std::string>()) << "\n  "
         << visible(finding.at("kind").get<std::string>()) << ": " << visible(finding.at("details").get<std::string>())
         << "\n  " << replay_command(finding.at("replay")) << "\n";
  }
  constexpr std::size_t most_others = 10;
  if (!others.empty()) text << "\nand of the same claims and kinds:\n";
  for (std::size_t i = 0; i < std::min(others.size(), most_others); ++i) text << "  " << others[i] << "\n";
  if (others.size() > most_others) text << "  and " << others.size() - most_others << " more, in hunt.json\n";
  for (const auto& [id, cases] : hunt.at("known").items()) {
    text << "known: " << visible(id) << ", in " << grouped(cases) << " cases\n";
  }
  const json& counts = hunt.at("counts");
  const json& cells = hunt.at("cells");
  const double seconds = hunt.at("seconds");
  const std::uint64_t cases = hunt.at("cases");
  const auto share = [&](const char* what) {
    return counts.at(what) == 0 ? "" : ", " + grouped(counts.at(what)) + " " + what;
  };
  text << "\n"
       << grouped(cases) << " cases of " << visible(hunt.at("subject").get<std::string>()) << ": "
       << grouped(counts.at("passed")) << " passed" << share("failed") << share("refused") << share("unavailable")
       << share("discarded") << "; " << grouped(counts.at("elements")) << " elements compared\n";
  text << grouped(cells.at("hit")) << " of " << grouped(cells.at("reachable")) << " cells hit";
  if (cells.at("reachable") != 0) {
    text << " (" << percent(cells.at("hit").get<double>() / cells.at("reachable").get<double>()) << ")";
  }
  text << "; the next case is in a new one with a chance of "
       << percent(hunt.at("chance_that_the_next_is_new").get<double>()) << " (Good-Turing)\n";
  if (seconds > 0) {
    text << static_cast<std::uint64_t>(static_cast<double>(cases) / seconds) << " cases a second";
    text << "; in cases " << percent(counts.at("seconds").get<double>() / seconds)
         << " of the time, summed over workers\n";
  }
  for (const json& claim : hunt.at("never_asked")) {
    text << "never asked, as each case was refused or lacked something here: " << visible(claim.get<std::string>())
         << "\n";
  }
  if (hunt.at("lost_workers") != 0) text << grouped(hunt.at("lost_workers")) << " worker processes were lost\n";
  if (const json& corpus = hunt.at("corpus"); corpus.value("replayed", 0) != 0) {
    text << grouped(corpus.at("replayed")) << " problems of the corpus were run again; "
         << grouped(corpus.at("failed")) << " fail\n";
  }
  for (const json& one : hunt.at("planted")) {
    if (!one.at("found").get<bool>()) text << "planted and not found: " << one.at("fault").get<std::string>() << "\n";
  }
  const std::string verdict = hunt.at("verdict");
  const std::string reason = hunt.at("reason");
  text << (colours ? colour_of(verdict) : "") << verdict << (colours ? "\x1b[0m" : "") << ": "
       << (reason.empty() ? "" : visible(reason) + "; ") << hunt.at("findings").size()
       << (hunt.at("findings").size() == 1 ? " finding" : " findings") << "; it ended because "
       << visible(hunt.at("why_it_ended").get<std::string>()) << "\n";
  return text.str();
}

}  // namespace tileproof::reports
