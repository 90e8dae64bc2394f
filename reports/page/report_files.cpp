#include "reports/page/report_files.h"

#include <map>
#include <nlohmann/json.hpp>

#include "reports/text/xml.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

/// A pull request comment that takes lines as long as there is room, and counts those left out.
class Comment {
 public:
  explicit Comment(std::string head) : text_(std::move(head)) {}

  void add(const std::string& line) {
    // GitHub's limit is 65,536; the rest is room for the line that counts those left out.
    constexpr std::size_t most_bytes = 60'000;
    if (text_.size() + line.size() <= most_bytes) {
      text_ += line;
    } else {
      ++left_out_;
    }
  }
  std::string text() const {
    if (left_out_ == 0) return text_;
    return text_ + "\nand " + std::to_string(left_out_) + " more lines: see report.html\n";
  }

 private:
  std::string text_;
  std::size_t left_out_ = 0;
};

}  // namespace

std::string report_markdown(const ReportContext& context) {
  const Assessment& assessment = context.assessment;
  Comment comment("## " + std::string(name_of(headline_of(assessment))) + "\n\n" + assessment.sentence + "\n\n");
  comment.add("| word | count |\n|---|---|\n");
  for (std::size_t i = 0; i < words; ++i) {
    const Status word = static_cast<Status>(i);
    if (assessment.count(word) != 0) {
      comment.add("| " + std::string(name_of(word)) + " | " + std::to_string(assessment.count(word)) + " |\n");
    }
  }
  const auto list = [&](const char* title, const std::vector<std::string>& lines, std::size_t most) {
    if (lines.empty()) return;
    comment.add("\n### " + std::string(title) + "\n");
    for (std::size_t i = 0; i < std::min(lines.size(), most); ++i) comment.add("- " + lines[i] + "\n");
    if (lines.size() > most) comment.add("\nand " + std::to_string(lines.size() - most) + " more: see report.html\n");
  };
  std::vector<std::string> remarks, samples, read, unlike;
  for (const std::string& line : assessment.samples) samples.push_back(code(line));
  for (const std::string& remark : context.remarks) remarks.push_back(code(remark));
  const ToRead first = to_read(assessment, 12);
  for (const Item& item : first.items) {
    read.push_back(std::string(name_of(item.word)) + " " + code(item.name) +
                   (item.why.empty() ? "" : ": " + code(shortened(item.why, 300))));
  }
  for (const std::string& more : first.left_out) read.push_back("and " + more);
  if (context.before != nullptr) {
    for (const Difference& one : differences(context.now.provenance(), context.before->provenance())) {
      if (one.is_unlike)
        unlike.push_back(code(one.name) + ": " + code(one.before) + " in the baseline, " + code(one.now) + " here");
    }
  }
  list("Beware", remarks, 20);
  list("Proofs that are not whole", samples, 20);
  list("To read", read, 80);
  list("Not like for like", unlike, 20);
  const std::size_t gaps = not_shown(context).size();
  comment.add("\n" + counted(gaps, "thing") + " this report does not show: see the end of the page\n");
  return comment.text();
}

std::string report_junit(const ReportContext& context) {
  struct Suite {
    std::size_t tests = 0, failures = 0, skipped = 0;
    std::string testcases;
  };
  std::map<std::string, Suite> suites;
  for (const Item& item : context.assessment.items) {
    Suite& suite = suites[item.kind];
    const bool skips = is_amber(item.word) || (item.word == Status::not_run && !item.is_red);
    ++suite.tests;
    suite.failures += is_red(item) ? 1 : 0;
    suite.skipped += skips ? 1 : 0;
    suite.testcases += "    <testcase" + xml::attribute("classname", item.kind) + xml::attribute("name", item.name);
    // An amber item's reason already says which word it has: "sampled 320 of 2,362,667,520 (0.000014 %)", "known: ...".
    const std::string message = is_amber(item.word) ? item.why : std::string(name_of(item.word)) + ": " + item.why;
    suite.testcases += is_red(item) ? ">\n      <failure" + xml::attribute("type", name_of(item.word)) +
                                          xml::attribute("message", message) + "/>\n    </testcase>\n"
                       : skips ? ">\n      <skipped" + xml::attribute("message", message) + "/>\n    </testcase>\n"
                               : "/>\n";
  }
  // If the report is red but none of its items is, a test of its own fails, because servers show a run without
  // failures as good.
  std::size_t red = 0;
  for (const auto& [kind, suite] : suites) red += suite.failures;
  if (red == 0 && context.assessment.outcome != Outcome::passed) {
    suites["report"] = {1, 1, 0,
                        "    <testcase" + xml::attribute("classname", "report") +
                            xml::attribute("name", "the report as a whole") + ">\n      <failure" +
                            xml::attribute("type", name_of(headline_of(context.assessment))) +
                            xml::attribute("message", context.assessment.sentence) + "/>\n    </testcase>\n"};
  }
  std::string text =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + xml::attribute("name", "tileproof report") + ">\n";
  for (const auto& [kind, suite] : suites) {
    text += "  <testsuite" + xml::attribute("name", kind) + xml::attribute("tests", std::to_string(suite.tests)) +
            xml::attribute("failures", std::to_string(suite.failures)) + xml::attribute("errors", "0") +
            xml::attribute("skipped", std::to_string(suite.skipped)) + ">\n" + suite.testcases + "  </testsuite>\n";
  }
  return text + "</testsuites>\n";
}

json report_json(const ReportContext& context) {
  const Assessment& assessment = context.assessment;
  json counts = json::object(), items = json::array(), charts = json::object(), differing = json::array();
  for (std::size_t i = 0; i < words; ++i) counts[name_of(static_cast<Status>(i))] = assessment.counts[i];
  for (const Item& item : assessment.items) {
    items.push_back({{"word", name_of(item.word)},
                     {"kind", item.kind},
                     {"name", item.name},
                     {"why", item.why},
                     {"red", is_red(item)}});
  }
  for (const Chart& chart : context.charts) charts[chart.id] = figure(chart);
  if (context.before != nullptr) {
    for (const Difference& one : differences(context.now.provenance(), context.before->provenance())) {
      differing.push_back({{"name", one.name}, {"baseline", one.before}, {"run", one.now}, {"unlike", one.is_unlike}});
    }
  }
  json files = json::array();
  const auto add_files = [&](const auto& records) {
    for (const auto& one : records) files.push_back(one.file);
  };
  add_files(context.now.verified), add_files(context.now.measured), add_files(context.now.proved);
  add_files(context.now.campaigns), add_files(context.now.timed);
  json troubles = context.now.troubles;
  if (context.before != nullptr) {
    for (const std::string& trouble : context.before->troubles) troubles.push_back(trouble);
  }
  return {{"schema", 1},
          {"verdict", name_of(headline_of(assessment))},
          {"sentence", assessment.sentence},
          {"counts", counts},
          {"items", items},
          {"records", files},
          {"provenance", context.now.provenance()},
          {"differences", differing},
          {"remarks", context.remarks},
          {"bad_input", troubles},
          {"charts", charts}};
}

}  // namespace tileproof::reports
