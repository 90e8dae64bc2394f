#include "properties/problem/specification.h"

#include <cmath>
#include <limits>

#include "properties/problem/k_tile.h"
#include "reference/matrix.h"
#include "reference/quantize.h"

namespace tileproof::specified {

std::vector<std::uint8_t> pairs(const Matrix<std::uint8_t>& codes) {
  std::vector<std::uint8_t> bytes(codes.elements.size() / 2);
  for (std::size_t pair = 0; pair < bytes.size(); ++pair) {
    bytes[pair] = static_cast<std::uint8_t>(codes.elements[2 * pair] << 4 | codes.elements[2 * pair + 1]);
  }
  return bytes;
}

std::vector<std::uint32_t> packed(const Matrix<std::uint8_t>& codes, std::int64_t inner_k_tiles) {
  std::vector<std::uint32_t> words(static_cast<std::size_t>(reference::words_of(codes.rows, codes.columns)));
  with_inner_k_tiles(inner_k_tiles, [&](auto inner) {
    for (std::int64_t row = 0; row < codes.rows; ++row) {
      for (std::int64_t column = 0; column < codes.columns; column += reference::columns_of_tile) {
        const reference::Place first = reference::place_of(row, column, codes.columns, inner);
        const std::uint8_t* const of_k_tile = &codes(row, column);
        std::uint32_t* const of_first_lane = &words[static_cast<std::size_t>(first.word)];
        for (int i = 0; i < reference::columns_of_tile; ++i) {
          const FromFirst from = from_first_of_k_tile(i);
          of_first_lane[from.lane * (inner / 2)] |= static_cast<std::uint32_t>(of_k_tile[i])
                                                    << (4 * (first.nibble + from.nibble));
        }
      }
    }
  });
  return words;
}

Matrix<std::int32_t> unpacked(const std::vector<std::uint32_t>& packed, std::int64_t n, std::int64_t k,
                              std::int64_t inner_k_tiles) {
  Matrix<std::int32_t> codes(n, k);
  with_inner_k_tiles(inner_k_tiles,
                     [&](auto inner) { reference::unpack(packed.data(), n, k, inner, codes.elements.data()); });
  return codes;
}

std::uint32_t weight(const Problem& p, int code, const Parameters& parameters, std::int64_t row, std::int64_t column) {
  const reference::FloatFormat format = format_of(p.out);
  const std::int64_t group = column / p.group_size;
  const std::uint32_t scale = parameters.scales(group, row);
  if (p.domain == Domain::floating)
    return reference::dequantized_float(format, code, scale, parameters.zeros(group, row));
  if (p.domain == Domain::integer)
    return reference::dequantized_integer(format, code, scale, parameters.zero_points(group, row));
  return reference::dequantized_none(format, code, scale);
}

Matrix<std::uint32_t> weights(const Problem& p, const Matrix<std::int32_t>& codes, const Parameters& parameters) {
  Matrix<std::uint32_t> result(codes.rows, codes.columns);
  constexpr int codes_of_group = 16;  // that there are; what is no code is computed for itself
  for (std::int64_t row = 0; row < codes.rows; ++row) {
    for (std::int64_t first = 0; first < codes.columns; first += p.group_size) {
      std::uint32_t weight_of[codes_of_group];
      for (int code = 0; code < codes_of_group; ++code) weight_of[code] = weight(p, code, parameters, row, first);
      for (std::int64_t column = first; column < first + p.group_size; ++column) {
        const std::int32_t code = codes(row, column);
        const bool is_code = code >= 0 && code < codes_of_group;
        result(row, column) = is_code ? weight_of[code] : weight(p, code, parameters, row, column);
      }
    }
  }
  return result;
}

Parameters chosen(const Problem& p, const Matrix<std::uint32_t>& weights) {
  const reference::FloatFormat format = format_of(p.out);
  Parameters result = zero_parameters(p);
  for (std::int64_t group = 0; group < p.groups(); ++group) {
    for (std::int64_t row = 0; row < p.n; ++row) {
      const reference::Extent extent = reference::extent_of(format, &weights(row, group * p.group_size), p.group_size);
      if (p.domain == Domain::floating) {
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

Matrix<std::int32_t> quantized(const Problem& p, const Matrix<std::uint32_t>& weights, const Parameters& parameters) {
  const reference::FloatFormat format = format_of(p.out);
  Matrix<std::int32_t> codes(weights.rows, weights.columns);
  for (std::int64_t row = 0; row < codes.rows; ++row) {
    for (std::int64_t column = 0; column < codes.columns; ++column) {
      const std::int64_t group = column / p.group_size;
      const std::uint32_t scale = parameters.scales(group, row);
      codes(row, column) =
          p.domain == Domain::floating
              ? reference::quantized_float(format, weights(row, column), {scale, parameters.zeros(group, row)})
              : reference::quantized_integer(format, weights(row, column), {scale, parameters.zero_points(group, row)});
    }
  }
  return codes;
}

Matrix<std::uint32_t> eager_weights(const Problem& p, const Matrix<std::int32_t>& codes, const Parameters& parameters) {
  const reference::FloatFormat format = format_of(p.out);
  Matrix<std::uint32_t> result(codes.rows, codes.columns);
  for (std::int64_t row = 0; row < codes.rows; ++row) {
    for (std::int64_t column = 0; column < codes.columns; ++column) {
      const std::int64_t group = column / p.group_size;
      const std::uint32_t scale = parameters.scales(group, row);
      result(row, column) =
          p.domain == Domain::floating
              ? reference::eager::dequantized_float(format, codes(row, column), scale, parameters.zeros(group, row))
              : reference::eager::dequantized_integer(format, codes(row, column), scale,
                                                      parameters.zero_points(group, row));
    }
  }
  return result;
}

Matrix<std::int32_t> as_int32(const Matrix<std::uint8_t>& codes) {
  Matrix<std::int32_t> result(codes.rows, codes.columns);
  result.elements.assign(codes.elements.begin(), codes.elements.end());
  return result;
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
