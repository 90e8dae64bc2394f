/// Helpers for the properties about operators over tensors, which have one row for each operation.
#pragma once

#include <string>
#include <vector>

#include "properties/case/calls.h"
#include "properties/case/property.h"

namespace tileproof {

/// Problems for an operation over tensors, small, because these properties test the tensors around the data, not the
/// values.
inline Sampling tensor_sampling(Operation operation, std::vector<std::string> variants = {""}) {
  return {
      .variants = std::move(variants), .n_multiple = n_multiple_of(operation), .most_k = 512, .most_elements = 4096};
}

/// "kind/dequantize_SENTENCE"
inline Property tensor_property(const std::string& kind, Operation operation, const std::string& sentence,
                                const std::string& finds, const Sampling& sampling,
                                const std::function<void(Case&, Operation)>& body) {
  Property property = operation_property(kind, operation, sentence, finds, {}, body);
  property.sampling = sampling;
  property.of_tensors = true;
  return property;
}

}  // namespace tileproof
