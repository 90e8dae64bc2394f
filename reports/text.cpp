#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "reports/text.h"

namespace tileproof::reports {

namespace {

std::string shell_word(const std::string& word) {
  constexpr std::string_view safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:,+@%";
  if (!word.empty() && word.find_first_not_of(safe) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char letter : word) quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return quoted + "'";
}

std::size_t length_by_first_byte(unsigned char byte) {
  return byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 0;
}

/// The first character of `text`, which must not be empty; U+FFFD if the bytes are not valid UTF-8.
Character first_of(std::string_view text) {
  const Character wrong = {"\xef\xbf\xbd", 0xfffd};
  const std::size_t length = length_by_first_byte(static_cast<unsigned char>(text[0]));
  if (length == 0 || length > text.size()) return wrong;
  if (length == 1) return {text.substr(0, 1), static_cast<char32_t>(text[0])};
  char32_t value = static_cast<unsigned char>(text[0]) & (0xffu >> (length + 1));
  for (const char next : text.substr(1, length - 1)) {
    const auto byte = static_cast<unsigned char>(next);
    if ((byte & 0xc0) != 0x80) return wrong;
    value = value << 6 | (byte & 0x3fu);
  }
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < smallest[length] || is_surrogate || value > 0x10ffff) return wrong;
  return {text.substr(0, length), value};
}

bool is_control(char32_t value) {
  const bool is_c0_or_c1 = value < 0x20 || (value >= 0x7f && value < 0xa0);
  const bool reorders = (value >= 0x202a && value <= 0x202e) || (value >= 0x2066 && value <= 0x2069);
  return is_c0_or_c1 || reorders;
}

std::string escape_of(char32_t value) {
  std::ostringstream text;
  text << "\\x" << (value < 0x10 ? "0" : "") << std::hex << static_cast<std::uint32_t>(value);
  return text.str();
}

}  // namespace

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string painted(Colour colour, const std::string& text, bool colours) {
  constexpr const char* codes[] = {"\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[2m"};
  return colours ? codes[static_cast<int>(colour)] + text + "\x1b[0m" : text;
}

std::string counted(std::uint64_t count, const std::string& noun) {
  if (count == 1) return "1 " + noun;
  // "y" always becomes "ies": no counted noun ends in a vowel and y.
  return std::to_string(count) + " " + (noun.ends_with('y') ? noun.substr(0, noun.size() - 1) + "ie" : noun) + "s";
}

std::string with_commas(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t end = text.size(); end > 3; end -= 3) text.insert(end - 3, 1, ',');
  return text;
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  if (part == whole) return "100 %";
  const double share = 100 * static_cast<double>(part) / static_cast<double>(whole);
  return fixed(std::min(share, 99.999999), share > 99.99 ? 6 : share < 0.01 && part != 0 ? 6 : 2) + " %";
}

std::string error_text(double value) {
  constexpr double most_in_digits = 1e15;
  const double magnitude = std::fabs(value);
  std::ostringstream text;
  text.precision(magnitude < most_in_digits && magnitude >= 1 ? 6 : 3);
  if (magnitude < most_in_digits && magnitude == std::floor(magnitude)) {
    text << with_commas(static_cast<std::uint64_t>(magnitude));
  } else {
    text << magnitude;
  }
  return (value < 0 ? "-" : "") + text.str();
}

std::string short_number(double value) {
  const bool is_large = std::fabs(value) >= 1000 && std::fabs(value) < 1e7;
  if (is_large) value = std::round(value);
  const bool is_whole = value == std::floor(value) && std::fabs(value) < 1e7;
  if (is_whole) return (value < 0 ? "-" : "") + with_commas(static_cast<std::uint64_t>(std::fabs(value)));
  std::ostringstream text;
  text.precision(4);
  text << value;
  return text.str();
}

std::string in_ulp(double value) { return error_text(value) + " ulp"; }

std::string padded(const std::string& text, std::size_t width) {
  const std::size_t has = characters_of(text).size();
  return text + std::string(has < width ? width - has : 0, ' ');
}

std::string fixed(double value, int digits) {
  std::ostringstream text;
  text.precision(digits);
  text << std::fixed << value;
  return text.str();
}

std::string in_seconds(double seconds) { return fixed(seconds, 2) + "s"; }

std::string lasting(double seconds) {
  const auto in = [](double value, const char* unit) {
    return fixed(value, value < 10 ? 2 : value < 100 ? 1 : 0) + " " + unit;
  };
  if (seconds == 0) return "0 s";
  if (seconds < 1e-3) return in(seconds * 1e6, "us");
  if (seconds < 1) return in(seconds * 1e3, "ms");
  if (seconds < 120) return in(seconds, "s");
  return seconds < 7200 ? in(seconds / 60, "min") : in(seconds / 3600, "h");
}

std::string lasting_in_short(double seconds) {
  if (seconds < 120) return fixed(seconds, seconds < 10 ? 2 : 0) + " s";
  return seconds < 7200 ? fixed(seconds / 60, 0) + " min" : fixed(seconds / 3600, 1) + " h";
}

std::string command_line(const std::vector<std::string>& words) {
  return joined(words, " ", [](const std::string& word) { return shell_word(one_line(word)); });
}

std::string program_called() {
  const char* const called = std::getenv("TILEPROOF_CALLED_AS");
  return called != nullptr ? called : "./tileproof";
}

std::string replay_command(const std::vector<std::string>& words) {
  return program_called() + " replay " + command_line(words);
}

std::vector<Character> characters_of(std::string_view text) {
  std::vector<Character> characters;
  while (!text.empty()) {
    const Character character = first_of(text);
    const bool is_of_text = character.bytes.data() == text.data();
    text.remove_prefix(is_of_text ? character.bytes.size() : 1);
    characters.push_back(character);
  }
  return characters;
}

std::string visible(std::string_view text) {
  std::string shown;
  for (const Character& character : characters_of(text)) {
    const bool escapes = is_control(character.value) && character.value != '\n' && character.value != '\t';
    shown += escapes ? escape_of(character.value) : character.value == '\t' ? " " : std::string(character.bytes);
  }
  return shown;
}

std::string one_line(std::string_view text) {
  std::string line = visible(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

std::string cut(const std::string& head, const std::vector<std::string>& entries, std::size_t most_bytes,
                const std::string& more) {
  std::string text = head;
  std::size_t left_out = 0;
  for (const std::string& entry : entries) {
    const bool fits = text.size() + entry.size() <= most_bytes;
    if (fits) text += entry;
    left_out += fits ? 0 : 1;
  }
  return left_out == 0 ? text : text + "\nand " + std::to_string(left_out) + more;
}

std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::string kept;
  for (const Character& character : characters_of(text)) {
    if (kept.size() + character.bytes.size() > most) break;
    kept += character.bytes;
  }
  return kept + "...";
}

}  // namespace tileproof::reports
