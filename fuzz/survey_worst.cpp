// The worst elements of a survey: where they are, what they were made of, and what everybody gave for them.
#include <algorithm>
#include <tuple>

#include "../reference/tile_map.h"
#include "summary.h"
#include "survey_json.h"
#include "surveying.h"

namespace tileproof {

namespace {

using nlohmann::json;

constexpr std::size_t most_worst = 5;

json place_of(const Survey& survey, const Problem& p, std::int64_t row, std::int64_t column) {
  json place = {{"row", row},      {"column", column}, {"n_tile", nullptr}, {"k_tile", nullptr},
                {"lane", nullptr}, {"word", nullptr},  {"nibble", nullptr}};
  if (!survey.is_packed) return place;
  const auto at = reference::place_of(row, column, p.k, static_cast<int>(p.inner_k_tiles));
  place["n_tile"] = row / 8;
  place["k_tile"] = column / 16;
  place["lane"] = at.word / (p.inner_k_tiles / 2) % 32;
  place["word"] = at.word;
  place["nibble"] = at.nibble;
  return place;
}

/// A difference that may be among the worst.
struct Candidate {
  bool explained;
  bool finite;
  std::int64_t magnitude;
  std::size_t task;  // of its row
  const Surveyed::Difference* difference;

  /// Of two, the worse is the less: what nothing explains, then what is no number, then what is further.
  bool operator<(const Candidate& other) const {
    const auto key = [](const Candidate& c) {
      return std::tuple(c.explained, c.finite, -c.magnitude, c.task, c.difference->index);
    };
    return key(*this) < key(other);
  }
};

void keep_if_worse(std::vector<Candidate>& worst, const Candidate& candidate) {
  if (worst.size() == most_worst && !(candidate < worst.back())) return;
  worst.insert(std::upper_bound(worst.begin(), worst.end(), candidate), candidate);
  if (worst.size() > most_worst) worst.pop_back();
}

}  // namespace

json Surveying::worst_of(const Row& curve) const {
  const Survey& survey = surveys()[curve.source.survey];
  const auto format = format_of(survey, curve.like);
  std::vector<Candidate> worst;
  for (std::size_t i = 0; i < curve.tasks.size(); ++i) {
    const Task& task = *curve.tasks[i];
    const std::vector<std::uint32_t>& expected = data_of(task).expected.elements;
    for (const Surveyed::Difference& one : task.surveyed.differences) {
      const auto apart = Accuracy::distance(format, expected[static_cast<std::size_t>(one.index)], one.got);
      keep_if_worse(worst, {one.reason != Surveyed::none, apart.has_value(), std::abs(apart.value_or(0)), i, &one});
    }
  }
  json all = json::array();
  for (const Candidate& candidate : worst) {
    const Task& task = *curve.tasks[candidate.task];
    const Problem& p = survey_problems()[task.problem];
    const SurveyData& data = data_of(task);
    const std::int64_t index = candidate.difference->index;
    const std::int64_t row = index / data.expected.columns;
    const std::int64_t column = index % data.expected.columns;
    const std::uint32_t expected = data.expected.elements[static_cast<std::size_t>(index)];
    const auto apart = Accuracy::distance(format, expected, candidate.difference->got);
    json one = place_of(survey, p, row, column);
    one["subject"] = subjects_[curve.source.subject].name;
    one.update(kind_of(survey, p));
    one["problem"] = task.problem;
    one["code"] = row < data.codes.rows ? json(data.codes(row, column)) : json(nullptr);
    one["group"] = one["scale"] = one["zero"] = one["zero_point"] = nullptr;
    if (survey.of_weights) {
      const std::int64_t group = column / p.group_size;
      one["group"] = group;
      one["scale"] = element_text(format, data.parameters.scales(group, row));
      if (p.domain == Domain::floating) one["zero"] = element_text(format, data.parameters.zeros(group, row));
      if (p.domain == Domain::integer) one["zero_point"] = data.parameters.zero_points(group, row);
    }
    one["expected"] = element_text(format, expected);
    one["got"] = element_text(format, candidate.difference->got);
    one["distance"] = apart ? json(*apart) : json(nullptr);
    one["why"] = reason_of(task.surveyed, *candidate.difference);
    json everybody = json::object();
    for (std::size_t subject = 0; subject < subjects_.size(); ++subject) {
      for (std::size_t other = 0; other < surveys().size(); ++other) {
        const Source source = {subject, other};
        const Task* theirs = is_comparable(curve.source, source) ? task_of(source, task.problem) : nullptr;
        if (theirs == nullptr) continue;
        const Surveyed::Difference* difference = difference_at(theirs->surveyed, index);
        everybody[text_of(source)] = element_text(format, difference != nullptr ? difference->got : expected);
      }
    }
    one["subjects"] = everybody;
    one["replay"] = replay_words(subjects_[curve.source.subject].replay_flags,
                                 problem_for(survey, p, subjects_[curve.source.subject].name));
    all.push_back(one);
  }
  return all;
}

}  // namespace tileproof
