// Prints a run of proofs, for the terminal and as Markdown.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "reports/records/summary.h"
#include "reports/reports.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

std::string field(const json& value, const char* name) { return visible(value.at(name).get<std::string>()); }

/// Says how much of its domain a proof has looked at; for MISTRUSTED and SKIPPED, the reason. Only PROVED says "all".
std::string extent(const json& proof) {
  const std::uint64_t points = proof.at("points");
  const std::uint64_t done = proof.at("points_done");
  const std::string verdict = proof.at("verdict");
  const std::string point = field(proof, "point");
  if (verdict == "PROVED") return "all " + with_commas(points) + " " + point;
  if (verdict == "SAMPLED") {
    return with_commas(done) + " of " + with_commas(points) + " " + point + " (" + percent(done, points) + "), " +
           field(proof, "order") + ": " + field(proof, "reason");
  }
  if (verdict == "FAILED") return "after " + with_commas(done) + " of " + with_commas(points) + " " + point;
  return field(proof, "reason");
}

const char* colour_of_proof(const std::string& verdict) {
  if (verdict == "PROVED") return "\033[32m";
  if (verdict == "FAILED" || verdict == "MISTRUSTED") return "\033[31m";
  return "\033[33m";
}

std::string coloured(const std::string& verdict, bool colours) {
  const std::string text = padded(verdict, 10);
  return colours ? colour_of_proof(verdict) + text + "\033[0m" : text;
}

std::string number_text(double value) {
  std::ostringstream text;
  text.precision(6);
  text << value;
  return text.str();
}

std::string counts(const json& proofs) {
  std::map<std::string, int> count;
  for (const json& proof : proofs.at("proofs")) ++count[proof.at("verdict").get<std::string>()];
  std::string text;
  for (const char* verdict : {"PROVED", "SAMPLED", "FAILED", "MISTRUSTED", "SKIPPED"}) {
    if (count[verdict] == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(count[verdict]) + " " + verdict;
  }
  return text;
}

bool holds_a_sample(const json& proofs) {
  return std::any_of(proofs.at("proofs").begin(), proofs.at("proofs").end(),
                     [](const json& proof) { return proof.at("verdict") == "SAMPLED"; });
}

}  // namespace

std::string proofs_plan(const json& proofs) {
  std::ostringstream text;
  double seconds = 0;
  text << "to enumerate:\n";
  for (const json& proof : proofs.at("proofs")) {
    if (proof.at("steps").get<std::int64_t>() == 0) continue;
    text << "  " << field(proof, "subject") << "  " << field(proof, "property") << "\n      "
         << with_commas(proof.at("points")) << " " << field(proof, "point") << ", about "
         << lasting_in_short(proof.at("estimated_seconds")) << "\n";
    seconds += proof.at("estimated_seconds").get<double>();
  }
  const double budget = proofs.at("budget_seconds");
  text << "all of it takes about " << lasting_in_short(seconds) << " here; the budget is "
       << (budget == 0 ? std::string("not limited") : lasting_in_short(budget));
  if (budget != 0 && seconds > budget) text << ", so that some of it will be a sample";
  text << "\n\n";
  return text.str();
}

std::string proof_line(const json& proof, bool colours) {
  std::ostringstream text;
  text << coloured(proof.at("verdict"), colours) << " " << field(proof, "subject") << "  " << field(proof, "property")
       << "  " << lasting_in_short(proof.at("seconds")) << "\n           " << extent(proof) << "\n";
  for (const auto& [reason, elements] : proof.at("explained").items()) {
    text << "           explained: " << with_commas(elements) << " " << visible(reason) << "\n";
  }
  for (const json& measure : proof.at("measures")) {
    text << "           " << field(measure, "name") << ": " << number_text(measure.at("value")) << " at "
         << field(measure, "where") << "\n";
  }
  if (!proof.at("finding").is_null()) {
    const json& finding = proof.at("finding");
    std::istringstream lines(
        visible(finding.at("kind").get<std::string>() + ": " + finding.at("details").get<std::string>()));
    for (std::string line; std::getline(lines, line);) text << "           " << line << "\n";
    text << "  " << replay_command(finding.at("replay").get<std::vector<std::string>>()) << "\n";
  }
  return text.str();
}

std::string proofs_end(const json& proofs, bool colours) {
  const int exit = proofs.at("exit_code");
  const std::string verdict = exit == 0 ? "DONE" : exit == 1 ? "FAILED" : "MISTRUSTED";
  const std::string shown = colours ? (exit != 0                ? "\033[31m"
                                       : holds_a_sample(proofs) ? "\033[33m"
                                                                : "\033[32m") +
                                          verdict + "\033[0m"
                                    : verdict;
  const std::string reason = field(proofs, "reason");
  const std::string counted = counts(proofs);
  return "\n" + shown + (counted.empty() ? "" : ": " + counted) + " in " + lasting_in_short(proofs.at("seconds")) +
         (reason.empty() ? "" : "; " + reason) + "\n";
}

std::string proofs_markdown(const json& proofs) {
  std::ostringstream text;
  const std::string end = proofs_end(proofs, false);
  text << "# tileproof: proofs\n\n"
       << code(end.substr(1, end.size() - 2)) << "\n\n"
       << code("tileproof " + field(proofs, "command"))
       << "\n\n| verdict | subject | property | looked at | time |\n|---|---|---|---|---|\n";
  for (const json& proof : proofs.at("proofs")) {
    text << "| " << field(proof, "verdict") << " | " << code(field(proof, "subject")) << " | "
         << code(field(proof, "property")) << " | " << code(extent(proof)) << " | "
         << lasting_in_short(proof.at("seconds")) << " |\n";
  }
  for (const json& row : proofs.value("sanitizers", json::array())) {
    text << "| " << field(row, "verdict") << " | | " << code("sanitizers/" + field(row, "tool")) << " | "
         << code(field(row, "reason")) << " | |\n";
  }
  return text.str();
}

}  // namespace tileproof::reports
