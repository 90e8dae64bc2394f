// Timing of the PyTorch operators on a GPU: through the dispatcher, replayed in a CUDA graph, and beside aten's int4
// matmul with an identity matrix, which users call who lack such an operator. It is a library of its own, loaded on
// demand.
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/cuda/CUDAGraph.h>
#include <ATen/ops/_weight_int4pack_mm.h>
#include <ATen/ops/eye.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <stdexcept>

#include "properties/memory/cuda.h"
#include "properties/subjects/rows.h"
#include "properties/subjects/tensors_of_calls.h"
#include "properties/timing/cuda.h"

namespace tileproof {

namespace {

const c10::Device gpu(c10::kCUDA, 0);

class TorchTimer : public Timer {
 public:
  TorchTimer() { library_beside(TILEPROOF_TORCH_OPERATORS, "the PyTorch operators do not load"); }

  Timing time(const Timed& timed, int repeats) override {
    const c10::StreamGuard guard(stream_);
    const TimedTensors tensors(timed, memory_);
    const Call c = tensors.call();
    if (c.operation != Operation::dequantize) throw std::logic_error("only dequantize is timed as an operator");
    const at::Tensor packed = packed_of(c, gpu);
    const at::Tensor scales_and_zeros = scales_and_zeros_of(c, gpu);
    const at::Tensor eye = at::eye(c.k, at::TensorOptions().dtype(at::kBFloat16).device(gpu));
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
    std::vector<OnStream> things = yardsticks(tensors, native_);
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
    timing.seconds = rounds_.time(things, repeats, timed.cold);
    timing.calls = things[2].calls * things[2].calls_of_launch;
    const auto bytes = tensors.output_bytes();
    if (weights.nbytes() != bytes || !weights.is_contiguous()) {
      throw SubjectError("the operator's result has another form than the weights");
    }
    require(cudaMemcpyAsync(tensors.output(), weights.const_data_ptr(), bytes, cudaMemcpyDeviceToDevice, native_),
            "copying the result");
    require(cudaStreamSynchronize(native_), "copying the result");
    timing.wrong = tensors.wrong();
    return timing;
  }

  std::map<std::string, std::string> device() const override { return cuda_device(); }

 private:
  c10::Stream stream_ = c10::impl::VirtualGuardImpl(gpu.type()).getNewStream(gpu);
  cudaStream_t native_ = static_cast<cudaStream_t>(stream_.native_handle());
  CudaMemory memory_;
  CudaRounds rounds_{native_};
};

}  // namespace

}  // namespace tileproof

/// The entry point of the library.
extern "C" tileproof::Timer* tileproof_torch_timer() { return new tileproof::TorchTimer(); }
