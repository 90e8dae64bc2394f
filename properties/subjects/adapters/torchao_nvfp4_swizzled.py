"""torchao: NVFP4 by NVFP4Tensor, scales as to_blocked gives them, else as torchao_nvfp4.py.

pip install torch torchao
"""

from torchao_nvfp4 import FORMAT, LIBRARY, TYPES, NVFP4Tensor  # noqa: F401, what the module states

SCHEMES = ["swizzled"]


def dequantize(packed, scales, global_scale, dtype):
    rows, columns = scales.shape  # padded, and in the shape that NVFP4Tensor keeps: tiles of 32 rows of 16
    blocked = scales.reshape(rows // 4, columns * 4)
    return NVFP4Tensor(packed, blocked, 16, dtype, global_scale[0], None, True).dequantize(dtype)
