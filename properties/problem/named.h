/// Names of enumerators: one table says how each value is printed and read. A table's rows have a `value` and a `name`.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "properties/problem/problem.h"

namespace tileproof {

/// The texts of the items, with `between` between each two.
template <class Items, class TextOf = std::identity>
std::string joined(const Items& items, const std::string& between = ", ", TextOf text_of = {}) {
  std::string all;
  for (const auto& item : items) all += (all.empty() ? "" : between) + std::string(text_of(item));
  return all;
}

inline bool is_in(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

template <class Enum>
struct Named {
  Enum value;
  const char* name;
};

template <class Table, class Enum>
const char* name_in(const Table& table, Enum value) {
  for (const auto& row : table) {
    if (row.value == value) return row.name;
  }
  return "?";
}

/// The names of a table's rows, in its order.
template <class Table>
std::vector<std::string> names_of_rows(const Table& table) {
  std::vector<std::string> names;
  for (const auto& row : table) names.push_back(row.name);
  return names;
}

/// @throws UsageError if the table does not have the name
template <class Table>
const auto& row_in(const Table& table, const char* argument, const std::string& name) {
  for (const auto& row : table) {
    if (name == row.name) return row;
  }
  throw UsageError(argument, "'" + name + "'", joined(table, ", ", [](const auto& row) { return row.name; }));
}
template <class Table>
auto value_in(const Table& table, const char* argument, const std::string& name) {
  return row_in(table, argument, name).value;
}

}  // namespace tileproof
