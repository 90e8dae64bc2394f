#include "illegal_calls.h"

#include <algorithm>

#include "../reference/arithmetic.h"
#include "specification.h"

namespace tileproof {

namespace {

/// A change of one argument.
using Change = std::function<void(Argument&, const Problem&)>;

IllegalCall of_argument(const std::string& argument, const std::string& name, std::vector<std::string> at_fault,
                        const std::string& legal, Change change) {
  at_fault.insert(at_fault.begin(), argument);
  return {argument + ":" + name, at_fault, legal,
          [=](OperatorCall& call, const Problem& p) { change(call.argument(argument), p); }};
}

/// Fresh elements of another type or size: zeros, which no operator may take for more than they are.
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

/// Legal in its low 32 bits.
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

/// A legal one, which the packed words are not of.
IllegalCall another_inner_k_tiles() {
  return of_argument("inner_k_tiles", "another", {"packed_w"}, "twice the last dimension of packed_w",
                     [](Argument& argument, const Problem& p) { argument.number = p.inner_k_tiles == 4 ? 8 : 4; });
}

void append_group_size(std::vector<IllegalCall>& rows) {
  const std::string legal = "a positive group size that divides k";
  for (const std::int64_t value : {0, -32, 7}) {
    rows.push_back(of_argument("group_size", std::to_string(value), {"scales_and_zeros"}, legal, number(value)));
  }
  rows.push_back(of_argument("group_size", "2^32-more", {"scales_and_zeros"}, legal, increased_by_2_32()));
  // As many groups as there are, but for what is left over.
  rows.push_back(of_argument("group_size", "one-less", {"scales_and_zeros"}, legal,
                             [](Argument& argument, const Problem&) { *argument.number -= 1; }));
  rows.push_back(of_argument("group_size", "more-than-k", {"scales_and_zeros"}, legal,
                             [](Argument& argument, const Problem& p) { argument.number = 2 * p.k; }));
}

/// The float domain in another type: refused, or the weights of that type, exactly.
void exact_in(Case& c, const CallData& data, const OperatorResult& result, Type type, Element element) {
  Problem problem = c.problem;
  problem.out = type;
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

/// The bits of scales and zeros in another type, the same numbers where they are numbers of both.
void retype_scales(Argument& argument, Type type, Element element) {
  const reference::Format to = format_of(type);
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
    const reference::Format to = format_of(type);
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
         of_argument("codes", "half-a-k-tile-too-many", {}, sizes, resized(1, 4)));
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

const IllegalCall& illegal_call_named(Operation operation, const std::string& name) {
  const std::vector<IllegalCall>& rows = illegal_calls(operation);
  return *std::find_if(rows.begin(), rows.end(), [&](const IllegalCall& row) { return row.name == name; });
}

}  // namespace

const std::vector<IllegalCall>& illegal_calls(Operation operation) {
  static const std::vector<IllegalCall> rows[] = {calls_of_pack(), calls_of_unpack(), calls_of_dequantize(),
                                                  calls_of_matmul()};
  return rows[static_cast<int>(operation)];
}

std::vector<std::string> names_of_illegal_calls(Operation operation) {
  std::vector<std::string> names;
  for (const IllegalCall& row : illegal_calls(operation)) names.push_back(row.name);
  return names;
}

Illegally illegally_called(Case& c, Operation operation) {
  const IllegalCall& row = illegal_call_named(operation, c.problem.variant);
  Illegally illegal = {row, drawn_data(c, operation), {}};
  illegal.call = legal_call(c.problem, operation, illegal.data);
  row.change(illegal.call, c.problem);
  return illegal;
}

}  // namespace tileproof
