/// Timing on a CUDA stream, shared by the timers of kernels and of PyTorch operators.
#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "properties/memory/cuda_errors.h"
#include "properties/subjects/cuda_device.h"
#include "properties/timing/timing.h"

namespace tileproof {

// All work of a repeat is enqueued before anything is waited for, so that the GPU does not idle between yardsticks and
// operation, and the host's launch time is not measured. Before each measurement the same work runs once untimed: it
// warms the cache (warm) and gives the host time to enqueue the timed work. For cold timing, a buffer of more than
// twice the cache is written instead.
// Work of less than 50 us is repeated between two events, whose resolution is half a microsecond; cold timing cannot
// repeat it, since it is cold only once.

/// A timed piece of work, and how to enqueue it once.
struct OnStream {
  std::string name;  // a name from timed_as
  std::function<void()> launch;
  int calls_of_launch = 1;  // calls of the timed function in one launch
  int calls = 1;            // launches in one measurement
};

class CudaRounds {
 public:
  explicit CudaRounds(cudaStream_t stream) : stream_(stream) {
    int device = 0, bytes = 0;
    require(cudaGetDevice(&device), "cudaGetDevice");
    require(cudaDeviceGetAttribute(&bytes, cudaDevAttrL2CacheSize, device), "cudaDeviceGetAttribute");
    flushed_ = 2 * static_cast<std::size_t>(bytes) + (std::size_t{16} << 20);
    require(cudaMalloc(&flush_, flushed_), "cudaMalloc");
  }
  ~CudaRounds() {
    cudaFree(flush_);
    for (const cudaEvent_t event : events_) cudaEventDestroy(event);
  }
  CudaRounds(const CudaRounds&) = delete;
  CudaRounds& operator=(const CudaRounds&) = delete;

  /// @return the seconds of one call, by name, one entry for each repeat
  std::map<std::string, std::vector<double>> time(std::vector<OnStream>& things, int repeats, bool cold) {
    while (events_.size() < 2 * things.size()) {
      cudaEvent_t event = nullptr;
      require(cudaEventCreate(&event), "cudaEventCreate");
      events_.push_back(event);
    }
    require(cudaDeviceSynchronize(), "waiting for the inputs");
    // The first launches load code and raise the clocks, so they are not timed.
    for (OnStream& thing : things) {
      thing.calls = 1;
      for (int i = 0; i < 3; ++i) thing.launch();
    }
    if (!cold) choose_calls(things);
    std::map<std::string, std::vector<double>> seconds;
    for (int repeat = 0; repeat < repeats; ++repeat) {
      const std::vector<double> of_repeat = one_round(things, cold);
      for (std::size_t i = 0; i < things.size(); ++i) seconds[things[i].name].push_back(of_repeat[i]);
    }
    return seconds;
  }

 private:
  std::vector<double> one_round(const std::vector<OnStream>& things, bool cold) {
    for (std::size_t i = 0; i < things.size(); ++i) {
      const OnStream& thing = things[i];
      if (cold) {
        require(cudaMemsetAsync(flush_, 0, flushed_, stream_), "flushing the cache");
      } else {
        for (int call = 0; call < thing.calls; ++call) thing.launch();
      }
      require(cudaEventRecord(events_[2 * i], stream_), "cudaEventRecord");
      for (int call = 0; call < thing.calls; ++call) thing.launch();
      require(cudaEventRecord(events_[2 * i + 1], stream_), "cudaEventRecord");
    }
    require(cudaStreamSynchronize(stream_), "what is timed");
    std::vector<double> seconds;
    for (std::size_t i = 0; i < things.size(); ++i) {
      float milliseconds = 0;
      require(cudaEventElapsedTime(&milliseconds, events_[2 * i], events_[2 * i + 1]), "cudaEventElapsedTime");
      seconds.push_back(static_cast<double>(milliseconds) / 1000 / (things[i].calls * things[i].calls_of_launch));
    }
    return seconds;
  }

  void choose_calls(std::vector<OnStream>& things) {
    constexpr double short_seconds = 50e-6, wanted_seconds = 250e-6;
    const std::vector<double> once = one_round(things, false);
    for (std::size_t i = 0; i < things.size(); ++i) {
      const double of_launch = std::max(once[i] * things[i].calls_of_launch, 1e-6);
      if (of_launch >= short_seconds) continue;
      things[i].calls = std::clamp(static_cast<int>(wanted_seconds / of_launch), 2, 100);
    }
  }

  cudaStream_t stream_;
  void* flush_ = nullptr;
  std::size_t flushed_ = 0;
  std::vector<cudaEvent_t> events_;
};

/// The yardsticks, in the scratch room of the timed tensors.
inline std::vector<OnStream> yardsticks(const TimedTensors& tensors, cudaStream_t stream) {
  void* const room = tensors.room();
  void* const second_half = tensors.second_half_of_room();
  const auto bytes = static_cast<std::size_t>(tensors.bytes());
  const auto copy = [=] {
    require(cudaMemcpyAsync(second_half, room, bytes / 2, cudaMemcpyDeviceToDevice, stream), "cudaMemcpyAsync");
  };
  const auto fill = [=] { require(cudaMemsetAsync(room, 0x5a, bytes, stream), "cudaMemsetAsync"); };
  return {{timed_as::copy, copy}, {timed_as::fill, fill}};
}

}  // namespace tileproof
