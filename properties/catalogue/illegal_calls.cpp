#include "properties/catalogue/illegal_calls.h"

#include <algorithm>

#include "properties/case/property.h"
#include "properties/problem/named.h"
#include "reference/arithmetic.h"

namespace tileproof {

namespace {

/// Changes one argument of a legal call.
using Change = std::function<void(Argument&, const Problem&)>;

IllegalCall of_argument(const std::string& argument, const std::string& name, std::vector<std::string> at_fault,
                        const std::string& legal, Change change) {
  at_fault.insert(at_fault.begin(), argument);
  return {argument + ":" + name, at_fault, legal,
          [=](OperatorCall& call, const Problem& p) { change(call.argument(argument), p); }};
}

Change of_type(Element element) {
  return [=](Argument& argument, const Problem&) { become(argument, element, argument.sizes); };
}

Change resized(std::size_t dimension, std::int64_t by) {
  return [=](Argument& argument, const Problem&) {
    Sizes sizes = argument.sizes;
    sizes[dimension] = std::max<std::int64_t>(0, sizes[dimension] + by);
    become(argument, argument.element, sizes);
  };
}

Change flattened() {
  return [](Argument& argument, const Problem&) {
    argument.sizes = {count_of(argument.sizes)};
    argument.strides = {1};
  };
}

Change number(std::int64_t value) {
  return [=](Argument& argument, const Problem&) { argument.number = value; };
}

/// Adds 2^32: the value is legal only if its upper 32 bits are dropped.
Change increased_by_2_32() {
  return [](Argument& argument, const Problem&) { *argument.number += std::int64_t{1} << 32; };
}

Change moved_to_the_host() {
  return [](Argument& argument, const Problem&) { argument.where = Where::host; };
}

/// The changes that are made to one argument, each of a name, the other arguments that an error may name, and a change.
struct Changed {
  std::string name;
  Change change;
  std::vector<std::string> at_fault = {};
};

void append(std::vector<IllegalCall>& rows, const std::string& argument, const std::string& legal,
            const std::vector<Changed>& changes) {
  for (const Changed& one : changes) rows.push_back(of_argument(argument, one.name, one.at_fault, legal, one.change));
}

void append_inner_k_tiles(std::vector<IllegalCall>& rows) {
  for (const std::int64_t value : {0, 1, 3, 16, -2}) {
    rows.push_back(of_argument("inner_k_tiles", std::to_string(value), {}, "2, 4 or 8", number(value)));
  }
  rows.push_back(of_argument("inner_k_tiles", "2^32-more", {}, "2, 4 or 8", increased_by_2_32()));
}

void append_packed(std::vector<IllegalCall>& rows) {
  append(rows, "packed_w", "int32 [ceil(n/8)][k/(16*inner_k_tiles)][32][inner_k_tiles/2]",
         {{"int64", of_type(Element::int64)},
          {"int16", of_type(Element::int16)},
          {"fp32", of_type(Element::fp32)},
          {"flat", flattened()},
          {"31-lanes", resized(2, -1)},
          {"33-lanes", resized(2, 1)},
          {"a-word-too-many", resized(3, 1), {"inner_k_tiles", "activations"}}});
}

/// A legal inner_k_tiles, but not the one that the words were packed with.
IllegalCall another_inner_k_tiles() {
  return of_argument("inner_k_tiles", "another", {"packed_w"}, "twice the last dimension of packed_w",
                     [](Argument& argument, const Problem& p) { argument.number = p.format == tinygemm(4) ? 8 : 4; });
}

/// A problem whose k is the smallest legal k plus one step of the layout, which the group size does not divide; with
/// `shorter`, one step alone, which is less than a group.
Problem not_divided(Problem problem, const std::vector<const Format*>& formats, std::int64_t group_size, bool shorter) {
  const auto leaves_a_rest = [=](const Format* format) {
    const std::int64_t step = format->layout.legal.k;
    return shorter ? step < group_size : step % group_size != 0;
  };
  if (!leaves_a_rest(problem.format)) problem.format = *std::find_if(formats.begin(), formats.end(), leaves_a_rest);
  problem.group_size = group_size;
  const std::int64_t step = problem.layout().legal.k;
  problem.k = shorter ? step : k_unit(*problem.format, group_size) + step;
  return problem;
}

/// For every group size that the subject takes, a k that it does not divide, once with parameters for the whole groups
/// only and once with one more group for the rest.
void append_rests(std::vector<IllegalCall>& rows, const Capabilities& capabilities) {
  const std::vector<const Format*>& formats = capabilities.formats;
  for (const std::int64_t group_size : capabilities.group_sizes) {
    const auto add = [&](const std::string& name, bool shorter, std::int64_t more_groups) {
      IllegalCall row;
      row.name = "group_size:" + std::to_string(group_size) + name;
      row.at_fault = {"group_size", "scales_and_zeros", "packed_w"};
      row.legal = "a group size that divides k";
      row.change = [=](OperatorCall& call, const Problem& p) {
        if (more_groups != 0) resized(0, more_groups)(call.argument("scales_and_zeros"), p);
      };
      row.base = [=](const Problem& p) { return not_divided(p, formats, group_size, shorter); };
      rows.push_back(std::move(row));
    };
    const auto any_format = [&](auto holds) {
      return std::any_of(formats.begin(), formats.end(), [&](const Format* one) { return holds(one->layout.legal.k); });
    };
    if (any_format([=](std::int64_t step) { return step % group_size != 0; })) {
      add("-with-a-rest-and-no-group-for-it", false, 0);
      add("-with-a-rest-and-a-group-for-it", false, 1);
    }
    if (any_format([=](std::int64_t step) { return step < group_size; })) {
      add("-of-a-shorter-k", true, 1);
      add("-of-a-shorter-k-and-no-group", true, 0);
    }
  }
}

/// A call that the format allows and the subject does not declare: it must be refused, or give the exact result.
IllegalCall not_declared(Operation operation, const std::string& argument, const std::string& value,
                         std::vector<std::string> at_fault, const std::string& legal,
                         std::function<Problem(const Problem&)> base) {
  IllegalCall row;
  row.name = argument + ":" + value + "-not-declared";
  row.at_fault = std::move(at_fault);
  row.legal = legal;
  row.change = [](OperatorCall&, const Problem&) {};
  row.base = base;
  row.exact = [=](Case& c, const CallData& data, const OperatorResult& result) {
    expect_specified_of(c, base(c.problem), operation, data, result);
  };
  return row;
}

template <class T>
bool holds(const std::vector<T>& values, const T& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

void append_not_declared(std::vector<IllegalCall>& rows, Operation operation, const Capabilities& capabilities) {
  const bool has_inner_k_tiles = has_argument(operation, "inner_k_tiles");
  const bool has_groups = has_argument(operation, "group_size");
  const std::string first = has_argument(operation, "codes") ? "codes" : "packed_w";
  for (const Format* format : tinygemm_formats()) {
    if (holds(capabilities.formats, format)) continue;
    rows.push_back(not_declared(operation, has_inner_k_tiles ? "inner_k_tiles" : "packed_w",
                                std::to_string(tinygemm_number(*format)), {"inner_k_tiles", first},
                                "the inner_k_tiles of " + listed(capabilities.formats), [=](Problem p) {
                                  p.format = format;
                                  p.k = k_unit(*format, p.group_size);
                                  return p;
                                }));
  }
  for (const std::int64_t group_size : {16, 32, 64, 128, 256, 512}) {
    if (!has_groups || capabilities.any_group_size || holds(capabilities.group_sizes, group_size)) continue;
    rows.push_back(not_declared(operation, "group_size", std::to_string(group_size), {"group_size", "scales_and_zeros"},
                                "a group size of " + joined(capabilities.group_sizes, ", ",
                                                            [](std::int64_t size) { return std::to_string(size); }),
                                [=](Problem p) {
                                  p.group_size = group_size;
                                  p.k = k_unit(*p.format, group_size);
                                  return p;
                                }));
  }
  if (capabilities.n_multiple == 1 || n_multiple_of(operation) != 1) return;
  rows.push_back(not_declared(operation, first, "a-row-more", {first, "scales_and_zeros"},
                              "n a multiple of " + std::to_string(capabilities.n_multiple), [](Problem p) {
                                p.n += 1;
                                return p;
                              }));
}

void append_group_size(std::vector<IllegalCall>& rows) {
  const std::vector<std::string> scales = {"scales_and_zeros"};
  append(rows, "group_size", "a positive group size that divides k",
         {{"0", number(0), scales},
          {"-32", number(-32), scales},
          {"7", number(7), scales},
          {"2^32-more", increased_by_2_32(), scales},
          // The number of whole groups stays the same, with columns left over.
          {"one-less", [](Argument& argument, const Problem&) { *argument.number -= 1; }, scales},
          {"more-than-k", [](Argument& argument, const Problem& p) { argument.number = 2 * p.k; }, scales}});
}

constexpr const char* sizes_of_scales = "bf16 [k/group_size][n][2]";

/// The float domain in an undeclared type: the call must be refused, or give the exact weights of that type.
void exact_in(Case& c, const CallData& data, const OperatorResult& result, Type type, Element element) {
  Problem problem = c.problem;
  problem.types = type;
  const auto accepted = [&](const std::string& result_text) {
    return Failure("accepted",
                   "takes scales_and_zeros of " + std::string(name_of(element)) + " and gives " + result_text);
  };
  const Sizes sizes = {problem.n, problem.k};
  if (result.element != element) throw accepted(result.text() + ": the weights are to be of the scales' type");
  if (result.sizes != sizes) throw accepted(result.text() + ": expected " + tileproof::text_of(sizes));
  const std::vector<std::uint32_t> expected = specified_result(problem, Operation::dequantize, data).bits.elements;
  const std::vector<std::uint32_t> got = widened(result.bytes, bytes_of(element));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (i < got.size() && got[i] == expected[i]) continue;
    throw accepted("other weights than specified, first at element " + std::to_string(i));
  }
}

/// Converts bf16 numbers to another type; a number that both types hold stays the same number.
std::vector<std::uint32_t> converted(std::vector<std::uint32_t> bits, Type type) {
  for (std::uint32_t& one : bits) {
    one = reference::rounded(float_format_of(type), reference::decode(reference::bf16, one));
  }
  return bits;
}

IllegalCall scales_of_type(Operation operation, Type type, Element element) {
  IllegalCall row =
      of_argument("scales_and_zeros", name_of(element), {}, sizes_of_scales, [=](Argument& argument, const Problem&) {
        argument = tensor_argument(argument.name, element, argument.sizes,
                                   narrowed(converted(widened(argument.storage, 2), type), bytes_of(element)));
      });
  row.exact = [=](Case& c, const CallData& data, const OperatorResult& result) {
    if (operation == Operation::matmul) return expect_specified(c, operation, data, result);
    CallData typed = data;
    for (Matrix<std::uint32_t>* bits : {&typed.parameters.scales, &typed.parameters.zeros}) {
      bits->elements = converted(bits->elements, type);
    }
    exact_in(c, typed, result, type, element);
  };
  return row;
}

void append_scales(std::vector<IllegalCall>& rows, Operation operation) {
  rows.push_back(scales_of_type(operation, Type::fp16, Element::fp16));
  rows.push_back(scales_of_type(operation, Type::fp32, Element::fp32));
  append(rows, "scales_and_zeros", sizes_of_scales,
         {{"int16", of_type(Element::int16)},
          {"flat", flattened()},
          {"one-group-too-few", resized(0, -1), {"group_size"}},
          {"one-group-too-many", resized(0, 1), {"group_size"}},
          {"an-n-tile-too-few", resized(1, -8), {"packed_w"}},
          {"an-n-tile-too-many", resized(1, 8), {"packed_w"}},
          {"no-zeros", resized(2, -1)},
          {"three-in-a-pair", resized(2, 1)}});
  append(rows, "scales_and_zeros", "on the device of packed_w", {{"on-the-host", moved_to_the_host()}});
}

void append_codes(std::vector<IllegalCall>& rows) {
  append(rows, "codes", "uint8 [n][k/2], k a multiple of 16*inner_k_tiles",
         {{"int32", of_type(Element::int32)},
          {"int8", of_type(Element::int8)},
          {"fp32", of_type(Element::fp32)},
          {"flat", flattened()},
          {"a-byte-too-many", resized(1, 1)},
          {"half-a-k-tile-too-many", resized(1, 4)},
          {"a-k-tile-too-many", resized(1, 8), {"inner_k_tiles"}}});
}

void append_activations(std::vector<IllegalCall>& rows) {
  append(
      rows, "activations", "bf16 [m][k]",
      {{"fp32", of_type(Element::fp32)}, {"flat", flattened()}, {"a-k-tile-too-few", resized(1, -16), {"packed_w"}}});
}

}  // namespace

void become(Argument& argument, Element element, const Sizes& sizes) {
  argument = tensor_argument(argument.name, element, sizes,
                             std::vector<std::uint8_t>(static_cast<std::size_t>(count_of(sizes) * bytes_of(element))));
}

std::vector<IllegalCall> illegal_calls(Operation operation, const Capabilities& capabilities) {
  if (capabilities.are_mapped()) return illegal_mapped_calls(operation, capabilities);
  const auto has = [=](const char* argument) { return has_argument(operation, argument); };
  std::vector<IllegalCall> rows;
  if (has("inner_k_tiles")) append_inner_k_tiles(rows);
  if (has("inner_k_tiles") && has("packed_w")) rows.push_back(another_inner_k_tiles());
  if (has("codes")) append_codes(rows);
  if (has("packed_w")) append_packed(rows);
  if (has("group_size")) append_group_size(rows);
  if (has("scales_and_zeros")) append_scales(rows, operation);
  if (operation == Operation::dequantize) {
    rows.push_back(of_argument("packed_w", "on-the-host", {"scales_and_zeros"}, "on the device of the scales",
                               moved_to_the_host()));
  }
  if (has("activations")) append_activations(rows);
  if (has("group_size")) append_rests(rows, capabilities);
  append_not_declared(rows, operation, capabilities);
  return rows;
}

std::vector<std::string> names_of_illegal_calls(Operation operation, const Capabilities& capabilities) {
  return names_of_rows(illegal_calls(operation, capabilities));
}

Illegally illegally_called(Case& c, Operation operation) {
  const std::vector<IllegalCall> rows = illegal_calls(operation, c.capabilities);
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const IllegalCall& one) { return one.name == c.problem.variant; });
  if (row == rows.end()) {
    throw UsageError("--variant", c.problem.variant, "an illegal call for what the subject is said to take");
  }
  const Problem problem = row->base ? row->base(c.problem) : c.problem;
  Illegally illegal = {*row, row->base ? data_of(problem, operation) : drawn_data(c, operation), {}};
  illegal.call = legal_call(problem, operation, illegal.data, c.capabilities);
  row->change(illegal.call, problem);
  return illegal;
}

}  // namespace tileproof
