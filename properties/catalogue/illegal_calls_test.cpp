// Illegal calls: each differs from the legal call only in the argument it names, and is illegal.
#include "properties/catalogue/illegal_calls.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "properties/case/calls_for_tests.h"
#include "properties/problem/specification.h"

namespace tileproof {

namespace {

const Capabilities capabilities = library_capabilities({});

/// Calls `use` for every problem and illegal call, with the legal call and the row that says how they differ.
template <class Use>
void for_each_illegal_call(Use use) {
  for_each_legal_call([&](CallBench& b, const CallData&, const OperatorCall& legal) {
    for (const IllegalCall& row : illegal_calls(legal.operation, capabilities)) {
      SCOPED_TRACE(row.name);
      const Problem problem = row.base ? row.base(b.problem) : b.problem;
      const OperatorCall before =
          row.base ? legal_call(problem, legal.operation, data_of(problem, legal.operation)) : legal;
      OperatorCall illegal = before;
      row.change(illegal, problem);
      use(b, row, before, illegal);
    }
  });
}

TEST(AnIllegalCall, DiffersFromTheLegalOneInTheArgumentItNamesAndNowhereElse) {
  for_each_illegal_call([](CallBench&, const IllegalCall& row, const OperatorCall& legal, const OperatorCall& illegal) {
    ASSERT_FALSE(row.at_fault.empty());
    EXPECT_FALSE(row.legal.empty());
    if (row.base) return;  // such a row changes the sizes of several arguments together
    const std::string argument = row.name.substr(0, row.name.find(':'));
    ASSERT_EQ(illegal.arguments.size(), legal.arguments.size());
    EXPECT_EQ(illegal.operation, legal.operation);
    int differing = 0;
    for (std::size_t i = 0; i < legal.arguments.size(); ++i) {
      const bool differs = !same(legal.arguments[i], illegal.arguments[i]);
      EXPECT_EQ(differs, legal.arguments[i].name == argument) << legal.arguments[i].name;
      differing += differs ? 1 : 0;
    }
    EXPECT_EQ(differing, 1) << argument << " is no argument";
    EXPECT_EQ(row.at_fault[0], argument);
  });
}

TEST(AnIllegalCall, IsMadeOfTensorsThatCanBeMade) {
  // The storage must hold every element that sizes and strides address; otherwise no tensor can be made of it.
  for_each_illegal_call([](CallBench&, const IllegalCall&, const OperatorCall&, const OperatorCall& illegal) {
    for (const Argument& argument : illegal.arguments) {
      if (argument.number) continue;
      ASSERT_EQ(argument.strides.size(), argument.sizes.size());
      EXPECT_EQ(static_cast<std::int64_t>(elements_of(argument).size()),
                count_of(argument.sizes) * bytes_of(argument.element));
    }
  });
}

TEST(AnIllegalCall, IsRefusedByARightOperatorThatNamesAnArgumentAtMutant) {
  int looked_at = 0;
  for_each_illegal_call([&](CallBench& b, const IllegalCall& row, const OperatorCall&, const OperatorCall& illegal) {
    if (row.name.ends_with("-not-declared")) return;  // legal for this operator
    if (row.name.ends_with(":on-the-host") || (illegal.operation == Operation::matmul && b.problem.n % 8 != 0)) return;
    ++looked_at;
    std::string refusal;
    try {
      b.subject.call_on_meta(illegal);
    } catch (const Refused& refused) {
      refusal = refused.what();
    }
    EXPECT_NE(refusal, "") << "is legal";
    const bool named = std::any_of(row.at_fault.begin(), row.at_fault.end(),
                                   [&](const std::string& name) { return refusal.find(name) != std::string::npos; });
    EXPECT_TRUE(named) << refusal;
  });
  EXPECT_GT(looked_at, 400);
}

TEST(AnIllegalCall, IsThatOfTheCasesVariant) {
  for (const Operation operation : operator_operations) {
    const std::vector<std::string> names = names_of_illegal_calls(operation, capabilities);
    const std::vector<IllegalCall> rows = illegal_calls(operation, capabilities);
    ASSERT_EQ(names.size(), rows.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      const IllegalCall& row = rows[i];
      EXPECT_EQ(names[i], row.name);
      CallBench b("--n=16 --k=64 --variant=" + row.name);
      const Illegally illegal = illegally_called(b.one, operation);
      EXPECT_EQ(illegal.row.name, row.name);
      if (row.base) continue;
      const CallData data = drawn_data(b.one, operation);
      EXPECT_EQ(illegal.data.codes.elements, data.codes.elements);
      OperatorCall expected = legal_call(b.problem, operation, data);
      row.change(expected, b.problem);
      EXPECT_TRUE(std::equal(illegal.call.arguments.begin(), illegal.call.arguments.end(), expected.arguments.begin(),
                             expected.arguments.end(), same))
          << row.name;
    }
  }
}

TEST(AnIllegalCall, OfScalesInAnotherTypeHoldsTheSameNumbersWhereItCan) {
  for_each_legal_call([](CallBench& b, const CallData&, const OperatorCall& legal) {
    for (const IllegalCall& row : illegal_calls(legal.operation, capabilities)) {
      if (!row.exact || row.base) continue;
      OperatorCall illegal = legal;
      row.change(illegal, b.problem);
      const Argument& scales = illegal.argument("scales_and_zeros");
      const bool wide = scales.element == Element::fp32;
      const std::vector<std::uint32_t> given = widened(OperatorCall(legal).argument("scales_and_zeros").storage, 2);
      const std::vector<std::uint32_t> typed = widened(scales.storage, bytes_of(scales.element));
      ASSERT_EQ(typed.size(), given.size());
      for (std::size_t i = 0; i < given.size(); ++i) {
        const double number = specified::value(reference::bf16, given[i]);
        const double now = specified::value(wide ? reference::fp32 : reference::fp16, typed[i]);
        EXPECT_NEAR(now, number, wide ? 0 : std::abs(number) / 2048 + 0x1p-24);
      }
    }
  });
}

TEST(IllegalCalls, HaveEveryGroupSizeOfTheSubjectWithAKThatItDoesNotDivide) {
  Capabilities narrow = library_capabilities({});
  narrow.formats = {tinygemm(4)};
  narrow.group_sizes = {32, 128};
  std::set<std::string> names;
  for (const IllegalCall& row : illegal_calls(Operation::dequantize, narrow)) {
    if (!row.base || row.exact) continue;
    names.insert(row.name);
    Problem given;
    given.format = tinygemm(4);
    given.k = 128;
    given.n = 24;
    const Problem problem = row.base(given);
    EXPECT_EQ(problem.format, tinygemm(4));
    EXPECT_EQ(problem.k % 64, 0);
    EXPECT_NE(problem.k % problem.group_size, 0) << row.name;
    OperatorCall call = legal_call(problem, Operation::dequantize, data_of(problem, Operation::dequantize));
    row.change(call, problem);
    const std::int64_t groups = call.argument("scales_and_zeros").sizes[0];
    EXPECT_TRUE(groups == problem.k / problem.group_size || groups == problem.k / problem.group_size + 1) << row.name;
  }
  // 32 divides every multiple of 64, so there is no illegal k for it.
  EXPECT_EQ(names,
            (std::set<std::string>{"group_size:128-with-a-rest-and-no-group-for-it",
                                   "group_size:128-with-a-rest-and-a-group-for-it", "group_size:128-of-a-shorter-k",
                                   "group_size:128-of-a-shorter-k-and-no-group"}));
}

TEST(IllegalCalls, HaveWhatASubjectIsNotSaidToTake) {
  Capabilities narrow = library_capabilities({});
  narrow.formats = {tinygemm(4)};
  narrow.group_sizes = {64};
  narrow.n_multiple = 16;
  const std::vector<std::string> names = names_of_illegal_calls(Operation::dequantize, narrow);
  for (const char* name : {"inner_k_tiles:2-not-declared", "inner_k_tiles:8-not-declared",
                           "group_size:128-not-declared", "packed_w:a-row-more-not-declared"}) {
    EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name;
  }
  EXPECT_EQ(std::count(names.begin(), names.end(), "inner_k_tiles:4-not-declared"), 0);
}

TEST(IllegalCalls, HaveNamesOfTheirOwn) {
  for (const Operation operation : operator_operations) {
    std::set<std::string> names;
    for (const IllegalCall& row : illegal_calls(operation, capabilities))
      EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_GE(names.size(), 11u) << name_of(operation);
  }
}

TEST(IllegalCalls, MayBeTakenOnlyWhereWhatTheyGiveIsHeldAgainstTheSpecification) {
  // The rows that may be accepted: scales of another float type, and group sizes that are not declared.
  for (const Operation operation : operator_operations) {
    std::set<std::string> exact;
    for (const IllegalCall& row : illegal_calls(operation, capabilities)) {
      if (row.exact) exact.insert(row.name);
    }
    const bool has_scales = operation == Operation::dequantize || operation == Operation::matmul;
    EXPECT_EQ(exact, has_scales ? (std::set<std::string>{"scales_and_zeros:fp16", "scales_and_zeros:fp32",
                                                         "group_size:16-not-declared", "group_size:512-not-declared"})
                                : std::set<std::string>())
        << name_of(operation);
  }
}

}  // namespace

}  // namespace tileproof
