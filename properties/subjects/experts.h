/// A batch of experts, one call each: for subjects whose code knows a single matrix.
#pragma once

#include "properties/problem/parameters.h"
#include "properties/subjects/subject.h"

namespace tileproof {

/// A pointer to elements of so many bytes, so many further on.
inline const void* advanced(const void* elements, std::int64_t count, std::int64_t element_bytes) {
  return elements == nullptr ? nullptr : static_cast<const std::uint8_t*>(elements) + count * element_bytes;
}
inline void* advanced(void* elements, std::int64_t count, std::int64_t element_bytes) {
  return const_cast<void*>(advanced(static_cast<const void*>(elements), count, element_bytes));
}

inline PackCall call_of_expert(const PackCall& batch, std::int64_t expert) {
  PackCall one = batch;
  one.codes += expert * batch.n * (batch.k / 2);
  one.packed += expert * packed_words(*batch.format, {batch.n, batch.k});
  one.experts = 1;
  return one;
}

inline UnpackCall call_of_expert(const UnpackCall& batch, std::int64_t expert) {
  UnpackCall one = batch;
  one.packed += expert * packed_words(*batch.format, {batch.n, batch.k});
  one.codes += expert * batch.n * batch.k;
  one.experts = 1;
  return one;
}

inline DequantizeCall call_of_expert(const DequantizeCall& batch, std::int64_t expert) {
  const Size groups = {batch.n, batch.k / batch.group_size};
  const auto of_expert = [&](const void* parameters, int tensor) {
    const reference::ParameterTensor& row = batch.scheme->tensors[tensor];
    return advanced(parameters, expert * row.dims(groups).elements(), bytes_of(row, batch.types));
  };
  DequantizeCall one = batch;
  one.packed += expert * packed_words(*batch.format, {batch.n, batch.k});
  one.scales = of_expert(batch.scales, 0);
  if (batch.scheme->tensor_count > 1) one.zeros = of_expert(batch.zeros, 1);
  one.weights = advanced(batch.weights, expert * batch.n * batch.k, bytes_of(batch.types.weight));
  one.experts = 1;
  return one;
}

}  // namespace tileproof
