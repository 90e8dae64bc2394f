#include "reports/records/accuracy.h"

#include <nlohmann/json.hpp>
#include <set>

#include "reports/field.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

std::uint64_t sum(const std::map<std::string, std::uint64_t>& counts) {
  std::uint64_t all = 0;
  for (const auto& [name, count] : counts) all += count;
  return all;
}

double magnitude(const Field& field) {
  field.require(field.number() >= 0, "a number, not negative");
  return field.number();
}

std::optional<double> read_number(const Field& field) {
  return field.is_nothing() ? std::nullopt : std::optional(field.number());
}

Quantile read_quantile(const Field& field) { return {magnitude(field["value"]), field["exact"].truth()}; }

std::optional<UlpFigures> read_ulp(const Field& field) {
  if (field.is_nothing()) return std::nullopt;
  return UlpFigures{.max = magnitude(field["max"]),
                    .p99_9 = read_quantile(field["p99_9"]),
                    .p99 = read_quantile(field["p99"]),
                    .median = read_quantile(field["median"]),
                    .bias = field["bias"].number()};
}

std::string read_sqnr(const Field& field) {
  if (field.is_nothing()) return "";
  if (field["db"].is_nothing()) return field["noise"].number() == 0 ? "infinite" : "";
  return fixed(field["db"].number(), 1) + " dB";
}

AccuracyRow read_accuracy_row(const Field& field) {
  AccuracyRow row;
  row.key = {field["operation"].text(), field["scheme"].label(), field["type"].text(),
             field["format"].label(),   field["group"].label(),  field["subject"].text()};
  row.inputs = field["inputs"].text();
  row.is_sampled = field["sampled"].truth();
  row.problems = field["problems"].count();
  for (const Field& item : field["not_run"].items()) {
    if (row.not_run++ == 0) row.why_not_run = item["kind"].text() + ": " + item["details"].text();
  }
  row.elements = field["elements"].count();
  row.bit_equal = field["bit_equal"].count();
  row.explained = field["differing"]["explained"].counts();
  row.unexplained = field["differing"]["unexplained"].count();
  field["differing"].require(row.bit_equal + sum(row.explained) + row.unexplained == row.elements,
                             "as many as elements that are not bit_equal");
  const Field non_finite = field["non_finite"], subnormals = field["subnormals"];
  row.non_finite_expected = non_finite["expected"].count();
  row.non_finite_disagreements = non_finite["disagreements"].count();
  row.signs_of_zero_lost = field["zeros"]["sign_lost"].count();
  row.subnormals_expected = subnormals["expected"].count();
  row.subnormals_differing = subnormals["differing"].count();
  row.subnormals_flushed = subnormals["flushed"].count();
  row.ulp = read_ulp(field["ulp"]);
  if (!field["of_largest_term"].is_nothing()) row.max_of_terms = magnitude(field["of_largest_term"]["max"]);
  row.sqnr = read_sqnr(field["ordinary"]["sqnr"]);
  return row;
}

std::vector<CurvePoint> read_points(const Field& field) {
  std::vector<CurvePoint> points;
  for (const Field& item : field.items()) {
    points.push_back({item["at"].label(), magnitude(item["max"])});
  }
  return points;
}

/// Reads places as [row, column, wrong, unexplained]; the last is not kept.
CountsAt read_places(const Field& field) {
  CountsAt places;
  for (const Field& item : field.items()) {
    const std::vector<Field> place = item.items();
    item.require(place.size() == 4, "two coordinates, wrong and unexplained");
    places[{place[0].label(), place[1].label()}] += place[2].count();
  }
  return places;
}

Curve read_curve(const Field& field) {
  Curve curve = {.subject = field["subject"].text(),
                 .operation = field["operation"].text(),
                 .scheme = field["scheme"].label(),
                 .type = field["type"].text(),
                 .bound_name = "",
                 .by_k = read_points(field["by_k"]),
                 .by_group = read_points(field["by_group"]),
                 .by_binade = read_points(field["by_binade"]),
                 .by_row_and_column = read_places(field["wrong"]["row_by_column"])};
  if (!field["bound"].is_nothing()) {
    curve.bound = field["bound"]["ulp"].number();
    curve.bound_name = field["bound"]["name"].text();
  }
  return curve;
}

std::string place_of(const Field& field) {
  std::string place = field["place"].is_nothing() ? "" : field["place"].text();
  if (!field["group"].is_nothing()) place += (place.empty() ? "group " : ", group ") + field["group"].label();
  return place;
}

WorstCase read_worst(const Field& field) {
  const std::string zero = field["zero"].label(), zero_point = field["zero_point"].label();
  return {.subject = field["subject"].text(),
          .operation = field["operation"].text(),
          .scheme = field["scheme"].label(),
          .type = field["type"].text(),
          .row = field["row"].label(),
          .column = field["column"].label(),
          .place = place_of(field),
          .code = field["code"].label(),
          .scale = field["scale"].label(),
          .zero = zero.empty() ? zero_point : zero,
          .expected = field["expected"].text(),
          .got = field["got"].text(),
          .why = field["why"].text(),
          .ulp = read_number(field["ulp"]),
          .of_terms = read_number(field["of_largest_term"]),
          .subjects = field["subjects"].texts_by_name(),
          .replay = field["replay"].texts()};
}

}  // namespace

std::string AccuracyKey::text() const {
  std::string all = operation;
  for (const std::string& part : {format, scheme, type}) {
    if (!part.empty()) all += " " + part;
  }
  if (!group.empty()) all += " group=" + group;
  return all;
}

Accuracy read_accuracy(const json& accuracy) {
  const Field root(accuracy, "accuracy.json");
  root.require_schema(4);
  Accuracy result;
  std::set<AccuracyKey> keys;
  for (const Field& item : root["rows"].items()) {
    result.rows.push_back(read_accuracy_row(item));
    item["subject"].require(keys.insert(result.rows.back().key).second, "each row once");
  }
  for (const Field& item : root["curves"].items()) result.curves.push_back(read_curve(item));
  for (const Field& item : root["worst"].items()) result.worst.push_back(read_worst(item));
  for (const Field& item : root["skipped"].items()) result.skipped[item["subject"].text()] = item["why"].text();
  return result;
}

}  // namespace tileproof::reports
