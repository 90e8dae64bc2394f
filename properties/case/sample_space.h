/// The problems that a property draws from for a subject, and steps from one to smaller ones.
#pragma once

#include <cstdint>
#include <string>

#include "properties/case/property.h"

namespace tileproof {

/// The problems that a property draws from for a subject: its sampling within the subject's capabilities.
struct SampleSpace {
  Capabilities capabilities;
  Sampling sampling;
  // The subject's largest k; the property draws at most sampling.most_k.
  std::int64_t most_k_taken = Capabilities().most_k;
};

/// @return the intersection; if it is empty, `why_not` says why
SampleSpace sample_space_of(const Property&, const Capabilities&, std::string* why_not);

/// Requires a problem to be inside the space.
/// @throws UsageError if the property is not about the problem, or the subject does not take it
void require_within(const Problem&, const SampleSpace&);

/// Problems one step smaller or plainer: fewer rows, columns or groups, or a plainer profile, with the same seed. The
/// largest steps come first; no step adds elements, and no chain of steps comes back to its start.
std::vector<Problem> smaller_problems(const Problem&, const SampleSpace&);

/// The number of experts, 1 to most_experts, of a problem with this seed.
std::int64_t experts_of(std::uint64_t seed, std::int64_t most_experts);

}  // namespace tileproof
