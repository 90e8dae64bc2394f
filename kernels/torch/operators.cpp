#include "kernels/torch/operators.h"

#include <optional>

#include "kernels/kernels.h"
#include "kernels/tinygemm/n_tiles.h"
#include "kernels/torch/shim.h"

namespace tileproof::kernels {

namespace {

using Boxed = Call<Given>;

Sizes sizes_with_experts(const Boxed& call, std::initializer_list<std::int64_t> of_one) {
  Sizes sizes;
  if (call.has_experts()) sizes.append(call.experts());
  for (const std::int64_t size : of_one) sizes.append(size);
  return sizes;
}

/// The sizes of a tensor of a format or a layout.
Sizes sizes_of(const Boxed& call, const Dims& dims, const Extents& extents) {
  Sizes sizes = sizes_with_experts(call, {});
  for (int d = 0; d < dims.count(); ++d) sizes.append(dims.size(d, extents));
  return sizes;
}

void* data_of(const OwnedTensor& result) {
  void* data = nullptr;
  require(torch_get_mutable_data_ptr(result.get(), &data), "give a tensor's memory");
  return data;
}

/// Runs an operation over its legal arguments.
/// @param on         a tensor on the device of all
/// @param operation  called with the arguments and where: a share of them, or a stream
template <class Arguments, class Operation>
void run(const Operator& of, const Arguments& arguments, const Given& on, Operation operation) {
  const std::int64_t elements = arguments.experts * arguments.n * arguments.k;
  if (elements == 0) return;
  refuse(of, validate(arguments));  // what is left: the alignment of what the allocators gave
  if (on.is_on_cpu()) {
    using Share = Shares<Arguments>;
    constexpr std::int64_t elements_worth_a_task = 32'768;  // torch's own grain
    const std::int64_t count = Share::count(arguments);
    const std::int64_t worth_a_task = elements_worth_a_task / ((elements + count - 1) / count) + 1;
    const auto some = [&](std::int64_t begin, std::int64_t end) {
      operation(arguments, typename Share::Part{begin, end});
    };
    const auto as_in_c = [](std::int64_t begin, std::int64_t end, void* context) {
      (*static_cast<decltype(some)*>(context))(begin, end);
    };
    require(torch_parallel_for(0, count, worth_a_task, as_in_c, const_cast<void*>(static_cast<const void*>(&some))),
            "run an operator in its threads");
    return;
  }
#if defined(TILEPROOF_HAS_CUDA)
  const OnCuda device(on.device_index());
  void* stream = nullptr;
  require(aoti_torch_get_current_cuda_stream(on.device_index(), &stream), "say the current stream");
  const cudaError_t error = operation(arguments, static_cast<cudaStream_t>(stream));
  if (error != cudaSuccess) {
    throw std::runtime_error(std::string(of.name) + ": " + cudaGetErrorName(error) + ", " + cudaGetErrorString(error));
  }
#else
  throw std::runtime_error(std::string(of.name) + ": built without CUDA");
#endif
}

OwnedTensor pack_tensor(const Boxed& call) {
  const Given& given = call.codes();
  OwnedTensor packed = empty(
      call.of,
      sizes_with_experts(call, {call.n_tiles(), call.k() / (16 * call.inner_k_tiles()), 32, call.inner_k_tiles() / 2}),
      dtype_of(Element::int32), given);
  if (given.is_meta()) return packed;
  const Dense codes(call.of, given, 16);
  run(call.of,
      PackArguments{.codes = codes.data<std::uint8_t>(),
                    .packed = static_cast<std::uint32_t*>(data_of(packed)),
                    .n = call.n(),
                    .k = call.k(),
                    .inner_k_tiles = call.inner_k_tiles(),
                    .experts = call.experts()},
      given, [](const PackArguments& a, auto where) { return pack(a, where); });
  return packed;
}

OwnedTensor unpack_tensor(const Boxed& call) {
  const Given& given = call.packed_w();
  OwnedTensor codes = empty(call.of, sizes_with_experts(call, {call.n(), call.k()}), dtype_of(Element::int32), given);
  if (given.is_meta()) return codes;
  const Dense packed(call.of, given, 4);
  run(call.of,
      UnpackArguments{.packed = packed.data<std::uint32_t>(),
                      .codes = static_cast<std::int32_t*>(data_of(codes)),
                      .n = call.n(),
                      .k = call.k(),
                      .inner_k_tiles = call.inner_k_tiles(),
                      .experts = call.experts()},
      given, [](const UnpackArguments& a, auto where) { return unpack(a, where); });
  return codes;
}

template <Domain domain>
OwnedTensor dequantized_tensor(const Boxed& call) {
  const Given &given = call.packed_w(), &scales = call.scales();
  OwnedTensor weights = empty(call.of, sizes_with_experts(call, {call.n(), call.k()}), scales.dtype(), given);
  if (given.is_meta()) return weights;
  const Type type = scales.is(Element::bf16) ? Type::bf16 : scales.is(Element::fp16) ? Type::fp16 : Type::fp32;
  const Dense packed(call.of, given, 4), parameters(call.of, scales, type == Type::fp32 ? 4 : 2);
  std::optional<Dense> zeros;
  if constexpr (domain == Domain::integer) zeros.emplace(call.of, call.zero_points(), 1);
  run(call.of,
      DequantizeArguments{.packed = packed.data<std::uint32_t>(),
                          .scales = parameters.data<void>(),
                          .zero_points = zeros ? zeros->data<std::int8_t>() : nullptr,
                          .weights = data_of(weights),
                          .n = call.n(),
                          .k = call.k(),
                          .group_size = call.group_size(),
                          .inner_k_tiles = call.inner_k_tiles(),
                          .domain = domain,
                          .type = type,
                          .experts = call.experts()},
      given, [](const DequantizeArguments& a, auto where) { return dequantize(a, where); });
  return weights;
}

OwnedTensor converted_tensor(const Boxed& call) {
  const Given& given = call.packed();
  const Layout &source = *call.source(), &target = *call.target();
  OwnedTensor converted =
      empty(call.of, sizes_of(call, target.dims, {call.n(), call.k()}), dtype_of(element_named(target.dtype)), given);
  if (given.is_meta()) return converted;
  const Dense packed(call.of, given, 16);
  run(call.of,
      ConvertArguments{.packed = packed.data<void>(),
                       .converted = data_of(converted),
                       .source = &source,
                       .target = &target,
                       .n = call.n(),
                       .k = call.k(),
                       .experts = call.experts()},
      given, [](const ConvertArguments& a, auto where) { return convert(a, where); });
  return converted;
}

Type type_of(Element element) {
  return element == Element::bf16 ? Type::bf16 : element == Element::fp16 ? Type::fp16 : Type::fp32;
}

OwnedTensor weights_tensor(const Boxed& call) {
  const Given& given = call.packed();
  const Format& format = *call.row();
  const bool n_is_along = format.columns == Axis::n;
  const Element element = call.weight_element();
  OwnedTensor weights =
      empty(call.of, sizes_with_experts(call, {n_is_along ? call.k() : call.n(), n_is_along ? call.n() : call.k()}),
            dtype_of(element), given);
  if (given.is_meta()) return weights;
  const Dense packed(call.of, given, 16);
  AnyDequantizeArguments arguments = {.packed = packed.data<void>(),
                                      .parameters = {},
                                      .weights = data_of(weights),
                                      .format = &format,
                                      .n = call.n(),
                                      .k = call.k(),
                                      .group_size = call.group_size(),
                                      .type = type_of(element),
                                      .experts = call.experts()};
  std::array<std::optional<Dense>, Format::most_parameters> parameters;
  for (int i = 0; i < format.parameter_count(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    arguments.parameters[i] = parameters[at].emplace(call.of, call.tensor(parameter(i)), 16).data<void>();
  }
  const auto operation = [](const auto& a, auto where) { return dequantize(a, where); };
  if (const auto tinygemm = of_tinygemm(arguments)) {
    run(call.of, *tinygemm, given, operation);
  } else {
    run(call.of, arguments, given, operation);
  }
  return weights;
}

/// Where the n-th group is, counted [expert][group][row].
std::string place_of_group(const Boxed& call, std::int64_t number) {
  const std::int64_t of_expert = call.k() / call.group_size() * call.n();
  std::string text =
      "group " + std::to_string(number % of_expert / call.n()) + " of row " + std::to_string(number % call.n());
  if (call.has_experts()) text += " of expert " + std::to_string(number / of_expert);
  return text;
}

std::vector<OwnedTensor> converted_parameters(const Boxed& call) {
  const Given& given = call.first();
  const Format &source = *call.row(), &target = *call.target_row();
  const Element element = call.weight_element();
  ConvertParametersArguments arguments = {.parameters = {},
                                          .converted = {},
                                          .source = &source,
                                          .target = &target,
                                          .n = call.n(),
                                          .k = call.k(),
                                          .group_size = call.group_size(),
                                          .type = type_of(element),
                                          .is_nearest = call.text(Argument::rounding) == "nearest",
                                          .refused = nullptr,
                                          .experts = call.experts()};
  std::vector<OwnedTensor> converted;
  for (int i = 0; i < target.parameter_count(); ++i) {
    const Parameter& one = target.parameters[i];
    converted.push_back(empty(call.of, sizes_of(call, one.dims, call.extents()),
                              dtype_of(one.dtype == nullptr ? element : element_named(one.dtype)), given));
  }
  if (given.is_meta()) return converted;

  std::array<std::optional<Dense>, Format::most_parameters> parameters;
  for (int i = 0; i < source.tensors_of_groups(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::uintptr_t alignment = bytes_of_element(source.parameters[i], arguments.type);
    arguments.parameters[i] = parameters[at].emplace(call.of, call.tensor(parameter(i)), alignment).data<void>();
  }
  for (int i = 0; i < target.parameter_count(); ++i)
    arguments.converted[i] = data_of(converted[static_cast<std::size_t>(i)]);
  if (source.has_order_of_columns()) {
    const Given& order = call.tensor(parameter(source.tensors_of_groups()));
    require(aoti_torch_copy_(converted.back().get(), order.tensor(), /*non_blocking=*/0), "copy a tensor");
  }
  const auto operation = [](const auto& a, auto where) { return convert_parameters(a, where); };
  if (is_always_convertible(source, target) || arguments.groups() == 0) {
    run(call.of, arguments, given, operation);
    return converted;
  }
  Sizes one;
  one.append(1);
  const OwnedTensor refused = empty(call.of, one, aoti_torch_dtype_int64(), given);
  require(aoti_torch_zero_(refused.get()), "set a tensor");
  arguments.refused = static_cast<std::uint64_t*>(data_of(refused));
  run(call.of, arguments, given, operation);
  std::int64_t from_last = 0;
  require(aoti_torch_item_int64(refused.get(), &from_last), "give a number");  // waits for a device
  if (from_last != 0) {
    refuse(call.of, InvalidArgument{"parameters", place_of_group(call, arguments.groups() - from_last),
                                    arguments.is_nearest
                                        ? "groups whose zero moves by half a scale at most"
                                        : "groups whose weights stay the same bits, or, with rounding='nearest', whose "
                                          "zero moves by half a scale at most"});
  }
  return converted;
}

StableIValue given_away(OwnedTensor tensor) { return reinterpret_cast<StableIValue>(tensor.release()); }
StableIValue given_away(std::vector<OwnedTensor> tensors) {
  StableListHandle handle = nullptr;
  require(torch_new_list_reserve_size(tensors.size(), &handle), "make a list");
  OwnedList list(handle);
  for (OwnedTensor& tensor : tensors) {
    require(torch_list_push_back(list.get(), given_away(std::move(tensor))), "fill a list");
  }
  return reinterpret_cast<StableIValue>(list.release());
}

/// A kernel as PyTorch calls it: the arguments are ours, and the result is the caller's.
template <const Operator& of, auto kernel>
void boxed(StableIValue* stack, std::uint64_t, std::uint64_t) {
  std::array<OwnedTensor, argument_count> tensors;
  std::array<OwnedText, argument_count> texts;
  OwnedList list;
  OwnedOptional type;
  std::array<std::optional<Given>, argument_count> given;
  // All are taken over before anything may throw.
  for (std::size_t i = 0; of.arguments[i] != Argument::none; ++i) {
    const auto at = static_cast<std::size_t>(of.arguments[i]);
    if (is_tensor(of.arguments[i])) tensors[at].reset(reinterpret_cast<AtenTensorHandle>(stack[i]));
    if (is_text(of.arguments[i])) texts[at].reset(reinterpret_cast<StringHandle>(stack[i]));
    if (is_list(of.arguments[i])) list.reset(reinterpret_cast<StableListHandle>(stack[i]));
    if (is_type(of.arguments[i])) type.reset(reinterpret_cast<StableIValue*>(stack[i]));
  }
  const std::vector<OwnedTensor> of_list = list == nullptr ? std::vector<OwnedTensor>() : tensors_of(list);
  Boxed call = {of};
  std::string name_of_type;
  for (std::size_t i = 0; of.arguments[i] != Argument::none; ++i) {
    const auto at = static_cast<std::size_t>(of.arguments[i]);
    if (is_tensor(of.arguments[i])) {
      call.tensors[at] = &given[at].emplace(tensors[at].get());
    } else if (is_text(of.arguments[i])) {
      call.texts[at] = text_of(texts[at]);
    } else if (is_list(of.arguments[i])) {
      call.list_count = static_cast<int>(of_list.size());
      for (int number = 0; number < std::min(call.list_count, Format::most_parameters); ++number) {
        const auto place = static_cast<std::size_t>(parameter(number));
        call.tensors[place] = &given[place].emplace(of_list[static_cast<std::size_t>(number)].get());
      }
    } else if (is_type(of.arguments[i])) {
      if (type != nullptr) {
        const auto code = static_cast<std::int32_t>(*type);
        call.type = element_of(code);
        call.name_of_type = name_of_type = name_of_dtype(code);
      }
    } else {
      call.numbers[at] = static_cast<std::int64_t>(stack[i]);
    }
  }
  refuse(of, validate(call));
  stack[0] = given_away(kernel(call));
}

struct Entry {
  const Operator* of;
  void (*kernel)(StableIValue*, std::uint64_t, std::uint64_t);
};
constexpr Entry entries[] = {
    {&pack_operator, boxed<pack_operator, pack_tensor>},
    {&unpack_operator, boxed<unpack_operator, unpack_tensor>},
    {&dequantize_operator, boxed<dequantize_operator, dequantized_tensor<Domain::floating>>},
    {&dequantize_integer_operator, boxed<dequantize_integer_operator, dequantized_tensor<Domain::integer>>},
    {&dequantize_scale_only_operator, boxed<dequantize_scale_only_operator, dequantized_tensor<Domain::none>>},
    {&convert_operator, boxed<convert_operator, converted_tensor>},
    {&any_dequantize_operator, boxed<any_dequantize_operator, weights_tensor>},
    {&convert_parameters_operator, boxed<convert_parameters_operator, converted_parameters>}};

}  // namespace

// PyTorch registers this rule for its own operators without a derivative. It is outside the stable interface, so it is
// found by its name in the library, and may be missing: Python then has the rule (fuzz/python/tileproof/ops.py).
class CppFunction {  // torch::CppFunction, which is smaller in every release
 public:
  ~CppFunction();

 private:
  alignas(16) char bytes_[1024];
};
__attribute__((weak)) CppFunction not_implemented_fallback() asm(
    "_ZN5torch8autograd30autogradNotImplementedFallbackEv");
__attribute__((weak)) void* library_impl(void* library, const char* name, CppFunction*, unsigned char registers) asm(
    "_ZNR5torch7Library5_implEPKcONS_11CppFunctionENS_17_RegisterOrVerifyE");
__attribute__((weak)) void destroy(CppFunction*) asm("_ZN5torch11CppFunctionD1Ev");
CppFunction::~CppFunction() { destroy(this); }

namespace {

void register_operator(const std::string& space, const std::string& name, const std::string& key) {
  for (const Entry& entry : entries) {
    if (entry.of->name != name) continue;
    const bool is_autograd = key == "Autograd";
    if (is_autograd && (not_implemented_fallback == nullptr || library_impl == nullptr || destroy == nullptr)) {
      throw std::runtime_error("this PyTorch does not have its rule for operators without a derivative");
    }
    TorchLibraryHandle library = nullptr;  // never deleted: PyTorch then takes back what it has
    require(aoti_torch_library_init_impl(space.c_str(), key.c_str(), __FILE__, __LINE__, &library), "open a namespace");
    if (is_autograd) {
      CppFunction rule = not_implemented_fallback();
      library_impl(library, name.c_str(), &rule, /*registers=*/0);
    } else {
      require(torch_library_impl(library, name.c_str(), entry.kernel, TORCH_ABI_VERSION), "register a kernel");
    }
    return;
  }
  throw std::runtime_error("no operator has the name " + name);
}

/// " k:1:8 n:1:1": each dimension's axis, factor and divisor.
std::string forms_of(const Dims& dims) {
  std::string text;
  for (int d = 0; d < dims.count(); ++d) {
    const Dim& dim = dims.all[d];
    text += std::string(" ") + dim.axis + ":" + std::to_string(dim.times) + ":" + std::to_string(dim.over);
  }
  return text;
}

}  // namespace

}  // namespace tileproof::kernels

extern "C" {

__attribute__((visibility("default"))) const char* tileproof_operator_schemas(const char* group_size) {
  static std::string text;
  text.clear();
  for (const tileproof::kernels::Operator* of : tileproof::kernels::all_operators)
    text += of->schema(group_size) + "\n";
  return text.c_str();
}

__attribute__((visibility("default"))) const char* tileproof_layouts() {
  static const std::string text = [] {
    std::string all;
    for (const tileproof::kernels::Layout* layout : tileproof::kernels::layouts) {
      all += std::string(layout->name) + " " + layout->dtype + " " + std::to_string(layout->n_multiple) + " " +
             std::to_string(layout->k_multiple);
      all += tileproof::kernels::forms_of(layout->dims) + "\n";
    }
    return all;
  }();
  return text.c_str();
}

__attribute__((visibility("default"))) const char* tileproof_formats() {
  static const std::string text = [] {
    using namespace tileproof::kernels;
    std::string all;
    for (const Format& format : formats) {
      const Layout& layout = *format.layout;
      all += std::string(layout.name) + " " + format.scheme + " " + std::to_string(layout.n_multiple) + " " +
             std::to_string(layout.k_multiple) + " " + std::to_string(format.group_multiple) + " " +
             std::to_string(format.most_group) + " " + (format.groups_divide_rows ? "k " : "1 ") +
             (format.is_dequantized ? "d" : "") + (format.has_convertible_parameters() ? "c" : "") + " " +
             (format.columns == Axis::n ? "n" : "k") + " " +
             (format.weight_type == WeightType::of_scales ? "of_scales"
              : format.weight_type == WeightType::any     ? "any"
                                                          : "float32");
      all += std::string("|packed ") + layout.dtype + forms_of(layout.dims);
      for (int i = 0; i < format.parameter_count(); ++i) {
        const Parameter& one = format.parameters[i];
        all += std::string("|") + one.name + " " + (one.dtype == nullptr ? "-" : one.dtype) + forms_of(one.dims);
      }
      all += "\n";
    }
    return all;
  }();
  return text.c_str();
}

__attribute__((visibility("default"))) void tileproof_set_error_types(void* illegal, void* out_of_memory) {
  tileproof::kernels::error_types() = {illegal, out_of_memory};
}

__attribute__((visibility("default"))) bool tileproof_operators_have_cuda() {
#if defined(TILEPROOF_HAS_CUDA)
  return true;
#else
  return false;
#endif
}

__attribute__((visibility("default"))) const char* tileproof_register_operator(const char* space, const char* name,
                                                                               const char* key) {
  static std::string why_not;
  try {
    tileproof::kernels::register_operator(space, name, key);
    return nullptr;
  } catch (const std::exception& error) {
    why_not = error.what();
    return why_not.c_str();
  }
}

}  // extern "C"
