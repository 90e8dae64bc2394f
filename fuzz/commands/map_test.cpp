// Tests judging operators by a mapping of their schemas (--map): a correct library passes, each planted mistake is
// FAILED with its story, and a mapping that is wrong is refused in one line.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <vector>

#include "fuzz/commands/running.h"

namespace tileproof {

namespace {

const std::string library = "--library '" + std::string(TILEPROOF_EXAMPLES) + "awq.so' --namespace example_awq ";
const std::string dequantize = "dequantize = awq_dequantize(packed, scales, zeros, 0, 0, 0)";
const std::string unpack = "unpack = awq_unpack(packed) -> codes[k][n]";
const std::string pack = "pack = awq_pack(codes)";
const std::string in_rows =
    "dequantize = dequantize_rows(packed, scales, zeros, n, k, group_size, dtype=dtype, factor=1, is_awq=true, "
    "order=\"rows\") -> weights[n][k]";

class MappedOperators : public Command {
 protected:
  void TearDown() override {
    unsetenv("EXAMPLE_AWQ_FAULT");
    Command::TearDown();
  }
  static std::string mapped(const std::vector<std::string>& lines) {
    std::string flags = library + "--format awq ";
    for (const std::string& line : lines) flags += "--map '" + line + "' ";
    return flags;
  }
  Ran judged(const char* fault, const std::vector<std::string>& lines, const std::string& more) const {
    setenv("EXAMPLE_AWQ_FAULT", fault, /*overwrite=*/1);
    return run("verify --no-accuracy " + mapped(lines) + out("run") + " " + more);
  }
  /// How often each verdict was given to properties whose names begin so.
  std::map<std::string, int> verdicts(const std::string& beginning) const {
    std::map<std::string, int> counts;
    const nlohmann::json all = summary("run");
    for (const nlohmann::json& judgement : all["judgements"]) {
      const std::string property = judgement["property"];
      if (property.starts_with(beginning)) ++counts[judgement["verdict"]];
    }
    return counts;
  }
};

TEST_F(MappedOperators, ThatAreRightPass) {
  std::ofstream(folder_ / "awq.map") << "# AWQ, as its library has it\n\n" << dequantize << "\n" << unpack << "\n";
  std::string properties;  // but for those of large matrices, which take long
  for (const char* kind :
       {"index", "bits",   "codes",  "words",  "value", "group",  "difference", "sense", "determinism",
        "write", "read",   "accept", "reject", "fake",  "stride", "offset",     "batch", "launch/unpack_of",
        "state", "threads"}) {
    properties += std::string("--property ") + kind + " ";
  }
  const Ran ran = run("verify --no-accuracy --cases 60 " + library + "--format awq --map '" + at("awq.map") +
                      "' --map '" + pack + "' " + properties + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_GT(summary("run")["counts"]["PASSED"], 45) << ran.text;
  // The properties about tensors are asked.
  for (const char* kind : {"accept/", "reject/", "stride/", "offset/", "state/", "threads/"}) {
    EXPECT_EQ(verdicts(kind)["PASSED"], 3) << kind << ran.text;
  }
  EXPECT_EQ(verdicts("fake/")["PASSED"], 1) << "of dequantize, which has a fake kernel: " << ran.text;
  EXPECT_EQ(verdicts("launch/")["PASSED"], 1) << ran.text;
}

TEST_F(MappedOperators, MayGiveAnotherOrderAndTakeKeywords) {
  const Ran ran =
      judged("", {in_rows},
             "--types-of-library bf16,fp32 --group-sizes-of-library 16,96 --cases 60 --property index/ "
             "--property value/ --property group/ --property accept/ --property reject/ --property stride/");
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(verdicts("value/")["PASSED"], 1) << ran.text;
  EXPECT_EQ(verdicts("reject/")["PASSED"], 1) << ran.text;
}

/// The library of library_test.cpp by a mapping of its schemas, in a format that pads rows.
TEST_F(MappedOperators, OfTinygemmsSchemasPassToo) {
  const Ran ran = run("verify --no-accuracy --cases 40 --library '" + std::string(TILEPROOF_EXAMPLES) +
                      "nothing.so' --namespace example --format tinygemm-4 --types-of-library bf16 "
                      "--map 'unpack = unpack_tensor_core_tiled_layout(packed, 4)' "
                      "--map 'pack = pack(pairs, inner_k_tiles=4)' --map 'dequantize = "
                      "dequantize_tensor_core_tiled_layout(packed, scales_and_zeros, group_size, 4)' "
                      "--property bits/ --property value/ --property padding/ --property accept/ --property reject/ "
                      "--property fake/ --property offset/ " +
                      out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  for (const char* kind : {"accept/", "reject/", "fake/", "offset/", "bits/"}) {
    EXPECT_EQ(verdicts(kind)["PASSED"], 3) << kind << ran.text;
  }
}

struct Mistake {
  const char* name;
  const char* fault;
  std::string line;
  const char* property;
  const char* said;
};

class AMistakeIn : public MappedOperators, public testing::WithParamInterface<Mistake> {};

TEST_P(AMistakeIn, MappedOperatorsIsFailedAndReplayed) {
  const Ran ran =
      judged(GetParam().fault, {GetParam().line}, std::string("--cases 200 --property ") + GetParam().property);
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_NE(ran.text.find(GetParam().said), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find("--map '" + GetParam().line + "'"), std::string::npos)
      << "the line that replays it: " << ran.text;
  std::string line = "replay";
  const nlohmann::json all = summary("run");
  for (const nlohmann::json& judgement : all["judgements"]) {
    if (judgement["findings"].empty()) continue;
    for (const std::string word : judgement["findings"][0]["replay"]) line += " '" + word + "'";
    break;
  }
  const Ran replayed = run(line);
  EXPECT_EQ(replayed.exit, 1) << replayed.text;
  unsetenv("EXAMPLE_AWQ_FAULT");
  EXPECT_EQ(run(line).exit, 0) << "without the mistake";
}

INSTANTIATE_TEST_SUITE_P(
    Planted, AMistakeIn,
    testing::Values(Mistake{"NibblesInDequantize", "nibbles in order", dequantize, "index/dequantize",
                            "Each holds the code of another element"},
                    Mistake{"NibblesInUnpack", "nibbles in order", unpack, "index/unpack",
                            "Each holds the code of another element"},
                    Mistake{"Groups", "groups of 32", dequantize, "group/every_weight_uses_its_own_scale",
                            "made with another scale"},
                    Mistake{"Roundings", "two roundings", dequantize, "value/integer", "expected"},
                    Mistake{"Strides", "ignores strides", dequantize, "stride/dequantize", "with strides"},
                    Mistake{"Scales", "trusts scales", dequantize, "reject/dequantize", "accepts packed = "}),
    [](const testing::TestParamInfo<Mistake>& one) { return std::string(one.param.name); });

struct Wrong {
  const char* name;
  std::string options;  // beside the library
  std::string said;
};

class AWrongMapping : public MappedOperators, public testing::WithParamInterface<Wrong> {};

TEST_P(AWrongMapping, IsRefusedInOneLine) {
  const Ran ran = run("verify " + library + GetParam().options);
  EXPECT_EQ(ran.exit, 2) << ran.text;
  EXPECT_NE(ran.text.find(GetParam().said), std::string::npos) << ran.text;
  EXPECT_EQ(std::ranges::count(ran.text, '\n'), 1) << ran.text;
}

std::string of_awq(const std::string& line) { return "--format awq --map '" + line + "'"; }

INSTANTIATE_TEST_SUITE_P(
    Map, AWrongMapping,
    testing::Values(
        Wrong{"Operation", of_awq("matmul = awq_dequantize(packed)"),
              "--map: given 'matmul' in 'matmul = awq_dequantize(packed)', legal is pack, unpack, dequantize"},
        Wrong{"Operator", of_awq("dequantize = awq_dequant(packed, scales, zeros)"),
              "--map: given 'awq_dequant' in 'dequantize = awq_dequant(packed, scales, zeros)', legal is an operator "
              "of the "
              "namespace example_awq, which has: "},
        Wrong{"Argument", of_awq("dequantize = awq_dequantize(packed, scales, zero_points, 0, 0, 0)"),
              "--map: given 'zero_points' in 'dequantize = awq_dequantize(packed, scales, zero_points, 0, 0, 0)', "
              "legal is of "
              "dequantize in awq: a tensor (packed, scales, zeros), n, k, group_size, dtype, or a literal"},
        Wrong{"ArgumentOfUnpack", of_awq("unpack = awq_unpack(scales)"),
              "legal is of unpack in awq: a tensor (packed), n,"},
        Wrong{"TensorLeftOut", of_awq("dequantize = awq_dequantize(packed, scales, 0, 0, 0, 0)"),
              "--map: given 'dequantize = awq_dequantize(packed, scales, 0, 0, 0, 0)' with scales, legal is beside "
              "packed all "
              "of: scales, zeros"},
        Wrong{"NoPacked", of_awq("unpack = awq_unpack(n)"), "--map: given 'unpack = awq_unpack(n)' without packed"},
        Wrong{"TensorTwice", of_awq("dequantize = awq_dequantize(packed, scales, scales, 0, 0, 0)"),
              "--map: given 'scales' in 'dequantize = awq_dequantize(packed, scales, scales, 0, 0, 0)', legal is each "
              "tensor "
              "once"},
        Wrong{"TooFew", of_awq("dequantize = awq_dequantize(packed, scales, zeros, 0, 0)"),
              "(without thy), legal is what the operator takes: example_awq::awq_dequantize(Tensor kernel"},
        Wrong{"TooMany", of_awq("unpack = awq_unpack(packed, 0)"),
              "(2 arguments by their places), legal is what the operator"},
        Wrong{"Kind", of_awq("dequantize = awq_dequantize(packed, scales, zeros, 0.5, 0, 0)"),
              "(0.5 for the int split_k_iters), legal is what the operator takes"},
        Wrong{"NumberForATensor", of_awq("dequantize = awq_dequantize(packed, scales, 3, zeros, 0, 0)"),
              "(3 for the Tensor zeros), legal is"},
        Wrong{"Keyword", of_awq("unpack = awq_unpack(weight=packed)"), "(no argument is named weight), legal is"},
        Wrong{"KeywordTwice", of_awq("unpack = awq_unpack(packed, packed=1)"), "(packed given twice), legal is"},
        Wrong{"None", of_awq("unpack = awq_unpack(none, packed=packed)"), "none for the Tensor packed"},
        Wrong{"Result", of_awq("unpack = awq_is_packed(packed)"),
              "of example_awq::awq_is_packed(Tensor packed) -> bool, legal is an operator that returns one tensor"},
        Wrong{"OperationTwice", of_awq(unpack) + " --map 'unpack = awq_unpack(packed)'",
              "--map: given 'unpack = awq_unpack(packed)' beside 'unpack = awq_unpack(packed) -> codes[k][n]', legal "
              "is one line "
              "for unpack"},
        Wrong{"Order", of_awq("unpack = awq_unpack(packed) -> codes[k]"),
              "--map: given 'codes[k]' in 'unpack = awq_unpack(packed) -> codes[k]', legal is codes[n][k] or "
              "codes[k][n]"},
        Wrong{"ResultOfAnother", of_awq("unpack = awq_unpack(packed) -> weights[k][n]"), "legal is codes"},
        Wrong{"OrderOfPacked", of_awq("pack = awq_pack(codes) -> packed[n][k]"), "legal is packed without an order"},
        Wrong{"Form", of_awq("unpack: awq_unpack(packed)"),
              "--map: given 'unpack: awq_unpack(packed)', legal is OPERATION = OPERATOR(ARGUMENT, ...)"},
        Wrong{"Parenthesis", of_awq("unpack = awq_unpack(packed"), "legal is OPERATION = OPERATOR(ARGUMENT, ...)"},
        Wrong{"Namespace", of_awq("unpack = example_awq::awq_unpack(packed)"),
              "legal is the name of an operator in the namespace"},
        Wrong{"NoFile", "--format awq --map /nowhere/awq.map",
              "--map: given '/nowhere/awq.map' (there is no such file"},
        Wrong{"EmptyFile", "--format awq --map /dev/null", "--map: given '/dev/null'"},
        Wrong{"NoFormat", "--map 'unpack = awq_unpack(packed)'",
              "--format: given none, legal is one of 'tileproof list formats'"},
        Wrong{"UnknownFormat", "--format awk --map 'unpack = awq_unpack(packed)'", "--format: given 'awk'"},
        Wrong{"FormatAlone", "--format awq", "--format: given without --python, --kernel or --map"},
        Wrong{"TypesAlone", "--types-of-library fp16", "--types-of-library: given without --map"},
        Wrong{"Types", of_awq(dequantize) + " --types-of-library int8", "--types-of-library: given 'int8'"},
        Wrong{"GroupSizes", of_awq(dequantize) + " --group-sizes-of-library 0", "--group-sizes-of-library: given '0'"},
        Wrong{"Formats", of_awq(dequantize) + " --formats-of-library tinygemm-2",
              "--formats-of-library: given beside --map"},
        Wrong{"OperatorOption", of_awq(dequantize) + " --unpack-op awq_unpack",
              "--unpack-op: given 'awq_unpack' beside --map"},
        Wrong{"PackOfBlocks", "--format q4_0 --map 'pack = awq_pack(codes)'", "what q4_0 packs holds parameters too"},
        Wrong{"CodesAndPairs", of_awq("pack = awq_pack(codes, pairs)"),
              "with codes and pairs, legal is codes (uint8 [n][k])"}),
    [](const testing::TestParamInfo<Wrong>& one) { return std::string(one.param.name); });

TEST_F(MappedOperators, OfAnEmptyFileAreRefused) {
  std::ofstream(folder_ / "empty.map") << "# nothing\n\n";
  const Ran ran = run("verify " + library + "--format awq --map '" + at("empty.map") + "'");
  EXPECT_EQ(ran.exit, 2) << ran.text;
  EXPECT_NE(ran.text.find("(the file has no line)"), std::string::npos) << ran.text;
}

}  // namespace

}  // namespace tileproof
