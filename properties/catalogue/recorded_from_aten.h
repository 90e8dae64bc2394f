/// Bytes that aten's CUDA kernels gave for small matrices. record_aten.py writes them to recorded_from_aten.txt.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "properties/problem/problem.h"

namespace tileproof {

/// One matrix: its codes and words, or its words, parameters and weights.
struct Recorded {
  Problem problem;  // its size, format and group size
  std::vector<std::uint32_t> codes = {}, packed = {}, parameters = {}, weights = {};
};

/// @throws std::logic_error where the text is malformed, or has no matrix
std::vector<Recorded> recorded_in(const std::string& text);

/// The matrices of recorded_from_aten.txt.
const std::vector<Recorded>& recorded_from_aten();

}  // namespace tileproof
