// The guard, tested with short subjects that each break one rule of memory, or none.
#include "properties/memory/guarded.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>

#include "properties/memory/generated_tensor.h"

namespace tileproof {

namespace {

using Addresses = std::vector<void*>;

/// A memory that records what it was asked for, and which bytes a subject may touch.
class WatchedMemory : public Memory {
 public:
  static constexpr std::size_t alignment = 256;

  void* arena(std::size_t bytes) override {
    ++arenas;
    // unlike any byte the guard expects, so the guard must have written what it finds
    storage_.assign(bytes + alignment, 0x5a);
    void* begin = storage_.data();
    std::size_t room = storage_.size();
    begin_ = static_cast<std::uint8_t*>(std::align(alignment, bytes, begin, room));
    forbidden.assign(bytes, false);
    return begin_;
  }
  void copy_in(void* to, const void* from, std::size_t bytes) override {
    copied_in += bytes;
    std::memcpy(to, from, bytes);
  }
  void copy_out(void* to, const void* from, std::size_t bytes) override {
    copied_out += bytes;
    std::memcpy(to, from, bytes);
  }
  void forbid(void* begin, std::size_t bytes) override { mark(begin, bytes, true); }
  void allow(void* begin, std::size_t bytes) override { mark(begin, bytes, false); }

  std::size_t at(const void* address) const {
    return static_cast<std::size_t>(static_cast<const std::uint8_t*>(address) - begin_);
  }

  int arenas = 0;
  std::size_t copied_in = 0;
  std::size_t copied_out = 0;
  std::vector<bool> forbidden;

 private:
  void mark(void* begin, std::size_t bytes, bool value) {
    const auto first = forbidden.begin() + static_cast<std::ptrdiff_t>(at(begin));
    std::fill(first, first + static_cast<std::ptrdiff_t>(bytes), value);
  }
  std::vector<std::uint8_t> storage_;
  std::uint8_t* begin_ = nullptr;
};

constexpr Fill usual = {};

/// A call with an input of five bytes, an input of three 32-bit words, an output of seven 16-bit elements and an output
/// of two words.
struct CallToGuard {
  std::array<std::uint8_t, 5> codes = {10, 11, 12, 13, 14};
  std::array<std::uint32_t, 3> scales = {0x3f800000, 0xffffffff, 0};
  std::array<std::uint16_t, 7> weights = {};
  std::array<std::uint32_t, 2> sums = {};

  std::vector<Tensor> tensors() {
    return {{.name = "codes", .input = codes.data(), .bytes = 5, .element_bytes = 1},
            {.name = "weights", .output = weights.data(), .bytes = 14, .element_bytes = 2},
            {.name = "scales", .input = scales.data(), .bytes = 12, .element_bytes = 4},
            {.name = "sums", .output = sums.data(), .bytes = 8, .element_bytes = 4}};
  }
};

/// Writes every output element, as a correct subject does.
void write_everything(const Addresses& at) {
  for (std::uint16_t i = 0; i < 7; ++i) static_cast<std::uint16_t*>(at[1])[i] = i;
  for (std::uint32_t i = 0; i < 2; ++i) static_cast<std::uint32_t*>(at[3])[i] = 100 + i;
}

std::uint8_t* byte(void* address, std::ptrdiff_t offset) { return static_cast<std::uint8_t*>(address) + offset; }

/// The guard's message for a correct subject that then does one thing more; empty if there is none.
template <class Also>
std::string violation_of(Memory& memory, const Also& also, const Fill& fill = usual) {
  CallToGuard call;
  try {
    guarded(memory, call.tensors(), fill, [&](const Addresses& at) {
      write_everything(at);
      also(at);
    });
  } catch (const GuardViolation& violation) {
    return violation.what();
  }
  return "";
}

/// Runs the tests in host memory and in a memory full of other bytes. The host memory is the lenient kind: under
/// AddressSanitizer the strict kind ends the process at the first forbidden byte, which has a test of its own.
class Guarded : public testing::TestWithParam<bool> {
 protected:
  Memory& memory() { return GetParam() ? static_cast<Memory&>(watched_memory_) : lenient_host_memory(); }

 private:
  WatchedMemory watched_memory_;
};

INSTANTIATE_TEST_SUITE_P(Memories, Guarded, testing::Bool(),
                         [](const auto& row) { return std::string(row.param ? "watched" : "host"); });

struct Side {
  std::size_t tensor;
  const char* name;
  std::ptrdiff_t bytes;
};
constexpr Side sides[] = {{0, "codes", 5}, {1, "weights", 14}, {2, "scales", 12}, {3, "sums", 8}};

TEST_P(Guarded, LetsASubjectPassThatWritesEverythingAndNothingElse) {
  CallToGuard call;
  guarded(memory(), call.tensors(), usual, write_everything);
  EXPECT_EQ(call.weights, (std::array<std::uint16_t, 7>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(call.sums, (std::array<std::uint32_t, 2>{100, 101}));
  EXPECT_EQ(call.codes, CallToGuard().codes);
  EXPECT_EQ(violation_of(memory(), [](const Addresses&) {}), "");
}

TEST_P(Guarded, NamesTheTensorThatAByteWasWrittenBefore) {
  for (const Side& side : sides) {
    for (const std::ptrdiff_t distance : {1, 2, 16, 255}) {
      EXPECT_EQ(violation_of(memory(), [&](const Addresses& at) { *byte(at[side.tensor], -distance) = 0; }),
                std::string("wrote outside ") + side.name + ": the byte " + std::to_string(distance) +
                    " before its beginning was changed");
    }
  }
}

TEST_P(Guarded, NamesTheTensorThatAByteWasWrittenPast) {
  for (const Side& side : sides) {
    for (const std::ptrdiff_t distance : {1, 2, 16, 255}) {
      EXPECT_EQ(
          violation_of(memory(), [&](const Addresses& at) { *byte(at[side.tensor], side.bytes + distance - 1) = 0; }),
          std::string("wrote outside ") + side.name + ": the byte " + std::to_string(distance) +
              " past its end was changed");
    }
  }
}

TEST_P(Guarded, SeesOneFlippedBitOfAnyFence) {
  for (int bit = 0; bit < 8; ++bit) {
    const auto flip = [&](const Addresses& at) { *byte(at[1], 14) ^= static_cast<std::uint8_t>(1 << bit); };
    EXPECT_NE(violation_of(memory(), flip), "") << bit;
  }
}

TEST_P(Guarded, SeesAByteThatEqualsTheFenceUnderAnotherFence) {
  const auto write_ff = [](const Addresses& at) { *byte(at[1], 14) = 0xff; };
  EXPECT_EQ(violation_of(memory(), write_ff, {.fence = 0xff}), "");  // the reason for a property with a second fence
  EXPECT_NE(violation_of(memory(), write_ff, {.fence = 0x3c}), "");
}

TEST_P(Guarded, NamesTheElementOfAnInputThatWasChanged) {
  struct Row {
    std::size_t tensor;
    std::ptrdiff_t byte;
    const char* message;
  };
  for (const Row& row : {Row{0, 0, "changed its input codes: element 0 of 5"},
                         {0, 2, "changed its input codes: element 2 of 5"},
                         {0, 4, "changed its input codes: element 4 of 5"},
                         {2, 0, "changed its input scales: element 0 of 3"},
                         {2, 7, "changed its input scales: element 1 of 3"},
                         {2, 11, "changed its input scales: element 2 of 3"}}) {
    EXPECT_EQ(violation_of(memory(), [&](const Addresses& at) { *byte(at[row.tensor], row.byte) ^= 0x10; }),
              row.message);
  }
}

TEST_P(Guarded, NamesTheFirstElementOfAnOutputThatWasNotWritten) {
  struct Row {
    std::vector<std::size_t> left_out;
    const char* message;
  };
  for (const Row& row : {Row{{0}, "never wrote 1 elements of weights, the first is element 0 of 7"},
                         {{3}, "never wrote 1 elements of weights, the first is element 3 of 7"},
                         {{6}, "never wrote 1 elements of weights, the first is element 6 of 7"},
                         {{5, 2, 6}, "never wrote 3 elements of weights, the first is element 2 of 7"},
                         {{0, 1, 2, 3, 4, 5, 6}, "never wrote 7 elements of weights, the first is element 0 of 7"}}) {
    const auto leave_out = [&](const Addresses& at) {
      for (const std::size_t element : row.left_out) static_cast<std::uint16_t*>(at[1])[element] = usual.poison;
    };
    EXPECT_EQ(violation_of(memory(), leave_out), row.message);
  }
}

TEST_P(Guarded, SeesAnUnwrittenElementWhereverItIsAndHoweverWide) {
  constexpr std::size_t elements = 150;  // more than are compared together, and a remainder
  for (const std::size_t width : {1, 2, 3, 4, 8}) {
    std::vector<std::uint8_t> out(elements * width);
    const std::vector<Tensor> tensors = {
        {.name = "out", .output = out.data(), .bytes = out.size(), .element_bytes = width}};
    const auto said = [&](std::size_t first, std::size_t count) -> std::string {
      try {
        guarded(memory(), tensors, usual, [&](const Addresses& at) {
          // Differs from the poison only in one bit of each element's last byte.
          for (std::size_t i = 0; i < elements; ++i)
            *byte(at[0], static_cast<std::ptrdiff_t>((i + 1) * width - 1)) ^= 1;
          for (std::size_t i = first; i < first + count; ++i) {
            *byte(at[0], static_cast<std::ptrdiff_t>((i + 1) * width - 1)) ^= 1;
          }
        });
      } catch (const GuardViolation& violation) {
        return violation.what();
      }
      return "";
    };
    EXPECT_EQ(said(0, 0), "");
    for (std::size_t i = 0; i < elements; ++i) {
      ASSERT_EQ(said(i, 1), "never wrote 1 elements of out, the first is element " + std::to_string(i) + " of 150");
    }
    EXPECT_EQ(said(0, elements), "never wrote 150 elements of out, the first is element 0 of 150");
    EXPECT_EQ(said(61, 80), "never wrote 80 elements of out, the first is element 61 of 150");
  }
}

TEST_P(Guarded, SeesTheUnwrittenElementsOfEveryOutput) {
  EXPECT_EQ(violation_of(memory(), [](const Addresses& at) { static_cast<std::uint32_t*>(at[3])[1] = 0xffa5ffa5; }),
            "never wrote 1 elements of sums, the first is element 1 of 2");
  CallToGuard call;
  EXPECT_THROW(guarded(memory(), call.tensors(), usual, [](const Addresses&) {}), GuardViolation);
}

TEST_P(Guarded, TakesAWrittenPoisonForAnUnwrittenElementUnderThatPoisonOnly) {
  const auto write_poison = [](const Addresses& at) { static_cast<std::uint16_t*>(at[1])[4] = 0xffa5; };
  EXPECT_EQ(violation_of(memory(), write_poison, {.poison = 0xffa5}),
            "never wrote 1 elements of weights, the first is element 4 of 7");
  EXPECT_EQ(violation_of(memory(), write_poison, {.poison = 0xffda}), "");
}

TEST_P(Guarded, LetsAnOutputEqualThePoisonWhereThatIsLegal) {
  for (const std::uint16_t poison : {std::uint16_t{0xffa5}, std::uint16_t{0xffda}}) {
    std::array<std::uint32_t, 2> packed = {};
    const std::vector<Tensor> tensors = {
        {.name = "packed", .output = packed.data(), .bytes = 8, .element_bytes = 4, .may_equal_poison = true}};
    guarded(memory(), tensors, {.poison = poison},
            [](const Addresses& at) { static_cast<std::uint32_t*>(at[0])[1] = 7; });
    // An unwritten word comes back as the poison, which the comparison finds; under two poisons it differs.
    EXPECT_EQ(packed[0], (poison & 0xff) * 0x1010101u) << "one byte, repeated";
    EXPECT_EQ(packed[1], 7u);
    EXPECT_THROW(guarded(memory(), tensors, {.poison = poison}, [](const Addresses& at) { *byte(at[0], 8) = 1; }),
                 GuardViolation);
  }
}

TEST_P(Guarded, ShowsTheSubjectItsInputsAndPoisonBetweenFences) {
  for (const Fill& fill : {Fill{.poison = 0xffa5, .fence = 0xff}, Fill{.poison = 0x1234, .fence = 0x3c}}) {
    CallToGuard call;
    guarded(memory(), call.tensors(), fill, [&](const Addresses& at) {
      ASSERT_EQ(at.size(), 4u);
      EXPECT_EQ(std::memcmp(at[0], call.codes.data(), 5), 0);
      EXPECT_EQ(std::memcmp(at[2], call.scales.data(), 12), 0);
      for (int i = 0; i < 7; ++i) EXPECT_EQ(static_cast<std::uint16_t*>(at[1])[i], fill.poison);
      for (int i = 0; i < 2; ++i) EXPECT_EQ(static_cast<std::uint32_t*>(at[3])[i], fill.poison * 0x10001u);
      write_everything(at);
    });
  }
}

TEST_P(Guarded, AlignsEveryTensorAndKeepsThemApart) {
  for (std::size_t bytes = 11; bytes <= 1100; bytes += 11) {
    std::vector<std::uint8_t> first(bytes, 1), second(3, 2), third(bytes);
    const std::vector<Tensor> tensors = {{.name = "first", .input = first.data(), .bytes = bytes},
                                         {.name = "second", .input = second.data(), .bytes = 3},
                                         {.name = "third", .output = third.data(), .bytes = bytes}};
    guarded(memory(), tensors, usual, [&](const Addresses& at) {
      for (const void* address : at) EXPECT_EQ(reinterpret_cast<std::uintptr_t>(address) % 256, 0u);
      EXPECT_GE(static_cast<std::uint8_t*>(at[1]) - static_cast<std::uint8_t*>(at[0]),
                static_cast<std::ptrdiff_t>(bytes + 512));
      EXPECT_GE(static_cast<std::uint8_t*>(at[2]) - static_cast<std::uint8_t*>(at[1]), 3 + 512);
      std::memset(at[2], 9, bytes);
    });
    EXPECT_EQ(third, std::vector<std::uint8_t>(bytes, 9));
  }
}

TEST_P(Guarded, GivesATensorExactlyTheAlignmentThatItPromises) {
  // Better alignment would hide a subject that relies on more than it is promised, such as vector loads.
  for (const std::size_t alignment : {1, 2, 4, 16, 128}) {
    std::vector<std::uint8_t> in(40, 1), out(40);
    const std::vector<Tensor> tensors = {{.name = "in", .input = in.data(), .bytes = 40, .alignment = alignment},
                                         {.name = "out", .output = out.data(), .bytes = 40, .alignment = alignment},
                                         {.name = "whole", .input = in.data(), .bytes = 40}};
    guarded(memory(), tensors, usual, [&](const Addresses& at) {
      for (const std::size_t tensor : {0, 1}) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(at[tensor]) % (2 * alignment), alignment) << tensor;
      }
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(at[2]) % 256, 0u);
      std::memset(at[1], 9, 40);
    });
    EXPECT_EQ(out, std::vector<std::uint8_t>(40, 9));
  }
}

TEST_P(Guarded, SeesEveryByteAroundAnOutputAsFarAsATileOfRows) {
  constexpr std::ptrdiff_t bytes = 1000;
  std::vector<std::uint8_t> in(64, 1), out(bytes);
  const std::vector<Tensor> tensors = {{.name = "in", .input = in.data(), .bytes = 64},
                                       {.name = "out", .output = out.data(), .bytes = bytes}};
  const auto is_seen = [&](std::size_t tensor, std::ptrdiff_t offset) {
    try {
      guarded(memory(), tensors, usual, [&](const Addresses& at) {
        std::memset(at[1], 9, bytes);
        *byte(at[tensor], offset) = 9;
      });
    } catch (const GuardViolation&) {
      return true;
    }
    return false;
  };
  for (std::ptrdiff_t past = 0; past < 8 * bytes; past += 41) EXPECT_TRUE(is_seen(1, bytes + past)) << past;
  for (std::ptrdiff_t before = 1; before <= 4096; before += 41) EXPECT_TRUE(is_seen(0, -before)) << before;
  for (std::ptrdiff_t between = 64; between < 64 + 4096; between += 41) EXPECT_TRUE(is_seen(0, between)) << between;
}

TEST_P(Guarded, SeesAFenceThatIsAnotherThroughout) {
  std::vector<std::uint8_t> out(1000);
  const std::vector<Tensor> tensors = {{.name = "out", .output = out.data(), .bytes = 1000}};
  const auto overwrite = [](std::ptrdiff_t from, std::size_t bytes) {
    return [=](const Addresses& at) {
      std::memset(at[0], 9, 1000);
      std::memset(byte(at[0], from), 9, bytes);
    };
  };
  EXPECT_THROW(guarded(memory(), tensors, usual, overwrite(-4096, 4096)), GuardViolation);
  EXPECT_THROW(guarded(memory(), tensors, usual, overwrite(1000, 8000)), GuardViolation);
}

TEST_P(Guarded, FencesEmptyTensorsToo) {
  const std::uint8_t nothing = 0;
  const std::vector<Tensor> tensors = {{.name = "no codes", .input = &nothing},
                                       {.name = "no weights", .element_bytes = 2}};
  guarded(memory(), tensors, usual, [](const Addresses& at) { EXPECT_EQ(at.size(), 2u); });
  const auto violation = [&](std::size_t tensor, std::ptrdiff_t offset) -> std::string {
    try {
      guarded(memory(), tensors, usual, [&](const Addresses& at) { *byte(at[tensor], offset) = 0; });
    } catch (const GuardViolation& seen) {
      return seen.what();
    }
    return "";
  };
  EXPECT_EQ(violation(0, 0), "wrote outside no codes: the byte 1 past its end was changed");
  EXPECT_EQ(violation(0, -1), "wrote outside no codes: the byte 1 before its beginning was changed");
  EXPECT_EQ(violation(1, 0), "wrote outside no weights: the byte 1 past its end was changed");
  EXPECT_EQ(violation(1, -1), "wrote outside no weights: the byte 1 before its beginning was changed");
}

TEST_P(Guarded, TakesACallWithoutTensors) {
  bool called = false;
  guarded(memory(), {}, usual, [&](const Addresses& at) { called = at.empty(); });
  EXPECT_TRUE(called);
}

TEST_P(Guarded, StartsEveryCallAnew) {
  // Output left by an earlier call does not count as written, and a fence broken by an earlier call is restored.
  EXPECT_NE(violation_of(memory(), [](const Addresses& at) { *byte(at[1], 14) = 0; }), "");
  EXPECT_EQ(violation_of(memory(), [](const Addresses&) {}), "");
  CallToGuard call;
  EXPECT_THROW(guarded(memory(), call.tensors(), usual, [](const Addresses&) {}), GuardViolation);
}

TEST_P(Guarded, LetsTheSubjectsOwnExceptionsPass) {
  struct Refused : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  CallToGuard call;
  try {
    guarded(memory(), call.tensors(), usual, [](const Addresses&) { throw Refused("k: given 3"); });
    ADD_FAILURE() << "the exception was lost";
  } catch (const Refused& refused) {
    EXPECT_STREQ(refused.what(), "k: given 3");
  }
  EXPECT_THROW(guarded(memory(), call.tensors(), usual, [](const Addresses&) { throw 42; }), int);
}

TEST(GuardedMemory, IsAskedOnceAndCopiedOnceEachWay) {
  WatchedMemory memory;
  EXPECT_EQ(violation_of(memory, [](const Addresses&) {}), "");
  EXPECT_EQ(memory.arenas, 1);
  EXPECT_EQ(memory.copied_in, memory.forbidden.size());
  EXPECT_EQ(memory.copied_out, memory.forbidden.size());
}

TEST(GuardedMemory, ForbidsAllButTheTensorsWhileTheSubjectRuns) {
  WatchedMemory memory;
  EXPECT_EQ(violation_of(memory,
                         [&](const Addresses& at) {
                           std::vector<bool> expected(memory.forbidden.size(), true);
                           for (const Side& side : sides) {
                             for (std::ptrdiff_t i = 0; i < side.bytes; ++i)
                               expected[memory.at(byte(at[side.tensor], i))] = false;
                           }
                           EXPECT_EQ(memory.forbidden, expected);
                         }),
            "");
  EXPECT_EQ(std::count(memory.forbidden.begin(), memory.forbidden.end(), true), 0);
}

TEST(GuardedMemory, IsAllowedAgainWhenTheSubjectThrows) {
  WatchedMemory memory;
  CallToGuard call;
  EXPECT_THROW(guarded(memory, call.tensors(), usual, [](const Addresses&) { throw std::runtime_error("refused"); }),
               std::runtime_error);
  EXPECT_EQ(std::count(memory.forbidden.begin(), memory.forbidden.end(), true), 0);
}

TEST(GuardedMemory, OfTheHostIsTheSameWhetherItForbidsOrNot) {
  for (Memory* memory : {&host_memory(), &lenient_host_memory()}) {
    EXPECT_EQ(violation_of(*memory, [](const Addresses&) {}), "");
  }
}

#if !defined(__SANITIZE_ADDRESS__)  // AddressSanitizer ends the process instead
TEST(GuardedMemory, OfTheHostIsUsableAfterARequestThatCouldNotBeMet) {
  EXPECT_THROW(lenient_host_memory().arena(std::size_t{1} << 60), std::bad_alloc);
  ASSERT_NE(lenient_host_memory().arena(64), nullptr);
  EXPECT_EQ(violation_of(lenient_host_memory(), [](const Addresses&) {}), "");
}
#else
TEST(GuardedMemory, OfTheHostEndsTheProcessWhereAFenceIsTouchedUnderAddressSanitizer) {
  EXPECT_EQ(violation_of(host_memory(), [](const Addresses&) {}), "");
  EXPECT_DEATH(violation_of(host_memory(), [](const Addresses& at) { *byte(at[1], 14) = 0; }), "use-after-poison");
  EXPECT_DEATH(violation_of(host_memory(), [](const Addresses& at) { *byte(at[3], 0) = *byte(at[2], -1); }),
               "use-after-poison");
}
#endif

#if !defined(__SANITIZE_ADDRESS__)  // it forbids bytes, not pages

/// Reads a byte and throws its value away.
void touch(void* address, std::ptrdiff_t offset) {
  static_cast<void>(*const_cast<const volatile std::uint8_t*>(byte(address, offset)));
}

/// Two inputs of 6 and 12 bytes and outputs of 32 and 7 bytes, with pages on one side, aligned to their elements or as
/// allocators align.
struct CallBetweenPages {
  std::array<std::uint8_t, 12> in = {};
  std::array<std::uint8_t, 32> out = {};
  std::vector<Tensor> tensors(bool page_before, std::size_t alignment, bool touches_page = true) {
    std::vector<Tensor> all = {{.name = "codes", .input = in.data(), .bytes = 6, .element_bytes = 1},
                               {.name = "scales", .input = in.data(), .bytes = 12, .element_bytes = 4},
                               {.name = "weights", .output = out.data(), .bytes = 32, .element_bytes = 1},
                               {.name = "odd", .output = out.data(), .bytes = 7, .element_bytes = 1}};
    for (Tensor& tensor : all) {
      tensor.alignment = alignment != 0 ? alignment : tensor.output != nullptr ? 16 : tensor.element_bytes;
      tensor.page_before = page_before;
      tensor.touches_page = touches_page;
    }
    return all;
  }
};

constexpr std::size_t of_elements = 0, of_allocators = 256;

std::string seen(Memory& memory, const std::vector<Tensor>& tensors,
                 const std::function<void(const Addresses&)>& also) {
  try {
    guarded(memory, tensors, usual, [&](const Addresses& at) {
      for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (tensors[i].output != nullptr) std::memset(at[i], 9, tensors[i].bytes);
      }
      also(at);
    });
  } catch (const GuardViolation& violation) {
    return violation.what();
  }
  return "";
}

TEST(UntouchablePages, ShowAReadPastTheEndWhoseValueIsThrownAway) {
  const std::unique_ptr<Memory> memory = make_host_memory();
  CallBetweenPages call;
  const std::vector<Tensor> tensors = call.tensors(/*page_before=*/false, of_elements);
  for (const std::size_t tensor : {0, 1, 2}) {
    for (const std::ptrdiff_t distance : {1, 2, 64, 4096, 65536, 500000}) {
      const auto bytes = static_cast<std::ptrdiff_t>(tensors[tensor].bytes);
      EXPECT_EQ(
          seen(*memory, tensors, [&](const Addresses& at) { touch(at[tensor], bytes + distance - 1); }),
          "read past the end of " + tensors[tensor].name + ": the byte " + std::to_string(distance) + " past its end");
    }
  }
  EXPECT_EQ(seen(*memory, tensors, [](const Addresses&) {}), "") << "a call behind one that was ended";
}

TEST(UntouchablePages, ShowAReadBeforeTheBeginningWhoseValueIsThrownAway) {
  const std::unique_ptr<Memory> memory = make_host_memory();
  CallBetweenPages call;
  for (const std::size_t alignment : {of_elements, of_allocators}) {
    const std::vector<Tensor> tensors = call.tensors(/*page_before=*/true, alignment);
    for (const std::size_t tensor : {0, 1, 2, 3}) {
      for (const std::ptrdiff_t distance : {1, 2, 64, 4096, 65536, 500000}) {
        EXPECT_EQ(seen(*memory, tensors, [&](const Addresses& at) { touch(at[tensor], -distance); }),
                  "read before the beginning of " + tensors[tensor].name + ": the byte " + std::to_string(distance) +
                      " before its beginning");
      }
    }
  }
}

TEST(UntouchablePages, AreAsCloseBehindATensorAsItsAlignmentAllows) {
  const std::unique_ptr<Memory> memory = make_host_memory();
  CallBetweenPages call;
  // 6 and 12 bytes from a multiple of 64 on; the rest up to the next multiple is a fence.
  EXPECT_EQ(seen(*memory, call.tensors(false, of_allocators), [](const Addresses& at) { touch(at[0], 64); }),
            "read past the end of codes: the byte 59 past its end");
  EXPECT_EQ(seen(*memory, call.tensors(false, of_allocators), [](const Addresses& at) { touch(at[0], 63); }), "");
  EXPECT_NE(seen(*memory, call.tensors(false, of_allocators), [](const Addresses& at) { *byte(at[0], 63) = 0; }), "");
  // Seven bytes cannot both begin at a multiple of 16 and end at a page.
  EXPECT_EQ(seen(*memory, call.tensors(false, of_elements), [](const Addresses& at) { *byte(at[3], 7) = 0; }),
            "wrote outside odd: the byte 1 past its end was changed");
  for (const bool page_before : {false, true}) {
    for (const std::size_t alignment : {1, 2, 4, 16, 64}) {
      EXPECT_EQ(seen(*memory, call.tensors(page_before, alignment, /*touches_page=*/false),
                     [&](const Addresses& at) {
                       for (void* address : at) {
                         EXPECT_EQ(reinterpret_cast<std::uintptr_t>(address) % 256, alignment) << "and no better";
                       }
                     }),
                "");
    }
  }
}

TEST(UntouchablePages, SayWhetherSomethingWasWritten) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "this processor's word for it is not known here";
#endif
  const std::unique_ptr<Memory> memory = make_host_memory();
  CallBetweenPages call;
  EXPECT_EQ(seen(*memory, call.tensors(false, of_elements), [](const Addresses& at) { *byte(at[2], 32) = 0; }),
            "wrote past the end of weights: the byte 1 past its end");
  EXPECT_EQ(seen(*memory, call.tensors(true, of_elements), [](const Addresses& at) { *byte(at[2], -1) = 0; }),
            "wrote before the beginning of weights: the byte 1 before its beginning");
}

TEST(UntouchablePages, HaveAFenceOnTheOtherSideOfATensor) {
  const std::unique_ptr<Memory> memory = make_host_memory();
  CallBetweenPages call;
  for (const std::ptrdiff_t distance : {1, 100, 512}) {
    EXPECT_EQ(
        seen(*memory, call.tensors(true, of_elements), [&](const Addresses& at) { *byte(at[2], 31 + distance) = 0; }),
        "wrote outside weights: the byte " + std::to_string(distance) + " past its end was changed");
    EXPECT_EQ(
        seen(*memory, call.tensors(false, of_elements), [&](const Addresses& at) { *byte(at[2], -distance) = 0; }),
        "wrote outside weights: the byte " + std::to_string(distance) + " before its beginning was changed");
  }
}

TEST(UntouchablePages, LieBehindTensorsOfAnySizeOneAfterAnother) {
  const std::unique_ptr<Memory> memory = make_host_memory();
  for (const std::size_t bytes : {16, 100000, 64, 5000000, 4096, 0}) {
    const std::vector<std::uint8_t> in(bytes + 1, 7);
    std::vector<std::uint8_t> out(bytes + 1);
    const std::vector<Tensor> tensors = {
        {.name = "in", .input = in.data(), .bytes = bytes, .alignment = 1, .touches_page = true},
        {.name = "out", .output = out.data(), .bytes = bytes, .alignment = 1, .touches_page = true}};
    EXPECT_EQ(seen(*memory, tensors, [&](const Addresses& at) { touch(at[0], static_cast<std::ptrdiff_t>(bytes)); }),
              "read past the end of in: the byte 1 past its end");
    EXPECT_EQ(seen(*memory, tensors, [](const Addresses&) {}), "");
    EXPECT_EQ(std::count(out.begin(), out.end(), 9), static_cast<std::ptrdiff_t>(bytes));
  }
}

TEST(UntouchablePages, LieAroundTensorsThatAreFormulas) {
  const std::unique_ptr<Memory> memory = make_host_memory();
  for (const std::int64_t elements : {100, 1000000}) {
    const GeneratedTensor in = generated::Constant{5, elements}, expected = generated::Constant{6, elements};
    const auto bytes = static_cast<std::size_t>(elements) * 4;
    const std::vector<Tensor> tensors = {
        {.name = "in", .bytes = bytes, .element_bytes = 4, .alignment = 4, .touches_page = true, .formula = &in},
        {.name = "out", .bytes = bytes, .element_bytes = 4, .alignment = 16, .formula = &expected, .is_output = true}};
    const auto judged = [&](std::ptrdiff_t read) {
      return guarded_generated(*memory, tensors, usual, nullptr, {}, [&](const Addresses& at) {
        touch(at[0], read);
        write_here(expected, 4, at[1]);
      });
    };
    EXPECT_EQ(judged(0).differences.wrong, 0);
    EXPECT_THROW(judged(static_cast<std::ptrdiff_t>(bytes)), GuardViolation);
  }
}

TEST(UntouchablePagesDeathTest, EndTheProcessWhereTheSubjectHoldsMoreThanItsCall) {
  CallBetweenPages call;
  const auto touches = [](const Addresses& at) { touch(at[1], 12); };
  EXPECT_EXIT(seen(host_memory(), call.tensors(false, of_elements), touches), testing::KilledBySignal(SIGSEGV),
              "read past the end of scales: the byte 1 past its end");
  // A jump cannot leave another thread, so the touch ends the process.
  const std::unique_ptr<Memory> memory = make_host_memory();
  const auto touches_elsewhere = [&](const Addresses& at) { std::thread(touches, at).join(); };
  EXPECT_EXIT(seen(*memory, call.tensors(false, of_elements), touches_elsewhere), testing::KilledBySignal(SIGSEGV),
              "read past the end of scales: the byte 1 past its end");
}

TEST(UntouchablePagesDeathTest, LeaveOtherMutantsToWhoeverHadThem) {
  const std::unique_ptr<Memory> memory = make_host_memory();
  CallBetweenPages call;
  const std::vector<Tensor> tensors = call.tensors(false, of_elements);
  EXPECT_EXIT(seen(*memory, tensors, [](const Addresses& at) { touch(at[0], std::ptrdiff_t{1} << 45); }),
              testing::KilledBySignal(SIGSEGV), "^$");
  EXPECT_EXIT(seen(*memory, tensors, [](const Addresses&) { raise(SIGSEGV); }), testing::KilledBySignal(SIGSEGV), "^$");
}
#endif

/// A memory with a separate allocation for each tensor, so that AddressSanitizer sees its ends.
class MemoryApart : public WatchedMemory {
 public:
  std::vector<void*> apart(const std::vector<std::size_t>& bytes) override {
    allocations.clear();
    std::vector<void*> begins;
    for (const std::size_t one : bytes) {
      allocations.push_back(std::make_unique<std::uint8_t[]>(one));
      begins.push_back(allocations.back().get());
    }
    sizes = bytes;
    return begins;
  }
  std::vector<std::unique_ptr<std::uint8_t[]>> allocations;
  std::vector<std::size_t> sizes;
};

TEST(TensorsApart, HaveAnAllocationEachThatEndsWithThem) {
  MemoryApart memory;
  const std::array<std::uint8_t, 5> in = {1, 2, 3, 4, 5};
  std::array<std::uint8_t, 3> out = {};
  const std::vector<Tensor> tensors = {{.name = "in", .input = in.data(), .bytes = in.size(), .alignment = 4},
                                       {.name = "out", .output = out.data(), .bytes = out.size()}};
  guarded(memory, tensors, usual, [&](const Addresses& at) {
    EXPECT_EQ(memory.sizes, (std::vector<std::size_t>{4 + 5, 3}));
    EXPECT_EQ(at[0], memory.allocations[0].get() + 4);  // aligned to no more than it promises
    EXPECT_EQ(at[1], memory.allocations[1].get());
    EXPECT_EQ(std::memcmp(at[0], in.data(), in.size()), 0);
    std::memcpy(at[1], at[0], out.size());
  });
  EXPECT_EQ(out, (std::array<std::uint8_t, 3>{1, 2, 3}));
  EXPECT_EQ(memory.arenas, 0);
  EXPECT_EQ(memory.copied_in, in.size());  // no poison, so that a tool sees elements that are never written
}

TEST(TensorsApart, AreInputsThatMustNotChange) {
  MemoryApart memory;
  const std::array<std::uint8_t, 5> in = {1, 2, 3, 4, 5};
  const std::vector<Tensor> tensors = {{.name = "in", .input = in.data(), .bytes = in.size()}};
  EXPECT_THROW(guarded(memory, tensors, usual, [](const Addresses& at) { *static_cast<std::uint8_t*>(at[0]) = 9; }),
               GuardViolation);
}

/// A memory of which some bytes lose a bit that is written to them, or in which a comparison finds no difference.
class BrokenMemory : public WatchedMemory {
 public:
  enum class How { not_at_all, loses_a_bit, finds_no_difference };
  explicit BrokenMemory(How how) : how_(how) {}
  void write(const GeneratedTensor& tensor, std::size_t element_bytes, void* to) override {
    write_here(tensor, element_bytes, to);
    if (how_ == How::loses_a_bit) static_cast<std::uint8_t*>(to)[777] ^= 1;
  }
  Differences compare(const GeneratedTensor& tensor, std::size_t element_bytes, const void* got,
                      const reference::FloatFormat*) override {
    return how_ == How::finds_no_difference ? Differences() : compare_here(tensor, element_bytes, got);
  }

 private:
  How how_;
};

TEST(AMemory, ThatLosesABitOrComparesNothingIsSeen) {
  using How = BrokenMemory::How;
  const auto holds = [](How how) {
    BrokenMemory memory(how);
    return holds_what_is_written(memory);
  };
  EXPECT_TRUE(holds(How::not_at_all));
  EXPECT_FALSE(holds(How::loses_a_bit));
  EXPECT_FALSE(holds(How::finds_no_difference));
}

}  // namespace

}  // namespace tileproof
