#include "properties/subjects/cuda_device.h"

#if defined(TILEPROOF_HAS_CUDA)
#include "properties/memory/cuda_errors.h"
#endif

namespace tileproof {

#if !defined(TILEPROOF_HAS_CUDA)
std::map<std::string, std::string> cuda_device() { return {}; }
#else
std::map<std::string, std::string> cuda_device() {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    cudaGetLastError();
    return {};
  }
  int device = 0, driver = 0, runtime = 0;
  cudaDeviceProp properties = {};
  require(cudaGetDevice(&device), "cudaGetDevice");
  require(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  require(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  require(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  const auto attribute = [device](cudaDeviceAttr which) {
    int value = 0;
    require(cudaDeviceGetAttribute(&value, which, device), "cudaDeviceGetAttribute");
    return value;
  };
  const auto version = [](int number) {
    return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
  };
  return {{"name", properties.name},
          {"compute_capability", std::to_string(properties.major) + "." + std::to_string(properties.minor)},
          {"sms", std::to_string(properties.multiProcessorCount)},
          {"sm_clock_mhz", std::to_string(attribute(cudaDevAttrClockRate) / 1000)},
          {"memory_clock_mhz", std::to_string(attribute(cudaDevAttrMemoryClockRate) / 1000)},
          {"l2_bytes", std::to_string(attribute(cudaDevAttrL2CacheSize))},
          {"memory_bytes", std::to_string(properties.totalGlobalMem)},
          {"driver", version(driver)},
          {"runtime", version(runtime)}};
}
#endif

}  // namespace tileproof
