// A subject made of PyTorch operators, PyTorch's own or a user's library's, called through torch's dispatcher as Python
// calls them. A device backend (device_backend.h) poisons and fences what they allocate; their inputs lie in the
// harness's guarded memory.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <set>

#include "built_without_cuda.h"
#include "properties/problem/named.h"
#include "properties/subjects/device_backend.h"
#include "properties/subjects/library.h"
#include "properties/subjects/operator_mapping.h"
#include "properties/subjects/rows.h"
#include "properties/subjects/tensors_of_calls.h"
#include "properties/subjects/together.h"

namespace tileproof {

namespace {

at::ScalarType scalar_type_of(Element element) {
  constexpr at::ScalarType types[] = {at::kByte,     at::kChar, at::kShort, at::kInt,    at::kLong,
                                      at::kBFloat16, at::kHalf, at::kFloat, at::kDouble, at::kUInt32};
  return types[static_cast<int>(element)];
}

/// @throws SubjectError for a type that no operation gives
Element element_of(at::ScalarType type) {
  for (int i = 0; i <= static_cast<int>(Element::uint32); ++i) {
    if (scalar_type_of(static_cast<Element>(i)) == type) return static_cast<Element>(i);
  }
  throw SubjectError(std::string("the result is of type ") + c10::toString(type));
}

/// Runs torch code. An exception is a refusal, unless its text says that something broke.
template <class Use>
auto in_torch(Use use) {
  const auto broken = [](const std::string& what) {
    return what.find("CUDA error") != std::string::npos || what.find("INTERNAL ASSERT") != std::string::npos;
  };
  try {
    return use();
  } catch (const c10::Error& error) {
    const std::string what = error.what_without_backtrace();
    if (broken(what)) throw SubjectError(what);
    throw Refused(what);
  } catch (const std::bad_alloc&) {
    throw Refused("std::bad_alloc: the operator asked for more memory than there is");
  } catch (const SubjectError&) {
    throw;
  } catch (const std::exception& error) {
    if (broken(error.what())) throw SubjectError(error.what());
    throw Refused(error.what());
  } catch (...) {
    throw SubjectError("threw what is no exception");
  }
}

std::int64_t storage_bytes(const Argument& argument) { return static_cast<std::int64_t>(argument.storage.size()); }

/// The storage of a call's argument at an address, as a tensor of bytes.
at::Tensor storage_at(const void* data, const Argument& argument, c10::Device device) {
  return view_of(data, {storage_bytes(argument)}, at::kByte, device);
}

/// The arguments of a call as an operator takes them.
/// @param storage_of  gives the storage of a tensor, as a tensor of bytes
template <class StorageOf>
DeviceBackend::Values values_of(const OperatorCall& call, StorageOf storage_of) {
  DeviceBackend::Values values;
  for (const Argument& argument : call.arguments) {
    if (!argument.is_tensor()) {
      values.emplace_back(argument.number.value_or(static_cast<std::int64_t>(scalar_type_of(argument.element))));
      continue;
    }
    const at::Tensor elements = storage_of(argument).view(scalar_type_of(argument.element));
    values.emplace_back(elements.as_strided(argument.sizes, argument.strides, argument.offset));
  }
  return values;
}

/// Adds the settings that torch keeps for this thread and for the process.
void add_state_of_torch(ProcessState& state, const c10::Device& device) {
  const auto add = [&state](const char* name, const auto& value) { state[name] = c10::str(value); };
  at::Context& context = at::globalContext();
  add("grad mode", c10::GradMode::is_enabled());
  add("inference mode", c10::InferenceMode::is_enabled());
  add("default dtype", c10::get_default_dtype());
  add("threads of an operator", at::get_num_threads());
  add("threads between operators", at::get_num_interop_threads());
  add("deterministic algorithms", context.deterministicAlgorithms());
  add("deterministic cuDNN", context.deterministicCuDNN());
  add("cuDNN benchmarks", context.benchmarkCuDNN());
  add("autocast on the CPU", at::autocast::is_autocast_enabled(at::kCPU));
  add("autocast on CUDA", at::autocast::is_autocast_enabled(at::kCUDA));
  add("the CPU's allocator", static_cast<const void*>(c10::GetCPUAllocator()));
  const c10::impl::LocalDispatchKeySet keys = c10::impl::tls_local_dispatch_key_set();
  add("dispatch keys included", c10::toString(keys.included_));
  add("dispatch keys excluded", c10::toString(keys.excluded_));
  const auto add_generator = [&](const char* name, const c10::Device& of) {
    at::Generator generator = context.defaultGenerator(of);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    const at::Tensor bytes = generator.get_state().contiguous();
    const auto* first = static_cast<const char*>(bytes.const_data_ptr());
    add(name, std::hash<std::string_view>()(std::string_view(first, bytes.nbytes())));
  };
  add_generator("random numbers of the CPU", c10::kCPU);
  if (device.is_cpu()) return;
  const c10::impl::VirtualGuardImpl guard(device.type());
  add("current device", guard.getDevice());
  add("current stream", guard.getStream(device));
  add_generator("random numbers of the device", device);
}

/// An operator of a library, and where its arguments come from.
struct LibraryOperator {
  /// An argument of the schema: one of `names`, or always the same value.
  struct Source {
    std::optional<std::size_t> name = std::nullopt;
    c10::IValue always = {};
  };
  c10::OperatorHandle handle;
  std::vector<std::string> names;  // of what a call gives, by role: "packed", "scales_and_zeros", "group_size"
  std::vector<Source> sources;     // in the schema's order
  bool is_transposed = false;      // the result's order is not the format's

  /// @param values  in the order of `names`
  DeviceBackend::Values arranged(const DeviceBackend::Values& values) const {
    DeviceBackend::Values all;
    for (const Source& source : sources) all.push_back(source.name ? values.at(*source.name) : source.always);
    return all;
  }
};

class OperatorsSubject : public SubjectByOperation, public Operators {
 public:
  /// @param takes  of the library
  OperatorsSubject(std::map<Operation, LibraryOperator> operators, Capabilities takes, DeviceBackend& side)
      : operators_(std::move(operators)), takes_(std::move(takes)), backend_(side) {}

  Memory& memory() override { return backend_.memory(); }
  void vary(std::uint64_t variation) override { backend_.vary(variation); }
  void fill_own_memory(const Fill& fill) override { fill_ = fill; }
  Operators* operators() override { return this; }

  ProcessState state() override {
    ProcessState all = process_state();
    add_state_of_torch(all, backend_.device());
    return all;
  }

  OperatorResult call(const OperatorCall& call, const std::vector<void*>& at, CallMode mode,
                      const OperatorCall* alternate) override {
    std::size_t number = 0;
    const DeviceBackend::Values values = values_of(call, [&](const Argument& argument) {
      void* data = at.at(number++);
      if (argument.where == Where::subject) return storage_at(data, argument, backend_.device());
      if (backend_.device().is_cpu()) throw Unavailable("the subject runs on the CPU: there is no other place");
      return storage_at(argument.storage.data(), argument, c10::kCPU);
    });
    std::vector<at::Tensor> alternates;
    if (alternate != nullptr) {
      for (const Argument& argument : alternate->arguments) {
        if (argument.is_tensor()) alternates.push_back(storage_at(argument.storage.data(), argument, c10::kCPU));
      }
    }
    return carried(called(call.operation, values, mode, alternates));
  }

  std::vector<OperatorResult> call_at_once(const std::vector<OperatorCall>& calls,
                                           const std::vector<void*>& at) override {
    std::vector<DeviceBackend::Values> values;
    std::size_t number = 0;
    for (const OperatorCall& call : calls) {
      values.push_back(values_of(
          call, [&](const Argument& argument) { return storage_at(at.at(number++), argument, backend_.device()); }));
    }
    std::vector<at::Tensor> results(calls.size() * calls_of_caller);
    checked([&] {
      const Guarding guarding(backend_.blocks(), fill_);
      together(calls.size(), [&](std::size_t thread) {
        backend_.in_a_stream_of_its_own([&] {
          for (std::size_t i = 0; i < calls_of_caller; ++i) {
            results[thread * calls_of_caller + i] =
                in_torch([&] { return boxed(calls[thread].operation, values[thread]); });
          }
        });
      });
    });
    backend_.check();
    std::vector<OperatorResult> all;
    for (std::size_t i = 0; i < results.size(); ++i) {
      require_own_memory(results[i], values[i / calls_of_caller]);
      all.push_back(carried(in_order(calls[i / calls_of_caller].operation, results[i])));
    }
    return all;
  }

  OperatorResult call_on_meta(const OperatorCall& call) override {
    const c10::OperatorHandle& op = operators_.at(call.operation).handle;
    // Only kernels of the operator's own count, not torch's fallback for all operators.
    const c10::DispatchKey keys[] = {c10::DispatchKey::Meta, c10::DispatchKey::CompositeImplicitAutograd,
                                     c10::DispatchKey::CompositeExplicitAutograd};
    if (std::none_of(std::begin(keys), std::end(keys), [&](auto key) { return op.hasKernelForDispatchKey(key); })) {
      throw Unavailable("the operator has no kernel for meta tensors in this library");
    }
    const DeviceBackend::Values values = values_of(call, [](const Argument& argument) {
      if (argument.where != Where::subject) throw Unavailable("a meta tensor has no place");
      return at::empty({storage_bytes(argument)}, at::TensorOptions().dtype(at::kByte).device(at::kMeta));
    });
    const at::Tensor result = in_order(call.operation, in_torch([&] { return boxed(call.operation, values); }));
    return {element_of(result.scalar_type()), result.sizes().vec(), result.strides().vec(), {}};
  }

  std::vector<std::string> argument_names(Operation operation) override {
    const LibraryOperator& op = operators_.at(operation);
    std::vector<std::string> names(op.names.size());
    for (std::size_t i = 0; i < op.sources.size(); ++i) {
      if (op.sources[i].name) names[*op.sources[i].name] = op.handle.schema().arguments()[i].name();
    }
    return names;
  }

 private:
  at::Tensor boxed(Operation operation, const DeviceBackend::Values& values) const {
    const LibraryOperator& op = operators_.at(operation);
    std::vector<c10::IValue> stack = op.arranged(values);
    op.handle.callBoxed(stack);
    if (stack.size() != 1 || !stack[0].isTensor() || !stack[0].toTensor().defined()) {
      throw SubjectError("the operator gave no tensor");
    }
    return stack[0].toTensor();
  }

  /// A result in the format's order; codes may be of any type of whole numbers.
  at::Tensor in_order(Operation operation, const at::Tensor& result) const {
    const bool turns = operators_.at(operation).is_transposed && result.dim() >= 2;
    const at::Tensor ordered = turns ? result.transpose(-2, -1) : result;
    const bool is_of_codes = operation == Operation::unpack && takes_.are_mapped();
    return is_of_codes && at::isIntegralType(ordered.scalar_type(), /*includeBool=*/false) ? ordered.to(at::kInt)
                                                                                           : ordered;
  }

  /// A result's form, and its elements densely on the host.
  static OperatorResult carried(const at::Tensor& result) {
    OperatorResult out = {
        element_of(result.scalar_type()), result.sizes().vec(), result.strides().vec(), {}, result.device().str()};
    const at::Tensor dense = result.contiguous().cpu();
    out.bytes.resize(dense.nbytes());
    if (!out.bytes.empty()) std::memcpy(out.bytes.data(), dense.const_data_ptr(), out.bytes.size());
    return out;
  }

  /// Runs a call, and looks at the backend even where it throws.
  template <class Run>
  void checked(Run run) {
    try {
      run();
    } catch (const Refused&) {
      backend_.check();  // a refused call must leave fences whole and no error pending
      throw;
    } catch (const SubjectError& error) {
      try {
        backend_.check();
      } catch (const SubjectError& also) {  // tells whether the device is lost
        throw SubjectError(std::string(error.what()) + " (" + also.what() + ")", also.device_lost || error.device_lost);
      }
      throw;
    }
  }

  /// Calls an operator under guard, then checks what it did to memory.
  at::Tensor called(Operation operation, const DeviceBackend::Values& values, CallMode mode = CallMode::usual,
                    const std::vector<at::Tensor>& alternates = {}) {
    const auto run = [&](const DeviceBackend::Values& given) {
      const Guarding guarding(backend_.blocks(), fill_);
      return in_torch([&] { return boxed(operation, given); });
    };
    at::Tensor result;
    checked([&] { result = backend_.call(run, values, alternates, mode); });
    backend_.check();
    require_own_memory(result, values);
    require_not_the_last_one(operation, result);
    require_written(result, operation);
    return in_order(operation, result);
  }

  /// Requires that a result does not overlap the one before, which a caller may still hold.
  /// @throws GuardViolation
  void require_not_the_last_one(Operation operation, const at::Tensor& result) {
    constexpr std::size_t most_kept = std::size_t{1} << 30;
    at::Tensor& last = last_[operation];
    const auto bytes = result.storage().nbytes();
    if (last.defined() && bytes != 0) {
      const auto* data = static_cast<const std::uint8_t*>(result.storage().data());
      const auto* begin = static_cast<const std::uint8_t*>(last.storage().data());
      if (data < begin + last.storage().nbytes() && begin < data + bytes) {
        throw GuardViolation(std::string(name_of(operation)) +
                             " gives memory that holds its result before, which a caller may still use");
      }
    }
    last = bytes <= most_kept ? result : at::Tensor();
  }

  static void require_own_memory(const at::Tensor& result, const DeviceBackend::Values& values) {
    const auto* data = static_cast<const std::uint8_t*>(result.storage().data());
    for (const c10::IValue& value : values) {
      if (!value.isTensor() || result.numel() == 0) continue;
      const c10::Storage& storage = value.toTensor().storage();
      const auto* begin = static_cast<const std::uint8_t*>(storage.data());
      if (data >= begin && data < begin + storage.nbytes()) throw GuardViolation("gives back memory of its own input");
    }
  }

  /// Requires every element of a result to differ from the poison, except for packed words.
  /// @throws GuardViolation
  void require_written(const at::Tensor& result, Operation operation) const {
    if (operation == Operation::pack) return;
    const at::Tensor dense = result.contiguous().cpu();
    const std::uint32_t twice = fill_.poison * 0x10001u;
    if (dense.element_size() == 2) return require_no(static_cast<std::uint16_t>(twice), dense);
    if (dense.element_size() == 4) return require_no(twice, dense);
    if (dense.element_size() == 8) return require_no(twice * 0x100000001ul, dense);
  }

  template <class Bits>
  static void require_no(Bits poison, const at::Tensor& dense) {
    const auto* elements = static_cast<const Bits*>(dense.const_data_ptr());
    const auto* end = elements + dense.numel();
    const auto unwritten = std::count(elements, end, poison);
    if (unwritten == 0) return;
    throw GuardViolation("never wrote " + std::to_string(unwritten) + " elements of its result, the first is element " +
                         std::to_string(std::find(elements, end, poison) - elements) + " of " +
                         std::to_string(dense.numel()));
  }

  static void require_form(const std::string& operation, const at::Tensor& result, at::ScalarType type,
                           const Sizes& sizes) {
    const auto text = [](at::ScalarType of, const Sizes& with) {
      return std::string(c10::toString(of)) + " " + text_of(with);
    };
    if (result.scalar_type() == type && result.sizes().vec() == sizes) return;
    throw SubjectError("the result of " + operation + " is " + text(result.scalar_type(), result.sizes().vec()) +
                       ", expected " + text(type, sizes));
  }

  /// Codes, one a byte. The tensor that holds them is made here, and fenced like what the library allocates.
  at::Tensor codes_of(const at::Tensor& pairs, std::int64_t k) const {
    const Guarding guarding(backend_.blocks(), fill_);
    return at::stack({pairs.bitwise_right_shift(4), pairs.bitwise_and(15)}, 2).flatten(1).narrow(1, 0, k).contiguous();
  }

  /// Finds the value that a call gives an argument, by the name that the mapping has for it.
  c10::IValue value_of(const Call& c, const std::string& name) const {
    const auto viewed = [&](const void* data, const reference::Dims& dims, const std::string& element) {
      return view_of(data, at::IntArrayRef(dims.begin(), dims.end()), scalar_type_of(element_named(element)),
                     backend_.device());
    };
    if (name == "n") return c.n;
    if (name == "k") return c.k;
    if (name == "group_size") return c.group_size;
    if (name == "inner_k_tiles") return tinygemm_number(*c.format);
    if (name == "dtype") return static_cast<std::int64_t>(scalar_type_of(element_named(name_of(c.types.weight))));
    if (name == "packed") return viewed(c.packed_bytes(), c.format->layout.dims(c.size()), c.format->layout.dtype);
    const auto pairs = [&] { return viewed(c.pairs(), {c.n, (c.k + 1) / 2}, "uint8"); };
    if (name == "pairs") return pairs();
    if (name == "codes") return codes_of(pairs(), c.k);
    const bool is_first = name == c.scheme->tensors[0].role;
    const reference::ParameterTensor& tensor = c.scheme->tensors[is_first ? 0 : 1];
    return viewed(is_first ? c.scales() : c.zeros(), tensor.dims(c.groups()),
                  tensor.dtype != nullptr ? tensor.dtype : name_of(c.types.parameter));
  }

  at::Tensor result_of(const Call& c, Operation operation) {
    DeviceBackend::Values values;
    for (const std::string& name : operators_.at(operation).names) values.push_back(value_of(c, name));
    return called(operation, values);
  }

  static void require_form(Operation operation, const at::Tensor& result, const std::string& element,
                           const reference::Dims& dims) {
    require_form(name_of(operation), result, scalar_type_of(element_named(element)), Sizes(dims.begin(), dims.end()));
  }

  void pack(const Call& c) override {
    const at::Tensor packed = result_of(c, c.operation);
    if (takes_.are_mapped()) require_form(c.operation, packed, c.format->layout.dtype, c.format->layout.dims(c.size()));
    copy_to(c.packed_bytes(), c.format->layout.slots(c.size()) / 2, packed, backend_.device());
  }

  /// The operator may also return the rows of the padding.
  void unpack(const Call& c) override {
    const at::Tensor codes = result_of(c, c.operation);
    require_form(c.operation, codes, "int32", {takes_.rows_unpacked(*c.format, c.size()), c.k});
    copy_to(c.codes(), c.n * c.k * 4, codes.narrow(0, 0, c.n), backend_.device());
  }

  void dequantize(const Call& c) override {
    const at::Tensor weights = result_of(c, c.operation);
    require_form(c.operation, weights, name_of(c.types.weight), c.format->result_dims(c.size()));
    copy_to(c.weights(), c.n * c.k * bytes_of(c.types.weight), weights, backend_.device());
  }

  /// aten pads n, and expects the scales to be padded alike, with scale and zero 0.
  void matmul(const Call& c) override {
    const std::int64_t padding = c.format->layout.padded(c.size()).n - c.n;
    const at::Tensor scales_and_zeros =
        at::constant_pad_nd(scales_and_zeros_of(c, backend_.device()), {0, 0, 0, padding}).contiguous();
    const at::Tensor activations = activations_of(c, backend_.device());
    const at::Tensor out =
        called(Operation::matmul, {activations, result_of(c, Operation::pack), c.group_size, scales_and_zeros});
    require_form("matmul", out, at::kBFloat16, {c.m, c.n + padding});
    copy_to(c.products(), c.m * c.n * 2, out.narrow(1, 0, c.n), backend_.device());
  }

  std::map<Operation, LibraryOperator> operators_;
  Capabilities takes_;
  DeviceBackend& backend_;
  Fill fill_;
  std::map<Operation, at::Tensor> last_;  // the last result of each operation, kept alive
};

// --- Finding the operators -----------------------------------------------------------------------------------------

/// "(Tensor, Tensor, int, int) -> Tensor"
std::string form_of(const c10::FunctionSchema& schema) {
  const auto types_of = [](const std::vector<c10::Argument>& arguments) {
    std::string types;
    for (const c10::Argument& argument : arguments) types += (types.empty() ? "" : ", ") + c10::str(*argument.type());
    return types;
  };
  return "(" + types_of(schema.arguments()) + ") -> " + types_of(schema.returns());
}

/// The schema that an operator must have: "(Tensor codes, int inner_k_tiles) -> Tensor". Arguments may have other
/// names.
std::string expected_schema(Operation operation, bool has_names = true) {
  std::string text;
  for (const std::string name : operator_arguments_of(operation)) {
    const bool is_number = name == "group_size" || name == "inner_k_tiles";
    text += (text.empty() ? "(" : ", ") + std::string(is_number ? "int" : "Tensor") + (has_names ? " " + name : "");
  }
  return text + ") -> Tensor";
}

std::set<std::string> names_of_namespaces() {
  std::set<std::string> names;
  for (const c10::OperatorName& name : c10::Dispatcher::singleton().getAllOpNames()) {
    names.insert(name.name.substr(0, name.name.find("::")));
  }
  return names;
}

void load(const Library& library) {
  if (library.file.empty()) return;
  const auto refuse = [&](const std::string& why) {
    throw UsageError("--library", "'" + library.file + "' (" + why + ")",
                     "a shared library that registers PyTorch operators when it is loaded");
  };
  const std::filesystem::path file = std::filesystem::absolute(library.file);
  if (!std::filesystem::exists(file)) refuse("there is no such file");
  const auto loads = [&](int when) { return dlopen(file.c_str(), when | RTLD_LOCAL) != nullptr; };
  if (loads(RTLD_NOW)) return;
  // The library may need what a Python process has loaded: torch's CUDA libraries, tried only now because they load
  // slowly, and Python itself if it is a Python module too (PyInit_...). No interpreter is started.
  dlopen("libtorch.so", RTLD_NOW | RTLD_GLOBAL);
  if (loads(RTLD_NOW)) return;
  const std::filesystem::path python = TILEPROOF_LIBPYTHON;
  if (dlopen(python.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    dlopen(python.filename().c_str(), RTLD_NOW | RTLD_GLOBAL);
  }
  if (loads(RTLD_NOW)) return;
  const std::string why = dlerror();
  // There is no Python library, but with lazy binding Python's functions are only looked up when they are called, which
  // they are not.
  const bool is_of_python = why.find("undefined symbol: Py") != std::string::npos;
  if (is_of_python && loads(RTLD_LAZY)) return;
  refuse(why + (is_of_python ? "; " + python.string() + " would have it, and does not load" : ""));
}

/// The dispatcher's name of an operator given as "name.overload".
c10::OperatorName name_in(const Library& library, const std::string& name) {
  const std::size_t dot = name.find('.');
  return {library.name_space + "::" + name.substr(0, dot), dot == std::string::npos ? "" : name.substr(dot + 1)};
}

std::string operators_of(const std::string& name_space) {
  std::string names;
  for (const c10::OperatorName& name : c10::Dispatcher::singleton().getAllOpNames()) {
    if (!name.name.starts_with(name_space + "::")) continue;
    if (names.size() > 400) return names + ", ...";
    names += (names.empty() ? "" : ", ") + name.name.substr(name_space.size() + 2);
  }
  return names;
}

/// A mapping's line, held against the schema of its operator.
class MappedOperator {
 public:
  MappedOperator(const MappedOperation& mapped, const c10::OperatorHandle& handle)
      : mapped_(mapped), schema_(handle.schema()), made_{handle, mapped.names(), {}, mapped.is_transposed} {}

  /// @throws UsageError if the schema does not take the arguments, or gives something else than a tensor
  LibraryOperator made() && {
    const std::vector<c10::Argument>& arguments = schema_.arguments();
    std::vector<std::optional<LibraryOperator::Source>> sources(arguments.size());
    std::size_t places = 0;
    for (const MappedArgument& argument : mapped_.arguments) {
      const std::size_t at = argument.keyword.empty() ? places++ : place_of(argument.keyword);
      if (at >= arguments.size() || (argument.keyword.empty() && arguments[at].kwarg_only())) {
        throw wrong(std::to_string(places) + " arguments by their places");
      }
      if (sources[at]) throw wrong(arguments[at].name() + " given twice");
      sources[at] = source_of(argument, arguments[at]);
    }
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (!sources[i] && !arguments[i].default_value()) throw wrong("without " + arguments[i].name());
      if (!sources[i]) sources[i] = LibraryOperator::Source{std::nullopt, *arguments[i].default_value()};
      made_.sources.push_back(*sources[i]);
    }
    const std::vector<c10::Argument>& returns = schema_.returns();
    if (returns.size() != 1 || returns[0].type()->kind() != c10::TypeKind::TensorType) {
      throw UsageError("--map", "'" + mapped_.line + "' of " + c10::str(schema_),
                       "an operator that returns one tensor");
    }
    return std::move(made_);
  }

 private:
  UsageError wrong(const std::string& what) const {
    return {"--map", "'" + mapped_.line + "' (" + what + ")", "what the operator takes: " + c10::str(schema_)};
  }

  std::size_t place_of(const std::string& keyword) const {
    const std::optional<int> place = schema_.argumentIndexWithName(keyword);
    if (!place) throw wrong("no argument is named " + keyword);
    return static_cast<std::size_t>(*place);
  }

  LibraryOperator::Source source_of(const MappedArgument& given, const c10::Argument& argument) const {
    using Kind = MappedArgument::Kind;
    c10::TypePtr type = argument.type();
    const bool is_optional = type->kind() == c10::TypeKind::OptionalType;
    if (is_optional) type = type->expectRef<c10::OptionalType>().getElementType();
    const auto is_one_of = [&](auto... kinds) { return ((type->kind() == kinds) || ...); };
    using Of = c10::TypeKind;
    const bool takes_whole = is_one_of(Of::IntType, Of::SymIntType, Of::NumberType);
    const bool takes_real = is_one_of(Of::FloatType, Of::NumberType);
    if (given.kind == Kind::named) {
      const bool is_number =
          given.value == "n" || given.value == "k" || given.value == "group_size" || given.value == "dtype";
      const auto name = std::ranges::find(made_.names, given.value) - made_.names.begin();
      if (is_number ? takes_whole : is_one_of(Of::TensorType)) return {static_cast<std::size_t>(name), {}};
    }
    if (given.kind == Kind::integer && takes_whole)
      return {std::nullopt, c10::IValue(std::int64_t{std::stoll(given.value)})};
    const bool is_number = given.kind == Kind::integer || given.kind == Kind::real;
    if (is_number && takes_real) return {std::nullopt, std::strtod(given.value.c_str(), nullptr)};
    if (given.kind == Kind::boolean && is_one_of(Of::BoolType)) return {std::nullopt, given.value == "true"};
    if (given.kind == Kind::text && is_one_of(Of::StringType)) return {std::nullopt, given.value};
    if (given.kind == Kind::none && is_optional) return {std::nullopt, c10::IValue()};
    throw wrong(given.value + " for the " + argument.type()->str() + " " + argument.name());
  }

  const MappedOperation& mapped_;
  const c10::FunctionSchema& schema_;
  LibraryOperator made_;
};

std::map<Operation, LibraryOperator> mapped_operators(const Library& library) {
  std::map<Operation, LibraryOperator> found;
  for (const MappedOperation& mapped : mapping_of(library.map, *library.takes.formats.front())) {
    const auto handle = c10::Dispatcher::singleton().findSchema(name_in(library, mapped.op));
    if (!handle) {
      throw UsageError(
          "--map", "'" + mapped.op + "' in '" + mapped.line + "'",
          "an operator of the namespace " + library.name_space + ", which has: " + operators_of(library.name_space));
    }
    found.emplace(mapped.operation, MappedOperator(mapped, *handle).made());
  }
  return found;
}

/// An operator with tinygemm's schema, where codes are given in pairs.
LibraryOperator operator_of_tinygemm(Operation operation, const c10::OperatorHandle& handle) {
  LibraryOperator op = {handle, {}, {}, false};
  for (const std::string name : operator_arguments_of(operation)) {
    op.sources.push_back({op.names.size(), {}});
    op.names.push_back(name == "codes" ? "pairs" : name == "packed_w" ? "packed" : name);
  }
  return op;
}

/// @param before  the namespaces from before the library was loaded
std::map<Operation, LibraryOperator> found_operators(const Library& library, const std::set<std::string>& before) {
  std::map<Operation, LibraryOperator> found;
  std::string schemas;
  if (!library.map.empty()) {
    schemas = joined(library.map, "; ");
    if (!operators_of(library.name_space).empty()) return mapped_operators(library);
  }
  for (const auto& [operation, name] : library.operators) {
    schemas += (schemas.empty() ? "" : "; ") + name + expected_schema(operation);
    const auto handle = c10::Dispatcher::singleton().findSchema(name_in(library, name));
    if (!handle) continue;
    if (form_of(handle->schema()) != expected_schema(operation, /*has_names=*/false)) {
      throw UsageError("--" + std::string(name_of(operation)) + "-op",
                       library.name_space + "::" + name + " with the schema " + form_of(handle->schema()),
                       name + expected_schema(operation));
    }
    found.emplace(operation, operator_of_tinygemm(operation, *handle));
  }
  for (const Operation operation : library.required) {
    if (found.count(operation) != 0) continue;
    const std::string& name = library.operators.at(operation);
    throw UsageError(
        "--" + std::string(name_of(operation)) + "-op", "'" + name + "'",
        "an operator of the namespace " + library.name_space + ", which has: " + operators_of(library.name_space));
  }
  if (found.empty()) {
    const std::string has = operators_of(library.name_space);
    std::string fresh;
    for (const std::string& name : names_of_namespaces()) {
      if (!before.contains(name)) fresh += (fresh.empty() ? "'" : ", '") + name + "'";
    }
    throw UsageError(
        "--namespace",
        "'" + library.name_space + "', which has " + (has.empty() ? "no operators" : "other operators: " + has),
        "a namespace with at least one of " + schemas + "; the library has registered " +
            (fresh.empty() ? "no new namespace" : "operators of " + fresh));
  }
  return found;
}

bool any_has(const std::map<Operation, LibraryOperator>& operators, c10::DispatchKey key) {
  return std::any_of(operators.begin(), operators.end(),
                     [&](const auto& one) { return one.second.handle.hasComputedKernelForDispatchKey(key); });
}

/// The CUDA device's backend, made once.
/// @param why_not  set if there is no such device
/// @return nullptr if there is no such device
DeviceBackend* cuda_backend(std::string* why_not) {
  static DeviceBackend* side = nullptr;
  if (side != nullptr) return side;
  // Torch's CUDA libraries take as long to load as the rest of torch: skip them if there is neither a driver nor a
  // device.
  const bool has_device = std::filesystem::exists("/dev/nvidiactl") || std::filesystem::exists("/dev/dxg");  // or WSL's
  if (!has_device && dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) == nullptr) {
    *why_not = std::string("there is no CUDA device, and no driver: ") + dlerror();
    return nullptr;
  }
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    *why_not = std::string("this torch has no CUDA library: ") + dlerror();
    return nullptr;
  }
  if (!at::hasCUDA()) {
    *why_not = "torch finds no CUDA device";
    return nullptr;
  }
#if defined(TILEPROOF_CUDA_BACKEND)
  side = entry_point<DeviceBackend* (*)()>(TILEPROOF_CUDA_BACKEND, "tileproof_cuda_backend",
                                           "the CUDA part of the judge does not load")();
#else
  *why_not = built_without_cuda;
#endif
  return side;
}

}  // namespace

}  // namespace tileproof

/// An entry point of the library of torch subjects.
extern "C" void tileproof_library_subject(const tileproof::Library& library, tileproof::MadeSubject& made) {
  using namespace tileproof;
  const std::set<std::string> before = names_of_namespaces();
  load(library);
  std::map<Operation, LibraryOperator> operators = found_operators(library, before);
  const bool for_cuda =
      library.device == "cuda" || (library.device.empty() && any_has(operators, c10::DispatchKey::CUDA));
  DeviceBackend* side = nullptr;
  if (for_cuda) side = cuda_backend(&made.why_not);
  const bool may_use_cpu = library.device != "cuda" && any_has(operators, c10::DispatchKey::CPU);
  if (side == nullptr && may_use_cpu) {
    side = &cpu_backend();
    made.why_not.clear();
  }
  if (side == nullptr) {
    if (made.why_not.empty()) made.why_not = "the operators have no kernels for the device cpu";
    return;
  }
  const c10::DispatchKey key = side->device().is_cpu() ? c10::DispatchKey::CPU : c10::DispatchKey::CUDA;
  std::erase_if(operators, [&](const auto& one) { return !one.second.handle.hasComputedKernelForDispatchKey(key); });
  if (operators.empty()) {
    made.why_not = "the operators have no kernels for the device " + side->device().str();
    return;
  }
  Capabilities capabilities = library.takes;
  for (const auto& [operation, handle] : operators) capabilities.operations.push_back(operation);
  made.capabilities = side->device().is_cpu() ? capabilities : on_a_gpu(capabilities);
  made.device = side->device().is_cpu() ? "cpu" : "cuda";
  made.subject = std::make_unique<OperatorsSubject>(std::move(operators), library.takes, *side);
}
