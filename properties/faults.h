/// Faulty subjects: the specification with one thing wrong each, and the claims that must find it. A harness is worth
/// what it can catch; these rows are its own test. To add a fault, add a row in faults.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../reference/matrix.h"
#include "subject.h"

namespace tileproof {

/// A group's parameters, as bits, and the place in the problem they are used at.
struct WeightInputs {
  reference::Format format;
  Domain domain;
  int code;
  std::uint32_t scale;
  std::uint32_t zero;
  int zero_point;
};

/// The parts of a scalar implementation; each default is right.
struct ScalarParts {
  std::function<reference::Place(std::int64_t n, std::int64_t k, std::int64_t k_total, int inner_k_tiles)> place;
  std::function<std::int64_t(const DequantizeCall&, std::int64_t n, std::int64_t k)> group_row;
  std::function<std::uint32_t(const WeightInputs&)> weight;
  std::function<bool(std::int64_t n, std::int64_t n_total, std::int64_t k, std::int64_t k_total)> skips;
  std::function<void(const DequantizeCall&)> before_dequantize;
  std::function<void(const DequantizeCall&)> after_dequantize;
};

struct Fault {
  std::string name;
  std::string what;
  std::vector<std::string> found_by;  // names of claims, each of which must fail
  ScalarParts (*parts)();
};

const std::vector<Fault>& faults();

/// A subject for every fault, named "faulty:NAME", and "faulty:nothing", which is right.
const std::vector<SubjectRow>& faulty_subjects();

}  // namespace tileproof
