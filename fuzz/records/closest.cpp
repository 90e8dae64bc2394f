#include "fuzz/records/closest.h"

namespace tileproof {

void keep_closer(ClosestOfProperties& all, const std::string& property, const Closest& one) {
  const auto [at, is_new] = all.try_emplace(property, one);
  const Closest& kept = at->second;
  const bool is_closer = one.of_bound > kept.of_bound || (one.of_bound == kept.of_bound && one.line < kept.line);
  if (!is_new && is_closer) at->second = one;
}

nlohmann::json json_of(const ClosestOfProperties& all) {
  nlohmann::json value = nlohmann::json::object();
  for (const auto& [property, one] : all) value[property] = {{"of_bound", one.of_bound}, {"problem", one.line}};
  return value;
}

ClosestOfProperties closest_of(const nlohmann::json& value) {
  ClosestOfProperties all;
  for (const auto& [property, one] : value.items()) all[property] = {one.at("of_bound"), one.at("problem")};
  return all;
}

}  // namespace tileproof
