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
}  // namespace binade

/// Magnitude of the largest term of a weight's formula: the product or, in the float domain, the zero if that is
/// larger. Infinite or NaN if a parameter is.
double largest_term(const Problem&, const AccuracyData&, std::int64_t row, std::int64_t column);

/// The reason for a difference; "" if nothing explains it.
const std::string& reason_of(const ComparedElements&, const ComparedElements::Difference&);

/// The figures of a row of the table.
struct RowFigures {
  explicit RowFigures(std::optional<reference::FloatFormat> format) : accuracy(format), of_ordinary(format) {}

  Accuracy accuracy;
  // Only problems with ordinary values; the other profiles exist to break something.
  Accuracy of_ordinary;
  std::uint64_t output_hash = hash_of_nothing;  // of all result bits, in order
};

/// The differing elements in one cell of a map.
struct WrongCell {
  std::int64_t wrong = 0;  // explained and unexplained
  std::int64_t unexplained = 0;
};

/// Where errors lie, of rows with the same kind of result.
struct AccuracyCurves {
  static constexpr std::int64_t period = 64;  // of rows and columns in the map `row_by_column`

  std::map<std::int64_t, Accuracy> by_k;      // by floor(log2(k))
  std::map<std::int64_t, Accuracy> by_group;  // by group size
  std::map<Binade, Accuracy> by_binade;
  std::map<std::pair<std::int64_t, std::int64_t>, WrongCell> row_by_column;  // both modulo `period`
};

/// Adds a problem's case to the figures of its row, and to the curves that join the row with others.
/// @throws std::logic_error if the case expected other results than the measurement
void add_case(const Measurement&, const Problem&, const AccuracyData&, const ComparedElements&, RowFigures&,
              AccuracyCurves&);

}  // namespace tileproof
