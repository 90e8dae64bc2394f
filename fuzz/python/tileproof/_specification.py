"""Formats and the tensors of a call, as the C++ specification has them (fuzz/python/specification.h)."""

from __future__ import annotations

import ctypes
import dataclasses
import functools
import json

from tileproof import _native


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A tensor in words: its name, dtype ("" where it has that of the other parameters) and shape ("[n][k/2]")."""

    name: str
    dtype: str
    dims: str


@dataclasses.dataclass(frozen=True)
class Scheme:
    """How codes become weights: the tensors of parameters, and the legal pairs of types of weights and parameters."""

    name: str
    tensors: tuple[Tensor, ...]
    types: tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True)
class Format:
    """A format of packed weights.

    Attributes:
        name: as functions of this package take it.
        packed: the tensor of packed codes.
        n_multiple, k_multiple: what rows and columns are multiples of.
        group_size: the legal ones, in words.
        schemes: the first is the default.
        weights: the order of dequantized weights, "[n][k]" or "[k][n]".
        packs_codes_alone: False where packed codes hold the parameters too, so that codes alone cannot be packed.
        kernels: which of `tileproof.pack`, `unpack`, `convert` and `dequantize` take it.
    """

    name: str
    packed: Tensor
    n_multiple: int
    k_multiple: int
    group_size: str
    schemes: tuple[Scheme, ...]
    weights: str
    packs_codes_alone: bool
    kernels: tuple[str, ...]


class Call(ctypes.Structure):  # SpecifiedCall
    _fields_ = [
        *((name, ctypes.c_char_p) for name in ("operation", "format", "format_to", "scheme", "weight_type", "parameter_type")),
        *((name, ctypes.c_int64) for name in ("n", "k", "group_size")),
    ]


@functools.cache
def library():
    loaded = _native.loaded("libtileproof_python.so")
    for name in "tileproof_formats", "tileproof_tensors", "tileproof_result":
        getattr(loaded, name).restype = ctypes.c_char_p
    return loaded


def formats() -> dict[str, Format]:
    """Every format, by name."""
    return dict(_formats())


@functools.cache
def _formats():
    found = {}
    for one in json.loads(library().tileproof_formats()):
        schemes = tuple(
            Scheme(s["name"], tuple(Tensor(**t) for t in s["tensors"]), tuple(map(tuple, s["types"]))) for s in one["schemes"]
        )
        found[one["name"]] = Format(
            name=one["name"],
            packed=Tensor("packed", one["dtype"], one["dims"]),
            schemes=schemes,
            **{
                name: one[name]
                for name in ("n_multiple", "k_multiple", "group_size", "weights", "packs_codes_alone")
            },
            kernels=tuple(one["kernels"]),
        )
    return found


def format_of(name) -> Format:
    found = _formats().get(name) if isinstance(name, str) else None
    if found is None:
        raise ValueError(f"format: given {name!r}, legal is {', '.join(_formats())}")
    return found


def scheme_of(of: Format, name, tensors: int) -> Scheme:
    """The scheme of a name or, of None, the format's first that has so many tensors of parameters."""
    for scheme in of.schemes:
        if scheme.name == name or (name is None and len(scheme.tensors) == tensors):
            break
    else:
        if name is None:
            legal = "; ".join(f"{s.name}: {', '.join(t.name for t in s.tensors) or 'none'}" for s in of.schemes)
            raise ValueError(f"parameters: given {tensors} tensors, legal is {legal}")
        raise ValueError(f"scheme: given {name!r}, legal is {', '.join(s.name for s in of.schemes)}")
    if len(scheme.tensors) != tensors:
        legal = ", ".join(t.name for t in scheme.tensors) or "none"
        raise ValueError(f"parameters: given {tensors} tensors, legal is {legal}, of scheme {scheme.name}")
    return scheme


def whole(name, given) -> int:
    """A number, as an int of Python's.

    Raises:
        TypeError: it is no whole number.
    """
    try:
        return given.__index__()
    except (AttributeError, TypeError):
        raise TypeError(f"{name}: given {given!r}, legal is a whole number") from None


def size(name, given) -> int:
    """A size, as an int of Python's.

    Raises:
        TypeError, ValueError: it is no whole number, or no size.
    """
    number = whole(name, given)
    if not 0 <= number < 2**40:
        raise ValueError(f"{name}: given {number}, legal is 0 to 2^40 - 1")
    return number


def tensors_of(call: Call) -> dict:
    forms = json.loads(library().tileproof_tensors(ctypes.byref(call)))
    if "error" in forms:
        raise ValueError(forms["error"])
    return forms
