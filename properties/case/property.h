/// A property, named as a sentence that is true of every correct subject. To add one, add a row to the file of
/// its kind (catalogue/*.cpp): what it needs, what it must have met, and a body that draws, runs and compares.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "properties/case/case.h"
#include "properties/case/coverage.h"
#include "properties/subjects/subject.h"

namespace tileproof {

/// Which problems a property is drawn from, within what the subject accepts.
struct Sampling {
  std::vector<const Format*> formats = every_format_there_is();
  std::vector<const Scheme*> schemes = every_scheme();
  std::vector<Types> types = every_types();
  std::vector<std::string> profiles = {"ordinary"};
  std::vector<std::string> variants = {""};  // ways of calling; each is judged for itself, with its share of the cases
  bool of_codes = false;  // codes have no scheme and no type: of each format one scheme, and one type
  std::int64_t n_multiple = 1;
  std::int64_t most_k = 4096;
  std::int64_t most_elements = 24576;
  std::int64_t most_experts = 1;    // more than one: a batch, which a subject may not take
  std::vector<Problem> fixed = {};  // these and no others
  // Both as functions of what the subject takes: in place of `variants` and `fixed` where they are given.
  std::function<std::vector<std::string>(const Capabilities&)> variants_for = nullptr;
  std::function<std::vector<Problem>(const Capabilities&)> fixed_for = nullptr;

  bool is_fixed() const { return !fixed.empty() || fixed_for != nullptr; }
};

/// How a property takes it that a subject refuses one of its problems with an error.
enum class OnRefusal {
  counted,  // reported apart; the case has shown nothing
  allowed,  // as good an answer as any: another layout, a stack
  failed    // the property says that it is taken
};

/// The whole domain of a property, cut into steps. Each step is a problem whose data are enumerated, not drawn, and no
/// two steps hold the same points: a property that holds for all of them is proved.
struct Enumeration {
  std::int64_t steps = 0;
  std::uint64_t points_of_step = 0;  // what one step holds
  /// How many comparisons that takes, where it is known: any other number is MISTRUSTED, as are fewer than points.
  std::uint64_t compared_of_step = 0;
  std::string point;                                  // what one is, in the plural: "(code, scale, zero) triples"
  std::function<Problem(std::int64_t step)> problem;  // property and subject are filled in by whoever asks
  std::string order = "lying all over the domain";    // of the steps: what a part of them, from the first on, is
};

struct Property {
  std::string name;   // kind/sentence
  std::string finds;  // the mutants it is for
  std::vector<Operation> needs;
  std::vector<const CoverageGoals*> meets;
  Sampling sampling;
  std::function<void(Case&)> body;
  bool of_tensors = false;            // about tensors: only subjects that are PyTorch operators can be asked
  bool from_several_threads = false;  // calls the subject from several threads at once
  bool begins_afresh = false;         // its first case is the first of a process, where the runner has processes
  bool heavy = false;                 // a case may take minutes: its deadline is another
  OnRefusal on_refusal = OnRefusal::counted;
  bool of_specification = false;  // about the specification itself: only the subject `reference` can be asked
  /// Set where the property can be proved: a name of `tileproof prove`, and the domain, for what a subject takes.
  std::string proof = "";
  std::function<std::vector<Enumeration>(const Capabilities&)> enumerations = nullptr;
};

/// The operations that act on the layout, for properties that are a row for each.
inline constexpr Operation operations_on_the_layout[] = {Operation::pack, Operation::unpack, Operation::dequantize};

}  // namespace tileproof
