#include <utility>

#include "reports/assessment/groups.h"
#include "reports/records/summary.h"
#include "reports/reports.h"
#include "reports/text/xml.h"

namespace tileproof::reports {

namespace xml {

namespace {

/// XML 1.0 cannot hold these characters, not even as references.
bool is_forbidden(char32_t value) {
  const bool is_control = value < 0x20 && value != '\t' && value != '\n' && value != '\r';
  return is_control || value == 0xfffe || value == 0xffff;
}

std::string reference_to(char letter) { return "&#" + std::to_string(static_cast<int>(letter)) + ";"; }

/// Replaces the characters in `special` by references, and drops those that XML forbids.
std::string escaped(const std::string& text, std::string_view special) {
  std::string result;
  for (const Character& character : characters_of(text)) {
    if (is_forbidden(character.value)) continue;
    const bool refers = character.bytes.size() == 1 && special.find(character.bytes) != std::string_view::npos;
    result += refers ? reference_to(character.bytes[0]) : std::string(character.bytes);
  }
  return result;
}

}  // namespace

// \r is escaped because a parser would turn it into \n, and > because "]]>" is not allowed in content.
std::string content(const std::string& text) { return escaped(text, "<>&\r"); }

// Line ends and tabs are escaped because a parser would turn them into spaces.
std::string attribute(const std::string& name, const std::string& value) {
  return " " + name + "=\"" + escaped(value, "<>&\"\r\n\t") + "\"";
}

std::string Counts::attributes() const {
  return attribute("tests", std::to_string(tests)) + attribute("failures", std::to_string(failures)) +
         attribute("errors", "0") + attribute("skipped", std::to_string(skipped));
}

std::string testcase(const std::string& classname, const std::string& name, const std::string& attributes,
                     const std::string& inside) {
  return "    <testcase" + attribute("classname", classname) + attribute("name", name) + attributes +
         (inside.empty() ? "/>\n" : ">\n" + inside + "    </testcase>\n");
}

std::string testsuites(const std::string& attributes, const std::string& suites) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + attributes + ">\n" + suites + "</testsuites>\n";
}

}  // namespace xml

namespace {

using xml::attribute;
using xml::content;

std::string seconds_attribute(double seconds) { return attribute("time", fixed(seconds, 3)); }

std::string failure(const std::string& type, const std::string& message, const std::string& body) {
  return "      <failure" + attribute("type", type) + attribute("message", message) + ">" + content(body) +
         "</failure>\n";
}

/// Appends the command that replays the finding, if there is one.
std::string with_replay(const std::string& text, const std::vector<std::string>& replay) {
  return replay.empty() ? text : text + "\n" + replay_command(replay);
}

std::string text_of(const Failure& failure) {
  const Finding& finding = failure.finding;
  const std::string kind = finding.kind.empty() ? "" : finding.kind + " ";
  return with_replay(kind + how_found(failure) + "\n" + finding.details, finding.replay);
}

/// One element for all findings, because many servers show only the first of several.
std::string failed(const Judgement& judgement) {
  const std::vector<Failure> failures = failures_of(judgement);
  const Finding& first = failures.front().finding;
  if (judgement.findings.empty()) return failure("FAILED", first_line(first.details), first.details);
  const std::string more = failures.size() == 1 ? "" : " (and " + std::to_string(failures.size() - 1) + " more)";
  return failure(first.kind, first_line(first.details) + more, joined(failures, "\n\n", text_of));
}

std::string skipped(const std::string& message) { return "      <skipped" + attribute("message", message) + "/>\n"; }

std::string outcome(const Judgement& judgement) {
  if (judgement.verdict == Verdict::failed) return failed(judgement);
  if (judgement.verdict == Verdict::mistrusted) return failure("MISTRUSTED", judgement.reason, judgement.reason);
  if (judgement.verdict == Verdict::skipped) return skipped(judgement.reason);
  if (judgement.verdict == Verdict::passed) return "";
  // KNOWN becomes skipped, the only state of JUnit that is neither red nor green. As a failure it would keep every
  // server's gate red until its author repairs it; as a passed test it would claim that the property holds.
  return skipped("known: " + joined(judgement.known, "; ",
                                    [](const ExpectedFailure& finding) { return finding.id + ": " + finding.what; }));
}

/// Remarks that a server shows beside any outcome; a property that FAILED may also have known findings.
std::string remarks(const Judgement& judgement) {
  std::string lines;
  for (const auto& [reason, count] : judgement.explained) {
    lines += "explained: " + counted(count, "element") + ": " + reason + "\n";
  }
  if (judgement.refused.cases != 0) {
    lines += "refused: " + counted(judgement.refused.cases, "case") + ": " + judgement.refused.message + "\n";
  }
  for (const ExpectedFailure& finding : judgement.known) {
    const std::string title = "known: " + finding.id + ": " + finding.what + " (since " + finding.since + ", expires " +
                              finding.expires + ", " + counted(finding.cases, "case") + ")";
    lines += with_replay(title + "\n" + finding.details, finding.replay) + "\n";
  }
  return lines.empty() ? "" : "      <system-out>" + content(lines) + "</system-out>\n";
}

struct Totals : xml::Counts {
  double seconds = 0;

  void add(const Judgement& judgement) {
    ++tests;
    failures += judgement.verdict == Verdict::failed || judgement.verdict == Verdict::mistrusted ? 1 : 0;
    skipped += judgement.verdict == Verdict::skipped || judgement.verdict == Verdict::known ? 1 : 0;
    seconds += judgement.seconds;
  }
};

std::string properties(const Summary& summary, const Subject& subject) {
  const std::pair<const char*, std::string> rows[] = {
      {"what", subject.what},       {"why_not", subject.why_not}, {"tool", summary.tool},
      {"command", summary.command}, {"seed", summary.seed},       {"compiler", summary.machine.compiler},
      {"cpu", summary.machine.cpu}, {"gpu", summary.machine.gpu}, {"output_hash", summary.output_hash},
  };
  std::string text = "    <properties>\n";
  for (const auto& [name, value] : rows) {
    text += "      <property" + attribute("name", name) + attribute("value", value) + "/>\n";
  }
  return text + "    </properties>\n";
}

std::string testsuite(const Summary& summary, const Subject& subject, Totals& of_run) {
  Totals totals;
  std::string testcases;
  for (const Judgement& judgement : summary.judgements) {
    if (judgement.subject != subject.name) continue;
    totals.add(judgement);
    of_run.add(judgement);
    testcases += xml::testcase(judgement.subject, judgement.property, seconds_attribute(judgement.seconds),
                               outcome(judgement) + remarks(judgement));
  }
  return "  <testsuite" + attribute("name", subject.name) + totals.attributes() + seconds_attribute(totals.seconds) +
         attribute("timestamp", summary.run_start) + ">\n" + properties(summary, subject) + testcases +
         "  </testsuite>\n";
}

/// A judgement that holds the reason of a run that is red although none of its properties is.
Judgement run_as_a_whole(const Summary& summary) {
  Judgement judgement;
  judgement.property = "the run as a whole";
  judgement.subject = "tileproof";
  judgement.verdict = summary.verdict;
  judgement.reason = summary.reason;
  return judgement;
}

}  // namespace

std::string junit(const nlohmann::json& json) {
  const Summary summary = read(json);
  Totals totals;
  std::string suites;
  for (const Subject& subject : summary.subjects) suites += testsuite(summary, subject, totals);
  const bool is_red = summary.verdict == Verdict::failed || summary.verdict == Verdict::mistrusted;
  if (is_red && totals.failures == 0) {
    Summary red = summary;
    red.judgements = {run_as_a_whole(summary)};
    suites += testsuite(red, {"tileproof", "the run as a whole", ""}, totals);
  }
  return xml::testsuites(attribute("name", "tileproof") + totals.attributes() + seconds_attribute(summary.seconds),
                         suites);
}

}  // namespace tileproof::reports
