#include "properties/memory/page_guard.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <new>

namespace tileproof {

namespace {

std::size_t in_whole_pages(std::size_t bytes) {
  static const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

/// A call whose tensors are being watched.
struct WatchedCall {
  const std::vector<GuardedTensor>& tensors;
  OnTouch on_touch;
  sigjmp_buf before_call = {};
  char message[256] = "";
};

// The signal handler reads this table, so it is lock-free. Each thread watches one call at a time; with more threads
// than slots, the last calls are watched only on their own threads.
constexpr std::size_t most_calls = 1024;
std::array<std::atomic<WatchedCall*>, most_calls> watched_calls;
thread_local WatchedCall* call_of_thread = nullptr;
struct sigaction handler_before;
std::atomic<int> told_on = STDERR_FILENO;

bool is_write(const void* context) {
#if defined(__x86_64__)
  constexpr greg_t write_bit = 2;  // in the page fault's error code
  return (static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_ERR] & write_bit) != 0;
#else
  static_cast<void>(context);
  return false;
#endif
}

/// Writes the message for a touch beside a tensor of the call.
/// @return whether the address belongs to such a page
bool describe_touch(WatchedCall& call, const std::uint8_t* at, bool wrote) {
  const GuardedTensor* nearest = nullptr;
  std::size_t distance = untouchable_bytes;
  for (const GuardedTensor& tensor : call.tensors) {
    const bool is_before = at < tensor.pages.begin;
    if (!is_before && at < tensor.pages.end) continue;
    const auto bytes = static_cast<std::size_t>(is_before ? tensor.begin - at : at - tensor.end + 1);
    if (bytes > distance) continue;
    distance = bytes;
    nearest = &tensor;
  }
  if (nearest == nullptr) return false;
  const bool is_before = at < nearest->begin;
  std::snprintf(call.message, sizeof call.message, "%s %s of %s: the byte %zu %s", wrote ? "wrote" : "read",
                is_before ? "before the beginning" : "past the end", nearest->name, distance,
                is_before ? "before its beginning" : "past its end");
  return true;
}

WatchedCall* call_touched(const std::uint8_t* at, bool wrote) {
  if (call_of_thread != nullptr && describe_touch(*call_of_thread, at, wrote)) return call_of_thread;
  for (const std::atomic<WatchedCall*>& slot : watched_calls) {
    WatchedCall* call = slot.load();
    if (call != nullptr && call != call_of_thread && describe_touch(*call, at, wrote)) return call;
  }
  return nullptr;
}

void on_fault(int signal, siginfo_t* info, void* context) {
  const bool is_of_address = info->si_code > 0;  // sent by the kernel for a fault, not by kill()
  WatchedCall* call = nullptr;
  if (is_of_address) call = call_touched(static_cast<const std::uint8_t*>(info->si_addr), is_write(context));
  if (call != nullptr && call == call_of_thread && call->on_touch == OnTouch::ends_call) {
    siglongjmp(call->before_call, 1);
  }
  if (call != nullptr) {
    if (write(told_on, call->message, std::strlen(call->message)) < 0) _exit(128 + signal);
  }
  // With the earlier handler restored, the instruction runs again and faults again.
  sigaction(signal, &handler_before, nullptr);
  if (!is_of_address) raise(signal);
}

void install_handler() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action = {};
    action.sa_sigaction = on_fault;
    // not blocked, because the jump out of the handler does not restore the mask
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(SIGSEGV, &action, &handler_before);
  });
}

/// Registers a call for as long as it lives.
class Registered {
 public:
  explicit Registered(WatchedCall& call) : outer_(call_of_thread) {
    call_of_thread = &call;
    for (std::atomic<WatchedCall*>& slot : watched_calls) {
      WatchedCall* free = nullptr;
      if (!slot.compare_exchange_strong(free, &call)) continue;
      slot_ = &slot;
      break;
    }
  }
  Registered(const Registered&) = delete;
  Registered& operator=(const Registered&) = delete;
  ~Registered() {
    call_of_thread = outer_;
    if (slot_ != nullptr) slot_->store(nullptr);
  }

 private:
  WatchedCall* outer_;
  std::atomic<WatchedCall*>* slot_ = nullptr;
};

/// In a function of its own, so that no local variable changes between sigsetjmp and the jump back.
/// @return whether `use` returned
[[gnu::noinline]] bool has_ended(WatchedCall& call, const std::function<void()>& use) {
  if (sigsetjmp(call.before_call, /*savemask=*/0) != 0) return false;
  use();
  return true;
}

}  // namespace

void tell_touch_on(int descriptor) { told_on = descriptor; }

const std::vector<Pages>& PageGuard::pages_for(const std::vector<std::size_t>& bytes) {
  bool fits = bytes.size() <= pages_.size();
  for (std::size_t i = 0; i < bytes.size() && fits; ++i) {
    fits = bytes[i] <= static_cast<std::size_t>(pages_[i].end - pages_[i].begin);
  }
  if (fits) return pages_;

  constexpr std::size_t least = std::size_t{1} << 16;
  std::vector<std::size_t> sizes;
  std::size_t all = untouchable_bytes;
  for (std::size_t i = 0; i < std::max(bytes.size(), pages_.size()); ++i) {
    const std::size_t had = i < pages_.size() ? static_cast<std::size_t>(pages_[i].end - pages_[i].begin) : least;
    const bool grows = i < bytes.size() && bytes[i] > had;
    if (grows && bytes[i] > std::size_t{1} << 60) throw std::bad_alloc();
    sizes.push_back(in_whole_pages(grows ? bytes[i] + bytes[i] / 2 : had));
    all += sizes.back() + untouchable_bytes;
  }
  unmap();
  void* mapped = mmap(nullptr, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  mapped_ = mapped;
  mapped_bytes_ = all;
  auto* at = static_cast<std::uint8_t*>(mapped) + untouchable_bytes;
  for (const std::size_t size : sizes) {
    if (mprotect(at, size, PROT_READ | PROT_WRITE) != 0) {
      unmap();
      throw std::bad_alloc();
    }
    pages_.push_back({at, at + size});
    at += size + untouchable_bytes;
  }
  return pages_;
}

void PageGuard::unmap() {
  if (mapped_ != nullptr) munmap(mapped_, mapped_bytes_);
  mapped_ = nullptr;
  pages_.clear();
}

std::string touched_by(const std::vector<GuardedTensor>& tensors, OnTouch on_touch, const std::function<void()>& use) {
  install_handler();
  WatchedCall call = {tensors, on_touch};
  const Registered registered(call);
  return has_ended(call, use) ? "" : call.message;
}

}  // namespace tileproof
