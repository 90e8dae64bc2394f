// The table of the PyTorch operators' arguments, asked about plain numbers: each rule at its edge, and that the
// document printed from it is the committed one. With tensors it is torch/operators_test.py's.
#include "kernels/torch/operator_rules.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <set>
#include <sstream>

#include "kernels/torch/operator_document.h"

namespace tileproof::kernels {
namespace {

struct Described {
  Element element;
  std::vector<std::int64_t> sizes;
  int of_device = 0;

  std::int64_t dim() const { return static_cast<std::int64_t>(sizes.size()); }
  std::int64_t size(int dimension) const { return sizes.at(sizes.size() - static_cast<std::size_t>(-dimension)); }
  bool is(Element other) const { return element == other; }
  int device() const { return of_device; }
  std::string text() const {
    std::string text = "sizes";
    for (const std::int64_t size : sizes) text += " " + std::to_string(size);
    return text;
  }
};

/// A legal call of each operator: two experts or none, n = 20, k = 128, groups of 64, inner_k_tiles 4.
struct Legal {
  bool with_experts;
  Described codes = {Element::uint8, shape({20, 64})};
  Described packed_w = {Element::int32, shape({3, 2, 32, 2})};
  Described scales_and_zeros = {Element::bf16, shape({2, 20, 2})};
  Described scales = {Element::fp32, shape({2, 20})};
  Described zero_points = {Element::int8, shape({2, 20})};
  std::int64_t group_size = 64;
  std::int64_t inner_k_tiles = 4;
  // Convert alone takes these.
  Described packed = {Element::int32, shape({3, 2, 32, 2})};
  const char* source_format = "tinygemm-4";
  const char* target_format = "plain-int32";
  std::int64_t n = 20;
  std::int64_t k = 128;

  std::vector<std::int64_t> shape(std::vector<std::int64_t> sizes) const {
    if (with_experts) sizes.insert(sizes.begin(), 2);
    return sizes;
  }
  Call<Described> call(const Operator& of) const {
    Call<Described> call = {of};
    const auto give = [&](auto& of_type, Argument argument, const auto& value) {
      if (takes(of, argument)) of_type[static_cast<std::size_t>(argument)] = value;
    };
    give(call.tensors, Argument::codes, &codes);
    give(call.tensors, Argument::packed_w, &packed_w);
    give(call.tensors, Argument::packed, &packed);
    give(call.tensors, Argument::scales_and_zeros, &scales_and_zeros);
    give(call.tensors, Argument::scales, &scales);
    give(call.tensors, Argument::zero_points, &zero_points);
    give(call.numbers, Argument::group_size, group_size);
    give(call.numbers, Argument::inner_k_tiles, inner_k_tiles);
    give(call.numbers, Argument::n, n);
    give(call.numbers, Argument::k, k);
    give(call.texts, Argument::source_format, source_format);
    give(call.texts, Argument::target_format, target_format);
    return call;
  }
};

TEST(OperatorRules, AcceptLegalCallsOfEveryOperator) {
  for (const bool with_experts : {false, true}) {
    for (const Operator* of : all_operators) {
      const Legal legal = {with_experts};
      const auto refusal = validate(legal.call(*of));
      EXPECT_FALSE(refusal.has_value()) << of->name << ": " << refusal->text();
    }
  }
}

/// Each row changes a legal call with experts, whose leading size is 2, so that one rule is broken.
struct Wrong {
  const char* argument;
  const char* legal;  // the beginning of the rule that refuses
  void (*change)(Legal&);
};
constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();
const Wrong wrongs[] = {
    {"inner_k_tiles", "2, 4 or 8", [](Legal& l) { l.inner_k_tiles = 3; }},
    {"codes", "uint8", [](Legal& l) { l.codes.element = Element::int32; }},
    {"codes", "2 dimensions", [](Legal& l) { l.codes.sizes = {64}; }},
    {"codes", "2 dimensions",
     [](Legal& l) {
       l.codes.sizes = {1, 2, 20, 64};
     }},
    {"codes", "2 dimensions", [](Legal& l) { l.codes.sizes = {}; }},
    {"codes", "k a multiple of 16 * inner_k_tiles = 64",
     [](Legal& l) {
       l.codes.sizes = {20, 48};
     }},
    {"codes", "experts * n * k within",
     [](Legal& l) {
       l.codes.sizes = {1, huge};
     }},
    {"codes", "experts * n * k within",
     [](Legal& l) {
       l.codes.sizes = {huge, 0};
     }},
    {"codes", "experts * n * k within",
     [](Legal& l) {
       l.codes.sizes = {huge, 8, 32};
     }},
    {"packed_w", "int32", [](Legal& l) { l.packed_w.element = Element::uint8; }},
    {"packed_w", "4 dimensions",
     [](Legal& l) {
       l.packed_w.sizes = {2, 32, 2};
     }},
    {"packed_w", "4 dimensions", [](Legal& l) { l.packed_w.sizes = {1, 2, 3, 2, 32, 2}; }},
    {"packed_w", "32 lanes",
     [](Legal& l) {
       l.packed_w.sizes = {2, 3, 2, 31, 2};
     }},
    {"packed_w", "inner_k_tiles/2 words of a lane in the last dimension = 2",
     [](Legal& l) {
       l.packed_w.sizes = {2, 3, 2, 32, 4};
     }},
    {"packed_w", "experts * n * k within",
     [](Legal& l) {
       l.packed_w.sizes = {0, huge, 2, 32, 2};
     }},
    {"packed_w", "experts * n * k within",
     [](Legal& l) {
       l.packed_w.sizes = {0, 3, huge, 32, 2};
     }},
    {"packed_w", "experts * n * k within",
     [](Legal& l) {
       l.packed_w.sizes = {huge, 3, 2, 32, 2};
     }},
    {"group_size", "a positive multiple of 16 that divides k = 128", [](Legal& l) { l.group_size = 48; }},
    {"group_size", "a positive multiple of 16 that divides k", [](Legal& l) { l.group_size = 8; }},
    {"group_size", "a positive multiple of 16 that divides k", [](Legal& l) { l.group_size = 0; }},
    {"scales_and_zeros", "bfloat16, float16 or float32", [](Legal& l) { l.scales_and_zeros.element = Element::int8; }},
    {"scales_and_zeros", "on the device", [](Legal& l) { l.scales_and_zeros.of_device = 1; }},
    {"scales_and_zeros", "3 dimensions",
     [](Legal& l) {
       l.scales_and_zeros.sizes = {2, 20, 2};
     }},
    {"scales_and_zeros", "as many experts",
     [](Legal& l) {
       l.scales_and_zeros.sizes = {3, 2, 20, 2};
     }},
    {"scales_and_zeros", "k/group_size groups = 2",
     [](Legal& l) {
       l.scales_and_zeros.sizes = {2, 4, 20, 2};
     }},
    {"scales_and_zeros", "n with ceil(n/8)",
     [](Legal& l) {
       l.scales_and_zeros.sizes = {2, 2, 16, 2};
     }},
    {"scales_and_zeros", "n with ceil(n/8)",
     [](Legal& l) {
       l.scales_and_zeros.sizes = {2, 2, 25, 2};
     }},
    {"scales_and_zeros", "n with ceil(n/8)",
     [](Legal& l) {
       l.scales_and_zeros.sizes = {2, 2, huge, 2};
     }},
    {"scales_and_zeros", "a scale and a zero",
     [](Legal& l) {
       l.scales_and_zeros.sizes = {2, 2, 20, 1};
     }},
    {"scales", "bfloat16, float16 or float32", [](Legal& l) { l.scales.element = Element::int32; }},
    {"scales", "on the device", [](Legal& l) { l.scales.of_device = 1; }},
    {"scales", "2 dimensions",
     [](Legal& l) {
       l.scales.sizes = {2, 2, 20, 2};
     }},
    {"scales", "as many experts",
     [](Legal& l) {
       l.scales.sizes = {1, 2, 20};
     }},
    {"scales", "k/group_size groups = 2",
     [](Legal& l) {
       l.scales.sizes = {2, 1, 20};
     }},
    {"scales", "n with ceil(n/8)",
     [](Legal& l) {
       l.scales.sizes = {2, 2, 28};
     }},
    {"zero_points", "int8", [](Legal& l) { l.zero_points.element = Element::uint8; }},
    {"zero_points", "on the device", [](Legal& l) { l.zero_points.of_device = 1; }},
    {"zero_points", "the sizes of scales: sizes 2 2 20",
     [](Legal& l) {
       l.zero_points.sizes = {2, 20};
     }},
    {"zero_points", "the sizes of scales",
     [](Legal& l) {
       l.zero_points.sizes = {2, 2, 21};
     }},
    {"source_format", "tinygemm-2, tinygemm-4", [](Legal& l) { l.source_format = "tinygemm"; }},
    {"target_format", "tinygemm-2, tinygemm-4", [](Legal& l) { l.target_format = ""; }},
    {"n", "0 or more, in multiples of both formats = 8 for tinygemm-4 and awq",
     [](Legal& l) {
       l.target_format = "awq";
       l.n = 20;
     }},
    {"n", "0 or more, in multiples", [](Legal& l) { l.n = -8; }},
    {"n", "experts * n * k within", [](Legal& l) { l.n = huge; }},
    {"k", "0 or more, in multiples of both formats = 64 for tinygemm-4 and plain-int32", [](Legal& l) { l.k = 96; }},
    {"k", "experts * n * k within", [](Legal& l) { l.k = std::int64_t{1} << 60; }},
    {"packed", "the type of source_format's tensor = int32 in tinygemm-4",
     [](Legal& l) { l.packed.element = Element::uint8; }},
    {"packed", "the type of source_format's tensor = uint8", [](Legal& l) { l.source_format = "plain"; }},
    {"packed", "the sizes of source_format's tensor for n and k, or these behind experts = [3, 2, 32, 2] in tinygemm-4",
     [](Legal& l) {
       l.packed.sizes = {2, 3, 2, 32, 1};
     }},
    {"packed", "the sizes of source_format's tensor", [](Legal& l) { l.packed.sizes = {1, 2, 3, 2, 32, 2}; }},
    {"packed", "the sizes of source_format's tensor", [](Legal& l) { l.packed.sizes = {}; }},
    {"packed", "the sizes of source_format's tensor", [](Legal& l) { l.n = 25; }},
    {"packed", "experts * n * k within",
     [](Legal& l) {
       l.packed.sizes = {huge, 3, 2, 32, 2};
     }},
};

TEST(OperatorRules, RefuseWhatBreaksThemInEveryOperatorThatTakesTheArgument) {
  for (const Wrong& wrong : wrongs) {
    Legal changed = {true};
    wrong.change(changed);
    int refused = 0;
    for (const Operator* of : all_operators) {
      const auto refusal = validate(changed.call(*of));
      bool is_taken = false;
      for (std::size_t i = 0; i < argument_count; ++i) {
        is_taken |= argument_rows[i].name == std::string(wrong.argument) && takes(*of, static_cast<Argument>(i));
      }
      if (!is_taken) continue;
      ++refused;
      ASSERT_TRUE(refusal.has_value()) << of->name << " accepts " << wrong.argument << " not " << wrong.legal;
      EXPECT_EQ(refusal->argument, wrong.argument) << of->name << ": " << refusal->text();
      EXPECT_EQ(refusal->legal.rfind(wrong.legal, 0), 0u) << of->name << ": " << refusal->text();
    }
    EXPECT_GT(refused, 0) << wrong.argument;
  }
}

TEST(OperatorRules, AreEachBrokenByOneOfTheseTests) {
  for (const auto& rule : all_rules<Described>()) {
    bool is_met = false;
    for (const Wrong& wrong : wrongs) {
      is_met = is_met || (wrong.argument == std::string(row_of(rule.argument).name) &&
                          std::string(wrong.legal).substr(0, 8) == rule.legal.substr(0, 8));
    }
    EXPECT_TRUE(is_met) << row_of(rule.argument).name << ": " << rule.legal;
  }
}

TEST(OperatorDocument, IsTheCommittedOne) {
  std::ostringstream committed;
  committed << std::ifstream(TILEPROOF_OPERATOR_DOCUMENT).rdbuf();
  EXPECT_EQ(committed.str(), operator_document())
      << "kernels/torch/ARGUMENTS.md is not what the table says: build the target operator_document";
}

}  // namespace
}  // namespace tileproof::kernels
