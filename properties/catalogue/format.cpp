// Format: bytes recorded from aten's CUDA kernels and frozen, so that a machine without a GPU still compares with the
// real library. Each record is a fixed problem whose data come from the record, not from the seed.
#include "properties/catalogue/properties.h"
#include "properties/catalogue/recorded_from_aten.h"
#include "properties/problem/specification.h"

namespace tileproof {

namespace {

using Values = std::vector<std::uint32_t>;

/// The recorded problems that have values of a kind.
std::vector<Problem> problems_with(Values Recorded::*values) {
  std::vector<Problem> problems;
  for (const Recorded& record : recorded_from_aten()) {
    if (!(record.*values).empty()) problems.push_back(record.problem);
  }
  return problems;
}

/// The record that a problem stands for. The problem's dimensions are the key: no two records share them.
const Recorded& record_of(const Problem& p, Values Recorded::*values) {
  for (const Recorded& record : recorded_from_aten()) {
    const Problem& r = record.problem;
    if (!(record.*values).empty() && r.size() == p.size() && r.format == p.format) return record;
  }
  throw UsageError("problem", std::to_string(p.n) + " x " + std::to_string(p.k),
                   "a shape that was recorded: see recorded_from_aten.txt");
}

Matrix<std::uint8_t> codes_of(const Recorded& record) {
  Matrix<std::uint8_t> codes(record.problem.n, record.problem.k);
  for (std::size_t i = 0; i < codes.elements.size(); ++i) {
    const std::uint32_t pair = record.codes[i / 2];
    codes.elements[i] = static_cast<std::uint8_t>(i % 2 == 0 ? pair >> 4 : pair & 15);
  }
  return codes;
}

void pack_gives_recorded_bytes(Case& c) {
  const Recorded& record = record_of(c.problem, &Recorded::codes);
  c.expect_equal(c.pack(codes_of(record)), record.packed);
}

void unpack_reads_recorded_bytes(Case& c) {
  const Recorded& record = record_of(c.problem, &Recorded::codes);
  c.expect_equal(c.unpack(record.packed), specified::as_int32(codes_of(record)));
}

void dequantize_gives_recorded_weights(Case& c) {
  const Problem& p = c.problem;
  const Recorded& record = record_of(p, &Recorded::weights);
  Parameters parameters = zero_parameters(p);
  for (std::size_t i = 0; i < parameters.scales.elements.size(); ++i) {
    parameters.scales.elements[i] = record.parameters[2 * i];
    parameters.zeros.elements[i] = record.parameters[2 * i + 1];
  }
  Matrix<std::uint32_t> expected(p.n, p.k);
  expected.elements = record.weights;
  c.expect_equal(c.dequantize(record.packed, parameters), expected);
}

}  // namespace

std::vector<Property> format_properties() {
  const auto recorded = [](Operation operation, const char* sentence, const char* finds, Values Recorded::*values,
                           const CoverageGoals* shapes, void (*body)(Case&)) {
    Property row = operation_property("format", operation, sentence, finds, {&every_format, shapes}, body);
    row.sampling = {.formats = tinygemm_formats(),
                    .schemes = {scheme::floating},
                    .types = {Type::bf16},
                    .fixed = problems_with(values)};
    return row;
  };
  return {
      recorded(Operation::pack, "gives_the_bytes_recorded_from_aten", "a layout that is consistent with itself alone",
               &Recorded::codes, &with_padding, pack_gives_recorded_bytes),
      recorded(Operation::unpack, "reads_the_bytes_recorded_from_aten", "the same, on the way back", &Recorded::codes,
               &with_padding, unpack_reads_recorded_bytes),
      recorded(Operation::dequantize, "gives_the_weights_recorded_from_aten",
               "arithmetic that is consistent with itself alone", &Recorded::weights, &several_groups,
               dequantize_gives_recorded_weights)};
}

}  // namespace tileproof
