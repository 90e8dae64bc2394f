#include "properties/registry.h"

#include "properties/accuracy/surveys.h"
#include "properties/catalogue/claims.h"
#include "properties/mutants/deadly.h"
#include "properties/mutants/faults.h"
#include "properties/subjects/watched.h"

namespace tileproof {

const SubjectRow& subject_row(const std::string& name) {
  std::string legal;
  for (const SubjectRow& row : subjects()) {
    if (row.name == name) return row;
    legal += (legal.empty() ? "" : ", ") + row.name;
  }
  for (const SubjectRow& row : faulty_subjects()) {
    if (row.name == name) return row;
  }
  for (const SubjectRow& row : watched_subjects()) {
    if (row.name == name) return row;
  }
  if (name.starts_with("deadly:")) {
    for (const SubjectRow& row : deadly_subjects()) {
      if (row.name == name) return row;
    }
  }
  throw Illegal("--subject", "'" + name + "'", legal + ", or one of 'tileproof list faults'");
}

const Claim& claim_of(const std::string& name) {
  for (const Claim& claim : claims()) {
    if (claim.name == name) return claim;
  }
  for (const Survey& survey : surveys()) {
    if (survey.claim.name == name) return survey.claim;
  }
  throw Illegal("--claim", "'" + name + "'", "a name of 'tileproof list claims'");
}

}  // namespace tileproof
