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
#include "properties/problem/parameters.h"
#include "properties/problem/values.h"
#include "reference/formats.h"
#include "reports/reports.h"

namespace tileproof {

namespace {

void print(const std::string& name, const std::string& what) { std::cout << name << "\n    " << what << "\n"; }

std::string names_of(const std::vector<Operation>& operations) {
  return reports::joined(operations, ", ", [](Operation operation) { return name_of(operation); });
}

void list_properties() {
  for (const Property& property : properties()) {
    print(property.name, "finds: " + property.finds +
                             (property.needs.empty() ? "" : " (needs " + names_of(property.needs) + ")") +
                             (property.proof.empty() ? "" : "; tileproof prove " + property.proof));
  }
}

void list_subjects() {
  for (const SubjectRow& row : subjects()) {
    std::string why_not;
    try {
      why_not = row.make().why_not;
    } catch (const std::runtime_error& error) {  // this machine fails to make it
      why_not = error.what();
    }
    print(row.name, row.what + (why_not.empty() ? "" : " (not here: " + why_not + ")"));
  }
}

void list_mutants() {
  for (const SubjectRow& row : mutant_subjects()) print(row.name, row.what);
}

void list_profiles() {
  for (const Profile& profile : profiles()) print(profile.name, std::string("finds: ") + profile.finds);
}

void list_known() {
  for (const ExpectedFailure& row : own_expected_failures()) {
    const std::string conditions = conditions_of(row);
    print(row.subject + ": " + row.id + ": " + row.property + (row.variant.empty() ? "" : " " + row.variant) +
              (conditions.empty() ? "" : " (" + conditions + ")"),
          row.what + " (since " + row.since + "; expires: " + row.expires + ")");
  }
}

/// For example "k % 64 = 0", or "any n" for a multiple of 1.
std::string text_of_multiple(const std::string& size, std::int64_t multiple) {
  return multiple == 1 ? "any " + size : size + " % " + std::to_string(multiple) + " = 0";
}

/// "integer (scales [n][k/group_size], zeros int32 [n/8][k/group_size])"
std::string text_of_tensors(const Scheme& scheme, const Format& format) {
  const std::vector<reference::ParameterTensor> tensors(scheme.tensors, scheme.tensors + scheme.tensor_count);
  const std::string all = reports::joined(tensors, ", ", [&](const reference::ParameterTensor& tensor) {
    const std::string dtype = tensor.dtype == nullptr ? "" : std::string(tensor.dtype) + " ";
    return std::string(tensor.role) + " " + dtype + dims_text_of(tensor, format);
  });
  return scheme.name + (all.empty() ? "" : " (" + all + ")");
}

/// "host", or "host (convert)" of a subject that takes the format in some of its operations alone; "" if in none.
std::string taken_by(const SubjectRow& row, const Format& format) {
  const Capabilities& capabilities = row.capabilities;
  if (std::ranges::count(capabilities.formats, &format) == 0) return "";
  std::vector<std::string> some;
  bool all = true;
  for (const Operation operation : pointer_operations) {
    if (!capabilities.has(operation)) continue;
    all &= capabilities.takes(operation, format);
    if (capabilities.takes(operation, format)) some.emplace_back(name_of(operation));
  }
  return row.name + (all ? "" : " (" + reports::joined(some, ", ") + ")");
}

void list_formats() {
  for (const Format& format : reference::formats) {
    std::string who;
    for (const SubjectRow& row : subjects()) {
      const std::string one = taken_by(row, format);
      if (!one.empty()) who += (who.empty() ? "" : ", ") + one;
    }
    print(format.name,
          std::string("packed ") + format.layout.dtype + " " + format.layout.dims_text + ": " +
              text_of_multiple("n", format.layout.legal.n) + ", " + text_of_multiple("k", format.layout.legal.k) +
              "; group size " + text_of(format.group_sizes) + "; schemes " +
              reports::joined(schemes_of(format), ", ",
                              [&](const Scheme* scheme) { return text_of_tensors(*scheme, format); }) +
              "; weights [" + (format.result == reference::ResultOrder::n_k ? "n][k" : "k][n") + "]; taken by " + who);
  }
}

struct Kind {
  const char* name;
  void (*list)();
};
constexpr Kind kinds[] = {{"properties", list_properties}, {"subjects", list_subjects}, {"formats", list_formats},
                          {"mutants", list_mutants},       {"profiles", list_profiles}, {"known", list_known}};

int list(const std::string& wanted) {
  std::vector<std::string> names;
  for (const Kind& kind : kinds) {
    if (wanted == kind.name) {
      kind.list();
      return exit_code::passed;
    }
    names.push_back(kind.name);
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
