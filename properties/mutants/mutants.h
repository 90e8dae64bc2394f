/// Mutants: the specification with one mistake each, and the properties that must find it; they test the harness
/// itself. To add a mutant, add a row to the file of its kind (mutants/*.cpp).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "properties/subjects/mutable_reference.h"
#include "properties/subjects/subject.h"

namespace tileproof {

struct Mutant {
  std::string name;
  std::string what;
  std::vector<std::string> found_by = {};  // names of properties, each of which must fail
  Mutation parts;
  std::string kind = "mismatch";  // the kind of failure that the first of them must report: mismatch or guard
  /// Set if results depend on earlier calls: a failing problem then need not fail alone, nor shrink.
  bool has_memory = false;
  /// Set if only a whole enumeration finds the mutant: the property that must find it. found_by is empty then.
  std::string enumerated_by = "";
  /// The formats in which it is a mistake. In a format that lacks what it changes, it is right, and not declared.
  std::vector<const Format*> formats = tinygemm_formats();
  std::vector<const Format*> formats_to = {};  // of a mutant of convert: those that it gives
};

const std::vector<Mutant>& mutants();
/// @throws UsageError if no mutant has this name
const Mutant& mutant_of(const std::string& name);

/// A mutant as a subject, "mutant:NAME": it takes the mutant's formats, with all of their schemes and types.
SubjectRow mutant_subject(const Mutant&);
/// A subject for every mutant, and the correct control, "mutant:nothing", which takes every format.
const std::vector<SubjectRow>& mutant_subjects();

// One function for each kind, each in a file of its own.
std::vector<Mutant> layout_mutants();
std::vector<Mutant> group_mutants();
std::vector<Mutant> arithmetic_mutants();
std::vector<Mutant> memory_mutants();
std::vector<Mutant> convert_mutants();
std::vector<Mutant> uneven_mutants();

// Parts of those functions.
std::vector<const Format*> formats_where(bool (*holds)(const Format&));
/// The formats that have at least one of the schemes.
std::vector<const Format*> formats_with(const std::vector<const Scheme*>&);
/// The mutants, each declared for the formats.
std::vector<Mutant> in_formats(const std::vector<const Format*>&, std::vector<Mutant>);
/// Formats in which a mutant changes nothing.
struct RightIn {
  const char* mutant;
  bool (*format)(const Format&);
};
/// The mutants, those that are named without the formats in which they are right.
/// @throws std::logic_error if a name is no mutant's
std::vector<Mutant> except(std::vector<Mutant>, const std::vector<RightIn>&);

// Formats by what their parameters and weights are.
bool has_powers_of_two(const Format&);  // scales have no sign, no fraction and no zero
bool has_wide_weights(
    const Format&);  // fp32 of fp16 alone: products of codes and scales are exact, and never subnormal
bool takes_fp32_parameters(const Format&);
bool has_no_tensors(const Format&);  // parameters lie among the codes
std::vector<Mutant> in_one_list(const std::vector<std::vector<Mutant>>&);

/// Short names of the properties that several rows share.
namespace finds {
inline constexpr const char* pack_index = "index/pack_puts_every_code_where_the_specification_says";
inline constexpr const char* unpack_index = "index/unpack_takes_every_code_from_where_the_specification_says";
inline constexpr const char* dequantize_index = "index/dequantize_takes_every_code_from_where_the_specification_says";
inline constexpr const char* round_trip = "bits/unpack_returns_every_packed_code";
inline constexpr const char* words_back = "bits/pack_returns_every_unpacked_word";
inline constexpr const char* any_word = "bits/unpack_reads_the_specified_nibbles_of_any_word";
inline constexpr const char* no_scales = "codes/unpack_does_not_depend_on_scales";
inline constexpr const char* shown_by_unit_scales = "codes/dequantize_with_unit_scales_shows_the_codes";
inline constexpr const char* float_value = "value/float_domain_rounds_once";
inline constexpr const char* integer_value = "value/integer_domain_rounds_once";
inline constexpr const char* none_value = "value/no_zero_point_rounds_once";
inline constexpr const char* own_scale = "group/every_weight_uses_its_own_scale";
inline constexpr const char* own_zero = "group/every_weight_uses_its_own_zero";
inline constexpr const char* difference = "difference/dequantize_equals_unpack_then_arithmetic";
inline constexpr const char* sense_pack = "sense/one_code_changes_one_nibble_of_pack";
inline constexpr const char* sense_unpack = "sense/one_code_changes_one_element_of_unpack";
inline constexpr const char* sense_code = "sense/one_code_changes_one_weight_of_dequantize";
inline constexpr const char* sense_scale = "sense/one_scale_changes_exactly_its_group";
inline constexpr const char* sense_zero = "sense/one_zero_changes_exactly_its_group";
inline constexpr const char* same_pack = "determinism/pack_gives_the_same_bits_however_it_is_run";
inline constexpr const char* same_unpack = "determinism/unpack_gives_the_same_bits_however_it_is_run";
inline constexpr const char* same_weights = "determinism/dequantize_gives_the_same_bits_however_it_is_run";
inline constexpr const char* writes_pack = "write/pack_writes_every_element_and_nothing_else";
inline constexpr const char* writes_unpack = "write/unpack_writes_every_element_and_nothing_else";
inline constexpr const char* writes_weights = "write/dequantize_writes_every_element_and_nothing_else";
inline constexpr const char* reads_pack = "read/pack_reads_nothing_outside_its_inputs";
inline constexpr const char* reads_unpack = "read/unpack_reads_nothing_outside_its_inputs";
inline constexpr const char* reads_weights = "read/dequantize_reads_nothing_outside_its_inputs";
inline constexpr const char* padding = "padding/rows_past_the_end_never_matter";
inline constexpr const char* large_pack = "size/pack_of_a_large_matrix_is_as_specified";
inline constexpr const char* large_unpack = "size/unpack_of_a_large_matrix_is_as_specified";
inline constexpr const char* large_weights = "size/dequantize_of_a_large_matrix_is_as_specified";
inline constexpr const char* batch_pack = "batch/pack_gives_every_expert_what_it_gives_it_alone";
inline constexpr const char* batch_unpack = "batch/unpack_gives_every_expert_what_it_gives_it_alone";
inline constexpr const char* batch_weights = "batch/dequantize_gives_every_expert_what_it_gives_it_alone";
inline constexpr const char* many_pack = "batch/pack_of_65537_experts_is_as_specified";
inline constexpr const char* many_unpack = "batch/unpack_of_65537_experts_is_as_specified";
inline constexpr const char* many_weights = "batch/dequantize_of_65537_experts_is_as_specified";
inline constexpr const char* convert_index = "index/convert_puts_every_code_where_the_specification_says";
inline constexpr const char* convert_bits = "bits/convert_gives_what_pack_gives_of_the_unpacked_codes";
inline constexpr const char* convert_padding = "padding/convert_gives_none_of_the_rows_past_the_end";
inline constexpr const char* sense_convert = "sense/one_code_changes_one_nibble_of_convert";
inline constexpr const char* same_convert = "determinism/convert_gives_the_same_bits_however_it_is_run";
inline constexpr const char* writes_convert = "write/convert_writes_every_element_and_nothing_else";
inline constexpr const char* reads_convert = "read/convert_reads_nothing_outside_its_inputs";
inline constexpr const char* large_convert = "size/convert_of_a_large_matrix_is_as_specified";
inline constexpr const char* batch_convert = "batch/convert_gives_every_expert_what_it_gives_it_alone";
inline constexpr const char* many_convert = "batch/convert_of_65537_experts_is_as_specified";
inline constexpr const char* recorded_pack = "format/pack_gives_the_bytes_recorded_from_aten";
}  // namespace finds

/// Values of Mutation::in: the operations that a mutant changes.
inline const std::set<Operation> pack_alone = {Operation::pack};
inline const std::set<Operation> unpack_alone = {Operation::unpack};
inline const std::set<Operation> dequantize_alone = {Operation::dequantize};
inline const std::set<Operation> convert_alone = {Operation::convert};
inline const std::set<Operation> everywhere = {std::begin(kernel_operations), std::end(kernel_operations)};

}  // namespace tileproof
