#include "properties/problem/problem.h"

#include <charconv>
#include <functional>
#include <sstream>

#include "properties/problem/values.h"

namespace tileproof {

namespace {

template <class Enum>
struct Named {
  Enum value;
  const char* name;
};
constexpr Named<Domain> domains[] = {{Domain::floating, "float"}, {Domain::integer, "integer"}, {Domain::none, "none"}};
constexpr Named<Type> types[] = {{Type::bf16, "bf16"}, {Type::fp16, "fp16"}, {Type::fp32, "fp32"}};

template <class Enum, std::size_t count>
const char* name_in(const Named<Enum> (&table)[count], Enum value) {
  for (const auto& row : table) {
    if (row.value == value) return row.name;
  }
  return "?";
}

template <class Enum, std::size_t count>
Enum value_in(const Named<Enum> (&table)[count], const char* argument, const std::string& name) {
  std::string legal;
  for (const auto& row : table) {
    if (name == row.name) return row.value;
    legal += (legal.empty() ? "" : ", ") + std::string(row.name);
  }
  throw UsageError(argument, "'" + name + "'", legal);
}

std::int64_t whole_number(const char* argument, const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw UsageError(argument, "'" + text + "'", "a whole number");
  return value;
}

std::string hexadecimal(std::uint64_t value) {
  std::ostringstream text;
  text << "0x" << std::hex << value;
  return text.str();
}

/// A field of a problem: its flag, and how it is printed and read. Adding one is adding a row.
struct Field {
  const char* flag;
  std::function<std::string(const Problem&)> printed;
  std::function<void(Problem&, const std::string&)> read;
  bool may_be_absent = false;  // where it prints as nothing
};

Field text_field(const char* flag, std::string Problem::*member, bool may_be_absent = false) {
  return {flag, [=](const Problem& p) { return p.*member; },
          [=](Problem& p, const std::string& text) { p.*member = text; }, may_be_absent};
}

Field number_field(const char* flag, std::int64_t Problem::*member) {
  return {flag, [=](const Problem& p) { return std::to_string(p.*member); },
          [=](Problem& p, const std::string& text) { p.*member = whole_number(flag, text); }};
}

/// "17..18"; "" where it is everything.
Field span_field(const char* flag, Span Problem::*member) {
  return {flag,
          [=](const Problem& p) {
            const Span span = p.*member;
            return span == Span() ? "" : std::to_string(span.first) + ".." + std::to_string(span.end);
          },
          [=](Problem& p, const std::string& text) {
            const std::size_t dots = text.find("..");
            const UsageError illegal(flag, "'" + text + "'", "FIRST..END, with 0 <= FIRST <= END");
            if (dots == std::string::npos) throw illegal;
            const Span span = {whole_number(flag, text.substr(0, dots)), whole_number(flag, text.substr(dots + 2))};
            if (span.first < 0 || span.end < span.first) throw illegal;
            p.*member = span;
          },
          /*may_be_absent=*/true};
}

const std::vector<Field>& fields() {
  static const std::vector<Field> rows = {
      text_field("--property", &Problem::property),
      text_field("--subject", &Problem::subject),
      number_field("--n", &Problem::n),
      number_field("--k", &Problem::k),
      number_field("--inner-k-tiles", &Problem::inner_k_tiles),
      number_field("--group-size", &Problem::group_size),
      {"--domain", [](const Problem& p) { return name_of(p.domain); },
       [](Problem& p, const std::string& text) { p.domain = value_in(domains, "--domain", text); }},
      {"--out", [](const Problem& p) { return name_of(p.out); },
       [](Problem& p, const std::string& text) { p.out = value_in(types, "--out", text); }},
      text_field("--scales", &Problem::scales),
      text_field("--variant", &Problem::variant, /*may_be_absent=*/true),
      {"--seed", [](const Problem& p) { return hexadecimal(p.seed); },
       [](Problem& p, const std::string& text) { p.seed = seed_of("--seed", text); }},
      {"--experts", [](const Problem& p) { return p.experts == 1 ? "" : std::to_string(p.experts); },
       [](Problem& p, const std::string& text) { p.experts = whole_number("--experts", text); },
       /*may_be_absent=*/true},
      span_field("--codes", &Problem::codes),
      span_field("--parameters", &Problem::parameters),
  };
  return rows;
}

std::string flags_of_fields() {
  std::string flags;
  for (const Field& field : fields()) flags += (flags.empty() ? "" : " ") + std::string(field.flag);
  return flags;
}

}  // namespace

const char* name_of(Domain domain) { return name_in(domains, domain); }
const char* name_of(Type type) { return name_in(types, type); }

std::uint64_t seed_of(const char* argument, const std::string& text) {
  std::uint64_t value = 0;
  const bool prefixed = text.starts_with("0x") || text.starts_with("0X");
  const char* begin = text.data() + (prefixed ? 2 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value, prefixed ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size() || begin == end) {
    throw UsageError(argument, "'" + text + "'", "a number of at most 64 bits, 0x for hexadecimal");
  }
  return value;
}

reference::FloatFormat format_of(Type type) {
  return type == Type::bf16 ? reference::bf16 : type == Type::fp16 ? reference::fp16 : reference::fp32;
}

std::int64_t bytes_of(Type type) { return format_of(type).bits() / 8; }

UsageError::UsageError(const std::string& argument, const std::string& given, const std::string& legal)
    : std::runtime_error(argument + ": given " + given + ", legal is " + legal) {}

std::string line_of(const Problem& problem) {
  std::string line;
  for (const Field& field : fields()) {
    const std::string value = field.printed(problem);
    if (value.empty() && field.may_be_absent) continue;
    line += (line.empty() ? "" : " ") + std::string(field.flag) + "=" + value;
  }
  return line;
}

Problem problem_of(const std::string& line) {
  Problem problem;
  std::istringstream words(line);
  std::vector<const Field*> seen;
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    const std::string flag = word.substr(0, equals);
    const Field* found = nullptr;
    for (const Field& field : fields()) {
      if (flag == field.flag) found = &field;
    }
    if (found == nullptr || equals == std::string::npos) {
      throw UsageError("problem", "'" + word + "'", "FLAG=VALUE with one of " + flags_of_fields());
    }
    for (const Field* earlier : seen) {
      if (earlier == found) throw UsageError("problem", "'" + flag + "' twice", "each flag once");
    }
    seen.push_back(found);
    found->read(problem, word.substr(equals + 1));
  }
  if (problem.property.empty())
    throw UsageError("problem", "no --property", "--property=NAME, see 'tileproof list properties'");
  if (problem.subject.empty())
    throw UsageError("problem", "no --subject", "--subject=NAME, see 'tileproof list subjects'");
  return problem;
}

void require_possible(const Problem& p) {
  const auto given = [](std::int64_t value) { return std::to_string(value); };
  if (p.inner_k_tiles != 2 && p.inner_k_tiles != 4 && p.inner_k_tiles != 8) {
    throw UsageError("--inner-k-tiles", given(p.inner_k_tiles), "2, 4 or 8");
  }
  constexpr std::int64_t most = std::int64_t{1} << 40;  // elements; far beyond any memory, far below overflow
  if (p.n < 0 || p.n > most) throw UsageError("--n", given(p.n), "0 or more, and n * k at most 2^40");
  if (p.k < 0 || p.k % p.supertile_columns() != 0) {
    throw UsageError("--k", given(p.k),
                     "0 or a positive multiple of 16 * inner_k_tiles = " + given(p.supertile_columns()));
  }
  if (p.k > most / (p.n + 1)) throw UsageError("--k", given(p.k), "n * k at most 2^40");
  if (p.experts < 1 || p.experts > most / (p.n * p.k + 1)) {
    throw UsageError("--experts", given(p.experts), "1 or more, and experts * n * k at most 2^40");
  }
  if (p.group_size <= 0 || p.group_size % 16 != 0 || p.k % p.group_size != 0) {
    throw UsageError("--group-size", given(p.group_size), "a positive multiple of 16 that divides k = " + given(p.k));
  }
  require_profile(p.scales);
}

}  // namespace tileproof
