#include "properties/subjects/stated.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>

#include "properties/problem/named.h"

namespace tileproof {

namespace {

constexpr const char* format_name = "FORMAT";
constexpr const char* format_to_name = "FORMAT_TO";
constexpr const char* schemes_name = "SCHEMES";
constexpr const char* types_name = "TYPES";
constexpr const char* group_sizes_name = "GROUP_SIZES";

/// @param given  by --format; "" if it is not given
const Format* stated_format(const std::string& file, const std::string& given, const std::string& stated) {
  if (given.empty() && stated.empty()) {
    throw UsageError(format_name, "none in " + file, "a name of 'tileproof list formats', or --format beside it");
  }
  if (stated.empty()) return format_of("--format", given);
  if (!given.empty() && given != stated) {
    throw UsageError("--format", "'" + given + "'", "the file's own: " + stated);
  }
  return format_of(format_name, stated);
}

/// The format that a file's convert gives; none of a file without convert.
std::vector<const Format*> stated_formats_to(const std::string& file, const Format& format, bool has_convert,
                                             const std::string& stated) {
  if (!has_convert) {
    if (stated.empty()) return {};
    throw UsageError(format_to_name, "'" + stated + "' in " + file, "none of a file without convert");
  }
  if (stated.empty()) {
    throw UsageError(format_to_name, "none in " + file, "a name of 'tileproof list formats', as convert gives it");
  }
  const Format* const format_to = format_of(format_to_name, stated);
  require_convertible(format_name, format, format_to_name, *format_to);
  return {format_to};
}

std::vector<const Scheme*> stated_schemes(const Format& format, const std::vector<std::string>& names) {
  std::vector<const Scheme*> schemes;
  for (const std::string& name : names) schemes.push_back(scheme_of(format, schemes_name, name));
  if (schemes.empty()) schemes.push_back(schemes_of(format).front());
  return schemes;
}

std::optional<std::int64_t> number_in(const std::string& text) {
  std::int64_t number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  return error == std::errc() && end == last ? std::optional(number) : std::nullopt;
}

std::int64_t stated_number(Facts& facts, const char* name, std::int64_t usual) {
  const std::string text = facts.one(name);
  if (text.empty()) return usual;
  const std::optional<std::int64_t> number = number_in(text);
  if (!number || *number < 1 || *number > Capabilities().most_n) {
    throw UsageError(name, "'" + text + "'", "1 to 2^40");
  }
  return *number;
}

}  // namespace

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

Facts::Facts(const std::string& text) {
  for (const std::string& line : lines_of(text)) {
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos) all_[line.substr(0, equals)].push_back(line.substr(equals + 1));
  }
}

std::string Facts::one(const char* name) {
  const std::vector<std::string>& values = all(name);
  if (values.size() > 1)
    throw UsageError(name, "'" + joined(values, ", ", [](const std::string& one) { return one; }) + "'", "one value");
  return values.empty() ? "" : values.front();
}

std::vector<std::string> Facts::names() const {
  std::vector<std::string> all;
  for (const auto& [name, values] : all_) {
    if (!values.empty()) all.push_back(name);
  }
  return all;
}

std::vector<Types> stated_types(const char* argument, const std::vector<const Scheme*>& schemes,
                                const std::vector<std::string>& names) {
  std::vector<Types> legal;
  for (const Types& types : every_types()) {
    if (std::any_of(schemes.begin(), schemes.end(), [&](const Scheme* s) { return has_types(*s, types); })) {
      legal.push_back(types);
    }
  }
  const auto with = [&](const std::string& weight) {
    std::vector<Types> all = legal;
    std::erase_if(all, [&](const Types& types) { return name_of(types.weight) != weight; });
    return all;
  };
  if (names.empty()) {
    const std::vector<Types> usual = with(name_of(Type::fp16));
    return usual.empty() ? std::vector<Types>{legal.front()} : usual;
  }
  std::vector<Types> all;
  for (const std::string& name : names) {
    const std::vector<Types> own = with(name);
    if (own.empty()) {
      std::vector<std::string> weights;
      for (const Types& one : legal) {
        if (!is_in(weights, name_of(one.weight))) weights.emplace_back(name_of(one.weight));
      }
      throw UsageError(argument, "'" + name + "'", joined(weights) + " with " + listed(schemes));
    }
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

void state_group_sizes(Capabilities& takes, const char* argument, const std::vector<std::string>& texts) {
  const Format& format = *takes.formats.front();
  takes.group_sizes.clear();
  for (const std::string& text : texts) {
    const std::optional<std::int64_t> size = number_in(text);
    if (size == -1 && takes_uneven_rows(format)) {
      takes.uneven_rows = true;
      continue;
    }
    if (!size || !format.group_sizes.contains(*size)) {
      throw UsageError(argument, "'" + text + "'",
                       text_of(format.group_sizes) + (takes_uneven_rows(format) ? ", or -1 for one group a row" : ""));
    }
    takes.group_sizes.push_back(*size);
  }
  if (!texts.empty() && takes.group_sizes.empty()) throw UsageError(argument, "'-1'", "-1 beside at least one size");
  for (const std::vector<std::int64_t>& usual : {library_capabilities({}).group_sizes, Capabilities().group_sizes}) {
    if (!takes.group_sizes.empty()) break;
    std::copy_if(usual.begin(), usual.end(), std::back_inserter(takes.group_sizes),
                 [&](std::int64_t size) { return format.group_sizes.contains(size); });
  }
}

Capabilities stated_capabilities(Facts& facts, const std::string& file, const std::string& format) {
  Capabilities takes = library_capabilities({});
  takes.takes_tensors = false;  // of any strides, devices and sizes
  const std::vector<std::string>& names = facts.all("function");
  for (const Operation operation : pointer_operations) {
    if (std::find(names.begin(), names.end(), name_of(operation)) != names.end()) takes.operations.push_back(operation);
  }
  takes.formats = {stated_format(file, format, facts.one(format_name))};
  takes.formats_to =
      stated_formats_to(file, *takes.formats.front(), takes.has(Operation::convert), facts.one(format_to_name));
  takes.schemes = stated_schemes(*takes.formats.front(), facts.all(schemes_name));
  takes.types = stated_types(types_name, takes.schemes, facts.all(types_name));
  state_group_sizes(takes, group_sizes_name, facts.all(group_sizes_name));
  takes.n_multiple = stated_number(facts, "N_MULTIPLE", takes.n_multiple);
  takes.k_multiple = stated_number(facts, "K_MULTIPLE", takes.k_multiple);
  takes.most_n = stated_number(facts, "MAX_N", takes.most_n);
  takes.most_k = stated_number(facts, "MAX_K", takes.most_k);
  return takes;
}

}  // namespace tileproof
