#include "properties/catalogue/views.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "properties/problem/named.h"

namespace tileproof {

namespace {

/// Calls `use` with every index of a tensor, the last dimension fastest.
template <class Use>
void for_each_index(const Sizes& sizes, Use use) {
  Sizes index(sizes.size());
  for (std::int64_t left = count_of(sizes); left > 0; --left) {
    use(index);
    for (std::size_t d = sizes.size(); d-- > 0 && ++index[d] == sizes[d];) index[d] = 0;
  }
}

std::int64_t at(const Sizes& index, const Sizes& strides) {
  std::int64_t place = 0;
  for (std::size_t d = 0; d < index.size(); ++d) place += index[d] * strides[d];
  return place;
}

/// Copies the elements into a larger storage with these strides and offset. The gaps hold 0xff: NaN, code 15.
Argument viewed(const Argument& dense, const Sizes& strides, std::int64_t offset) {
  Argument other = dense;
  other.strides = strides;
  other.offset = offset;
  const auto step = static_cast<std::size_t>(bytes_of(dense.element));
  std::int64_t last = offset;
  for (std::size_t d = 0; d < strides.size(); ++d) last += (dense.sizes[d] - 1) * strides[d];
  other.storage.assign(static_cast<std::size_t>(last + 1) * step, 0xff);
  for_each_index(dense.sizes, [&](const Sizes& index) {
    const auto from = static_cast<std::size_t>(dense.offset + at(index, dense.strides)) * step;
    const auto to = static_cast<std::size_t>(offset + at(index, strides)) * step;
    std::memcpy(&other.storage[to], &dense.storage[from], step);
  });
  return other;
}

Argument transposed(const Argument& dense) {
  Sizes strides(dense.sizes.size());
  std::int64_t stride = 1;
  for (std::size_t d = 0; d < strides.size(); ++d) {
    strides[d] = stride;
    stride *= dense.sizes[d];
  }
  return viewed(dense, strides, 0);
}

Argument stepped(const Argument& dense) {
  Sizes strides = dense.strides;
  for (std::int64_t& stride : strides) stride *= 2;
  return viewed(dense, strides, 0);
}

/// The inner part of a tensor that is larger by 2 in every dimension.
Argument sliced(const Argument& dense) {
  Sizes outer = dense.sizes;
  for (std::int64_t& size : outer) size += 2;
  const Sizes strides = dense_strides(outer);
  return viewed(dense, strides, at(Sizes(strides.size(), 1), strides));
}

Argument expanded(const Argument& dense) {
  Sizes strides = dense.strides;
  strides[0] = 0;
  return viewed(dense, strides, 0);
}

/// A variant: one tensor of an operation's call in one view.
struct Variant {
  std::string name;  // "packed_w:transposed"
  std::string argument;
  View view;
};

std::vector<Variant> variants_of(Operation operation, Views views, const Capabilities& capabilities) {
  // The legal call of the smallest problem has the arguments' names and types.
  const Problem smallest = capabilities.are_mapped() ? smallest_problem(capabilities) : Problem();
  const CallData data = {Matrix<std::uint8_t>(smallest.n, smallest.k), unit_scales(smallest),
                         Matrix<std::uint16_t>(16, smallest.k)};
  std::vector<Variant> rows;
  for (const Argument& argument : legal_call(smallest, operation, data, capabilities).arguments) {
    if (!argument.is_tensor()) continue;
    for (const View& view : views == Views::offsets ? offset_views(argument.element) : strided_views()) {
      rows.push_back({argument.name + ":" + view.name, argument.name, view});
    }
  }
  return rows;
}

}  // namespace

Argument repeated(const Argument& dense) {
  Argument other = dense;
  const std::size_t slice = dense.storage.size() / static_cast<std::size_t>(std::max<std::int64_t>(1, dense.sizes[0]));
  for (std::size_t i = slice; i < other.storage.size(); ++i) other.storage[i] = other.storage[i - slice];
  return other;
}

const std::vector<View>& strided_views() {
  static const std::vector<View> rows = {{"transposed", transposed, false},
                                         {"stepped", stepped, false},
                                         {"sliced", sliced, false},
                                         {"expanded", expanded, true}};
  return rows;
}

std::vector<View> offset_views(Element element) {
  std::vector<View> rows;
  for (std::int64_t offset = 1; offset * bytes_of(element) < 16; ++offset) {
    rows.push_back({"offset-" + std::to_string(offset),
                    [=](const Argument& dense) { return viewed(dense, dense.strides, offset); }, false});
  }
  return rows;
}

std::vector<std::string> view_variants(Operation operation, Views views, const Capabilities& capabilities) {
  return names_of_rows(variants_of(operation, views, capabilities));
}

Viewed viewed_call(Case& c, Operation operation, Views views) {
  for (const Variant& row : variants_of(operation, views, c.capabilities)) {
    if (row.name != c.problem.variant) continue;
    Viewed result = {legal_call(c.problem, operation, drawn_data(c, operation), c.capabilities), {}};
    Argument& dense = result.dense.argument(row.argument);
    if (row.view.repeats) {
      dense = repeated(dense);
      c.show_no_data();
    }
    result.call = result.dense;
    result.call.argument(row.argument) = row.view.of(dense);
    return result;
  }
  throw std::logic_error("no view " + c.problem.variant);
}

}  // namespace tileproof
