#include "fuzz/commands/recorded.h"

#include <algorithm>
#include <fstream>
#include <set>

#include "fuzz/campaign/campaign_summary.h"
#include "fuzz/campaign/merging.h"
#include "fuzz/records/protocol.h"
#include "fuzz/records/records.h"
#include "reports/statistics.h"

namespace tileproof {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json json_in(const fs::path& file) {
  std::ifstream stream(file);
  json value = json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) throw UsageError("'" + file.string() + "' is no record: it holds no JSON object");
  return value;
}

/// The fields that all kinds of records share.
RunOfHistory begun_with(const char* kind, const json& record, const fs::path& folder) {
  RunOfHistory run;
  run.folder = fs::weakly_canonical(folder).string();
  run.kind = kind;
  run.command = record.at("command");
  run.begun = record.value("run_start", "");
  run.seconds = record.at("seconds");
  run.verdict = record.value("verdict", "");
  run.exit_code = record.value("exit_code", 0);
  run.machine = dumped(record.at("machine"));
  const json provenance = record.value("provenance", json());
  run.commit = provenance.is_object() ? provenance.value("commit", "") : "";
  return run;
}

std::string names_of(const json& subjects) {
  std::string all;
  for (const json& one : subjects) {
    if (!one.value("why_not", "").empty()) continue;
    all += (all.empty() ? "" : ", ") + one.at("name").get<std::string>();
  }
  return all;
}

RunOfHistory of_verify(const fs::path& folder) {
  const json record = json_in(folder / "summary.json");
  RunOfHistory run = begun_with("verify", record, folder);
  run.subject = names_of(record.at("subjects"));
  for (const auto& [verdict, count] : record.at("counts").items()) run.figures.push_back({verdict, "", count});
  double cases = 0, elements = 0;
  for (const json& one : record.at("judgements")) {
    cases += one.at("cases").get<double>();
    elements += one.at("elements").get<double>();
  }
  run.figures.push_back({"cases", "", cases});
  run.figures.push_back({"elements compared", "", elements});
  return run;
}

RunOfHistory of_prove(const fs::path& folder) {
  const json record = json_in(folder / "proofs.json");
  RunOfHistory run = begun_with("prove", record, folder);
  std::map<std::string, double> counts;
  std::set<std::string> subjects;
  for (const json& one : record.at("proofs")) {
    ++counts[one.at("verdict")];
    const std::string subject = one.at("subject");
    if (subjects.insert(subject).second) run.subject += (run.subject.empty() ? "" : ", ") + subject;
  }
  for (const auto& [verdict, count] : counts) run.figures.push_back({verdict, "", count});
  return run;
}

RunOfHistory of_bench(const fs::path& folder) {
  const json record = json_in(folder / "bench.json");
  RunOfHistory run = begun_with("bench", record, folder);
  for (const json& row : record.at("rows")) {
    const std::vector<double> seconds = row.at("seconds").at("operation");
    if (seconds.empty()) continue;
    run.figures.push_back({row.at("name"), row.at("unit").get<std::string>() + "/s",
                           row.at("amount").get<double>() / statistics::median(seconds)});
  }
  return run;
}

RunOfHistory of_campaign(const fs::path& folder) {
  const CampaignOfFolders campaign = campaign_of_folders({folder.string()});
  json summary = campaign_summary(campaign.facts, campaign.list());
  // A journal of one shard, merged alone, lacks the other shards and says so. The verdict of the run itself is in its
  // campaign.json.
  if (fs::exists(folder / "campaign.json")) {
    const json said = json_in(folder / "campaign.json");
    for (const char* field : {"verdict", "exit_code", "command", "machine"}) summary[field] = said.at(field);
    summary["provenance"] = said.value("provenance", json());
  }
  return run_of_campaign(summary, folder, campaign.begun);
}

/// To add a kind of record, add a row.
struct KindOfRecord {
  const char* file;
  RunOfHistory (*run)(const fs::path& folder);
};
constexpr KindOfRecord kinds_of_records[] = {
    {"journal.jsonl", of_campaign}, {"summary.json", of_verify}, {"proofs.json", of_prove}, {"bench.json", of_bench}};

}  // namespace

RunOfHistory run_of_campaign(const json& summary, const fs::path& folder, const std::string& begun) {
  RunOfHistory run = begun_with("fuzz", summary, folder);
  run.begun = begun;
  run.subject = summary.at("subject");
  const double cases = summary.at("cases");
  const double seconds = summary.at("seconds");
  run.figures = {{"cases", "", cases},
                 {"cases a second", "1/s", seconds > 0 ? cases / seconds : 0},
                 {"elements compared", "", summary.at("counts").at("elements")},
                 {"cells hit", "", summary.at("cells").at("hit")},
                 {"cells reachable", "", summary.at("cells").at("reachable")},
                 {"findings", "", static_cast<double>(summary.at("findings").size())}};
  for (const json& one : summary.at("findings")) {
    run.findings.push_back(
        {one.at("fingerprint"), one.at("cases"), one.at("how"), one.at("shrunk"), one.at("problem")});
  }
  return run;
}

bool holds_a_run(const fs::path& folder) {
  return std::any_of(std::begin(kinds_of_records), std::end(kinds_of_records),
                     [&](const KindOfRecord& kind) { return fs::exists(folder / kind.file); });
}

std::optional<RunOfHistory> recorded_run(const fs::path& folder) {
  for (const KindOfRecord& kind : kinds_of_records) {
    if (!fs::exists(folder / kind.file)) continue;
    try {
      return kind.run(folder);
    } catch (const json::exception& error) {
      throw UsageError("'" + (folder / kind.file).string() +
                       "' is no record that this tileproof reads: " + error.what());
    }
  }
  return std::nullopt;
}

}  // namespace tileproof
