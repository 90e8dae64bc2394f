#include "properties/problem/specification.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "reference/matrix.h"
#include "reference/quantize.h"

namespace tileproof::specified {

std::vector<std::uint8_t> pairs(const Matrix<std::uint8_t>& codes) {
  const std::int64_t bytes_of_row = (codes.columns + 1) / 2;
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(codes.rows * bytes_of_row));
  std::size_t pair = 0;
  for (std::int64_t row = 0; row < codes.rows; ++row) {
    for (std::int64_t column = 0; column < codes.columns; column += 2) {
      const int second = column + 1 < codes.columns ? codes(row, column + 1) : 0;
      bytes[pair++] = static_cast<std::uint8_t>(codes(row, column) << 4 | second);
    }
  }
  return bytes;
}

namespace {

/// Calls `use` with each column of a row and the slot of its code.
template <class L, class Use>
void for_each_slot_of_row(std::int64_t row, Size size, Use use) {
  if constexpr (reference::HasRuns<L>) {
    if (size.k % L::run_columns == 0) {
      for (std::int64_t first = 0; first < size.k; first += L::run_columns) {
        const std::int64_t slot = L::slot_of({row, first}, size);
        for (int i = 0; i < L::run_columns; ++i) use(first + i, slot + L::slot_from_first(i));
      }
      return;
    }
  }
  for (std::int64_t column = 0; column < size.k; ++column) use(column, L::slot_of({row, column}, size));
}

}  // namespace

std::vector<std::uint32_t> packed(const Format& format, const Matrix<std::uint8_t>& codes) {
  const Size size = {codes.rows, codes.columns};
  // Every code is written by its difference from the padding, so that what is not written is padding.
  const auto padding = static_cast<std::uint32_t>(format.layout.padding_code);
  std::vector<std::uint32_t> units(static_cast<std::size_t>(format.layout.units(size)));
  std::uint32_t* const to = units.data();
  reference::with_layout(index_of(format), [&]<class L>() {
    using Unit = typename L::Storage;
    constexpr auto slots = static_cast<std::uint64_t>(reference::slots_of_unit<Unit>);
    std::fill(units.begin(), units.end(), static_cast<Unit>(0x11111111 * padding));
    const std::uint8_t* of_row = codes.elements.data();
    for (std::int64_t row = 0; row < size.n; ++row, of_row += size.k) {
      for_each_slot_of_row<L>(row, size, [=](std::int64_t column, std::int64_t slot) {
        const auto at = static_cast<std::uint64_t>(slot);
        to[at / slots] ^= (of_row[column] ^ padding) << (at % slots * 4);
      });
    }
  });
  return units;
}

Matrix<std::int32_t> unpacked(const Format& format, const std::vector<std::uint32_t>& packed, Size size) {
  Matrix<std::int32_t> codes(size.n, size.k);
  reference::with_layout(index_of(format), [&]<class L>() {
    for (std::int64_t row = 0; row < size.n; ++row) {
      for_each_slot_of_row<L>(row, size, [&](std::int64_t column, std::int64_t slot) {
        constexpr auto slots = static_cast<std::uint64_t>(reference::slots_of_unit<typename L::Storage>);
        const auto at = static_cast<std::uint64_t>(slot);
        codes(row, column) = static_cast<std::int32_t>(packed[at / slots] >> (at % slots * 4) & 15);
      });
    }
  });
  return codes;
}

std::vector<std::uint32_t> converted(const Format& from, const Format& to, const std::vector<std::uint32_t>& packed,
                                     Size size) {
  return specified::packed(to, unpacked(from, packed, size).as<std::uint8_t>());
}

void fill_padding(const Format& format, Size size, std::vector<std::uint32_t>& packed,
                  const std::function<std::uint32_t(std::int64_t slot)>& code_of) {
  if (!has_padding(format, size)) return;
  const std::int64_t of_unit = format.layout.slots_of_unit();
  for (std::int64_t slot = 0; slot < format.layout.slots(size); ++slot) {
    if (format.layout.element_at(slot, size)) continue;
    const auto shift = static_cast<unsigned>(slot % of_unit * 4);
    std::uint32_t& unit = packed[static_cast<std::size_t>(slot / of_unit)];
    unit = (unit & ~(15u << shift)) | code_of(slot) << shift;
  }
}

std::vector<int> nibbles_of_row(const Format& format, std::int64_t row, Size size) {
  std::vector<int> nibbles(static_cast<std::size_t>(size.k));
  const int of_unit = format.layout.slots_of_unit();
  reference::with_layout(index_of(format), [&]<class L>() {
    for_each_slot_of_row<L>(row, size, [&](std::int64_t column, std::int64_t slot) {
      nibbles[static_cast<std::size_t>(column)] = static_cast<int>(slot % of_unit);
    });
  });
  return nibbles;
}

std::uint32_t zero_of(const Problem& p, const Parameters& parameters, reference::Element group) {
  if (p.scheme->zero_kind == Zero::value || p.scheme->has_factor) return parameters.zeros(group.k, group.n);
  return p.scheme->zero_kind == Zero::point ? static_cast<std::uint32_t>(parameters.zero_points(group.k, group.n)) : 0;
}

std::uint32_t weight(const Problem& p, int code, const Parameters& parameters, std::int64_t row, std::int64_t column) {
  const reference::Element group = p.group_of(row, column);
  return p.scheme->weight(float_format_of(p.types.weight), float_format_of(p.types.parameter), code,
                          parameters.scales(group.k, group.n), zero_of(p, parameters, group));
}

bool is_of_two_roundings(const Problem& p, int code, std::uint32_t scale, std::uint32_t zero, std::uint32_t weight) {
  using reference::Exact;
  const reference::FloatFormat weight_type = float_format_of(p.types.weight);
  const reference::FloatFormat parameter_type = float_format_of(p.types.parameter);
  const auto unrounded = [&](std::uint32_t zero_bits) {
    return p.scheme->unrounded(weight_type, parameter_type, code, scale, zero_bits);
  };
  const auto in_a_step = [](const reference::FloatFormat& step, const Exact& value) {
    return reference::decode<std::uint64_t>(step, reference::rounded(step, value));
  };
  const auto is_weight = [&](const Exact& value) { return reference::rounded(weight_type, value) == weight; };
  if (is_weight(in_a_step(reference::fp32, unrounded(zero)))) return true;
  if (p.scheme->zero_kind == Zero::none || p.scheme->groups_of_number > 1) return false;
  const bool is_point = p.scheme->zero_kind == Zero::point;
  const Exact of_code = unrounded(0);
  const Exact of_zero = is_point ? reference::product(reference::whole(-static_cast<std::int32_t>(zero)),
                                                      reference::decode<std::uint64_t>(parameter_type, scale))
                                 : reference::decode<std::uint64_t>(parameter_type, zero);
  for (const reference::FloatFormat& step : {reference::fp32, weight_type}) {
    if (is_weight(reference::sum(in_a_step(step, of_code), is_point ? in_a_step(step, of_zero) : of_zero))) return true;
  }
  return false;
}

namespace {

constexpr int code_count = 16;

/// Computes the weights of all codes of a group. Its steps are inlined: called one by one, they take four times as
/// long.
template <class S, class Units>
[[gnu::flatten]] void weights_of_group(const Problem& p, std::uint32_t scale, std::uint32_t zero,
                                       std::uint32_t (&weights)[code_count]) {
  const reference::FloatFormat weight_type = float_format_of(p.types.weight);
  const auto group = S::template decoded<Units>(weight_type, float_format_of(p.types.parameter), scale, zero);
  for (int code = 0; code < code_count; ++code) weights[code] = reference::weight_in<S>(weight_type, code, group);
}

}  // namespace

Matrix<std::uint32_t> weights(const Problem& p, const Matrix<std::int32_t>& codes, const Parameters& parameters) {
  Matrix<std::uint32_t> result(codes.rows, codes.columns);
  const auto of_group = reference::with_scheme(index_of(*p.scheme), [&]<class Used>() {
    return reference::with_units(float_format_of(p.types.weight), float_format_of(p.types.parameter),
                                 []<class Units>() { return weights_of_group<typename Used::Scheme, Units>; });
  });
  for (std::int64_t row = 0; row < codes.rows; ++row) {
    for (std::int64_t first = 0, end = 0; first < codes.columns; first = end) {
      std::uint32_t weight_of[code_count];
      const reference::Element group = p.group_of(row, first);
      end = p.format->group_end({row, first}, p.size(), p.group_size);
      of_group(p, parameters.scales(group.k, group.n), zero_of(p, parameters, group), weight_of);
      for (std::int64_t column = first; column < end; ++column) {
        const std::int32_t code = codes(row, column);
        const bool is_code = code >= 0 && code < code_count;  // values that are not codes are computed one by one
        result(row, column) = is_code ? weight_of[code] : weight(p, code, parameters, row, column);
      }
    }
  }
  return result;
}

Parameters chosen(const Problem& p, const Matrix<std::uint32_t>& weights) {
  const reference::FloatFormat format = float_format_of(p.types.weight);
  Parameters result = zero_parameters(p);
  for (std::int64_t group = 0; group < p.groups().k; ++group) {
    for (std::int64_t row = 0; row < p.n; ++row) {
      const reference::Extent extent = reference::extent_of(format, &weights(row, group * p.group_size), p.group_size);
      if (p.scheme->zero_kind == Zero::value) {
        const reference::FloatParameters one = reference::chosen_float(format, extent);
        result.scales(group, row) = one.scale;
        result.zeros(group, row) = one.zero;
      } else {
        const reference::IntegerParameters one = reference::chosen_integer(format, extent, reference::eps_of(format));
        result.scales(group, row) = one.scale;
        result.zero_points(group, row) = static_cast<std::int8_t>(one.zero_point);
      }
    }
  }
  return result;
}

namespace {

/// Computes each element of a matrix from its row, its column and its group's number.
template <class T, class Of>
Matrix<T> each(std::int64_t rows, std::int64_t columns, std::int64_t group_size, Of of) {
  Matrix<T> result(rows, columns);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      result(row, column) = of(row, column, column / group_size);
    }
  }
  return result;
}

}  // namespace

Matrix<std::int32_t> quantized(const Problem& p, const Matrix<std::uint32_t>& weights, const Parameters& parameters) {
  const auto quantized = [&, format = float_format_of(p.types.weight)](auto row, auto column, auto group) {
    const std::uint32_t scale = parameters.scales(group, row), weight = weights(row, column);
    return p.scheme->zero_kind == Zero::value
               ? reference::quantized_float(format, weight, {scale, parameters.zeros(group, row)})
               : reference::quantized_integer(format, weight, {scale, parameters.zero_points(group, row)});
  };
  return each<std::int32_t>(weights.rows, weights.columns, p.group_size, quantized);
}

Matrix<std::uint32_t> eager_weights(const Problem& p, const Matrix<std::int32_t>& codes, const Parameters& parameters) {
  const auto weight = [&, format = float_format_of(p.types.weight)](auto row, auto column, auto group) {
    const std::int32_t code = codes(row, column);
    const std::uint32_t scale = parameters.scales(group, row);
    return p.scheme->zero_kind == Zero::value
               ? reference::eager::dequantized_float(format, code, scale, parameters.zeros(group, row))
               : reference::eager::dequantized_integer(format, code, scale, parameters.zero_points(group, row));
  };
  return each<std::uint32_t>(codes.rows, codes.columns, p.group_size, weight);
}

double value(const reference::Exact& exact) {
  if (exact.kind == reference::Exact::Kind::nan) return std::numeric_limits<double>::quiet_NaN();
  const double magnitude = exact.kind == reference::Exact::Kind::infinite
                               ? std::numeric_limits<double>::infinity()
                               : std::ldexp(static_cast<double>(exact.magnitude), exact.exponent);
  return exact.negative ? -magnitude : magnitude;
}

double value(reference::FloatFormat format, std::uint32_t pattern) { return value(reference::decode(format, pattern)); }

}  // namespace tileproof::specified
