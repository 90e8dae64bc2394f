/// The kernels as PyTorch operators, in a library for every PyTorch from 2.10 on. It registers nothing by itself: its
/// loader defines the schemas and then has the kernels registered, as the Python package (fuzz/python/tileproof/ops.py)
/// and registered_when_loaded.cpp do.
///
/// CPU, CUDA and meta tensors go through one function an operator, which asks the rules of operator_rules.h. Strides
/// and storage offsets are free: what a kernel cannot load from is copied first.
#pragma once

extern "C" {

/// The schemas of the operators, one a line: "pack(Tensor codes, int inner_k_tiles) -> Tensor".
/// @param group_size  the type of that argument: SymInt, which a compiler may leave open, or int
const char* tileproof_operator_schemas(const char* group_size);

/// The layouts that convert knows, one a line: "awq int32 8 1 k:1:1 n:1:8" is a name, a type, what n and k are
/// multiples of, and the sizes of the packed tensor: an axis, or 1, and the factor and divisor of times * ceil(extent /
/// over).
const char* tileproof_layouts();

/// The formats that have parameters, one a line, in parts between bars: "awq integer 8 1 1 0 k dc n of_scales|packed
/// int32 k:1:1 n:1:8|scales - g:1:1 n:1:1|..." is a name, a scheme, what n, k and group_size are multiples of, up to
/// which power of two a group is (0: it need not be one), whether it divides k (1: it need not), what takes the format
/// (d: dequantize, c: convert_parameters), which axis runs along a row of the weights, their type, and the tensors: a
/// name, a type (-: that of the weights) and the sizes as tileproof_layouts has them, where an axis may be g, e or b
/// (Dim of kernels/layouts.h).
const char* tileproof_formats();

/// Says which Python exceptions tell of an illegal call and of a failed allocation.
void tileproof_set_error_types(void* illegal, void* out_of_memory);

/// Whether there are kernels for CUDA, beside those for CPU.
bool tileproof_operators_have_cuda();

/// Registers the kernel of an operator.
/// @param space  the namespace in which the operator is defined
/// @param key    CPU, CUDA where there are such kernels, Meta, or Autograd: backward through the operator is an error
/// @return       nullptr, or why nothing was registered, valid until the next call
const char* tileproof_register_operator(const char* space, const char* name, const char* key);

}  // extern "C"
