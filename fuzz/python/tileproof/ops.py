"""The kernels as PyTorch operators. Importing this registers them as torch.ops.tileproof.

The library libtileproof_torch.so holds the kernels for CPU and CUDA, and serves every PyTorch from 2.10 on. Here are
what the stable interface of PyTorch has no place for: tags, the operators of fake tensors, whose sizes a compiler may
leave open, and that there is no derivative. kernels/torch/ARGUMENTS.md says what the operators take.
"""

import ctypes
import functools
import math
import re

from tileproof import _native

OLDEST_TORCH = (2, 10)

try:
    import torch
except ModuleNotFoundError as error:
    raise ImportError(f"the operators of tileproof need PyTorch, and there is no package {error.name}: pip install torch") from None

_version = tuple(map(int, re.match(r"(\d+)\.(\d+)", torch.__version__).groups()))
if _version < OLDEST_TORCH:
    raise ImportError(
        f"the operators of tileproof need PyTorch {'.'.join(map(str, OLDEST_TORCH))} or later, and this is "
        f"{torch.__version__}: pip install --upgrade torch"
    )

_library = _native.loaded("libtileproof_torch.so")
_library.tileproof_operator_schemas.restype = ctypes.c_char_p
_library.tileproof_layouts.restype = ctypes.c_char_p
_library.tileproof_formats.restype = ctypes.c_char_p
_library.tileproof_register_operator.restype = ctypes.c_char_p
_library.tileproof_operators_have_cuda.restype = ctypes.c_bool
_library.tileproof_set_error_types.argtypes = [ctypes.py_object, ctypes.py_object]
_library.tileproof_set_error_types(ValueError, torch.OutOfMemoryError)
_kept = []  # of torch.library.Library: one that is deleted takes its operators along

# --- The rules of kernels/torch/operator_rules.h, asked of fake tensors -------------------------------------------------

MOST_ELEMENTS = (2**63 - 1) // 64
FLOAT_TYPES = torch.bfloat16, torch.float16, torch.float32


def _known(size):
    """The number, or None where a compiler leaves it open."""
    return size.node.maybe_as_int() if isinstance(size, torch.SymInt) else size


def _name(dtype):
    return str(dtype).removeprefix("torch.")


def _text(given):
    if isinstance(given, torch.Tensor):
        return f"{_name(given.dtype)} [{', '.join(map(str, given.shape))}] on {given.device}"
    return str(given)


def _holds(condition):
    """A condition on open sizes is a guard or, where they have no value yet, is asserted when the program runs."""
    if isinstance(condition, bool):
        return condition
    from torch.fx.experimental.symbolic_shapes import expect_true

    return expect_true(condition)


def _sizes(dims, n, k, group_size=1):
    """Of a tensor, whose dims are texts of the library: "k:1:8" is ceil(k / 8)."""
    extents = {"n": n, "k": k, "1": 1, "e": n * k}
    if any(dim[0] in "gb" for dim in dims):
        extents |= {"g": k // group_size, "b": (n * k + group_size - 1) // group_size}
    for axis, times, over in (dim.split(":") for dim in dims):
        yield (extents[axis] + int(over) - 1) // int(over) * int(times)


class _Layout:
    """A layout that convert knows, from a line of the library."""

    def __init__(self, line):
        self.name, dtype, n_multiple, k_multiple, *self.dims = line.split()
        self.dtype = getattr(torch, dtype)
        self.n_multiple, self.k_multiple = int(n_multiple), int(k_multiple)

    def sizes(self, n, k):
        """Of the packed tensor of a matrix."""
        return list(_sizes(self.dims, n, k))


class _Format(_Layout):
    """A format and scheme with its parameters, from a line of the library."""

    def __init__(self, line):
        row, (_, packed), *parameters = (part.split(" ", 1) for part in line.split("|"))
        name, numbers = row[0], row[1].split()
        self.scheme, n_multiple, k_multiple, group_multiple, most_group, divided, self.uses, self.columns, self.weight_type = numbers
        dtype, _, dims = packed.partition(" ")
        super().__init__(f"{name} {dtype} {n_multiple} {k_multiple} {dims}")
        self.group_multiple, self.most_group, self.divides_k = int(group_multiple), int(most_group), divided == "k"
        self.parameters = [(name, dtype, dims) for name, (dtype, *dims) in ((name, rest.split()) for name, rest in parameters)]

    @property
    def has_order_of_columns(self):
        return any(name == "g_idx" for name, _, _ in self.parameters)

    def group_sizes(self, k):
        """The legal ones, in words."""
        if self.most_group == self.group_multiple:
            return str(self.group_multiple)
        if self.most_group:
            divides = f" that divides k = {k}" * self.divides_k
            return f"a power of two from {self.group_multiple} to {self.most_group}{divides}"
        multiple = "divisor of" if self.group_multiple == 1 else f"multiple of {self.group_multiple} that divides"
        return f"a positive {multiple} k = {k}"


_LAYOUTS = {layout.name: layout for layout in map(_Layout, _library.tileproof_layouts().decode().splitlines())}


_FORMATS = list(map(_Format, _library.tileproof_formats().decode().splitlines()))


def layout_of(format):
    """The layout of a format that convert or dequantize knows."""
    return _LAYOUTS.get(format) or next(one for one in _FORMATS if one.name == format)


def _rows_for(use, name=None):
    """The rows of formats that "d", dequantize, or "c", convert_parameters, takes: of all, or of one format."""
    return [one for one in _FORMATS if use in one.uses and name in (None, one.name)]


def formats_with(use):
    """Names of formats, in their order: as _rows_for."""
    return list(dict.fromkeys(one.name for one in _rows_for(use)))


def scheme_with(use, format, parameters):
    """The first scheme of a format that has so many tensors of parameters; its first one, if none has."""
    rows = _rows_for(use, format)
    return next((one.scheme for one in rows if len(one.parameters) == parameters), rows[0].scheme)


def scheme_like(use, format, scheme):
    """The scheme of a format that has the name; its first one, if none has."""
    schemes = [one.scheme for one in _rows_for(use, format)]
    return scheme if scheme in schemes else schemes[0]


class _Rules:
    """Asks the rules of an operator, in the order of the table."""

    def __init__(self, operator):
        self.operator = operator

    def ask(self, condition, argument, given, legal):
        if not _holds(condition):
            raise ValueError(f"{self.operator}: {argument}: given {_text(given)}, legal is {legal}")

    def inner_k_tiles(self, number):
        self.ask(number in (2, 4, 8), "inner_k_tiles", number, "2, 4 or 8")

    def elements(self, argument, given, experts, n, k):
        """A size that is not known passes: if it is too large, the allocation fails."""
        known = [_known(size) for size in (experts, n, k)]
        if None not in known:
            experts, n, k = known
            fits = n <= MOST_ELEMENTS and k <= MOST_ELEMENTS // (n + 8)
            fits = fits and (experts <= 1 or experts <= MOST_ELEMENTS // ((n + 8) * max(k, 1)))
            self.ask(fits, argument, given, "experts * n * k within 64 bits")

    def packed_w(self, packed_w, inner_k_tiles):
        """Returns the experts, as a list of one or none, the n-tiles and k."""
        self.ask(packed_w.dtype == torch.int32, "packed_w", packed_w, "int32")
        legal = "4 dimensions [n_tiles][k/(16*inner_k_tiles)][32][inner_k_tiles/2], or 5 with experts first"
        self.ask(packed_w.dim() in (4, 5), "packed_w", packed_w, legal)
        self.ask(packed_w.shape[-2] == 32, "packed_w", packed_w, "32 lanes in the last dimension but one")
        words = inner_k_tiles // 2
        legal = f"inner_k_tiles/2 words of a lane in the last dimension = {words}"
        self.ask(packed_w.shape[-1] == words, "packed_w", packed_w, legal)
        experts = list(packed_w.shape[:-4])
        n_tiles, k = packed_w.shape[-4], packed_w.shape[-3] * 16 * inner_k_tiles
        self.elements("packed_w", packed_w, experts[0] if experts else 1, n_tiles * 8, k)
        return experts, n_tiles, k

    def group_size(self, group_size, k):
        legal = f"a positive multiple of 16 that divides k = {k}"
        self.ask(group_size >= 1, "group_size", group_size, legal)
        self.ask(group_size % 16 == 0, "group_size", group_size, legal)
        self.ask(k % group_size == 0, "group_size", group_size, legal)

    def scales(self, name, scales, packed_w, experts, n_tiles, groups):
        """Returns n."""
        with_zeros = name == "scales_and_zeros"
        self.ask(scales.dtype in FLOAT_TYPES, name, scales, "bfloat16, float16 or float32")
        self.ask(scales.device == packed_w.device, name, scales, "on the device of packed_w")
        dims, form = (3, "[k/group_size][n][2]") if with_zeros else (2, "[k/group_size][n]")
        legal = f"{dims} dimensions {form}, or {dims + 1} with experts first where packed_w has them"
        self.ask(scales.dim() == dims + len(experts), name, scales, legal)
        if experts:
            self.ask(scales.shape[0] == experts[0], name, scales, "as many experts as packed_w")
        groups_of_scales, n = scales.shape[len(experts)], scales.shape[len(experts) + 1]
        self.ask(groups_of_scales == groups, name, scales, f"k/group_size groups = {groups}")
        for holds in n <= n_tiles * 8, n_tiles * 8 <= n + 7:
            self.ask(holds, name, scales, f"n with ceil(n/8) n-tiles, as many as packed_w = {n_tiles}")
        if with_zeros:
            self.ask(scales.shape[-1] == 2, name, scales, "a scale and a zero in the last dimension")
        return n

    def zero_points(self, zero_points, scales, packed_w):
        self.ask(zero_points.dtype == torch.int8, "zero_points", zero_points, "int8")
        self.ask(zero_points.device == packed_w.device, "zero_points", zero_points, "on the device of packed_w")
        legal = f"the sizes of scales: {_text(scales)}"
        self.ask(zero_points.dim() == scales.dim(), "zero_points", zero_points, legal)
        for own, other in zip(zero_points.shape, scales.shape):
            self.ask(own == other, "zero_points", zero_points, legal)


def _fake_pack(codes, inner_k_tiles):
    rules = _Rules("pack")
    rules.inner_k_tiles(inner_k_tiles)
    rules.ask(codes.dtype == torch.uint8, "codes", codes, "uint8")
    rules.ask(codes.dim() in (2, 3), "codes", codes, "2 dimensions [n][k/2], or 3 with experts first")
    experts, n, k = list(codes.shape[:-2]), codes.shape[-2], codes.shape[-1] * 2
    rules.elements("codes", codes, experts[0] if experts else 1, n, k)
    supertile = 16 * inner_k_tiles
    rules.ask(k % supertile == 0, "codes", codes, f"k a multiple of 16 * inner_k_tiles = {supertile}")
    return codes.new_empty([*experts, (n + 7) // 8, k // supertile, 32, inner_k_tiles // 2], dtype=torch.int32)


def _fake_unpack(packed_w, inner_k_tiles):
    rules = _Rules("unpack_tensor_core_tiled_layout")
    rules.inner_k_tiles(inner_k_tiles)
    experts, n_tiles, k = rules.packed_w(packed_w, inner_k_tiles)
    return packed_w.new_empty([*experts, n_tiles * 8, k])


def _fake_dequantize(operator, name, packed_w, scales, zero_points, group_size, inner_k_tiles):
    rules = _Rules(operator)
    rules.inner_k_tiles(inner_k_tiles)
    experts, n_tiles, k = rules.packed_w(packed_w, inner_k_tiles)
    rules.group_size(group_size, k)
    n = rules.scales(name, scales, packed_w, experts, n_tiles, k // group_size)
    if zero_points is not None:
        rules.zero_points(zero_points, scales, packed_w)
    return scales.new_empty([*experts, n, k])


def _sizes_by_name(rules, n, k, *layouts):
    """Asks the rules about rows and columns of one or two layouts."""
    names = " and ".join(layout.name for layout in layouts)
    for argument, extent, multiples in ("n", n, "n_multiple"), ("k", k, "k_multiple"):
        of_all = math.lcm(*(getattr(layout, multiples) for layout in layouts))
        legal = f"0 or more, in multiples that the formats take = {of_all} for {names}"
        rules.ask(extent >= 0, argument, extent, legal)
        rules.ask(extent % of_all == 0, argument, extent, legal)
        rules.elements(argument, extent, 1, n, k if argument == "k" else 0)


def _experts_by_name(rules, packed, layout, n, k):
    """Asks the rules about a packed tensor. Returns the experts, as a list of one or none."""
    rules.ask(packed.dtype == layout.dtype, "packed", packed, f"the type of the format's tensor = {_name(layout.dtype)} in {layout.name}")
    sizes = layout.sizes(n, k)
    legal = "the sizes of the format's tensor for n and k, or these behind experts"
    legal += f" = [{', '.join(map(str, sizes))}] in {layout.name}"
    rules.ask(packed.dim() in (len(sizes), len(sizes) + 1), "packed", packed, legal)
    experts = list(packed.shape[: -len(sizes)])
    for given, size in zip(packed.shape[len(experts) :], sizes):
        rules.ask(given == size, "packed", packed, legal)
    rules.elements("packed", packed, experts[0] if experts else 1, n, k)
    return experts


def _fake_convert(packed, source_format, target_format, n, k):
    rules = _Rules("convert")
    for argument, name in ("source_format", source_format), ("target_format", target_format):
        rules.ask(name in _LAYOUTS, argument, name, ", ".join(_LAYOUTS))
    source, target = _LAYOUTS[source_format], _LAYOUTS[target_format]
    _sizes_by_name(rules, n, k, source, target)
    experts = _experts_by_name(rules, packed, source, n, k)
    return packed.new_empty([*experts, *target.sizes(n, k)], dtype=target.dtype)


def _row_by_name(rules, use, parameters, format_argument, format, scheme_argument, scheme):
    """Asks the rules about a format with its parameters."""
    rules.ask(format in formats_with(use), format_argument, format, ", ".join(formats_with(use)))
    schemes = dict.fromkeys(one.scheme for one in _rows_for(use, format))
    rules.ask(scheme in schemes, scheme_argument, scheme, f"one of the format's schemes: {', '.join(schemes)}")
    rows = [one for one in _rows_for(use, format) if one.scheme == scheme]
    legal = "; or ".join(", ".join(name for name, _, _ in one.parameters) or "none" for one in rows)
    row = next((one for one in rows if len(one.parameters) == len(parameters)), None)
    rules.ask(row is not None, "parameters", len(parameters), f"the tensors of the scheme: {legal}")
    return row


def _group_size_by_name(rules, group_size, k, row, of=""):
    legal = f"what the format has: {row.group_sizes(k)}{of}"
    rules.ask(group_size >= 1, "group_size", group_size, legal)
    rules.ask(group_size % row.group_multiple == 0, "group_size", group_size, legal)
    if row.divides_k:
        rules.ask(k % group_size == 0, "group_size", group_size, legal)
    if row.most_group:  # a power of two, which those up to it divide
        rules.ask(row.most_group % group_size == 0, "group_size", group_size, legal)


def _parameters_by_name(rules, parameters, row, weight_type, device, experts, n, k, group_size):
    for i, (tensor, (name, own, dims)) in enumerate(zip(parameters, row.parameters)):
        argument, of = f"parameters[{i}]", f"{name} of {row.name}"
        legal_type = "bfloat16, float16 or float32" if own == "-" else own
        legal = f"the type that the format has there = {legal_type}, {of}"
        rules.ask(tensor.dtype == (weight_type if own == "-" else getattr(torch, own)), argument, tensor, legal)
        rules.ask(tensor.device == device, argument, tensor, "on the device of the first tensor")
        sizes = list(_sizes(dims, n, k, group_size))
        legal = "the sizes that the format has there, behind experts where the first tensor has them"
        legal += f" = [{', '.join(map(str, [*experts, *sizes]))}], {of}"
        rules.ask(tensor.dim() == len(sizes) + len(experts), argument, tensor, legal)
        for given, size in zip(tensor.shape, [*experts, *sizes]):
            rules.ask(given == size, argument, tensor, legal)
    if parameters:
        rules.elements("parameters[0]", parameters[0], experts[0] if experts else 1, n, k)


def _fake_convert_parameters(
    parameters, source_format, source_scheme, target_format, target_scheme, n, k, group_size, rounding="exact"
):
    rules = _Rules("convert_parameters")
    source = _row_by_name(rules, "c", parameters, "source_format", source_format, "source_scheme", source_scheme)
    names = formats_with("c")
    rules.ask(target_format in names, "target_format", target_format, ", ".join(names))
    has_order = [one for one in _rows_for("c") if one.has_order_of_columns == source.has_order_of_columns]
    of_name = [one for one in has_order if one.name == target_format]
    rules.ask(bool(of_name), "target_format", target_format, "gptq or gptq-v1, where g_idx is given")
    target = next((one for one in of_name if one.scheme == target_scheme), None)
    schemes = ", ".join(dict.fromkeys(one.scheme for one in _rows_for("c", target_format)))
    rules.ask(target is not None, "target_scheme", target_scheme, f"one of the format's schemes: {schemes}")
    _sizes_by_name(rules, n, k, *((source,) if source.name == target.name else (source, target)))
    for row in source, target:
        _group_size_by_name(rules, group_size, k, row, "" if source is target else f" in {row.name}")
    rules.ask(rounding in ("exact", "nearest"), "rounding", rounding, "exact or nearest")
    first = parameters[0]
    type_of_scales = first.dtype if first.dtype in FLOAT_TYPES else torch.float32
    dims = len(source.parameters[0][2])
    experts = [first.shape[-dims - 1]] if first.dim() > dims else []
    _parameters_by_name(rules, parameters, source, type_of_scales, first.device, experts, n, k, group_size)
    dtypes = [type_of_scales if own == "-" else getattr(torch, own) for _, own, _ in target.parameters]
    sizes = [list(_sizes(dims, n, k, group_size)) for _, _, dims in target.parameters]
    return [first.new_empty([*experts, *size], dtype=dtype) for size, dtype in zip(sizes, dtypes)]


def _fake_dequantize_by_name(packed, parameters, format, scheme, group_size, n, k, *, dtype=None):
    rules = _Rules("dequantize")
    row = _row_by_name(rules, "d", parameters, "format", format, "scheme", scheme)
    _sizes_by_name(rules, n, k, row)
    _group_size_by_name(rules, group_size, k, row)
    experts = _experts_by_name(rules, packed, row, n, k)

    if row.weight_type == "of_scales":
        own = parameters[0].dtype
        weight_type, legal = own if own in FLOAT_TYPES else torch.float32, "that of the scales"
        is_legal = dtype in (None, weight_type)
    else:
        weight_type = dtype or torch.float32
        types = FLOAT_TYPES if row.weight_type == "any" else (torch.float32,)
        legal = "bfloat16, float16 or float32" if row.weight_type == "any" else "float32"
        is_legal = dtype is None or dtype in types
    rules.ask(is_legal, "dtype", _name(dtype), f"None, or what the format's weights can be: {legal}")

    _parameters_by_name(rules, parameters, row, weight_type, packed.device, experts, n, k, group_size)
    rows_and_columns = [k, n] if row.columns == "n" else [n, k]
    return packed.new_empty([*experts, *rows_and_columns], dtype=weight_type)


def _fake_float(packed_w, scales_and_zeros, group_size, inner_k_tiles):
    of = "dequantize_tensor_core_tiled_layout", "scales_and_zeros"
    return _fake_dequantize(*of, packed_w, scales_and_zeros, None, group_size, inner_k_tiles)


def _fake_integer(packed_w, scales, zero_points, group_size, inner_k_tiles):
    return _fake_dequantize("dequantize_integer", "scales", packed_w, scales, zero_points, group_size, inner_k_tiles)


def _fake_scale_only(packed_w, scales, group_size, inner_k_tiles):
    return _fake_dequantize("dequantize_scale_only", "scales", packed_w, scales, None, group_size, inner_k_tiles)


_FAKES = {
    "pack": _fake_pack,
    "unpack_tensor_core_tiled_layout": _fake_unpack,
    "dequantize_tensor_core_tiled_layout": _fake_float,
    "dequantize_integer": _fake_integer,
    "dequantize_scale_only": _fake_scale_only,
    "convert": _fake_convert,
    "dequantize": _fake_dequantize_by_name,
    "convert_parameters": _fake_convert_parameters,
}

# --- There is no derivative ---------------------------------------------------------------------------------------------


def _define_no_derivative():
    """Defines the operator that backward comes to: an error, and for a compiler that traces backward a tensor."""
    library = torch.library.Library("tileproof", "FRAGMENT")
    _kept.append(library)
    library.define("_no_derivative(Tensor grad, Tensor input, str name) -> Tensor", tags=(torch.Tag.pt2_compliant_tag,))

    def raised(grad, input, name):
        raise RuntimeError(f"derivative for {name} is not implemented")

    library.impl("_no_derivative", raised, "CompositeExplicitAutograd")
    fake = lambda grad, input, name: torch.empty_like(input)
    torch.library.register_fake("tileproof::_no_derivative", fake, lib=library)


def _register_no_derivative(space, name, library):
    """Makes backward through an operator an error, whose scales may require grad.

    The rule of PyTorch's own operators without a derivative is C++, and costs a call nothing. A compiler that traces
    backward, and a PyTorch that has no such rule, get one in Python.
    """
    from torch._functorch.utils import enable_single_level_autograd_function

    operator = getattr(getattr(torch.ops, space), name).default
    no_derivative = torch.ops.tileproof._no_derivative.default
    full_name = f"{space}::{name}"
    below_autograd, after_autograd = torch._C._AutoDispatchBelowAutograd, torch._C._after_autograd_keyset

    class NoDerivative(torch.autograd.function._SingleLevelFunction):
        @staticmethod
        def forward(ctx, call, *tensors):
            ctx.save_for_backward(*tensors)
            with below_autograd():
                result = call()
            return tuple(result) if isinstance(result, list) else result

        @staticmethod
        def backward(ctx, grad, *others):
            return (None, *(no_derivative(grad, tensor, full_name) for tensor in ctx.saved_tensors))

        @staticmethod
        def jvp(ctx, *tangents):
            raise NotImplementedError(f"forward derivative for {full_name} is not implemented")

    def called(below, *arguments, **others):
        each = (one for argument in arguments for one in (argument if isinstance(argument, (list, tuple)) else [argument]))
        tensors = [one for one in each if isinstance(one, torch.Tensor) and one.is_floating_point()]
        if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
            with enable_single_level_autograd_function():
                result = NoDerivative.apply(lambda: below(*arguments, **others), *(one for one in tensors if one.requires_grad))
            return list(result) if isinstance(result, tuple) else result
        if torch.autograd.forward_ad._current_level >= 0:
            if any(torch.autograd.forward_ad.unpack_dual(tensor).tangent is not None for tensor in tensors):
                NoDerivative.jvp(None)
        with below_autograd():
            return below(*arguments, **others)

    if _register(space, name, "Autograd") is None:
        operator.py_impl(torch._C.DispatchKey.Autograd)(functools.partial(called, operator))
    else:
        redispatch = operator.redispatch
        rule = lambda keys, *arguments, **others: called(functools.partial(redispatch, keys & after_autograd), *arguments, **others)
        library.impl(name, rule, "Autograd", with_keyset=True)


# --- Registration -------------------------------------------------------------------------------------------------------


def _register(space, name, key):
    """Registers a kernel. Returns why not, or None."""
    why_not = _library.tileproof_register_operator(space.encode(), name.encode(), key.encode())
    return why_not.decode() if why_not else None


def register(space, names=None, group_size="SymInt"):
    """Defines and registers operators.

    Args:
        space: the namespace, which may have other operators.
        names: of the operators; all, if it is None.
        group_size: the type of that argument in the schema.

    Returns:
        torch.ops.<space>.

    Raises:
        ImportError: an operator of that name is there already, or this PyTorch refuses one.
    """
    schemas = _library.tileproof_operator_schemas(group_size.encode()).decode().splitlines()
    schemas = {schema.partition("(")[0]: schema for schema in schemas}
    chosen = [name for name in schemas if names is None or name in names]
    for name in chosen:
        if _is_defined(f"{space}::{name}"):
            raise ImportError(
                f"{space}::{name} is already registered, by another library or another tileproof in this process: load one of them"
            )
    library = torch.library.Library(space, "FRAGMENT")
    _kept.append(library)
    tags = torch.Tag.pt2_compliant_tag, torch.Tag.flexible_layout
    for name in chosen:
        library.define(schemas[name], tags=tags)
        for key in ["CPU"] + ["CUDA"] * _library.tileproof_operators_have_cuda():
            if why_not := _register(space, name, key):
                raise ImportError(f"PyTorch {torch.__version__} refuses {space}::{name}: {why_not}")
        torch.library.register_fake(f"{space}::{name}", _FAKES[name], lib=library)
        if "dequantize" in name or name == "convert_parameters":  # of scales, which may require grad
            _register_no_derivative(space, name, library)
        else:  # whole numbers have no derivative
            library.impl(name, torch.library.fallthrough_kernel, "Autograd")
    return getattr(torch.ops, space)


def _is_defined(full_name):
    try:
        torch._C._get_schema(full_name, "")
        return True
    except RuntimeError:
        return False


_define_no_derivative()
_operators = register("tileproof")


def __getattr__(name):
    return getattr(_operators, name)
