/// Coverage: what the cases of a property have met, which decides whether a PASSED was earned.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "properties/subjects/subject.h"

namespace tileproof {

/// A hash of values in their order, each folded in: FNV-1a, 32 bits a step.
inline constexpr std::uint64_t hash_of_nothing = 0xcbf29ce484222325u;
inline std::uint64_t folded(std::uint64_t hash, std::uint32_t value) { return (hash ^ value) * 0x100000001b3u; }

/// The largest value of a measure, and the place where it was met.
struct Largest {
  double value = 0;
  std::string where;
};

/// The elements of a case that are not as expected, for whoever measures accuracy.
struct ComparedElements {
  struct Difference {
    std::int64_t index;  // in row-major order; ascending
    std::uint32_t got;
    std::int64_t reason;  // of `reasons`, that reproduces it; none: nothing does
  };
  static constexpr std::int64_t none = -1;
  std::int64_t elements = 0;
  std::uint64_t expected_hash = hash_of_nothing;  // of what the case expected
  std::vector<Difference> differences;
  std::vector<std::string> reasons;

  void expected(std::uint32_t value);
  /// @param reason  nullptr where nothing explains it
  void differs(std::int64_t index, std::uint32_t got, const char* reason);
};

struct Coverage {
  std::int64_t compared = 0;    // elements
  bool several_values = false;  // among the expected ones
  std::uint32_t first_value = 0;
  std::array<std::array<bool, 8>, 16> code_at_nibble = {};
  std::map<std::string, std::int64_t> classes;        // how many cases met each named class of problem or value
  std::map<std::string, std::int64_t> explained;      // how many elements differ for each named, reproduced reason
  std::map<std::string, Largest> largest;             // of each named measure, over all cases
  std::uint64_t output_hash = hash_of_nothing;        // of every output
  std::map<std::string, std::uint64_t> runs;          // the same of each way in which a property runs an operation
  std::optional<ComparedElements> compared_elements;  // where somebody has asked for it, by putting an empty one there

  /// Everything of another, as if it had been met here.
  void add(const Coverage& other);
  /// Its classes and codes, compared or not.
  void include(const Coverage& other);
  void expected_value(std::uint32_t value);
  /// The same of each of some values, and what follows for outputs.
  template <class T>
  void expected_all(const std::vector<T>& values);
  template <class T>
  void output_all(const std::vector<T>& values);
  /// Counts elements that have been compared, of which `expected_value` need not see each.
  void compared_more(std::int64_t elements) { compared += elements; }
  /// A measure that the property reports beside its verdict: the largest, and where it was met.
  void measured(const std::string& name, double value, const std::string& where);
  /// Results of one of several ways in which the property runs an operation: their hashes are reported.
  template <class T>
  void record_hash(const std::string& way, const std::vector<T>& results);
  void output_value(std::uint32_t value) { output_hash = folded(output_hash, value); }
};

template <class T>
void Coverage::expected_all(const std::vector<T>& values) {
  if (values.empty()) return;
  if (compared == 0) first_value = static_cast<std::uint32_t>(values.front());
  compared += static_cast<std::int64_t>(values.size());
  for (std::size_t i = 0; i < values.size() && !several_values; ++i) {
    several_values = static_cast<std::uint32_t>(values[i]) != first_value;
  }
}

template <class T>
void Coverage::output_all(const std::vector<T>& values) {
  for (const T value : values) output_value(static_cast<std::uint32_t>(value));
}

template <class T>
void Coverage::record_hash(const std::string& way, const std::vector<T>& results) {
  std::uint64_t& hash = runs.try_emplace(way, hash_of_nothing).first->second;
  for (const T value : results) hash = folded(hash, static_cast<std::uint32_t>(value));
}

/// One class of problems or data that a property must have met on a subject.
struct CoverageGoal {
  std::string name;
  std::function<bool(const Capabilities&)>
      in_reach;  // whether what the subject takes, and the property draws, allows it
  bool (*is_met)(const Coverage&, const std::string& name);
  const Format* format = nullptr;  // of a goal about one format
};

/// The goals that a property names together: "every type" is a goal for each type.
struct CoverageGoals {
  std::string name;
  std::vector<CoverageGoal> goals;
};

/// Counts the classes that a problem belongs to by its numbers alone.
void count_problem(const Problem&, Coverage&);
/// What the class is called of problems that are of a variant.
std::string variant_class(const std::string& variant);
/// Counts the classes of scale and zero that a case's data hold.
void count_values(reference::FloatFormat, const std::vector<std::uint32_t>& scales, Coverage&);

// The classes that properties name.
extern const CoverageGoals every_code_at_every_nibble;
extern const CoverageGoals every_format;
extern const CoverageGoals with_padding;
extern const CoverageGoals several_groups;
extern const CoverageGoals groups_around_a_block;  // smaller than what k is a multiple of, equal and larger
extern const CoverageGoals unusual_groups;         // of more than 256, and of no power of two
extern const CoverageGoals more_groups_than_a_group_has_columns;
extern const CoverageGoals not_square;
extern const CoverageGoals every_class_of_scale;
extern const CoverageGoals every_type;
extern const CoverageGoals both_alignments;
/// More rows, columns and extents of the packed tensor than 16 bits count, in each format.
extern const CoverageGoals beyond_16_bits;
extern const CoverageGoals groups_beyond_16_bits;  // and more groups
extern const CoverageGoals square_in_every_format;

/// The goals of some classes, of a subject.
struct Goals {
  std::vector<const CoverageGoal*> in_reach;
  std::vector<std::string> out_of_reach;  // names
};
Goals goals_of(const std::vector<const CoverageGoals*>&, const Capabilities&);

/// @return the names of the goals not met, or why the comparison proves nothing; empty where it is to be trusted
std::vector<std::string> unmet(const Coverage&, const Goals&);

}  // namespace tileproof
