#include "fuzz/campaign/campaign_corpus.h"

#include <algorithm>
#include <functional>
#include <iostream>
#include <set>

#include "fuzz/campaign/fingerprint.h"
#include "fuzz/records/expected_failures.h"
#include "fuzz/records/records.h"
#include "properties/case/sample_space.h"
#include "properties/judging/shrinking.h"
#include "properties/registry.h"
#include "reports/reports.h"

namespace tileproof {

namespace {

bool can_be_asked(const Problem& problem, const Property& property, const Capabilities& capabilities) {
  std::string why_not;
  const SampleSpace space = sample_space_of(property, capabilities, &why_not);
  if (!why_not.empty() || problem.n % capabilities.n_multiple != 0 || problem.k % capabilities.k_multiple != 0)
    return false;
  try {
    require_within(problem, space);
    return true;
  } catch (const UsageError&) {
    return false;
  }
}

/// The lines whose problems the subject can take, as problems of that subject.
std::vector<CorpusLine> lines_for(const SubjectRow& row, const std::vector<const Property*>& properties,
                                  const std::vector<CorpusLine>& lines) {
  std::vector<CorpusLine> wanted;
  for (CorpusLine line : lines) {
    line.problem.subject = row.name;
    const Property& property = property_of(line.problem.property);
    const bool is_wanted = std::find(properties.begin(), properties.end(), &property) != properties.end();
    if (is_wanted && can_be_asked(line.problem, property, row.capabilities)) wanted.push_back(std::move(line));
  }
  return wanted;
}

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
                               const std::vector<ExpectedFailure>& expected_failures, const CampaignOptions& options,
                               const std::function<bool()>& stop)
    : corpus_(folder), selected_(selected), expected_failures_(expected_failures), options_(options), stop_(stop) {
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
  // Run every line before looking into any: shrinking could use up the time of the lines behind.
  std::vector<CaseOutcome> outcomes;
  auto worker = std::make_unique<Worker>(selected_.order, options_.case_deadline);
  while (outcomes.size() < lines.size() && !stop_()) {
    const Problem& problem = lines[outcomes.size()].problem;
    Coverage coverage;
    try {
      outcomes.push_back(worker->run(property_of(problem.property), problem, coverage));
    } catch (const BrokenMemory& error) {  // the campaign meets it again, and says so
      std::cerr << "tileproof: " << reports::visible(error.what()) << "\n";
      break;
    }
  }
  worker.reset();
  std::vector<CampaignFinding> findings;
  std::set<std::string> properties_and_kinds;
  std::int64_t failed = 0;
  Worker fresh(selected_.order, options_.case_deadline);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const CorpusLine& line = lines[i];
    const std::optional<Finding>& finding = outcomes[i].finding;
    const bool is_kept = i < kept;
    if (is_kept && outcomes[i].has_passed()) keeping([&] { corpus_.keep_incubating(line.problem, line.comment); });
    if (!finding || known_as(expected_failures_, *finding) != nullptr) continue;
    ++failed;
    // A case that is flaky or depends on what ran before it counts as not looked into, so that the campaign still looks
    // into others of its property and kind.
    CampaignFinding found = {.fingerprint = fingerprint_of(*finding),
                             .cases = {},
                             .smallest = *finding,
                             .how = "failed among those of the corpus, and not alone each time: " + line.place,
                             .shrunk = "not shrunk"};
    if (!stop_() && fails_alone(*finding, fresh)) {
      const bool is_first = properties_and_kinds.insert(line.problem.property + " " + finding->kind).second;
      if (!is_kept && !is_first) continue;
      look_into(line, is_kept, fresh, found);
    }
    findings.push_back(std::move(found));
  }
  counts_ = {{"replayed", outcomes.size()}, {"failed", failed}, {"left", lines.size() - outcomes.size()}};
  return findings;
}

/// Completes and keeps the finding of a case that fails alone.
void CampaignCorpus::look_into(const CorpusLine& line, bool is_kept, Worker& fresh, CampaignFinding& found) {
  found.was_looked_into = found.is_reproducible = true;
  found.how = "kept, and failing: " + line.place;
  if (is_kept) {
    // Take the fingerprint of the campaign that shrunk the case: the smallest case need not show the pattern that it
    // was found by.
    const std::string first_line = line.comment.substr(0, line.comment.find('\n'));
    const bool is_named = first_line.starts_with(line.problem.property + " on ");
    if (is_named) found.fingerprint = first_line;
    found.shrunk = "as it is there";
    return keep(found, is_named ? line.comment : "");
  }
  // Shrink a case of the repository's corpus, because it is small for the mistake that it was kept for, and perhaps not
  // for this one.
  try {
    shrink(found, selected_, fresh, options_, stop_);
  } catch (const BrokenMemory&) {
    found.shrunk = "not shrunk: the machine was at fault";
  }
  keep(found, "");
}

/// @param comment  "" for the fingerprint and the time
void CampaignCorpus::keep(const CampaignFinding& found, const std::string& comment) {
  keeping([&] {
    corpus_.keep_crashing(found.smallest.problem,
                          comment.empty() ? found.fingerprint + "\nfound " + utc_now() : comment);
  });
}

void CampaignCorpus::keep(const std::map<std::string, Signed>& findings) {
  for (const auto& [fingerprint, one] : findings) {
    if (one.finding.is_reproducible && !one.finding.cases.empty()) keep(one.finding, "");
  }
}

}  // namespace tileproof
