/// Text as the writers make it, and text from outside as they show it. Internal to reports/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tileproof::reports {

std::string counted(std::uint64_t count, const std::string& noun);  // "1 case", "2 properties"
std::string fixed(double value, int digits);                        // behind the point
std::string in_seconds(double seconds);                             // "0.41s"
std::string lasting(double seconds);                                // to three digits: "12.3 us", "1.20 s", "3.00 min"
std::string lasting_in_short(double seconds);                       // in whole numbers from 10 s on: "30 min"
std::string with_commas(std::uint64_t);                             // "1,234,567"
std::string percent(std::uint64_t part, std::uint64_t whole);       // 100 % is the whole, and nothing less
std::string error_text(double);                                     // "0", "-0.5", "192", "8,388,608", "1.09e+40"
std::string short_number(double);                                   // "1,000", "0.1159", "1.5e+09"
std::string in_ulp(double);                                         // "192 ulp"

struct Character {
  std::string_view bytes;
  char32_t value = 0;
};
/// The characters of UTF-8; U+FFFD for every byte that is none. `text` must outlive them.
std::vector<Character> characters_of(std::string_view text);

/// With spaces behind, as many as it lacks of `width` characters.
std::string padded(const std::string& text, std::size_t width);

/// Control characters as \x1b, so that text cannot move the cursor, colour or reorder what stands around it. Keeps \n.
std::string visible(std::string_view text);
/// visible, and on one line.
std::string one_line(std::string_view text);
/// At most `most` bytes and "...".
std::string shortened(std::string_view text, std::size_t most);

/// Text from outside, as code on one line: good for a table's cell as for a sentence. Character references are never
/// markup, and GitHub looks for mentions outside <code> only. A span of backticks could not hold a | in a table safely.
std::string code(const std::string& text);

/// One line that can be pasted into a shell, whatever the words hold.
std::string replay_command(const std::vector<std::string>& words);

}  // namespace tileproof::reports
