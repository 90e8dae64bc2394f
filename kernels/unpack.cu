/// Unpack: one int32 a code, from the tensor-core-tiled layout. The walk is strips.h; here a pair of codes becomes two
/// int32.
#include "strips.h"

namespace tileproof::kernels {

namespace {

struct CodesAsInt32 {
  static constexpr int element_bytes = 4;

  TILEPROOF_WORD std::int64_t parameters_of(std::int64_t, std::int64_t) const { return 0; }

  TILEPROOF_WORD Quad operator()(const std::uint32_t (&pairs)[2], std::int64_t, std::int64_t) const {
    return {pairs[0] & 0xffff, pairs[0] >> 16, pairs[1] & 0xffff, pairs[1] >> 16};
  }
};

}  // namespace

Outcome unpack(const UnpackArguments& a, Where where) {
#if defined(__CUDACC__)
  if (Outcome outcome; refused(a, &outcome)) return outcome;
  if (a.experts == 0 || a.n == 0 || a.k == 0) return nothing_to_do;
#endif
  return run_strips(a, a.codes, CodesAsInt32{}, where);
}

#if !defined(__CUDACC__)
std::int64_t threads_of(const UnpackArguments& a) {
  return a.experts * a.n * StripPairThread<2, false, CodesAsInt32>::threads_of_row(a.k);
}
#endif

}  // namespace tileproof::kernels
