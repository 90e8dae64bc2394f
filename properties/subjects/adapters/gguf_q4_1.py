"""gguf: Q4_1, by gguf.quants.dequantize in numpy.

pip install gguf
"""

from gguf import GGMLQuantizationType
from gguf.quants import dequantize as of_blocks

FORMAT = "q4_1"
LIBRARY = "gguf"
ARRAYS = "numpy"


def dequantize(packed):
    return of_blocks(packed, GGMLQuantizationType.Q4_1)
