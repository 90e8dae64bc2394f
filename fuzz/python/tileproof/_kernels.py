"""The production kernels as functions of PyTorch tensors, by the names of formats.

torch.compile traces the operators, torch.ops.tileproof, and not these functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tileproof import _specification

if TYPE_CHECKING:
    import torch


def _format_with(operation, argument, format):
    """The name of a format that has a kernel for the operation."""
    formats = _specification.formats()
    found = formats.get(format) if isinstance(format, str) else None
    if found is None or operation not in found.kernels:
        legal = ", ".join(name for name, one in formats.items() if operation in one.kernels)
        without = "" if found is None else f", which has no kernel for {operation}"
        raise ValueError(f"{argument}: given {format!r}{without}, legal is {legal}")
    return found.name


def _require_tensor(name, given):
    import torch

    if not isinstance(given, torch.Tensor):
        raise TypeError(f"{name}: given {type(given).__name__}, legal is a torch.Tensor")


def _require_packed(packed, format, n, k):
    """Returns rows and columns, once they are those of the packed tensor."""
    from tileproof import ops

    _require_tensor("packed", packed)
    n, k = _specification.size("n", n), _specification.size("k", k)
    layout = ops.layout_of(format)
    for name, size, multiple in ("n", n, layout.n_multiple), ("k", k, layout.k_multiple):
        if size % multiple != 0:
            raise ValueError(f"{name}: given {size}, legal is a multiple of {multiple}, as {format} has it")
    sizes = layout.sizes(n, k)
    if packed.dtype != layout.dtype or packed.dim() not in (len(sizes), len(sizes) + 1) or list(packed.shape[-len(sizes) :]) != sizes:
        legal = f"{layout.dtype} {sizes}, or with experts first, for n = {n} and k = {k} in {format}"
        raise ValueError(f"packed: given {packed.dtype} {list(packed.shape)}, legal is {legal}")
    return n, k


def pack(codes: torch.Tensor, format: str) -> torch.Tensor:
    """Packs codes, on the device that they are on. They are two a byte; those of `reference` are one a byte.

    Args:
        codes: uint8 [n][k/2], two codes a byte, that of the even column in the high nibble; or [experts][n][k/2].
        format: one of `tileproof.formats()` whose `kernels` have "pack".

    Returns:
        The packed tensor of the format, as its library has it; with experts first where codes have them. Rows that fill n up
        to whole n-tiles, in tinygemm's formats, are code 0.

    Raises:
        ValueError, TypeError: an argument is not legal; the message says which, what was given and what is legal.
        ImportError: there is no PyTorch 2.10 or later.
    """
    import torch

    from tileproof import ops

    _require_tensor("codes", codes)
    layout = ops.layout_of(_format_with("pack", "format", format))
    is_legal = codes.dtype == torch.uint8 and codes.dim() in (2, 3)
    if is_legal:
        n, k = codes.shape[-2], codes.shape[-1] * 2
    if not is_legal or n % layout.n_multiple != 0 or k % layout.k_multiple != 0:
        legal = f"uint8 [n][k/2], or with experts first, n a multiple of {layout.n_multiple} and k of {layout.k_multiple} for {format}"
        raise ValueError(f"codes: given {codes.dtype} {list(codes.shape)}, legal is {legal}")
    if layout.name.startswith("tinygemm-"):  # the same codes, and faster on a CPU
        return ops.pack(codes, int(layout.name.rpartition("-")[2]))
    return ops.convert(codes, "plain", layout.name, n, k)


def unpack(packed: torch.Tensor, format: str, n: int, k: int) -> torch.Tensor:
    """Unpacks codes: what `pack` was given.

    Args:
        packed: as `pack` returns it.
        format: one of `tileproof.formats()` whose `kernels` have "unpack".
        n, k: rows and columns of the matrix; k is even.

    Returns:
        uint8 [n][k/2], two codes a byte, that of the even column in the high nibble; with experts first where packed has them.

    Raises:
        ValueError, TypeError: an argument is not legal; the message says which, what was given and what is legal.
        ImportError: there is no PyTorch 2.10 or later.
    """
    from tileproof import ops

    n, k = _require_packed(packed, _format_with("unpack", "format", format), n, k)
    if k % 2 != 0:
        raise ValueError(f"k: given {k}, legal is an even number")
    return ops.convert(packed, format, "plain", n, k)


def convert(packed: torch.Tensor, source_format: str, target_format: str, n: int, k: int) -> torch.Tensor:
    """Converts packed codes of one format into those of another, on the device that they are on, without unpacking them.

    Scales and zero points are `convert_parameters`': gptq and gptq-v1, which differ in zero points alone, have the same codes.
    torch.compile traces torch.ops.tileproof.convert, which takes the same arguments, and not this function.

    Args:
        packed: codes of an n x k matrix as source_format lays them out, or of experts: those come first.
        source_format, target_format: two of `tileproof.formats()` whose `kernels` have "convert". On a GPU it is about as
            fast as a copy from and to tinygemm's, where n is a multiple of 32 for awq and of whole blocks for aten's CPUs.
        n, k: rows and columns of the matrix, in multiples of what both formats take.

    Returns:
        The packed tensor of target_format; with experts first where packed has them. Rows that fill n up are code 0.

    Raises:
        ValueError, TypeError: an argument is not legal; the message says which, what was given and what is legal.
        ImportError: there is no PyTorch 2.10 or later.
    """
    from tileproof import ops

    for argument, format in ("source_format", source_format), ("target_format", target_format):
        _format_with("convert", argument, format)
    n, k = _require_packed(packed, source_format, n, k)
    return ops.convert(packed, source_format, target_format, n, k)


def convert_parameters(
    parameters: torch.Tensor | tuple[torch.Tensor, ...],
    source_format: str,
    target_format: str,
    n: int,
    k: int,
    group_size: int,
    source_scheme: str | None = None,
    target_scheme: str | None = None,
    rounding: str = "exact",
) -> torch.Tensor | tuple[torch.Tensor, ...]:
    """Converts scales and zeros of one format into those of another: what goes with `convert` of the codes.

    The weights that the formats' formulas give, rounded once to the type of the scales, are the same bits before and after,
    or the call is refused. kernels/torch/ARGUMENTS.md lists formulas, parameters and bounds. torch.compile traces
    torch.ops.tileproof.convert_parameters, and not this function.

    Args:
        parameters: the tensors of the source's scheme, in its order: a tensor, or a tuple of tensors; with experts first or not.
        source_format, target_format: tinygemm-2, -4, -8, plain, plain-int32, awq, gptq, gptq-v1, marlin, int4pack-cpu-default,
            -avx2 or -avx512.
        n, k: rows and columns of the matrix: out_features and in_features.
        group_size: columns that share their parameters, k for one group.
        source_scheme, target_scheme: "float", "integer", "none"; of marlin "symmetric" or "integer". Default: of the source the
            first that has so many parameters; of the target that of the same name, or the format's first.
        rounding: "exact", or "nearest", which takes also groups whose zero moves by half a scale at most: where a zero between
            two codes becomes a zero point, a weight moves by half a scale and its last place at most.

    Returns:
        The tensors of the target's scheme, new ones: a tensor, or a tuple where the scheme has several.

    Raises:
        ValueError, TypeError: an argument is not legal, or a group cannot be converted; the message says which, what was given
            and what is legal.
        ImportError: there is no PyTorch 2.10 or later.
    """
    from tileproof import ops

    tensors = _tensors_of(parameters)
    if not tensors:
        raise ValueError("parameters: given (), legal is one tensor or more")
    names = ops.formats_with("c")
    for argument, given in ("source_format", source_format), ("target_format", target_format):
        if given not in names:
            raise ValueError(f"{argument}: given {given!r}, legal is {', '.join(names)}")
    for argument, given in ("source_scheme", source_scheme), ("target_scheme", target_scheme), ("rounding", rounding):
        if not isinstance(given, str) and (given is not None or argument == "rounding"):
            raise TypeError(f"{argument}: given {given!r}, legal is a str")
    if source_scheme is None:
        source_scheme = ops.scheme_with("c", source_format, len(tensors))
    if target_scheme is None:
        target_scheme = ops.scheme_like("c", target_format, source_scheme)
    sizes = (_specification.whole(argument, given) for argument, given in (("n", n), ("k", k), ("group_size", group_size)))
    found = ops.convert_parameters(tensors, source_format, source_scheme, target_format, target_scheme, *sizes, rounding)
    return found[0] if len(found) == 1 else tuple(found)


def _tensors_of(parameters):
    import torch

    if not isinstance(parameters, (torch.Tensor, tuple, list)):
        raise TypeError(f"parameters: given {type(parameters).__name__}, legal is a torch.Tensor or a tuple of them, () for none")
    tensors = list(parameters) if isinstance(parameters, (tuple, list)) else [parameters]
    for i, tensor in enumerate(tensors):
        _require_tensor(f"parameters[{i}]", tensor)
    return tensors


def dequantize(
    packed: torch.Tensor,
    parameters: torch.Tensor | tuple[torch.Tensor, ...],
    format: str,
    n: int,
    k: int,
    group_size: int,
    scheme: str | None = None,
    dtype: torch.dtype | None = None,
) -> torch.Tensor:
    """Dequantizes, each weight rounded as its format has it: kernels/torch/ARGUMENTS.md lists formulas and parameters.

    torch.compile traces torch.ops.tileproof.dequantize, and not this function.

    Args:
        packed: the packed tensor, as the format's library has it; or of experts: those come first.
        parameters: the scheme's tensors, in its order: a tensor, or a tuple of tensors, () for GGUF's. tinygemm: scales_and_zeros
            [k/group_size][n][2]; or scales and int8 zero_points [k/group_size][n]; or scales. awq, gptq: scales
            [k/group_size][n] and packed zeros, of gptq g_idx [k] behind them where it has an order (a column whose group is not
            there becomes NaN). nf4, fp4: absmax [blocks]; or, where it is nested, quant_state's absmax, state2.absmax,
            state2.code and offset.
        format: one of `tileproof.formats()` whose `kernels` have "dequantize". A checkpoint that GPTQModel calls "gptq" stores
            zero points less one: that is "gptq-v1" here, and its "gptq_v2" is "gptq".
        n, k: rows and columns of the matrix: out_features and in_features.
        group_size: columns that share their parameters, k for one group; elements, for nf4 and fp4; 32 for GGUF's.
        scheme: "float", "integer", "none" for tinygemm and plain, where "none" is that of scales alone. Default: the first that
            has so many parameters, which of one tensor is "float".
        dtype: of the weights: that of the scales, which is the default too; of nf4 and fp4 any, float32 by default.

    Returns:
        The weights [n][k], or [k][n] for awq and gptq; with experts first where packed has them.

    Raises:
        ValueError, TypeError: an argument is not legal; the message says which, what was given and what is legal.
        ImportError: there is no PyTorch 2.10 or later.
    """
    from tileproof import ops

    import torch

    tensors = _tensors_of(parameters)
    name = _format_with("dequantize", "format", format)
    _require_tensor("packed", packed)
    for argument, given, type_of in ("scheme", scheme, str), ("dtype", dtype, torch.dtype):
        if given is not None and not isinstance(given, type_of):
            raise TypeError(f"{argument}: given {given!r}, legal is None or a {type_of.__name__}")
    if scheme is None:
        scheme = ops.scheme_with("d", name, len(tensors))
    tensors = [tensor.reshape(1) if tensor.dim() == 0 else tensor for tensor in tensors]  # as bitsandbytes has its offset
    sizes = (_specification.whole(argument, given) for argument, given in (("group_size", group_size), ("n", n), ("k", k)))
    return ops.dequantize(packed, tensors, name, scheme, *sizes, dtype=dtype)
