#include "fuzz/records/accuracy_json.h"

#include "fuzz/records/protocol.h"
#include "fuzz/records/records.h"

namespace tileproof {

using nlohmann::json;

std::optional<reference::FloatFormat> format_of(const Measurement& measurement, const Problem& p) {
  if (!measurement.of_weights) return std::nullopt;
  return float_format_of(p.types.weight);
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

json problems_of(const std::map<std::size_t, std::uint64_t>& inputs) {
  json problems = json::array();
  for (const auto& [id, hash] : inputs) {
    const Problem& p = accuracy_problems()[id];
    problems.push_back({{"id", id},
                        {"n", p.n},
                        {"k", p.k},
                        {"format", p.format->name},
                        {"scheme", p.scheme->name},
                        {"group_size", p.group_size},
                        {"type", name_of(p.types)},
                        {"profile", p.profile},
                        {"seed", in_hex(p.seed)},
                        {"inputs", in_hex(hash)},
                        {"elements", p.n * p.k}});
  }
  return problems;
}

// --- Figures -------------------------------------------------------------------------------------------------------

namespace {

json json_of(const Distances& distances) {
  if (distances.count() == 0) return nullptr;
  const auto percentile = [&](std::int64_t part, std::int64_t whole) -> json {
    const Distances::Percentile found = distances.percentile(part, whole).value();
    return {{"value", found.value}, {"exact", found.exact}};
  };
  return {{"elements", distances.count()},  {"max", distances.largest()},
          {"p99_9", percentile(999, 1000)}, {"p99", percentile(99, 100)},
          {"median", percentile(1, 2)},     {"bias", distances.sum() / static_cast<double>(distances.count())},
          {"above", distances.above()},     {"below", distances.below()}};
}

/// Null for codes, which have no formula, and if no pair of values is finite.
json of_terms(const Accuracy& a) {
  return a.format && a.distances.count() != 0 ? json{{"max", a.largest_of_terms}} : json(nullptr);
}

json json_of(const SignalAndNoise& power) {
  const std::optional<double> decibels = power.decibels();
  return {{"signal", power.signal}, {"noise", power.noise}, {"db", decibels ? json(*decibels) : json(nullptr)}};
}

json json_of_binade(Binade binade) {
  if (binade == binade::zero) return "zero";
  if (binade == binade::infinite) return "infinite";
  return binade == binade::nan ? json("NaN") : json(binade);
}

/// The elements with one k, one group size or one binade.
json json_of_point(const json& at, const Accuracy& a) {
  const auto finite = static_cast<double>(a.distances.count());
  return {{"at", at},
          {"elements", a.elements},
          {"differing", a.elements - a.bit_equal},
          {"unexplained", a.unexplained},
          {"max", a.distances.largest()},
          {"mean", finite == 0 ? 0 : a.distances.sum_of_magnitudes() / finite}};
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
  for (const Distances::Bucket& bucket : a.distances.buckets()) {
    row["ulp"]["histogram"].push_back({{"from", bucket.from}, {"to", bucket.to}, {"count", bucket.count}});
  }
  return row;
}

json ordinary_of(const Accuracy& a) {
  return {{"elements", a.elements},
          {"bit_equal", a.bit_equal},
          {"ulp", json_of(a.distances)},
          {"of_largest_term", of_terms(a)},
          {"sqnr", a.format ? json_of(a.power) : json(nullptr)}};
}

json json_of(const AccuracyCurves& curves) {
  json all = {{"by_k", json::array()}, {"by_group", json::array()}, {"by_binade", json::array()}};
  for (const auto& [at, a] : curves.by_k) all["by_k"].push_back(json_of_point(at, a));
  for (const auto& [at, a] : curves.by_group) all["by_group"].push_back(json_of_point(at, a));
  for (const auto& [at, a] : curves.by_binade) all["by_binade"].push_back(json_of_point(json_of_binade(at), a));
  json places = json::array();
  for (const auto& [at, cell] : curves.row_by_column) {
    places.push_back({at.first, at.second, cell.wrong, cell.unexplained});
  }
  all["wrong"] = {{"row_by_column", places}};
  return all;
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
