// Format: bytes recorded from aten's CUDA kernels and frozen, so that a machine without a GPU still compares with the
// real library. Each record is a fixed problem whose data come from the record, not from the seed.
#include <algorithm>
#include <iterator>

#include "properties/catalogue/properties.h"
#include "properties/catalogue/recorded_from_aten.h"
#include "properties/problem/specification.h"

namespace tileproof {

namespace {

Matrix<std::uint8_t> codes_of(const recorded::Pack& record) {
  Matrix<std::uint8_t> codes(record.n, record.k);
  for (std::size_t i = 0; i < codes.elements.size(); ++i) {
    const std::uint8_t pair = record.codes[i / 2];
    codes.elements[i] = i % 2 == 0 ? pair >> 4 : pair & 15;
  }
  return codes;
}

template <class T>
std::vector<T> copied(const T* from, std::int64_t count) {
  return std::vector<T>(from, from + count);
}

/// The record of a problem. The dimensions are the key: no two records share them.
template <class Record, std::size_t count>
const Record& record_of(const Record (&records)[count], const Problem& p) {
  for (const Record& record : records) {
    if (record.n == p.n && record.k == p.k && record.format == std::string(p.format->name)) return record;
  }
  throw UsageError("problem", std::to_string(p.n) + " x " + std::to_string(p.k),
                   "a shape that was recorded: see recorded_from_aten.h");
}

Problem problem_of_shape(std::int64_t n, std::int64_t k, const char* format, std::int64_t group_size) {
  Problem problem;
  problem.n = n;
  problem.k = k;
  problem.format = format_of("format", format);
  problem.group_size = group_size;
  return problem;
}

std::vector<Problem> recorded_packs() {
  std::vector<Problem> problems;
  for (const recorded::Pack& r : recorded::packs) problems.push_back(problem_of_shape(r.n, r.k, r.format, 32));
  return problems;
}

std::vector<Problem> recorded_weights() {
  std::vector<Problem> problems;
  for (const recorded::Weights& r : recorded::weights) {
    problems.push_back(problem_of_shape(r.n, r.k, r.format, r.group_size));
  }
  return problems;
}

std::vector<std::uint32_t> words_of(const recorded::Pack& record) {
  return copied(record.packed, format_of("format", record.format)->layout.units({record.n, record.k}));
}

void pack_gives_recorded_bytes(Case& c) {
  const recorded::Pack& record = record_of(recorded::packs, c.problem);
  c.expect_equal(c.pack(codes_of(record)), words_of(record));
}

void unpack_reads_recorded_bytes(Case& c) {
  const recorded::Pack& record = record_of(recorded::packs, c.problem);
  c.expect_equal(c.unpack(words_of(record)), specified::as_int32(codes_of(record)));
}

void dequantize_gives_recorded_weights(Case& c) {
  const Problem& p = c.problem;
  const recorded::Weights& record = record_of(recorded::weights, p);
  Parameters parameters = zero_parameters(p);
  for (std::size_t i = 0; i < parameters.scales.elements.size(); ++i) {
    parameters.scales.elements[i] = record.scales_and_zeros[2 * i];
    parameters.zeros.elements[i] = record.scales_and_zeros[2 * i + 1];
  }
  Matrix<std::uint32_t> expected(p.n, p.k);
  std::copy_n(record.weights, expected.elements.size(), expected.elements.begin());
  c.expect_equal(c.dequantize(copied(record.packed, p.n * p.k / 8), parameters), expected);
}

}  // namespace

std::vector<Property> format_properties() {
  const auto fixed = [](std::vector<Problem> problems) {
    return Sampling{.formats = tinygemm_formats(),
                    .schemes = {scheme::floating},
                    .types = {Type::bf16},
                    .fixed = std::move(problems)};
  };
  return {
      {"format/pack_gives_the_bytes_recorded_from_aten",
       "a layout that is consistent with itself alone",
       {Operation::pack},
       {&every_format, &with_padding},
       fixed(recorded_packs()),
       pack_gives_recorded_bytes},
      {"format/unpack_reads_the_bytes_recorded_from_aten",
       "the same, on the way back",
       {Operation::unpack},
       {&every_format, &with_padding},
       fixed(recorded_packs()),
       unpack_reads_recorded_bytes},
      {"format/dequantize_gives_the_weights_recorded_from_aten",
       "arithmetic that is consistent with itself alone",
       {Operation::dequantize},
       {&every_format, &several_groups},
       fixed(recorded_weights()),
       dequantize_gives_recorded_weights},
  };
}

}  // namespace tileproof
