/// Helpers for the properties about operators over tensors, which have one row for each operation.
#pragma once

#include <string>
#include <vector>

#include "properties/case/calls.h"
#include "properties/case/property.h"

namespace tileproof {

inline constexpr Operation all_operations[] = {Operation::pack, Operation::unpack, Operation::dequantize,
                                               Operation::matmul};

/// Problems for an operation over tensors: the float domain in bf16, as the schemas require. They are small, because
/// these properties test the tensors around the data, not the values.
inline Sampling tensor_sampling(Operation operation, std::vector<std::string> variants = {""}) {
  Sampling sampling = {.schemes = {scheme::floating},
                       .types = {Type::bf16},
                       .variants = std::move(variants),
                       .most_k = 512,
                       .most_elements = 4096};
  if (operation == Operation::matmul) sampling.n_multiple = 8;  // the caller must pad the scales to whole n-tiles
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
