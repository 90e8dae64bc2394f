// The rows, the bytes they claim to move, and that a wrong result is reported. No test depends on a time.
#include "properties/timing/timing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "properties/mutants/mutants.h"
#include "properties/registry.h"

namespace tileproof {

namespace {

Timed unpack_of(Shape shape, std::int64_t inner_k_tiles = 2) {
  return {.where = "host", .operation = Operation::unpack, .shape = shape, .format = tinygemm(inner_k_tiles)};
}

Timed dequantize_of(Shape shape, Type type = Type::bf16, const Scheme* scheme = scheme::floating) {
  return {.where = "host",
          .operation = Operation::dequantize,
          .shape = shape,
          .group_size = 32,
          .scheme = scheme,
          .type = type};
}

Timed convert_of(Shape shape, const char* format, const char* format_to) {
  Timed timed = unpack_of(shape);
  timed.operation = Operation::convert;
  timed.format = format_of("format", format);
  timed.format_to = format_of("format", format_to);
  return timed;
}

/// Every operation in every type and domain, with a last n-tile of five rows where that may be.
std::vector<Timed> every_form() {
  constexpr Shape shape = {37, 128};
  std::vector<Timed> forms = {convert_of(shape, "tinygemm-8", "plain"), convert_of(shape, "plain", "tinygemm-4"),
                              convert_of({64, 128}, "tinygemm-2", "awq"),
                              convert_of({64, 128}, "marlin", "tinygemm-8")};
  for (const std::int64_t inner_k_tiles : {2, 4, 8}) {
    Timed pack = unpack_of(shape, inner_k_tiles);
    pack.operation = Operation::pack;
    forms.push_back(pack);
    forms.push_back(unpack_of(shape, inner_k_tiles));
    for (const Type type : {Type::bf16, Type::fp16, Type::fp32}) {
      for (const Scheme* scheme : {scheme::floating, scheme::integer, scheme::none}) {
        forms.push_back(dequantize_of(shape, type, scheme));
        forms.back().format = tinygemm(inner_k_tiles);
      }
    }
  }
  std::vector<std::string> skipped;  // of other formats those that a GPU's rows have
  for (const Timed& timed : timed_rows(timer_row("cuda"), {{64, 256}}, skipped)) {
    if (!timed.cold && !is_tinygemm(*timed.format) && timed.operation == Operation::dequantize) forms.push_back(timed);
  }
  return forms;
}

void run_on(Subject& subject, const TimedTensors& tensors) { subject.run(tensors.call()); }

// Computed by hand: 8 x 64 codes in 256 bytes of words, with two groups of 32 in each of eight rows.
TEST(TimedBytes, AreReadOnceAndWrittenOnce) {
  EXPECT_EQ(bytes_of(unpack_of({8, 64})), 256 + 8 * 64 * 4);
  Timed pack = unpack_of({8, 64});
  pack.operation = Operation::pack;
  EXPECT_EQ(bytes_of(pack), 256 + 256);
  EXPECT_EQ(bytes_of(convert_of({8, 64}, "tinygemm-4", "awq")), 256 + 256);
  EXPECT_EQ(bytes_of(dequantize_of({8, 64})), 256 + 16 * 2 * 2 + 8 * 64 * 2);
  EXPECT_EQ(bytes_of(dequantize_of({8, 64}, Type::fp32)), 256 + 16 * 2 * 4 + 8 * 64 * 4);
  EXPECT_EQ(bytes_of(dequantize_of({8, 64}, Type::fp16, scheme::integer)), 256 + 16 * 2 + 16 + 8 * 64 * 2);
  EXPECT_EQ(bytes_of(dequantize_of({8, 64}, Type::bf16, scheme::none)), 256 + 16 * 2 + 8 * 64 * 2);
  EXPECT_EQ(bytes_of(unpack_of({8, 64, 3})), 3 * (256 + 8 * 64 * 4));
  EXPECT_EQ(bytes_of(unpack_of({1, 64})), 256 + 64 * 4);  // one row still needs the words of a whole n-tile
}

TEST(TimedNames, SayWhatTellsRowsApart) {
  EXPECT_EQ(name_of(unpack_of({8, 64})), "host unpack 8x64 tinygemm-2 warm");
  Timed cold = dequantize_of({8, 64, 3}, Type::fp16, scheme::integer);
  cold.cold = true;
  EXPECT_EQ(name_of(cold), "host dequantize fp16 integer 3x8x64 tinygemm-2 group=32 cold");
}

TEST(TimedRows, HaveOneNameEach) {
  for (const TimerRow& timer : timers()) {
    std::vector<std::string> skipped;
    std::set<std::string> names;
    const std::vector<Timed> rows = timed_rows(timer, {}, skipped);
    for (const Timed& timed : rows) names.insert(name_of(timed));
    EXPECT_FALSE(rows.empty());
    EXPECT_EQ(names.size(), rows.size()) << timer.name;
    EXPECT_TRUE(skipped.empty()) << skipped.front();
  }
}

TEST(TimedRows, LeaveOutWhatNoSupertileOrGroupDividesAndSaySo) {
  std::vector<std::string> skipped;
  std::vector<std::string> names;
  for (const Timed& timed : timed_rows(timer_row("host"), {{8, 96}}, skipped)) names.push_back(name_of(timed));
  EXPECT_EQ(names, (std::vector<std::string>{"host pack 8x96 tinygemm-2 warm", "host unpack 8x96 tinygemm-2 warm"}));
  const auto says = [&](const std::string& line) {
    return std::find(skipped.begin(), skipped.end(), line) != skipped.end();
  };
  EXPECT_TRUE(
      says("host pack 8x96 tinygemm-4 warm: k: given 96, legal is 0 or more, and a multiple of 16 * "
           "inner_k_tiles = 64"))
      << skipped.front();
  EXPECT_TRUE(
      says("host dequantize bf16 float 8x96 tinygemm-2 group=128 warm: group_size: given 128, legal is a "
           "positive multiple of 16 that divides k = 96"));
}

TEST(TimedRows, OfAGpuAreWarmAndColdAndOfTheLargestShapeMore) {
  std::vector<std::string> skipped;
  const std::vector<Timed> rows = timed_rows(timer_row("cuda"), {{128, 256}, {8, 128}, {64, 128}}, skipped);
  const auto count = [&](auto is) { return std::count_if(rows.begin(), rows.end(), is); };
  const std::int64_t of_convert = count([](const Timed& t) { return t.operation == Operation::convert; });
  EXPECT_EQ(count([](const Timed& t) { return t.cold; }), (static_cast<std::int64_t>(rows.size()) - of_convert) / 2);
  EXPECT_EQ(of_convert, 2 * (3 * 6 - 2 + 2 * 6));  // of tinygemm-8 in each shape, of the others at the largest
  EXPECT_EQ(count([](const Timed& t) { return t.operation == Operation::unpack && t.shape.experts == 1; }), 3 * 3 * 2);
  for (const Timed& timed : rows) {
    const bool is_special =
        is_tinygemm(*timed.format) && (timed.type != Type::bf16 || timed.scheme->zero_kind != Zero::value ||
                                       timed.group_size != 128 || timed.operation == Operation::pack);
    const std::int64_t n = timed.shape.n;
    EXPECT_TRUE(!is_special || n == 128) << name_of(timed);
    EXPECT_TRUE(timed.shape.experts == 1 || n == 8) << name_of(timed);
  }
  const auto of_other = [](const Timed& t) { return t.operation == Operation::dequantize && !is_tinygemm(*t.format); };
  EXPECT_EQ(count(of_other), (5 * 3 + 1) * 2);
  EXPECT_EQ(skipped.size(), 2u * 2 + 2);  // eight rows, of formats that have 16 or 64 together; 128 columns in q4_k
}

TEST(Shapes, AreReadAndRefused) {
  const std::vector<Shape> shapes = shapes_of("--shapes", "32768x32768,1x32");
  ASSERT_EQ(shapes.size(), 2u);
  EXPECT_EQ(shapes[0].n, 32768);
  EXPECT_EQ(shapes[1].k, 32);
  for (const std::string bad : {"", "64", "64x", "x64", "64x64x2", "64X64", "-8x64", "8x-64", "0x64", "8x16", "8x64,",
                                "8x64,8x64", " 8x64", "8x6e2", "99999999999999999999x64", "1099511627776x32"}) {
    EXPECT_THROW(shapes_of("--shapes", bad), UsageError) << bad;
  }
}

TEST(TimerRows, RefuseAnUnknownName) { EXPECT_THROW(timer_row("hots"), UsageError); }

TEST(TimedTensors, OfARightSubjectAreRight) {
  const MadeSubject host = subject_row("host").make();
  for (const Timed& timed : every_form()) {
    const TimedTensors tensors(timed, host.subject->memory());
    EXPECT_NE(tensors.wrong(), "") << "before anything was written: " << name_of(timed);
    run_on(*host.subject, tensors);
    EXPECT_EQ(tensors.wrong(), "") << name_of(timed);
  }
}

TEST(TimedTensors, OfOneWrongBitAreWrong) {
  const MadeSubject host = subject_row("host").make();
  for (const Timed& timed : every_form()) {
    const TimedTensors tensors(timed, host.subject->memory());
    run_on(*host.subject, tensors);
    auto* bytes = static_cast<std::uint8_t*>(tensors.output());
    for (const std::size_t at : {std::size_t{0}, tensors.output_bytes() / 3, tensors.output_bytes() - 1}) {
      bytes[at] ^= 4;
      EXPECT_TRUE(tensors.wrong().starts_with("1 of ")) << name_of(timed) << ": " << tensors.wrong();
      bytes[at] ^= 4;
    }
    EXPECT_EQ(tensors.wrong(), "");
  }
}

TEST(TimedTensors, OfExpertsAreEachItsOwn) {
  const MadeSubject host = subject_row("host").make();
  for (const Timed& timed : {unpack_of({5, 64, 3}), dequantize_of({5, 64, 3}, Type::fp32, scheme::integer)}) {
    const TimedTensors tensors(timed, host.subject->memory());
    run_on(*host.subject, tensors);  // runs only the first expert
    const std::int64_t elements = 5 * 64;
    const std::string wrong = tensors.wrong();
    EXPECT_TRUE(wrong.starts_with(std::to_string(2 * elements) + " of " + std::to_string(3 * elements))) << wrong;
    EXPECT_NE(wrong.find("element " + std::to_string(elements) + ":"), std::string::npos) << wrong;
  }
}

TEST(TimedTensors, HaveRoomForAYardstickBesideThem) {
  const MadeSubject host = subject_row("host").make();
  const TimedTensors tensors(dequantize_of({37, 128}), host.subject->memory());
  run_on(*host.subject, tensors);
  std::fill_n(static_cast<std::uint8_t*>(tensors.room()), tensors.bytes(), std::uint8_t{0});
  std::fill_n(static_cast<std::uint8_t*>(tensors.second_half_of_room()), tensors.bytes() / 2, std::uint8_t{0});
  EXPECT_GE(static_cast<std::uint8_t*>(tensors.second_half_of_room()) - static_cast<std::uint8_t*>(tensors.room()),
            tensors.bytes() / 2);
  EXPECT_EQ(tensors.wrong(), "");
}

TEST(Timers, OfTheHostAreRightAndTakeEachRepeat) {
  const MadeTimer host = timer_row("host").make();
  ASSERT_NE(host.timer, nullptr);
  for (const Timed& timed : every_form()) {
    const Timing timing = host.timer->time(timed, 3);
    EXPECT_EQ(timing.wrong, "") << name_of(timed);
    for (const char* what : {timed_as::operation, timed_as::copy, timed_as::fill}) {
      ASSERT_TRUE(timing.seconds.contains(what));
      EXPECT_EQ(timing.seconds.at(what).size(), 3u);
      for (const double seconds : timing.seconds.at(what)) EXPECT_GT(seconds, 0);
    }
  }
}

/// A timer of this machine, or nullptr. Fails if there is none and a GPU is required.
std::unique_ptr<Timer> timer_here(const std::string& name) {
  MadeTimer made = timer_row(name).make();
#if defined(TILEPROOF_REQUIRE_GPU)
  if (made.timer == nullptr && !made.why_not.starts_with("built without")) ADD_FAILURE() << made.why_not;
#endif
  return std::move(made.timer);
}

TEST(Timers, OfAGpuAreRightWarmAndColdAndWithExperts) {
  const std::unique_ptr<Timer> gpu = timer_here("cuda");
  if (gpu == nullptr) GTEST_SKIP() << "no GPU";
  std::vector<Timed> forms = every_form();
  forms.push_back(unpack_of({8, 128, 3}));
  forms.push_back(dequantize_of({37, 128, 3}, Type::fp16, scheme::integer));
  for (Timed& timed : forms) {
    for (const bool cold : {false, true}) {
      timed.cold = cold;
      const Timing timing = gpu->time(timed, 2);
      EXPECT_EQ(timing.wrong, "") << name_of(timed);
      for (const char* what : {timed_as::operation, timed_as::copy, timed_as::fill}) {
        EXPECT_EQ(timing.seconds.at(what).size(), cold ? 6u : 2u);
      }
    }
  }
  EXPECT_NE(gpu->device().at("name"), "");
}

TEST(Timers, OfOperatorsAreRightCalledAndInAGraph) {
  const std::unique_ptr<Timer> torch = timer_here("torch");
  if (torch == nullptr) GTEST_SKIP() << "no GPU, or no torch";
  std::vector<std::string> skipped;
  for (const Timed& timed : timed_rows(timer_row("torch"), {{64, 1024}}, skipped)) {
    const Timing timing = torch->time(timed, 2);
    EXPECT_EQ(timing.wrong, "") << name_of(timed);
    EXPECT_EQ(timing.seconds.at(timed_as::identity).size(), 2u);
  }
}

/// Timed results are checked: each of these mutants is wrong for any data.
TEST(Timers, OfAMutantSayThatItIsWrong) {
  const std::vector<std::pair<std::string, Timed>> wrong = {
      {"mutant:two-roundings", dequantize_of({8, 128})},
      {"mutant:nibbles-in-order", unpack_of({8, 128})},
      {"mutant:last-tile-skipped", unpack_of({9, 128})},
  };
  for (const auto& [name, timed] : wrong) {
    const MadeTimer mutant = timer_row(name).make();
    ASSERT_NE(mutant.timer, nullptr);
    EXPECT_NE(mutant.timer->time(timed, 2).wrong, "") << name;
  }
  EXPECT_EQ(timer_row("mutant:nothing").make().timer->time(dequantize_of({8, 128}), 2).wrong, "");
}

}  // namespace

}  // namespace tileproof
