#include "properties/case/contents.h"

#include <stdexcept>

#include "properties/case/calls.h"
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
  if (!tensors.empty()) contents[Role::scales] = std::move(tensors[0].bytes);
  if (tensors.size() > 1) contents[Role::zeros] = std::move(tensors[1].bytes);
  return contents;
}

Contents contents_of(Operation operation, const Problem& p, const CallData& data) {
  Contents contents;
  if (takes(operation, Role::scales)) contents = contents_of(operation, p, data.parameters);
  if (takes(operation, Role::pairs)) contents[Role::pairs] = specified::pairs(data.codes);
  if (takes(operation, Role::activations)) {
    contents[Role::activations] = narrowed(data.activations.as<std::uint32_t>().elements, 2);
  }
  if (takes(operation, Role::packed)) {
    std::vector<std::uint32_t> packed = specified_result(p, Operation::pack, data).bits.elements;
    if (takes(operation, Role::scales)) put_parameters(p, data.parameters, packed);
    contents[Role::packed] = narrowed(packed, p.layout().bytes_of_unit);
  }
  return contents;
}

GeneratedTensor formula_of(Role role, reference::ResultOrder order, Type weight_type, const generated::Codes& codes,
                           const generated::Parameters& parameters) {
  switch (role) {
    case Role::pairs:
      return generated::CodePairs{codes};
    case Role::packed:
    case Role::converted:
      return generated::PackedWords{codes, parameters};
    case Role::codes:
      return generated::UnpackedCodes{codes};
    case Role::scales:
      return generated::ScaleElements{parameters};
    case Role::zeros:
      return generated::ZeroElements{parameters};
    case Role::weights:
      return generated::Weights{codes, parameters, order, weight_type};
    default:
      throw std::logic_error("no formula says what activations and products hold");
  }
}

}  // namespace tileproof
