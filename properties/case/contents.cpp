#include "properties/case/contents.h"

#include "properties/problem/specification.h"

namespace tileproof {

Contents contents_of(Operation operation, const Problem& p, const Parameters& parameters) {
  Contents contents;
  if (is_eager(operation)) {
    contents[Role::scales] = narrowed(parameters.scales.elements, bytes_of(p.types.parameter));
    if (p.scheme->zero_kind == Zero::value) {
      contents[Role::zeros] = narrowed(parameters.zeros.elements, bytes_of(p.types.parameter));
    }
    if (p.scheme->zero_kind == Zero::point) {
      const std::vector<std::int8_t>& points = parameters.zero_points.elements;
      contents[Role::zeros].assign(points.begin(), points.end());
    }
    return contents;
  }
  std::vector<ParameterBytes> tensors = tensors_of(p, parameters);
  contents[Role::scales] = std::move(tensors[0].bytes);
  if (tensors.size() > 1) contents[Role::zeros] = std::move(tensors[1].bytes);
  return contents;
}

Contents contents_of(Operation operation, const Problem& p, const Matrix<std::uint8_t>& codes,
                     const Parameters* parameters) {
  Contents contents;
  if (parameters != nullptr) contents = contents_of(operation, p, *parameters);
  for (const RoleRow& row : roles_of(operation)) {
    if (row.is_output) continue;
    if (row.role == Role::pairs) contents[Role::pairs] = specified::pairs(codes);
    if (row.role == Role::packed) contents[Role::packed] = narrowed(specified::packed(*p.format, codes), 4);
  }
  return contents;
}

}  // namespace tileproof
