"""The production kernels as functions of PyTorch tensors, by the names of formats.

torch.compile traces the operators, torch.ops.tileproof, and not these functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tileproof import _specification

if TYPE_CHECKING:
    import torch


def _inner_k_tiles(format):
    """The number in the name of a format that has kernels."""
    found = _specification.format_of(format)
    if not found.has_kernels:
        legal = ", ".join(name for name, one in _specification.formats().items() if one.has_kernels)
        raise ValueError(f"format: given {format!r}, which has no production kernels; legal is {legal}")
    return int(found.name.rpartition("-")[2])


def _require_tensor(name, given):
    import torch

    if not isinstance(given, torch.Tensor):
        raise TypeError(f"{name}: given {type(given).__name__}, legal is a torch.Tensor")


def _require_packed(packed, format, n, k):
    """Returns the format's number, once rows and columns are those of the packed tensor."""
    inner_k_tiles = _inner_k_tiles(format)
    _require_tensor("packed", packed)
    n, k = _specification.size("n", n), _specification.size("k", k)
    if packed.dim() not in (4, 5):
        return inner_k_tiles, n, k  # the operator says what is wrong
    n_tiles, supertiles = packed.shape[-4], packed.shape[-3]
    if (n + 7) // 8 != n_tiles:
        raise ValueError(f"n: given {n}, legal is {max(8 * n_tiles - 7, 0)} to {8 * n_tiles}, as packed has {n_tiles} n-tiles")
    if k != supertiles * 16 * inner_k_tiles:
        raise ValueError(f"k: given {k}, legal is {supertiles * 16 * inner_k_tiles}, as packed of {format} has it")
    return inner_k_tiles, n, k


def pack(codes: torch.Tensor, format: str) -> torch.Tensor:
    """Packs codes, on the device that they are on.

    Args:
        codes: uint8 [n][k/2], two codes a byte, that of the even column in the high nibble; or [experts][n][k/2].
        format: tinygemm-2, tinygemm-4 or tinygemm-8.

    Returns:
        int32 [ceil(n/8)][k/(16*i)][32][i/2], i being the format's number, as `_convert_weight_to_int4pack` of PyTorch's CUDA
        has them; with experts first where codes have them. Rows past n in the last n-tile are code 0.

    Raises:
        ValueError: an argument is not legal; the message says which, what was given and what is legal.
        ImportError: there is no PyTorch 2.10 or later.
    """
    from tileproof import ops

    _require_tensor("codes", codes)
    return ops.pack(codes, _inner_k_tiles(format))


def unpack(packed: torch.Tensor, format: str, n: int, k: int) -> torch.Tensor:
    """Unpacks codes: what `pack` was given.

    Args:
        packed: int32, as `pack` returns them.
        format: tinygemm-2, tinygemm-4 or tinygemm-8.
        n, k: rows and columns of the matrix.

    Returns:
        uint8 [n][k/2], two codes a byte, that of the even column in the high nibble; with experts first where packed has them.

    Raises:
        ValueError: an argument is not legal; the message says which, what was given and what is legal.
        ImportError: there is no PyTorch 2.10 or later.
    """
    import torch

    from tileproof import ops

    inner_k_tiles, n, _ = _require_packed(packed, format, n, k)
    codes = ops.unpack_tensor_core_tiled_layout(packed, inner_k_tiles)[..., :n, :]
    return (codes[..., 0::2] << 4 | codes[..., 1::2]).to(torch.uint8)


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
    """Dequantizes with one rounding.

    Args:
        packed: int32, as `pack` returns them.
        parameters: the scheme's tensors, in its order: a tensor, or a tuple of tensors.
        format: tinygemm-2, tinygemm-4 or tinygemm-8.
        n, k: rows and columns of the matrix.
        group_size: columns that share their parameters: a positive multiple of 16 that divides k.
        scheme: "float", (code - 8) * scale + zero, with scales_and_zeros [k/group_size][n][2]; "integer",
            (code - zero_point) * scale, with scales [k/group_size][n] and zero_points int8 of that shape; "none", code * scale,
            with scales [k/group_size][n]. Default: integer of two tensors, float of one. Scales are bfloat16, float16 or
            float32; parameters have experts first where packed has them.
        dtype: of the weights: that of the scales, which is the default too.

    Returns:
        The weights [n][k], or [experts][n][k].

    Raises:
        ValueError: an argument is not legal; the message says which, what was given and what is legal.
        ImportError: there is no PyTorch 2.10 or later.
    """
    from tileproof import ops

    tensors = tuple(parameters) if isinstance(parameters, (tuple, list)) else (parameters,)
    inner_k_tiles, n, _ = _require_packed(packed, format, n, k)
    found = _specification.scheme_of(_specification.format_of(format), scheme, len(tensors))
    for tensor, given in zip(found.tensors, tensors):
        _require_tensor(tensor.name, given)
    if dtype is not None and dtype != tensors[0].dtype:
        raise ValueError(f"dtype: given {dtype}, legal is that of {found.tensors[0].name}, {tensors[0].dtype}")
    operator = {
        "float": ops.dequantize_tensor_core_tiled_layout,
        "integer": ops.dequantize_integer,
        "none": ops.dequantize_scale_only,
    }[found.name]
    weights = operator(packed, *tensors, _specification.size("group_size", group_size), inner_k_tiles)
    if weights.shape[-2] != n:
        raise ValueError(f"{found.tensors[0].name}: given {weights.shape[-2]} rows, legal is n = {n}")
    return weights
