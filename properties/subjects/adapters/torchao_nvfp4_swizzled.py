"""torchao: NVFP4 by NVFP4Tensor, scales as to_blocked gives them, else as torchao_nvfp4.py.

pip install torch torchao
"""

import torch
from torchao.prototype.mx_formats.utils import from_blocked, to_blocked
from torchao_nvfp4 import FORMAT, LIBRARY, TYPES, NVFP4Tensor  # noqa: F401, what the module states

SCHEMES = ["swizzled"]


def dequantize(packed, scales, global_scale, dtype, n, k):
    rows, columns = scales.shape  # padded
    by_rows = from_blocked(scales.view(torch.uint8).flatten(), n, k // 16)
    blocked = to_blocked(by_rows).view(scales.dtype)  # a fault of either shows
    shaped = blocked.reshape(rows // 4, columns * 4)  # as NVFP4Tensor keeps it: tiles of 32 rows of 16
    return NVFP4Tensor(packed, shaped, 16, dtype, global_scale[0], None, True).dequantize(dtype)
