/// RapidCheck as we run it: it prints nothing, and takes neither a seed from the clock nor orders from RC_PARAMS.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <string>
#include <unordered_map>

namespace tileproof {

/// @param seed   the same one draws the same cases
/// @param cases  until a property holds
template <class Property>
rc::detail::TestResult checked_quietly(const Property& property, std::uint64_t seed, std::int64_t cases) {
  class Silence : public rc::detail::TestListener {
    void onTestCaseFinished(const rc::detail::CaseDescription&) override {}
    void onShrinkTried(const rc::detail::CaseDescription&, bool) override {}
    void onTestFinished(const rc::detail::TestMetadata&, const rc::detail::TestResult&) override {}
  };
  rc::detail::TestParams params;
  params.seed = seed;
  params.maxSuccess = static_cast<int>(cases);
  Silence silence;
  const std::unordered_map<std::string, rc::detail::Reproduce> nothing_to_reproduce;  // else RC_PARAMS is read
  return rc::detail::checkTestable(property, rc::detail::TestMetadata(), params, silence, nothing_to_reproduce);
}

}  // namespace tileproof
