// Calls of operators: legal calls follow the schemas and hold their problem's data, and results are compared with the
// specification in type, sizes and every element.
#include "properties/case/calls.h"

#include <map>
#include <set>

#include "properties/case/calls_for_tests.h"
#include "properties/problem/specification.h"
#include "reference/layouts/tensor_core_tiled.h"

namespace tileproof {

namespace {

// --- Legal calls

TEST(ALegalCall, HasTheArgumentsOfItsSchema) {
  const std::map<Operation, std::vector<std::string>> schemas = {
      {Operation::pack, {"codes", "inner_k_tiles"}},
      {Operation::unpack, {"packed_w", "inner_k_tiles"}},
      {Operation::dequantize, {"packed_w", "scales_and_zeros", "group_size", "inner_k_tiles"}},
      {Operation::matmul, {"activations", "packed_w", "group_size", "scales_and_zeros"}}};
  for_each_legal_call([&](CallBench& b, const CallData&, const OperatorCall& call) {
    const Problem& p = b.problem;
    const std::int64_t inner_k_tiles = tinygemm_number(*p.format);
    std::vector<std::string> names;
    for (const Argument& argument : call.arguments) {
      names.push_back(argument.name);
      EXPECT_EQ(argument.where, Where::subject);
      if (argument.number) {
        EXPECT_EQ(argument.number, argument.name == "group_size" ? p.group_size : tinygemm_number(*p.format));
      }
      const std::map<std::string, std::pair<Element, Sizes>> forms = {
          {"codes", {Element::uint8, {p.n, p.k / 2}}},
          {"packed_w", {Element::int32, {(p.n + 7) / 8, p.k / (16 * inner_k_tiles), 32, inner_k_tiles / 2}}},
          {"scales_and_zeros", {Element::bf16, {p.k / p.group_size, p.n, 2}}},
          {"activations", {Element::bf16, {16, p.k}}}};
      const auto form = forms.find(argument.name);
      EXPECT_EQ(form == forms.end(), argument.number.has_value()) << argument.name;
      if (form == forms.end()) continue;
      EXPECT_EQ(argument.element, form->second.first) << argument.name;
      EXPECT_EQ(argument.sizes, form->second.second) << argument.name;
      EXPECT_EQ(argument.strides, dense_strides(argument.sizes)) << argument.name;
      EXPECT_EQ(argument.offset, 0);
    }
    EXPECT_EQ(names, schemas.at(call.operation));
  });
}

TEST(ALegalCall, HoldsTheDataOfItsProblem) {
  for_each_legal_call([](CallBench& b, const CallData& data, const OperatorCall& call) {
    const Problem& p = b.problem;
    EXPECT_EQ(data.codes.elements, b.one.codes().elements);
    for (const Argument& argument : call.arguments) {
      if (argument.name == "codes") {
        EXPECT_EQ(argument.storage[0], data.codes(0, 0) << 4 | data.codes(0, 1));
        EXPECT_EQ(argument.storage.back(), data.codes(p.n - 1, p.k - 2) << 4 | data.codes(p.n - 1, p.k - 1));
      }
      if (argument.name == "packed_w") {
        const std::vector<std::uint32_t> words = widened(argument.storage, 4);
        const auto place = reference::place_of(p.n - 1, p.k - 3, p.k, static_cast<int>(tinygemm_number(*p.format)));
        EXPECT_EQ(words[static_cast<std::size_t>(place.word)] >> (4 * place.nibble) & 15, data.codes(p.n - 1, p.k - 3));
      }
      if (argument.name == "scales_and_zeros") {
        const std::vector<std::uint32_t> both = widened(argument.storage, 2);
        EXPECT_EQ(both[0], data.parameters.scales(0, 0));
        EXPECT_EQ(both[1], data.parameters.zeros(0, 0));
        EXPECT_EQ(both.back(), data.parameters.zeros(p.groups().k - 1, p.n - 1));
      }
    }
  });
}

TEST(DataOfAnotherNumber, DifferInMostCodesScalesAndZeros) {
  // Experts share codes only by chance: one in sixteen.
  CallBench b("--n=13 --k=96");
  const auto data = [&](std::uint64_t which) {
    return which == 0 ? drawn_data(b.one, Operation::dequantize) : other_data(b.one, Operation::dequantize, which);
  };
  const auto same = [](const auto& a, const auto& z) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < a.elements.size(); ++i) count += a.elements[i] == z.elements[i] ? 1 : 0;
    return count;
  };
  for (std::uint64_t one = 0; one < 6; ++one) {
    EXPECT_EQ(data(one).codes.elements, data(one).codes.elements);
    for (std::uint64_t other = 0; other < one; ++other) {
      SCOPED_TRACE(std::to_string(one) + " and " + std::to_string(other));
      const CallData a = data(one), z = data(other);
      EXPECT_LT(same(a.codes, z.codes), a.codes.elements.size() / 8);
      EXPECT_LT(same(a.parameters.scales, z.parameters.scales), 3u);
      EXPECT_LT(same(a.parameters.zeros, z.parameters.zeros), 3u);
    }
  }
}

TEST(DataOfAProblem, AreThoseThatACaseOfItDraws) {
  for (const Operation operation : operator_operations) {
    CallBench b("--n=13 --k=96 --profile=edges");
    const CallData drawn = drawn_data(b.one, operation), pure = data_of(b.problem, operation);
    EXPECT_EQ(pure.codes.elements, drawn.codes.elements);
    EXPECT_EQ(pure.parameters.scales.elements, drawn.parameters.scales.elements);
    EXPECT_EQ(pure.parameters.zeros.elements, drawn.parameters.zeros.elements);
    EXPECT_EQ(pure.activations.elements, drawn.activations.elements);
  }
}

TEST(WholeNumberProducts, AreTheSumsTheyAreSaidToBe) {
  CallBench b("--n=13 --k=96");
  const CallData data = drawn_data(b.one, Operation::matmul);
  const Matrix<std::uint32_t> products = whole_products(b.problem, data.activations, data.codes);
  ASSERT_EQ(products.rows, 16);
  ASSERT_EQ(products.columns, 13);
  std::set<double> values;
  for (std::int64_t m = 0; m < 16; ++m) {
    int not_zero = 0;
    for (std::int64_t k = 0; k < 96; ++k) not_zero += data.activations(m, k) != 0 ? 1 : 0;
    EXPECT_GT(not_zero, 8);
    EXPECT_LE(not_zero, 16);
    for (std::int64_t n = 0; n < 13; ++n) {
      double sum = 0;
      for (std::int64_t k = 0; k < 96; ++k) {
        const double scale = specified::value(reference::bf16, data.parameters.scales(k / 32, n));
        EXPECT_EQ(scale, 1);
        EXPECT_EQ(data.parameters.zeros(k / 32, n), 0u);
        sum += specified::value(reference::bf16, data.activations(m, k)) * (data.codes(n, k) - 8) * scale;
      }
      EXPECT_EQ(specified::value(reference::bf16, products(m, n)), sum) << m << ", " << n;
      values.insert(sum);
    }
  }
  EXPECT_GT(values.size(), 50u);
}

TEST(ALegalCall, IsRefusedByNone) {
  for_each_legal_call([](CallBench& b, const CallData&, const OperatorCall& legal) {
    if (legal.operation == Operation::matmul && b.problem.n % 8 != 0) return;  // the caller must pad n first
    EXPECT_NO_THROW(b.subject.call_on_meta(legal));
  });
}

// --- Results

TEST(AResult, IsSpecifiedInTypeSizesAndEveryElement) {
  for_each_legal_call([](CallBench& b, const CallData& data, const OperatorCall& call) {
    const Operation operation = call.operation;
    if (operation == Operation::matmul && b.problem.n % 8 != 0) return;
    const OperatorResult right = b.one.call(call);
    EXPECT_NO_THROW(expect_specified(b.one, operation, data, right));
    EXPECT_NO_THROW(expect_form(b.one, operation, right));
    EXPECT_NO_THROW(expect_same(b.one, right, right));
    const auto is_wrong = [&](const char* what, const OperatorResult& result, bool in_form) {
      EXPECT_THROW(expect_specified(b.one, operation, data, result), Failure) << what;
      EXPECT_THROW(expect_same(b.one, result, right), Failure) << what;
      if (in_form) {
        EXPECT_THROW(expect_form(b.one, operation, result), Failure) << what;
      }
    };
    for (const std::size_t byte : {std::size_t{0}, right.bytes.size() / 2, right.bytes.size() - 1}) {
      OperatorResult wrong = right;
      wrong.bytes[byte] ^= 1;
      is_wrong("an element", wrong, false);
    }
    OperatorResult other = right;
    other.element = right.element == Element::bf16 ? Element::fp16 : Element::fp32;
    is_wrong("another type", other, true);
    other = right;
    std::swap(other.sizes[0], other.sizes[1]);
    if (other.sizes != right.sizes) is_wrong("other sizes", other, true);
    other = right;
    other.sizes.push_back(1);
    is_wrong("a dimension too many", other, true);
  });
}

}  // namespace

}  // namespace tileproof
