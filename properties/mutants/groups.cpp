// Mutants of the groups: codes and arithmetic are right, the scale or zero belongs to another group or row.
#include <algorithm>
#include <bit>
#include <optional>
#include <string_view>

#include "properties/mutants/mutants.h"
#include "reference/formats.h"

namespace tileproof {

namespace {

using namespace finds;

/// The index into [k / group_size][n], with the group clamped to those that exist.
std::int64_t index_of(const Call& c, std::int64_t group, std::int64_t n) {
  return std::clamp<std::int64_t>(group, 0, c.groups().k - 1) * c.n + n;
}

bool subtracts_point(const Call& c) { return c.scheme->zero_kind == Zero::point; }

/// Takes the scale of an element from a wrong block of all elements.
Mutation wrong_block(std::int64_t (*block)(const Call&, reference::Element)) {
  return {.scale_at = [block](const Call& c, reference::Element e) {
    return std::clamp<std::int64_t>(block(c, e), 0, c.groups().k - 1);
  }};
}

/// The number of the group, as Call::parameter_at, whose parameter lies at a place of a tensor; an element's own where
/// none does.
std::int64_t number_of_group_at(const Call& c, int tensor, std::int64_t place, reference::Element own) {
  std::int64_t number = c.parameter_at(own.n, own.k);
  reference::with_scheme(index_of(*c.scheme), [&]<class Used>() {
    if constexpr (!Used::Parameters::in_blocks) {
      const std::optional<reference::GroupParameter> found = Used::Parameters::parameter_at(tensor, place, c.groups());
      if (found) number = found->group.k * c.groups().n + found->group.n;
    }
  });
  return number;
}

/// Takes scale and zero of column k from a wrong group.
Mutation wrong_group(std::int64_t (*group)(const Call&, std::int64_t k)) {
  return {.scale_at = [group](const Call& c, reference::Element e) { return index_of(c, group(c, e.k), e.n); }};
}

}  // namespace

std::vector<Mutant> group_mutants() {
  using reference::Element;
  const std::vector<Mutant> of_rows = {
      {"groups-by-rows",
       "scales are read as [n][k / group_size]: wrong only where that is not square",
       {own_scale, own_zero, sense_scale},
       {.scale_at = [](const Call& c, Element e) { return e.n * c.groups().k + e.k / c.group_size; }}},
      {"groups-of-a-square",
       "groups are k scales apart, not n: wrong only where the matrix is not square",
       {own_scale, own_zero},
       {.scale_at = [](const Call& c, Element e) { return (e.k / c.group_size * c.k + e.n) % (c.groups().k * c.n); }}},
      {"groups-modulo-group-size",
       "the group's number wraps at group_size: wrong only with more groups than that",
       {own_scale, own_zero},
       wrong_group([](const Call& c, std::int64_t k) { return k / c.group_size % c.group_size; })},
      {"group-by-packed-byte",
       "the group is that of the column's byte in the unpacked pairs: k / 2",
       {own_scale, own_zero, float_value},
       wrong_group([](const Call& c, std::int64_t k) { return k / 2 / c.group_size; })},
      {"last-column-of-the-next-group",
       "the last column of a group takes the next one's parameters",
       {own_scale, own_zero, sense_scale},
       wrong_group([](const Call& c, std::int64_t k) { return (k + 1) / c.group_size; })},
      {"last-group-repeats",
       "the last group takes the parameters of the one before",
       {own_scale, sense_scale},
       wrong_group([](const Call& c, std::int64_t k) { return std::min(k / c.group_size, c.groups().k - 2); })},
      {"first-group-for-all",
       "every column takes the parameters of the first group: wrong only with several",
       {own_scale, own_zero, sense_scale, sense_zero},
       wrong_group([](const Call&, std::int64_t) { return std::int64_t{0}; })},
      {"scale-of-the-even-row",
       "two rows share the parameters of the first",
       {own_scale, own_zero, sense_scale},
       {.scale_at = [](const Call& c, Element e) { return c.parameter_at(e.n / 2 * 2, e.k); }}},
      {"groups-counted-in-16-bits",
       "the group's number wraps at 65,536",
       {large_weights},
       wrong_group([](const Call& c, std::int64_t k) { return k / c.group_size & 0xffff; })},
      {"rows-of-a-group-in-16-bits",
       "groups are n scales apart, of which 16 bits are kept: wrong only in tall matrices of several groups",
       {large_weights},
       {.scale_at = [](const Call& c, Element e) { return e.k / c.group_size * (c.n & 0xffff) + e.n; }}},
      // Only the zero is wrong.
      {"zero-of-the-next-group",
       "the right scale with the zero of the group behind",
       {own_zero, sense_zero, float_value},
       {.zero_at = [](const Call& c, Element e) { return index_of(c, e.k / c.group_size + 1, e.n); }}},
  };
  const std::vector<Mutant> anywhere = {
      {"scales-counted-in-16-bits",
       "the index of a scale wraps at 65,536",
       {large_weights},
       {.scale_at = [](const Call& c, Element e) { return c.parameter_at(e.n, e.k) & 0xffff; }}},
      {"experts-of-the-first-ones-codes",
       "every expert of a batch is made of the first one's codes or words",
       {batch_pack, batch_unpack, batch_weights},
       {.whose_input = [](std::int64_t) { return 0; }}},
      {"experts-of-the-last-ones-scales",
       "an expert takes the scales and zeros of the one before it",
       {batch_weights},
       {.whose_parameters = [](std::int64_t expert) { return std::max<std::int64_t>(0, expert - 1); }}},
  };
  // Groups that cross rows.
  const std::vector<Mutant> of_elements = {
      {"blocks-of-whole-rows",
       "a row has k / block blocks: wrong only where blocks cross rows",
       {own_scale, none_value},
       wrong_block([](const Call& c, Element e) { return e.n * (c.k / c.group_size) + e.k / c.group_size; })},
      {"blocks-start-with-a-row",
       "a row starts a block: wrong only where blocks cross rows",
       {own_scale, none_value},
       wrong_block([](const Call& c, Element e) {
         return e.n * ((c.k + c.group_size - 1) / c.group_size) + e.k / c.group_size;
       })},
      {"blocks-by-columns",
       "elements are counted down the columns",
       {own_scale, none_value},
       wrong_block([](const Call& c, Element e) { return (e.k * c.n + e.n) / c.group_size; })},
      {"block-by-packed-byte",
       "the block is that of the element's byte",
       {own_scale, none_value},
       wrong_block([](const Call& c, Element e) { return (e.n * c.k + e.k) / 2 / c.group_size; })},
      {"last-element-of-the-next-block",
       "the last element of a block is scaled as the next one",
       {own_scale, sense_scale},
       wrong_block([](const Call& c, Element e) { return (e.n * c.k + e.k + 1) / c.group_size; })},
      {"short-block-of-the-one-before",
       "elements after the last whole block are scaled as those before: wrong only where a block ends short",
       {own_scale, sense_scale},
       wrong_block([](const Call& c, Element e) {
         const std::int64_t whole = c.n * c.k / c.group_size;
         return std::min((e.n * c.k + e.k) / c.group_size, std::max<std::int64_t>(0, whole - 1));
       })},
      {"first-block-for-all",
       "every element is scaled as the first block",
       {own_scale, sense_scale},
       wrong_block([](const Call&, Element) { return std::int64_t{0}; })},
  };
  const std::vector<Mutant> of_other_group_sizes = {
      {"group-by-shift",
       "k is shifted by the logarithm of group_size: wrong only where that is no power of two",
       {own_scale, own_zero, sense_scale},
       wrong_group([](const Call& c, std::int64_t k) {
         return k >> (std::bit_width(static_cast<std::uint64_t>(c.group_size)) - 1);
       })},
      {"groups-of-16-as-32",
       "a group has at least 32 columns: wrong only for group_size 16",
       {own_scale, own_zero},
       wrong_group([](const Call& c, std::int64_t k) { return k / std::max<std::int64_t>(c.group_size, 32); })},
      {"groups-of-512-as-256",
       "a group has at most 256 columns: wrong only for larger ones",
       {own_scale, own_zero},
       wrong_group([](const Call& c, std::int64_t k) { return k / std::min<std::int64_t>(c.group_size, 256); })},
  };
  const std::vector<Mutant> of_zero_points = {
      {"zero-points-of-the-first-row",
       "the integer domain takes every row's zero point from row 0",
       {own_zero, integer_value, sense_zero},
       {.zero_at = [](const Call& c, Element e) { return c.parameter_at(subtracts_point(c) ? 0 : e.n, e.k); }}},
      {"zero-points-by-rows",
       "zero points are read as [n][k / group_size]; scales are right",
       {own_zero, integer_value},
       {.zero_at =
            [](const Call& c, Element e) {
              return subtracts_point(c) ? e.n * c.groups().k + e.k / c.group_size : c.parameter_at(e.n, e.k);
            }}},
      {"integer-scales-every-second",
       "the integer domain steps over its scales as if zeros stood between them",
       {own_scale, integer_value, reads_weights},
       {.scale_at = [](const Call& c, Element e) { return c.parameter_at(e.n, e.k) * (subtracts_point(c) ? 2 : 1); },
        .zero_at = [](const Call& c, Element e) { return c.parameter_at(e.n, e.k); }}},
  };
  const std::vector<Mutant> of_many_experts = {
      {"experts-in-16-bits",
       "the expert's number is kept in 16 bits: the last of 65,537 is the first",
       {many_pack, many_unpack, many_weights},
       {.whose_input = [](std::int64_t expert) { return expert & 0xffff; }}},
  };
  const std::vector<Mutant> of_tinygemm = {
      {"group-of-supertile",
       "a group's scale changes at supertiles: wrong only where groups are smaller",
       {own_scale, own_zero},
       wrong_group([](const Call& c, std::int64_t k) {
         const std::int64_t first_of_supertile = k / c.format->layout.legal.k * c.format->layout.legal.k;
         return first_of_supertile / c.group_size;
       })},
      {"group-ends-with-its-supertile",
       "every supertile starts a group: wrong only where groups are larger",
       {own_scale, own_zero, float_value},
       wrong_group([](const Call& c, std::int64_t k) { return k / std::min(c.group_size, c.format->layout.legal.k); })},
      {"scale-of-the-tile",
       "the rows of an n-tile share the parameters of the first",
       {own_scale, own_zero, sense_scale},
       {.scale_at = [](const Call& c, Element e) { return c.parameter_at(e.n / 8 * 8, e.k); }}},
  };
  const std::vector<Mutant> of_orders = {
      {"scales-in-the-order-of-groups",
       "scales that lie as tensor cores load them are read row by row, or group by group",
       {own_scale, sense_scale},
       {.scale_at =
            [](const Call& c, Element e) {
              const Element group = c.format->group_of(e, c.size(), c.group_size);
              const bool is_by_row = c.format->result == reference::ResultOrder::n_k;
              const std::int64_t place = is_by_row ? reference::ByRow::index_of(group, c.groups())
                                                   : reference::ByGroup::index_of(group, c.groups());
              return number_of_group_at(c, 0, place, e);
            }}},
  };
  const std::vector<Mutant> of_packed_zeros = {
      {"packed-zeros-in-another-order",
       "zero points are read in the order of another format's, gptq's or awq's",
       {own_zero, integer_value},
       {.zero_at =
            [](const Call& c, Element e) {
              if (!c.scheme->zeros_are_packed) return c.parameter_at(e.n, e.k);
              const Element group = c.format->group_of(e, c.size(), c.group_size);
              const bool is_by_eights = std::string_view(c.format->name).starts_with("gptq");
              const std::int64_t slot = is_by_eights ? reference::Awq::slot_of(group, c.groups())
                                                     : reference::GptqZeros::slot_of(group, c.groups());
              return number_of_group_at(c, 1, slot, e);
            }}},
  };
  const auto has_an_order_of_cores = [](const Format& format) {
    return std::string_view(format.name) == "marlin" || std::string_view(format.name) == "nvfp4";
  };
  const auto packs_zeros_by_group = [](const Format& format) {
    const bool packs = std::any_of(format.schemes, format.schemes + format.scheme_count,
                                   [](const Scheme* scheme) { return scheme->zeros_are_packed; });
    return packs && format.layout.legal.n % 8 == 0;
  };
  const auto is_of_rows = [](const Format& format) { return format.groups_divide_rows; };
  const auto is_of_elements = [](const Format& format) { return !format.groups_divide_rows; };
  const auto takes_48 = [](const Format& format) {
    return format.groups_divide_rows && format.group_sizes.contains(48);
  };
  const auto has_no_zeros = [](const Format& format) { return schemes_of(format, schemes_with_zeros()).empty(); };
  // The properties that find of_many_experts draw from these two schemes alone.
  return in_one_list(
      {except(in_formats(formats_where(is_of_rows), of_rows), {{"zero-of-the-next-group", has_no_zeros}}),
       except(in_formats(every_format_there_is(), anywhere), {{"experts-of-the-last-ones-scales", has_no_tensors}}),
       in_formats(formats_where(is_of_elements), of_elements),
       in_formats(formats_where(takes_48), of_other_group_sizes),
       in_formats(formats_with(schemes_with(Zero::point)), of_zero_points),
       in_formats(formats_where(has_an_order_of_cores), of_orders),
       in_formats(formats_where(packs_zeros_by_group), of_packed_zeros),
       in_formats(formats_with({scheme::floating, scheme::integer}), of_many_experts), of_tinygemm});
}

}  // namespace tileproof
