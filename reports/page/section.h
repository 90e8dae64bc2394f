/// The sections of a report, one row each: to add one, write its body and a row in sections.cpp. Internal to reports/.
#pragma once

#include <string>
#include <vector>

#include "reports/assessment/verdict.h"
#include "reports/page/chart.h"
#include "reports/page/html.h"

namespace tileproof::reports {

/// What the sections are written from, and the pictures that they have drawn.
struct Story {
  const Evidence& now;
  const Evidence* before;  // nullptr: no baseline
  const Opinion& opinion;
  const Budgets& budgets;
  bool zooms = false;                     // the library that zooms is there
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
  Markup (*body)(Story&);
};
const std::vector<Section>& sections();

Markup verdict_section(Story&);
Markup provenance_section(Story&);
Markup accuracy_section(Story&);
Markup pictures_section(Story&);
Markup worst_section(Story&);
Markup disagreements_section(Story&);
Markup domains_section(Story&);
Markup proofs_section(Story&);
Markup determinism_section(Story&);
Markup power_section(Story&);
Markup speed_section(Story&);
Markup findings_section(Story&);
Markup known_section(Story&);
Markup not_shown_section(Story&);

/// What the report does not show, a sentence each, from what was not in the records.
std::vector<Markup> not_shown(const Story&);

// --- Pieces that several sections are made of (sections.cpp)
// ----------------------------------------------------------

/// "No record says ...": and the command that makes one.
Markup absent(const std::string& what, const std::string& command);
Markup paragraph(const Markup&);
Markup code_of(const std::string&);
/// A line to copy: one click selects it.
Markup to_copy(const std::vector<std::string>& replay);
Markup badge(Word);
/// The first `most` rows of a table, and how many more there are.
Markup shortened_table(const std::vector<Column>&, std::vector<std::vector<Markup>> rows, std::size_t most);

}  // namespace tileproof::reports
