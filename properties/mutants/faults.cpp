#include "properties/mutants/faults.h"

#include <memory>

namespace tileproof {

const std::vector<Fault>& faults() {
  static const std::vector<Fault> rows = [] {
    std::vector<Fault> all;
    for (const auto& kind : {layout_faults, group_faults, arithmetic_faults, memory_faults}) {
      for (Fault& fault : kind()) all.push_back(std::move(fault));
    }
    return all;
  }();
  return rows;
}

const Fault& fault_of(const std::string& name) {
  for (const Fault& fault : faults()) {
    if (fault.name == name) return fault;
  }
  throw Illegal("fault", "'" + name + "'", "a name of 'tileproof list faults', without 'faulty:'");
}

namespace {

/// Parts that are put in keep what they need between calls, and no lock.
Envelope faulty_envelope() {
  Envelope envelope = kernel_envelope();
  envelope.several_callers = false;
  return envelope;
}

}  // namespace

const std::vector<SubjectRow>& faulty_subjects() {
  static const std::vector<SubjectRow> rows = [] {
    std::vector<SubjectRow> all = {
        {"faulty:nothing", "the correct twin of the faulty subjects", false, kernel_envelope(), [] {
           return MadeSubject{scalar_subject({}), ""};
         }}};
    for (const Fault& fault : faults()) {
      all.push_back({"faulty:" + fault.name, fault.what, false, faulty_envelope(), [parts = fault.parts] {
                       return MadeSubject{scalar_subject(parts()), ""};
                     }});
    }
    return all;
  }();
  return rows;
}

}  // namespace tileproof
