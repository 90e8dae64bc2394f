// What a survey is written down as: schema 1 of accuracy.json.
#include <algorithm>
#include <optional>
#include <tuple>

#include "../reference/tile_map.h"
#include "judging.h"
#include "records.h"
#include "summary.h"
#include "surveying.h"
#include "wire.h"

namespace tileproof {

namespace {

using nlohmann::json;

constexpr std::size_t most_worst = 5;

// --- What a row of the table is about ------------------------------------------------------------------------------

std::optional<reference::Format> format_of(const Survey& survey, const Problem& p) {
  if (!survey.of_weights) return std::nullopt;
  return tileproof::format_of(p.out);
}

bool is_alike(const Survey& survey, const Problem& a, const Problem& b) {
  return !survey.of_weights || (a.domain == b.domain && a.out == b.out);
}
bool is_of_row(const Survey& survey, const Problem& a, const Problem& b) {
  return is_alike(survey, a, b) && (!survey.is_packed || a.inner_k_tiles == b.inner_k_tiles) &&
         (!survey.of_weights || a.group_size == b.group_size);
}

json domain_of(const Survey& survey, const Problem& p) {
  return survey.of_weights ? json(name_of(p.domain)) : json(nullptr);
}
const char* type_of(const Survey& survey, const Problem& p) { return survey.of_weights ? name_of(p.out) : "codes"; }

/// Bits of a weight, or a code as a number.
std::string element_text(const std::optional<reference::Format>& format, std::uint32_t bits) {
  return format ? hex_text(bits, format->bits() / 4) : std::to_string(static_cast<std::int32_t>(bits));
}

// --- Figures -------------------------------------------------------------------------------------------------------

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
          {"bias", static_cast<double>(distances.sum()) / static_cast<double>(distances.count())},
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

json json_of(const SignalAndNoise& power) {
  const std::optional<double> decibels = power.decibels();
  return {{"signal", power.signal}, {"noise", power.noise}, {"db", decibels ? json(*decibels) : json(nullptr)}};
}

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
              {"ulp", json_of(a.distances)}};
  if (!row["ulp"].is_null()) row["ulp"]["histogram"] = histogram_of(a.distances);
  return row;
}

/// The same of ordinary values, in short.
json ordinary_of(const Accuracy& a) {
  return {{"elements", a.elements},
          {"bit_equal", a.bit_equal},
          {"ulp", json_of(a.distances)},
          {"sqnr", a.format() ? json_of(a.power) : json(nullptr)}};
}

json maps_of(const SurveyFigures& figures) {
  json nibbles = json::array();
  for (const auto& [at, cell] : figures.nibble_by_binade) {
    const json nibble = at.first == SurveyFigures::no_nibble ? json(nullptr) : json(at.first);
    nibbles.push_back({nibble, json_of_binade(at.second), cell.wrong, cell.unexplained});
  }
  json places = json::array();
  for (const auto& [at, cell] : figures.row_by_column) {
    places.push_back({at.first, at.second, cell.wrong, cell.unexplained});
  }
  return {{"nibble_by_binade", nibbles}, {"row_by_column", places}};
}

json json_of(const json& at, const CurvePoint& point) {
  const double mean = point.finite == 0 ? 0 : static_cast<double>(point.magnitudes) / static_cast<double>(point.finite);
  return {{"at", at},
          {"elements", point.elements},
          {"differing", point.differing},
          {"unexplained", point.unexplained},
          {"max", point.largest},
          {"mean", mean}};
}

json curves_of(const SurveyFigures& figures) {
  json by_k = json::array(), by_group = json::array(), by_binade = json::array();
  for (const auto& [at, point] : figures.by_k) by_k.push_back(json_of(at, point));
  for (const auto& [at, point] : figures.by_group) by_group.push_back(json_of(at, point));
  for (const auto& [at, point] : figures.by_binade) by_binade.push_back(json_of(json_of_binade(at), point));
  return {{"by_k", by_k}, {"by_group", by_group}, {"by_binade", by_binade}};
}

// --- Single elements -----------------------------------------------------------------------------------------------

const Surveyed::Difference* difference_at(const Surveyed& surveyed, std::int64_t index) {
  const auto at = std::lower_bound(surveyed.differences.begin(), surveyed.differences.end(), index,
                                   [](const Surveyed::Difference& one, std::int64_t i) { return one.index < i; });
  return at != surveyed.differences.end() && at->index == index ? &*at : nullptr;
}

const std::string& reason_of(const Surveyed& surveyed, const Surveyed::Difference& one) {
  static const std::string none;
  return one.reason == Surveyed::none ? none : surveyed.reasons.at(static_cast<std::size_t>(one.reason));
}

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

// --- The tables ----------------------------------------------------------------------------------------------------

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
    one["operation"] = name_of(survey.operation);
    one["domain"] = domain_of(survey, p);
    one["type"] = type_of(survey, p);
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
        const bool is_comparable = other == curve.source.survey || (survey.of_weights && surveys()[other].of_weights);
        const Task* theirs = is_comparable ? task_of({subject, other}, task.problem) : nullptr;
        if (theirs == nullptr) continue;
        const Surveyed::Difference* difference = difference_at(theirs->surveyed, index);
        everybody[text_of({subject, other})] = element_text(format, difference != nullptr ? difference->got : expected);
      }
    }
    one["subjects"] = everybody;
    one["replay"] = replay_words(subjects_[curve.source.subject].replay_flags,
                                 problem_for(survey, p, subjects_[curve.source.subject].name));
    all.push_back(one);
  }
  return all;
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
  return {{"a", side(a)},
          {"b", side(b)},
          {"domain", domain_of(survey, like)},
          {"type", type_of(survey, like)},
          {"elements", elements},
          {"differing", differing},
          {"explained", differing - unexplained},
          {"unexplained", unexplained},
          {"by_reason", by_reason}};
}

json Surveying::record() const {
  json problems = json::array();
  for (std::size_t id = 0; id < survey_problems().size(); ++id) {
    const Problem& p = survey_problems()[id];
    problems.push_back({{"id", id},
                        {"n", p.n},
                        {"k", p.k},
                        {"inner_k_tiles", p.inner_k_tiles},
                        {"group_size", p.group_size},
                        {"domain", name_of(p.domain)},
                        {"type", name_of(p.out)},
                        {"profile", p.scales},
                        {"seed", in_hex(p.seed)},
                        {"elements", p.n * p.k}});
  }

  const std::vector<Row> rows = this->rows();
  std::vector<std::optional<SurveyFigures>> figures(rows.size());
  in_threads(threads_, rows.size(), [&](std::size_t, std::size_t i) {
    const Survey& survey = surveys()[rows[i].source.survey];
    figures[i].emplace(format_of(survey, rows[i].like));
    for (const Task* task : rows[i].tasks) {
      if (!task->kind.empty()) continue;
      figures[i]->add(survey, survey_problems()[task->problem], data_of(*task), task->surveyed);
    }
  });

  json table = json::array();
  std::vector<Row> curve_rows;  // all rows of a source with one domain and type together
  std::vector<SurveyFigures> curve_figures;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    const Survey& survey = surveys()[row.source.survey];
    json one = json_of(figures[i]->accuracy);
    one["subject"] = subjects_[row.source.subject].name;
    one["operation"] = name_of(survey.operation);
    one["domain"] = domain_of(survey, row.like);
    one["type"] = type_of(survey, row.like);
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
    one["ordinary"] = ordinary_of(figures[i]->of_ordinary);
    one["output_hash"] = in_hex(figures[i]->output_hash);
    table.push_back(one);

    const bool goes_on = !curve_rows.empty() && curve_rows.back().source.subject == row.source.subject &&
                         curve_rows.back().source.survey == row.source.survey &&
                         is_alike(survey, curve_rows.back().like, row.like);
    if (!goes_on) {
      curve_rows.push_back(row);
      curve_figures.push_back(*figures[i]);
      continue;
    }
    curve_rows.back().tasks.insert(curve_rows.back().tasks.end(), row.tasks.begin(), row.tasks.end());
    curve_figures.back().add(*figures[i]);
  }

  json curves = json::array(), worst = json::array(), pairs = json::array();
  for (std::size_t i = 0; i < curve_rows.size(); ++i) {
    const Row& row = curve_rows[i];
    const Survey& survey = surveys()[row.source.survey];
    json one = curves_of(curve_figures[i]);
    one["wrong"] = maps_of(curve_figures[i]);
    one["subject"] = subjects_[row.source.subject].name;
    one["operation"] = name_of(survey.operation);
    one["domain"] = domain_of(survey, row.like);
    one["type"] = type_of(survey, row.like);
    one["bound"] = survey.bound.empty() ? json(nullptr) : json{{"ulp", 0}, {"name", survey.bound}};
    curves.push_back(one);
    for (json& element : worst_of(row)) worst.push_back(std::move(element));
    for (std::size_t j = i + 1; j < curve_rows.size(); ++j) {
      const Row& other = curve_rows[j];
      const Survey& theirs = surveys()[other.source.survey];
      const bool is_comparable = row.source.survey == other.source.survey || (survey.of_weights && theirs.of_weights);
      if (!is_comparable || !is_alike(survey, row.like, other.like)) continue;
      json pair = pair_of(row.source, other.source, row.like);
      if (!pair.is_null()) pairs.push_back(std::move(pair));
    }
  }

  json skipped = json::array();
  for (const auto& [subject, why] : left_out_) skipped.push_back({{"subject", subject}, {"why", why}});
  return {{"schema", 1},    {"problems", problems}, {"rows", table},     {"curves", curves},
          {"worst", worst}, {"pairs", pairs},       {"skipped", skipped}};
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
