"""The PyTorch operators as a user meets them, in Python.

What is expected is built here from the description of the layout and from exact fractions, and compared bit for bit.
The package tileproof is on PYTHONPATH; with TILEPROOF_REQUIRE_GPU a missing GPU is an error.
"""

import functools
import io
import os
import random
import signal
import sys
import tempfile
import traceback
import weakref
from fractions import Fraction

import pytest
import torch

NAMES = [
    "pack",
    "unpack_tensor_core_tiled_layout",
    "dequantize_tensor_core_tiled_layout",
    "dequantize_integer",
    "dequantize_scale_only",
    "convert",
    "dequantize",
]
DEQUANTIZE = [*NAMES[2:5], "dequantize"]
OF_TINYGEMM = NAMES[:5]  # that take inner_k_tiles
TYPES = [torch.bfloat16, torch.float16, torch.float32]
# "parameters[0]" is the one tensor of the list that dequantize takes, of tinygemm's scheme float.
TENSORS = ["codes", "packed_w", "packed", "scales_and_zeros", "scales", "zero_points", "parameters[0]"]
SCALES = ["scales", "scales_and_zeros", "parameters[0]"]

# --- What happens where no library of ours is loaded yet ---------------------------------------------------------------

LOADS_BESIDE_TORCHAO = """
import tileproof.ops
packed = torch.ops.tileproof.pack(torch.arange(8 * 16, dtype=torch.uint8).reshape(8, 16), 2)
scales = torch.ones(1, 8, 2)
for space in "tileproof", "torchao":
    if space == "torchao": import tileproof.torchao
    ops = getattr(torch.ops, space)
    print(ops.unpack_tensor_core_tiled_layout(packed, 2)[7, 30:].tolist(),
          ops.dequantize_tensor_core_tiled_layout(packed, scales, 32, 2)[7, 30:].tolist())
    print(ops.unpack_tensor_core_tiled_layout.default._schema)
    print(ops.dequantize_tensor_core_tiled_layout.default._schema)
"""

MEETS_A_TAKEN_NAME = """
taken = torch.library.Library("torchao", "DEF")
taken.define("{name}(Tensor packed_w) -> Tensor")
try:
    import tileproof.torchao
except ImportError as error:
    print(error)
print("unpack", hasattr(torch.ops.torchao, "unpack_tensor_core_tiled_layout"))
print("dequantize", hasattr(torch.ops.torchao, "dequantize_tensor_core_tiled_layout"))
"""


def output_of_fork(program):
    """How a program ends and what it prints, run in a fork of this interpreter, which has loaded nothing but torch yet.
    An interpreter of its own would import that for seconds."""
    out, errors = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
    process = os.fork()
    if process == 0:
        ended = 1
        try:
            signal.alarm(60)
            os.dup2(out.fileno(), 1)
            os.dup2(errors.fileno(), 2)
            sys.stdout = out
            exec(program, globals())
            out.flush()
            ended = 0
        except BaseException:
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(ended)  # without tearing torch down, which takes half a second
    ended = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    out.seek(0)
    errors.seek(0)
    return ended, out.read() + (errors.read() if ended != 0 else "")


BESIDE_TORCHAO = output_of_fork(LOADS_BESIDE_TORCHAO)
WITH_A_TAKEN_NAME = {name: output_of_fork(MEETS_A_TAKEN_NAME.format(name=name)) for name in NAMES[1:3]}

# Only now, as is the library: the forks above have nothing but torch.
import torch._inductor.config
import torch._inductor.constant_folding
from torch._dynamo.testing import CompileCounterWithBackend
from torch._inductor.utils import run_and_get_code
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv, StatelessSymbolicContext

import tileproof.ops

ops = torch.ops.tileproof

HAS_CUDA_KERNELS = torch._C._dispatch_has_kernel_for_dispatch_key("tileproof::pack", "CUDA")


def need_gpus(count=1):
    if HAS_CUDA_KERNELS and torch.cuda.device_count() >= count:
        return
    reason = f"needs {count} GPU(s), has {torch.cuda.device_count()}; CUDA kernels built: {HAS_CUDA_KERNELS}"
    if count == 1 and os.environ.get("TILEPROOF_REQUIRE_GPU"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(params=["cpu", "cuda"])
def device(request):
    if request.param == "cuda":
        need_gpus()
    return request.param


# --- What is expected -------------------------------------------------------------------------------------------------

NIBBLE_OF_VALUE = [0, 4, 1, 5, 2, 6, 3, 7]


def place_of(n, k, k_total, inner_k_tiles):
    """The word of code (n, k) in a packed matrix, and its nibble: two fragments of operand B of mma.m16n8k16 a word."""
    k_tile, of_k_tile = divmod(k, 16)
    lane = n % 8 * 4 + of_k_tile % 8 // 2
    supertile = n // 8 * (k_total // (16 * inner_k_tiles)) + k_tile // inner_k_tiles
    word = (supertile * 32 + lane) * (inner_k_tiles // 2) + k_tile % inner_k_tiles // 2
    return word, NIBBLE_OF_VALUE[k_tile % 2 * 4 + of_k_tile // 8 * 2 + of_k_tile % 2]


@functools.cache
def places_of(n_total, k_total, inner_k_tiles):
    """place_of, of a whole matrix: words and bits as [n][k]."""
    places = [place_of(n, k, k_total, inner_k_tiles) for n in range(n_total) for k in range(k_total)]
    table = torch.tensor(places, dtype=torch.int64).reshape(n_total, k_total, 2)
    return table[..., 0], table[..., 1] * 4


def expected_pack(codes, inner_k_tiles):
    n, k = codes.shape[0], codes.shape[1] * 2
    n_tiles = (n + 7) // 8
    nibbles = torch.stack([codes >> 4, codes & 15], dim=-1).reshape(n, k).long()
    words, bits = places_of(n, k, inner_k_tiles)
    packed = torch.zeros(n_tiles * k, dtype=torch.int64)
    packed.index_add_(0, words.flatten(), (nibbles << bits).flatten())  # disjoint bits: a sum is their union
    packed = torch.where(packed >= 2**31, packed - 2**32, packed).int()
    return packed.reshape(n_tiles, k // (16 * inner_k_tiles), 32, inner_k_tiles // 2)


def expected_unpack(packed_w, inner_k_tiles):
    n, k = packed_w.shape[0] * 8, packed_w.shape[1] * 16 * inner_k_tiles
    words, bits = places_of(n, k, inner_k_tiles)
    return (packed_w.flatten().long()[words] >> bits & 15).int()


class Format:
    """A binary floating-point format: exact values of bits, and the bits nearest to an exact value."""

    def __init__(self, integer, exponent_bits, fraction_bits):
        self.integer = integer
        self.fraction_bits = fraction_bits
        self.smallest_exponent = 2 - 2 ** (exponent_bits - 1)
        self.infinity = (2**exponent_bits - 1) << fraction_bits
        self.sign = 1 << exponent_bits + fraction_bits
        self.nan = self.sign - 1  # as NVIDIA's hardware makes it

    def value(self, bits):
        """(is negative, magnitude): a Fraction, "inf" or "nan"."""
        negative, bits = bits & self.sign != 0, bits & ~self.sign
        if bits >= self.infinity:
            return negative, "inf" if bits == self.infinity else "nan"
        exponent, fraction = bits >> self.fraction_bits, bits & (1 << self.fraction_bits) - 1
        if exponent > 0:
            fraction, exponent = fraction + (1 << self.fraction_bits), exponent - 1
        return negative, fraction * Fraction(2) ** (exponent + self.smallest_exponent - self.fraction_bits)

    def nearest(self, negative, magnitude):
        sign = self.sign if negative else 0
        exponent = self.smallest_exponent
        if magnitude > 0:
            binade = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
            binade -= magnitude < Fraction(2) ** binade
            exponent = max(exponent, binade)
        units = round(magnitude / Fraction(2) ** (exponent - self.fraction_bits))  # to even
        return sign | min((exponent - self.smallest_exponent << self.fraction_bits) + units, self.infinity)

    @functools.cache
    def fma(self, factor, scale, zero=None):
        """factor * scale + zero with one rounding. Without a zero only the product: its sign survives."""
        negative, scale = self.value(scale)
        negative ^= factor < 0
        adds_negative, zero = (negative, Fraction(0)) if zero is None else self.value(zero)
        if "nan" in (scale, zero) or (scale == "inf" and factor == 0):
            return self.nan
        if scale == "inf":
            return self.nan if zero == "inf" and adds_negative != negative else self.infinity | negative * self.sign
        if zero == "inf":
            return self.infinity | adds_negative * self.sign
        product = abs(factor) * scale
        total = (-product if negative else product) + (-zero if adds_negative else zero)
        if total == 0:  # minus zero only as the sum of two of them
            return (product == 0 and zero == 0 and negative and adds_negative) * self.sign
        return self.nearest(total < 0, abs(total))


FORMATS = {
    torch.bfloat16: Format(torch.int16, 8, 7),
    torch.float16: Format(torch.int16, 5, 10),
    torch.float32: Format(torch.int32, 8, 23),
}


def bits_of(tensor):
    return tensor.cpu().contiguous().view({1: torch.uint8, 2: torch.int16, 4: torch.int32}[tensor.element_size()])


def expected_weights(name, p):
    codes = expected_unpack(p["packed_w"], p["inner_k_tiles"])
    has_zeros = name in ("dequantize_tensor_core_tiled_layout", "dequantize")
    scales = p["scales_and_zeros"] if has_zeros else p["scales"]
    form = FORMATS[scales.dtype]
    mask = form.sign * 2 - 1
    n, k = scales.shape[1], codes.shape[1]
    scale_bits, zero_points = bits_of(scales).tolist(), p["zero_points"].tolist()
    weights = []
    for row, codes_of_row in enumerate(codes[:n].tolist()):
        for column, code in enumerate(codes_of_row):
            group = column // p["group_size"]
            at = scale_bits[group][row]
            if has_zeros:
                weights.append(form.fma(code - 8, at[0] & mask, at[1] & mask))
            elif name == "dequantize_integer":
                weights.append(form.fma(code - zero_points[group][row], at & mask))
            else:
                weights.append(form.fma(code, at & mask))
    weights = torch.tensor(weights, dtype=torch.int64)
    return torch.where(weights >= form.sign, weights - 2 * form.sign, weights).to(form.integer).reshape(n, k)


def expected(name, p):
    """The bits of an operator's result, of a batch or of one matrix."""
    p = {key: value.cpu() if isinstance(value, torch.Tensor) else value for key, value in p.items()}
    if p["packed_w"].dim() == 5:
        return torch.stack([expected(name, slice_of(p, expert)) for expert in range(p["packed_w"].shape[0])])
    if name == "pack":
        return expected_pack(p["codes"], p["inner_k_tiles"])
    if name == "unpack_tensor_core_tiled_layout":
        return expected_unpack(p["packed_w"], p["inner_k_tiles"])
    if name == "convert":
        return expected_convert(p)
    return expected_weights(name, p)


def words_of_eight(codes):
    """The last dimension in eights, the first of each in the lowest nibble of an int32."""
    words = (codes.long().unflatten(-1, (-1, 8)) << torch.arange(0, 32, 4)).sum(-1)
    return torch.where(words >= 2**31, words - 2**32, words).int()


def expected_convert(p):
    """From tinygemm's layouts into one that this file can state in a line."""
    codes = expected_unpack(p["packed"], p["inner_k_tiles"])[: p["n"]]
    if p["target_format"] == "plain":
        return (codes[:, 0::2] << 4 | codes[:, 1::2]).to(torch.uint8)
    if p["target_format"] == "gptq":
        return words_of_eight(codes).t().contiguous()
    assert p["target_format"] == "awq"
    order = torch.tensor([0, 2, 4, 6, 1, 3, 5, 7])
    return words_of_eight(codes.t().unflatten(-1, (-1, 8))[..., order].flatten(-2))


# --- Problems ---------------------------------------------------------------------------------------------------------


def drawn_floats(form, type, count, rng):
    """Bits mixed from all classes of a format: zeros, subnormals, normals, infinities, NaN, and those near one."""
    one = -form.smallest_exponent + 1 - 1 << form.fraction_bits
    smallest_normal = 1 << form.fraction_bits
    classes = [
        lambda: 0,
        lambda: rng.randrange(1, smallest_normal),
        lambda: smallest_normal,
        lambda: rng.randrange(smallest_normal, form.infinity),
        lambda: form.infinity - 1,
        lambda: form.infinity,
        lambda: rng.randrange(form.infinity + 1, form.sign),
    ] + [lambda: one + rng.randrange(-4 * smallest_normal, 4 * smallest_normal)] * 9
    bits = [rng.choice(classes)() | rng.choice([0, form.sign]) for _ in range(count)]
    return torch.tensor([b - 2 * form.sign if b >= form.sign else b for b in bits], dtype=form.integer).view(type)


@functools.cache
def drawn_parameters(type, count, seed):
    """Of `count` groups: scales with zeros, and scales. Most problems have the same."""
    rng = random.Random(seed)
    return drawn_floats(FORMATS[type], type, 2 * count, rng), drawn_floats(FORMATS[type], type, count, rng)


def problem(n=20, k=128, inner_k_tiles=4, group_size=64, type=torch.bfloat16, experts=None, device="cpu", seed=1):
    """Every argument of every operator, by name."""
    generator = torch.Generator().manual_seed(seed)
    batch = [] if experts is None else [experts]
    packed_shape = batch + [(n + 7) // 8, k // (16 * inner_k_tiles), 32, inner_k_tiles // 2]
    shape = batch + [k // group_size, n]
    scales_and_zeros, scales = drawn_parameters(type, torch.Size(shape).numel(), seed)
    made = {
        "codes": torch.randint(0, 256, batch + [n, k // 2], dtype=torch.uint8, generator=generator),
        "packed_w": torch.randint(-(2**31), 2**31, packed_shape, dtype=torch.int32, generator=generator),
        "scales_and_zeros": scales_and_zeros.clone().reshape(shape + [2]),
        "scales": scales.clone().reshape(shape),
        "zero_points": torch.randint(-128, 128, shape, dtype=torch.int8, generator=generator),
    }
    made |= {"packed": made["packed_w"].clone(), "parameters[0]": made["scales_and_zeros"].clone()}
    made = {key: tensor.to(device) for key, tensor in made.items()}
    format = f"tinygemm-{inner_k_tiles}"
    formats = {"source_format": format, "target_format": "plain", "format": format, "scheme": "float"}
    return made | {"group_size": group_size, "inner_k_tiles": inner_k_tiles, "n": n, "k": k} | formats


def slice_of(p, expert):
    return {key: value[expert] if isinstance(value, torch.Tensor) else value for key, value in p.items()}


def illegal(name, p):
    """The same with an argument that is not legal."""
    return p | ({"inner_k_tiles": 3} if name in OF_TINYGEMM else {"n": -1})


def names_of(name):
    """Of the arguments by place; a list counts as its first tensor."""
    arguments = getattr(ops, name).default._schema.arguments
    return ["parameters[0]" if a.name == "parameters" else a.name for a in arguments if not a.kwarg_only]


def named_arguments_of(name, p):
    return {argument: p[argument] for argument in names_of(name)}


def arguments_of(name, p):
    return [[p[argument]] if argument == "parameters[0]" else p[argument] for argument in names_of(name)]


def tensors_of(name):
    return [argument for argument in names_of(name) if argument in TENSORS]


def device_of_first(name):
    return f"on the device of {'the first tensor' if name == 'dequantize' else tensors_of(name)[0]}"


def call(name, p):
    return getattr(ops, name)(*arguments_of(name, p))


def assert_bits(got, want):
    """Shape, type width and bits."""
    got, want = bits_of(got), bits_of(want)
    assert got.shape == want.shape and got.dtype == want.dtype
    wrong = (got != want).nonzero()
    first = [(at, hex(got[tuple(at)]), hex(want[tuple(at)])) for at in wrong[:10].tolist()]
    assert len(wrong) == 0, f"{len(wrong)} of {got.numel()} differ, first at, got, expected: {first}"


def of_each_operator(*types):
    rows = [(name, torch.bfloat16) for name in NAMES if name not in DEQUANTIZE]
    return rows + [(name, type) for name in DEQUANTIZE for type in types or TYPES]


def ids(value):
    return str(value).removeprefix("torch.")


# --- Loading ----------------------------------------------------------------------------------------------------------


def test_loads_into_a_fresh_interpreter_beside_torchao_names():
    wanted = ""
    for space in "tileproof", "torchao":
        wanted += "[7, 15] [0.0, 8.0]\n"  # the last byte is 0x7f: code - 8, times 1, plus 1
        wanted += f"{space}::unpack_tensor_core_tiled_layout(Tensor packed_w, int inner_k_tiles) -> Tensor\n"
        wanted += f"{space}::dequantize_tensor_core_tiled_layout(Tensor packed_w, Tensor scales_and_zeros, "
        wanted += f"{'int' if space == 'torchao' else 'SymInt'} group_size, int inner_k_tiles) -> Tensor\n"
    assert BESIDE_TORCHAO == (0, wanted)


def test_torchao_names_have_kernels_of_their_own():
    import tileproof.torchao

    p = problem()
    for name in NAMES[1:3]:
        assert_bits(getattr(torch.ops.torchao, name)(*arguments_of(name, p)), call(name, p))
        for key in ["CPU", "Meta", "Autograd"] + ["CUDA"] * HAS_CUDA_KERNELS:
            assert torch._C._dispatch_has_kernel_for_dispatch_key(f"torchao::{name}", key), key


@pytest.mark.parametrize("name", NAMES[1:3])
def test_torchao_names_that_are_taken_are_refused_and_left_alone(name):
    ended, out = WITH_A_TAKEN_NAME[name]
    assert ended == 0, out
    assert f"torchao::{name} is already registered, by another library" in out
    assert f"unpack {name == NAMES[1]}" in out and f"dequantize {name == NAMES[2]}" in out


def test_names_are_registered_once():
    with pytest.raises(ImportError, match="tileproof::pack is already registered, by another library or another tileproof"):
        tileproof.ops.register("tileproof")
    assert call("pack", problem()).shape == (3, 2, 32, 2)


def test_an_argument_is_no_longer_held_once_a_call_is_over():
    p = problem()
    for name in NAMES:
        for wrong in False, True:
            own = {key: value.clone() if isinstance(value, torch.Tensor) else value for key, value in p.items()}
            held = [weakref.ref(own[tensor]) for tensor in tensors_of(name)]
            if wrong:
                with pytest.raises(ValueError):
                    call(name, illegal(name, own))
            else:
                call(name, own)
            del own
            assert [reference() for reference in held] == [None] * len(held), name


# --- Values -----------------------------------------------------------------------------------------------------------

# n below, at and above an n-tile; a strip left alone at the end of a row; groups smaller and larger than a supertile.
SIZES = [
    dict(n=8, k=32, inner_k_tiles=2, group_size=32),
    dict(n=1, k=96, inner_k_tiles=2, group_size=16),
    dict(n=20, k=192, inner_k_tiles=4, group_size=96),
    dict(n=23, k=256, inner_k_tiles=8, group_size=32),
    dict(n=9, k=256, inner_k_tiles=2, group_size=256),
]


@pytest.mark.parametrize("sizes", SIZES, ids=lambda s: "-".join(map(str, s.values())))
@pytest.mark.parametrize("name, type", of_each_operator(), ids=ids)
def test_every_element_has_the_expected_bits(name, type, sizes, device):
    p = problem(**sizes, type=type, device=device)
    result = call(name, p)
    assert result.device.type == device
    assert result.dtype == (type if name in DEQUANTIZE else torch.uint8 if name == "convert" else torch.int32)
    assert_bits(result, expected(name, p))


@pytest.mark.parametrize("type", TYPES, ids=ids)
def test_minus_zero_infinity_and_nan_are_as_the_hardware_makes_them(type, device):
    form = FORMATS[type]
    infinity = form.infinity
    special = [0, form.sign, 1, infinity - 1, infinity, form.sign | infinity, form.nan, infinity | 1]
    pairs = [(scale, zero) for scale in special for zero in special]
    p = problem(n=len(pairs), k=32, inner_k_tiles=2, group_size=32, type=type, device=device)
    bits = torch.tensor([pairs], dtype=torch.int64)
    bits = torch.where(bits >= form.sign, bits - 2 * form.sign, bits).to(form.integer)
    p["scales_and_zeros"] = p["parameters[0]"] = bits.view(type).to(device)
    p["scales"] = p["scales_and_zeros"][..., 0]
    for name in DEQUANTIZE:
        weights = expected(name, p)
        assert_bits(call(name, p), weights)
        found = set((weights.long() & 2 * form.sign - 1).flatten().tolist())
        assert {0, form.sign, form.infinity, form.sign | form.infinity, form.nan} <= found


def test_the_padding_of_the_last_n_tile_never_matters(device):
    p = problem(n=9, device=device)
    packed = ops.pack(p["codes"], p["inner_k_tiles"])
    assert (ops.unpack_tensor_core_tiled_layout(packed, p["inner_k_tiles"])[9:] == 0).all()
    for name in DEQUANTIZE:
        p["packed_w"] = p["packed"] = packed
        weights = call(name, p)
        lanes = torch.arange(32, device=device).reshape(1, 1, 32, 1)
        p["packed_w"] = p["packed"] = torch.cat([packed[:1], torch.where(lanes < 4, packed[1:], ~packed[1:])])
        assert_bits(call(name, p), weights)


# The sizes fill what a warp converts, leave a part of it, leave words in parts, and fill no n-tile.
CONVERT_SIZES = [(64, 128), (192, 384), (320, 640), (72, 256), (16, 32), (48, 96), (13, 128), (8, 6)]


@pytest.mark.parametrize("n, k", CONVERT_SIZES)
def test_every_pair_of_formats_is_converted_as_the_specification_says(n, k, device):
    reference = pytest.importorskip("tileproof.reference")
    layouts = tileproof.ops._LAYOUTS.values()
    legal = [one.name for one in layouts if n % one.n_multiple == 0 and k % one.k_multiple == 0]
    codes = torch.randint(0, 16, (n, k), dtype=torch.uint8, generator=torch.Generator().manual_seed(n)).numpy()
    packed = {format: torch.from_numpy(reference.pack(codes, format)).to(device) for format in legal}
    for source in legal:
        for target in legal:
            result = ops.convert(packed[source], source, target, n, k)
            assert result.dtype == packed[target].dtype and result.device == packed[target].device
            assert_bits(result, packed[target])
    assert len(legal) >= 2


def test_convert_there_and_back_gives_the_bytes_again_from_any_address(device):
    p = problem(n=64, k=256, inner_k_tiles=8, device=device)
    for target in "plain", "gptq", "awq", "marlin", "tinygemm-2":
        want = ops.convert(p["packed"], "tinygemm-8", target, 64, 256)
        back = ops.convert(want, target, "tinygemm-8", 64, 256)
        assert_bits(back, p["packed"])
        moved = torch.empty(p["packed"].numel() + 1, dtype=torch.int32, device=device)[1:].view(p["packed"].shape)
        assert_bits(ops.convert(moved.copy_(p["packed"]), "tinygemm-8", target, 64, 256), want)
        if target in ("gptq", "awq"):
            assert_bits(want, expected("convert", p | {"target_format": target}))


@pytest.mark.parametrize("name, type", of_each_operator(torch.bfloat16, torch.float32), ids=ids)
@pytest.mark.parametrize("n", [9, 16])
def test_a_batch_of_experts_equals_its_slices(name, type, n, device):
    p = problem(n=n, k=96, inner_k_tiles=2, group_size=32, type=type, experts=5, device=device)
    batch = call(name, p)
    assert_bits(batch, torch.stack([call(name, slice_of(p, expert)) for expert in range(5)]))
    assert_bits(batch, expected(name, p))


@pytest.mark.parametrize("name", NAMES)
def test_empty_matrices_and_batches_are_legal(name, device):
    for sizes in dict(n=0), dict(k=0), dict(n=0, k=0), dict(experts=0), dict(n=0, experts=3), dict(k=0, experts=2):
        p = problem(**sizes, device=device)
        result = call(name, p)
        assert result.numel() == 0
        whole = call(name, problem(**{key: value or 64 * 8 for key, value in sizes.items()}, device="meta"))
        assert result.dim() == whole.dim() and result.dtype == whole.dtype
        if name != "pack":
            batch = [p["packed_w"].shape[0]] if "experts" in sizes else []
            columns = sizes.get("k", 128) // (2 if name == "convert" else 1)
            assert list(result.shape) == batch + [sizes.get("n", 24 if name == NAMES[1] else 20), columns]


def test_any_number_of_threads_gives_the_same_bits():
    p = problem(n=515, k=512, inner_k_tiles=4, group_size=128)
    threads = torch.get_num_threads()
    try:
        results = []
        for count in 1, 2, 3:
            torch.set_num_threads(count)
            results.append([call(name, p) for name in NAMES])
    finally:
        torch.set_num_threads(threads)
    for one, two, three in zip(*results):
        assert_bits(two, one)
        assert_bits(three, one)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_flushed_subnormals_of_the_process_change_no_bit(threads):
    before = torch.get_num_threads()
    results = []
    try:
        torch.set_num_threads(threads)
        for flushed in False, True:
            assert torch.set_flush_denormal(flushed)
            for type in TYPES:
                # As many elements as make torch share them out, and subnormals among the scales and zeros.
                p = problem(n=515, k=512, group_size=32, type=type)
                results.append([call(name, p) for name in DEQUANTIZE])
            assert (torch.tensor([1e-30]) * 1e-10 == 0).item() == flushed  # 1e-40
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)
    for usual, flushed in zip(results[: len(TYPES)], results[len(TYPES) :], strict=True):
        for name, want, got in zip(DEQUANTIZE, usual, flushed, strict=True):
            assert_bits(got, want)


def test_the_smallest_inputs_whose_subnormals_matter():
    packed = ops.pack(torch.full((8, 16), 0x11, dtype=torch.uint8), 2)
    scales = torch.full((1, 8), 3e-5, dtype=torch.float16)
    of_fourteen = ops.pack(torch.full((8, 16), 0xEE, dtype=torch.uint8), 2)
    bits = torch.tensor([0xBD93 - 0x10000, 0x8001 - 0x10000], dtype=torch.int16)
    pairs = bits.view(torch.bfloat16).expand(1, 8, 2)
    assert torch.set_flush_denormal(True)
    try:
        product = ops.dequantize_scale_only(packed, scales, 32, 2)
        total = ops.dequantize_tensor_core_tiled_layout(of_fourteen, pairs, 32, 2)
    finally:
        torch.set_flush_denormal(False)
    assert (bits_of(product) == bits_of(scales)[0, 0]).all()
    assert (bits_of(total) == 0xBEDD - 0x10000).all()


# --- Strides, offsets, aliases ----------------------------------------------------------------------------------------


def transposed(tensor):
    return tensor.transpose(0, -1).contiguous().transpose(0, -1)


def sliced(tensor):
    larger = torch.cat([tensor, tensor, tensor], dim=-1)
    return larger[..., tensor.shape[-1] : 2 * tensor.shape[-1]]


def stepped(tensor):
    larger = torch.stack([tensor, tensor.flip(0)], dim=-1)
    return larger[..., 0]


def expanded(tensor):
    return tensor[:1].expand(tensor.shape)


@pytest.mark.parametrize("layout", [transposed, sliced, stepped, expanded], ids=lambda layout: layout.__name__)
@pytest.mark.parametrize("experts", [None, 3])
@pytest.mark.parametrize("name, type", of_each_operator(torch.bfloat16, torch.float32), ids=ids)
def test_any_strides_give_the_bits_of_the_contiguous_tensor(name, type, layout, experts, device):
    for tensor in tensors_of(name):
        p = problem(type=type, experts=experts, device=device)
        strided = layout(p[tensor])
        assert not strided.is_contiguous()
        before = strided.clone(memory_format=torch.contiguous_format)
        result = call(name, p | {tensor: strided})
        assert_bits(result, call(name, p | {tensor: before}))
        assert_bits(strided, before)
        assert result.is_contiguous()


@pytest.mark.parametrize("name, type", of_each_operator(torch.bfloat16, torch.float32), ids=ids)
def test_any_storage_offset_gives_the_same_bits(name, type, device):
    p = problem(type=type, device=device)
    result = call(name, p)
    for tensor in tensors_of(name):
        given = p[tensor]
        for offset in range(1, 16 // given.element_size() + 1):
            storage = torch.empty(given.numel() + offset, dtype=given.dtype, device=device)
            moved = storage[offset:].view(given.shape).copy_(given)
            assert moved.data_ptr() % 16 == offset * given.element_size() % 16
            assert_bits(call(name, p | {tensor: moved}), result)


def test_memory_that_is_not_aligned_to_its_elements_is_copied():
    p = problem(type=torch.float32)
    for name in NAMES:
        for tensor in tensors_of(name):
            for offset in range(1, 4):
                memory = bytearray(offset) + bytearray(p[tensor].numpy().tobytes())
                moved = torch.frombuffer(memory, dtype=p[tensor].dtype, offset=offset).view(p[tensor].shape)
                assert_bits(call(name, p | {tensor: moved}), call(name, p))


@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_unchanged_and_outputs_are_new(name, device):
    p = problem(device=device)
    before = {key: value.clone() if isinstance(value, torch.Tensor) else value for key, value in p.items()}
    first, second = call(name, p), call(name, p)
    for tensor in tensors_of(name):
        assert_bits(p[tensor], before[tensor])
        assert p[tensor]._version == 0
    storages = [t.untyped_storage().data_ptr() for t in (first, second, *(p[tensor] for tensor in tensors_of(name)))]
    assert len(set(storages)) == len(storages)
    assert_bits(first, second)


# --- Dequantize of other formats --------------------------------------------------------------------------------------

# Sizes that warps take whole, that leave parts of what they take, and that they do not take.
OTHER_SIZES = {
    "plain": [(256, 512, 128), (12, 96, 48), (7, 10, 5)],
    "plain-int32": [(256, 512, 32), (12, 96, 48), (7, 24, 3)],
    "awq": [(256, 512, 128), (72, 96, 48), (8, 7, 7)],
    "gptq": [(256, 512, 128), (72, 96, 48), (8, 24, 6)],
    "gptq-v1": [(256, 512, 32), (72, 96, 48), (8, 24, 6)],
    "nf4": [(64, 512, 64), (33, 65, 128), (1, 3, 32)],
    "fp4": [(64, 512, 4096), (33, 65, 32), (1, 3, 64)],
    "q4_0": [(64, 512, 32), (3, 96, 32)],
    "q4_1": [(64, 512, 32), (3, 96, 32)],
    "q4_k": [(64, 512, 32), (3, 768, 32)],
}
OTHERS = [(row, type) for row in tileproof.ops._FORMATS if row.name in OTHER_SIZES for type in TYPES]
OTHERS = [(row, type) for row, type in OTHERS if row.weight_type != "float32" or type == torch.float32]


def row_of(name, parameters):
    return next(row for row in tileproof.ops._FORMATS if row.name == name and len(row.parameters) == parameters)


def drawn(dtype, sizes, generator):
    if dtype.is_floating_point:
        return torch.randn(sizes, generator=generator).to(dtype)
    span = {torch.uint8: (0, 256), torch.int8: (-128, 128), torch.int32: (-(2**31), 2**31)}[dtype]
    return torch.randint(*span, sizes, dtype=dtype, generator=generator)


def other_problem(row, type, sizes, experts=None, seed=1):
    """The arguments of a call, and its dtype."""
    n, k, group_size = sizes
    generator, batch = torch.Generator().manual_seed(seed), [] if experts is None else [experts]
    of = lambda dims: [*batch, *tileproof.ops._sizes(dims, n, k, group_size)]
    parameters = [drawn(type if own == "-" else getattr(torch, own), of(dims), generator) for _, own, dims in row.parameters]
    for (name, _, dims), tensor in zip(row.parameters, parameters):
        if name == "g_idx":
            tensor.copy_(torch.randint(0, k // group_size, tensor.shape, generator=generator))
    dtype = type if row.weight_type == "any" else None
    return [drawn(row.dtype, of(row.dims), generator), parameters, row.name, row.scheme, group_size, n, k], dtype


def changed(arguments, change):
    packed, parameters, *rest = arguments
    return [change(packed), [change(tensor) for tensor in parameters], *rest]


def moved(tensor):
    """The same behind an element."""
    return torch.cat([tensor.flatten()[:1], tensor.flatten()])[1:].view(tensor.shape)


@pytest.mark.parametrize("row, type", OTHERS, ids=lambda value: f"{value.name}-{len(value.parameters)}" if hasattr(value, "scheme") else ids(value))
def test_dequantize_of_another_format_takes_experts_strides_and_offsets(row, type, device):
    for sizes in OTHER_SIZES[row.name]:
        arguments, dtype = other_problem(row, type, sizes, experts=3)
        on_device = changed(arguments, lambda t: t.to(device))
        weights = ops.dequantize(*on_device, dtype=dtype)
        n, k = sizes[:2]
        assert weights.shape == ((3, k, n) if row.columns == "n" else (3, n, k)) and weights.dtype == type
        assert weights.device.type == device
        assert_bits(weights, ops.dequantize(*arguments, dtype=dtype))
        for expert in range(3):
            of_one = changed(on_device, lambda t: t[expert])
            assert_bits(ops.dequantize(*of_one, dtype=dtype), weights[expert])
        for change in transposed, sliced, moved:
            assert_bits(ops.dequantize(*changed(on_device, change), dtype=dtype), weights)
        with FakeTensorMode() as mode:
            fake = ops.dequantize(*changed(on_device, mode.from_tensor), dtype=dtype)
        assert (fake.shape, fake.dtype, fake.device) == (weights.shape, weights.dtype, weights.device)
    empty, dtype = other_problem(row, type, (0, OTHER_SIZES[row.name][0][1], OTHER_SIZES[row.name][0][2]))
    assert ops.dequantize(*changed(empty, lambda t: t.to(device)), dtype=dtype).numel() == 0


@pytest.mark.parametrize("row, type", OTHERS, ids=lambda value: f"{value.name}-{len(value.parameters)}" if hasattr(value, "scheme") else ids(value))
def test_dequantize_of_another_format_passes_opcheck_and_is_compiled(row, type, device):
    arguments, dtype = other_problem(row, type, OTHER_SIZES[row.name][0])
    if not row.parameters:  # numbers of a block, which noise makes NaN
        arguments[0] = torch.zeros_like(arguments[0])
    arguments = changed(arguments, lambda t: t.to(device))
    torch.library.opcheck(ops.dequantize.default, arguments, {"dtype": dtype}, test_utils=("test_schema", "test_faketensor", "test_autograd_registration"))
    if type != TYPES[-1]:
        return
    torch._dynamo.reset()
    counter = CompileCounterWithBackend("aot_eager")
    rest = arguments[2:5]
    forward = lambda packed, parameters, n, k: ops.dequantize(packed, parameters, *rest, n, k, dtype=dtype)
    compiled = torch.compile(forward, fullgraph=True, dynamic=True, backend=counter)
    for factor in 1, 2, 3:
        n, k, group_size = OTHER_SIZES[row.name][0]
        other, _ = other_problem(row, type, (n, k * factor, group_size))
        packed, parameters, *_ = changed(other, lambda t: t.to(device))
        assert_bits(compiled(packed, parameters, n, k * factor), forward(packed, parameters, n, k * factor))
    assert counter.frame_count <= 2


def test_a_group_that_is_not_there_gives_nan(device):
    arguments, dtype = other_problem(row_of("gptq", 3), torch.float16, (256, 512, 128))
    arguments[1][2][[3, 200]] = torch.tensor([4, -1], dtype=torch.int32)
    weights = ops.dequantize(*changed(arguments, lambda t: t.to(device)), dtype=dtype)
    is_nan = torch.zeros(512, dtype=torch.bool)
    is_nan[[3, 200]] = True
    assert torch.equal(weights.isnan().all(1).cpu(), is_nan) and torch.equal(weights.isnan().any(1).cpu(), is_nan)


def refusal_of(*arguments, **others):
    with pytest.raises(ValueError) as raised:
        ops.dequantize(*arguments, **others)
    return str(raised.value)


def test_dequantize_says_what_a_format_takes(device):
    awq, dtype = other_problem(row_of("awq", 2), torch.float16, (16, 32, 8))
    nf4, _ = other_problem(row_of("nf4", 1), torch.float32, (16, 32, 64))
    q4_0, _ = other_problem(row_of("q4_0", 0), torch.float32, (16, 32, 32))
    told = [
        ([awq[0], awq[1][:1], *awq[2:]], {}, "parameters: given 1, legal is the tensors of the scheme: scales, zeros"),
        ([awq[0], awq[1] * 3, *awq[2:]], {}, "parameters: given 6, legal is the tensors of the scheme: scales, zeros"),
        ([*awq[:4], 5, *awq[5:]], {}, "group_size: given 5, legal is what the format has: a positive divisor of k = 32"),
        ([*awq[:5], 12, 32], {}, "n: given 12, legal is 0 or more, in multiples that the formats take = 8 for awq"),
        (awq, {"dtype": torch.float32}, "dtype: given float32, legal is None, or what the format's weights can be: that of the scales"),
        ([*nf4[:4], 48, *nf4[5:]], {}, "group_size: given 48, legal is what the format has: a power of two from 32 to 4096"),
        (nf4, {"dtype": torch.float64}, "dtype: given float64, legal is None, or what the format's weights can be: bfloat16, float16 or float32"),
        (q4_0, {"dtype": torch.float16}, "dtype: given float16, legal is None, or what the format's weights can be: float32"),
        ([*q4_0[:4], 64, *q4_0[5:]], {}, "group_size: given 64, legal is what the format has: 32"),
    ]  # fmt: skip
    for arguments, others, text in told:
        for where in device, "meta":
            assert refusal_of(*changed(arguments, lambda t: t.to(where)), **others) == f"dequantize: {text}"
    nf4[1] = [nf4[1][0].half()]
    assert refusal_of(*nf4).endswith("legal is the type that the format has there = float32, scales of nf4")


# --- Convert of parameters --------------------------------------------------------------------------------------------

PARAMETERS = [row for row in tileproof.ops._FORMATS if "c" in row.uses]
SIZES_OF_PARAMETERS = [(128, 384, 128), (64, 128, 128), (192, 256, 32)]


def titled(row):
    return f"{row.name}-{row.scheme}-{len(row.parameters)}"


def parameters_of(row, type, sizes, experts=None, zero_point=8):
    """Of groups that every format can have: positive scales of few bits, and one zero point, 8, or whichever the scheme has."""
    n, k, group_size = sizes
    generator, batch = torch.Generator().manual_seed(3), [] if experts is None else [experts]
    tensors = []
    for name, own, dims in row.parameters:
        of = [*batch, *tileproof.ops._sizes(dims, n, k, group_size)]
        if name == "scales_and_zeros":
            scales = torch.randint(1, 8, of[:-1], generator=generator).to(type) / 4
            tensors.append(torch.stack([scales, (8 - zero_point) * scales], -1))
        elif name == "scales":
            tensors.append(torch.randint(1, 8, of, generator=generator).to(type) / 4)
        elif name == "zero_points":
            tensors.append(torch.full(of, zero_point, dtype=torch.int8))
        elif name == "zeros":
            stored = zero_point - (row.name == "gptq-v1")
            tensors.append(torch.full(of, sum(stored << 4 * i for i in range(8)) - (stored >= 8) * 2**32).int())
        else:
            assert name == "g_idx"
            tensors.append(torch.randint(0, k // group_size, of, dtype=torch.int32, generator=generator))
    return tensors


def has_order(row):
    return len(row.parameters) == 3


def pairs_of_formats(is_pair=lambda source, target: True):
    every = ((source, target) for source in PARAMETERS for target in PARAMETERS if has_order(source) == has_order(target))
    none = lambda source, target: (source.scheme == "none") != (target.scheme == "none")  # zero points 0 and 8
    return [(source, target) for source, target in every if not none(source, target) and is_pair(source, target)]


def names_of_pair(source, target):
    return source.name, source.scheme, target.name, target.scheme


def on(device, tensors):
    return [tensor.to(device) for tensor in tensors]


@pytest.mark.parametrize("type", TYPES, ids=ids)
@pytest.mark.parametrize("source", PARAMETERS, ids=titled)
def test_parameters_go_to_every_format_and_back(source, type, device):
    for target in (target for of, target in pairs_of_formats() if of is source):
        for sizes in SIZES_OF_PARAMETERS:
            for experts in None, 2:
                names, given = names_of_pair(source, target), on(device, parameters_of(source, type, sizes, experts))
                found = ops.convert_parameters(given, *names, *sizes)
                want = parameters_of(target, type, sizes, experts)
                zero_of = [i for i, (name, _, _) in enumerate(target.parameters) if name in ("zeros", "zero_points", "g_idx")]
                assert [(t.shape, t.dtype, t.device.type) for t in found] == [(t.shape, t.dtype, device) for t in want], names
                for i in zero_of:
                    assert torch.equal(found[i].cpu(), want[i]), names
                back = ops.convert_parameters(found, names[2], names[3], names[0], names[1], *sizes)
                assert all(map(torch.equal, back, given)), names
                assert len({t.untyped_storage().data_ptr() for t in [*given, *found]}) == len(given) + len(found)
                with FakeTensorMode() as mode:
                    fake = ops.convert_parameters([mode.from_tensor(t) for t in given], *names, *sizes)
                assert [(t.shape, t.dtype, t.device) for t in fake] == [(t.shape, t.dtype, t.device) for t in found]


def test_weights_are_the_same_bits_in_the_other_backend(device):
    n, k, group_size = 128, 256, 64
    codes = torch.randint(0, 256, (n, k // 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)).to(device)
    awq = ops.convert(codes, "plain", "awq", n, k)
    given = on(device, parameters_of(row_of("awq", 2), torch.float16, (n, k, group_size)))
    given[1] = torch.randint(-(2**31), 2**31, given[1].shape, generator=torch.Generator().manual_seed(2)).int().to(device)
    found = ops.convert_parameters(given, "awq", "integer", "tinygemm-4", "float", n, k, group_size)
    weights = ops.dequantize(ops.convert(awq, "awq", "tinygemm-4", n, k), found, "tinygemm-4", "float", group_size, n, k)
    assert_bits(weights, ops.dequantize(awq, given, "awq", "integer", group_size, n, k).t())


def test_a_group_that_cannot_be_converted_is_named(device):
    names, sizes = ("tinygemm-4", "float", "awq", "integer"), (16, 256, 64)
    of = lambda change: on(device, [change(parameters_of(row_of("tinygemm-4", 1), torch.bfloat16, sizes, experts=3)[0])])

    def with_zero(expert, group, row, zero):
        def change(scales_and_zeros):
            scales_and_zeros[expert, group, row] = torch.tensor([2, zero])
            return scales_and_zeros

        return of(change)

    exact = "groups whose weights stay the same bits, or, with rounding='nearest', whose zero moves by half a scale at most"
    told = [
        (with_zero(1, 3, 5, 1.0), "exact", f"group 3 of row 5 of expert 1, legal is {exact}"),
        (with_zero(2, 0, 15, -16.0), "exact", f"group 0 of row 15 of expert 2, legal is {exact}"),
        (with_zero(0, 1, 0, -18.0), "nearest", "group 1 of row 0 of expert 0, legal is groups whose zero moves by half a scale at most"),
        (with_zero(0, 1, 0, torch.nan), "nearest", "group 1 of row 0 of expert 0, legal is groups whose zero moves by half a scale at most"),
    ]
    for given, rounding, text in told:
        with pytest.raises(ValueError) as raised:
            ops.convert_parameters(given, *names, *sizes, rounding)
        assert str(raised.value) == f"convert_parameters: parameters: given {text}"
    with pytest.raises(ValueError, match="given group 3 of row 5, legal is"):
        ops.convert_parameters([with_zero(1, 3, 5, 1.0)[0][1]], *names, *sizes)
    zeros = ops.convert_parameters(with_zero(1, 3, 5, 1.0), *names, *sizes, "nearest")[1]
    assert hex(zeros[1, 3, 0].item() & 0xFFFFFFFF) == "0x88888888"  # 7.5: to even
    assert zeros[0, 0, 0] == zeros[1, 3, 0]
    zeros = ops.convert_parameters(with_zero(1, 3, 5, 3.0), *names, *sizes, "nearest")[1]
    assert hex(zeros[1, 3, 0].item() & 0xFFFFFFFF) == "0x86888888"  # 6.5: to even
    zeros = ops.convert_parameters(with_zero(1, 3, 5, -15.0), *names, *sizes, "nearest")[1]
    assert hex(zeros[1, 3, 0].item() & 0xFFFFFFFF) == "0x8f888888"  # 15.5, where 16 is none: 15; column 5 is the word's sixth


REFUSED_PARAMETERS = [
    ({"source_format": "q4_0"}, "source_format: given q4_0, legal is tinygemm-2, "),
    ({"source_scheme": "symmetric"}, "source_scheme: given symmetric, legal is one of the format's schemes: float, integer, none"),
    ({"parameters": 2}, "parameters: given 2, legal is the tensors of the scheme: scales_and_zeros"),
    ({"target_format": "nf4"}, "target_format: given nf4, legal is tinygemm-2, "),
    ({"target_scheme": "float"}, "target_scheme: given float, legal is one of the format's schemes: integer"),
    ({"n": 20}, "n: given 20, legal is 0 or more, in multiples that the formats take = 8 for tinygemm-4 and awq"),
    ({"k": 100}, "k: given 100, legal is 0 or more, in multiples that the formats take = 64 for tinygemm-4 and awq"),
    ({"group_size": 8}, "group_size: given 8, legal is what the format has: a positive multiple of 16 that divides k = 256 in tinygemm-4"),
    ({"group_size": 48}, "group_size: given 48, legal is what the format has: a positive multiple of 16 that divides k = 256 in tinygemm-4"),
    ({"target_format": "int4pack-cpu-avx2", "target_scheme": "float-folded", "group_size": 16}, "group_size: given 16, legal is what the format has: a power of two from 32 to 256 that divides k = 256 in int4pack-cpu-avx2"),
    ({"rounding": "up"}, "rounding: given up, legal is exact or nearest"),
    ({"n": 24}, "parameters[0]: given bfloat16 [4, 16, 2] on "),
    ({"parameters": 0}, "parameters[0]: given bfloat16 [2, 3, 4, 16, 2] on "),
]  # fmt: skip


@pytest.mark.parametrize("change, text", REFUSED_PARAMETERS, ids=lambda value: value if isinstance(value, str) else None)
def test_illegal_parameters_are_refused_in_the_same_words(change, text, device):
    given = parameters_of(row_of("tinygemm-4", 1), torch.bfloat16, (16, 256, 64))
    legal = {"parameters": given, "source_format": "tinygemm-4", "source_scheme": "float", "target_format": "awq", "target_scheme": "integer"}
    legal |= {"n": 16, "k": 256, "group_size": 64}
    listed = lambda count: given * count or [given[0].expand(2, 3, 4, 16, 2)]
    change = {key: listed(value) if key == "parameters" else value for key, value in change.items()}

    def refusal(where):
        p = legal | change
        with pytest.raises(ValueError) as raised:
            ops.convert_parameters(**p | {"parameters": [where(t) for t in p["parameters"]]})
        return str(raised.value)

    real = refusal(lambda t: t.to(device))
    assert real.startswith(f"convert_parameters: {text}")
    legal["parameters"], change = on(device, given), {key: on(device, value) if key == "parameters" else value for key, value in change.items()}
    with FakeTensorMode() as mode:
        assert refusal(mode.from_tensor) == real


def test_an_order_of_columns_goes_to_formats_that_have_one(device):
    given = on(device, parameters_of(row_of("gptq-v1", 3), torch.float16, (128, 384, 128), experts=2))
    with pytest.raises(ValueError, match="target_format: given marlin, legal is gptq or gptq-v1, where g_idx is given"):
        ops.convert_parameters(given, "gptq-v1", "integer", "marlin", "integer", 128, 384, 128)
    found = ops.convert_parameters(given, "gptq-v1", "integer", "gptq", "integer", 128, 384, 128)
    assert torch.equal(found[2], given[2]) and found[2].data_ptr() != given[2].data_ptr()


def test_parameters_may_have_any_strides_and_offsets(device):
    for source, target in pairs_of_formats(lambda source, target: target.name in ("marlin", "tinygemm-8", "gptq")):
        names, sizes = names_of_pair(source, target), SIZES_OF_PARAMETERS[0]
        given = on(device, parameters_of(source, torch.bfloat16, sizes, experts=3))
        want = ops.convert_parameters(given, *names, *sizes)
        for change in transposed, sliced, moved:
            found = ops.convert_parameters([change(t) for t in given], *names, *sizes)
            assert all(map(torch.equal, found, want)), names
        of_one = ops.convert_parameters([t[1] for t in given], *names, *sizes)
        assert all(torch.equal(one, all[1]) for one, all in zip(of_one, want)), names
    for sizes in (0, 384, 128), (64, 0, 128):
        given = on(device, parameters_of(row_of("tinygemm-8", 1), torch.bfloat16, sizes))
        assert [t.numel() for t in ops.convert_parameters(given, "tinygemm-8", "float", "awq", "integer", *sizes)] == [0, 0]


@pytest.mark.parametrize("source, target", pairs_of_formats(lambda s, t: s.name in ("awq", "tinygemm-4", "gptq") and t.name in ("tinygemm-4", "marlin", "gptq-v1")), ids=lambda row: titled(row))
def test_convert_of_parameters_passes_opcheck_and_is_compiled(source, target, device):
    names, (n, k, group_size) = names_of_pair(source, target), SIZES_OF_PARAMETERS[0]
    given = on(device, parameters_of(source, torch.float16, (n, k, group_size)))
    torch.library.opcheck(ops.convert_parameters.default, (given, *names, n, k, group_size), test_utils=("test_schema", "test_faketensor", "test_autograd_registration"))
    torch._dynamo.reset()
    counter = CompileCounterWithBackend("aot_eager")
    forward = lambda given, k, rounding: ops.convert_parameters(given, *names, n, k, group_size, rounding)
    compiled = torch.compile(forward, fullgraph=True, dynamic=True, backend=counter)
    for factor in 1, 2, 3:
        given = on(device, parameters_of(source, torch.float16, (n, k * factor, group_size)))
        assert all(map(torch.equal, compiled(given, k * factor, "exact"), forward(given, k * factor, "exact")))
    assert counter.frame_count <= 2


def test_backward_through_converted_parameters_is_an_error():
    given = parameters_of(row_of("tinygemm-4", 1), torch.float32, (16, 256, 64))[0].requires_grad_()
    found = ops.convert_parameters([given], "tinygemm-4", "float", "plain", "integer", 16, 256, 64)
    assert found[0].requires_grad and not found[1].requires_grad
    with pytest.raises(RuntimeError, match="derivative for tileproof::convert_parameters is not implemented"):
        found[0].sum().backward()


NEVER_REFUSED = [("marlin", "symmetric", "tinygemm-8", "float"), ("tinygemm-8", "float", "int4pack-cpu-avx2", "float-folded"), ("awq", "integer", "plain", "integer")]


@pytest.mark.parametrize("names", NEVER_REFUSED, ids="-".join)
def test_parameters_that_are_never_refused_are_captured_into_a_graph(names):
    need_gpus()
    sizes = (128, 384, 128)
    source = next(row for row in PARAMETERS if (row.name, row.scheme) == names[:2])
    given = on("cuda", parameters_of(source, torch.bfloat16, sizes))
    convert = lambda: ops.convert_parameters(given, *names, *sizes)
    convert()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = convert()
    given[0].mul_(2)
    graph.replay()
    assert all(map(torch.equal, found, convert()))


@pytest.mark.parametrize("type", TYPES, ids=ids)
def test_cuda_converts_parameters_to_the_bits_of_the_cpu(type):
    need_gpus()
    n, k, group_size = 512, 4096, 16
    generator = torch.Generator().manual_seed(5)
    shape = k // group_size, n
    scales = (torch.randn(shape, generator=generator) * 2.0 ** torch.randint(-12, 8, shape, generator=generator)).to(type)
    zero_points = torch.randint(-20, 37, shape, generator=generator).to(torch.int8)

    def same(given, *names, rounding="nearest"):
        def outcome_on(device):
            try:
                return ops.convert_parameters(on(device, given), *names, n, k, group_size, rounding)
            except ValueError as refused:
                return str(refused)

        of_cpu, of_cuda = outcome_on("cpu"), outcome_on("cuda")
        if isinstance(of_cpu, str):
            assert of_cpu == of_cuda
            return None
        for want, got in zip(of_cpu, of_cuda):
            assert_bits(got, want)
        return of_cpu

    far = torch.randint(-128, 128, shape, generator=generator).to(torch.int8)
    assert same([scales, far], "tinygemm-8", "integer", "tinygemm-4", "float") is not None
    (scales_and_zeros,) = same([scales, zero_points], "tinygemm-8", "integer", "tinygemm-4", "float")
    between = (torch.rand(shape, generator=generator) - 0.5) * 0.4
    scales_and_zeros[..., 1] += (between * scales.float()).to(type)
    assert same([scales_and_zeros], "plain", "float", "plain", "integer") is not None
    for seed in range(20):  # numbers of all classes: the same group is the first that is refused
        wild = drawn_floats(FORMATS[type], type, 2 * scales.numel(), random.Random(seed)).reshape(*shape, 2)
        keep = torch.rand(shape, generator=generator) < 0.999
        wild[keep] = torch.tensor([2, 0], dtype=type)
        for rounding in "exact", "nearest":
            same([wild], "tinygemm-2", "float", "plain", "integer", rounding=rounding)


def test_parameters_are_converted_on_a_device_that_is_not_the_current_one():
    need_gpus(2)
    names, sizes = ("tinygemm-8", "float", "marlin", "integer"), (128, 384, 128)
    given = parameters_of(row_of("tinygemm-8", 1), torch.bfloat16, sizes)
    with torch.cuda.device(0):
        found = ops.convert_parameters(on("cuda:1", given), *names, *sizes)
    assert all(t.device.index == 1 for t in found)
    assert all(map(torch.equal, on("cpu", found), ops.convert_parameters(given, *names, *sizes)))
    with pytest.raises(ValueError, match=r"parameters\[1\].* legal is on the device of the first tensor"):
        ops.convert_parameters([found[0], found[1].cpu()], names[2], names[3], *names[:2], *sizes)


# --- Acceptance -------------------------------------------------------------------------------------------------------


def with_tensor(name, change):
    return lambda p: p | {name: change(p[name])}


def with_number(name, value):
    return lambda p: p | {name: value}


LEGAL = {
    "as it is": lambda p: p,
    "n_tiles full": lambda p: problem(n=24),
    "one row in the last n-tile": lambda p: problem(n=17),
    "group_size 16": lambda p: problem(group_size=16),
    "group_size 32 of k 96": lambda p: problem(k=96, inner_k_tiles=2, group_size=32),
    "experts": lambda p: problem(experts=3),
    "no experts": lambda p: problem(experts=0),
    "no rows": lambda p: problem(n=0),
    "no columns": lambda p: problem(k=0),
    "fp16": lambda p: problem(type=torch.float16),
    "fp32": lambda p: problem(type=torch.float32),
    "transposed": lambda p: {key: transposed(t) if isinstance(t, torch.Tensor) else t for key, t in p.items()},
}
# argument, change, what of the legal must be named
ILLEGAL = [
    ("inner_k_tiles", with_number("inner_k_tiles", 0), "2, 4 or 8"),
    ("inner_k_tiles", with_number("inner_k_tiles", 3), "2, 4 or 8"),
    ("inner_k_tiles", with_number("inner_k_tiles", 16), "2, 4 or 8"),
    ("inner_k_tiles", with_number("inner_k_tiles", -2), "2, 4 or 8"),
    ("codes", with_tensor("codes", lambda t: t.int()), "uint8"),
    ("codes", with_tensor("codes", lambda t: t[0]), "2 dimensions [n][k/2]"),
    ("codes", with_tensor("codes", lambda t: t[None, None]), "2 dimensions [n][k/2]"),
    ("codes", with_tensor("codes", lambda t: t[:, :-1]), "k a multiple of 16 * inner_k_tiles = 64"),
    ("codes", with_tensor("codes", lambda t: t[:, :48]), "k a multiple of 16 * inner_k_tiles = 64"),
    ("codes", with_tensor("codes", lambda t: t[:1, :1].expand(2**29, 2**29)), "within 64 bits"),
    ("packed_w", with_tensor("packed_w", lambda t: t.long()), "int32"),
    ("packed_w", with_tensor("packed_w", lambda t: t.float()), "int32"),
    ("packed_w", with_tensor("packed_w", lambda t: t[0]), "4 dimensions"),
    ("packed_w", with_tensor("packed_w", lambda t: t[None, None]), "4 dimensions"),
    ("packed_w", with_tensor("packed_w", lambda t: t[:, :, :31]), "32 lanes"),
    ("packed_w", with_tensor("packed_w", lambda t: t[..., :1]), "inner_k_tiles/2 words of a lane"),
    ("packed_w", with_number("inner_k_tiles", 8), "inner_k_tiles/2 words of a lane in the last dimension = 4"),
    ("packed_w", with_tensor("packed_w", lambda t: t[:1, :1].expand(2**28, 2**24, 32, 2)), "within 64 bits"),
    ("group_size", with_number("group_size", 0), "a positive multiple of 16 that divides k = 128"),
    ("group_size", with_number("group_size", -64), "a positive multiple of 16 that divides k = 128"),
    ("group_size", with_number("group_size", 8), "a positive multiple of 16 that divides k = 128"),
    ("group_size", with_number("group_size", 48), "a positive multiple of 16 that divides k = 128"),
    ("group_size", with_number("group_size", 256), "a positive multiple of 16 that divides k = 128"),
    ("zero_points", with_tensor("zero_points", lambda t: t.to(torch.uint8)), "int8"),
    ("zero_points", with_tensor("zero_points", lambda t: t[:, :-1]), "the sizes of scales"),
    ("zero_points", with_tensor("zero_points", lambda t: t[None]), "the sizes of scales"),
    ("zero_points", with_tensor("zero_points", lambda t: t.t()), "the sizes of scales"),
]
with_packed = lambda change: with_tensor("packed", change)
with_first = lambda change: with_tensor("parameters[0]", change)
sizes_of_first = "the sizes that the format has there, behind experts where the first tensor has them = "
sizes_of_first_alone = sizes_of_first + "[2, 20, 2], scales_and_zeros of tinygemm-4"
ILLEGAL += [
    ("source_format", with_number("source_format", "tinygemm"), "tinygemm-2, tinygemm-4, "),
    ("target_format", with_number("target_format", "q4_0"), "tinygemm-2, tinygemm-4, "),
    ("target_format", with_number("target_format", ""), "tinygemm-2, tinygemm-4, "),
    ("format", with_number("format", "marlin"), "tinygemm-2, tinygemm-4, "),
    ("scheme", with_number("scheme", "bias"), "one of the format's schemes: float, integer, none"),
    ("n", with_number("n", -8), "0 or more, in multiples that the formats take = 1 for tinygemm-4"),
    ("n", with_number("n", 2**60), "experts * n * k within 64 bits"),
    ("k", with_number("k", 96), "0 or more, in multiples that the formats take = 64 for tinygemm-4"),
    ("k", with_number("k", 2**60), "experts * n * k within 64 bits"),
    ("packed", with_packed(lambda t: t.byte()), "the type of the format's tensor = int32 in tinygemm-4"),
    ("packed", with_number("n", 25), "the sizes of the format's tensor for n and k, or these behind experts = [4, 2, 32, 2] in tinygemm-4"),
    ("packed", with_number("k", 192), "the sizes of the format's tensor for n and k, or these behind experts = [3, 3, 32, 2] in tinygemm-4"),
    ("packed", with_packed(lambda t: t[0]), "the sizes of the format's tensor"),
    ("packed", with_packed(lambda t: t[None, None]), "the sizes of the format's tensor"),
    ("packed", with_packed(lambda t: t[..., :1]), "the sizes of the format's tensor"),
    ("packed", with_packed(lambda t: t.expand(2**50, *t.shape)), "within 64 bits"),
    ("parameters[0]", with_first(lambda t: t.double()), "bfloat16, float16 or float32, scales_and_zeros of tinygemm-4"),
    ("parameters[0]", with_first(lambda t: t[:1]), sizes_of_first_alone),
    ("parameters[0]", with_first(lambda t: t[None]), sizes_of_first_alone),
    ("parameters[0]", with_first(lambda t: t[..., 0]), sizes_of_first_alone),
    ("parameters[0]", with_first(lambda t: t[:, :16]), sizes_of_first_alone),
    ("parameters[0]", lambda p: problem(experts=2) | {"parameters[0]": problem(experts=3)["parameters[0]"]}, sizes_of_first + "[2, 2, 20, 2]"),
    ("parameters[0]", lambda p: problem(experts=2) | {"parameters[0]": p["parameters[0]"]}, sizes_of_first + "[2, 2, 20, 2]"),
]
for scales in "scales", "scales_and_zeros":
    ILLEGAL += [
        (scales, with_tensor(scales, lambda t: t.double()), "bfloat16, float16 or float32"),
        (scales, with_tensor(scales, lambda t: t.to(torch.int16)), "bfloat16, float16 or float32"),
        (scales, with_tensor(scales, lambda t: t[None]), "dimensions [k/group_size][n]"),
        (scales, with_tensor(scales, lambda t: t[0]), "dimensions [k/group_size][n]"),
        (scales, with_tensor(scales, lambda t: t[:1]), "k/group_size groups = 2"),
        (scales, with_tensor(scales, lambda t: torch.cat([t, t])), "k/group_size groups = 2"),
        (scales, with_tensor(scales, lambda t: t[:, :16]), "n with ceil(n/8) n-tiles, as many as packed_w = 3"),
        (scales, with_tensor(scales, lambda t: torch.cat([t, t[:, :5]], 1)), "n with ceil(n/8) n-tiles"),
        (scales, with_number("group_size", 32), "k/group_size groups = 4"),
        (scales, lambda p, s=scales: problem(experts=2) | {s: problem(experts=3)[s]}, "as many experts as packed_w"),
        (scales, lambda p, s=scales: problem(experts=2) | {s: p[s]}, "experts first where packed_w has them"),
    ]
ILLEGAL += [
    ("scales_and_zeros", with_tensor("scales_and_zeros", lambda t: t[..., :1]), "a scale and a zero"),
    ("scales_and_zeros", lambda p: p | {"scales_and_zeros": p["scales"]}, "3 dimensions [k/group_size][n][2]"),
    ("scales", lambda p: p | {"scales": p["scales_and_zeros"]}, "2 dimensions [k/group_size][n]"),
]


def outcome(name, p):
    """What a call gives apart from its data: a description, or the text of its refusal."""
    try:
        result = call(name, p)
    except ValueError as refused:
        return str(refused)
    return result.dtype, tuple(result.shape), result.stride(), result.storage_offset()


def converted(p, convert):
    return {key: convert(value) if isinstance(value, torch.Tensor) else value for key, value in p.items()}


def in_fake_mode(p):
    mode = FakeTensorMode()
    return mode, converted(p, mode.from_tensor)


def in_symbolic_mode(p):
    """Every size that a graph may leave open is symbolic: a lane's words and the pair of scale and zero never are."""
    mode = FakeTensorMode(shape_env=ShapeEnv())
    static_from_end = {"packed_w": 2, "packed": 2, "scales_and_zeros": 1, "parameters[0]": 1}

    def symbolic(key, tensor):
        static = min(static_from_end.get(key, 0), tensor.dim())
        sizes = [DimDynamic.DYNAMIC] * (tensor.dim() - static) + [DimDynamic.STATIC] * static
        return mode.from_tensor(tensor, symbolic_context=StatelessSymbolicContext(dynamic_sizes=sizes))

    return mode, {key: symbolic(key, value) if isinstance(value, torch.Tensor) else value for key, value in p.items()}


@pytest.mark.parametrize("name", NAMES)
def test_real_and_fake_accept_the_same_legal_calls_and_agree(name, device):
    for title, change in LEGAL.items():
        p = converted(named_arguments_of(name, change(problem())), lambda t: t.to(device))
        real = outcome(name, p)
        assert not isinstance(real, str), f"{title}: {real}"
        mode, fake = in_fake_mode(p)
        with mode:
            assert outcome(name, fake) == real, title
            assert call(name, fake).device.type == device
        assert outcome(name, converted(p, lambda t: t.to("meta"))) == real, title


@pytest.mark.parametrize("name", NAMES)
def test_real_and_fake_refuse_the_same_illegal_calls_in_the_same_words(name, device):
    asked = 0
    for argument, change, legal in ILLEGAL:
        if argument not in names_of(name):
            continue
        p = named_arguments_of(name, change(problem()))
        if device != "cpu":
            p = converted(p, lambda t: t.cuda() if t.numel() < 2**20 else t[(0,) * t.dim()].cuda().expand(t.shape))
        real = outcome(name, p)
        assert isinstance(real, str), f"accepts {argument} that is not {legal}"
        beginning, end = f"{name}: {argument}: given ", f", legal is "
        assert real.startswith(beginning) and end in real and legal in real.split(end)[1], real
        given = p[argument]
        assert (str(list(given.shape)) if argument in TENSORS else str(given)) in real.split(end)[0], real
        mode, fake = in_fake_mode(p)
        with mode:
            assert outcome(name, fake) == real
        if legal != "within 64 bits":  # of a symbolic size nobody knows it
            mode, symbolic = in_symbolic_mode(p)
            with mode:
                refusal = outcome(name, symbolic)
            assert isinstance(refusal, str), f"a symbolic one accepts {argument} that is not {legal}"
            assert refusal.startswith(beginning) and legal.split(" = ")[0] in refusal.split(end)[1], refusal
        asked += 1
    assert asked >= 8


@pytest.mark.parametrize("name", DEQUANTIZE)
def test_tensors_on_different_devices_are_refused(name):
    for tensor in tensors_of(name)[1:]:
        p = problem()
        refusal = outcome(name, p | {tensor: p[tensor].to("meta")})
        assert f"{name}: {tensor}: given " in refusal and device_of_first(name) in refusal


DEVICES = [("cpu", "cuda"), ("cuda", "cpu"), ("cuda:0", "cuda:1"), ("cpu", "meta"), ("meta", "cuda")]


@pytest.mark.parametrize("of_packed, of_other", DEVICES, ids="-".join)
@pytest.mark.parametrize("name", DEQUANTIZE)
def test_fake_tensors_on_different_devices_are_refused_in_the_same_words(name, of_packed, of_other):
    if "cuda:1" in (of_packed, of_other):
        need_gpus(2)
    real = problem()
    of_illegal = outcome(name, illegal(name, real))
    for tensor in tensors_of(name)[1:]:
        with FakeTensorMode():
            p = converted(real, lambda t: torch.empty(t.shape, dtype=t.dtype, device=of_packed))
            p[tensor] = torch.empty(real[tensor].shape, dtype=real[tensor].dtype, device=of_other)
            refusal = outcome(name, p)
            assert f"{name}: {tensor}: given " in refusal and f" on {p[tensor].device}, " in refusal
            assert refusal.endswith(f"legal is {device_of_first(name)}")
            # The first rule that is broken is told, as without fake tensors.
            assert outcome(name, illegal(name, p)) == of_illegal
            if of_packed[:4] != of_other[:4]:  # below autograd a fake tensor does not say which of some GPUs it is on
                with torch.inference_mode():
                    assert outcome(name, p).endswith(f"legal is {device_of_first(name)}")


@pytest.mark.parametrize("name", NAMES)
def test_backward_is_an_error_not_a_wrong_gradient(name):
    p = problem()
    for scales in SCALES:
        p[scales].requires_grad_()
    result = call(name, p)
    assert result.requires_grad == (name in DEQUANTIZE)
    if result.requires_grad:
        with pytest.raises(RuntimeError, match=f"derivative for tileproof::{name} is not implemented"):
            result.sum().backward()


# --- Fake tensors, compilation, export --------------------------------------------------------------------------------


@pytest.mark.parametrize("experts", [None, 2])
@pytest.mark.parametrize("name, type", of_each_operator(torch.bfloat16), ids=ids)
def test_passes_opcheck(name, type, experts, device):
    p = problem(type=type, experts=experts, device=device)
    for scales in SCALES:
        p[scales] = torch.nan_to_num(p[scales])  # opcheck compares values
    torch.library.opcheck(getattr(ops, name).default, arguments_of(name, p))
    # The registration for autograd is only looked at with inputs that require grad, and the rest only without.
    for scales in SCALES:
        p[scales].requires_grad_()
    if name in DEQUANTIZE:
        tests = "test_schema", "test_autograd_registration", "test_faketensor"
        torch.library.opcheck(getattr(ops, name).default, arguments_of(name, p), test_utils=tests)


@pytest.mark.parametrize("name", NAMES)
def test_fake_tensors_with_dynamic_shapes_give_symbolic_shapes(name):
    mode, p = in_symbolic_mode(problem(experts=2))
    p["n"], p["k"] = p["codes"].shape[1], p["codes"].shape[2] * 2
    with mode:
        result = call(name, p)
    of_first = p[tensors_of(name)[0]]
    assert isinstance(result.shape[-1 if name != "pack" else 2], torch.SymInt)
    if name == "pack":
        want = (2, 3, 2, 32, 2)
        assert isinstance(result.shape[1], torch.SymInt)
        assert result.shape[0] is of_first.shape[0] or str(result.shape[0]) == str(of_first.shape[0])
    else:
        want = (2, 24 if name == NAMES[1] else 20, 64 if name == "convert" else 128)
        assert str(result.shape[0]) == str(of_first.shape[0])
    assert tuple(int(size) for size in result.shape) == want


class Linear(torch.nn.Module):
    """A linear layer of packed weights that sums up what the operators give."""

    def __init__(self, inner_k_tiles, group_size):
        super().__init__()
        self.inner_k_tiles, self.group_size = inner_k_tiles, group_size

    def forward(self, x, codes, scales_and_zeros, scales, zero_points):
        n, k = codes.shape[0], codes.shape[1] * 2
        packed = ops.convert(codes, "plain", f"tinygemm-{self.inner_k_tiles}", n, k)
        rest = (self.group_size, self.inner_k_tiles)
        weights = ops.dequantize_tensor_core_tiled_layout(packed, scales_and_zeros, *rest)
        integer = ops.dequantize_integer(packed, scales, zero_points, *rest)
        alone = ops.dequantize_scale_only(packed, scales, *rest)
        gptq = ops.convert(ops.pack(codes, self.inner_k_tiles), f"tinygemm-{self.inner_k_tiles}", "gptq", n, k)
        unpacked = ops.unpack_tensor_core_tiled_layout(packed, self.inner_k_tiles)
        return x @ weights.t(), weights, integer, alone, gptq, unpacked


def linear_arguments(n, k, device="cpu"):
    p = problem(n=n, k=k, device=device)
    x = torch.randn(4, k, generator=torch.Generator().manual_seed(0)).bfloat16().to(device)
    return [x] + [torch.nan_to_num(p[name]) for name in ("codes", "scales_and_zeros", "scales", "zero_points")]


def assert_same(got, want):
    for g, w in zip(got[1:], want[1:], strict=True):
        assert_bits(g, w)
    torch.testing.assert_close(got[0], want[0], equal_nan=True)


def test_compiles_whole_with_dynamic_shapes(device):
    module = Linear(4, 64).to(device)
    torch._dynamo.reset()
    counter = CompileCounterWithBackend("inductor" if device == "cpu" else "aot_eager")
    compiled = torch.compile(module, fullgraph=True, dynamic=True, backend=counter)
    with torch.no_grad():
        # Not two groups at first: a size that equals the 2 of scale and zero is taken for the same number.
        for n, k in (24, 192), (40, 256), (16, 512):
            arguments = linear_arguments(n, k, device)
            assert_same(compiled(*arguments), module(*arguments))
    assert counter.frame_count == 1  # one graph serves all


@functools.cache
def registered_without_the_rule_in_cpp():
    """The operators as in a release whose library lacks the rule that libtileproof_torch.so looks for."""
    own = tileproof.ops._register
    tileproof.ops._register = lambda space, name, key: "not there" if key == "Autograd" else own(space, name, key)
    try:
        return tileproof.ops.register("tileproof_without_rule")
    finally:
        tileproof.ops._register = own


WAYS = [("tileproof", backend) for backend in ("eager", "aot_eager", "inductor")] + [("tileproof_without_rule", "aot_eager")]


@pytest.mark.parametrize("space, backend", WAYS)
@pytest.mark.parametrize("name", DEQUANTIZE)
def test_compiled_or_not_scales_may_require_grad_and_backward_is_the_same_error(name, space, backend, device):
    own_ops = ops if space == "tileproof" else registered_without_the_rule_in_cpp()

    def forward(x, *arguments):
        return x @ getattr(own_ops, name)(*arguments).t().float()

    torch._dynamo.reset()
    compiled = torch.compile(forward, fullgraph=True, backend=backend)
    p = problem(device=device)
    for scales in SCALES:
        # Small whole numbers: sums of weights are exact in any order.
        p[scales] = torch.nan_to_num(p[scales]).clamp(-2, 2).round().requires_grad_()
    x = torch.eye(128, device=device, requires_grad=True)
    for function in forward, compiled:
        result = function(x, *arguments_of(name, p))
        assert result.requires_grad
        assert_bits(result.detach(), (x @ call(name, p).t().float()).detach())
        with pytest.raises(RuntimeError) as raised:
            result.sum().backward()
        assert str(raised.value) == f"derivative for {space}::{name} is not implemented"
    for scales in SCALES:
        p[scales] = p[scales].detach()
    x.grad = None
    for function in forward, compiled:  # what does not go through the operator has its gradient
        function(x, *arguments_of(name, p)).sum().backward()
    assert_bits(x.grad, 2 * call(name, p).float().sum(0).expand(128, 128))
    with torch.no_grad():
        assert_bits(compiled(x, *arguments_of(name, p)), forward(x, *arguments_of(name, p)))


@pytest.mark.parametrize("space", ["tileproof", "tileproof_without_rule"])
@pytest.mark.parametrize("name", DEQUANTIZE)
def test_transforms_of_functions_take_it_and_their_derivatives_are_errors(name, space):
    own_ops = ops if space == "tileproof" else registered_without_the_rule_in_cpp()
    p = problem()
    scales = next(tensor for tensor in tensors_of(name) if tensor in SCALES)
    p[scales] = torch.nan_to_num(p[scales])
    forward = lambda of_scales: getattr(own_ops, name)(*arguments_of(name, p | {scales: of_scales}))
    weights, pull_back = torch.func.vjp(forward, p[scales])
    assert_bits(weights, call(name, p))
    with pytest.raises(RuntimeError, match=f"derivative for {space}::{name} is not implemented"):
        pull_back(torch.ones_like(weights))
    with pytest.raises(NotImplementedError, match=f"forward.* {space}::{name}|forward AD with {space}::{name}"):
        torch.func.jvp(forward, (p[scales],), (p[scales],))


def test_a_group_size_that_a_compiler_leaves_open_needs_one_graph():
    def forward(packed_w, scales, zero_points):
        group_size = packed_w.shape[1] * 64 // scales.shape[0]
        pairs = torch.stack([scales, scales], dim=-1)
        return (
            ops.dequantize_scale_only(packed_w, scales, group_size, 4),
            ops.dequantize_integer(packed_w, scales, zero_points, group_size, 4),
            ops.dequantize_tensor_core_tiled_layout(packed_w, pairs, group_size, 4),
        )

    torch._dynamo.reset()
    counter = CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(forward, fullgraph=True, dynamic=True, backend=counter)
    # At first other numbers of groups, supertiles and n-tiles: those that are equal are taken for the same number.
    for k, group_size in (384, 96), (192, 64), (512, 32), (640, 160), (768, 16), (1024, 256):
        p = problem(k=k, group_size=group_size)
        arguments = p["packed_w"], torch.nan_to_num(p["scales"]), p["zero_points"]
        for got, want in zip(compiled(*arguments), forward(*arguments), strict=True):
            assert_bits(got, want)
    assert counter.frame_count == 1
    with pytest.raises(Exception, match="group_size"):
        p = problem(k=192, group_size=64)
        torch.compile(lambda packed_w, scales: ops.dequantize_scale_only(packed_w, scales, scales.shape[1], 4))(
            p["packed_w"], p["scales"]
        )


def test_a_block_size_of_nf4_may_be_left_open_too():
    def forward(packed, absmax):
        block, k = packed.shape[0] * 2 // absmax.shape[0], packed.shape[0] * 2 // 16
        return ops.dequantize(packed, [absmax], "nf4", "nf4", block, 16, k)

    torch._dynamo.reset()
    counter = CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(forward, fullgraph=True, dynamic=True, backend=counter)
    for k, block in (256, 64), (512, 32), (384, 128):
        (packed, parameters, *_), _ = other_problem(row_of("nf4", 1), torch.float32, (16, k, block))
        assert_bits(compiled(packed, *parameters), forward(packed, *parameters))
    assert counter.frame_count == 1


def test_freezing_keeps_packed_weights_as_the_document_says():
    class Frozen(torch.nn.Module):
        def __init__(self):
            super().__init__()
            p = problem()
            self.packed_w = torch.nn.Parameter(p["packed_w"], requires_grad=False)
            self.scales = torch.nn.Parameter(torch.nan_to_num(p["scales_and_zeros"]), requires_grad=False)

        def forward(self, x):
            return x @ ops.dequantize_tensor_core_tiled_layout(self.packed_w, self.scales, 64, 4).t()

    with open(os.path.join(os.path.dirname(__file__), "ARGUMENTS.md")) as document:
        lines = [line for line in document if "add_dont_constant_fold" in line]
    assert len(lines) == 1
    exec(lines[0].strip(), {"torch": torch})
    module, x = Frozen(), torch.eye(128, dtype=torch.bfloat16)
    torch._dynamo.reset()
    try:
        with torch.no_grad(), torch._inductor.config.patch(freezing=True):
            result, sources = run_and_get_code(torch.compile(module), x)
            assert any("dequantize_tensor_core_tiled_layout" in source for source in sources)
            assert_bits(result, module(x))
    finally:
        torch._inductor.constant_folding.clear_dont_constant_fold()


def test_exports_with_dynamic_shapes_and_gives_the_same_bits(device):
    module = Linear(4, 64).to(device)
    tiles, supertiles = torch.export.Dim("tiles", min=1, max=4096), torch.export.Dim("supertiles", min=1, max=4096)
    n, k, groups = 8 * tiles, 64 * supertiles, supertiles
    shapes = ({1: k}, {0: n, 1: 32 * supertiles}, {0: groups, 1: n}, {0: groups, 1: n}, {0: groups, 1: n})
    program = torch.export.export(module, tuple(linear_arguments(24, 128, device)), dynamic_shapes=shapes)
    saved = io.BytesIO()
    torch.export.save(program, saved)
    saved.seek(0)
    loaded = torch.export.load(saved).module()
    for n_rows, columns in (24, 128), (64, 320):
        arguments = linear_arguments(n_rows, columns, device)
        assert_same(loaded(*arguments), module(*arguments))


def test_export_takes_experts_whose_number_is_only_known_when_it_runs():
    class Chosen(torch.nn.Module):
        def forward(self, packed_w, scales_and_zeros, of_packed_w, of_scales):
            packed_w = packed_w[of_packed_w.nonzero().squeeze(-1)]
            scales_and_zeros = scales_and_zeros[of_scales.nonzero().squeeze(-1)]
            return ops.dequantize_tensor_core_tiled_layout(packed_w, scales_and_zeros, 64, 4)

    p = problem(experts=5)
    tensors = p["packed_w"], torch.nan_to_num(p["scales_and_zeros"])
    some, others = torch.tensor([[True, False, True, True, False], [False, True, True, False, True]])
    program = torch.export.export(Chosen(), (*tensors, some, others)).module()
    for wanted in (some, others), (~some, ~some), (some | True, others | True), (some & False, others & False):
        assert_bits(program(*tensors, *wanted), Chosen()(*tensors, *wanted))
    # That both numbers are equal could not be asked while tracing. The program asks.
    with pytest.raises(RuntimeError, match="Eq"):
        program(*tensors, some, others | True)


# --- CUDA -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_runs_on_the_current_stream_behind_a_slow_producer(name):
    need_gpus()
    p = problem(n=200, device="cuda")
    want = call(name, p)
    late = converted(p, torch.zeros_like)
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        call(name, late)  # so that the stream has memory
        torch.cuda.synchronize()
        torch.cuda._sleep(200_000_000)
        for tensor in tensors_of(name):
            late[tensor].copy_(p[tensor])
        result = call(name, late)
        assert not side.query()  # the call has not waited
    side.synchronize()
    assert_bits(result, want)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_strided", [False, True])
def test_is_captured_into_a_graph_and_replayed_on_changed_inputs(name, is_strided):
    need_gpus()
    p = problem(device="cuda", experts=3)
    if is_strided:
        p = converted(p, transposed)
    call(name, p)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = call(name, p)
    for seed in 2, 3:
        other = problem(device="cuda", experts=3, seed=seed)
        for tensor in tensors_of(name):
            p[tensor].copy_(other[tensor])
        graph.replay()
        torch.cuda.synchronize()
        assert_bits(result, call(name, other))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_in_a_call_synchronizes(name):
    need_gpus()
    p = problem(device="cuda")
    call(name, p)
    torch.cuda.set_sync_debug_mode("error")
    try:
        call(name, p)
        call(name, converted(p, transposed))
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("name, type", of_each_operator(), ids=ids)
def test_cuda_gives_the_bits_of_the_cpu(name, type):
    need_gpus()
    p = problem(n=1001, k=1024, inner_k_tiles=8, group_size=128, type=type, experts=2)
    assert_bits(call(name, converted(p, lambda t: t.cuda())), call(name, p))


@pytest.mark.parametrize("name", NAMES)
def test_refusals_on_cuda_leave_no_error_behind(name):
    need_gpus()
    p = problem(device="cuda")
    with pytest.raises(ValueError):
        call(name, illegal(name, p))
    for tensor in tensors_of(name)[1:]:
        assert device_of_first(name) in outcome(name, p | {tensor: p[tensor].cpu()})
    torch.cuda.synchronize()
    assert (torch.ones(3, device="cuda") + 1).tolist() == [2, 2, 2]


@pytest.mark.parametrize("name", NAMES)
def test_runs_on_a_device_that_is_not_the_current_one(name):
    need_gpus(2)
    torch.cuda.set_device(0)
    p = problem(device="cuda:1")
    result = call(name, p)
    assert result.device == torch.device("cuda:1") and torch.cuda.current_device() == 0
    assert_bits(result, expected(name, p))
    for tensor in tensors_of(name)[1:]:
        assert device_of_first(name) in outcome(name, p | {tensor: p[tensor].to("cuda:0")})
    assert torch.cuda.current_device() == 0
