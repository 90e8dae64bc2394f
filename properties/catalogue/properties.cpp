#include "properties/catalogue/properties.h"

namespace tileproof {

const std::vector<Property>& properties() {
  static const std::vector<Property> rows = [] {
    std::vector<Property> all;
    for (const auto& kind :
         {index_properties, words_properties, value_properties, arithmetic_properties, sense_properties,
          memory_properties, batch_properties, matmul_properties, format_properties, size_properties,
          acceptance_properties, stride_properties, stream_properties, launch_properties, state_properties,
          threads_properties, eager_properties, domains_properties, oracle_properties}) {
      for (Property& property : kind()) all.push_back(std::move(property));
    }
    return all;
  }();
  return rows;
}

}  // namespace tileproof
