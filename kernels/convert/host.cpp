// The kernels, compiled by the host compiler: the same sources, over device_host.h.
#include "kernels/convert/convert.cu"
#include "kernels/convert/parameters.cu"
