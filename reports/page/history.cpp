// Draws each figure of the history over the runs, and marks its steps.
#include <sqlite3.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <tuple>

#include "reports/page/page.h"
#include "reports/page/report.h"
#include "reports/page/section.h"
#include "reports/steps.h"

namespace tileproof::reports {

namespace {

using nlohmann::json;

constexpr int version_of_history = 2;

namespace fs = std::filesystem;

/// Deletes the folder and its contents at the end.
struct TemporaryFolder {
  fs::path path;
  ~TemporaryFolder() {
    std::error_code error;
    if (!path.empty()) fs::remove_all(path, error);
  }
};

/// The history database, opened for reading. SQLite writes a file beside a database with a write-ahead log even to read
/// it; if it cannot, as on a read-only mount, a copy is read instead.
class Database {
 public:
  explicit Database(const fs::path& file) {
    const int failed = open(file);
    if (failed == SQLITE_OK) return;
    if ((failed != SQLITE_CANTOPEN && failed != SQLITE_READONLY) || !fs::is_regular_file(file)) fail();
    std::string name = (fs::temp_directory_path() / "tileproof-history-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) fail();
    folder_.path = name;
    const fs::path copy = folder_.path / "history.sqlite", log = file.string() + "-wal";
    fs::copy_file(file, copy);
    if (fs::exists(log)) fs::copy_file(log, copy.string() + "-wal");
    if (open(copy) != SQLITE_OK) fail();
  }

  /// Calls `row` once for each row of the result, with the statement that holds the row.
  template <class Row>
  void each(const char* query, Row row) const {
    sqlite3_stmt* made = nullptr;
    if (sqlite3_prepare_v2(database_.get(), query, -1, &made, nullptr) != SQLITE_OK) fail();
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(made, sqlite3_finalize);
    int stepped = SQLITE_ROW;
    while ((stepped = sqlite3_step(made)) == SQLITE_ROW) row(made);
    if (stepped != SQLITE_DONE) fail();
  }

 private:
  /// @return SQLITE_OK, or SQLite's error code
  int open(const fs::path& file) {
    sqlite3* opened = nullptr;
    const int failed = sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
    database_.reset(opened);
    if (failed != SQLITE_OK) return failed;
    sqlite3_busy_timeout(opened, 5000);
    return sqlite3_exec(opened, "PRAGMA user_version", nullptr, nullptr, nullptr);
  }
  [[noreturn]] void fail() const {
    throw std::runtime_error(database_ != nullptr ? sqlite3_errmsg(database_.get()) : "it cannot be opened");
  }

  TemporaryFolder folder_;  // holds the copy, if there is one
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> database_{nullptr, sqlite3_close};
};

std::string text_at(sqlite3_stmt* row, int column) {
  const unsigned char* text = sqlite3_column_text(row, column);
  return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

/// The name of the machine: its GPU, else its CPU. Figures of different machines are different series.
std::string machine_in(const std::string& text) {
  const json machine = json::parse(text, nullptr, /*allow_exceptions=*/false);
  for (const char* part : {"gpu", "cpu"}) {
    if (!machine.is_object() || !machine.contains(part) || !machine[part].is_string()) continue;
    if (!machine[part].get<std::string>().empty()) return machine[part];
  }
  return "";
}

struct Series {
  std::vector<std::string> begun, commits;
  std::vector<double> values;
};
/// kind, subject, name, unit, machine
using Key = std::tuple<std::string, std::string, std::string, std::string, std::string>;

std::map<Key, Series> series_in(const std::filesystem::path& file) {
  const Database database(file);
  int version = 0;
  database.each("PRAGMA user_version", [&](sqlite3_stmt* row) { version = sqlite3_column_int(row, 0); });
  if (version != version_of_history) throw std::runtime_error("a history of version " + std::to_string(version));
  std::map<Key, Series> all;
  database.each(
      "SELECT kind, subject, name, unit, machine, begun, commit_hash, value FROM figures JOIN runs ON runs.id = run "
      "ORDER BY begun, runs.id",
      [&](sqlite3_stmt* row) {
        Series& series =
            all[{text_at(row, 0), text_at(row, 1), text_at(row, 2), text_at(row, 3), machine_in(text_at(row, 4))}];
        series.begun.push_back(text_at(row, 5));
        series.commits.push_back(text_at(row, 6));
        series.values.push_back(sqlite3_column_double(row, 7));
      });
  return all;
}

/// A short, unique place for each run: "11-22 15:50", with a ' appended if the one before is equal.
std::vector<std::string> places_of(const Series& series) {
  std::vector<std::string> places;
  for (const std::string& begun : series.begun) {
    std::string place = begun.size() >= 16 ? begun.substr(5, 5) + " " + begun.substr(11, 5) : begun;
    if (!places.empty() && places.back().starts_with(place)) place = places.back() + "'";
    places.push_back(place);
  }
  return places;
}

std::string name_of(const Key& key) {
  const auto& [kind, subject, name, unit, machine] = key;
  return kind + (subject.empty() ? "" : " of " + subject) + ": " + name + (machine.empty() ? "" : ", on " + machine);
}

}  // namespace

HistoryReport history_report(const std::filesystem::path& file) {
  HistoryReport result;
  std::map<Key, Series> all;
  try {
    all = series_in(file);
  } catch (const std::runtime_error& error) {
    result.trouble = "--history: given '" + file.string() + "' (" + error.what() +
                     "), legal is a history of runs of version " + std::to_string(version_of_history);
    return result;
  }
  std::vector<std::vector<Markup>> steps;
  json data = json::array();
  Markup pictures;
  for (const auto& [key, series] : all) {
    const std::vector<std::size_t> found = statistics::steps_in(series.values);
    for (const std::size_t step : found) {
      steps.push_back({name_of(key), series.begun[step], code_of(series.commits[step]),
                       short_number(series.values[step - 1]) + " -> " + short_number(series.values[step])});
    }
    Lines lines = {.places = places_of(series),
                   .lines = {{std::get<2>(key), series.values}},
                   .x = "runs",
                   .y = std::get<3>(key).empty() ? "count" : std::get<3>(key),
                   .is_linear = true,
                   .marks = found};
    pictures +=
        picture({"history-" + std::to_string(data.size()), name_of(key),
                 counted(series.values.size(), "run") + ", the last " + short_number(series.values.back()), lines});
    data.push_back({{"name", name_of(key)},
                    {"unit", std::get<3>(key)},
                    {"begun", series.begun},
                    {"commits", series.commits},
                    {"values", series.values},
                    {"steps", found}});
  }
  Markup body = paragraph(
      "A step is where five runs before and five after differ: Mann-Whitney, two-sided p < 0.01, more than 2 % in the "
      "median, and half again more than they vary among themselves. With fewer than ten runs there is no telling.");
  body += steps.empty() ? paragraph("No figure has one.")
                        : table({{"figure"}, {"since"}, {"commit"}, {"from run to run"}}, steps);
  body += all.empty() ? paragraph("No run in this history has a figure.") : of_class("div", "charts", pictures);
  result.html = page("tileproof: history", {}, element("section", {{"id", "history"}}, body));
  result.json = json{{"schema", 1}, {"figures", data}}.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
  result.said = counted(all.size(), "figure") + ", " + counted(steps.size(), "step") + "\n";
  return result;
}

}  // namespace tileproof::reports
