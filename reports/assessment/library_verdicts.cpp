#include "reports/assessment/library_verdicts.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "reports/assessment/causes.h"
#include "reports/assessment/differences.h"
#include "reports/field.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

constexpr std::array operations_on_codes = {"pack", "unpack", "convert"};

bool is_on_codes(const std::string& operation) {
  return std::find(operations_on_codes.begin(), operations_on_codes.end(), operation) != operations_on_codes.end();
}

/// The verdict that stands for two: the worse.
Verdict worse(Verdict a, Verdict b) {
  constexpr std::array order = {Verdict::skipped, Verdict::passed, Verdict::known, Verdict::mistrusted,
                                Verdict::failed};
  const auto rank = [&](Verdict one) { return std::find(order.begin(), order.end(), one); };
  return rank(a) < rank(b) ? b : a;
}

bool differs(const Judgement& judgement) {
  return judgement.verdict == Verdict::failed || judgement.verdict == Verdict::known;
}

/// A difference of a property, and how it is shown.
struct ShownDifference {
  std::string words, since;
  std::vector<std::string> replay;
};

/// What the judgements of an operation amount to.
struct OfOperation {
  std::vector<const Judgement*> counted;  // those that tell for or against it
  Verdict verdict = Verdict::skipped;
  std::set<std::string> schemes;
  std::set<std::string> not_asked;  // coverage goals of properties that need it, also of those that were SKIPPED
};

/// The operations that a judgement tells about.
/// @param blamed  the operations that have this verdict on a property that needs them alone
std::vector<std::string> told_about(const Judgement& judgement, const std::set<std::string>& blamed) {
  if (!differs(judgement)) return judgement.needs;
  std::vector<std::string> some;
  for (const std::string& operation : judgement.needs) {
    if (blamed.contains(operation)) some.push_back(operation);
  }
  return some.empty() ? judgement.needs : some;
}

/// The differences, each in the same words once, the most diagnostic first: findings that no ledger lists, in the words
/// of the table, then those that a ledger lists, in its own.
std::vector<ShownDifference> differences_of(const std::vector<const Judgement*>& judgements) {
  std::vector<Failure> fresh, expected;
  for (const Judgement* judgement : judgements) {
    if (judgement->verdict == Verdict::failed) {
      for (const Failure& failure : failures_of(*judgement)) fresh.push_back(failure);
    }
    for (const ExpectedFailure& known : judgement->known) expected.push_back({judgement, finding_of(known)});
  }
  std::vector<ShownDifference> all;
  const auto add = [&](const ShownDifference& one) {
    const auto same = std::ranges::find_if(all, [&](const ShownDifference& other) { return other.words == one.words; });
    if (same == all.end()) all.push_back(one);
  };
  for (const Failure& failure : in_order_of_cause(fresh)) {
    add({difference(failure.judgement->property, failure.finding), "new", failure.finding.replay});
  }
  for (const Failure& failure : in_order_of_cause(expected)) {
    const auto entry = std::ranges::find_if(failure.judgement->known, [&](const ExpectedFailure& known) {
      return known.problem == failure.finding.problem;
    });
    add({entry->what, entry->since, failure.finding.replay});
  }
  return all;
}

std::string explained_in(const std::vector<const Judgement*>& judgements) {
  std::set<std::string> reasons;
  for (const Judgement* judgement : judgements) {
    for (const auto& [reason, count] : judgement->explained) reasons.insert(reason.substr(0, reason.find(':')));
  }
  return reasons.empty() ? "" : "explained: " + joined(reasons, "; ");
}

std::string refused_in(const std::vector<const Judgement*>& judgements) {
  for (const Judgement* judgement : judgements) {
    if (judgement->refused.cases != 0)
      return "refuses: " + shortened(first_line(judgement->refused.message), most_quoted);
  }
  return "";
}

std::string reason_in(const std::vector<const Judgement*>& judgements, Verdict verdict) {
  for (const Judgement* judgement : judgements) {
    if (judgement->verdict == verdict) return judgement->property + ": " + judgement->reason;
  }
  return "";
}

/// Beginnings of goals that the list leaves out: a row names its type, and its format limits scales and groups.
constexpr const char* goals_of_any_run[] = {"weights ", "format ", "group ", "scale ", "aligned "};

/// Lists the coverage goals that are out of reach of what the library takes.
std::string not_asked_in(const std::set<std::string>& goals) {
  constexpr std::size_t most = 3;
  std::vector<std::string> told;
  for (const std::string& goal : goals) {
    const bool is_of_run =
        std::ranges::any_of(goals_of_any_run, [&](const char* start) { return goal.starts_with(start); });
    if (!is_of_run) told.push_back(goal);
  }
  if (told.size() > most) {
    const std::string more = "and " + std::to_string(told.size() - most) + " more";
    told.resize(most);
    told.push_back(more);
  }
  return told.empty() ? "" : "not asked: " + joined(told, ", ");
}

/// Whether every element that was compared had the bits that the specification gives, but for the bits of a NaN.
bool are_exact(const std::vector<const Judgement*>& judgements, const std::string& operation) {
  if (operation == "matmul") return false;  // sums of many terms are held to a bound
  return std::ranges::all_of(judgements, [](const Judgement* judgement) {
    return std::ranges::all_of(judgement->explained,
                               [](const auto& one) { return one.first.starts_with("a NaN with other bits"); });
  });
}

/// Fills what a row says of its judgements.
void describe(LibraryVerdict& row, const std::vector<const Judgement*>& judgements,
              const std::set<std::string>& not_asked) {
  constexpr std::size_t most = 4;
  const std::vector<ShownDifference> all = differences_of(judgements);
  std::vector<std::string> words, since;
  for (const ShownDifference& one : all) {
    if (words.size() < most) words.push_back(one.words);
    if (std::find(since.begin(), since.end(), one.since) == since.end()) since.push_back(one.since);
  }
  if (all.size() > most) words.push_back("and " + std::to_string(all.size() - most) + " more");
  if (row.verdict == Verdict::mistrusted) words.push_back(reason_in(judgements, Verdict::mistrusted));
  // What is explained is about weights, though the property may need codes too.
  const std::string explained = row.type.empty() ? "" : explained_in(judgements);
  row.is_exact = row.verdict == Verdict::passed && are_exact(judgements, row.operation);
  const std::string bound = row.operation == "matmul" ? "long sums within a bound" : "";
  for (const std::string& also : {refused_in(judgements), explained, bound, not_asked_in(not_asked)}) {
    if (!also.empty()) words.push_back(also);
  }
  row.how = words;
  row.since = joined(since, ", ");
  if (!all.empty() && !all.front().replay.empty()) row.replay = replay_command(all.front().replay);
}

/// The row of a run of which nothing was judged.
LibraryVerdict not_judged(const std::string& name, const std::string& type, const std::string& why,
                          const std::string& command) {
  LibraryVerdict row;
  row.name = row.library = name;
  row.type = type;
  row.how = {why};
  row.replay = command;
  return row;
}

std::string command_of(const std::string& environment, const std::vector<std::string>& words) {
  return (environment.empty() ? "" : environment + " ") + program_called() + " " + command_line(words);
}

/// The rows of one run.
std::vector<LibraryVerdict> rows_of(const Field& run, const Summary& summary) {
  const std::string name = run["name"].text(), environment = run["environment"].text();
  const std::string command = command_of(environment, run["command"].texts());
  const Subject& subject = summary.subjects.at(0);
  if (!subject.why_not.empty()) return {not_judged(name, run["type"].text(), subject.why_not, command)};
  std::map<Verdict, std::set<std::string>> blamed;
  std::vector<std::string> operations;
  for (const Judgement& judgement : summary.judgements) {
    if (judgement.verdict == Verdict::skipped) continue;
    if (differs(judgement) && judgement.needs.size() == 1) blamed[judgement.verdict].insert(judgement.needs.front());
    for (const std::string& operation : judgement.needs) {
      if (std::find(operations.begin(), operations.end(), operation) == operations.end()) {
        operations.push_back(operation);
      }
    }
  }
  std::map<std::string, OfOperation> of;
  std::set<std::string> formats;
  for (const Judgement& judgement : summary.judgements) {
    formats.insert(judgement.asked.formats.begin(), judgement.asked.formats.end());
    // A verdict on the whole, as that the process dies of loading, is about no operation: it tells against all.
    const std::vector<std::string> about =
        judgement.needs.empty() ? operations : told_about(judgement, blamed[judgement.verdict]);
    for (const std::string& operation : judgement.needs) {
      for (const std::string& goal : judgement.out_of_reach) of[operation].not_asked.insert(goal);
    }
    if (judgement.verdict == Verdict::skipped) continue;
    for (const std::string& operation : about) {
      of[operation].counted.push_back(&judgement);
      of[operation].verdict = worse(of[operation].verdict, judgement.verdict);
      of[operation].schemes.insert(judgement.asked.schemes.begin(), judgement.asked.schemes.end());
    }
  }
  std::vector<LibraryVerdict> rows;
  for (const std::string& operation : operations) {
    LibraryVerdict row;
    row.name = name;
    row.library = subject.library.empty() ? name : subject.library;
    row.format = joined(formats, ", ");
    row.operation = operation;
    row.type = is_on_codes(operation) ? "" : run["type"].text();
    const std::set<std::string>& schemes = of[operation].schemes;
    if (!is_on_codes(operation) && !schemes.empty()) row.format += " (" + joined(schemes, ", ") + ")";
    row.machine = subject.device == "cuda" ? summary.machine.gpu : "CPU " + subject.capability;
    if (!environment.empty()) row.machine += ", " + environment;
    row.verdict = of[operation].verdict;
    row.replay = command;
    describe(row, of[operation].counted, of[operation].not_asked);
    if (row.replay != command && !environment.empty()) row.replay = environment + " " + row.replay;
    rows.push_back(row);
  }
  if (rows.empty()) rows.push_back(not_judged(name, run["type"].text(), "no property ran", command));
  return rows;
}

/// Adds a row. One of an operation on codes is the same in the runs of each type of weights: the worse stands.
void add_row(std::vector<LibraryVerdict>& rows, const LibraryVerdict& row) {
  const auto same = std::ranges::find_if(rows, [&](const LibraryVerdict& one) {
    return one.name == row.name && one.operation == row.operation && one.type == row.type &&
           one.machine == row.machine && one.format == row.format;
  });
  if (same == rows.end()) {
    rows.push_back(row);
  } else if (worse(same->verdict, row.verdict) != same->verdict) {
    *same = row;
  }
}

}  // namespace

const char* name_in_table(const LibraryVerdict& row) { return row.is_exact ? "EXACT" : name_of(row.verdict); }

LibraryVerdicts library_verdicts(const nlohmann::json& ran) {
  const Field root(ran, "verdicts");
  root.require_schema(1);
  LibraryVerdicts all;
  all.tool = root["tool"].text();
  all.run_start = root["run_start"].text();
  all.cases = root["cases"].count();
  const std::vector<Field> runs = root["runs"].items();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Field& run = runs[i];
    if (const std::string why_not = run["why_not"].text(); !why_not.empty()) {
      LibraryVerdict row = not_judged(run["name"].text(), run["type"].text(), why_not,
                                      command_of(run["environment"].text(), run["command"].texts()));
      if (run["is_broken"].truth()) row.verdict = Verdict::mistrusted;
      add_row(all.rows, row);
      continue;
    }
    const Summary summary = read(ran["runs"][i].at("summary"));
    all.cpu = summary.machine.cpu;
    all.gpu = summary.machine.gpu;
    for (const LibraryVerdict& row : rows_of(run, summary)) add_row(all.rows, row);
  }
  Verdict whole = Verdict::skipped;
  for (const LibraryVerdict& row : all.rows) whole = worse(whole, row.verdict);
  const bool is_red = whole == Verdict::skipped || whole == Verdict::mistrusted;
  all.exit_code = whole == Verdict::failed ? 1 : is_red ? 3 : 0;
  return all;
}

}  // namespace tileproof::reports
