#include "summary.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>

namespace tileproof::reports {

namespace {

using nlohmann::json;

constexpr Verdict verdicts[] = {Verdict::passed, Verdict::failed, Verdict::skipped, Verdict::mistrusted};

[[noreturn]] void refuse(const std::string& path, const std::string& expected, const std::string& got) {
  const std::string where = path.empty() ? "" : one_line(path) + ": ";
  throw std::runtime_error("summary.json: " + where + "expected " + expected + ", got " + got);
}

/// A value of the summary, or a missing one, that knows its path. It complains when it is read, not when it is looked
/// up.
class Field {
 public:
  Field(const json* value, std::string path) : value_(value), path_(std::move(path)) {}

  Field operator[](const std::string& name) const {
    require(value_ != nullptr && value_->is_object(), "an object");
    const auto found = value_->find(name);
    return {found == value_->end() ? nullptr : &*found, path_.empty() ? name : path_ + "." + name};
  }

  std::vector<Field> items() const {
    require(value_ != nullptr && value_->is_array(), "an array");
    std::vector<Field> fields;
    for (const json& item : *value_) fields.emplace_back(&item, path_ + "[" + std::to_string(fields.size()) + "]");
    return fields;
  }

  std::string text() const {
    require(value_ != nullptr && value_->is_string(), "a string");
    return value_->get<std::string>();
  }

  std::uint64_t count() const {
    // A json that was never text holds a positive int as a signed number.
    const bool whole = value_ != nullptr && value_->is_number_integer();
    require(whole && (value_->is_number_unsigned() || value_->get<std::int64_t>() >= 0),
            "a whole number, not negative");
    return value_->get<std::uint64_t>();
  }

  double seconds() const {
    require(value_ != nullptr && value_->is_number(), "a number of seconds");
    const double value = value_->get<double>();
    require(std::isfinite(value) && value >= 0, "a number of seconds");
    return value;
  }

  std::map<std::string, std::uint64_t> counts() const {
    require(value_ != nullptr && value_->is_object(), "an object");
    std::map<std::string, std::uint64_t> counts;
    for (const auto& item : value_->items()) counts[item.key()] = (*this)[item.key()].count();
    return counts;
  }

  Verdict verdict(const std::vector<Verdict>& legal, const std::string& expected) const {
    const std::string name = text();
    const auto found = std::find_if(legal.begin(), legal.end(), [&](Verdict v) { return name == name_of(v); });
    require(found != legal.end(), expected);
    return *found;
  }

  bool is_null() const { return value_ != nullptr && value_->is_null(); }

  void require(bool holds, const std::string& expected) const {
    if (!holds) refuse(path_, expected, value_ == nullptr ? "nothing" : printed());
  }

 private:
  std::string printed() const {
    constexpr std::size_t enough_to_recognize = 60;
    return shortened(one_line(value_->dump(-1, ' ', false, json::error_handler_t::replace)), enough_to_recognize);
  }

  const json* value_;
  std::string path_;
};

std::optional<Finding> read_finding(const Field& field) {
  if (field.is_null()) return std::nullopt;
  return Finding{field["problem"].text(), field["kind"].text(), field["details"].text(), field["shrinks"].count()};
}

Judgement read_judgement(const Field& field) {
  Judgement judgement;
  judgement.claim = field["claim"].text();
  judgement.subject = field["subject"].text();
  judgement.verdict =
      field["verdict"].verdict({std::begin(verdicts), std::end(verdicts)}, "PASSED, FAILED, SKIPPED or MISTRUSTED");
  judgement.reason = field["reason"].text();
  judgement.cases = field["cases"].count();
  judgement.elements = field["elements"].count();
  judgement.seconds = field["seconds"].seconds();
  judgement.output_hash = field["output_hash"].text();
  judgement.classes = field["classes"].counts();
  judgement.explained = field["explained"].counts();
  judgement.finding = read_finding(field["finding"]);
  return judgement;
}

std::vector<Subject> read_subjects(const Field& field) {
  std::vector<Subject> subjects;
  std::set<std::string> names;
  for (const Field& item : field.items()) {
    subjects.push_back({item["name"].text(), item["what"].text(), item["why_not"].text()});
    item["name"].require(names.insert(subjects.back().name).second, "each name once");
  }
  return subjects;
}

/// Tables have one cell for a claim and a subject, and a column for a subject that is listed.
std::vector<Judgement> read_judgements(const Field& field, const std::vector<Subject>& subjects) {
  std::vector<Judgement> judgements;
  std::set<std::string> names;
  for (const Subject& subject : subjects) names.insert(subject.name);
  std::set<std::pair<std::string, std::string>> judged;
  for (const Field& item : field.items()) {
    judgements.push_back(read_judgement(item));
    const Judgement& last = judgements.back();
    item["subject"].require(names.contains(last.subject), "a name of subjects");
    item["claim"].require(judged.emplace(last.claim, last.subject).second, "one judgement of a claim on a subject");
  }
  return judgements;
}

std::map<Verdict, std::uint64_t> read_counts(const Field& field, const std::vector<Judgement>& judgements) {
  std::map<Verdict, std::uint64_t> counts;
  for (const Verdict verdict : verdicts) counts[verdict] = field[name_of(verdict)].count();
  std::map<Verdict, std::uint64_t> held;
  for (const Judgement& judgement : judgements) ++held[judgement.verdict];
  for (const Verdict verdict : verdicts) {
    field[name_of(verdict)].require(counts[verdict] == held[verdict],
                                    std::to_string(held[verdict]) + ", as many as judgements holds");
  }
  return counts;
}

Verdict read_verdict(const Field& field, const std::map<Verdict, std::uint64_t>& counts) {
  const Verdict verdict =
      field.verdict({Verdict::passed, Verdict::failed, Verdict::mistrusted}, "PASSED, FAILED or MISTRUSTED");
  const bool all_well = counts.at(Verdict::failed) == 0 && counts.at(Verdict::mistrusted) == 0;
  field.require(verdict != Verdict::passed || all_well, "no PASSED over judgements that are FAILED or MISTRUSTED");
  field.require(verdict != Verdict::passed || counts.at(Verdict::passed) > 0, "no PASSED where nothing passed");
  return verdict;
}

}  // namespace

const char* name_of(Verdict verdict) {
  constexpr const char* names[] = {"PASSED", "FAILED", "SKIPPED", "MISTRUSTED"};
  return names[static_cast<int>(verdict)];
}

Summary read(const json& summary) {
  const Field root(&summary, "");
  root["schema"].require(root["schema"].count() == 1, "1");
  Summary result;
  result.tool = root["tool"].text();
  result.command = root["command"].text();
  result.run_start = root["run_start"].text();
  result.seconds = root["seconds"].seconds();
  result.seed = root["seed"].count();
  result.cases_per_claim = root["cases_per_claim"].count();
  const Field machine = root["machine"];
  result.machine = {machine["compiler"].text(), machine["cpu"].text(), machine["gpu"].text()};
  result.reason = root["reason"].text();
  result.exit_code = root["exit_code"].count();
  result.output_hash = root["output_hash"].text();
  result.subjects = read_subjects(root["subjects"]);
  result.judgements = read_judgements(root["judgements"], result.subjects);
  result.counts = read_counts(root["counts"], result.judgements);
  result.verdict = read_verdict(root["verdict"], result.counts);
  return result;
}

}  // namespace tileproof::reports
