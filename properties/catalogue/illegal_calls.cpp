#include "properties/catalogue/illegal_calls.h"

#include <algorithm>
#include <numeric>

#include "properties/problem/specification.h"
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

/// Gives the argument another type or size, with all elements 0, which is legal content of every type.
void become(Argument& argument, Element element, const Sizes& sizes) {
  argument = tensor_argument(argument.name, element, sizes,
                             std::vector<std::uint8_t>(static_cast<std::size_t>(count_of(sizes) * bytes_of(element))));
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

template <class... Rows>
void append(std::vector<IllegalCall>& rows, Rows... more) {
  (rows.push_back(std::move(more)), ...);
}

void append_inner_k_tiles(std::vector<IllegalCall>& rows) {
  for (const std::int64_t value : {0, 1, 3, 16, -2}) {
    rows.push_back(of_argument("inner_k_tiles", std::to_string(value), {}, "2, 4 or 8", number(value)));
  }
  rows.push_back(of_argument("inner_k_tiles", "2^32-more", {}, "2, 4 or 8", increased_by_2_32()));
}

void append_packed(std::vector<IllegalCall>& rows) {
  const std::string sizes = "int32 [ceil(n/8)][k/(16*inner_k_tiles)][32][inner_k_tiles/2]";
  append(rows, of_argument("packed_w", "int64", {}, sizes, of_type(Element::int64)),
         of_argument("packed_w", "int16", {}, sizes, of_type(Element::int16)),
         of_argument("packed_w", "fp32", {}, sizes, of_type(Element::fp32)),
         of_argument("packed_w", "flat", {}, sizes, flattened()),
         of_argument("packed_w", "31-lanes", {}, sizes, resized(2, -1)),
         of_argument("packed_w", "33-lanes", {}, sizes, resized(2, 1)),
         of_argument("packed_w", "a-word-too-many", {"inner_k_tiles", "activations"}, sizes, resized(3, 1)));
}

/// A legal inner_k_tiles, but not the one that the words were packed with.
IllegalCall another_inner_k_tiles() {
  return of_argument("inner_k_tiles", "another", {"packed_w"}, "twice the last dimension of packed_w",
                     [](Argument& argument, const Problem& p) { argument.number = p.format == tinygemm(4) ? 8 : 4; });
}

/// A problem whose k is the smallest legal k plus one step of the layout, which the group size does not divide; with
/// `shorter`, one step alone, which is less than a group.
Problem not_divided(const Problem& p, const std::vector<const Format*>& formats, std::int64_t group_size,
                    bool shorter) {
  const auto leaves_a_rest = [=](const Format* format) {
    const std::int64_t step = format->layout.legal.k;
    return shorter ? step < group_size : step % group_size != 0;
  };
  Problem problem = p;
  if (!leaves_a_rest(p.format)) problem.format = *std::find_if(formats.begin(), formats.end(), leaves_a_rest);
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

std::string listed(const std::vector<std::int64_t>& values) {
  std::string text;
  for (const std::int64_t value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
  return text;
}

void append_not_declared(std::vector<IllegalCall>& rows, Operation operation, const Capabilities& capabilities) {
  const bool has_groups = operation == Operation::dequantize || operation == Operation::matmul;
  const std::string first = operation == Operation::pack ? "codes" : "packed_w";
  for (const Format* format : tinygemm_formats()) {
    if (holds(capabilities.formats, format)) continue;
    rows.push_back(not_declared(operation, operation == Operation::matmul ? "packed_w" : "inner_k_tiles",
                                std::to_string(tinygemm_number(*format)), {"inner_k_tiles", first},
                                "the inner_k_tiles of " + tileproof::listed(capabilities.formats),
                                [=](const Problem& p) {
                                  Problem problem = p;
                                  problem.format = format;
                                  problem.k = k_unit(*format, p.group_size);
                                  return problem;
                                }));
  }
  for (const std::int64_t group_size : {16, 32, 64, 128, 256, 512}) {
    if (!has_groups || capabilities.any_group_size || holds(capabilities.group_sizes, group_size)) continue;
    rows.push_back(not_declared(operation, "group_size", std::to_string(group_size), {"group_size", "scales_and_zeros"},
                                "a group size of " + listed(capabilities.group_sizes), [=](const Problem& p) {
                                  Problem problem = p;
                                  problem.group_size = group_size;
                                  problem.k = k_unit(*p.format, group_size);
                                  return problem;
                                }));
  }
  if (capabilities.n_multiple == 1 || operation == Operation::matmul) return;
  rows.push_back(not_declared(operation, first, "a-row-more", {first, "scales_and_zeros"},
                              "n a multiple of " + std::to_string(capabilities.n_multiple), [](const Problem& p) {
                                Problem problem = p;
                                problem.n += 1;
                                return problem;
                              }));
}

void append_group_size(std::vector<IllegalCall>& rows) {
  const std::string legal = "a positive group size that divides k";
  for (const std::int64_t value : {0, -32, 7}) {
    rows.push_back(of_argument("group_size", std::to_string(value), {"scales_and_zeros"}, legal, number(value)));
  }
  rows.push_back(of_argument("group_size", "2^32-more", {"scales_and_zeros"}, legal, increased_by_2_32()));
  // The number of whole groups stays the same, with columns left over.
  rows.push_back(of_argument("group_size", "one-less", {"scales_and_zeros"}, legal,
                             [](Argument& argument, const Problem&) { *argument.number -= 1; }));
  rows.push_back(of_argument("group_size", "more-than-k", {"scales_and_zeros"}, legal,
                             [](Argument& argument, const Problem& p) { argument.number = 2 * p.k; }));
}

/// The float domain in an undeclared type: the call must be refused, or give the exact weights of that type.
void exact_in(Case& c, const CallData& data, const OperatorResult& result, Type type, Element element) {
  Problem problem = c.problem;
  problem.types = type;
  if (result.element != element) {
    throw Failure("accepted", "takes scales_and_zeros of " + std::string(name_of(element)) + " and gives " +
                                  result.text() + ": the weights are to be of the scales' type");
  }
  if (result.sizes != Sizes{problem.n, problem.k}) {
    throw Failure("accepted", "takes scales_and_zeros of " + std::string(name_of(element)) + " and gives " +
                                  result.text() + ": expected " + tileproof::text_of(Sizes{problem.n, problem.k}));
  }
  const Matrix<std::uint32_t> expected = specified::weights(problem, specified::as_int32(data.codes), data.parameters);
  const std::vector<std::uint32_t> got = widened(result.bytes, bytes_of(element));
  for (std::size_t i = 0; i < expected.elements.size(); ++i) {
    if (i < got.size() && got[i] == expected.elements[i]) continue;
    throw Failure("accepted", "takes scales_and_zeros of " + std::string(name_of(element)) +
                                  " and gives other weights than specified, first at element " + std::to_string(i));
  }
}

/// Converts scales and zeros to another type; a number that both types hold stays the same number.
void retype_scales(Argument& argument, Type type, Element element) {
  const reference::FloatFormat to = float_format_of(type);
  std::vector<std::uint32_t> bits;
  for (const std::uint32_t pattern : widened(argument.storage, 2)) {
    bits.push_back(reference::rounded(to, reference::decode(reference::bf16, pattern)));
  }
  argument = tensor_argument(argument.name, element, argument.sizes, narrowed(bits, bytes_of(element)));
}

IllegalCall scales_of_type(Operation operation, Type type, Element element) {
  IllegalCall row = of_argument("scales_and_zeros", name_of(element), {}, "bf16 [k/group_size][n][2]",
                                [=](Argument& argument, const Problem&) { retype_scales(argument, type, element); });
  row.exact = [=](Case& c, const CallData& data, const OperatorResult& result) {
    if (operation == Operation::matmul) return expect_specified(c, operation, data, result);
    CallData typed = data;
    const reference::FloatFormat to = float_format_of(type);
    for (Matrix<std::uint32_t>* bits : {&typed.parameters.scales, &typed.parameters.zeros}) {
      for (std::uint32_t& one : bits->elements) one = reference::rounded(to, reference::decode(reference::bf16, one));
    }
    exact_in(c, typed, result, type, element);
  };
  return row;
}

void append_scales(std::vector<IllegalCall>& rows, Operation operation) {
  const std::string sizes = "bf16 [k/group_size][n][2]";
  append(rows, scales_of_type(operation, Type::fp16, Element::fp16),
         scales_of_type(operation, Type::fp32, Element::fp32),
         of_argument("scales_and_zeros", "int16", {}, sizes, of_type(Element::int16)),
         of_argument("scales_and_zeros", "flat", {}, sizes, flattened()),
         of_argument("scales_and_zeros", "one-group-too-few", {"group_size"}, sizes, resized(0, -1)),
         of_argument("scales_and_zeros", "one-group-too-many", {"group_size"}, sizes, resized(0, 1)),
         of_argument("scales_and_zeros", "an-n-tile-too-few", {"packed_w"}, sizes, resized(1, -8)),
         of_argument("scales_and_zeros", "an-n-tile-too-many", {"packed_w"}, sizes, resized(1, 8)),
         of_argument("scales_and_zeros", "no-zeros", {}, sizes, resized(2, -1)),
         of_argument("scales_and_zeros", "three-in-a-pair", {}, sizes, resized(2, 1)));
  rows.push_back(of_argument("scales_and_zeros", "on-the-host", {}, "on the device of packed_w", moved_to_the_host()));
}

std::vector<IllegalCall> calls_of_pack() {
  std::vector<IllegalCall> rows;
  const std::string sizes = "uint8 [n][k/2], k a multiple of 16*inner_k_tiles";
  append_inner_k_tiles(rows);
  append(rows, of_argument("codes", "int32", {}, sizes, of_type(Element::int32)),
         of_argument("codes", "int8", {}, sizes, of_type(Element::int8)),
         of_argument("codes", "fp32", {}, sizes, of_type(Element::fp32)),
         of_argument("codes", "flat", {}, sizes, flattened()),
         of_argument("codes", "a-byte-too-many", {}, sizes, resized(1, 1)),
         of_argument("codes", "half-a-k-tile-too-many", {}, sizes, resized(1, 4)),
         of_argument("codes", "a-k-tile-too-many", {"inner_k_tiles"}, sizes, resized(1, 8)));
  return rows;
}

std::vector<IllegalCall> calls_of_unpack() {
  std::vector<IllegalCall> rows;
  append_inner_k_tiles(rows);
  rows.push_back(another_inner_k_tiles());
  append_packed(rows);
  return rows;
}

std::vector<IllegalCall> calls_of_dequantize() {
  std::vector<IllegalCall> rows;
  append_inner_k_tiles(rows);
  rows.push_back(another_inner_k_tiles());
  append_packed(rows);
  append_group_size(rows);
  append_scales(rows, Operation::dequantize);
  rows.push_back(
      of_argument("packed_w", "on-the-host", {"scales_and_zeros"}, "on the device of the scales", moved_to_the_host()));
  return rows;
}

std::vector<IllegalCall> calls_of_matmul() {
  std::vector<IllegalCall> rows;
  append_packed(rows);
  append_group_size(rows);
  append_scales(rows, Operation::matmul);
  const std::string sizes = "bf16 [m][k]";
  append(rows, of_argument("activations", "fp32", {}, sizes, of_type(Element::fp32)),
         of_argument("activations", "flat", {}, sizes, flattened()),
         of_argument("activations", "a-k-tile-too-few", {"packed_w"}, sizes, resized(1, -16)));
  return rows;
}

}  // namespace

std::vector<IllegalCall> illegal_calls(Operation operation, const Capabilities& capabilities) {
  std::vector<IllegalCall> rows = operation == Operation::pack         ? calls_of_pack()
                                  : operation == Operation::unpack     ? calls_of_unpack()
                                  : operation == Operation::dequantize ? calls_of_dequantize()
                                                                       : calls_of_matmul();
  const bool has_groups = operation == Operation::dequantize || operation == Operation::matmul;
  if (has_groups) append_rests(rows, capabilities);
  append_not_declared(rows, operation, capabilities);
  return rows;
}

std::vector<std::string> names_of_illegal_calls(Operation operation, const Capabilities& capabilities) {
  std::vector<std::string> names;
  for (const IllegalCall& row : illegal_calls(operation, capabilities)) names.push_back(row.name);
  return names;
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
  illegal.call = legal_call(problem, operation, illegal.data);
  row->change(illegal.call, problem);
  return illegal;
}

}  // namespace tileproof
