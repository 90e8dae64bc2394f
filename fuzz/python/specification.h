/// The specification for Python (tileproof/reference.py): which tensors an operation has in a format, and what it
/// gives.
///
/// Plain C, for ctypes. A function that returns a text owns it; it is valid until the next call in the same thread.
#pragma once

#include <cstdint>

namespace tileproof {

/// tileproof/reference.py mirrors this.
struct SpecifiedCall {
  const char* operation;  // pack, unpack, dequantize or convert
  const char* format;
  const char* format_to;       // of convert, else ""
  const char* scheme;          // of dequantize, or "" for the format's first
  const char* weight_type;     // of dequantize: bf16, fp16 or fp32
  const char* parameter_type;  // of dequantize; "" where tensors of the scheme have no type of their own
  std::int64_t n, k, group_size;
};

/// Every format, as a JSON array of objects.
const char* specified_formats();

/// The tensors of a call, as a JSON object: "inputs" and "result", each with name, dtype and dims; or "error".
/// Parameters follow the packed codes. Codes are uint8 [n][ceil(k / 2)] to pack, and int32 [n][k] unpacked.
const char* specified_tensors(const SpecifiedCall*);

/// Evaluates a call that specified_tensors() takes, over contiguous tensors of these forms.
/// @return nullptr, or why not
const char* specified_result(const SpecifiedCall*, const void* const* inputs, void* result);

}  // namespace tileproof
