// The kernels, compiled by the host compiler: the same sources, over device_host.h.
#include "kernels/tinygemm/dequantize.cu"
#include "kernels/tinygemm/unpack.cu"
