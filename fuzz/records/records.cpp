#include "fuzz/records/records.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <utility>

#include "fuzz/records/exit_code.h"
#include "fuzz/records/protocol.h"
#include "properties/registry.h"
#include "reports/reports.h"

namespace tileproof {

namespace {

namespace fs = std::filesystem;

std::time_t now() { return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()); }

std::string utc(const char* format, std::time_t time = now()) {
  std::tm parts = {};
  gmtime_r(&time, &parts);
  std::ostringstream text;
  text << std::put_time(&parts, format);
  return text.str();
}

constexpr const char* observations_name = "observations.jsonl";
constexpr const char* observations_so_far = "observations.jsonl.new";  // the name until the file is complete

UsageError unusable(const fs::path& folder, const std::string& why) {
  return UsageError("--out", "'" + folder.string() + "' (" + why + ")",
                    "a folder that can be made and written, without another run in it (fuzz goes on with one by "
                    "--resume)");
}

}  // namespace

void require_no_run_in(const fs::path& folder) {
  constexpr const char* journal = "journal.jsonl";
  for (const char* name :
       {observations_name, observations_so_far, "summary.json", "proofs.json", "campaign.json", "verdicts.md", journal}) {
    std::error_code error;
    if (!fs::exists(folder / name, error)) continue;
    if (name == journal && fs::file_size(folder / name, error) == 0) continue;  // of a campaign that wrote no line
    throw unusable(folder, "it holds another run's " + std::string(name));
  }
}

fs::path new_run_folder(const fs::path& given) {
  std::error_code error;
  if (!given.empty()) {
    require_no_run_in(given);
    fs::create_directories(given, error);
    if (error) throw unusable(given, error.message());
    return given;
  }
  const fs::path base = folder_of_runs() / utc("%Y-%m-%dT%H-%M-%SZ");
  fs::create_directories(base.parent_path(), error);
  for (int again = 1; !error; ++again) {  // another process may begin in the same second
    const fs::path folder = base.string() + (again == 1 ? "" : "-" + std::to_string(again));
    if (fs::create_directory(folder, error)) return folder;
  }
  throw unusable(base, error.message());
}

fs::path folder_of_program() { return fs::read_symlink("/proc/self/exe").parent_path(); }

fs::path installed_or_source(const char* name, const char* source) {
  const fs::path installed = folder_of_program() / name;
  return fs::exists(installed) ? installed : fs::path(source);
}

fs::path folder_of_runs() {
  const bool is_installed = !fs::exists(folder_of_program() / "CMakeCache.txt");
  return is_installed ? fs::current_path() / "tileproof-runs" : folder_of_program() / "runs";
}

std::string in_hex(std::uint64_t value) {
  std::ostringstream text;
  text << "0x" << std::hex << std::setfill('0') << std::setw(16) << value;
  return text.str();
}

constexpr const char* form_of_times = "%Y-%m-%dT%H:%M:%SZ";
std::string utc_now() { return utc(form_of_times); }
std::string utc_of(double seconds) { return utc(form_of_times, static_cast<std::time_t>(seconds)); }

Records::Records(const fs::path& given)
    : folder_(new_run_folder(given)),
      run_start_(utc_now()),
      run_start_seconds_(std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count()) {
  // Only one process can make the file: two runs that begin at once in one folder would mix their records.
  const int made = open((folder_ / observations_so_far).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (made < 0) throw unusable(folder_, errno == EEXIST ? "it holds another run" : "it cannot be written");
  close(made);
  observations_.open(folder_ / observations_so_far);
}

std::string Records::line(const Observation& observation) {
  if (!kept_.keeps(observation)) return "";
  return dumped(observation_line(observation.problem, observation.status, observation.kind, observation.seconds,
                                 "RapidCheck", run_start_seconds_)) +
         "\n";
}

nlohmann::json observation_line(const Problem& p, const std::string& status, const std::string& reason, double seconds,
                                const std::string& how_generated, double run_start) {
  return {{"type", "test_case"},
          {"status", status},
          {"status_reason", reason},
          {"representation", line_of(p)},
          {"arguments",
           {{"n", p.n},
            {"k", p.k},
            {"format", p.format->name},
            {"scheme", p.scheme->name},
            {"group_size", p.group_size},
            {"weight_type", name_of(p.types.weight)},
            {"parameter_type", name_of(p.types.parameter)},
            {"profile", p.profile},
            {"experts", p.experts},
            {"seed", in_hex(p.seed)}}},
          {"how_generated", how_generated},
          {"features", {{"subject", p.subject}}},
          {"coverage", nullptr},
          {"timing", {{"execute", seconds}}},
          {"metadata", nlohmann::json::object()},
          {"property", p.property},
          {"run_start", run_start}};
}

bool Kept::keeps(const Observation& one) {
  const Problem& problem = one.problem;
  const std::lock_guard<std::mutex> lock(mutex_);
  OfProperty& property = properties_[{problem.property, problem.subject}];
  const auto is_first_of_cell = [&] {
    return property.cells.size() < most_cells &&
           property.cells.insert({cell_of(property_of(problem.property), problem), one.status + one.kind}).second;
  };
  const bool keeps =
      one.status == "failed" ? ++property.failures <= most_failures : ++property.others <= whole || is_first_of_cell();
  ++cases_;
  kept_ += keeps ? 1 : 0;
  return keeps;
}

nlohmann::json Kept::json() const {
  return {{"cases", cases_},
          {"kept", kept_},
          {"rule", "of each property on each subject: failures that are not known (the first " +
                       std::to_string(most_failures) + "); of other cases the first " + std::to_string(whole) +
                       ", then the first of each cell"}};
}

namespace {

/// Opens a file, writes it whole and closes it.
/// @param syncs  whether the text must reach the disk first: after a power cut, a rename may be there without it
/// @return errno of what failed; 0 if nothing did
int write_whole(const fs::path& path, int flags, const std::string& text, bool syncs) {
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_TRUNC | flags, 0666);
  if (file < 0) return errno;
  int error = 0;
  for (std::size_t done = 0; done < text.size() && error == 0;) {
    const ssize_t count = write(file, text.data() + done, text.size() - done);
    if (count >= 0) done += static_cast<std::size_t>(count);
    if (count < 0 && errno != EINTR) error = errno;
  }
  if (error == 0 && syncs && fsync(file) != 0) error = errno;
  if (close(file) != 0 && error == 0) error = errno;
  return error;
}

}  // namespace

void write_file(const fs::path& path, const std::string& text) {
  std::error_code unknown;
  const fs::file_status status = fs::status(path, unknown);
  int error = 0;
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    error = write_whole(path, 0, text, /*syncs=*/false);
  } else {
    const fs::path file = fs::exists(status) ? fs::canonical(path) : path;  // resolves links, so that they are kept
    const fs::path beside = file.string() + "." + std::to_string(getpid()) + ".new";
    error = write_whole(beside, O_CREAT, text, /*syncs=*/true);
    if (error == 0 && rename(beside.c_str(), file.c_str()) != 0) error = errno;
    if (error != 0) unlink(beside.c_str());
  }
  if (error != 0) throw std::runtime_error("cannot write " + path.string() + ": " + std::strerror(error));
}

bool can_be_written(const fs::path& path) {
  std::error_code error;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  return !fs::is_directory(path, error) && access(fs::exists(path, error) ? path.c_str() : folder.c_str(), W_OK) == 0;
}

void Written::write(const fs::path& path, const std::string& text) {
  attempt([&] { write_file(path, text); });
}

void Written::attempt(const std::function<void()>& write) {
  try {
    write();
  } catch (const std::exception& error) {
    troubles_.push_back(error.what());
  }
}

int Written::exit_code(int of_verdict) const {
  for (const std::string& trouble : troubles_) std::cerr << "tileproof: " << reports::visible(trouble) << "\n";
  const bool is_lost = of_verdict == exit_code::passed && !troubles_.empty();
  return is_lost ? exit_code::machine_at_fault : of_verdict;
}

void Records::end_observations() {
  attempt([&] {
    const fs::path so_far = folder_ / observations_so_far, whole = folder_ / observations_name;
    errno = 0;
    observations_.close();
    const int error = errno;
    if (observations_ && rename(so_far.c_str(), whole.c_str()) == 0) return;
    const std::string why = std::strerror(error != 0 ? error : errno != 0 ? errno : EIO);
    unlink(so_far.c_str());
    throw std::runtime_error("cannot write " + whole.string() + ": " + why);
  });
}

}  // namespace tileproof
