// The kernels, compiled by the host compiler: the same sources, over the words of words_host.h.
#include "dequantize.cu"
#include "pack.cu"
#include "unpack.cu"
