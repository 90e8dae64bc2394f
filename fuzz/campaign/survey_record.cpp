// What a survey is written down as: schema 2 of accuracy.json. (Schema 1 counted the values of the format in between
// and called them ulp.)
#include <algorithm>

#include "fuzz/campaign/judging.h"
#include "fuzz/campaign/surveying.h"
#include "fuzz/records/records.h"
#include "fuzz/records/survey_json.h"

namespace tileproof {

using nlohmann::json;

namespace {

bool is_of_row(const Survey& survey, const Problem& a, const Problem& b) {
  return is_alike(survey, a, b) && (!survey.is_packed || a.inner_k_tiles == b.inner_k_tiles) &&
         (!survey.of_weights || a.group_size == b.group_size);
}

}  // namespace

std::vector<Surveying::Row> Surveying::rows() const {
  std::vector<Row> rows;
  for (std::size_t subject = 0; subject < subjects_.size(); ++subject) {
    const std::size_t first = rows.size();
    for (const Task& task : subjects_[subject].tasks) {
      const Survey& survey = surveys()[task.survey];
      const Problem& problem = survey_problems()[task.problem];
      auto row = std::find_if(rows.begin() + static_cast<std::ptrdiff_t>(first), rows.end(), [&](const Row& one) {
        return one.source.survey == task.survey && is_of_row(survey, one.like, problem);
      });
      if (row == rows.end()) row = rows.insert(rows.end(), {{subject, task.survey}, problem, {}});
      row->tasks.push_back(&task);
    }
  }
  return rows;
}

const Surveying::Task* Surveying::task_of(const Source& source, std::size_t problem) const {
  for (const Task& task : subjects_[source.subject].tasks) {
    const bool is_it = task.survey == source.survey && task.problem == problem;
    if (is_it) return task.kind.empty() ? &task : nullptr;
  }
  return nullptr;
}

std::string Surveying::text_of(const Source& source) const {
  return subjects_[source.subject].name + " " + name_of(surveys()[source.survey].operation);
}

/// Whether both gave the same thing for the same data: codes of one operation, or weights of any.
bool Surveying::is_comparable(const Source& a, const Source& b) {
  return a.survey == b.survey || (surveys()[a.survey].of_weights && surveys()[b.survey].of_weights);
}

json Surveying::pair_of(const Source& a, const Source& b, const Problem& like) const {
  const Survey& survey = surveys()[a.survey];
  std::int64_t elements = 0, differing = 0, unexplained = 0;
  std::map<std::string, std::int64_t> by_reason;
  for (const Task& of_a : subjects_[a.subject].tasks) {
    if (of_a.survey != a.survey || !is_alike(survey, survey_problems()[of_a.problem], like)) continue;
    const Task* of_b = task_of(b, of_a.problem);
    if (of_b == nullptr || !of_a.kind.empty()) continue;
    elements += of_a.surveyed.elements;
    const auto compare = [&](const Surveyed::Difference* one, const Surveyed::Difference* other) {
      if (one != nullptr && other != nullptr && one->got == other->got) return;
      ++differing;
      std::string reasons;
      bool explained = true;
      for (const auto& [surveyed, difference] : {std::pair(&of_a.surveyed, one), std::pair(&of_b->surveyed, other)}) {
        if (difference == nullptr) continue;
        const std::string& reason = reason_of(*surveyed, *difference);
        explained &= !reason.empty();
        reasons += (reasons.empty() ? "" : " / ") + reason;
      }
      if (!explained) return static_cast<void>(++unexplained);
      ++by_reason[reasons];
    };
    for (const Surveyed::Difference& one : of_a.surveyed.differences) {
      compare(&one, difference_at(of_b->surveyed, one.index));
    }
    for (const Surveyed::Difference& one : of_b->surveyed.differences) {
      if (difference_at(of_a.surveyed, one.index) == nullptr) compare(nullptr, &one);
    }
  }
  if (elements == 0) return nullptr;
  const auto side = [&](const Source& source) {
    return json{{"subject", subjects_[source.subject].name},
                {"operation", name_of(surveys()[source.survey].operation)}};
  };
  json pair = {{"a", side(a)},
               {"b", side(b)},
               {"elements", elements},
               {"differing", differing},
               {"explained", differing - unexplained},
               {"unexplained", unexplained},
               {"by_reason", by_reason}};
  pair.update(kind_of(survey, like));
  pair.erase("operation");  // each has its own
  return pair;
}

/// The figures of rows, whoever computes them.
std::vector<SurveyFigures> Surveying::figures_of(const std::vector<Row>& rows) const {
  std::vector<std::optional<SurveyFigures>> computed(rows.size());
  in_threads(threads_, rows.size(), [&](std::size_t, std::size_t i) {
    const Survey& survey = surveys()[rows[i].source.survey];
    computed[i].emplace(format_of(survey, rows[i].like));
    for (const Task* task : rows[i].tasks) {
      if (!task->kind.empty()) continue;
      computed[i]->add(survey, survey_problems()[task->problem], data_of(*task), task->surveyed);
    }
  });
  std::vector<SurveyFigures> figures;
  for (std::optional<SurveyFigures>& one : computed) figures.push_back(std::move(*one));
  return figures;
}

json Surveying::json_of_row(const Row& row, const SurveyFigures& figures) const {
  const Survey& survey = surveys()[row.source.survey];
  json one = json_of(figures.accuracy);
  one.update(kind_of(survey, row.like));
  one["subject"] = subjects_[row.source.subject].name;
  one["inner_k_tiles"] = survey.is_packed ? json(row.like.inner_k_tiles) : json(nullptr);
  one["group"] = survey.of_weights ? json(row.like.group_size) : json(nullptr);
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

json Surveying::json_of_curve(const Row& row, const SurveyFigures& figures) const {
  const Survey& survey = surveys()[row.source.survey];
  json one = curves_of(figures);
  one.update(kind_of(survey, row.like));
  one["wrong"] = maps_of(figures);
  one["subject"] = subjects_[row.source.subject].name;
  one["bound"] = survey.bound.empty() ? json(nullptr) : json{{"ulp", 0}, {"name", survey.bound}};
  return one;
}

json Surveying::pairs_of(const std::vector<Row>& curves) const {
  json pairs = json::array();
  for (std::size_t i = 0; i < curves.size(); ++i) {
    for (std::size_t j = i + 1; j < curves.size(); ++j) {
      const Source& a = curves[i].source;
      const Source& b = curves[j].source;
      if (!is_comparable(a, b) || !is_alike(surveys()[a.survey], curves[i].like, curves[j].like)) continue;
      json pair = pair_of(a, b, curves[i].like);
      if (!pair.is_null()) pairs.push_back(std::move(pair));
    }
  }
  return pairs;
}

json Surveying::record() const {
  const std::vector<Row> rows = this->rows();
  const std::vector<SurveyFigures> figures = figures_of(rows);
  json table = json::array();
  std::vector<Row> curves;  // all rows of a source with one domain and type, together
  std::vector<SurveyFigures> of_curves;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    table.push_back(json_of_row(row, figures[i]));
    const bool goes_on = !curves.empty() && curves.back().source == row.source &&
                         is_alike(surveys()[row.source.survey], curves.back().like, row.like);
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
  return {{"schema", 2},    {"problems", problems_of_survey()}, {"rows", table},     {"curves", pictures},
          {"worst", worst}, {"pairs", pairs_of(curves)},        {"skipped", skipped}};
}

}  // namespace tileproof
