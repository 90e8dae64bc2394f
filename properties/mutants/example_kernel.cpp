// Kernels of the format plain by raw pointers, as a user of tileproof_kernel.h would write them, in scalar code. The
// variable EXAMPLE_KERNEL_FAULT plants a mistake.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "properties/subjects/tileproof_kernel.h"

namespace {

bool has(const char* fault) {
  const char* planted = std::getenv("EXAMPLE_KERNEL_FAULT");
  return planted != nullptr && std::strcmp(planted, fault) == 0;
}

int code_at(const tileproof_call* c, std::int64_t i) {
  const auto byte = static_cast<const std::uint8_t*>(c->packed)[i / 2];
  return (i % 2 == 0) != has("nibbles swapped") ? byte >> 4 : byte & 15;
}

float from_bf16(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
  float value = 0;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

std::uint16_t to_bf16(float value) {
  if (value != value) return 0x7fff;
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  if (has("cut")) return static_cast<std::uint16_t>(bits >> 16);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

}  // namespace

extern "C" {

const char* tileproof_takes(void) {
  if (has("no statement")) return nullptr;
  if (has("another format")) return "FORMAT=int3";
  if (has("no equals")) return "FORMAT: plain";
  if (has("no format")) return "FORMAT_TO=mxfp4\nSCHEMES=integer\nTYPES=bf16\nGROUP_SIZES=32\nGROUP_SIZES=64";
  if (has("no format to")) return "FORMAT=plain";
  return "FORMAT=plain\nFORMAT_TO=mxfp4\nSCHEMES=integer\nTYPES=bf16\nGROUP_SIZES=32\nGROUP_SIZES=64";
}

int tileproof_pack(const tileproof_call* c) {
  if (has("refuses")) return 3;
  std::memcpy(c->packed, c->pairs, static_cast<std::size_t>(c->n * c->k / 2) + (has("writes past") ? 1 : 0));
  return 0;
}

int tileproof_unpack(const tileproof_call* c) {
  if (has("crash")) std::abort();
  for (std::int64_t i = 0; i < c->n * c->k; ++i) c->codes[i] = code_at(c, i);
  return 0;
}

// A product of a bf16 scale and a whole number of eight bits is exact in fp32.
int tileproof_dequantize(const tileproof_call* c) {
  const auto* scales = static_cast<const std::uint16_t*>(c->scales);
  const auto* zeros = static_cast<const std::int8_t*>(c->zeros);
  for (std::int64_t i = 0; i < c->n * c->k; ++i) {
    const std::int64_t row = i / c->k, group = i % c->k / c->group_size;
    const std::int64_t at = has("groups by rows") ? row * (c->k / c->group_size) + group : group * c->n + row;
    const float weight = static_cast<float>(code_at(c, i) - zeros[at]) * from_bf16(scales[at]);
    static_cast<std::uint16_t*>(c->weights)[i] = to_bf16(weight);
  }
  return 0;
}

// In mxfp4 the even column is in the low nibble.
int tileproof_convert(const tileproof_call* c) {
  const auto* from = static_cast<const std::uint8_t*>(c->packed);
  auto* to = static_cast<std::uint8_t*>(c->converted);
  for (std::int64_t i = 0; i < c->n * c->k / 2; ++i) {
    to[i] = has("copies") ? from[i] : static_cast<std::uint8_t>(from[i] << 4 | from[i] >> 4);
  }
  return 0;
}

}  // extern "C"
