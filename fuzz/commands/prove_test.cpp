// Tests that only a whole domain is called proved, by the command as a user meets it and by a proof over properties of
// this test.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "fuzz/campaign/proving.h"
#include "fuzz/commands/commands.h"
#include "fuzz/commands/running.h"
#include "properties/subjects/mutable_reference.h"

namespace tileproof {

namespace {

const std::string small_domain = "prove arithmetic --property arithmetic/every_bf16_weight_without --processes 1 ";
const std::string large_domain = "prove arithmetic --property arithmetic/every_bf16_weight_of_the_float --processes 1 ";

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

class Prove : public Command {
 protected:
  nlohmann::json proofs(const std::string& name) const { return json_in(name + "/proofs.json"); }
};

TEST_F(Prove, WithinABudgetDoesWhatIsSoonDoneBeforeWhatIsLong) {
  const Ran ran =
      run("prove arithmetic --subject cpu --processes 1 --property arithmetic/every_bf16_weight_of_the_float "
          "--property arithmetic/every_bf16_weight_without --budget 1s " +
          out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  // The plan names the properties in its own order; their results come after it. The verdicts are not tested, because a
  // busy machine may have no time for either.
  const std::size_t soon = ran.text.rfind("cpu  arithmetic/every_bf16_weight_without");
  const std::size_t late = ran.text.rfind("cpu  arithmetic/every_bf16_weight_of_the_float");
  ASSERT_NE(late, std::string::npos) << ran.text;
  EXPECT_LT(soon, late) << ran.text;
  const std::string first = proofs("run")["proofs"][0]["property"];
  EXPECT_EQ(first, "arithmetic/every_bf16_weight_of_the_float_domain_is_rounded_once") << "not as the plan";
}

TEST_F(Prove, OfAWholeDomainSaysProved) {
  const Ran ran = run(small_domain + "--subject cpu " + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("PROVED     cpu  arithmetic/every_bf16_weight_without_a_zero_point_is_rounded_once"),
            std::string::npos)
      << ran.text;
  EXPECT_NE(ran.text.find("all 1,048,576 (code, scale) pairs"), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find("PROVED: 1 PROVED in "), std::string::npos) << ran.text;

  const nlohmann::json records = proofs("run");
  EXPECT_EQ(records["schema"], 1);
  EXPECT_EQ(records["exit_code"], 0);
  ASSERT_EQ(records["proofs"].size(), 1u);
  const nlohmann::json proof = records["proofs"][0];
  EXPECT_EQ(proof["verdict"], "PROVED");
  EXPECT_EQ(proof["points"], 1 << 20);
  EXPECT_EQ(proof["points_done"], 1 << 20);
  EXPECT_EQ(proof["compared"], 1 << 20);
  EXPECT_EQ(proof["steps_done"], proof["steps"]);
  EXPECT_TRUE(proof["finding"].is_null());
  EXPECT_NE(text_of(folder_ / "run" / "proofs.md").find("| PROVED |"), std::string::npos);
}

TEST_F(Prove, OfTheDomainsLeavesTheirFigures) {
  const Ran ran = run("prove domains --property domains/a_converted --budget 6s " + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  const nlohmann::json figures = proofs("run")["domains"];
  const auto value = [&](const char* format, const char* quantity, const char* unit, const char* zero_points) {
    for (const nlohmann::json& one : figures) {
      if (one["format"] != format || one["quantity"] != quantity || one["unit"] != unit) continue;
      if (one["zero_points"] != zero_points) continue;
      EXPECT_EQ(one["direction"], "integer to float");
      EXPECT_EQ(one["proved"], one["points"] == one["points_done"]);
      EXPECT_EQ(one["points"], 1 << 24);
      EXPECT_NE(one["where"].get<std::string>().find("scale 0x"), std::string::npos);
      return one["value"].get<double>();
    }
    ADD_FAILURE() << "no figure of " << format << " " << quantity << " in " << unit << " " << zero_points;
    return -1.0;
  };
  // The bounds are those of reference/domains.h; a part of the domain stays below them.
  for (const auto& [format, two_to_p] : {std::pair("bf16", 256.0), std::pair("fp16", 2048.0)}) {
    EXPECT_LE(value(format, "zero", "scale", "0..15"), 7 / two_to_p);
    EXPECT_LE(value(format, "zero", "ulp", "-128..127"), 0.5);
    EXPECT_LE(value(format, "zero", "ulp", "0..15"), 0.5);
    EXPECT_LE(value(format, "weight", "scale", "0..15"), 2 * 15 / two_to_p);
    EXPECT_LE(value(format, "weight that was 0", "scale", "0..15"), 7 / two_to_p);
    EXPECT_LE(value(format, "weight", "bound", "-128..127"), 1);
    EXPECT_GT(value(format, "weight", "scale", "-128..127"), value(format, "weight", "scale", "0..15"));
    EXPECT_GE(value(format, "weight", "values apart", "0..15"), 1);
  }
}

TEST_F(Prove, OfAPartIsASampleAndSaysNothingElseAnywhere) {
  const Ran ran = run(large_domain + "--subject cpu --budget 0.3s " + out("run"));
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_NE(ran.text.find("SAMPLED    cpu  arithmetic/"), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find(" of 68,719,476,736 (code, scale, zero) triples, each once"), std::string::npos) << ran.text;
  EXPECT_NE(ran.text.find("so that some of it will be a sample"), std::string::npos) << ran.text;
  EXPECT_EQ(lower(ran.text).find("proved"), std::string::npos) << ran.text;
  EXPECT_EQ(lower(text_of(folder_ / "run" / "proofs.md")).find("proved"), std::string::npos);

  const nlohmann::json proof = proofs("run")["proofs"][0];
  EXPECT_EQ(proof["verdict"], "SAMPLED");
  EXPECT_EQ(proof["points"], std::uint64_t{1} << 36);
  EXPECT_GT(proof["points_done"], 0);
  EXPECT_LT(proof["steps_done"], proof["steps"]);
  EXPECT_EQ(proof["compared"], proof["points_done"]);
}

TEST_F(Prove, WithoutTimeForAllSaysWhatItDidNotBegin) {
  const Ran ran = run("prove arithmetic --subject cpu --processes 1 --budget 0.001s " + out("run"));
  EXPECT_EQ(ran.exit, 3) << ran.text;
  const nlohmann::json all = proofs("run")["proofs"];
  const auto begun = std::ranges::count_if(all, [](const nlohmann::json& proof) { return proof["steps_done"] != 0; });
  EXPECT_EQ(begun, 1) << "the smallest domain is begun";
  EXPECT_NE(ran.text.find("SKIPPED    cpu  arithmetic/every_bf16_weight_of_the_float_domain_is_rounded_once"),
            std::string::npos)
      << ran.text;
  EXPECT_NE(ran.text.find("; " + std::to_string(all.size() - 1) + " not begun: a larger --budget"), std::string::npos)
      << ran.text;
}

TEST_F(Prove, OfTheHarnessShowsNoMutantWhoseEnumerationTheBudgetEnds) {
  run("prove self --budget 1 --processes 1 " + out("run"));
  const nlohmann::json mutants = proofs("run")["self"].back();
  EXPECT_EQ(mutants["name"], "mutants");
  EXPECT_EQ(mutants["steps"].back()["verdict"], "NOT SHOWN");
  EXPECT_EQ(mutants["steps"].back()["fields"]["found"], false);
}

TEST_F(Prove, OfAMutantSubjectFailsAndItsLineReplaysTheLeastThatFails) {
  const Ran ran = run(large_domain + "--subject mutant:two-roundings " + out("run"));
  EXPECT_EQ(ran.exit, 1) << ran.text;
  EXPECT_NE(ran.text.find("FAILED     mutant:two-roundings"), std::string::npos) << ran.text;
  EXPECT_EQ(lower(ran.text).find("proved"), std::string::npos) << ran.text;
  const nlohmann::json finding = proofs("run")["proofs"][0]["finding"];
  const std::string line = finding["problem"];
  EXPECT_NE(line.find("--n=1 --k=32 "), std::string::npos) << line;
  EXPECT_NE(ran.text.find("./tileproof replay " + line), std::string::npos) << ran.text;
  const Ran replayed = run("replay " + line);
  EXPECT_EQ(replayed.exit, 1) << replayed.text;
  EXPECT_NE(replayed.text.find(finding["details"].get<std::string>()), std::string::npos) << replayed.text;
}

TEST_F(Prove, RefusesWhatItDoesNotKnowAndNamesWhatItDoes) {
  const std::string records = out("run");
  expect_refused(run("prove arithmetik " + records), "did you mean 'arithmetic'?");
  expect_refused(run("prove all arithmetic " + records), "all beside other kinds");
  expect_refused(run("prove arithmetic --subject hots " + records), "did you mean 'host'?");
  expect_refused(run("prove arithmetic --property arithmetic/evry " + records), "--property: given 'arithmetic/evry'");
  expect_refused(run("prove arithmetic --property bits/ " + records), "a property of the kind that can be proved");
  expect_refused(run("prove words --property arithmetic/ " + records), "a property of the kind that can be proved");
  for (const char* budget : {"soon", "0", "0s", "-1s", "5d", "1.2.3s"}) {
    expect_refused(run("prove arithmetic --subject host --budget=" + std::string(budget) + " " + records),
                   "a time such as 90s (or 90), 5m or 4h");
  }
  expect_refused(run("prove arithmetic --subject host --budget='' " + records), "--budget: given ''");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run")) << "a refused run leaves records";
}

TEST_F(Prove, OfASubjectThatCannotBeAskedIsNotGreen) {
  // aten-cpu has no dequantize, whether or not the build has torch.
  const Ran alone = run(small_domain + "--subject aten-cpu " + out("alone"));
  EXPECT_EQ(alone.exit, 3) << alone.text;
  EXPECT_NE(alone.text.find("SKIPPED    aten-cpu"), std::string::npos) << alone.text;
  EXPECT_EQ(lower(alone.text).find("proved"), std::string::npos) << alone.text;
  EXPECT_FALSE(proofs("alone")["proofs"][0]["reason"].get<std::string>().empty());
  const Ran beside = run(small_domain + "--subject cpu --subject aten-cpu " + out("beside"));
  EXPECT_EQ(beside.exit, 3) << "asked for by name, and had nothing to run: " << beside.text;
  EXPECT_NE(beside.text.find("aten-cpu had nothing to run"), std::string::npos) << beside.text;
}

TEST(Durations, AreReadWithTheirUnits) {
  EXPECT_EQ(seconds_of("--budget", ""), 0);
  EXPECT_EQ(seconds_of("--budget", "90"), 90);
  EXPECT_EQ(seconds_of("--budget", "90s"), 90);
  EXPECT_EQ(seconds_of("--budget", "1.5m"), 90);
  EXPECT_EQ(seconds_of("--budget", "4h"), 14400);
  const std::string endless(400, '9');
  for (const std::string& wrong : std::vector<std::string>{"s", ".", "5 m", "5ms", "5M", "0", "0.0s", "-5s", "+5",
                                                           "1e3", "nan", "inf", "1..5s", endless}) {
    EXPECT_THROW(seconds_of("--budget", wrong), UsageError) << wrong;
  }
}

// Proofs of properties of this test, in this process.

class Idle : public Subject {
 public:
  Memory& memory() override { return host_memory(); }
};

class OwnRunner : public CaseRunner {
 public:
  CaseOutcome run(const Property& property, const Problem& problem, Coverage& coverage) override {
    Capabilities capabilities = kernel_capabilities();
    Idle subject;
    return InThisProcess(capabilities, subject).run(property, problem, coverage);
  }
};

/// A property with one enumeration of `steps` steps, ten points each.
Property property_of_tens(std::int64_t steps, std::function<void(Case&)> body) {
  Property property;
  property.name = "test/tens";
  property.body = std::move(body);
  property.proof = "tests";
  property.enumerations = [steps](const Capabilities&) {
    return std::vector<Enumeration>{
        {.steps = steps, .points_of_step = 10, .point = "points", .problem = [](std::int64_t step) {
           Problem problem;
           problem.seed = static_cast<std::uint64_t>(step);
           return problem;
         }}};
  };
  return property;
}

void compare(Case& c, std::uint32_t points) {
  for (std::uint32_t i = 0; i < points; ++i) c.count_check(i);
}

ProofResult proof_of(
    const Property& property, double seconds = 0, const std::function<bool()>& stop = [] { return false; }) {
  SelectedSubject selected;
  selected.row = {"mine", "", false, kernel_capabilities(), nullptr};
  const auto process =
      std::make_shared<Processes>(1, SubjectInstance{selected.row, std::make_unique<OwnRunner>(), "", ""});
  ProofTask task = proof_tasks(property, selected, process).front();
  task.run(seconds, stop, [](std::uint64_t) {});
  return task.result();
}

TEST(AProof, IsOneWhereEveryStepHeldAndComparedWhatItHolds) {
  std::vector<std::uint64_t> steps;
  const ProofResult result = proof_of(property_of_tens(7, [&](Case& c) {
    steps.push_back(c.problem.seed);
    compare(c, 10);
  }));
  EXPECT_EQ(result.verdict, Proof::proved) << result.reason;
  EXPECT_EQ(steps, (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(result.points, 70u);
  EXPECT_EQ(result.points_done, 70u);
}

TEST(AProof, IsMistrustedWhereOneStepComparedLessThanItHolds) {
  const ProofResult result = proof_of(property_of_tens(7, [](Case& c) { compare(c, c.problem.seed == 6 ? 9 : 10); }));
  EXPECT_EQ(result.verdict, Proof::mistrusted);
  EXPECT_EQ(result.reason, "1 steps did not compare what they hold");
}

TEST(AProof, IsMistrustedWhereOneValueWasExpectedEverywhere) {
  const ProofResult result = proof_of(property_of_tens(7, [](Case& c) {
    for (int i = 0; i < 10; ++i) c.count_check(42);
  }));
  EXPECT_EQ(result.verdict, Proof::mistrusted);
}

TEST(AProof, IsASampleWhereItWasStoppedBeforeTheLastStep) {
  int asked = 0;
  const ProofResult result =
      proof_of(property_of_tens(7, [](Case& c) { compare(c, 10); }), 0, [&] { return ++asked > 6; });
  EXPECT_EQ(result.verdict, Proof::sampled);
  EXPECT_EQ(result.steps_done, 6);
  EXPECT_EQ(result.points_done, 60u);
}

TEST(AProof, IsNoneWhereStepsWereRefused) {
  const ProofResult one = proof_of(property_of_tens(7, [](Case& c) {
    if (c.problem.seed == 3) throw Refused("not this one");
    compare(c, 10);
  }));
  EXPECT_EQ(one.verdict, Proof::mistrusted);
  EXPECT_EQ(one.steps_done, 6);
  EXPECT_EQ(one.reason, "1 steps that the subject should take were refused: not this one");
  const ProofResult all = proof_of(property_of_tens(7, [](Case&) { throw Refused("none of them"); }));
  EXPECT_EQ(all.verdict, Proof::mistrusted);
}

TEST(AProof, FailsWhereTheLastStepFails) {
  const ProofResult result = proof_of(property_of_tens(7, [](Case& c) {
    if (c.problem.seed == 6) throw Failure("mismatch", "the last one");
    compare(c, 10);
  }));
  EXPECT_EQ(result.verdict, Proof::failed);
  ASSERT_TRUE(result.finding);
  EXPECT_EQ(result.finding->problem.seed, 6u);
  EXPECT_EQ(result.points_done, 60u);
}

TEST(AProof, TakesTheSmallerProblemOnlyWhereItFailsInTheSameWay) {
  for (const bool smaller_fails : {true, false}) {
    const ProofResult result = proof_of(property_of_tens(7, [&](Case& c) {
      if (c.problem.seed == 3) {
        Problem smaller = c.problem;
        smaller.seed = 1000;
        throw Failure("mismatch", "a large one", false, smaller);
      }
      if (c.problem.seed == 1000) throw Failure(smaller_fails ? "mismatch" : "guard", "a small one");
      compare(c, 10);
    }));
    EXPECT_EQ(result.verdict, Proof::failed);
    ASSERT_TRUE(result.finding);
    EXPECT_EQ(result.finding->problem.seed, smaller_fails ? 1000u : 3u);
  }
}

TEST(AProof, SaysInATaskOfItsOwnWhatTheSubjectDoesNotTake) {
  Property property = property_of_tens(7, [](Case& c) { compare(c, 10); });
  property.enumerations = [&, tens = property.enumerations](const Capabilities& capabilities) {
    std::vector<Enumeration> both = tens(capabilities);
    both.push_back(both.front());
    both.back().problem = [](std::int64_t) {
      Problem problem;
      problem.format = reference::format_named("awq");
      problem.scheme = problem.format->schemes[0];
      return problem;
    };
    return both;
  };
  SelectedSubject selected;
  selected.row = {"mine", "", false, kernel_capabilities(), nullptr};
  const auto process =
      std::make_shared<Processes>(1, SubjectInstance{selected.row, std::make_unique<OwnRunner>(), "", ""});
  std::vector<ProofTask> tasks = proof_tasks(property, selected, process);
  ASSERT_EQ(tasks.size(), 2u);
  for (ProofTask& task : tasks)
    task.run(
        0, [] { return false; }, [](std::uint64_t) {});
  EXPECT_EQ(tasks[0].result().verdict, Proof::proved) << tasks[0].result().reason;
  EXPECT_EQ(tasks[0].result().points, 70u);
  EXPECT_EQ(tasks[1].result().verdict, Proof::skipped);
  EXPECT_NE(tasks[1].result().reason.find("as awq"), std::string::npos) << tasks[1].result().reason;
}

TEST(AProof, OfNoStepIsSkipped) {
  const ProofResult result = proof_of(property_of_tens(0, [](Case&) {}));
  EXPECT_EQ(result.verdict, Proof::skipped);
}

}  // namespace

}  // namespace tileproof
