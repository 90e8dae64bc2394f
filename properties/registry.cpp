#include "properties/registry.h"

#include "properties/accuracy/measurements.h"
#include "properties/catalogue/properties.h"
#include "properties/mutants/misbehaving.h"
#include "properties/mutants/mutants.h"
#include "properties/subjects/watched.h"

namespace tileproof {

const SubjectRow& subject_row(const std::string& name) {
  std::string legal;
  for (const SubjectRow& row : subjects()) {
    if (row.name == name) return row;
    legal += (legal.empty() ? "" : ", ") + row.name;
  }
  for (const SubjectRow& row : mutant_subjects()) {
    if (row.name == name) return row;
  }
  for (const SubjectRow& row : watched_subjects()) {
    if (row.name == name) return row;
  }
  if (name.starts_with("misbehaving:")) {
    for (const SubjectRow& row : misbehaving_subjects()) {
      if (row.name == name) return row;
    }
  }
  throw UsageError("--subject", "'" + name + "'", legal + ", or one of 'tileproof list mutants'");
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

}  // namespace tileproof
