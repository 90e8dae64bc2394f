// Illegal calls of an operator that a mapping names. Its schema is its user's, so that only what a format says is
// known: a tensor of another type, rank or extent, and a size that no tensors go with.
#include <algorithm>

#include "properties/catalogue/illegal_calls.h"
#include "properties/problem/named.h"

namespace tileproof {

namespace {

using CallChange = std::function<void(OperatorCall&)>;

/// A call of a problem with all codes 0 and scales 1.
OperatorCall call_of_zeros(const Problem& p, Operation operation, const Capabilities& capabilities) {
  return legal_call(p, operation, {Matrix<std::uint8_t>(p.n, p.k), unit_scales(p)}, capabilities);
}

const Argument* argument_named(const OperatorCall& call, const std::string& name) {
  const auto found = std::ranges::find(call.arguments, name, &Argument::name);
  return found == call.arguments.end() ? nullptr : &*found;
}

/// Lists the values that a size is tried with: the call's own argument, or all multiples up to `most`.
/// @param multiple  what a legal one is a multiple of
std::vector<std::int64_t> sizes_tried(const OperatorCall& call, const std::string& name, std::int64_t multiple,
                                      std::int64_t most) {
  const Argument* const argument = argument_named(call, name);
  if (argument != nullptr) return {*argument->number};
  std::vector<std::int64_t> all;
  for (std::int64_t one = 0; one <= most; one += multiple) all.push_back(one);
  return all;
}

/// Whether a matrix of some size and some group size has tensors of the call's extents. Only calls for which none has
/// are illegal: an operator that is not told a size takes it from the extents.
bool is_of_some_matrix(const OperatorCall& call, const Problem& p) {
  const Size least = least_full_size(*p.format);
  const Scheme& scheme = *p.scheme;
  const Argument* const packed = argument_named(call, "packed");
  const Argument* const codes = argument_named(call, "codes");
  const Argument* const pairs = argument_named(call, "pairs");
  std::vector<const Argument*> parameters;
  for (int i = 0; i < scheme.tensor_count; ++i) parameters.push_back(argument_named(call, scheme.tensors[i].role));
  const auto has_extents = [](const Argument* tensor, const reference::Dims& dims) {
    return tensor == nullptr || std::ranges::equal(tensor->sizes, dims);
  };
  const auto has_parameters = [&](Size size, std::int64_t group_size) {
    if (group_size <= 0 || (p.format->groups_divide_rows && size.k % group_size != 0)) return false;
    const Size groups = p.format->groups(size, group_size);
    for (int i = 0; i < scheme.tensor_count; ++i) {
      if (!has_extents(parameters[static_cast<std::size_t>(i)], scheme.tensors[i].dims(groups))) return false;
    }
    return true;
  };
  for (const std::int64_t n : sizes_tried(call, "n", p.layout().legal.n, p.n + 2 * least.n)) {
    for (const std::int64_t k : sizes_tried(call, "k", p.layout().legal.k, p.k + 2 * least.k)) {
      const Size size = {n, k};
      if (n < 0 || k < 0 || !p.layout().is_legal(size) || !has_extents(packed, p.layout().dims(size)) ||
          !has_extents(codes, {n, k}) || !has_extents(pairs, {n, (k + 1) / 2})) {
        continue;
      }
      const std::int64_t longest = p.format->groups_divide_rows ? k : n * k;
      for (const std::int64_t group_size : sizes_tried(call, "group_size", 1, std::max<std::int64_t>(1, longest))) {
        if (has_parameters(size, group_size)) return true;
      }
    }
  }
  return false;
}

class IllegalCalls {
 public:
  IllegalCalls(Operation operation, const Capabilities& capabilities)
      : operation_(operation), capabilities_(capabilities), smallest_(smallest_problem(capabilities)) {
    const OperatorCall legal = call_of_zeros(smallest_, operation, capabilities);
    bool is_first = true;
    for (const Argument& argument : legal.arguments) {
      if (argument.is_tensor()) add_of_tensor(argument, is_first);
      is_first = is_first && !argument.is_tensor();
      if (argument.number) add_of_size(argument.name);
    }
  }
  std::vector<IllegalCall> all() && { return std::move(rows_); }

 private:
  void add(const std::string& argument, const std::string& name, std::vector<std::string> at_fault,
           const std::string& legal, const CallChange& change) {
    rows_.push_back({.name = argument + ":" + name,
                     .at_fault = std::move(at_fault),
                     .legal = legal,
                     .change = [=](OperatorCall& call, const Problem&) { change(call); }});
  }

  /// Adds a call that an error may blame on any argument, for a matrix whose extents make it illegal, if there is one.
  void add_if_illegal(const std::string& argument, const std::string& name, const std::string& legal,
                      const CallChange& change) {
    const auto near = [operation = operation_, capabilities = capabilities_, change](const Problem& p) {
      for (std::int64_t more = 0; more < 18; ++more) {
        Problem one = p;
        one.k += more % 6 * k_unit(*p.format, p.group_size, capabilities.k_multiple);
        one.n += more / 6 * n_unit(*p.format, capabilities.n_multiple);
        OperatorCall call = call_of_zeros(one, operation, capabilities);
        change(call);
        if (capabilities.takes(one) && !is_of_some_matrix(call, one)) return std::optional(one);
      }
      return std::optional<Problem>();
    };
    const std::optional<Problem> of_smallest = near(smallest_);
    if (!of_smallest) return;
    add(argument, name, capabilities_.mapped_arguments.at(operation_), legal, change);
    rows_.back().base = [near, of_smallest](const Problem& p) {
      Problem found = near(p).value_or(*of_smallest);
      found.seed = p.seed;
      return found;
    };
  }

  void add_of_tensor(const Argument& tensor, bool is_first) {
    const std::string name = tensor.name;
    const std::string legal = legal_text(tensor);
    const bool is_number =
        tensor.element == Element::bf16 || tensor.element == Element::fp16 || tensor.element == Element::fp32;
    const Element same_bytes = bytes_of(tensor.element) == 4 ? Element::int32 : Element::int16;
    const std::vector<Element> others = is_number ? std::vector{same_bytes, Element::uint8}
                                        : bytes_of(tensor.element) == 1
                                            ? std::vector{Element::int32, Element::fp32}
                                            : std::vector{Element::int64, Element::int16, Element::fp32};
    for (const Element other : others) {
      add(name, name_of(other), {name}, legal, [=](OperatorCall& call) {
        Argument& argument = call.argument(name);
        become(argument, other, argument.sizes);
      });
    }
    if (tensor.sizes.size() > 1) {
      add(name, "flat", {name}, legal, [=](OperatorCall& call) {
        Argument& argument = call.argument(name);
        argument.sizes = {count_of(argument.sizes)};
        argument.strides = {1};
      });
    }
    for (std::size_t dimension = 0; dimension < tensor.sizes.size(); ++dimension) {
      for (const std::int64_t by : {-1, 1}) {
        add_if_illegal(name,
                       std::string(by < 0 ? "one-less" : "one-more") + "-in-dimension-" + std::to_string(dimension),
                       legal, [=](OperatorCall& call) {
                         Argument& argument = call.argument(name);
                         Sizes sizes = argument.sizes;
                         sizes[dimension] += by;
                         become(argument, argument.element, sizes);
                       });
      }
    }
    if (is_first) return;  // the others are elsewhere
    add(name, "on-the-host", capabilities_.mapped_arguments.at(operation_), "on the device of the other tensors",
        [=](OperatorCall& call) { call.argument(name).where = Where::host; });
  }

  void add_of_size(const std::string& name) {
    const std::string legal =
        name == "group_size" ? "a positive group size that divides k, as of the parameters" : name + " of the tensors";
    const auto change_by = [&](const char* how, auto changed) {
      add_if_illegal(name, how, legal, [=](OperatorCall& call) {
        Argument& argument = call.argument(name);
        argument.number = changed(*argument.number);
      });
    };
    if (name == "group_size") change_by("0", [](std::int64_t) { return std::int64_t{0}; });
    change_by("negative", [](std::int64_t size) { return -size; });
    change_by("2^32-more", [](std::int64_t size) { return size + (std::int64_t{1} << 32); });
    change_by("one-less", [](std::int64_t size) { return size - 1; });
    change_by("twice", [](std::int64_t size) { return 2 * size; });
  }

  /// "int32 [k][n/8]"
  std::string legal_text(const Argument& tensor) const {
    std::string dims = tensor.name == "codes" ? "[n][k]" : tensor.name == "pairs" ? "[n][ceil(k/2)]" : "";
    if (tensor.name == "packed") dims = smallest_.layout().dims_text;
    for (int i = 0; i < smallest_.scheme->tensor_count; ++i) {
      if (tensor.name == smallest_.scheme->tensors[i].role) {
        dims = dims_text_of(smallest_.scheme->tensors[i], *smallest_.format);
      }
    }
    return std::string(name_of(tensor.element)) + " " + dims;
  }

  Operation operation_;
  const Capabilities& capabilities_;
  Problem smallest_;
  std::vector<IllegalCall> rows_;
};

}  // namespace

std::vector<IllegalCall> illegal_mapped_calls(Operation operation, const Capabilities& capabilities) {
  return IllegalCalls(operation, capabilities).all();
}

}  // namespace tileproof
