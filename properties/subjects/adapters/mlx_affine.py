"""mlx: affine quantization, by mx.dequantize on the CPU.

pip install 'mlx[cpu]' numpy
"""

import mlx.core as mx
import numpy as np

FORMAT = "mlx"
LIBRARY = "mlx"
TYPES = ["fp32", "fp16", "bf16"]
ARRAYS = "numpy"

mx.set_default_device(mx.cpu)


def of_mlx(array):
    return mx.array(array).view(mx.bfloat16) if array.dtype == np.uint16 else mx.array(array)  # numpy has no bf16


def dequantize(packed, scales, biases, group_size):
    weights = mx.dequantize(mx.array(packed), of_mlx(scales), of_mlx(biases), group_size=group_size, bits=4)
    return np.array(weights.view(mx.uint16) if weights.dtype == mx.bfloat16 else weights)
