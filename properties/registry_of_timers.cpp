// A file of its own, because timers are a library of their own.
#include "properties/mutants/mutants.h"
#include "properties/registry.h"
#include "properties/timing/rows.h"

namespace tileproof {

TimerRow timer_row(const std::string& name) {
  std::string legal;
  for (const TimerRow& row : timers()) {
    if (row.name == name) return row;
    legal += row.name + ", ";
  }
  for (const SubjectRow& row : mutant_subjects()) {
    if (row.name != name) continue;
    TimerRow as_it_is = timers().front();
    as_it_is.name = name;
    as_it_is.where = {name};
    as_it_is.subject = name;
    as_it_is.make = [make = row.make] { return make_timer_of(make().subject); };
    return as_it_is;
  }
  throw UsageError("--subject", "'" + name + "'", legal + "or one of 'tileproof list mutants'");
}

}  // namespace tileproof
