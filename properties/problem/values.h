/// Scales and zeros: the named classes of values that break arithmetic, and the profiles that mix them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/float_bits.h"

namespace tileproof {

/// A class of values of a format: what it is called, and a member of it for every draw.
struct ValueClass {
  const char* name;
  bool finite;
  std::uint32_t (*member)(reference::FloatFormat, std::uint64_t bits);
  bool (*contains)(reference::FloatFormat, std::uint32_t pattern);
};
const std::vector<ValueClass>& value_classes();

/// A group's scale and float-domain zero, as bits.
struct ScaleAndZero {
  std::uint32_t scale;
  std::uint32_t zero;
};

/// A named way to draw scales and zeros.
struct Profile {
  const char* name;
  const char* finds;  // the mutants it is for
  bool finite;        // draws no infinity and no NaN, and no weight of it overflows an fp32 sum
  ScaleAndZero (*drawn)(reference::FloatFormat, std::uint64_t seed, std::uint64_t index);
  bool compared_elements = true;  // for good: figures of accuracy are compared with those that were recorded
};
const std::vector<Profile>& profiles();
/// The name of the one that is as models are.
inline constexpr const char* ordinary_profile = "ordinary";
const Profile& profile_of(const std::string& name);

/// @throws UsageError for a name that is no profile
void require_profile(const std::string& name);

}  // namespace tileproof
