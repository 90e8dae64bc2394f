#include "fuzz/python/askable.h"

#include <nlohmann/json.hpp>

#include "properties/case/sample_space.h"
#include "properties/catalogue/properties.h"
#include "properties/subjects/stated.h"

namespace tileproof {

const char* askable_properties(const char* text) {
  thread_local std::string kept;
  nlohmann::json answer;
  try {
    Facts facts(text);
    Capabilities takes = stated_capabilities(facts, "this module", "");
    takes.several_callers = false;
    answer["properties"] = nlohmann::json::array();
    for (const Property& property : properties()) {
      std::string why_not;
      sample_space_of(property, takes, &why_not);
      if (why_not.empty()) answer["properties"].push_back(property.name);
    }
  } catch (const std::exception& error) {
    answer = {{"error", error.what()}};
  }
  kept = answer.dump();
  return kept.c_str();
}

}  // namespace tileproof
