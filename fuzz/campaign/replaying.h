/// Runs the lines of a corpus again.
#pragma once

#include <functional>

#include "fuzz/campaign/selection.h"
#include "fuzz/corpus/corpus.h"

namespace tileproof {

struct Replayed {
  CorpusLine line;
  CaseOutcome outcome;
};

/// The lines whose problems the subject can take, as problems of that subject.
/// @param properties  the properties wanted
std::vector<CorpusLine> lines_for(const SubjectRow&, const std::vector<const Property*>& properties,
                                  const std::vector<CorpusLine>&);

/// Runs lines one after another in a worker process, and in a new one after one dies.
/// @param stop  asked before each line: true leaves the rest
std::vector<Replayed> replayed(const SelectedSubject&, const std::vector<CorpusLine>&,
                               std::chrono::milliseconds deadline, const std::function<bool()>& stop);

}  // namespace tileproof
