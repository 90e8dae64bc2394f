/// The sections of a report, one row each: to add one, write its body, declare it here, and add a row in sections.cpp.
/// Internal to reports/.
#pragma once

#include <string>
#include <vector>

#include "reports/assessment/verdict.h"
#include "reports/page/chart.h"
#include "reports/page/html.h"

namespace tileproof::reports {

/// The input of the sections, and the charts that they have drawn.
struct ReportContext {
  const Records& now;
  const Records* before;  // nullptr: no baseline
  const Assessment& assessment;
  std::vector<std::string> remarks = {};  // for example that the baseline is of another subject
  std::vector<Chart> charts = {};

  /// The parts of the provenance in which this run and the baseline differ; none without a baseline.
  std::vector<Difference> differences() const {
    return before == nullptr ? std::vector<Difference>() : reports::differences(now.provenance(), before->provenance());
  }
  Markup show(Chart chart) {
    Markup shown = picture(chart);
    charts.push_back(std::move(chart));
    return shown;
  }
};

struct Section {
  Name id;
  const char* title;
  Markup (*body)(ReportContext&);
};
const std::vector<Section>& sections();

Markup verdict_section(ReportContext&);
Markup provenance_section(ReportContext&);
Markup accuracy_section(ReportContext&);
Markup pictures_section(ReportContext&);
Markup worst_section(ReportContext&);
Markup explained_section(ReportContext&);
Markup domains_section(ReportContext&);
Markup proofs_section(ReportContext&);
Markup determinism_section(ReportContext&);
Markup power_section(ReportContext&);
Markup speed_section(ReportContext&);
Markup findings_section(ReportContext&);
Markup known_section(ReportContext&);
Markup not_shown_section(ReportContext&);

/// One sentence for each thing that the report does not show because no record has it.
std::vector<Markup> not_shown(const ReportContext&);

// --- Parts that several sections use (sections.cpp) -----------------------------------------------------------------

/// "No record says ...", and the command that makes such a record.
Markup absent(const std::string& what, const std::string& command);
Markup paragraph(const Markup&);
Markup warning(const Markup&);
Markup code_of(const std::string&);
/// The replay command; one click selects it.
Markup to_copy(const std::vector<std::string>& replay);
/// The name of a Status or of a record's verdict, in its colour.
Markup badge(const std::string& name);
inline Markup badge(Status word) { return badge(name_of(word)); }
/// A name and its value, for a card; nothing if there is no value.
Markup fact(const std::string& name, const Markup& value);
Markup card(const std::string& title, const Markup& facts, const Markup& below);
using TableRows = std::vector<std::vector<Markup>>;
/// A table under a heading; nothing if there are no rows.
Markup titled_table(const char* title, const std::vector<Column>&, const TableRows&);
/// The first `most` rows of a table, and the number of rows left out.
Markup shortened_table(const std::vector<Column>&, TableRows rows, std::size_t most);

}  // namespace tileproof::reports
