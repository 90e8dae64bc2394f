// A CUDA device as a device backend: guarded blocks under torch's dispatcher, streams, graphs, pending errors. It is a
// library of its own, loaded only if operators run on a GPU.
#include <ATen/cuda/Sleep.h>
#include <ATen/ops/empty.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>
#include <torch/csrc/cuda/CUDAPluggableAllocator.h>

#include "properties/memory/cuda.h"
#include "properties/memory/cuda_errors.h"
#include "properties/subjects/device_backend.h"
#include "properties/subjects/guarded_cuda_blocks.h"
#include "properties/subjects/tensors_of_calls.h"

namespace tileproof {

namespace {

GuardedCudaBlocks& allocator() {
  static auto* one = [] {
    if (cuda_driver() == nullptr) throw std::runtime_error("the CUDA driver lacks a function that guarding needs");
    return new GuardedCudaBlocks(*cuda_driver());
  }();  // never deleted: torch may free tensors after everything else
  return *one;
}

class CudaBackend : public DeviceBackend {
 public:
  CudaBackend()
      : guard_impl_(c10::kCUDA),
        backend_(guard_impl_.getNewStream(device())),
        other_(guard_impl_.getNewStream(device())) {
    // at::cuda::sleep() counts clock cycles: the clock rate in kHz is the number of cycles a millisecond.
    cudaDeviceProp properties = {};
    require(cudaGetDeviceProperties(&properties, 0), "cudaGetDeviceProperties");
    int kilohertz = 0;
    require(cudaDeviceGetAttribute(&kilohertz, cudaDevAttrClockRate, 0), "cudaDeviceGetAttribute");
    cycles_a_millisecond_ = kilohertz;
  }

  c10::Device device() const override { return {c10::kCUDA, 0}; }
  Memory& memory() override { return memory_; }
  GuardedBlocks& blocks() override { return allocator(); }

  void check() override {
    const cudaError_t pending = cudaPeekAtLastError();
    cudaGetLastError();
    require(cudaDeviceSynchronize(), "the kernel");
    require(pending, "an error was left pending");
    require(cudaGetLastError(), "an error was left pending");
    allocator().check();
  }

  at::Tensor call(const Operator& run, const Values& values, const std::vector<at::Tensor>& alternates,
                  CallMode mode) override {
    // The inputs were written on the default stream, for which these streams do not wait.
    require(cudaDeviceSynchronize(), "waiting for the inputs");
    switch (mode) {
      case CallMode::usual:
        return varied_ ? on(backend_, [&] { return run(values); }) : run(values);
      case CallMode::slow_producer:
        return behind_a_slow_producer(run, values, alternates);
      case CallMode::two_streams:
        return beside_another(run, values, alternates);
      case CallMode::graph:
        return in_a_graph(run, values, alternates);
      case CallMode::no_synchronization:
        return without_waiting(run, values);
      case CallMode::second_device:
        return on_the_second_device(run, values);
    }
    return {};
  }

  void in_a_stream_of_its_own(const std::function<void()>& run) override {
    require(cudaDeviceSynchronize(), "waiting for the inputs");
    const c10::StreamGuard guard(guard_impl_.getNewStream(device()));
    run();
  }

  void vary(std::uint64_t variation) override { varied_ = variation != 0; }

 private:
  template <class Use>
  at::Tensor on(const c10::Stream& stream, Use use) {
    at::Tensor result;
    {
      const c10::StreamGuard guard(stream);
      result = use();
    }
    wait(stream);
    return result;
  }

  void wait(const c10::Stream& stream) {
    require(cudaStreamSynchronize(static_cast<cudaStream_t>(stream.native_handle())), "the kernel");
  }

  void sleep(int milliseconds) const { at::cuda::sleep(cycles_a_millisecond_ * milliseconds); }

  /// A storage, as a tensor of bytes, and the contents that it shall get.
  struct Storage {
    at::Tensor bytes;
    at::Tensor contents;
  };

  /// Writes the alternates' contents to the storages of a call's tensors on the GPU.
  static std::vector<Storage> overwritten(const Values& values, const std::vector<at::Tensor>& alternates) {
    std::vector<Storage> storages;
    std::size_t number = 0;
    for (const c10::IValue& value : values) {
      if (!value.isTensor()) continue;
      const at::Tensor& tensor = value.toTensor();
      const at::Tensor& alternate = alternates.at(number++);
      if (!tensor.is_cuda()) continue;
      const auto size = static_cast<std::int64_t>(tensor.storage().nbytes());
      const at::Tensor bytes = view_of(tensor.storage().mutable_data(), {size}, at::kByte, tensor.device());
      storages.push_back({bytes, bytes.clone()});
      bytes.copy_(alternate);
    }
    return storages;
  }

  at::Tensor behind_a_slow_producer(const Operator& run, const Values& values,
                                    const std::vector<at::Tensor>& alternates) {
    const std::vector<Storage> storages = overwritten(values, alternates);
    require(cudaDeviceSynchronize(), "waiting for the decoys");
    return on(backend_, [&] {
      sleep(20);
      for (const Storage& storage : storages) storage.bytes.copy_(storage.contents);
      return run(values);
    });
  }

  /// Runs the operator on one stream, and the same operator over the alternate inputs on another, before and after it.
  at::Tensor beside_another(const Operator& run, const Values& values, const std::vector<at::Tensor>& alternates) {
    Values others;
    std::size_t number = 0;
    for (const c10::IValue& value : values) {
      if (!value.isTensor()) {
        others.push_back(value);
        continue;
      }
      const at::Tensor& tensor = value.toTensor();
      at::Tensor other = alternates.at(number++).to(tensor.device()).view(tensor.scalar_type());
      others.push_back(other.as_strided(tensor.sizes(), tensor.strides(), tensor.storage_offset()));
    }
    require(cudaDeviceSynchronize(), "waiting for the decoys");
    std::vector<at::Tensor> kept;
    const auto run_others = [&] {
      const c10::StreamGuard guard(other_);
      sleep(2);
      for (int i = 0; i < 3; ++i) kept.push_back(run(others));
    };
    run_others();
    at::Tensor result;
    {
      const c10::StreamGuard guard(backend_);
      sleep(2);
      result = run(values);
    }
    run_others();
    wait(backend_);
    wait(other_);
    return result;
  }

  at::Tensor in_a_graph(const Operator& run, const Values& values, const std::vector<at::Tensor>& alternates) {
    const std::vector<Storage> storages = overwritten(values, alternates);
    on(backend_, [&] { return run(values); });  // the first call may load kernels
    const auto stream = static_cast<cudaStream_t>(backend_.native_handle());
    require(cudaDeviceSynchronize(), "waiting for the decoys");
    // Makes the first call's blocks free again, because nothing may be allocated while capturing.
    allocator().check();
    at::Tensor result;
    std::string error;
    cudaGraph_t graph = nullptr;
    {
      const c10::StreamGuard guard(backend_);
      require(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), "beginning to capture");
      try {
        result = run(values);
      } catch (const std::exception& thrown) {
        error = thrown.what();
      }
      const cudaError_t ended = cudaStreamEndCapture(stream, &graph);
      cudaGetLastError();
      if (error.empty() && ended != cudaSuccess) error = cudaGetErrorString(ended);
    }
    if (!error.empty()) {
      const bool lost = cudaDeviceSynchronize() != cudaSuccess;
      cudaGetLastError();
      throw SubjectError("cannot be captured in a CUDA graph: " + error, lost);
    }
    cudaGraphExec_t executable = nullptr;
    require(cudaGraphInstantiate(&executable, graph, 0), "making the graph");
    for (const Storage& storage : storages) storage.bytes.copy_(storage.contents);
    require(cudaDeviceSynchronize(), "waiting for the inputs");
    require(cudaGraphLaunch(executable, stream), "launching the graph");
    wait(backend_);
    cudaGraphExecDestroy(executable);
    cudaGraphDestroy(graph);
    return result;
  }

  at::Tensor without_waiting(const Operator& run, const Values& values) {
    on(backend_, [&] { return run(values); });  // the first call may load kernels
    at::Tensor result;
    bool waited = true;
    // A busy machine may keep this process from running for long, but hardly three times. Each sleep must be long
    // against an operator's time to launch, and short against patience.
    for (int milliseconds = 50; waited && milliseconds <= 450; milliseconds *= 3) {
      sleep(milliseconds);  // an operator may wait for the default stream too
      const c10::StreamGuard guard(backend_);
      sleep(milliseconds);
      result = run(values);
      waited = cudaStreamQuery(static_cast<cudaStream_t>(backend_.native_handle())) == cudaSuccess ||
               cudaStreamQuery(nullptr) == cudaSuccess;
      cudaGetLastError();  // clears "not ready", the answer that is hoped for
      wait(backend_);
      require(cudaDeviceSynchronize(), "the default stream");
    }
    if (waited) throw SubjectError("synchronizes: when it returned, the work before it on its stream was done");
    return result;
  }

  at::Tensor on_the_second_device(const Operator& run, const Values& values) {
    int devices = 0;
    require(cudaGetDeviceCount(&devices), "cudaGetDeviceCount");
    if (devices < 2) throw Unavailable("there is one CUDA device");
    const c10::Device second(c10::kCUDA, 1);
    Values there = values;
    for (c10::IValue& value : there) {
      if (value.isTensor()) value = value.toTensor().to(second);
    }
    require(cudaDeviceSynchronize(), "waiting for the inputs");
    const at::Tensor result = run(there);
    if (result.device() != second) {
      throw SubjectError("the result of tensors on the second device is on " + result.device().str());
    }
    const c10::DeviceGuard guard(second);
    require(cudaDeviceSynchronize(), "the kernel on the second device");
    return result;
  }

  c10::impl::VirtualGuardImpl guard_impl_;
  c10::Stream backend_;
  c10::Stream other_;
  CudaMemory memory_;
  std::int64_t cycles_a_millisecond_ = 0;
  bool varied_ = false;
};

}  // namespace

}  // namespace tileproof

/// The only entry point of this library. It makes our allocator torch's, so it must run before anything is allocated on
/// a GPU.
extern "C" tileproof::DeviceBackend* tileproof_cuda_backend() {
  using namespace torch::cuda::CUDAPluggableAllocator;
  using tileproof::allocator;
  changeCurrentAllocator(createCustomAllocator(
      [](std::size_t bytes, int device, cudaStream_t stream) {
        try {
          return allocator().allocate(bytes, device, stream);
        } catch (const tileproof::OutOfDeviceMemory& error) {
          TORCH_CHECK_WITH(OutOfMemoryError, false, error.what());
        }
      },
      [](void* data, std::size_t, int, cudaStream_t stream) { allocator().give_back(data, stream); }));
  return new tileproof::CudaBackend();
}
