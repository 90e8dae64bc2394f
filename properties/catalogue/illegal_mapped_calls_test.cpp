// Tests of the illegal calls of operators that a mapping names, in every format.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "properties/catalogue/illegal_calls.h"
#include "properties/problem/named.h"

namespace tileproof {

namespace {

/// A library whose operators take the tensors of a scheme.
/// @param is_told_sizes  whether n, k and the group size are arguments too
Capabilities mapped_library(const Format& format, const Scheme& scheme, bool is_told_sizes) {
  Capabilities library = library_capabilities({std::begin(kernel_operations), std::end(kernel_operations)});
  library.formats = {&format};
  library.schemes = {&scheme};
  library.types = types_of(scheme, every_types());
  library.group_sizes = Capabilities().group_sizes;
  std::erase_if(library.group_sizes, [&](std::int64_t size) { return !format.group_sizes.contains(size); });
  library.mapped_arguments = {
      {Operation::pack, {"codes"}}, {Operation::unpack, {"packed"}}, {Operation::dequantize, {"packed"}}};
  for (auto& [operation, names] : library.mapped_arguments) {
    for (int i = 0; operation == Operation::dequantize && i < scheme.tensor_count; ++i) {
      names.emplace_back(scheme.tensors[i].role);
    }
    if (is_told_sizes) names.insert(names.end(), {"n", "k"});
    if (is_told_sizes && operation == Operation::dequantize) names.emplace_back("group_size");
  }
  return library;
}

template <class Use>
void for_each_library(Use use) {
  for (const Format* format : every_format_there_is()) {
    for (const Scheme* scheme : schemes_of(*format)) {
      for (const bool is_told_sizes : {false, true}) {
        const std::string what = std::string(format->name) + " " + scheme->name + (is_told_sizes ? ", told sizes" : "");
        use(mapped_library(*format, *scheme, is_told_sizes), what);
      }
    }
  }
}

std::string text_of(const Argument& one) { return one.name + " " + one.text() + " " + tileproof::text_of(one.strides); }

TEST(IllegalMappedCalls, ChangeOneArgumentOfALegalCall) {
  for_each_library([](const Capabilities& library, const std::string& what) {
    for (const Operation operation : kernel_operations) {
      if (operation == Operation::pack && !packs_codes_alone(*library.formats.front())) continue;
      const std::vector<IllegalCall> rows = illegal_mapped_calls(operation, library);
      EXPECT_GE(rows.size(), 2u) << what << " " << name_of(operation);
      std::set<std::string> names;
      for (const IllegalCall& row : rows) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        Problem problem = smallest_problem(library);
        if (row.base) problem = row.base(problem);
        EXPECT_TRUE(library.takes(problem)) << what << " " << row.name << " " << line_of(problem);
        const OperatorCall legal = legal_call(problem, operation, data_of(problem, operation), library);
        OperatorCall illegal = legal;
        row.change(illegal, problem);
        for (std::size_t i = 0; i < legal.arguments.size(); ++i) {
          const std::string& name = legal.arguments[i].name;
          const bool is_named = row.name.starts_with(name + ":");
          EXPECT_EQ(text_of(legal.arguments[i]) != text_of(illegal.arguments[i]), is_named) << what << " " << row.name;
          EXPECT_TRUE(!is_named || std::ranges::count(row.at_fault, name) != 0) << row.name;
        }
      }
    }
  });
}

/// An operator that is told no sizes takes them from its tensors, so that another extent may be that of another matrix.
TEST(IllegalMappedCalls, AreNotThoseOfAnotherMatrix) {
  const Format& awq = *format_of("format", "awq");
  const auto names = [&](Operation operation, bool is_told_sizes) {
    return names_of_rows(illegal_mapped_calls(operation, mapped_library(awq, *awq.schemes[0], is_told_sizes)));
  };
  const auto has_extents = [](const std::vector<std::string>& all) {
    return std::ranges::any_of(all,
                               [](const std::string& name) { return name.find("dimension") != std::string::npos; });
  };
  EXPECT_FALSE(has_extents(names(Operation::unpack, false)));
  EXPECT_TRUE(has_extents(names(Operation::unpack, true)));
  for (const IllegalCall& row :
       illegal_mapped_calls(Operation::dequantize, mapped_library(awq, *awq.schemes[0], false))) {
    if (row.name != "packed:one-more-in-dimension-0") continue;
    const Problem problem = row.base(smallest_problem(mapped_library(awq, *awq.schemes[0], false)));
    EXPECT_NE((problem.k + 1) % problem.groups().k, 0) << "such a group has a row more";
    return;
  }
  FAIL() << "no row of packed is left over";
}

}  // namespace

}  // namespace tileproof
