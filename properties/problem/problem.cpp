#include "properties/problem/problem.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <numeric>
#include <sstream>

#include "properties/problem/named.h"
#include "properties/problem/values.h"
#include "reference/formats.h"

namespace tileproof {

namespace scheme {
constinit const Scheme* const floating = reference::row_of_scheme<reference::FloatZeros>;
constinit const Scheme* const integer = reference::row_of_scheme<reference::IntegerZeros>;
constinit const Scheme* const none = reference::row_of_scheme<reference::NoZeros>;
}  // namespace scheme
constinit const Format* const first_format = &reference::formats[0];

namespace {

constexpr Named<Type> types[] = {
    {Type::bf16, "bf16"}, {Type::fp16, "fp16"}, {Type::fp32, "fp32"}, {Type::e8m0, "e8m0"}, {Type::e4m3, "e4m3"}};

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

/// A field of a problem: its flag, and how it is printed and read. To add a field, add a member of Problem and a row.
/// Rows are read in order, because the scheme is looked up in the format.
struct Field {
  const char* flag;
  std::function<std::string(const Problem&)> printed;
  std::function<void(Problem&, const std::string&)> read;
  bool may_be_absent = false;  // the default is not printed
};

Field text_field(const char* flag, std::string Problem::*member, bool may_be_absent = false) {
  return {flag, [=](const Problem& p) { return p.*member; },
          [=](Problem& p, const std::string& text) { p.*member = text; }, may_be_absent};
}

Field number_field(const char* flag, std::int64_t Problem::*member, bool may_be_absent = false) {
  return {flag, [=](const Problem& p) { return std::to_string(p.*member); },
          [=](Problem& p, const std::string& text) { p.*member = whole_number(flag, text); }, may_be_absent};
}

Field type_field(const char* flag, Type Types::*member) {
  return {flag, [=](const Problem& p) { return name_of(p.types.*member); },
          [=](Problem& p, const std::string& text) { p.types.*member = type_of(flag, text); }};
}

/// A span as "17..18".
Field span_field(const char* flag, Span Problem::*member) {
  return {flag,
          [=](const Problem& p) { return std::to_string((p.*member).first) + ".." + std::to_string((p.*member).end); },
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
      {"--format", [](const Problem& p) { return p.format->name; },
       [](Problem& p, const std::string& text) {
         p.format = format_of("--format", text);
         p.scheme = p.format->schemes[0];
       }},
      {"--format-to", [](const Problem& p) { return p.format_to == nullptr ? "" : p.format_to->name; },
       [](Problem& p, const std::string& text) { p.format_to = format_of("--format-to", text); },
       /*may_be_absent=*/true},
      {"--scheme", [](const Problem& p) { return p.scheme->name; },
       [](Problem& p, const std::string& text) { p.scheme = scheme_of(*p.format, "--scheme", text); }},
      number_field("--n", &Problem::n),
      number_field("--k", &Problem::k),
      number_field("--group-size", &Problem::group_size),
      type_field("--weight-type", &Types::weight),
      type_field("--parameter-type", &Types::parameter),
      text_field("--profile", &Problem::profile),
      text_field("--variant", &Problem::variant, /*may_be_absent=*/true),
      {"--seed", [](const Problem& p) { return hexadecimal(p.seed); },
       [](Problem& p, const std::string& text) { p.seed = seed_of("--seed", text); }},
      number_field("--experts", &Problem::experts, /*may_be_absent=*/true),
      span_field("--codes", &Problem::codes),
      span_field("--parameters", &Problem::parameters),
  };
  return rows;
}

}  // namespace

const char* name_of(Type type) { return name_in(types, type); }
Type type_of(const char* argument, const std::string& name) { return value_in(types, argument, name); }

namespace {

template <class Row, class Rows>
std::vector<const Row*> pointers_to(const Rows& rows) {
  std::vector<const Row*> all;
  for (const Row& row : rows) all.push_back(&row);
  return all;
}

}  // namespace

std::vector<const Format*> every_format_there_is() { return pointers_to<Format>(reference::formats); }
std::vector<const Scheme*> every_scheme() { return pointers_to<Scheme>(reference::schemes); }

bool packs_codes_alone(const Format& format) { return !format.schemes[0]->in_blocks; }

std::vector<const Format*> formats_of_codes_alone() {
  std::vector<const Format*> formats = every_format_there_is();
  std::erase_if(formats, [](const Format* format) { return !packs_codes_alone(*format); });
  return formats;
}

void require_convertible(const char* argument, const Format& format, const char* argument_to, const Format& format_to) {
  const auto require = [](const char* of, const Format& given, const Format* other) {
    std::vector<const Format*> legal = formats_of_codes_alone();
    std::erase(legal, other);
    if (std::ranges::find(legal, &given) != legal.end()) return;
    throw UsageError(of, "'" + std::string(given.name) + "'", listed(legal) + ", between which codes are converted");
  };
  require(argument, format, nullptr);
  require(argument_to, format_to, &format);
}

std::vector<const Scheme*> schemes_of(const Format& format) {
  return {format.schemes, format.schemes + format.scheme_count};
}

std::vector<const Scheme*> schemes_of(const Format& format, std::vector<const Scheme*> schemes) {
  std::erase_if(schemes, [&](const Scheme* scheme) { return !format.has(*scheme); });
  return schemes;
}

std::vector<Types> every_types() {
  return {Type::bf16,
          Type::fp16,
          Types(Type::fp32, Type::bf16),
          Types(Type::fp32, Type::fp16),
          Type::fp32,
          Types(Type::bf16, Type::fp32),
          Types(Type::fp16, Type::fp32),
          Types(Type::bf16, Type::e8m0),
          Types(Type::fp16, Type::e8m0),
          Types(Type::fp32, Type::e8m0),
          Types(Type::bf16, Type::e4m3),
          Types(Type::fp16, Type::e4m3),
          Types(Type::fp32, Type::e4m3)};
}

bool has_types(const Scheme& scheme, Types types) {
  switch (scheme.weight_type) {
    case reference::WeightType::of_parameters:
      return types.weight == types.parameter;
    case reference::WeightType::always_fp32:
      return types.weight == Type::fp32 && bytes_of(types.parameter) > 1;
    case reference::WeightType::fp32_of_fp16:
      return types == Types(Type::fp32, Type::fp16);
    case reference::WeightType::fp32_of_e8m0:
      return types == Types(Type::fp32, Type::e8m0);
    case reference::WeightType::any_of_fp32:
      return types.parameter == Type::fp32;
    case reference::WeightType::any_of_e8m0:
      return types.parameter == Type::e8m0;
    case reference::WeightType::any_of_e4m3:
      return types.parameter == Type::e4m3;
  }
  return false;
}

std::vector<Types> types_of(const Scheme& scheme, std::vector<Types> types) {
  std::erase_if(types, [&](Types one) { return !has_types(scheme, one); });
  return types;
}

std::vector<const Scheme*> schemes_with(Zero zero_kind) {
  std::vector<const Scheme*> all = every_scheme();
  std::erase_if(all, [=](const Scheme* scheme) { return scheme->zero_kind != zero_kind; });
  return all;
}

std::vector<const Scheme*> schemes_with_zeros() {
  std::vector<const Scheme*> all = every_scheme();
  std::erase_if(all, [](const Scheme* scheme) { return scheme->zero_kind == Zero::none; });
  return all;
}

std::string listed(const std::vector<const Format*>& formats) {
  return joined(formats, ", ", [](const Format* format) { return format->name; });
}
std::string listed(const std::vector<const Scheme*>& schemes) {
  return joined(schemes, ", ", [](const Scheme* scheme) { return scheme->name; });
}

const Format* format_of(const char* argument, const std::string& name) {
  if (const Format* format = reference::format_named(name)) return format;
  throw UsageError(argument, "'" + name + "'", listed(every_format_there_is()));
}

const Scheme* scheme_of(const Format& format, const char* argument, const std::string& name) {
  if (const Scheme* scheme = format.scheme_named(name)) return scheme;
  throw UsageError(argument, "'" + name + "'", listed(schemes_of(format)) + " for the format " + format.name);
}

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

reference::FloatFormat float_format_of(Type type) {
  constexpr reference::FloatFormat formats[] = {reference::bf16, reference::fp16, reference::fp32, reference::e8m0,
                                                reference::e4m3};
  return formats[static_cast<int>(type)];
}

std::string name_of(Types types) {
  if (types.weight == types.parameter) return name_of(types.weight);
  return std::string(name_of(types.weight)) + " of " + name_of(types.parameter);
}

std::int64_t bytes_of(Type type) { return float_format_of(type).bits() / 8; }

UsageError::UsageError(const std::string& argument, const std::string& given, const std::string& legal)
    : std::runtime_error(argument + ": given " + given + ", legal is " + legal) {}

std::int64_t k_unit(const Format& format, std::int64_t group_size, std::int64_t k_multiple, const Format* format_to) {
  std::int64_t unit = std::lcm(format.layout.legal.k, k_multiple);
  if (format_to != nullptr) unit = std::lcm(unit, format_to->layout.legal.k);
  return format.groups_divide_rows ? std::lcm(unit, group_size) : unit;
}

Size least_full_size(const Format& format) {
  Size size = format.layout.padded({format.layout.legal.n, format.layout.legal.k});
  while (has_padding(format, size)) size.k += format.layout.legal.k;
  return size;
}

bool has_padding(const Format& format, Size size) {
  return packs_codes_alone(format) && format.layout.slots(size) != size.n * size.k;
}

bool takes_uneven_rows(const Format& format) {
  const std::int64_t least = format.layout.legal.k;
  return format.groups_divide_rows && least % 16 != 0 && format.group_sizes.contains(least);
}

std::int64_t n_unit(const Format& format, std::int64_t n_multiple, const Format* format_to) {
  const std::int64_t unit = std::lcm(format.layout.legal.n, n_multiple);
  return format_to == nullptr ? unit : std::lcm(unit, format_to->layout.legal.n);
}

std::string line_of(const Problem& problem) {
  static const Problem plain;
  std::string line;
  for (const Field& field : fields()) {
    const std::string value = field.printed(problem);
    if (field.may_be_absent && value == field.printed(plain)) continue;
    line += (line.empty() ? "" : " ") + std::string(field.flag) + "=" + value;
  }
  return line;
}

Problem problem_of(const std::string& line) {
  Problem problem;
  std::istringstream words(line);
  std::map<const Field*, std::string> given;
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    const std::string flag = word.substr(0, equals);
    const Field* found = nullptr;
    for (const Field& field : fields()) {
      if (flag == field.flag) found = &field;
    }
    if (found == nullptr || equals == std::string::npos) {
      const std::string flags = joined(fields(), " ", [](const Field& field) { return field.flag; });
      throw UsageError("problem", "'" + word + "'", "FLAG=VALUE with one of " + flags);
    }
    if (!given.emplace(found, word.substr(equals + 1)).second) {
      throw UsageError("problem", "'" + flag + "' twice", "each flag once");
    }
  }
  for (const Field& field : fields()) {
    if (const auto value = given.find(&field); value != given.end()) field.read(problem, value->second);
  }
  if (problem.property.empty())
    throw UsageError("problem", "no --property", "--property=NAME, see 'tileproof list properties'");
  if (problem.subject.empty())
    throw UsageError("problem", "no --subject", "--subject=NAME, see 'tileproof list subjects'");
  return problem;
}

std::string text_of(const reference::GroupSizes& sizes) {
  if (sizes.only[0] == 0) {
    return sizes.multiple_of == 1 ? "a positive number" : "a positive multiple of " + std::to_string(sizes.multiple_of);
  }
  std::vector<std::int64_t> listed(std::begin(sizes.only), std::end(sizes.only));
  std::erase(listed, 0);
  return joined(listed, ", ", [](std::int64_t size) { return std::to_string(size); });
}

namespace {

void require_multiple(const char* argument, std::int64_t given, std::int64_t unit, const Format& format) {
  if (given >= 0 && given % unit == 0) return;
  throw UsageError(argument, std::to_string(given),
                   unit == 1
                       ? "0 or more"
                       : "0 or a positive multiple of " + std::to_string(unit) + ", as " + format.name + " has it");
}

}  // namespace

void require_possible(const Problem& p) {
  const auto given = [](std::int64_t value) { return std::to_string(value); };
  if (!p.format->has(*p.scheme)) {
    throw UsageError("--scheme", std::string("'") + p.scheme->name + "'",
                     std::string("one of the format ") + p.format->name);
  }
  if (!has_types(*p.scheme, p.types)) {
    const std::vector<Types> legal = types_of(*p.scheme, every_types());
    throw UsageError("--weight-type and --parameter-type", name_of(p.types),
                     joined(legal, ", ", [](Types each) { return name_of(each); }) + " for the scheme " +
                         p.scheme->name + " of " + p.format->name);
  }
  std::vector<const Format*> formats = {p.format};
  if (p.format_to != nullptr) {
    require_convertible("--format", *p.format, "--format-to", *p.format_to);
    formats.push_back(p.format_to);
  }
  for (const Format* format : formats) require_multiple("--n", p.n, format->layout.legal.n, *format);
  for (const Format* format : formats) require_multiple("--k", p.k, format->layout.legal.k, *format);
  constexpr std::int64_t most = std::int64_t{1} << 40;  // elements: far more than any memory holds, far from overflow
  if (p.n > most) throw UsageError("--n", given(p.n), "0 or more, and n * k at most 2^40");
  if (p.k > most / (p.n + 1)) throw UsageError("--k", given(p.k), "n * k at most 2^40");
  if (p.experts < 1 || p.experts > most / (p.n * p.k + 1)) {
    throw UsageError("--experts", given(p.experts), "1 or more, and experts * n * k at most 2^40");
  }
  const auto require_within_data = [&](const char* flag, Span span, std::int64_t elements) {
    if (span.end <= elements || span.end == Span::all) return;
    throw UsageError(flag, given(span.first) + ".." + given(span.end),
                     "FIRST..END within the " + given(elements) + " that the problem has");
  };
  require_within_data("--codes", p.codes, p.experts * p.n * p.k);
  const bool divides = !p.format->groups_divide_rows || (p.group_size > 0 && p.k % p.group_size == 0);
  if (!p.format->group_sizes.contains(p.group_size) || !divides) {
    throw UsageError(
        "--group-size", given(p.group_size),
        text_of(p.format->group_sizes) + (p.format->groups_divide_rows ? " that divides k = " + given(p.k) : ""));
  }
  require_within_data("--parameters", p.parameters, p.experts * p.group_count());
  static_cast<void>(profile_of(p.profile));
}

}  // namespace tileproof
