/// A property, named as a sentence that is true of every correct subject. To add one, add a row to the file of its kind
/// (catalogue/*.cpp): its operations, its coverage goals, and a body that draws, runs and compares.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "properties/case/case.h"
#include "properties/case/coverage.h"
#include "properties/subjects/subject.h"

namespace tileproof {

/// The problems that a property is drawn from, within the subject's capabilities.
struct Sampling {
  std::vector<const Format*> formats = every_format_there_is();
  std::vector<const Scheme*> schemes = every_scheme();
  std::vector<Types> types = every_types();
  std::vector<std::string> profiles = {"ordinary"};
  std::vector<std::string> variants = {""};  // ways of calling; each is judged by itself, with a share of the cases
  // About codes, which have no scheme or type: each format is drawn with one scheme and one type.
  bool of_codes = false;
  std::int64_t n_multiple = 1;
  std::int64_t most_k = 4096;
  std::int64_t most_elements = 24576;
  std::int64_t most_experts = 1;    // above 1: a batch, which not every subject takes
  std::vector<Problem> fixed = {};  // if not empty, only these problems
  // If set, these replace `variants` and `fixed` by functions of the subject's capabilities.
  std::function<std::vector<std::string>(const Capabilities&)> variants_for = nullptr;
  std::function<std::vector<Problem>(const Capabilities&)> fixed_for = nullptr;

  bool is_fixed() const { return !fixed.empty() || fixed_for != nullptr; }
};

/// How a property judges a subject that refuses one of its problems with an error.
enum class OnRefusal {
  counted,  // reported separately; the case shows nothing
  allowed,  // a legal answer, as to another layout or a stack
  failed    // a failure: the property says that the call is accepted
};

/// The whole domain of a property, cut into steps. Each step is a problem whose data are enumerated, not drawn, and no
/// two steps hold the same points: a property that holds in every step is proved.
struct Enumeration {
  std::int64_t steps = 0;
  std::uint64_t points_of_step = 0;  // points in one step
  /// The number of comparisons of one step, if known: any other number is MISTRUSTED, as is a number below the points.
  std::uint64_t compared_of_step = 0;
  std::string point;  // name of the points, in the plural: "(code, scale, zero) triples"
  std::function<Problem(std::int64_t step)> problem;  // the caller fills in property and subject
  std::string order = "lying all over the domain";    // how the first steps lie in the domain
};

/// The problems of an enumeration whose steps differ in their seeds alone.
template <class SeedOf>
std::function<Problem(std::int64_t step)> with_seeds(Problem problem, SeedOf seed_of) {
  return [=](std::int64_t step) {
    Problem one = problem;
    one.seed = static_cast<std::uint64_t>(seed_of(step));
    return one;
  };
}

struct Property {
  std::string name;   // kind/sentence
  std::string finds;  // the mutants that it is meant to find
  std::vector<Operation> needs;
  std::vector<const CoverageGoals*> meets;
  Sampling sampling;
  std::function<void(Case&)> body;
  const CoverageGoals* about = nullptr;  // without these the property shows nothing
  bool of_tensors = false;               // about tensors: only for subjects made of PyTorch operators
  bool from_several_threads = false;     // calls the subject from several threads at once
  bool begins_afresh = false;            // its first case is the first of a new process, if the runner can start one
  bool watches_memory = false;           // says which memory of the subject is not watched
  bool heavy = false;                    // a case may take minutes, so it has a deadline of its own
  OnRefusal on_refusal = OnRefusal::counted;
  bool of_specification = false;  // about the specification itself: only for the subject `reference`
  /// Set if the property can be proved: the name for `tileproof prove`, and the domain within a subject's capabilities.
  std::string proof = "";
  std::function<std::vector<Enumeration>(const Capabilities&)> enumerations = nullptr;
};

/// A property of one operation: "kind/dequantize_SENTENCE". One of an operation that gives no weights is about codes
/// alone.
inline Property operation_property(const std::string& kind, Operation operation, const std::string& sentence,
                                   const std::string& finds, std::vector<const CoverageGoals*> meets,
                                   std::function<void(Case&)> body) {
  return {.name = kind + "/" + name_of(operation) + "_" + sentence,
          .finds = finds,
          .needs = {operation},
          .meets = std::move(meets),
          .sampling = {.of_codes = result_role(operation) != Role::weights},
          .body = std::move(body)};
}
/// One that has a row for each of several operations.
inline Property operation_property(const std::string& kind, Operation operation, const std::string& sentence,
                                   const std::string& finds, std::vector<const CoverageGoals*> meets,
                                   std::function<void(Case&, Operation)> body) {
  return operation_property(kind, operation, sentence, finds, std::move(meets), [=](Case& c) { body(c, operation); });
}

/// The goals, and if the operation is convert those about the format that it gives.
inline std::vector<const CoverageGoals*> with_formats_to(std::vector<const CoverageGoals*> goals, Operation operation) {
  if (operation == Operation::convert) goals.insert(goals.end(), {&every_format_to, &with_padding_to});
  return goals;
}

/// The goals about shapes of an operation on the layout. Only weights have groups and types.
inline std::vector<const CoverageGoals*> shapes_of(Operation operation) {
  std::vector<const CoverageGoals*> goals = {&every_format, &with_padding, &uneven_shapes, &not_square,
                                             &both_alignments};
  if (result_role(operation) == Role::weights) goals.insert(goals.end(), {&several_groups, &every_type});
  return with_formats_to(goals, operation);
}

/// The multiple of n that an operation requires of its caller: a matmul's scales are padded to whole n-tiles.
inline std::int64_t n_multiple_of(Operation operation) { return operation == Operation::matmul ? 8 : 1; }

}  // namespace tileproof
