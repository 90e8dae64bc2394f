#include "properties/timing/timing.h"

#include <algorithm>
#include <regex>

#include "built_without_cuda.h"
#include "kernels/arguments.h"
#include "properties/case/case.h"
#include "properties/subjects/rows.h"
#include "properties/timing/rows.h"
#include "reference/formats.h"

namespace tileproof {

namespace {

/// The types of weights and parameters: of a scheme whose parameters have one of their own, that.
Types types_of(const Timed& t) {
  for (const Types types : every_types()) {
    if (types.weight == t.type && has_types(*t.scheme, types)) return types;
  }
  return t.type;
}

/// The operation of one expert, without tensors.
Call call_of(const Timed& t) {
  return {.operation = t.operation,
          .format = t.format,
          .format_to = t.format_to,
          .scheme = t.scheme,
          .types = types_of(t),
          .n = t.shape.n,
          .k = t.shape.k,
          .group_size = t.group_size};
}

std::string text_of(const Shape& shape) {
  return (shape.experts > 1 ? std::to_string(shape.experts) + "x" : "") + std::to_string(shape.n) + "x" +
         std::to_string(shape.k);
}

std::vector<TimedKind> kinds(bool on_a_gpu) {
  const std::vector<const Format*> widest = {tinygemm(8)};
  std::vector<TimedKind> all;
  if (!on_a_gpu) all.push_back({.operation = Operation::pack});
  all.push_back({.operation = Operation::unpack});
  all.push_back({.operation = Operation::dequantize});
  // All others at the largest shape only; first the other types and the other domains.
  const auto add = [&](TimedKind kind) {
    kind.at_largest_alone = true;
    all.push_back(kind);
  };
  for (const Type type : {Type::fp16, Type::fp32}) {
    add({.operation = Operation::dequantize, .type = type, .formats = widest});
  }
  for (const Scheme* scheme : {scheme::integer, scheme::none}) {
    add({.operation = Operation::dequantize, .scheme = scheme, .formats = widest});
  }
  std::vector<const Format*> others;
  for (const char* name : {"plain", "plain-int32", "gptq", "marlin", "awq", "int4pack-cpu-avx512"}) {
    others.push_back(format_of("format", name));
  }
  const auto convert = [&](const std::vector<const Format*>& formats, const std::vector<const Format*>& formats_to) {
    all.push_back({.operation = Operation::convert, .formats = formats, .formats_to = formats_to});
  };
  convert(widest, others);
  convert(others, widest);
  if (!on_a_gpu) return all;
  const std::vector<const Format*> narrower = {tinygemm(2), tinygemm(4)};
  for (const auto& [formats, formats_to] : {std::pair(narrower, others), std::pair(others, narrower)}) {
    add({.operation = Operation::convert, .formats = formats, .formats_to = formats_to});
  }
  for (const auto& [name, type, group_size] :
       {std::tuple("awq", Type::fp16, 128), std::tuple("gptq", Type::fp16, 128), std::tuple("nf4", Type::bf16, 64),
        std::tuple("nf4", Type::fp32, 64), std::tuple("q4_0", Type::fp32, 32), std::tuple("q4_k", Type::fp32, 32)}) {
    const Format* const format = format_of("format", name);
    all.push_back({.operation = Operation::dequantize,
                   .type = type,
                   .scheme = schemes_of(*format).front(),
                   .group_size = group_size,
                   .formats = {format}});
  }
  add({.operation = Operation::dequantize, .group_size = 32, .formats = widest});
  add({.operation = Operation::pack});
  add({.operation = Operation::unpack, .formats = widest, .experts = 8});
  add({.operation = Operation::dequantize, .formats = widest, .experts = 8});
  return all;
}

/// Why the operation is not possible for a shape, or "".
std::string why_illegal(const Timed& t) {
  const bool is_convert = t.operation == Operation::convert;
  if (is_convert || !is_tinygemm(*t.format)) {
    const Size unit = {n_unit(*t.format, 1, t.format_to),
                       k_unit(*t.format, is_convert ? 1 : t.group_size, 1, t.format_to)};
    if (t.shape.n % unit.n == 0 && t.shape.k % unit.k == 0) return "";
    return "n: given " + std::to_string(t.shape.n) + ", legal is a multiple of " + std::to_string(unit.n) +
           ", and k: given " + std::to_string(t.shape.k) + ", legal is a multiple of " + std::to_string(unit.k);
  }
  if (const auto refusal = kernels::validate_shape(t.shape.n, t.shape.k, tinygemm_number(*t.format), t.shape.experts)) {
    return refusal->text();
  }
  if (t.operation != Operation::dequantize) return "";
  const auto refusal = kernels::validate_group_size(t.shape.k, t.group_size);
  return refusal ? refusal->text() : "";
}

/// The codes of an expert as words, each of which encodes its place. Padding rows are packed as code 0, which such
/// words do not hold, so pack gets other codes for a shape with padding; and convert, whose words are two formats'.
generated::Codes codes_of(const Timed& t, std::int64_t expert) {
  const Size size = {t.shape.n, t.shape.k};
  const bool has_padding = t.format->layout.padded(size) != size;
  const bool has_other_words =
      t.operation == Operation::convert || !is_tinygemm(*t.format) || (t.operation == Operation::pack && has_padding);
  return {.kind = has_other_words ? generated::Codes::Kind::drawn : generated::Codes::Kind::every_word,
          .n = t.shape.n,
          .k = t.shape.k,
          .format = index_of(*t.format),
          .first = static_cast<std::uint32_t>(expert) * 0x9e3779b9u,
          .swizzle = 0x5a3c96e1u};
}

generated::Parameters parameters_of(const Timed& t, std::int64_t expert) {
  Problem problem;
  problem.format = t.format;
  problem.scheme = t.scheme;
  problem.types = types_of(t);
  problem.n = t.shape.n;
  problem.k = t.shape.k;
  problem.group_size = t.group_size;
  generated::Parameters parameters = generated::parameters_of(problem, generated::Parameters::Kind::ordinary);
  const Size groups = problem.groups();
  parameters.first = static_cast<std::uint64_t>(expert * groups.n * groups.k);
  return parameters;
}

}  // namespace

#if !defined(TILEPROOF_HAS_CUDA)
MadeTimer make_cuda_timer() { return {nullptr, built_without_cuda}; }
#endif

#if defined(TILEPROOF_TORCH_TIMER)
/// Loads the timer of the PyTorch operators from its library, so that nothing else loads torch.
MadeTimer make_torch_timer() {
  if (const MadeTimer cuda = make_cuda_timer(); cuda.timer == nullptr) return {nullptr, cuda.why_not};
  const auto make =
      entry_point<Timer* (*)()>(TILEPROOF_TORCH_TIMER, "tileproof_torch_timer", "the torch timer does not load");
  return {std::unique_ptr<Timer>(make())};
}
#else
MadeTimer make_torch_timer() { return {nullptr, "built without torch, or without CUDA"}; }
#endif

std::string name_of(const Timed& t) {
  std::string name = t.where + " " + name_of(t.operation);
  if (t.operation == Operation::dequantize) name += std::string(" ") + name_of(t.type) + " " + t.scheme->name;
  name += " " + text_of(t.shape) + " " + t.format->name;
  if (t.format_to != nullptr) name += std::string(" to ") + t.format_to->name;
  if (t.operation == Operation::dequantize) name += " group=" + std::to_string(t.group_size);
  return name + (t.cold ? " cold" : " warm");
}

std::int64_t bytes_of(const Timed& timed) {
  std::size_t bytes = 0;
  for (const auto& tensor : TimedTensors::tensors_of(timed)) bytes += tensor.bytes(timed.shape.experts);
  return static_cast<std::int64_t>(bytes);
}

std::vector<TimedTensors::Tensor> TimedTensors::tensors_of(const Timed& timed) {
  const Call call = call_of(timed);
  std::vector<Tensor> tensors;
  for (const RoleRow& row : roles_of(call.operation)) {
    if (const auto form = form_of(call, row)) tensors.push_back({row.role, *form});
  }
  return tensors;
}

GeneratedTensor TimedTensors::holds(const Tensor& tensor, std::int64_t expert) const {
  const generated::Parameters parameters = parameters_of(timed_, expert);
  generated::Codes codes = codes_of(timed_, expert);
  if (tensor.role == Role::converted) codes = generated::in_format(*timed_.format_to, codes);
  return formula_of(tensor.role, timed_.format->result, timed_.type, codes, parameters);
}

TimedTensors::TimedTensors(const Timed& timed, Memory& memory)
    : timed_(timed), memory_(memory), tensors_(tensors_of(timed)), bytes_(bytes_of(timed)) {
  constexpr std::size_t alignment = 256;
  const auto aligned = [](std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; };
  const std::size_t half = aligned((static_cast<std::size_t>(bytes_) + 1) / 2);
  std::size_t all = 2 * half;
  for (const Tensor& tensor : tensors_) all += aligned(tensor.bytes(timed.shape.experts));
  auto* next = static_cast<std::uint8_t*>(memory.arena(all));
  memory.allow(next, all);
  for (Tensor& tensor : tensors_) {
    tensor.at = next;
    next += aligned(tensor.bytes(timed.shape.experts));
    for (std::int64_t expert = 0; expert < timed.shape.experts; ++expert) {
      // No code, a NaN that arithmetic never makes, and equal to at most one packed word.
      constexpr std::uint32_t poison = 0xffa5ffa5u;
      const bool is_output = &tensor == &tensors_.back();
      const GeneratedTensor holds =
          is_output ? GeneratedTensor(generated::Constant{poison, tensor.form.elements}) : this->holds(tensor, expert);
      memory.write(holds, tensor.element_bytes(), tensor.of(expert));
    }
  }
  room_ = next;
  second_half_ = next + half;
}

Call TimedTensors::call() const {
  Call call = call_of(timed_);
  for (const Tensor& tensor : tensors_) call.at(tensor.role) = tensor.at;
  return call;
}

std::string TimedTensors::wrong() const {
  const Tensor& output = tensors_.back();
  std::int64_t wrong = 0;
  std::string first;
  for (std::int64_t expert = 0; expert < timed_.shape.experts; ++expert) {
    const std::int64_t before = expert * output.form.elements;
    const GeneratedTensor holds = this->holds(output, expert);
    const Differences differences = memory_.compare(holds, output.element_bytes(), output.of(expert));
    if (wrong == 0 && differences.wrong != 0) {
      const Differences::One& one = differences.listed.front();
      const int digits = static_cast<int>(2 * output.element_bytes());
      first = "element " + std::to_string(before + one.index) + ": expected " +
              hex_text(element_of(holds, one.index), digits) + ", got " + hex_text(one.got, digits);
    }
    wrong += differences.wrong;
  }
  if (wrong == 0) return "";
  return std::to_string(wrong) + " of " + std::to_string(output.form.elements * timed_.shape.experts) +
         " elements are wrong, the first is " + first;
}

const std::vector<TimerRow>& timers() {
  static const std::vector<TimerRow> rows = {
      // the kernels by as many threads as there are cores, beside memcpy and memset by as many
      {"host", false, {"host"}, {{4096, 4096}}, kinds(/*on_a_gpu=*/false), false, "host", make_host_timer},
      // beside a copy and a fill of the GPU's memory
      {"cuda",
       true,
       {"cuda"},
       {{32768, 32768}, {14336, 4096}, {4096, 4096}},
       kinds(/*on_a_gpu=*/true),
       true,
       "cuda",
       make_cuda_timer},
      // the operator called, and replayed in a graph; beside a copy, a fill, and aten's matmul with an identity matrix
      {"torch",
       true,
       {"torch-cuda", "torch-cuda-graph"},
       {{4096, 4096}},
       {{.operation = Operation::dequantize}},
       false,
       "",
       make_torch_timer},
  };
  return rows;
}

std::vector<Timed> timed_rows(const TimerRow& row, const std::vector<Shape>& given, std::vector<std::string>& skipped) {
  const std::vector<Shape>& shapes = given.empty() ? row.usual_shapes : given;
  const auto less = [](const Shape& a, const Shape& b) { return a.n * a.k < b.n * b.k; };
  const Shape largest = *std::max_element(shapes.begin(), shapes.end(), less);
  std::vector<Timed> rows;
  const auto add = [&](const Timed& timed) {
    const std::string why = why_illegal(timed);
    if (why.empty()) {
      rows.push_back(timed);
    } else if (!timed.cold) {
      skipped.push_back(name_of(timed) + ": " + why);
    }
  };
  for (const TimedKind& kind : row.kinds) {
    std::vector<Shape> of_kind = kind.at_largest_alone ? std::vector<Shape>{largest} : shapes;
    if (kind.experts > 1) {
      // With shapes given by the user, time a batch of the smallest of them, not a larger shape.
      of_kind = {given.empty() ? shape_of_expert : *std::min_element(shapes.begin(), shapes.end(), less)};
      of_kind.front().experts = kind.experts;
    }
    for (const Shape& shape : of_kind) {
      for (const Format* format : kind.formats) {
        for (const Format* format_to : kind.formats_to) {
          for (const std::string& where : row.where) {
            Timed timed = {where, kind.operation,         shape, format, kind.group_size, kind.scheme, kind.type,
                           false, /*format_to=*/format_to};
            add(timed);
            timed.cold = true;
            if (row.has_cold && format_to == nullptr) add(timed);
          }
        }
      }
    }
  }
  return rows;
}

std::vector<Shape> shapes_of(const char* argument, const std::string& text) {
  const auto refuse = [&](const std::string& given) {
    throw UsageError(argument, "'" + given + "'", "NxK or several, such as 32768x32768,14336x4096, of at least 1x32");
  };
  std::vector<Shape> shapes;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    const std::string one = text.substr(begin, comma - begin);
    begin = comma + 1;
    static const std::regex form("([0-9]{1,18})x([0-9]{1,18})");
    std::smatch sizes;
    if (!std::regex_match(one, sizes, form)) refuse(one);
    const Shape shape = {std::stoll(sizes[1]), std::stoll(sizes[2])};
    // 2^40 elements: a machine can have memory for that many codes.
    constexpr std::int64_t most_elements = std::int64_t{1} << 40;
    if (shape.n < 1 || shape.k < 32 || shape.n > most_elements / shape.k) refuse(one);
    const bool again = std::any_of(shapes.begin(), shapes.end(),
                                   [&](const Shape& other) { return other.n == shape.n && other.k == shape.k; });
    if (again) throw UsageError(argument, "'" + one + "' twice", "each shape once");
    shapes.push_back(shape);
  }
  return shapes;
}

}  // namespace tileproof
