#include <algorithm>
#include <iterator>

#include "built_without_cuda.h"
#include "kernels/formats.h"
#include "kernels/layouts.h"
#include "properties/subjects/cuda_device.h"
#include "properties/subjects/rows.h"

namespace tileproof {

bool Capabilities::has(Operation operation) const {
  return std::find(operations.begin(), operations.end(), operation) != operations.end();
}

namespace {

/// Leaves the schemes that some format has, and the types that some scheme has.
void keep_possible(Capabilities& capabilities) {
  std::erase_if(capabilities.schemes, [&](const Scheme* scheme) {
    return std::ranges::none_of(capabilities.formats, [=](const Format* format) { return format->has(*scheme); });
  });
  std::erase_if(capabilities.types, [&](Types types) {
    return std::ranges::none_of(capabilities.schemes, [=](const Scheme* scheme) { return has_types(*scheme, types); });
  });
}

}  // namespace

bool Capabilities::takes(Operation operation, const Format& format) const {
  const auto own = formats_of.find(operation);
  return std::ranges::count(own == formats_of.end() ? formats : own->second, &format) != 0;
}

Capabilities Capabilities::of(const std::vector<Operation>& called) const {
  Capabilities rest = *this;
  const auto is_refused = [&](const Format* format) {
    return std::ranges::any_of(called, [&](Operation operation) { return !takes(operation, *format); });
  };
  if (std::erase_if(rest.formats, is_refused) != 0) keep_possible(rest);
  return rest;
}

bool Capabilities::takes(const Problem& p) const {
  const auto is_one_of = [](const auto& values, const auto& value) {
    return std::find(values.begin(), values.end(), value) != values.end();
  };
  // Parameters take no part in convert: its groups are of any size.
  const bool is_convert = p.format_to != nullptr;
  const bool is_uneven_row = takes_uneven_rows_of(*p.format) && p.group_size == p.k;
  const bool takes_groups = is_convert || is_uneven_row || any_group_size || is_one_of(group_sizes, p.group_size);
  return p.n % n_unit(*p.format, n_multiple, p.format_to) == 0 && p.k % k_multiple == 0 &&
         p.format->group_sizes.contains(p.group_size) && p.format->has(*p.scheme) && has_types(*p.scheme, p.types) &&
         p.n <= most_n && p.k <= most_k && is_one_of(formats, p.format) &&
         (!is_convert || is_one_of(formats_to_of(*p.format), p.format_to)) && is_one_of(schemes, p.scheme) &&
         is_one_of(types, p.types) && takes_groups && (takes_experts || p.experts == 1);
}

std::vector<const Format*> Capabilities::formats_to_of(const Format& format) const {
  if (formats_to.empty()) return {nullptr};
  std::vector<const Format*> others = formats_to;
  std::erase(others, &format);
  return others;
}

std::vector<std::int64_t> Capabilities::group_sizes_of(const Format& format) const {
  std::vector<std::int64_t> sizes = group_sizes;
  std::erase_if(sizes, [&](std::int64_t size) { return !format.group_sizes.contains(size); });
  return sizes;
}

bool Capabilities::takes_uneven_rows_of(const Format& format) const { return uneven_rows && takes_uneven_rows(format); }

std::int64_t Capabilities::rows_unpacked(const Format& format, Size size) const {
  const auto arguments = mapped_arguments.find(Operation::unpack);
  const bool is_told = arguments != mapped_arguments.end() &&
                       std::find(arguments->second.begin(), arguments->second.end(), "n") != arguments->second.end();
  return is_told ? size.n : format.layout.padded(size).n;
}

#if !defined(TILEPROOF_HAS_CUDA)
MadeSubject make_cuda_subject() { return {nullptr, built_without_cuda}; }
MadeSubject make_watched_cuda_subject(const std::string&) { return {nullptr, built_without_cuda}; }
std::map<std::string, std::string> cuda_device() { return {}; }
std::string why_no_cuda_device() { return built_without_cuda; }
#endif

void lacks(Operation operation) {
  throw std::logic_error(std::string("a property called ") + name_of(operation) + " on a subject without it");
}

Capabilities kernel_capabilities() {
  return {.operations = {std::begin(kernel_operations), std::end(kernel_operations)}, .takes_experts = true};
}

Capabilities in_formats(Capabilities capabilities, const std::vector<const Format*>& formats) {
  capabilities.formats = formats;
  capabilities.schemes = every_scheme();
  capabilities.types = every_types();
  keep_possible(capabilities);
  return capabilities;
}

Capabilities with_convert(Capabilities capabilities, const std::vector<const Format*>& formats_to) {
  capabilities.operations.push_back(Operation::convert);
  capabilities.formats_to = formats_to;
  return capabilities;
}

Capabilities production_capabilities() {
  std::vector<const Format*> converted, dequantized, formats;
  for (const kernels::Layout* layout : kernels::layouts) converted.push_back(format_of("format", layout->name));
  for (const kernels::Format& one : kernels::dequantized_formats) {
    const Format* const format = format_of("format", std::string(one.name()));
    if (std::ranges::count(dequantized, format) == 0) dequantized.push_back(format);
  }
  for (const auto& some : {converted, dequantized}) {
    std::ranges::copy_if(some, std::back_inserter(formats),
                         [&](const Format* format) { return std::ranges::count(formats, format) == 0; });
  }
  Capabilities capabilities = with_convert(in_formats(kernel_capabilities(), formats), converted);
  capabilities.formats_of = {{Operation::pack, tinygemm_formats()},
                             {Operation::unpack, tinygemm_formats()},
                             {Operation::dequantize, dequantized},
                             {Operation::convert, converted}};
  return capabilities;
}

namespace {

/// Capabilities of aten's operators: the float scheme in bf16, and the group sizes that aten lists.
Capabilities aten_capabilities(std::vector<Operation> operations) {
  return {.operations = std::move(operations),
          .group_sizes = {32, 64, 128, 256},
          .any_group_size = false,
          .uneven_rows = false,
          .schemes = {scheme::floating},
          .types = {Type::bf16}};
}

constexpr Operation eager_operations[] = {Operation::choose, Operation::quantize, Operation::dequantize_eagerly};

/// Capabilities of PyTorch's eager formulas, whose NaNs have whatever bits the machine's arithmetic makes.
Capabilities eager_capabilities() {
  return {.operations = {std::begin(eager_operations), std::end(eager_operations)},
          .schemes = {scheme::floating, scheme::integer},
          .one_nan = false};
}

}  // namespace

Capabilities specification_capabilities() {
  Capabilities capabilities = kernel_capabilities();
  for (const Operation operation : eager_operations) capabilities.operations.push_back(operation);
  capabilities = with_convert(in_formats(capabilities, every_format_there_is()), formats_of_codes_alone());
  capabilities.is_specification = true;
  return capabilities;
}

Capabilities aten_cpu_capabilities(const std::vector<std::string>& formats) {
  Capabilities capabilities = aten_capabilities({Operation::pack, Operation::matmul});
  capabilities.formats.clear();
  capabilities.schemes.clear();
  for (const std::string& name : formats) {
    capabilities.formats.push_back(format_of("format", name));
    for (const Scheme* scheme : schemes_of(*capabilities.formats.back())) capabilities.schemes.push_back(scheme);
  }
  capabilities.types = {Types(Type::fp32, Type::bf16)};
  return capabilities;
}

Capabilities library_capabilities(std::vector<Operation> operations) {
  Capabilities capabilities = aten_capabilities(std::move(operations));
  capabilities.any_alignment = false;
  capabilities.one_nan = false;
  capabilities.takes_tensors = true;
  return capabilities;
}

Capabilities on_a_gpu(Capabilities capabilities) {
  capabilities.step_elements = std::int64_t{1} << 30;
  return capabilities;
}

const std::vector<SubjectRow>& subjects() {
  static const std::vector<SubjectRow> rows = {
      {"reference", "the scalar specification, judged by itself: shows that the properties can be met", false,
       specification_capabilities(), make_reference_subject},
      {"host", "the production kernels, compiled by the host compiler and run as a loop", false,
       production_capabilities(), make_host_subject},
      {"cpu", "the production code for tensors in a host's memory", false, kernel_capabilities(), make_cpu_subject},
      {"cuda", "the production kernels on a GPU", true, on_a_gpu(production_capabilities()), make_cuda_subject},
      {"aten-cpu", "PyTorch's int4 weight operators on the CPU", false,
       aten_cpu_capabilities({"int4pack-cpu-default", "int4pack-cpu-avx2", "int4pack-cpu-avx512"}),
       make_aten_cpu_subject, true},
      {"aten-eager", "PyTorch's eager formulas on the CPU, one tensor operation at a time", false, eager_capabilities(),
       make_aten_eager_subject, true},
      {"aten-cuda", "PyTorch's int4 weight operators on a GPU", true,
       on_a_gpu(library_capabilities({Operation::pack, Operation::matmul})), make_aten_cuda_subject, true},
  };
  return rows;
}

}  // namespace tileproof
