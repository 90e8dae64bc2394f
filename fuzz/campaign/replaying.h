/// A corpus run again: what its lines show today.
#pragma once

#include <functional>

#include "fuzz/campaign/selection.h"
#include "fuzz/corpus/corpus.h"

namespace tileproof {

struct Replayed {
  CorpusLine line;
  CaseOutcome outcome;
};

/// The lines that the subject can be asked, as problems of that subject.
/// @param properties  those wanted
std::vector<CorpusLine> lines_for(const SubjectRow&, const std::vector<const Property*>& properties,
                                  const std::vector<CorpusLine>&);

/// Runs lines one after another in processes of their own, a fresh one where one dies of them.
/// @param stop  asked before each: whether to leave the rest
std::vector<Replayed> replayed(const SelectedSubject&, const std::vector<CorpusLine>&,
                               std::chrono::milliseconds deadline, const std::function<bool()>& stop);

}  // namespace tileproof
