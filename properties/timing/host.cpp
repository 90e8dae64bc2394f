// Timing on the host by Google Benchmark. In each of its repeats, this code times the yardsticks and the operation in
// turn.
#include <benchmark/benchmark.h>

#include <barrier>
#include <cstring>
#include <thread>

#include "properties/problem/stopwatch.h"
#include "properties/subjects/cores.h"
#include "properties/subjects/kernel_arguments.h"
#include "properties/timing/rows.h"

namespace tileproof {

namespace {

template <class Use>
double seconds_of(Use use) {
  const Clock::time_point begin = Clock::now();
  use();
  benchmark::ClobberMemory();
  return seconds_since(begin);
}

/// Threads that stay alive between calls, so that no measurement includes starting them.
class Threads {
 public:
  explicit Threads(int count) : count_(count), barrier_(count) {
    for (int number = 1; number < count; ++number) threads_.emplace_back([this, number] { work(number); });
  }
  ~Threads() {
    work_ = nullptr;
    barrier_.arrive_and_wait();
    for (std::thread& thread : threads_) thread.join();
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  /// Splits 0..all over the threads, calls `work` on each part, and returns when all are done.
  /// @param piece  parts begin at multiples of this
  void in_parts(std::int64_t all, std::int64_t piece, const std::function<void(std::int64_t, std::int64_t)>& work) {
    const std::int64_t pieces = (all + piece - 1) / piece;
    const std::function<void(int)> of_thread = [&](int number) {
      const std::int64_t begin = pieces * number / count_ * piece;
      const std::int64_t end = std::min(all, pieces * (number + 1) / count_ * piece);
      if (begin < end) work(begin, end);
    };
    work_ = &of_thread;
    barrier_.arrive_and_wait();
    of_thread(0);
    barrier_.arrive_and_wait();
  }

 private:
  void work(int number) {
    while (true) {
      barrier_.arrive_and_wait();
      if (work_ == nullptr) return;
      (*work_)(number);
      barrier_.arrive_and_wait();
    }
  }

  int count_;
  std::barrier<> barrier_;
  const std::function<void(int)>* work_ = nullptr;  // passed to the threads by the barrier
  std::vector<std::thread> threads_;
};

/// The production kernels, split over threads as the PyTorch operators split them.
class ThreadedKernels : public Subject {
 public:
  explicit ThreadedKernels(Threads& threads) : threads_(threads) {}
  Memory& memory() override { return host_memory(); }
  void run(const Call& call) override {
    with_arguments(call, [&]<class Arguments>(const Arguments& arguments) {
      require_legal(arguments);
      using Shares = kernels::Shares<Arguments>;
      threads_.in_parts(Shares::count(arguments), 1, [&](std::int64_t begin, std::int64_t end) {
        run_kernel(arguments, typename Shares::Part{begin, end});
      });
    });
  }

 private:
  Threads& threads_;
};

/// Keeps Google Benchmark's result for each repetition, and prints nothing.
class Kept : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration) continue;
      seconds[timed_as::operation].push_back(run.real_accumulated_time / static_cast<double>(run.iterations));
      for (const auto& [name, counter] : run.counters) seconds[name].push_back(counter.value);
    }
  }

  std::map<std::string, std::vector<double>> seconds;
};

class HostTimer : public Timer {
 public:
  /// @param subject  runs in host memory; nullptr: the production kernels on all threads
  HostTimer(int threads, std::unique_ptr<Subject> subject) : threads_(threads), subject_(std::move(subject)) {
    if (subject_ == nullptr) subject_ = std::make_unique<ThreadedKernels>(threads_);
  }

  Timing time(const Timed& timed, int repeats) override {
    const TimedTensors tensors(timed, subject_->memory());
    const std::int64_t bytes = tensors.bytes();
    auto* room = static_cast<std::uint8_t*>(tensors.room());
    auto* second_half = static_cast<std::uint8_t*>(tensors.second_half_of_room());
    constexpr std::int64_t page = 4096;
    const auto copy = [&] {
      threads_.in_parts(bytes / 2, page, [&](std::int64_t begin, std::int64_t end) {
        std::memcpy(second_half + begin, room + begin, static_cast<std::size_t>(end - begin));
      });
    };
    const auto fill = [&] {
      threads_.in_parts(bytes, page, [&](std::int64_t begin, std::int64_t end) {
        std::memset(room + begin, 0x5a, static_cast<std::size_t>(end - begin));
      });
    };
    const Call call = tensors.call();
    const auto operation = [&] { subject_->run(call); };

    fill();  // maps every page of the room before timing
    copy();
    operation();
    constexpr double seconds_of_repeat = 2e-3;
    const double once = seconds_of(operation);
    Timing timing;
    timing.calls = once >= seconds_of_repeat ? 1 : static_cast<std::int64_t>(seconds_of_repeat / once) + 1;
    Kept kept;
    const std::string name = name_of(timed);
    benchmark::RegisterBenchmark(name.c_str(),
                                 [&](benchmark::State& state) {
                                   double copying = 0, filling = 0;
                                   for ([[maybe_unused]] auto _ : state) {
                                     copying += seconds_of(copy);
                                     filling += seconds_of(fill);
                                     state.SetIterationTime(seconds_of(operation));
                                   }
                                   using benchmark::Counter;
                                   state.counters[timed_as::copy] = Counter(copying, Counter::kAvgIterations);
                                   state.counters[timed_as::fill] = Counter(filling, Counter::kAvgIterations);
                                 })
        ->Iterations(timing.calls)
        ->Repetitions(repeats)
        ->UseManualTime();
    benchmark::RunSpecifiedBenchmarks(&kept, "all");
    benchmark::ClearRegisteredBenchmarks();
    timing.seconds = kept.seconds;
    timing.wrong = tensors.wrong();
    return timing;
  }

 private:
  Threads threads_;
  std::unique_ptr<Subject> subject_;
};

}  // namespace

MadeTimer make_host_timer() { return {std::make_unique<HostTimer>(static_cast<int>(cores()), nullptr), ""}; }

MadeTimer make_timer_of(std::unique_ptr<Subject> subject) {
  return {std::make_unique<HostTimer>(1, std::move(subject)), ""};
}

}  // namespace tileproof
