/// Texts for reviewers: terminal pages, pull request comments and CI test results. Each is written from one JSON record
/// and from nothing else.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "reports/text.h"

namespace tileproof::reports {

// Texts of summary.json, which `tileproof verify` writes (schema 3).
/// A table of properties and subjects, then what needs reading. The most important comes last, next to the prompt.
/// @param columns  width of the terminal in characters; where the cells of all subjects are wider, each has a table
/// @param colours  whether to add ANSI colours; they repeat what the words say
/// @throws std::runtime_error naming the field of the summary that is missing, mistyped or contradicts another
std::string terminal(const nlohmann::json& summary, int columns, bool colours, bool verbose = false);

/// GitHub-flavoured Markdown of at most 65,536 bytes, the limit of a pull request comment; lists end in "and N more".
/// @throws std::runtime_error as terminal
std::string markdown(const nlohmann::json& summary);

/// JUnit XML: one testsuite per subject, one testcase per property. FAILED and MISTRUSTED are failures, KNOWN is
/// skipped. A red run without a red property gets a failing testcase of its own, because servers show a run without
/// failures as good.
/// @throws std::runtime_error as terminal
std::string junit(const nlohmann::json& summary);

// Texts of proofs.json, which `tileproof prove` writes (schema 1).
/// Lists the domains to enumerate, and estimates how long that takes on this machine.
std::string proofs_plan(const nlohmann::json& proofs);
/// One proof that has ended, in a few lines.
std::string proof_line(const nlohmann::json& proof, bool colours);
/// The final line: verdict and counts.
std::string proofs_end(const nlohmann::json& proofs, bool colours);
std::string proofs_markdown(const nlohmann::json& proofs);

// Texts of what `tileproof bench --json` writes (schema 2).
/// One row for each operation that was timed, with a bar that shows its speed relative to a copy.
/// @throws std::runtime_error as terminal
std::string bench_table(const nlohmann::json& bench, bool colours);

struct BenchComparison {
  std::string text;
  std::size_t compared = 0;  // rows that both records have, with enough repeats for a test
  std::size_t slower = 0;
};
/// Compares rows of the same name by the Mann-Whitney test (two-sided, exact up to sixty repeats together, else the
/// normal approximation) over the repeats' ratios to copy, or over their speeds if either row has no copy.
/// @throws std::runtime_error as terminal
BenchComparison bench_comparison(const nlohmann::json& now, const nlohmann::json& before, bool colours);
/// @throws std::runtime_error naming what prevents the record from being a baseline
void require_bench(const nlohmann::json& bench);

// Texts of campaign.json, which `tileproof fuzz` writes (schema 1).
/// The findings, then how much was looked at, then the verdict next to the prompt.
std::string campaign_page(const nlohmann::json& campaign, bool colours);

// Texts of what `tileproof verdicts` has run (schema 1).
/// A line for each library, format, operation and type of weights.
std::string verdicts_text(const nlohmann::json& ran);
/// One table, and below it the command that shows each row.
std::string verdicts_markdown(const nlohmann::json& ran);

/// The history's runs, one line each, then its findings, a few lines each.
std::string history_page(const nlohmann::json& history);

}  // namespace tileproof::reports
