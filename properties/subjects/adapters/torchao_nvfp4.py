"""torchao: NVFP4 by NVFP4Tensor, scales in the order of rows.

pip install torch torchao
"""

from torchao.prototype.mx_formats.nvfp4_tensor import NVFP4Tensor

FORMAT = "nvfp4"
LIBRARY = "torchao"
SCHEMES = ["multiplied"]
TYPES = ["bf16", "fp16", "fp32"]


def dequantize(packed, scales, global_scale, dtype):
    return NVFP4Tensor(packed, scales, 16, dtype, global_scale[0], None, False).dequantize(dtype)
