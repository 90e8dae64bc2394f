// The device judge: writes formulas into device memory and compares tensors with them, sixteen elements a thread.
#include <cuda_runtime.h>

#include <algorithm>
#include <string>

#include "formula_evaluation.h"
#include "memory_cuda.h"
#include "subject.h"

namespace tileproof {

constexpr std::int64_t most_found = 256;  // differences kept, of which the host lists the first

/// What a comparison reports, in the device's memory.
struct DifferencesOnDevice {
  unsigned long long first;  // the least index that differs
  unsigned long long wrong;
  unsigned long long other_nans;
  unsigned long long compared;
  std::int64_t index[most_found];
  std::uint32_t got[most_found];
};

namespace {

constexpr int threads_of_block = 256;

void require(cudaError_t error, const char* doing) {
  if (error == cudaSuccess) return;
  const bool lost = cudaDeviceSynchronize() != cudaSuccess;
  cudaGetLastError();
  throw SubjectError(std::string(doing) + ": " + cudaGetErrorName(error) + ", " + cudaGetErrorString(error), lost);
}

__device__ std::int64_t first_of_thread() {
  return (static_cast<std::int64_t>(blockIdx.x) * threads_of_block + threadIdx.x) * formula::run;
}

/// A run of elements, moved in pieces of 16 bytes where its address allows it.
template <class Element>
struct alignas(16) Run {
  Element elements[formula::run];
};

template <class Element>
__device__ bool is_whole(const Element* at) {
  return reinterpret_cast<std::uintptr_t>(at) % sizeof(uint4) == 0;
}

template <class Element>
__device__ void store_run(const Run<Element>& run, Element* to, std::int64_t count) {
  if (count >= formula::run && is_whole(to)) {
    const auto* from = reinterpret_cast<const uint4*>(&run);
    for (int i = 0; i < static_cast<int>(sizeof run / sizeof(uint4)); ++i) reinterpret_cast<uint4*>(to)[i] = from[i];
    return;
  }
  for (int i = 0; i < formula::run && i < count; ++i) to[i] = run.elements[i];
}

template <class Element>
__device__ Run<Element> loaded_run(const Element* from, std::int64_t count) {
  Run<Element> run = {};
  if (count >= formula::run && is_whole(from)) {
    auto* to = reinterpret_cast<uint4*>(&run);
    for (int i = 0; i < static_cast<int>(sizeof run / sizeof(uint4)); ++i) {
      to[i] = __ldcs(reinterpret_cast<const uint4*>(from) + i);
    }
    return run;
  }
  for (int i = 0; i < formula::run && i < count; ++i) run.elements[i] = from[i];
  return run;
}

template <class Element, class Evaluator>
__global__ void __launch_bounds__(threads_of_block) write_elements(Evaluator evaluator, Element* to) {
  const std::int64_t first = first_of_thread();
  const std::int64_t left = evaluator.elements() - first;
  if (left <= 0) return;
  std::uint32_t values[formula::run];
  evaluator(first, values);
  Run<Element> run;
  for (int i = 0; i < formula::run; ++i) run.elements[i] = static_cast<Element>(values[i]);
  store_run(run, to + first, left);
}

template <class Evaluator>
unsigned blocks_of(const Evaluator& evaluator) {
  constexpr std::int64_t of_block = std::int64_t{threads_of_block} * formula::run;
  return static_cast<unsigned>((evaluator.elements() + of_block - 1) / of_block);
}

__device__ void report(std::int64_t index, std::uint32_t got, bool is_nan, DifferencesOnDevice* found) {
  if (is_nan) {
    atomicAdd(&found->other_nans, 1ull);
    return;
  }
  atomicMin(&found->first, static_cast<unsigned long long>(index));
  const unsigned long long place = atomicAdd(&found->wrong, 1ull);
  if (place >= most_found) return;
  found->index[place] = index;
  found->got[place] = got;
}

/// Adds up what the threads of a warp have compared: the host holds it against what there is.
__device__ void count_compared(unsigned elements, DifferencesOnDevice* found) {
  const unsigned mask = __activemask();
  const unsigned of_warp = __reduce_add_sync(mask, elements);
  if (static_cast<int>(threadIdx.x % warpSize) == __ffs(static_cast<int>(mask)) - 1) {
    atomicAdd(&found->compared, static_cast<unsigned long long>(of_warp));
  }
}

template <class Element, class Evaluator>
__global__ void __launch_bounds__(threads_of_block)
    compare_elements(Evaluator evaluator, const Element* got, bool any_nan, reference::Format format,
                     DifferencesOnDevice* found) {
  const std::int64_t first = first_of_thread();
  const std::int64_t left = evaluator.elements() - first;
  if (left <= 0) return;
  const Run<Element> run = loaded_run(got + first, left);
  std::uint32_t values[formula::run];
  evaluator(first, values);
  std::uint32_t differ = 0;
  for (int i = 0; i < formula::run; ++i) differ |= (run.elements[i] != static_cast<Element>(values[i]) ? 1u : 0u) << i;
  count_compared(left < formula::run ? static_cast<unsigned>(left) : formula::run, found);
  if (differ == 0) return;
  for (int i = 0; i < formula::run && i < left; ++i) {
    if ((differ >> i & 1) == 0) continue;
    const std::uint32_t element = run.elements[i];
    report(first + i, element, any_nan && format.is_nan(element) && format.is_nan(values[i]), found);
  }
}

/// The words of the last matrix of codes, which every step of a proof of the arithmetic has in common.
struct KeptWords {
  const std::uint32_t* words;
  std::int64_t count;
  __host__ __device__ std::int64_t elements() const { return count; }
  __device__ void operator()(std::int64_t first, std::uint32_t (&values)[formula::run]) const {
    const Run<std::uint32_t> run = loaded_run(words + first, count - first);
    for (int i = 0; i < formula::run; ++i) values[i] = run.elements[i];
  }
};

/// Calls `use` with an element of the type that has so many bytes.
template <class Use>
void with_element(std::size_t element_bytes, Use use) {
  if (element_bytes == 1) return use(std::uint8_t{});
  if (element_bytes == 2) return use(std::uint16_t{});
  use(std::uint32_t{});
}

}  // namespace

CudaMemory::~CudaMemory() {
  cudaFree(memory_);
  cudaFree(kept_words_);
  cudaFree(found_);
}

void* CudaMemory::arena(std::size_t bytes) {
  if (bytes > bytes_) {
    cudaFree(memory_);
    memory_ = nullptr;
    bytes_ = 0;
    constexpr std::size_t large = std::size_t{1} << 30;  // of which half as much again is much
    const std::size_t wanted = bytes < large ? bytes + bytes / 2 : bytes;
    require(cudaMalloc(&memory_, wanted), "cudaMalloc");
    bytes_ = wanted;
  }
  return memory_;
}

void CudaMemory::copy_in(void* to, const void* from, std::size_t bytes) {
  require(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice), "copying the inputs in");
}

void CudaMemory::copy_out(void* to, const void* from, std::size_t bytes) {
  require(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost), "copying the outputs out");
}

/// Whether the formula's words are kept now.
bool CudaMemory::keeps(const Formula& formula) {
  const auto* wanted = std::get_if<formula::PackedWords>(&formula);
  if (wanted == nullptr) return false;
  if (kept_words_ != nullptr && kept_ == wanted->codes) return true;
  constexpr std::int64_t most_elements = std::int64_t{1} << 26;
  const std::int64_t elements = elements_of(formula);
  if (elements == 0 || elements > most_elements) return false;
  cudaFree(kept_words_);
  kept_words_ = nullptr;
  void* words = nullptr;
  require(cudaMalloc(&words, static_cast<std::size_t>(elements) * sizeof(std::uint32_t)), "cudaMalloc");
  formula::with_evaluator(formula, [&](const auto& evaluator) {
    write_elements<<<blocks_of(evaluator), threads_of_block>>>(evaluator, static_cast<std::uint32_t*>(words));
  });
  require(cudaGetLastError(), "writing a formula");
  kept_words_ = static_cast<std::uint32_t*>(words);
  kept_ = wanted->codes;
  return true;
}

template <class Use>
void CudaMemory::with_evaluator(const Formula& formula, Use use) {
  // Only the proofs of the arithmetic come back to the same codes: others would pay for keeping them.
  const auto* words = std::get_if<formula::PackedWords>(&formula);
  const bool comes_back = words != nullptr && words->codes.kind == formula::Codes::Kind::each;
  if (comes_back && keeps(formula)) return use(KeptWords{kept_words_, elements_of(formula)});
  formula::with_evaluator(formula, use);
}

void CudaMemory::write(const Formula& formula, std::size_t element_bytes, void* to) {
  with_evaluator(formula, [&](const auto& evaluator) {
    if (evaluator.elements() == 0) return;
    with_element(element_bytes, [&](auto element) {
      write_elements<<<blocks_of(evaluator), threads_of_block>>>(evaluator, static_cast<decltype(element)*>(to));
    });
  });
  require(cudaGetLastError(), "writing a formula");
}

Differences CudaMemory::compare(const Formula& formula, std::size_t element_bytes, const void* got,
                                const reference::Format* any_nan) {
  if (found_ == nullptr) require(cudaMalloc(&found_, sizeof(DifferencesOnDevice)), "cudaMalloc");
  require(cudaMemset(found_, 0, sizeof(DifferencesOnDevice)), "cudaMemset");
  require(cudaMemset(found_, 0xff, sizeof found_->first), "cudaMemset");
  const reference::Format format = any_nan != nullptr ? *any_nan : reference::bf16;
  with_evaluator(formula, [&](const auto& evaluator) {
    if (evaluator.elements() == 0) return;
    with_element(element_bytes, [&](auto element) {
      compare_elements<<<blocks_of(evaluator), threads_of_block>>>(
          evaluator, static_cast<const decltype(element)*>(got), any_nan != nullptr, format, found_);
    });
  });
  require(cudaGetLastError(), "comparing with a formula");
  constexpr std::size_t counts = 4 * sizeof(unsigned long long);
  DifferencesOnDevice found;
  require(cudaMemcpy(&found, found_, counts, cudaMemcpyDeviceToHost), "comparing with a formula");
  if (static_cast<std::int64_t>(found.compared) != elements_of(formula)) {
    throw SubjectError("comparing with a formula: the device compared " + std::to_string(found.compared) + " of " +
                       std::to_string(elements_of(formula)) + " elements");
  }
  Differences differences;
  differences.wrong = static_cast<std::int64_t>(found.wrong);
  differences.other_nans = static_cast<std::int64_t>(found.other_nans);
  if (found.wrong == 0) return differences;
  require(cudaMemcpy(&found, found_, sizeof found, cudaMemcpyDeviceToHost), "comparing with a formula");
  const auto kept = static_cast<std::size_t>(std::min<std::int64_t>(differences.wrong, most_found));
  for (std::size_t i = 0; i < kept; ++i) differences.listed.push_back({found.index[i], found.got[i]});
  // Of many, those that came first to the list; the first of all is always there.
  const auto first = static_cast<std::int64_t>(found.first);
  const bool has_first = std::any_of(differences.listed.begin(), differences.listed.end(),
                                     [first](const Differences::One& one) { return one.index == first; });
  if (!has_first) {
    std::uint32_t element = 0;
    copy_out(&element, static_cast<const std::uint8_t*>(got) + static_cast<std::size_t>(first) * element_bytes,
             element_bytes);
    differences.listed.push_back({first, element});
  }
  std::sort(differences.listed.begin(), differences.listed.end(),
            [](const Differences::One& a, const Differences::One& b) { return a.index < b.index; });
  if (differences.listed.size() > Differences::most_listed) differences.listed.resize(Differences::most_listed);
  return differences;
}

}  // namespace tileproof
