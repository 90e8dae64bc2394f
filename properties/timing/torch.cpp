// Timing of the PyTorch operators on a GPU: through the dispatcher, replayed in a CUDA graph, and beside aten's int4
// matmul with an identity matrix, which users call who lack such an operator. It is a library of its own, loaded on
// demand.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/ops/_weight_int4pack_mm.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <stdexcept>

#include "properties/memory/cuda.h"
#include "properties/timing/cuda.h"

namespace tileproof {

namespace {

constexpr c10::DeviceType gpu = c10::kCUDA;

at::Tensor tensor_at(const void* data, at::IntArrayRef sizes, at::ScalarType type) {
  return at::from_blob(const_cast<void*>(data), sizes, at::TensorOptions().dtype(type).device(gpu, 0));
}

class TorchTimer : public Timer {
 public:
  explicit TorchTimer(const char* operators) : guard_impl_(gpu), stream_(guard_impl_.getNewStream({gpu, 0})) {
    if (dlopen(operators, RTLD_NOW | RTLD_LOCAL) == nullptr) {
      throw std::runtime_error(std::string("the PyTorch operators do not load: ") + dlerror());
    }
    rounds_ = std::make_unique<CudaRounds>(native());
  }

  Timing time(const Timed& timed, int repeats) override {
    const c10::StreamGuard guard(stream_);
    const TimedTensors tensors(timed, memory_);
    const Call call = tensors.call();
    if (call.operation != Operation::dequantize) throw std::logic_error("only dequantize is timed as an operator");
    return time(timed, tensors, call, repeats);
  }

  std::map<std::string, std::string> device() const override { return cuda_device(); }

 private:
  cudaStream_t native() const { return static_cast<cudaStream_t>(stream_.native_handle()); }

  Timing time(const Timed& timed, const TimedTensors& tensors, const Call& c, int repeats) {
    const reference::Dims dims = c.format->layout.dims(c.size());
    const at::Tensor packed = tensor_at(c.packed(), at::IntArrayRef(dims.begin(), dims.end()), at::kInt);
    const at::Tensor scales_and_zeros = tensor_at(c.scales(), {c.groups(), c.n, 2}, at::kBFloat16);
    const at::Tensor eye = at::eye(c.k, at::TensorOptions().dtype(at::kBFloat16).device(gpu, 0));
    const auto dequantize = c10::Dispatcher::singleton()
                                .findSchemaOrThrow("tileproof::dequantize_tensor_core_tiled_layout", "")
                                .typed<at::Tensor(const at::Tensor&, const at::Tensor&, std::int64_t, std::int64_t)>();

    at::Tensor weights;
    const auto call = [&] {
      weights.reset();  // the allocator reuses what a caller has released
      weights = dequantize.call(packed, scales_and_zeros, c.group_size, tinygemm_number(*c.format));
    };
    call();  // loads what the first call loads
    at::cuda::CUDAGraph graph;
    OnStream operation = {timed_as::operation, call};
    if (timed.where == "torch-cuda-graph") {
      // Twenty calls, as in a model: a graph of one call measures mostly its own launch.
      operation.calls_of_launch = 20;
      weights.reset();
      graph.capture_begin();
      for (int i = 0; i < operation.calls_of_launch; ++i) call();
      graph.capture_end();
      operation.launch = [&graph] { graph.replay(); };
    }
    std::vector<OnStream> things = yardsticks(tensors, native());
    things.push_back(operation);
    // aten's scales cover whole n-tiles.
    at::Tensor product;
    if (c.n % 8 == 0) {
      things.push_back({timed_as::identity, [&] {
                          product.reset();
                          product = at::_weight_int4pack_mm(eye, packed, c.group_size, scales_and_zeros);
                        }});
    }
    Timing timing;
    timing.seconds = rounds_->time(things, repeats, timed.cold);
    timing.calls = things[2].calls * things[2].calls_of_launch;
    const auto bytes = tensors.output_bytes();
    if (weights.nbytes() != bytes || !weights.is_contiguous()) {
      throw SubjectError("the operator's result has another form than the weights");
    }
    require(cudaMemcpyAsync(tensors.output(), weights.const_data_ptr(), bytes, cudaMemcpyDeviceToDevice, native()),
            "copying the result");
    require(cudaStreamSynchronize(native()), "copying the result");
    timing.wrong = tensors.wrong();
    return timing;
  }

  c10::impl::VirtualGuardImpl guard_impl_;
  c10::Stream stream_;
  CudaMemory memory_;
  std::unique_ptr<CudaRounds> rounds_;
};

}  // namespace

}  // namespace tileproof

/// The entry point of the library.
/// @param operators  path of the library of PyTorch operators
extern "C" tileproof::Timer* tileproof_torch_timer(const char* operators) {
  return new tileproof::TorchTimer(operators);
}
