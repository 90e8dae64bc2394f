#include "faults.h"

#include <cstring>
#include <memory>

#include "specification.h"

namespace tileproof {

namespace {

using reference::Exact;
using reference::Format;
using reference::Place;

std::uint32_t right_weight(const WeightInputs& w) {
  if (w.domain == Domain::floating) return reference::dequantized_float(w.format, w.code, w.scale, w.zero);
  if (w.domain == Domain::integer) return reference::dequantized_integer(w.format, w.code, w.scale, w.zero_point);
  return reference::dequantized_none(w.format, w.code, w.scale);
}

ScalarParts right_parts() {
  return {
      .place = reference::place_of,
      .group_row = [](const DequantizeCall& c, std::int64_t n, std::int64_t k) { return k / c.group_size * c.n + n; },
      .weight = right_weight,
      .skips = [](std::int64_t, std::int64_t, std::int64_t, std::int64_t) { return false; },
      .before_dequantize = [](const DequantizeCall&) {},
      .after_dequantize = [](const DequantizeCall&) {}};
}

std::uint32_t loaded(const void* from, Type type, std::int64_t index) {
  std::uint32_t bits = 0;
  const auto bytes = static_cast<std::size_t>(bytes_of(type));
  std::memcpy(&bits, static_cast<const std::uint8_t*>(from) + index * bytes_of(type), bytes);
  return bits;
}

void stored(void* to, Type type, std::int64_t index, std::uint32_t bits) {
  std::memcpy(static_cast<std::uint8_t*>(to) + index * bytes_of(type), &bits, static_cast<std::size_t>(bytes_of(type)));
}

/// One element after the other, each part as given.
class ScalarSubject : public Subject {
 public:
  explicit ScalarSubject(ScalarParts parts) : parts_(std::move(parts)) {}

  Memory& memory() override { return lenient_host_memory(); }

  void run(const PackCall& c) override {
    std::memset(c.packed, 0, static_cast<std::size_t>(reference::words_of(c.n, c.k)) * 4);
    for_each(c, [&](std::int64_t n, std::int64_t k, Place place) {
      const int code = reference::code_of_pairs(c.codes, n, k, c.k);
      c.packed[place.word] |= static_cast<std::uint32_t>(code) << (4 * place.nibble);
    });
  }
  void run(const UnpackCall& c) override {
    for_each(c, [&](std::int64_t n, std::int64_t k, Place place) { c.codes[n * c.k + k] = code_at(c.packed, place); });
  }
  void run(const DequantizeCall& c) override {
    parts_.before_dequantize(c);
    const bool floating = c.domain == Domain::floating;
    for_each(c, [&](std::int64_t n, std::int64_t k, Place place) {
      const std::int64_t group = parts_.group_row(c, n, k);
      const std::uint32_t scale = loaded(c.scales, c.type, floating ? 2 * group : group);
      const std::uint32_t zero = floating ? loaded(c.scales, c.type, 2 * group + 1) : 0;
      const int zero_point = c.domain == Domain::integer ? c.zero_points[group] : 0;
      stored(c.weights, c.type, n * c.k + k,
             parts_.weight({format_of(c.type), c.domain, code_at(c.packed, place), scale, zero, zero_point}));
    });
    parts_.after_dequantize(c);
  }

 private:
  static int code_at(const std::uint32_t* packed, Place place) {
    return static_cast<int>(packed[place.word] >> (4 * place.nibble) & 15);
  }
  template <class Call, class Use>
  void for_each(const Call& c, Use use) {
    for (std::int64_t n = 0; n < c.n; ++n) {
      for (std::int64_t k = 0; k < c.k; ++k) {
        if (!parts_.skips(n, c.n, k, c.k)) use(n, k, parts_.place(n, k, c.k, static_cast<int>(c.inner_k_tiles)));
      }
    }
  }

  ScalarParts parts_;
};

// The weights of faults in arithmetic.

std::uint32_t with_two_roundings(const WeightInputs& w) {
  if (w.domain != Domain::floating) return right_weight(w);
  const Exact scaled = reference::product(reference::whole(w.code - 8), reference::decode(w.format, w.scale));
  const Exact once = reference::decode(w.format, reference::rounded(w.format, scaled));
  return reference::rounded(w.format, reference::sum(once, reference::decode(w.format, w.zero)));
}

bool is_subnormal(Format f, std::uint32_t bits) {
  const std::uint32_t magnitude = bits & (f.sign_bit() - 1);
  return magnitude != 0 && magnitude < std::uint32_t{1} << f.fraction_bits;
}

std::uint32_t nan_of_inputs(const WeightInputs& w) {
  const std::uint32_t weight = right_weight(w);
  return w.format.is_nan(weight) && w.format.is_nan(w.scale) ? w.scale : weight;
}

ScalarParts with_place(Place (*place)(std::int64_t, std::int64_t, std::int64_t, int)) {
  ScalarParts parts = right_parts();
  parts.place = place;
  return parts;
}

ScalarParts with_weight(std::uint32_t (*weight)(const WeightInputs&)) {
  ScalarParts parts = right_parts();
  parts.weight = weight;
  return parts;
}

ScalarParts with_group_row(std::int64_t (*group_row)(const DequantizeCall&, std::int64_t, std::int64_t)) {
  ScalarParts parts = right_parts();
  parts.group_row = group_row;
  return parts;
}

ScalarParts with_skips(bool (*skips)(std::int64_t, std::int64_t, std::int64_t, std::int64_t)) {
  ScalarParts parts = right_parts();
  parts.skips = skips;
  return parts;
}

constexpr const char* pack_index = "index/pack_puts_every_code_where_the_specification_says";
constexpr const char* unpack_index = "index/unpack_takes_every_code_from_where_the_specification_says";
constexpr const char* dequantize_index = "index/dequantize_takes_every_code_from_where_the_specification_says";
constexpr const char* float_value = "value/float_domain_rounds_once";
constexpr const char* own_scale = "group/every_weight_uses_its_own_scale";
constexpr const char* own_zero = "group/every_weight_uses_its_own_zero";
constexpr const char* written = "write/dequantize_writes_every_element_and_nothing_else";
constexpr const char* sense_scale = "sense/one_scale_changes_exactly_its_group";

}  // namespace

const std::vector<Fault>& faults() {
  static const std::vector<Fault> rows = {
      {"nibbles-in-order",
       "the eight codes of a word stand in natural order",
       {pack_index, unpack_index, dequantize_index},
       [] {
         return with_place([](std::int64_t n, std::int64_t k, std::int64_t k_total, int inner_k_tiles) {
           constexpr int natural[8] = {0, 2, 4, 6, 1, 3, 5, 7};
           Place place = reference::place_of(n, k, k_total, inner_k_tiles);
           place.nibble = natural[place.nibble];
           return place;
         });
       }},
      {"inner-k-tiles-ignored",
       "every matrix is laid out as with inner_k_tiles 2",
       {pack_index, unpack_index, dequantize_index},
       [] {
         return with_place([](std::int64_t n, std::int64_t k, std::int64_t k_total, int) {
           return reference::place_of(n, k, k_total, 2);
         });
       }},
      {"rows-of-tile-reversed",
       "row 7 - n stands where row n should",
       {pack_index, unpack_index},
       [] {
         return with_place([](std::int64_t n, std::int64_t k, std::int64_t k_total, int inner_k_tiles) {
           return reference::place_of(n / 8 * 8 + 7 - n % 8, k, k_total, inner_k_tiles);
         });
       }},
      {"groups-by-rows",
       "scales are read as [n][k / group_size]: wrong only where that is not square",
       {own_scale, own_zero},
       [] {
         return with_group_row([](const DequantizeCall& c, std::int64_t n, std::int64_t k) {
           return n * (c.k / c.group_size) + k / c.group_size;
         });
       }},
      {"group-of-supertile",
       "a group's scale changes at supertiles: wrong only where groups are smaller",
       {own_scale, own_zero},
       [] {
         return with_group_row([](const DequantizeCall& c, std::int64_t n, std::int64_t k) {
           const std::int64_t first_of_supertile = k / (16 * c.inner_k_tiles) * (16 * c.inner_k_tiles);
           return first_of_supertile / c.group_size * c.n + n;
         });
       }},
      {"last-group-repeats",
       "the last group takes the parameters of the one before",
       {own_scale, sense_scale},
       [] {
         return with_group_row([](const DequantizeCall& c, std::int64_t n, std::int64_t k) {
           const std::int64_t groups = c.k / c.group_size;
           const std::int64_t group = k / c.group_size;
           return (group + 1 == groups && groups > 1 ? group - 1 : group) * c.n + n;
         });
       }},
      {"scale-and-zero-swapped",
       "zero first, then scale",
       {float_value, own_scale, own_zero},
       [] {
         return with_weight([](const WeightInputs& w) {
           WeightInputs swapped = w;
           if (w.domain == Domain::floating) std::swap(swapped.scale, swapped.zero);
           return right_weight(swapped);
         });
       }},
      {"midpoint-seven",
       "codes are centred on 7",
       {float_value, "codes/dequantize_with_unit_scales_shows_the_codes"},
       [] {
         return with_weight([](const WeightInputs& w) {
           WeightInputs shifted = w;
           if (w.domain == Domain::floating) ++shifted.code;
           return right_weight(shifted);
         });
       }},
      {"two-roundings",
       "the product is rounded before the zero is added",
       {float_value},
       [] { return with_weight(with_two_roundings); }},
      {"subnormals-flushed",
       "a subnormal result becomes zero",
       {float_value, "value/no_zero_point_rounds_once"},
       [] {
         return with_weight([](const WeightInputs& w) {
           const std::uint32_t weight = right_weight(w);
           return is_subnormal(w.format, weight) ? weight & w.format.sign_bit() : weight;
         });
       }},
      {"minus-zero-lost",
       "-0 becomes +0",
       {float_value, "value/integer_domain_rounds_once"},
       [] {
         return with_weight([](const WeightInputs& w) {
           const std::uint32_t weight = right_weight(w);
           return weight == w.format.sign_bit() ? 0 : weight;
         });
       }},
      {"nan-payload-kept",
       "a NaN scale comes out with its payload",
       {float_value},
       [] { return with_weight(nan_of_inputs); }},
      {"infinity-clamped",
       "an overflow stops at the largest finite value",
       {float_value},
       [] {
         return with_weight([](const WeightInputs& w) {
           const std::uint32_t weight = right_weight(w);
           return (weight & (w.format.sign_bit() - 1)) == w.format.infinity() ? weight - 1 : weight;
         });
       }},
      {"last-tile-skipped",
       "a last n-tile of fewer than eight rows is left out",
       {written, unpack_index, dequantize_index},
       [] {
         return with_skips([](std::int64_t n, std::int64_t n_total, std::int64_t, std::int64_t) {
           return n_total % 8 != 0 && n >= n_total / 8 * 8;
         });
       }},
      {"last-strip-skipped",
       "the last 32 columns are left out where they stand alone",
       {written, unpack_index},
       [] {
         return with_skips([](std::int64_t, std::int64_t, std::int64_t k, std::int64_t k_total) {
           return k_total % 64 == 32 && k >= k_total - 32;
         });
       }},
      {"writes-past-the-end",
       "one weight more than there are is stored",
       {written, float_value},
       [] {
         ScalarParts parts = right_parts();
         parts.after_dequantize = [](const DequantizeCall& c) { stored(c.weights, c.type, c.n * c.k, 0); };
         return parts;
       }},
      {"input-changed",
       "the first packed word is cleared",
       {float_value, own_scale},
       [] {
         ScalarParts parts = right_parts();
         parts.after_dequantize = [](const DequantizeCall& c) { const_cast<std::uint32_t*>(c.packed)[0] ^= 1; };
         return parts;
       }},
      {"one-triple",
       "wrong only for code 11 where scale and zero are both negative",
       {float_value},
       [] {
         return with_weight([](const WeightInputs& w) {
           const bool hit = w.domain == Domain::floating && w.code == 11 && w.scale > w.format.sign_bit() &&
                            w.zero > w.format.sign_bit();
           return right_weight(w) ^ (hit ? 1u : 0u);
         });
       }},
  };
  return rows;
}

const std::vector<SubjectRow>& faulty_subjects() {
  static const std::vector<SubjectRow> rows = [] {
    std::vector<SubjectRow> all = {
        {"faulty:nothing", "the correct twin of the faulty subjects", false, kernel_envelope(), [] {
           return MadeSubject{std::make_unique<ScalarSubject>(right_parts()), ""};
         }}};
    for (const Fault& fault : faults()) {
      all.push_back({"faulty:" + fault.name, fault.what, false, kernel_envelope(), [parts = fault.parts] {
                       return MadeSubject{std::make_unique<ScalarSubject>(parts()), ""};
                     }});
    }
    return all;
  }();
  return rows;
}

}  // namespace tileproof
