// The launchers on a GPU: what they refuse, what they leave behind, and that they only launch. Values are properties/'s
// part; here the device is held against the host run of the same kernels where a grid has its limits.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cstring>
#include <utility>

#include "kernels/elements_for_tests.h"
#include "kernels/kernels.h"

namespace tileproof::kernels {

namespace {

/// Device memory of one test.
class DeviceBytes {
 public:
  explicit DeviceBytes(std::size_t bytes) { EXPECT_EQ(cudaMalloc(&memory_, bytes), cudaSuccess); }
  ~DeviceBytes() { cudaFree(memory_); }
  DeviceBytes(DeviceBytes&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}
  DeviceBytes& operator=(DeviceBytes&&) = delete;

  template <class T>
  T* as() const {
    return static_cast<T*>(memory_);
  }

 private:
  void* memory_ = nullptr;
};

class Launch : public testing::Test {
 protected:
  void SetUp() override {
    int devices = 0;
    const cudaError_t error = cudaGetDeviceCount(&devices);
    cudaGetLastError();
    if (error == cudaSuccess && devices > 0) return;
#if defined(TILEPROOF_REQUIRE_GPU)
    FAIL() << "no CUDA device: " << cudaGetErrorString(error);
#else
    GTEST_SKIP() << "no CUDA device: " << cudaGetErrorString(error);
#endif
  }
};

TEST_F(Launch, AcceptsEmptyMatricesWithoutMemory) {
  EXPECT_EQ(pack(PackArguments{nullptr, nullptr, 0, 64, 2}, cudaStream_t{}), cudaSuccess);
  EXPECT_EQ(unpack(UnpackArguments{nullptr, nullptr, 8, 0, 4}, cudaStream_t{}), cudaSuccess);
  EXPECT_EQ(
      dequantize(DequantizeArguments{nullptr, nullptr, nullptr, nullptr, 0, 0, 32, 8, Domain::integer, Type::fp32},
                 cudaStream_t{}),
      cudaSuccess);
  EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
}

TEST_F(Launch, RefusesIllegalArgumentsAndLeavesNoErrorPending) {
  const DeviceBytes bytes(4096);
  EXPECT_EQ(unpack(UnpackArguments{bytes.as<std::uint32_t>(), bytes.as<std::int32_t>(), 8, 40, 2}, cudaStream_t{}),
            cudaErrorInvalidValue);
  EXPECT_EQ(pack(PackArguments{nullptr, bytes.as<std::uint32_t>(), 8, 64, 2}, cudaStream_t{}), cudaErrorInvalidValue);
  EXPECT_EQ(unpack(UnpackArguments{bytes.as<std::uint32_t>(), bytes.as<std::int32_t>() + 1, 8, 32, 2}, cudaStream_t{}),
            cudaErrorInvalidValue);
  EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
}

/// A stream that captures refuses every synchronisation: a launcher that ends the capture well has only launched.
TEST_F(Launch, OnlyLaunchesSoThatAGraphCanBeCaptured) {
  const DeviceBytes packed(8 * 64 / 2), codes(8 * 64 * 4), scales(4096);
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  EXPECT_EQ(unpack(UnpackArguments{packed.as<std::uint32_t>(), codes.as<std::int32_t>(), 8, 64, 2}, stream),
            cudaSuccess);
  EXPECT_EQ(pack(PackArguments{codes.as<std::uint8_t>(), packed.as<std::uint32_t>(), 8, 64, 2}, stream), cudaSuccess);
  EXPECT_EQ(dequantize(DequantizeArguments{packed.as<std::uint32_t>(), scales.as<void>(), nullptr, codes.as<void>(), 8,
                                           64, 32, 2, Domain::floating, Type::bf16},
                       stream),
            cudaSuccess);
  ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
  std::size_t nodes = 0;
  EXPECT_EQ(cudaGraphGetNodes(graph, nullptr, &nodes), cudaSuccess);
  EXPECT_EQ(nodes, 3u);
  cudaGraphDestroy(graph);
  cudaStreamDestroy(stream);
}

/// A copy of some memory on the device.
DeviceBytes on_device(Elements& elements) {
  DeviceBytes copy(elements.size() * sizeof(Sixteen));
  EXPECT_EQ(cudaMemcpy(copy.as<void>(), elements.data(), elements.size() * sizeof(Sixteen), cudaMemcpyHostToDevice),
            cudaSuccess);
  return copy;
}
Elements on_host(const DeviceBytes& bytes, std::int64_t count) {
  Elements copy = elements(count);
  EXPECT_EQ(cudaMemcpy(copy.data(), bytes.as<void>(), copy.size() * sizeof(Sixteen), cudaMemcpyDeviceToHost),
            cudaSuccess);
  return copy;
}

/// More than 65,535 n-tiles, supertiles or experts: the second and third dimension of a grid end there, and 16 bits.
TEST_F(Launch, TakesMoreOfEverythingThanAGridHasRows) {
  struct Sizes {
    std::int64_t n, k, experts;
  };
  for (const auto& [n, k, experts] :
       {Sizes{8 * 65535, 32, 1}, Sizes{8 * 65536 + 3, 32, 1}, Sizes{8, 32 * 65537, 1}, Sizes{3, 32, 65537}}) {
    constexpr std::int64_t group_size = 16, inner_k_tiles = 2;
    const std::int64_t bytes = experts * n * k / 2, packed_bytes = experts * ((n + 7) / 8 * 8) * k / 2;
    const std::int64_t codes_bytes = experts * n * k * 4, weights_bytes = experts * n * k * 2;
    Elements codes = noise(bytes, 1), packed = elements(packed_bytes), unpacked = elements(codes_bytes),
             weights = elements(weights_bytes);
    Elements scales = noise(experts * (k / group_size) * n * 4, 2);
    const PackArguments pack_here = {as<std::uint8_t>(codes), as<std::uint32_t>(packed), n, k, inner_k_tiles, experts};
    pack(pack_here, Range{0, threads_of(pack_here)});
    const UnpackArguments unpack_here = {
        as<std::uint32_t>(packed), as<std::int32_t>(unpacked), n, k, inner_k_tiles, experts};
    unpack(unpack_here, Range{0, threads_of(unpack_here)});
    const DequantizeArguments dequantize_here = {
        as<std::uint32_t>(packed), as<void>(scales), nullptr, as<void>(weights), n, k, group_size, inner_k_tiles,
        Domain::floating,          Type::bf16,       experts};
    dequantize(dequantize_here, Range{0, threads_of(dequantize_here)});

    const DeviceBytes codes_there = on_device(codes), scales_there = on_device(scales);
    const DeviceBytes packed_there(packed.size() * 16), unpacked_there(unpacked.size() * 16),
        weights_there(weights.size() * 16);
    PackArguments pack_there = pack_here;
    pack_there.codes = codes_there.as<std::uint8_t>();
    pack_there.packed = packed_there.as<std::uint32_t>();
    ASSERT_EQ(pack(pack_there, cudaStream_t{}), cudaSuccess);
    UnpackArguments unpack_there = unpack_here;
    unpack_there.packed = packed_there.as<std::uint32_t>();
    unpack_there.codes = unpacked_there.as<std::int32_t>();
    ASSERT_EQ(unpack(unpack_there, cudaStream_t{}), cudaSuccess);
    DequantizeArguments dequantize_there = dequantize_here;
    dequantize_there.packed = packed_there.as<std::uint32_t>();
    dequantize_there.scales = scales_there.as<void>();
    dequantize_there.weights = weights_there.as<void>();
    ASSERT_EQ(dequantize(dequantize_there, cudaStream_t{}), cudaSuccess);

    const auto same = [](Elements& one, Elements other, std::int64_t count) {
      return std::memcmp(one.data(), other.data(), static_cast<std::size_t>(count)) == 0;
    };
    EXPECT_TRUE(same(packed, on_host(packed_there, packed_bytes), packed_bytes)) << n << " x " << k;
    EXPECT_TRUE(same(unpacked, on_host(unpacked_there, codes_bytes), codes_bytes)) << n << " x " << k;
    EXPECT_TRUE(same(weights, on_host(weights_there, weights_bytes), weights_bytes)) << n << " x " << k;
  }
}

}  // namespace

}  // namespace tileproof::kernels
