// Prints the table of verdicts on libraries, for the terminal and as Markdown.
#include "reports/assessment/library_verdicts.h"
#include "reports/reports.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

std::string text_in_cell(const std::string& text) { return text.empty() ? "-" : code(text); }

/// Each part alone, so that a long one hides no other.
std::string in_cell(const std::vector<std::string>& parts) { return parts.empty() ? "-" : joined(parts, "; ", code); }

std::string verdict_line(const LibraryVerdict& row) {
  std::string line = padded(name_in_table(row), 10) + " " + row.library;
  for (const std::string* part : {&row.format, &row.operation, &row.type, &row.machine}) {
    if (!part->empty()) line += ", " + *part;
  }
  if (!row.how.empty()) line += ": " + joined(row.how, "; ");
  if (!row.since.empty()) line += " (" + row.since + ")";
  return one_line(line) + "\n";
}

}  // namespace

std::string verdicts_text(const nlohmann::json& ran) {
  std::string text;
  for (const LibraryVerdict& row : library_verdicts(ran).rows) text += verdict_line(row);
  return text;
}

std::string verdicts_markdown(const nlohmann::json& ran) {
  const LibraryVerdicts all = library_verdicts(ran);
  std::string text = "| library | format | operation | weights | machine | verdict | how it differs | since |\n";
  text += "|---|---|---|---|---|---|---|---|\n";
  std::string lines;
  std::size_t number = 0;
  for (const LibraryVerdict& row : all.rows) {
    const std::string name = name_in_table(row);
    const std::string shown = row.verdict == Verdict::passed ? name : "**" + name + "**";
    const std::string at = std::to_string(++number);
    text += "| " + at + ". " + code(row.library);
    for (const std::string* part : {&row.format, &row.operation, &row.type, &row.machine}) {
      text += " | " + text_in_cell(*part);
    }
    text += " | " + shown + " | " + in_cell(row.how) + " | " + text_in_cell(row.since) + " |\n";
    lines += "    " + one_line(row.replay) + "  # " + at + "\n";  // indented, so that no text can end the block
  }
  const std::string where =
      all.cpu.empty() ? "" : " on " + code(all.cpu) + (all.gpu.empty() ? "" : ", " + code(all.gpu));
  return text + "\nBy " + code(all.tool) + " at " + code(all.run_start) + where + ", " + with_commas(all.cases) +
         " problems drawn for each property.\n\nTo see each row again, with `--python-with` an interpreter that has "
         "the library:\n\n" +
         lines;
}

}  // namespace tileproof::reports
