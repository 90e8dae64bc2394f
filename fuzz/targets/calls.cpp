#include "fuzz/targets/calls.h"

#include <algorithm>
#include <vector>

#include "kernels/tinygemm/n_tiles.h"
#include "properties/memory/guarded.h"
#include "properties/problem/draw.h"
#include "properties/problem/values.h"
#include "reference/matrix.h"

namespace tileproof {

namespace {

/// The pointer's alignment for guarded(): the exact one below 256 bytes, else 256.
std::size_t alignment_of(const void* pointer) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer) % 256;
  return address == 0 ? 256 : address & ~(address - 1);
}

/// Takes elements from the choices as long as there are any, and draws the others.
template <class T>
std::vector<T> elements(std::int64_t count, Choices& choices) {
  std::vector<T> all(static_cast<std::size_t>(count));
  const std::uint64_t seed = choices.number(2);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<T>(choices.is_at_end() ? drawn(seed, stream::words, i) : choices.number(sizeof(T)));
  }
  return all;
}

/// Scales, or scales and zeros: from a profile, or any bits that the choices give.
template <class Bits>
std::vector<Bits> parameters(reference::FloatFormat format, std::int64_t count, bool with_zeros, Choices& choices) {
  const auto rows = static_cast<std::int64_t>(profiles().size());
  const std::int64_t profile = choices.below(rows + 1);
  if (profile == rows) return elements<Bits>(with_zeros ? 2 * count : count, choices);
  const std::uint64_t seed = choices.number(4);
  std::vector<Bits> all;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(count); ++i) {
    const ScaleAndZero one = profiles()[static_cast<std::size_t>(profile)].drawn(format, seed, i);
    all.push_back(static_cast<Bits>(one.scale));
    if (with_zeros) all.push_back(static_cast<Bits>(one.zero));
  }
  return all;
}

/// One name for the three operations.
template <class Where, class... Way>
void run_where(const kernels::PackArguments& a, Where where, Way... way) {
  kernels::pack(a, where, way...);
}
template <class Where, class... Way>
void run_where(const kernels::UnpackArguments& a, Where where, Way... way) {
  kernels::unpack(a, where, way...);
}
template <class Where, class... Way>
void run_where(const kernels::DequantizeArguments& a, Where where, Way... way) {
  kernels::dequantize(a, where, way...);
}

/// How a call is cut into pieces, and which of the host's two implementations runs it.
class Cut {
 public:
  explicit Cut(Choices& choices) : by_(choices.below(6)), length_(choices.below(256)) {}

  template <class Arguments>
  void run(const Arguments& a) const {
    if (by_ == 0)
      return in_pieces(kernels::threads_of(a), [&](auto begin, auto end) { run_where(a, kernels::Range{begin, end}); });
    in_pieces(kernels::n_tiles_of(a), [&](auto begin, auto end) {
      const kernels::NTiles n_tiles = {begin, end};
      if (by_ == 1) return run_where(a, n_tiles);
      const std::vector<kernels::Way> ways = kernels::all_ways();
      run_where(a, n_tiles, ways[static_cast<std::size_t>(by_ - 2) % ways.size()]);
    });
  }

 private:
  template <class Use>
  void in_pieces(std::int64_t end, Use use) const {
    if (length_ == 0) return use(std::int64_t{0}, end);
    for (; end > 0; end -= length_) use(end > length_ ? end - length_ : 0, end);
  }

  // 0: by threads; 1: by n-tiles in the default way; else by n-tiles in one of this machine's ways.
  std::int64_t by_;
  std::int64_t length_;  // of a piece; 0: one piece
};

Tensor input(const char* name, const void* from, std::int64_t elements, std::size_t element_bytes, const void* like) {
  return {.name = name,
          .input = from,
          .bytes = static_cast<std::size_t>(elements) * element_bytes,
          .element_bytes = element_bytes,
          .alignment = alignment_of(like)};
}
Tensor output(const char* name, void* to, std::int64_t elements, std::size_t element_bytes, const void* like) {
  return {.name = name,
          .output = to,
          .bytes = static_cast<std::size_t>(elements) * element_bytes,
          .element_bytes = element_bytes,
          .alignment = alignment_of(like)};
}

template <class T>
void require_equal(const char* what, const std::vector<T>& got, const std::vector<T>& expected) {
  const auto [wrong, right] = std::mismatch(got.begin(), got.end(), expected.begin(), expected.end());
  if (wrong == got.end() && right == expected.end()) return;
  throw Wrong(std::string(what) + ": element " + std::to_string(wrong - got.begin()) + " of " +
              std::to_string(expected.size()) + ": expected " + std::to_string(*right) + ", got " +
              std::to_string(*wrong));
}

std::int64_t words_of_expert(std::int64_t n, std::int64_t k) { return (n + 7) / 8 * k; }

template <class Bits>
void dequantize_as_specified(kernels::DequantizeArguments a, Choices& choices) {
  using kernels::Domain;
  const reference::FloatFormat format = a.type == kernels::Type::bf16   ? reference::bf16
                                        : a.type == kernels::Type::fp16 ? reference::fp16
                                                                        : reference::fp32;
  const bool has_zeros = a.domain == Domain::floating, has_zero_points = a.domain == Domain::integer;
  const std::int64_t words = words_of_expert(a.n, a.k), of_expert = a.k / a.group_size * a.n, elements_of = a.n * a.k;
  const Cut cut(choices);
  const auto scales = parameters<Bits>(format, a.experts * of_expert, has_zeros, choices);
  const auto zero_points = elements<std::int8_t>(has_zero_points ? a.experts * of_expert : 0, choices);
  const auto packed = elements<std::uint32_t>(a.experts * words, choices);
  std::vector<Bits> weights(static_cast<std::size_t>(a.experts * elements_of)), expected = weights;
  const auto count = static_cast<std::int64_t>(scales.size());
  guarded(host_memory(),
          {input("packed", packed.data(), a.experts * words, 4, a.packed),
           input("scales", scales.data(), count, sizeof(Bits), a.scales),
           input("zero_points", zero_points.data(), static_cast<std::int64_t>(zero_points.size()), 1, a.zero_points),
           output("weights", weights.data(), a.experts * elements_of, sizeof(Bits), a.weights)},
          Fill(), [&](const std::vector<void*>& at) {
            a.packed = static_cast<const std::uint32_t*>(at[0]);
            a.scales = at[1];
            a.zero_points = has_zero_points ? static_cast<const std::int8_t*>(at[2]) : nullptr;
            a.weights = at[3];
            cut.run(a);
          });
  for (std::int64_t expert = 0; expert < a.experts; ++expert) {
    const std::uint32_t* words_there = packed.data() + expert * words;
    const Bits* scales_there = scales.data() + expert * of_expert * (has_zeros ? 2 : 1);
    Bits* to = expected.data() + expert * elements_of;
    const int inner = static_cast<int>(a.inner_k_tiles);
    if (has_zeros) {
      reference::dequantize_float(format, words_there, scales_there, a.n, a.k, a.group_size, inner, to);
    } else if (has_zero_points) {
      reference::dequantize_integer(format, words_there, scales_there, zero_points.data() + expert * of_expert, a.n,
                                    a.k, a.group_size, inner, to);
    } else {
      reference::dequantize_none(format, words_there, scales_there, a.n, a.k, a.group_size, inner, to);
    }
  }
  require_equal("dequantize", weights, expected);
}

}  // namespace

void require_as_specified(kernels::PackArguments a, Choices& choices) {
  const std::int64_t bytes = a.n * a.k / 2, words = words_of_expert(a.n, a.k);
  const Cut cut(choices);
  const auto codes = elements<std::uint8_t>(a.experts * bytes, choices);
  std::vector<std::uint32_t> packed(static_cast<std::size_t>(a.experts * words)), expected = packed;
  Tensor words_of_all = output("packed", packed.data(), a.experts * words, 4, a.packed);
  words_of_all.may_equal_poison = true;
  guarded(host_memory(), {input("codes", codes.data(), a.experts * bytes, 1, a.codes), words_of_all}, Fill(),
          [&](const std::vector<void*>& at) {
            a.codes = static_cast<const std::uint8_t*>(at[0]);
            a.packed = static_cast<std::uint32_t*>(at[1]);
            cut.run(a);
          });
  for (std::int64_t expert = 0; expert < a.experts; ++expert) {
    reference::pack(codes.data() + expert * bytes, a.n, a.k, static_cast<int>(a.inner_k_tiles),
                    expected.data() + expert * words);
  }
  require_equal("pack", packed, expected);
}

void require_as_specified(kernels::UnpackArguments a, Choices& choices) {
  const std::int64_t words = words_of_expert(a.n, a.k);
  const Cut cut(choices);
  const auto packed = elements<std::uint32_t>(a.experts * words, choices);
  std::vector<std::int32_t> codes(static_cast<std::size_t>(a.experts * a.n * a.k)), expected = codes;
  guarded(host_memory(),
          {input("packed", packed.data(), a.experts * words, 4, a.packed),
           output("codes", codes.data(), a.experts * a.n * a.k, 4, a.codes)},
          Fill(), [&](const std::vector<void*>& at) {
            a.packed = static_cast<const std::uint32_t*>(at[0]);
            a.codes = static_cast<std::int32_t*>(at[1]);
            cut.run(a);
          });
  for (std::int64_t expert = 0; expert < a.experts; ++expert) {
    reference::unpack(packed.data() + expert * words, a.n, a.k, static_cast<int>(a.inner_k_tiles),
                      expected.data() + expert * a.n * a.k);
  }
  require_equal("unpack", codes, expected);
}

void require_as_specified(kernels::DequantizeArguments a, Choices& choices) {
  if (a.type == kernels::Type::fp32) return dequantize_as_specified<std::uint32_t>(a, choices);
  dequantize_as_specified<std::uint16_t>(a, choices);
}

}  // namespace tileproof
