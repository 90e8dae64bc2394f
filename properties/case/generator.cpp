#include "properties/case/generator.h"

#include <algorithm>
#include <numeric>

#include "properties/problem/draw.h"

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

/// Whole numbers from `from` to `to`, both included, at any size.
rc::Gen<std::int64_t> within(std::int64_t from, std::int64_t to) {
  return rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::int64_t>(from, to + 1));
}

/// Mostly few, sometimes many.
rc::Gen<std::int64_t> few_or_many(std::int64_t from, std::int64_t few, std::int64_t many) {
  few = std::min(few, many);
  return rc::gen::weightedOneOf<std::int64_t>({{3, within(from, few)}, {1, within(from, many)}});
}

template <class T>
rc::Gen<T> one_of(std::vector<T> values) {
  const auto last = static_cast<std::int64_t>(values.size()) - 1;
  return rc::gen::map(within(0, last),
                      [values = std::move(values)](std::int64_t i) { return values[static_cast<std::size_t>(i)]; });
}

std::string listed(const std::vector<Domain>& domains) {
  std::string names;
  for (const Domain domain : domains) names += (names.empty() ? "" : ", ") + std::string(name_of(domain));
  return names;
}

}  // namespace

namespace {

/// How k is cut: inner_k_tiles and a group size that some k within the capabilities is a multiple of.
using Tiling = std::pair<std::int64_t, std::int64_t>;

std::vector<Tiling> tilings(const Capabilities& capabilities) {
  std::vector<Tiling> all;
  for (const std::int64_t inner_k_tiles : capabilities.inner_k_tiles) {
    for (const std::int64_t group_size : capabilities.group_sizes) {
      if (std::lcm(16 * inner_k_tiles, group_size) <= capabilities.most_k) all.emplace_back(inner_k_tiles, group_size);
    }
  }
  return all;
}

}  // namespace

SampleSpace sample_space_of(const Property& property, const Capabilities& capabilities, std::string* why_not) {
  SampleSpace result = {capabilities, property.sampling, capabilities.most_k};
  for (const Operation operation : property.needs) {
    if (!capabilities.has(operation)) *why_not = std::string("the subject has no ") + name_of(operation);
  }
  if (why_not->empty() && property.of_tensors && !capabilities.takes_tensors) {
    *why_not = "the subject takes raw pointers, no tensors";
  }
  if (why_not->empty() && property.from_several_threads && !capabilities.several_callers) {
    *why_not = "the subject is called from one thread at a time";
  }
  if (why_not->empty() && property.sampling.most_experts > 1 && !capabilities.takes_experts) {
    *why_not = "the subject takes no batch of experts by raw pointers";
  }
  if (why_not->empty() && property.of_specification && !capabilities.is_specification) {
    *why_not = "about the specification alone";
  }
  result.sampling.domains = common(property.sampling.domains, capabilities.domains);
  result.sampling.types = common(property.sampling.types, capabilities.types);
  result.sampling.n_multiple = std::lcm(property.sampling.n_multiple, capabilities.n_multiple);
  result.sampling.most_k = std::min(property.sampling.most_k, capabilities.most_k);
  result.capabilities.domains = result.sampling.domains;
  result.capabilities.types = result.sampling.types;
  result.capabilities.n_multiple = result.sampling.n_multiple;
  result.capabilities.most_k = result.sampling.most_k;
  if (why_not->empty() && result.sampling.domains.empty()) {
    *why_not = "the subject takes only the domain " + listed(capabilities.domains);
  }
  if (why_not->empty() && result.sampling.types.empty()) *why_not = "the subject takes none of the property's types";
  if (!why_not->empty()) return result;
  if (property.sampling.fixed_for) result.sampling.fixed = property.sampling.fixed_for(result.capabilities);
  if (property.sampling.variants_for) result.sampling.variants = property.sampling.variants_for(result.capabilities);
  if (!property.sampling.is_fixed() && tilings(result.capabilities).empty()) {
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
    std::string all;
    for (const auto& one : legal) all += (all.empty() ? "" : ", ") + std::string(text(one));
    throw UsageError(argument, text(value), all + " for this property and subject");
  };
  const auto number = [](std::int64_t value) { return std::to_string(value); };
  require("--inner-k-tiles", p.inner_k_tiles, space.capabilities.inner_k_tiles, number);
  require("--domain", p.domain, space.sampling.domains, [](Domain domain) { return name_of(domain); });
  require("--out", p.out, space.sampling.types, [](Type type) { return name_of(type); });
  require("--scales", p.scales, space.sampling.profiles, [](const std::string& name) { return name; });
  require("--variant", p.variant, space.sampling.variants,
          [](const std::string& name) { return name.empty() ? std::string("none") : name; });
  if (!space.capabilities.any_group_size) require("--group-size", p.group_size, space.capabilities.group_sizes, number);
  // Recorded bytes are of some shapes alone; problems that were derived are examples.
  const std::vector<Problem>& fixed = space.sampling.fixed_for ? std::vector<Problem>() : space.sampling.fixed;
  const auto same_shape = [&p](const Problem& one) {
    return one.n == p.n && one.k == p.k && one.inner_k_tiles == p.inner_k_tiles && one.group_size == p.group_size &&
           one.experts == p.experts;
  };
  if (!fixed.empty() && std::none_of(fixed.begin(), fixed.end(), same_shape)) {
    throw UsageError("problem",
                     number(p.n) + " x " + number(p.k) + " with inner_k_tiles " + number(p.inner_k_tiles) +
                         " and groups of " + number(p.group_size),
                     "a shape that this property has recorded, such as " + number(fixed[0].n) + " x " +
                         number(fixed[0].k) + " with inner_k_tiles " + number(fixed[0].inner_k_tiles) +
                         " and groups of " + number(fixed[0].group_size));
  }
  if (fixed.empty() && p.experts > space.sampling.most_experts) {
    throw UsageError("--experts", number(p.experts),
                     "at most " + number(space.sampling.most_experts) + " for this property");
  }
  if (p.n % space.sampling.n_multiple != 0) {
    throw UsageError("--n", number(p.n),
                     "a multiple of " + number(space.sampling.n_multiple) + " for this property and subject");
  }
  if (p.k > space.most_k_taken) {
    throw UsageError("--k", number(p.k), "at most " + number(space.most_k_taken) + " for this subject");
  }
  if (p.n > space.capabilities.most_n) {
    throw UsageError("--n", number(p.n), "at most " + number(space.capabilities.most_n) + " for this subject");
  }
}

namespace {

/// Calls `use` with every value that stands before `value` in a list, the plainest first.
template <class T, class Use>
void for_each_plainer(const std::vector<T>& values, const T& value, Use use) {
  for (const T& plainer : values) {
    if (plainer == value) return;
    use(plainer);
  }
}

}  // namespace

std::vector<Problem> smaller_problems(const Problem& p, const SampleSpace& space) {
  const Capabilities& capabilities = space.capabilities;
  const Sampling& sampling = space.sampling;
  std::vector<Problem> steps;
  const auto step = [&](auto change) {
    Problem next = p;
    change(next);
    const std::int64_t unit = std::lcm(next.supertile_columns(), next.group_size);
    const bool possible = next.n > 0 && next.k > 0 && next.k % unit == 0 && next.n % sampling.n_multiple == 0;
    if (possible && next.n * next.k <= p.n * p.k && next != p) steps.push_back(next);
  };
  const std::int64_t unit = std::lcm(p.supertile_columns(), p.group_size);
  const std::int64_t n_tail = p.n % 8;  // which what fails may need
  for (const std::int64_t n : {sampling.n_multiple, n_tail, p.n / 2 / sampling.n_multiple * sampling.n_multiple,
                               p.n / 16 * 8 + n_tail, p.n - sampling.n_multiple}) {
    if (n < p.n) step([&](Problem& next) { next.n = n; });
  }
  for (const std::int64_t k : {unit, p.k / 2 / unit * unit, p.k - unit}) {
    if (k < p.k) step([&](Problem& next) { next.k = k; });
  }
  for (const std::int64_t experts : {std::int64_t{1}, p.experts - 1}) {
    if (experts > 0 && experts < p.experts) step([&](Problem& next) { next.experts = experts; });
  }
  for_each_plainer(capabilities.inner_k_tiles, p.inner_k_tiles, [&](std::int64_t inner_k_tiles) {
    step([&](Problem& next) { next.inner_k_tiles = inner_k_tiles; });
  });
  for_each_plainer(capabilities.group_sizes, p.group_size, [&](std::int64_t group_size) {
    step([&](Problem& next) { next.group_size = group_size; });
    // Where it does not divide k as it is: as many groups of the plainer size.
    step([&](Problem& next) {
      next.group_size = group_size;
      next.k = p.k / std::lcm(p.supertile_columns(), group_size) * std::lcm(p.supertile_columns(), group_size);
    });
  });
  for_each_plainer(sampling.domains, p.domain,
                   [&](Domain domain) { step([&](Problem& next) { next.domain = domain; }); });
  for_each_plainer(sampling.types, p.out, [&](Type type) { step([&](Problem& next) { next.out = type; }); });
  for_each_plainer(sampling.profiles, p.scales,
                   [&](const std::string& name) { step([&](Problem& next) { next.scales = name; }); });
  return steps;
}

std::int64_t experts_of(std::uint64_t seed, std::int64_t most_experts) {
  return 1 + below(most_experts, drawn(seed, stream::experts, 0));
}

rc::Gen<Problem> problems(const std::string& property, const std::string& subject, const SampleSpace& space) {
  const Sampling sampling = space.sampling;
  const Capabilities capabilities = space.capabilities;
  // A supertile and a group share a least common multiple: k is so many of it, and n what the elements leave.
  const auto with_k = rc::gen::mapcat(one_of(tilings(capabilities)), [sampling](const Tiling& both) {
    const std::int64_t unit = std::lcm(16 * both.first, both.second);
    const std::int64_t most_units = std::max<std::int64_t>(1, sampling.most_k / unit);
    const auto k = rc::gen::map(few_or_many(1, 4, most_units), [unit](std::int64_t units) { return units * unit; });
    return rc::gen::tuple(rc::gen::just(both.first), rc::gen::just(both.second), k);
  });
  const auto with_n = rc::gen::mapcat(
      with_k, [sampling, capabilities](const std::tuple<std::int64_t, std::int64_t, std::int64_t>& tiled) {
        const std::int64_t most_n = std::min(sampling.most_elements / std::get<2>(tiled), capabilities.most_n);
        const std::int64_t most_rows = std::max<std::int64_t>(1, most_n / sampling.n_multiple);
        const std::int64_t few_rows = sampling.n_multiple >= 8 ? 3 : 20;
        return rc::gen::pair(rc::gen::just(tiled), few_or_many(1, few_rows, most_rows));
      });
  const auto arithmetic = rc::gen::tuple(one_of(sampling.domains), one_of(sampling.types), one_of(sampling.profiles),
                                         rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>()));
  const auto drawn = rc::gen::map(rc::gen::pair(with_n, arithmetic), [=](const auto& both) {
    Problem problem;
    problem.property = property;
    problem.subject = subject;
    std::tie(problem.inner_k_tiles, problem.group_size, problem.k) = both.first.first;
    problem.n = both.first.second * sampling.n_multiple;
    std::tie(problem.domain, problem.out, problem.scales, problem.seed) = both.second;
    problem.experts = experts_of(problem.seed, sampling.most_experts);
    problem.variant = sampling.variants.front();
    return problem;
  });
  // RapidCheck would shrink each part alone, and a smaller part can make a larger problem: the steps are ours.
  return rc::gen::shrink(rc::gen::noShrink(drawn), [=](const Problem& problem) {
    return rc::seq::fromContainer(smaller_problems(problem, space));
  });
}

rc::Shrinkable<Problem> drawn_problem(const rc::Gen<Problem>& problems, std::uint64_t seed, std::uint64_t index) {
  return problems(rc::Random(drawn(seed, stream::problems, index)), rc::kNominalSize);
}

}  // namespace tileproof
