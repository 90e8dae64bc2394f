/// RapidCheck generators of problems: dimensions, profiles and a seed by construction; never an element, never a
/// filter.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <string>

#include "properties/case/property.h"

namespace tileproof {

/// The problems that a property draws from for a subject: its sampling within the subject's capabilities.
struct SampleSpace {
  Capabilities capabilities;
  Sampling sampling;
  std::int64_t most_k_taken = Capabilities().most_k;  // by the subject; the property draws no more than draws.most_k
};

/// @return the intersection, and in `why_not` the reason where it is empty
SampleSpace sample_space_of(const Property&, const Capabilities&, std::string* why_not);

/// The i-th of the space's schemes that a format has, counted in turns.
const Scheme* scheme_in_turn(const SampleSpace&, const Format&, std::size_t i);

/// Likewise its types.
Types types_in_turn(const SampleSpace&, const Scheme&, std::size_t i);

/// @throws UsageError where a problem is outside the space: what the property is not about, or the subject does not
/// take
void require_within(const Problem&, const SampleSpace&);

/// Problems inside the space, all of their first variant.
rc::Gen<Problem> problems(const std::string& property, const std::string& subject, const SampleSpace&);

/// Problems one step smaller or plainer: fewer rows, columns, groups, a plainer profile, the same seed. The boldest
/// steps come first; none has more elements, and no chain of steps returns.
std::vector<Problem> smaller_problems(const Problem&, const SampleSpace&);

/// How many experts a problem of this seed has, of at most so many.
std::int64_t experts_of(std::uint64_t seed, std::int64_t most_experts);

/// One of them: a function of seed and index alone, whoever draws it and in whatever order.
/// @throws whatever the generator throws
Problem drawn_problem(const rc::Gen<Problem>&, std::uint64_t seed, std::uint64_t index);

}  // namespace tileproof
