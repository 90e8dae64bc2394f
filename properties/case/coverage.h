/// Coverage: what the cases of a property have met. It decides whether a PASSED is earned.
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

/// A hash of values in their order: FNV-1a, one 32-bit value a step.
inline constexpr std::uint64_t hash_of_nothing = 0xcbf29ce484222325u;
inline std::uint64_t folded(std::uint64_t hash, std::uint32_t value) { return (hash ^ value) * 0x100000001b3u; }

/// Folds the 64 bits of another hash.
inline std::uint64_t folded_hash(std::uint64_t hash, std::uint64_t other) {
  return folded(folded(hash, static_cast<std::uint32_t>(other)), static_cast<std::uint32_t>(other >> 32));
}

/// Folds all values: four at a time into hashes of their own, because each multiplication waits for the one before it.
template <class T>
std::uint64_t folded_all(std::uint64_t hash, const std::vector<T>& values) {
  std::uint64_t lanes[4] = {hash, hash_of_nothing, hash_of_nothing, hash_of_nothing};
  std::size_t i = 0;
  for (; i + 4 <= values.size(); i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) {
      lanes[lane] = folded(lanes[lane], static_cast<std::uint32_t>(values[i + lane]));
    }
  }
  for (; i < values.size(); ++i) lanes[0] = folded(lanes[0], static_cast<std::uint32_t>(values[i]));
  hash = lanes[0];
  for (std::size_t lane = 1; lane < 4; ++lane) hash = folded_hash(hash, lanes[lane]);
  return hash;
}

/// The largest value of a measure, and the place where it was met.
struct Largest {
  double value = 0;
  std::string where;
};

/// The elements of a case that differ from the expected ones, for measurements of accuracy.
struct ComparedElements {
  struct Difference {
    std::int64_t index;  // in row-major order; ascending
    std::uint32_t got;
    std::int64_t reason;  // index in `reasons` of the reason that reproduces it; none: nothing does
  };
  static constexpr std::int64_t none = -1;
  std::int64_t elements = 0;
  std::uint64_t expected_hash = hash_of_nothing;  // hash of the expected elements
  std::vector<Difference> differences;
  std::vector<std::string> reasons;

  void expected(std::uint32_t value);
  /// @param reason  nullptr if nothing explains the difference
  void differs(std::int64_t index, std::uint32_t got, const char* reason);
};

struct Coverage {
  std::int64_t compared = 0;    // elements
  bool several_values = false;  // the expected values are not all equal
  std::uint32_t first_value = 0;
  std::array<std::array<bool, 8>, 16> code_at_nibble = {};
  std::map<std::string, std::int64_t> classes;    // how many cases met each named class of problem or value
  std::map<std::string, std::int64_t> explained;  // how many elements differ for each named, reproduced reason
  std::map<std::string, Largest> largest;         // the largest value of each named measure
  std::uint64_t output_hash = hash_of_nothing;    // hash of every output
  std::map<std::string, std::uint64_t> runs;      // hash of each way of running an operation
  // Recorded only if the caller puts an empty one here.
  std::optional<ComparedElements> compared_elements;

  /// Adds all coverage of another; nothing if it compared nothing.
  void add(const Coverage& other);
  /// Adds the classes and codes of another, whether or not it compared anything.
  void include(const Coverage& other);
  /// Counts a code that lies in a nibble of its storage unit.
  void saw(std::uint32_t code, int nibble) { code_at_nibble[code][static_cast<std::size_t>(nibble)] = true; }
  /// Whether each of the first nibbles has held every code.
  bool has_every_code(int nibbles = 8) const;
  void expected_value(std::uint32_t value);
  /// Count all values as expected_value() does, and hash all values as output_value() does.
  template <class T>
  void expected_all(const std::vector<T>& values);
  template <class T>
  void output_all(const std::vector<T>& values);
  /// Counts compared elements that expected_value() does not see.
  void compared_more(std::int64_t elements) { compared += elements; }
  /// Records a measure that the property reports beside its verdict; keeps the largest value and where it was met.
  void measured(const std::string& name, double value, const std::string& where);
  /// Hashes results of one of several ways in which the property runs an operation; the hashes are reported.
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
  output_hash = folded_all(output_hash, values);
}

template <class T>
void Coverage::record_hash(const std::string& way, const std::vector<T>& results) {
  std::uint64_t& hash = runs.try_emplace(way, hash_of_nothing).first->second;
  hash = folded_all(hash, results);
}

/// One class of problems or data that a property must have met on a subject.
struct CoverageGoal {
  std::string name;
  std::function<bool(const Capabilities&)>
      in_reach;  // whether the subject's capabilities and the property's draws allow it
  bool (*is_met)(const Coverage&, const std::string& name);
  const Format* format = nullptr;  // set for a goal about one format
  bool is_told = true;             // in the verdict, where it is out of reach
};

/// The goals that a property names together: "every type" is a goal for each type.
struct CoverageGoals {
  std::string name;
  std::vector<CoverageGoal> goals;
};

/// Counts the classes that a problem belongs to by its numbers alone.
void count_problem(const Problem&, Coverage&);
/// The name of the class of a variant's problems.
std::string variant_class(const std::string& variant);
/// Counts the classes that a case's scales belong to.
void count_values(reference::FloatFormat, const std::vector<std::uint32_t>& scales, Coverage&);

// The goals that properties name.
extern const CoverageGoals every_code_at_every_nibble;
extern const CoverageGoals every_format;
extern const CoverageGoals every_format_to;  // that convert gives
extern const CoverageGoals with_padding;
extern const CoverageGoals with_padding_to;  // in what convert gives
extern const CoverageGoals several_groups;
extern const CoverageGoals groups_around_a_block;  // smaller than, equal to and larger than the layout's unit of k
extern const CoverageGoals uneven_shapes;          // rows of an odd number of columns, and a last group that is short
extern const CoverageGoals unusual_groups;         // more than 256 columns, and no power of two
extern const CoverageGoals more_groups_than_a_group_has_columns;
extern const CoverageGoals not_square;
extern const CoverageGoals every_class_of_scale;
extern const CoverageGoals every_type;
extern const CoverageGoals both_alignments;
/// More rows, columns and extents of the packed tensor than 16 bits count, in each format.
extern const CoverageGoals beyond_16_bits;
extern const CoverageGoals groups_beyond_16_bits;  // more groups than 16 bits count
extern const CoverageGoals square_in_every_format;

/// Goals that a subject can reach, and the names of those that it cannot.
struct Goals {
  std::vector<const CoverageGoal*> in_reach;
  std::vector<std::string> out_of_reach;  // names
};
Goals goals_of(const std::vector<const CoverageGoals*>&, const Capabilities&);

/// @return the names of the goals not met, or why the comparison proves nothing; empty if it is to be trusted
std::vector<std::string> unmet(const Coverage&, const Goals&);

}  // namespace tileproof
