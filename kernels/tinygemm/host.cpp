// The kernels, compiled by the host compiler: the same sources, over the words of words_host.h.
#include "kernels/tinygemm/dequantize.cu"
#include "kernels/tinygemm/pack.cu"
#include "kernels/tinygemm/unpack.cu"
