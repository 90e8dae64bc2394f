/// The device-specific part of running operators: memory, errors, streams. Internal to the torch subjects.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <functional>
#include <vector>

#include "properties/subjects/guarded_blocks.h"
#include "properties/subjects/operators.h"

namespace tileproof {

class DeviceBackend {
 public:
  using Values = std::vector<c10::IValue>;
  using Operator = std::function<at::Tensor(const Values&)>;

  virtual ~DeviceBackend() = default;

  virtual c10::Device device() const = 0;
  virtual Memory& memory() = 0;

  virtual GuardedBlocks& blocks() = 0;
  /// Waits for the device, then checks the fences and looks for pending errors.
  /// @throws GuardViolation, SubjectError
  virtual void check() { blocks().check(); }

  /// Runs an operator in a mode.
  /// @param alternates  other contents for the same storages, in the order of the tensors
  virtual at::Tensor call(const Operator&, const Values&, const std::vector<at::Tensor>& alternates, CallMode) = 0;

  /// Runs the work of one of several threads, on a stream that the other threads' work does not wait for.
  virtual void in_a_stream_of_its_own(const std::function<void()>&) = 0;

  /// Selects another way of running that must give the same bits; 0 is the usual one.
  virtual void vary(std::uint64_t variation) = 0;
};

DeviceBackend& cpu_backend();

}  // namespace tileproof
