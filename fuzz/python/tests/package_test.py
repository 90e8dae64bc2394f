"""The Python package as a user meets it: the specification over numpy, the kernels over torch, the test helper and the
pytest plugin. The package is on PYTHONPATH."""

import functools
import importlib
import json
import os
import re
import subprocess
import sys
import time
import types

import numpy as np
import pytest
import tileproof
import torch
from tileproof import _judging, pytest_plugin, reference

PROJECT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "example_project")
TINYGEMM = ["tinygemm-2", "tinygemm-4", "tinygemm-8"]
OF_CPU = ["int4pack-cpu-default", "int4pack-cpu-avx2", "int4pack-cpu-avx512"]
CONVERTED = [*TINYGEMM, "plain", "awq", *OF_CPU, "gptq", "gptq-v1", "marlin", "plain-int32"]
DEQUANTIZED = [*TINYGEMM, "plain", "awq", "gptq", "gptq-v1", "plain-int32", "nf4", "fp4", "q4_0", "q4_1", "q4_k"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def codes_of(n, k, seed=0):
    return np.random.default_rng(seed).integers(0, 16, (n, k), dtype=np.uint8)


def pairs_of(codes):
    return torch.from_numpy(codes[..., 0::2] << 4 | codes[..., 1::2])


# --- Formats and the specification --------------------------------------------------------------------------------------


def test_formats_say_what_they_are():
    formats = tileproof.formats()
    assert len(formats) == 22
    awq = formats["awq"]
    assert awq.packed == tileproof.Tensor("packed", "int32", "[k][n/8]")
    assert (awq.n_multiple, awq.k_multiple, awq.weights, awq.kernels) == (8, 1, "[k][n]", ("pack", "unpack", "convert", "dequantize"))
    assert awq.schemes[0].tensors[1] == tileproof.Tensor("zeros", "int32", "[k/group_size][n/8]")
    assert [name for name, one in formats.items() if "dequantize" in one.kernels] == DEQUANTIZED
    assert [name for name, one in formats.items() if "pack" in one.kernels] == CONVERTED
    assert [name for name, one in formats.items() if not one.packs_codes_alone] == ["q4_0", "q4_1", "q4_k", "mxfp4-gguf"]


def test_the_version_is_the_programs():
    said = subprocess.run([sys.executable, "-m", "tileproof", "--version"], capture_output=True, text=True, check=True).stdout
    assert said == f"tileproof {tileproof.__version__}\n"


def test_the_specification_packs_as_a_line_of_numpy_does():
    codes = codes_of(16, 64)
    assert (reference.pack(codes, "plain") == (codes[:, 0::2] << 4 | codes[:, 1::2])).all()
    assert (reference.pack(codes, "mxfp4") == (codes[:, 1::2] << 4 | codes[:, 0::2])).all()
    order = [0, 2, 4, 6, 1, 3, 5, 7]  # of AWQ: the output channel in each nibble, the lowest first
    words = sum(codes.T.reshape(64, 2, 8)[:, :, of].astype(np.uint32) << 4 * at for at, of in enumerate(order))
    assert (reference.pack(codes, "awq") == words.view(np.int32)).all()
    flat = codes_of(3, 5).reshape(-1)
    padded = np.append(flat, np.uint8(7))  # of NF4, 7 is the code of 0
    assert (reference.pack(flat.reshape(3, 5), "nf4")[:, 0] == (padded[0::2] << 4 | padded[1::2])).all()


@pytest.mark.parametrize("name", [name for name, one in tileproof.formats().items() if one.packs_codes_alone])
def test_the_specification_unpacks_what_it_packs_and_converts_it(name):
    codes = codes_of(128, 256, seed=1)
    packed = reference.pack(codes, name)
    assert packed.dtype.name == tileproof.formats()[name].packed.dtype
    assert (reference.unpack(packed, name, 128, 256) == codes).all()
    if name != "tinygemm-4":
        converted = reference.convert(packed, name, "tinygemm-4", 128, 256)
        assert (converted == reference.pack(codes, "tinygemm-4")).all()


def test_the_specification_dequantizes_with_the_types_that_it_is_given():
    codes = codes_of(8, 64)
    packed = reference.pack(codes, "plain")
    scales = np.random.default_rng(2).normal(size=(2, 8))
    zeros = np.random.default_rng(3).integers(-8, 24, (2, 8), dtype=np.int8)
    group = np.arange(64) // 32
    for dtype in np.float16, np.float32:
        exact = (codes.astype(float) - zeros[group].T) * scales.astype(dtype)[group].T.astype(float)
        got = reference.dequantize(packed, (scales.astype(dtype), zeros), "plain", 8, 64, 32)
        assert got.dtype == dtype and (got == exact.astype(dtype)).all()
    ones = np.full((2, 8), 0x3F80, np.uint16)  # bf16's 1, as bits
    got = reference.dequantize(packed, ones, "plain", 8, 64, 32, scheme="none")
    assert (got == (codes.astype(np.float32).view(np.uint32) >> 16)).all()
    weights = reference.dequantize(reference.pack(codes, "awq"), (np.ones((2, 8), np.float16), np.zeros((2, 1), np.int32)), "awq", 8, 64, 32)
    assert (weights == codes.T).all()
    half = np.full((8, 2), 126, np.uint8)  # of mxfp4, e8m0: 2^-1
    fp32 = reference.dequantize(reference.pack(np.full((8, 64), 7, np.uint8), "mxfp4"), half, "mxfp4", 8, 64, 32, dtype="fp32")
    assert fp32.dtype == np.float32 and (fp32 == 3).all()


ILLEGAL = [
    (lambda: reference.pack(codes_of(8, 64).astype(int), "awq"), ValueError, r"codes: given int64 \[8, 64\], legal is uint8"),
    (lambda: reference.pack(codes_of(8, 64) + 16, "awq"), ValueError, "codes: given 31 among them, legal is 0 to 15"),
    (lambda: reference.pack(codes_of(9, 64), "awq"), ValueError, "n: given 9, legal is a multiple of 8"),
    (lambda: reference.pack(codes_of(8, 64), "awk"), ValueError, "format: given 'awk', legal is tinygemm-2, "),
    (lambda: reference.pack(codes_of(8, 64), "q4_0"), ValueError, "format: given 'q4_0', whose packed codes hold parameters"),
    (lambda: reference.pack(codes_of(8, 64), ["awq"]), ValueError, r"format: given \['awq'\], legal is"),
    (lambda: reference.pack(np.full((8, 64), 16, np.uint8), "awq"), ValueError, "codes: given 16 among them, legal is 0 to 15"),
    (lambda: reference.convert(np.zeros((0, 1), np.uint8), "nf4", "fp4", 2**32, 2**32), ValueError, r"n \* k: given .*, legal is at most 2\^40"),
    (lambda: reference.dequantize(np.zeros((8, 0), np.uint8), np.zeros((0, 8), np.float16), "plain", 8, 0, 0, scheme="none"), ValueError, "group_size: given 0"),
    (lambda: dequantized(dtype="fp32"), ValueError, "dtype: given 'fp32', legal is fp16, of such scales_and_zeros"),
    (lambda: reference.unpack(np.zeros((64, 1)), "awq", 8, 64), ValueError, r"packed: given float64 \[64, 1\], legal is int32"),
    (lambda: reference.unpack(np.zeros((64, 1), np.int32), "awq", 8, 1.5), TypeError, "k: given 1.5, legal is a whole number"),
    (lambda: dequantized(group_size=24), ValueError, "group_size: given 24, legal is a divisor of k = 64"),
    (lambda: dequantized(scheme="bias"), ValueError, "scheme: given 'bias', legal is float, integer, none"),
    (lambda: dequantized(scheme="integer"), ValueError, "parameters: given 1 tensors, legal is scales, zero_points, of scheme"),
    (lambda: dequantized(dtype="int8"), ValueError, "dtype: given 'int8', legal is bf16, fp16 or fp32"),
    (lambda: dequantized(np.ones((1, 8, 2), np.float16)), ValueError, r"scales_and_zeros: given float16 \[1, 8, 2\], legal"),
    (lambda: dequantized(np.ones((2, 8, 2))), ValueError, "scales_and_zeros: given float64 .*, legal is float16, float32"),
]


def dequantized(parameters=np.ones((2, 8, 2), np.float16), group_size=32, **others):
    return reference.dequantize(reference.pack(codes_of(8, 64), "plain"), parameters, "plain", 8, 64, group_size, **others)


def test_arrays_of_any_strides_and_no_elements_are_taken():
    codes = codes_of(16, 64)
    packed = reference.pack(codes[::-1].T[::-1].T, "plain")
    assert (packed == reference.pack(np.ascontiguousarray(codes[::-1, ::-1]), "plain")).all()
    wide = np.zeros((16, 64), np.uint8)
    wide[:, ::2] = packed
    assert (reference.unpack(wide[:, ::2], "plain", 16, 64) == codes[::-1, ::-1]).all()
    assert reference.unpack(np.empty((0, 2**30), np.int32), "awq", 2**33, 0).shape == (2**33, 0)
    assert (dequantized(dtype=np.float16) == dequantized(dtype="fp16")).all()


def test_formats_are_a_copy():
    tileproof.formats().clear()
    assert "awq" in tileproof.formats()


@pytest.mark.parametrize("call, error, text", ILLEGAL, ids=lambda value: value[:20] if isinstance(value, str) else "")
def test_an_illegal_argument_is_named(call, error, text):
    with pytest.raises(error, match=text):
        call()


# --- The kernels --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", TINYGEMM)
def test_the_kernels_give_what_the_specification_gives(format):
    n, k, group_size = 21, 256, 64
    codes = codes_of(n, k, seed=4)
    packed = tileproof.pack(pairs_of(codes), format)
    assert (packed.numpy() == reference.pack(codes, format)).all()
    assert torch.equal(tileproof.unpack(packed, format, n, k), pairs_of(codes))
    generator = torch.Generator().manual_seed(5)
    scales = torch.randn(k // group_size, n, 2, generator=generator)
    zero_points = torch.randint(-128, 128, (k // group_size, n), dtype=torch.int8, generator=generator)
    for dtype in torch.float16, torch.float32, torch.bfloat16:
        typed = scales.to(dtype)
        one = typed[..., 0].contiguous()
        for scheme, parameters in ("float", typed), ("integer", (one, zero_points)), ("none", one):
            got = tileproof.dequantize(packed, parameters, format, n, k, group_size, scheme=scheme, dtype=dtype)
            given = parameters if isinstance(parameters, tuple) else (parameters,)
            arrays = tuple(bits_of(tensor) for tensor in given)
            wanted = reference.dequantize(packed.numpy(), arrays, format, n, k, group_size, scheme=scheme)
            assert got.dtype == dtype and (bits_of(got) == wanted).all(), (dtype, scheme)
    got = tileproof.dequantize(packed, (scales[..., 0], zero_points), format, n, k, group_size)
    assert got.shape == (n, k)


def test_nested_scales_are_taken_as_bitsandbytes_has_them():
    generator = torch.Generator().manual_seed(3)
    n, k, blocks = 20, 96, 60
    packed = torch.randint(0, 256, (n * k // 2, 1), dtype=torch.uint8, generator=generator)
    absmax = torch.randint(0, 256, (blocks,), dtype=torch.uint8, generator=generator)
    code, of_absmax, offset = torch.randn(256, generator=generator), torch.rand(1, generator=generator), torch.tensor(0.3)
    alone = code[absmax.long()] * of_absmax[0] + offset
    nested = tileproof.dequantize(packed, (absmax, of_absmax, code, offset), "nf4", n, k, 32, dtype=torch.bfloat16)
    assert torch.equal(nested, tileproof.dequantize(packed, alone, "nf4", n, k, 32, dtype=torch.bfloat16))


GROUPS = {"nf4": 64, "fp4": 64, "q4_0": 32, "q4_1": 32, "q4_k": 32}


@pytest.mark.parametrize("format", DEQUANTIZED)
def test_the_kernels_dequantize_every_format_as_the_specification_does(format):
    n, k, group_size = 32, 256, GROUPS.get(format, 64)
    generator = np.random.default_rng(6)
    row = tileproof.formats()[format]
    in_blocks = not row.packs_codes_alone
    for scheme in row.schemes:
        for weight_type, parameter_type in scheme.types:
            if in_blocks:  # small numbers where a block has its own
                elements, of_block = {"q4_0": (32, 18), "q4_1": (32, 20), "q4_k": (256, 144)}[format]
                packed = generator.integers(0, 256, (n, k // elements * of_block), np.uint8)
                packed.reshape(-1, of_block)[:, 1] &= 0x3F
                arrays = ()
            else:
                packed = reference.pack(codes_of(n, k, seed=7), format)
                arrays = drawn_parameters(format, scheme.name, n, k, group_size, parameter_type, generator)
            tensors = [torch.from_numpy(array).view(torch.bfloat16) if array.dtype == np.uint16 else torch.from_numpy(array) for array in arrays]
            if format in ("nf4", "fp4"):  # as bitsandbytes has them
                tensors = [tensors[0].reshape(-1)]
            dtype = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[weight_type]
            got = tileproof.dequantize(torch.from_numpy(packed), tensors, format, n, k, group_size, scheme=scheme.name, dtype=dtype)
            wanted = reference.dequantize(packed, arrays, format, n, k, group_size, scheme=scheme.name, dtype=weight_type)
            assert got.dtype == dtype and bits_of(got).tobytes() == wanted.tobytes(), (scheme.name, weight_type)


def drawn_parameters(format, scheme, n, k, group_size, type, generator):
    """Arrays of a scheme's tensors, as the specification takes them."""
    groups = (n * k // group_size, 1) if format in ("nf4", "fp4") else (k // group_size, n)
    floats = generator.standard_normal((*groups, 2) if scheme == "float" else groups).astype(np.float32)
    if type == "bf16":
        floats = (floats.view(np.uint32) >> 16).astype(np.uint16)
    elif type == "fp16":
        floats = floats.astype(np.float16)
    if scheme != "integer":
        return (floats,)
    if format in ("awq", "gptq", "gptq-v1"):
        return floats, generator.integers(-(2**31), 2**31, (k // group_size, n // 8), np.int32)
    return floats, generator.integers(-128, 128, groups, np.int8)


@pytest.mark.parametrize("format", CONVERTED)
def test_the_kernels_pack_unpack_and_convert_as_the_specification_does(format):
    n, k = 128, 256
    codes = codes_of(n, k, seed=8)
    packed = tileproof.pack(pairs_of(codes), format)
    assert (packed.numpy() == reference.pack(codes, format)).all()
    assert torch.equal(tileproof.unpack(packed, format, n, k), pairs_of(codes))
    for target in CONVERTED:
        converted = tileproof.convert(packed, format, target, n, k)
        assert (converted.numpy() == reference.pack(codes, target)).all(), target
    experts = torch.stack([packed, tileproof.pack(pairs_of(codes_of(n, k, seed=9)), format)])
    assert torch.equal(tileproof.convert(experts, format, "awq", n, k)[1], tileproof.convert(experts[1], format, "awq", n, k))


def test_parameters_are_converted_with_the_codes():
    n, k, group_size = 128, 256, 64
    scales, qzeros = torch.rand(4, n).half() + 0.5, torch.randint(-(2**31), 2**31, (4, n // 8)).int()
    qweight = tileproof.pack(pairs_of(codes_of(n, k, seed=10)), "awq")
    weights = tileproof.dequantize(qweight, (scales, qzeros), "awq", n, k, group_size)
    for target, scheme, of_k_n in ("gptq", None, True), ("plain", None, False), ("tinygemm-4", "integer", False):
        found = tileproof.convert_parameters((scales, qzeros), "awq", target, n, k, group_size, target_scheme=scheme)
        converted = tileproof.dequantize(tileproof.convert(qweight, "awq", target, n, k), found, target, n, k, group_size)
        assert torch.equal(converted if of_k_n else converted.t(), weights), target
    marlin = tileproof.convert_parameters((scales, qzeros), "awq", "marlin", n, k, group_size)
    back = tileproof.convert_parameters(marlin, "marlin", "awq", n, k, group_size)
    assert torch.equal(back[0], scales) and torch.equal(back[1], qzeros)
    with pytest.raises(ValueError, match="convert_parameters: parameters: given group . of row .*, legal is groups whose weights stay"):
        tileproof.convert_parameters((scales, qzeros), "awq", "tinygemm-4", n, k, group_size, target_scheme="float")
    near = tileproof.convert_parameters((scales, qzeros), "awq", "tinygemm-4", n, k, group_size, target_scheme="float", rounding="nearest")
    assert near.shape == (4, n, 2)
    moved = tileproof.dequantize(tileproof.convert(qweight, "awq", "tinygemm-4", n, k), near, "tinygemm-4", n, k, group_size)
    assert 0 < (moved.t().float() - weights.float()).abs().max() <= 2**-6  # a last place below 32


def bits_of(tensor):
    """As numpy has it: bf16 as its bits."""
    return tensor.view(torch.uint16).numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()


def test_the_kernels_take_experts():
    codes = np.stack([codes_of(16, 128, seed) for seed in (6, 7)])
    packed = tileproof.pack(pairs_of(codes), "tinygemm-4")
    assert packed.shape == (2, 2, 2, 32, 2)
    assert torch.equal(tileproof.unpack(packed, "tinygemm-4", 16, 128), pairs_of(codes))


PACKED = torch.zeros(3, 2, 32, 2, dtype=torch.int32)
SCALES = torch.ones(2, 16)
ILLEGAL_OF_KERNELS = [
    (lambda: tileproof.convert_parameters((), "awq", "gptq", 16, 64, 32), ValueError, r"parameters: given \(\), legal is one tensor or more"),
    (lambda: tileproof.convert_parameters(SCALES, "nf4", "gptq", 16, 64, 32), ValueError, "source_format: given 'nf4', legal is tinygemm-2, "),
    (lambda: tileproof.convert_parameters(SCALES, "plain", "gptq", 16, 64, 32, "none", rounding=None), TypeError, "rounding: given None, legal is a str"),
    (lambda: tileproof.convert_parameters(SCALES, "plain", "marlin", 16, 64, 32, "none"), ValueError, "n: given 16, legal is 0 or more, in multiples that the formats take = 64"),
    (lambda: tileproof.pack(pairs_of(codes_of(8, 64)), "nf4"), ValueError, "format: given 'nf4', which has no kernel for pack, legal is tinygemm-2, "),
    (lambda: tileproof.pack(pairs_of(codes_of(8, 64)), "none"), ValueError, "format: given 'none', legal is tinygemm-2, "),
    (lambda: tileproof.pack(codes_of(8, 32), "tinygemm-4"), TypeError, "codes: given ndarray, legal is a torch.Tensor"),
    (lambda: tileproof.pack(pairs_of(codes_of(8, 32)), "tinygemm-4"), ValueError, r"codes: given torch.uint8 \[8, 16\], legal is uint8 \[n\]\[k/2\], or with experts first, n a multiple of 1 and k of 64"),
    (lambda: tileproof.pack(pairs_of(codes_of(12, 32)), "awq"), ValueError, "codes: given .* n a multiple of 8 and k of 1 for awq"),
    (lambda: tileproof.unpack(PACKED, "tinygemm-4", 8, 128), ValueError, r"packed: given torch.int32 \[3, 2, 32, 2\], legal is torch.int32 \[1, 2, 32, 2\], or with experts first, for n = 8"),
    (lambda: tileproof.unpack(PACKED, "tinygemm-4", 20, 65), ValueError, "k: given 65, legal is a multiple of 64, as tinygemm-4 has it"),
    (lambda: tileproof.convert(PACKED, "tinygemm-4", "awq", 20, 128), ValueError, "n: given 20, legal is 0 or more, in multiples that the formats take = 8 for tinygemm-4 and awq"),
    (lambda: tileproof.convert(PACKED, "tinygemm-4", "q4_0", 20, 128), ValueError, "target_format: given 'q4_0', which has no kernel for convert, legal is tinygemm-2, "),
    (lambda: tileproof.convert(PACKED, "tiny", "awq", 20, 128), ValueError, "source_format: given 'tiny', legal is tinygemm-2, "),
    (lambda: tileproof.dequantize(PACKED, torch.ones(2, 20, 2), "tinygemm-4", 24, 128, 64), ValueError, r"parameters\[0\]: given float32 \[2, 20, 2\] on cpu, legal is .* = \[2, 24, 2\], scales_and_zeros of tinygemm-4"),
    (lambda: tileproof.dequantize(PACKED, torch.ones(2, 20, 2), "tinygemm-4", 20, 128, 64, dtype=torch.half), ValueError, "dtype: given float16, legal is None, or what the format's weights can be: that of the scales"),
    (lambda: tileproof.dequantize(PACKED, torch.ones(2, 20, 2), "tinygemm-4", 20, 128, 48), ValueError, "group_size: given 48"),
    (lambda: tileproof.dequantize(PACKED, torch.ones(2, 20, 2), "tinygemm-4", 20, 128, -1), ValueError, "group_size: given -1, legal is what the format has: a positive multiple"),
    (lambda: tileproof.dequantize(PACKED, torch.ones(2, 20, 2), "tinygemm-4", 20, 128, 64, torch.half), TypeError, "scheme: given torch.float16, legal is None or a str"),
    (lambda: tileproof.dequantize(PACKED, torch.ones(2, 20, 2), "tinygemm-4", 20, 128, 64, dtype="float16"), TypeError, "dtype: given 'float16', legal is None or a dtype"),
    (lambda: tileproof.dequantize(PACKED, None, "tinygemm-4", 20, 128, 64), TypeError, "parameters: given NoneType, legal is a torch.Tensor or a tuple of them"),
]  # fmt: skip


@pytest.mark.parametrize("call, error, text", ILLEGAL_OF_KERNELS, ids=lambda value: value[:20] if isinstance(value, str) else "")
def test_an_illegal_argument_of_the_kernels_is_named(call, error, text):
    with pytest.raises(error, match=text):
        call()


def refusal_with(program, tmp_path):
    """What `import tileproof.ops` says after a program."""
    text = program + "\ntry:\n    import tileproof.ops\nexcept ImportError as error:\n    print(error)\n"
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, cwd=tmp_path).stdout.strip()


def test_a_pytorch_that_will_not_do_is_refused_in_one_sentence(tmp_path):
    said = refusal_with("import sys; sys.modules['torch'] = None", tmp_path)
    assert re.fullmatch("the operators of tileproof need PyTorch, and there is no package torch: pip install torch", said)
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("__version__ = '2.9.1+cu128'")
    said = refusal_with("", tmp_path)
    assert said == "the operators of tileproof need PyTorch 2.10 or later, and this is 2.9.1+cu128: pip install --upgrade torch"


def test_a_library_of_another_machine_is_refused_in_one_sentence(tmp_path):
    (tmp_path / "libtileproof_torch.so").write_bytes(b"another machine's")
    said = refusal_with(f"import tileproof._native; tileproof._native.FOLDER = {str(tmp_path)!r}", tmp_path)
    assert re.match(r"this machine cannot load libtileproof_torch.so: .+\. Install a tileproof that was built for it$", said), said
    said = refusal_with("import tileproof._native; tileproof._native.FOLDER = '/nowhere'", tmp_path)
    assert said == "this tileproof was built without libtileproof_torch.so: install a wheel that has it"


# --- The test helper ----------------------------------------------------------------------------------------------------

RIGHT = """
import numpy as np

def dequantize(packed, scales, zero_points, group_size):
    codes = np.stack([packed >> 4, packed & 15], axis=-1).reshape(packed.shape[0], -1)
    group = np.arange(codes.shape[1]) // group_size
    return ((codes.astype(np.float64) - zero_points[group].T) * scales[group].T).astype(scales.dtype)
"""
OF_PLAIN = dict(format="plain", schemes=["integer"], types=["fp32"])


def module_of(text, tmp_path):
    """A module whose file another process finds."""
    name = f"mine_{len(os.listdir(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(text)
    module = types.ModuleType(name)
    module.__file__ = str(tmp_path / f"{name}.py")
    sys.modules[name] = module
    exec(compile(text, module.__file__, "exec"), module.__dict__)
    return module


def test_a_right_function_passes_and_leaves_nothing_behind(tmp_path):
    module = module_of(RIGHT, tmp_path)
    said = tileproof.verify(module.dequantize, **OF_PLAIN)
    assert re.match(r"PASSED: 13 PASSED in .*; PASSED: 1 PASSED in .*; group_size 32, 64, 128, 256$", said)
    assert not os.path.exists("tileproof-runs")


def test_a_module_is_judged_with_what_it_states(tmp_path):
    module = module_of(RIGHT + "\nFORMAT, SCHEMES, TYPES = 'plain', ['integer'], ['fp32']\n", tmp_path)
    assert tileproof.verify(module, properties=["value/"]).startswith("PASSED: 1 PASSED")


def test_a_fault_is_told_with_its_smallest_case_and_a_line_that_replays_it(tmp_path):
    module = module_of(RIGHT.replace("packed >> 4, packed & 15", "packed & 15, packed >> 4"), tmp_path)
    with pytest.raises(AssertionError) as raised:
        tileproof.verify(module.dequantize, **OF_PLAIN)
    story = str(raised.value)
    assert story.startswith("dequantize of mine_0.py is not what plain says\n\nFAILED index/dequantize_takes_every_code")
    assert "row 0, column 0 (byte 0, nibble 1): expected 0, got 1, which is row 0, column 1" in story
    assert " more properties fail: " in story
    (line,) = [line for line in story.splitlines() if "tileproof replay" in line]
    words = line.split()[1:]
    replayed = subprocess.run([sys.executable, "-m", "tileproof", *words], capture_output=True, text=True)
    assert replayed.returncode == 1 and "FAILED" in replayed.stdout, replayed
    own = subprocess.run([sys.executable, "-m", "tileproof", "verify", "--python", module.__file__, "--format", "plain", "--property", "index/",
                          "--out", "own"], capture_output=True, text=True)  # fmt: skip
    assert "  tileproof replay --python " in own.stdout, own


def test_a_function_that_raises_is_told_with_its_line(tmp_path):
    module = module_of(RIGHT.replace("    group =", "    raise RuntimeError('no')\n    group ="), tmp_path)
    with pytest.raises(AssertionError, match=r"RuntimeError: no \(mine_0.py, line 6\)"):
        tileproof.verify(module.dequantize, properties=["value/"], **OF_PLAIN)


def test_a_function_of_torch_is_judged(tmp_path):
    module = module_of("import torch\n\ndef pack(codes):\n    return codes[:, 0::2] << 4 | codes[:, 1::2]\n", tmp_path)
    assert tileproof.verify(module.pack, format="plain", properties=["index/"]).startswith("PASSED: 1 PASSED")
    with pytest.raises(AssertionError, match="index/pack_puts_every_code"):
        tileproof.verify(module.pack, format="mxfp4", properties=["index/"])


def test_a_script_that_judges_its_own_function_is_not_judged_again_by_the_process_that_judges(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(RIGHT + "\nimport tileproof\n" + f"print(tileproof.verify(dequantize, properties=['value/'], **{OF_PLAIN}))\n")
    ended = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert ended.stdout.startswith("PASSED: 1 PASSED"), ended


def test_what_the_function_imports_is_what_this_process_has_imported(tmp_path, monkeypatch):
    for folder, order in ("installed", "packed >> 4, packed & 15"), ("project", "packed & 15, packed >> 4"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "of_two.py").write_text(f"import numpy as np\ndef nibbles(packed): return np.stack([{order}], axis=-1)\n")
    text = RIGHT.replace("import numpy as np", "import numpy as np\nimport of_two")
    text = text.replace("np.stack([packed >> 4, packed & 15], axis=-1)", "of_two.nibbles(packed)")
    for first, second, is_right in ("installed", "project", True), ("project", "installed", False):
        monkeypatch.setattr(sys, "path", [str(tmp_path / first), str(tmp_path / second), *sys.path])
        sys.modules.pop("of_two", None)
        module = module_of(text, tmp_path)
        if is_right:
            tileproof.verify(module.dequantize, properties="value/", **OF_PLAIN)
        else:
            with pytest.raises(AssertionError, match="FAILED value/"):
                tileproof.verify(module.dequantize, properties="value/", **OF_PLAIN)


def test_an_attribute_that_was_replaced_is_judged_and_not_the_one_of_the_file(tmp_path):
    right, wrong = module_of(RIGHT, tmp_path), module_of(RIGHT.replace("packed >> 4, packed & 15", "packed & 15, packed >> 4"), tmp_path)
    right.dequantize = wrong.dequantize
    with pytest.raises(AssertionError, match="FAILED value/"):
        tileproof.verify(right, properties=["value/"], **OF_PLAIN)


def test_a_file_of_a_package_has_its_relative_imports(tmp_path):
    (tmp_path / "mine_of" / "kernels").mkdir(parents=True)
    for name in "__init__.py", "kernels/__init__.py":
        (tmp_path / "mine_of" / name).touch()
    (tmp_path / "mine_of" / "order.py").write_text("def nibbles(packed): return [packed >> 4, packed & 15]\n")
    text = RIGHT.replace("import numpy as np", "import numpy as np\nfrom ..order import nibbles").replace("[packed >> 4, packed & 15]", "nibbles(packed)")
    (tmp_path / "mine_of" / "kernels" / "plain.py").write_text(text)
    sys.path.insert(0, str(tmp_path))
    try:
        module = importlib.import_module("mine_of.kernels.plain")
    finally:
        sys.path.remove(str(tmp_path))
    assert tileproof.verify(module.dequantize, properties="value/", **OF_PLAIN).startswith("PASSED: 1 PASSED")


def test_a_hang_is_told_after_the_deadline(tmp_path):
    module = module_of(RIGHT.replace("    group =", "    while True: pass\n    group ="), tmp_path)
    with pytest.raises(AssertionError, match="FAILED value/.*: hang"):
        tileproof.verify(module.dequantize, properties="value/", case_deadline=0.5, **OF_PLAIN)


def test_a_folder_that_cannot_be_written_is_no_hindrance(tmp_path, monkeypatch):
    module = module_of(RIGHT, tmp_path)
    monkeypatch.chdir("/proc")
    assert tileproof.verify(module.dequantize, properties="value/", **OF_PLAIN).startswith("PASSED")


def test_seconds_are_spent_and_what_they_leave_out_is_said(tmp_path):
    module = module_of(RIGHT, tmp_path)
    begin = time.monotonic()
    said = tileproof.verify(module.dequantize, seconds=3, cases=30, **OF_PLAIN)
    assert 2 <= time.monotonic() - begin < 60
    assert said.startswith("PASSED: 13 PASSED") and said.endswith("; not asked: size/dequantize_of_a_large_matrix_is_as_specified")


@pytest.mark.skipif(torch.cuda.is_available(), reason="about a machine without a GPU")
def test_what_cannot_run_here_is_a_skipped_test_and_never_passes(tmp_path):
    module = module_of("import torch\n\ndef pack(codes):\n    return codes[:, 0::2] << 4 | codes[:, 1::2]\n", tmp_path)
    with pytest.raises(tileproof.NotJudged, match="CUDA"):
        tileproof.verify(module.pack, format="plain", device="cuda")
    assert not os.path.exists("tileproof-runs")


def test_a_property_that_cannot_be_asked_does_not_pass(tmp_path):
    module = module_of(RIGHT, tmp_path)
    with pytest.raises(AssertionError, match="has nothing to run"):
        tileproof.verify(module.dequantize, properties=["index/pack"], **OF_PLAIN)


def test_a_program_that_gives_no_verdict_is_an_error(tmp_path, monkeypatch):
    module, program = module_of(RIGHT, tmp_path), tmp_path / "program"
    monkeypatch.setattr(tileproof._native, "PROGRAM", str(program))
    with pytest.raises(RuntimeError, match="this machine cannot run .*program: No such file"):
        tileproof.verify(module.dequantize, **OF_PLAIN)
    for ends in "exit 0", "exit 1", "exit 3", "exit 4", "kill -9 $$":
        program.write_text(f"#!/bin/sh\n{ends}\n")
        program.chmod(0o755)
        with pytest.raises(RuntimeError, match="tileproof ends with"):
            tileproof.verify(module.dequantize, **OF_PLAIN)
    assert not os.path.exists("tileproof-runs")


def test_a_file_is_judged_and_not_another_module_of_its_name(tmp_path):
    (tmp_path / "colorsys.py").write_text(RIGHT)  # a module of Python's own has that name
    module = types.ModuleType("colorsys")
    module.__file__ = str(tmp_path / "colorsys.py")
    before = sys.modules.get("colorsys")
    sys.modules["colorsys"] = module
    try:
        exec(compile(RIGHT, module.__file__, "exec"), module.__dict__)
        assert tileproof.verify(module.dequantize, properties="value/", **OF_PLAIN).startswith("PASSED: 1 PASSED")
    finally:
        sys.modules.pop("colorsys") if before is None else sys.modules.update(colorsys=before)


def inner():
    def dequantize(packed, scales):
        return packed

    return dequantize


ILLEGAL_OF_VERIFY = [
    (lambda f: tileproof.verify(f), ValueError, "format: given none, legal is tinygemm-2"),
    (lambda f: tileproof.verify(f, format="awk"), ValueError, "format: given 'awk', legal is"),
    (lambda f: tileproof.verify(f, format="awq", device="tpu"), ValueError, "device: given 'tpu', legal is 'cpu' or 'cuda'"),
    (lambda f: tileproof.verify(f, format="awq", operation="dequant"), ValueError, "operation: given 'dequant', legal is"),
    (lambda f: tileproof.verify(f, format="awq", type=["fp16"]), TypeError, "type: no such argument, legal is types"),
    (lambda f: tileproof.verify(f, format="awq", types=["fp64"]), ValueError, "TYPES: given 'fp64', legal is"),
    (lambda f: tileproof.verify(f, format="awq", group_sizes=[0]), ValueError, "GROUP_SIZES: given '0', legal is"),
    (lambda f: tileproof.verify(f, format="awq", properties=["valu/"]), ValueError, "properties: given 'valu/', legal is a name of .*; did you mean 'value/'"),
    (lambda f: tileproof.verify(f, format="awq", cases=0), ValueError, "cases"),
    (lambda f: tileproof.verify(f, format="awq", seconds=-1), ValueError, "seconds: given -1, legal is a number above 0"),
    (lambda f: tileproof.verify(f, format="awq", seconds="3"), ValueError, "seconds: given '3', legal is a number above 0"),
    (lambda f: tileproof.verify(f, format=["awq"]), ValueError, r"format: given \['awq'\], legal is"),
    (lambda f: tileproof.verify(f, format="awq", types=1.5), TypeError, "types: given 1.5, legal is a text, a whole number, or"),
    (lambda f: tileproof.verify(f, format="awq", operation="unpack", max_n=7), AssertionError, "has nothing to run"),
    (lambda f: tileproof.verify(f, format="q4_0", operation="pack", seconds=1), ValueError, "no property can be asked of what it takes"),
    (lambda f: tileproof.verify(lambda packed: packed, format="awq"), ValueError, "operation: given none, and the function is named <lambda>"),
    (lambda f: tileproof.verify(inner(), format="awq"), ValueError, "dequantize of .*, legal is a function at the top level"),
    (lambda f: tileproof.verify(functools.partial(f), format="awq", operation="dequantize"), ValueError, "given functools.partial"),
    (lambda f: tileproof.verify(pairs_of, format="awq"), ValueError, "operation: given none, and the function is named pairs_of"),
    (lambda f: tileproof.verify(7, format="awq"), TypeError, "function_or_module: given 7, legal is a function or a module"),
    (lambda f: tileproof.verify(re, format="awq"), ValueError, "function_or_module: given module re, legal is one that has pack"),
]


@pytest.mark.parametrize("call, error, text", ILLEGAL_OF_VERIFY, ids=lambda value: value[:20] if isinstance(value, str) else "")
def test_an_illegal_argument_of_verify_is_named(call, error, text, tmp_path):
    function = module_of(RIGHT, tmp_path).dequantize
    with pytest.raises(error, match=text):
        call(function)
    assert error is AssertionError or not os.path.exists("tileproof-runs")


def test_readme_shows_what_is_printed(tmp_path):
    with open(os.path.join(os.path.dirname(PROJECT), "../../../README.md")) as readme:
        first_screen = readme.read().partition("\n## ")[0]
    program, printed = re.search(r"```python\n(.*?)```.*?```\n(AssertionError.*?)```", first_screen, re.DOTALL).groups()
    (tmp_path / "mine.py").write_text(program)
    ended = subprocess.run([sys.executable, "mine.py"], capture_output=True, text=True, timeout=100)
    assert ended.returncode == 1 and printed in ended.stderr, ended
    (replacement,) = re.findall(r"`(4 \* np.array.*?)`", first_screen)
    program = program.replace("np.arange(0, 32, 4)", replacement)
    (tmp_path / "mine.py").write_text(program.replace("seconds=5", "seconds=1"))
    ended = subprocess.run([sys.executable, "mine.py"], capture_output=True, text=True, timeout=100)
    assert ended.stdout.startswith("PASSED: 13 PASSED"), ended


# --- The pytest plugin --------------------------------------------------------------------------------------------------


def pytest_of_the_project(*arguments):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", PROJECT]
    ended = subprocess.run([*command, *arguments], capture_output=True, text=True)
    return ended.returncode, ended.stdout + ended.stderr


def test_the_plugin_makes_a_test_of_each_property_of_each_marked_function():
    code, said = pytest_of_the_project("--collect-only")
    assert code == 0, said
    assert "test_kernels.py::dequantize::value/integer_domain_rounds_once" in said
    assert "test_kernels.py::with_swapped_nibbles::index/dequantize_takes_every_code" in said
    assert "test_kernels.py::on_a_gpu::index/pack_puts_every_code" in said
    assert "float_domain" not in said and "index/unpack" not in said, "of what it cannot be asked there is no test"


def test_the_plugin_passes_what_is_right_and_tells_what_is_not():
    code, said = pytest_of_the_project("-k", "dequantize and value or test_in_one_line or swapped and (index or value or write)")
    assert code == 1, said
    assert "2 failed, 3 passed" in said, said
    assert "FAILED value/integer_domain_rounds_once on python: mismatch" in said
    assert "tileproof replay --python " in said
    code, said = pytest_of_the_project("-k", "dequantize and value and not swapped", "--tileproof-seed", "0x17")
    assert code == 0 and "1 passed" in said, said


@pytest.mark.skipif(torch.cuda.is_available(), reason="about a machine without a GPU")
def test_the_plugin_skips_what_this_machine_cannot_run():
    code, said = pytest_of_the_project("-k", "on_a_gpu and index", "-rs")
    assert code == 0 and "1 skipped" in said and "CUDA" in said, said


BAD_MARKS = [
    ("@tileproof.kernel(format='awk')\ndef dequantize(packed): pass", "format: given 'awk', legal is"),
    ("@tileproof.kernel\ndef dequantize(packed): pass", "format: given <function dequantize"),
    ("tileproof.kernel(format='awq')(functools.partial(print))", "given functools.partial"),
    ("@tileproof.kernel(format='q4_0')\ndef pack(codes): pass", "no property can be asked of what it takes"),
    ("@tileproof.kernel(format='awq', seconds=5)\ndef pack(codes): pass", "seconds: no such argument, legal is"),
]


def pytest_of(folder, *arguments):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", str(folder), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize("text, said", BAD_MARKS, ids=lambda value: value[:25].partition("\n")[0])
def test_the_plugin_refuses_a_mark_that_makes_no_test(text, said, tmp_path):
    (tmp_path / "test_bad.py").write_text(f"import functools\nimport tileproof\n{text}\ndef test_other(): pass\n")
    code, output = pytest_of(tmp_path)
    assert code == 2 and said in output, output


def test_the_plugin_tests_marked_functions_wherever_a_test_file_has_them(tmp_path):
    (tmp_path / "library.py").write_text(f"""import tileproof
{RIGHT}
marked = tileproof.kernel(format="plain", schemes=["integer"], types=["fp32"])(dequantize)
@tileproof.kernel(format="plain")
@tileproof.kernel(format="mxfp4")
def pack(codes): return codes[:, 0::2] | codes[:, 1::2] << 4
""")
    (tmp_path / "test_it.py").write_text("""from library import dequantize, pack
import tileproof
class TestOfAClass:
    @staticmethod
    @tileproof.kernel(format="plain")
    def pack(codes): return codes[:, 0::2] | codes[:, 1::2] << 4
""")
    code, output = pytest_of(tmp_path, "-k", "index and pack or value")
    assert code == 1 and "2 failed, 2 passed" in output, output
    assert "pack[0-mxfp4]::index" not in output and "pack[1-plain]::index" in output and "TestOfAClass::pack::index" in output, output


def test_an_item_of_the_plugin_passes_for_one_verdict_alone():
    def outcome(verdict):
        one = {"property": "a/b", "verdict": verdict, "reason": "why", "asked": {"group_sizes": []}}
        ran = _judging.Run(0, "", {"judgements": [one] if verdict else [], "subjects": []}, "/nowhere")
        item = types.SimpleNamespace(parent=types.SimpleNamespace(run_for=lambda item: ran), name="a/b")
        try:
            return pytest_plugin.Property.runtest(item)
        except BaseException as error:
            return type(error).__name__

    wanted = {"PASSED": None, "FAILED": "Finding", "MISTRUSTED": "Finding", "": "Finding", "SKIPPED": "Skipped", "KNOWN": "XFailed"}
    assert {verdict: outcome(verdict) for verdict in wanted} == wanted


def test_the_plugin_refuses_options_that_are_not_legal(tmp_path):
    for given in ("--tileproof-seed", "x"), ("--tileproof-cases", "0"):
        code, output = pytest_of(tmp_path, *given)
        assert code == 4 and f"argument {given[0]}: given '{given[1]}', legal is" in output, output


def test_the_plugin_puts_the_cases_and_the_seed_to_the_function(tmp_path):
    code, output = pytest_of_the_project("-k", "swapped and value", "--tileproof-seed", "5", "--tileproof-cases", "33")
    assert code == 1, output
    (folder,) = os.listdir("tileproof-runs")
    with open(os.path.join("tileproof-runs", folder, "records", "summary.json")) as file:
        summary = json.load(file)
    assert int(str(summary["seed"]), 0) == 5 and summary["cases_per_property"] == 33
