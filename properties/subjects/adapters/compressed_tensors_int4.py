"""compressed-tensors: pack-quantized weights of four bits, symmetric and not.

pip install torch compressed-tensors
"""

import torch
from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32, unpack_from_int32
from compressed_tensors.quantization import QuantizationArgs
from compressed_tensors.quantization.lifecycle.forward import dequantize as of_codes

FORMAT = "pack-quantized"
LIBRARY = "compressed-tensors"
SCHEMES = ["integer", "symmetric"]
TYPES = ["fp16", "bf16", "fp32"]


def pack(codes):
    return pack_to_int32(codes.to(torch.int8) - 8, 4)


def unpack(packed, n, k):
    return unpack_from_int32(packed, 4, torch.Size((n, k))).to(torch.int32) + 8


def dequantize(packed, scales, *zeros, n, k, group_size):
    codes = unpack_from_int32(packed, 4, torch.Size((n, k)))
    points = unpack_from_int32(zeros[0], 4, torch.Size(scales.shape), packed_dim=0) if zeros else None
    args = QuantizationArgs(num_bits=4, strategy="group", group_size=group_size, symmetric=not zeros)
    return of_codes(codes, scales, points, args=args, dtype=scales.dtype)
