// Writes measurements as JSON: schema 3 of accuracy.json. Schema 1 counted the values of the format in between and
// called them ulp.
#include <algorithm>

#include "fuzz/campaign/accuracy_run.h"
#include "fuzz/campaign/judging.h"
#include "fuzz/records/accuracy_json.h"
#include "fuzz/records/records.h"

namespace tileproof {

using nlohmann::json;

namespace {

bool is_of_row(const Measurement& measurement, const Problem& a, const Problem& b) {
  return is_alike(measurement, a, b) && (!measurement.is_packed || a.format == b.format) &&
         (!measurement.of_weights || a.group_size == b.group_size);
}

}  // namespace

std::vector<AccuracyRun::Row> AccuracyRun::rows() const {
  std::vector<Row> rows;
  for (std::size_t subject = 0; subject < subjects_.size(); ++subject) {
    const std::size_t first = rows.size();
    for (const Task& task : subjects_[subject].tasks) {
      const Measurement& measurement = measurements()[task.measurement];
      const Problem& problem = accuracy_problems()[task.problem];
      auto row = std::find_if(rows.begin() + static_cast<std::ptrdiff_t>(first), rows.end(), [&](const Row& one) {
        return one.source.measurement == task.measurement && is_of_row(measurement, one.like, problem);
      });
      if (row == rows.end()) row = rows.insert(rows.end(), {{subject, task.measurement}, problem, {}});
      row->tasks.push_back(&task);
    }
  }
  return rows;
}

const AccuracyRun::Task* AccuracyRun::task_of(const Source& source, std::size_t problem) const {
  for (const Task& task : subjects_[source.subject].tasks) {
    const bool is_it = task.measurement == source.measurement && task.problem == problem;
    if (is_it) return task.kind.empty() ? &task : nullptr;
  }
  return nullptr;
}

std::string AccuracyRun::text_of(const Source& source) const {
  return subjects_[source.subject].name + " " + name_of(measurements()[source.measurement].operation);
}

/// Whether two sources can be compared element by element: codes only within one operation, weights across operations.
bool AccuracyRun::is_comparable(const Source& a, const Source& b) {
  return a.measurement == b.measurement ||
         (measurements()[a.measurement].of_weights && measurements()[b.measurement].of_weights);
}

json AccuracyRun::pair_of(const Source& a, const Source& b, const Problem& like) const {
  const Measurement& measurement = measurements()[a.measurement];
  std::int64_t elements = 0, differing = 0, unexplained = 0;
  std::map<std::string, std::int64_t> by_reason;
  for (const Task& of_a : subjects_[a.subject].tasks) {
    if (of_a.measurement != a.measurement || !is_alike(measurement, accuracy_problems()[of_a.problem], like)) continue;
    const Task* of_b = task_of(b, of_a.problem);
    if (of_b == nullptr || !of_a.kind.empty()) continue;
    elements += of_a.compared_elements.elements;
    const auto compare = [&](const ComparedElements::Difference* one, const ComparedElements::Difference* other) {
      if (one != nullptr && other != nullptr && one->got == other->got) return;
      ++differing;
      std::string reasons;
      bool explained = true;
      for (const auto& [compared_elements, difference] :
           {std::pair(&of_a.compared_elements, one), std::pair(&of_b->compared_elements, other)}) {
        if (difference == nullptr) continue;
        const std::string& reason = reason_of(*compared_elements, *difference);
        explained &= !reason.empty();
        reasons += (reasons.empty() ? "" : " / ") + reason;
      }
      if (!explained) return static_cast<void>(++unexplained);
      ++by_reason[reasons];
    };
    for (const ComparedElements::Difference& one : of_a.compared_elements.differences) {
      compare(&one, difference_at(of_b->compared_elements, one.index));
    }
    for (const ComparedElements::Difference& one : of_b->compared_elements.differences) {
      if (difference_at(of_a.compared_elements, one.index) == nullptr) compare(nullptr, &one);
    }
  }
  if (elements == 0) return nullptr;
  const auto side = [&](const Source& source) {
    return json{{"subject", subjects_[source.subject].name},
                {"operation", name_of(measurements()[source.measurement].operation)}};
  };
  json pair = {{"a", side(a)},
               {"b", side(b)},
               {"elements", elements},
               {"differing", differing},
               {"explained", differing - unexplained},
               {"unexplained", unexplained},
               {"by_reason", by_reason}};
  pair.update(kind_of(measurement, like));
  pair.erase("operation");  // a and b each name their operation
  return pair;
}

/// Computes the figures of each row; the threads do not change them.
std::vector<AccuracyFigures> AccuracyRun::figures_of(const std::vector<Row>& rows) const {
  std::vector<std::optional<AccuracyFigures>> computed(rows.size());
  in_threads(threads_, rows.size(), [&](std::size_t, std::size_t i) {
    const Measurement& measurement = measurements()[rows[i].source.measurement];
    computed[i].emplace(format_of(measurement, rows[i].like));
    for (const Task* task : rows[i].tasks) {
      if (!task->kind.empty()) continue;
      computed[i]->add(measurement, accuracy_problems()[task->problem], data_of(*task), task->compared_elements);
    }
  });
  std::vector<AccuracyFigures> figures;
  for (std::optional<AccuracyFigures>& one : computed) figures.push_back(std::move(*one));
  return figures;
}

json AccuracyRun::json_of_row(const Row& row, const AccuracyFigures& figures) const {
  const Measurement& measurement = measurements()[row.source.measurement];
  json one = json_of(figures.accuracy);
  one.update(kind_of(measurement, row.like));
  one["subject"] = subjects_[row.source.subject].name;
  one["format"] = measurement.is_packed ? json(row.like.format->name) : json(nullptr);
  one["group"] = measurement.of_weights ? json(row.like.group_size) : json(nullptr);
  one["sampled"] = true;
  json not_run = json::array();
  for (const Task* task : row.tasks) {
    if (task->kind.empty()) continue;
    not_run.push_back({{"problem", task->problem}, {"kind", task->kind}, {"details", task->details}});
  }
  one["problems"] = row.tasks.size() - not_run.size();
  one["not_run"] = not_run;
  one["ordinary"] = ordinary_of(figures.of_ordinary);
  one["output_hash"] = in_hex(figures.output_hash);
  return one;
}

json AccuracyRun::json_of_curve(const Row& row, const AccuracyFigures& figures) const {
  const Measurement& measurement = measurements()[row.source.measurement];
  json one = curves_of(figures);
  one.update(kind_of(measurement, row.like));
  one["wrong"] = maps_of(figures);
  one["subject"] = subjects_[row.source.subject].name;
  one["bound"] = measurement.bound.empty() ? json(nullptr) : json{{"ulp", 0}, {"name", measurement.bound}};
  return one;
}

json AccuracyRun::pairs_of(const std::vector<Row>& curves) const {
  json pairs = json::array();
  for (std::size_t i = 0; i < curves.size(); ++i) {
    for (std::size_t j = i + 1; j < curves.size(); ++j) {
      const Source& a = curves[i].source;
      const Source& b = curves[j].source;
      if (!is_comparable(a, b) || !is_alike(measurements()[a.measurement], curves[i].like, curves[j].like)) continue;
      json pair = pair_of(a, b, curves[i].like);
      if (!pair.is_null()) pairs.push_back(std::move(pair));
    }
  }
  return pairs;
}

json AccuracyRun::record() const {
  const std::vector<Row> rows = this->rows();
  const std::vector<AccuracyFigures> figures = figures_of(rows);
  json table = json::array();
  std::vector<Row> curves;  // one for each source, scheme and type: it joins the rows of all formats and groups
  std::vector<AccuracyFigures> of_curves;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    table.push_back(json_of_row(row, figures[i]));
    const bool goes_on = !curves.empty() && curves.back().source == row.source &&
                         is_alike(measurements()[row.source.measurement], curves.back().like, row.like);
    if (!goes_on) {
      curves.push_back(row);
      of_curves.push_back(figures[i]);
      continue;
    }
    curves.back().tasks.insert(curves.back().tasks.end(), row.tasks.begin(), row.tasks.end());
    of_curves.back().add(figures[i]);
  }
  json pictures = json::array(), worst = json::array(), skipped = json::array();
  for (std::size_t i = 0; i < curves.size(); ++i) {
    pictures.push_back(json_of_curve(curves[i], of_curves[i]));
    for (json& element : worst_of(curves[i])) worst.push_back(std::move(element));
  }
  for (const auto& [subject, why] : left_out_) skipped.push_back({{"subject", subject}, {"why", why}});
  return {{"schema", 3},       {"problems", problems_of_measurement()},
          {"rows", table},     {"curves", pictures},
          {"worst", worst},    {"pairs", pairs_of(curves)},
          {"skipped", skipped}};
}

}  // namespace tileproof
