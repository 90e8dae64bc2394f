/// The types and intrinsics of device.h on a GPU. sm_80 or newer: bf16 fused multiply-add, which keeps subnormals and
/// rounds once.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/kernels.h"
#include "kernels/warps.h"

#define TILEPROOF_DEVICE __device__ __forceinline__
#define TILEPROOF_HOST_DEVICE __host__ __device__ __forceinline__
#define TILEPROOF_UNROLL _Pragma("unroll")

namespace tileproof::kernels {

/// Where an operation runs, and what comes back: on the host, `Range` and nothing.
using Where = cudaStream_t;
using Outcome = cudaError_t;
inline constexpr Outcome nothing_to_do = cudaSuccess;

/// Sixteen bytes: the widest store of one thread.
using Quad = uint4;

TILEPROOF_DEVICE std::uint32_t loaded(const std::uint32_t* word) { return __ldg(word); }
TILEPROOF_DEVICE std::uint16_t loaded(const std::uint16_t* bits) { return __ldg(bits); }
/// Two neighbours, aligned to both.
TILEPROOF_DEVICE uint2 loaded_two(const std::uint32_t* words) { return __ldg(reinterpret_cast<const uint2*>(words)); }
TILEPROOF_DEVICE ushort2 loaded_two(const std::uint16_t* bits) { return __ldg(reinterpret_cast<const ushort2*>(bits)); }
TILEPROOF_DEVICE int loaded(const std::int8_t* value) { return __ldg(reinterpret_cast<const signed char*>(value)); }
TILEPROOF_DEVICE Quad loaded_quad(const void* from) { return __ldg(static_cast<const uint4*>(from)); }
/// Written once and not read here again: streaming, so that the packed words keep the cache.
TILEPROOF_DEVICE void store(Quad quad, void* to) { __stcs(static_cast<uint4*>(to), quad); }

// Where the warps that run together complete each other's lines: the L2 cache is asked for the 256 bytes around what is
// loaded, and keeps what is stored. For words from AWQ's order into tinygemm's, as a part of a copy's speed on an H200:
// 0.87 without either, 0.95 with both.
TILEPROOF_DEVICE Quad loaded_quad_of_line(const void* from) {
  Quad quad;
  asm("ld.global.nc.L2::256B.v4.u32 {%0, %1, %2, %3}, [%4];"
      : "=r"(quad.x), "=r"(quad.y), "=r"(quad.z), "=r"(quad.w)
      : "l"(from));
  return quad;
}
TILEPROOF_DEVICE void store_of_line(Quad quad, void* to) { __stcg(static_cast<uint4*>(to), quad); }

/// Four of eight bytes: the i-th nibble of the selector says which is byte i of the result, 0 to 3 of `a`, 4 to 7 of
/// `b`.
TILEPROOF_DEVICE std::uint32_t bytes_of(std::uint32_t a, std::uint32_t b, std::uint32_t selector) {
  return __byte_perm(a, b, selector);
}

/// bf16, two values a register. A code c placed in the fraction of 128 is 128 + c; subtracting 128 + offset is exact.
struct Bf16 {
  using Bits = std::uint16_t;
  using Value = __nv_bfloat162;
  static TILEPROOF_DEVICE Value from_bits(Bits bits) { return __bfloat162bfloat162(__ushort_as_bfloat16(bits)); }
  static TILEPROOF_DEVICE Value biased(int offset) { return __bfloat162bfloat162(__int2bfloat16_rn(128 + offset)); }
  static TILEPROOF_DEVICE Value biased_by_code(int code) { return from_bits(static_cast<Bits>(0x4300 | code)); }
  static TILEPROOF_DEVICE Value minus(std::uint32_t pair, Value biased_offset) {
    const std::uint32_t placed = pair | 0x43004300u;
    return __hsub2(reinterpret_cast<const __nv_bfloat162&>(placed), biased_offset);
  }
  static TILEPROOF_DEVICE std::uint32_t fma(Value a, Value b, Value c) { return bits_of(__hfma2(a, b, c)); }
  /// a * b with one rounding, as a fused multiply-add of -0, which keeps the sign of a zero product.
  static TILEPROOF_DEVICE std::uint32_t product(Value a, Value b) { return fma(a, b, from_bits(0x8000)); }
  static TILEPROOF_DEVICE std::uint32_t bits_of(Value value) { return reinterpret_cast<const std::uint32_t&>(value); }
};

/// fp16, two values a register. A code c placed in the fraction of 1024 is 1024 + c.
struct Fp16 {
  using Bits = std::uint16_t;
  using Value = __half2;
  static TILEPROOF_DEVICE Value from_bits(Bits bits) { return __half2half2(__ushort_as_half(bits)); }
  static TILEPROOF_DEVICE Value biased(int offset) { return __half2half2(__int2half_rn(1024 + offset)); }
  static TILEPROOF_DEVICE Value biased_by_code(int code) { return from_bits(static_cast<Bits>(0x6400 | code)); }
  static TILEPROOF_DEVICE Value minus(std::uint32_t pair, Value biased_offset) {
    const std::uint32_t placed = pair | 0x64006400u;
    return __hsub2(reinterpret_cast<const __half2&>(placed), biased_offset);
  }
  static TILEPROOF_DEVICE std::uint32_t fma(Value a, Value b, Value c) { return bits_of(__hfma2(a, b, c)); }
  static TILEPROOF_DEVICE std::uint32_t product(Value a, Value b) { return fma(a, b, from_bits(0x8000)); }
  static TILEPROOF_DEVICE std::uint32_t bits_of(Value value) { return reinterpret_cast<const std::uint32_t&>(value); }
};

/// fp32, one value a register.
struct Fp32 {
  using Bits = std::uint32_t;
  using Value = float;
  static TILEPROOF_DEVICE Value from_bits(Bits bits) { return __uint_as_float(bits); }
  static TILEPROOF_DEVICE int biased(int offset) { return offset; }
  static TILEPROOF_DEVICE int biased_by_code(int code) { return code; }
  static TILEPROOF_DEVICE Value minus(std::uint32_t code, int offset) {
    return __int2float_rn(static_cast<int>(code) - offset);
  }
  static TILEPROOF_DEVICE std::uint32_t fma(Value a, Value b, Value c) { return __float_as_uint(__fmaf_rn(a, b, c)); }
  static TILEPROOF_DEVICE std::uint32_t product(Value a, Value b) { return fma(a, b, -0.0f); }
};

template <class Thread>
__global__ void __launch_bounds__(256) run_threads(Thread thread, std::int64_t threads) {
  const std::int64_t index = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (index < threads) thread(index);
}

/// Launches blocks. The grid has one dimension, whose limit of 2^31 - 1 blocks is beyond any memory: there is no limit
/// on n.
template <class... Arguments>
cudaError_t launched(void (*kernel)(Arguments...), std::int64_t blocks, int threads_of_block, cudaStream_t stream,
                     Arguments... arguments) {
  cudaLaunchConfig_t launch = {};
  launch.gridDim = dim3(static_cast<unsigned>(blocks));
  launch.blockDim = dim3(static_cast<unsigned>(threads_of_block));
  launch.stream = stream;
  const cudaError_t error = cudaLaunchKernelEx(&launch, kernel, arguments...);
  if (error != cudaSuccess) cudaGetLastError();  // told to the caller: the next call is not blamed for it
  return error;
}

/// Launches one CUDA thread for each index below `threads`.
template <class Thread>
cudaError_t run(Thread thread, std::int64_t threads, cudaStream_t stream) {
  constexpr int threads_of_block = 256;
  return launched(run_threads<Thread>, (threads + threads_of_block - 1) / threads_of_block, threads_of_block, stream,
                  thread, threads);
}

/// The words of a warp's lanes: here those of the lane that runs.
template <int registers>
class WarpWords {
 public:
  TILEPROOF_DEVICE explicit WarpWords(int lane) : lane_(lane) {}

  /// Calls `use` with each lane's number and words.
  template <class Use>
  TILEPROOF_DEVICE void for_each_lane(Use use) {
    use(lane_, words_);
  }
  /// Exchanges the words a and b of lanes that differ in a bit: b of those without it, a of those with it.
  template <int a, int b, int lane_bit>
  TILEPROOF_DEVICE void exchange_lanes() {
    const bool has_bit = lane_ & lane_bit;
    const std::uint32_t given = __shfl_xor_sync(0xffffffffu, has_bit ? words_[a] : words_[b], lane_bit);
    (has_bit ? words_[a] : words_[b]) = given;
  }

 private:
  int lane_;
  std::uint32_t words_[registers];
};

inline constexpr int warps_of_block = 8;

template <class Warp>
__global__ void __launch_bounds__(warps_of_block* lanes_of_warp) run_warps(Warp warp, std::int64_t warps) {
  const std::int64_t index =
      static_cast<std::int64_t>(blockIdx.x) * warps_of_block + static_cast<int>(threadIdx.x) / lanes_of_warp;
  if (index >= warps) return;
  WarpWords<Warp::registers> words(static_cast<int>(threadIdx.x) % lanes_of_warp);
  warp(index, words);
}

/// Launches a warp for each index below `warps`, as `run` launches threads.
template <class Warp>
cudaError_t run(Warp warp, Warps warps, cudaStream_t stream) {
  return launched(run_warps<Warp>, (warps.count + warps_of_block - 1) / warps_of_block, warps_of_block * lanes_of_warp,
                  stream, warp, warps.count);
}

/// @return cudaErrorInvalidValue for arguments that are refused
template <class Arguments>
bool refused(const Arguments& arguments, cudaError_t* outcome) {
  if (!validate(arguments)) return false;
  *outcome = cudaErrorInvalidValue;
  return true;
}

}  // namespace tileproof::kernels
