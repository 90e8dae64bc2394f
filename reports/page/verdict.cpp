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
  TableRows rows;
  for (std::size_t i = 0; i < words; ++i) {
    const Status word = static_cast<Status>(i);
    rows.push_back({badge(word), with_commas(assessment.count(word)), meaning_of(word)});
  }
  return table({{"word"}, {"count", true}, {"what it says"}}, rows);
}

Markup items(const ReportContext& context) {
  const ToRead first = to_read(context.assessment, 12);
  if (first.items.empty()) return paragraph("Nothing of it needs reading.");
  TableRows rows;
  for (const Item& item : first.items) rows.push_back({badge(item.word), item.kind, item.name, item.why});
  Markup all = titled_table("To read", {{"word"}, {"kind"}, {"what"}, {"why"}}, rows);
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
  return joined(parts, ": ", [](std::string part) {
    const bool is_a_file_name = part.find('.') != std::string::npos;
    if (!is_a_file_name) std::replace(part.begin(), part.end(), '_', ' ');
    return part;
  });
}

/// A table of subjects with the number of properties by verdict, or the reason why the subject did not run.
Markup subjects(const ReportContext& context) {
  TableRows rows;
  for (const auto& found : context.now.verified) {
    for (const Subject& subject : found.record.subjects) {
      std::map<Verdict, std::size_t> properties;
      for (const Judgement& one : found.record.judgements) {
        if (one.subject == subject.name) ++properties[one.verdict];
      }
      const std::string said = joined(properties, ", ", [](const auto& count) {
        return std::to_string(count.second) + " " + name_of(count.first);
      });
      rows.push_back({subject.name, subject.what, subject.why_not.empty() ? said : "did not run: " + subject.why_not});
    }
  }
  return titled_table("Subjects", {{"subject"}, {"what it is"}, {"properties"}}, rows);
}

}  // namespace

Markup verdict_section(ReportContext& context) {
  const Assessment& assessment = context.assessment;
  const Status word = headline_of(assessment);
  Markup all = element("div", {{"class", "verdict " + colour_of(assessment)}, {"id", "outcome"}},
                       element("strong", name_of(word)) + " " + element("span", assessment.sentence));
  for (const std::string& remark : context.remarks) all += warning(remark);
  for (const std::string& line : assessment.samples) all += warning(line);
  return all + counts(assessment) + items(context) + subjects(context);
}

Markup provenance_section(ReportContext& context) {
  Markup all;
  const std::string several = joined(made_in_several_ways(context.now), ", ", readable);
  if (!several.empty()) {
    all +=
        warning("The records of this run were not all made with the same program on the same machine: they differ in " +
                several + ".");
  }
  TableRows made;
  const auto add = [&](const char* role, const Records& records) {
    records.each_kind([&](const char* kind, const auto& found) {
      for (const auto& one : found) {
        const std::string short_commit = value_named(one.provenance, "commit").substr(0, 10);
        made.push_back({role, kind, one.run_start, code_of(short_commit), code_of(one.file)});
      }
    });
  };
  add("this run", context.now);
  if (context.before != nullptr) add("baseline", *context.before);
  all += table({{"of"}, {"record"}, {"begun"}, {"commit"}, {"file"}}, made);
  TableRows rows;
  if (context.before == nullptr) {
    for (const auto& [name, value] : context.now.provenance()) rows.push_back({readable(name), code_of(value)});
    if (rows.empty()) return all + paragraph("The records do not say where they were made.");
    return all + table({{"what"}, {"value"}}, rows);
  }
  std::vector<std::string> unlike;
  for (const Difference& one : context.differences()) {
    const auto value = [](const std::string& text) { return text.empty() ? Markup("not said") : code_of(text); };
    rows.push_back({readable(one.name), value(one.before), value(one.now), one.is_unlike ? "not like for like" : ""});
    if (one.is_unlike) unlike.push_back(readable(one.name));
  }
  if (!unlike.empty()) {
    all += warning("This is not like for like. The two runs differ in " + joined(unlike, ", ") +
                   ": what differs below may come from there.");
  }
  if (rows.empty()) return all + paragraph("Both runs say the same of where they were made.");
  return all + paragraph("What differs; all else that both records say of it is the same.") +
         table({{"what"}, {"baseline"}, {"this run"}, {""}}, rows);
}

}  // namespace tileproof::reports
