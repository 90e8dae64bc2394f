#include <algorithm>

#include "reports/page/section.h"
#include "reports/text.h"

namespace tileproof::reports {

const std::vector<Section>& sections() {
  static const std::vector<Section> rows = {
      {"verdict", "Verdict", verdict_section},
      {"provenance", "Where this was made", provenance_section},
      {"accuracy", "Accuracy", accuracy_section},
      {"pictures", "Pictures", pictures_section},
      {"worst", "Worst cases", worst_section},
      {"explained", "Explained differences", explained_section},
      {"domains", "Converting zero points", domains_section},
      {"proofs", "Proofs", proofs_section},
      {"determinism", "Determinism", determinism_section},
      {"power", "Power of the harness", power_section},
      {"speed", "Speed", speed_section},
      {"findings", "Findings", findings_section},
      {"known", "Known findings", known_section},
      {"not-shown", "What this report does not show", not_shown_section},
  };
  return rows;
}

Markup paragraph(const Markup& inside) { return element("p", inside); }

Markup warning(const Markup& inside) { return of_class("p", "warning", inside); }

Markup absent(const std::string& what, const std::string& command) {
  return of_class("p", "absent", "No record here says " + Markup(what) + ". " + code_of(command) + " makes one.");
}

Markup code_of(const std::string& text) { return element("code", text); }

Markup to_copy(const std::vector<std::string>& replay) {
  return replay.empty() ? Markup() : of_class("code", "copy", replay_command(replay));
}

Markup badge(const std::string& name) {
  std::string class_name = name;
  std::replace(class_name.begin(), class_name.end(), ' ', '-');
  return element("span", {{"class", "badge " + class_name}}, name);
}

Markup fact(const std::string& name, const Markup& value) {
  return value.empty() ? Markup() : element("dt", name) + element("dd", value);
}

Markup card(const std::string& title, const Markup& facts, const Markup& below) {
  return of_class("div", "card", element("h4", title) + element("dl", facts) + below);
}

Markup titled_table(const char* title, const std::vector<Column>& columns, const TableRows& rows) {
  return rows.empty() ? Markup() : element("h3", title) + table(columns, rows);
}

Markup shortened_table(const std::vector<Column>& columns, TableRows rows, std::size_t most) {
  const std::size_t all = rows.size();
  if (all > most) rows.resize(most);
  const Markup shown = table(columns, rows);
  return all <= most ? shown : shown + paragraph("and " + std::to_string(all - most) + " more: see report.json");
}

}  // namespace tileproof::reports
