// Judges the properties about operators on scalar operators. Correct ones pass, each in its own way, and every mutant
// of a table is found by the properties that name it and by no other.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <set>

#include "properties/catalogue/properties.h"
#include "properties/judging/judge.h"
#include "properties/judging/properties_for_tests.h"
#include "properties/subjects/mutable_operators_for_tests.h"

namespace tileproof {

namespace {

/// The properties about tensors, on matrices small enough for scalar code. The large sizes of heavy properties are
/// tested on a GPU; these tests check what the properties say.
/// @param operations  names of the operations that the properties are about
template <class Operations>
std::vector<Property> properties_about_tensors(const Operations& operations) {
  std::vector<Property> some;
  for (Property property : properties()) {
    if (!property.of_tensors) continue;
    if (std::count(operations.begin(), operations.end(), name_of(property.needs.at(0))) == 0) continue;
    if (!property.sampling.fixed_for) property.sampling.most_k = 128;
    property.sampling.most_elements = 640;
    if (property.sampling.fixed_for) {  // the problems become small, so goals about size are dropped
      property.meets.clear();
      property.sampling.fixed_for = [large = property.sampling.fixed_for](const Capabilities& capabilities) {
        std::vector<Problem> problems = large(capabilities);
        for (Problem& problem : problems) {
          problem.n = 72 + problem.n / 8 % 2 * 8;
          problem.k = problem.group_size = 32;
          problem.format = tinygemm(2);
        }
        return problems;
      };
    }
    some.push_back(property);
  }
  return some;
}

Judgement judged(const Property& property, const OperatorParts& parts, std::int64_t cases) {
  MutableOperators subject(parts);
  SubjectRow row = row_of_operators("scalar");
  row.capabilities.group_sizes = {32, 64};
  return judge(property, row, subject, {.cases = cases, .seed = 1});
}

std::string why_red_at_length(const Judgement& judgement) {
  std::string words = judgement.reason;
  for (const Finding& finding : judgement.findings) {
    words += "\n" + finding.kind + ": " + finding.details.substr(0, 400) + "\n  " + line_of(finding.problem);
  }
  return words;
}

// --- Helpers that name properties and parts ------------------------------------------------------------------------

/// A property, named by its beginning; after a space its variants, named by theirs: "reject/dequantize
/// scales_and_zeros:fp16".
struct Place {
  std::string property;
  std::string variant;
  explicit Place(const std::string& text)
      : property(text.substr(0, text.find(' '))),
        variant(text.find(' ') == std::string::npos ? "" : text.substr(text.find(' ') + 1)) {}
  bool has(const std::string& name, const std::string& of_variant) const {
    return name.starts_with(property) && of_variant.starts_with(variant);
  }
};

using Names = std::vector<std::string>;
const Names every_operation = {"pack", "unpack", "dequantize", "matmul"};
const Names of_scales = {"dequantize", "matmul"};

/// "kind/operation_ variant" for every combination.
Names named(const Names& kinds, const Names& operations, const Names& variants = {""}) {
  Names names;
  for (const std::string& kind : kinds) {
    for (const std::string& operation : operations) {
      for (const std::string& variant : variants) {
        names.push_back(kind + "/" + operation + "_" + (variant.empty() ? "" : " " + variant));
      }
    }
  }
  return names;
}

/// The properties that compare an operation's elements.
Names all_values(const Names& operations) {
  return named({"accept", "reject", "stride", "offset", "launch", "batch"}, operations);
}

Names operator+(Names a, const Names& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

template <class Change>
void change_rule(OperatorParts& parts, const std::string& name, Change change) {
  int changed = 0;
  for (RulesOfOperators* rules : {&parts.rules, &parts.meta_rules}) {
    for (auto& [operation, rows] : *rules) {
      for (OperatorRule& row : rows) {
        if (row.name != name) continue;
        change(row);
        ++changed;
      }
    }
  }
  if (changed == 0) throw std::logic_error("no rule " + name);
}

void drop(OperatorParts& parts, const std::string& rule) {
  change_rule(parts, rule, [](OperatorRule& row) { row.holds = [](const OperatorCall&) { return true; }; });
}

void take_also(OperatorParts& parts, const std::string& rule, std::function<bool(const OperatorCall&)> also) {
  change_rule(parts, rule, [&](OperatorRule& row) {
    row.holds = [rightly = row.holds, also](const OperatorCall& call) { return rightly(call) || also(call); };
  });
}

void refuse_also(OperatorParts& parts, const std::string& rule, std::function<bool(const OperatorCall&)> also) {
  change_rule(parts, rule, [&](OperatorRule& row) {
    row.holds = [rightly = row.holds, also](const OperatorCall& call) { return rightly(call) && !also(call); };
  });
}

const Argument* found(const OperatorCall& call, const std::string& name) {
  for (const Argument& argument : call.arguments) {
    if (argument.name == name) return &argument;
  }
  return nullptr;
}
Argument* found(OperatorCall& call, const std::string& name) {
  return const_cast<Argument*>(found(std::as_const(call), name));
}

bool is_fp16(const OperatorCall& call) {
  const Argument* scales = found(call, "scales_and_zeros");
  return scales != nullptr && scales->element == Element::fp16;
}

bool has_tiles_of_eight(const OperatorCall& call) {
  const Argument* inner_k_tiles = found(call, "inner_k_tiles");
  return inner_k_tiles != nullptr ? inner_k_tiles->number == 8 : found(call, "packed_w")->sizes.back() == 4;
}

bool is_dense(const Argument& tensor) { return tensor.strides == dense_strides(tensor.sizes); }

/// Adds a rule about a tensor.
void require_of(RulesOfOperators& of_all, const std::string& name, const std::string& legal,
                const std::function<bool(const Argument&)>& holds) {
  for (auto& [operation, rules] : of_all) {
    rules.push_back({legal, name, legal, [=](const OperatorCall& call) {
                       const Argument* tensor = found(call, name);
                       return tensor == nullptr || holds(*tensor);
                     }});
  }
}
void require_of(OperatorParts& parts, const std::string& name, const std::string& legal,
                const std::function<bool(const Argument&)>& holds) {
  require_of(parts.rules, name, legal, holds);
  require_of(parts.meta_rules, name, legal, holds);
}

const Names tensors = {"codes", "packed_w", "scales_and_zeros", "activations"};

void ignore_strides(OperatorParts& parts, const std::string& tensor) {
  parts.look = [=](OperatorCall& call) {
    if (Argument* seen = found(call, tensor)) seen->strides = dense_strides(seen->sizes);
  };
}

void ignore_offset(OperatorParts& parts, const std::string& tensor) {
  parts.look = [=](OperatorCall& call) {
    if (Argument* seen = found(call, tensor)) seen->offset = 0;
  };
}

enum class Part { all, scales, zeros };

/// In a stack, gives expert `to` and all later ones the elements of expert `from`. Scales and zeros alternate.
void share(const OperatorCall& call, Elements& elements, const std::string& tensor, Part part, std::size_t from,
           std::size_t to) {
  if (!is_stack(call)) return;
  const auto experts = static_cast<std::size_t>(call.arguments.at(0).sizes[0]);
  std::vector<std::uint32_t>& all = elements[tensor];
  const std::size_t slice = all.size() / experts;
  for (std::size_t expert = to; expert < experts; ++expert) {
    for (std::size_t i = part == Part::zeros ? 1 : 0; i < slice; i += part == Part::all ? 1 : 2) {
      all[expert * slice + i] = all[from * slice + i];
    }
  }
}

void flip_a_bit(OperatorResult& result) {
  if (!result.bytes.empty()) result.bytes.back() ^= 1;
}

/// Makes the next result wrong after something happened.
void wrong_after(OperatorParts& parts, const std::shared_ptr<bool>& happened) {
  parts.result = [=](const OperatorCall&, OperatorResult& result) {
    if (*happened) flip_a_bit(result);
    *happened = false;
  };
}

// --- Correct operators ---------------------------------------------------------------------------------------------

struct RightOne {
  std::string name;
  Names operations;  // operations whose properties are judged
  Names skipped;     // these are SKIPPED; every other property PASSES
  std::function<void(OperatorParts&)> change;
};

const Names call_modes = named({"stream", "device"}, every_operation);

const RightOne right_ones[] = {
    {"as it is", every_operation, call_modes, [](OperatorParts&) {}},
    {"with a schema of its own words",
     {"dequantize", "matmul"},
     call_modes,
     [](OperatorParts& parts) {
       parts.names = {{"codes", "self"},    {"inner_k_tiles", "innerKTiles"}, {"activations", "self"},
                      {"packed_w", "mat2"}, {"group_size", "qGroupSize"},     {"scales_and_zeros", "qScaleAndZeros"}};
     }},
    {"that follows streams and devices",
     every_operation,
     {},
     [](OperatorParts& parts) { parts.in_mode = [](CallMode, const Runs& runs) { return runs.call(); }; }},
    {"on a device, where the host is another place",
     {"dequantize"},
     call_modes,
     [](OperatorParts& parts) { parts.has_device = true; }},
    {"that takes scales of other types, exactly", of_scales, call_modes,
     [](OperatorParts& parts) {
       take_also(parts, "scales type", [](const OperatorCall& call) {
         const Element element = found(call, "scales_and_zeros")->element;
         return element == Element::fp16 || element == Element::fp32;
       });
     }},
    {"that refuses whatever is not contiguous",
     {"pack", "dequantize"},
     call_modes + named({"stride"}, every_operation),
     [](OperatorParts& parts) {
       for (const std::string& name : tensors) require_of(parts, name, "a contiguous tensor", is_dense);
     }},
    {"that takes no stacks",
     {"pack", "unpack"},
     call_modes + named({"batch"}, every_operation),
     [](OperatorParts& parts) {
       for (const char* rule : {"codes dimensions", "packed dimensions"}) refuse_also(parts, rule, is_stack);
     }},
    {"that refuses tensors without elements",
     {"pack", "unpack", "dequantize"},
     call_modes,
     [](OperatorParts& parts) {
       for (const std::string& name : tensors) {
         require_of(parts, name, "some elements", [](const Argument& tensor) { return count_of(tensor.sizes) != 0; });
       }
     }},
};

void PrintTo(const RightOne& one, std::ostream* out) { *out << one.name; }

class RightOperators : public testing::TestWithParam<RightOne> {};

TEST_P(RightOperators, PassEveryPropertyOrAreSkipped) {
  OperatorParts parts;
  GetParam().change(parts);
  int passed = 0;
  for (const Property& property : properties_about_tensors(GetParam().operations)) {
    const Judgement judgement = judged(property, parts, 20);
    const bool skipped = std::any_of(GetParam().skipped.begin(), GetParam().skipped.end(),
                                     [&](const std::string& text) { return Place(text).has(property.name, ""); });
    EXPECT_EQ(name_of(judgement.verdict), std::string(skipped ? "SKIPPED" : "PASSED"))
        << property.name << ": " << why_red_at_length(judgement);
    passed += judgement.verdict == Verdict::passed ? 1 : 0;
  }
  EXPECT_GE(passed, static_cast<int>(GetParam().operations.size()) * 5);
}

INSTANTIATE_TEST_SUITE_P(Operators, RightOperators, testing::ValuesIn(right_ones),
                         [](const auto& one) { return identifier_of(one.param.name); });

TEST(OperatorsCalledWithRawPointers, PassEveryPropertyAboutThem) {
  int passed = 0;
  for (Property property : properties()) {
    if (property.of_tensors || property.sampling.is_fixed()) continue;
    property.sampling.most_k = 256;
    property.sampling.most_elements = 1024;
    const Judgement judgement = judged(property, {}, 40);
    EXPECT_TRUE(judgement.verdict == Verdict::passed || judgement.verdict == Verdict::skipped)
        << property.name << ": " << why_red_at_length(judgement);
    passed += judgement.verdict == Verdict::passed ? 1 : 0;
  }
  EXPECT_GT(passed, 20);
}

// --- Mutants -------------------------------------------------------------------------------------------------------

struct OperatorMutant {
  std::string name;
  Names found_by;     // each of these must find it, in at least one variant
  Names may_find_it;  // only these may find it besides
  std::function<void(OperatorParts&)> plant;
};

OperatorMutant strides_ignored(const std::string& tensor, const Names& operations) {
  return {"ignores the strides of " + tensor,
          named({"stride"}, operations, {tensor + ":transposed", tensor + ":stepped", tensor + ":sliced"}),
          named({"stride"}, operations, {tensor + ":expanded"}),  // found only if the first dimension is above 1
          [=](OperatorParts& parts) { ignore_strides(parts, tensor); }};
}

OperatorMutant offset_ignored(const std::string& tensor, const Names& operations, const Names& offsets) {
  Names variants;
  for (const std::string& offset : offsets) variants.push_back(tensor + ":offset-" + offset);
  return {"ignores the offset of " + tensor, named({"offset"}, operations, variants),
          named({"stride"}, operations, {tensor + ":sliced"}),
          [=](OperatorParts& parts) { ignore_offset(parts, tensor); }};
}

OperatorMutant experts_share_scales(const std::string& name, Part part, std::size_t from, std::size_t to) {
  return {name, named({"batch"}, {"dequantize"}), {}, [=](OperatorParts& parts) {
            parts.reads = [=](const OperatorCall& call, Elements& elements) {
              if (call.operation == Operation::dequantize) {
                share(call, elements, "scales_and_zeros", part, from, to);
              }
            };
          }};
}

OperatorMutant in_one_mode(const std::string& name, const Names& found_by, CallMode wrong,
                           std::function<OperatorResult(const Runs&)> run) {
  return {name, found_by, {}, [=](OperatorParts& parts) {
            parts.in_mode = [=](CallMode mode, const Runs& runs) { return mode == wrong ? run(runs) : runs.call(); };
          }};
}

std::vector<OperatorMutant> sizes_and_types_that_are_trusted() {
  return {
      {"takes a group too many",
       named({"reject"}, {"dequantize"}, {"scales_and_zeros:one-group-too-many"}),
       {},
       [](OperatorParts& parts) {
         take_also(parts, "scales groups", [](const OperatorCall& call) {
           const Argument& scales = *found(call, "scales_and_zeros");
           const std::int64_t inner = 2 * found(call, "packed_w")->sizes.back();
           const std::int64_t k = found(call, "packed_w")->sizes.rbegin()[2] * 16 * inner;
           return scales.sizes.rbegin()[2] == k / *found(call, "group_size")->number + 1;
         });
       }},
      {"takes any number of groups",
       named({"reject"}, of_scales, {"scales_and_zeros:one-group-too-many", "scales_and_zeros:one-group-too-few"}),
       named({"reject"}, of_scales, {"packed_w:a-word-too-many", "inner_k_tiles:another"}),
       [](OperatorParts& parts) { drop(parts, "scales groups"); }},
      {"takes the group size from the number of groups",
       named({"reject"}, {"dequantize"},
             {"group_size:0", "group_size:-32", "group_size:7", "group_size:more-than-k", "group_size:2^32-more",
              "group_size:one-less", "group_size:64-with-a-rest", "group_size:64-of-a-shorter-k"}),
       named({"reject"}, {"dequantize"}, {"scales_and_zeros:one-group"}),
       [](OperatorParts& parts) {
         drop(parts, "group size");
         drop(parts, "scales groups");
         parts.look = [](OperatorCall& call) {
           if (found(call, "scales_and_zeros") == nullptr) return;
           const std::int64_t groups = std::max<std::int64_t>(1, found(call, "scales_and_zeros")->sizes.rbegin()[2]);
           const std::int64_t inner = 2 * found(call, "packed_w")->sizes.back();
           const std::int64_t k = found(call, "packed_w")->sizes.rbegin()[2] * 16 * inner;
           found(call, "group_size")->number = std::max<std::int64_t>(1, k / groups);
         };
       }},
      {"takes scales of any number of rows",
       named({"reject"}, {"dequantize"}, {"scales_and_zeros:an-n-tile-too-few", "scales_and_zeros:an-n-tile-too-many"}),
       {},
       [](OperatorParts& parts) { drop(parts, "scales rows"); }},
      {"takes scales without zeros, or with more",
       named({"reject"}, {"dequantize"}, {"scales_and_zeros:no-zeros", "scales_and_zeros:three-in-a-pair"}),
       {},
       [](OperatorParts& parts) { drop(parts, "scales pairs"); }},
      {"takes scales of integers",
       named({"reject"}, {"dequantize"}, {"scales_and_zeros:int16"}),
       {},
       [](OperatorParts& parts) {
         take_also(parts, "scales type",
                   [](const OperatorCall& call) { return found(call, "scales_and_zeros")->element == Element::int16; });
       }},
      {"takes fp16 scales for bf16",
       named({"reject"}, of_scales, {"scales_and_zeros:fp16"}),
       {},
       [](OperatorParts& parts) {
         take_also(parts, "scales type", is_fp16);
         parts.look = [=](OperatorCall& call) {
           if (is_fp16(call)) found(call, "scales_and_zeros")->element = Element::bf16;
         };
         parts.meta_result = [=](const OperatorCall& call, OperatorResult& result) {
           if (is_fp16(call)) result.element = Element::bf16;
         };
       }},
      {"reads fp16 scales as bf16 and calls the weights fp16",
       named({"reject"}, {"dequantize"}, {"scales_and_zeros:fp16"}),
       named({"reject"}, {"matmul"}, {"scales_and_zeros:fp16"}),
       [](OperatorParts& parts) {
         take_also(parts, "scales type", is_fp16);
         parts.look = [=](OperatorCall& call) {
           if (is_fp16(call)) found(call, "scales_and_zeros")->element = Element::bf16;
         };
         parts.result = [=](const OperatorCall& call, OperatorResult& result) {
           if (is_fp16(call) && call.operation == Operation::dequantize) result.element = Element::fp16;
         };
       }},
      {"takes fp16 scales exactly, and calls the weights bf16",
       named({"reject"}, {"dequantize"}, {"scales_and_zeros:fp16"}),
       named({"fake"}, {"dequantize"}, {"scales_and_zeros:fp16"}),
       [](OperatorParts& parts) {
         take_also(parts, "scales type",
                   [](const OperatorCall& call) { return found(call, "scales_and_zeros")->element == Element::fp16; });
         parts.result = [](const OperatorCall& call, OperatorResult& result) {
           if (call.operation == Operation::dequantize) result.element = Element::bf16;
         };
       }},
      {"takes fp32 scales exactly, and gives the weights another shape",
       named({"reject"}, {"dequantize"}, {"scales_and_zeros:fp32"}),
       named({"fake"}, {"dequantize"}, {"scales_and_zeros:fp32"}),
       [](OperatorParts& parts) {
         take_also(parts, "scales type",
                   [](const OperatorCall& call) { return found(call, "scales_and_zeros")->element == Element::fp32; });
         parts.result = [](const OperatorCall& call, OperatorResult& result) {
           if (call.operation == Operation::dequantize && result.element == Element::fp32) {
             result.sizes = {count_of(result.sizes)};
           }
         };
       }},
      {"takes scales that lie on the host",
       named({"reject"}, {"dequantize"}, {"scales_and_zeros:on-the-host", "packed_w:on-the-host"}),
       {},
       [](OperatorParts& parts) {
         parts.has_device = true;
         drop(parts, "scales place");
       }},
      {"takes words of 64 bits",
       named({"reject"}, {"unpack", "dequantize"}, {"packed_w:int64"}),
       {},
       [](OperatorParts& parts) {
         take_also(parts, "packed type",
                   [](const OperatorCall& call) { return found(call, "packed_w")->element == Element::int64; });
       }},
      {"takes any number of lanes",
       named({"reject"}, {"unpack"}, {"packed_w:31-lanes", "packed_w:33-lanes"}),
       {},
       [](OperatorParts& parts) { drop(parts, "packed lanes"); }},
      {"takes any number of words",
       named({"reject"}, {"unpack", "dequantize"}, {"packed_w:a-word-too-many", "inner_k_tiles:another"}),
       {},
       [](OperatorParts& parts) {
         for (RulesOfOperators* rules : {&parts.rules, &parts.meta_rules}) {
           for (const Operation operation : {Operation::unpack, Operation::dequantize}) {
             std::erase_if((*rules)[operation], [](const OperatorRule& row) { return row.name == "packed words"; });
           }
         }
       }},
      {"takes codes of any type",
       named({"reject"}, {"pack"}, {"codes:int32", "codes:int8", "codes:fp32"}),
       {},
       [](OperatorParts& parts) { drop(parts, "codes type"); }},
      {"packs the whole supertiles of any number of columns",
       named({"reject"}, {"pack"},
             {"codes:a-byte-too-many", "codes:half-a-k-tile-too-many", "codes:a-k-tile-too-many"}),
       {},
       [](OperatorParts& parts) {
         drop(parts, "codes columns");
         parts.look = [](OperatorCall& call) {
           if (call.operation != Operation::pack) return;
           const std::int64_t bytes = 8 * *found(call, "inner_k_tiles")->number;
           std::int64_t& columns = found(call, "codes")->sizes.back();
           columns = columns / bytes * bytes;
         };
       }},
      {"takes activations of any type",
       named({"reject"}, {"matmul"}, {"activations:fp32"}),
       {},
       [](OperatorParts& parts) { drop(parts, "activations type"); }},
      {"takes activations of too few columns", named({"reject"}, {"matmul"}, {"activations:a-k-tile-too-few"}),
       named({"reject"}, {"matmul"}, {"packed_w:a-word-too-many"}),
       [](OperatorParts& parts) { drop(parts, "activations columns"); }},
  };
}

std::vector<OperatorMutant> errors_that_do_not_help() {
  return {
      {"says that something is wrong and not what",
       named({"reject"}, every_operation),
       {},
       [](OperatorParts& parts) { parts.error = [](const std::string&) { return "invalid argument"; }; }},
      {"blames inner_k_tiles for everything",
       named({"reject"}, {"pack"}, {"codes:"}) +
           named({"reject"}, {"unpack"}, {"packed_w:int64", "packed_w:33-lanes"}) +
           named({"reject"}, {"dequantize"}, {"packed_w:flat", "group_size:", "scales_and_zeros:"}) +
           named({"reject"}, {"matmul"}),
       named({"reject"}, {"unpack", "dequantize"}, {"packed_w:"}),
       [](OperatorParts& parts) { parts.error = [](const std::string&) { return "inner_k_tiles is illegal"; }; }},
      {"uses other words than its schema",
       named({"reject"}, {"dequantize"}, {"group_size:", "scales_and_zeros:"}),
       {},
       [](OperatorParts& parts) {
         parts.names = {{"scales_and_zeros", "qScaleAndZeros"}, {"group_size", "qGroupSize"}};
         parts.error = [](const std::string& message) {
           return message.starts_with("q") ? "scales_and_zeros or group_size: illegal" : message;
         };
       }},
      {"says the names of its arguments within other words",
       named({"reject"}, {"pack"}, {"codes:", "inner_k_tiles:"}) +
           named({"reject"}, {"dequantize"}, {"packed_w:", "inner_k_tiles:", "group_size:", "scales_and_zeros:"}),
       {},
       [](OperatorParts& parts) {
         parts.error = [](const std::string&) {
           return "codes_, packed_w2, scales_and_zerosx, my_group_size or inner_k_tiles_of_it: illegal";
         };
       }},
      {"leaves an error pending when it refuses", named({"reject"}, {"pack", "unpack"}),
       named({"fake"}, {"pack", "unpack"}),
       [](OperatorParts& parts) { parts.refusal = [] { throw SubjectError("an error was left pending"); }; }},
      {"is wrong after it refused",
       named({"reject"}, {"unpack", "dequantize"}),
       {},
       [](OperatorParts& parts) {
         const auto refused = std::make_shared<bool>(false);
         parts.refusal = [=] { *refused = true; };
         wrong_after(parts, refused);
       }},
      {"refuses a legal inner_k_tiles",
       named({"accept"}, {"pack", "unpack", "dequantize"}),
       {},
       [](OperatorParts& parts) {
         refuse_also(parts, "inner_k_tiles", has_tiles_of_eight);
         refuse_also(parts, "packed words", has_tiles_of_eight);
       }},
      {"refuses one row",
       named({"accept"}, {"pack"}),
       {},
       [](OperatorParts& parts) {
         refuse_also(parts, "codes columns", [](const OperatorCall& call) {
           const Argument* codes = found(call, "codes");
           return codes != nullptr && codes->sizes.at(codes->sizes.size() - 2) == 1;
         });
       }},
  };
}

std::vector<OperatorMutant> tensors_that_are_misread() {
  const Names of_bytes = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"};
  const Names of_words = {"1", "2", "3"};
  const Names of_halves = {"1", "2", "3", "4", "5", "6", "7"};
  return {
      strides_ignored("codes", {"pack"}),
      strides_ignored("packed_w", {"unpack"}),
      strides_ignored("scales_and_zeros", {"dequantize"}),
      strides_ignored("activations", {"matmul"}),
      offset_ignored("codes", {"pack"}, of_bytes),
      offset_ignored("packed_w", {"unpack"}, of_words),
      offset_ignored("scales_and_zeros", {"dequantize"}, of_halves),
      offset_ignored("activations", {"matmul"}, of_halves),
      {"takes the first expert's words for all",
       named({"batch"}, {"unpack", "dequantize"}),
       {},
       [](OperatorParts& parts) {
         parts.reads = [](const OperatorCall& call, Elements& elements) {
           if (call.operation != Operation::pack) share(call, elements, "packed_w", Part::all, 0, 1);
         };
       }},
      {"takes the first expert's codes for all",
       named({"batch"}, {"pack"}),
       {},
       [](OperatorParts& parts) {
         parts.reads = [](const OperatorCall& call, Elements& elements) {
           if (call.operation == Operation::pack) share(call, elements, "codes", Part::all, 0, 1);
         };
       }},
      experts_share_scales("takes the first expert's scales for all", Part::scales, 0, 1),
      experts_share_scales("takes the first expert's zeros for all", Part::zeros, 0, 1),
      experts_share_scales("takes the second expert's scales for the third", Part::scales, 1, 2),
      experts_share_scales("takes the second expert's zeros for the third", Part::zeros, 1, 2),
  };
}

std::vector<OperatorMutant> fakes_that_differ() {
  const auto result_of_dequantize = [](auto change) {
    return [=](OperatorParts& parts) {
      parts.meta_result = [=](const OperatorCall& call, OperatorResult& result) {
        if (call.operation == Operation::dequantize) change(result);
      };
    };
  };
  return {
      {"gives another type over meta tensors", named({"fake"}, {"dequantize"}, {"legal", "packed_w:stepped"}),
       named({"fake"}, {"dequantize"}),
       result_of_dequantize([](OperatorResult& result) { result.element = Element::fp32; })},
      {"gives another shape over meta tensors", named({"fake"}, {"dequantize"}, {"legal", "packed_w:stepped"}),
       named({"fake"}, {"dequantize"}), result_of_dequantize([](OperatorResult& result) { result.sizes[0] += 1; })},
      {"gives other strides over meta tensors", named({"fake"}, {"dequantize"}, {"legal", "packed_w:stepped"}),
       named({"fake"}, {"dequantize"}), result_of_dequantize([](OperatorResult& result) {
         result.strides = {1, result.sizes[0]};
       })},
      {"takes any number of groups over meta tensors",
       named({"fake"}, {"dequantize"}, {"scales_and_zeros:one-group-too-many", "scales_and_zeros:one-group-too-few"}),
       {},
       [](OperatorParts& parts) {
         const RulesOfOperators rightly = parts.rules;
         drop(parts, "scales groups");
         parts.rules = rightly;
       }},
      {"takes words of 64 bits over meta tensors",
       named({"fake"}, {"unpack"}, {"packed_w:int64"}),
       {},
       [](OperatorParts& parts) {
         const RulesOfOperators rightly = parts.rules;
         drop(parts, "packed type");
         take_also(parts, "packed type", [](const OperatorCall&) { return true; });
         parts.rules = rightly;
         refuse_also(parts, "packed type", [](const OperatorCall& call) {
           const Element element = found(call, "packed_w")->element;
           return element != Element::int32 && element != Element::int64;
         });
       }},
      {"refuses strided tensors over meta tensors only",
       named({"fake"}, {"pack"}, {"codes:stepped", "codes:sliced"}) +
           named({"fake"}, {"dequantize"}, {"packed_w:stepped", "scales_and_zeros:stepped"}),
       named({"fake"}, {"pack", "dequantize"}, {"codes:", "packed_w:", "scales_and_zeros:"}),
       [](OperatorParts& parts) {
         for (const std::string& name : tensors) require_of(parts.meta_rules, name, "a contiguous tensor", is_dense);
       }},
      {"gives the transposed of a transposed matrix", named({"fake"}, {"unpack"}, {"legal"}),
       named({"fake"}, {"unpack"}),
       [](OperatorParts& parts) {
         parts.result = [](const OperatorCall& call, OperatorResult& result) {
           if (call.operation == Operation::unpack && !is_stack(call)) result.strides = {1, result.sizes[0]};
         };
       }},
  };
}

std::int64_t rows_of(const OperatorCall& call, const OperatorResult& result) {
  if (call.operation == Operation::pack) return result.sizes[0] * 8;
  return result.sizes[call.operation == Operation::matmul ? 1 : 0];
}

void give_8_for_padding(OperatorParts& parts) {
  parts.result = [](const OperatorCall& call, OperatorResult& result) {
    if (call.operation != Operation::unpack || result.bytes.empty()) return;
    const auto row = result.bytes.end() - static_cast<std::ptrdiff_t>(result.sizes.back() * 4);
    if (std::all_of(row, result.bytes.end(), [](std::uint8_t byte) { return byte == 0; })) *row = 8;
  };
}

std::vector<OperatorMutant> results_that_are_wrong() {
  return {
      {"gives 8 for the rows of padding", named({"batch"}, {"unpack"}), all_values({"unpack"}), give_8_for_padding},
      {"gives 8 for the rows of padding, and takes no stacks",
       {},
       all_values({"unpack"}),
       [](OperatorParts& parts) {
         give_8_for_padding(parts);
         refuse_also(parts, "packed dimensions", is_stack);
       }},
      {"gives weights for the rows of padding", named({"accept"}, {"dequantize"}),
       all_values({"dequantize"}) + named({"fake"}, {"dequantize"}),
       [](OperatorParts& parts) {
         parts.result = [](const OperatorCall& call, OperatorResult& result) {
           if (call.operation != Operation::dequantize || is_stack(call)) return;
           result.sizes[0] = (result.sizes[0] + 7) / 8 * 8;
           result.strides = dense_strides(result.sizes);
           result.bytes.resize(static_cast<std::size_t>(count_of(result.sizes) * bytes_of(result.element)));
         };
       }},
      {"gives packed words in three dimensions", named({"accept"}, {"pack"}),
       all_values({"pack"}) + named({"fake"}, {"pack"}),
       [](OperatorParts& parts) {
         parts.result = [](const OperatorCall& call, OperatorResult& result) {
           if (call.operation != Operation::pack) return;
           const std::int64_t words = result.sizes.back();
           result.sizes.pop_back();
           result.sizes.back() *= words;
         };
       }},
      {"gives weights of a type of its own", named({"accept", "batch"}, {"dequantize"}),
       all_values({"dequantize"}) + named({"fake"}, {"dequantize"}),
       [](OperatorParts& parts) {
         parts.result = [](const OperatorCall& call, OperatorResult& result) {
           if (call.operation == Operation::dequantize) result.element = Element::fp16;
         };
       }},
      {"gives a row where there is none", named({"launch"}, every_operation, {"no-rows"}),
       named({"launch", "fake"}, every_operation, {"no-"}),
       [](OperatorParts& parts) {
         parts.result = [](const OperatorCall& call, OperatorResult& result) {
           std::int64_t& rows = result.sizes.at(call.operation == Operation::matmul ? 1 : 0);
           if (rows != 0) return;
           rows = 1;
           result.bytes.resize(static_cast<std::size_t>(count_of(result.sizes) * bytes_of(result.element)), 1);
         };
       }},
      {"is wrong after it had nothing to do",
       named({"launch"}, {"pack", "unpack", "dequantize"}, {"no-rows", "no-columns"}),
       named({"launch", "state"}, every_operation, {"no-", "legal"}),
       [](OperatorParts& parts) {
         const auto had_nothing_to_do = std::make_shared<bool>(false);
         parts.result = [=](const OperatorCall& call, OperatorResult& result) {
           const bool nothing = std::any_of(call.arguments.begin(), call.arguments.end(), [](const Argument& one) {
             return !one.number && count_of(one.sizes) == 0;
           });
           if (!nothing && *had_nothing_to_do) flip_a_bit(result);
           *had_nothing_to_do = nothing;
         };
       }},
      {"gives one for a sum of no terms",
       named({"launch"}, {"matmul"}, {"no-columns"}),
       {},
       [](OperatorParts& parts) {
         parts.result = [](const OperatorCall& call, OperatorResult& result) {
           const bool no_terms = call.operation == Operation::matmul && call.arguments.at(0).sizes.back() == 0;
           if (no_terms) std::fill(result.bytes.begin(), result.bytes.end(), std::uint8_t{0x3f});
         };
       }},
      {"gives a row too many where there are more than 64",
       {"launch/unpack_takes_more_n", "launch/unpack_takes_more_elements", "launch/dequantize_takes_more_n",
        "launch/dequantize_takes_more_elements"},
       {},
       [](OperatorParts& parts) {
         parts.result = [](const OperatorCall& call, OperatorResult& result) {
           if (call.operation == Operation::pack || is_stack(call) || result.sizes[0] <= 64) return;
           result.sizes[0] += 1;
           result.bytes.resize(static_cast<std::size_t>(count_of(result.sizes) * bytes_of(result.element)));
         };
       }},
      {"is wrong in its last element where there are more rows than 64",
       {"launch/pack_takes_more_n", "launch/pack_takes_more_elements", "launch/unpack_takes_more_n",
        "launch/unpack_takes_more_elements", "launch/dequantize_takes_more_n", "launch/dequantize_takes_more_elements",
        "launch/matmul_takes_more_n"},
       {},
       [](OperatorParts& parts) {
         parts.result = [](const OperatorCall& call, OperatorResult& result) {
           if (rows_of(call, result) > 64) flip_a_bit(result);
         };
       }},
      {"is wrong in one row of 64 where there are more",
       {"launch/unpack_takes_more_n", "launch/unpack_takes_more_elements", "launch/dequantize_takes_more_n",
        "launch/dequantize_takes_more_elements"},
       {},
       [](OperatorParts& parts) {
         parts.result = [](const OperatorCall& call, OperatorResult& result) {
           if (call.operation == Operation::pack || rows_of(call, result) <= 64) return;
           const std::size_t row_bytes = result.bytes.size() / static_cast<std::size_t>(result.sizes[0]);
           for (std::size_t row = 5; row * row_bytes < result.bytes.size(); row += 64)
             result.bytes[row * row_bytes] ^= 1;
         };
       }},
  };
}

std::vector<OperatorMutant> memory_that_is_touched() {
  const auto wrong_everywhere = [](const std::string& name, std::function<void(OperatorParts&)> plant) {
    const Names operations = {"pack", "dequantize"};
    return OperatorMutant{name, named({"accept"}, operations), all_values(operations) + named({"fake"}, operations),
                          std::move(plant)};
  };
  return {
      {"leaves the last element of its result unwritten", named({"accept"}, {"unpack", "dequantize"}),
       all_values({"unpack", "dequantize"}) + named({"fake"}, {"unpack", "dequantize"}),
       [](OperatorParts& parts) {
         parts.stores = [](std::uint8_t* result, std::size_t bytes, const Fill& fill) {
           for (std::size_t i = bytes - std::min<std::size_t>(bytes, 4); i < bytes; ++i) {
             result[i] = static_cast<std::uint8_t>(i % 2 == 0 ? fill.poison & 0xff : fill.poison >> 8);
           }
         };
       }},
      wrong_everywhere("stores a byte past its result",
                       [](OperatorParts& parts) {
                         parts.stores = [](std::uint8_t* result, std::size_t bytes, const Fill&) {
                           result[bytes] ^= 1;
                         };
                       }),
      wrong_everywhere("changes its input",
                       [](OperatorParts& parts) {
                         parts.touches = [](const OperatorCall& call, const std::vector<void*>& at) {
                           if (!call.arguments[0].storage.empty()) *static_cast<std::uint8_t*>(at[0]) ^= 1;
                         };
                       }),
      wrong_everywhere("stores behind its input",
                       [](OperatorParts& parts) {
                         parts.touches = [](const OperatorCall& call, const std::vector<void*>& at) {
                           static_cast<std::uint8_t*>(at[0])[call.arguments[0].storage.size()] ^= 1;
                         };
                       }),
  };
}

std::vector<OperatorMutant> streams_that_are_not_followed() {
  const auto alternates = [](const Runs& runs) { return runs.alternate(); };
  const auto stream = [](const std::string& variant) { return named({"stream"}, {"dequantize"}, {variant}); };
  return {
      in_one_mode("reads its inputs before they are written", stream("slow-producer"), CallMode::slow_producer,
                  alternates),
      in_one_mode("takes what another stream left", stream("two-streams"), CallMode::two_streams, alternates),
      in_one_mode("replays what it was captured with", named({"stream"}, every_operation, {"graph"}), CallMode::graph,
                  alternates),
      in_one_mode("waits for the device", stream("no-synchronization"), CallMode::no_synchronization,
                  [](const Runs&) -> OperatorResult { throw SubjectError("returned after the work before it"); }),
      in_one_mode("runs on the current device", named({"device"}, {"pack", "dequantize"}), CallMode::second_device,
                  [](const Runs&) -> OperatorResult { throw SubjectError("an illegal memory access"); }),
  };
}

std::vector<OperatorMutant> all_mutants() {
  std::vector<OperatorMutant> all;
  for (const auto& kind :
       {sizes_and_types_that_are_trusted, errors_that_do_not_help, tensors_that_are_misread, fakes_that_differ,
        results_that_are_wrong, memory_that_is_touched, streams_that_are_not_followed}) {
    for (OperatorMutant& mutant : kind()) all.push_back(std::move(mutant));
  }
  return all;
}

void PrintTo(const OperatorMutant& mutant, std::ostream* out) { *out << mutant.name; }

class MutantOperators : public testing::TestWithParam<OperatorMutant> {};

TEST_P(MutantOperators, AreFoundByThePropertiesThatNameThemAndByNoOther) {
  const OperatorMutant& mutant = GetParam();
  Names unfound = mutant.found_by;
  const Names allowed = mutant.found_by + mutant.may_find_it;
  std::set<std::string> operations;  // operations that the mutant changes; the others are correct
  for (const std::string& text : mutant.found_by) {
    operations.insert(text.substr(text.find('/') + 1, text.find('_') - text.find('/') - 1));
  }
  for (const Property& property : properties_about_tensors(operations)) {
    OperatorParts parts;
    mutant.plant(parts);
    const Judgement judgement = judged(property, parts, 20);
    EXPECT_NE(judgement.verdict, Verdict::mistrusted) << property.name << ": " << judgement.reason;
    for (const Finding& finding : judgement.findings) {
      const auto names_it = [&](const std::string& text) {
        return Place(text).has(property.name, finding.problem.variant);
      };
      std::erase_if(unfound, names_it);
      // If the subject breaks on an illegal call, the finding must be that it accepted the call.
      EXPECT_FALSE(property.name.starts_with("reject/") && finding.kind == "error") << finding.details;
      EXPECT_TRUE(std::any_of(allowed.begin(), allowed.end(), names_it))
          << line_of(finding.problem) << "\n"
          << finding.kind << ": " << finding.details.substr(0, 500);
    }
  }
  EXPECT_EQ(unfound, Names());
}

INSTANTIATE_TEST_SUITE_P(Operators, MutantOperators, testing::ValuesIn(all_mutants()),
                         [](const auto& one) { return identifier_of(one.param.name); });

}  // namespace

}  // namespace tileproof
