/// Where a subject's tensors live, and how the harness reaches them.
#pragma once

#include <cstddef>

namespace tileproof {

class Memory {
 public:
  virtual ~Memory() = default;
  /// At least `bytes` bytes, aligned to 256, valid until the next call; nothing else lives there.
  virtual void* arena(std::size_t bytes) = 0;
  virtual void copy_in(void* to, const void* from_host, std::size_t bytes) = 0;
  virtual void copy_out(void* to_host, const void* from, std::size_t bytes) = 0;
  // Where the memory can tell: a touch of forbidden bytes ends the process with a report.
  virtual void forbid(void* /*begin*/, std::size_t /*bytes*/) {}
  virtual void allow(void* /*begin*/, std::size_t /*bytes*/) {}
};

/// Plain memory of this process. Under AddressSanitizer it can forbid.
Memory& host_memory();

/// The same without forbidding: for subjects that are meant to be caught by their fences, in a process that goes on.
Memory& lenient_host_memory();

}  // namespace tileproof
