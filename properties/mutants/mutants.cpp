#include "properties/mutants/mutants.h"

#include <memory>

namespace tileproof {

const std::vector<Mutant>& mutants() {
  static const std::vector<Mutant> rows = [] {
    std::vector<Mutant> all;
    for (const auto& kind : {layout_mutants, group_mutants, arithmetic_mutants, memory_mutants}) {
      for (Mutant& mutant : kind()) all.push_back(std::move(mutant));
    }
    return all;
  }();
  return rows;
}

const Mutant& mutant_of(const std::string& name) {
  for (const Mutant& mutant : mutants()) {
    if (mutant.name == name) return mutant;
  }
  throw UsageError("mutant", "'" + name + "'", "a name of 'tileproof list mutants', without 'mutant:'");
}

namespace {

/// A mutant keeps its state between calls without a lock, so it takes one caller at a time.
Capabilities mutant_capabilities() {
  Capabilities capabilities = kernel_capabilities();
  capabilities.several_callers = false;
  return capabilities;
}

}  // namespace

const std::vector<SubjectRow>& mutant_subjects() {
  static const std::vector<SubjectRow> rows = [] {
    std::vector<SubjectRow> all = {
        {"mutant:nothing", "the correct control of the mutants", false, kernel_capabilities(), [] {
           return MadeSubject{mutable_reference({}), ""};
         }}};
    for (const Mutant& mutant : mutants()) {
      all.push_back({"mutant:" + mutant.name, mutant.what, false, mutant_capabilities(), [parts = mutant.parts] {
                       return MadeSubject{mutable_reference(parts), ""};
                     }});
    }
    return all;
  }();
  return rows;
}

}  // namespace tileproof
