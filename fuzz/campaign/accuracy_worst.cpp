// Lists the worst elements of a measurement: their places, their parameters, and what every subject gave for them.
#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

#include "fuzz/campaign/accuracy_run.h"
#include "fuzz/records/accuracy_json.h"
#include "fuzz/records/summary.h"

namespace tileproof {

namespace {

using nlohmann::json;

constexpr std::size_t most_worst = 5;

json place_of(const Measurement& measurement, const Problem& p, std::int64_t row, std::int64_t column) {
  json place = {{"row", row}, {"column", column}, {"place", nullptr}};
  if (!measurement.is_packed) return place;
  place["place"] = text_of(p.layout().coordinates(p.layout().slot_of({row, column}, p.size()), p.size()));
  return place;
}

/// not_finite: NaN or infinity on one side at least, so no distance in ulp exists; apart: a distance in ulp; payload:
/// two NaN with different bits.
enum class Kind { not_finite, apart, payload };

/// A difference that may be among the worst.
struct Candidate {
  double magnitude;  // in ulp; 0 if there is no distance
  std::size_t task;  // index in the tasks of its row
  const ComparedElements::Difference* difference;

  /// Order: larger error first.
  bool operator<(const Candidate& other) const {
    const auto key = [](const Candidate& c) { return std::tuple(-c.magnitude, c.task, c.difference->index); };
    return key(*this) < key(other);
  }
};

/// Keeps the worst differences of each kind, explained and unexplained ones apart.
class Worst {
 public:
  void add(bool is_explained, Kind kind, const Candidate& candidate) {
    std::vector<Candidate>& worst = of(is_explained, kind);
    if (worst.size() == most_worst && !(candidate < worst.back())) return;
    worst.insert(std::upper_bound(worst.begin(), worst.end(), candidate), candidate);
    if (worst.size() > most_worst) worst.pop_back();
  }

  /// Unexplained differences come before explained ones. Within each, `not_finite` and `apart` alternate so that
  /// neither hides the other; `payload` comes last.
  std::vector<Candidate> all() {
    std::vector<Candidate> selected;
    for (const bool is_explained : {false, true}) {
      std::vector<Candidate>& not_finite = of(is_explained, Kind::not_finite);
      std::vector<Candidate>& apart = of(is_explained, Kind::apart);
      for (std::size_t i = 0; i < most_worst; ++i) {
        if (i < not_finite.size()) selected.push_back(not_finite[i]);
        if (i < apart.size()) selected.push_back(apart[i]);
      }
      const std::vector<Candidate>& payload = of(is_explained, Kind::payload);
      selected.insert(selected.end(), payload.begin(), payload.end());
    }
    if (selected.size() > most_worst) selected.resize(most_worst);
    return selected;
  }

 private:
  std::vector<Candidate>& of(bool is_explained, Kind kind) {
    return worst_[is_explained ? 1 : 0][static_cast<std::size_t>(kind)];
  }

  std::array<std::array<std::vector<Candidate>, 3>, 2> worst_;
};

}  // namespace

json AccuracyRun::worst_of(const Row& curve) const {
  const Measurement& measurement = measurements()[curve.source.measurement];
  const auto format = format_of(measurement, curve.like);
  Worst worst;
  for (std::size_t i = 0; i < curve.tasks.size(); ++i) {
    const Task& task = *curve.tasks[i];
    const std::vector<std::uint32_t>& expected = data_of(task).expected.elements;
    for (const ComparedElements::Difference& one : task.compared_elements.differences) {
      const std::uint32_t wanted = expected[static_cast<std::size_t>(one.index)];
      const auto apart = Accuracy::error(format, wanted, one.got);
      const bool are_nan = !apart && format->is_nan(wanted) && format->is_nan(one.got);
      const Kind kind = apart ? Kind::apart : are_nan ? Kind::payload : Kind::not_finite;
      worst.add(one.reason != ComparedElements::none, kind, {std::fabs(apart.value_or(0)), i, &one});
    }
  }
  json all = json::array();
  for (const Candidate& candidate : worst.all()) {
    const Task& task = *curve.tasks[candidate.task];
    const Problem& p = accuracy_problems()[task.problem];
    const AccuracyData& data = data_of(task);
    const std::int64_t index = candidate.difference->index;
    const std::int64_t row = index / data.expected.columns;
    const std::int64_t column = index % data.expected.columns;
    const std::uint32_t expected = data.expected.elements[static_cast<std::size_t>(index)];
    const std::uint32_t got = candidate.difference->got;
    const auto apart = Accuracy::error(format, expected, got);
    json one = place_of(measurement, p, row, column);
    one["subject"] = subjects_[curve.source.subject].name;
    one.update(kind_of(measurement, p));
    one["problem"] = task.problem;
    one["code"] = row < data.codes.rows ? json(data.codes(row, column)) : json(nullptr);
    one["group"] = one["scale"] = one["zero"] = one["zero_point"] = nullptr;
    if (measurement.of_weights) {
      const std::int64_t group = column / p.group_size;
      one["group"] = group;
      one["scale"] = element_text(format, data.parameters.scales(group, row));
      if (p.scheme->zero_kind == Zero::value) one["zero"] = element_text(format, data.parameters.zeros(group, row));
      if (p.scheme->zero_kind == Zero::point) one["zero_point"] = data.parameters.zero_points(group, row);
    }
    one["expected"] = element_text(format, expected);
    one["got"] = element_text(format, got);
    one["ulp"] = apart ? json(*apart) : json(nullptr);
    one["of_largest_term"] = nullptr;
    if (apart && measurement.of_weights) {
      one["of_largest_term"] = Accuracy::error_of_terms(*format, expected, got, largest_term(p, data, row, column));
    }
    one["why"] = reason_of(task.compared_elements, *candidate.difference);
    json everybody = json::object();
    for (std::size_t subject = 0; subject < subjects_.size(); ++subject) {
      for (std::size_t other = 0; other < measurements().size(); ++other) {
        const Source source = {subject, other};
        const Task* theirs = is_comparable(curve.source, source) ? task_of(source, task.problem) : nullptr;
        if (theirs == nullptr) continue;
        const ComparedElements::Difference* difference = difference_at(theirs->compared_elements, index);
        everybody[text_of(source)] = element_text(format, difference != nullptr ? difference->got : expected);
      }
    }
    one["subjects"] = everybody;
    one["replay"] = replay_words(subjects_[curve.source.subject].replay_flags,
                                 problem_for(measurement, p, subjects_[curve.source.subject].name));
    all.push_back(one);
  }
  return all;
}

}  // namespace tileproof
