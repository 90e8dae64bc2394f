/// The rows of reference/formats.h: names, schemes, group sizes, results; and that a row says what its types say.
#include "reference/formats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace tileproof::reference {
namespace {

TEST(Formats, HaveOneNameEach) {
  std::set<std::string> names;
  for (int i = 0; i < Formats::count; ++i) {
    EXPECT_TRUE(names.insert(formats[i].name).second) << formats[i].name;
    EXPECT_EQ(format_named(formats[i].name), &formats[i]);
    EXPECT_EQ(index_of(formats[i]), i);
    EXPECT_EQ(formats[i].name, std::string(formats[i].layout.name));
  }
  EXPECT_TRUE(names.contains("tinygemm-2") && names.contains("tinygemm-4") && names.contains("tinygemm-8"));
  EXPECT_TRUE(names.contains("plain"));
  EXPECT_EQ(format_named("tinygemm"), nullptr);
  EXPECT_EQ(format_named(""), nullptr);
}

TEST(Formats, AreGivenAsTypesByTheirIndex) {
  for (int i = 0; i < Formats::count; ++i) {
    EXPECT_EQ(with_layout(i, []<class L>() { return std::string(L::name); }), formats[i].name);
    EXPECT_EQ(with_format(i, []<class F>() { return F::group_sizes; }), formats[i].group_sizes);
    for (int scheme = 0; scheme < formats[i].scheme_count; ++scheme) {
      const Scheme& row = *formats[i].schemes[scheme];
      EXPECT_EQ(with_scheme(index_of(row), []<class Used>() { return std::string(Used::Scheme::name); }), row.name);
      const int of_format = with_format(i, [&]<class F>() {
        return with_type_at(typename F::Schemes(), scheme, []<class Used>() { return index_in<Used>(Schemes()); });
      });
      EXPECT_EQ(of_format, index_of(row));
      EXPECT_TRUE(formats[i].has(row));
    }
  }
}

TEST(Formats, SayOfALayoutWhatItsTypeSays) {
  for (int i = 0; i < Formats::count; ++i) {
    const Layout& row = formats[i].layout;
    const Size size = {3 * row.legal.n, 2 * row.legal.k};
    with_layout(i, [&]<class L>() {
      EXPECT_TRUE(row.is_legal(size));
      EXPECT_EQ(row.dims(size), L::dims(size));
      EXPECT_EQ(row.slots(size), slots<L>(size));
      EXPECT_EQ(row.padded(size), padded<L>(size));
      if (!formats[i].schemes[0]->in_blocks) {
        EXPECT_EQ(row.padded(size).n * row.padded(size).k, row.slots(size));
      }
      EXPECT_EQ(row.units(size), units<L>(size));
      EXPECT_EQ(row.bytes_of_unit, static_cast<int>(sizeof(typename L::Storage)));
      for (std::int64_t slot = 0; slot < row.slots(size); ++slot) {
        const std::optional<Element> element = row.element_at(slot, size);
        ASSERT_EQ(element, L::element_at(slot, size));
        if (element) {
          ASSERT_EQ(row.slot_of(*element, size), slot);
        }
        ASSERT_EQ(row.coordinates(slot, size).all[0].value, L::coordinates(slot, size).all[0].value);
      }
    });
  }
}

/// Expects every group's parameters where no other's lie: what is put for all groups is read back of each. Where groups
/// share a number, their factors differ.
void expect_parameters_of_their_own_in_blocks(const Scheme& scheme, Size groups) {
  const BlockForm& block = scheme.block;
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(groups.n * (groups.k / block.groups) * block.bytes), 0xaa);
  const auto block_of = [&](Element group) { return bytes.data() + block.first_byte(group, groups); };
  const auto bits_of = [&](Element group) {
    const auto number = static_cast<std::uint32_t>(group.n * groups.k + group.k + 1);
    const std::uint32_t scale = scheme.groups_of_number == 1 ? number : with_factor(0x3c00, number & 63);
    const std::uint32_t zero = scheme.groups_of_number == 1 ? number + 100 : with_factor(0xbc00, ~number & 63);
    return GroupBits{scale, scheme.zero_kind == Zero::none ? 0 : zero};
  };
  const auto for_each_group = [&](auto use) {
    for (std::int64_t n = 0; n < groups.n; ++n) {
      for (std::int64_t k = 0; k < groups.k; ++k) use(Element{n, k});
    }
  };
  for_each_group([&](Element group) { block.put(block_of(group), group.k % block.groups, bits_of(group)); });
  for_each_group([&](Element group) {
    const GroupBits got = block.get(block_of(group), group.k % block.groups);
    EXPECT_EQ(got.scale, bits_of(group).scale) << scheme.name << " " << group.n << ", " << group.k;
    EXPECT_EQ(got.zero, bits_of(group).zero) << scheme.name << " " << group.n << ", " << group.k;
  });
}

TEST(Formats, HaveSchemesOfDifferentNamesAndPlacesOfTheirOwnForEveryParameter) {
  for (const Format& format : formats) {
    std::set<std::string> names;
    ASSERT_GT(format.scheme_count, 0);
    for (int i = 0; i < format.scheme_count; ++i) {
      const Scheme& scheme = *format.schemes[i];
      EXPECT_TRUE(names.insert(scheme.name).second);
      EXPECT_EQ(format.scheme_named(scheme.name), &scheme);

      if (scheme.in_blocks) {
        EXPECT_EQ(scheme.tensor_count, 0);
        EXPECT_EQ(format.scheme_count, 1) << "a packed matrix has the parameters of one scheme";
        expect_parameters_of_their_own_in_blocks(scheme, {2 * format.layout.legal.n, 3 * scheme.block.groups});
        continue;
      }
      const Size groups = {2 * format.layout.legal.n, 3};
      std::set<std::int64_t> scales, zeros;
      for (std::int64_t n = 0; n < groups.n; ++n) {
        for (std::int64_t k = 0; k < groups.k; ++k) {
          scales.insert(scheme.scale_at({n, k}, groups));
          zeros.insert(scheme.zero_at({n, k}, groups));
        }
      }
      const auto count = static_cast<std::size_t>(groups.n * groups.k);
      const ParameterTensor& first = scheme.tensors[0];
      EXPECT_EQ(scales.size(), count);
      EXPECT_LT(*scales.rbegin(), first.dims(groups).elements());
      EXPECT_EQ(first.dtype, nullptr) << "a scale has the parameters' type";
      if (scheme.zero_kind == Zero::none) continue;
      EXPECT_EQ(zeros.size(), count);
      const ParameterTensor& last = scheme.tensors[scheme.tensor_count - 1];
      const std::int64_t of_element = scheme.zeros_are_packed ? 8 : 1;
      EXPECT_LT(*zeros.rbegin(), last.dims(groups).elements() * of_element);
      EXPECT_EQ(last.dtype != nullptr, scheme.zero_kind == Zero::point);
      if (scheme.tensor_count == 1) {
        std::vector<std::int64_t> both;
        std::set_intersection(scales.begin(), scales.end(), zeros.begin(), zeros.end(), std::back_inserter(both));
        EXPECT_TRUE(both.empty());
      }
    }
    EXPECT_EQ(format.scheme_named("nonsense"), nullptr);
  }
}

TEST(Formats, SayTheShapesOfParametersAsNumbersAndAsText) {
  for (const Format& format : formats) {
    for (int i = 0; i < format.scheme_count; ++i) {
      for (int tensor = 0; tensor < format.schemes[i]->tensor_count; ++tensor) {
        const ParameterTensor& row = format.schemes[i]->tensors[tensor];
        const std::string text = row.dims_text;
        EXPECT_EQ(std::count(text.begin(), text.end(), '['), row.dims({format.layout.legal.n, 2}).count) << text;
      }
    }
  }
}

TEST(Formats, NameTheParameterInEachPlaceOfTheirTensors) {
  const auto expect_inverse = []<class Used>() {
    using P = typename Used::Parameters;
    constexpr int tensors = tensor_count<P>;
    for (const Size groups : {Size{64, 3}, Size{128, 1}, Size{192, 5}}) {
      std::int64_t found = 0;
      for (int tensor = 0; tensor < tensors; ++tensor) {
        const std::int64_t elements = P::tensors[tensor].dims(groups).elements();
        const bool is_packed = tensor > 0 && P::zeros_are_packed;
        for (std::int64_t place = 0; place < elements * (is_packed ? 8 : 1); ++place) {
          const auto parameter = P::parameter_at(tensor, place, groups);
          if (!parameter) continue;
          ++found;
          EXPECT_EQ(parameter->is_zero ? P::zero_at(parameter->group, groups) : P::scale_at(parameter->group, groups),
                    place);
          EXPECT_EQ(parameter->is_zero,
                    tensor > 0 || (tensors == 1 && place % 2 == 1 && P::tensors[0].dims(groups).count == 3));
        }
      }
      const std::int64_t of_group = Used::Scheme::zero_kind == Zero::none ? 1 : 2;
      const std::int64_t of_matrix = has_factor<typename Used::Scheme> ? 1 : 0;
      EXPECT_EQ(found, groups.n * groups.k * of_group + of_matrix) << Used::Scheme::name;
    }
  };
  for (int i = 0; i < Schemes::count; ++i) {
    with_scheme(i, [&]<class Used>() {  // of those in blocks see layouts/gguf_test.cpp
      if constexpr (!Used::Parameters::in_blocks) expect_inverse.template operator()<Used>();
    });
  }
}

TEST(Formats, HaveOnePlaceOfTheResultForEachElement) {
  for (const Format& format : formats) {
    const Size size = {3 * format.layout.legal.n, 2 * format.layout.legal.k};
    std::set<std::int64_t> places;
    for (std::int64_t n = 0; n < size.n; ++n) {
      for (std::int64_t k = 0; k < size.k; ++k) places.insert(format.result_at({n, k}, size));
    }
    EXPECT_EQ(static_cast<std::int64_t>(places.size()), size.n * size.k);
    EXPECT_EQ(*places.rbegin(), size.n * size.k - 1);
    const bool is_n_k = format.result == ResultOrder::n_k;
    EXPECT_EQ(format.result_at({1, 0}, size), is_n_k ? size.k : 1);
    EXPECT_EQ(format.result_dims(size), is_n_k ? Dims(size.n, size.k) : Dims(size.k, size.n));
  }
}

TEST(Formats, OfPyTorchHaveThreeDomains) {
  for (const char* name : {"tinygemm-2", "tinygemm-4", "tinygemm-8", "plain"}) {
    const Format& format = *format_named(name);
    ASSERT_EQ(format.scheme_count, 3) << name;
    EXPECT_EQ(format.schemes[0]->name, std::string("float")) << "the default";
    EXPECT_EQ(format.schemes[1]->name, std::string("integer"));
    EXPECT_EQ(format.schemes[2]->name, std::string("none"));
    EXPECT_EQ(format.schemes[1]->zero_points, (Range{-128, 127}));
    EXPECT_EQ(format.schemes[0]->weight(bf16, bf16, 15, 0x3f80, 0x3f80), 0x4100u);      // 7 * 1 + 1
    EXPECT_EQ(format.schemes[1]->weight(bf16, bf16, 15, 0x3f80, 0xffffffff), 0x4180u);  // (15 + 1) * 1
    EXPECT_EQ(format.schemes[2]->weight(bf16, bf16, 15, 0x3f80, 0x3f80), 0x4170u);      // 15 * 1
    EXPECT_EQ(format.result, ResultOrder::n_k);
  }
}

TEST(GroupSizes, AreMultiplesOrAList) {
  const GroupSizes& tinygemm = format_named("tinygemm-4")->group_sizes;
  EXPECT_TRUE(tinygemm.contains(16) && tinygemm.contains(48) && tinygemm.contains(4096));
  EXPECT_FALSE(tinygemm.contains(8) || tinygemm.contains(0) || tinygemm.contains(-16) || tinygemm.contains(24));
  constexpr GroupSizes listed{.only = {32, 64}};
  EXPECT_TRUE(listed.contains(32) && listed.contains(64));
  EXPECT_FALSE(listed.contains(16) || listed.contains(96) || listed.contains(0));
}

}  // namespace
}  // namespace tileproof::reference
