"""vLLM: awq_dequantize, on a GPU. Its library is loaded without the rest of vLLM.

pip install torch vllm
"""

import importlib.metadata
import importlib.util
import pathlib

import torch

FORMAT = "awq"
TYPES = ["fp16"]
DEVICE = "cuda"
LIBRARY = "vllm"
N_MULTIPLE = 64  # what its grid covers where it is asked to choose


def operators(name):
    """The namespace that has an operator, once the library of vLLM's that registers it is loaded."""
    importlib.metadata.version(LIBRARY)  # raises what says which package is missing
    if torch.cuda.is_available():  # the libraries need CUDA's; without a device the harness says so
        for folder in importlib.util.find_spec("vllm").submodule_search_locations:
            for file in sorted(pathlib.Path(folder).glob("_C*.so")):
                if not hasattr(torch.ops._C, name):
                    torch.ops.load_library(file)
    return torch.ops._C


of_awq = operators("awq_dequantize")


def dequantize(packed, scales, zeros):
    return of_awq.awq_dequantize(packed, scales, zeros, 0, 0, 0)
