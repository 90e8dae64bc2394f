/// A batch of experts, one call each: for subjects whose code knows a single matrix.
#pragma once

#include "properties/subjects/subject.h"
#include "reference/matrix.h"

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
  one.packed += expert * reference::words_of(batch.n, batch.k);
  one.experts = 1;
  return one;
}

inline UnpackCall call_of_expert(const UnpackCall& batch, std::int64_t expert) {
  UnpackCall one = batch;
  one.packed += expert * reference::words_of(batch.n, batch.k);
  one.codes += expert * batch.n * batch.k;
  one.experts = 1;
  return one;
}

inline DequantizeCall call_of_expert(const DequantizeCall& batch, std::int64_t expert) {
  const std::int64_t parameters = batch.k / batch.group_size * batch.n;
  DequantizeCall one = batch;
  one.packed += expert * reference::words_of(batch.n, batch.k);
  one.scales =
      advanced(batch.scales, expert * parameters * (batch.domain == Domain::floating ? 2 : 1), bytes_of(batch.type));
  if (batch.domain == Domain::integer) one.zero_points += expert * parameters;
  one.weights = advanced(batch.weights, expert * batch.n * batch.k, bytes_of(batch.type));
  one.experts = 1;
  return one;
}

}  // namespace tileproof
