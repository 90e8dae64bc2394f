"""torchao: NVFP4 by NVFP4Tensor, scales as to_blocked gives them.

pip install torch torchao
"""

from torchao.prototype.mx_formats.nvfp4_tensor import NVFP4Tensor

FORMAT = "nvfp4"
LIBRARY = "torchao"
SCHEMES = ["swizzled"]
TYPES = ["bf16", "fp16", "fp32"]


def dequantize(packed, scales, global_scale, dtype):
    rows, columns = scales.shape  # padded, and in the shape that NVFP4Tensor keeps: tiles of 32 rows of 16
    blocked = scales.reshape(rows // 4, columns * 4)
    return NVFP4Tensor(packed, blocked, 16, dtype, global_scale[0], None, True).dequantize(dtype)
