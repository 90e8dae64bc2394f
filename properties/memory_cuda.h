/// Memory of the current CUDA device. What a proof writes and compares there, the device does itself: its judge is the
/// specification, compiled for it.
#pragma once

#include "formula.h"
#include "memory.h"

namespace tileproof {

struct DifferencesOnDevice;

class CudaMemory : public Memory {
 public:
  CudaMemory() = default;
  CudaMemory(const CudaMemory&) = delete;
  CudaMemory& operator=(const CudaMemory&) = delete;
  ~CudaMemory() override;

  // Each throws SubjectError where the device reports an error.
  void* arena(std::size_t bytes) override;
  void copy_in(void* to, const void* from_host, std::size_t bytes) override;
  void copy_out(void* to_host, const void* from, std::size_t bytes) override;
  void write(const Formula&, std::size_t element_bytes, void* to) override;
  Differences compare(const Formula&, std::size_t element_bytes, const void* got,
                      const reference::Format* any_nan) override;

 private:
  bool keeps(const Formula&);
  template <class Use>
  void with_evaluator(const Formula&, Use);

  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
  DifferencesOnDevice* found_ = nullptr;
  formula::Codes kept_;
  std::uint32_t* kept_words_ = nullptr;
};

}  // namespace tileproof
