/// An operator library as a third party would write it: pack, unpack and dequantize of bf16 weights in the float
/// domain, as PyTorch operators in the namespace `example`. The tests of `verify` on operator libraries judge it.
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/GradMode.h>
#include <c10/core/SymInt.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <dlfcn.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "kernels/kernels.h"

namespace example {

extern const char* const canary_mutants;

namespace {

using at::Tensor;
using c10::SymInt;
using tileproof::kernels::DequantizeArguments;
using tileproof::kernels::PackArguments;
using tileproof::kernels::Range;
using tileproof::kernels::UnpackArguments;

// The library is right, or has the one mutant that example_mutant.cpp names; this file is compiled once, that file for
// each library. A mutant is a branch where an engineer could make the mistake, with a comment that says what was
// forgotten. To add one, add its name to `mutants` and its branch.

// --- Mutants
// ----------------------------------------------------------------------------------------------------------

constexpr std::string_view mutants[] = {
    "nothing",
    "wrong-groups",
    "ignores-stride",
    "ignores-offset",
    "default-stream",
    "synchronizes",
    "forgets-last-tile",
    "reads-past-scales",
    "cached-result",
    "segfault",
    "endless-loop",
    "two-roundings",
    "aliases-input",
    "throws-hostile",
    "wrong-fake",
    "crashes-when-called-thrice",
    "leaves-error-pending",
    "reuses-result",
    "frees-too-early",
    "refuses-specials",
    "writes-before-refusing",
    "truncates-integers",
    "dies-when-loaded",
    "static-buffer",
    "leaves-flush-to-zero",
    "leaves-grad-mode",
    "sets-threads-once",
    "empties-in-fp32",
    "empties-without-columns",
    "groups-rounded-down",
    "far-columns",
    "far-columns-of-one-layout",
    "groups-in-16-bits",
    "groups-in-8-bits-of-one-layout",
    "n-tiles-in-16-bits",
    "rows-in-16-bits-of-one-layout",
    "refuses-unclearly-or-accepts",
    "refuses-when-busy",
    "remembers-an-empty",
};

constexpr bool is_mutant(std::string_view name) {
  for (const std::string_view mutant : mutants) {
    if (mutant == name) return true;
  }
  return false;
}

/// The name of a mutant; a misspelt name does not compile.
struct MutantName {
  std::string_view name;
  consteval MutantName(const char* of) : name(of) {
    if (!is_mutant(name)) throw "not a name in `mutants`";
  }
};

bool has(MutantName mutant) { return mutant.name == canary_mutants; }

// --- What is legal ---------------------------------------------------------------------------------------------------

std::string text_of(std::int64_t given) { return std::to_string(given); }
std::string text_of(const Tensor& given) {
  return c10::str(c10::getDtypeNames(given.scalar_type()).first, ' ', given.sym_sizes(), " on ", given.device());
}

/// Forgotten, by throws-hostile: terminals, web pages, tables and JSON show what a message quotes.
const char* remark() {
  return has("throws-hostile") ? " \x1b[31mred\x1b[0m <script>alert(1)</script> \xff\xfe |x| `y`\n" : "";
}

/// Throws unless the condition holds. The condition is about sizes that may be symbolic; for those it becomes a guard.
template <class Given, class... Legal>
void require(const c10::SymBool& holds, const char* argument, const Given& given, const Legal&... legal) {
  if (holds.expect_true(__FILE__, __LINE__)) return;
  TORCH_CHECK(false, argument, ": expected ", c10::str(legal...), ", got ", text_of(given), remark());
}

/// Whether arithmetic on a size cannot overflow. An unknown symbolic size is accepted; its allocation would fail.
bool is_sane(const SymInt& size) { return size.maybe_as_int().value_or(0) <= std::int64_t{1} << 40; }

void check_inner_k_tiles(std::int64_t inner_k_tiles) {
  const bool legal = inner_k_tiles == 2 || inner_k_tiles == 4 || inner_k_tiles == 8;
  require(legal && !(has("throws-hostile") && inner_k_tiles == 4), "inner_k_tiles", inner_k_tiles, "2, 4 or 8");
}

/// Forgotten, by truncates-integers: PyTorch's integers have 64 bits.
std::int64_t taken(std::int64_t given) { return has("truncates-integers") ? static_cast<std::int32_t>(given) : given; }

void check_packed(const Tensor& packed_w, std::int64_t inner_k_tiles) {
  check_inner_k_tiles(inner_k_tiles);
  require(packed_w.scalar_type() == at::kInt, "packed_w", packed_w, "int32");
  require(packed_w.dim() == 4, "packed_w", packed_w,
          "4 dimensions [ceil(n/8)][k/(16*inner_k_tiles)][32][inner_k_tiles/2]");
  require(packed_w.sym_size(2).sym_eq(32), "packed_w", packed_w, "size 32 in dimension 2");
  require(packed_w.sym_size(3).sym_eq(inner_k_tiles / 2), "packed_w", packed_w,
          "size inner_k_tiles/2 = ", inner_k_tiles / 2, " in dimension 3");
  require(is_sane(packed_w.sym_size(0)) && is_sane(packed_w.sym_size(1)), "packed_w", packed_w, "sizes up to 2^40");
}

using Sizes = std::array<SymInt, 2>;

/// @return the sizes of the codes in packed_w, padded rows included
Sizes codes_sizes(const Tensor& packed_w, std::int64_t inner_k_tiles) {
  check_packed(packed_w, inner_k_tiles);
  return {packed_w.sym_size(0) * 8, packed_w.sym_size(1) * (16 * inner_k_tiles)};
}

std::array<SymInt, 4> packed_sizes(const Tensor& codes, std::int64_t inner_k_tiles) {
  check_inner_k_tiles(inner_k_tiles);
  require(codes.scalar_type() == at::kByte, "codes", codes, "uint8");
  require(codes.dim() == 2, "codes", codes, "2 dimensions [n][k/2]");
  require(is_sane(codes.sym_size(0)) && is_sane(codes.sym_size(1)), "codes", codes, "sizes up to 2^40");
  const std::int64_t bytes_of_supertile = 8 * inner_k_tiles;  // a supertile of one row
  require((codes.sym_size(1) % bytes_of_supertile).sym_eq(0), "codes", codes,
          "k/2 a multiple of 8*inner_k_tiles = ", bytes_of_supertile);
  return {(codes.sym_size(0) + 7) / 8, codes.sym_size(1) / bytes_of_supertile, 32, inner_k_tiles / 2};
}

/// @return the sizes [n][k] of the weights; scales_and_zeros has n rows, which fill the n-tiles of packed_w
Sizes weights_sizes(const Tensor& packed_w, const Tensor& scales_and_zeros, std::int64_t group_size,
                    std::int64_t inner_k_tiles) {
  const auto [padded_n, k] = codes_sizes(packed_w, inner_k_tiles);
  require(group_size > 0 && group_size % 16 == 0, "group_size", group_size, "a positive multiple of 16");
  // Forgotten, by groups-rounded-down: the columns after the last whole group have no parameters.
  if (!has("groups-rounded-down"))
    require((k % group_size).sym_eq(0), "group_size", group_size, "a divisor of k = ", k);

  const auto check_scales = [&](const c10::SymBool& holds, const auto&... legal) {
    require(holds, "scales_and_zeros", scales_and_zeros, legal...);
  };
  check_scales(scales_and_zeros.scalar_type() == at::kBFloat16, "bfloat16");
  check_scales(scales_and_zeros.device() == packed_w.device(), "the device of packed_w, ", packed_w.device());
  check_scales(scales_and_zeros.dim() == 3, "3 dimensions [k/group_size][n][2]");
  const SymInt n = scales_and_zeros.sym_size(1);
  check_scales(n.sym_le(padded_n), "at most the rows of packed_w, n = ", padded_n);
  check_scales(n.sym_gt(padded_n - 8), "a row in the last n-tile of packed_w, n > ", padded_n - 8);
  check_scales(scales_and_zeros.sym_size(2).sym_eq(2), "a scale and a zero in dimension 2");
  // Forgotten, by wrong-groups: checking n does not check the number of groups.
  if (!has("wrong-groups") && !has("groups-rounded-down")) {
    check_scales(scales_and_zeros.sym_size(0).sym_eq(k / group_size), "k/group_size = ", k / group_size, " groups");
  }
  return {n, k};
}

// --- Running the kernels ---------------------------------------------------------------------------------------------

const void* address_of(const Tensor& tensor) {
  // Forgotten, by ignores-offset: a slice begins inside its storage.
  return has("ignores-offset") ? tensor.storage().data() : tensor.const_data_ptr();
}

/// A tensor that the kernels can read: contiguous, and at an address that vector loads accept.
Tensor readable(const Tensor& tensor) {
  // Forgotten, by ignores-stride: a transposed matrix, or every other row of a matrix, is a tensor too.
  const Tensor elements = has("ignores-stride") ? tensor : tensor.contiguous();
  const bool is_aligned = reinterpret_cast<std::uintptr_t>(address_of(elements)) % 16 == 0;
  return is_aligned ? elements : elements.clone();
}

template <class T>
const T* elements_of(const Tensor& tensor) {
  return static_cast<const T*>(address_of(tensor));
}

/// @param where  a range of threads, or a stream
auto call(const PackArguments& arguments, auto where) { return tileproof::kernels::pack(arguments, where); }
auto call(const UnpackArguments& arguments, auto where) { return tileproof::kernels::unpack(arguments, where); }
auto call(const DequantizeArguments& arguments, auto where) { return tileproof::kernels::dequantize(arguments, where); }

#if defined(TILEPROOF_HAS_CUDA)
cudaStream_t stream_of(c10::Device device) {
  // Forgotten, by default-stream: work on a user's own stream does not wait for the default stream.
  if (has("default-stream")) return nullptr;
  const c10::Stream stream = c10::impl::getDeviceGuardImpl(device.type())->getStream(device);
  return static_cast<cudaStream_t>(stream.native_handle());
}

template <class Arguments>
void launch(const Arguments& arguments, c10::Device device) {
  const c10::DeviceGuard guard(device);
  cudaError_t error = call(arguments, stream_of(device));
  // Forgotten, by synchronizes: to remove a synchronization that once helped to find a bug.
  if (has("synchronizes") && error == cudaSuccess) error = cudaDeviceSynchronize();
  TORCH_CHECK(error == cudaSuccess, "example: ", cudaGetErrorName(error), ", ", cudaGetErrorString(error));
}

/// Makes PyTorch's own CUDA runtime fail an allocation, so that its error stays pending where PyTorch looks for errors.
void leave_error_pending() {
  using Malloc = int(void**, std::size_t);
  auto* const allocate = reinterpret_cast<Malloc*>(dlsym(RTLD_DEFAULT, "cudaMalloc"));
  TORCH_CHECK(allocate != nullptr, "example: no cudaMalloc of PyTorch's runtime to fail");
  void* memory = nullptr;
  allocate(&memory, std::numeric_limits<std::size_t>::max() / 2);
}
#endif

/// Runs an operation over legal, non-empty arguments.
template <class Arguments>
void run(const Arguments& arguments, c10::Device device) {
#if defined(TILEPROOF_HAS_CUDA)
  if (device.is_cuda()) return launch(arguments, device);
#endif
  TORCH_CHECK(device.is_cpu(), "example: no kernel for ", device);
  call(arguments, Range{0, tileproof::kernels::threads_of(arguments)});
}

/// The number of rows, of n, that are written.
std::int64_t rows_written(std::int64_t n) {
  const std::int64_t n_tiles = (n + 7) / 8;
  // Forgotten, by forgets-last-tile: a loop that has loaded the last n-tile when it ends must still store it. Up to
  // four n-tiles take an unrolled path, which is right.
  return has("forgets-last-tile") && n_tiles > 4 ? (n_tiles - 1) * 8 : n;
}

/// Repeats the first `count` slices of a dimension over the rest, as a counter that wraps at `count` would.
void wrap(const Tensor& tensor, std::int64_t dimension, std::int64_t count) {
  const std::int64_t size = tensor.size(dimension);
  for (std::int64_t first = count; first < size; first += count) {
    const std::int64_t length = std::min(count, size - first);
    tensor.narrow(dimension, first, length).copy_(tensor.narrow(dimension, 0, length));
  }
}

/// Spoils the last columns of a matrix. Forgotten: a loop over the columns that one block of threads does not reach.
void lose_far_columns(const Tensor& matrix, std::int64_t most) {
  if (matrix.size(1) > most) matrix.narrow(1, matrix.size(1) - 16, 16).fill_(3);
}

// --- The operators ---------------------------------------------------------------------------------------------------

Tensor pack(const Tensor& codes, std::int64_t inner_k_tiles) {
  inner_k_tiles = taken(inner_k_tiles);
  const Tensor packed = at::empty_symint(packed_sizes(codes, inner_k_tiles), codes.options().dtype(at::kInt));
  // Forgotten, by sets-threads-once: the number of threads belongs to the caller. The static runs once in a process.
  if (has("sets-threads-once")) {
    static const bool is_set = (at::set_num_threads(at::get_num_threads() + 1), true);
    static_cast<void>(is_set);
  }
  if (packed.numel() == 0) return packed;
  const Tensor bytes = readable(codes);
  run(PackArguments{.codes = elements_of<std::uint8_t>(bytes),
                    .packed = static_cast<std::uint32_t*>(packed.mutable_data_ptr()),
                    .n = codes.size(0),
                    .k = codes.size(1) * 2,
                    .inner_k_tiles = inner_k_tiles},
      codes.device());
  // Forgotten, by n-tiles-in-16-bits: there may be more than 65,536 n-tiles.
  if (has("n-tiles-in-16-bits")) wrap(packed, 0, 1 << 16);
  return packed;
}

void fail_in_unpack(std::int64_t n, std::int64_t inner_k_tiles) {
  static std::atomic<int> calls = 0;
  // Forgotten, by crashes-when-called-thrice: to give back what each call takes from a small pool.
  if (has("crashes-when-called-thrice") && ++calls % 3 == 0) std::abort();

  static std::atomic<bool> is_done = false;
  // Forgotten, by endless-loop: to wake the waiting thread in the one configuration that waits.
  while (has("endless-loop") && inner_k_tiles == 8 && n > 40 && !is_done) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

/// Admits one caller at a time, for a library that refuses concurrent calls.
class OneCaller {
 public:
  OneCaller() : is_first_(!is_busy_.exchange(true)) {
    TORCH_CHECK(is_first_, "the workspace is in use");
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  ~OneCaller() { is_busy_ = false; }

 private:
  static inline std::atomic<bool> is_busy_ = false;
  bool is_first_;
};

Tensor unpack(const Tensor& packed_w, std::int64_t inner_k_tiles) {
  inner_k_tiles = taken(inner_k_tiles);
  // Forgotten, by refuses-when-busy: models are served from several threads.
  std::optional<OneCaller> one;
  if (has("refuses-when-busy")) one.emplace();
  // Forgotten, by remembers-an-empty: to report a launch error in its own call, not in the next one.
  if (has("remembers-an-empty")) {
    static std::atomic<bool> has_failed = false;
    TORCH_CHECK(!has_failed.exchange(false), "the launch failed");
    has_failed = packed_w.numel() == 0;
  }
  // Forgotten, by refuses-unclearly-or-accepts: to name the argument, and to refuse an odd inner_k_tiles for every n.
  if (has("refuses-unclearly-or-accepts") && inner_k_tiles == 3 && packed_w.dim() == 4) {
    TORCH_CHECK(packed_w.size(0) > 1, "not supported");
    return at::zeros({8, 16}, packed_w.options());
  }
  const Tensor codes = at::empty_symint(codes_sizes(packed_w, inner_k_tiles), packed_w.options());
  fail_in_unpack(codes.size(0), inner_k_tiles);
  // Forgotten, by empties-without-columns: an empty matrix has columns too.
  if (has("empties-without-columns") && codes.numel() == 0) return at::empty({0}, packed_w.options());
  if (codes.numel() == 0) return codes;
#if defined(__x86_64__)
  // Forgotten, by leaves-flush-to-zero: to restore the floating-point mode.
  if (has("leaves-flush-to-zero")) _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
  const Tensor packed = readable(packed_w);
  run(UnpackArguments{.packed = elements_of<std::uint32_t>(packed),
                      .codes = codes.mutable_data_ptr<std::int32_t>(),
                      .n = rows_written(codes.size(0)),
                      .k = codes.size(1),
                      .inner_k_tiles = inner_k_tiles},
      packed_w.device());
  if (has("far-columns")) lose_far_columns(codes, 8192);
  // Forgotten, by rows-in-16-bits-of-one-layout: there may be more than 65,536 rows in a layout that has a path of its
  // own.
  if (has("rows-in-16-bits-of-one-layout") && inner_k_tiles == 8) wrap(codes, 0, 1 << 16);
  return codes;
}

/// The scales and zeros, with the last group's zeros read one element too far: the next row's scale and, for the last
/// row, the bytes behind the tensor.
Tensor read_past(const Tensor& scales_and_zeros) {
  const std::int64_t n = scales_and_zeros.size(1), last_group = scales_and_zeros.size(0) - 1;
  auto* const first_zero = static_cast<c10::BFloat16*>(scales_and_zeros.data_ptr()) + last_group * n * 2 + 1;
  // Name the device explicitly: the last row's pointer is past every allocation, so its device cannot be looked up.
  const Tensor zeros = at::for_blob(first_zero + 1, {n})
                           .strides({2})
                           .options(scales_and_zeros.options())
                           .target_device(scales_and_zeros.device())
                           .make_tensor();
  const Tensor result = scales_and_zeros.clone();
  result.select(0, last_group).select(1, 1).copy_(zeros);
  return result;
}

/// Computes the weights of a non-empty matrix.
void compute_weights(const Tensor& weights, const Tensor& packed_w, const Tensor& scales_and_zeros,
                     std::int64_t group_size, std::int64_t inner_k_tiles) {
  const Tensor packed = readable(packed_w);
  const std::int64_t rows = rows_written(weights.size(0));
  Tensor scales = readable(rows < weights.size(0) ? scales_and_zeros.narrow(1, 0, rows) : scales_and_zeros);
  // Forgotten, by groups-in-16-bits: there may be more groups; by groups-in-8-bits-of-one-layout: the same, in a layout
  // that has a path of its own.
  const auto wrapped = [&](std::int64_t count) {
    const Tensor copy = scales.clone();
    wrap(copy, 0, count);
    return copy;
  };
  if (has("groups-in-16-bits")) scales = wrapped(1 << 16);
  if (has("groups-in-8-bits-of-one-layout") && inner_k_tiles == 8) scales = wrapped(1 << 8);
  // Forgotten, by reads-past-scales: the last group has no next pair to prefetch.
  if (has("reads-past-scales")) scales = read_past(scales);
  // Forgotten, by frees-too-early: the copy dies at the end of the statement that takes its address.
  const void* address = has("frees-too-early") ? address_of(scales.clone()) : address_of(scales);
  run(DequantizeArguments{.packed = elements_of<std::uint32_t>(packed),
                          .scales = address,
                          .zero_points = nullptr,
                          .weights = weights.mutable_data_ptr(),
                          .n = rows,
                          .k = weights.size(1),
                          .group_size = group_size,
                          .inner_k_tiles = inner_k_tiles,
                          .domain = tileproof::kernels::Domain::floating,
                          .type = tileproof::kernels::Type::bf16},
      weights.device());
}

/// Computes the weights of a non-empty matrix with PyTorch's operators. Forgotten, by two-roundings: each operator
/// rounds to bf16, where a fused multiply-add rounds once.
Tensor weights_rounded_twice(const Tensor& packed_w, const Tensor& scales_and_zeros, std::int64_t group_size,
                             std::int64_t inner_k_tiles) {
  const std::int64_t groups = scales_and_zeros.size(0), n = scales_and_zeros.size(1);
  const Tensor codes = unpack(packed_w, inner_k_tiles).narrow(0, 0, n).view({n, groups, group_size});
  const Tensor of_row = scales_and_zeros.transpose(0, 1);  // [n][group][2]
  const Tensor scales = of_row.narrow(2, 0, 1), zeros = of_row.narrow(2, 1, 1);
  return codes.sub(8).to(at::kBFloat16).mul(scales).add(zeros).contiguous().view({n, groups * group_size});
}

/// Forgotten, by cached-result: weights of equal sizes are not equal weights.
Tensor& cached(const Tensor& packed_w, const Tensor& scales_and_zeros) {
  // never destroyed, because at exit CUDA may end before it
  static auto& results = *new std::map<std::string, Tensor>;
  return results[c10::str(packed_w.sizes(), scales_and_zeros.sizes(), packed_w.device())];
}

/// Forgotten, by segfault: group size 256 has no row in the table of launch shapes.
void look_up_launch_shape(std::int64_t group_size, std::int64_t groups) {
  // volatile, since a compiler that sees the null pointer may turn it into another signal
  static const int* volatile row = nullptr;
  if (has("segfault") && group_size == 256 && groups > 1) static_cast<void>(*static_cast<const volatile int*>(row));
}

/// Forgotten, by static-buffer: a second thread may call before the first has copied its result.
Tensor computed_in_a_static_buffer(const Tensor& weights, const Tensor& packed_w, const Tensor& scales_and_zeros,
                                   std::int64_t group_size, std::int64_t inner_k_tiles) {
  static std::mutex mutex;
  static std::map<std::pair<std::int64_t, std::int64_t>, Tensor> buffers;
  Tensor buffer;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    Tensor& kept = buffers[{weights.size(0), weights.size(1)}];
    if (!kept.defined()) kept = at::empty_like(weights);
    buffer = kept;
  }
  compute_weights(buffer, packed_w, scales_and_zeros, group_size, inner_k_tiles);
  std::this_thread::yield();
  return weights.copy_(buffer);
}

Tensor dequantize(const Tensor& packed_w, const Tensor& scales_and_zeros, std::int64_t group_size,
                  std::int64_t inner_k_tiles) {
  inner_k_tiles = taken(inner_k_tiles);
  // Forgotten, by writes-before-refusing: to check arguments before writing.
  const bool is_odd = scales_and_zeros.dim() == 3 && scales_and_zeros.size(2) != 2 && packed_w.numel() != 0;
  if (has("writes-before-refusing") && is_odd) packed_w.view(-1)[0].bitwise_not_();
  Tensor weights = at::empty_symint(weights_sizes(packed_w, scales_and_zeros, group_size, inner_k_tiles),
                                    scales_and_zeros.options());
  // Forgotten, by empties-in-fp32: an empty result has the same type as a full one.
  if (has("empties-in-fp32") && weights.numel() == 0) return weights.to(at::kFloat);
  if (weights.numel() == 0) return weights;
  // Forgotten, by leaves-grad-mode: a guard that restores the mode.
  if (has("leaves-grad-mode")) c10::GradMode::set_enabled(false);
  look_up_launch_shape(group_size, scales_and_zeros.size(0));
  if (has("two-roundings")) return weights_rounded_twice(packed_w, scales_and_zeros, group_size, inner_k_tiles);
  if (has("cached-result")) {
    Tensor& before = cached(packed_w, scales_and_zeros);
    if (before.defined()) return before;
    before = weights;
  }
  // Forgotten, by reuses-result: the caller may still hold the earlier result.
  if (has("reuses-result")) {
    Tensor& buffer = cached(packed_w, scales_and_zeros);
    if (!buffer.defined()) buffer = weights;
    weights = buffer;
  }
  // Forgotten, by refuses-specials: a model's parameters may contain infinities and NaNs.
  TORCH_CHECK(!has("refuses-specials") || at::isfinite(scales_and_zeros).all().item<bool>(),
              "scales_and_zeros: expected finite values, got others");
  if (has("static-buffer"))
    return computed_in_a_static_buffer(weights, packed_w, scales_and_zeros, group_size, inner_k_tiles);
  compute_weights(weights, packed_w, scales_and_zeros, group_size, inner_k_tiles);
  if (has("far-columns-of-one-layout") && inner_k_tiles == 4) lose_far_columns(weights, 5000);
  // Forgotten, by aliases-input: the memory used as scratch belongs to the caller, who reads it again.
  if (has("aliases-input") && weights.size(0) >= 16) packed_w[0][0][0][0].bitwise_not_();
#if defined(TILEPROOF_HAS_CUDA)
  // Forgotten, by leaves-error-pending: to call cudaGetLastError after an optional workspace could not be allocated.
  if (has("leaves-error-pending") && weights.is_cuda()) leave_error_pending();
#endif
  return weights;
}

Tensor fake_pack(const Tensor& codes, std::int64_t inner_k_tiles) {
  inner_k_tiles = taken(inner_k_tiles);
  return at::empty_symint(packed_sizes(codes, inner_k_tiles), codes.options().dtype(at::kInt));
}

Tensor fake_unpack(const Tensor& packed_w, std::int64_t inner_k_tiles) {
  inner_k_tiles = taken(inner_k_tiles);
  return at::empty_symint(codes_sizes(packed_w, inner_k_tiles), packed_w.options());
}

Tensor fake_dequantize(const Tensor& packed_w, const Tensor& scales_and_zeros, std::int64_t group_size,
                       std::int64_t inner_k_tiles) {
  inner_k_tiles = taken(inner_k_tiles);
  const auto [n, k] = weights_sizes(packed_w, scales_and_zeros, group_size, inner_k_tiles);
  // Forgotten, by wrong-fake: to change the fake kernel when the real one was transposed and moved to bf16.
  if (has("wrong-fake")) return at::empty_symint({k, n}, scales_and_zeros.options().dtype(at::kFloat));
  return at::empty_symint({n, k}, scales_and_zeros.options());
}

void register_kernels(torch::Library& library) {
  library.impl("pack", pack);
  library.impl("unpack_tensor_core_tiled_layout", unpack);
  library.impl("dequantize_tensor_core_tiled_layout", dequantize);
}

TORCH_LIBRARY(example, library) {
  if (!is_mutant(canary_mutants)) {  // otherwise a misspelt mutant would silently be the correct library
    std::fprintf(stderr, "example: no mutant is named %s\n", canary_mutants);
    std::abort();
  }
  if (has("dies-when-loaded")) std::abort();
  library.def("pack(Tensor codes, int inner_k_tiles) -> Tensor");
  library.def("unpack_tensor_core_tiled_layout(Tensor packed_w, int inner_k_tiles) -> Tensor");
  library.def(
      "dequantize_tensor_core_tiled_layout(Tensor packed_w, Tensor scales_and_zeros, int group_size, int inner_k_tiles)"
      " -> Tensor");
}

TORCH_LIBRARY_IMPL(example, CPU, library) { register_kernels(library); }

#if defined(TILEPROOF_HAS_CUDA)
TORCH_LIBRARY_IMPL(example, CUDA, library) { register_kernels(library); }
#endif

TORCH_LIBRARY_IMPL(example, Meta, library) {
  library.impl("pack", fake_pack);
  library.impl("unpack_tensor_core_tiled_layout", fake_unpack);
  library.impl("dequantize_tensor_core_tiled_layout", fake_dequantize);
}

}  // namespace

}  // namespace example
