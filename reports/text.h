/// Formats numbers and counts, and makes text from outside safe to show. Internal to reports/.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tileproof::reports {

std::string counted(std::uint64_t count, const std::string& noun);  // "1 case", "2 properties"
std::string fixed(double value, int digits);                        // digits after the point
std::string in_seconds(double seconds);                             // "0.41s"
std::string lasting(double seconds);                                // to three digits: "12.3 us", "1.20 s", "3.00 min"
std::string lasting_in_short(double seconds);                       // in whole numbers from 10 s on: "30 min"
std::string with_commas(std::uint64_t);                             // "1,234,567"
std::string percent(std::uint64_t part, std::uint64_t whole);       // "100 %" only if part == whole
std::string error_text(double);                                     // "0", "-0.5", "192", "8,388,608", "1.09e+40"
std::string short_number(double);                                   // "1,000", "0.1159", "1.5e+09"
std::string in_ulp(double);                                         // "192 ulp"

/// The texts of the items, with `between` between each two.
template <class Items, class TextOf = std::identity>
std::string joined(const Items& items, const std::string& between, TextOf text_of = {}) {
  std::string text;
  bool is_first = true;
  for (const auto& item : items) {
    text += (is_first ? "" : between) + std::string(text_of(item));
    is_first = false;
  }
  return text;
}
std::string first_line(const std::string& text);

enum class Colour { green, red, yellow, dim };
/// Text in an ANSI colour, or plain text without `colours`.
std::string painted(Colour, const std::string& text, bool colours);

struct Character {
  std::string_view bytes;
  char32_t value = 0;
};
/// Splits UTF-8 into characters; a byte that begins no valid character becomes U+FFFD. `text` must outlive the result.
std::vector<Character> characters_of(std::string_view text);

/// Appends spaces up to `width` characters.
std::string padded(const std::string& text, std::size_t width);

/// Writes control characters and bidirectional overrides as escapes such as \x1b, so that text cannot move the cursor,
/// or colour or reorder the text around it. Keeps \n; a tab becomes a space.
std::string visible(std::string_view text);
/// As visible(), with \n replaced by a space.
std::string one_line(std::string_view text);
/// The first characters, in at most `most` bytes, and "..." if any are cut.
std::string shortened(std::string_view text, std::size_t most);

/// The head, then the entries that fit into `most_bytes`, then how many are left out: "and 3", and `more`.
std::string cut(const std::string& head, const std::vector<std::string>& entries, std::size_t most_bytes,
                const std::string& more);

/// Text from outside as a <code> element on one line of Markdown, for table cells and sentences. It uses character
/// references, which are never markup, and <code>, in which GitHub looks for no mentions. A span of backticks could not
/// hold a | in a table safely.
std::string code(std::string_view text);

/// A command on one line, with each word quoted for the shell where necessary.
std::string command_line(const std::vector<std::string>& words);
/// How the program is called: "./tileproof", or what the Python package says in TILEPROOF_CALLED_AS.
std::string program_called();
/// The program, "replay" and the words.
std::string replay_command(const std::vector<std::string>& words);

}  // namespace tileproof::reports
