// The launchers on a GPU: what they refuse, what they leave behind, and that they only launch. Values are properties/'s
// part; here the device is held against the host run of the same kernels where a grid has its limits.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <vector>

#include "kernels.h"

namespace tileproof::kernels {

namespace {

/// Device memory of one test.
class DeviceBytes {
 public:
  explicit DeviceBytes(std::size_t bytes) { EXPECT_EQ(cudaMalloc(&memory_, bytes), cudaSuccess); }
  ~DeviceBytes() { cudaFree(memory_); }
  DeviceBytes(const DeviceBytes&) = delete;
  DeviceBytes& operator=(const DeviceBytes&) = delete;

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

/// More than 65,535 n-tiles: the second and third dimension of a grid end there.
TEST_F(Launch, TakesMoreTilesThanAGridHasRows) {
  for (const std::int64_t n : {8 * std::int64_t{65535}, 8 * std::int64_t{65536} + 3}) {
    constexpr std::int64_t k = 32;
    const std::int64_t words = (n + 7) / 8 * k;
    std::vector<std::uint32_t> packed(static_cast<std::size_t>(words));
    std::uint32_t state = 1;
    for (std::uint32_t& word : packed) word = state = state * 1664525u + 1013904223u;
    std::vector<std::int32_t> on_host(static_cast<std::size_t>(n * k)), on_device(on_host.size(), -1);
    const UnpackArguments host = {packed.data(), on_host.data(), n, k, 2};
    unpack(host, Range{0, threads_of(host)});

    const DeviceBytes from(packed.size() * 4), to(on_device.size() * 4);
    ASSERT_EQ(cudaMemcpy(from.as<void>(), packed.data(), packed.size() * 4, cudaMemcpyHostToDevice), cudaSuccess);
    ASSERT_EQ(unpack(UnpackArguments{from.as<std::uint32_t>(), to.as<std::int32_t>(), n, k, 2}, cudaStream_t{}),
              cudaSuccess);
    ASSERT_EQ(cudaMemcpy(on_device.data(), to.as<void>(), on_device.size() * 4, cudaMemcpyDeviceToHost), cudaSuccess);
    EXPECT_TRUE(on_device == on_host) << "n = " << n;
  }
}

}  // namespace

}  // namespace tileproof::kernels
