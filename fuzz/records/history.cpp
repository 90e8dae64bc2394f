#include "fuzz/records/history.h"

#include <sqlite3.h>

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
  Statement(sqlite3* database, const char* text) : database_(database) {
    if (sqlite3_prepare_v2(database, text, -1, &statement_, nullptr) != SQLITE_OK) fail(database);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& with(const std::string& text) {
    sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    return *this;
  }
  Statement& with(std::int64_t number) {
    sqlite3_bind_int64(statement_, ++bound_, number);
    return *this;
  }
  Statement& with(double number) {
    sqlite3_bind_double(statement_, ++bound_, number);
    return *this;
  }
  /// @return true if there is a row
  bool step() {
    const int result = sqlite3_step(statement_);
    if (result != SQLITE_ROW && result != SQLITE_DONE) fail(database_);
    return result == SQLITE_ROW;
  }
  std::string text(int column) {
    const auto* begin = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return begin == nullptr ? ""
                            : std::string(begin, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
  }
  std::int64_t whole(int column) { return sqlite3_column_int64(statement_, column); }
  double number(int column) { return sqlite3_column_double(statement_, column); }

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
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
      Statement asked(database_, "PRAGMA user_version");
      if (asked.step()) found = asked.whole(0);
      Statement tables(database_, "SELECT count(*) FROM sqlite_master");
      if (found != 0 || (tables.step() && tables.whole(0) != 0)) return;
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
    Statement(database_, "DELETE FROM runs WHERE folder = ?").with(one.folder).step();
    Statement(database_,
              "INSERT INTO runs(folder, kind, subject, command, begun, seconds, verdict, exit_code, commit_hash, "
              "machine) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .with(one.folder)
        .with(one.kind)
        .with(one.subject)
        .with(one.command)
        .with(one.begun)
        .with(one.seconds)
        .with(one.verdict)
        .with(std::int64_t{one.exit_code})
        .with(one.commit)
        .with(one.machine)
        .step();
    const std::int64_t id = sqlite3_last_insert_rowid(database_);
    for (const Figure& figure : one.figures) {
      Statement(database_, "INSERT INTO figures VALUES (?, ?, ?, ?)")
          .with(id)
          .with(figure.name)
          .with(figure.unit)
          .with(figure.value)
          .step();
    }
    for (const RunFinding& finding : one.findings) {
      Statement(database_, "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?)")
          .with(id)
          .with(finding.fingerprint)
          .with(finding.cases)
          .with(finding.how)
          .with(finding.shrunk)
          .with(finding.problem)
          .step();
    }
  });
}

std::vector<RunOfHistory> History::runs() const {
  std::vector<RunOfHistory> all;
  Statement rows(database_,
                 "SELECT id, folder, kind, subject, command, begun, seconds, verdict, exit_code, commit_hash, machine "
                 "FROM runs ORDER BY begun, folder");
  while (rows.step()) {
    RunOfHistory one = {.folder = rows.text(1),
                        .kind = rows.text(2),
                        .subject = rows.text(3),
                        .command = rows.text(4),
                        .begun = rows.text(5),
                        .seconds = rows.number(6),
                        .verdict = rows.text(7),
                        .exit_code = static_cast<int>(rows.whole(8)),
                        .commit = rows.text(9),
                        .machine = rows.text(10)};
    Statement figures(database_, "SELECT name, unit, value FROM figures WHERE run = ? ORDER BY rowid");
    for (figures.with(rows.whole(0)); figures.step();) {
      one.figures.push_back({figures.text(0), figures.text(1), figures.number(2)});
    }
    Statement findings(
        database_, "SELECT fingerprint, cases, how, shrunk, problem FROM findings WHERE run = ? ORDER BY fingerprint");
    for (findings.with(rows.whole(0)); findings.step();) {
      one.findings.push_back(
          {findings.text(0), findings.whole(1), findings.text(2), findings.text(3), findings.text(4)});
    }
    all.push_back(std::move(one));
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
    GROUP BY fingerprint ORDER BY min(begun), fingerprint)SQL");
  for (rows.with(fingerprint); rows.step();) {
    all.push_back({.fingerprint = rows.text(0),
                   .first = rows.text(1),
                   .last = rows.text(5),
                   .runs = rows.whole(2),
                   .of_runs = rows.whole(6),
                   .cases = rows.whole(3),
                   .problem = rows.text(4)});
  }
  return all;
}

}  // namespace tileproof
