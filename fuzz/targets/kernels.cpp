// Bytes as a legal call of a kernel on the host: shape, layout, type, alignment, data, and how it is cut. The kernel
// must not refuse it, must write only its output, and must give the specification's bits.
#include "fuzz/targets/calls.h"

namespace tileproof {

namespace {

using namespace kernels;

/// An address that is never accessed, some bytes past one of 256-byte alignment.
template <class T>
T* aligned_to(std::int64_t element_bytes, Choices& choices) {
  return reinterpret_cast<T*>(static_cast<std::uintptr_t>(0x10000 + element_bytes * choices.below(16)));
}

struct Sizes {
  std::int64_t n, k, inner_k_tiles, experts;
};

Sizes sizes_of(Choices& choices) {
  const std::int64_t inner_k_tiles = choices.one_of({std::int64_t{2}, std::int64_t{4}, std::int64_t{8}});
  // about as many columns in every layout
  const std::int64_t n = choices.below(18), supertiles = choices.below(2 + 10 / inner_k_tiles);
  const std::int64_t experts = choices.one_of({std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, std::int64_t{0}});
  return {n, supertiles * 16 * inner_k_tiles, inner_k_tiles, experts};
}

std::int64_t group_size_of(std::int64_t k, Choices& choices) {
  std::int64_t group_size = 16 * (1 + choices.below(48));
  while (k % group_size != 0) group_size -= 16;
  return group_size;
}

template <class Arguments>
void check(const Arguments& a, Choices& choices) {
  if (const auto refusal = validate(a)) throw Wrong("refused: " + refusal->text());
  require_as_specified(a, choices);
}

void check_pack(Choices& choices) {
  const Sizes of = sizes_of(choices);
  check(PackArguments{aligned_to<std::uint8_t>(16, choices), aligned_to<std::uint32_t>(16, choices), of.n, of.k,
                      of.inner_k_tiles, of.experts},
        choices);
}

void check_unpack(Choices& choices) {
  const Sizes of = sizes_of(choices);
  check(UnpackArguments{aligned_to<std::uint32_t>(4, choices), aligned_to<std::int32_t>(16, choices), of.n, of.k,
                        of.inner_k_tiles, of.experts},
        choices);
}

void check_dequantize(Choices& choices) {
  const Sizes of = sizes_of(choices);
  const std::int64_t group_size = group_size_of(of.k, choices);
  const Domain domain = choices.one_of({Domain::floating, Domain::integer, Domain::none});
  const Type type = choices.one_of({Type::bf16, Type::fp16, Type::fp32});
  check(DequantizeArguments{aligned_to<std::uint32_t>(4, choices),
                            aligned_to<std::uint32_t>(type == Type::fp32 ? 4 : 2, choices),
                            aligned_to<std::int8_t>(1, choices), aligned_to<std::uint32_t>(16, choices), of.n, of.k,
                            group_size, of.inner_k_tiles, domain, type, of.experts},
        choices);
}

}  // namespace

}  // namespace tileproof

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tileproof::Choices choices(data, size);
  const auto check = choices.one_of({tileproof::check_pack, tileproof::check_unpack, tileproof::check_dequantize});
  check(choices);
  return 0;
}
