#!/usr/bin/env python3
"""Records what aten's CUDA kernels make of small matrices, as recorded_from_aten.h.

Run on a machine with a GPU:  python3 properties/catalogue/record_aten.py > properties/catalogue/recorded_from_aten.h

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


def array(values, digits, per_line=16):
    texts = [f"0x{value:0{digits}x}" for value in values]
    lines = [", ".join(texts[i : i + per_line]) for i in range(0, len(texts), per_line)]
    return "{\n    " + ",\n    ".join(lines) + "}"


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


def main():
    out = []
    print("recording on", torch.cuda.get_device_name(), "with torch", torch.__version__, file=sys.stderr)
    out.append("/// What aten's CUDA kernels made of small matrices: bytes, frozen, for machines that have no GPU to ask.")
    out.append(f"/// Made by properties/catalogue/record_aten.py with torch {torch.__version__} on one {torch.cuda.get_device_name()}.")
    out.append("// clang-format off")
    out.append("#pragma once\n\n#include <cstdint>\n\nnamespace tileproof::recorded {\n")
    out.append("/// aten::_convert_weight_to_int4pack: codes as it takes them, two a byte, and the words it gives.")
    out.append("struct Pack { std::int64_t n, k; const char* format; const std::uint8_t* codes; const std::uint32_t* packed; };\n")
    rows = []
    for case, (n, k, inner) in enumerate(PACKS):
        codes, packed = packed_on_gpu(case, n, k, inner)
        out.append(f"inline constexpr std::uint8_t codes_{case}[] = {array(unsigned(codes, 8), 2)};")
        out.append(f"inline constexpr std::uint32_t packed_{case}[] = {array(unsigned(packed, 32), 8, 8)};")
        rows.append(f"{{{n}, {k}, \"tinygemm-{inner}\", codes_{case}, packed_{case}}}")
    out.append("inline constexpr Pack packs[] = {" + ",\n    ".join(rows) + "};\n")

    out.append("/// aten::_weight_int4pack_mm by the identity: weights bf16 [n][k] of the words `packed`.")
    out.append("struct Weights { std::int64_t n, k; const char* format; std::int64_t group_size; const std::uint32_t* packed;")
    out.append("                 const std::uint16_t* scales_and_zeros; const std::uint16_t* weights; };\n")
    rows = []
    for case, (n, k, inner, group) in enumerate(WEIGHTS):
        _, packed = packed_on_gpu(100 + case, n, k, inner)
        flat = [bits for i in range(k // group * n) for bits in scale_and_zero(200 + case, i)]
        signed = torch.tensor([bits - 65536 if bits > 32767 else bits for bits in flat], dtype=torch.int16)
        scales_and_zeros = signed.view(torch.bfloat16).view(k // group, n, 2).cuda()
        identity = torch.eye(k, dtype=torch.bfloat16, device="cuda")
        weights = torch.ops.aten._weight_int4pack_mm(identity, packed, group, scales_and_zeros).t().contiguous()
        out.append(f"inline constexpr std::uint32_t words_{case}[] = {array(unsigned(packed, 32), 8, 8)};")
        out.append(f"inline constexpr std::uint16_t parameters_{case}[] = {array(flat, 4)};")
        out.append(f"inline constexpr std::uint16_t weights_{case}[] = {array(unsigned(weights.view(torch.int16), 16), 4)};")
        rows.append(f"{{{n}, {k}, \"tinygemm-{inner}\", {group}, words_{case}, parameters_{case}, weights_{case}}}")
    out.append("inline constexpr Weights weights[] = {" + ",\n    ".join(rows) + "};\n")
    out.append("}  // namespace tileproof::recorded")
    print("\n".join(out))


if __name__ == "__main__":
    main()
