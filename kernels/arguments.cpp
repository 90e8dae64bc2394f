#include "arguments.h"

#include <limits>

namespace tileproof::kernels {

namespace {

std::optional<Refusal> refusal_of_pointer(const char* argument, const void* pointer, std::int64_t elements,
                                          std::uintptr_t alignment_bytes) {
  if (elements == 0) return std::nullopt;
  if (pointer == nullptr)
    return Refusal{argument, "a null pointer", "memory of " + std::to_string(elements) + " elements"};
  const std::uintptr_t past = reinterpret_cast<std::uintptr_t>(pointer) % alignment_bytes;
  if (past == 0) return std::nullopt;
  return Refusal{argument, "an address " + std::to_string(past) + " bytes past alignment",
                 "aligned to " + std::to_string(alignment_bytes) + " bytes"};
}

std::uintptr_t bytes_of(Type type) { return type == Type::fp32 ? 4 : 2; }

template <class First, class... Rest>
std::optional<Refusal> first_of(First first, Rest... rest) {
  if (auto refusal = first()) return refusal;
  if constexpr (sizeof...(rest) > 0) return first_of(rest...);
  return std::nullopt;
}

}  // namespace

std::string Refusal::text() const { return argument + ": given " + given + ", legal is " + legal; }

std::optional<Refusal> refusal_of_shape(std::int64_t n, std::int64_t k, std::int64_t inner_k_tiles) {
  if (inner_k_tiles != 2 && inner_k_tiles != 4 && inner_k_tiles != 8) {
    return Refusal{"inner_k_tiles", std::to_string(inner_k_tiles), "2, 4 or 8"};
  }
  // Eight rows of the last n-tile and four bytes an element are added to n * k before it becomes an address.
  constexpr std::int64_t most_elements = std::numeric_limits<std::int64_t>::max() / 64;
  if (n < 0 || n > most_elements) return Refusal{"n", std::to_string(n), "0 or more, and n * k within 64 bits"};
  if (k < 0 || k % (16 * inner_k_tiles) != 0) {
    return Refusal{"k", std::to_string(k),
                   "0 or a positive multiple of 16 * inner_k_tiles = " + std::to_string(16 * inner_k_tiles)};
  }
  if (k > most_elements / (n + 8)) return Refusal{"k", std::to_string(k), "n * k within 64 bits"};
  return std::nullopt;
}

std::optional<Refusal> refusal_of_group_size(std::int64_t k, std::int64_t group_size) {
  if (group_size > 0 && group_size % 16 == 0 && k % group_size == 0) return std::nullopt;
  return Refusal{"group_size", std::to_string(group_size),
                 "a positive multiple of 16 that divides k = " + std::to_string(k)};
}

std::optional<Refusal> refusal_of(const PackArguments& a) {
  return first_of([&] { return refusal_of_shape(a.n, a.k, a.inner_k_tiles); },
                  [&] { return refusal_of_pointer("codes", a.codes, a.n * a.k / 2, 16); },
                  [&] { return refusal_of_pointer("packed", a.packed, (a.n + 7) / 8 * a.k, 16); });
}

std::optional<Refusal> refusal_of(const UnpackArguments& a) {
  return first_of([&] { return refusal_of_shape(a.n, a.k, a.inner_k_tiles); },
                  [&] { return refusal_of_pointer("packed", a.packed, (a.n + 7) / 8 * a.k, 4); },
                  [&] { return refusal_of_pointer("codes", a.codes, a.n * a.k, 16); });
}

std::optional<Refusal> refusal_of(const DequantizeArguments& a) {
  return first_of([&] { return refusal_of_shape(a.n, a.k, a.inner_k_tiles); },
                  [&] { return refusal_of_group_size(a.k, a.group_size); },
                  [&] { return refusal_of_pointer("packed", a.packed, (a.n + 7) / 8 * a.k, 4); },
                  [&] {
                    return refusal_of_pointer("scales", a.scales,
                                              a.k / a.group_size * a.n * (a.domain == Domain::floating ? 2 : 1),
                                              bytes_of(a.type));
                  },
                  [&] {
                    const bool used = a.domain == Domain::integer;
                    return refusal_of_pointer("zero_points", a.zero_points, used ? a.k / a.group_size * a.n : 0, 1);
                  },
                  [&] { return refusal_of_pointer("weights", a.weights, a.n * a.k, 16); });
}

}  // namespace tileproof::kernels
