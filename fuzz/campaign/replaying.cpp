#include "fuzz/campaign/replaying.h"

#include <algorithm>

#include "fuzz/process/worker.h"
#include "properties/case/sample_space.h"
#include "properties/registry.h"

namespace tileproof {

namespace {

bool can_be_asked(const Problem& problem, const Property& property, const Capabilities& capabilities) {
  std::string why_not;
  const SampleSpace space = sample_space_of(property, capabilities, &why_not);
  if (!why_not.empty() || problem.n % capabilities.n_multiple != 0) return false;
  try {
    require_within(problem, space);
    return true;
  } catch (const UsageError&) {
    return false;
  }
}

}  // namespace

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

std::vector<Replayed> replayed(const SelectedSubject& selected, const std::vector<CorpusLine>& lines,
                               std::chrono::milliseconds deadline, const std::function<bool()>& stop) {
  std::vector<Replayed> all;
  Worker worker(selected.order, deadline);
  for (const CorpusLine& line : lines) {
    if (stop()) break;
    Coverage coverage;
    all.push_back({line, worker.run(property_of(line.problem.property), line.problem, coverage)});
  }
  return all;
}

}  // namespace tileproof
