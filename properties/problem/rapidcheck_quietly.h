/// Runs RapidCheck without output, with our seed instead of the clock's, and without reading RC_PARAMS.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <string>
#include <unordered_map>

namespace tileproof {

/// @param seed   equal seeds draw equal cases
/// @param cases  the number of passing cases after which the property holds
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
  // An explicit (empty) map keeps RapidCheck from reading RC_PARAMS.
  const std::unordered_map<std::string, rc::detail::Reproduce> nothing_to_reproduce;
  return rc::detail::checkTestable(property, rc::detail::TestMetadata(), params, silence, nothing_to_reproduce);
}

}  // namespace tileproof
