#include "fuzz/python/specification.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "properties/problem/named.h"
#include "properties/problem/parameters.h"
#include "properties/subjects/rows.h"
#include "reference/formats.h"

namespace tileproof {

namespace {

using nlohmann::json;

/// Keeps a text for the caller.
const char* kept(std::string text) {
  thread_local std::string last;
  last = std::move(text);
  return last.c_str();
}

json types_in_json(const Scheme& scheme) {
  json all = json::array();
  for (const Types& types : types_of(scheme, every_types())) {
    all.push_back({name_of(types.weight), name_of(types.parameter)});
  }
  return all;
}

json scheme_in_json(const Format& format, const Scheme& scheme) {
  json tensors = json::array();
  for (int i = 0; i < scheme.tensor_count; ++i) {
    const reference::ParameterTensor& tensor = scheme.tensors[i];
    tensors.push_back({{"name", tensor.role},
                       {"dtype", tensor.dtype == nullptr ? "" : tensor.dtype},
                       {"dims", dims_text_of(tensor, format)}});
  }
  return {{"name", scheme.name}, {"tensors", tensors}, {"types", types_in_json(scheme)}};
}

json format_in_json(const Format& format) {
  json schemes = json::array();
  for (const Scheme* scheme : schemes_of(format)) schemes.push_back(scheme_in_json(format, *scheme));
  // The package packs and unpacks by convert, from and to plain.
  const Capabilities of_kernels = production_capabilities();
  json kernels = json::array();
  if (of_kernels.takes(Operation::convert, format)) kernels = {"pack", "unpack", "convert"};
  if (of_kernels.takes(Operation::dequantize, format)) kernels.push_back("dequantize");
  return {{"name", format.name},
          {"dtype", format.layout.dtype},
          {"dims", format.layout.dims_text},
          {"n_multiple", format.layout.legal.n},
          {"k_multiple", format.layout.legal.k},
          {"group_size", text_of(format.group_sizes)},
          {"weights", format.result == reference::ResultOrder::n_k ? "[n][k]" : "[k][n]"},
          {"packs_codes_alone", packs_codes_alone(format)},
          {"kernels", kernels},
          {"schemes", schemes}};
}

/// @throws UsageError for sizes that the format does not take
void require_size(const Format& format, Size size) {
  for (const auto& [name, given, multiple] :
       {std::tuple("n", size.n, format.layout.legal.n), std::tuple("k", size.k, format.layout.legal.k)}) {
    if (given < 0 || given % multiple != 0) {
      throw UsageError(name, std::to_string(given),
                       multiple == 1 ? "0 or more" : "a multiple of " + std::to_string(multiple));
    }
  }
  constexpr std::int64_t most_elements = std::int64_t{1} << 40;
  if (size.k > 0 && size.n > most_elements / size.k) {
    throw UsageError("n * k", std::to_string(size.n) + " * " + std::to_string(size.k), "at most 2^40");
  }
  if (!format.layout.is_legal(size)) {
    throw UsageError("n, k", std::to_string(size.n) + ", " + std::to_string(size.k), format.layout.dims_text);
  }
}

/// @throws UsageError if something is not legal
Call call_of(const SpecifiedCall& asked) {
  Call call;
  call.operation = operation_of("operation", asked.operation);
  const auto has_operation = std::ranges::find(pointer_operations, call.operation) != std::end(pointer_operations);
  if (!has_operation)
    throw UsageError("operation", std::string("'") + asked.operation + "'", "pack, unpack, dequantize or convert");
  call.format = format_of("format", asked.format);
  call.n = asked.n;
  call.k = asked.k;
  require_size(*call.format, call.size());
  if (call.operation == Operation::pack && !packs_codes_alone(*call.format)) {
    throw UsageError("format", std::string("'") + asked.format + "', whose packed codes hold parameters too",
                     listed(formats_of_codes_alone()));
  }
  if (call.operation == Operation::convert) {
    call.format_to = format_of("format_to", asked.format_to);
    require_convertible("format", *call.format, "format_to", *call.format_to);
    require_size(*call.format_to, call.size());
  }
  call.scheme = call.format->schemes[0];
  if (call.operation != Operation::dequantize) return call;
  if (*asked.scheme != '\0') call.scheme = scheme_of(*call.format, "scheme", asked.scheme);
  call.group_size = asked.group_size;
  const bool is_row = takes_uneven_rows(*call.format) && call.group_size == call.k && call.k > 0;
  if (!is_row && !call.format->group_sizes.contains(call.group_size)) {
    throw UsageError("group_size", std::to_string(call.group_size), text_of(call.format->group_sizes));
  }
  if (call.format->groups_divide_rows && call.k % call.group_size != 0) {
    throw UsageError("group_size", std::to_string(call.group_size), "a divisor of k = " + std::to_string(call.k));
  }
  std::vector<Types> legal = types_of(*call.scheme, every_types());
  const std::string weight = asked.weight_type, parameter = asked.parameter_type;
  std::erase_if(legal, [&](const Types& types) {
    return (!weight.empty() && name_of(types.weight) != weight) ||
           (!parameter.empty() && name_of(types.parameter) != parameter);
  });
  if (legal.empty()) {
    throw UsageError(
        "dtype", "weights '" + weight + "' of parameters '" + parameter + "'",
        joined(types_of(*call.scheme, every_types()), ", ", [](const Types& types) { return name_of(types); }));
  }
  call.types = legal.front();
  return call;
}

json form_in_json(const ArrayForm& form) {
  return {{"name", form.name},
          {"dtype", form.dtype},
          {"dims", std::vector<std::int64_t>(form.dims.begin(), form.dims.end())}};
}

}  // namespace

const char* specified_formats() {
  json all = json::array();
  for (const Format& format : reference::formats) all.push_back(format_in_json(format));
  return kept(all.dump());
}

const char* specified_tensors(const SpecifiedCall* asked) {
  try {
    const Call call = call_of(*asked);
    json forms = {{"inputs", json::array()}};
    for (const RoleRow& row : roles_of(call.operation)) {
      if (!form_of(call, row)) continue;
      const json form = form_in_json(array_form_of(call, row.role));
      if (row.is_output) {
        forms["result"] = form;
      } else {
        forms["inputs"].push_back(form);
      }
    }
    return kept(forms.dump());
  } catch (const std::exception& error) {
    return kept(json{{"error", error.what()}}.dump());
  }
}

const char* specified_result(const SpecifiedCall* asked, const void* const* inputs, void* result) {
  try {
    Call call = call_of(*asked);
    for (const RoleRow& row : roles_of(call.operation)) {
      if (!form_of(call, row)) continue;
      call.at(row.role) = row.is_output ? result : const_cast<void*>(*inputs++);
    }
    make_reference_subject().subject->run(call);
    return nullptr;
  } catch (const std::exception& error) {
    return kept(error.what());
  }
}

}  // namespace tileproof
