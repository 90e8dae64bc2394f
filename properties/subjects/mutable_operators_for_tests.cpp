#include "properties/subjects/mutable_operators_for_tests.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "properties/case/case.h"
#include "properties/problem/specification.h"
#include "reference/matrix.h"

namespace tileproof {

namespace {

// --- Sizes of a call -----------------------------------------------------------------------------------------------

const Argument& of(const OperatorCall& call, const std::string& name) {
  return *std::find_if(call.arguments.begin(), call.arguments.end(), [&](const Argument& a) { return a.name == name; });
}

/// @param dimension  from the end: -1 is the last
std::int64_t size(const Argument& tensor, int dimension) {
  return tensor.sizes.at(tensor.sizes.size() - static_cast<std::size_t>(-dimension));
}

bool is_packed(const OperatorCall& call) { return call.operation != Operation::pack; }
bool has_scales(const OperatorCall& call) {
  return call.operation == Operation::dequantize || call.operation == Operation::matmul;
}
const Argument& first_tensor(const OperatorCall& call) { return of(call, is_packed(call) ? "packed_w" : "codes"); }

}  // namespace

bool is_stack(const OperatorCall& call) { return first_tensor(call).sizes.size() == (is_packed(call) ? 5u : 3u); }

namespace {

std::int64_t experts_of(const OperatorCall& call) { return is_stack(call) ? first_tensor(call).sizes[0] : 1; }

std::int64_t inner_k_tiles_of(const OperatorCall& call) {
  if (call.operation == Operation::matmul) return 2 * size(of(call, "packed_w"), -1);
  return *of(call, "inner_k_tiles").number;
}
std::int64_t k_of(const OperatorCall& call) {
  if (!is_packed(call)) return 2 * size(of(call, "codes"), -1);
  return size(of(call, "packed_w"), -3) * 16 * inner_k_tiles_of(call);
}
std::int64_t n_of(const OperatorCall& call) {
  if (!is_packed(call)) return size(of(call, "codes"), -2);
  return has_scales(call) ? size(of(call, "scales_and_zeros"), -2) : 8 * size(of(call, "packed_w"), -4);
}
std::int64_t n_tiles_of(const OperatorCall& call) {
  return is_packed(call) ? size(of(call, "packed_w"), -4) : (n_of(call) + 7) / 8;
}
std::int64_t group_size_of(const OperatorCall& call) { return *of(call, "group_size").number; }

// --- The rules -----------------------------------------------------------------------------------------------------

std::function<bool(const OperatorCall&)> is_of(const std::string& argument, Element element) {
  return [=](const OperatorCall& c) { return of(c, argument).element == element; };
}

void add_rules_of_packed(std::vector<OperatorRule>& rules, Operation operation) {
  const bool knows_inner_k_tiles = operation != Operation::matmul;
  rules.push_back({"packed type", "packed_w", "int32", is_of("packed_w", Element::int32)});
  rules.push_back(
      {"packed dimensions", "packed_w", "4 dimensions, or 5 with experts first", [=](const OperatorCall& c) {
         const std::size_t dimensions = of(c, "packed_w").sizes.size();
         return dimensions == 4 || (knows_inner_k_tiles && dimensions == 5);
       }});
  rules.push_back({"packed lanes", "packed_w", "32 lanes in the last dimension but one",
                   [](const OperatorCall& c) { return size(of(c, "packed_w"), -2) == 32; }});
  rules.push_back(
      {"packed words", "packed_w", "inner_k_tiles / 2 words in the last dimension", [=](const OperatorCall& c) {
         const std::int64_t words = size(of(c, "packed_w"), -1);
         if (!knows_inner_k_tiles) return words == 1 || words == 2 || words == 4;
         return words == inner_k_tiles_of(c) / 2;
       }});
}

void add_rules_of_scales(std::vector<OperatorRule>& rules) {
  const auto scales = [](const OperatorCall& c) -> const Argument& { return of(c, "scales_and_zeros"); };
  const auto add = [&rules](const std::string& name, const std::string& legal, auto holds) {
    rules.push_back({"scales " + name, "scales_and_zeros", legal, holds});
  };
  rules.push_back({"group size", "group_size", "a positive multiple of 16 that divides k", [](const OperatorCall& c) {
                     const std::int64_t group_size = group_size_of(c);
                     return group_size > 0 && group_size % 16 == 0 && k_of(c) % group_size == 0;
                   }});
  add("type", "bf16", is_of("scales_and_zeros", Element::bf16));
  add("place", "on the device of packed_w",
      [=](const OperatorCall& c) { return scales(c).where == of(c, "packed_w").where; });
  add("dimensions", "3 dimensions, or 4 with experts first",
      [=](const OperatorCall& c) { return scales(c).sizes.size() == (is_stack(c) ? 4u : 3u); });
  add("experts", "as many experts as packed_w",
      [=](const OperatorCall& c) { return !is_stack(c) || scales(c).sizes[0] == experts_of(c); });
  add("groups", "k / group_size groups",
      [=](const OperatorCall& c) { return size(scales(c), -3) == k_of(c) / group_size_of(c); });
  add("rows", "n with as many n-tiles as packed_w",
      [=](const OperatorCall& c) { return (size(scales(c), -2) + 7) / 8 == n_tiles_of(c); });
  add("pairs", "a scale and a zero in the last dimension",
      [=](const OperatorCall& c) { return size(scales(c), -1) == 2; });
}

std::vector<OperatorRule> rules_of(Operation operation) {
  std::vector<OperatorRule> rules;
  if (operation != Operation::matmul) {
    rules.push_back({"inner_k_tiles", "inner_k_tiles", "2, 4 or 8", [](const OperatorCall& c) {
                       const std::int64_t inner_k_tiles = inner_k_tiles_of(c);
                       return inner_k_tiles == 2 || inner_k_tiles == 4 || inner_k_tiles == 8;
                     }});
  }
  if (operation == Operation::pack) {
    rules.push_back({"codes type", "codes", "uint8", is_of("codes", Element::uint8)});
    rules.push_back({"codes dimensions", "codes", "2 dimensions, or 3 with experts first", [](const OperatorCall& c) {
                       return of(c, "codes").sizes.size() == 2 || of(c, "codes").sizes.size() == 3;
                     }});
    rules.push_back({"codes columns", "codes", "k a multiple of 16 * inner_k_tiles",
                     [](const OperatorCall& c) { return k_of(c) % (16 * inner_k_tiles_of(c)) == 0; }});
    return rules;
  }
  add_rules_of_packed(rules, operation);
  if (operation == Operation::matmul) {
    rules.push_back({"activations type", "activations", "bf16", is_of("activations", Element::bf16)});
    rules.push_back({"activations dimensions", "activations", "2 dimensions",
                     [](const OperatorCall& c) { return of(c, "activations").sizes.size() == 2; }});
    rules.push_back({"activations columns", "activations", "k columns, as packed_w has",
                     [](const OperatorCall& c) { return size(of(c, "activations"), -1) == k_of(c); }});
  }
  if (operation != Operation::unpack) add_rules_of_scales(rules);
  return rules;
}

// --- Reading -------------------------------------------------------------------------------------------------------

/// The low 32 bits of a tensor's elements, in sequence. An element outside the storage reads as fence bytes.
std::vector<std::uint32_t> elements_of(const Argument& tensor, const void* storage, std::size_t storage_bytes) {
  const std::int64_t step = bytes_of(tensor.element);
  const auto* bytes = static_cast<const std::uint8_t*>(storage);
  std::vector<std::uint32_t> elements;
  elements.reserve(static_cast<std::size_t>(count_of(tensor.sizes)));
  Sizes index(tensor.sizes.size());
  std::int64_t place = tensor.offset;
  for (std::int64_t left = count_of(tensor.sizes); left > 0; --left) {
    std::uint32_t bits = step < 4 ? (std::uint32_t{1} << 8 * step) - 1 : 0xffffffff;
    if (place >= 0 && static_cast<std::size_t>((place + 1) * step) <= storage_bytes) {
      bits = 0;
      std::memcpy(&bits, bytes + place * step, static_cast<std::size_t>(std::min<std::int64_t>(4, step)));
    }
    elements.push_back(bits);
    for (std::size_t d = index.size(); d-- > 0;) {
      place += tensor.strides[d];
      if (++index[d] < tensor.sizes[d]) break;
      place -= index[d] * tensor.strides[d];
      index[d] = 0;
    }
  }
  return elements;
}

/// An expert's part of every tensor, of the length that a correct call has.
class Slices {
 public:
  Slices(Elements elements, std::int64_t experts)
      : elements_(std::move(elements)), experts_(static_cast<std::size_t>(experts)) {}

  std::vector<std::uint32_t> operator()(const std::string& tensor, std::size_t expert, std::int64_t wanted) const {
    const std::vector<std::uint32_t>& all = elements_.at(tensor);
    const std::size_t step = all.size() / experts_;
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(expert * step);
    std::vector<std::uint32_t> slice(begin, begin + static_cast<std::ptrdiff_t>(step));
    slice.resize(static_cast<std::size_t>(wanted), 0xffffffff);
    return slice;
  }

 private:
  Elements elements_;
  std::size_t experts_;
};

// --- Computing -----------------------------------------------------------------------------------------------------

struct Form {
  Element element;
  Sizes sizes;
};
Form form_of(const OperatorCall& call) {
  const std::int64_t inner_k_tiles = inner_k_tiles_of(call);
  Form form;
  if (call.operation == Operation::pack) {
    form = {Element::int32, {n_tiles_of(call), k_of(call) / (16 * inner_k_tiles), 32, inner_k_tiles / 2}};
  } else if (call.operation == Operation::unpack) {
    form = {Element::int32, {n_of(call), k_of(call)}};
  } else if (call.operation == Operation::dequantize) {
    form = {of(call, "scales_and_zeros").element, {n_of(call), k_of(call)}};
  } else {
    form = {Element::bf16, {size(of(call, "activations"), -2), n_of(call)}};
  }
  if (is_stack(call)) form.sizes.insert(form.sizes.begin(), experts_of(call));
  return form;
}

reference::FloatFormat format_of_element(Element element) {
  return element == Element::fp16 ? reference::fp16 : element == Element::fp32 ? reference::fp32 : reference::bf16;
}

double value_of(reference::FloatFormat format, std::uint32_t bits) {
  if (format == reference::bf16) return std::bit_cast<float>(bits << 16);
  return specified::value(format, bits);
}

std::uint32_t bf16_of(double value) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  return reference::rounded(reference::bf16, reference::decode(reference::fp32, bits));
}

/// The weights of an expert, as bits of the scales' type.
std::vector<std::uint32_t> weights_of(const OperatorCall& call, const Slices& slices, std::size_t expert) {
  const std::int64_t n = n_of(call), k = k_of(call), group_size = group_size_of(call);
  const auto inner_k_tiles = static_cast<int>(inner_k_tiles_of(call));
  const std::vector<std::uint32_t> packed = slices("packed_w", expert, reference::words_of(n, k));
  const std::vector<std::uint32_t> scales =
      slices("scales_and_zeros", expert, (k + group_size - 1) / group_size * n * 2);
  const reference::FloatFormat format = format_of_element(of(call, "scales_and_zeros").element);
  std::vector<std::uint32_t> weights(static_cast<std::size_t>(n * k));
  for (std::int64_t row = 0; row < n; ++row) {
    for (std::int64_t column = 0; column < k; ++column) {
      const auto both = static_cast<std::size_t>((column / group_size * n + row) * 2);
      const int code = reference::code_of_packed(packed.data(), row, column, k, inner_k_tiles);
      weights[static_cast<std::size_t>(row * k + column)] =
          reference::dequantized_float(format, code, scales[both], scales[both + 1]);
    }
  }
  return weights;
}

std::vector<std::uint32_t> elements_of_result(const OperatorCall& call, const Slices& slices, std::size_t expert) {
  const std::int64_t n = n_of(call), k = k_of(call);
  const auto inner_k_tiles = static_cast<int>(inner_k_tiles_of(call));
  if (call.operation == Operation::pack) {
    const std::vector<std::uint32_t> wide = slices("codes", expert, n * (k / 2));
    const std::vector<std::uint8_t> pairs(wide.begin(), wide.end());
    std::vector<std::uint32_t> packed(static_cast<std::size_t>(reference::words_of(n, k)));
    reference::pack(pairs.data(), n, k, inner_k_tiles, packed.data());
    return packed;
  }
  if (call.operation == Operation::unpack) {
    const std::vector<std::uint32_t> packed = slices("packed_w", expert, reference::words_of(n, k));
    std::vector<std::int32_t> codes(static_cast<std::size_t>(n * k));
    reference::unpack(packed.data(), n, k, inner_k_tiles, codes.data());
    return {codes.begin(), codes.end()};
  }
  const std::vector<std::uint32_t> weights = weights_of(call, slices, expert);
  if (call.operation == Operation::dequantize) return weights;
  const std::int64_t m = size(of(call, "activations"), -2);
  const std::vector<std::uint32_t> activations = slices("activations", expert, m * k);
  std::vector<double> values(weights.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = value_of(format_of_element(of(call, "scales_and_zeros").element), weights[i]);
  }
  std::vector<std::uint32_t> products;
  for (std::int64_t row = 0; row < m; ++row) {
    std::vector<double> left(static_cast<std::size_t>(k));
    for (std::int64_t column = 0; column < k; ++column) {
      left[static_cast<std::size_t>(column)] =
          value_of(reference::bf16, activations[static_cast<std::size_t>(row * k + column)]);
    }
    for (std::int64_t column = 0; column < n; ++column) {
      products.push_back(bf16_of(std::inner_product(left.begin(), left.end(), values.begin() + column * k, 0.0)));
    }
  }
  return products;
}

/// A dense tensor argument over a raw pointer.
Argument dense_at(const std::string& name, Element element, const Sizes& sizes, const void* data) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  return tensor_argument(name, element, sizes, {bytes, bytes + count_of(sizes) * bytes_of(element)});
}

void require_sizes(const OperatorResult& result, const Sizes& sizes) {
  if (result.sizes != sizes) {
    throw SubjectError("the result has the sizes " + text_of(result.sizes) + ", expected " + text_of(sizes));
  }
}

}  // namespace

const RulesOfOperators& right_rules() {
  static const RulesOfOperators rules = [] {
    RulesOfOperators all;
    for (const Operation operation : operator_operations) all[operation] = rules_of(operation);
    return all;
  }();
  return rules;
}

void MutableOperators::require_legal(const OperatorCall& call, const RulesOfOperators& rules) const {
  for (const OperatorRule& rule : rules.at(call.operation)) {
    if (rule.holds(call)) continue;
    parts_.refusal();
    const auto name = parts_.names.find(rule.argument);
    throw Refused(parts_.error((name == parts_.names.end() ? rule.argument : name->second) + ": expected " +
                               rule.legal + ", got " + of(call, rule.argument).text()));
  }
}

/// Stores a result as an allocator would have it: in poisoned memory between fences. Every element but a packed word
/// differs from the poison.
OperatorResult MutableOperators::stored(const OperatorCall& call, OperatorResult result) const {
  constexpr std::size_t fence_bytes = 64;
  const std::size_t bytes = result.bytes.size();
  std::vector<std::uint8_t> block(fence_bytes + bytes + fence_bytes, fill_.fence);
  if (bytes != 0) std::memcpy(&block[fence_bytes], result.bytes.data(), bytes);
  parts_.stores(&block[fence_bytes], bytes, fill_);
  const auto begin = block.begin() + fence_bytes;
  const auto end = begin + static_cast<std::ptrdiff_t>(bytes);
  require_whole_fences({block.begin(), begin}, {end, block.end()}, fill_.fence, bytes);
  result.bytes.assign(begin, end);
  if (call.operation == Operation::pack) return result;
  const std::uint32_t poison = fill_.poison | static_cast<std::uint32_t>(fill_.poison) << 16;
  for (const std::uint32_t element : widened(result.bytes, bytes_of(result.element))) {
    const bool is_poison = element == (bytes_of(result.element) == 2 ? poison & 0xffff : poison);
    if (is_poison) throw GuardViolation("never wrote an element of its result");
  }
  return result;
}

OperatorResult MutableOperators::called(const OperatorCall& call, const std::vector<void*>& at) {
  require_legal(call, parts_.rules);
  OperatorCall seen = call;
  parts_.look(seen);
  Elements read;
  std::size_t number = 0;
  for (const Argument& argument : seen.arguments) {
    if (argument.number) continue;
    read[argument.name] = elements_of(argument, at.at(number++), argument.storage.size());
  }
  const Form form = form_of(seen);
  if (experts_of(seen) == 0) {
    OperatorResult nothing = {form.element, form.sizes, dense_strides(form.sizes), {}};
    parts_.result(call, nothing);
    return stored(call, nothing);
  }
  parts_.reads(seen, read);
  const Slices slices(std::move(read), experts_of(seen));
  std::vector<std::uint32_t> elements;
  for (std::int64_t expert = 0; expert < experts_of(seen); ++expert) {
    const auto more = elements_of_result(seen, slices, static_cast<std::size_t>(expert));
    elements.insert(elements.end(), more.begin(), more.end());
  }
  OperatorResult result = {form.element, form.sizes, dense_strides(form.sizes),
                           narrowed(elements, bytes_of(form.element))};
  parts_.result(call, result);
  parts_.touches(call, at);
  return stored(call, result);
}

OperatorResult MutableOperators::call(const OperatorCall& call, const std::vector<void*>& at, CallMode mode,
                                      const OperatorCall* alternate) {
  for (const Argument& argument : call.arguments) {
    if (argument.where == Where::host && !parts_.has_device) throw Unavailable("there is no other place than the host");
  }
  if (mode == CallMode::usual) return called(call, at);
  if (!parts_.in_mode) throw Unavailable("a subject on the host has no streams");
  const auto over_the_alternate = [&] {
    std::vector<void*> storages;
    for (const Argument& argument : alternate->arguments) {
      if (!argument.number) storages.push_back(const_cast<std::uint8_t*>(argument.storage.data()));
    }
    return called(*alternate, storages);
  };
  return parts_.in_mode(mode, {[&] { return called(call, at); }, over_the_alternate});
}

OperatorResult MutableOperators::call_on_meta(const OperatorCall& call) {
  for (const Argument& argument : call.arguments) {
    if (argument.where == Where::host) throw Unavailable("a meta tensor has no place");
  }
  require_legal(call, parts_.meta_rules);
  const Form form = form_of(call);
  OperatorResult result = {form.element, form.sizes, dense_strides(form.sizes), {}};
  parts_.meta_result(call, result);
  return result;
}

std::vector<std::string> MutableOperators::argument_names(Operation operation) {
  const auto ours = operator_arguments_of(operation);
  std::vector<std::string> names(ours.begin(), ours.end());
  for (std::string& name : names) {
    if (parts_.names.count(name) != 0) name = parts_.names.at(name);
  }
  return names;
}

// --- Calls over raw pointers: the same operators -------------------------------------------------------------------

namespace {

Sizes packed_sizes(Size size, const Format& format) {
  const reference::Dims dims = format.layout.dims(size);
  return Sizes(dims.begin(), dims.end());
}

Argument packed_at(const void* packed, Size size, const Format& format) {
  return dense_at("packed_w", Element::int32, packed_sizes(size, format), packed);
}

}  // namespace

void MutableOperators::pack(const Call& c) {
  const Argument codes = dense_at("codes", Element::uint8, {c.n, c.k / 2}, c.pairs());
  const OperatorResult packed =
      called({Operation::pack, {codes, number_argument("inner_k_tiles", tinygemm_number(*c.format))}}, {c.pairs()});
  require_sizes(packed, packed_sizes(c.size(), *c.format));
  std::memcpy(c.packed(), packed.bytes.data(), packed.bytes.size());
}

void MutableOperators::unpack(const Call& c) {
  const Argument packed = packed_at(c.packed(), c.size(), *c.format);
  const OperatorResult codes =
      called({Operation::unpack, {packed, number_argument("inner_k_tiles", tinygemm_number(*c.format))}}, {c.packed()});
  require_sizes(codes, {(c.n + 7) / 8 * 8, c.k});
  std::memcpy(c.codes(), codes.bytes.data(), static_cast<std::size_t>(c.n * c.k * 4));
}

void MutableOperators::dequantize(const Call& c) {
  const Argument packed = packed_at(c.packed(), c.size(), *c.format);
  const Argument scales = dense_at("scales_and_zeros", Element::bf16, {c.groups().k, c.n, 2}, c.scales());
  const OperatorResult weights = called({Operation::dequantize,
                                         {packed, scales, number_argument("group_size", c.group_size),
                                          number_argument("inner_k_tiles", tinygemm_number(*c.format))}},
                                        {c.packed(), c.scales()});
  require_sizes(weights, {c.n, c.k});
  std::memcpy(c.weights(), weights.bytes.data(), weights.bytes.size());
}

/// Pads n and the scales to whole n-tiles first, as a caller of the operator must.
void MutableOperators::matmul(const Call& c) {
  const std::int64_t padded = (c.n + 7) / 8 * 8, groups = c.groups().k;
  std::vector<std::uint32_t> words(static_cast<std::size_t>(reference::words_of(c.n, c.k)));
  Call packs = c;
  packs.operation = Operation::pack;
  packs.at(Role::packed) = words.data();
  pack(packs);
  std::vector<std::uint16_t> scales(static_cast<std::size_t>(groups * padded * 2));
  for (std::int64_t group = 0; group < groups; ++group) {
    std::copy_n(c.at<std::uint16_t>(Role::scales) + group * c.n * 2, c.n * 2, scales.begin() + group * padded * 2);
  }
  const OperatorCall call = {Operation::matmul,
                             {dense_at("activations", Element::bf16, {c.m, c.k}, c.activations()),
                              packed_at(words.data(), c.size(), *c.format), number_argument("group_size", c.group_size),
                              dense_at("scales_and_zeros", Element::bf16, {groups, padded, 2}, scales.data())}};
  const OperatorResult out = called(call, {c.activations(), words.data(), scales.data()});
  require_sizes(out, {c.m, padded});
  for (std::int64_t row = 0; row < c.m; ++row) {
    std::memcpy(c.products() + row * c.n, &out.bytes[static_cast<std::size_t>(row * padded * 2)],
                static_cast<std::size_t>(c.n * 2));
  }
}

SubjectRow row_of_operators(const std::string& name) {
  Capabilities capabilities = library_capabilities({std::begin(operator_operations), std::end(operator_operations)});
  capabilities.several_callers = false;  // the parts that tests replace hold no lock
  return {name, "a subject of the tests", false, capabilities, nullptr};
}

}  // namespace tileproof
