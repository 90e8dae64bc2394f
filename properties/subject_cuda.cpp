// The production kernels, launched on the current CUDA device.
#include <cuda_runtime_api.h>

#include <string>

#include "cuda_errors.h"
#include "kernel_arguments.h"
#include "memory_cuda.h"
#include "planted_cuda.h"
#include "subject_rows.h"

namespace tileproof {

namespace {

/// Of a tool that watches allocations.
class CudaMemoryApart : public CudaMemory {
 public:
  ~CudaMemoryApart() override { release(); }

  std::vector<void*> apart(const std::vector<std::size_t>& bytes) override {
    release();
    for (const std::size_t one : bytes) {
      allocations_.push_back(nullptr);
      require(cudaMalloc(&allocations_.back(), one == 0 ? 1 : one), "cudaMalloc");  // an empty input has an address too
    }
    return allocations_;
  }

 private:
  void release() {
    for (void* one : allocations_) cudaFree(one);
    allocations_.clear();
  }

  std::vector<void*> allocations_;
};

class CudaSubject : public Subject {
 public:
  explicit CudaSubject(std::unique_ptr<CudaMemory> memory = std::make_unique<CudaMemory>())
      : memory_(std::move(memory)) {
    require(cudaStreamCreateWithFlags(&side_, cudaStreamNonBlocking), "cudaStreamCreate");
  }
  ~CudaSubject() override { cudaStreamDestroy(side_); }

  Memory& memory() override { return *memory_; }
  /// Varied: on a stream that does not wait for the default one.
  void vary(std::uint64_t variation) override { stream_ = variation == 0 ? nullptr : side_; }

  void run(const PackCall& call) override { finish(arguments_of(call)); }
  void run(const UnpackCall& call) override { finish(arguments_of(call)); }
  void run(const DequantizeCall& call) override { finish(arguments_of(call)); }

 protected:
  cudaStream_t stream() const { return stream_; }

 private:
  template <class Arguments>
  void finish(const Arguments& arguments) {
    require(cudaDeviceSynchronize(), "waiting for the inputs");
    if (const cudaError_t error = run_kernel(arguments, stream_); error != cudaSuccess) {
      const auto refusal = kernels::refusal_of(arguments);
      if (refusal) throw SubjectError("refused: " + refusal->text());
      require(error, "the launch");
    }
    require(cudaStreamSynchronize(stream_), "the kernel");
    require(cudaPeekAtLastError(), "an error was left pending");
  }

  std::unique_ptr<CudaMemory> memory_;
  cudaStream_t side_ = nullptr;
  cudaStream_t stream_ = nullptr;
};

/// The production kernels where a tool watches, and a planted one before unpack.
class WatchedCudaSubject : public CudaSubject {
 public:
  explicit WatchedCudaSubject(std::string planted)
      : CudaSubject(std::make_unique<CudaMemoryApart>()), planted_(std::move(planted)) {}

  using CudaSubject::run;
  void run(const UnpackCall& call) override {
    if (!planted_.empty()) {
      const std::int64_t packed_bytes = (call.n + 7) / 8 * 8 * call.k / 2;
      launch_planted(planted_,
                     {reinterpret_cast<const std::uint8_t*>(call.packed), packed_bytes,
                      reinterpret_cast<const std::uint8_t*>(call.codes)},
                     stream());
      require(cudaGetLastError(), "the launch of a planted kernel");
    }
    CudaSubject::run(call);
  }

 private:
  std::string planted_;
};

std::string why_no_device() {
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  cudaGetLastError();
  if (error != cudaSuccess) return std::string("no CUDA device: ") + cudaGetErrorString(error);
  return devices == 0 ? "no CUDA device" : "";
}

}  // namespace

MadeSubject make_cuda_subject() {
  const std::string why_not = why_no_device();
  return {why_not.empty() ? std::make_unique<CudaSubject>() : nullptr, why_not};
}

MadeSubject make_watched_cuda_subject(const std::string& planted) {
  const std::string why_not = why_no_device();
  return {why_not.empty() ? std::make_unique<WatchedCudaSubject>(planted) : nullptr, why_not};
}

}  // namespace tileproof
