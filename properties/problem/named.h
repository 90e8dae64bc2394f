/// Names of enumerators: one table says how each value is printed and read. A table's rows have a `value` and a `name`.
#pragma once

#include <string>
#include <vector>

#include "properties/problem/problem.h"

namespace tileproof {

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
auto value_in(const Table& table, const char* argument, const std::string& name) {
  std::string legal;
  for (const auto& row : table) {
    if (name == row.name) return row.value;
    legal += (legal.empty() ? "" : ", ") + std::string(row.name);
  }
  throw UsageError(argument, "'" + name + "'", legal);
}

}  // namespace tileproof
