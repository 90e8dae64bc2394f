// The production kernels, launched on the current CUDA device.
#include <cuda_runtime_api.h>

#include <string>

#include "kernel_arguments.h"
#include "memory_cuda.h"
#include "subject_rows.h"

namespace tileproof {

namespace {

/// Errors after which a context answers nothing but errors.
void require(cudaError_t error, const char* doing) {
  if (error == cudaSuccess) return;
  const bool lost = cudaDeviceSynchronize() != cudaSuccess;
  cudaGetLastError();
  throw SubjectError(std::string(doing) + ": " + cudaGetErrorName(error) + ", " + cudaGetErrorString(error), lost);
}

// One name for the three operations.
cudaError_t launch(const kernels::PackArguments& a, cudaStream_t stream) { return kernels::pack(a, stream); }
cudaError_t launch(const kernels::UnpackArguments& a, cudaStream_t stream) { return kernels::unpack(a, stream); }
cudaError_t launch(const kernels::DequantizeArguments& a, cudaStream_t stream) {
  return kernels::dequantize(a, stream);
}

class CudaSubject : public Subject {
 public:
  CudaSubject() { require(cudaStreamCreateWithFlags(&side_, cudaStreamNonBlocking), "cudaStreamCreate"); }
  ~CudaSubject() override { cudaStreamDestroy(side_); }

  Memory& memory() override { return memory_; }
  /// Varied: on a stream that does not wait for the default one.
  void vary(std::uint64_t variation) override { stream_ = variation == 0 ? nullptr : side_; }

  void run(const PackCall& call) override { finish(arguments_of(call)); }
  void run(const UnpackCall& call) override { finish(arguments_of(call)); }
  void run(const DequantizeCall& call) override { finish(arguments_of(call)); }

 private:
  template <class Arguments>
  void finish(const Arguments& arguments) {
    require(cudaDeviceSynchronize(), "waiting for the inputs");
    if (const cudaError_t error = launch(arguments, stream_); error != cudaSuccess) {
      const auto refusal = kernels::refusal_of(arguments);
      if (refusal) throw SubjectError("refused: " + refusal->text());
      require(error, "the launch");
    }
    require(cudaStreamSynchronize(stream_), "the kernel");
    require(cudaPeekAtLastError(), "an error was left pending");
  }

  CudaMemory memory_;
  cudaStream_t side_ = nullptr;
  cudaStream_t stream_ = nullptr;
};

}  // namespace

MadeSubject make_cuda_subject() {
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  cudaGetLastError();
  if (error != cudaSuccess) return {nullptr, std::string("no CUDA device: ") + cudaGetErrorString(error)};
  if (devices == 0) return {nullptr, "no CUDA device"};
  return {std::make_unique<CudaSubject>(), ""};
}

}  // namespace tileproof
