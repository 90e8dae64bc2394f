// Tests judging Python modules: a right one passes, each with a planted mistake is FAILED by a property that names the
// mistake, even if it ends its process, and a file that is no module is refused.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>

#include "fuzz/commands/running.h"
#include "properties/problem/problem.h"

namespace tileproof {

namespace {

/// Right functions of the format plain.
const std::string right = R"(
import ctypes, os, sys, time
import torch

FORMAT = "plain"
SCHEMES = ["integer"]
GROUP_SIZES = [32, 64]

def pack(codes):
    return codes[:, 0::2] << 4 | codes[:, 1::2]

def unpack(packed, n, k):
    return torch.stack([packed >> 4, packed & 15], dim=-1).reshape(n, k)

def dequantize(packed, scales, zero_points, group_size):
    codes = unpack(packed, packed.shape[0], packed.shape[1] * 2)
    group = torch.arange(codes.shape[1]) // group_size
    centered = codes.double() - zero_points[group].T
    return (centered * scales[group].T.double()).to(scales.dtype)
)";

/// The right functions in terms of numpy.
std::string right_of_numpy() {
  std::string text = std::regex_replace(right, std::regex("import torch"), "import numpy as torch");
  text = std::regex_replace(text, std::regex("dim=-1"), "axis=-1");
  text = std::regex_replace(text, std::regex(R"([.]double\(\))"), ".astype('float64')");
  return std::regex_replace(text, std::regex(R"([.]to\()"), ".astype(");
}

class Python : public Command {
 protected:
  /// Writes a module, and gives the options that judge it with the interpreter whose torch this was built with.
  std::string module(const std::string& text) const {
    std::ofstream(folder_ / "mine.py") << text;
    return "--python '" + at("mine.py") + "' --python-with '" TILEPROOF_PYTHON "' ";
  }
  /// The right module with other definitions behind its own.
  std::string module_with(const std::string& definitions) const { return module(right + definitions); }

  nlohmann::json judgement(const std::string& property) const {
    const nlohmann::json whole = summary("run");
    for (const nlohmann::json& one : whole["judgements"]) {
      if (one["property"] == property) return one;
    }
    return nullptr;
  }
};

std::string replay_line(const nlohmann::json& finding) {
  std::string line = "replay";
  for (const std::string word : finding["replay"]) line += " '" + word + "'";
  return line;
}

// --- Right modules ---------------------------------------------------------------------------------------------------

TEST_F(Python, ModuleThatIsRightPassesEveryPropertyOfRawPointers) {
  const Ran ran = run("verify " + module(right) + " --no-accuracy --cases 60 " + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_GT(summary("run")["counts"]["PASSED"], 30) << ran.text;
  // The harness guards what torch allocates.
  EXPECT_EQ(ran.text.find("not watched"), std::string::npos) << ran.text;
}

TEST_F(Python, ModuleFindsTheHarnessInPlaceOfTorchsAllocatorForCuda) {
  const Ran torch = run_line("'" TILEPROOF_PYTHON
                             "' -c 'import torch; torch.cuda.memory.CUDAPluggableAllocator; "
                             "torch._C._cuda_customAllocator'");
  if (torch.exit != 0) GTEST_SKIP() << "this torch has no CUDA: " << torch.text;
  const Ran ran = run("verify " + module_with("raise ValueError(torch.cuda.get_allocator_backend())\n") + out("run"));
  EXPECT_NE(ran.text.find("ValueError: pluggable"), std::string::npos) << ran.text;
}

TEST_F(Python, ModuleOfTheReadmePasses) {
  const std::string readme = text_of(TILEPROOF_README);
  const std::size_t begin = readme.find("```python\n", readme.find("## Your Python function")) + 10;
  const Ran ran = run("verify " + module(readme.substr(begin, readme.find("```", begin) - begin)) +
                      "--property index/ --property value/ --property group/ --cases 60 " + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_GT(summary("run")["counts"]["PASSED"], 5) << ran.text;
}

TEST_F(Python, ModuleOfAFormatWhoseMatrixIsTransposedPasses) {
  const Ran ran = run("verify " + module(R"(
import torch

SHIFTS = torch.tensor([0, 4, 1, 5, 2, 6, 3, 7], dtype=torch.int32) * 4  # of each of eight rows

def unpack(packed, n, k):
    return (packed[:, :, None] >> SHIFTS & 15).reshape(k, n).T

def pack(codes):
    return (codes.T.reshape(codes.shape[1], -1, 8).long() << SHIFTS).sum(-1).to(torch.int32)

def dequantize(packed, scales, zeros, group_size):
    k, n = packed.shape[0], packed.shape[1] * 8
    group = torch.arange(k) // group_size
    centered = unpack(packed, n, k).T - unpack(zeros, n, zeros.shape[0]).T[group]
    return (centered.double() * scales[group].double()).to(scales.dtype)
)") + "--format awq --property bits/ --property value/ --property group/ --property read/ --cases 60 " +
                      out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_GT(summary("run")["counts"]["PASSED"], 8) << ran.text;
}

TEST_F(Python, ModuleOfNumpyIsToldWhichMemoryIsNotWatched) {
  const std::string text = right_of_numpy();
  const std::string properties = "--property write/ --property read/ --property value/ --cases 60 ";
  const Ran ran = run("verify " + module(text) + properties + out("run"));
  if (ran.text.find("has no package 'numpy'") != std::string::npos) GTEST_SKIP() << ran.text;
  EXPECT_EQ(ran.exit, 0) << ran.text;
  for (const char* property :
       {"write/dequantize_writes_every_element_and_nothing_else", "read/pack_reads_nothing_outside_its_inputs"}) {
    const std::string out_of_reach = judgement(property)["out_of_reach"].dump();
    EXPECT_NE(out_of_reach.find("memory that numpy allocates, which is not watched"), std::string::npos) << ran.text;
  }
  EXPECT_EQ(judgement("value/integer_domain_rounds_once")["out_of_reach"].dump().find("numpy"), std::string::npos);
}

TEST_F(Python, ModuleIsAskedForTheColumnsThatItTakes) {
  const std::string of_sixteens =
      "exact = unpack\n"
      "def unpack(packed, n, k):\n"
      "    assert k % 16 == 0, 'sixteen columns at a time'\n"
      "    return exact(packed, n, k)\n";
  const std::string verify_bits = "--no-accuracy --property bits/ --cases 60 ";
  const Ran any = run("verify " + module_with(of_sixteens) + verify_bits + out("any"));
  EXPECT_EQ(any.exit, 1) << any.text;
  EXPECT_NE(any.text.find("sixteen columns at a time"), std::string::npos) << any.text;
  EXPECT_NE(any.text.find("--n=1 --k=2 --group-size=2 "), std::string::npos) << any.text;
  const Ran multiples =
      run("verify " + module_with(of_sixteens + "K_MULTIPLE = 16\n") + verify_bits + out("multiples"));
  EXPECT_EQ(multiples.exit, 0) << multiples.text;
  expect_refused(run("verify " + module(right + "K_MULTIPLE = 0\n")), "K_MULTIPLE: given '0'");
}

TEST_F(Python, ModuleIsAskedForRowsOfOneGroupWhereItTakesThem) {
  const std::string whole_groups =
      "exact = dequantize\n"
      "def dequantize(packed, scales, zero_points, group_size):\n"
      "    assert group_size % 32 == 0, 'groups of 32'\n"
      "    return exact(packed, scales, zero_points, group_size)\n";
  const std::string verify_groups = "--no-accuracy --property group/ --cases 60 ";
  const Ran declared = run("verify " + module_with(whole_groups) + verify_groups + out("declared"));
  EXPECT_EQ(declared.exit, 0) << declared.text;
  const Ran rows =
      run("verify " + module_with(whole_groups + "GROUP_SIZES = [32, -1]\n") + verify_groups + out("rows"));
  EXPECT_EQ(rows.exit, 1) << rows.text;
  EXPECT_NE(rows.text.find("--k=2 --group-size=2 "), std::string::npos) << rows.text;
  const Ran right_rows = run("verify " + module_with("GROUP_SIZES = [32, -1]\n") + verify_groups + out("right"));
  EXPECT_EQ(right_rows.exit, 0) << right_rows.text;
  expect_refused(run("verify " + module(right + "GROUP_SIZES = [-1]\n")), "GROUP_SIZES: given '-1'");
  expect_refused(
      run("verify " + module(right + "FORMAT, SCHEMES, TYPES = 'nf4', ['nf4'], ['fp32']\nGROUP_SIZES = [64, -1]\n")),
      "GROUP_SIZES: given '-1'");
}

TEST_F(Python, ModuleOfNumpyIsFailedForAResultOfAnotherForm) {
  struct Row {
    const char *result, *says;
  };
  for (const Row& row : {Row{"result.astype('float32')", "unpack gives float32 [1, 2], expected int32 [1, 2]"},
                         Row{"result.T", "unpack gives uint8 [2, 1], expected int32 [1, 2]"},
                         Row{"list(result)", "unpack gives list, expected one array of numpy"}}) {
    const Ran ran =
        run("verify " +
            module(right_of_numpy() +
                   "exact = unpack\ndef unpack(packed, n, k):\n    result = exact(packed, n, k)\n    return " +
                   row.result + "\n") +
            "--property bits/unpack_returns --cases 5 " + out(row.says));
    if (ran.text.find("has no package 'numpy'") != std::string::npos) GTEST_SKIP() << ran.text;
    EXPECT_EQ(ran.exit, 1) << ran.text;
    EXPECT_NE(ran.text.find(row.says), std::string::npos) << ran.text;
  }
}

TEST_F(Python, ModuleWhoseNansAreItsOwnMayGiveThePoison) {
  const std::string nans_of_its_own =
      "exact = dequantize\n"
      "def dequantize(packed, scales, zero_points, group_size):\n"
      "    result = exact(packed, scales, zero_points, group_size)\n"
      "    result.view(torch.int16)[result.isnan()] = -91\n"  // 0xffa5
      "    return result\n";
  const std::string properties = "--property arithmetic/ --property value/ --cases 60 ";
  const Ran ran = run("verify " + module_with(nans_of_its_own) + properties + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(judgement("arithmetic/every_fp16_weight_of_the_integer_domain_is_rounded_once")["verdict"], "PASSED")
      << ran.text;
}

TEST_F(Python, ModuleThatEndsProcessesOfItsOwnPasses) {
  const Ran ran = run("verify " +
                      module_with("import multiprocessing\n"
                                  "exact = pack\n"
                                  "def pack(codes):\n"
                                  "    with multiprocessing.get_context('fork').Pool(1) as pool:\n"
                                  "        assert pool.map(abs, [-1]) == [1]\n"
                                  "    return exact(codes)\n") +
                      "--property sense/one_code_changes_one_nibble --cases 20 " + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
}

// --- Modules that convert --------------------------------------------------------------------------------------------

/// Right modules of numpy that have nothing but convert.
const std::string plain_to_awq = R"(
import numpy as np

FORMAT, FORMAT_TO = "plain", "awq"
ROWS = [0, 2, 4, 6, 1, 3, 5, 7]  # of a word's nibbles

def convert(packed, n, k):
    codes = np.stack([packed >> 4, packed & 15], axis=-1).reshape(n, k)
    nibbles = codes.T.reshape(k, n // 8, 8)[:, :, ROWS].astype("uint32")
    return (nibbles << np.arange(0, 32, 4, dtype="uint32")).sum(-1, dtype="uint32").view("int32")
)";
const std::string tinygemm_8_to_plain_int32 = R"(
import numpy as np

FORMAT, FORMAT_TO = "tinygemm-8", "plain-int32"
SHIFTS = np.array([0, 16, 4, 20, 8, 24, 12, 28], dtype="uint32")  # of a word's values

def convert(packed, n, k):
    values = packed.view("uint32")[..., None] >> SHIFTS & 15
    # [n-tile][k supertile][row][pair of columns][word][k-tile][half][column of the pair]
    values = values.reshape(*values.shape[:2], 8, 4, 4, 2, 2, 2).transpose(0, 2, 1, 4, 5, 6, 3, 7)
    codes = values.reshape(-1, k)[:n]
    return (codes.reshape(n, k // 8, 8) << np.arange(0, 32, 4, dtype="uint32")).sum(-1, dtype="uint32").view("int32")
)";
const std::string tinygemm_8_to_4 = R"(
import numpy as np

FORMAT, FORMAT_TO = "tinygemm-8", "tinygemm-4"

def convert(packed, n, k):
    tiles, supertiles = packed.shape[:2]
    words = packed.reshape(tiles, supertiles, 32, 2, 2).transpose(0, 1, 3, 2, 4).reshape(tiles, -1, 32, 2).copy()
    words[-1, :, 4 * (n - 8 * (tiles - 1)) :] = 0
    return words
)";

TEST_F(Python, ModulesThatConvertRightlyPass) {
  for (const std::string* text : {&plain_to_awq, &tinygemm_8_to_plain_int32, &tinygemm_8_to_4}) {
    std::filesystem::remove_all(folder_ / "run");
    const Ran ran = run("verify " + module(*text) + "--no-accuracy --cases 60 " + out("run"));
    EXPECT_EQ(ran.exit, 0) << ran.text;
    const bool has_padding = text != &plain_to_awq;  // the others' rows fill tiles
    EXPECT_EQ(summary("run")["counts"]["PASSED"], has_padding ? 9 : 8) << ran.text;
    for (const char* property :
         {"index/convert_puts_every_code_where_the_specification_says",
          "bits/convert_gives_what_pack_gives_of_the_unpacked_codes",
          "padding/convert_gives_none_of_the_rows_past_the_end", "size/convert_of_a_large_matrix_is_as_specified",
          "sense/one_code_changes_one_nibble_of_convert", "state/convert_leaves_its_process_as_it_was"}) {
      const bool is_skipped = !has_padding && std::string(property).starts_with("padding/");
      EXPECT_EQ(judgement(property)["verdict"], is_skipped ? "SKIPPED" : "PASSED") << property << ran.text;
    }
  }
}

TEST_F(Python, ModuleThatConvertsIsCampaignedThroughAndPutToItsDomain) {
  const Ran fuzzed = run("fuzz " + module(plain_to_awq) + "--property bits/ --workers 1 --cases 100 --seed 1 " +
                         out("fuzzed") + own_memory());
  EXPECT_EQ(fuzzed.exit, 0) << fuzzed.text;
  const Ran proved = run("prove layout " + module(plain_to_awq) + "--processes 1 --budget 15s " + out("proved"));
  EXPECT_NE(proved.exit, 1) << proved.text;
  EXPECT_NE(proved.text.find("SAMPLED    python"), std::string::npos) << proved.text;
}

struct WrongConversion {
  const char* name;
  const std::string& right;
  const char *from, *to;  // the planted change of its text
  const char *property, *kind, *says;
};
void PrintTo(const WrongConversion& wrong, std::ostream* stream) { *stream << wrong.name; }

class AWrongConversion : public Python, public testing::WithParamInterface<WrongConversion> {};

TEST_P(AWrongConversion, IsFoundAndReplayed) {
  const WrongConversion& wrong = GetParam();
  std::string text = wrong.right;
  ASSERT_NE(text.find(wrong.from), std::string::npos);
  text.replace(text.find(wrong.from), std::string(wrong.from).size(), wrong.to);
  const Ran ran = run("verify " + module(text) + "--property " + wrong.property + " --cases 60 " + out("run"));
  ASSERT_EQ(ran.exit, 1) << ran.text;
  const nlohmann::json finding = judgement(wrong.property)["findings"][0];
  EXPECT_EQ(finding["kind"], wrong.kind) << ran.text;
  EXPECT_NE(finding["details"].get<std::string>().find(wrong.says), std::string::npos) << ran.text;
  EXPECT_NE(finding["problem"].get<std::string>().find(" --format-to="), std::string::npos) << ran.text;
  const Ran replayed = run(replay_line(finding));
  EXPECT_EQ(replayed.exit, 1) << replayed.text;
  EXPECT_NE(replayed.text.find(wrong.says), std::string::npos) << replayed.text;
}

INSTANTIATE_TEST_SUITE_P(
    Python, AWrongConversion,
    testing::Values(WrongConversion{"ForgetsTheInterleave", plain_to_awq, "[0, 2, 4, 6, 1, 3, 5, 7]", "range(8)",
                                    "index/convert_puts_every_code_where_the_specification_says", "mismatch",
                                    "Each holds the code of another element"},
                    WrongConversion{"CopiesPadding", tinygemm_8_to_4, "words[-1", "words[:0",
                                    "padding/convert_gives_none_of_the_rows_past_the_end", "mismatch", ", padding)"},
                    WrongConversion{"IsOfAnotherType", tinygemm_8_to_plain_int32, ".view(\"int32\")", "",
                                    "bits/convert_gives_what_pack_gives_of_the_unpacked_codes", "error",
                                    "convert gives uint32 [1, 16], expected int32 [1, 16]"},
                    WrongConversion{"ChangesItsInput", tinygemm_8_to_4, ".copy()", ".copy(); packed[0, 0, 0] ^= 1",
                                    "sense/one_code_changes_one_nibble_of_convert", "guard",
                                    "changed its input packed"}),
    [](const testing::TestParamInfo<WrongConversion>& one) { return std::string(one.param.name); });

// --- Planted mistakes ------------------------------------------------------------------------------------------------

struct Mistake {
  const char* name;
  const char* definitions;
  const char* property;
  const char* kind;
  const char* says = "";
  const char* more_arguments = "";
};

void PrintTo(const Mistake& mistake, std::ostream* stream) { *stream << mistake.name; }

const Mistake mistakes[] = {
    {"OrderOfNibbles", "def pack(codes):\n    return codes[:, 1::2] << 4 | codes[:, 0::2]\n",
     "index/pack_puts_every_code_where_the_specification_says", "mismatch"},
    {"ZeroOffByOne",
     "exact = dequantize\n"
     "def dequantize(packed, scales, zero_points, group_size):\n"
     "    return exact(packed, scales, zero_points + 1, group_size)\n",
     "value/integer_domain_rounds_once", "mismatch"},
    {"RoundsTwice",
     "def dequantize(packed, scales, zero_points, group_size):\n"
     "    codes = unpack(packed, packed.shape[0], packed.shape[1] * 2)\n"
     "    group = torch.arange(codes.shape[1]) // group_size\n"
     "    scale = scales[group].T\n"
     "    return codes * scale - zero_points[group].T * scale\n",
     "value/integer_domain_rounds_once", "mismatch"},
    {"WrongType", "exact = unpack\ndef unpack(packed, n, k):\n    return exact(packed, n, k).float()\n",
     "bits/unpack_returns_every_packed_code", "error",
     "unpack gives float32 [1, 2] on cpu, expected int32 [1, 2] on cpu"},
    {"WrongShape", "exact = unpack\ndef unpack(packed, n, k):\n    return exact(packed, n, k).T\n",
     "bits/unpack_returns_every_packed_code", "error",
     "unpack gives uint8 [2, 1] on cpu, expected int32 [1, 2] on cpu"},
    {"WrongDevice", "exact = unpack\ndef unpack(packed, n, k):\n    return exact(packed, n, k).to('meta')\n",
     "bits/unpack_returns_every_packed_code", "error",
     "unpack gives uint8 [1, 2] on meta, expected int32 [1, 2] on cpu"},
    {"TakesMoreMemoryThanThereIs", "def unpack(packed, n, k):\n    return torch.empty(n, k << 50)\n",
     "bits/unpack_returns_every_packed_code", "error", "allocate memory"},
    {"BecomesAnotherProgram", "def unpack(packed, n, k):\n    os.execv('/bin/sh', ['sh', '-c', 'exit 7'])\n",
     "bits/unpack_returns_every_packed_code", "crash", "ended itself with exit code 7"},
    {"NoArray", "def unpack(packed, n, k):\n    return [packed]\n", "bits/unpack_returns_every_packed_code", "error",
     "unpack gives list, expected one array of torch"},
    {"Raises", "def unpack(packed, n, k):\n    raise ValueError('no\\nsuch \\x1b[31m thing')\n",
     "bits/unpack_returns_every_packed_code", "error", "ValueError: no such"},
    {"Exits", "def unpack(packed, n, k):\n    sys.exit(0)\n", "bits/unpack_returns_every_packed_code", "error",
     "SystemExit: 0 (mine.py, line "},
    {"ExitsAtOnce", "def unpack(packed, n, k):\n    os._exit(3)\n", "bits/unpack_returns_every_packed_code", "crash",
     "ended itself with exit code 3"},
    {"Forks",
     "exact = unpack\ndef unpack(packed, n, k):\n    result = exact(packed, n, k)\n    os.fork()\n    return result\n",
     "bits/unpack_returns_every_packed_code", "error", "forks, and both processes go on"},
    {"ReadsNull", "def unpack(packed, n, k):\n    ctypes.string_at(0)\n", "bits/unpack_returns_every_packed_code",
     "crash", "died of SIGSEGV"},
    {"Hangs", "def unpack(packed, n, k):\n    while True: pass\n", "bits/unpack_returns_every_packed_code", "hang", "",
     "--case-deadline 0.5"},
    {"WritesItsInput",
     "exact = unpack\ndef unpack(packed, n, k):\n    packed[0, 0] ^= 1\n    return exact(packed, n, k)\n",
     "bits/unpack_returns_every_packed_code", "guard", "changed its input packed"},
    {"WritesItsCodes", "exact = pack\ndef pack(codes):\n    codes[0, 0] ^= 1\n    return exact(codes)\n",
     "bits/pack_returns_every_unpacked_word", "guard", "changed its input codes"},
    {"ReadsPastItsInput",
     "exact = unpack\n"
     "def unpack(packed, n, k):\n"
     "    ctypes.string_at(packed.data_ptr(), packed.nbytes + 4096)\n"
     "    return exact(packed, n, k)\n",
     "bits/unpack_returns_every_packed_code", "guard", "read past the end of packed"},
    {"WritesPastItsOwnMemory",
     "exact = unpack\n"
     "def unpack(packed, n, k):\n"
     "    result = exact(packed, n, k)\n"
     "    ctypes.memset(result.data_ptr() + result.nbytes, 0, 1)\n"
     "    return result\n",
     "bits/unpack_returns_every_packed_code", "guard", "that it allocated: the byte 1 past its end was changed"},
    {"LeavesOutTheLastColumn",
     "exact = unpack\n"
     "def unpack(packed, n, k):\n"
     "    result = torch.empty(n, k, dtype=torch.int32)\n"
     "    result[:, :-1] = exact(packed, n, k)[:, :-1]\n"
     "    return result\n",
     "write/unpack_writes_every_element_and_nothing_else", "guard", "never wrote 1 elements of codes"},
    {"ReusesItsResult",
     "exact, kept = unpack, {}\n"
     "def unpack(packed, n, k):\n"
     "    result = kept.setdefault((n, k), torch.empty(n, k, dtype=torch.int32))\n"
     "    return result.copy_(exact(packed, n, k))\n",
     "sense/one_code_changes_one_element_of_unpack", "guard", "holds what unpack gave the call before"},
    {"AlternatesBetweenTwoResultsOfAShape",
     "exact, kept = unpack, {}\n"
     "def unpack(packed, n, k):\n"
     "    two = kept.setdefault((n, k), [torch.empty(n, k, dtype=torch.int32) for _ in range(2)])\n"
     "    two.reverse()\n"
     "    return two[0].copy_(exact(packed, n, k))\n",
     "determinism/unpack_gives_the_same_bits_however_it_is_run", "guard", "holds what unpack gave 2 calls before"},
    {"ReusesItsResultAmongFive",
     "exact, kept = unpack, []\n"
     "def unpack(packed, n, k):\n"
     "    if not kept or kept[0].numel() < n * k:\n"
     "        kept[:] = [torch.empty(n * k, dtype=torch.int32) for _ in range(5)]\n"
     "    kept.append(kept.pop(0))\n"
     "    return kept[-1][: n * k].view(n, k).copy_(exact(packed, n, k))\n",
     "sense/one_code_changes_one_element_of_unpack", "guard", " calls before, which a caller may still use"},
    {"SetsThreads",
     "exact = unpack\ndef unpack(packed, n, k):\n    torch.set_num_threads(3)\n    return exact(packed, n, k)\n",
     "state/unpack_leaves_its_process_as_it_was", "state", "threads of an operator: was "},
    {"GivesItsInput", "def pack(codes):\n    return codes[:, 0::2]\n",
     "index/pack_puts_every_code_where_the_specification_says", "guard", "gives memory of its own input"},
};

class AMistake : public Python, public testing::WithParamInterface<Mistake> {};

TEST_P(AMistake, IsFoundAndShrunk) {
  const Mistake& mistake = GetParam();
  const Ran ran = run("verify " + module_with(mistake.definitions) + " --property " + mistake.property + " " +
                      mistake.more_arguments + " --cases 60 " + out("run"));
  ASSERT_EQ(ran.exit, 1) << ran.text;
  ASSERT_EQ(judgement(mistake.property)["verdict"], "FAILED") << ran.text;
  const nlohmann::json finding = judgement(mistake.property)["findings"][0];
  EXPECT_EQ(finding["kind"], mistake.kind) << ran.text;
  EXPECT_NE(finding["details"].get<std::string>().find(mistake.says), std::string::npos) << ran.text;
  EXPECT_LE(problem_of(finding["problem"].get<std::string>()).k, 32) << ran.text;
}

std::string name_of_test(const testing::TestParamInfo<Mistake>& one) { return one.param.name; }
INSTANTIATE_TEST_SUITE_P(Python, AMistake, testing::ValuesIn(mistakes), name_of_test);

// --- On a GPU
// ---------------------------------------------------------------------------------------------------------

/// The right functions on a CUDA device, with a tensor that is made there while the module is imported.
std::string right_of_cuda() {
  std::string text = std::regex_replace(right, std::regex(R"(torch[.]arange\()"), "torch.arange(ZERO, ");
  return text + R"(
DEVICE = "cuda"
ZERO = torch.zeros(1, dtype=torch.int64, device="cuda").item()

def set_bytes(address, byte, count):
    torch.cuda.synchronize()
    assert ctypes.CDLL("libcuda.so.1").cuMemsetD8_v2(ctypes.c_uint64(address), ctypes.c_ubyte(byte), ctypes.c_size_t(count)) == 0
)";
}

class PythonOnCuda : public Python {
 protected:
  void SetUp() override {
    Python::SetUp();
    NEEDS_GPU();
  }
};

TEST_F(PythonOnCuda, ModuleThatIsRightPassesAndIsToldWhichMemoryIsNotWatched) {
  const Ran ran = run("verify " + module(right_of_cuda()) + " --no-accuracy --cases 60 " + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_GT(summary("run")["counts"]["PASSED"], 30) << ran.text;
  EXPECT_NE(ran.text.find("memory on cuda that is not torch's"), std::string::npos) << ran.text;
  EXPECT_EQ(ran.text.find("memory that torch allocates"), std::string::npos) << ran.text;
}

TEST_F(PythonOnCuda, ModuleThatReplaysAGraphPasses) {
  const Ran ran = run("verify " + module(right_of_cuda() + R"(
exact, graphs = unpack, {}
def unpack(packed, n, k):
    if (n, k) not in graphs:
        given = packed.clone()
        exact(given, n, k)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            gives = exact(given, n, k)
        graphs[n, k] = graph, given, gives
    graph, given, gives = graphs[n, k]
    given.copy_(packed)
    graph.replay()
    return gives.clone()
)") + "--property bits/unpack --property sense/one_code_changes_one_element --cases 60 " +
                      out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
}

const Mistake mistakes_on_cuda[] = {
    {"LeavesOutTheLastColumn",
     "exact = unpack\n"
     "def unpack(packed, n, k):\n"
     "    result = torch.empty(n, k, dtype=torch.int32, device='cuda')\n"
     "    result[:, :-1] = exact(packed, n, k)[:, :-1]\n"
     "    return result\n",
     "write/unpack_writes_every_element_and_nothing_else", "guard", "never wrote 1 elements of codes"},
    {"WritesPastItsOwnMemory",
     "exact = unpack\n"
     "def unpack(packed, n, k):\n"
     "    result = exact(packed, n, k)\n"
     "    set_bytes(result.data_ptr() + result.nbytes, 0, 1)\n"
     "    return result\n",
     "bits/unpack_returns_every_packed_code", "guard", "that it allocated: the byte 1 past its end was changed"},
    {"WritesPastWhatItHasFreed",
     "exact = unpack\n"
     "def unpack(packed, n, k):\n"
     "    scratch = torch.zeros(100, device='cuda')\n"
     "    set_bytes(scratch.data_ptr() - 1, 0, 1)\n"
     "    del scratch\n"
     "    return exact(packed, n, k)\n",
     "bits/unpack_returns_every_packed_code", "guard",
     "that it allocated: the byte 1 before its beginning was changed"},
    {"WritesPastItsInput",
     "exact = unpack\n"
     "def unpack(packed, n, k):\n"
     "    set_bytes(packed.data_ptr() + packed.nbytes, 0, 1)\n"
     "    return exact(packed, n, k)\n",
     "bits/unpack_returns_every_packed_code", "guard", "wrote outside its input packed"},
    {"ReadsPastItsInput",
     "exact = unpack\n"
     "def unpack(packed, n, k):\n"
     "    beyond = torch.empty(1, dtype=torch.uint8, device='cuda')\n"
     "    torch.cuda.synchronize()\n"
     "    copy = ctypes.CDLL('libcuda.so.1').cuMemcpy\n"
     "    assert copy(*map(ctypes.c_uint64, (beyond.data_ptr(), packed.data_ptr() + packed.nbytes, 1))) == 0\n"
     "    return exact(packed, n, k) ^ beyond & 1\n",
     "read/unpack_reads_nothing_outside_its_inputs", "mismatch", "other bytes outside the inputs"},
    {"WritesItsInput",
     "exact = unpack\ndef unpack(packed, n, k):\n    packed[0, 0] ^= 1\n    return exact(packed, n, k)\n",
     "bits/unpack_returns_every_packed_code", "guard", "changed its input packed"},
    {"GivesMemoryOfTheCpu", "exact = unpack\ndef unpack(packed, n, k):\n    return exact(packed, n, k).cpu()\n",
     "bits/unpack_returns_every_packed_code", "error",
     "unpack gives uint8 [1, 2] on cpu, expected int32 [1, 2] on cuda"},
    {"LosesTheDevice",
     "exact = unpack\n"
     "def unpack(packed, n, k):\n"
     "    torch.arange(4, device='cuda')[torch.tensor([99], device='cuda')].sum().item()\n"
     "    return exact(packed, n, k)\n",
     "bits/unpack_returns_every_packed_code", "error", "device-side assert"},
    {"TakesTheDevicesMemory",
     "kept = []\n"
     "def unpack(packed, n, k):\n"
     "    while True: kept.append(torch.empty(4 << 30, dtype=torch.uint8, device='cuda'))\n",
     "bits/unpack_returns_every_packed_code", "error", "out of the device's memory"},
};

class AMistakeOnCuda : public PythonOnCuda, public testing::WithParamInterface<Mistake> {};

TEST_P(AMistakeOnCuda, IsFound) {
  const Mistake& mistake = GetParam();
  const Ran ran = run("verify " + module(right_of_cuda() + mistake.definitions) + " --property " + mistake.property +
                      " --cases 60 " + out("run"));
  ASSERT_EQ(ran.exit, 1) << ran.text;
  ASSERT_EQ(judgement(mistake.property)["verdict"], "FAILED") << ran.text;
  const nlohmann::json finding = judgement(mistake.property)["findings"][0];
  EXPECT_EQ(finding["kind"], mistake.kind) << ran.text;
  EXPECT_NE(finding["details"].get<std::string>().find(mistake.says), std::string::npos) << ran.text;
}

INSTANTIATE_TEST_SUITE_P(Python, AMistakeOnCuda, testing::ValuesIn(mistakes_on_cuda), name_of_test);

// --- A finding's line
// -------------------------------------------------------------------------------------------------

TEST_F(Python, FindingIsReplayedFromItsLine) {
  const std::string property = "bits/unpack_returns_every_packed_code";
  run("verify " + module_with("def unpack(packed, n, k):\n    print('hello')\n    ctypes.string_at(0)\n") +
      "--property " + property + " --cases 5 " + out("run"));
  const Ran ran = run(replay_line(judgement(property)["findings"][0]));
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_NE(ran.text.find("hello\n"), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find("FAILED: crash: the process died of SIGSEGV"), std::string::npos) << ran.text;
}

// --- Output, and death -----------------------------------------------------------------------------------------------

TEST_F(Python, ModuleThatPrintsMegabytesIsJudgedAsIfItPrintedNothing) {
  const Ran ran = run("verify " +
                      module_with("exact = unpack\n"
                                  "def unpack(packed, n, k):\n"
                                  "    os.write(1, b'{\"number\": 1}\\n')\n"
                                  "    print('x' * (80 << 20))\n"
                                  "    print('also', file=sys.stderr)\n"
                                  "    return exact(packed, n, k)\n") +
                      "--property bits/unpack_returns --cases 5 " + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_LT(ran.text.size(), 10000u);
}

TEST_F(Python, ModuleThatDiesWhenItIsImportedIsFailedForThat) {
  const Ran ran = run("verify " + module("import ctypes\nctypes.string_at(0)\n") + "--property bits/ " + out("run"));
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_EQ(judgement("load/the_module_can_be_imported")["verdict"], "FAILED") << ran.text;
}

TEST_F(Python, ModuleIsCampaignedThroughAndPutToItsDomain) {
  const Ran fuzzed = run("fuzz " + module(right) + "--property bits/ --workers 1 --cases 100 --seed 1 " +
                         out("fuzzed") + own_memory());
  EXPECT_EQ(fuzzed.exit, 0) << fuzzed.text;
  const Ran proved = run("prove layout " + module(right) + "--processes 1 --budget 15s " + out("proved"));
  EXPECT_NE(proved.exit, 1) << proved.text;
  EXPECT_NE(proved.text.find("SAMPLED    python"), std::string::npos) << proved.text;
}

// --- Refusals --------------------------------------------------------------------------------------------------------

TEST_F(Python, ModuleIsRefusedWhereItCannotBeJudged) {
  expect_refused(run("verify --python /nowhere/none.py"), "--python: given '/nowhere/none.py' (there is no such file)");
  expect_refused(run("verify " + module("def f(:\n")), "SyntaxError");
  expect_refused(run("verify " + module("FORMAT = 'awq'\nraise KeyError('x')\n")), "KeyError: 'x' (mine.py, line 2)");
  expect_refused(run("verify " + module("import sys\nsys.exit(0)\n")), "SystemExit: 0");
  expect_refused(run("verify " + module("import os\nos.fork()\n")), "forks, and both processes go on");
  expect_refused(run("verify " + module("FORMAT = 'awq'\n")), "it has none of them");
  expect_refused(run("verify " + module("def pack(codes): pass\n")), "FORMAT: given none");
  const std::string pack = "def pack(codes): pass\nFORMAT = ";
  expect_refused(run("verify " + module(pack + "'awk'\n")), "FORMAT: given 'awk'");
  expect_refused(run("verify " + module(pack + "['awq', 'plain']\n")), "FORMAT: given 'awq, plain', legal is one name");
  expect_refused(run("verify " + module(pack + "'awq'\n") + "--format plain"), "--format: given 'plain'");
  expect_refused(run("verify " + module(pack + "'awq'\nSCHEMES = ['float']\n")), "SCHEMES: given 'float'");
  expect_refused(run("verify " + module(pack + "'awq'\nTYPES = ['fp8']\n")), "TYPES: given 'fp8'");
  expect_refused(run("verify " + module(pack + "'awq'\nGROUP_SIZES = [0]\n")), "GROUP_SIZES: given '0'");
  expect_refused(run("verify " + module(pack + "'awq'\nGROUP_SIZES = 1.5\n")), "GROUP_SIZES: given 1.5");
  expect_refused(run("verify " + module(pack + "'awq'\nDEVICE = 'tpu'\n")), "DEVICE: given 'tpu'");
  expect_refused(run("verify " + module(pack + "'awq'\nTYPES = ['float16']\n")),
                 "TYPES: given 'float16', legal is bf16, fp16, fp32 with integer");
  expect_refused(run("verify " + module(pack + "'awq'\ndef dequantise(packed, scales, zeros): pass\n")),
                 "dequantise: given in mine.py, legal is dequantize, if that is meant, or another name");
  expect_refused(run("verify " + module(pack + "'plain'\nSCHEME = 'integer'\n")), "SCHEME: given in mine.py");
  expect_refused(run("verify " + module(right) + "--weight-type float16"),
                 "--weight-type: given 'float16', legal is bf16, fp16, fp32");
  expect_refused(run("verify " + module(pack + "'awq'\nARRAYS = 'jax'\n")),
                 "ARRAYS: given 'jax', legal is torch or numpy");
  expect_refused(run("verify --python-with python3"), "--python-with: given without --python");
  expect_refused(run("verify " + module(right) + "--python-with /nowhere/python3"), "--python-with");
  expect_refused(run("verify " + module(right) + "--library x.so"), "--python: given beside --library");
  expect_refused(run("replay --property=bits/unpack_returns_every_packed_code --subject=python"),
                 "--python: given none");
  expect_refused(run("replay " + module(right) +
                     "--in-process --property=bits/unpack_returns_every_packed_code "
                     "--subject=python --format=plain"),
                 "--in-process");
}

TEST_F(Python, ModuleIsRefusedWhereWhatItConvertsToIsNotStatedOrNotLegal) {
  const auto refused = [&](const std::string& statements, const std::string& says) {
    expect_refused(run("verify " + module("def convert(packed, n, k): pass\n" + statements)), says);
  };
  refused("FORMAT = 'plain'\n", "FORMAT_TO: given none in ");
  refused("FORMAT, FORMAT_TO = 'plain', 'awk'\n", "FORMAT_TO: given 'awk', legal is tinygemm-2, ");
  refused("FORMAT, FORMAT_TO = 'plain', 'plain'\n", "FORMAT_TO: given 'plain', legal is tinygemm-2, ");
  refused("FORMAT, FORMAT_TO = 'plain', 'q4_0'\n", "FORMAT_TO: given 'q4_0', legal is tinygemm-2, ");
  refused("FORMAT, FORMAT_TO = 'q4_0', 'plain'\n", "FORMAT: given 'q4_0', legal is tinygemm-2, ");
  refused("FORMAT, FORMAT_TO = 'plain', ['awq', 'mlx']\n", "FORMAT_TO: given 'awq, mlx', legal is one value");
  expect_refused(run("verify " + module("def pack(codes): pass\nFORMAT, FORMAT_TO = 'plain', 'awq'\n")),
                 "FORMAT_TO: given 'awq' in ");
}

TEST_F(Python, InterpreterThatIsNoneIsRefusedInOneLine) {
  static_cast<void>(module(right));
  const auto program_of = [&](const std::string& name, const std::string& lines) {
    std::ofstream(at(name)) << lines;
    std::filesystem::permissions(at(name), std::filesystem::perms::owner_all);
    return at(name);
  };
  struct Row {
    std::string program, says;
  };
  for (const Row& row :
       {Row{"/bin/true", "(ended itself with exit code 0)"}, Row{"/bin/cat", "(ended itself with exit code 1)"},
        Row{program_of("prints", "#!/bin/sh\necho first\necho it is no Python\nexit 1\n"),
            "(ended itself with exit code 1; it is no Python)"},
        Row{program_of("no program", "it is no program\n"), "(cannot start a worker: Exec format error)"},
        Row{program_of("loads another", "#!/bin/sh\nexec '" TILEPROOF_PYTHON "' \"$1\" /nowhere/none.so 3 ''\n"),
            "(ended itself with exit code 1; OSError: /nowhere/none.so: cannot open shared object file"}}) {
    const std::string options = "--python '" + at("mine.py") + "' --python-with '" + row.program + "' ";
    for (const std::string& command : {"verify " + options + "--property bits/ " + out("run"),
                                       "replay " + options +
                                           "--property=bits/unpack_returns_every_packed_code "
                                           "--subject=python --format=plain --scheme=integer --n=1 --k=32"}) {
      const Ran ran = run(command);
      expect_refused(ran, "--python-with: given '" + row.program + "' " + row.says);
      EXPECT_NE(ran.text.find("legal is a Python 3 that can load /"), std::string::npos) << ran.text;
    }
  }
  expect_refused(run("verify --python '" + at("mine.py") + "' --python-with /"), "--python-with: given '/', legal is");
}

TEST_F(Python, FunctionIsFailedForItsParametersInWordsThatNameThem) {
  const Ran ran = run("verify " + module("FORMAT = 'awq'\ndef pack(codes, inner): pass\n") +
                      "--property index/pack --cases 5 " + out("run"));
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_NE(ran.text.find("pack: missing a required argument: 'inner'; it is called with codes"), std::string::npos)
      << ran.text;
}

TEST_F(Python, PackageThatIsNotThereIsTheReasonOfWhatIsSkipped) {
  const Ran ran = run("verify " + module("import no_such_package.part\n") + "--property bits/ " + out("run"));
  EXPECT_EQ(ran.exit, 3) << ran.text;
  EXPECT_NE(ran.text.find("has no package 'no_such_package'"), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find("-m pip install no_such_package"), std::string::npos) << ran.text;
}

TEST_F(Python, PackageThatIsNotThereIsInstalledAsTheModuleSays) {
  const Ran ran =
      run("verify " + module("\"\"\"Mine.\n\npip install 'mine[cpu]' numpy\n\"\"\"\nimport no_such_package\n") +
          "--property bits/ " + out("run"));
  EXPECT_EQ(ran.exit, 3) << ran.text;
  EXPECT_NE(ran.text.find("-m pip install 'mine[cpu]' numpy, or --python-with"), std::string::npos) << ran.text;
}

TEST_F(Python, LibraryOfAModuleIsSaidWithItsVersion) {
  const std::string options = "--property bits/unpack --cases 5 ";
  const Ran ran = run("verify " + module_with("LIBRARY = 'torch'\n") + options + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  const nlohmann::json subject = summary("run")["subjects"][0];
  EXPECT_TRUE(std::regex_match(subject["library"].get<std::string>(), std::regex("torch 2[.].*"))) << subject;
  EXPECT_EQ(subject["device"], "cpu");
  const Ran absent = run("verify " + module_with("LIBRARY = 'no-such-library'\n") + options + out("absent"));
  EXPECT_EQ(absent.exit, 3) << absent.text;
  EXPECT_NE(absent.text.find("-m pip install no-such-library"), std::string::npos) << absent.text;
  expect_refused(run("verify " + module_with("LIBRARY = 3\n") + options), "LIBRARY: given 3");
  const Ran built = run("verify " + module_with("LIBRARY, BUILD = 'torch', 'mine'\n") + options + out("built"));
  EXPECT_EQ(built.exit, 0) << built.text;
  EXPECT_EQ(summary("built")["subjects"][0]["library"], subject["library"].get<std::string>() + "+mine");
  expect_refused(run("verify " + module_with("BUILD = 'mine'\n") + options),
                 "BUILD: given 'mine', legal is a text, beside");
}

// --- The ledger ------------------------------------------------------------------------------------------------------

/// A ledger with one row about the bits of the module, and fields that are conditions.
std::string ledger_with(const std::string& conditions) {
  return R"({"findings": [{"id": "mine", "subject": "python", "property": "bits/unpack_returns_every_packed_code",
    "what": "unpack is wrong", "since": "always", "expires": "never")" +
         (conditions.empty() ? "" : ", " + conditions) + "}]}";
}

class ALedger : public Python {
 protected:
  Ran judged(const std::string& conditions, const std::string& definitions, const std::string& name) {
    std::ofstream(folder_ / "known.json") << ledger_with(conditions);
    return run("verify " + module_with("LIBRARY = 'torch'\n" + definitions) +
               "--property bits/unpack_returns --cases 20 --known '" + at("known.json") + "' " + out(name));
  }
  const std::string wrong = "exact = unpack\ndef unpack(packed, n, k):\n    return exact(packed, n, k) ^ 1\n";
};

TEST_F(ALedger, IsOfTheConditionsThatHold) {
  ASSERT_EQ(judged("", "", "facts").exit, 1) << "it did not occur";
  const nlohmann::json here = summary("facts")["subjects"][0];
  const auto condition = [](const std::string& name, const std::string& value) {
    return "\"" + name + "\": \"" + value + "\"";
  };
  const std::string capability = here["capability"];
  struct Row {
    std::string conditions;
    bool holds;
  };
  const Row rows[] = {{condition("library", here["library"]), true},
                      {condition("capability", capability) + ", " + condition("format", "plain"), true},
                      {condition("library", "torch 1.0"), false},
                      {condition("capability", capability == "avx512" ? "avx2" : "avx512"), false},
                      {condition("device", "cuda"), false},
                      {condition("format", "awq"), false}};
  int number = 0;
  for (const Row& row : rows) {
    const std::string name = std::to_string(number++);
    const Ran with = judged(row.conditions, wrong, "wrong" + name);
    EXPECT_EQ(with.exit, row.holds ? 0 : 1) << row.conditions << "\n" << with.text;
    EXPECT_EQ(summary("wrong" + name)["verdict"], row.holds ? "KNOWN" : "FAILED") << row.conditions;
  }
  // A row whose conditions do not hold does not turn red because it is not met.
  const Ran right_one = judged(rows[3].conditions, "", "right");
  EXPECT_EQ(right_one.exit, 0) << right_one.text;
}

TEST_F(ALedger, IsRefusedForAConditionThatIsNone) {
  const auto refused = [&](const std::string& conditions, const std::string& says) {
    expect_refused(judged(conditions, "", "run"), says);
  };
  refused(R"("capability": "avx")", "findings[0].capability is 'avx'), legal is default, avx2, avx512");
  refused(R"("device": "gpu")", "findings[0].device is 'gpu'), legal is cpu, cuda");
  refused(R"("format": "nf5")", "findings[0].format is 'nf5'), legal is tinygemm-2");
  refused(R"("scheme": "nf5")", "findings[0].scheme is 'nf5'), legal is float");
  refused(R"("weight_type": "e8m0")", "findings[0].weight_type is 'e8m0'), legal is bf16, fp16, fp32");
  refused(R"("where": "nowhere")", "findings[0].where is 'nowhere'), legal is a group crosses rows");
  refused(R"("pattern": "none")", "findings[0].pattern is 'none'), legal is the sign of a zero");
  refused(R"("properties": ["bits/unpack_returns_every_packed_code"])", "has both 'property' and 'properties'");
  refused(R"("library": 3)", "findings[0].library is no text");
}

TEST_F(Python, InterpreterThatIsNotThereIsTheReasonOfWhatIsSkipped) {
  static_cast<void>(module(right));
  const Ran ran =
      run_line("PATH=/nowhere " + program + " verify --python '" + at("mine.py") + "' --property bits/ " + out("run"));
  EXPECT_EQ(ran.exit, 3) << ran.text;
  EXPECT_NE(ran.text.find("there is no python3 on PATH"), std::string::npos) << ran.text;
}

// --- Adapters --------------------------------------------------------------------------------------------------------

TEST_F(Python, AdaptersAreJudgedOrSkippedWithTheCommandThatInstallsWhatTheyNeed) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TILEPROOF_ADAPTERS)) {
    if (entry.path().extension() != ".py") continue;
    ++count;
    const std::string name = entry.path().stem().string();
    const Ran ran = run("verify --no-accuracy --cases 4 --property codes/dequantize --python '" +
                        entry.path().string() + "' --python-with '" TILEPROOF_PYTHON "' " + out(name));
    EXPECT_TRUE(ran.exit == 0 || ran.exit == 1 || ran.exit == 3) << ran.text;
    EXPECT_EQ(ran.exit == 3, ran.text.find(" -m pip install ") != std::string::npos) << ran.text;
  }
  EXPECT_GE(count, 8);
  const Ran by_name = run("verify --python vllm_awq --python-with '" TILEPROOF_PYTHON "' " + out("by_name"));
  EXPECT_EQ(by_name.exit, 3) << by_name.text;
  EXPECT_NE(by_name.text.find("which vllm_awq.py needs"), std::string::npos) << by_name.text;
}

// --- Verdicts on libraries -------------------------------------------------------------------------------------------

TEST_F(Python, VerdictsAreATableOfTheAdaptersThatTheFirstFittingInterpreterHas) {
  const std::string typed = right + "TYPES = ['fp16']\nLIBRARY = 'torch'\n";
  std::ofstream(folder_ / "bad.py") << typed + "exact = pack\ndef pack(codes):\n    return exact(codes ^ 1)\n";
  std::ofstream(folder_ / "absent.py") << "\"\"\"Absent.\n\npip install absent\n\"\"\"\nimport no_such_package\n" +
                                              typed;
  std::ofstream(folder_ / "broken.py") << "raise ValueError('no')\n";
  std::ofstream(folder_ / "bare") << "#!/bin/sh\nexec '" TILEPROOF_PYTHON "' -S \"$@\"\n";  // without torch
  std::filesystem::permissions(folder_ / "bare", std::filesystem::perms::owner_all);
  const auto file = [&](const char* name) { return "'" + at(name) + "' "; };
  const Ran ran = run("verdicts " + file("bad.py") + file("absent.py") + file("broken.py") +
                      "--cases 3 --python-with " + file("bare") + "--python-with '" TILEPROOF_PYTHON "' " + out("all"));
  EXPECT_EQ(ran.exit, 1) << ran.text;
  const auto has = [&](const std::string& line) {
    EXPECT_TRUE(std::regex_search(ran.text, std::regex("(^|\n)" + line))) << line << "\n" << ran.text;
  };
  has("EXACT      torch 2[^,]*, plain \\(integer\\), dequantize, fp16, CPU [a-z0-9]+(: [^\n]*)?\n");
  has("EXACT      torch 2[^,]*, plain, unpack, CPU [a-z0-9]+(: not asked[^\n]*)?\n");
  has("FAILED     torch 2[^,]*, plain, pack, CPU [^:]*: wrong codes or places;[^\n]* \\(new\\)\n");
  has("SKIPPED    absent: .* -m pip install absent,");
  has("MISTRUSTED broken: .*ValueError: no");
  const std::string markdown = text_of(folder_ / "all" / "verdicts.md");
  EXPECT_EQ(markdown.find(TILEPROOF_PYTHON), std::string::npos) << "a path of this machine";
  EXPECT_NE(ran.text.find("SKIPPED    absent: " TILEPROOF_PYTHON " has no"), std::string::npos) << ran.text;
  EXPECT_NE(markdown.find(", 3 problems drawn for each property"), std::string::npos) << markdown;
  EXPECT_NE(text_of(folder_ / "all" / "verdicts.html").find("FAILED"), std::string::npos);
  // The line of a row that failed shows it again.
  const std::size_t begin = markdown.find("./tileproof replay ");
  ASSERT_NE(begin, std::string::npos) << markdown;
  const std::string words = markdown.substr(begin + 12, markdown.find("  #", begin) - begin - 12);
  const Ran again = run(words + " --python-with '" TILEPROOF_PYTHON "'");
  EXPECT_EQ(again.exit, 1) << again.text;
}

TEST_F(Python, VerdictsThatAreInterruptedSayWhatWasNotRun) {
  std::ofstream(folder_ / "stops.py") << "import os, signal\nos.kill(os.getppid(), signal.SIGINT)\n" + right;
  std::ofstream(folder_ / "later.py") << right;
  const Ran ran = run("verdicts '" + at("stops.py") + "' '" + at("later.py") +
                      "' --cases 3 --python-with '" TILEPROOF_PYTHON "' " + out("all"));
  EXPECT_EQ(ran.exit, 3) << ran.text;
  EXPECT_NE(ran.text.find("MISTRUSTED stops: not run in all types: interrupted"), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find("MISTRUSTED later: not run: interrupted"), std::string::npos) << ran.text;
}

TEST_F(Python, VerdictsAreRefusedOfWhatIsNoAdapter) {
  expect_refused(run("verdicts bitsandbytes_nf5"), "did you mean 'bitsandbytes_nf4'?");
  expect_refused(run("verdicts /nowhere/mine.py"), "ADAPTER: given '/nowhere/mine.py' (there is no such file)");
  expect_refused(run("verdicts --device tpu"), "--device: given 'tpu', legal is cpu or cuda");
  expect_refused(run("verdicts --python-with /nowhere/python3"), "--python-with: given '/nowhere/python3'");
  expect_refused(run("verdicts --seed x"), "--seed");
  std::filesystem::create_directory(folder_ / "old");
  std::ofstream(folder_ / "old" / "verdicts.md") << "of another run";
  expect_refused(run("verdicts aten-cuda " + out("old")), "it holds another run's verdicts.md");
}

TEST_F(Python, WeightsOfOneTypeAreAllThatIsAsked) {
  const Ran ran = run("verify " + module_with("TYPES = ['fp16', 'bf16']\n") +
                      "--weight-type bf16 --property value/ --cases 20 " + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  const std::string lines = text_of(folder_ / "run" / "observations.jsonl");
  EXPECT_NE(lines.find("\"weight_type\":\"bf16\""), std::string::npos);
  EXPECT_EQ(lines.find("\"weight_type\":\"fp16\""), std::string::npos);
  const Ran none = run("verify " + module(right) + "--weight-type fp32 --property value/ " + out("none"));
  EXPECT_EQ(none.exit, 3) << none.text;
  EXPECT_NE(none.text.find("it takes no weights of fp32"), std::string::npos) << none.text;
  expect_refused(run("verify --weight-type fp8"), "--weight-type: given 'fp8'");
}

}  // namespace

}  // namespace tileproof
