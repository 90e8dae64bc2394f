"""A project's own tests of its kernels, in numpy: package_test.py runs them."""

import numpy as np
import tileproof


def _weights(codes, scales, zero_points, group_size):
    group = np.arange(codes.shape[1]) // group_size
    return ((codes.astype(np.float64) - zero_points[group].T) * scales[group].T).astype(scales.dtype)


@tileproof.kernel(format="plain", schemes=["integer"], types=["fp32"])
def dequantize(packed, scales, zero_points, group_size):
    codes = np.stack([packed >> 4, packed & 15], axis=-1).reshape(packed.shape[0], -1)
    return _weights(codes, scales, zero_points, group_size)


@tileproof.kernel(format="plain", operation="dequantize", schemes=["integer"], types=["fp32"])
def with_swapped_nibbles(packed, scales, zero_points, group_size):
    codes = np.stack([packed & 15, packed >> 4], axis=-1).reshape(packed.shape[0], -1)
    return _weights(codes, scales, zero_points, group_size)


@tileproof.kernel(format="plain", operation="pack", device="cuda", arrays="torch")
def on_a_gpu(codes):
    return codes[:, 0::2] << 4 | codes[:, 1::2]


def test_in_one_line():
    tileproof.verify(dequantize, format="plain", schemes=["integer"], types=["fp32"], properties=["value/", "group/"])
