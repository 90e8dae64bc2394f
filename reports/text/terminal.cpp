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
    constexpr const char* green = "\x1b[32m";
    constexpr const char* red = "\x1b[31m";
    constexpr const char* dim = "\x1b[2m";
    constexpr const char* yellow = "\x1b[33m";
    constexpr const char* colours[] = {green, red, dim, red, yellow};
    return colours_ ? colours[static_cast<int>(verdict)] + text + "\x1b[0m" : text;
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

/// How much a cell shows, in descending order.
enum class Detail { full, without_cases, marks };

constexpr const char* legend = "+ PASSED  X FAILED  ? MISTRUSTED  ! KNOWN  - SKIPPED\n\n";

std::string mark_of(Verdict verdict) {
  constexpr const char* marks[] = {"+", "X", "-", "?", "!"};
  return marks[static_cast<int>(verdict)];
}

/// The parts of a cell: verdict, cases, time. Each part is aligned with those of the other cells in its column.
using Parts = std::array<std::string, 3>;

Parts parts_of(const Judgement* judgement, Detail detail) {
  if (judgement == nullptr) return {};
  const Verdict verdict = judgement->verdict;
  if (verdict == Verdict::skipped) return {mark_of(verdict), "", ""};
  return {detail == Detail::marks ? mark_of(verdict) : name_of(verdict),
          detail == Detail::full ? std::to_string(judgement->cases) : "", in_seconds(judgement->seconds)};
}

/// The cells of one subject, all as wide as the widest.
class SubjectColumn {
 public:
  SubjectColumn(const Table& table, std::size_t subject, Detail detail)
      : title_(one_line(table.subjects[subject]->name)), detail_(detail) {
    for (const Row& row : table.rows) {
      const Parts parts = parts_of(row.cells[subject], detail);
      for (std::size_t i = 0; i < parts.size(); ++i) widths_[i] = std::max(widths_[i], width_of(parts[i]));
    }
    for (const std::size_t width : widths_) cell_width_ += width == 0 ? 0 : width + 1;
    cell_width_ -= 1;  // no space before the first part; a subject that ran has at least one part
  }

  std::size_t width() const { return std::max(width_of(title_), cell_width_); }
  std::string title() const { return padded(title_, width()); }

  std::string text(const Judgement* judgement, const Screen& screen) const {
    if (judgement == nullptr) return spaces(width());
    const Parts parts = parts_of(judgement, detail_);
    std::string text = screen.painted(judgement->verdict, parts[0]) + spaces(widths_[0] - width_of(parts[0]));
    for (std::size_t i = 1; i < parts.size(); ++i) {
      if (widths_[i] != 0) text += " " + spaces(widths_[i] - width_of(parts[i])) + parts[i];
    }
    return text + spaces(width() - cell_width_);
  }

 private:
  std::string title_;
  Detail detail_;
  std::array<std::size_t, 3> widths_{};
  std::size_t cell_width_ = 0;
};

/// All properties, one line each. A property whose name is too long for `columns` stands on a line above its cells.
class Grid {
 public:
  Grid(const Table& table, Detail detail, std::size_t columns) : table_(table), detail_(detail) {
    for (std::size_t subject = 0; subject < table.subjects.size(); ++subject) {
      columns_.emplace_back(table, subject, detail);
      cells_width_ += gap.size() + columns_.back().width();
    }
    const std::size_t most = columns - std::min(columns, cells_width_);
    for (const Row& row : table.rows) {
      const std::size_t width = width_of(one_line(row.property));
      if (width <= most) margin_ = std::max(margin_, width);
    }
  }

  std::size_t width() const { return margin_ + cells_width_; }

  std::string text(const Screen& screen) const {
    std::string text = detail_ == Detail::marks ? legend : "";
    text += line(title, [](const SubjectColumn& column, std::size_t) { return column.title(); });
    for (const Row& row : table_.rows) {
      text += line(one_line(row.property), [&](const SubjectColumn& column, std::size_t subject) {
        return column.text(row.cells[subject], screen);
      });
    }
    return text;
  }

 private:
  template <class CellText>
  std::string line(const std::string& property, CellText cell_text) const {
    std::string line = width_of(property) > margin_ ? property + "\n" + spaces(margin_) : padded(property, margin_);
    for (std::size_t subject = 0; subject < columns_.size(); ++subject) {
      line += gap + cell_text(columns_[subject], subject);
    }
    return without_trailing_spaces(line) + "\n";
  }

  inline static const std::string title = "property";
  inline static const std::string gap = "  ";

  const Table& table_;
  Detail detail_;
  std::vector<SubjectColumn> columns_;
  std::size_t cells_width_ = 0;
  std::size_t margin_ = width_of(title);  // left of the cells: room for the properties that stand beside them
};

/// The form for screens that no table fits: one block per subject. A line that is too long ends in the property's
/// name, so that only the name is cut or wrapped.
std::string blocks(const Table& table, const Screen& screen) {
  std::string text = legend;
  for (std::size_t subject = 0; subject < table.subjects.size(); ++subject) {
    const SubjectColumn column(table, subject, Detail::marks);
    text += (subject == 0 ? "" : "\n") + one_line(table.subjects[subject]->name) + "\n";
    for (const Row& row : table.rows) {
      if (row.cells[subject] == nullptr) continue;
      text += "  " + column.text(row.cells[subject], screen) + "  " + one_line(row.property) + "\n";
    }
  }
  return text;
}

std::string table_text(const Summary& summary, const Screen& screen) {
  const Table table = table_of(summary);
  if (table.subjects.empty()) return "No subject ran.\n";
  constexpr std::size_t unlimited = std::string::npos;
  for (const std::size_t columns : {unlimited, screen.columns()}) {
    for (const Detail detail : {Detail::full, Detail::without_cases, Detail::marks}) {
      const Grid grid(table, detail, columns);
      if (grid.width() <= screen.columns()) return grid.text(screen);
    }
  }
  return blocks(table, screen);
}

// --- What stands below it ------------------------------------------------------------------------------------------

/// A title and one line per entry; empty if there are no entries.
template <class Entry, class LineText>
std::string list(const std::string& title, const std::vector<Entry>& entries, const Screen& screen,
                 LineText line_text) {
  if (entries.empty()) return "";
  std::string text = "\n" + title + ":\n";
  for (const Entry& entry : entries) text += screen.wrapped("  " + one_line(line_text(entry)), 6);
  return text;
}

std::string not_run(const Summary& summary, const Screen& screen) {
  return list("Did not run", subjects_not_run(summary), screen, [](const Group& group) {
    const std::string properties = group.count == 0 ? "" : " (" + counted(group.count, "property") + " SKIPPED)";
    return group.subject + ": " + group.reason + properties;
  });
}

std::string skipped(const Summary& summary, const Screen& screen) {
  return list("Skipped", properties_skipped(summary), screen, [](const Group& group) {
    return group.subject + ": " + counted(group.count, "property") + " SKIPPED: " + group.reason;
  });
}

std::string asked(const Summary& summary, const Screen& screen) {
  return list("Asked", asked_of(summary), screen,
              [](const Group& group) { return group.subject + ": " + group.reason; });
}

/// One line per subject, or with `verbose` one per judgement.
std::string out_of_reach(const Summary& summary, const Screen& screen, bool verbose) {
  std::vector<Group> lines;
  if (verbose) {
    for (const Judgement& judgement : summary.judgements) {
      std::string goals;
      for (const std::string& goal : judgement.out_of_reach) goals += (goals.empty() ? "" : "; ") + goal;
      if (!goals.empty()) lines.push_back({judgement.subject, judgement.property + ": " + goals, 0});
    }
  } else {
    for (const Group& group : goals_out_of_reach(summary)) {
      const std::string text = group.reason + " (" + counted(group.count, "property") + ")";
      if (lines.empty() || lines.back().subject != group.subject) {
        lines.push_back({group.subject, text, 0});
      } else {
        lines.back().reason += "; " + text;
      }
    }
  }
  return list("Not asked, as the subject does not take it", lines, screen,
              [](const Group& group) { return group.subject + ": " + group.reason; });
}

/// The variants of properties that are neither PASSED nor SKIPPED, or with `verbose` all.
std::string variants(const Summary& summary, const Screen& screen, bool verbose) {
  std::vector<std::string> lines;
  for (const Judgement& judgement : summary.judgements) {
    for (const Variant& variant : judgement.variants) {
      // Variants of a SKIPPED property are SKIPPED too, and need no line.
      const bool is_wanted = variant.verdict != Verdict::passed && variant.verdict != Verdict::skipped;
      if (!is_wanted && !verbose) continue;
      lines.push_back(judgement.subject + ": " + judgement.property + " " + variant.name + ": " +
                      name_of(variant.verdict) + (variant.reason.empty() ? "" : " (" + variant.reason + ")"));
    }
  }
  return list(verbose ? "Variants" : "Variants that are not PASSED", lines, screen,
              [](const std::string& line) { return line; });
}

std::string refused(const Summary& summary, const Screen& screen) {
  return list("Refused with an error", refusals_of(summary), screen, [](const Refusals& refusals) {
    return refusals.subject + ": " + counted(refusals.cases, "case") + " in " +
           counted(refusals.properties, "property") + ", such as in " + refusals.property + ": " + refusals.message;
  });
}

std::string explained(const Summary& summary, const Screen& screen) {
  return list(
      "Explained differences, which are not failures", elements_explained(summary), screen,
      [](const Group& group) { return group.subject + ": " + counted(group.count, "element") + ": " + group.reason; });
}

std::string known(const Summary& summary, const Screen& screen) {
  return list("Known findings, which are not failures of this run", known_failures(summary), screen,
              [](const KnownFailure& failure) {
                return failure.judgement->subject + ": " + failure.finding->id + ": " + failure.finding->what +
                       " (since " + failure.finding->since + ", " + counted(failure.finding->cases, "case") + " in " +
                       failure.judgement->property + ")";
              });
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
  const auto is_one_of_many = [&](const Judgement& judgement) {
    return is_without_cases(judgement) &&
           std::any_of(without_cases.begin(), without_cases.end(),
                       [&](const Group& group) { return group.reason == judgement.reason; });
  };
  for (const Judgement* judgement : with_verdict(summary, Verdict::mistrusted)) {
    if (!is_one_of_many(*judgement)) add(property_on_subject(*judgement), judgement->reason);
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
  return table_text(summary, screen) + not_run(summary, screen) + skipped(summary, screen) + asked(summary, screen) +
         out_of_reach(summary, screen, verbose) + refused(summary, screen) + explained(summary, screen) +
         known(summary, screen) + variants(summary, screen, verbose) + failures(summary, screen) +
         mistrusted(summary, screen) + observed(summary, screen) + final_line(summary, screen);
}

}  // namespace tileproof::reports
