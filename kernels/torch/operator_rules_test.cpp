// The table of the PyTorch operators' arguments, asked about plain numbers: each rule at its edge, and that the
// document printed from it is the committed one. With tensors it is torch/operators_test.py's.
#include "kernels/torch/operator_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
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
  // Dequantize alone takes these.
  std::vector<Described> parameters = {scales_and_zeros};
  const char* format = "tinygemm-4";
  const char* scheme = "float";
  std::optional<Element> type = std::nullopt;
  // Convert_parameters alone takes these, and `parameters`.
  const char* source_format_of_parameters = "tinygemm-4";
  const char* source_scheme = "float";
  const char* target_format_of_parameters = "plain";
  const char* target_scheme = "integer";
  const char* rounding = "exact";

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
    give(call.numbers, Argument::group_size_of_format, group_size);
    give(call.texts, Argument::format, format);
    give(call.texts, Argument::scheme, scheme);
    give(call.texts, Argument::source_format_of_parameters, source_format_of_parameters);
    give(call.texts, Argument::source_scheme, source_scheme);
    give(call.texts, Argument::target_format_of_parameters, target_format_of_parameters);
    give(call.texts, Argument::target_scheme, target_scheme);
    give(call.texts, Argument::rounding, rounding);
    if (!takes(of, Argument::parameters)) return call;
    call.list_count = static_cast<int>(parameters.size());
    for (int i = 0; i < std::min(call.list_count, Format::most_parameters); ++i) {
      give(call.tensors, parameter(i), &parameters[static_cast<std::size_t>(i)]);
    }
    call.type = type;
    call.name_of_type = type ? "a type" : "";
    return call;
  }
};

void expect_accepted(const Operator& of, const Legal& legal) {
  const auto refusal = validate(legal.call(of));
  EXPECT_FALSE(refusal.has_value()) << of.name << ": " << refusal->text();
}

TEST(OperatorRules, AcceptLegalCallsOfEveryOperator) {
  for (const bool with_experts : {false, true}) {
    for (const Operator* of : all_operators) expect_accepted(*of, {with_experts});
  }
}

/// A call of dequantize with four parameters: scales of nf4 that are nested.
void make_nested(Legal& l) {
  l.format = l.scheme = "nf4";
  l.packed = {Element::uint8, l.shape({1280, 1})};
  l.parameters = {{Element::uint8, l.shape({40})},
                  {Element::fp32, l.shape({1})},
                  {Element::fp32, l.shape({256})},
                  {Element::fp32, l.shape({1})}};
}
TEST(OperatorRules, AcceptCallsOfDequantizeInAnyFormat) {
  const auto accepts = [](const Legal& legal) { expect_accepted(any_dequantize_operator, legal); };
  for (const bool with_experts : {false, true}) {
    Legal nested = {with_experts};
    make_nested(nested);
    accepts(nested);
    nested.type = Element::bf16;
    accepts(nested);
    Legal blocks = {with_experts};
    blocks.format = "q4_0";
    blocks.scheme = "symmetric";
    blocks.packed = {Element::uint8, blocks.shape({20, 72})};
    blocks.parameters = {};
    blocks.group_size = 32;
    accepts(blocks);
  }
}

/// A call of convert_parameters with an order of columns.
void make_ordered(Legal& l) {
  l.source_format_of_parameters = "gptq-v1";
  l.target_format_of_parameters = "gptq";
  l.source_scheme = l.target_scheme = "integer";
  l.n = 24;
  l.parameters = {
      {Element::fp16, l.shape({2, 24})}, {Element::int32, l.shape({2, 3})}, {Element::int32, l.shape({128})}};
}
TEST(OperatorRules, AcceptCallsOfConvertParametersInOtherFormats) {
  const auto accepts = [](const Legal& legal) { expect_accepted(convert_parameters_operator, legal); };
  for (const bool with_experts : {false, true}) {
    Legal ordered = {with_experts};
    make_ordered(ordered);
    accepts(ordered);
    ordered.parameters.pop_back();
    ordered.target_format_of_parameters = "awq";
    ordered.rounding = "nearest";
    accepts(ordered);
  }
}

/// Each row changes a legal call with experts, whose leading size is 2, so that one rule is broken.
struct Wrong {
  const char* argument;
  const char* legal;  // from the rule that refuses
  void (*change)(Legal&);
  const Operator* only = nullptr;  // the operator that takes this for illegal; nullptr: each that has the argument
};
template <std::size_t i, class Change>
void change_nested(Legal& l, Change change) {
  make_nested(l);
  change(l.parameters[i]);
}
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
    {"source_format", "tinygemm-2, tinygemm-4",
     [](Legal& l) { l.source_format = l.source_format_of_parameters = "tinygemm"; }},
    {"target_format", "tinygemm-2, tinygemm-4", [](Legal& l) { l.target_format = l.target_format_of_parameters = ""; }},
    {"source_scheme", "one of the format's schemes: float, integer, none",
     [](Legal& l) { l.source_scheme = "symmetric"; }},
    {"target_scheme", "one of the format's schemes: symmetric, integer",
     [](Legal& l) {
       l.target_format_of_parameters = "marlin";
       l.target_scheme = "none";
     }},
    {"target_format", "gptq or gptq-v1, where g_idx is given",
     [](Legal& l) {
       make_ordered(l);
       l.target_format_of_parameters = "awq";
     },
     &convert_parameters_operator},
    {"group_size", "what the format has: a power of two from 32 to 256 that divides k = 128 in int4pack-cpu-avx2",
     [](Legal& l) {
       l.target_format_of_parameters = "int4pack-cpu-avx2";
       l.target_scheme = "float-folded";
       l.n = 32;
       l.group_size = 16;
     },
     &convert_parameters_operator},
    {"rounding", "exact or nearest", [](Legal& l) { l.rounding = "even"; }},
    {"parameters[0]", "experts * n * k within",
     [](Legal& l) {
       l.parameters[0].sizes = {huge, 2, 20, 2};
     },
     &convert_parameters_operator},
    {"n", "0 or more, in multiples that the formats take = 8 for tinygemm-4 and awq",
     [](Legal& l) {
       l.target_format = "awq";
       l.n = 20;
     },
     &convert_operator},
    {"n", "0 or more, in multiples that the formats take = 64 for tinygemm-4 and marlin",
     [](Legal& l) {
       l.target_format_of_parameters = "marlin";
       l.target_scheme = "symmetric";
     },
     &convert_parameters_operator},
    {"n", "0 or more, in multiples", [](Legal& l) { l.n = -8; }},
    {"n", "experts * n * k within", [](Legal& l) { l.n = huge; }},
    {"k", "0 or more, in multiples that the formats take = 64 for tinygemm-4", [](Legal& l) { l.k = 96; }},
    {"k", "experts * n * k within", [](Legal& l) { l.k = std::int64_t{1} << 60; }},
    {"packed", "the type of the format's tensor = int32 in tinygemm-4",
     [](Legal& l) { l.packed.element = Element::uint8; }},
    {"packed", "the type of the format's tensor = uint8", [](Legal& l) { l.source_format = "plain"; },
     &convert_operator},
    {"packed", "the sizes of the format's tensor for n and k, or these behind experts = [3, 2, 32, 2] in tinygemm-4",
     [](Legal& l) {
       l.packed.sizes = {2, 3, 2, 32, 1};
     }},
    {"packed", "the sizes of the format's tensor", [](Legal& l) { l.packed.sizes = {1, 2, 3, 2, 32, 2}; }},
    {"packed", "the sizes of the format's tensor", [](Legal& l) { l.packed.sizes = {}; }},
    {"packed", "the sizes of the format's tensor", [](Legal& l) { l.n = 25; }},
    {"packed", "experts * n * k within",
     [](Legal& l) {
       l.packed.sizes = {huge, 3, 2, 32, 2};
     }},
    {"format", "tinygemm-2, tinygemm-4", [](Legal& l) { l.format = "marlin"; }},
    {"scheme", "one of the format's schemes: float, integer, none", [](Legal& l) { l.scheme = "nf4"; }},
    {"parameters", "the tensors of the scheme: scales, zero_points",
     [](Legal& l) { l.scheme = l.source_scheme = "integer"; }},
    {"parameters", "the tensors of the scheme: scales; or scales, scales_of_scales, code_of_scales, offset_of_scales",
     [](Legal& l) {
       make_nested(l);
       l.parameters.resize(9);
     },
     &any_dequantize_operator},
    {"group_size", "what the format has: a power of two from 32 to 4096",
     [](Legal& l) {
       make_nested(l);
       l.group_size = 8192;
     },
     &any_dequantize_operator},
    {"group_size", "what the format has: a positive multiple of 16 that divides k = 128",
     [](Legal& l) { l.group_size = -16; }, &any_dequantize_operator},
    {"dtype", "None, or what the format's weights can be: that of the scales",
     [](Legal& l) { l.type = Element::fp16; }},
    {"dtype", "None, or what the format's weights can be: bfloat16, float16 or float32",
     [](Legal& l) {
       make_nested(l);
       l.type = Element::int32;
     }},
    {"parameters[0]",
     "the type that the format has there = bfloat16, float16 or float32, scales_and_zeros of tinygemm-4",
     [](Legal& l) { l.parameters[0].element = Element::int32; }},
    {"parameters[0]", "on the device of the first tensor", [](Legal& l) { l.parameters[0].of_device = 1; },
     &any_dequantize_operator},
    {"parameters[1]", "on the device of the first tensor",
     [](Legal& l) {
       make_ordered(l);
       l.parameters[1].of_device = 1;
     },
     &convert_parameters_operator},
    {"parameters[0]",
     "the sizes that the format has there, behind experts where the first tensor has them = [2, 2, 20, 2], "
     "scales_and_zeros",
     [](Legal& l) {
       l.parameters[0].sizes = {3, 2, 20, 2};
     },
     &any_dequantize_operator},
    {"parameters[0]",
     "the sizes that the format has there, behind experts where the first tensor has them = [2, 2, 20, 2]",
     [](Legal& l) {
       l.parameters[0].sizes = {2, 20, 2};
     },
     &any_dequantize_operator},
    {"parameters[0]", "the sizes that the format has there",
     [](Legal& l) {
       l.parameters[0].sizes = {2, 2, 21, 2};
     }},
    {"parameters[1]",
     "the sizes that the format has there, behind experts where the first tensor has them = [2, 2, 3], zeros of gptq",
     [](Legal& l) {
       make_ordered(l);
       l.parameters[1].sizes = {2, 3};
     },
     &convert_parameters_operator},
    {"parameters[1]", "the type that the format has there = float32, scales_of_scales of nf4",
     [](Legal& l) { change_nested<1>(l, [](Described& one) { one.element = Element::bf16; }); },
     &any_dequantize_operator},
    {"parameters[1]", "on the device of the first tensor",
     [](Legal& l) { change_nested<1>(l, [](Described& one) { one.of_device = 1; }); }, &any_dequantize_operator},
    {"parameters[1]",
     "the sizes that the format has there, behind experts where the first tensor has them = [2, 1], scales_of_scales",
     [](Legal& l) { change_nested<1>(l, [](Described& one) {
                      one.sizes = {2, 2};
                    }); }, &any_dequantize_operator},
    {"parameters[2]", "the type that the format has there = float32, code_of_scales of nf4",
     [](Legal& l) { change_nested<2>(l, [](Described& one) { one.element = Element::uint8; }); },
     &any_dequantize_operator},
    {"parameters[2]", "on the device of the first tensor",
     [](Legal& l) { change_nested<2>(l, [](Described& one) { one.of_device = 1; }); }, &any_dequantize_operator},
    {"parameters[2]",
     "the sizes that the format has there, behind experts where the first tensor has them = [2, 256], code_of_scales",
     [](Legal& l) { change_nested<2>(l, [](Described& one) {
                      one.sizes = {2, 16};
                    }); }, &any_dequantize_operator},
    {"parameters[3]", "the type that the format has there = float32, offset_of_scales of nf4",
     [](Legal& l) { change_nested<3>(l, [](Described& one) { one.element = Element::fp16; }); },
     &any_dequantize_operator},
    {"parameters[3]", "on the device of the first tensor",
     [](Legal& l) { change_nested<3>(l, [](Described& one) { one.of_device = 1; }); }, &any_dequantize_operator},
    {"parameters[3]",
     "the sizes that the format has there, behind experts where the first tensor has them = [2, 1], offset_of_scales",
     [](Legal& l) { change_nested<3>(l, [](Described& one) { one.sizes = {2}; }); }, &any_dequantize_operator},
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
      if (wrong.only != nullptr) is_taken = of == wrong.only;
      if (!is_taken) continue;
      ++refused;
      ASSERT_TRUE(refusal.has_value()) << of->name << " accepts " << wrong.argument << " not " << wrong.legal;
      EXPECT_EQ(refusal->argument, wrong.argument) << of->name << ": " << refusal->text();
      EXPECT_NE(refusal->legal.find(wrong.legal), std::string::npos) << of->name << ": " << refusal->text();
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
