/// Checks the numbers that options are given.
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <concepts>
#include <string>

namespace tileproof {

/// Requires a number from `low` to `high`; of a whole number's type, a whole one.
template <class Number>
CLI::Validator within(Number low, Number high) {
  return CLI::Validator(
      [=](const std::string& text) -> std::string {
        Number number = {};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        const bool is_number = error == std::errc() && end == text.data() + text.size();
        const bool is_octal = std::integral<Number> && text.size() > 1 && text[0] == '0';  // to CLI11
        if (is_number && !is_octal && number >= low && number <= high) return "";
        const auto written = [](Number of) {
          char digits[32];
          return std::string(digits, std::to_chars(digits, digits + sizeof digits, of).ptr);
        };
        return "given '" + text + "', legal is a " + (std::integral<Number> ? "whole " : "") + "number from " +
               written(low) + " to " + written(high);
      },
      "");
}

}  // namespace tileproof
