// Subjects that are wrong only in what a call leaves behind, or only when several callers run at once.
#include <fenv.h>
#include <gtest/gtest.h>

#include <stdlib.h>
#include <atomic>

#include <algorithm>
#include <mutex>
#include <thread>
#include <vector>

#include "properties/judging/properties_for_tests.h"
#include "properties/registry.h"
#include "properties/subjects/rows.h"

namespace tileproof {

namespace {

constexpr const char* threads_of_unpack = "threads/unpack_gives_each_caller_its_own_bits";
constexpr const char* state_of_unpack = "state/unpack_leaves_its_process_as_it_was";

/// The production kernels on the host, with hooks before and after each unpack.
class Around : public Subject {
 public:
  Memory& memory() override { return inner_->memory(); }
  void run(const Call& call) override {
    before(call);
    inner_->run(call);
    after(call);
  }
  virtual void before(const Call&) {}
  virtual void after(const Call&) {}

 private:
  std::unique_ptr<Subject> inner_ = make_host_subject().subject;
};

/// Sends all results through one shared buffer. Each access is locked (no data race), but another thread may overwrite
/// the buffer between two accesses.
class OneBuffer : public Around {
  void after(const Call& call) override {
    const auto elements = static_cast<std::size_t>(call.n * call.k);
    {
      const std::lock_guard lock(mutex_);
      buffer_.assign(call.codes(), call.codes() + elements);
    }
    std::this_thread::yield();
    const std::lock_guard lock(mutex_);
    std::copy_n(buffer_.begin(), elements, call.codes());
  }
  std::mutex mutex_;
  std::vector<std::int32_t> buffer_;
};

Judgement judged_on(Subject& subject, const char* property, std::int64_t cases = 40) {
  return judge(property_of(property), row_with(kernel_capabilities()), subject, {.cases = cases, .seed = 1});
}

TEST(SeveralCallers, OfASharedBufferGetEachOthersBits) {
  OneBuffer subject;
  const Judgement judgement = judged_on(subject, threads_of_unpack);
  EXPECT_EQ(judgement.verdict, Verdict::failed) << judgement.reason;
  EXPECT_EQ(judged_on(subject, "bits/unpack_reads_the_specified_nibbles_of_any_word").verdict, Verdict::passed)
      << "one caller does not see it";
}

/// Gives one wrong code in its lifetime, in the third call.
class WrongOnce : public Around {
  void after(const Call& call) override {
    if (++calls_ == 3) call.codes()[0] ^= 1;
  }
  std::atomic<int> calls_ = 0;
};

TEST(SeveralCallers, HaveEachOfTheirCallsLookedAt) {
  WrongOnce subject;
  const Judgement judgement = judged_on(subject, threads_of_unpack);
  EXPECT_EQ(judgement.verdict, Verdict::failed) << judgement.reason;
}

TEST(SeveralCallers, OfARightSubjectGetTheirOwn) {
  Around subject;
  const Judgement judgement = judged_on(subject, threads_of_unpack);
  EXPECT_EQ(judgement.verdict, Verdict::passed) << judgement.reason;
}

TEST(SeveralCallers, AreNotAskedOfWhoIsCalledByOne) {
  Around subject;
  SubjectRow row = row_with(kernel_capabilities());
  row.capabilities.several_callers = false;
  const Judgement judgement = judge(property_of(threads_of_unpack), row, subject, {.cases = 10, .seed = 1});
  EXPECT_EQ(judgement.verdict, Verdict::skipped);
  EXPECT_EQ(judgement.reason, "the subject is called from one thread at a time");
}

/// Leaves process or thread state changed, once in its lifetime or in every call.
class Leaving : public Around {
 public:
  Leaving(void (*leave)(), bool once) : leave_(leave), once_(once) {}

 private:
  void after(const Call&) override {
    if (!once_ || calls_ == 0) leave_();
    ++calls_;
  }
  void (*leave_)();
  bool once_;
  int calls_ = 0;
};

struct Leaves {
  const char* says;
  void (*leave)();
  void (*mend)();
};
const Leaves settings[] = {
    {"rounding mode: was to nearest, is toward zero", [] { fesetround(FE_TOWARDZERO); },
     [] { fesetround(FE_TONEAREST); }},
    {"environment variable TILEPROOF_TEST_LEFT_BEHIND", [] { setenv("TILEPROOF_TEST_LEFT_BEHIND", "1", 1); },
     [] { unsetenv("TILEPROOF_TEST_LEFT_BEHIND"); }},
    {"signal mask: was",
     [] {
       sigset_t signals;
       sigemptyset(&signals);
       sigaddset(&signals, 12);
       pthread_sigmask(SIG_BLOCK, &signals, nullptr);
     },
     [] {
       sigset_t signals;
       sigemptyset(&signals);
       sigaddset(&signals, 12);
       pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
     }},
};

TEST(ACallThatLeavesItsProcessChanged, IsFailedAndTheSettingIsNamed) {
  for (const Leaves& setting : settings) {
    Leaving subject(setting.leave, false);
    const Judgement judgement = judged_on(subject, state_of_unpack);
    setting.mend();
    EXPECT_EQ(judgement.verdict, Verdict::failed) << setting.says;
    ASSERT_EQ(judgement.findings.size(), 1u) << setting.says;
    EXPECT_EQ(judgement.findings[0].kind, "state");
    EXPECT_SAYS(judgement.findings[0].details, setting.says);
  }
}

TEST(ACallThatLeavesItsProcessChanged, IsFailedWhereAnEarlierPropertiesCallDidIt) {
  Leaving subject(settings[1].leave, true);
  EXPECT_EQ(judged_on(subject, "bits/unpack_reads_the_specified_nibbles_of_any_word").verdict, Verdict::passed);
  EXPECT_EQ(judged_on(subject, state_of_unpack).verdict, Verdict::failed);
  settings[1].mend();
}

TEST(ACallThatLeavesItsProcessChanged, IsJudgedInTheModesThatAreSetForEveryCase) {
  // Rounding toward zero would change the harness's own arithmetic if it leaked out of the call.
  Leaving subject(settings[0].leave, false);
  EXPECT_EQ(judged_on(subject, "bits/unpack_reads_the_specified_nibbles_of_any_word").verdict, Verdict::passed);
  Around right;
  EXPECT_EQ(judged_on(right, state_of_unpack).verdict, Verdict::passed) << "the next case begins anew";
}

TEST(ACallThatLeavesNothing, Passes) {
  Around subject;
  const Judgement judgement = judged_on(subject, state_of_unpack);
  EXPECT_EQ(judgement.verdict, Verdict::passed) << judgement.reason;
}

}  // namespace

}  // namespace tileproof
