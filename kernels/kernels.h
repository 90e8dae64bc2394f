/// The production kernels: pack, unpack and dequantize of the tensor-core-tiled int4 layout of PyTorch's tinygemm,
/// dequantize of other formats, and convert between layouts, of codes and of parameters.
///
/// Each operation has two overloads made from one source: on a CUDA stream, and on the host over a range of threads. A
/// thread is a pure function of its index, owns the elements it stores, and shares nothing, but for the number of the
/// first refused group, which threads of convert_parameters raise atomically: any split of the range gives the same
/// bits. Where an operation goes by warps, a thread is here a warp, whose lanes exchange
/// words among themselves.
#pragma once

#include <cstdint>

#include "kernels/arguments.h"

#if defined(TILEPROOF_HAS_CUDA)
#include <cuda_runtime_api.h>
#endif

namespace tileproof::kernels {

/// The threads begin <= index < end of an operation.
struct Range {
  std::int64_t begin;
  std::int64_t end;
};

/// @return how many threads the operation has; 0 where there is nothing to do
std::int64_t threads_of(const PackArguments&);
std::int64_t threads_of(const UnpackArguments&);
std::int64_t threads_of(const DequantizeArguments&);
std::int64_t threads_of(const AnyDequantizeArguments&);
std::int64_t threads_of(const ConvertArguments&);
std::int64_t threads_of(const ConvertParametersArguments&);

/// Whether convert moves whole words, by warps. Other pairs of layouts, and sizes and addresses that words do not fit,
/// go code by code, which is slower.
bool is_by_warps(const ConvertArguments&);
/// Whether dequantize goes by warps, in formats beside tinygemm's: bitsandbytes' always do, and GGUF's never.
bool is_by_warps(const AnyDequantizeArguments&);

/// Runs a range of an operation's threads on the calling host thread. Legal arguments only (`validate`), host
/// pointers.
void pack(const PackArguments&, Range);
void unpack(const UnpackArguments&, Range);
void dequantize(const DequantizeArguments&, Range);
void dequantize(const AnyDequantizeArguments&, Range);
void convert(const ConvertArguments&, Range);
void convert_parameters(const ConvertParametersArguments&, Range);

#if defined(TILEPROOF_HAS_CUDA)
/// Launches an operation on a stream, without synchronising; an empty one returns without a launch.
/// @return cudaErrorInvalidValue for illegal arguments (`validate` says why), else the launch's error; none stays
/// pending
cudaError_t pack(const PackArguments&, cudaStream_t);
cudaError_t unpack(const UnpackArguments&, cudaStream_t);
cudaError_t dequantize(const DequantizeArguments&, cudaStream_t);
cudaError_t dequantize(const AnyDequantizeArguments&, cudaStream_t);
cudaError_t convert(const ConvertArguments&, cudaStream_t);
cudaError_t convert_parameters(const ConvertParametersArguments&, cudaStream_t);
#endif

}  // namespace tileproof::kernels
