/* A kernel for tileproof, by raw pointers: a shared library with tileproof_takes() and any of the four operations.
 *
 *   ./tileproof verify --kernel libmine.so
 *
 * Plain C, so that any language and any build can give it. Nothing of tileproof is linked. */
#ifndef TILEPROOF_KERNEL_H
#define TILEPROOF_KERNEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One call. Tensors are contiguous, of the format's dtypes and shapes (`tileproof list formats`), of the host's memory
 * or, where the library says DEVICE=cuda, of the current CUDA device. Inputs must be left as they are; an output is
 * written whole, and holds anything before. Addresses are aligned as allocators align. Calls may come from several
 * threads at once. */
typedef struct tileproof_call {
  const char* format;
  const char* scheme;
  const char* weight_type;    /* "bf16", "fp16" or "fp32" */
  const char* parameter_type; /* those, or "e8m0", or "e4m3" */
  int64_t n, k, group_size;   /* a matrix of n rows and k columns, and elements of a group */
  void* stream;               /* a cudaStream_t to work on; NULL is the default stream, and of the host */
  const uint8_t* pairs;       /* pack's input: codes, uint8 [n][ceil(k/2)], the even column in the high nibble */
  void* packed;               /* pack's output, the input of the others */
  const void* scales;         /* dequantize's: the scheme's first tensor of parameters, or NULL */
  const void* zeros;          /* the second one, or NULL */
  int32_t* codes;             /* unpack's output: int32 [n][k], 0..15 */
  void* weights;              /* dequantize's output: [n][k], or [k][n] as the format says */
  const char* format_to;      /* of convert: what `packed` is converted to; or NULL */
  void* converted;            /* convert's output: the codes, packed as format_to */
} tileproof_call;

/* Says in lines NAME=VALUE which calls the library takes. A name stands again for each further value.
 *   FORMAT       one of `tileproof list formats` (default: the one that --format gives)
 *   FORMAT_TO    another one, beside tileproof_convert and only there: what it converts to
 *   SCHEMES      of the format (default: its first)
 *   TYPES        of weights (default: fp16, or the scheme's first)
 *   GROUP_SIZES  sizes that the format takes (default: 32, 64, 128, 256, or others if none of these is legal)
 *                -1 beside them: a row may be one group, of any k
 *   N_MULTIPLE, K_MULTIPLE  what rows and columns are a multiple of (default: 1)
 *   MAX_N, MAX_K  the most rows and columns (default: any)
 *   DEVICE       cpu (default) or cuda
 * For example "FORMAT=awq\nTYPES=fp16\nTYPES=bf16". */
const char* tileproof_takes(void);

/* Each returns 0, or another number if it refuses a call that it should take; on a device when the work is on the
 * stream. */
int tileproof_pack(const tileproof_call*);
int tileproof_unpack(const tileproof_call*);
int tileproof_dequantize(const tileproof_call*);
int tileproof_convert(const tileproof_call*);

#ifdef __cplusplus
}
#endif

#endif
