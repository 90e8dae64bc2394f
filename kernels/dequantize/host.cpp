// The kernel, compiled by the host compiler: the same source, over device_host.h.
#include "kernels/dequantize/dequantize.cu"
