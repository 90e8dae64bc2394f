#include <stdexcept>

#include "properties/subjects/canary_cuda.h"

namespace tileproof {

namespace {

__device__ int sink;  // keeps the reads from being optimized away

}  // namespace

// Reads are volatile, so that nothing is reordered or left out.
using Read = const volatile std::uint8_t*;

__global__ void canary_read_past_the_end(Watched at) { sink = Read(at.input)[at.input_bytes]; }

__global__ void canary_read_of_unwritten(Watched at) { sink = Read(at.output)[0]; }

__global__ void canary_race(Watched) {
  __shared__ volatile int shared;
  shared = static_cast<int>(threadIdx.x);
  if (threadIdx.x == 0) sink = shared;
}

__global__ void canary_diverged_barrier(Watched) {
  if (threadIdx.x < 16) __syncthreads();
  if (threadIdx.x == 0) sink = 1;
}

namespace {

struct Row {
  const char* name;
  void (*kernel)(Watched);
  int threads;
};

// The sanitizers print a kernel's own name, so each row takes its name from the kernel.
#define CANARY(kernel) #kernel, kernel
const Row rows[] = {{CANARY(canary_read_past_the_end), 1},
                    {CANARY(canary_read_of_unwritten), 1},
                    {CANARY(canary_race), 64},
                    {CANARY(canary_diverged_barrier), 64}};
#undef CANARY

}  // namespace

void launch_canary(const std::string& kernel, const Watched& at, cudaStream_t stream) {
  for (const Row& row : rows) {
    if (kernel == row.name) return row.kernel<<<1, row.threads, 0, stream>>>(at);
  }
  throw std::logic_error("no canary is called " + kernel);
}

}  // namespace tileproof
