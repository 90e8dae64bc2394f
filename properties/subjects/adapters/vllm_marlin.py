"""vLLM: gptq_marlin_repack, from GPTQ's layout to Marlin's, on a GPU, as vllm_awq.py.

pip install torch vllm
"""

import torch
from vllm_awq import DEVICE, LIBRARY, operators  # noqa: F401, what the module states

FORMAT = "marlin"

of_marlin = operators("gptq_marlin_repack")


def pack(codes):
    n, k = codes.shape
    gptq = torch.zeros(k // 8, n, dtype=torch.int32, device=codes.device)
    for i in range(8):  # nibble i of a word is row i of eight
        gptq |= codes.T[i::8].to(torch.int32) << 4 * i
    return of_marlin.gptq_marlin_repack(gptq, k, n, 4, False)
