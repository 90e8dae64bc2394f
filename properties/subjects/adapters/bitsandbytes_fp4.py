"""bitsandbytes: dequantize_4bit of FP4, as bitsandbytes_nf4.py.

pip install torch bitsandbytes
"""

from bitsandbytes_nf4 import BUILD, GROUP_SIZES, K_MULTIPLE, LIBRARY, TYPES, of_format  # noqa: F401, what it states

FORMAT = "fp4"
dequantize = of_format(FORMAT)
