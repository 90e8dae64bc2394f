#include "kernels/torch/operator_document.h"

#include "kernels/torch/operator_rules.h"

namespace tileproof::kernels {

namespace {

/// The document asks no rule: any tensor will do.
struct AnyTensor {
  std::int64_t dim() const { return 0; }
  std::int64_t size(int) const { return 0; }
  bool is(Element) const { return false; }
  int device() const { return 0; }
  // For the message of a broken rule: must be there, and is not called.
  std::string text() const { return ""; }  // GCOVR_EXCL_LINE
};

std::string section_of(const Operator& of) {
  std::string text = "\n## " + std::string(of.name) + "\n\n```\ntileproof::" + of.schema() + "\n```\n\n" + of.meaning +
                     " Returns " + of.result + ".\n\n| argument | legal |\n|---|---|\n";
  for (const Argument argument : of.arguments) {
    if (argument == Argument::none) break;
    std::string legal;
    for (const auto& rule : all_rules<AnyTensor>()) {
      const bool is_of_list = is_list(argument) && rule.argument == Argument::parameter_0;
      if (rule.argument == argument || is_of_list) legal += (legal.empty() ? "" : "; ") + rule.legal;
    }
    text += std::string("| `") + row_of(argument).name + "` | " + legal + " |\n";
  }
  return text;
}

}  // namespace

std::string operator_document() {
  std::string text = R"(# What the PyTorch operators take

Printed from the table in `operator_rules.h` by `cmake --build --preset dev --target operator_document`; ctest compares.

A weight matrix has n rows and k columns. Its packed form has n_tiles = ceil(n/8) n-tiles of 8 rows. A batch of experts
is a stack of matrices of one size: where the first argument has the leading dimension `experts`, so have the others and
the result.

Tensors are on the CPU, on one CUDA device, or fake. Any strides and any storage offset are legal. A call that breaks a
rule raises `ValueError` before anything is launched, for fake tensors as for real ones, and says which rule:

    unpack_tensor_core_tiled_layout: inner_k_tiles: given 3, legal is 2, 4 or 8

No operator has a derivative. Scales may require grad, compiled or not: the forward pass is as without, and backward
through it raises `RuntimeError`.

A compiler may leave every size, and `group_size`, `n` and `k`, open. It takes `inner_k_tiles` and formats, which decide
the layout, as constants.

With `torch._inductor.config.freezing = True` inductor would compute weights once and keep them instead of the packed
ones: four times the memory in 16 bits. After `import torch._inductor.constant_folding`, this line keeps the packed
ones; any of the operators can stand in it:

    torch._inductor.constant_folding.add_dont_constant_fold(torch.ops.tileproof.dequantize_tensor_core_tiled_layout.default)
)";
  for (const Operator* of : all_operators) text += section_of(*of);
  text += R"(
## The formats of convert

| format | packed tensor | n | k |
|---|---|---|---|
)";
  const auto multiple = [](int of) { return of == 1 ? std::string("any") : "multiples of " + std::to_string(of); };
  for (const Layout* layout : layouts) {
    text += std::string("| `") + layout->name + "` | " + layout->dtype + " `" + layout->dims_text() + "` | " +
            multiple(layout->n_multiple) + (layout->n_padded_to > 1 ? ", filled up to whole n-tiles" : "") + " | " +
            multiple(layout->k_multiple) + " |\n";
  }
  text += R"(
## The formats of convert_parameters

A scale stays the number that it is, and lies where the target has it. A weight is (code - 8) * scale plus a constant. A
format has the constant as a zero, which is a number of T, or as a zero point, which is a whole number of scales:
zero = (8 - zero_point) * scale, rounded to T, and zero_point = 8 - zero / scale, to nearest with ties to even, within what
the target states. `none` and `symmetric` are zero points 0 and 8. Zero point 8 becomes the zero 0 with the sign of the scale,
-0 where the scale is 0, so that every weight keeps its sign, and scale 0 takes the zero point that gives the weights theirs.

`exact` takes a group whose sixteen weights, rounded once to T, are the same bits before and after. It refuses the call where
one is not so: (8 - zero_point) * scale may round or overflow, a zero between two codes has no zero point, awq's four bits
state 0 to 15, and where a negative scale makes a product -0, a sum is +0. `nearest` takes also a group whose constant moves
by half a scale at most. Then a weight moves by one last place of the larger of zero and weight at most, where a zero point
became a zero; and by half a scale and the last place of the larger weight at most, where a zero became a zero point: with the
infinite taken for the number after the largest. A group is refused once the kernel has run, so not for fake tensors: such a
call waits for the device, cannot be captured into a graph, and is dropped by a compiler where nothing uses its result. From
float to float, from symmetric to float, and from a range of zero points into one that holds it nothing is refused, and
nothing waits.

`exact` compares the weights of the formulas below: those of int4pack-cpu are computed inside aten's matmul in float32, in
steps of its own, and marlin's inside vLLM's. Marlin's columns lie in the order of its lanes. `gptq` and `gptq-v1` keep g_idx
between them; no other format has a place for it.

| format | scheme | weight | parameters | zero points | group_size |
|---|---|---|---|---|---|
)";
  const auto parameters_of = [](const Format& format) {
    std::string parameters;
    for (int i = 0; i < format.parameter_count(); ++i) {
      const Parameter& one = format.parameters[i];
      parameters += std::string(i == 0 ? "" : ", ") + one.name + " " + (one.dtype == nullptr ? "T" : one.dtype) + " `" +
                    one.dims.text(format.layout->n_multiple, format.layout->k_multiple) + "`";
    }
    return parameters;
  };
  for (const Format& format : formats) {
    if (!format.has_convertible_parameters()) continue;
    const WholeNumbers range = format.zero_point_range();
    const bool has_range = format.formula == Formula::integer;
    text += std::string("| `") + format.layout->name + "` | `" + format.scheme + "` | " + formula_text(format.formula) +
            " | " + parameters_of(format) + " | " +
            (has_range ? std::to_string(range.first) + " to " + std::to_string(range.last) : std::string("-")) + " | " +
            format.legal_group_size() + " |\n";
  }
  text += R"(
## The formats of dequantize

n is out_features and k in_features. Parameters are in the order given, T the type of the weights: that of the scales;
nf4 and fp4 take `dtype`, and give float32 without it; GGUF's weights are float32. Each weight is rounded once, but for
nf4 and fp4. Weights of `[k][n]` have a row for each k. With several rows of a scheme, the number of parameters chooses.

Packed zeros hold eight columns a word: of awq in the order of its codes, 0, 2, 4, 6, 1, 3, 5, 7 from the lowest nibble
on, of gptq in order. gptq stores zero points as they are, and gptq-v1 less one: a stored 15 is read as 16. (GPTQModel
calls these two `gptq_v2` and `gptq`.) The codes of nf4 and fp4 are two a byte, the even element in its high half; where
bitsandbytes keeps its bytes in another type, `view` them as uint8. Where experts come first, all parameters have them.

A sign of zero is that of the
product, -0 where 0 is scaled by a negative number, as each format's reference has it, but for vLLM's CUDA kernel of awq
and bitsandbytes' AVX-512 code of fp4, which give +0. A NaN is 0x7fff, in float32 0x7fffffff, as a GPU's arithmetic makes it.

With g_idx, the k-th column's group is `g_idx[k]`; where that is no group's number, its weights are NaN.
Nested scales are of `bitsandbytes`' double quantization: `code_of_scales[scales] * scales_of_scales + offset_of_scales`,
product and sum rounded to float32 each; in its `quant_state` they are `state2.code`, `absmax`, `state2.absmax`, in blocks
of 256, and `offset`, as `[1]`.

| format | scheme | weight | packed | n | k | parameters | group_size | weights |
|---|---|---|---|---|---|---|---|---|
)";
  for (const Format& format : dequantized_formats) {
    const Layout& layout = *format.layout;
    const auto dims_of = [&](const Dims& dims) { return dims.text(layout.n_multiple, layout.k_multiple); };
    const std::string parameters = parameters_of(format);
    text += std::string("| `") + layout.name + "` | `" + format.scheme + "` | " + formula_text(format.formula) + " | " +
            layout.dtype + " `" + dims_of(layout.dims) + "` | " + multiple(layout.n_multiple) + " | " +
            multiple(layout.k_multiple) + " | " + (parameters.empty() ? "in the blocks" : parameters) + " | " +
            format.legal_group_size() + " | " + (format.columns == Axis::n ? "`[k][n]`" : "`[n][k]`") + " |\n";
  }
  return text;
}

}  // namespace tileproof::kernels
