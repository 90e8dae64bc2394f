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

std::string code(const std::string& text) {
  const std::string line = one_line(shortened(text, text_bytes));
  std::string escaped;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool plain = !is_markup(line[i]) || (line[i] == '_' && is_within_word(line, i));
    escaped += plain ? std::string(1, line[i]) : "&#" + std::to_string(static_cast<int>(line[i])) + ";";
  }
  return "<code>" + escaped + "</code>";
}

namespace {

std::size_t longest_run_of_backticks(const std::string& text) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char letter : text) {
    run = letter == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

/// A code block whose fence is longer than any run of backticks in the text, so that the text cannot close it.
std::string fenced(const std::string& language, const std::string& text) {
  const std::string fence(std::max<std::size_t>(3, longest_run_of_backticks(text) + 1), '`');
  return fence + language + "\n" + text + (text.ends_with('\n') ? "" : "\n") + fence + "\n";
}

/// The head, then the entries that fit into `most_bytes`, then the number of those left out.
std::string cut(const std::string& head, const std::vector<std::string>& entries, std::size_t most_bytes) {
  std::string text = head;
  std::size_t left_out = 0;
  for (const std::string& entry : entries) {
    if (text.size() + entry.size() <= most_bytes) {
      text += entry;
    } else {
      ++left_out;
    }
  }
  if (left_out != 0) text += "\nand " + std::to_string(left_out) + " more: see summary.json\n";
  return text;
}

std::string section(const std::string& title, const std::vector<std::string>& entries, std::size_t most_bytes) {
  return entries.empty() ? "" : cut("\n### " + title + "\n", entries, most_bytes);
}

template <class Entry, class EntryText>
std::string list(const std::string& title, const std::vector<Entry>& entries, EntryText entry_text) {
  std::vector<std::string> lines;
  for (const Entry& entry : entries) lines.push_back("- " + entry_text(entry) + "\n");
  return section(title, lines, list_bytes);
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
  return cut(head, lines, table_bytes);
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

std::string mistrusted(const Summary& summary) {
  return list("MISTRUSTED", with_verdict(summary, Verdict::mistrusted), [](const Judgement* judgement) {
    return property_on_subject(*judgement) + ": " + code(judgement->reason);
  });
}

std::string known(const Summary& summary) {
  return list("Known findings, which are not failures of this run", known_failures(summary),
              [](const KnownFailure& failure) {
                return code(failure.judgement->subject) + ": " + code(failure.finding->id) + ": " +
                       code(failure.finding->what) + " (since " + code(failure.finding->since) + ", expires " +
                       code(failure.finding->expires) + ", " + counted(failure.finding->cases, "case") + " in " +
                       code(failure.judgement->property) + ")";
              });
}

std::string not_run(const Summary& summary) {
  return list("Did not run", subjects_not_run(summary), [](const Group& group) {
    const std::string properties = group.count == 0 ? "" : " (" + counted(group.count, "property") + " SKIPPED)";
    return code(group.subject) + ": " + code(group.reason) + properties;
  });
}

std::string skipped(const Summary& summary) {
  return list("Skipped", properties_skipped(summary), [](const Group& group) {
    return code(group.subject) + ": " + counted(group.count, "property") + " SKIPPED: " + code(group.reason);
  });
}

std::string refused(const Summary& summary) {
  return list("Refused with an error", refusals_of(summary), [](const Refusals& refusals) {
    return code(refusals.subject) + ": " + counted(refusals.cases, "case") + " in " +
           counted(refusals.properties, "property") + ", such as in " + code(refusals.property) + ": " +
           code(refusals.message);
  });
}

std::string explained(const Summary& summary) {
  return list("Explained differences, which are not failures", elements_explained(summary), [](const Group& group) {
    return code(group.subject) + ": " + counted(group.count, "element") + ": " + code(group.reason);
  });
}

std::string provenance(const Summary& summary) {
  const Machine& machine = summary.machine;
  return section(
      "Provenance",
      {"- output hash: " + code(summary.output_hash) + "\n",
       "- seed " + code(summary.seed) + ", " + counted(summary.cases_per_property, "case") + " a property\n",
       "- command: " + code(summary.command) + " of " + code(summary.tool) + ", exit code " +
           std::to_string(summary.exit_code) + "\n",
       "- start: " + code(summary.run_start) + "\n", "- compiler: " + code(machine.compiler) + "\n",
       "- CPU: " + code(machine.cpu) + "\n", "- GPU: " + (machine.gpu.empty() ? "none" : code(machine.gpu)) + "\n"},
      list_bytes);
}

}  // namespace

std::string markdown(const nlohmann::json& json) {
  const Summary summary = read(json);
  return headline(summary) + table_text(summary) + failures(summary) + mistrusted(summary) + known(summary) +
         not_run(summary) + skipped(summary) + refused(summary) + explained(summary) + provenance(summary);
}

}  // namespace tileproof::reports
