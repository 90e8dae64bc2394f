#include "fuzz/records/closest.h"

namespace tileproof {

void keep_closer(ClosestOfClaims& all, const std::string& claim, const Closest& one) {
  const auto [at, is_new] = all.try_emplace(claim, one);
  const Closest& kept = at->second;
  const bool is_closer = one.of_bound > kept.of_bound || (one.of_bound == kept.of_bound && one.line < kept.line);
  if (!is_new && is_closer) at->second = one;
}

nlohmann::json json_of(const ClosestOfClaims& all) {
  nlohmann::json value = nlohmann::json::object();
  for (const auto& [claim, one] : all) value[claim] = {{"of_bound", one.of_bound}, {"problem", one.line}};
  return value;
}

ClosestOfClaims closest_of(const nlohmann::json& value) {
  ClosestOfClaims all;
  for (const auto& [claim, one] : value.items()) all[claim] = {one.at("of_bound"), one.at("problem")};
  return all;
}

}  // namespace tileproof
