"""Bit-exact verification of packed 4-bit weight kernels, and the kernels themselves."""
