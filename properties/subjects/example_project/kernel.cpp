// A kernel of the format plain: two codes a byte, the even column in the high nibble.
#include <tileproof_kernel.h>

extern "C" const char* tileproof_takes() { return "FORMAT=plain"; }

extern "C" int tileproof_unpack(const tileproof_call* c) {
  const auto* packed = static_cast<const uint8_t*>(c->packed);
  for (int64_t i = 0; i < c->n * c->k; ++i) c->codes[i] = i % 2 == 0 ? packed[i / 2] >> 4 : packed[i / 2] & 15;
  return 0;
}
