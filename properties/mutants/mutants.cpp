#include "properties/mutants/mutants.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "properties/problem/specification.h"

namespace tileproof {

const std::vector<Mutant>& mutants() {
  static const std::vector<Mutant> rows = in_one_list(
      {layout_mutants(), group_mutants(), arithmetic_mutants(), memory_mutants(), convert_mutants(), uneven_mutants()});
  return rows;
}

const Mutant& mutant_of(const std::string& name) {
  for (const Mutant& mutant : mutants()) {
    if (mutant.name == name) return mutant;
  }
  throw UsageError("mutant", "'" + name + "'", "a name of 'tileproof list mutants', without 'mutant:'");
}

std::vector<const Format*> formats_where(bool (*holds)(const Format&)) {
  std::vector<const Format*> formats = every_format_there_is();
  std::erase_if(formats, [=](const Format* format) { return !holds(*format); });
  return formats;
}

std::vector<const Format*> formats_with(const std::vector<const Scheme*>& schemes) {
  std::vector<const Format*> formats = every_format_there_is();
  std::erase_if(formats, [&](const Format* format) { return schemes_of(*format, schemes).empty(); });
  return formats;
}

std::vector<Mutant> in_formats(const std::vector<const Format*>& formats, std::vector<Mutant> mutants) {
  for (Mutant& mutant : mutants) {
    mutant.formats = formats;
    if (mutant.parts.in != pack_alone) continue;
    std::erase_if(mutant.formats, [](const Format* format) { return has_no_tensors(*format); });
  }
  return mutants;
}

std::vector<Mutant> except(std::vector<Mutant> mutants, const std::vector<RightIn>& exceptions) {
  for (const RightIn& exception : exceptions) {
    const auto named = std::ranges::find(mutants, std::string(exception.mutant), &Mutant::name);
    if (named == mutants.end()) throw std::logic_error(std::string("no mutant has the name ") + exception.mutant);
    std::erase_if(named->formats, [&](const Format* format) { return exception.format(*format); });
  }
  return mutants;
}

namespace {

std::vector<Types> types_of_format(const Format& format) {
  std::vector<Types> all;
  for (const Scheme* scheme : schemes_of(format)) {
    for (const Types types : types_of(*scheme, every_types())) all.push_back(types);
  }
  return all;
}

}  // namespace

bool has_powers_of_two(const Format& format) {
  return std::ranges::all_of(types_of_format(format),
                             [](Types types) { return float_format_of(types.parameter).is_exponent(); });
}

bool has_wide_weights(const Format& format) {
  return std::ranges::all_of(types_of_format(format),
                             [](Types types) { return types == Types(Type::fp32, Type::fp16); });
}

bool has_no_tensors(const Format& format) { return !packs_codes_alone(format); }

bool takes_fp32_parameters(const Format& format) {
  return std::ranges::any_of(types_of_format(format), [](Types types) { return types.parameter == Type::fp32; });
}

std::vector<Mutant> in_one_list(const std::vector<std::vector<Mutant>>& parts) {
  std::vector<Mutant> all;
  for (const std::vector<Mutant>& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

SubjectRow mutant_subject(const Mutant& mutant) {
  Capabilities capabilities = in_formats(kernel_capabilities(), mutant.formats);
  if (!mutant.formats_to.empty()) capabilities = with_convert(capabilities, mutant.formats_to);
  capabilities.several_callers = false;  // it keeps its state between calls without a lock
  return {"mutant:" + mutant.name, mutant.what, false, capabilities, [parts = mutant.parts] {
            return MadeSubject{mutable_reference(parts), ""};
          }};
}

const std::vector<SubjectRow>& mutant_subjects() {
  static const std::vector<SubjectRow> rows = [] {
    std::vector<SubjectRow> all = {
        {"mutant:nothing", "the correct control of the mutants", false,
         with_convert(in_formats(kernel_capabilities(), every_format_there_is()), formats_of_codes_alone()), [] {
           return MadeSubject{mutable_reference({}), ""};
         }}};
    for (const Mutant& mutant : mutants()) all.push_back(mutant_subject(mutant));
    return all;
  }();
  return rows;
}

}  // namespace tileproof
