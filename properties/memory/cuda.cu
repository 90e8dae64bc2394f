// Writes formulas into device memory and compares tensors with them, sixteen elements a thread.
#include <cuda_runtime.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "properties/memory/cuda.h"
#include "properties/memory/cuda_errors.h"
#include "properties/memory/errors.h"
#include "properties/memory/generated_evaluation.h"

namespace tileproof {

constexpr std::int64_t most_found = 256;  // differences kept; the host lists the first of them

/// The result of a comparison, in device memory.
struct DifferencesOnDevice {
  unsigned long long first;  // the smallest index that differs
  unsigned long long wrong;
  unsigned long long other_nans;
  unsigned long long compared;
  std::int64_t index[most_found];
  std::uint32_t got[most_found];
};

namespace {

/// The format that has a layout.
template <class L, class All>
struct WithLayout;
template <class L, class First, class... Others>
struct WithLayout<L, reference::List<First, Others...>> {
  using type = typename std::conditional_t<std::is_same_v<typename First::Codes, L>, std::type_identity<First>,
                                           WithLayout<L, reference::List<Others...>>>::type;
};
template <class L>
using FormatWithLayout = typename WithLayout<L, reference::Formats>::type;

// The device computes the packed words of these formats, and the weights and parameters of these schemes: those that
// kernels of ours have. The host computes others, such as Marlin's scales.
using reference::CpuCapability;
using FormatsWhoseWordsMayDefineCodes =
    reference::List<reference::Tinygemm<2>, reference::Tinygemm<4>, reference::Tinygemm<8>>;
using FormatsHere =
    reference::List<reference::Tinygemm<2>, reference::Tinygemm<4>, reference::Tinygemm<8>,
                    FormatWithLayout<reference::Plain>, FormatWithLayout<reference::PlainInt32>,
                    FormatWithLayout<reference::Awq>, FormatWithLayout<reference::Gptq>,
                    FormatWithLayout<reference::GptqV1>, FormatWithLayout<reference::Marlin>,
                    FormatWithLayout<reference::Int4PackCpu<CpuCapability::standard>>,
                    FormatWithLayout<reference::Int4PackCpu<CpuCapability::avx2>>,
                    FormatWithLayout<reference::Int4PackCpu<CpuCapability::avx512>>, FormatWithLayout<reference::Nf4>,
                    FormatWithLayout<reference::Fp4>, FormatWithLayout<reference::Q40>,
                    FormatWithLayout<reference::Q41>, FormatWithLayout<reference::Q4K>>;
using SchemesHere = reference::List<reference::FloatZeros, reference::IntegerZeros, reference::NoZeros,
                                    reference::AwqZeros, reference::GptqTwoZeros, reference::GptqOneZeros,
                                    reference::LookedUp<reference::Nf4Table>, reference::LookedUp<reference::Fp4Table>,
                                    reference::Q40Blocks, reference::Q41Blocks, reference::Q4KBlocks>;

constexpr int threads_of_block = 256;

/// A run of elements, moved in pieces of 16 bytes where its address allows it.
template <class Element>
struct alignas(16) Run {
  Element elements[generated::run];
};

template <class Element>
__device__ bool is_whole(const Element* at) {
  return reinterpret_cast<std::uintptr_t>(at) % sizeof(uint4) == 0;
}

template <class Element>
__device__ Run<Element> loaded_run(const Element* from, std::int64_t count) {
  Run<Element> run = {};
  if (count >= generated::run && is_whole(from)) {
    auto* to = reinterpret_cast<uint4*>(&run);
#pragma unroll
    for (int i = 0; i < static_cast<int>(sizeof run / sizeof(uint4)); ++i) {
      to[i] = __ldcs(reinterpret_cast<const uint4*>(from) + i);
    }
    return run;
  }
#pragma unroll
  for (int i = 0; i < generated::run; ++i) {
    if (i < count) run.elements[i] = from[i];
  }
  return run;
}

/// Computes the runs of a block's threads into shared memory and stores them from there, sixteen bytes a thread, so
/// that neighbouring threads store neighbouring bytes. `to` may be aligned to an element only; stores straight from
/// each thread's run would then be small pieces far apart.
template <class Element, class Evaluator>
__global__ void __launch_bounds__(threads_of_block) write_elements(Evaluator evaluator, Element* to) {
  constexpr std::int64_t elements_of_block = threads_of_block * generated::run;
  constexpr int of_quad = static_cast<int>(sizeof(uint4) / sizeof(Element));
  __shared__ uint4 staged[elements_of_block / of_quad + 1];
  // The staged copy has the same distance from a multiple of sixteen bytes as `to`, so whole 16-byte pieces correspond.
  const int shift = static_cast<int>(reinterpret_cast<std::uintptr_t>(to) % sizeof(uint4) / sizeof(Element));
  Element* const staged_elements = reinterpret_cast<Element*>(staged) + shift;
  for (std::int64_t first = blockIdx.x * elements_of_block; first < evaluator.elements();
       first += gridDim.x * elements_of_block) {
    std::uint32_t values[generated::run];
    evaluator(first + threadIdx.x * generated::run, values);
#pragma unroll
    for (int i = 0; i < generated::run; ++i) {
      staged_elements[threadIdx.x * generated::run + i] = static_cast<Element>(values[i]);
    }
    __syncthreads();
    const std::int64_t left = evaluator.elements() - first;
    const int count = static_cast<int>(left < elements_of_block ? left : elements_of_block);
    Element* const to_block = to + first - shift;  // where staged[0] belongs; aligned to 16 bytes
    for (int quad = static_cast<int>(threadIdx.x); quad * of_quad < shift + count; quad += threads_of_block) {
      if (quad * of_quad >= shift && (quad + 1) * of_quad <= shift + count) {
        reinterpret_cast<uint4*>(to_block)[quad] = staged[quad];
        continue;
      }
      for (int i = quad * of_quad; i < (quad + 1) * of_quad; ++i) {
        if (i >= shift && i < shift + count) to_block[i] = reinterpret_cast<const Element*>(staged)[i];
      }
    }
    __syncthreads();
  }
}

/// Several times as many blocks as the largest GPU runs at once. Each block adds to the counts once, so additions stay
/// rare.
template <class Evaluator>
unsigned blocks_of(const Evaluator& evaluator) {
  constexpr std::int64_t of_block = std::int64_t{threads_of_block} * generated::run;
  constexpr std::int64_t most = 4096;
  return static_cast<unsigned>(std::min(most, (evaluator.elements() + of_block - 1) / of_block));
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

/// The arguments of a comparison.
template <class Element>
struct Compared {
  const Element* got;
  bool any_nan;
  reference::FloatFormat format;
  DifferencesOnDevice* found;
};

/// Reports the differences in a run. It computes the run once more, in a function of its own, so that the loop over
/// runs without differences stays short.
template <class Element, class Evaluator>
__device__ __noinline__ void report_run(const Evaluator& evaluator, std::int64_t first, std::uint32_t differ,
                                        const Compared<Element>& compared) {
  std::uint32_t values[generated::run];
  evaluator(first, values);
  for (int i = 0; i < generated::run; ++i) {
    if ((differ >> i & 1) == 0) continue;
    const std::uint32_t element = compared.got[first + i];
    const bool is_nan = compared.any_nan && compared.format.is_nan(element) && compared.format.is_nan(values[i]);
    report(first + i, element, is_nan, compared.found);
  }
}

template <class Element, class Evaluator>
__global__ void __launch_bounds__(threads_of_block) compare_elements(Evaluator evaluator, Compared<Element> compared) {
  unsigned count = 0;
  const std::int64_t elements = evaluator.elements();
  const std::int64_t of_grid = std::int64_t{gridDim.x} * threads_of_block * generated::run;
  std::int64_t first = (static_cast<std::int64_t>(blockIdx.x) * threads_of_block + threadIdx.x) * generated::run;
  for (; first < elements; first += of_grid) {
    const std::int64_t left = elements - first;
    const Run<Element> run = loaded_run(compared.got + first, left);
    std::uint32_t values[generated::run];
    evaluator(first, values);
    std::uint32_t differ = 0;
#pragma unroll
    for (int i = 0; i < generated::run; ++i) {
      differ |= (i < left && run.elements[i] != static_cast<Element>(values[i]) ? 1u : 0u) << i;
    }
    count += left < generated::run ? static_cast<unsigned>(left) : generated::run;
    if (differ != 0) report_run(evaluator, first, differ, compared);
  }
  // Counts the elements that each warp has compared; the host checks that the sum is the number of elements.
  constexpr unsigned all_threads = 0xffffffff;
  const unsigned of_warp = __reduce_add_sync(all_threads, count);
  if (threadIdx.x % warpSize == 0) atomicAdd(&compared.found->compared, static_cast<unsigned long long>(of_warp));
}

/// The packed words of the last matrix of codes, which all steps of a proof of the arithmetic share.
struct KeptWords {
  using Element = std::uint32_t;
  const std::uint32_t* words;
  std::int64_t count;
  __host__ __device__ std::int64_t elements() const { return count; }
  __device__ void operator()(std::int64_t first, std::uint32_t (&values)[generated::run]) const {
    const Run<std::uint32_t> run = loaded_run(words + first, count - first);
#pragma unroll
    for (int i = 0; i < generated::run; ++i) values[i] = run.elements[i];
  }
};

/// Calls `use` with an element of the evaluator's type, or, where the evaluator takes any width, of the type that has
/// `element_bytes` bytes.
template <class Evaluator, class Use>
void with_element(const Evaluator&, std::size_t element_bytes, Use use) {
  if constexpr (requires { typename Evaluator::Element; }) {
    if (element_bytes != sizeof(typename Evaluator::Element)) throw std::logic_error("a formula of other elements");
    use(typename Evaluator::Element{});
  } else {
    if (element_bytes == 1) return use(std::uint8_t{});
    if (element_bytes == 2) return use(std::uint16_t{});
    use(std::uint32_t{});
  }
}

template <class Evaluator>
void start_writing(const Evaluator& evaluator, std::size_t element_bytes, void* to, cudaStream_t stream) {
  if (evaluator.elements() == 0) return;
  with_element(evaluator, element_bytes, [&](auto element) {
    write_elements<<<blocks_of(evaluator), threads_of_block, 0, stream>>>(evaluator,
                                                                          static_cast<decltype(element)*>(to));
  });
  require(cudaGetLastError(), "writing a formula");
}

}  // namespace

CudaMemory::~CudaMemory() {
  cudaFree(memory_);
  cudaFree(kept_words_);
  cudaFree(found_);
  cudaFreeHost(staged_);
}

void* CudaMemory::arena(std::size_t bytes) {
  if (bytes > bytes_) {
    cudaFree(memory_);
    memory_ = nullptr;
    bytes_ = 0;
    constexpr std::size_t large = std::size_t{1} << 30;  // here 50 % more would be too much memory
    const std::size_t wanted = bytes < large ? bytes + bytes / 2 : bytes;
    require(cudaMalloc(&memory_, wanted), "cudaMalloc");
    bytes_ = wanted;
  }
  return memory_;
}

/// Small copies use page-locked memory. For pageable memory the driver copies through its own buffer under a lock,
/// which subjects on other threads would wait for.
void* CudaMemory::staged() {
  if (staged_ == nullptr) require(cudaMallocHost(&staged_, most_staged), "cudaMallocHost");
  return staged_;
}

// Large copies use pageable memory, such as a std::vector: a copy in has read its source when it returns, a copy out
// has written its target (CUDA Runtime API, "API synchronization behavior").
void CudaMemory::copy_in(void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  if (bytes <= most_staged) {
    if (is_staged_copied_) require(cudaStreamSynchronize(stream_), "copying the inputs in");
    from = std::memcpy(staged(), from, bytes);
    is_staged_copied_ = true;
  }
  require(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "copying the inputs in");
}

void CudaMemory::copy_out(void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  const bool is_staged = bytes <= most_staged;  // the stream runs it after copies in from the same buffer
  void* const target = is_staged ? staged() : to;
  require(cudaMemcpyAsync(target, from, bytes, cudaMemcpyDeviceToHost, stream_), "copying the outputs out");
  require(cudaStreamSynchronize(stream_), "copying the outputs out");
  is_staged_copied_ = false;
  if (is_staged) std::memcpy(to, staged(), bytes);
}

/// @return whether the formula's words are in kept_words_; writes them there if they fit
bool CudaMemory::keeps(const GeneratedTensor& formula) {
  const auto* wanted = std::get_if<generated::PackedWords>(&formula);
  if (wanted == nullptr) return false;
  if (kept_words_ != nullptr && kept_ == wanted->codes) return true;
  constexpr std::int64_t most_elements = std::int64_t{1} << 27;  // the words of a step of 2^30 codes
  const std::int64_t elements = elements_of(formula);
  if (elements == 0 || elements > most_elements) return false;
  const Format& format = reference::formats[wanted->codes.format];
  if (!packs_codes_alone(format) || format.layout.bytes_of_unit != sizeof(std::uint32_t)) return false;
  cudaFree(kept_words_);
  kept_words_ = nullptr;
  void* words = nullptr;
  require(cudaMalloc(&words, static_cast<std::size_t>(elements) * sizeof(std::uint32_t)), "cudaMalloc");
  const bool is_here = generated::with_evaluator<FormatsHere, SchemesHere, FormatsWhoseWordsMayDefineCodes>(
      formula, [&](const auto& evaluator) { start_writing(evaluator, sizeof(std::uint32_t), words, stream_); });
  if (!is_here) {
    cudaFree(words);
    return false;
  }
  kept_words_ = static_cast<std::uint32_t*>(words);
  kept_ = wanted->codes;
  return true;
}

/// @return whether the device can compute the formula
template <class Use>
bool CudaMemory::with_evaluator(const GeneratedTensor& formula, Use use) {
  // Only the proofs of the arithmetic use the same codes again; keeping other codes would cost time for nothing.
  const auto* words = std::get_if<generated::PackedWords>(&formula);
  const bool comes_back = words != nullptr && words->codes.kind == generated::Codes::Kind::each;
  if (comes_back && keeps(formula)) {
    use(KeptWords{kept_words_, elements_of(formula)});
    return true;
  }
  const auto* weights = std::get_if<generated::Weights>(&formula);
  const bool is_one_by_one = weights != nullptr && generated::is_one_by_one(*weights);
  if (!is_one_by_one && !is_in_runs(formula)) return false;
  return generated::with_evaluator<FormatsHere, SchemesHere, FormatsWhoseWordsMayDefineCodes>(formula, use);
}

bool CudaMemory::computes(const GeneratedTensor& formula) {
  return with_evaluator(formula, [](const auto&) {});
}

void CudaMemory::write(const GeneratedTensor& formula, std::size_t element_bytes, void* to) {
  const bool is_here =
      with_evaluator(formula, [&](const auto& evaluator) { start_writing(evaluator, element_bytes, to, stream_); });
  if (!is_here) Memory::write(formula, element_bytes, to);
}

Differences CudaMemory::compare(const GeneratedTensor& formula, std::size_t element_bytes, const void* got,
                                const reference::FloatFormat* any_nan) {
  if (found_ == nullptr) require(cudaMalloc(&found_, sizeof(DifferencesOnDevice)), "cudaMalloc");
  require(cudaMemsetAsync(found_, 0, sizeof(DifferencesOnDevice), stream_), "cudaMemset");
  require(cudaMemsetAsync(found_, 0xff, sizeof found_->first, stream_), "cudaMemset");
  const reference::FloatFormat format = any_nan != nullptr ? *any_nan : reference::bf16;
  const bool is_here = with_evaluator(formula, [&](const auto& evaluator) {
    if (evaluator.elements() == 0) return;
    with_element(evaluator, element_bytes, [&](auto element) {
      compare_elements<<<blocks_of(evaluator), threads_of_block, 0, stream_>>>(
          evaluator,
          Compared<decltype(element)>{static_cast<const decltype(element)*>(got), any_nan != nullptr, format, found_});
    });
  });
  if (!is_here) return Memory::compare(formula, element_bytes, got, any_nan);
  require(cudaGetLastError(), "comparing with a formula");
  constexpr std::size_t counts = 4 * sizeof(unsigned long long);
  DifferencesOnDevice found;
  copy_out(&found, found_, counts);
  if (static_cast<std::int64_t>(found.compared) != elements_of(formula)) {
    throw SubjectError("comparing with a formula: the device compared " + std::to_string(found.compared) + " of " +
                       std::to_string(elements_of(formula)) + " elements");
  }
  Differences differences;
  differences.wrong = static_cast<std::int64_t>(found.wrong);
  differences.other_nans = static_cast<std::int64_t>(found.other_nans);
  if (found.wrong == 0) return differences;
  copy_out(&found, found_, sizeof found);
  const auto kept = static_cast<std::size_t>(std::min<std::int64_t>(differences.wrong, most_found));
  for (std::size_t i = 0; i < kept; ++i) differences.listed.push_back({found.index[i], found.got[i]});
  // The list holds whichever differences arrived first. Add the one with the smallest index if it is missing.
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
