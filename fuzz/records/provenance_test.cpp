// Provenance: facts are read from compiler flags, and the records of all commands contain the same facts.
#include <gtest/gtest.h>

#include <fstream>

#include "fuzz/commands/running.h"
#include "fuzz/records/compile_facts.h"

namespace tileproof {

namespace {

using nlohmann::json;

TEST(HostFacts, AreReadFromFlags) {
  EXPECT_FALSE(host_facts_of("-O2 -g1 -std=c++20 -fno-trapping-math").fast_math);
  EXPECT_EQ(host_facts_of("-O2").contract, "default");
  EXPECT_EQ(host_facts_of("-O2 -ffp-contract=off").contract, "off");
  EXPECT_EQ(host_facts_of("-ffp-contract=off -O2 -ffp-contract=fast").contract, "fast");
  for (const char* flag : {"-ffast-math", "-Ofast", "-funsafe-math-optimizations", "-ffinite-math-only"}) {
    EXPECT_TRUE(host_facts_of(std::string("-O2 ") + flag).fast_math) << flag;
  }
  EXPECT_FALSE(host_facts_of("-ffast-math -fno-fast-math").fast_math);
}

// The defaults are those of nvcc's documentation.
TEST(NvccFacts, AreReadFromFlags) {
  const auto facts = [](const std::string& flags) {
    const NvccFacts of = nvcc_facts_of(flags);
    return std::string(of.fast_math ? "fast " : "") + (of.ftz ? "ftz " : "") + (of.fmad ? "fmad " : "") +
           (of.prec_div ? "div " : "") + (of.prec_sqrt ? "sqrt" : "");
  };
  EXPECT_EQ(facts("-O2 --expt-relaxed-constexpr"), "fmad div sqrt");
  EXPECT_EQ(facts("--use_fast_math"), "fast ftz fmad ");
  EXPECT_EQ(facts("-use_fast_math -O2"), "fast ftz fmad ");
  EXPECT_EQ(facts("-ftz=true"), "ftz fmad div sqrt");
  EXPECT_EQ(facts("--ftz true --fmad=false"), "ftz div sqrt");
  EXPECT_EQ(facts("--use_fast_math --prec-div=true -prec-sqrt true -ftz=false"), "fast fmad div sqrt");
}

class Provenance : public Command {
 protected:
  json provenance_in(const std::string& name) const { return json_in(name).at("provenance"); }
};

TEST_F(Provenance, IsTheSameObjectInTheRecordsOfAllCommands) {
  run("verify --subject host --property bits/ --cases 3 --seed 7 --accuracy " + out("verify"));
  run("prove arithmetic --subject host --budget 1 --property arithmetic/every_fp32 " + out("prove"));
  run("fuzz --subject host --property bits/ --cases 1 --seed 7 " + out("fuzz"));
  run("bench --subject host --shapes 64x256 --only 'unpack 64' --repeats 2 --cases 0 --json '" + at("bench.json") +
      "'");
  const json verify = provenance_in("verify/summary.json");
  EXPECT_EQ(verify.at("seed"), "0x0000000000000007");
  EXPECT_EQ(provenance_in("verify/accuracy.json"), verify);
  EXPECT_EQ(provenance_in("fuzz/campaign.json"), verify);
  json seedless = verify;
  seedless["seed"] = nullptr;
  EXPECT_EQ(provenance_in("prove/proofs.json"), seedless);
  EXPECT_EQ(provenance_in("bench.json"), seedless);
}

TEST_F(Provenance, SaysWhatTheProgramIs) {
  run("verify --subject host --property bits/ --cases 3 " + out("run"));
  const json provenance = provenance_in("run/summary.json");
  EXPECT_EQ(provenance.at("schema"), 1);
  const json& program = provenance.at("binaries").at(0);
  EXPECT_EQ(program.at("name"), "tileproof");
  // Computes the same hash through another path to the file.
  const std::string hash = program.at("blake2b_256");
  ASSERT_EQ(hash.size(), 64u);
  const std::string check = "echo '" + hash + "  " + TILEPROOF_COMMAND + "' | b2sum -l 256 --check --status";
  EXPECT_EQ(std::system(check.c_str()), 0);
  // The commit of the build, whatever the tree contains now.
  std::string built;
  std::getline(std::ifstream(std::filesystem::path(TILEPROOF_COMMAND).parent_path() / "commit.txt"), built);
  const std::string commit = provenance.at("commit");
  EXPECT_EQ(commit + (provenance.at("dirty") == true ? "-dirty" : ""), built);
  const json& flags = provenance.at("host_compiler").at("flags");
  EXPECT_NE(flags.at("kernels/tinygemm/host.cpp").get<std::string>().find("-std=c++20"), std::string::npos) << flags;
  // The flags of n_tiles.cpp alone.
  EXPECT_NE(flags.at("kernels/tinygemm/n_tiles.cpp").get<std::string>().find("-O3 -fno-trapping-math"),
            std::string::npos);
  EXPECT_EQ(flags.at("kernels/tinygemm/host.cpp").get<std::string>().find("-O3"), std::string::npos);
  for (const auto& [source, text] : flags.items()) EXPECT_EQ(text.get<std::string>().find('/'), std::string::npos);
  EXPECT_EQ(provenance.at("host_compiler").at("fast_math"), false);
  EXPECT_EQ(provenance.at("host_compiler").at("flushes_subnormals"), false);
  EXPECT_GE(provenance.at("cores").get<int>(), 1);
}

}  // namespace

}  // namespace tileproof
