#include "properties/accuracy/figures.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "properties/problem/specification.h"
#include "properties/problem/values.h"
#include "reference/dequantize.h"

namespace tileproof {

namespace {

Binade binade_of(reference::FloatFormat format, std::uint32_t scale) {
  const reference::Exact value = reference::decode(format, scale);
  if (value.kind == reference::Kind::nan) return binade::nan;
  if (value.kind == reference::Kind::infinite) return binade::infinite;
  if (value.magnitude == 0) return binade::zero;
  return value.exponent + reference::bit_width(value.magnitude) - 1;
}

}  // namespace

double largest_term(const Problem& p, const AccuracyData& data, std::int64_t row, std::int64_t column) {
  const reference::FloatFormat format = float_format_of(p.types.parameter);
  const reference::Element group = p.group_of(row, column);
  const auto value = [&](const Matrix<std::uint32_t>& of) { return specified::value(format, of(group.k, group.n)); };
  const int midpoint =
      p.scheme->zero_kind == Zero::point ? data.parameters.zero_points(group.k, group.n) : p.scheme->midpoint;
  // This is exact: a scale has at most 24 significant bits, and the code minus its midpoint at most 8.
  const double product = std::fabs((data.codes(row, column) - midpoint) * value(data.parameters.scales));
  return p.scheme->zero_kind == Zero::value ? std::max(product, std::fabs(value(data.parameters.zeros))) : product;
}

const std::string& reason_of(const ComparedElements& compared_elements, const ComparedElements::Difference& one) {
  static const std::string none;
  return one.reason == ComparedElements::none ? none
                                              : compared_elements.reasons.at(static_cast<std::size_t>(one.reason));
}

void add_case(const Measurement& measurement, const Problem& p, const AccuracyData& data,
              const ComparedElements& compared_elements, RowFigures& of_row, AccuracyCurves& curves) {
  ComparedElements own;
  for (const std::uint32_t value : data.expected.elements) own.expected(value);
  if (own.elements != compared_elements.elements || own.expected_hash != compared_elements.expected_hash) {
    throw std::logic_error("the measurement expects something else than " + measurement.property.name + " of " +
                           line_of(p));
  }
  const auto point = [&](auto& curve, auto at) { return &curve.try_emplace(at, of_row.accuracy.format).first->second; };
  std::vector<Accuracy*> figures = {&of_row.accuracy,
                                    point(curves.by_k, reference::bit_width(static_cast<std::uint64_t>(p.k)) - 1)};
  if (p.profile == ordinary_profile) figures.push_back(&of_row.of_ordinary);
  if (measurement.of_weights) figures.push_back(point(curves.by_group, p.group_size));
  Accuracy* of_scale = nullptr;
  std::int64_t group_end = 0;
  auto difference = compared_elements.differences.begin();
  for (std::int64_t i = 0; i < compared_elements.elements; ++i) {
    const std::int64_t row = i / data.expected.columns, column = i % data.expected.columns;
    if (measurement.of_weights && (column == 0 || column == group_end)) {
      const reference::Element group = p.group_of(row, column);
      group_end = p.format->group_end({row, column}, p.size(), p.group_size);
      const std::uint32_t scale = data.parameters.scales(group.k, group.n);
      of_scale = point(curves.by_binade, binade_of(float_format_of(p.types.parameter), scale));
    }
    const std::uint32_t expected = data.expected.elements[static_cast<std::size_t>(i)];
    const bool differs = difference != compared_elements.differences.end() && difference->index == i;
    const std::uint32_t got = differs ? difference->got : expected;
    const std::string why = differs ? reason_of(compared_elements, *difference) : "";
    std::optional<double> term;
    if (differs && measurement.of_weights) term = largest_term(p, data, row, column);
    for (Accuracy* one : figures) one->add(expected, got, why, term);
    if (of_scale != nullptr) of_scale->add(expected, got, why, term);
    of_row.output_hash = folded(of_row.output_hash, got);
    if (!differs) continue;
    WrongCell& cell = curves.row_by_column[{row % AccuracyCurves::period, column % AccuracyCurves::period}];
    ++cell.wrong;
    cell.unexplained += why.empty() ? 1 : 0;
    ++difference;
  }
}

}  // namespace tileproof
