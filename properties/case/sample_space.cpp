#include "properties/case/sample_space.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "properties/problem/draw.h"
#include "properties/problem/named.h"

namespace tileproof {

namespace {

template <class T>
std::vector<T> common(const std::vector<T>& wanted, const std::vector<T>& accepted) {
  std::vector<T> both;
  for (const T& value : wanted) {
    if (std::find(accepted.begin(), accepted.end(), value) != accepted.end()) both.push_back(value);
  }
  return both;
}

/// @return whether the subject takes some problem, by its sizes
bool takes_some_size(const Capabilities& capabilities) {
  return std::ranges::any_of(capabilities.formats, [&](const Format* format) {
    return std::ranges::any_of(capabilities.formats_to_of(*format), [&](const Format* format_to) {
      const auto unit = [&](std::int64_t group_size) {
        return k_unit(*format, group_size, capabilities.k_multiple, format_to);
      };
      const bool takes_one_group = capabilities.takes_uneven_rows_of(*format) && unit(1) <= capabilities.most_k;
      const auto takes = [&](std::int64_t group_size) { return unit(group_size) <= capabilities.most_k; };
      return n_unit(*format, capabilities.n_multiple, format_to) <= capabilities.most_n &&
             (takes_one_group || std::ranges::any_of(capabilities.group_sizes_of(*format), takes));
    });
  });
}

/// For problems about codes alone: the first that each of the items has, without repetition.
template <class T, class Item, class OfItem>
std::vector<T> firsts(const std::vector<Item>& items, OfItem of_item) {
  std::vector<T> all;
  for (const Item& item : items) {
    const std::vector<T> own = of_item(item);
    if (!own.empty() && std::find(all.begin(), all.end(), own.front()) == all.end()) all.push_back(own.front());
  }
  return all;
}

bool needs(const Property& property, Operation operation) {
  return std::find(property.needs.begin(), property.needs.end(), operation) != property.needs.end();
}

/// Leaves the formats that convert can be asked of, and the least group size of each: parameters take no part.
void keep_convertible(Capabilities& capabilities) {
  std::erase_if(capabilities.formats_to, [](const Format* one) { return !packs_codes_alone(*one); });
  std::erase_if(capabilities.formats, [&](const Format* one) {
    const bool has_other = std::ranges::any_of(capabilities.formats_to, [=](const Format* to) { return to != one; });
    return !has_other || !packs_codes_alone(*one);
  });
  std::set<std::int64_t> least_sizes;
  for (const Format* one : capabilities.formats) least_sizes.insert(one->group_sizes.contains(16) ? 16 : 32);
  capabilities.group_sizes.assign(least_sizes.begin(), least_sizes.end());
}

}  // namespace

SampleSpace sample_space_of(const Property& property, const Capabilities& all, std::string* why_not) {
  const Capabilities capabilities = all.of(property.needs);
  SampleSpace result = {capabilities, property.sampling, capabilities.most_k};
  std::vector<const Format*>& formats = result.capabilities.formats;
  if (needs(property, Operation::pack)) {
    std::erase_if(formats, [](const Format* one) { return !packs_codes_alone(*one); });
  }
  if (needs(property, Operation::convert)) {
    keep_convertible(result.capabilities);
  } else {
    result.capabilities.formats_to.clear();
  }
  for (const Operation operation : property.needs) {
    if (!capabilities.has(operation)) *why_not = std::string("the subject has no ") + name_of(operation);
  }
  const auto require = [&](bool is_met, const std::string& or_else) {
    if (why_not->empty() && !is_met) *why_not = or_else;
  };
  require(!property.of_tensors || capabilities.takes_tensors, "the subject takes raw pointers, no tensors");
  require(!property.from_several_threads || capabilities.several_callers,
          "the subject is called from one thread at a time");
  require(property.sampling.most_experts <= 1 || capabilities.takes_experts,
          "the subject takes no batch of experts by raw pointers");
  require(!property.of_specification || capabilities.is_specification, "about the specification alone");
  result.sampling.schemes = common(property.sampling.schemes, capabilities.schemes);
  std::erase_if(result.sampling.schemes, [&](const Scheme* scheme) {
    return std::none_of(formats.begin(), formats.end(), [=](const Format* format) { return format->has(*scheme); });
  });
  result.sampling.types = common(property.sampling.types, capabilities.types);
  if (property.sampling.of_codes) {
    result.capabilities.uneven_rows = true;  // groups do not matter
    result.sampling.schemes = firsts<const Scheme*>(
        formats, [&](const Format* format) { return common(schemes_of(*format), capabilities.schemes); });
    result.sampling.types = firsts<Types>(
        result.sampling.schemes, [&](const Scheme* scheme) { return types_of(*scheme, result.sampling.types); });
  }
  result.sampling.n_multiple = std::lcm(property.sampling.n_multiple, capabilities.n_multiple);
  result.sampling.most_k = std::min(property.sampling.most_k, capabilities.most_k);
  const bool has_types_in_common = !result.sampling.types.empty();
  std::erase_if(result.sampling.schemes,
                [&](const Scheme* scheme) { return types_of(*scheme, result.sampling.types).empty(); });
  std::erase_if(result.sampling.types, [&](Types types) {
    return std::none_of(result.sampling.schemes.begin(), result.sampling.schemes.end(),
                        [=](const Scheme* scheme) { return has_types(*scheme, types); });
  });
  formats = common(formats, property.sampling.formats);
  std::erase_if(formats, [&](const Format* one) { return schemes_of(*one, result.sampling.schemes).empty(); });
  result.capabilities.schemes = result.sampling.schemes;
  result.capabilities.types = result.sampling.types;
  result.capabilities.n_multiple = result.sampling.n_multiple;
  result.capabilities.most_k = result.sampling.most_k;
  require(has_types_in_common, "the subject takes none of the property's types");
  require(!result.capabilities.formats.empty(), "the subject takes only the scheme " + listed(capabilities.schemes));
  if (!why_not->empty()) return result;
  if (property.sampling.fixed_for) result.sampling.fixed = property.sampling.fixed_for(result.capabilities);
  if (property.sampling.variants_for) result.sampling.variants = property.sampling.variants_for(result.capabilities);
  if (!property.sampling.is_fixed() && !takes_some_size(result.capabilities)) {
    *why_not = "the subject takes no k of at most " + std::to_string(result.sampling.most_k) + " columns";
  }
  if (result.sampling.n_multiple > result.capabilities.most_n) {
    *why_not = "the subject takes no n: at most " + std::to_string(capabilities.most_n) + " rows, in multiples of " +
               std::to_string(result.sampling.n_multiple);
  }
  return result;
}

void require_within(const Problem& p, const SampleSpace& space) {
  const auto require = [](const char* argument, const auto& value, const auto& legal, const auto& text) {
    if (std::find(legal.begin(), legal.end(), value) != legal.end()) return;
    throw UsageError(argument, text(value), joined(legal, ", ", text) + " for this property and subject");
  };
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  require("--format", p.format, space.capabilities.formats, [](const Format* format) { return format->name; });
  require("--format-to", p.format_to, space.capabilities.formats_to_of(*p.format),
          [](const Format* format) { return format == nullptr ? "none" : format->name; });
  require("--scheme", p.scheme, schemes_of(*p.format, space.sampling.schemes),
          [](const Scheme* scheme) { return scheme->name; });
  require("--weight-type and --parameter-type", p.types, types_of(*p.scheme, space.sampling.types),
          [](Types types) { return name_of(types); });
  require("--profile", p.profile, space.sampling.profiles, [](const std::string& name) { return name; });
  require("--variant", p.variant, space.sampling.variants,
          [](const std::string& name) { return name.empty() ? std::string("none") : name; });
  const bool is_uneven_row = space.capabilities.takes_uneven_rows_of(*p.format) && p.group_size == p.k;
  if (!space.capabilities.any_group_size && !is_uneven_row) {
    require("--group-size", p.group_size, space.capabilities.group_sizes, number);
  }
  // Recorded bytes exist only for some shapes; problems from fixed_for are examples and do not limit shapes.
  const std::vector<Problem>& fixed = space.sampling.fixed_for ? std::vector<Problem>() : space.sampling.fixed;
  const auto same_shape = [&p](const Problem& one) {
    return one.n == p.n && one.k == p.k && one.format == p.format && one.group_size == p.group_size &&
           one.experts == p.experts;
  };
  if (!fixed.empty() && std::none_of(fixed.begin(), fixed.end(), same_shape)) {
    const auto shape = [&](const Problem& one) {
      return number(one.n) + " x " + number(one.k) + " as " + one.format->name + " with groups of " +
             number(one.group_size);
    };
    throw UsageError("problem", shape(p), "a shape that this property has recorded, such as " + shape(fixed[0]));
  }
  const auto require_at_most = [&](const char* argument, std::int64_t given, std::int64_t most, const char* of) {
    if (given > most) throw UsageError(argument, number(given), "at most " + number(most) + " for this " + of);
  };
  if (fixed.empty()) require_at_most("--experts", p.experts, space.sampling.most_experts, "property");
  const std::int64_t unit = n_unit(*p.format, space.sampling.n_multiple, p.format_to);
  if (p.n % unit != 0) {
    throw UsageError("--n", number(p.n), "a multiple of " + number(unit) + " for this property and subject");
  }
  if (p.k % space.capabilities.k_multiple != 0) {
    throw UsageError("--k", number(p.k),
                     "a multiple of " + number(space.capabilities.k_multiple) + " for this subject");
  }
  require_at_most("--k", p.k, space.most_k_taken, "subject");
  require_at_most("--n", p.n, space.capabilities.most_n, "subject");
}

namespace {

/// Calls `use` with every value before `value` in a list that begins with the plainest.
template <class T, class Use>
void for_each_plainer(const std::vector<T>& values, const T& value, Use use) {
  for (const T& plainer : values) {
    if (plainer == value) return;
    use(plainer);
  }
}

/// A span of the data of a larger problem, within that of a smaller one.
Span cut(Span span, std::int64_t elements) {
  if (span.end == Span::all) return span;
  return {std::min(span.first, elements), std::min(span.end, elements)};
}

}  // namespace

std::vector<Problem> smaller_problems(const Problem& p, const SampleSpace& space) {
  const Capabilities& capabilities = space.capabilities;
  const Sampling& sampling = space.sampling;
  std::vector<Problem> steps;
  const auto unit_of = [&](const Format& format, std::int64_t group_size) {
    return k_unit(format, group_size, capabilities.k_multiple, p.format_to);
  };
  const auto step = [&](auto change) {
    Problem next = p;
    change(next);
    const bool possible =
        next.n > 0 && next.k > 0 && next.format != next.format_to &&
        next.k % k_unit(*next.format, next.group_size, capabilities.k_multiple, next.format_to) == 0 &&
        next.n % n_unit(*next.format, sampling.n_multiple, next.format_to) == 0 &&
        next.format->group_sizes.contains(next.group_size) && has_types(*next.scheme, next.types);
    if (!possible || next.n * next.k > p.n * p.k || next == p) return;
    next.codes = cut(next.codes, next.experts * next.n * next.k);
    next.parameters = cut(next.parameters, next.experts * next.group_count());
    steps.push_back(next);
  };
  const std::int64_t unit = unit_of(*p.format, p.group_size);
  const std::int64_t n_multiple = n_unit(*p.format, sampling.n_multiple, p.format_to);
  const std::int64_t n_tail = p.n % 8;  // a failure may need this tail
  for (const std::int64_t n :
       {n_multiple, n_tail, p.n / 2 / n_multiple * n_multiple, p.n / 16 * 8 + n_tail, p.n - n_multiple}) {
    if (n < p.n) step([&](Problem& next) { next.n = n; });
  }
  for (const std::int64_t k : {unit, p.k / 2 / unit * unit, p.k - unit}) {
    if (k < p.k) step([&](Problem& next) { next.k = k; });
  }
  if (capabilities.takes_uneven_rows_of(*p.format)) {
    const std::int64_t least = unit_of(*p.format, 1);
    for (const std::int64_t k : {least, p.k / 2 / least * least, p.k - least}) {
      if (k < p.k) step([&](Problem& next) { next.k = next.group_size = k; });
    }
  }
  for (const std::int64_t experts : {std::int64_t{1}, p.experts - 1}) {
    if (experts > 0 && experts < p.experts) step([&](Problem& next) { next.experts = experts; });
  }
  for_each_plainer(capabilities.formats, p.format, [&](const Format* format) {
    step([&](Problem& next) {
      next.format = format;
      const std::vector<const Scheme*> own = schemes_of(*format, sampling.schemes);
      if (!format->has(*next.scheme) && !own.empty()) next.scheme = own.front();
      const std::vector<Types> types = types_of(*next.scheme, sampling.types);
      if (!has_types(*next.scheme, next.types) && !types.empty()) next.types = types.front();
    });
  });
  if (p.format_to != nullptr) {
    for_each_plainer(capabilities.formats_to, p.format_to,
                     [&](const Format* format_to) { step([&](Problem& next) { next.format_to = format_to; }); });
  }
  for_each_plainer(capabilities.group_sizes, p.group_size, [&](std::int64_t group_size) {
    step([&](Problem& next) { next.group_size = group_size; });
    // If the plainer size does not divide k, the largest smaller k that it divides.
    step([&](Problem& next) {
      next.group_size = group_size;
      const std::int64_t of_size = unit_of(*p.format, group_size);
      next.k = p.k / of_size * of_size;
    });
  });
  for_each_plainer(schemes_of(*p.format, sampling.schemes), p.scheme,
                   [&](const Scheme* scheme) { step([&](Problem& next) { next.scheme = scheme; }); });
  for_each_plainer(types_of(*p.scheme, sampling.types), p.types,
                   [&](Types types) { step([&](Problem& next) { next.types = types; }); });
  for_each_plainer(sampling.profiles, p.profile,
                   [&](const std::string& name) { step([&](Problem& next) { next.profile = name; }); });
  return steps;
}

std::int64_t experts_of(std::uint64_t seed, std::int64_t most_experts) {
  return 1 + below(most_experts, drawn(seed, stream::experts, 0));
}

}  // namespace tileproof
