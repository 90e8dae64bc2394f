#include "properties/subjects/operator_mapping.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <regex>

#include "properties/problem/named.h"

namespace tileproof {

namespace {

constexpr const char* map_flag = "--map";
constexpr const char* form_of_line = "OPERATION = OPERATOR(ARGUMENT, ...), behind it perhaps -> RESULT[n][k]";

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// Cuts a list at its commas, but for those in a quoted text.
std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts(1);
  bool is_quoted = false;
  for (const char letter : list) {
    if (letter == '"') is_quoted = !is_quoted;
    if (letter == ',' && !is_quoted) {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  for (std::string& part : parts) part = trimmed(part);
  if (parts.size() == 1 && parts.front().empty()) parts.clear();
  return parts;
}

/// @return nothing if the text is neither a name nor a literal
std::optional<MappedArgument> argument_in(const std::string& text) {
  using Kind = MappedArgument::Kind;
  static const std::regex keyword(R"(([A-Za-z_]\w*)\s*=\s*(.+))"), name(R"([A-Za-z_]\w*)"), integer(R"(-?\d{1,18})"),
      real(R"(-?\d+\.\d*(e-?\d+)?|-?\d+e-?\d+)"), quoted(R"("[^"]*")");
  std::smatch parts;
  MappedArgument argument;
  std::string value = text;
  if (std::regex_match(text, parts, keyword)) {
    argument.keyword = parts[1];
    value = parts[2];
  }
  argument.value = value;
  if (value == "true" || value == "false") {
    argument.kind = Kind::boolean;
  } else if (value == "none") {
    argument.kind = Kind::none;
  } else if (std::regex_match(value, name)) {
    argument.kind = Kind::named;
  } else if (std::regex_match(value, integer)) {
    argument.kind = Kind::integer;
  } else if (std::regex_match(value, real)) {
    argument.kind = Kind::real;
  } else if (std::regex_match(value, quoted)) {
    argument.kind = Kind::text;
    argument.value = value.substr(1, value.size() - 2);
  } else {
    return std::nullopt;
  }
  return argument;
}

/// The names of a scheme's tensors.
std::vector<std::string> tensor_names(const Scheme& scheme) {
  std::vector<std::string> names;
  for (int i = 0; i < scheme.tensor_count; ++i) names.emplace_back(scheme.tensors[i].role);
  return names;
}

/// The tensors that an operation may take.
std::vector<std::string> tensor_names(Operation operation, const Format& format) {
  if (operation == Operation::pack) return {"codes", "pairs"};
  std::vector<std::string> names = {"packed"};
  if (operation != Operation::dequantize) return names;
  for (const Scheme* scheme : schemes_of(format)) {
    for (const std::string& name : tensor_names(*scheme)) {
      if (!is_in(names, name)) names.push_back(name);
    }
  }
  return names;
}

/// One line of a mapping, while it is read.
class MapLine {
 public:
  MapLine(const std::string& line, const Format& format) : line_(line), format_(format) {}

  MappedOperation read() const {
    static const std::regex of_line(
        R"re(([^=()]*?)\s*=\s*([^()=]*?)\s*\(((?:[^()"]|"[^"]*")*)\)\s*(?:->\s*(\w+)\s*((?:\[\w*\])*))?)re");
    constexpr std::size_t longest = 1000;  // std::regex needs stack by the letter
    std::smatch parts;
    if (line_.size() > longest || !std::regex_match(line_, parts, of_line)) {
      throw UsageError(map_flag, "'" + line_.substr(0, longest) + "'", form_of_line);
    }
    MappedOperation mapped = {operation(parts[1]), parts[2], {}, false, line_};
    if (!std::regex_match(mapped.op, std::regex(R"([A-Za-z_]\w*(\.\w+)?)"))) {
      throw wrong(mapped.op, "the name of an operator in the namespace that --namespace says");
    }
    if (mapped.operation == Operation::pack && !packs_codes_alone(format_)) {
      throw wrong("pack", std::string("unpack or dequantize: what ") + format_.name + " packs holds parameters too");
    }
    for (const std::string& part : parts_of(parts[3])) mapped.arguments.push_back(argument(part, mapped.operation));
    require_tensors(mapped);
    if (parts[4].matched) mapped.is_transposed = is_transposed(mapped.operation, parts[4], parts[5]);
    return mapped;
  }

 private:
  UsageError wrong(const std::string& what, const std::string& legal) const {
    return UsageError(map_flag, "'" + what + "' in '" + line_ + "'", legal);
  }

  Operation operation(const std::string& name) const {
    for (const Operation one : mapped_operations) {
      if (name == name_of(one)) return one;
    }
    throw wrong(name, joined(mapped_operations, ", ", [](Operation one) { return std::string(name_of(one)); }));
  }

  MappedArgument argument(const std::string& text, Operation operation) const {
    std::vector<std::string> names = {"n", "k", "group_size"};
    if (operation == Operation::dequantize) names.emplace_back("dtype");
    const std::string legal = "of " + std::string(name_of(operation)) + " in " + format_.name + ": a tensor (" +
                              joined(tensor_names(operation, format_)) + "), " + joined(names) +
                              ", or a literal (1, 0.5, true, false, none, \"text\")";
    const std::optional<MappedArgument> argument = argument_in(text);
    if (!argument) throw wrong(text, legal);
    if (argument->kind != MappedArgument::Kind::named) return *argument;
    if (!is_in(names, argument->value) && !is_in(tensor_names(operation, format_), argument->value)) {
      throw wrong(argument->value, legal);
    }
    return *argument;
  }

  void require_tensors(const MappedOperation& mapped) const {
    const std::vector<std::string> tensors = tensor_names(mapped.operation, format_);
    std::vector<std::string> given;
    for (const MappedArgument& argument : mapped.arguments) {
      if (argument.kind != MappedArgument::Kind::named || !is_in(tensors, argument.value)) continue;
      if (is_in(given, argument.value)) throw wrong(argument.value, "each tensor once");
      given.push_back(argument.value);
    }
    if (mapped.operation == Operation::pack && given.size() != 1) {
      throw UsageError(map_flag, "'" + line_ + "' with " + (given.empty() ? "no codes" : "codes and pairs"),
                       "codes (uint8 [n][k]) or pairs (uint8 [n][ceil(k/2)]) among the arguments");
    }
    if (mapped.operation != Operation::pack && !is_in(given, "packed")) {
      throw UsageError(map_flag, "'" + line_ + "' without packed", "packed among the arguments");
    }
  }

  bool is_transposed(Operation operation, const std::string& result, const std::string& order) const {
    const std::string own = operation == Operation::pack     ? "packed"
                            : operation == Operation::unpack ? "codes"
                                                             : "weights";
    if (result != own) throw wrong(result, own);
    if (order.empty()) return false;
    if (own == "packed") throw wrong(result + order, "packed without an order, which is the format's");
    const bool is_k_n = order == "[k][n]";
    if (!is_k_n && order != "[n][k]") throw wrong(result + order, own + "[n][k] or " + own + "[k][n]");
    return is_k_n != (operation == Operation::dequantize && format_.result == reference::ResultOrder::k_n);
  }

  const std::string& line_;
  const Format& format_;
};

}  // namespace

std::vector<std::string> MappedOperation::names() const {
  std::vector<std::string> all;
  for (const MappedArgument& argument : arguments) {
    if (argument.kind == MappedArgument::Kind::named && !is_in(all, argument.value)) all.push_back(argument.value);
  }
  return all;
}

std::vector<std::string> lines_of_map(const std::string& file_or_line) {
  std::vector<std::string> lines;
  const bool is_file = std::filesystem::is_regular_file(file_or_line);
  if (!is_file && file_or_line.find_first_of("=(") != std::string::npos) return {trimmed(file_or_line)};
  const std::string legal = std::string("a file of lines, or a line: ") + form_of_line;
  std::ifstream file(file_or_line);
  if (!is_file || !file) {
    throw UsageError(map_flag, "'" + file_or_line + "' (there is no such file that can be read)", legal);
  }
  for (std::string line; std::getline(file, line);) {
    line = trimmed(line);
    if (!line.empty() && line.front() != '#') lines.push_back(line);
  }
  if (lines.empty()) throw UsageError(map_flag, "'" + file_or_line + "' (the file has no line)", legal);
  return lines;
}

std::vector<MappedOperation> mapping_of(const std::vector<std::string>& lines, const Format& format) {
  std::vector<MappedOperation> mapping;
  for (const std::string& line : lines) {
    MappedOperation next = MapLine(line, format).read();
    for (const MappedOperation& one : mapping) {
      if (one.operation != next.operation) continue;
      throw UsageError(map_flag, "'" + line + "' beside '" + one.line + "'",
                       std::string("one line for ") + name_of(next.operation));
    }
    mapping.push_back(std::move(next));
  }
  return mapping;
}

const Scheme* scheme_of(const std::vector<MappedOperation>& mapping, const Format& format) {
  const std::vector<const Scheme*> schemes = schemes_of(format);
  const auto dequantize = std::find_if(mapping.begin(), mapping.end(), [](const MappedOperation& one) {
    return one.operation == Operation::dequantize;
  });
  if (dequantize == mapping.end()) return schemes.front();
  std::vector<std::string> given;
  for (const std::string& name : dequantize->names()) {
    if (name != "packed" && is_in(tensor_names(Operation::dequantize, format), name)) given.push_back(name);
  }
  for (const Scheme* scheme : schemes) {
    const std::vector<std::string> own = tensor_names(*scheme);
    if (std::is_permutation(own.begin(), own.end(), given.begin(), given.end())) return scheme;
  }
  const std::string legal = joined(schemes, "; or ", [](const Scheme* scheme) {
    return joined(tensor_names(*scheme)) + " (the scheme " + scheme->name + ")";
  });
  throw UsageError(map_flag, "'" + dequantize->line + "' with " + (given.empty() ? "packed alone" : joined(given)),
                   "beside packed all of: " + legal);
}

}  // namespace tileproof
