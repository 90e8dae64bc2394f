// Sections of the page: the verdict, and the provenance of the run.
#include <algorithm>
#include <map>
#include <sstream>

#include "reports/page/section.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

std::string colour_of(const Assessment& assessment) {
  if (assessment.outcome == Outcome::failed) return "bad";
  return assessment.outcome == Outcome::passed && !is_amber(headline_of(assessment)) ? "good" : "doubtful";
}

Markup counts(const Assessment& assessment) {
  std::vector<std::vector<Markup>> rows;
  for (std::size_t i = 0; i < words; ++i) {
    const Status word = static_cast<Status>(i);
    rows.push_back({badge(word), with_commas(assessment.count(word)), meaning_of(word)});
  }
  return table({{"word"}, {"count", true}, {"what it says"}}, rows);
}

Markup items(const ReportContext& context) {
  const ToRead first = to_read(context.assessment, 12);
  if (first.items.empty()) return paragraph("Nothing of it needs reading.");
  std::vector<std::vector<Markup>> rows;
  for (const Item& item : first.items) rows.push_back({badge(item.word), item.kind, item.name, item.why});
  Markup all = element("h3", "To read") + table({{"word"}, {"kind"}, {"what"}, {"why"}}, rows);
  for (const std::string& more : first.left_out) all += paragraph("and " + more + ": see report.json");
  return all;
}

/// Makes "host_compiler.flags.kernels/tinygemm/n_tiles.cpp" into "host compiler: flags: kernels/tinygemm/n_tiles.cpp".
std::string readable(const std::string& name) {
  std::vector<std::string> parts;
  std::istringstream words(name);
  for (std::string part; std::getline(words, part, '.');) {
    const bool ends_a_file_name = !parts.empty() && (part == "so" || part == "cpp" || part == "cu");
    if (ends_a_file_name) {
      parts.back() += "." + part;
    } else {
      parts.push_back(part);
    }
  }
  std::string all;
  for (std::string& part : parts) {
    const bool is_a_file_name = part.find('.') != std::string::npos;
    if (!is_a_file_name) std::replace(part.begin(), part.end(), '_', ' ');
    all += (all.empty() ? "" : ": ") + part;
  }
  return all;
}

/// A table of subjects with the number of properties by verdict, or the reason why the subject did not run.
Markup subjects(const ReportContext& context) {
  std::vector<std::vector<Markup>> rows;
  for (const auto& found : context.now.verified) {
    for (const Subject& subject : found.record.subjects) {
      std::map<Verdict, std::size_t> properties;
      for (const Judgement& one : found.record.judgements)
        properties[one.verdict] += one.subject == subject.name ? 1 : 0;
      std::string said;
      for (const auto& [verdict, count] : properties) {
        if (count != 0) said += (said.empty() ? "" : ", ") + std::to_string(count) + " " + name_of(verdict);
      }
      const bool has_run = subject.why_not.empty();
      rows.push_back({subject.name, subject.what, has_run ? said : "did not run: " + subject.why_not});
    }
  }
  return rows.empty() ? Markup()
                      : element("h3", "Subjects") + table({{"subject"}, {"what it is"}, {"properties"}}, rows);
}

}  // namespace

Markup verdict_section(ReportContext& context) {
  const Assessment& assessment = context.assessment;
  const Status word = headline_of(assessment);
  Markup all = element("div", {{"class", "verdict " + colour_of(assessment)}, {"id", "outcome"}},
                       element("strong", name_of(word)) + " " + element("span", assessment.sentence));
  for (const std::string& remark : context.remarks) all += of_class("p", "warning", remark);
  for (const std::string& line : assessment.samples) all += of_class("p", "warning", line);
  return all + counts(assessment) + items(context) + subjects(context);
}

Markup provenance_section(ReportContext& context) {
  const Provenance now = context.now.provenance();
  Markup all;
  std::string several;
  for (const std::string& name : made_in_several_ways(context.now))
    several += (several.empty() ? "" : ", ") + readable(name);
  if (!several.empty()) {
    all += of_class(
        "p", "warning",
        "The records of this run were not all made with the same program on the same machine: they differ in " +
            several + ".");
  }
  std::vector<std::vector<Markup>> made;
  const auto add = [&](const char* role, const Records& records) {
    const auto each = [&](const char* kind, const auto& found) {
      for (const auto& one : found) {
        const auto commit = one.provenance.find("commit");
        const std::string short_commit = commit == one.provenance.end() ? "" : commit->second.substr(0, 10);
        made.push_back({role, kind, one.run_start, code_of(short_commit), code_of(one.file)});
      }
    };
    each("verify", records.verified), each("accuracy", records.measured), each("prove", records.proved);
    each("fuzz", records.campaigns), each("bench", records.timed);
  };
  add("this run", context.now);
  if (context.before != nullptr) add("baseline", *context.before);
  all += table({{"of"}, {"record"}, {"begun"}, {"commit"}, {"file"}}, made);
  if (context.before == nullptr) {
    std::vector<std::vector<Markup>> rows;
    for (const auto& [name, value] : now) rows.push_back({readable(name), code_of(value)});
    if (rows.empty()) return all + paragraph("The records do not say where they were made.");
    return all + table({{"what"}, {"value"}}, rows);
  }
  const std::vector<Difference> different = differences(now, context.before->provenance());
  std::vector<std::vector<Markup>> rows;
  std::string unlike;
  for (const Difference& one : different) {
    const auto value = [](const std::string& text) { return text.empty() ? Markup("not said") : code_of(text); };
    rows.push_back({readable(one.name), value(one.before), value(one.now), one.is_unlike ? "not like for like" : ""});
    if (one.is_unlike) unlike += (unlike.empty() ? "" : ", ") + readable(one.name);
  }
  if (!unlike.empty()) {
    all += of_class(
        "p", "warning",
        "This is not like for like. The two runs differ in " + unlike + ": what differs below may come from there.");
  }
  if (rows.empty()) return all + paragraph("Both runs say the same of where they were made.");
  return all + paragraph("What differs; all else that both records say of it is the same.") +
         table({{"what"}, {"baseline"}, {"this run"}, {""}}, rows);
}

}  // namespace tileproof::reports
