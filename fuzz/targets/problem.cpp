// A line as a problem: either it gives a problem that says what the line says and prints an equivalent line, or it is a
// UsageError.
#include <map>
#include <optional>
#include <sstream>

#include "fuzz/targets/target.h"
#include "properties/problem/problem.h"

namespace tileproof {

namespace {

/// The value of each flag.
using Words = std::map<std::string, std::string>;

Words words_of(const std::string& line) {
  Words values;
  std::istringstream words(line);
  for (std::string word; words >> word;) values[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
  return values;
}

/// Sign, base and digits without leading zeros; empty if the text is no number.
std::optional<std::string> plain_number(std::string text) {
  const bool is_negative = text.starts_with("-");
  if (is_negative) text.erase(0, 1);
  const bool is_hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (is_hexadecimal) text.erase(0, 2);
  const std::string digits = is_hexadecimal ? "0123456789abcdefABCDEF" : "0123456789";
  if (text.empty() || text.find_first_not_of(digits) != std::string::npos) return std::nullopt;
  text.erase(0, std::min(text.find_first_not_of('0'), text.size() - 1));
  for (char& digit : text) digit = static_cast<char>(digit >= 'A' && digit <= 'F' ? digit - 'A' + 'a' : digit);
  if (text == "0") return text;
  if (!is_hexadecimal && !is_negative && text.size() <= 20) {  // seeds are printed in hexadecimal
    unsigned __int128 value = 0;
    for (const char digit : text) value = value * 10 + static_cast<unsigned>(digit - '0');
    std::string reversed;
    for (; value != 0; value /= 16) reversed += "0123456789abcdef"[static_cast<int>(value % 16)];
    return std::string(reversed.rbegin(), reversed.rend());
  }
  return (is_negative ? "-" : "") + text;
}

bool says_the_same(const std::string& written, const std::string& printed) {
  if (written == printed) return true;
  const std::size_t dots = written.find(".."), printed_dots = printed.find("..");
  if (dots != std::string::npos && printed_dots != std::string::npos) {
    return says_the_same(written.substr(0, dots), printed.substr(0, printed_dots)) &&
           says_the_same(written.substr(dots + 2), printed.substr(printed_dots + 2));
  }
  return plain_number(written).has_value() && plain_number(written) == plain_number(printed);
}

void check(const std::string& line) {
  Problem problem;
  try {
    problem = problem_of(line);
  } catch (const UsageError&) {
    return;
  }
  const std::string printed = line_of(problem);
  require(problem_of(printed) == problem, "'" + printed + "' is not the problem that printed it");
  for (const Span& span : {problem.codes, problem.parameters}) {
    require(span.first >= 0 && span.end >= span.first, "a span that ends before it begins");
  }

  // Missing fields have their defaults; all others must be as written.
  Words written = words_of(line_of(Problem()));
  for (const char* flag : {"--codes", "--parameters"}) written[flag] = "0.." + std::to_string(Span::all);
  Words found = written;
  written["--variant"] = found["--variant"] = "";
  for (const auto& [flag, value] : words_of(line)) written[flag] = value;
  for (const auto& [flag, value] : words_of(printed)) found[flag] = value;
  require(written.size() == found.size(), "another flag than those that are printed");
  for (const auto& [flag, value] : written) {
    require(says_the_same(value, found[flag]), flag + "=" + value + " was read as " + found[flag]);
  }

  try {
    require_possible(problem);
  } catch (const UsageError&) {
    return;
  }
  const auto elements = static_cast<__int128>(problem.n) * problem.k;
  require(elements >= 0 && elements <= (__int128{1} << 40), "more elements than there can be");
  require(problem.group_count() * problem.group_size >= problem.n * problem.k, "groups that do not fill the matrix");
}

}  // namespace

}  // namespace tileproof

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tileproof::check(tileproof::text_of(data, size));
  return 0;
}
