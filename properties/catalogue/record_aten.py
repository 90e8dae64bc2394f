#!/usr/bin/env python3
"""Records what aten's CUDA kernels make of small matrices, as recorded_from_aten.txt.

Run on a machine with a GPU:  python3 properties/catalogue/record_aten.py > properties/catalogue/recorded_from_aten.txt

Codes and parameters come from an explicit formula, not from a library's random numbers, and are recorded beside the results.
"""
import sys

import torch

# n, k, inner_k_tiles: whole and partial n-tiles, one and several supertiles, every inner_k_tiles.
PACKS = [(8, 32, 2), (8, 64, 4), (8, 128, 8), (16, 64, 2), (12, 64, 2), (3, 128, 4), (24, 256, 8)]
# n, k, inner_k_tiles, group_size: weights by multiplication with the identity.
WEIGHTS = [(8, 64, 2, 32), (16, 128, 4, 64), (8, 256, 8, 128)]


def mixed(x):
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = ((x ^ (x >> shift)) * factor) & 0xFFFFFFFFFFFFFFFF
    return x ^ (x >> 31)


def byte(case, index):
    return mixed(mixed(case + 1) ^ index) >> 56


def show(name, values, digits):
    for i in range(0, len(values), 128 // digits):
        print(name, *(f"{value:0{digits}x}" for value in values[i : i + 128 // digits]))


def packed_on_gpu(case, n, k, inner):
    codes = torch.tensor([[byte(case, row * (k // 2) + pair) for pair in range(k // 2)] for row in range(n)], dtype=torch.uint8)
    packed = torch.ops.aten._convert_weight_to_int4pack(codes.cuda(), inner)
    return codes, packed


def unsigned(tensor, bits):
    return [value & ((1 << bits) - 1) for value in tensor.cpu().flatten().tolist()]


def scale_and_zero(case, index):
    """Ordinary bf16 values, of both signs for the zero: exponents 2^-8 .. 2^-1 and 2^-8 .. 2^7."""
    a, b, c = byte(case, 3 * index), byte(case, 3 * index + 1), byte(case, 3 * index + 2)
    return ((119 + a % 8) << 7) | (b & 127), ((c & 1) << 15) | ((119 + c // 2 % 16) << 7) | (mixed(b) & 127)


HEAD = """\
# Bytes that aten's CUDA kernels gave for small matrices, recorded for machines without a GPU.
# Made by properties/catalogue/record_aten.py with torch {torch} on one {gpu}.
#
# A line "matrix N K FORMAT GROUP-SIZE" begins a matrix; each line after it holds values in hexadecimal:
#   codes       as aten::_convert_weight_to_int4pack takes them, two a byte
#   packed      words that it gives
#   parameters  scale and zero of each row, group by group, bf16
#   weights     by aten::_weight_int4pack_mm of the identity, bf16 [n][k]
"""


def main():
    print("recording on", torch.cuda.get_device_name(), "with torch", torch.__version__, file=sys.stderr)
    print(HEAD.format(torch=torch.__version__, gpu=torch.cuda.get_device_name()), end="")
    for case, (n, k, inner) in enumerate(PACKS):
        codes, packed = packed_on_gpu(case, n, k, inner)
        print("matrix", n, k, f"tinygemm-{inner}", 32)
        show("codes", unsigned(codes, 8), 2)
        show("packed", unsigned(packed, 32), 8)
    for case, (n, k, inner, group) in enumerate(WEIGHTS):
        _, packed = packed_on_gpu(100 + case, n, k, inner)
        flat = [bits for i in range(k // group * n) for bits in scale_and_zero(200 + case, i)]
        signed = torch.tensor([bits - 65536 if bits > 32767 else bits for bits in flat], dtype=torch.int16)
        scales_and_zeros = signed.view(torch.bfloat16).view(k // group, n, 2).cuda()
        identity = torch.eye(k, dtype=torch.bfloat16, device="cuda")
        weights = torch.ops.aten._weight_int4pack_mm(identity, packed, group, scales_and_zeros).t().contiguous()
        print("matrix", n, k, f"tinygemm-{inner}", group)
        show("packed", unsigned(packed, 32), 8)
        show("parameters", flat, 4)
        show("weights", unsigned(weights.view(torch.int16), 16), 4)


if __name__ == "__main__":
    main()
