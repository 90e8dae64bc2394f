/// The figures of a measurement: how accurate the results are, and where the differing elements lie.
#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "properties/accuracy/accuracy.h"
#include "properties/accuracy/measurements.h"

namespace tileproof {

/// The binade of a group's scale: the exponent of its power of two. Scales without one sort after all others.
using Binade = int;
namespace binade {
inline constexpr Binade zero = 1000;
inline constexpr Binade infinite = 1001;
inline constexpr Binade nan = 1002;
inline constexpr Binade none = 1003;  // there is no scale
}  // namespace binade
Binade binade_of(reference::FloatFormat, std::uint32_t scale);

/// Magnitude of the largest term of a weight's formula: the product or, in the float domain, the zero if that is
/// larger. Infinite or NaN if a parameter is.
double largest_term(const Problem&, const AccuracyData&, std::int64_t row, std::int64_t column);

/// The differing elements in one cell of a map.
struct WrongCell {
  std::int64_t wrong = 0;  // explained and unexplained
  std::int64_t unexplained = 0;
};

/// The elements with one k, one group size or one binade.
struct CurvePoint {
  std::int64_t elements = 0;
  std::int64_t differing = 0;
  std::int64_t unexplained = 0;
  std::int64_t finite = 0;  // both values are finite; the following figures are about these, in ulp
  double largest = 0;
  double magnitudes = 0;  // sum of magnitudes

  void add(const CurvePoint&);
};

struct AccuracyFigures {
  explicit AccuracyFigures(std::optional<reference::FloatFormat> format) : accuracy(format), of_ordinary(format) {}

  /// Adds a problem's case.
  /// @throws std::logic_error if the case expected other results than the measurement
  void add(const Measurement&, const Problem&, const AccuracyData&, const ComparedElements&);
  void add(const AccuracyFigures&);

  static constexpr int no_nibble = -1;
  static constexpr std::int64_t period = 64;  // of rows and columns in the map `row_by_column`

  Accuracy accuracy;
  // Only problems with ordinary values; the other profiles exist to break something.
  Accuracy of_ordinary;
  std::map<std::pair<int, Binade>, WrongCell> nibble_by_binade;
  std::map<std::pair<int, int>, WrongCell> row_by_column;  // both modulo `period`
  std::map<int, CurvePoint> by_k;                          // by floor(log2(k))
  std::map<std::int64_t, CurvePoint> by_group;             // by group size
  std::map<Binade, CurvePoint> by_binade;
  std::uint64_t output_hash = hash_of_nothing;  // of all result bits, in order

 private:
  void differs(const Measurement&, const Problem&, std::int64_t row, std::int64_t column, Binade, bool explained);
};

}  // namespace tileproof
