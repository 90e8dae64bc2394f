"""bitsandbytes: dequantize_4bit of FP4, on the CPU or, with DEVICE = "cuda", on a GPU.

pip install torch bitsandbytes
"""

import torch
from bitsandbytes.functional import QuantState, dequantize_4bit, get_4bit_type

FORMAT = "fp4"
TYPES = ["fp32", "fp16", "bf16"]
GROUP_SIZES = [32, 64, 128, 256, 512, 1024]


def dequantize(packed, absmax, n, k, group_size, dtype):
    code = get_4bit_type(FORMAT, device=packed.device)
    state = QuantState(absmax.flatten(), torch.Size((n, k)), code, group_size, FORMAT, dtype)
    return dequantize_4bit(packed, state)
