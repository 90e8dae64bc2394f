// tileproof list: names properties, subjects, formats, mutants, profiles and known findings.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>

#include "fuzz/campaign/selection.h"
#include "fuzz/commands/commands.h"
#include "fuzz/records/expected_failures.h"
#include "properties/case/property.h"
#include "properties/catalogue/properties.h"
#include "properties/mutants/mutants.h"
#include "properties/problem/values.h"

namespace tileproof {

namespace {

using Entry = std::pair<std::string, std::string>;

std::string names_of(const std::vector<Operation>& operations) {
  std::string names;
  for (const Operation operation : operations) names += (names.empty() ? "" : ", ") + std::string(name_of(operation));
  return names;
}

std::vector<Entry> listed_properties() {
  std::vector<Entry> entries;
  for (const Property& property : properties())
    entries.emplace_back(property.name,
                         "finds: " + property.finds +
                             (property.needs.empty() ? "" : " (needs " + names_of(property.needs) + ")") +
                             (property.proof.empty() ? "" : "; tileproof prove " + property.proof));
  return entries;
}

std::vector<Entry> listed_subjects() {
  std::vector<Entry> entries;
  for (const SubjectRow& row : subjects()) {
    std::string why_not;
    try {
      const MadeSubject made = row.make();
      if (made.subject == nullptr) why_not = made.why_not;
    } catch (const std::runtime_error& error) {  // this machine fails to make it
      why_not = error.what();
    }
    entries.emplace_back(row.name, row.what + (why_not.empty() ? "" : " (not here: " + why_not + ")"));
  }
  return entries;
}

std::vector<Entry> listed_mutants() {
  std::vector<Entry> entries;
  for (const SubjectRow& row : mutant_subjects()) entries.emplace_back(row.name, row.what);
  return entries;
}

std::vector<Entry> listed_profiles() {
  std::vector<Entry> entries;
  for (const Profile& profile : profiles()) entries.emplace_back(profile.name, std::string("finds: ") + profile.finds);
  return entries;
}

std::vector<Entry> listed_known() {
  std::vector<Entry> entries;
  for (const ExpectedFailure& row : own_expected_failures()) {
    entries.emplace_back(
        row.subject + ": " + row.id + ": " + row.property + (row.variant.empty() ? "" : " " + row.variant),
        row.what + " (since " + row.since + "; expires: " + row.expires + ")");
  }
  return entries;
}

/// For example "k % 64 = 0", or "any n" for a multiple of 1.
std::string text_of_multiple(const std::string& size, std::int64_t multiple) {
  return multiple == 1 ? "any " + size : size + " % " + std::to_string(multiple) + " = 0";
}

std::vector<Entry> listed_formats() {
  std::vector<Entry> entries;
  for (const Format& format : reference::formats) {
    std::string who;
    for (const SubjectRow& row : subjects()) {
      const auto& own = row.capabilities.formats;
      if (std::find(own.begin(), own.end(), &format) != own.end()) who += (who.empty() ? "" : ", ") + row.name;
    }
    entries.emplace_back(
        format.name, std::string("packed ") + format.layout.dtype + " " + format.layout.dims_text + ": " +
                         text_of_multiple("n", format.layout.legal.n) + ", " +
                         text_of_multiple("k", format.layout.legal.k) + "; group size " + text_of(format.group_sizes) +
                         "; schemes " + listed(schemes_of(format)) + "; weights [" +
                         (format.result == reference::ResultOrder::n_k ? "n][k" : "k][n") + "]; taken by " + who);
  }
  return entries;
}

struct Kind {
  const char* name;
  std::vector<Entry> (*entries)();
};
constexpr Kind kinds[] = {{"properties", listed_properties}, {"subjects", listed_subjects}, {"formats", listed_formats},
                          {"mutants", listed_mutants},       {"profiles", listed_profiles}, {"known", listed_known}};

int list(const std::string& wanted) {
  std::vector<std::string> names;
  for (const Kind& kind : kinds) {
    names.push_back(kind.name);
    if (wanted != kind.name) continue;
    for (const Entry& entry : kind.entries()) std::cout << entry.first << "\n    " << entry.second << "\n";
    return exit_code::passed;
  }
  throw unknown_name("list", wanted, "properties, subjects, formats, mutants, profiles or known", names);
}

}  // namespace

std::function<int()> set_up_list(CLI::App& app) {
  auto wanted = std::make_shared<std::string>();
  app.add_option("what", *wanted, "properties, subjects, formats, mutants, profiles or known (findings)");
  return [wanted] { return list(*wanted); };
}

}  // namespace tileproof
