// The production kernels, run on the host over ranges of their threads; and the code for CPU tensors.
#include "draw.h"
#include "kernel_arguments.h"
#include "subject_rows.h"

namespace tileproof {

namespace {

template <class Arguments>
std::int64_t pieces_of(const Arguments& a, kernels::Range*) {
  return kernels::threads_of(a);
}
template <class Arguments>
std::int64_t pieces_of(const Arguments& a, kernels::NTiles*) {
  return kernels::n_tiles_of(a);
}

/// @tparam Pieces  what an operation is cut into: a range of the kernels' threads, or of n-tiles
template <class Pieces>
class HostSubject : public Subject {
 public:
  Memory& memory() override { return *memory_; }
  void vary(std::uint64_t variation) override { variation_ = variation; }

  void run(const PackCall& call) override { in_pieces(arguments_of(call)); }
  void run(const UnpackCall& call) override { in_pieces(arguments_of(call)); }
  void run(const DequantizeCall& call) override { in_pieces(arguments_of(call)); }

 private:
  /// All in one range, or, varied, in ranges of odd lengths from the last to the first.
  template <class Arguments>
  void in_pieces(const Arguments& arguments) {
    if (const auto refusal = kernels::refusal_of(arguments)) throw SubjectError("refused: " + refusal->text());
    std::int64_t end = pieces_of(arguments, static_cast<Pieces*>(nullptr));
    if (variation_ == 0) return run_kernel(arguments, Pieces{0, end});
    for (std::uint64_t piece = 0; end > 0; ++piece) {
      const std::int64_t length = 1 + below(37, drawn(variation_, stream::choice, piece));
      const std::int64_t begin = end > length ? end - length : 0;
      run_kernel(arguments, Pieces{begin, end});
      end = begin;
    }
  }

  std::unique_ptr<Memory> memory_ = make_host_memory();
  std::uint64_t variation_ = 0;
};

}  // namespace

MadeSubject make_host_subject() { return {std::make_unique<HostSubject<kernels::Range>>(), ""}; }
MadeSubject make_cpu_subject() { return {std::make_unique<HostSubject<kernels::NTiles>>(), ""}; }

}  // namespace tileproof
