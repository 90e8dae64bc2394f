#include "fuzz/campaign/campaign_corpus.h"

#include <algorithm>
#include <functional>
#include <iostream>
#include <set>

#include "fuzz/campaign/fingerprint.h"
#include "fuzz/records/expected_failures.h"
#include "fuzz/records/records.h"
#include "properties/judging/shrinking.h"
#include "properties/registry.h"
#include "reports/reports.h"

namespace tileproof {

namespace {

/// Whether a case fails in the same way three times, each time in a fresh process. False, with a line on stderr, if the
/// machine gives no process.
bool fails_alone(const Finding& finding, Worker& worker) try {
  constexpr int times = 3;
  return failures_alone(property_of(finding.problem.property), finding, worker, are_alike, times) == times;
} catch (const std::runtime_error& error) {
  std::cerr << "tileproof: " << reports::visible(error.what()) << "\n";
  return false;
}

/// Prints errors and goes on: a full disk or a read-only mount must not end the campaign, which works without its
/// corpus.
void keeping(const std::function<void()>& keep) {
  try {
    keep();
  } catch (const std::exception& error) {
    std::cerr << "not in the corpus: " << reports::visible(error.what()) << "\n";
  }
}

}  // namespace

CampaignCorpus::CampaignCorpus(const std::filesystem::path& folder, const SelectedSubject& selected,
                               const std::vector<ExpectedFailure>& expected_failures, const Limits& limits)
    : corpus_(folder), selected_(selected), expected_failures_(expected_failures), limits_(limits) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw UsageError("--memory", "'" + folder.string() + "' (" + error.message() + ")",
                     "a folder that can be made and written");
  }
}

std::vector<CampaignFinding> CampaignCorpus::run_again(const std::vector<const Property*>& properties) {
  std::vector<CorpusLine> lines = lines_for(selected_.row, properties, corpus_.of_subject(selected_.row.name));
  const std::size_t kept = lines.size();
  for (CorpusLine& own : lines_for(selected_.row, properties, own_corpus())) {
    const bool is_kept =
        std::any_of(lines.begin(), lines.end(), [&](const CorpusLine& line) { return line.problem == own.problem; });
    if (!is_kept) lines.push_back(std::move(own));
  }
  std::vector<CampaignFinding> findings;
  std::set<std::string> properties_and_kinds;
  std::int64_t failed = 0;
  Worker fresh(selected_.order, limits_.case_deadline);
  const std::vector<Replayed> all = replayed(selected_, lines, limits_.case_deadline, limits_.stop);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Replayed& one = all[i];
    const Problem& problem = one.line.problem;
    const bool is_kept = i < kept;
    if (is_kept && one.outcome.has_passed()) keeping([&] { corpus_.keep_incubating(problem, one.line.comment); });
    if (!one.outcome.finding || known_as(expected_failures_, *one.outcome.finding) != nullptr) continue;
    ++failed;
    const Finding& finding = *one.outcome.finding;
    if (limits_.stop() || !fails_alone(finding, fresh)) {
      findings.push_back(as_seen(one));
      continue;
    }
    const bool is_first = properties_and_kinds.insert(problem.property + " " + finding.kind).second;
    if (is_kept) findings.push_back(as_kept(one));
    if (!is_kept && is_first) findings.push_back(as_found(one, fresh));
  }
  counts_ = {{"replayed", all.size()}, {"failed", failed}, {"left", lines.size() - all.size()}};
  return findings;
}

/// The finding of a case that is flaky or depends on what ran before it. It counts as not looked into, so that the
/// campaign still looks into others of its property and kind.
CampaignFinding CampaignCorpus::as_seen(const Replayed& one) {
  return {.fingerprint = fingerprint_of(*one.outcome.finding),
          .cases = {},
          .smallest = *one.outcome.finding,
          .how = "failed among those of the corpus, and not alone each time: " + one.line.place,
          .shrunk = "not shrunk"};
}

/// The finding of a case of the working corpus, with the fingerprint of the campaign that shrunk it: the smallest case
/// need not show the pattern that it was found by.
CampaignFinding CampaignCorpus::as_kept(const Replayed& one) {
  const std::string first_line = one.line.comment.substr(0, one.line.comment.find('\n'));
  const bool is_named = first_line.starts_with(one.line.problem.property + " on ");
  const std::string fingerprint = is_named ? first_line : fingerprint_of(*one.outcome.finding);
  keeping([&] {
    corpus_.keep_crashing(one.line.problem, is_named ? one.line.comment : fingerprint + "\nfound " + utc_now());
  });
  return {.fingerprint = fingerprint,
          .cases = {},
          .smallest = *one.outcome.finding,
          .was_looked_into = true,
          .is_reproducible = true,
          .how = "kept, and failing: " + one.line.place,
          .shrunk = "as it is there"};
}

/// The finding of a case of the repository's corpus. It is shrunk first, because the case is small for the mistake that
/// it was kept for, and perhaps not for this one.
CampaignFinding CampaignCorpus::as_found(const Replayed& one, Worker& worker) {
  const Finding& finding = *one.outcome.finding;
  const Property& property = property_of(finding.problem.property);
  std::string why_not;
  const Shrunk smallest =
      shrunk(property, sample_space_of(property, selected_.row.capabilities, &why_not), finding, worker, are_alike,
             {.tries = limits_.shrink_tries, .seconds = limits_.shrink_seconds, .stop = limits_.stop});
  const std::string fingerprint = fingerprint_of(finding);
  keeping([&] { corpus_.keep_crashing(smallest.finding.problem, fingerprint + "\nfound " + utc_now()); });
  return {.fingerprint = fingerprint,
          .cases = {},
          .smallest = smallest.finding,
          .was_looked_into = true,
          .is_reproducible = true,
          .how = "kept, and failing: " + one.line.place,
          .shrunk = smallest.how_far};
}

void CampaignCorpus::keep(const std::map<std::string, Signed>& findings) {
  for (const auto& [fingerprint, one] : findings) {
    if (!one.finding.is_reproducible || one.finding.cases.empty()) continue;
    keeping([&] { corpus_.keep_crashing(one.finding.smallest.problem, fingerprint + "\nfound " + utc_now()); });
  }
}

}  // namespace tileproof
