"""Bit-exact verification of packed 4-bit weight kernels, and kernels that were verified so.

- `verify` judges a function of yours against the specification of a format; `kernel` marks one for pytest.
- `reference` is that specification, over numpy arrays, of every format of `formats`.
- `pack`, `unpack`, `dequantize`, `convert` and `convert_parameters` are production kernels over PyTorch tensors; `import tileproof.ops` registers them as
  torch.ops.tileproof.

Nothing here imports numpy or PyTorch before it is used.
"""

import importlib
import importlib.metadata

from tileproof._judging import NotJudged, kernel, verify
from tileproof._kernels import convert, convert_parameters, dequantize, pack, unpack
from tileproof._specification import Format, Scheme, Tensor, formats

__all__ = [
    *("verify", "kernel", "NotJudged", "formats", "Format", "Scheme", "Tensor", "pack", "unpack", "dequantize", "convert", "convert_parameters"),
    *("reference", "ops"),
]


def __getattr__(name):
    if name in ("reference", "ops", "torchao"):
        return importlib.import_module(f"tileproof.{name}")
    if name == "__version__":
        return importlib.metadata.version("tileproof")
    raise AttributeError(f"module 'tileproof' has no attribute {name!r}")
