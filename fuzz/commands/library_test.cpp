// Tests judging operator libraries: our own passes, and each small library with a mutant
// (properties/mutants/example_operators.cpp) is FAILED by the property that names the mutant, even if it ends its
// process.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <vector>

#include "fuzz/commands/running.h"
#include "properties/problem/draw.h"

namespace tileproof {

namespace {

/// All properties except those of large matrices, which take long.
const std::string all_small =
    " --property index/ --property bits/ --property codes/ --property value/ --property group/ --property difference/ "
    "--property sense/"
    " --property determinism/ --property write/ --property read/ --property padding/ --property format/ --property "
    "accept/"
    " --property reject/ --property stride/ --property offset/ --property fake/ --property stream/ --property device/ "
    "--property batch/";

std::string example(const std::string& mutant) {
  return "--library '" + std::string(TILEPROOF_EXAMPLES) + mutant + ".so' --namespace example";
}

std::map<std::string, nlohmann::json> by_property(const nlohmann::json& summary) {
  std::map<std::string, nlohmann::json> judgements;
  for (const nlohmann::json& judgement : summary["judgements"]) judgements[judgement["property"]] = judgement;
  return judgements;
}

// --- One mutant a library -------------------------------------------------------------------------------------------

struct Canary {
  const char* mutant;
  std::vector<std::string> failed;
  std::vector<std::string> passed;  // other properties still run, and pass
  std::string kind = "";            // kind of one finding of each failed property
  bool on_gpu = false;              // wrong only on a GPU
  const char* more_arguments = "";
};

void PrintTo(const Canary& planted, std::ostream* stream) { *stream << planted.mutant; }

const Canary canary_mutants[] = {
    {"wrong-groups",
     {"reject/dequantize_refuses_every_illegal_call_and_says_why"},
     {"reject/pack_refuses_every_illegal_call_and_says_why", "stride/dequantize_reads_tensors_of_any_strides"},
     "accepted"},
    {"ignores-stride",
     {"stride/pack_reads_tensors_of_any_strides", "stride/unpack_reads_tensors_of_any_strides",
      "stride/dequantize_reads_tensors_of_any_strides"},
     {"offset/pack_reads_tensors_at_any_offset"},
     "mismatch"},
    {"ignores-offset",
     {"offset/pack_reads_tensors_at_any_offset", "offset/unpack_reads_tensors_at_any_offset",
      "offset/dequantize_reads_tensors_at_any_offset"},
     {},
     "mismatch"},
    {"default-stream",
     {"stream/pack_follows_the_current_stream", "stream/unpack_follows_the_current_stream",
      "stream/dequantize_follows_the_current_stream"},
     {"index/pack_puts_every_code_where_the_specification_says"},
     "",
     true},
    {"synchronizes",
     {"stream/pack_follows_the_current_stream", "stream/unpack_follows_the_current_stream",
      "stream/dequantize_follows_the_current_stream"},
     {"index/pack_puts_every_code_where_the_specification_says"},
     "",
     true},
    {"leaves-error-pending",
     {"accept/dequantize_takes_every_legal_call"},
     {"accept/unpack_takes_every_legal_call", "index/pack_puts_every_code_where_the_specification_says"},
     "error",
     true},
    {"forgets-last-tile",
     {"write/unpack_writes_every_element_and_nothing_else", "write/dequantize_writes_every_element_and_nothing_else"},
     {"write/pack_writes_every_element_and_nothing_else", "index/pack_puts_every_code_where_the_specification_says"},
     "guard"},
    {"reads-past-scales",
     {"read/dequantize_reads_nothing_outside_its_inputs", "group/every_weight_uses_its_own_zero"},
     {"read/unpack_reads_nothing_outside_its_inputs"},
     "mismatch"},
    {"cached-result",
     {"sense/one_code_changes_one_weight_of_dequantize", "sense/one_scale_changes_exactly_its_group"},
     {"bits/unpack_returns_every_packed_code"},
     "guard"},
    {"endless-loop",
     {"bits/unpack_returns_every_packed_code"},
     {"value/float_domain_rounds_once"},
     "hang",
     false,
     "--case-deadline 0.25"},
    {"two-roundings",
     {"value/float_domain_rounds_once"},
     {"index/dequantize_takes_every_code_from_where_the_specification_says"},
     "mismatch"},
    {"aliases-input", {"group/every_weight_uses_its_own_scale"}, {"bits/unpack_returns_every_packed_code"}, "guard"},
    {"throws-hostile",
     {"accept/pack_takes_every_legal_call", "accept/dequantize_takes_every_legal_call"},
     {},
     "refusal"},
    {"wrong-fake", {"fake/dequantize_over_meta_tensors_agrees"}, {"fake/unpack_over_meta_tensors_agrees"}, "mismatch"},
    {"crashes-when-called-thrice",
     {"bits/unpack_reads_the_specified_nibbles_of_any_word"},
     {"index/pack_puts_every_code_where_the_specification_says"},
     "crash"},
};

const Canary canary_since[] = {
    {"reuses-result",
     {"sense/one_scale_changes_exactly_its_group"},
     {"bits/unpack_returns_every_packed_code"},
     "guard"},
    {"frees-too-early", {"value/float_domain_rounds_once"}, {"bits/unpack_returns_every_packed_code"}, "mismatch"},
    {"refuses-specials",
     {"accept/dequantize_takes_every_legal_call"},
     {"accept/unpack_takes_every_legal_call"},
     "refusal"},
    {"writes-before-refusing",
     {"reject/dequantize_refuses_every_illegal_call_and_says_why"},
     {"reject/unpack_refuses_every_illegal_call_and_says_why"},
     "accepted"},
    {"truncates-integers", {"reject/unpack_refuses_every_illegal_call_and_says_why"}, {}, "accepted"},
    {"dies-when-loaded", {"load/the_library_can_be_loaded"}, {}, "crash", false, "--property bits/"},
};

/// Mutants that only large sizes, settings, threads or empty tensors show. Properties over small problems pass.
const char* const size_of_dequantize = "size/dequantize_of_a_large_matrix_is_as_specified";
const char* const size_of_unpack = "size/unpack_of_a_large_matrix_is_as_specified";
const char* const size_of_pack = "size/pack_of_a_large_matrix_is_as_specified";
const Canary canary_far[] = {
    {"static-buffer",
     {"threads/dequantize_gives_each_caller_its_own_bits"},
     {"threads/unpack_gives_each_caller_its_own_bits", "value/float_domain_rounds_once"},
     "mismatch"},
    {"refuses-when-busy",
     {"threads/unpack_gives_each_caller_its_own_bits"},
     {"bits/unpack_returns_every_packed_code"},
     "error"},
    {"remembers-an-empty",
     {"launch/unpack_of_nothing_gives_nothing"},
     {"bits/unpack_returns_every_packed_code"},
     "error"},
    {"leaves-flush-to-zero",
     {"state/unpack_leaves_its_process_as_it_was"},
     {"bits/unpack_returns_every_packed_code"},
     "state"},
    {"leaves-grad-mode",
     {"state/dequantize_leaves_its_process_as_it_was"},
     {"value/float_domain_rounds_once"},
     "state"},
    {"sets-threads-once",
     {"state/pack_leaves_its_process_as_it_was"},
     {"bits/unpack_returns_every_packed_code"},
     "state"},
    {"empties-in-fp32",
     {"launch/dequantize_of_nothing_gives_nothing", "fake/dequantize_over_meta_tensors_agrees"},
     {"launch/unpack_of_nothing_gives_nothing"},
     "mismatch"},
    {"empties-without-columns",
     {"launch/unpack_of_nothing_gives_nothing"},
     {"launch/dequantize_of_nothing_gives_nothing"},
     "mismatch"},
    {"groups-rounded-down", {"reject/dequantize_refuses_every_illegal_call_and_says_why"}, {}, "accepted"},
    {"groups-rounded-down",
     {"reject/dequantize_refuses_every_illegal_call_and_says_why"},
     {},
     "accepted",
     false,
     "--group-sizes-of-library 128 --n-multiple-of-library 8"},
    {"refuses-unclearly-or-accepts", {"reject/unpack_refuses_every_illegal_call_and_says_why"}, {}, "accepted"},
    {"far-columns", {size_of_unpack}, {"bits/unpack_returns_every_packed_code"}, "mismatch"},
    {"far-columns-of-one-layout",
     {size_of_dequantize},
     {},
     "mismatch",
     false,
     "--formats-of-library tinygemm-4 --group-sizes-of-library 64"},
    {"groups-in-16-bits", {size_of_dequantize}, {"value/float_domain_rounds_once"}, "mismatch"},
    {"groups-in-8-bits-of-one-layout",
     {size_of_dequantize},
     {},
     "mismatch",
     false,
     "--formats-of-library tinygemm-8 --group-sizes-of-library 256"},
    {"n-tiles-in-16-bits", {size_of_pack}, {"bits/unpack_returns_every_packed_code"}, "mismatch"},
    {"rows-in-16-bits-of-one-layout", {size_of_unpack}, {"bits/unpack_returns_every_packed_code"}, "mismatch"},
};

class APlantedMutant : public Command, public testing::WithParamInterface<Canary> {};

TEST_P(APlantedMutant, IsFailedByThePropertyThatNamesIt) {
  const Canary& planted = GetParam();
  if (planted.on_gpu) {
    NEEDS_GPU();
  }
  // Run no other properties: each failure takes one more process to confirm it.
  std::string properties;
  for (const auto& some : {planted.failed, planted.passed}) {
    for (const std::string& property : some) {
      if (property != "load/the_library_can_be_loaded") properties += " --property " + property;
    }
  }
  const Ran ran = run("verify " + example(planted.mutant) + properties + " " + planted.more_arguments +
                      " --cases 100 " + out("run"));
  EXPECT_EQ(ran.exit, 1) << ran.text;
  const auto judgements = by_property(summary("run"));
  for (const std::string& property : planted.failed) {
    ASSERT_EQ(judgements.at(property)["verdict"], "FAILED") << property << "\n" << ran.text;
    // There is one finding for each variant. A mutant that reads missing scales returns a value for one and crashes for
    // another.
    const nlohmann::json& findings = judgements.at(property)["findings"];
    const bool has_kind = std::any_of(findings.begin(), findings.end(),
                                      [&](const nlohmann::json& finding) { return finding["kind"] == planted.kind; });
    EXPECT_TRUE(has_kind || planted.kind.empty()) << property << "\n" << ran.text;
  }
  for (const std::string& property : planted.passed) {
    EXPECT_EQ(judgements.at(property)["verdict"], "PASSED") << property << "\n" << ran.text;
  }
}

/// A finding's words for `replay`, quoted for a shell.
std::string replay_line(const nlohmann::json& finding) {
  std::string line = "replay";
  for (const std::string word : finding["replay"]) line += " '" + word + "'";
  return line;
}

std::string name_of_test(const testing::TestParamInfo<Canary>& one) {
  std::string name = one.param.mutant;
  for (char& letter : name) letter = letter == '-' ? '_' : letter;
  const bool is_narrow = std::string(one.param.more_arguments).find("-of-library") != std::string::npos;
  return name + (is_narrow ? "_in_a_narrow_library" : "");
}
INSTANTIATE_TEST_SUITE_P(Library, APlantedMutant, testing::ValuesIn(canary_mutants), name_of_test);
INSTANTIATE_TEST_SUITE_P(LibraryToo, APlantedMutant, testing::ValuesIn(canary_since), name_of_test);
INSTANTIATE_TEST_SUITE_P(LibraryFar, APlantedMutant, testing::ValuesIn(canary_far), name_of_test);

TEST_F(Command, ALibraryThatRefusesSpecialValuesIsNotTrustedWithThem) {
  const Ran ran = run("verify " + example("refuses-specials") + " --property value/ --cases 200 " + out("run"));
  EXPECT_EQ(ran.exit, 3) << ran.text;
  EXPECT_NE(ran.text.find("but where the subject refuses"), std::string::npos) << ran.text;
}

using Library = Command;

TEST_F(Library, ThatIsOursPassesEverything) {
  const std::string library = "--library '" + std::string(TILEPROOF_TORCH_LIBRARY) + "' --namespace tileproof";
  for (const std::string device : {"cpu", "cuda"}) {
    if (device == "cuda" && !has_gpu()) continue;
    const Ran ran = run("verify " + library + " --device " + device + all_small + " --cases 70 " + out(device));
    EXPECT_EQ(ran.exit, 0) << ran.text;
    EXPECT_GT(summary(device)["counts"]["PASSED"], 40) << ran.text;
    EXPECT_EQ(summary(device)["counts"]["FAILED"], 0) << ran.text;
  }
}

TEST_F(Library, WithoutAMutantPassesThePropertiesThatFindMutants) {
  const Ran ran = run(
      "verify " + example("nothing") +
      " --property accept/ --property reject/ --property stride/ --property offset/ --property fake/ --property sense/ "
      "--property bits/ --cases 60 " +
      out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
}

TEST_F(Library, ThatIsAModuleOfPythonsIsJudgedLikeAnyOther) {
  const Ran ran = run("verify " + example("python-module") + " --property bits/ " + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_GT(summary("run")["counts"]["PASSED"], 0) << ran.text;
}

TEST_F(Library, IsJudgedTheSameBySameSeed) {
  const std::string command =
      "verify " + example("nothing") + " --property value/ --property reject/ --cases 100 --seed 3 ";
  run(command + out("one"));
  run(command + out("two"));
  EXPECT_EQ(summary("one")["output_hash"], summary("two")["output_hash"]);
}

TEST_F(Library, ThatCrashesIsShrunkToTheSmallestProblemThatDoesAndThatIsReplayed) {
  const Ran ran = run("verify " + example("segfault") +
                      " --property value/float --property bits/unpack_returns --cases 100 " + out("run"));
  EXPECT_EQ(ran.exit, 1) << ran.text;
  const auto judgements = by_property(summary("run"));
  EXPECT_EQ(judgements.at("bits/unpack_returns_every_packed_code")["verdict"], "PASSED") << "the rest goes on";
  const nlohmann::json finding = judgements.at("value/float_domain_rounds_once")["findings"][0];
  EXPECT_EQ(finding["kind"], "crash");
  EXPECT_NE(finding["details"].get<std::string>().find("SIGSEGV"), std::string::npos) << finding;
  const std::string problem = finding["problem"];
  EXPECT_NE(problem.find("--format=tinygemm-2 --scheme=float --n=1 --k=512 --group-size=256"), std::string::npos)
      << problem;
  const Ran replayed = run(replay_line(finding));
  EXPECT_EQ(replayed.exit, 1) << replayed.text;
  EXPECT_NE(replayed.text.find("crash: the process died of SIGSEGV"), std::string::npos) << replayed.text;
}

TEST_F(Library, ThatReadsOutsideAnInputIsToldWhichOne) {
  if (is_sanitized) GTEST_SKIP() << "bytes are forbidden there, and not pages";
  // The scales and zeros of the last row end at a multiple of 64 bytes, and with this seed at the end of a page.
  std::uint64_t seed = 1;
  while (drawn(seed, stream::pages, 0) >> 63 != 0) ++seed;
  const Ran ran =
      run("replay " + example("reads-past-scales") +
          " --device cpu --property=value/float_domain_rounds_once --subject=library --n=16 --k=32 --seed=" +
          std::to_string(seed));
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_NE(ran.text.find("FAILED: guard: read past the end of scales_and_zeros: the byte 1 past its end; the process "
                          "died of SIGSEGV"),
            std::string::npos)
      << ran.text;
}

/// Two threads make the two subjects, and have ended when the subjects are judged.
TEST_F(Library, OfTorchIsJudgedByTheProcessThatHasLoadedIt) {
  const Ran ran =
      run("verify --jobs 2 --subject aten-eager --subject aten-cpu --property matmul/by_the --property eager/ " +
          out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
}

TEST_F(Library, ThatLacksOperatorsIsSkippedForThem) {
  const Ran ran =
      run("verify --library '" + std::string(TILEPROOF_TORCH_LIBRARY) +
          "' --namespace tileproof --property accept/ --unpack-op unpack_tensor_core_tiled_layout " + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(by_property(summary("run")).at("accept/matmul_takes_every_legal_call")["reason"],
            "the subject has no matmul");
}

TEST_F(Library, SaysThatItTakesLessAndIsNotAskedForMore) {
  const std::string properties = " --property accept/pack --property index/pack --cases 60 ";
  EXPECT_EQ(run("verify " + example("throws-hostile") + properties + out("all")).exit, 1);
  const Ran ran = run("verify " + example("throws-hostile") + properties +
                      "--formats-of-library tinygemm-2,tinygemm-8 " + out("less"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
}

TEST_F(Library, CannotWriteOnTheTerminalOrIntoTheReportWhatItLikes) {
  const Ran ran = run("verify " + example("throws-hostile") +
                      " --property accept/pack --property index/pack --cases 60 " + out("run"));
  EXPECT_EQ(ran.text.find('\x1b'), std::string::npos) << ran.text;
  const nlohmann::json refused = by_property(summary("run")).at("accept/pack_takes_every_legal_call");
  EXPECT_NE(refused["findings"][0]["details"].get<std::string>().find("<script>"), std::string::npos);
  const std::string junit = text_of(folder_ / "run" / "junit.xml");
  const std::string markdown = text_of(folder_ / "run" / "summary.md");
  EXPECT_EQ(junit.find('\x1b'), std::string::npos);
  EXPECT_EQ(markdown.find('\x1b'), std::string::npos);
  EXPECT_EQ(junit.find("<script>"), std::string::npos);  // the Markdown may contain it, in a fence
}

TEST_F(Library, IsRefusedOnTheCommandLineWhereItCannotBeJudged) {
  std::ofstream(folder_ / "text.so") << "no library\n";
  const std::string text = "--library '" + at("text.so") + "'";
  expect_refused(run("verify " + text), "--library");
  expect_refused(run("verify --library /nowhere/none.so"), "there is no such file");
  expect_refused(run("verify --library '" + std::string(TILEPROOF_EXAMPLES) + "missing-symbol.so'"),
                 "undefined symbol");
  expect_refused(run("verify --library '" + std::string(TILEPROOF_EXAMPLES) + "nothing.so'"),
                 "--namespace: given 'torchao'");
  expect_refused(run("verify " + example("nothing") + " --unpack-op pakc"), "--unpack-op: given 'pakc'");
  expect_refused(run("verify " + example("nothing") + " --unpack-op dequantize_tensor_core_tiled_layout"),
                 "(Tensor packed_w, int inner_k_tiles) -> Tensor");
  expect_refused(run("verify " + example("nothing") + " --device tpu"), "--device: given 'tpu'");
  expect_refused(run("verify " + example("nothing") + " --group-sizes-of-library 48"), "--group-sizes-of-library");
  expect_refused(run("verify --namespace example"), "--namespace");
  expect_refused(run("replay --property=accept/pack_takes_every_legal_call --subject=library"), "--library");
}

TEST_F(Library, OnADeviceThatIsNotHereIsRed) {
  if (has_gpu()) GTEST_SKIP() << "there is a GPU here";
  const Ran ran = run("verify " + example("nothing") + " --device cuda --property accept/ " + out("run"));
  EXPECT_EQ(ran.exit, 3) << ran.text;
}

// --- The ledger ----------------------------------------------------------------------------------------------------

std::string expected_failure_row(const std::string& variant) {
  return R"({"findings": [{"id": "groups", "subject": "library",
    "property": "reject/dequantize_refuses_every_illegal_call_and_says_why",
    "variants": ["scales_and_zeros:one-group-too-few", ")" +
         variant + R"("],
    "what": "the number of groups is not checked", "since": "always", "expires": "it is checked"}]})";
}

TEST_F(Library, WhoseFindingsAreKnownIsNotRedForThem) {
  std::ofstream(folder_ / "known.json") << expected_failure_row("scales_and_zeros:one-group-too-many");
  const std::string options =
      " --property reject/dequantize --property reject/pack --cases 60 --known '" + at("known.json") + "' ";
  const Ran known = run("verify " + example("wrong-groups") + options + out("known"));
  EXPECT_EQ(known.exit, 0) << known.text;
  EXPECT_EQ(summary("known")["counts"]["KNOWN"], 1) << known.text;
  // Neither its property nor the run is PASSED, and both say how many cases fail.
  EXPECT_EQ(summary("known")["verdict"], "KNOWN");
  for (const nlohmann::json& judgement : summary("known")["judgements"]) {
    if (judgement["verdict"] != "KNOWN") continue;
    const std::int64_t failing = judgement["known"][0]["cases"];
    EXPECT_GT(failing, 0);
    EXPECT_EQ(summary("known")["reason"], std::to_string(failing) + " of " + judgement["cases"].dump() +
                                              " cases of 1 property fail as the ledger says");
  }
  EXPECT_NE(known.text.find("groups: the number of groups is not checked"), std::string::npos) << known.text;
  // An expected failure that no longer occurs is red until the ledger is corrected.
  const Ran mended = run("verify " + example("nothing") + options + out("mended"));
  EXPECT_EQ(mended.exit, 1) << mended.text;
  EXPECT_NE(mended.text.find("did not occur"), std::string::npos) << mended.text;
}

TEST_F(Library, WhoseFindingsAreKnownInPartIsRedForTheRest) {
  std::ofstream(folder_ / "known.json") << expected_failure_row("scales_and_zeros:one-group-too-few");
  const Ran ran = run("verify " + example("wrong-groups") +
                      " --property reject/dequantize --property reject/pack --cases 60 --known '" + at("known.json") +
                      "' " + out("run"));
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_NE(ran.text.find("one-group-too-many"), std::string::npos) << ran.text;
}

TEST_F(Library, IsJudgedByNoLedgerThatCannotBeRead) {
  const auto with_expected_failures = [&](const std::string& text) {
    std::ofstream(folder_ / "known.json") << text;
    return run("verify " + example("nothing") + " --known '" + at("known.json") + "'");
  };
  expect_refused(run("verify --known /nowhere/known.json"), "--known");
  expect_refused(with_expected_failures("{"), "findings");
  expect_refused(with_expected_failures(R"({"findings": [{"id": "x"}]})"), "has no 'subject'");
  expect_refused(with_expected_failures(expected_failure_row("scales:none")), "scales:none");
}

}  // namespace

}  // namespace tileproof
