// The production kernels, launched on the current CUDA device.
#include <cuda_runtime_api.h>

#include <string>

#include "properties/memory/cuda.h"
#include "properties/memory/cuda_errors.h"
#include "properties/subjects/canary_cuda.h"
#include "properties/subjects/cuda_device.h"
#include "properties/subjects/kernel_arguments.h"
#include "properties/subjects/rows.h"

namespace tileproof {

namespace {

/// Memory for a tool that watches allocations: each tensor has an allocation of its own.
class CudaMemoryApart : public CudaMemory {
 public:
  using CudaMemory::CudaMemory;
  ~CudaMemoryApart() override { release(); }

  std::vector<void*> apart(const std::vector<std::size_t>& bytes) override {
    release();
    for (const std::size_t one : bytes) {
      allocations_.push_back(nullptr);
      require(cudaMalloc(&allocations_.back(), one == 0 ? 1 : one), "cudaMalloc");  // an empty input needs an address
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

/// A stream that waits for no other, so that subjects in several threads do not wait for each other.
class Stream {
 public:
  Stream() { require(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate"); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { cudaStreamDestroy(stream_); }
  operator cudaStream_t() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

/// @tparam Kind  the class of its memory
template <class Kind = CudaMemory>
class CudaSubject : public Subject {
 public:
  Memory& memory() override { return memory_; }
  /// A variation runs on another stream than that of its memory.
  void vary(std::uint64_t variation) override { varied_ = variation != 0; }

  void run(const Call& call) override {
    if (varied_) require(cudaStreamSynchronize(own_), "waiting for the inputs");  // inputs are written on own_
    with_arguments(call, [&](const auto& arguments) {
      const cudaError_t error = run_kernel(arguments, stream());
      if (error == cudaSuccess) return;
      require_legal(arguments);
      require(error, "the launch");
    });
    require(cudaStreamSynchronize(stream()), "the kernel");
    require(cudaPeekAtLastError(), "an error was left pending");
  }

 protected:
  cudaStream_t stream() const { return varied_ ? backend_ : own_; }

 private:
  Stream own_, backend_;
  Kind memory_{own_};
  bool varied_ = false;
};

/// The production kernels under a tool, with a canary kernel, if any, before unpack.
class WatchedCudaSubject : public CudaSubject<CudaMemoryApart> {
 public:
  explicit WatchedCudaSubject(std::string planted) : planted_(std::move(planted)) {}

  void run(const Call& call) override {
    if (!planted_.empty() && call.operation == Operation::unpack) {
      const std::int64_t packed_bytes = call.format->layout.slots(call.size()) / 2;
      launch_canary(planted_,
                    {call.at<const std::uint8_t>(Role::packed), packed_bytes, call.at<const std::uint8_t>(Role::codes)},
                    stream());
      require(cudaGetLastError(), "the launch of a planted kernel");
    }
    CudaSubject<CudaMemoryApart>::run(call);
  }

 private:
  std::string planted_;
};

}  // namespace

std::string why_no_cuda_device() {
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  cudaGetLastError();
  if (error != cudaSuccess) return std::string("no CUDA device: ") + cudaGetErrorString(error);
  return devices == 0 ? "no CUDA device" : "";
}

MadeSubject make_cuda_subject() {
  const std::string why_not = why_no_cuda_device();
  return {why_not.empty() ? std::make_unique<CudaSubject<>>() : nullptr, why_not};
}

MadeSubject make_watched_cuda_subject(const std::string& planted) {
  const std::string why_not = why_no_cuda_device();
  return {why_not.empty() ? std::make_unique<WatchedCudaSubject>(planted) : nullptr, why_not};
}

std::map<std::string, std::string> cuda_device() {
  if (!why_no_cuda_device().empty()) return {};
  int device = 0, driver = 0, runtime = 0;
  cudaDeviceProp properties = {};
  require(cudaGetDevice(&device), "cudaGetDevice");
  require(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  require(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  require(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  const auto attribute = [device](cudaDeviceAttr which) {
    int value = 0;
    require(cudaDeviceGetAttribute(&value, which, device), "cudaDeviceGetAttribute");
    return value;
  };
  const auto version = [](int number) {
    return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
  };
  return {{"name", properties.name},
          {"compute_capability", std::to_string(properties.major) + "." + std::to_string(properties.minor)},
          {"sms", std::to_string(properties.multiProcessorCount)},
          {"sm_clock_mhz", std::to_string(attribute(cudaDevAttrClockRate) / 1000)},
          {"memory_clock_mhz", std::to_string(attribute(cudaDevAttrMemoryClockRate) / 1000)},
          {"l2_bytes", std::to_string(attribute(cudaDevAttrL2CacheSize))},
          {"memory_bytes", std::to_string(properties.totalGlobalMem)},
          {"driver", version(driver)},
          {"runtime", version(runtime)}};
}

}  // namespace tileproof
