#include "fuzz/records/history.h"

#include <sqlite3.h>

#include <concepts>
#include <functional>
#include <stdexcept>

#include "properties/problem/problem.h"

namespace tileproof {

namespace {

constexpr int version = 2;

constexpr const char* schema = R"SQL(
  CREATE TABLE runs(id INTEGER PRIMARY KEY, folder TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
                    command TEXT NOT NULL, begun TEXT NOT NULL, seconds REAL NOT NULL, verdict TEXT NOT NULL,
                    exit_code INTEGER NOT NULL, commit_hash TEXT NOT NULL, machine TEXT NOT NULL);
  CREATE TABLE figures(run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, name TEXT NOT NULL,
                       unit TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (run, name));
  CREATE TABLE findings(run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, fingerprint TEXT NOT NULL,
                        cases INTEGER NOT NULL, how TEXT NOT NULL, shrunk TEXT NOT NULL, problem TEXT NOT NULL,
                        PRIMARY KEY (run, fingerprint));
)SQL";

[[noreturn]] void fail(sqlite3* database) {
  throw std::runtime_error(std::string("the history: ") + sqlite3_errmsg(database));
}

}  // namespace

/// A prepared statement with bound values, finalized by its destructor.
class History::Statement {
 public:
  /// @param values  of the statement's parameters, in their order
  template <class... Values>
  Statement(sqlite3* database, const char* text, const Values&... values) : database_(database) {
    if (sqlite3_prepare_v2(database, text, -1, &statement_, nullptr) != SQLITE_OK) fail(database);
    int at = 0;
    (bind(++at, values), ...);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Runs the statement up to its next row, and reads the row's columns in their order.
  /// @return false if there is no further row
  template <class... Columns>
  bool step(Columns&... columns) {
    const int result = sqlite3_step(statement_);
    if (result != SQLITE_ROW && result != SQLITE_DONE) fail(database_);
    if (result == SQLITE_DONE) return false;
    int at = 0;
    (read(at++, columns), ...);
    return true;
  }

 private:
  void bind(int at, const std::string& text) {
    sqlite3_bind_text(statement_, at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  }
  void bind(int at, std::integral auto number) { sqlite3_bind_int64(statement_, at, number); }
  void bind(int at, double number) { sqlite3_bind_double(statement_, at, number); }

  void read(int at, std::string& text) {
    const auto* begin = reinterpret_cast<const char*>(sqlite3_column_text(statement_, at));
    text.assign(begin == nullptr ? "" : begin, static_cast<std::size_t>(sqlite3_column_bytes(statement_, at)));
  }
  template <std::integral Int>
  void read(int at, Int& number) {
    number = static_cast<Int>(sqlite3_column_int64(statement_, at));
  }
  void read(int at, double& number) { number = sqlite3_column_double(statement_, at); }

  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
};

namespace {

void run(sqlite3* database, const char* text) {
  if (sqlite3_exec(database, text, nullptr, nullptr, nullptr) != SQLITE_OK) fail(database);
}

/// Runs `write` in one transaction.
void at_once(sqlite3* database, const std::function<void()>& write) {
  run(database, "BEGIN IMMEDIATE");
  try {
    write();
    run(database, "COMMIT");
  } catch (...) {
    sqlite3_exec(database, "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

}  // namespace

History::History(const std::filesystem::path& file) {
  const auto unusable = [&](const std::string& why) {
    sqlite3_close(database_);
    database_ = nullptr;
    return UsageError("history", "'" + file.string() + "' (" + why + ")",
                      "a history of version " + std::to_string(version) + ", or no file: it is made of records");
  };
  if (sqlite3_open(file.c_str(), &database_) != SQLITE_OK) throw unusable(sqlite3_errmsg(database_));
  constexpr int patience_ms = 10000;  // for campaigns that end at the same time
  sqlite3_busy_timeout(database_, patience_ms);
  try {
    run(database_, "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON");
    std::int64_t found = 0;
    at_once(database_, [&] {
      Statement(database_, "PRAGMA user_version").step(found);
      std::int64_t tables = 0;
      Statement(database_, "SELECT count(*) FROM sqlite_master").step(tables);
      if (found != 0 || tables != 0) return;
      run(database_, schema);
      run(database_, ("PRAGMA user_version = " + std::to_string(version)).c_str());
      found = version;
    });
    if (found != version) throw std::runtime_error("of version " + std::to_string(found));
  } catch (const std::runtime_error& error) {
    throw unusable(error.what());
  }
}

History::~History() { sqlite3_close(database_); }

void History::keep(const RunOfHistory& one) {
  at_once(database_, [&] {
    Statement(database_, "DELETE FROM runs WHERE folder = ?", one.folder).step();
    Statement(database_,
              "INSERT INTO runs(folder, kind, subject, command, begun, seconds, verdict, exit_code, commit_hash, "
              "machine) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
              one.folder, one.kind, one.subject, one.command, one.begun, one.seconds, one.verdict, one.exit_code,
              one.commit, one.machine)
        .step();
    const std::int64_t id = sqlite3_last_insert_rowid(database_);
    for (const Figure& figure : one.figures) {
      Statement(database_, "INSERT INTO figures VALUES (?, ?, ?, ?)", id, figure.name, figure.unit, figure.value)
          .step();
    }
    for (const RunFinding& finding : one.findings) {
      Statement(database_, "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?)", id, finding.fingerprint, finding.cases,
                finding.how, finding.shrunk, finding.problem)
          .step();
    }
  });
}

std::vector<RunOfHistory> History::runs() const {
  std::vector<RunOfHistory> all;
  Statement rows(database_,
                 "SELECT id, folder, kind, subject, command, begun, seconds, verdict, exit_code, commit_hash, machine "
                 "FROM runs ORDER BY begun, folder");
  RunOfHistory one;
  for (std::int64_t id = 0; rows.step(id, one.folder, one.kind, one.subject, one.command, one.begun, one.seconds,
                                      one.verdict, one.exit_code, one.commit, one.machine);) {
    all.push_back(one);
    Statement figures(database_, "SELECT name, unit, value FROM figures WHERE run = ? ORDER BY rowid", id);
    for (Figure figure = {}; figures.step(figure.name, figure.unit, figure.value);) {
      all.back().figures.push_back(figure);
    }
    Statement findings(database_,
                       "SELECT fingerprint, cases, how, shrunk, problem FROM findings WHERE run = ? "
                       "ORDER BY fingerprint",
                       id);
    for (RunFinding f = {}; findings.step(f.fingerprint, f.cases, f.how, f.shrunk, f.problem);) {
      all.back().findings.push_back(f);
    }
  }
  return all;
}

std::vector<SeenFinding> History::seen(const std::string& fingerprint) const {
  std::vector<SeenFinding> all;
  Statement rows(database_, R"SQL(
    SELECT fingerprint, min(begun), count(*), sum(cases),
           (SELECT last.problem FROM findings AS last JOIN runs AS last_run ON last_run.id = last.run
            WHERE last.fingerprint = findings.fingerprint ORDER BY last_run.begun DESC, last_run.id DESC LIMIT 1),
           max(begun),
           (SELECT count(*) FROM runs AS campaigns WHERE campaigns.kind = 'fuzz' AND campaigns.subject = runs.subject)
    FROM findings JOIN runs ON runs.id = findings.run
    WHERE ?1 = '' OR fingerprint = ?1
    GROUP BY fingerprint ORDER BY min(begun), fingerprint)SQL",
                 fingerprint);
  SeenFinding one;
  while (rows.step(one.fingerprint, one.first, one.runs, one.cases, one.problem, one.last, one.of_runs)) {
    all.push_back(one);
  }
  return all;
}

}  // namespace tileproof
