/// The measures of the properties about the two domains. A property reports the largest value of each over its points.
#pragma once

#include <string>

namespace tileproof::domains {

struct Measure {
  const char* name;
  const char* direction;
  const char* quantity;
  const char* unit;         // scale; ulp: last places of a zero; values apart: between two weights of the format; bound
  const char* zero_points;  // the range of zero points that the measure covers
};

inline constexpr const char* to_float = "integer to float";
inline constexpr const char* to_integer = "float to integer";
inline constexpr const char* whole_int8 = "-128..127";
inline constexpr const char* of_4_bits = "0..15";

inline constexpr Measure zero_in_scales = {"most that a zero is moved, in scales", to_float, "zero", "scale",
                                           whole_int8};
inline constexpr Measure zero_in_scales_4_bits = {"most that a zero is moved, zero points 0..15, in scales", to_float,
                                                  "zero", "scale", of_4_bits};
inline constexpr Measure zero_in_steps = {"most that a zero is moved, in its last places", to_float, "zero", "ulp",
                                          whole_int8};
inline constexpr Measure zero_in_steps_4_bits = {"most that a zero is moved, zero points 0..15, in its last places",
                                                 to_float, "zero", "ulp", of_4_bits};
inline constexpr Measure weight_of_bound = {"largest difference of a weight, in units of its bound", to_float, "weight",
                                            "bound", whole_int8};
inline constexpr Measure weight_in_scales = {"largest difference of a weight, in scales", to_float, "weight", "scale",
                                             whole_int8};
inline constexpr Measure weight_in_scales_4_bits = {"largest difference of a weight, zero points 0..15, in scales",
                                                    to_float, "weight", "scale", of_4_bits};
inline constexpr Measure weight_in_steps = {"largest difference of a weight that is not 0, in values of the format",
                                            to_float, "weight", "values apart", whole_int8};
inline constexpr Measure weight_in_steps_4_bits = {
    "largest difference of a weight that is not 0, zero points 0..15, in values of the format", to_float, "weight",
    "values apart", of_4_bits};
inline constexpr Measure weight_of_zero = {"most that a weight of 0 becomes, in scales", to_float, "weight that was 0",
                                           "scale", of_4_bits};
inline constexpr Measure nearest_zero = {"most that a zero is from the nearest multiple of the scale, in scales",
                                         to_integer, "zero", "scale", whole_int8};
inline constexpr Measure nearest_weight_of_bound = {
    "largest difference of a weight with the nearest zero point, in units of its bound", to_integer, "weight", "bound",
    whole_int8};
inline constexpr Measure nearest_weight_in_scales = {
    "largest difference of a weight with the nearest zero point, in scales", to_integer, "weight", "scale", whole_int8};
inline constexpr Measure nearest_weight_in_scales_4_bits = {
    "largest difference of a weight with the nearest zero point, zero points 0..15, in scales", to_integer, "weight",
    "scale", of_4_bits};

inline constexpr const Measure* measures[] = {&zero_in_scales,
                                              &zero_in_scales_4_bits,
                                              &zero_in_steps,
                                              &zero_in_steps_4_bits,
                                              &weight_of_bound,
                                              &weight_in_scales,
                                              &weight_in_scales_4_bits,
                                              &weight_in_steps,
                                              &weight_in_steps_4_bits,
                                              &weight_of_zero,
                                              &nearest_zero,
                                              &nearest_weight_of_bound,
                                              &nearest_weight_in_scales,
                                              &nearest_weight_in_scales_4_bits};

/// @return nullptr if no measure has this name
inline const Measure* measure_of(const std::string& name) {
  for (const Measure* measure : measures) {
    if (name == measure->name) return measure;
  }
  return nullptr;
}

}  // namespace tileproof::domains
