// Indices of more than 32 bits, without the memory: the operands are mapped and never reserved, and the last threads of
// an operation touch a few pages of them. What those threads do is held against the specification.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstdint>

#include "../kernels/kernels.h"
#include "../reference/matrix.h"
#include "draw.h"

namespace tileproof {

namespace {

/// Address space that becomes memory where it is touched.
template <class T>
class Sparse {
 public:
  explicit Sparse(std::int64_t elements) : bytes_(static_cast<std::size_t>(elements) * sizeof(T)) {
    memory_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  ~Sparse() {
    if (memory_ != MAP_FAILED) munmap(memory_, bytes_);
  }
  Sparse(const Sparse&) = delete;
  Sparse& operator=(const Sparse&) = delete;

  bool mapped() const { return memory_ != MAP_FAILED; }
  T* data() const { return static_cast<T*>(memory_); }

 private:
  std::size_t bytes_;
  void* memory_;
};

constexpr std::int64_t n = (std::int64_t{1} << 22) + 8;
constexpr std::int64_t k = std::int64_t{1} << 14;
constexpr std::int64_t last_threads = 4096;  // of the last n-tile, in whatever order its elements are shared out
constexpr std::int64_t last_columns = 1024;  // of the last row, which those threads store in any case

class IndexBeyond32Bits : public testing::TestWithParam<int> {};

TEST_P(IndexBeyond32Bits, UnpacksTheLastElements) {
  const int inner_k_tiles = GetParam();
  const Sparse<std::uint32_t> packed(n * k / 8);
  const Sparse<std::int32_t> codes(n * k);
  if (!packed.mapped() || !codes.mapped()) GTEST_SKIP() << "no address space for 2^36 elements";
  for (std::int64_t column = k - last_columns; column < k; ++column) {
    const auto place = reference::place_of(n - 1, column, k, inner_k_tiles);
    packed.data()[place.word] =
        static_cast<std::uint32_t>(drawn(1, stream::words, static_cast<std::uint64_t>(column)) >> 32);
  }
  const kernels::UnpackArguments arguments = {packed.data(), codes.data(), n, k, inner_k_tiles};
  const std::int64_t threads = kernels::threads_of(arguments);
  ASSERT_GT(threads, std::int64_t{1} << 32);
  kernels::unpack(arguments, {threads - last_threads, threads});
  int seen = 0;
  for (std::int64_t column = k - last_columns; column < k; ++column) {
    const int expected = reference::code_of_packed(packed.data(), n - 1, column, k, inner_k_tiles);
    ASSERT_EQ(codes.data()[(n - 1) * k + column], expected) << column;
    seen |= 1 << expected;
  }
  EXPECT_EQ(seen, 0xffff);
}

TEST_P(IndexBeyond32Bits, DequantizesTheLastElements) {
  const int inner_k_tiles = GetParam();
  constexpr std::int64_t group_size = 32;
  const Sparse<std::uint32_t> packed(n * k / 8);
  const Sparse<std::uint16_t> scales(n * (k / group_size));
  const Sparse<std::uint16_t> weights(n * k);
  if (!packed.mapped() || !scales.mapped() || !weights.mapped()) GTEST_SKIP() << "no address space for 2^36 elements";
  for (std::int64_t column = k - last_columns; column < k; ++column) {
    const auto place = reference::place_of(n - 1, column, k, inner_k_tiles);
    packed.data()[place.word] =
        static_cast<std::uint32_t>(drawn(2, stream::words, static_cast<std::uint64_t>(column)) >> 32);
    scales.data()[column / group_size * n + n - 1] = static_cast<std::uint16_t>(0x3f80 + column / group_size % 128);
  }
  const kernels::DequantizeArguments arguments = {
      packed.data(),         scales.data(),      nullptr, weights.data(), n, k, group_size, inner_k_tiles,
      kernels::Domain::none, kernels::Type::bf16};
  const std::int64_t threads = kernels::threads_of(arguments);
  ASSERT_GT(threads, std::int64_t{1} << 32);
  kernels::dequantize(arguments, {threads - last_threads, threads});
  for (std::int64_t column = k - last_columns; column < k; ++column) {
    const int code = reference::code_of_packed(packed.data(), n - 1, column, k, inner_k_tiles);
    const std::uint16_t scale = scales.data()[column / group_size * n + n - 1];
    ASSERT_EQ(weights.data()[(n - 1) * k + column], reference::dequantized_none(reference::bf16, code, scale))
        << column;
  }
}

INSTANTIATE_TEST_SUITE_P(InnerKTiles, IndexBeyond32Bits, testing::Values(2, 4, 8));

}  // namespace

}  // namespace tileproof
