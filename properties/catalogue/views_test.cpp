// Every view holds the elements of the dense tensor, and fills the gaps with bytes that cannot be taken for elements.
#include "properties/catalogue/views.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "properties/case/calls_for_tests.h"

namespace tileproof {

namespace {

/// The number of storage bytes that belong to no element, and how many of these are not 0xff.
std::pair<std::size_t, std::size_t> junk_of(const Argument& tensor) {
  const std::int64_t step = bytes_of(tensor.element);
  std::vector<bool> taken(tensor.storage.size());
  for (const std::int64_t place : places_of(tensor)) {
    for (std::int64_t byte = 0; byte < step; ++byte) taken[static_cast<std::size_t>(place * step + byte)] = true;
  }
  std::size_t junk = 0, other = 0;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (taken[i]) continue;
    ++junk;
    other += tensor.storage[i] != 0xff ? 1 : 0;
  }
  return {junk, other};
}

/// Every view that properties use, for the tensor's type.
std::vector<View> views_of(const Argument& tensor) {
  std::vector<View> views = strided_views();
  for (const View& view : offset_views(tensor.element)) views.push_back(view);
  return views;
}

Argument viewed(const Argument& dense, const View& view) { return view.of(view.repeats ? repeated(dense) : dense); }

const View& view_named(const std::string& name) {
  for (const View& view : strided_views()) {
    if (view.name == name) return view;
  }
  throw std::logic_error("no view " + name);
}

TEST(Views, HoldTheElementsOfTheDenseTensor) {
  for_each_tensor([](const Argument& dense) {
    for (const View& view : views_of(dense)) {
      SCOPED_TRACE(dense.name + ", " + view.name);
      const Argument other = viewed(dense, view);
      EXPECT_EQ(other.name, dense.name);
      EXPECT_EQ(other.element, dense.element);
      EXPECT_EQ(other.sizes, dense.sizes);
      EXPECT_EQ(other.strides.size(), dense.sizes.size());
      EXPECT_EQ(elements_of(other), (view.repeats ? repeated(dense) : dense).storage);
    }
  });
}

TEST(Views, HaveNothingButOnesBetweenTheirElements) {
  std::size_t all_junk = 0;
  for_each_tensor([&](const Argument& dense) {
    for (const View& view : views_of(dense)) {
      const auto [junk, other] = junk_of(viewed(dense, view));
      EXPECT_EQ(other, 0u) << dense.name << ", " << view.name;
      all_junk += junk;
    }
  });
  EXPECT_GT(all_junk, 10000u);
}

TEST(Views, EndWithTheirLastElement) {
  // The storage ends at the last element: one more byte would hide an out-of-bounds load from the guard.
  for_each_tensor([](const Argument& dense) {
    for (const View& view : views_of(dense)) {
      const Argument other = viewed(dense, view);
      std::int64_t last = -1;
      for (const std::int64_t place : places_of(other)) last = std::max(last, place);
      EXPECT_EQ(static_cast<std::int64_t>(other.storage.size()), (last + 1) * bytes_of(other.element))
          << dense.name << ", " << view.name;
    }
  });
}

TEST(Views, LieAsTheirNamesSay) {
  for_each_tensor([](const Argument& dense) {
    SCOPED_TRACE(dense.name);
    const std::size_t dimensions = dense.sizes.size();
    const Argument transposed = viewed(dense, view_named("transposed"));
    EXPECT_EQ(transposed.offset, 0);
    EXPECT_EQ(transposed.strides[0], 1) << "the first dimension is the fastest";
    for (std::size_t d = 1; d < dimensions; ++d) {
      EXPECT_EQ(transposed.strides[d], transposed.strides[d - 1] * dense.sizes[d - 1]);
    }
    const Argument stepped = viewed(dense, view_named("stepped"));
    EXPECT_EQ(stepped.offset, 0);
    for (std::size_t d = 0; d < dimensions; ++d) EXPECT_EQ(stepped.strides[d], 2 * dense.strides[d]);
    const Argument sliced = viewed(dense, view_named("sliced"));
    EXPECT_EQ(sliced.strides.back(), 1);
    for (std::size_t d = 1; d < dimensions; ++d) {
      EXPECT_GT(sliced.strides[d - 1], sliced.strides[d] * dense.sizes[d]) << "something between the rows";
    }
    EXPECT_GT(sliced.offset, 0) << "and before them";
    const Argument expanded = viewed(dense, view_named("expanded"));
    EXPECT_EQ(expanded.strides[0], 0);
    EXPECT_EQ(expanded.storage.size() * static_cast<std::size_t>(dense.sizes[0]), dense.storage.size());
  });
  EXPECT_EQ(strided_views().size(), 4u) << "a view that no test looks at";
}

TEST(Views, DifferFromTheDenseOneWhereTheyCan) {
  std::map<std::string, int> same, all;
  for_each_tensor([&](const Argument& dense) {
    for (const View& view : strided_views()) {
      const Argument other = viewed(dense, view);
      ++all[view.name];
      same[view.name] += other.strides == dense.strides && other.offset == dense.offset ? 1 : 0;
    }
  });
  EXPECT_EQ(same["stepped"], 0);
  EXPECT_EQ(same["sliced"], 0);
  EXPECT_EQ(same["expanded"], 0);
  EXPECT_LT(same["transposed"] * 4, all["transposed"]) << "of one dimension, so to speak";
}

TEST(Views, AtAnOffsetBeginSoManyElementsIntoTheirStorage) {
  const struct {
    Element element;
    std::int64_t count;
  } rows[] = {{Element::uint8, 15}, {Element::bf16, 7}, {Element::int32, 3}, {Element::int64, 1}};
  for (const auto& row : rows) {
    const std::vector<View> views = offset_views(row.element);
    EXPECT_EQ(static_cast<std::int64_t>(views.size()), row.count) << name_of(row.element);
    const Sizes sizes = {3, 2};
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(6 * bytes_of(row.element)));
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
    const Argument dense = tensor_argument("t", row.element, sizes, bytes);
    for (std::int64_t offset = 1; offset <= row.count; ++offset) {
      const View& view = views.at(static_cast<std::size_t>(offset - 1));
      EXPECT_EQ(view.name, "offset-" + std::to_string(offset));
      EXPECT_FALSE(view.repeats);
      const Argument other = view.of(dense);
      EXPECT_EQ(other.offset, offset);
      EXPECT_EQ(other.strides, dense.strides);
      const auto begin = static_cast<std::size_t>(offset * bytes_of(row.element));
      EXPECT_LT(begin, 16u);
      ASSERT_EQ(other.storage.size(), begin + bytes.size());
      EXPECT_EQ(std::memcmp(&other.storage[begin], bytes.data(), bytes.size()), 0);
    }
  }
}

TEST(ARepeatedTensor, IsItsFirstSliceAgainAndAgain) {
  for_each_tensor([](const Argument& dense) {
    const Argument other = repeated(dense);
    EXPECT_EQ(other.sizes, dense.sizes);
    EXPECT_EQ(other.strides, dense.strides);
    ASSERT_EQ(other.storage.size(), dense.storage.size());
    const std::size_t slice = dense.storage.size() / static_cast<std::size_t>(dense.sizes[0]);
    for (std::size_t i = 0; i < other.storage.size(); ++i) ASSERT_EQ(other.storage[i], dense.storage[i % slice]);
  });
}

TEST(ALaidOutCall, HasTheTensorOfItsVariantInTheLayoutOfItsVariant) {
  for (const Operation operation : operator_operations) {
    for (const Views views : {Views::strides, Views::offsets}) {
      for (const std::string& variant : view_variants(operation, views)) {
        SCOPED_TRACE(std::string(name_of(operation)) + ", " + variant);
        CallBench b("--n=13 --k=96 --variant=" + variant);
        Viewed viewed = viewed_call(b.one, operation, views);
        const std::string tensor = variant.substr(0, variant.find(':'));
        const Argument dense = viewed.dense.argument(tensor);
        OperatorCall legal = legal_call(b.problem, operation, drawn_data(b.one, operation));
        for (const View& view : views_of(dense)) {
          if (tensor + ":" + view.name != variant) continue;
          if (view.repeats) legal.argument(tensor) = repeated(legal.argument(tensor));
          OperatorCall expected = legal;
          expected.argument(tensor) = view.of(dense);
          const auto are_same = [](const OperatorCall& a, const OperatorCall& c) {
            return std::equal(a.arguments.begin(), a.arguments.end(), c.arguments.begin(), c.arguments.end(), same);
          };
          EXPECT_TRUE(are_same(viewed.dense, legal));
          EXPECT_TRUE(are_same(viewed.call, expected));
          EXPECT_FALSE(are_same(viewed.call, viewed.dense));
        }
      }
    }
  }
}

TEST(LayoutVariants, AreEveryTensorInEveryLayout) {
  const std::map<Operation, std::size_t> strided = {
      {Operation::pack, 4}, {Operation::unpack, 4}, {Operation::dequantize, 8}, {Operation::matmul, 12}};
  const std::map<Operation, std::size_t> at_offsets = {
      {Operation::pack, 15}, {Operation::unpack, 3}, {Operation::dequantize, 3 + 7}, {Operation::matmul, 7 + 3 + 7}};
  for (const Operation operation : operator_operations) {
    EXPECT_EQ(view_variants(operation, Views::strides).size(), strided.at(operation)) << name_of(operation);
    EXPECT_EQ(view_variants(operation, Views::offsets).size(), at_offsets.at(operation)) << name_of(operation);
    std::set<std::string> names;
    for (const Views views : {Views::strides, Views::offsets}) {
      for (const std::string& name : view_variants(operation, views)) EXPECT_TRUE(names.insert(name).second) << name;
    }
  }
}

}  // namespace

}  // namespace tileproof
