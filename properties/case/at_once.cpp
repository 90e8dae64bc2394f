// Case::at_once(): several host threads call an operation at once, with the tensors of all callers in one guarded
// arena.
#include "properties/case/case.h"
#include "properties/subjects/together.h"

namespace tileproof {

namespace {

/// One caller's tensors, and their indices among the tensors of all callers.
struct Caller {
  Contents inputs;
  std::vector<std::pair<Role, std::size_t>> places;
  std::vector<std::uint8_t> out[calls_of_caller];
  std::size_t first_out = 0;  // index of the first of its results, one for each call
};

}  // namespace

std::vector<Result> Case::at_once(Operation operation, const std::vector<CallData>& data) {
  const RoleRow result = roles_of(operation).back();
  const Call call = call_of(operation, problem);
  const TensorForm result_form = form_of(call, result).value();
  std::vector<Caller> all(data.size());
  std::vector<Tensor> tensors;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Caller& one = all[i];
    one.inputs = contents_of(operation, problem, data[i]);
    for (const RoleRow& row : roles_of(operation)) {
      const auto form = form_of(call, row);
      if (row.is_output || !form) continue;
      one.places.emplace_back(row.role, tensors.size());
      tensors.push_back(input(form->name, one.inputs[row.role], static_cast<std::size_t>(form->element_bytes)));
    }
    one.first_out = tensors.size();
    for (std::vector<std::uint8_t>& out : one.out) {
      out.resize(static_cast<std::size_t>(result_form.bytes()));
      tensors.push_back(output("the result", out, static_cast<std::size_t>(result_form.element_bytes)));
      tensors.back().may_equal_poison = is_packed(result.role);
    }
  }
  run(tensors, [&](const std::vector<void*>& at) {
    together(all.size(), [&](std::size_t thread) {
      const Caller& one = all[thread];
      Call own = call;
      for (const auto& [role, place] : one.places) own.at(role) = at[place];
      for (std::size_t i = 0; i < calls_of_caller; ++i) {
        own.at(result.role) = at[one.first_out + i];
        subject_.run(own);
      }
    });
  });
  std::vector<Result> results;
  for (const Caller& one : all) {
    for (const std::vector<std::uint8_t>& out : one.out) results.push_back(result_in(call, out));
  }
  return results;
}

}  // namespace tileproof
