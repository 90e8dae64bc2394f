/// What a reviewer reads of a run: a terminal's page, a pull request's comment, a CI server's test results.
/// All three are written from the JSON that `tileproof verify` leaves as summary.json (schema 2), and from nothing
/// else.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "reports/text.h"

namespace tileproof::reports {

/// A table of properties and subjects, then what needs reading, the most important last: it ends next to the prompt.
/// @param columns  width of the terminal in characters; narrower terminals get shorter cells, then other layouts
/// @param colours  whether to add ANSI colours; they repeat what the words say
/// @throws std::runtime_error naming the field of the summary that is missing, mistyped or contradicts another
std::string terminal(const nlohmann::json& summary, int columns, bool colours, bool verbose = false);

/// GitHub-flavoured Markdown of at most 65,536 bytes, as a pull request's comment may have; lists end in "and N more".
/// @throws std::runtime_error as terminal
std::string markdown(const nlohmann::json& summary);

/// JUnit XML: a testsuite a subject, a testcase a property. FAILED and MISTRUSTED are failures, KNOWN is skipped. A run
/// that is red as a whole, while none of its properties is, gets a failing testcase of its own: servers take no tests
/// for good news.
/// @throws std::runtime_error as terminal
std::string junit(const nlohmann::json& summary);

// Of proofs.json, which `tileproof prove` leaves (schema 1).
/// What will be enumerated, and how long that takes here.
std::string proofs_plan(const nlohmann::json& proofs);
/// One proof that has ended, on a line or a few.
std::string proof_line(const nlohmann::json& proof, bool colours);
/// The counts, next to the prompt.
std::string proofs_end(const nlohmann::json& proofs, bool colours);
std::string proofs_markdown(const nlohmann::json& proofs);

// Of what `tileproof bench --json` writes (schema 1).
/// A row for each thing that was timed, with a bar as long as it is fast beside a copy.
/// @throws std::runtime_error as terminal
std::string bench_table(const nlohmann::json& bench, bool colours);

struct BenchComparison {
  std::string text;
  std::size_t compared = 0;  // rows of both with repeats enough to tell
  std::size_t slower = 0;
};
/// Row by row, by the rows' names: the Mann-Whitney test (two-sided, exact up to sixty repeats together, else the
/// normal approximation) over the repeats' ratios to copy; over the speeds themselves where there is no copy.
/// @throws std::runtime_error as terminal
BenchComparison bench_comparison(const nlohmann::json& now, const nlohmann::json& before, bool colours);
/// @throws std::runtime_error what a baseline is not that can be compared with
void require_bench(const nlohmann::json& bench);

// Texts of campaign.json, which `tileproof fuzz` leaves (schema 1).
/// What was found, how much was looked at, and the verdict next to the prompt.
std::string campaign_page(const nlohmann::json& campaign, bool colours);

/// The runs and findings of a history, a line and a few.
std::string history_page(const nlohmann::json& history);

}  // namespace tileproof::reports
