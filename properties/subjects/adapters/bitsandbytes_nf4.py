"""bitsandbytes: dequantize_4bit of NF4, on the CPU or, with DEVICE = "cuda", on a GPU.

pip install torch bitsandbytes
"""

import torch
from bitsandbytes.cextension import lib
from bitsandbytes.functional import QuantState, dequantize_4bit, get_4bit_type

FORMAT = "nf4"
LIBRARY = "bitsandbytes"
BUILD = "cuda" if lib.compiled_with_cuda else "cpu"  # chosen by whether torch sees a GPU: their code for CPUs differs
TYPES = ["fp32", "fp16", "bf16"]
GROUP_SIZES = [32, 64, 128, 256, 512, 1024]
K_MULTIPLE = 16  # on a CPU other rows take a path that torch compiles for them, which takes longer than a case may


def of_format(name):
    def dequantize(packed, absmax, n, k, group_size, dtype):
        code = get_4bit_type(name, device=packed.device)
        state = QuantState(absmax.flatten(), torch.Size((n, k)), code, group_size, name, dtype)
        return dequantize_4bit(packed, state)

    return dequantize


dequantize = of_format(FORMAT)
