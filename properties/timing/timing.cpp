#include "properties/timing/timing.h"

#include <algorithm>
#include <charconv>

#include "built_without_cuda.h"
#include "kernels/arguments.h"
#include "properties/case/case.h"
#include "properties/timing/rows.h"

namespace tileproof {

namespace {

/// The operation of one expert, without tensors.
Call call_of(const Timed& t) {
  return {.operation = t.operation,
          .format = t.format,
          .scheme = t.scheme,
          .types = t.type,
          .n = t.shape.n,
          .k = t.shape.k,
          .group_size = t.group_size};
}

std::string text_of(const Shape& shape) {
  return (shape.experts > 1 ? std::to_string(shape.experts) + "x" : "") + std::to_string(shape.n) + "x" +
         std::to_string(shape.k);
}

std::vector<TimedKind> joined(std::vector<TimedKind> kinds, const std::vector<TimedKind>& more) {
  kinds.insert(kinds.end(), more.begin(), more.end());
  return kinds;
}

/// Dequantize to the other types and in the other domains, at the largest shape only.
const std::vector<TimedKind>& other_weights() {
  static const std::vector<TimedKind> kinds = {
      {.operation = Operation::dequantize, .type = Type::fp16, .formats = {tinygemm(8)}, .at_largest_alone = true},
      {.operation = Operation::dequantize, .type = Type::fp32, .formats = {tinygemm(8)}, .at_largest_alone = true},
      {.operation = Operation::dequantize,
       .scheme = scheme::integer,
       .formats = {tinygemm(8)},
       .at_largest_alone = true},
      {.operation = Operation::dequantize, .scheme = scheme::none, .formats = {tinygemm(8)}, .at_largest_alone = true},
  };
  return kinds;
}

const std::vector<TimedKind>& kinds_on_a_gpu() {
  static const std::vector<TimedKind> at_largest = {
      {.operation = Operation::dequantize, .group_size = 32, .formats = {tinygemm(8)}, .at_largest_alone = true},
      {.operation = Operation::pack, .at_largest_alone = true},
      {.operation = Operation::unpack, .formats = {tinygemm(8)}, .at_largest_alone = true, .experts = 8},
      {.operation = Operation::dequantize, .formats = {tinygemm(8)}, .at_largest_alone = true, .experts = 8},
  };
  static const std::vector<TimedKind> kinds = joined(
      joined({{.operation = Operation::unpack}, {.operation = Operation::dequantize}}, other_weights()), at_largest);
  return kinds;
}

const std::vector<TimedKind>& kinds_on_the_host() {
  static const std::vector<TimedKind> kinds =
      joined({{.operation = Operation::pack}, {.operation = Operation::unpack}, {.operation = Operation::dequantize}},
             other_weights());
  return kinds;
}

/// Why the operation is not possible for a shape, or "".
std::string why_illegal(const Timed& t) {
  if (const auto refusal = kernels::validate_shape(t.shape.n, t.shape.k, tinygemm_number(*t.format), t.shape.experts)) {
    return refusal->text();
  }
  if (t.operation != Operation::dequantize) return "";
  const auto refusal = kernels::validate_group_size(t.shape.k, t.group_size);
  return refusal ? refusal->text() : "";
}

/// The codes of an expert as words, each of which encodes its place. Padding rows are packed as code 0, which such
/// words do not hold, so pack gets other codes for a shape with padding.
generated::Codes codes_of(const Timed& t, std::int64_t expert) {
  const Size size = {t.shape.n, t.shape.k};
  const bool has_padding = t.format->layout.padded(size) != size;
  return {.kind = t.operation == Operation::pack && has_padding ? generated::Codes::Kind::digit
                                                                : generated::Codes::Kind::every_word,
          .n = t.shape.n,
          .k = t.shape.k,
          .format = index_of(*t.format),
          .first = static_cast<std::uint32_t>(expert) * 0x9e3779b9u,
          .swizzle = 0x5a3c96e1u};
}

generated::Parameters parameters_of(const Timed& t, std::int64_t expert) {
  const std::int64_t groups = t.shape.k / t.group_size;
  return {.kind = generated::Parameters::Kind::ordinary,
          .type = t.type,
          .scheme = index_of(*t.scheme),
          .n = t.shape.n,
          .groups = groups,
          .group_size = t.group_size,
          .first = static_cast<std::uint64_t>(expert * groups * t.shape.n)};
}

#if !defined(TILEPROOF_HAS_CUDA)
MadeTimer make_cuda() { return {nullptr, built_without_cuda}; }
#else
constexpr auto make_cuda = make_cuda_timer;
#endif

}  // namespace

std::string name_of(const Timed& t) {
  std::string name = t.where + " " + name_of(t.operation);
  if (t.operation == Operation::dequantize) name += std::string(" ") + name_of(t.type) + " " + t.scheme->name;
  name += " " + text_of(t.shape) + " " + t.format->name;
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
  return formula_of(tensor.role, timed_.format->result, codes_of(timed_, expert), parameters);
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
      {"host",
       "the production kernels by as many threads as there are cores, beside memcpy and memset by as many",
       false,
       {"host"},
       {{4096, 4096}},
       kinds_on_the_host(),
       false,
       "host",
       make_host_timer},
      {"cuda",
       "the production kernels on a GPU, beside a copy and a fill of its memory",
       true,
       {"cuda"},
       {{32768, 32768}, {14336, 4096}, {4096, 4096}},
       kinds_on_a_gpu(),
       true,
       "cuda",
       make_cuda},
      {"torch",
       "the PyTorch operator on a GPU, called and replayed in a graph, beside a copy, a fill, and aten's matmul with "
       "an "
       "identity matrix",
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
  for (const TimedKind& kind : row.kinds) {
    std::vector<Shape> of_kind = kind.at_largest_alone ? std::vector<Shape>{largest} : shapes;
    if (kind.experts > 1) {
      // With shapes given by the user, time a batch of the smallest of them, not a larger shape.
      of_kind = {given.empty() ? shape_of_expert : *std::min_element(shapes.begin(), shapes.end(), less)};
      of_kind.front().experts = kind.experts;
    }
    for (const Shape& shape : of_kind) {
      for (const Format* format : kind.formats) {
        for (const std::string& where : row.where) {
          for (const bool cold : {false, true}) {
            if (cold && !row.has_cold) continue;
            Timed timed = {where, kind.operation, shape, format, kind.group_size, kind.scheme, kind.type, cold};
            const std::string why = why_illegal(timed);
            if (why.empty()) {
              rows.push_back(timed);
            } else if (!cold) {
              skipped.push_back(name_of(timed) + ": " + why);
            }
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
    Shape shape = {};
    const char* end = one.data() + one.size();
    const auto rows = std::from_chars(one.data(), end, shape.n);
    if (rows.ec != std::errc() || rows.ptr == end || *rows.ptr != 'x') refuse(one);
    const auto columns = std::from_chars(rows.ptr + 1, end, shape.k);
    if (columns.ec != std::errc() || columns.ptr != end) refuse(one);
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
