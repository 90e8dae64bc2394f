/// What the properties about operators over tensors have in common: they are a row for each operation.
#pragma once

#include <string>
#include <vector>

#include "properties/case/calls.h"
#include "properties/case/property.h"

namespace tileproof {

inline constexpr Operation all_operations[] = {Operation::pack, Operation::unpack, Operation::dequantize,
                                               Operation::matmul};

/// Problems for an operation over tensors: the float domain in bf16, as the schemas have it. Small ones suffice where
/// the tensors around them are the matter.
inline Sampling tensor_sampling(Operation operation, std::vector<std::string> variants = {""}) {
  Sampling sampling = {.schemes = {scheme::floating},
                       .types = {Type::bf16},
                       .variants = std::move(variants),
                       .most_k = 512,
                       .most_elements = 4096};
  if (operation == Operation::matmul) sampling.n_multiple = 8;  // the caller's part, who pads the scales
  return sampling;
}

/// "kind/dequantize_SENTENCE"
inline Property tensor_property(const std::string& kind, Operation operation, const std::string& sentence,
                                const std::string& finds, const Sampling& sampling, void (*body)(Case&, Operation)) {
  return {.name = kind + "/" + name_of(operation) + "_" + sentence,
          .finds = finds,
          .needs = {operation},
          .meets = {},
          .sampling = sampling,
          .body = [operation, body](Case& c) { body(c, operation); },
          .of_tensors = true};
}

}  // namespace tileproof
