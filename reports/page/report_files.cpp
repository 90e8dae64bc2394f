#include "reports/page/report_files.h"

#include <map>
#include <nlohmann/json.hpp>

#include "reports/text/xml.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

std::string failure(Status word, const std::string& message) {
  return "      <failure" + xml::attribute("type", name_of(word)) + xml::attribute("message", message) + "/>\n";
}

}  // namespace

std::string report_markdown(const ReportContext& context) {
  const Assessment& assessment = context.assessment;
  std::vector<std::string> lines = {"| word | count |\n|---|---|\n"};
  for (const Status word : words_met(assessment)) {
    lines.push_back("| " + std::string(name_of(word)) + " | " + std::to_string(assessment.count(word)) + " |\n");
  }
  const auto list = [&](const char* title, const std::vector<std::string>& entries, std::size_t most) {
    if (entries.empty()) return;
    lines.push_back("\n### " + std::string(title) + "\n");
    for (std::size_t i = 0; i < std::min(entries.size(), most); ++i) lines.push_back("- " + entries[i] + "\n");
    if (entries.size() > most) {
      lines.push_back("\nand " + std::to_string(entries.size() - most) + " more: see report.html\n");
    }
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
  for (const Difference& one : context.differences()) {
    if (!one.is_unlike) continue;
    unlike.push_back(code(one.name) + ": " + code(one.before) + " in the baseline, " + code(one.now) + " here");
  }
  list("Beware", remarks, 20);
  list("Proofs that are not whole", samples, 20);
  list("To read", read, 80);
  list("Not like for like", unlike, 20);
  lines.push_back("\n" + counted(not_shown(context).size(), "thing") +
                  " this report does not show: see the end of the page\n");
  // GitHub's limit is 65,536; the rest is room for the line that counts those left out.
  constexpr std::size_t most_bytes = 60'000;
  return cut("## " + std::string(name_of(headline_of(assessment))) + "\n\n" + assessment.sentence + "\n\n", lines,
             most_bytes, " more lines: see report.html\n");
}

std::string report_junit(const ReportContext& context) {
  struct Suite : xml::Counts {
    std::string testcases;
  };
  std::map<std::string, Suite> suites;
  bool is_red_somewhere = false;
  for (const Item& item : context.assessment.items) {
    Suite& suite = suites[item.kind];
    const bool skips = is_amber(item.word) || (item.word == Status::not_run && !item.is_red);
    // An amber item's reason already says which word it has: "sampled 320 of 2,362,667,520 (0.000014 %)", "known: ...".
    const std::string message = is_amber(item.word) ? item.why : std::string(name_of(item.word)) + ": " + item.why;
    ++suite.tests;
    suite.failures += is_red(item) ? 1 : 0;
    suite.skipped += skips ? 1 : 0;
    suite.testcases += xml::testcase(item.kind, item.name, "",
                                     is_red(item) ? failure(item.word, message)
                                     : skips      ? "      <skipped" + xml::attribute("message", message) + "/>\n"
                                                  : "");
    is_red_somewhere = is_red_somewhere || is_red(item);
  }
  // If the report is red but none of its items is, a test of its own fails, because servers show a run without
  // failures as good.
  if (!is_red_somewhere && context.assessment.outcome != Outcome::passed) {
    suites["report"] = {{1, 1, 0},
                        xml::testcase("report", "the report as a whole", "",
                                      failure(headline_of(context.assessment), context.assessment.sentence))};
  }
  std::string text;
  for (const auto& [kind, suite] : suites) {
    text += "  <testsuite" + xml::attribute("name", kind) + suite.attributes() + ">\n" + suite.testcases +
            "  </testsuite>\n";
  }
  return xml::testsuites(xml::attribute("name", "tileproof report"), text);
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
  for (const Difference& one : context.differences()) {
    differing.push_back({{"name", one.name}, {"baseline", one.before}, {"run", one.now}, {"unlike", one.is_unlike}});
  }
  json files = json::array();
  context.now.each_kind([&](const char*, const auto& records) {
    for (const auto& one : records) files.push_back(one.file);
  });
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
