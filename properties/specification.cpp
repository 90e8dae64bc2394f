#include "specification.h"

#include <cmath>
#include <limits>

#include "../reference/matrix.h"

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
  reference::pack(pairs(codes).data(), codes.rows, codes.columns, static_cast<int>(inner_k_tiles), words.data());
  return words;
}

Matrix<std::int32_t> unpacked(const std::vector<std::uint32_t>& packed, std::int64_t n, std::int64_t k,
                              std::int64_t inner_k_tiles) {
  Matrix<std::int32_t> codes(n, k);
  reference::unpack(packed.data(), n, k, static_cast<int>(inner_k_tiles), codes.elements.data());
  return codes;
}

std::uint32_t weight(const Problem& p, int code, const Parameters& parameters, std::int64_t row, std::int64_t column) {
  const reference::Format format = format_of(p.out);
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
  for (std::int64_t row = 0; row < codes.rows; ++row) {
    for (std::int64_t column = 0; column < codes.columns; ++column) {
      result(row, column) = weight(p, codes(row, column), parameters, row, column);
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

double value(reference::Format format, std::uint32_t pattern) { return value(reference::decode(format, pattern)); }

}  // namespace tileproof::specified
