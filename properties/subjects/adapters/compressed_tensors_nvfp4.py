"""compressed-tensors: NVFP4, whose global scale divides.

pip install torch compressed-tensors
"""

from compressed_tensors.compressors.nvfp4.base import NVFP4PackedCompressor
from compressed_tensors.compressors.nvfp4.helpers import unpack_fp4_from_uint8
from compressed_tensors.quantization import QuantizationArgs
from compressed_tensors.quantization.lifecycle.forward import dequantize as of_numbers

FORMAT = "nvfp4"
LIBRARY = "compressed-tensors"
SCHEMES = ["divided"]
TYPES = ["bf16", "fp16", "fp32"]
ARGS = QuantizationArgs(num_bits=4, type="float", strategy="tensor_group", group_size=16, symmetric=True)


def dequantize(packed, scales, global_scale, dtype, n, k):
    numbers = unpack_fp4_from_uint8(packed, n, k, dtype=dtype)
    scales = NVFP4PackedCompressor._decompress_scale(scales, dtype)
    return of_numbers(x_q=numbers, scale=scales, args=ARGS, global_scale=global_scale, dtype=dtype)
