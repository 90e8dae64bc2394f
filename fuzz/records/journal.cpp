#include "fuzz/records/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "fuzz/records/protocol.h"
#include "fuzz/records/records.h"

namespace tileproof {

namespace {

using nlohmann::json;

json info(const std::string& title, const json& content, const std::string& type = "info") {
  return {{"type", type}, {"title", title}, {"content", content}, {"property", ""}};
}

json json_of(const CampaignIdentity& identity) {
  return {{"journal", journal_version},      {"subject", identity.subject}, {"properties", identity.properties},
          {"seed", in_hex(identity.seed)},   {"shard", identity.shard},     {"shards", identity.shards},
          {"replay", identity.replay_flags}, {"batch", cases_of_batch},     {"capabilities", identity.capabilities}};
}

CampaignIdentity identity_of(const json& value) {
  const std::string seed = value.at("seed");
  const CampaignIdentity identity = {.subject = value.at("subject"),
                                     .properties = value.at("properties"),
                                     .seed = part_of_json([&] { return seed_of("seed", seed); }),
                                     .shard = whole_of<std::uint64_t>(value.at("shard")),
                                     .shards = whole_of<std::uint64_t>(value.at("shards")),
                                     .replay_flags = value.at("replay"),
                                     .capabilities = value.at("capabilities")};
  static_cast<void>(capabilities_of(json::parse(identity.capabilities)));  // validates as merging shards will
  return identity;
}

std::vector<std::uint64_t> indices_of(const json& values) {
  std::vector<std::uint64_t> indices;
  for (const json& value : values) indices.push_back(whole_of<std::uint64_t>(value));
  return indices;
}

}  // namespace

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(BatchCounts, passed, failed, refused, unavailable, discarded, elements, seconds,
                                   fingerprints, known, idle, absent)

json json_of(const BatchCounts& counts) { return counts; }

BatchCounts batch_counts_of(const json& value) {
  for (const char* name : {"passed", "failed", "refused", "unavailable", "discarded", "elements"}) {
    require_count(value.at(name));
  }
  for (const char* name : {"fingerprints", "known"}) {
    for (const json& count : value.at(name)) require_count(count);
  }
  return value;
}

namespace {

/// Reads a journal's lines one by one.
class Reader {
 public:
  explicit Reader(std::string name) : name_(std::move(name)) {}

  /// Counts a line of the file, whether or not it is an entry.
  void next_line() { ++line_; }
  void take(const json& line) {
    const std::string type = line.at("type");
    const std::string title = type == "test_case" ? type : line.at("title").get<std::string>();
    const double now = line.value("time", contents_.until);
    if (contents_.lines == 0) contents_.since = line.value("run_start", now);
    if (title == "run") {
      contents_.earlier_runs = contents_.seconds();
      contents_.last_run = now;
    }
    contents_.until = now;
    if (contents_.lines++ == 0 && title != "run") throw wrong("it does not begin with what is judged");
    for (const Kind& kind : kinds) {
      if (title == kind.title) return (this->*kind.take)(type == "test_case" ? line : line.at("content"));
    }
    throw wrong("'" + title + "' is no entry of a journal");
  }

  UsageError wrong(const std::string& why) const {
    return UsageError(name_ + ", line " + std::to_string(line_) + ": " + why);
  }
  JournalContents& contents() { return contents_; }

 private:
  struct Kind {
    const char* title;
    void (Reader::*take)(const json&);
  };

  void run(const json& content) {
    const int version = whole_of<int>(content.at("journal"));
    if (version != journal_version) {
      throw wrong("a journal of version " + std::to_string(version) + ", legal is " + std::to_string(journal_version));
    }
    if (content.at("batch") != cases_of_batch) throw wrong("batches of another size");
    const CampaignIdentity identity = identity_of(content);
    if (identity.shard >= identity.shards || identity.shards > most_shards) throw wrong("a shard that does not exist");
    if (contents_.lines > 1 && identity != contents_.identity)
      throw wrong("resumed as another campaign than that of the first line");
    contents_.identity = identity;
    contents_.memory = content.value("memory", "");
  }
  void begin(const json& content) {
    const auto batch = whole_of<std::uint64_t>(content.at("number"));
    if (batch % contents_.identity.shards != contents_.identity.shard) throw wrong("a batch of another shard");
    // Batches are given out in order. All earlier ones have begun, except those that other workers had not started yet.
    constexpr std::uint64_t most_given_out = 1 << 16;
    if (batch / contents_.identity.shards > contents_.done.size() + open_.size() + most_given_out) {
      throw wrong("batch " + std::to_string(batch) + " is far behind those before it");
    }
    if (!contents_.done.contains(batch)) open_.insert(batch);
    contents_.begun.assign(open_.begin(), open_.end());
  }
  void end(const json& content) {
    const auto batch = whole_of<std::uint64_t>(content.at("number"));
    if (contents_.done.contains(batch)) throw wrong("batch " + std::to_string(batch) + " ends twice");
    if (open_.erase(batch) == 0) throw wrong("batch " + std::to_string(batch) + " ends without having begun");
    contents_.done[batch] = batch_counts_of(content);
    contents_.begun.assign(open_.begin(), open_.end());
  }
  void test_case(const json& line) {
    if (line.at("status") != "failed") return;
    const auto index = whole_of<std::uint64_t>(line.at("metadata").at("case"));
    const Finding finding = finding_of(line.at("metadata").at("finding"));
    if (!seen_.insert({index, finding.kind}).second) return;  // repeats a case of a batch that was run again
    contents_.failed.push_back({index, finding});
  }
  void finding(const json& content) {
    CampaignFinding found = {.fingerprint = content.at("fingerprint"),
                             .cases = indices_of(content.at("cases")),
                             .smallest = finding_of(content.at("smallest")),
                             .was_looked_into = content.at("looked_into"),
                             .is_reproducible = content.at("reproducible"),
                             .how = content.at("how"),
                             .shrunk = content.at("shrunk")};
    std::erase_if(contents_.findings, [&](const CampaignFinding& one) { return one.fingerprint == found.fingerprint; });
    contents_.findings.push_back(std::move(found));
  }
  void planted(const json& content) { contents_.planted = content; }
  void corpus(const json& content) { contents_.corpus = content; }
  void stop(const json&) {}

  static constexpr Kind kinds[] = {{"run", &Reader::run},         {"begin", &Reader::begin},
                                   {"end", &Reader::end},         {"test_case", &Reader::test_case},
                                   {"finding", &Reader::finding}, {"planted", &Reader::planted},
                                   {"corpus", &Reader::corpus},   {"stop", &Reader::stop}};

  std::string name_;
  std::size_t line_ = 0;  // in the file, from 1 on
  JournalContents contents_;
  std::set<std::uint64_t> open_;
  std::set<std::pair<std::uint64_t, std::string>> seen_;
};

}  // namespace

void BatchCounts::add(const BatchCounts& other) {
  passed += other.passed;
  failed += other.failed;
  refused += other.refused;
  unavailable += other.unavailable;
  discarded += other.discarded;
  elements += other.elements;
  seconds += other.seconds;
  for (const auto& [fingerprint, cases] : other.fingerprints) fingerprints[fingerprint] += cases;
  for (const auto& [id, cases] : other.known) known[id] += cases;
}

Journal::Journal(const std::filesystem::path& file)
    : file_(open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666)),
      run_start_(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count()) {
  if (file_ < 0) throw UsageError("--out", "'" + file.string() + "' (" + std::strerror(errno) + ")", "a file to write");
  char last = '\n';
  if (const off_t size = lseek(file_, 0, SEEK_END); size > 0 && pread(file_, &last, 1, size - 1) != 1) last = '\n';
  if (last != '\n' && ::write(file_, "\n", 1) != 1) {
    throw std::runtime_error("cannot write the journal: " + std::string(std::strerror(errno)));
  }
}

Journal::~Journal() { close(file_); }

void Journal::write(json line) {
  line["run_start"] = run_start_;
  line["time"] = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const std::string text = dumped(line) + "\n";
  const std::lock_guard<std::mutex> lock(mutex_);
  ssize_t written;
  do {
    written = ::write(file_, text.data(), text.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(text.size())) return;
  throw std::runtime_error("cannot write the journal: " +
                           std::string(written < 0 ? std::strerror(errno) : "the disk is full"));
}

void Journal::run(const CampaignIdentity& identity, const std::string& command, const json& machine,
                  const std::string& memory) {
  json content = json_of(identity);
  content["command"] = command;
  content["machine"] = machine;
  content["memory"] = memory;
  content["time"] = utc_now();
  write(info("run", content));
}

void Journal::planted(const json& all) { write(info("planted", all)); }

void Journal::corpus(const json& outcomes) { write(info("corpus", outcomes)); }

void Journal::begin(std::uint64_t batch, std::size_t worker) {
  write(info("begin", {{"number", batch}, {"first_case", batch * cases_of_batch}, {"worker", worker}}));
}

void Journal::end(std::uint64_t batch, const BatchCounts& counts) {
  json content = json_of(counts);
  content["number"] = batch;
  write(info("end", content));
}

void Journal::first_of_cell(std::uint64_t index, const Problem& problem, const std::string& cell) {
  json line = observation_line(problem, "passed", "the first of its cell", 0, "case list", run_start_);
  line["metadata"] = {{"case", index}, {"cell", cell}};
  write(std::move(line));
}

void Journal::failed(const FailedCase& one) {
  json line = observation_line(one.finding.problem, "failed", one.finding.kind, 0, "case list", run_start_);
  line["metadata"] = {{"case", one.index}, {"finding", json_of(one.finding)}};
  write(std::move(line));
}

void Journal::finding(const CampaignFinding& found) {
  write(info("finding",
             {{"fingerprint", found.fingerprint},
              {"cases", found.cases},
              {"smallest", json_of(found.smallest)},
              {"looked_into", found.was_looked_into},
              {"reproducible", found.is_reproducible},
              {"how", found.how},
              {"shrunk", found.shrunk}},
             "alert"));
}

void Journal::stop(const std::string& why) { write(info("stop", {{"why", why}, {"time", utc_now()}})); }

std::vector<std::uint64_t> cases_of(std::uint64_t batch, const std::vector<std::uint64_t>& skipped) {
  std::vector<std::uint64_t> cases;
  for (std::uint64_t index = batch * cases_of_batch; index < (batch + 1) * cases_of_batch; ++index) {
    if (std::find(skipped.begin(), skipped.end(), index) == skipped.end()) cases.push_back(index);
  }
  return cases;
}

std::vector<std::uint64_t> unfinished_batches(const JournalContents& contents) {
  std::uint64_t end = 0;
  for (const auto& [batch, counts] : contents.done) end = std::max(end, batch + 1);
  for (const std::uint64_t batch : contents.begun) end = std::max(end, batch + 1);
  std::vector<std::uint64_t> unfinished;
  for (std::uint64_t batch = contents.identity.shard; batch < end; batch += contents.identity.shards) {
    if (!contents.done.contains(batch)) unfinished.push_back(batch);
  }
  return unfinished;
}

JournalContents journal_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream)
    throw UsageError("journal", "'" + file.string() + "' (" + std::strerror(errno) + ")", "a journal of a campaign");
  return journal_of(stream, file.string());
}

namespace {

/// The value of a line; empty if the line is cut. Deeper nesting than most_depth is only reported, because copying such
/// a value would overflow the stack.
std::optional<json> value_of(const std::string& line, bool& is_too_deep) {
  constexpr int most_depth = 64;
  const auto is_kept = [&](int depth, json::parse_event_t, json&) {
    is_too_deep |= depth > most_depth;
    return depth <= most_depth;
  };
  json value = json::parse(line, is_kept, /*allow_exceptions=*/false);
  return value.is_object() ? std::optional(std::move(value)) : std::nullopt;
}

}  // namespace

JournalContents journal_of(std::istream& stream, const std::string& name) {
  Reader reader(name);
  bool has_cut_line = false;
  for (std::string line; std::getline(stream, line);) {
    reader.next_line();
    bool is_too_deep = false;
    const std::optional<json> value = value_of(line, is_too_deep);
    const bool is_whole = value.has_value();
    try {
      if (is_whole && is_too_deep) throw reader.wrong("it is nested deeper than any entry");
      // Only the last line that a process wrote can be cut. It is followed by nothing, by a resumed run, or by the cut
      // line of a resumed run.
      const bool is_resume = is_whole && value->value("title", "") == "run";
      if (has_cut_line && is_whole && !is_resume) throw reader.wrong("the line before it is no entry: cut, or edited");
      has_cut_line = !is_whole;
      reader.contents().was_cut |= has_cut_line;
      if (is_whole) reader.take(*value);
    } catch (const json::exception& error) {
      const std::string what = error.what();  // "[json.exception.out_of_range.403] key 'finding' not found"
      throw reader.wrong("an entry that was edited: " + what.substr(what.find("] ") + 2));
    }
  }
  if (reader.contents().lines == 0) throw UsageError("journal", "'" + name + "'", "a journal of a campaign");
  return reader.contents();
}

}  // namespace tileproof
