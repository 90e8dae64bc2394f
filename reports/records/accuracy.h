/// Reads accuracy.json (schema 4), a measurement of how accurate subjects are. Internal to reports/.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tileproof::reports {

/// Identifies a row of the accuracy table. Members that do not apply are "".
struct AccuracyKey {
  std::string operation, scheme, type, format, group, subject;

  auto operator<=>(const AccuracyKey&) const = default;
  /// "dequantize tinygemm-2 float bf16 group=32"
  std::string text() const;
};

struct Quantile {
  double value = 0;
  bool is_exact = true;  // false: `value` is an upper limit
};

struct UlpFigures {
  double max = 0;
  Quantile p99_9, p99, median;
  double bias = 0;
};

/// Counts by row and column of a map.
using CountsAt = std::map<std::pair<std::string, std::string>, std::uint64_t>;

struct AccuracyRow {
  AccuracyKey key;
  std::string inputs;  // a hash: rows with equal ones measured the same codes and parameters
  bool is_sampled = true;
  std::uint64_t problems = 0, not_run = 0;
  std::string why_not_run;  // kind and details of the first problem that was not run
  std::uint64_t elements = 0, bit_equal = 0;
  std::map<std::string, std::uint64_t> explained;  // elements, by reason
  std::uint64_t unexplained = 0;
  std::uint64_t non_finite_expected = 0, non_finite_disagreements = 0;
  std::uint64_t signs_of_zero_lost = 0;
  std::uint64_t subnormals_expected = 0, subnormals_differing = 0, subnormals_flushed = 0;
  std::optional<UlpFigures> ulp;       // none if no element is finite on both sides
  std::optional<double> max_of_terms;  // in last places of the largest term; none for codes
  std::string sqnr;  // over ordinary values, as models have them: "31.5 dB", "infinite", or "" for codes

  double max_ulp() const { return ulp ? ulp->max : 0; }
  bool is_exact() const { return elements != 0 && bit_equal == elements && not_run == 0; }
};

struct CurvePoint {
  std::string at;
  double max = 0;
};

struct Curve {
  std::string subject, operation, scheme, type;
  std::string bound_name;  // "": theory gives no bound
  double bound = 0;
  std::vector<CurvePoint> by_k, by_group, by_binade;
  CountsAt by_row_and_column;
};

struct WorstCase {
  std::string subject, operation, scheme, type, row, column, place, code, scale, zero, expected, got, why;
  std::optional<double> ulp, of_terms;          // none if expected or got is not finite; of_terms: none for codes
  std::map<std::string, std::string> subjects;  // bits that each subject gave
  std::vector<std::string> replay;
};

struct Accuracy {
  std::vector<AccuracyRow> rows;
  std::vector<Curve> curves;
  std::vector<WorstCase> worst;
  std::map<std::string, std::string> skipped;  // subject -> reason
};

/// @throws std::runtime_error naming the field that is missing, mistyped or contradicts another
Accuracy read_accuracy(const nlohmann::json&);

}  // namespace tileproof::reports
