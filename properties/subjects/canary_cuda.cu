#include <stdexcept>

#include "properties/subjects/canary_cuda.h"

namespace tileproof {

namespace {

__device__ int sink;  // for what is read: else the reading would be compiled away

}  // namespace

// Volatile, so that nothing is reordered or left out.

__global__ void canary_read_past_the_end(const volatile std::uint8_t* input, std::int64_t bytes) {
  sink = input[bytes];
}

__global__ void canary_read_of_unwritten(const volatile std::uint8_t* output) { sink = output[0]; }

__global__ void canary_race() {
  __shared__ volatile int shared;
  shared = static_cast<int>(threadIdx.x);
  if (threadIdx.x == 0) sink = shared;
}

__global__ void canary_diverged_barrier() {
  if (threadIdx.x < 16) __syncthreads();
  if (threadIdx.x == 0) sink = 1;
}

namespace {

struct Row {
  const char* kernel;
  void (*launch)(const Watched&, cudaStream_t);
};

constexpr int two_warps = 64;
const Row rows[] = {
    {"planted_read_past_the_end",
     [](const Watched& at, cudaStream_t stream) {
       canary_read_past_the_end<<<1, 1, 0, stream>>>(at.input, at.input_bytes);
     }},
    {"planted_read_of_unwritten",
     [](const Watched& at, cudaStream_t stream) { canary_read_of_unwritten<<<1, 1, 0, stream>>>(at.output); }},
    {"planted_race", [](const Watched&, cudaStream_t stream) { canary_race<<<1, two_warps, 0, stream>>>(); }},
    {"planted_diverged_barrier",
     [](const Watched&, cudaStream_t stream) { canary_diverged_barrier<<<1, two_warps, 0, stream>>>(); }},
};

}  // namespace

void launch_canary(const std::string& kernel, const Watched& at, cudaStream_t stream) {
  for (const Row& row : rows) {
    if (kernel == row.kernel) return row.launch(at, stream);
  }
  throw std::logic_error("no planted kernel is called " + kernel);
}

}  // namespace tileproof
