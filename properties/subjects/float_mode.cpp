#include "properties/subjects/float_mode.h"

#include <bit>
#include <cfenv>
#include <cstdint>
#include <limits>

namespace tileproof {

FloatMode float_mode() {
  const volatile float least_normal = std::numeric_limits<float>::min();
  const volatile float least = std::numeric_limits<float>::denorm_min();
  const volatile float half = least_normal * 0.5f;
  const volatile float scaled = least * 0x1p100f;
  // Compare bits, because a comparison of floats would flush its operands too.
  const auto is_zero = [](float value) { return std::bit_cast<std::uint32_t>(value) == 0; };
  return {.flushes_results = is_zero(half),
          .flushes_operands = is_zero(scaled),
          .rounds_to_nearest = std::fegetround() == FE_TONEAREST};
}

std::string what_is_unusual(const FloatMode& mode) {
  std::string text;
  const auto add = [&](bool holds, const char* what) {
    if (holds) text += (text.empty() ? "" : ", ") + std::string(what);
  };
  add(mode.flushes_results, "results below the least normal value become 0");
  add(mode.flushes_operands, "operands below it count as 0");
  add(!mode.rounds_to_nearest, "results are not rounded to nearest");
  return text;
}

// glibc's default environment keeps subnormals too: it clears FTZ and DAZ of MXCSR, FZ of FPCR.
void compute_in_default_mode() { std::fesetenv(FE_DFL_ENV); }

namespace {

FloatMode inherited;

}  // namespace

void leave_inherited_mode() {
  inherited = float_mode();
  compute_in_default_mode();
}

const FloatMode& inherited_mode() { return inherited; }

}  // namespace tileproof
