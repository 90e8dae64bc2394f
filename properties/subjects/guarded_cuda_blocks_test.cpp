// Tests guarded blocks of a CUDA device with a driver that has host memory for a device's.
#include "properties/subjects/guarded_cuda_blocks.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>

namespace tileproof {

namespace {

/// A driver for tests: it records what it is asked for, and answers as a test says.
struct Device {
  std::set<void*> allocated;
  std::size_t room_bytes = std::size_t{1} << 40;  // of one allocation
  std::size_t most_allocated = 1000;
  int contexts = 0;  // that are pushed now
  bool is_lost = false;
  bool records = false;  // the stream records a graph
  bool may_allocate = true;
} device;

void* pointer(unsigned long long number) { return reinterpret_cast<void*>(number); }

/// Every function but one needs a context.
int answer(bool is_right = true) { return device.is_lost ? 700 : device.contexts >= 1 && is_right ? 0 : 1; }

const CudaDriver driver = {.init = [](unsigned) { return 0; },
                           .device_get =
                               [](int* number, int ordinal) {
                                 *number = ordinal + 70;
                                 return 0;
                               },
                           .primary_context_retain =
                               [](void** context, int number) {
                                 *context = &device;
                                 return number == 70 ? 0 : 101;
                               },
                           .context_push =
                               [](void* context) {
                                 ++device.contexts;
                                 return context == &device ? 0 : 201;
                               },
                           .context_pop =
                               [](void**) {
                                 --device.contexts;
                                 return 0;
                               },
                           .context_synchronize = [] { return answer(); },
                           .allocate =
                               [](unsigned long long* memory, std::size_t bytes) {
                                 if (answer() != 0 || !device.may_allocate) return 900;
                                 if (bytes > device.room_bytes || device.allocated.size() >= device.most_allocated)
                                   return 2;
                                 void* const one = std::malloc(bytes);
                                 std::memset(one, 0x77, bytes);
                                 device.allocated.insert(one);
                                 *memory = reinterpret_cast<std::uintptr_t>(one);
                                 return 0;
                               },
                           .free =
                               [](unsigned long long memory) {
                                 const bool is_known = device.allocated.erase(pointer(memory)) == 1;
                                 std::free(pointer(memory));
                                 return answer(is_known);
                               },
                           .fill_bytes =
                               [](unsigned long long to, unsigned char byte, std::size_t bytes, void*) {
                                 std::memset(pointer(to), byte, bytes);
                                 return answer();
                               },
                           .fill_half_words =
                               [](unsigned long long to, unsigned short half_word, std::size_t half_words, void*) {
                                 for (std::size_t i = 0; i < half_words; ++i)
                                   static_cast<std::uint16_t*>(pointer(to))[i] = half_word;
                                 return answer();
                               },
                           .copy =
                               [](unsigned long long to, unsigned long long from, std::size_t bytes) {
                                 if (answer() == 0) std::memcpy(pointer(to), pointer(from), bytes);
                                 return answer();
                               },
                           .error_name =
                               [](int error, const char** name) {
                                 *name = error == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : nullptr;
                                 return 0;
                               },
                           .is_capturing =
                               [](void*, int* status) {
                                 *status = device.records;
                                 return answer();
                               },
                           .exchange_capture_mode =
                               [](int* mode) {
                                 device.may_allocate = *mode == 2;
                                 *mode = 0;
                                 return 0;
                               }};

class CudaBlocks : public testing::Test {
 protected:
  CudaBlocks() { device = {}; }
  ~CudaBlocks() override {
    for (void* one : device.allocated) std::free(one);
    device = {};
  }

  std::uint8_t* allocated(std::size_t bytes) {
    return static_cast<std::uint8_t*>(blocks_.allocate(bytes, /*device=*/0, /*stream=*/nullptr));
  }
  /// The message of the check; "" if it finds nothing.
  std::string found() {
    try {
      blocks_.check();
    } catch (const GuardViolation& violation) {
      return violation.what();
    }
    return "";
  }

  const Fill fill_ = {.poison = 0xffa5, .fence = 0xff};
  GuardedCudaBlocks blocks_{driver};
};

TEST_F(CudaBlocks, HoldThePoisonBetweenFencesWhileGuardingIsOn) {
  const Guarding guarding(blocks_, fill_);
  const std::uint8_t* const five = allocated(5);
  EXPECT_EQ(std::memcmp(five, "\xa5\xff\xa5\xff\xa5\xff\xff", 7), 0);
  for (std::size_t i = 1; i <= side_fence_bytes; ++i) {
    ASSERT_EQ(five[-static_cast<std::ptrdiff_t>(i)], 0xff);
    ASSERT_EQ(five[4 + i], 0xff);
  }
  EXPECT_EQ(found(), "");
}

TEST_F(CudaBlocks, ShowAWriteOutsideOnce) {
  const Guarding guarding(blocks_, fill_);
  allocated(100)[103] = 0;
  EXPECT_EQ(found(), "wrote outside a tensor of 100 bytes that it allocated: the byte 4 past its end was changed");
  EXPECT_EQ(found(), "");
  allocated(7)[-2] = 0;
  EXPECT_EQ(found(),
            "wrote outside a tensor of 7 bytes that it allocated: the byte 2 before its beginning was changed");
}

TEST_F(CudaBlocks, ThatWereGivenBackAreWatchedToTheCheckAndThenUsedAgain) {
  const Guarding guarding(blocks_, fill_);
  std::uint8_t* const first = allocated(100);
  blocks_.give_back(first, nullptr);
  EXPECT_EQ(first[0], 0xff) << "what reads it now finds no tensor's bytes";
  EXPECT_NE(allocated(100), first);
  first[100] = 0;
  EXPECT_NE(found(), "");
  EXPECT_EQ(allocated(100), first);
  EXPECT_EQ(std::memcmp(first, "\xa5\xff\xa5\xff", 4), 0);
  EXPECT_EQ(found(), "");
}

TEST_F(CudaBlocks, AreNeitherFilledNorWatchedWhileGuardingIsOff) {
  std::uint8_t* const one = allocated(16);
  EXPECT_EQ(one[0], 0x77);
  one[16] = 0;
  EXPECT_EQ(found(), "");
  blocks_.give_back(one, nullptr);
  int other = 0;
  blocks_.give_back(&other, nullptr);  // another allocator's
  EXPECT_EQ(found(), "");
}

TEST_F(CudaBlocks, AreFreedForOthersWhereTheDeviceHasNoMoreAndStillJudged) {
  device.most_allocated = 2;
  const Guarding guarding(blocks_, fill_);
  std::uint8_t* const first = allocated(100000);
  first[100000] = 0;
  blocks_.give_back(first, nullptr);
  allocated(100);
  EXPECT_NE(allocated(5000000), nullptr);  // too large for the first one's memory
  EXPECT_EQ(device.allocated.size(), 2u);
  EXPECT_EQ(found(), "wrote outside a tensor of 100000 bytes that it allocated: the byte 1 past its end was changed");
  try {
    allocated(5000000);
    ADD_FAILURE() << "there was no memory";
  } catch (const OutOfDeviceMemory& error) {
    EXPECT_STREQ(error.what(), "out of the device's memory: 5008384 bytes, CUDA_ERROR_OUT_OF_MEMORY");
  }
}

TEST_F(CudaBlocks, OfAGraphAreNeverUsedAgain) {
  EXPECT_EQ(blocks_.allocate_for_graph(100, 0, nullptr), nullptr) << "nothing is recorded";
  device.records = true;
  device.may_allocate = false;  // as of a thread that records
  const Guarding guarding(blocks_, fill_);
  void* const one = blocks_.allocate_for_graph(100, 0, nullptr);
  ASSERT_NE(one, nullptr);
  EXPECT_FALSE(device.may_allocate) << "the thread records on";
  blocks_.give_back(one, nullptr);
  EXPECT_EQ(found(), "");
  device.may_allocate = true;
  EXPECT_NE(allocated(100), one);
  EXPECT_EQ(device.allocated.size(), 2u);
}

TEST_F(CudaBlocks, SayThatTheDeviceIsLost) {
  const auto is_lost = [&](auto use) {
    try {
      use();
    } catch (const SubjectError& error) {
      EXPECT_NE(std::string(error.what()).find("error 700"), std::string::npos) << error.what();
      return error.device_lost;
    }
    return false;
  };
  const Guarding guarding(blocks_, fill_);
  std::uint8_t* const one = allocated(100);
  EXPECT_FALSE(is_lost([&] { blocks_.wait(); }));
  device.is_lost = true;
  EXPECT_NO_THROW(blocks_.give_back(one, nullptr));
  EXPECT_TRUE(is_lost([&] { blocks_.wait(); }));
  EXPECT_TRUE(is_lost([&] { blocks_.check(); }));
  EXPECT_EQ(device.contexts, 0);
}

TEST_F(CudaBlocks, OfADeviceThatIsNotThereAreRefused) {
  EXPECT_THROW(blocks_.allocate(100, /*device=*/1, nullptr), SubjectError);
}

}  // namespace

}  // namespace tileproof
