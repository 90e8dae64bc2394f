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
/// A table in memory that every thread reads.
#define TILEPROOF_TABLE __device__ const

namespace tileproof::kernels {

/// Sixteen bytes: the widest store of one thread.
using Quad = uint4;

TILEPROOF_DEVICE std::uint32_t loaded(const std::uint32_t* word) { return __ldg(word); }
TILEPROOF_DEVICE std::uint16_t loaded(const std::uint16_t* bits) { return __ldg(bits); }
TILEPROOF_DEVICE std::uint8_t loaded(const std::uint8_t* byte) { return __ldg(byte); }
TILEPROOF_DEVICE std::int32_t loaded(const std::int32_t* number) { return __ldg(number); }
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

/// Makes a number another one, where that is larger.
TILEPROOF_DEVICE void raise_to(std::uint64_t* number, std::uint64_t to) {
  atomicMax(reinterpret_cast<unsigned long long*>(number), static_cast<unsigned long long>(to));
}

/// bf16, two values a register. A code c placed in the fraction of 128 is 128 + c; subtracting 128 + offset is exact.
struct Bf16 {
  using Bits = std::uint16_t;
  using Value = __nv_bfloat162;
  static TILEPROOF_DEVICE Value from_bits(Bits bits) { return __bfloat162bfloat162(__ushort_as_bfloat16(bits)); }
  static TILEPROOF_DEVICE Value biased(int offset) { return __bfloat162bfloat162(__int2bfloat16_rn(128 + offset)); }
  static TILEPROOF_DEVICE Value biased_by_code(int code) { return from_bits(static_cast<Bits>(0x4300 | code)); }
  static TILEPROOF_DEVICE Value from_values(std::uint32_t bits) { return reinterpret_cast<const Value&>(bits); }
  static TILEPROOF_DEVICE Value offset_of_values(std::uint32_t pair) { return from_values(pair + 0x43004300u); }
  static TILEPROOF_DEVICE std::uint32_t rounded_two(float low, float high) {
    return bits_of(__floats2bfloat162_rn(low, high));
  }
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
  static TILEPROOF_DEVICE Value from_values(std::uint32_t bits) { return reinterpret_cast<const Value&>(bits); }
  static TILEPROOF_DEVICE Value offset_of_values(std::uint32_t pair) { return from_values(pair + 0x64006400u); }
  static TILEPROOF_DEVICE std::uint32_t rounded_two(float low, float high) {
    return bits_of(__floats2half2_rn(low, high));
  }
  static TILEPROOF_DEVICE float value(Bits bits) { return __half2float(__ushort_as_half(bits)); }
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
  static TILEPROOF_DEVICE Value from_values(std::uint32_t bits) { return from_bits(bits); }
  static TILEPROOF_DEVICE int offset_of_values(std::uint32_t code) { return static_cast<int>(code); }
  static TILEPROOF_DEVICE Value minus(std::uint32_t code, int offset) {
    return __int2float_rn(static_cast<int>(code) - offset);
  }
  static TILEPROOF_DEVICE std::uint32_t fma(Value a, Value b, Value c) { return __float_as_uint(__fmaf_rn(a, b, c)); }
  static TILEPROOF_DEVICE std::uint32_t product(Value a, Value b) { return fma(a, b, -0.0f); }
  static TILEPROOF_DEVICE Bits rounded(float value) { return __float_as_uint(value); }
};

/// Sum and product with one rounding each, which nothing joins.
TILEPROOF_DEVICE float product_of(float a, float b) { return __fmul_rn(a, b); }
TILEPROOF_DEVICE float sum_of(float a, float b) { return __fadd_rn(a, b); }
TILEPROOF_DEVICE float float_of(std::uint32_t bits) { return __uint_as_float(bits); }

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

/// A value for each lane of a warp. Here a thread has its own lane's alone.
template <class T>
class PerLane {
 public:
  TILEPROOF_DEVICE T& of(int /*lane*/) { return one_; }
  /// Reads the value of another lane; every lane of the warp must call this.
  TILEPROOF_DEVICE T from(int lane) const { return __shfl_sync(0xffffffffu, one_, lane); }

 private:
  T one_;
};

/// A table of sixteen words, which the lanes of a warp look up together: each holds one of them.
class TableOfLanes {
 public:
  TILEPROOF_DEVICE TableOfLanes(const std::uint32_t* table, int lane) : own_(loaded(table + lane % 16)) {}
  /// @param index  its low four bits count; every lane of the warp must ask
  TILEPROOF_DEVICE std::uint32_t at(std::uint32_t index) const {
    return __shfl_sync(0xffffffffu, own_, static_cast<int>(index), 16);
  }

 private:
  std::uint32_t own_;
};

template <class Warp>
__global__ void __launch_bounds__(Warp::warps_of_block* lanes_of_warp) run_warps(Warp warp, std::int64_t warps) {
  const std::int64_t index =
      static_cast<std::int64_t>(blockIdx.x) * Warp::warps_of_block + static_cast<int>(threadIdx.x) / lanes_of_warp;
  if (index >= warps) return;
  WarpWords<Warp::registers> words(static_cast<int>(threadIdx.x) % lanes_of_warp);
  warp(index, words);
}

/// Launches a warp for each index below `warps`, as `run` launches threads.
template <class Warp>
cudaError_t run(Warp warp, Warps warps, cudaStream_t stream) {
  constexpr int of_block = Warp::warps_of_block;
  return launched(run_warps<Warp>, (warps.count + of_block - 1) / of_block, of_block * lanes_of_warp, stream, warp,
                  warps.count);
}

/// Launches the kernel of an operation; nothing where there is none.
/// @param with_kernel  calls what it is given with a kernel, and how many threads or warps it has; or not at all
/// @return cudaErrorInvalidValue for arguments that are refused
template <class Arguments, class WithKernel>
cudaError_t launch_kernel(const Arguments& arguments, cudaStream_t stream, WithKernel with_kernel) {
  if (validate(arguments)) return cudaErrorInvalidValue;
  cudaError_t outcome = cudaSuccess;
  with_kernel([&](const auto& kernel, auto count) { outcome = run(kernel, count, stream); });
  return outcome;
}

/// Defines an operation of kernels.h by the function with_kernel(arguments, use).
#define TILEPROOF_DEFINE_OPERATION(name, Arguments)                                 \
  cudaError_t name(const Arguments& a, cudaStream_t stream) {                       \
    return launch_kernel(a, stream, [&](const auto& use) { with_kernel(a, use); }); \
  }

}  // namespace tileproof::kernels
