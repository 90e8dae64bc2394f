// Strides: a tensor's strides and storage offset do not change the result, and a stack of matrices gives what each
// matrix gives alone.
#include "properties/catalogue/of_tensors.h"
#include "properties/catalogue/properties.h"
#include "properties/catalogue/views.h"

namespace tileproof {

namespace {

void views_give_the_same(Case& c, Operation operation, Views views) {
  const Viewed viewed = viewed_call(c, operation, views);
  const OperatorResult expected = c.call(viewed.dense);
  std::string how;
  for (const Argument& argument : viewed.call.arguments) {
    if (!argument.is_tensor()) continue;
    how += (how.empty() ? "" : ", ") + argument.name + " with strides " + text_of(argument.strides) + " at offset " +
           std::to_string(argument.offset);
  }
  c.elements_are(("of the result for " + how + ", expected that of contiguous tensors").c_str());
  expect_same(c, c.call(viewed.call), expected);
}

/// Stacks the same tensors of several experts, with the expert as the first dimension.
Argument stacked(const std::string& name, const std::vector<Argument>& slices) {
  if (!slices[0].is_tensor()) return slices[0];
  Sizes sizes = slices[0].sizes;
  sizes.insert(sizes.begin(), static_cast<std::int64_t>(slices.size()));
  std::vector<std::uint8_t> bytes;
  for (const Argument& slice : slices) bytes.insert(bytes.end(), slice.storage.begin(), slice.storage.end());
  return tensor_argument(name, slices[0].element, sizes, bytes);
}

void stacks_equal_their_slices(Case& c, Operation operation) {
  constexpr std::uint64_t experts = 3;
  std::vector<CallData> data;
  std::vector<OperatorCall> slices;
  for (std::uint64_t expert = 0; expert < experts; ++expert) {
    data.push_back(expert == 0 ? drawn_data(c, operation) : other_data(c, operation, expert));
    slices.push_back(legal_call(c.problem, operation, data.back(), c.capabilities));
  }
  OperatorCall stack = {operation, {}};
  for (std::size_t i = 0; i < slices[0].arguments.size(); ++i) {
    std::vector<Argument> of_slices;
    for (const OperatorCall& slice : slices) of_slices.push_back(slice.arguments[i]);
    stack.arguments.push_back(stacked(of_slices[0].name, of_slices));
  }
  const OperatorResult all = c.call(stack);
  if (all.sizes.empty() || all.sizes[0] != static_cast<std::int64_t>(experts)) {
    throw Failure("mismatch", "gives " + all.text() + " for " + text_of(stack));
  }
  const std::size_t step = all.bytes.size() / experts;
  for (std::size_t expert = 0; expert < experts; ++expert) {
    OperatorResult one = all;
    one.sizes.erase(one.sizes.begin());
    const auto begin = all.bytes.begin() + static_cast<std::ptrdiff_t>(expert * step);
    one.bytes.assign(begin, begin + static_cast<std::ptrdiff_t>(step));
    expect_specified(c, operation, data[expert], one);
  }
}

}  // namespace

std::vector<Property> stride_properties() {
  std::vector<Property> rows;
  const auto add = [&rows](const char* kind, const char* sentence, const char* finds, Views views) {
    for (const Operation operation : operator_operations) {
      rows.push_back(tensor_property(kind, operation, sentence, finds, tensor_sampling(operation),
                                     [views](Case& c, Operation one) { views_give_the_same(c, one, views); }));
      rows.back().sampling.variants_for = [operation, views](const Capabilities& capabilities) {
        return view_variants(operation, views, capabilities);
      };
    }
  };
  add("stride", "reads_tensors_of_any_strides", "data_ptr() taken for dense data", Views::strides);
  add("offset", "reads_tensors_at_any_offset", "a storage's beginning for the tensor's; vectors that are not aligned",
      Views::offsets);
  for (const Operation operation : kernel_operations) {  // matmul takes no stack
    rows.push_back(tensor_property("batch", operation, "of_a_stack_equals_its_slices",
                                   "experts that share what is one's own", tensor_sampling(operation),
                                   stacks_equal_their_slices));
  }
  for (Property& property : rows) property.on_refusal = OnRefusal::allowed;
  return rows;
}

}  // namespace tileproof
