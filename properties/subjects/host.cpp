// The production kernels on the host, run over ranges of their threads, and the production code for CPU tensors.
#include "properties/problem/draw.h"
#include "properties/subjects/kernel_arguments.h"
#include "properties/subjects/rows.h"

namespace tileproof {

namespace {

/// Runs an operation as ranges of the kernels' threads.
class HostSubject : public Subject {
 public:
  Memory& memory() override { return *memory_; }
  void vary(std::uint64_t variation) override { variation_ = variation; }

  void run(const Call& call) override {
    with_arguments(call, [&](const auto& arguments) {
      require_legal(arguments);
      in_pieces(kernels::threads_of(arguments), [&](std::int64_t begin, std::int64_t end) {
        run_kernel(arguments, kernels::Range{begin, end});
      });
    });
  }

 protected:
  /// Runs all pieces in one range; a variation runs ranges of 1 to 37 pieces, from the last to the first.
  template <class Run>
  void in_pieces(std::int64_t end, Run run) const {
    if (variation_ == 0) return run(0, end);
    for (std::uint64_t piece = 0; end > 0; ++piece) {
      const std::int64_t length = 1 + below(37, drawn(variation_, stream::choice, piece));
      const std::int64_t begin = end > length ? end - length : 0;
      run(begin, end);
      end = begin;
    }
  }

  std::unique_ptr<Memory> memory_ = make_host_memory();
  std::uint64_t variation_ = 0;
};

/// Runs an operation as ranges of n-tiles, by the code for CPU tensors. Convert has none of its own.
class CpuSubject : public HostSubject {
 public:
  std::vector<std::string> ways() const override {
    std::vector<std::string> names;
    for (const kernels::Way way : kernels::all_ways()) names.push_back(kernels::name_of(way));
    return names;
  }
  std::string way() const override { return way_; }

  void run(const Call& call) override {
    with_arguments(call, [&]<class Arguments>(const Arguments& arguments) {
      if constexpr (kernels::has_ways<Arguments>) {
        require_legal(arguments);
        const std::vector<kernels::Way> all = kernels::all_ways();
        const kernels::Way way = variation_ == 0 ? kernels::way_of(arguments) : all[variation_ / 2 % all.size()];
        way_ = kernels::name_of(way);
        in_pieces(kernels::n_tiles_of(arguments), [&](std::int64_t begin, std::int64_t end) {
          run_kernel(arguments, kernels::NTiles{begin, end}, way);
        });
      } else {
        lacks(call.operation);
      }
    });
  }

 private:
  std::string way_;
};

}  // namespace

MadeSubject make_host_subject() { return {std::make_unique<HostSubject>(), ""}; }
MadeSubject make_cpu_subject() { return {std::make_unique<CpuSubject>(), ""}; }

}  // namespace tileproof
