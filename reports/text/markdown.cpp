#include <algorithm>

#include "reports/assessment/groups.h"
#include "reports/records/summary.h"
#include "reports/reports.h"

namespace tileproof::reports {

namespace {

// GitHub accepts comments of at most 65,536 characters. These limits are in bytes, of which there are never fewer than
// characters. The headline, the table, the failures, seven lists and nine "and N more" always fit together.
constexpr std::size_t table_bytes = 14'000;
constexpr std::size_t failures_bytes = 24'000;
constexpr std::size_t list_bytes = 3'200;
constexpr std::size_t details_bytes = 3'000;
constexpr std::size_t text_bytes = 400;  // most of a name or a reason; escaping may lengthen it eightfold
constexpr std::size_t headline_bytes = 8 * text_bytes + 800;  // the reason, and any numbers
constexpr std::size_t note_bytes = 50;                        // "and N more"
constexpr const char* more = " more: see summary.json\n";
static_assert(headline_bytes + table_bytes + failures_bytes + 7 * list_bytes + 9 * note_bytes <= 65'536);

/// True if the letter can be markup, or begin one of GitHub's formulas ($).
bool is_markup(char letter) { return std::string_view("\\`*_~[]|$<>&\"").find(letter) != std::string_view::npos; }

bool is_alphanumeric(char letter) {
  return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}

/// An underscore within a word is no markup. It is not escaped, so that names of properties stay legible in the source.
bool is_within_word(const std::string& text, std::size_t i) {
  return i > 0 && i + 1 < text.size() && is_alphanumeric(text[i - 1]) && is_alphanumeric(text[i + 1]);
}

}  // namespace

std::string code(std::string_view text) {
  const std::string line = one_line(shortened(text, text_bytes));
  std::string escaped;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool plain = !is_markup(line[i]) || (line[i] == '_' && is_within_word(line, i));
    escaped += plain ? std::string(1, line[i]) : "&#" + std::to_string(static_cast<int>(line[i])) + ";";
  }
  return "<code>" + escaped + "</code>";
}

namespace {

/// A code block whose fence is longer than any run of backticks in the text, so that the text cannot close it.
std::string fenced(const std::string& language, const std::string& text) {
  std::string fence = "```";
  while (text.find(fence) != std::string::npos) fence += '`';
  return fence + language + "\n" + text + (text.ends_with('\n') ? "" : "\n") + fence + "\n";
}

std::string section(const std::string& title, const std::vector<std::string>& entries, std::size_t most_bytes) {
  return entries.empty() ? "" : cut("\n### " + title + "\n", entries, most_bytes, more);
}

std::string section(const List& list) {
  std::vector<std::string> entries;
  for (const std::string& line : list.lines) entries.push_back("- " + line + "\n");
  return section(list.title, entries, list_bytes);
}

std::string headline(const Summary& summary) {
  const std::string reason = summary.reason.empty() ? "" : " (" + code(summary.reason) + ")";
  return std::string("## ") + name_of(summary.verdict) + reason + ": " + counts_text(summary) + " in " +
         in_seconds(summary.seconds) + "\n";
}

std::string cell(const Judgement* judgement) {
  if (judgement == nullptr) return " |";
  if (judgement->verdict == Verdict::skipped) return " - |";
  const std::string name = name_of(judgement->verdict);
  const std::string shown = judgement->verdict == Verdict::passed ? name : "**" + name + "**";
  return " " + shown + " " + std::to_string(judgement->cases) + " " + in_seconds(judgement->seconds) + " |";
}

std::string table_text(const Summary& summary) {
  const Table table = table_of(summary);
  if (table.subjects.empty()) return "\nNo subject ran.\n";
  std::string head = "\n| property |";
  for (const Subject* subject : table.subjects) head += " " + code(subject->name) + " |";
  head += "\n|---|";
  for (std::size_t i = 0; i < table.subjects.size(); ++i) head += "---|";
  head += "\n";
  if (head.size() > table_bytes) return "\nThe table is too wide to stand here: see summary.json\n";
  std::vector<std::string> lines;
  for (const Row& row : table.rows) {
    std::string line = "| " + code(row.property) + " |";
    for (const Judgement* judgement : row.cells) line += cell(judgement);
    lines.push_back(line + "\n");
  }
  return cut(head, lines, table_bytes, more);
}

std::string property_on_subject(const Judgement& judgement) {
  return code(judgement.property) + " on " + code(judgement.subject);
}

std::string failure_text(const Failure& failure) {
  const Finding& finding = failure.finding;
  const std::string kind = finding.kind.empty() ? "" : code(finding.kind) + " ";
  std::string text =
      "\n**FAILED** " + property_on_subject(*failure.judgement) + ": " + kind + how_found(failure) + "\n\n";
  text += fenced("text", visible(shortened(finding.details, details_bytes)));
  if (!finding.replay.empty()) text += "\n" + fenced("sh", replay_command(finding.replay));
  return text;
}

std::string failures(const Summary& summary) {
  std::vector<std::string> entries;
  for (const Failure& failure : failures_of(summary)) entries.push_back(failure_text(failure));
  return section("FAILED", entries, failures_bytes);
}

List mistrusted(const Summary& summary) {
  List list = {"MISTRUSTED", {}};
  for (const Judgement* judgement : with_verdict(summary, Verdict::mistrusted)) {
    list.lines.push_back(property_on_subject(*judgement) + ": " + code(judgement->reason));
  }
  return list;
}

List provenance(const Summary& summary) {
  const Machine& machine = summary.machine;
  return {"Provenance",
          {"output hash: " + code(summary.output_hash),
           "seed " + code(summary.seed) + ", " + counted(summary.cases_per_property, "case") + " a property",
           "command: " + code(summary.command) + " of " + code(summary.tool) + ", exit code " +
               std::to_string(summary.exit_code),
           "start: " + code(summary.run_start), "compiler: " + code(machine.compiler), "CPU: " + code(machine.cpu),
           "GPU: " + (machine.gpu.empty() ? "none" : code(machine.gpu))}};
}

}  // namespace

std::string markdown(const nlohmann::json& json) {
  const Summary summary = read(json);
  std::string text = headline(summary) + table_text(summary) + failures(summary);
  for (const List& list : {mistrusted(summary), list_of_known(summary, code, true), list_of_not_run(summary, code),
                           list_of_skipped(summary, code), list_of_refused(summary, code),
                           list_of_explained(summary, code), provenance(summary)}) {
    text += section(list);
  }
  return text;
}

}  // namespace tileproof::reports
