/// Layouts: the same tensor in another storage, with other strides or another offset.
#pragma once

#include <string>
#include <vector>

#include "properties/case/calls.h"

namespace tileproof {

struct Layout {
  std::string name;
  std::function<Argument(const Argument& dense)> of;
  bool repeats;  // needs a tensor whose slices along the first dimension are all equal
};
/// Layouts whose strides are not those of dense data.
const std::vector<Layout>& stridden_layouts();
/// Layouts that place element 0 at every distance of up to 16 bytes from an aligned address.
std::vector<Layout> offset_layouts(Element);

/// A dense tensor whose slices along the first dimension all equal the first slice of `dense`.
Argument repeated(const Argument& dense);

enum class Layouts { strides, offsets };

/// The variants of a layout property, one for every tensor and layout: "packed_w:transposed".
std::vector<std::string> layout_variants(Operation, Layouts);

/// The legal call of the case, and the same call with one tensor laid out as the case's variant says.
struct LaidOut {
  OperatorCall dense;
  OperatorCall call;
};
LaidOut laid_out_call(Case&, Operation, Layouts);

}  // namespace tileproof
