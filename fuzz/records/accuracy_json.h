/// Writes the parts of accuracy.json: names of rows, figures, and single elements.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "properties/accuracy/figures.h"

namespace tileproof {

/// The format of the measured elements; empty for codes.
std::optional<reference::FloatFormat> format_of(const Measurement&, const Problem&);
/// The fields "operation", "scheme" and "type": what kind of result a problem has.
nlohmann::json kind_of(const Measurement&, const Problem&);
/// The bits of a weight in hexadecimal, or a code as a number.
std::string element_text(const std::optional<reference::FloatFormat>&, std::uint32_t bits);

/// @param inputs  the hash of each problem's inputs, by its index in accuracy_problems()
nlohmann::json problems_of(const std::map<std::size_t, std::uint64_t>& inputs);
nlohmann::json json_of(const Accuracy&);
/// The figures of problems with ordinary values, in short.
nlohmann::json ordinary_of(const Accuracy&);
/// The fields "by_k", "by_group", "by_binade" and "wrong".
nlohmann::json json_of(const AccuracyCurves&);

/// An object on several lines, with a line for each element of its arrays.
std::string by_lines(const nlohmann::json&);

}  // namespace tileproof
