#include "reports/records/records.h"

#include <set>

#include "reports/field.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

std::string verdict_in(const Field& field, const std::set<std::string>& legal) {
  field.require(legal.contains(field.text()), "one of " + joined(legal, ", "));
  return field.text();
}

Proof read_proof(const Field& field) {
  Proof proof = {.property = field["property"].text(),
                 .subject = field["subject"].text(),
                 .verdict = verdict_in(field["verdict"], {"PROVED", "SAMPLED", "FAILED", "MISTRUSTED", "SKIPPED"}),
                 .reason = field["reason"].text(),
                 .point = field["point"].text(),
                 .points = field["points"].count(),
                 .points_done = field["points_done"].count(),
                 .explained = field["explained"].counts(),
                 .seconds = field["seconds"].seconds()};
  if (!field["finding"].is_nothing()) {
    proof.finding = field["finding"]["kind"].text() + ": " + field["finding"]["details"].text();
    proof.replay = field["finding"]["replay"].texts();
  }
  // PROVED requires that all points were compared.
  const bool all = proof.points_done == proof.points && proof.points != 0;
  field["verdict"].require(proof.verdict != "PROVED" || all, "no PROVED where not every point was compared");
  field["verdict"].require(proof.verdict == "FAILED" || proof.finding.empty(), "FAILED over a finding");
  return proof;
}

DomainFigure read_figure(const Field& field) {
  return {.format = field["format"].text(),
          .direction = field["direction"].text(),
          .quantity = field["quantity"].text(),
          .unit = field["unit"].text(),
          .zero_points = field["zero_points"].text(),
          .where = field["where"].text(),
          .value = field["value"].number(),
          .is_proved = field["proved"].truth()};
}

SelfProof read_self(const Field& field) {
  SelfProof self = {field["name"].text(), field["what"].text(), field["summary"].text(), {}};
  for (const Field& item : field["steps"].items()) {
    SelfStep step = {item["step"].text(), item["verdict"].text(), item["said"].text(), {}};
    for (const auto& [name, value] : item["fields"].members()) {
      step.fields[name] = value.is_truth() ? (value.truth() ? "true" : "false") : value.label();
    }
    self.steps.push_back(std::move(step));
  }
  return self;
}

CampaignFinding read_campaign_finding(const Field& field) {
  CampaignFinding finding = {.fingerprint = field["fingerprint"].text(),
                             .how = field["how"].text(),
                             .shrunk = field["shrunk"].text(),
                             .kind = field["kind"].text(),
                             .details = field["details"].text(),
                             .cause = field["cause"].label(),
                             .cases = field["cases"].count(),
                             .was_looked_into = field["looked_into"].truth(),
                             .replay = field["replay"].texts()};
  for (const Field& item : field["examples"].items()) finding.examples.push_back(item.count());
  return finding;
}

void flatten(const std::string& name, const json& value, Provenance& all) {
  if (value.is_object()) {
    for (const auto& item : value.items())
      flatten(name.empty() ? item.key() : name + "." + item.key(), item.value(), all);
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      // An item with a name is called by it, not by its index, so that lists in another order compare equal.
      const json& one = value[i];
      const bool is_named = one.is_object() && one.contains("name") && one["name"].is_string();
      json rest = one;
      if (is_named) rest.erase("name");
      flatten(name + "." + (is_named ? one["name"].get<std::string>() : std::to_string(i)), rest, all);
    }
  } else if (!value.is_null() && value != "") {
    all[name] =
        value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, json::error_handler_t::replace);
  }
}

}  // namespace

Proofs read_proofs(const json& proofs) {
  const Field root(proofs, "proofs.json");
  root.require_schema(1);
  Proofs result;
  result.reason = root["reason"].text();
  result.exit_code = root["exit_code"].count();
  for (const Field& item : root["proofs"].items()) result.proofs.push_back(read_proof(item));
  // Records of older versions lack these two.
  for (const Field& item : root["domains"].items_if_any()) result.domains.push_back(read_figure(item));
  for (const Field& item : root["self"].items_if_any()) result.self.push_back(read_self(item));
  for (const Field& item : root["sanitizers"].items()) {
    result.sanitizers.push_back({item["tool"].text(), item["verdict"].text(), item["reason"].text()});
  }
  result.not_here = root["not_here"].texts_by_name();
  return result;
}

Campaign read_campaign(const json& campaign) {
  const Field root(campaign, "campaign.json");
  root.require_schema(1);
  Campaign result = {.subject = root["subject"].text(),
                     .seed = root["seed"].text(),
                     .verdict = verdict_in(root["verdict"], {"PASSED", "FAILED", "MISTRUSTED", "KNOWN", "MACHINE"}),
                     .reason = root["reason"].text(),
                     .cases = root["cases"].count(),
                     .elements = root["counts"]["elements"].count(),
                     .cells_hit = root["cells"]["hit"].count(),
                     .cells_reachable = root["cells"]["reachable"].count(),
                     .chance_of_a_new_cell = root["chance_that_the_next_is_new"].number(),
                     .known = root["known"].counts(),
                     .never_asked = root["never_asked"].texts()};
  for (const Field& item : root["findings"].items()) result.findings.push_back(read_campaign_finding(item));
  for (const Field& item : root["planted"].items()) {
    result.planted.emplace_back(item["mutant"].text(), item["found"].truth());
  }
  const bool holds = result.verdict == "PASSED" || result.verdict == "KNOWN";
  root["verdict"].require(!holds || result.findings.empty(), "no PASSED and no KNOWN over findings");
  return result;
}

Provenance read_provenance(const json& record) {
  Provenance all;
  if (record.contains("provenance")) {
    flatten("", record["provenance"], all);
    all.erase("schema");
  } else if (record.contains("machine")) {
    flatten("", record["machine"], all);
    for (const char* name : {"tool", "seed"}) flatten(name, record.value(name, json()), all);
  }
  return all;
}

std::string value_named(const Provenance& provenance, const std::string& name) {
  const auto found = provenance.find(name);
  return found == provenance.end() ? "" : found->second;
}

std::map<std::string, std::set<std::string>> Records::values_of_provenance() const {
  std::map<std::string, std::set<std::string>> all;
  each_kind([&](const char*, const auto& records) {
    for (const auto& one : records) {
      for (const auto& [name, value] : one.provenance) all[name].insert(value);
    }
  });
  return all;
}

std::vector<std::string> Records::kinds() const {
  std::vector<std::string> names;
  each_kind([&](const char* name, const auto& records) {
    if (!records.empty()) names.push_back(name);
  });
  return names;
}

Provenance Records::provenance() const {
  Provenance all;
  for (const auto& [name, values] : values_of_provenance()) all[name] = joined(values, " | ");
  return all;
}

}  // namespace tileproof::reports
