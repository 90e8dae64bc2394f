#include <algorithm>
#include <array>
#include <sstream>

#include "reports/assessment/groups.h"
#include "reports/records/summary.h"
#include "reports/reports.h"

namespace tileproof::reports {

namespace {

std::size_t width_of(const std::string& text) { return characters_of(text).size(); }

std::string spaces(std::size_t count) { return std::string(count, ' '); }

std::string without_trailing_spaces(const std::string& line) { return line.substr(0, line.find_last_not_of(' ') + 1); }

/// Wraps text to the width of the screen, and colours it if the screen can.
class Screen {
 public:
  Screen(int columns, bool colours) : columns_(static_cast<std::size_t>(std::max(columns, 1))), colours_(colours) {}

  std::size_t columns() const { return columns_; }

  std::string painted(Verdict verdict, const std::string& text) const {
    constexpr Colour colours[] = {Colour::green, Colour::red, Colour::dim, Colour::red, Colour::yellow};
    return reports::painted(colours[static_cast<int>(verdict)], text, colours_);
  }

  /// Breaks a line at spaces and indents the rest. A word that is too long stays whole, because it may be a name to
  /// copy or the picture of a row.
  std::string wrapped(const std::string& untrimmed, std::size_t indent) const {
    const std::string line = without_trailing_spaces(untrimmed);
    std::string text;
    std::size_t width = 0;
    for (std::size_t at = 0; at < line.size();) {
      const std::size_t word = line.find_first_not_of(' ', at);
      const std::size_t end = std::min(line.find(' ', word), line.size());
      const bool fits = width + width_of(line.substr(at, end - at)) <= columns_;
      if (at != 0 && !fits) {
        text += "\n" + spaces(indent);
        width = indent;
        at = word;
      }
      text += line.substr(at, end - at);
      width += width_of(line.substr(at, end - at));
      at = end;
    }
    return text + "\n";
  }

  /// A wrapped line that begins with a verdict.
  std::string verdict_line(Verdict verdict, const std::string& rest) const {
    const std::string name = name_of(verdict);
    return painted(verdict, name) + wrapped(name + rest, 8).substr(name.size());
  }

 private:
  std::size_t columns_;
  bool colours_;
};

// --- The table -----------------------------------------------------------------------------------------------------

/// The parts of a cell: verdict, cases, time. Each part is aligned with those of the other cells in its column.
using Parts = std::array<std::string, 3>;

Parts parts_of(const Judgement* judgement) {
  if (judgement == nullptr) return {};
  if (judgement->verdict == Verdict::skipped) return {"-", "", ""};
  return {name_of(judgement->verdict), std::to_string(judgement->cases), in_seconds(judgement->seconds)};
}

/// The name of a subject and its cells, all as wide as the widest.
struct SubjectColumn {
  std::size_t width;
  std::vector<std::string> lines;
};

SubjectColumn column_of(const Table& table, std::size_t subject, const Screen& screen) {
  std::array<std::size_t, 3> widths = {};
  for (const Row& row : table.rows) {
    const Parts parts = parts_of(row.cells[subject]);
    for (std::size_t i = 0; i < parts.size(); ++i) widths[i] = std::max(widths[i], width_of(parts[i]));
  }
  const std::size_t cell_width = widths[0] + 1 + widths[1] + 1 + widths[2];
  const std::string title = one_line(table.subjects[subject]->name);
  SubjectColumn column = {std::max(width_of(title), cell_width), {}};
  column.lines.push_back(padded(title, column.width));
  for (const Row& row : table.rows) {
    const Judgement* judgement = row.cells[subject];
    const Parts parts = parts_of(judgement);
    const auto gap_of = [&](std::size_t i) { return spaces(widths[i] - width_of(parts[i])); };
    const std::string verdict = judgement == nullptr ? "" : screen.painted(judgement->verdict, parts[0]);
    column.lines.push_back(verdict + gap_of(0) + " " + gap_of(1) + parts[1] + " " + gap_of(2) + parts[2] +
                           spaces(column.width - cell_width));
  }
  return column;
}

/// The part of a table that is about one subject.
Table table_of_subject(const Table& all, std::size_t subject) {
  Table table = {{all.subjects[subject]}, {}};
  for (const Row& row : all.rows) {
    if (row.cells[subject] != nullptr) table.rows.push_back({row.property, {row.cells[subject]}});
  }
  return table;
}

/// All properties, one line each; where the cells of all subjects are too wide, a table for each subject. A property
/// whose name is too long stands on a line above its cells.
std::string table_text(const Table& table, const Screen& screen) {
  if (table.subjects.empty()) return "No subject ran.\n";
  const std::string gap = "  ";
  std::vector<std::string> names = {"property"};
  for (const Row& row : table.rows) names.push_back(one_line(row.property));
  std::vector<SubjectColumn> columns;
  std::size_t cells_width = 0;
  for (std::size_t subject = 0; subject < table.subjects.size(); ++subject) {
    columns.push_back(column_of(table, subject, screen));
    cells_width += gap.size() + columns.back().width;
  }
  std::string text;
  if (columns.size() > 1 && width_of(names[0]) + cells_width > screen.columns()) {
    for (std::size_t subject = 0; subject < columns.size(); ++subject) {
      text += (subject == 0 ? "" : "\n") + table_text(table_of_subject(table, subject), screen);
    }
    return text;
  }
  std::size_t margin = width_of(names[0]);  // left of the cells: room for the properties that stand beside them
  for (const std::string& name : names) {
    if (width_of(name) + cells_width <= screen.columns()) margin = std::max(margin, width_of(name));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string line = width_of(names[i]) > margin ? names[i] + "\n" + spaces(margin) : padded(names[i], margin);
    for (const SubjectColumn& column : columns) line += gap + column.lines[i];
    text += without_trailing_spaces(line) + "\n";
  }
  return text;
}

// --- What stands below it ------------------------------------------------------------------------------------------

std::string list_text(const List& list, const Screen& screen) {
  if (list.lines.empty()) return "";
  std::string text = "\n" + list.title + ":\n";
  for (const std::string& line : list.lines) text += screen.wrapped("  " + one_line(line), 6);
  return text;
}

/// One line per subject, or with `verbose` one per judgement.
List out_of_reach(const Summary& summary, bool verbose) {
  List list = {"Not asked, as the subject does not take it", {}};
  if (verbose) {
    for (const Judgement& judgement : summary.judgements) {
      const std::string goals = joined(judgement.out_of_reach, "; ");
      if (!goals.empty()) list.lines.push_back(judgement.subject + ": " + judgement.property + ": " + goals);
    }
    return list;
  }
  std::string subject;
  for (const Group& group : goals_out_of_reach(summary)) {
    const std::string text = group.reason + " (" + counted(group.count, "property") + ")";
    if (list.lines.empty() || subject != group.subject) {
      list.lines.push_back(group.subject + ": " + text);
    } else {
      list.lines.back() += "; " + text;
    }
    subject = group.subject;
  }
  return list;
}

/// The variants of properties that are neither PASSED nor SKIPPED, or with `verbose` all.
List variants(const Summary& summary, bool verbose) {
  List list = {verbose ? "Variants" : "Variants that are not PASSED", {}};
  for (const Judgement& judgement : summary.judgements) {
    for (const Variant& variant : judgement.variants) {
      // Variants of a SKIPPED property are SKIPPED too, and need no line.
      const bool is_wanted = variant.verdict != Verdict::passed && variant.verdict != Verdict::skipped;
      if (!is_wanted && !verbose) continue;
      list.lines.push_back(judgement.subject + ": " + judgement.property + " " + variant.name + ": " +
                           name_of(variant.verdict) + (variant.reason.empty() ? "" : " (" + variant.reason + ")"));
    }
  }
  return list;
}

std::string property_on_subject(const Judgement& judgement) {
  return " " + one_line(judgement.property) + " on " + one_line(judgement.subject);
}

std::string indented_details(const std::string& details, const Screen& screen) {
  std::string text;
  std::istringstream lines(visible(details));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t own_indent = std::min(line.find_first_not_of(' '), line.size());
    text += screen.wrapped("    " + line, 4 + own_indent + 4);
  }
  return text;
}

std::string failure_text(const Failure& failure, const Screen& screen) {
  const Finding& finding = failure.finding;
  const std::string kind = finding.kind.empty() ? "" : one_line(finding.kind) + " ";
  std::string text =
      screen.verdict_line(Verdict::failed, property_on_subject(*failure.judgement) + ": " + kind + how_found(failure));
  text += indented_details(finding.details, screen);
  // The command is not wrapped here: if the terminal wraps it, it is still copied as one line.
  if (!finding.replay.empty()) text += "  " + replay_command(finding.replay) + "\n";
  return text;
}

std::string failures(const Summary& summary, const Screen& screen) {
  constexpr std::size_t most = 10;
  const std::vector<Failure> all = failures_of(summary);
  std::string text;
  for (std::size_t i = 0; i < std::min(all.size(), most); ++i) text += "\n" + failure_text(all[i], screen);
  if (all.size() > most) text += "\nand " + counted(all.size() - most, "more failure") + ": see summary.json\n";
  return text;
}

std::string mistrusted(const Summary& summary, const Screen& screen) {
  std::string text;
  const auto add = [&](const std::string& what, const std::string& reason) {
    text += text.empty() ? "\n" : "";
    text += screen.verdict_line(Verdict::mistrusted, what + ": " + one_line(reason));
  };
  const std::vector<Group> without_cases = properties_without_cases(summary);
  for (const Judgement* judgement : with_verdict(summary, Verdict::mistrusted)) {
    const bool is_one_of_many =
        judgement->cases == 0 && std::any_of(without_cases.begin(), without_cases.end(),
                                             [&](const Group& group) { return group.reason == judgement->reason; });
    if (!is_one_of_many) add(property_on_subject(*judgement), judgement->reason);
  }
  for (const Group& group : without_cases) {
    add(" " + counted(group.count, "property") + " on " + one_line(group.subject), group.reason);
  }
  return text;
}

std::string observed(const Summary& summary, const Screen& screen) {
  const Observations& all = summary.observations;
  if (all.kept == all.cases) return "";
  return "\n" + screen.wrapped("Observations are kept of " + std::to_string(all.kept) + " of " +
                                   counted(all.cases, "case") + ": " + one_line(all.rule),
                               2);
}

/// The verdict is never wrapped, so that the last line of the output holds all of it.
std::string final_line(const Summary& summary, const Screen& screen) {
  const std::string reason = summary.reason.empty() ? "" : " (" + one_line(summary.reason) + ")";
  return "\n" + screen.painted(summary.verdict, name_of(summary.verdict)) + reason + ": " + counts_text(summary) +
         " in " + in_seconds(summary.seconds) + ", hash " + one_line(summary.output_hash) + "\n";
}

}  // namespace

std::string terminal(const nlohmann::json& json, int columns, bool colours, bool verbose) {
  const Summary summary = read(json);
  const Screen screen(columns, colours);
  std::string text = table_text(table_of(summary), screen);
  for (const List& list :
       {list_of_not_run(summary, one_line), list_of_skipped(summary, one_line), List{"Asked", asked_of(summary)},
        out_of_reach(summary, verbose), list_of_refused(summary, one_line), list_of_explained(summary, one_line),
        list_of_known(summary, one_line, false), variants(summary, verbose)}) {
    text += list_text(list, screen);
  }
  return text + failures(summary, screen) + mistrusted(summary, screen) + observed(summary, screen) +
         final_line(summary, screen);
}

}  // namespace tileproof::reports
