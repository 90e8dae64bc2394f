#include "properties/subjects/python_blocks.h"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <unordered_map>

#include "properties/subjects/python/allocations.h"

namespace tileproof {

namespace {

class PythonBlocks : public GuardedHostBlocks {
 public:
  void* allocate(std::size_t alignment, std::size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!on_) return nullptr;
    Block& block = fenced(bytes, std::max(alignment, std::size_t{64}));
    const std::lock_guard<std::mutex> lock_of_handed_out(handed_out_mutex_);
    handed_out_.emplace(block.data(), &block);
    ++count_;
    return block.data();
  }

  std::size_t bytes_of(void* memory) {
    const std::lock_guard<std::mutex> lock(handed_out_mutex_);
    const auto found = handed_out_.find(memory);
    return found == handed_out_.end() ? AllocationFunctions::unknown : found->second->bytes;
  }

  bool take_back(void* memory) {
    if (count_ == 0) return false;
    Block* block = nullptr;
    {
      const std::lock_guard<std::mutex> lock(handed_out_mutex_);
      const auto found = handed_out_.find(memory);
      if (found == handed_out_.end()) return false;
      block = found->second;
      handed_out_.erase(found);
      --count_;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    GuardedHostBlocks::take_back(*block);
    return true;
  }

  // A child of fork() has one thread, which could not unlock what another thread has locked.
  void lock() {
    mutex_.lock();
    handed_out_mutex_.lock();
  }
  void unlock() {
    handed_out_mutex_.unlock();
    mutex_.unlock();
  }

 private:
  // A mutex of its own: check() frees memory while it holds the other one, and is asked here whose it is.
  std::mutex handed_out_mutex_;
  std::unordered_map<void*, Block*> handed_out_;
  std::atomic<std::size_t> count_ = 0;  // of handed_out_
};

PythonBlocks& blocks() {
  static auto* one = new PythonBlocks();  // never deleted: memory may be freed after everything else
  return *one;
}

const AllocationFunctions functions = {.allocate = [](std::size_t alignment, std::size_t bytes) -> void* {
                                         try {
                                           return blocks().allocate(alignment, bytes);
                                         } catch (const std::bad_alloc&) {
                                           return nullptr;  // the C library says so too, or has it without fences
                                         }
                                       },
                                       .bytes_of = [](void* memory) { return blocks().bytes_of(memory); },
                                       .take_back = [](void* memory) { return blocks().take_back(memory); }};

}  // namespace

GuardedBlocks* python_blocks() {
  using Intercept = void (*)(const AllocationFunctions*);
  static const auto intercept = reinterpret_cast<Intercept>(dlsym(RTLD_DEFAULT, name_of_intercepting));
  if (intercept == nullptr) return nullptr;
  static std::once_flag once;
  std::call_once(once, [] {
    pthread_atfork([] { blocks().lock(); }, [] { blocks().unlock(); }, [] { blocks().unlock(); });
    intercept(&functions);
  });
  return &blocks();
}

GuardedCudaBlocks* python_cuda_blocks() {
  static auto* one = cuda_driver() != nullptr ? new GuardedCudaBlocks(*cuda_driver()) : nullptr;  // as blocks()
  return one;
}

namespace {

/// Throws std::runtime_error as torch's C++ library does: the library that an interpreter loads has one of its own, in
/// which the exceptions of a thread are counted apart.
[[noreturn]] void throw_in_torch(const std::string& text) {
  using Throw = void (*)(const char*);
  void* const library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
  if (library != nullptr) {
    const auto thrower = reinterpret_cast<Throw>(dlsym(library, "_ZSt21__throw_runtime_errorPKc"));
    if (thrower != nullptr) thrower(text.c_str());
  }
  throw std::runtime_error(text);
}

}  // namespace

void* allocated_for_torch_on_cuda(std::size_t bytes, int device, void* stream) {
  std::string failed;
  try {
    GuardedCudaBlocks* const blocks = python_cuda_blocks();
    if (blocks == nullptr) throw std::runtime_error("the CUDA driver lacks a function that guarding needs");
    void* const for_graph = blocks->allocate_for_graph(bytes, device, stream);
    return for_graph != nullptr ? for_graph : blocks->allocate(bytes, device, stream);
  } catch (const std::exception& error) {
    failed = error.what();
  }
  throw_in_torch(failed);
}

void give_back_for_torch_on_cuda(void* memory, void* stream) { python_cuda_blocks()->give_back(memory, stream); }

}  // namespace tileproof
