/// PyTorch through its stable C interface, which is the same in every release from 2.10 on: one build of the operators
/// serves them all. A function that is declared weak is nullptr in a PyTorch that lacks it.
#pragma once

#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/c/shim.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/torch/operator_rules.h"

// libtorch_cuda has these, and a PyTorch for CPUs alone has no libtorch_cuda.
extern "C" {
struct CUDAGuardOpaque;
__attribute__((weak)) AOTITorchError aoti_torch_get_current_cuda_stream(int32_t device, void** stream);
__attribute__((weak)) AOTITorchError aoti_torch_create_cuda_guard(int32_t device, CUDAGuardOpaque** guard);
__attribute__((weak)) AOTITorchError aoti_torch_delete_cuda_guard(CUDAGuardOpaque* guard);
}

namespace torch {

/// PyTorch turns an exception of a class with this name into the Python exception that it names. Declared here as in
/// torch/csrc/Exceptions.h, which is outside the stable interface; without it the error would be a RuntimeError.
struct __attribute__((visibility("default"))) PyTorchError : std::exception {
  virtual void* python_type() = 0;
};

}  // namespace torch

namespace tileproof::kernels {

/// An error with a class of Python's.
class PythonError final : public torch::PyTorchError {
 public:
  PythonError(void* type, std::string text) : type_(type), text_(std::move(text)) {}
  const char* what() const noexcept override { return text_.c_str(); }
  void* python_type() override { return type_; }

 private:
  void* type_;
  std::string text_;
};

/// Python's classes of errors, which tileproof_set_error_types (operators.h) sets; nullptr in a program without Python.
struct ErrorTypes {
  void* illegal = nullptr;        // ValueError
  void* out_of_memory = nullptr;  // torch.OutOfMemoryError
};
inline ErrorTypes& error_types() {
  static ErrorTypes types;
  return types;
}

[[noreturn]] inline void raise(void* type, const std::string& text) {
  if (type == nullptr) throw std::runtime_error(text);
  throw PythonError(type, text);
}

/// Throws if PyTorch did not do what it was asked. It has then said why on stderr.
inline void require(AOTITorchError code, const char* what) {
  if (code != AOTI_TORCH_SUCCESS) throw std::runtime_error(std::string("PyTorch fails to ") + what);
}

inline void refuse(const Operator& of, const std::optional<InvalidArgument>& refusal) {
  if (refusal) raise(error_types().illegal, std::string(of.name) + ": " + refusal->text());
}

struct DeleteTensor {
  void operator()(AtenTensorOpaque* tensor) const { aoti_torch_delete_tensor_object(tensor); }
};
using OwnedTensor = std::unique_ptr<AtenTensorOpaque, DeleteTensor>;

struct DeleteText {
  void operator()(StringOpaque* text) const { torch_delete_string(text); }
};
using OwnedText = std::unique_ptr<StringOpaque, DeleteText>;

inline std::string_view text_of(const OwnedText& text) {
  std::size_t length = 0;
  const char* data = nullptr;
  require(torch_string_length(text.get(), &length), "say a text's length");
  require(torch_string_c_str(text.get(), &data), "give a text");
  return {data, length};
}

struct DeleteList {
  void operator()(StableListOpaque* list) const { torch_delete_list(list); }
};
using OwnedList = std::unique_ptr<StableListOpaque, DeleteList>;

/// The tensors of a list, each of which the caller then owns.
inline std::vector<OwnedTensor> tensors_of(const OwnedList& list) {
  std::size_t size = 0;
  require(torch_list_size(list.get(), &size), "say a list's size");
  std::vector<OwnedTensor> tensors;
  tensors.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    StableIValue tensor = 0;
    require(torch_list_get_item(list.get(), i, &tensor), "give a tensor of a list");
    tensors.emplace_back(reinterpret_cast<AtenTensorHandle>(tensor));
  }
  return tensors;
}

/// Owns the value of an optional argument; nullptr where there is none.
using OwnedOptional = std::unique_ptr<StableIValue>;

inline std::int32_t dtype_of(Element element) {
  static const std::array<std::int32_t, 6> codes = {aoti_torch_dtype_uint8(),   aoti_torch_dtype_int8(),
                                                    aoti_torch_dtype_int32(),   aoti_torch_dtype_bfloat16(),
                                                    aoti_torch_dtype_float16(), aoti_torch_dtype_float32()};
  return codes[static_cast<std::size_t>(element)];
}

inline std::string name_of_dtype(std::int32_t code) {
  static const std::pair<std::int32_t, const char*> names[] = {
      {aoti_torch_dtype_uint8(), "uint8"},          {aoti_torch_dtype_int8(), "int8"},
      {aoti_torch_dtype_int32(), "int32"},          {aoti_torch_dtype_bfloat16(), "bfloat16"},
      {aoti_torch_dtype_float16(), "float16"},      {aoti_torch_dtype_float32(), "float32"},
      {aoti_torch_dtype_float64(), "float64"},      {aoti_torch_dtype_int64(), "int64"},
      {aoti_torch_dtype_int16(), "int16"},          {aoti_torch_dtype_bool(), "bool"},
      {aoti_torch_dtype_uint16(), "uint16"},        {aoti_torch_dtype_uint32(), "uint32"},
      {aoti_torch_dtype_uint64(), "uint64"},        {aoti_torch_dtype_complex64(), "complex64"},
      {aoti_torch_dtype_complex128(), "complex128"}};
  for (const auto& [known, name] : names) {
    if (known == code) return name;
  }
  return "dtype " + std::to_string(code);
}

inline std::optional<Element> element_of(std::int32_t dtype) {
  for (const Element element :
       {Element::uint8, Element::int8, Element::int32, Element::bf16, Element::fp16, Element::fp32}) {
    if (dtype_of(element) == dtype) return element;
  }
  return std::nullopt;
}

/// A tensor that the caller owns, as the rules of operator_rules.h ask for it.
class Given {
 public:
  explicit Given(AtenTensorHandle tensor) : tensor_(tensor) {
    require(aoti_torch_get_dim(tensor, &dim_), "say a tensor's dimensions");
    require(aoti_torch_get_sizes(tensor, &sizes_), "say a tensor's sizes");
    require(aoti_torch_get_dtype(tensor, &dtype_), "say a tensor's dtype");
    require(aoti_torch_get_device_type(tensor, &device_type_), "say a tensor's device");
    require(aoti_torch_get_device_index(tensor, &device_index_), "say a tensor's device");
  }

  std::int64_t dim() const { return dim_; }
  /// @param dimension  from the end: -1 is the last
  std::int64_t size(int dimension) const { return sizes_[dim_ + dimension]; }
  bool is(Element element) const { return dtype_ == dtype_of(element); }
  std::pair<std::int32_t, std::int32_t> device() const { return {device_type_, device_index_}; }
  std::string text() const { return form(dtype_, sizes_, dim_); }

  AtenTensorHandle tensor() const { return tensor_; }
  std::int32_t dtype() const { return dtype_; }
  std::int32_t device_index() const { return device_index_; }
  bool is_on_cpu() const {
    static const std::int32_t cpu = aoti_torch_device_type_cpu();
    return device_type_ == cpu;
  }
  bool is_meta() const {
    static const std::int32_t meta = aoti_torch_device_type_meta();
    return device_type_ == meta;
  }

  /// "int32 [3, 2] on cpu", of a tensor on the same device.
  std::string form(std::int32_t dtype, const std::int64_t* sizes, std::int64_t dim) const {
    std::string text = name_of_dtype(dtype) + " [";
    for (std::int64_t i = 0; i < dim; ++i) text += (i > 0 ? ", " : "") + std::to_string(sizes[i]);
    text += "] on ";
    if (is_on_cpu()) return text + "cpu";
    if (is_meta()) return text + "meta";
    const bool is_cuda = device_type_ == aoti_torch_device_type_cuda();
    return text + (is_cuda ? "cuda:" : "device:") + std::to_string(device_index_);
  }

 private:
  AtenTensorHandle tensor_;
  std::int64_t dim_ = 0;
  std::int64_t* sizes_ = nullptr;
  std::int32_t dtype_ = 0, device_type_ = 0, device_index_ = 0;
};

/// Sizes of a tensor, with room for the experts.
struct Sizes {
  std::array<std::int64_t, 5> all = {};
  int count = 0;

  void append(std::int64_t size) { all[static_cast<std::size_t>(count++)] = size; }
};

/// A contiguous tensor on a device.
inline OwnedTensor empty(const Operator& of, const Sizes& sizes, std::int32_t dtype, const Given& on) {
  std::array<std::int64_t, 5> strides = {};
  std::int64_t stride = 1;
  for (int d = sizes.count - 1; d >= 0; --d) {
    strides[static_cast<std::size_t>(d)] = stride;
    stride *= std::max<std::int64_t>(sizes.all[static_cast<std::size_t>(d)], 1);
  }
  AtenTensorHandle made = nullptr;
  const auto [device_type, device_index] = on.device();
  if (aoti_torch_empty_strided(sizes.count, sizes.all.data(), strides.data(), dtype, device_type, device_index,
                               &made) != AOTI_TORCH_SUCCESS) {
    raise(error_types().out_of_memory,
          std::string(of.name) + ": PyTorch fails to allocate " + on.form(dtype, sizes.all.data(), sizes.count));
  }
  return OwnedTensor(made);
}

/// The elements of a tensor one after the other, from an aligned address: the tensor's own where they are like that.
class Dense {
 public:
  Dense(const Operator& of, const Given& given, std::uintptr_t alignment_bytes) {
    bool is_contiguous = false;
    require(aoti_torch_is_contiguous(given.tensor(), &is_contiguous), "say whether a tensor is contiguous");
    if (is_contiguous) {
      require(torch_get_const_data_ptr(given.tensor(), &data_), "give a tensor's memory");
      if (reinterpret_cast<std::uintptr_t>(data_) % alignment_bytes == 0) return;
    }
    Sizes sizes;
    for (int d = static_cast<int>(-given.dim()); d < 0; ++d) sizes.append(given.size(d));
    copy_ = empty(of, sizes, given.dtype(), given);
    require(aoti_torch_copy_(copy_.get(), given.tensor(), /*non_blocking=*/0), "copy a tensor");
    require(torch_get_const_data_ptr(copy_.get(), &data_), "give a tensor's memory");
  }

  template <class Element>
  const Element* data() const {
    return static_cast<const Element*>(data_);
  }

 private:
  const void* data_ = nullptr;
  OwnedTensor copy_;
};

/// Makes a CUDA device the current one.
class OnCuda {
 public:
  explicit OnCuda(std::int32_t device) {
    if (aoti_torch_create_cuda_guard == nullptr) throw std::runtime_error("this PyTorch has no CUDA");
    require(aoti_torch_create_cuda_guard(device, &guard_), "set the CUDA device");
  }
  ~OnCuda() { aoti_torch_delete_cuda_guard(guard_); }
  OnCuda(const OnCuda&) = delete;
  OnCuda& operator=(const OnCuda&) = delete;

 private:
  CUDAGuardOpaque* guard_ = nullptr;
};

}  // namespace tileproof::kernels
