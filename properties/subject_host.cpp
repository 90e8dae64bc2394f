// The production kernels, run on the host over ranges of their threads.
#include "draw.h"
#include "kernel_arguments.h"
#include "subject_rows.h"

namespace tileproof {

namespace {

// One name for the three operations.
void run_range(const kernels::PackArguments& a, kernels::Range range) { kernels::pack(a, range); }
void run_range(const kernels::UnpackArguments& a, kernels::Range range) { kernels::unpack(a, range); }
void run_range(const kernels::DequantizeArguments& a, kernels::Range range) { kernels::dequantize(a, range); }

class HostSubject : public Subject {
 public:
  Memory& memory() override { return host_memory(); }
  void vary(std::uint64_t variation) override { variation_ = variation; }

  void run(const PackCall& call) override { in_pieces(arguments_of(call)); }
  void run(const UnpackCall& call) override { in_pieces(arguments_of(call)); }
  void run(const DequantizeCall& call) override { in_pieces(arguments_of(call)); }

 private:
  /// All threads in one range, or, varied, in ranges of odd lengths from the last to the first.
  template <class Arguments>
  void in_pieces(const Arguments& arguments) {
    if (const auto refusal = kernels::refusal_of(arguments)) throw SubjectError("refused: " + refusal->text());
    const std::int64_t threads = kernels::threads_of(arguments);
    if (variation_ == 0) return run_range(arguments, {0, threads});
    std::int64_t end = threads;
    for (std::uint64_t piece = 0; end > 0; ++piece) {
      const std::int64_t length = 1 + below(37, drawn(variation_, stream::choice, piece));
      const std::int64_t begin = end > length ? end - length : 0;
      run_range(arguments, {begin, end});
      end = begin;
    }
  }

  std::uint64_t variation_ = 0;
};

}  // namespace

MadeSubject make_host_subject() { return {std::make_unique<HostSubject>(), ""}; }

}  // namespace tileproof
