// Writes measurements as JSON: schema 4 of accuracy.json. Schema 3 did not say which inputs were measured, and schema 1
// counted the values of the format in between and called them ulp.
#include "fuzz/campaign/accuracy_run.h"
#include "fuzz/process/in_threads.h"
#include "fuzz/records/accuracy_json.h"
#include "fuzz/records/records.h"

namespace tileproof {

using nlohmann::json;

namespace {

/// Whether the next row joins the curve of the rows before. Formats that share a formula have separate schemes of one
/// name, which may store parameters differently.
bool is_of_kind(const RowsOfAKind& rows, const MeasuredRow& next) {
  const MeasuredRow& last = *rows.back();
  return last.subject == next.subject &&
         kind_of(*last.measurement, last.like()) == kind_of(*next.measurement, next.like());
}

/// @param inputs  a hash of those of the row's problems
json json_of(const MeasuredRow& row, const RowFigures& figures, std::uint64_t inputs) {
  json one = json_of(figures.accuracy);
  one.update(kind_of(*row.measurement, row.like()));
  one["subject"] = row.subject;
  one["format"] = row.measurement->is_packed ? json(row.like().format->name) : json(nullptr);
  one["group"] = row.measurement->of_weights ? json(row.like().group_size) : json(nullptr);
  one["sampled"] = true;
  one["inputs"] = in_hex(inputs);
  json not_run = json::array();
  for (const MeasuredCase& lost : row.cases) {
    if (lost.kind.empty()) continue;
    not_run.push_back({{"problem", lost.problem}, {"kind", lost.kind}, {"details", lost.details}});
  }
  one["problems"] = row.cases.size() - not_run.size();
  one["not_run"] = not_run;
  one["ordinary"] = ordinary_of(figures.of_ordinary);
  one["output_hash"] = in_hex(figures.output_hash);
  return one;
}

json json_of(const MeasuredRow& like, const AccuracyCurves& curves) {
  const std::string& bound = like.measurement->bound;
  json one = json_of(curves);
  one.update(kind_of(*like.measurement, like.like()));
  one["subject"] = like.subject;
  one["bound"] = bound.empty() ? json(nullptr) : json{{"ulp", 0}, {"name", bound}};
  return one;
}

}  // namespace

json AccuracyRun::part_of(const RowsOfAKind& rows) const {
  json table = json::array();
  AccuracyCurves curves;
  for (const MeasuredRow* row : rows) {
    const Measurement& measurement = *row->measurement;
    RowFigures figures(format_of(measurement, row->like()));
    std::uint64_t inputs = hash_of_nothing;
    for (const MeasuredCase& one : row->cases) {
      const AccuracyData& data = data_of(measurement, one.problem);
      inputs = folded_hash(inputs, data.inputs);
      if (!one.kind.empty()) continue;
      add_case(measurement, accuracy_problems()[one.problem], data, one.compared_elements, figures, curves);
    }
    table.push_back(json_of(*row, figures, inputs));
  }
  return {{"rows", table}, {"curves", json::array({json_of(*rows.front(), curves)})}, {"worst", worst_of(rows)}};
}

json AccuracyRun::record() const {
  std::vector<RowsOfAKind> kinds;
  for (const MeasuredRow& row : rows_) {
    if (kinds.empty() || !is_of_kind(kinds.back(), row)) kinds.emplace_back();
    kinds.back().push_back(&row);
  }
  std::vector<json> parts(kinds.size());
  in_threads(threads_, kinds.size(), [&](std::size_t, std::size_t i) { parts[i] = part_of(kinds[i]); });
  std::map<std::size_t, std::uint64_t> inputs;
  for (const auto& [key, data] : data_) inputs[key.second] = data.inputs;
  json record = {{"schema", 4}, {"problems", problems_of(inputs)}};
  for (const char* field : {"rows", "curves", "worst"}) {
    record[field] = json::array();
    for (const json& part : parts) record[field].insert(record[field].end(), part[field].begin(), part[field].end());
  }
  record["skipped"] = json::array();
  for (const auto& [subject, why] : left_out_) record["skipped"].push_back({{"subject", subject}, {"why", why}});
  return record;
}

}  // namespace tileproof
