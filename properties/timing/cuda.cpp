// Timing of the production kernels on the current CUDA device.
#include "properties/timing/cuda.h"
#include "properties/memory/cuda.h"
#include "properties/subjects/kernel_arguments.h"
#include "properties/subjects/rows.h"
#include "properties/timing/rows.h"

namespace tileproof {

namespace {

class CudaTimer : public Timer {
 public:
  CudaTimer() {
    require(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
    rounds_ = std::make_unique<CudaRounds>(stream_);
  }
  ~CudaTimer() override { cudaStreamDestroy(stream_); }

  Timing time(const Timed& timed, int repeats) override {
    const TimedTensors tensors(timed, memory_);
    std::vector<OnStream> things = yardsticks(tensors, stream_);
    Call call = tensors.call();
    call.experts = timed.shape.experts;
    const auto operation = [&] {
      with_arguments(call, [&](const auto& arguments) { require(run_kernel(arguments, stream_), "the launch"); });
    };
    things.push_back({timed_as::operation, operation});
    // A cold repeat times a single call, so more repeats are needed.
    constexpr int cold_times = 3;
    Timing timing;
    timing.seconds = rounds_->time(things, timed.cold ? cold_times * repeats : repeats, timed.cold);
    timing.calls = things.back().calls;
    timing.wrong = tensors.wrong();
    return timing;
  }

  std::map<std::string, std::string> device() const override { return cuda_device(); }

 private:
  cudaStream_t stream_ = nullptr;
  CudaMemory memory_;
  std::unique_ptr<CudaRounds> rounds_;
};

}  // namespace

MadeTimer make_cuda_timer() {
  const MadeSubject subject = make_cuda_subject();
  if (subject.subject == nullptr) return {nullptr, subject.why_not};
  return {std::make_unique<CudaTimer>(), ""};
}

}  // namespace tileproof
