// Prints a run of proofs, for the terminal and as Markdown.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "reports/field.h"
#include "reports/reports.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

/// Says how much of its domain a proof has looked at; for MISTRUSTED and SKIPPED, the reason. Only PROVED says "all".
std::string extent(const json& proof) {
  const std::uint64_t points = proof.at("points");
  const std::uint64_t done = proof.at("points_done");
  const std::string verdict = proof.at("verdict");
  const std::string point = shown(proof, "point");
  if (verdict == "PROVED") return "all " + with_commas(points) + " " + point;
  if (verdict == "SAMPLED") {
    return with_commas(done) + " of " + with_commas(points) + " " + point + " (" + percent(done, points) + "), " +
           shown(proof, "order") + ": " + shown(proof, "reason");
  }
  if (verdict == "FAILED") return "after " + with_commas(done) + " of " + with_commas(points) + " " + point;
  return shown(proof, "reason");
}

std::string coloured(const std::string& verdict, bool colours) {
  const Colour colour = verdict == "PROVED"                              ? Colour::green
                        : verdict == "FAILED" || verdict == "MISTRUSTED" ? Colour::red
                                                                         : Colour::yellow;
  return painted(colour, padded(verdict, 10), colours);
}

std::string number_text(double value) {
  std::ostringstream text;
  text.precision(6);
  text << value;
  return text.str();
}

}  // namespace

std::string proofs_plan(const json& proofs) {
  std::ostringstream text;
  double seconds = 0;
  std::size_t without = 0;
  text << "to enumerate:\n";
  for (const json& proof : proofs.at("proofs")) {
    if (proof.at("steps").get<std::int64_t>() == 0) continue;
    text << "  " << shown(proof, "subject") << "  " << shown(proof, "property") << "\n      "
         << with_commas(proof.at("points")) << " " << shown(proof, "point") << ", ";
    const json& estimated = proof.at("estimated_seconds");
    text << (!proof.at("finding").is_null() ? "fails"
             : estimated.is_null()          ? "not estimated"
                                            : "about " + lasting_in_short(estimated))
         << "\n";
    seconds += estimated.is_null() ? 0 : estimated.get<double>();
    without += estimated.is_null() ? 1 : 0;
  }
  const double budget = proofs.at("budget_seconds");
  text << (without == 0 ? "all of it" : "what is estimated") << " takes about " << lasting_in_short(seconds) << " here";
  if (without != 0) text << ", without the " << without << " that were not estimated";
  text << "; the budget is " << (budget == 0 ? std::string("not limited") : lasting_in_short(budget));
  if (budget != 0 && (seconds > budget || without != 0)) text << ", so that some of it will be a sample";
  text << "\n\n";
  return text.str();
}

std::string proof_line(const json& proof, bool colours) {
  std::ostringstream text;
  text << coloured(proof.at("verdict"), colours) << " " << shown(proof, "subject") << "  " << shown(proof, "property")
       << "  " << lasting_in_short(proof.at("seconds")) << "\n           " << extent(proof) << "\n";
  for (const auto& [reason, elements] : proof.at("explained").items()) {
    text << "           explained: " << with_commas(elements) << " " << visible(reason) << "\n";
  }
  for (const json& measure : proof.at("measures")) {
    text << "           " << shown(measure, "name") << ": " << number_text(measure.at("value")) << " at "
         << shown(measure, "where") << "\n";
  }
  if (!proof.at("finding").is_null()) {
    const json& finding = proof.at("finding");
    std::istringstream lines(
        visible(finding.at("kind").get<std::string>() + ": " + finding.at("details").get<std::string>()));
    for (std::string line; std::getline(lines, line);) text << "           " << line << "\n";
    if (const std::string shrunk = visible(finding.value("shrunk", "")); !shrunk.empty()) {
      text << "           shrunk " << shrunk << "\n";
    }
    text << "  " << replay_command(finding.at("replay").get<std::vector<std::string>>()) << "\n";
  }
  return text.str();
}

std::string proofs_end(const json& proofs, bool colours) {
  std::map<std::string, int> count;
  for (const json& proof : proofs.at("proofs")) ++count[proof.at("verdict").get<std::string>()];
  std::vector<std::string> counts;
  for (const char* verdict : {"PROVED", "SAMPLED", "FAILED", "MISTRUSTED", "SKIPPED"}) {
    if (count[verdict] != 0) counts.push_back(std::to_string(count[verdict]) + " " + verdict);
  }
  const int exit = proofs.at("exit_code");
  const Colour colour = exit != 0 ? Colour::red : count["SAMPLED"] != 0 ? Colour::yellow : Colour::green;
  const std::string reason = shown(proofs, "reason");
  return "\n" +
         painted(colour,
                 exit == 1                                       ? "FAILED"
                 : exit != 0                                     ? "MISTRUSTED"
                 : count["SAMPLED"] != 0                         ? "SAMPLED"
                 : count["PROVED"] != 0 && count["SKIPPED"] == 0 ? "PROVED"
                                                                 : "DONE",
                 colours) +
         (counts.empty() ? "" : ": " + joined(counts, ", ")) + " in " + lasting_in_short(proofs.at("seconds")) +
         (reason.empty() ? "" : "; " + reason) + "\n";
}

std::string proofs_markdown(const json& proofs) {
  std::ostringstream text;
  const std::string end = proofs_end(proofs, false);
  text << "# tileproof: proofs\n\n"
       << code(end.substr(1, end.size() - 2)) << "\n\n"
       << code("tileproof " + shown(proofs, "command"))
       << "\n\n| verdict | subject | property | looked at | time |\n|---|---|---|---|---|\n";
  for (const json& proof : proofs.at("proofs")) {
    text << "| " << shown(proof, "verdict") << " | " << code(shown(proof, "subject")) << " | "
         << code(shown(proof, "property")) << " | " << code(extent(proof)) << " | "
         << lasting_in_short(proof.at("seconds")) << " |\n";
  }
  for (const json& row : proofs.value("sanitizers", json::array())) {
    text << "| " << shown(row, "verdict") << " | | " << code("sanitizers/" + shown(row, "tool")) << " | "
         << code(shown(row, "reason")) << " | |\n";
  }
  return text.str();
}

}  // namespace tileproof::reports
