/// The parts of accuracy.json: what a row is called, figures, single elements.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "properties/accuracy/figures.h"

namespace tileproof {

/// The format of what is measured; nothing for codes.
std::optional<reference::FloatFormat> format_of(const Measurement&, const Problem&);
/// Whether two problems have the same kind of result: scheme and type.
bool is_alike(const Measurement&, const Problem&, const Problem&);
/// "operation", "scheme" and "type".
nlohmann::json kind_of(const Measurement&, const Problem&);
/// Bits of a weight, or a code as a number.
std::string element_text(const std::optional<reference::FloatFormat>&, std::uint32_t bits);

nlohmann::json problems_of_measurement();
nlohmann::json json_of(const Accuracy&);
/// The same of ordinary values, in short.
nlohmann::json ordinary_of(const Accuracy&);
nlohmann::json maps_of(const AccuracyFigures&);
/// "by_k", "by_group" and "by_binade".
nlohmann::json curves_of(const AccuracyFigures&);

/// The difference at an element; nullptr where it is as expected.
const ComparedElements::Difference* difference_at(const ComparedElements&, std::int64_t index);
/// Why it differs; "" where nothing explains it.
const std::string& reason_of(const ComparedElements&, const ComparedElements::Difference&);

/// An object on several lines: each of its arrays' elements on one of its own.
std::string by_lines(const nlohmann::json&);

}  // namespace tileproof
