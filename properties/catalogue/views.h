/// Views: the same tensor in another storage, with other strides or another offset.
#pragma once

#include <string>
#include <vector>

#include "properties/case/calls.h"

namespace tileproof {

struct View {
  std::string name;
  std::function<Argument(const Argument& dense)> of;
  bool repeats;  // needs a tensor whose slices along the first dimension are all equal
};
/// Views whose strides are not those of dense data.
const std::vector<View>& strided_views();
/// Views that place element 0 at every distance of up to 16 bytes from an aligned address.
std::vector<View> offset_views(Element);

/// A dense tensor whose slices along the first dimension all equal the first slice of `dense`.
Argument repeated(const Argument& dense);

enum class Views { strides, offsets };

/// The variants of a view property, one for every tensor and view: "packed_w:transposed".
std::vector<std::string> view_variants(Operation, Views, const Capabilities& = {});

/// The legal call of the case, and the same call with one tensor laid out as the case's variant says.
struct Viewed {
  OperatorCall dense;
  OperatorCall call;
};
Viewed viewed_call(Case&, Operation, Views);

}  // namespace tileproof
