#include "properties/accuracy/figures.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "properties/problem/specification.h"
#include "properties/problem/values.h"
#include "reference/dequantize.h"

namespace tileproof {

Binade binade_of(reference::FloatFormat format, std::uint32_t scale) {
  const reference::Exact value = reference::decode(format, scale);
  if (value.kind == reference::Kind::nan) return binade::nan;
  if (value.kind == reference::Kind::infinite) return binade::infinite;
  if (value.magnitude == 0) return binade::zero;
  return value.exponent + reference::bit_width(value.magnitude) - 1;
}

double largest_term(const Problem& p, const AccuracyData& data, std::int64_t row, std::int64_t column) {
  const reference::FloatFormat format = float_format_of(p.types.parameter);
  const std::int64_t group = column / p.group_size;
  const auto value = [&](const Matrix<std::uint32_t>& of) { return specified::value(format, of(group, row)); };
  const int midpoint = p.scheme->zero_kind == Zero::value   ? reference::float_domain_midpoint
                       : p.scheme->zero_kind == Zero::point ? data.parameters.zero_points(group, row)
                                                            : 0;
  // This is exact: a scale has at most 24 significant bits, and the code minus its midpoint at most 8.
  const double product = std::fabs((data.codes(row, column) - midpoint) * value(data.parameters.scales));
  return p.scheme->zero_kind == Zero::value ? std::max(product, std::fabs(value(data.parameters.zeros))) : product;
}

void CurvePoint::add(const CurvePoint& other) {
  elements += other.elements;
  differing += other.differing;
  unexplained += other.unexplained;
  finite += other.finite;
  largest = std::max(largest, other.largest);
  magnitudes += other.magnitudes;
}

void AccuracyFigures::differs(const Measurement& measurement, const Problem& p, std::int64_t row, std::int64_t column,
                              Binade of_scale, bool explained) {
  const int nibble = measurement.is_packed
                         ? static_cast<int>(p.layout().slot_of({row, column}, p.size()) % p.layout().slots_of_unit())
                         : no_nibble;
  for (WrongCell* cell : {&nibble_by_binade[{nibble, of_scale}],
                          &row_by_column[{static_cast<int>(row % period), static_cast<int>(column % period)}]}) {
    ++cell->wrong;
    cell->unexplained += explained ? 0 : 1;
  }
}

void AccuracyFigures::add(const Measurement& measurement, const Problem& p, const AccuracyData& data,
                          const ComparedElements& compared_elements) {
  ComparedElements own;
  for (const std::uint32_t value : data.expected.elements) own.expected(value);
  if (own.elements != compared_elements.elements || own.expected_hash != compared_elements.expected_hash) {
    throw std::logic_error("the measurement expects something else than " + measurement.property.name + " of " +
                           line_of(p));
  }
  static const std::string unexplained;
  const std::int64_t columns = data.expected.columns;
  const std::int64_t run =
      measurement.of_weights ? p.group_size : columns;  // consecutive elements that count towards the same cells
  auto difference = compared_elements.differences.begin();
  CurvePoint of_problem;
  Accuracy of_case(accuracy.format());
  for (std::int64_t first = 0; first < compared_elements.elements; first += run) {
    const std::int64_t row = first / columns;
    const Binade of_scale =
        measurement.of_weights
            ? binade_of(float_format_of(p.types.parameter), data.parameters.scales(first % columns / p.group_size, row))
            : binade::none;
    CurvePoint of_run;
    for (std::int64_t i = first; i < first + run; ++i) {
      const std::uint32_t expected = data.expected.elements[static_cast<std::size_t>(i)];
      const bool is_wrong = difference != compared_elements.differences.end() && difference->index == i;
      const std::uint32_t got = is_wrong ? difference->got : expected;
      const bool explained = is_wrong && difference->reason != ComparedElements::none;
      of_case.add(
          expected, got,
          explained ? compared_elements.reasons.at(static_cast<std::size_t>(difference->reason)) : unexplained,
          is_wrong && measurement.of_weights ? std::optional(largest_term(p, data, row, i % columns)) : std::nullopt);
      output_hash = folded(output_hash, got);
      ++of_run.elements;
      if (const auto apart = Accuracy::error(accuracy.format(), expected, got)) {
        ++of_run.finite;
        of_run.largest = std::max(of_run.largest, std::fabs(*apart));
        of_run.magnitudes += std::fabs(*apart);
      }
      if (!is_wrong) continue;
      ++of_run.differing;
      of_run.unexplained += explained ? 0 : 1;
      differs(measurement, p, row, i % columns, of_scale, explained);
      ++difference;
    }
    if (measurement.of_weights) by_binade[of_scale].add(of_run);
    of_problem.add(of_run);
  }
  accuracy.add(of_case);
  if (p.scales == ordinary_profile) of_ordinary.add(of_case);
  by_k[reference::bit_width(static_cast<std::uint64_t>(p.k)) - 1].add(of_problem);
  if (measurement.of_weights) by_group[p.group_size].add(of_problem);
}

void AccuracyFigures::add(const AccuracyFigures& other) {
  accuracy.add(other.accuracy);
  of_ordinary.add(other.of_ordinary);
  const auto add_cells = [](auto& to, const auto& from) {
    for (const auto& [at, cell] : from) {
      to[at].wrong += cell.wrong;
      to[at].unexplained += cell.unexplained;
    }
  };
  add_cells(nibble_by_binade, other.nibble_by_binade);
  add_cells(row_by_column, other.row_by_column);
  const auto add_points = [](auto& to, const auto& from) {
    for (const auto& [at, point] : from) to[at].add(point);
  };
  add_points(by_k, other.by_k);
  add_points(by_group, other.by_group);
  add_points(by_binade, other.by_binade);
  output_hash = (output_hash ^ other.output_hash) * 0x100000001b3u;
}

}  // namespace tileproof
