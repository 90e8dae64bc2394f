// Bytes as a legal call of a kernel on the host: shape, layout, type, alignment, data, and how it is cut. The kernel
// must not refuse it, must write only its output, and must give the specification's bits.
#include "fuzz/targets/target.h"
#include "properties/case/case.h"
#include "properties/problem/draw.h"
#include "properties/problem/values.h"
#include "properties/registry.h"
#include "properties/subjects/kernel_arguments.h"

namespace tileproof {

namespace {

/// How a call is cut into pieces, and which of the host's two implementations runs it.
class Cut {
 public:
  explicit Cut(Choices& choices) : by_(choices.below(6)), length_(choices.below(256)) {}

  template <class Arguments>
  void run(const Arguments& a) const {
    if (const auto refusal = kernels::validate(a)) throw Wrong("refused: " + refusal->text());
    if constexpr (kernels::has_ways<Arguments>) {
      if (by_ != 0) {
        return in_pieces(kernels::n_tiles_of(a), [&](auto begin, auto end) {
          const kernels::NTiles n_tiles = {begin, end};
          if (by_ == 1) return run_kernel(a, n_tiles);
          const std::vector<kernels::Way> ways = kernels::all_ways();
          run_kernel(a, n_tiles, ways[static_cast<std::size_t>(by_ - 2) % ways.size()]);
        });
      }
    }
    in_pieces(kernels::threads_of(a), [&](auto begin, auto end) { run_kernel(a, kernels::Range{begin, end}); });
  }

 private:
  template <class Use>
  void in_pieces(std::int64_t end, Use use) const {
    if (length_ == 0) return use(std::int64_t{0}, end);
    for (; end > 0; end -= length_) use(end > length_ ? end - length_ : 0, end);
  }

  // 0: by threads; 1: by n-tiles in the default way; else by n-tiles in one of this machine's ways.
  std::int64_t by_;
  std::int64_t length_;  // of a piece; 0: one piece
};

/// A call of convert between two layouts that the kernels know.
Call any_conversion(Choices& choices) {
  const auto any_format = [&] {
    constexpr auto count = static_cast<std::int64_t>(std::size(kernels::layouts));
    return format_of("format", kernels::layouts[choices.below(count)]->name);
  };
  Call call;
  call.operation = Operation::convert;
  call.format = any_format();
  call.format_to = any_format();
  if (call.format_to == call.format) call.format_to = tinygemm(call.format == tinygemm(8) ? 2 : 8);
  const std::int64_t n_unit_of_both = n_unit(*call.format, 1, call.format_to);
  const std::int64_t k_unit_of_both = k_unit(*call.format, 1, 1, call.format_to);
  call.n = n_unit_of_both * choices.below(2 + 80 / n_unit_of_both);
  call.k = k_unit_of_both * choices.below(2 + 160 / k_unit_of_both);
  call.experts = choices.one_of({std::int64_t{1}, std::int64_t{2}, std::int64_t{0}});
  call.scheme = schemes_of(*call.format).front();
  call.types = types_of(*call.scheme, every_types()).front();
  return call;
}

/// A call of dequantize in any format.
Call any_dequantization(Choices& choices) {
  constexpr auto count = static_cast<std::int64_t>(kernels::dequantized_formats.size());
  const kernels::Format& row = kernels::formats[choices.below(count)];
  Call call;
  call.operation = Operation::dequantize;
  call.format = format_of("format", std::string(row.name()));
  call.scheme = call.format->scheme_named(row.scheme);
  const std::vector<Types> types = types_of(*call.scheme, every_types());
  call.types = types[static_cast<std::size_t>(choices.below(static_cast<std::int64_t>(types.size())))];
  call.group_size = 32 * choices.one_of({std::int64_t{1}, std::int64_t{2}, std::int64_t{4}});
  if (!call.format->group_sizes.contains(call.group_size)) call.group_size = 32;
  const std::int64_t rows = n_unit(*call.format, 1), columns = k_unit(*call.format, call.group_size);
  call.n = rows * choices.below(2 + 40 / rows);
  call.k = columns * choices.below(2 + 300 / columns);
  call.experts = choices.one_of({std::int64_t{1}, std::int64_t{2}, std::int64_t{0}});
  return call;
}

Call any_call(Choices& choices) {
  Call call;
  call.operation = choices.one_of(pointer_operations);
  if (call.operation == Operation::convert) return any_conversion(choices);
  if (call.operation == Operation::dequantize && choices.below(2) == 1) return any_dequantization(choices);
  const std::int64_t inner_k_tiles = choices.one_of({std::int64_t{2}, std::int64_t{4}, std::int64_t{8}});
  call.format = tinygemm(inner_k_tiles);
  call.n = choices.below(18);
  // about as many columns in every layout
  call.k = choices.below(2 + 10 / inner_k_tiles) * 16 * inner_k_tiles;
  call.experts = choices.one_of({std::int64_t{1}, std::int64_t{2}, std::int64_t{3}, std::int64_t{0}});
  if (call.operation != Operation::dequantize) return call;
  call.group_size = 16 * (1 + choices.below(48));
  while (call.k % call.group_size != 0) call.group_size -= 16;
  call.scheme = choices.one_of({scheme::floating, scheme::integer, scheme::none});
  call.types = choices.one_of({Type::bf16, Type::fp16, Type::fp32});
  return call;
}

/// A tensor of a call.
struct Operand {
  RoleRow row;
  TensorForm form;
  std::size_t alignment;
  std::vector<std::uint8_t> bytes = {};
};

/// An alignment of `step` bytes or more, for guarded().
std::size_t any_alignment(std::int64_t step, Choices& choices) {
  const auto past = static_cast<std::size_t>(step * choices.below(16));
  return past == 0 ? 256 : past & (~past + 1);
}

/// Takes bytes from the choices as long as there are any, and draws the others.
std::vector<std::uint8_t> any_bytes(std::int64_t count, Choices& choices) {
  std::vector<std::uint8_t> all(static_cast<std::size_t>(count));
  const std::uint64_t seed = choices.number(2);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<std::uint8_t>(choices.is_at_end() ? drawn(seed, stream::words, i) : choices.number(1));
  }
  return all;
}

/// Scales, or scales and zeros: from a profile, or any bits that the choices give.
std::vector<std::uint8_t> any_scales(const Call& call, std::int64_t count, Choices& choices) {
  const std::int64_t element_bytes = bytes_of(call.types.parameter);
  const auto rows = static_cast<std::int64_t>(profiles().size());
  const std::int64_t profile = choices.below(rows + 1);
  if (profile == rows) return any_bytes(count * element_bytes, choices);
  const std::uint64_t seed = choices.number(4);
  const reference::FloatFormat format = float_format_of(call.types.parameter);
  std::vector<std::uint32_t> bits;
  for (std::uint64_t i = 0; bits.size() < static_cast<std::size_t>(count); ++i) {
    const ScaleAndZero one = profiles()[static_cast<std::size_t>(profile)].drawn(format, seed, i);
    bits.push_back(one.scale);
    if (call.scheme->zero_kind == Zero::value) bits.push_back(one.zero);
  }
  return narrowed(bits, element_bytes);
}

/// The bytes that the specification gives.
std::vector<std::uint8_t> specified_result(Call call, std::vector<Operand> operands) {
  static const MadeSubject specification = subject_row("reference").make();
  for (Operand& one : operands) call.at(one.row.role) = one.bytes.data();
  specification.subject->run(call);
  return operands.back().bytes;
}

void require_equal(const Operand& result, const std::vector<std::uint8_t>& expected_bytes) {
  const std::vector<std::uint32_t> got = widened(result.bytes, result.form.element_bytes);
  const std::vector<std::uint32_t> expected = widened(expected_bytes, result.form.element_bytes);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (got[i] == expected[i]) continue;
    throw Wrong(std::string(result.form.name) + ": element " + std::to_string(i) + " of " +
                std::to_string(expected.size()) + ": expected " + std::to_string(expected[i]) + ", got " +
                std::to_string(got[i]));
  }
}

void check(Choices& choices) {
  Call call = any_call(choices);
  std::vector<Operand> operands;
  for (const RoleRow& row : roles_of(call.operation)) {
    const auto form = form_of(call, row);
    const bool is_wide = row.is_output || row.role == Role::pairs;
    const std::size_t alignment = any_alignment(is_wide ? 16 : form ? form->element_bytes : 1, choices);
    if (form) operands.push_back({row, *form, alignment});
  }
  const Cut cut(choices);
  // Codes are the first operand: they take the choices that parameters leave.
  for (std::size_t i = 1; i <= operands.size(); ++i) {
    Operand& one = operands[i % operands.size()];
    const std::int64_t bytes = call.experts * one.form.bytes();
    one.bytes = one.row.is_output              ? std::vector<std::uint8_t>(static_cast<std::size_t>(bytes))
                : one.row.role == Role::scales ? any_scales(call, call.experts * one.form.elements, choices)
                                               : any_bytes(bytes, choices);
  }
  std::vector<Tensor> tensors;
  for (Operand& one : operands) {
    const auto element_bytes = static_cast<std::size_t>(one.form.element_bytes);
    tensors.push_back(one.row.is_output ? output(one.form.name, one.bytes, element_bytes, one.alignment)
                                        : input(one.form.name, one.bytes, element_bytes, one.alignment));
    tensors.back().may_equal_poison = one.row.is_output && is_packed(one.row.role);
  }
  const std::vector<std::uint8_t> expected = specified_result(call, operands);
  guarded(host_memory(), tensors, Fill(), [&](const std::vector<void*>& at) {
    for (std::size_t i = 0; i < at.size(); ++i) call.at(operands[i].row.role) = at[i];
    with_arguments(call, [&](const auto& arguments) { cut.run(arguments); });
  });
  require_equal(operands.back(), expected);
}

}  // namespace

}  // namespace tileproof

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tileproof::Choices choices(data, size);
  tileproof::check(choices);
  return 0;
}
