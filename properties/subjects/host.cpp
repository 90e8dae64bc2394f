// The production kernels on the host, run over ranges of their threads, and the production code for CPU tensors.
#include "properties/problem/draw.h"
#include "properties/subjects/kernel_arguments.h"
#include "properties/subjects/rows.h"

namespace tileproof {

namespace {

/// Runs an operation as ranges of the kernels' threads.
struct ByThreads {
  template <class Arguments>
  ByThreads(const Arguments&, std::uint64_t /*variation*/) {}
  static std::vector<std::string> ways() { return {}; }
  std::string way() const { return ""; }

  template <class Arguments>
  std::int64_t pieces(const Arguments& a) const {
    return kernels::threads_of(a);
  }
  template <class Arguments>
  void run(const Arguments& a, std::int64_t begin, std::int64_t end) const {
    run_kernel(a, kernels::Range{begin, end});
  }
};

/// Runs an operation as ranges of n-tiles, by the code for CPU tensors.
class ByNTiles {
 public:
  template <class Arguments>
  ByNTiles(const Arguments& a, std::uint64_t variation) : way_(kernels::way_of(a)) {
    const std::vector<kernels::Way> all = kernels::all_ways();
    if (variation != 0) way_ = all[variation / 2 % all.size()];
  }
  static std::vector<std::string> ways() {
    std::vector<std::string> names;
    for (const kernels::Way way : kernels::all_ways()) names.push_back(kernels::name_of(way));
    return names;
  }
  std::string way() const { return kernels::name_of(way_); }

  template <class Arguments>
  std::int64_t pieces(const Arguments& a) const {
    return kernels::n_tiles_of(a);
  }
  template <class Arguments>
  void run(const Arguments& a, std::int64_t begin, std::int64_t end) const {
    run_kernel(a, kernels::NTiles{begin, end}, way_);
  }

 private:
  kernels::Way way_;
};

/// @tparam How  cuts an operation into pieces, and runs them
template <class How>
class HostSubject : public Subject {
 public:
  Memory& memory() override { return *memory_; }
  void vary(std::uint64_t variation) override { variation_ = variation; }
  std::vector<std::string> ways() const override { return How::ways(); }
  std::string way() const override { return way_; }

  void run(const Call& call) override {
    with_arguments(call, [&](const auto& arguments) { in_pieces(arguments); });
  }

 private:
  /// Runs all pieces in one range; a variation runs ranges of 1 to 37 pieces, from the last to the first.
  template <class Arguments>
  void in_pieces(const Arguments& arguments) {
    if (const auto refusal = kernels::validate(arguments)) throw SubjectError("refused: " + refusal->text());
    const How how(arguments, variation_);
    way_ = how.way();
    std::int64_t end = how.pieces(arguments);
    if (variation_ == 0) return how.run(arguments, 0, end);
    for (std::uint64_t piece = 0; end > 0; ++piece) {
      const std::int64_t length = 1 + below(37, drawn(variation_, stream::choice, piece));
      const std::int64_t begin = end > length ? end - length : 0;
      how.run(arguments, begin, end);
      end = begin;
    }
  }

  std::unique_ptr<Memory> memory_ = make_host_memory();
  std::uint64_t variation_ = 0;
  std::string way_;
};

}  // namespace

MadeSubject make_host_subject() { return {std::make_unique<HostSubject<ByThreads>>(), ""}; }
MadeSubject make_cpu_subject() { return {std::make_unique<HostSubject<ByNTiles>>(), ""}; }

}  // namespace tileproof
