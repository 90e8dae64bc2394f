// Lists the worst elements of a measurement: their places, their parameters, and what every subject gave for them.
#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "fuzz/campaign/accuracy_run.h"
#include "fuzz/records/accuracy_json.h"
#include "fuzz/records/summary.h"

namespace tileproof {

namespace {

using nlohmann::json;

constexpr std::size_t most_worst = 5;

/// not_finite: NaN or infinity on one side at least, so no distance in ulp exists; apart: a distance in ulp; payload:
/// two NaN with different bits.
enum class Kind { not_finite, apart, payload };

/// A difference that may be among the worst.
struct Candidate {
  double magnitude;  // in ulp; 0 if there is no distance
  const MeasuredCase* of;
  const ComparedElements::Difference* difference;

  /// Order: larger error first.
  bool operator<(const Candidate& other) const {
    const auto key = [](const Candidate& c) { return std::tuple(-c.magnitude, c.of->problem, c.difference->index); };
    return key(*this) < key(other);
  }
};

/// The worst differences of each kind, explained and unexplained ones apart.
using Worst = std::map<std::pair<bool, Kind>, std::vector<Candidate>>;

void keep_worst(std::vector<Candidate>& worst, const Candidate& candidate) {
  worst.insert(std::upper_bound(worst.begin(), worst.end(), candidate), candidate);
  if (worst.size() > most_worst) worst.pop_back();
}

/// Unexplained differences come before explained ones. Within each, `not_finite` and `apart` alternate so that neither
/// hides the other; `payload` comes last.
std::vector<Candidate> in_order(Worst& worst) {
  std::vector<Candidate> all;
  for (const bool is_explained : {false, true}) {
    const std::vector<Candidate>& not_finite = worst[{is_explained, Kind::not_finite}];
    const std::vector<Candidate>& apart = worst[{is_explained, Kind::apart}];
    const std::vector<Candidate>& payload = worst[{is_explained, Kind::payload}];
    for (std::size_t i = 0; i < most_worst; ++i) {
      if (i < not_finite.size()) all.push_back(not_finite[i]);
      if (i < apart.size()) all.push_back(apart[i]);
    }
    all.insert(all.end(), payload.begin(), payload.end());
  }
  if (all.size() > most_worst) all.resize(most_worst);
  return all;
}

/// The bits that a case gave for an element.
std::uint32_t got_at(std::int64_t index, const ComparedElements& compared_elements, const AccuracyData& data) {
  const auto& differences = compared_elements.differences;
  const auto at = std::ranges::lower_bound(differences, index, {}, &ComparedElements::Difference::index);
  const bool differs = at != differences.end() && at->index == index;
  return differs ? at->got : data.expected.elements[static_cast<std::size_t>(index)];
}

}  // namespace

json AccuracyRun::worst_of(const RowsOfAKind& rows) const {
  const std::string& subject = rows.front()->subject;
  const Measurement& measurement = *rows.front()->measurement;
  const auto format = format_of(measurement, rows.front()->like());
  Worst worst;
  for (const MeasuredRow* row : rows) {
    for (const MeasuredCase& one : row->cases) {
      if (!one.kind.empty()) continue;
      const std::vector<std::uint32_t>& expected = data_of(measurement, one.problem).expected.elements;
      for (const ComparedElements::Difference& difference : one.compared_elements.differences) {
        const std::uint32_t wanted = expected[static_cast<std::size_t>(difference.index)];
        const auto apart = Accuracy::error(format, wanted, difference.got);
        const bool are_nan = !apart && format->is_nan(wanted) && format->is_nan(difference.got);
        const Kind kind = apart ? Kind::apart : are_nan ? Kind::payload : Kind::not_finite;
        keep_worst(worst[{difference.reason != ComparedElements::none, kind}],
                   {std::fabs(apart.value_or(0)), &one, &difference});
      }
    }
  }
  json all = json::array();
  for (const Candidate& candidate : in_order(worst)) {
    const std::size_t problem = candidate.of->problem;
    const Problem& p = accuracy_problems()[problem];
    const AccuracyData& data = data_of(measurement, problem);
    const std::int64_t index = candidate.difference->index;
    const std::int64_t row = index / data.expected.columns;
    const std::int64_t column = index % data.expected.columns;
    const std::uint32_t expected = data.expected.elements[static_cast<std::size_t>(index)];
    const std::uint32_t got = candidate.difference->got;
    const auto apart = Accuracy::error(format, expected, got);
    json one = kind_of(measurement, p);
    one["subject"] = subject;
    one["problem"] = problem;
    one["row"] = row;
    one["column"] = column;
    one["code"] = row < data.codes.rows ? json(data.codes(row, column)) : json(nullptr);
    for (const char* name : {"place", "group", "scale", "zero", "zero_point", "of_largest_term"}) one[name] = nullptr;
    if (measurement.is_packed) {
      one["place"] = text_of(p.layout().coordinates(p.layout().slot_of({row, column}, p.size()), p.size()));
    }
    if (measurement.of_weights) {
      const reference::Element group = p.group_of(row, column);
      const auto own = [&](const auto& of) { return of(group.k, group.n); };
      one["group"] = group.k;
      one["scale"] = element_text(format, own(data.parameters.scales));
      if (p.scheme->zero_kind == Zero::value) one["zero"] = element_text(format, own(data.parameters.zeros));
      if (p.scheme->zero_kind == Zero::point) one["zero_point"] = own(data.parameters.zero_points);
      if (apart) {
        one["of_largest_term"] = Accuracy::error_of_terms(*format, expected, got, largest_term(p, data, row, column));
      }
    }
    one["expected"] = element_text(format, expected);
    one["got"] = element_text(format, got);
    one["ulp"] = apart ? json(*apart) : json(nullptr);
    one["why"] = reason_of(candidate.of->compared_elements, *candidate.difference);
    one["subjects"] = json::object();
    for (const MeasuredRow& other : rows_) {
      // Codes are compared within one operation only, weights across operations.
      const bool is_comparable =
          other.measurement == &measurement || (measurement.of_weights && other.measurement->of_weights);
      if (!is_comparable) continue;
      for (const MeasuredCase& theirs : other.cases) {
        if (theirs.problem != problem || !theirs.kind.empty()) continue;
        one["subjects"][other.subject + " " + name_of(other.measurement->operation)] =
            element_text(format, got_at(index, theirs.compared_elements, data_of(*other.measurement, problem)));
      }
    }
    one["replay"] = replay_words(replay_flags_.at(subject), problem_for(measurement, p, subject));
    all.push_back(one);
  }
  return all;
}

}  // namespace tileproof
