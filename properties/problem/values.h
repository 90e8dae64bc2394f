/// Scales and zeros: the named classes of values that break arithmetic, and the profiles that mix them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/float_bits.h"

namespace tileproof {

/// A class of values: its name, and a function that draws a member.
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
  const char* finds;  // the mutants that this profile is meant to find
  bool finite;        // draws no infinity and no NaN, and no weight overflows a sum in fp32
  ScaleAndZero (*drawn)(reference::FloatFormat, std::uint64_t seed, std::uint64_t index);
  bool compared_elements = true;  // must not change, because accuracy figures are compared with recorded ones
};
const std::vector<Profile>& profiles();
/// The profile that resembles real models.
inline constexpr const char* ordinary_profile = "ordinary";
/// @throws UsageError if no profile has the name
const Profile& profile_of(const std::string& name);

}  // namespace tileproof
