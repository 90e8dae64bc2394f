// Operations of a case over generated tensors.
#include <algorithm>
#include <list>

#include "properties/case/case.h"

namespace tileproof {

ComparedResult Case::run(Operation operation, const generated::Codes& codes, const generated::Parameters& parameters,
                         const std::vector<std::int64_t>& wanted) {
  Call call = call_of(operation, problem);
  std::list<GeneratedTensor> formulas;  // a list, because tensors point to its elements
  std::vector<Tensor> tensors;
  std::vector<Role> roles;
  for (const RoleRow& row : roles_of(operation)) {
    const auto form = form_of(call, row);
    if (!form) continue;
    const auto element_bytes = static_cast<std::size_t>(form->element_bytes);
    formulas.push_back(formula_of(row.role, problem.format->result, problem.types.weight,
                                  generated::in_format(format_in(problem, row.role), codes), parameters));
    if (elements_of(formulas.back()) * static_cast<std::int64_t>(element_bytes) != form->bytes()) {
      throw std::logic_error(std::string("the formula of ") + form->name + " has another size than its tensor");
    }
    tensors.push_back({.name = form->name,
                       .bytes = static_cast<std::size_t>(form->bytes()),
                       .element_bytes = element_bytes,
                       .alignment = alignment_of(call, row, element_bytes),
                       .formula = &formulas.back(),
                       .is_output = row.is_output});
    roles.push_back(row.role);
  }
  const Role result = roles.back();
  const reference::FloatFormat format = float_format_of(problem.types.weight);
  const reference::FloatFormat* any_nan = result == Role::weights && !capabilities.one_nan ? &format : nullptr;
  // Weights lie in the format's order, but callers ask for elements and name them by row and column.
  std::vector<std::int64_t> places = wanted;
  if (result == Role::weights) {
    for (std::int64_t& place : places) {
      place = problem.format->result_at({place / problem.k, place % problem.k}, problem.size());
    }
  }
  const bool is_of_columns = result == Role::weights && problem.format->result == reference::ResultOrder::k_n;
  const auto by_rows = [&](Differences::One one) {
    if (is_of_columns) one.index = one.index % problem.n * problem.k + one.index / problem.n;
    return one;
  };
  ComparedResult judged;
  const auto run_under = [&](const Fill& fill) {
    WrongElements wrong(problem);
    const auto add = [&](const Differences::One& one) {
      wrong.add(wrong_weight(problem, by_rows(one), codes, parameters));
    };
    const auto use = [&](const std::vector<void*>& at) {
      for (std::size_t i = 0; i < roles.size(); ++i) call.at(roles[i]) = at[i];
      subject_.run(call);
    };
    const EachDifference each = result == Role::weights ? EachDifference(add) : nullptr;
    judged = {guarded_generated(subject_.memory(), tensors, fill, any_nan, places, use, each), wrong.kept()};
  };
  const bool may_equal_poison = is_packed(result) || any_nan != nullptr;
  guarded_call(tensors, [&] { under_poisons(tensors, may_equal_poison, run_under); });
  // Find out from at most 256 elements whether more than one value was expected.
  constexpr std::int64_t most_looked_at = 256;
  const GeneratedTensor& expected = formulas.back();
  const std::int64_t elements = elements_of(expected);
  std::int64_t looked_at = 0;
  for (; looked_at < std::min(elements, most_looked_at) && !coverage_.several_values; ++looked_at) {
    const std::int64_t step = elements <= most_looked_at ? 1 : elements / most_looked_at;
    coverage_.expected_value(element_of(expected, step * looked_at));
  }
  const std::int64_t codes_of_element = is_packed(result) ? problem.layout_of_result().slots_of_unit() : 1;
  coverage_.compared_more(elements * codes_of_element - looked_at);
  // Hash the differing elements only: equal ones are as the case expects.
  coverage_.output_value(static_cast<std::uint32_t>(elements));
  for (const Differences::One& one : judged.differences.listed) coverage_.output_value(one.got);
  count_explained(other_nan, judged.differences.other_nans);
  for (Differences::One& one : judged.differences.listed) one = by_rows(one);
  return judged;
}

}  // namespace tileproof
