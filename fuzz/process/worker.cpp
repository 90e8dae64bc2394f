#include "fuzz/process/worker.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <thread>
#include <utility>

#include "fuzz/process/interrupt.h"
#include "fuzz/records/records.h"
#include "properties/memory/guarded.h"
#include "properties/memory/page_guard.h"
#include "properties/problem/stopwatch.h"
#include "properties/registry.h"
#include "properties/subjects/cores.h"
#include "properties/subjects/float_mode.h"

extern char** environ;

namespace tileproof {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr int socket_of_worker = 3;
constexpr int touch_of_worker = 4;
// loading torch and creating a CUDA context, from a cold disk
constexpr milliseconds patience_to_make = std::chrono::minutes(3);
constexpr milliseconds patience_to_start = std::chrono::minutes(1);
constexpr int most_kills = 3;  // from outside the process, by somebody or by the system
constexpr int heavy = 20;

[[noreturn]] void fail(const std::string& doing) { throw std::runtime_error(doing + ": " + std::strerror(errno)); }

bool send_line(int socket, const std::string& line) {
  const std::string text = line + "\n";
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t count = send(socket, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

enum class Received { line, end, nothing };

/// Receives the next line from a socket.
/// @param unread  the bytes received after the last line
/// @param death   becomes readable when the other process has ended; -1 if that does not matter
Received receive_line(int socket, int death, std::string& unread, std::string& line, Clock::time_point until) {
  constexpr std::size_t most = std::size_t{16} << 20;  // no answer is that long
  for (;;) {
    if (const std::size_t end = unread.find('\n'); end != std::string::npos) {
      line = unread.substr(0, end);
      unread.erase(0, end + 1);
      return Received::line;
    }
    const auto left = std::chrono::duration_cast<milliseconds>(until - Clock::now()).count();
    if (left <= 0) return Received::nothing;
    if (unread.size() > most) return Received::end;
    pollfd waiting[] = {{socket, POLLIN, 0}, {death, POLLIN, 0}};
    const int ready = poll(waiting, 2, static_cast<int>(std::min<std::int64_t>(left, 1 << 30)));
    if (ready < 0 && errno != EINTR) fail("waiting for a worker");
    if (ready <= 0) continue;
    if (waiting[0].revents == 0) return Received::end;  // the process is dead, and all that it sent has been read
    char buffer[65536];
    const ssize_t count = read(socket, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return Received::end;
    unread.append(buffer, static_cast<std::size_t>(count));
  }
}

/// The bytes of a file from an offset on, at most so many.
std::string text_from(int file, off_t from, std::size_t most) {
  std::string text(most, '\0');
  const ssize_t count = pread(file, text.data(), text.size(), from);
  text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  return text;
}

/// A file in memory to which a process appends. Its descriptor differs from those that a worker is given.
int appended_file(const char* name) {
  const int low = memfd_create(name, MFD_CLOEXEC);
  const int file = low < 0 ? low : fcntl(low, F_DUPFD_CLOEXEC, touch_of_worker + 1);
  if (file < 0) fail("memfd_create");
  close(low);
  fcntl(file, F_SETFL, O_APPEND);
  return file;
}

}  // namespace

SubjectHere::SubjectHere(const SubjectOrder& order) {
  if (order.library) {
    row.name = order.subject;
    made = make_library_subject(*order.library);
  } else if (order.python) {
    row.name = order.subject;
    made = make_python_subject(*order.python);
  } else if (order.kernel) {
    row.name = order.subject;
    made = make_kernel_subject(*order.kernel);
  } else {
    row = subject_row(order.subject);
    made = row.make();
  }
  if (made.capabilities) row.capabilities = *made.capabilities;
}

CaseOutcome SubjectHere::run(const Property& property, const Problem& problem, Coverage& coverage) {
  return InThisProcess(row.capabilities, *made.subject).run(property, problem, coverage);
}

Worker::Worker(const SubjectOrder& order, milliseconds deadline)
    : order_(order),
      deadline_(deadline),
      output_(appended_file("output of a worker")),
      touch_(appended_file("touch of a worker")) {
  // Threads that spin while they wait would take cores from other processes.
  setenv("OMP_WAIT_POLICY", "PASSIVE", /*overwrite=*/0);
  if (order.python)
    setenv("OMP_NUM_THREADS", std::to_string(cores()).c_str(), /*overwrite=*/0);  // torch ignores quotas
}

Worker::~Worker() {
  stop();
  close(output_);
  close(touch_);
}

/// The program of the process, its arguments and its environment.
Worker::Program Worker::program() const {
  Program all = {"/proc/self/exe", {"tileproof", "work"}, {}};
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    all.environment.emplace_back(*variable);
  }
#if defined(TILEPROOF_PYTHON_WORKER)
  if (order_.python) {
    const auto beside = [](const char* name) { return (folder_of_program() / name).string(); };
    const std::string preloaded = beside(TILEPROOF_PYTHON_ALLOCATIONS);
    const std::string& interpreter = order_.python->interpreter;
    all.file = interpreter;
    all.arguments = {interpreter, beside(TILEPROOF_PYTHON_PROGRAM), beside(TILEPROOF_PYTHON_WORKER),
                     std::to_string(socket_of_worker), preloaded};
    const char* others = std::getenv("LD_PRELOAD");
    std::erase_if(all.environment, [](const std::string& variable) { return variable.starts_with("LD_PRELOAD="); });
    all.environment.push_back("LD_PRELOAD=" + preloaded + (others != nullptr ? std::string(":") + others : ""));
  }
#endif
  return all;
}

void Worker::start() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
  if (ftruncate(touch_, 0) != 0) fail("ftruncate");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  const int output = shows_output_ ? STDERR_FILENO : output_;
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], socket_of_worker);
  posix_spawn_file_actions_adddup2(&actions, touch_, touch_of_worker);
  Program one = program();
  const auto pointers_to = [](std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
  };
  posix_spawn_file_actions_addclosefrom_np(&actions, touch_of_worker + 1);
  // Start the worker in a group of its own, so that processes it forks end with it.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const int error = posix_spawn(&process_, one.file.c_str(), &actions, &attributes, pointers_to(one.arguments).data(),
                                pointers_to(one.environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    process_ = 0;
    errno = error;
    fail("cannot start a worker");
  }
  socket_ = ends[0];
  death_ = static_cast<int>(syscall(SYS_pidfd_open, process_, 0));
  unread_.clear();
}

void Worker::stop() {
  if (!is_running()) return;
  kill(-process_, SIGKILL);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  forget();
}

void Worker::forget() {
  close(socket_);
  if (death_ >= 0) close(death_);
  process_ = 0;
  socket_ = death_ = -1;
}

bool Worker::is_sent(json question) {
  timed_out_ = false;
  question["number"] = ++questions_;
  return send_line(socket_, dumped(question));
}

std::optional<json> Worker::answer(milliseconds patience) {
  std::string line;
  const Received received = receive_line(socket_, death_, unread_, line, Clock::now() + patience);
  timed_out_ = received == Received::nothing;
  if (received != Received::line) return std::nullopt;
  json said = json::parse(line, nullptr, false);
  // A message that does not answer the question comes from code running in the worker, not from the worker.
  if (!said.is_object() || said.value("number", json()) != questions_) return std::nullopt;
  return said;
}

bool was_killed(const std::string& death) { return death.find("SIGKILL") != std::string::npos; }

namespace {

/// Why no process can be an interpreter that judges; "" if one can.
std::string why_no_python(const PythonModule& module) {
#if !defined(TILEPROOF_PYTHON_WORKER)
  return "built without the library that an interpreter loads, as is for sanitizers and coverage";
#endif
  return module.interpreter.empty() ? "there is no python3 on PATH: apt-get install python3, or --python-with EXE" : "";
}

}  // namespace

MadeElsewhere Worker::make() {
  if (order_.python) {
    if (const std::string why_not = why_no_python(*order_.python); !why_not.empty()) return {why_not, {}, "", ""};
  }
  const Clock::time_point begin = Clock::now();
  if (order_.python && !has_loaded_harness_) require_interpreter();
  std::optional<json> made;
  for (int kills = 0; !made;) {
    if (!is_running()) start();
    if (is_sent({{"make", json_of(order_)}})) made = answer(patience_to_make);
    if (made) break;
    const std::string words = last_words();
    const std::string within =
        timed_out_ ? " within " + std::to_string(patience_to_make / std::chrono::seconds(1)) + " s" : "";
    const std::string died = how_it_died() + within + words;
    if (was_killed(died) && ++kills < most_kills) continue;
    throw std::runtime_error("a fresh process " + died + " while it made the subject " + order_.subject);
  }
  starting_seconds_ += seconds_since(begin);
  // A process without a subject must not be asked for cases.
  if (made->contains("illegal") || made->contains("error") || (*made)["why_not"] != "") stop();
  if (made->contains("illegal")) throw UsageError((*made)["illegal"].get<std::string>());
  if (made->contains("error")) throw std::runtime_error((*made)["error"].get<std::string>());
  MadeElsewhere result = {(*made)["why_not"], std::nullopt, (*made)["device"], (*made)["float_mode"],
                          (*made)["library"]};
  if (!(*made)["capabilities"].is_null()) result.capabilities = capabilities_of((*made)["capabilities"]);
  return result;
}

void Worker::require_interpreter() {
  const bool shows_output = std::exchange(shows_output_, false);  // what is no interpreter may print anything
  std::string died;
  for (int kills = 0; !has_loaded_harness_;) {
    try {
      if (!is_running()) start();
      is_sent({{"greet", true}});
      has_loaded_harness_ = answer(patience_to_start).has_value();
      died = has_loaded_harness_ ? "" : how_it_died();
    } catch (const std::runtime_error& error) {
      died = error.what();
    }
    if (has_loaded_harness_ || (was_killed(died) && ++kills < most_kills)) continue;
    const std::string lines = last_lines();
    std::string last = lines.substr(lines.rfind('\n') + 1).substr(0, 200);
    if (std::ranges::any_of(last, [](unsigned char one) { return one < ' '; })) last.clear();  // no text
    throw UsageError("--python-with",
                     "'" + order_.python->interpreter + "' (" + died + (last.empty() ? "" : "; " + last) + ")",
                     "a Python 3 that can load " + program().arguments[2]);
  }
  shows_output_ = shows_output;
  if (shows_output_) stop();  // the next process shows what it prints
}

/// Sends cases to the process, and starts one if none runs.
/// @param what  is to be said of what they meet: "all", "elements" too, or how many they "compared"
void Worker::ask_for(std::span<const ListedCase> cases, const char* what) {
  if (!is_running()) {
    if (const MadeElsewhere made = make(); !made.why_not.empty()) {
      throw std::runtime_error("the subject " + order_.subject + " cannot be run any more: " + made.why_not);
    }
  }
  if (ftruncate(output_, 0) != 0) fail("ftruncate");  // only the output of cases that fail is of interest
  json lines = json::array();
  for (const ListedCase& one : cases) lines.push_back(line_of(one.problem));
  is_sent({{"problems", std::move(lines)}, {"met", what}});  // a process that cannot be told gives no answer either
}

/// @param place  of the case among those that the process was sent
CaseOutcome Worker::outcome_of_next(const ListedCase& one, std::size_t place, Coverage& coverage,
                                    std::int64_t& compared) {
  const bool is_large = one.property->heavy || !one.property->sampling.fixed.empty();
  const milliseconds patience = is_large ? heavy * deadline_ : deadline_;
  const std::optional<json> said = answer(patience);
  // Where a call forks, both processes answer.
  if (!said || said->value("place", json()) != place) {
    CaseOutcome outcome = lost(one.problem, patience);
    const bool killed = outcome.finding && was_killed(outcome.finding->details);
    if (!killed || !one.property->heavy) return outcome;
    return {.process_lost = true, .unavailable = "the system killed it: out of memory?"};
  }
  if (said->contains("out_of_memory")) return {.unavailable = "out of memory"};
  CaseOutcome outcome;
  const bool is_broken = said->contains("memory_is_broken");
  try {
    if (said->contains("met")) coverage = met_of(said->at("met"));
    compared = said->at("compared");
    outcome = outcome_of(said->at("outcome"));
    timed_out_ = said->at("seconds").get<double>() * 1000 > static_cast<double>(patience.count());
  } catch (const json::exception&) {
    coverage = Coverage();
    return lost(one.problem, patience);
  }
  if (is_broken) {
    stop();
    throw BrokenMemory("the machine is at fault: memory does not hold what is written to it, after " +
                       line_of(one.problem));
  }
  if (timed_out_) return lost(one.problem, patience);  // it took too long while nobody waited for it
  if (outcome.device_lost) {
    stop();  // nothing that this process reports about the device is reliable any more
    outcome.device_lost = false;
    outcome.process_lost = true;
  }
  return outcome;
}

CaseOutcome Worker::run(const Property& property, const Problem& problem, Coverage& coverage) {
  const ListedCase one = {&property, problem};
  ask_for({&one, 1}, coverage.compared_elements ? "elements" : "all");
  std::int64_t compared = 0;
  const CaseOutcome outcome = outcome_of_next(one, 0, coverage, compared);
  has_failed_ |= outcome.finding || outcome.process_lost;
  return outcome;
}

void Worker::run_all(std::span<const ListedCase> cases,
                     const std::function<void(std::size_t, const CaseOutcome&, std::int64_t)>& take) {
  constexpr std::size_t few = 4;  // so few that the process would wait for the next cases
  for (std::size_t next = 0; next < cases.size();) {
    const std::size_t first = next;
    ask_for(cases.subspan(first), "compared");
    for (bool lives = true; lives && next < cases.size(); ++next) {
      Coverage coverage;
      std::int64_t compared = 0;
      const CaseOutcome outcome = outcome_of_next(cases[next], next - first, coverage, compared);
      lives = !outcome.process_lost;
      take(next, outcome, compared);
      // To be woken for each answer takes as long as a short case: let some arrive.
      const bool has_answers = unread_.find('\n') != std::string::npos;
      if (lives && !has_answers && cases.size() - next > few) std::this_thread::sleep_for(milliseconds(1));
    }
  }
}

CaseOutcome Worker::lost(const Problem& problem, milliseconds patience) {
  CaseOutcome outcome;
  outcome.process_lost = true;
  const std::string words = last_words();
  if (timed_out_) {
    stop();
    outcome.was_hang = true;
    outcome.finding =
        Finding{problem, "hang",
                "no answer within " + std::to_string(patience.count()) + " ms: the process was killed" + words};
  } else {
    // The process's message about the untouchable page that it died of touching; "" if there is none.
    const std::string touched = text_from(touch_, 0, 512);
    outcome.finding = Finding{problem, touched.empty() ? "crash" : "guard",
                              (touched.empty() ? "" : touched + "; ") + "the process " + how_it_died() + words};
  }
  return outcome;
}

std::string Worker::how_it_died() {
  if (timed_out_) {
    stop();
    return "gave no answer";
  }
  int status = 0;
  // The worker closed its socket, or sent a message that is no answer, and may still be alive.
  constexpr int tries = 500;
  pid_t dead = 0;
  for (int i = 0; i < tries && dead == 0; ++i) {
    dead = waitpid(process_, &status, WNOHANG);
    if (dead == 0) usleep(10000);
  }
  if (dead == 0) {
    stop();
    return "closed its socket, or sent what is no answer";
  }
  kill(-process_, SIGKILL);  // kills the processes that it forked
  forget();
  if (WIFSIGNALED(status)) {
    const char* name = sigabbrev_np(WTERMSIG(status));
    return "died of SIG" + std::string(name != nullptr ? name : "?") + " (" + strsignal(WTERMSIG(status)) + ")";
  }
  return "ended itself with exit code " + std::to_string(WEXITSTATUS(status));
}

/// The last lines that the process printed, if any.
std::string Worker::last_lines() const {
  constexpr off_t most = 600;
  std::string text = text_from(output_, std::max(lseek(output_, 0, SEEK_END) - most, off_t{0}), most);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string Worker::last_words() const {
  const std::string text = last_lines();
  return text.empty() ? "" : "; its last words: " + text;
}

// --- The worker's part ---------------------------------------------------------------------------------------------

namespace {

json answer_to_make(const SubjectOrder& order, std::optional<SubjectHere>& ordered) {
  try {
    compute_in_default_mode();
    ordered = SubjectHere(order);
    const MadeSubject& made = ordered->made;
    return {{"why_not", made.subject == nullptr ? made.why_not : ""},
            {"device", made.device},
            {"library", made.library},
            {"float_mode", what_is_unusual(float_mode())},
            {"capabilities", made.capabilities ? json_of(*made.capabilities) : json()}};
  } catch (const UsageError& illegal) {
    return {{"illegal", illegal.what()}};
  } catch (const std::exception& error) {
    return {{"error", error.what()}};
  }
}

/// @param checks_memory  whether memory is looked at even after a case that finds nothing
json answer_to_problem(const std::string& line, const std::string& what, bool checks_memory, SubjectHere& ordered) {
  const Problem problem = problem_of(line);
  Coverage coverage;
  if (what == "elements") coverage.compared_elements.emplace();
  try {
    const Clock::time_point begin = Clock::now();
    CaseOutcome outcome = ordered.run(property_of(problem.property), problem, coverage);
    const double seconds = seconds_since(begin);
    bool is_broken = false;
    try {
      const bool looks = (checks_memory || outcome.finding) && !outcome.device_lost;
      is_broken = looks && !holds_what_is_written(ordered.made.subject->memory());
    } catch (const std::exception&) {  // after a finding, that is what the case has done to its device
      outcome.device_lost = outcome.finding.has_value();
      is_broken = !outcome.finding;
    }
    json answer = {{"outcome", json_of(outcome)}, {"compared", coverage.compared}, {"seconds", seconds}};
    if (what != "compared") answer["met"] = json_of(coverage);
    if (is_broken) answer["memory_is_broken"] = true;
    return answer;
  } catch (const std::bad_alloc&) {
    return {{"out_of_memory", true}};
  }
}

/// Ends the process, and those it has forked, when the runner ends; it may be in a case that never returns.
/// PR_SET_PDEATHSIG is no alternative: it fires when the runner's thread that started the process ends.
void end_with_runner(int socket) {
  pollfd runner = {socket, POLLRDHUP, 0};
  while (poll(&runner, 1, -1) < 0 && errno == EINTR) {
  }
  if ((runner.revents & (POLLRDHUP | POLLHUP)) != 0) kill(0, SIGKILL);
}

/// Keeps freed memory for the next case: handing pages back and getting them again takes a seventh of a case's time.
void keep_freed_memory() {
  constexpr int largest_kept = 32 << 20;  // the most that M_MMAP_THRESHOLD takes
  mallopt(M_MMAP_THRESHOLD, largest_kept);
  mallopt(M_TRIM_THRESHOLD, 8 * largest_kept);
}

}  // namespace

int work(int socket) {
  // A signal that ends a run reaches all its processes; the runner handles it. A handler, unlike SIG_IGN, does not
  // outlive exec(): a subject must be able to end the programs that it starts.
  for (const int ending : ending_signals) signal(ending, [](int) {});
  // Move the descriptors away from those that stray writes go to.
  const auto moved_away = [](int descriptor) {
    constexpr int out_of_the_way = 500;
    const int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, out_of_the_way);
    if (moved < 0) return descriptor;
    close(descriptor);
    return moved;
  };
  socket = moved_away(socket);
  tell_touch_on(moved_away(touch_of_worker));
  std::thread(end_with_runner, socket).detach();
  // Output goes to memory, so it needs a limit. stdout is flushed at each line, because any line may be the last.
  constexpr rlim_t most_output = rlim_t{64} << 20;
  const rlimit limit = {most_output, most_output};
  setrlimit(RLIMIT_FSIZE, &limit);
  signal(SIGXFSZ, SIG_IGN);
  setvbuf(stdout, nullptr, _IOLBF, 0);
  keep_freed_memory();
  std::optional<SubjectHere> ordered;
  std::string unread, line;
  const auto for_ever = [] { return Clock::now() + std::chrono::hours(24 * 365); };
  while (receive_line(socket, -1, unread, line, for_ever()) == Received::line) {
    const json question = json::parse(line);
    const auto answer = [&](json said) {
      said["number"] = question["number"];
      return send_line(socket, dumped(said));
    };
    if (question.contains("greet")) {
      answer(json::object());
      continue;
    }
    if (question.contains("make")) {
      answer(answer_to_make(subject_order_of(question["make"]), ordered));
      continue;
    }
    const json& problems = question["problems"];
    for (std::size_t i = 0; i < problems.size(); ++i) {
      const bool ends_a_batch = question["met"] == "compared" && i + 1 == problems.size();
      json said = answer_to_problem(problems[i], question["met"], ends_a_batch, ordered.value());
      said["place"] = i;
      if (!answer(std::move(said))) break;
    }
  }
  // Skip the destructors of torch, CUDA and loaded libraries, which could only crash after the verdict.
  _exit(0);
}

}  // namespace tileproof
