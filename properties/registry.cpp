#include "properties/registry.h"

#include "properties/accuracy/measurements.h"
#include "properties/catalogue/properties.h"
#include "properties/mutants/misbehaving.h"
#include "properties/mutants/mutants.h"
#include "properties/subjects/watched.h"

namespace tileproof {

const SubjectRow& subject_row(const std::string& name) {
  // A table is made when a name is first looked for in it: the last one is made of a row of the first.
  for (const auto table : {subjects, mutant_subjects, watched_subjects, misbehaving_subjects}) {
    for (const SubjectRow& row : table()) {
      if (row.name == name) return row;
    }
  }
  std::string legal;
  for (const SubjectRow& row : subjects()) legal += row.name + ", ";
  throw UsageError("--subject", "'" + name + "'", legal + "or one of 'tileproof list mutants'");
}

const Property& property_of(const std::string& name) {
  for (const Property& property : properties()) {
    if (property.name == name) return property;
  }
  for (const Measurement& measurement : measurements()) {
    if (measurement.property.name == name) return measurement.property;
  }
  throw UsageError("--property", "'" + name + "'", "a name of 'tileproof list properties'");
}

Problem possible_problem(const std::string& line) {
  const Problem problem = problem_of(line);
  static_cast<void>(property_of(problem.property));
  require_possible(problem);
  return problem;
}

}  // namespace tileproof
