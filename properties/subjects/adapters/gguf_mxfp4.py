"""gguf: MXFP4, by gguf.quants.dequantize in numpy.

pip install gguf
"""

from gguf import GGMLQuantizationType
from gguf.quants import dequantize as of_blocks

FORMAT = "mxfp4-gguf"
LIBRARY = "gguf"
ARRAYS = "numpy"


def dequantize(packed):
    return of_blocks(packed, GGMLQuantizationType.MXFP4)
