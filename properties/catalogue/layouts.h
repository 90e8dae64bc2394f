/// Layouts: the same tensor over another storage, with other strides or at another offset.
#pragma once

#include <string>
#include <vector>

#include "properties/case/calls.h"

namespace tileproof {

struct Layout {
  std::string name;
  std::function<Argument(const Argument& dense)> of;
  bool repeats;  // wants a tensor that is the same along its first dimension
};
/// Strides that are not those of dense data.
const std::vector<Layout>& stridden_layouts();
/// The element 0 at every distance of up to 16 bytes from an aligned address.
std::vector<Layout> offset_layouts(Element);

/// A dense tensor that is its own first slice, again and again.
Argument repeated(const Argument& dense);

enum class Layouts { strides, offsets };

/// Every tensor of the operation in every layout, as variants: "packed_w:transposed".
std::vector<std::string> layout_variants(Operation, Layouts);

/// The legal call of the case, and the same with one tensor laid out as the case's variant says.
struct LaidOut {
  OperatorCall dense;
  OperatorCall call;
};
LaidOut laid_out_call(Case&, Operation, Layouts);

}  // namespace tileproof
