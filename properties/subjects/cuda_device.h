/// The GPU that subjects run on, for people who compare two runs.
#pragma once

#include <map>
#include <string>

namespace tileproof {

/// Of the current device, as far as the CUDA runtime knows: name, compute_capability, sms, driver, runtime, ... Nothing
/// where there is no device, or this was built without CUDA.
std::map<std::string, std::string> cuda_device();

}  // namespace tileproof
