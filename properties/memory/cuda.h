/// Memory of the current CUDA device. The device itself writes and compares a proof's tensors, by the specification
/// compiled for it, in the formats of our kernels; the host does it for the others.
#pragma once

#include <cuda_runtime_api.h>

#include "properties/memory/generated_tensor.h"
#include "properties/memory/memory.h"

namespace tileproof {

struct DifferencesOnDevice;

class CudaMemory : public Memory {
 public:
  /// @param stream  runs all copies, writes and comparisons; owned by the caller, and must outlive the memory
  explicit CudaMemory(cudaStream_t stream = nullptr) : stream_(stream) {}
  CudaMemory(const CudaMemory&) = delete;
  CudaMemory& operator=(const CudaMemory&) = delete;
  ~CudaMemory() override;

  // Each function throws SubjectError if the device reports an error. Copies are complete when the function returns;
  // writes are complete when the stream has reached them.
  void* arena(std::size_t bytes) override;
  void copy_in(void* to, const void* from_host, std::size_t bytes) override;
  void copy_out(void* to_host, const void* from, std::size_t bytes) override;
  void write(const GeneratedTensor&, std::size_t element_bytes, void* to) override;
  Differences compare(const GeneratedTensor&, std::size_t element_bytes, const void* got,
                      const reference::FloatFormat* any_nan) override;
  /// Whether the device computes the formula, and not the host.
  bool computes(const GeneratedTensor&);

 private:
  bool keeps(const GeneratedTensor&);
  template <class Use>
  bool with_evaluator(const GeneratedTensor&, Use);

  static constexpr std::size_t most_staged = std::size_t{1} << 20;
  void* staged();

  cudaStream_t stream_;
  void* staged_ = nullptr;  // page-locked
  // the staged bytes may still be in use: copied in since the stream was last synchronized
  bool is_staged_copied_ = false;
  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
  DifferencesOnDevice* found_ = nullptr;
  generated::Codes kept_;
  std::uint32_t* kept_words_ = nullptr;
};

}  // namespace tileproof
