/// The figures of a measurement: how accurate, and where what differs lies.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "properties/accuracy/accuracy.h"
#include "properties/accuracy/measurements.h"

namespace tileproof {

/// Which power of two a group's scale is as large as; what has none stands behind those that have.
using Binade = int;
namespace binade {
inline constexpr Binade zero = 1000;
inline constexpr Binade infinite = 1001;
inline constexpr Binade nan = 1002;
inline constexpr Binade none = 1003;  // there is no scale
}  // namespace binade
Binade binade_of(reference::FloatFormat, std::uint32_t scale);

/// Magnitude of the largest term of the formula that gives a weight: the product, and in the float domain the zero.
/// Infinite or NaN where a parameter is.
double largest_term(const Problem&, const AccuracyData&, std::int64_t row, std::int64_t column);

/// Elements that differ, in a cell of a map.
struct WrongCell {
  std::int64_t wrong = 0;  // explained or not
  std::int64_t unexplained = 0;
};

/// Elements of one k, one group size, one binade.
struct CurvePoint {
  std::int64_t elements = 0;
  std::int64_t differing = 0;
  std::int64_t unexplained = 0;
  std::int64_t finite = 0;  // both of them; what follows is about these, in ulp
  double largest = 0;
  double magnitudes = 0;  // their sum

  void add(const CurvePoint&);
};

struct AccuracyFigures {
  explicit AccuracyFigures(std::optional<reference::FloatFormat> format) : accuracy(format), of_ordinary(format) {}

  /// Adds a problem's case.
  /// @throws std::logic_error where the case expected something else than the measurement
  void add(const Measurement&, const Problem&, const AccuracyData&, const ComparedElements&);
  void add(const AccuracyFigures&);

  static constexpr int no_nibble = -1;
  static constexpr std::int64_t period = 64;  // of rows and columns in the map of them

  Accuracy accuracy;
  Accuracy of_ordinary;  // of the problems with values as models have them: the others are there to break something
  std::map<std::pair<int, Binade>, WrongCell> nibble_by_binade;
  std::map<std::pair<int, int>, WrongCell> row_by_column;  // both modulo `period`
  std::map<int, CurvePoint> by_k;                          // its logarithm to the base of 2, rounded down
  std::map<std::int64_t, CurvePoint> by_group;             // its size
  std::map<Binade, CurvePoint> by_binade;
  std::uint64_t output_hash = hash_of_nothing;  // of all bits that were got, in order

 private:
  void differs(const Measurement&, const Problem&, std::int64_t row, std::int64_t column, Binade, bool explained);
};

}  // namespace tileproof
