// The page of `tileproof verdicts`.
#include "reports/assessment/library_verdicts.h"
#include "reports/page/page.h"
#include "reports/page/report.h"
#include "reports/page/section.h"
#include "reports/reports.h"

namespace tileproof::reports {

LibraryReport library_report(const nlohmann::json& ran) {
  const LibraryVerdicts all = library_verdicts(ran);
  TableRows rows;
  for (const LibraryVerdict& row : all.rows) {
    const Markup again = of_class("code", "copy", row.replay);
    rows.push_back({badge(name_in_table(row)), row.library, row.format, row.operation, row.type, row.machine,
                    joined(row.how, "; "), row.since, again});
  }
  const std::string where = all.cpu + (all.gpu.empty() ? "" : ", " + all.gpu);
  Markup body = paragraph("Each operation of each library against the specification of its format, bit for bit, by " +
                          all.tool + " at " + all.run_start + (where.empty() ? "" : " on " + where) + ", " +
                          with_commas(all.cases) + " problems drawn for each property.");
  body += paragraph(
      "EXACT: every property that needs the operation PASSED, bit for bit. PASSED: it did, within a bound or but for "
      "what is explained. KNOWN: it differs as the ledger says. FAILED: it differs in a way that no ledger lists. A "
      "property that fails and needs several operations tells against those of them "
      "that fail a property of their own.");
  body += table({{""},
                 {"library"},
                 {"format"},
                 {"operation"},
                 {"weights"},
                 {"machine"},
                 {"how it differs"},
                 {"since"},
                 {"to see it again"}},
                rows);
  return {page("tileproof: verdicts on libraries", Markup(), body), verdicts_markdown(ran), verdicts_text(ran),
          all.exit_code};
}

}  // namespace tileproof::reports
