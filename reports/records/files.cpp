// Finds records in folders, and reports those that are incomplete.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <stdexcept>

#include "reports/records/records.h"

namespace tileproof::reports {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A kind of record: its file name in a run's folder, a member that no other kind has, and the function that reads it.
struct Kind {
  const char* file;  // nullptr: the user chose the name
  const char* telltale;
  void (*take)(const json&, const std::string& file, Records&);
};

template <auto records, auto read_one>
void take(const json& whole, const std::string& file, Records& all) {
  const auto start = whole.find("run_start");
  const bool has_start = start != whole.end() && start->is_string();
  (all.*records).push_back({file, has_start ? start->get<std::string>() : "", read_provenance(whole), read_one(whole)});
}

const Kind kinds[] = {
    {"summary.json", "judgements", take<&Records::verified, read>},
    {"accuracy.json", "curves", take<&Records::measured, read_accuracy>},
    {"proofs.json", "proofs", take<&Records::proved, read_proofs>},
    {"campaign.json", "discovery", take<&Records::campaigns, read_campaign>},
    {nullptr, "repeats", take<&Records::timed, read_bench>},
};

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) throw std::runtime_error("it cannot be read");
  return text.str();
}

/// True if another process holds the lock of a campaign's folder.
bool is_locked(const fs::path& folder) {
  const int file = open((folder / "lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool locked = flock(file, LOCK_SH | LOCK_NB) != 0;
  close(file);
  return locked;
}

/// Says what is wrong with the last line of a file with one JSON value per line; "" if it is complete, or no file.
std::string wrong_with_last_line(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::int64_t>(stream.tellg());
  if (size <= 0) return "";
  constexpr std::int64_t longest = 1 << 22;
  const std::int64_t begin = std::max<std::int64_t>(0, size - longest);
  stream.seekg(begin);
  std::string end(static_cast<std::size_t>(size - begin), '\0');
  stream.read(end.data(), static_cast<std::streamsize>(end.size()));
  if (!end.ends_with('\n')) return "its last line is cut";
  end.pop_back();
  const std::string last = end.substr(end.find_last_of('\n') + 1);
  return json::accept(last) ? "" : "its last line is no JSON";
}

class Search {
 public:
  Search(std::string argument, Records& all) : argument_(std::move(argument)), all_(all) {}

  void take(const fs::path& given) {
    std::error_code error;
    if (!fs::exists(given, error)) return trouble(given, "it is not there", legal);
    const std::size_t before = count_;
    const std::size_t troubles = all_.troubles.size();
    if (!fs::is_directory(given, error)) {
      take_file(given, /*by_name=*/false);
    } else {
      take_folder(given);
    }
    const bool nothing = count_ == before && all_.troubles.size() == troubles;
    if (nothing) trouble(given, "no record is in it", legal);
  }

 private:
  static constexpr const char* legal =
      "a folder that verify, prove or fuzz wrote, a file that bench --json wrote, or a folder of several";

  void trouble(const fs::path& where, const std::string& what, const std::string& legal_here) {
    all_.troubles.push_back(argument_ + ": given '" + where.string() + "' (" + what + "), legal is " + legal_here);
  }

  void take_folder(const fs::path& folder) {
    // Links are not followed, because they may form a cycle. The limit stops a search through a tree that is no run.
    constexpr std::size_t most = 20000;
    std::set<fs::path> folders = {folder}, files;
    std::error_code error;
    for (fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, error), end;
         !error && at != end; at.increment(error)) {
      if (folders.size() + files.size() > most) {
        return trouble(folder, "more than " + std::to_string(most) + " files are in it", legal);
      }
      if (at->is_symlink(error)) continue;
      if (at->is_directory(error)) folders.insert(at->path());
      if (at->is_regular_file(error) && at->path().extension() == ".json") files.insert(at->path());
    }
    if (error) return trouble(folder, error.message(), legal);
    for (const fs::path& file : files) take_file(file, /*by_name=*/true);
    for (const fs::path& one : folders) look_for_what_is_not_whole(one);
  }

  void take_file(const fs::path& file, bool by_name) {
    const auto is_named = [&](const Kind& kind) {
      return by_name && kind.file != nullptr && file.filename() == kind.file;
    };
    const bool has_a_name = std::any_of(std::begin(kinds), std::end(kinds), is_named);
    const std::string expected = has_a_name ? "a record that is whole" : legal;
    try {
      const json whole = json::parse(text_of(file), nullptr, /*allow_exceptions=*/false);
      if (whole.is_discarded()) return trouble(file, "it is no JSON, or not all of it", expected);
      const auto kind = std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& one) {
        if (by_name && one.file != nullptr) return is_named(one);
        return whole.is_object() && whole.contains("schema") && whole.contains(one.telltale);
      });
      if (kind == std::end(kinds) && by_name) return;  // a JSON file of another program
      if (kind == std::end(kinds)) return trouble(file, "it is no record of tileproof", expected);
      ++count_;
      kind->take(whole, file.string(), all_);
    } catch (const std::exception& error) {
      trouble(file, error.what(), "a record of this version");
    }
  }

  void look_for_what_is_not_whole(const fs::path& folder) {
    const auto has = [&](const char* name) { return fs::exists(folder / name); };
    const fs::path journal = folder / "journal.jsonl", observations = folder / "observations.jsonl";
    if (has("lock") && is_locked(folder)) {
      trouble(folder, "it is still being written: a process holds its lock", "a run that has ended");
    } else if (has("journal.jsonl") && !has("campaign.json")) {
      trouble(folder, "it is still being written, or was killed: it has a journal and no campaign.json",
              "a run that has ended; 'tileproof fuzz --resume' goes on with it");
    }
    const bool has_observations = has("observations.jsonl") || has("observations.jsonl.new");
    if (has_observations && !has("summary.json") && !has("proofs.json")) {
      trouble(folder,
              "it is still being written, or was killed: it has observations and neither summary.json nor proofs.json",
              "a run that has ended");
    }
    if (const std::string why = wrong_with_last_line(observations); !why.empty()) {
      trouble(observations, why, "whole lines");
    }
    if (has("journal.jsonl")) take_journal(folder, journal);
  }

  /// Adds the journal to the campaign of its folder; without campaign.json, the journal alone makes a MISTRUSTED one.
  void take_journal(const fs::path& folder, const fs::path& journal) {
    const std::string file = (folder / "campaign.json").string();
    const auto campaign =
        std::find_if(all_.campaigns.begin(), all_.campaigns.end(), [&](const auto& one) { return one.file == file; });
    const bool has_ended = campaign != all_.campaigns.end();
    if (!has_ended && fs::exists(file)) return;  // it cannot be read, and that has been reported
    try {
      if (has_ended) return add_journal(journal, campaign->record);
      Campaign begun;
      add_journal(journal, begun);
      begun.verdict = "MISTRUSTED";
      begun.reason = "it has not ended: what its journal says so far";
      all_.campaigns.push_back({journal.string(), "", {}, std::move(begun)});
    } catch (const std::exception& error) {
      trouble(journal, error.what(), "whole lines of a journal");
    }
  }

  std::string argument_;
  Records& all_;
  std::size_t count_ = 0;
};

}  // namespace

Records records_in(const std::string& argument, const std::vector<fs::path>& given) {
  Records all;
  Search search(argument, all);
  for (const fs::path& one : given) search.take(one);
  for (auto& one : all.verified) {
    one.provenance["cases per property"] = std::to_string(one.record.cases_per_property);
  }
  return all;
}

}  // namespace tileproof::reports
