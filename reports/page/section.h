/// The sections of a report, one row each: to add one, write its body and a row in sections.cpp. Internal to reports/.
#pragma once

#include <string>
#include <vector>

#include "reports/assessment/verdict.h"
#include "reports/page/chart.h"
#include "reports/page/html.h"

namespace tileproof::reports {

/// What the sections are written from, and the pictures that they have drawn.
struct ReportContext {
  const Records& now;
  const Records* before;  // nullptr: no baseline
  const Assessment& assessment;
  const Budgets& budgets;
  std::vector<std::string> remarks = {};  // such as that the baseline is of another subject
  std::vector<Chart> charts = {};

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
Markup disagreements_section(ReportContext&);
Markup domains_section(ReportContext&);
Markup proofs_section(ReportContext&);
Markup determinism_section(ReportContext&);
Markup power_section(ReportContext&);
Markup speed_section(ReportContext&);
Markup findings_section(ReportContext&);
Markup known_section(ReportContext&);
Markup not_shown_section(ReportContext&);

/// What the report does not show, a sentence each, from what was not in the records.
std::vector<Markup> not_shown(const ReportContext&);

// --- Pieces that several sections are made of (sections.cpp)
// ----------------------------------------------------------

/// "No record says ...": and the command that makes one.
Markup absent(const std::string& what, const std::string& command);
Markup paragraph(const Markup&);
Markup code_of(const std::string&);
/// A line to copy: one click selects it.
Markup to_copy(const std::vector<std::string>& replay);
Markup badge(Status);
/// The first `most` rows of a table, and how many more there are.
Markup shortened_table(const std::vector<Column>&, std::vector<std::vector<Markup>> rows, std::size_t most);

}  // namespace tileproof::reports
