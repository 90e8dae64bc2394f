// Mutants of the groups: codes and arithmetic are right, the scale or zero belongs to another group or row.
#include <algorithm>
#include <bit>

#include "properties/mutants/mutants.h"

namespace tileproof {

namespace {

using namespace finds;

using WrongGroup = std::int64_t (*)(const Call&, std::int64_t n, std::int64_t k);

/// The index into [k / group_size][n], with the group clamped to those that exist.
std::int64_t index_of(const Call& c, std::int64_t group, std::int64_t n) {
  return std::clamp<std::int64_t>(group, 0, c.groups() - 1) * c.n + n;
}
std::int64_t right_index(const Call& c, std::int64_t n, std::int64_t k) { return k / c.group_size * c.n + n; }

/// Takes scale and zero from the same wrong place.
Mutation with_group(WrongGroup at) {
  Mutation parts;
  parts.scale_at = at;
  return parts;
}

/// Takes the right scale and a zero from a wrong place.
Mutation with_zero(WrongGroup at) {
  Mutation parts;
  parts.zero_at = at;
  return parts;
}

}  // namespace

std::vector<Mutant> group_mutants() {
  return {
      {"groups-by-rows",
       "scales are read as [n][k / group_size]: wrong only where that is not square",
       {own_scale, own_zero, sense_scale},
       "mismatch",
       [] {
         return with_group(
             [](const Call& c, std::int64_t n, std::int64_t k) { return n * c.groups() + k / c.group_size; });
       }},
      {"groups-of-a-square",
       "groups are k scales apart, not n: wrong only where the matrix is not square",
       {own_scale, own_zero},
       "mismatch",
       [] {
         return with_group([](const Call& c, std::int64_t n, std::int64_t k) {
           return (k / c.group_size * c.k + n) % (c.groups() * c.n);
         });
       }},
      {"group-of-supertile",
       "a group's scale changes at supertiles: wrong only where groups are smaller",
       {own_scale, own_zero},
       "mismatch",
       [] {
         return with_group([](const Call& c, std::int64_t n, std::int64_t k) {
           const std::int64_t first_of_supertile = k / c.format->layout.legal.k * c.format->layout.legal.k;
           return right_index(c, n, first_of_supertile);
         });
       }},
      {"group-ends-with-its-supertile",
       "every supertile starts a group: wrong only where groups are larger",
       {own_scale, own_zero, float_value},
       "mismatch",
       [] {
         return with_group([](const Call& c, std::int64_t n, std::int64_t k) {
           return index_of(c, k / std::min(c.group_size, c.format->layout.legal.k), n);
         });
       }},
      {"groups-modulo-group-size",
       "the group's number wraps at group_size: wrong only with more groups than that",
       {own_scale, own_zero},
       "mismatch",
       [] {
         return with_group([](const Call& c, std::int64_t n, std::int64_t k) {
           return index_of(c, k / c.group_size % c.group_size, n);
         });
       }},
      {"group-by-shift",
       "k is shifted by the logarithm of group_size: wrong only where that is no power of two",
       {own_scale, own_zero, sense_scale},
       "mismatch",
       [] {
         return with_group([](const Call& c, std::int64_t n, std::int64_t k) {
           return index_of(c, k >> (std::bit_width(static_cast<std::uint64_t>(c.group_size)) - 1), n);
         });
       }},
      {"groups-of-16-as-32",
       "a group has at least 32 columns: wrong only for group_size 16",
       {own_scale, own_zero},
       "mismatch",
       [] {
         return with_group([](const Call& c, std::int64_t n, std::int64_t k) {
           return index_of(c, k / std::max<std::int64_t>(c.group_size, 32), n);
         });
       }},
      {"groups-of-512-as-256",
       "a group has at most 256 columns: wrong only for larger ones",
       {own_scale, own_zero},
       "mismatch",
       [] {
         return with_group([](const Call& c, std::int64_t n, std::int64_t k) {
           return index_of(c, k / std::min<std::int64_t>(c.group_size, 256), n);
         });
       }},
      {"group-by-packed-byte",
       "the group is that of the column's byte in the unpacked pairs: k / 2",
       {own_scale, own_zero, float_value},
       "mismatch",
       [] {
         return with_group(
             [](const Call& c, std::int64_t n, std::int64_t k) { return index_of(c, k / 2 / c.group_size, n); });
       }},
      {"last-column-of-the-next-group",
       "the last column of a group takes the next one's parameters",
       {own_scale, own_zero, sense_scale},
       "mismatch",
       [] {
         return with_group(
             [](const Call& c, std::int64_t n, std::int64_t k) { return index_of(c, (k + 1) / c.group_size, n); });
       }},
      {"last-group-repeats",
       "the last group takes the parameters of the one before",
       {own_scale, sense_scale},
       "mismatch",
       [] {
         return with_group([](const Call& c, std::int64_t n, std::int64_t k) {
           const std::int64_t group = k / c.group_size;
           return index_of(c, group + 1 == c.groups() ? group - 1 : group, n);
         });
       }},
      {"first-group-for-all",
       "every column takes the parameters of the first group: wrong only with several",
       {own_scale, own_zero, sense_scale, sense_zero},
       "mismatch",
       [] { return with_group([](const Call&, std::int64_t n, std::int64_t) { return n; }); }},
      {"scale-of-the-even-row",
       "two rows share the parameters of the first",
       {own_scale, own_zero, sense_scale},
       "mismatch",
       [] {
         return with_group([](const Call& c, std::int64_t n, std::int64_t k) { return right_index(c, n / 2 * 2, k); });
       }},
      {"scale-of-the-tile",
       "the rows of an n-tile share the parameters of the first",
       {own_scale, own_zero, sense_scale},
       "mismatch",
       [] {
         return with_group([](const Call& c, std::int64_t n, std::int64_t k) { return right_index(c, n / 8 * 8, k); });
       }},
      {"groups-counted-in-16-bits",
       "the group's number wraps at 65,536",
       {large_weights},
       "mismatch",
       [] {
         return with_group(
             [](const Call& c, std::int64_t n, std::int64_t k) { return index_of(c, k / c.group_size & 0xffff, n); });
       }},
      {"scales-counted-in-16-bits",
       "the index of a scale wraps at 65,536",
       {large_weights},
       "mismatch",
       [] {
         return with_group([](const Call& c, std::int64_t n, std::int64_t k) { return right_index(c, n, k) & 0xffff; });
       }},
      {"rows-of-a-group-in-16-bits",
       "groups are n scales apart, of which 16 bits are kept: wrong only in tall matrices of several groups",
       {large_weights},
       "mismatch",
       [] {
         return with_group(
             [](const Call& c, std::int64_t n, std::int64_t k) { return k / c.group_size * (c.n & 0xffff) + n; });
       }},
      // Only the zero is wrong.
      {"zero-of-the-next-group",
       "the right scale with the zero of the group behind",
       {own_zero, sense_zero, float_value},
       "mismatch",
       [] {
         return with_zero(
             [](const Call& c, std::int64_t n, std::int64_t k) { return index_of(c, k / c.group_size + 1, n); });
       }},
      {"zero-points-of-the-first-row",
       "the integer domain takes every row's zero point from row 0",
       {own_zero, integer_value, sense_zero},
       "mismatch",
       [] {
         return with_zero([](const Call& c, std::int64_t n, std::int64_t k) {
           return right_index(c, c.scheme->zero_kind == Zero::point ? 0 : n, k);
         });
       }},
      {"zero-points-by-rows",
       "zero points are read as [n][k / group_size]; scales are right",
       {own_zero, integer_value},
       "mismatch",
       [] {
         return with_zero([](const Call& c, std::int64_t n, std::int64_t k) {
           return c.scheme->zero_kind == Zero::point ? n * c.groups() + k / c.group_size : right_index(c, n, k);
         });
       }},
      {"integer-scales-every-second",
       "the integer domain steps over its scales as if zeros stood between them",
       {own_scale, integer_value, reads_weights},
       "mismatch",
       [] {
         Mutation parts;
         parts.scale_at = [](const Call& c, std::int64_t n, std::int64_t k) {
           return (c.scheme->zero_kind == Zero::point ? 2 : 1) * right_index(c, n, k);
         };
         parts.zero_at = right_index;
         return parts;
       }},
      {"experts-of-the-first-ones-codes",
       "every expert of a batch is made of the first one's codes or words",
       {batch_pack, batch_unpack, batch_weights},
       "mismatch",
       [] {
         Mutation parts;
         parts.whose_input = [](std::int64_t) { return std::int64_t{0}; };
         return parts;
       }},
      {"experts-of-the-last-ones-scales",
       "an expert takes the scales and zeros of the one before it",
       {batch_weights},
       "mismatch",
       [] {
         Mutation parts;
         parts.whose_parameters = [](std::int64_t expert) { return std::max<std::int64_t>(0, expert - 1); };
         return parts;
       }},
      {"experts-in-16-bits",
       "the expert's number is kept in 16 bits: the last of 65,537 is the first",
       {many_pack, many_unpack, many_weights},
       "mismatch",
       [] {
         Mutation parts;
         parts.whose_input = [](std::int64_t expert) { return expert & 0xffff; };
         return parts;
       }},
  };
}

}  // namespace tileproof
