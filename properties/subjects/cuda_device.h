/// The GPU that subjects run on, for people who compare two runs.
#pragma once

#include <map>
#include <string>

namespace tileproof {

/// Facts about the current device from the CUDA runtime: name, compute_capability, sms, driver, runtime, ... Empty if
/// there is no device, or this was built without CUDA.
std::map<std::string, std::string> cuda_device();

/// @return why no subject can run on a GPU here; "" if one can
std::string why_no_cuda_device();

}  // namespace tileproof
