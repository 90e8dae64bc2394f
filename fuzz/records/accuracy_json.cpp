#include "fuzz/records/accuracy_json.h"

#include <algorithm>
#include <string_view>

#include "fuzz/records/protocol.h"
#include "fuzz/records/records.h"

namespace tileproof {

using nlohmann::json;

std::optional<reference::FloatFormat> format_of(const Measurement& measurement, const Problem& p) {
  if (!measurement.of_weights) return std::nullopt;
  return float_format_of(p.types.weight);
}

bool is_alike(const Measurement& measurement, const Problem& a, const Problem& b) {
  // Formats that share a formula have separate schemes of one name, which may store parameters differently.
  const bool is_one_formula = std::string_view(a.scheme->name) == b.scheme->name && a.types == b.types;
  return !measurement.of_weights || is_one_formula;
}
json kind_of(const Measurement& measurement, const Problem& p) {
  return {{"operation", name_of(measurement.operation)},
          {"scheme", measurement.of_weights ? json(p.scheme->name) : json(nullptr)},
          {"type", measurement.of_weights ? name_of(p.types) : "codes"}};
}

/// The bits of a weight in hexadecimal, or a code as a number.
std::string element_text(const std::optional<reference::FloatFormat>& format, std::uint32_t bits) {
  return format ? hex_text(bits, format->bits() / 4) : std::to_string(static_cast<std::int32_t>(bits));
}

json problems_of_measurement() {
  json problems = json::array();
  for (std::size_t id = 0; id < accuracy_problems().size(); ++id) {
    const Problem& p = accuracy_problems()[id];
    problems.push_back({{"id", id},
                        {"n", p.n},
                        {"k", p.k},
                        {"format", p.format->name},
                        {"scheme", p.scheme->name},
                        {"group_size", p.group_size},
                        {"type", name_of(p.types)},
                        {"profile", p.scales},
                        {"seed", in_hex(p.seed)},
                        {"elements", p.n * p.k}});
  }
  return problems;
}

// --- Figures -------------------------------------------------------------------------------------------------------

namespace {

json json_of_binade(Binade binade) {
  if (binade == binade::zero) return "zero";
  if (binade == binade::infinite) return "infinite";
  if (binade == binade::nan) return "NaN";
  return binade == binade::none ? json(nullptr) : json(binade);
}

json json_of(const std::optional<Distances::Percentile>& percentile) {
  return {{"value", percentile->value}, {"exact", percentile->exact}};
}

json json_of(const Distances& distances) {
  if (distances.count() == 0) return nullptr;
  return {{"elements", distances.count()},
          {"max", distances.largest()},
          {"p99_9", json_of(distances.percentile(999, 1000))},
          {"p99", json_of(distances.percentile(99, 100))},
          {"median", json_of(distances.percentile(1, 2))},
          {"bias", distances.sum() / static_cast<double>(distances.count())},
          {"above", distances.above()},
          {"below", distances.below()}};
}

json histogram_of(const Distances& distances) {
  json histogram = json::array();
  for (const Distances::Bucket& bucket : distances.buckets()) {
    histogram.push_back({{"from", bucket.from}, {"to", bucket.to}, {"count", bucket.count}});
  }
  return histogram;
}

/// Null for codes, which have no formula, and if no pair of values is finite.
json of_terms(const Accuracy& a) {
  return a.format() && a.distances.count() != 0 ? json{{"max", a.largest_of_terms}} : json(nullptr);
}

json json_of(const SignalAndNoise& power) {
  const std::optional<double> decibels = power.decibels();
  return {{"signal", power.signal}, {"noise", power.noise}, {"db", decibels ? json(*decibels) : json(nullptr)}};
}

}  // namespace

json json_of(const Accuracy& a) {
  json row = {{"elements", a.elements},
              {"bit_equal", a.bit_equal},
              {"differing", {{"explained", a.explained}, {"unexplained", a.unexplained}}},
              {"non_finite",
               {{"expected", a.expected_not_finite},
                {"disagreements", a.non_finite_disagreements},
                {"by_kind", a.of_other_kind}}},
              {"zeros",
               {{"expected_plus", a.expected_plus_zero},
                {"expected_minus", a.expected_minus_zero},
                {"sign_lost", a.other_zero}}},
              {"subnormals",
               {{"expected", a.expected_subnormal}, {"differing", a.differing_subnormal}, {"flushed", a.flushed}}},
              {"ulp", json_of(a.distances)},
              {"of_largest_term", of_terms(a)}};
  if (!row["ulp"].is_null()) row["ulp"]["histogram"] = histogram_of(a.distances);
  return row;
}

/// The figures of problems with ordinary values, in short.
json ordinary_of(const Accuracy& a) {
  return {{"elements", a.elements},
          {"bit_equal", a.bit_equal},
          {"ulp", json_of(a.distances)},
          {"of_largest_term", of_terms(a)},
          {"sqnr", a.format() ? json_of(a.power) : json(nullptr)}};
}

json maps_of(const AccuracyFigures& figures) {
  json nibbles = json::array();
  for (const auto& [at, cell] : figures.nibble_by_binade) {
    const json nibble = at.first == AccuracyFigures::no_nibble ? json(nullptr) : json(at.first);
    nibbles.push_back({nibble, json_of_binade(at.second), cell.wrong, cell.unexplained});
  }
  json places = json::array();
  for (const auto& [at, cell] : figures.row_by_column) {
    places.push_back({at.first, at.second, cell.wrong, cell.unexplained});
  }
  return {{"nibble_by_binade", nibbles}, {"row_by_column", places}};
}

namespace {

json json_of(const json& at, const CurvePoint& point) {
  const double mean = point.finite == 0 ? 0 : point.magnitudes / static_cast<double>(point.finite);
  return {{"at", at},
          {"elements", point.elements},
          {"differing", point.differing},
          {"unexplained", point.unexplained},
          {"max", point.largest},
          {"mean", mean}};
}

}  // namespace

json curves_of(const AccuracyFigures& figures) {
  json by_k = json::array(), by_group = json::array(), by_binade = json::array();
  for (const auto& [at, point] : figures.by_k) by_k.push_back(json_of(at, point));
  for (const auto& [at, point] : figures.by_group) by_group.push_back(json_of(at, point));
  for (const auto& [at, point] : figures.by_binade) by_binade.push_back(json_of(json_of_binade(at), point));
  return {{"by_k", by_k}, {"by_group", by_group}, {"by_binade", by_binade}};
}

// --- Single elements -----------------------------------------------------------------------------------------------

const ComparedElements::Difference* difference_at(const ComparedElements& compared_elements, std::int64_t index) {
  const auto at =
      std::lower_bound(compared_elements.differences.begin(), compared_elements.differences.end(), index,
                       [](const ComparedElements::Difference& one, std::int64_t i) { return one.index < i; });
  return at != compared_elements.differences.end() && at->index == index ? &*at : nullptr;
}

const std::string& reason_of(const ComparedElements& compared_elements, const ComparedElements::Difference& one) {
  static const std::string none;
  return one.reason == ComparedElements::none ? none
                                              : compared_elements.reasons.at(static_cast<std::size_t>(one.reason));
}

std::string by_lines(const json& object) {
  std::string text = "{";
  const char* comma = "\n";
  for (const auto& [name, value] : object.items()) {
    text += comma + dumped(name) + ": ";
    comma = ",\n";
    if (!value.is_array() || value.empty()) {
      text += dumped(value);
      continue;
    }
    const char* between = "[\n  ";
    for (const json& element : value) {
      text += between + dumped(element);
      between = ",\n  ";
    }
    text += "]";
  }
  return text + "\n}\n";
}

}  // namespace tileproof
