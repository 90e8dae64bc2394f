"""torchao: MXFP4 by MXTensor, emulated.

pip install torch torchao
"""

import torch
from torchao.prototype.mx_formats.mx_tensor import MXTensor
from torchao.quantization.quantize_.common import KernelPreference

FORMAT = "mxfp4"
LIBRARY = "torchao"
TYPES = ["bf16", "fp16", "fp32"]


def dequantize(packed, scales, dtype):
    scales = scales.view(torch.float8_e8m0fnu)
    own = MXTensor(packed, scales, torch.float4_e2m1fn_x2, 32, dtype, KernelPreference.EMULATED, None, False)
    return own.dequantize(dtype)
