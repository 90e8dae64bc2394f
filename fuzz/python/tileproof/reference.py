"""The specification itself, over numpy arrays: what every format's pack, unpack, dequantize and convert must give.

It is the scalar C++ code that `tileproof verify` judges by (reference/ of the source tree), so it is slow: use it to hold
something against, not to run a model. numpy has no bfloat16: such arrays are uint16, the bits of the numbers; ml_dtypes'
bfloat16 is taken too.
"""

from __future__ import annotations

import ctypes

from tileproof import _specification

try:
    import numpy
except ModuleNotFoundError:
    raise ImportError("tileproof.reference needs numpy, and there is no package numpy: pip install numpy") from None

__all__ = ["pack", "unpack", "dequantize", "convert"]

_TYPES = {"bf16": numpy.uint16, "fp16": numpy.float16, "fp32": numpy.float32, "e8m0": numpy.uint8, "e4m3": numpy.uint8}
_TYPES_OF_WEIGHTS = "bf16", "fp16", "fp32"


def _types_of(dtype):
    """The types that a numpy dtype of that name holds."""
    held = {"bfloat16": "uint16"}.get(dtype, dtype)
    return [name for name, own in _TYPES.items() if numpy.dtype(own).name == held]


def _text(array):
    return f"{array.dtype} {list(array.shape)}"


def _array(name, given, form):
    """A contiguous array of the form that the specification asks for."""
    array = numpy.asarray(given)
    dtype = numpy.dtype(_TYPES.get(form["dtype"], form["dtype"]))
    if array.dtype.name == "bfloat16" and form["dtype"] == "bf16":
        array = array.view(numpy.uint16)
    if array.dtype != dtype or list(array.shape) != form["dims"]:
        bits = " (the bits of bf16)" if form["dtype"] == "bf16" else ""
        raise ValueError(f"{name}: given {_text(array)}, legal is {dtype} {form['dims']}{bits}")
    return numpy.ascontiguousarray(array)


def _evaluated(call, given):
    forms = _specification.tensors_of(call)
    arrays = [_array(form["name"], array, form) for form, array in zip(forms["inputs"], given, strict=True)]
    result = numpy.empty(forms["result"]["dims"], _TYPES.get(forms["result"]["dtype"], forms["result"]["dtype"]))
    if result.size == 0:
        return result
    pointers = (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))
    why_not = _specification.library().tileproof_result(ctypes.byref(call), pointers, ctypes.c_void_p(result.ctypes.data))
    if why_not is not None:
        raise ValueError(why_not.decode())
    return result


def _call(operation, format, n, k, *, to="", scheme="", weights="", parameters="", group_size=0):
    texts = (text.encode() for text in (operation, _specification.format_of(format).name, to, scheme, weights, parameters))
    numbers = (_specification.size(name, given) for name, given in (("n", n), ("k", k), ("group_size", group_size)))
    return _specification.Call(*texts, *numbers)


def pack(codes, format: str):
    """Packs codes.

    Args:
        codes: uint8 [n][k], one code a byte, 0 to 15.
        format: a name of `tileproof.formats()`, of one that packs codes alone.

    Returns:
        The packed codes, of the format's dtype and shape.

    Raises:
        ValueError: an argument is not legal; the message says which, what was given and what is legal.
    """
    codes = numpy.asarray(codes)
    if codes.dtype != numpy.uint8 or codes.ndim != 2:
        raise ValueError(f"codes: given {_text(codes)}, legal is uint8 [n][k], one code a byte")
    if codes.size and codes.max() > 15:
        raise ValueError(f"codes: given {codes.max()} among them, legal is 0 to 15")
    n, k = codes.shape
    pairs = codes[:, 0::2] << 4
    pairs[:, : k // 2] |= codes[:, 1::2]
    return _evaluated(_call("pack", format, n, k), [pairs])


def unpack(packed, format: str, n: int, k: int):
    """Unpacks codes.

    Args:
        packed: the packed codes, of the format's dtype and shape.
        format: a name of `tileproof.formats()`.
        n, k: rows and columns of the matrix.

    Returns:
        The codes, uint8 [n][k], one a byte.

    Raises:
        ValueError: an argument is not legal; the message says which, what was given and what is legal.
    """
    return _evaluated(_call("unpack", format, n, k), [packed]).astype(numpy.uint8)


def convert(packed, format: str, format_to: str, n: int, k: int):
    """Packs in another format what is packed in one. Parameters take no part.

    Args:
        packed: the packed codes, of the first format's dtype and shape.
        format, format_to: names of `tileproof.formats()`.
        n, k: rows and columns of the matrix.

    Returns:
        The packed codes, of the other format's dtype and shape.

    Raises:
        ValueError: an argument is not legal; the message says which, what was given and what is legal.
    """
    return _evaluated(_call("convert", format, n, k, to=_specification.format_of(format_to).name), [packed])


def dequantize(packed, parameters, format: str, n: int, k: int, group_size: int, scheme: str | None = None, dtype: str | None = None):
    """Dequantizes, rounded as the scheme says.

    Args:
        packed: the packed codes, of the format's dtype and shape.
        parameters: the scheme's tensors, in its order: an array, or a tuple of arrays; () where they lie in the packed codes.
        format: a name of `tileproof.formats()`.
        n, k: rows and columns of the matrix.
        group_size: columns that share their parameters.
        scheme: a name of the format's schemes; default: the first that has so many tensors.
        dtype: of the weights, bf16, fp16 or fp32; default: that of the parameters, or else the scheme's first.

    Returns:
        The weights, [n][k] or [k][n] as the format has them; bf16 as uint16, the bits.

    Raises:
        ValueError: an argument is not legal; the message says which, what was given and what is legal.
    """
    parameters = list(parameters) if isinstance(parameters, (tuple, list)) else [parameters]
    found = _specification.scheme_of(_specification.format_of(format), scheme, len(parameters))
    name = getattr(dtype, "__name__", str(dtype))  # of numpy.float16, as of "float16"
    weights = "" if dtype is None else next((one for one in _TYPES_OF_WEIGHTS if one in [name, *_types_of(name)]), None)
    if weights is None:
        raise ValueError(f"dtype: given {dtype!r}, legal is bf16, fp16 or fp32")
    typed = [numpy.asarray(array) for array, tensor in zip(parameters, found.tensors) if not tensor.dtype]
    names = _types_of(typed[0].dtype.name) if typed else []
    fitting = [types for types in found.types if types[1] in names or not typed]
    if not fitting:
        legal = ", ".join(sorted({numpy.dtype(_TYPES[types[1]]).name for types in found.types}))
        raise ValueError(f"{found.tensors[0].name}: given {_text(typed[0])}, legal is {legal}")
    if not weights:
        weights = next((own for own, other in fitting if own == other), fitting[0][0])
    elif all(own != weights for own, _ in fitting):
        legal = ", ".join(sorted({own for own, _ in fitting}))
        raise ValueError(f"dtype: given {dtype!r}, legal is {legal}, of such {found.tensors[0].name if typed else 'codes'}")
    parameter = next(other for own, other in fitting if own == weights)
    call = _call(
        "dequantize", format, n, k, scheme=found.name, weights=weights, parameters=parameter, group_size=group_size
    )
    return _evaluated(call, [packed, *parameters])
