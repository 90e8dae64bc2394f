// The operators for programs without Python, in a library that defines and registers them while it is loaded. Without
// tags, and with sizes that are known: the Python package (fuzz/python/tileproof/ops.py) has both.
#include <cstdio>
#include <string_view>

#include "kernels/torch/operators.h"
#include "kernels/torch/shim.h"

namespace tileproof::kernels {

namespace {

constexpr char space[] = "tileproof";

void register_all() {
  TorchLibraryHandle library = nullptr;  // never deleted: PyTorch then takes back what it has
  require(aoti_torch_library_init_def(space, __FILE__, __LINE__, &library), "define the operators of tileproof");
  for (std::string_view rest = tileproof_operator_schemas("SymInt"); !rest.empty();
       rest.remove_prefix(rest.find('\n') + 1)) {
    const std::string schema(rest.substr(0, rest.find('\n')));
    require(aoti_torch_library_def(library, schema.c_str()), "define an operator of tileproof");
    const std::string name = schema.substr(0, schema.find('('));
    for (const std::string_view key : {"CPU", "CUDA", "Meta", "Autograd"}) {
      if (key == "CUDA" && !tileproof_operators_have_cuda()) continue;
      const char* const why_not = tileproof_register_operator(space, name.c_str(), key.data());
      if (why_not != nullptr) throw std::runtime_error(why_not);
    }
  }
}

[[maybe_unused]] const bool is_registered = [] {
  try {
    register_all();
    return true;
  } catch (const std::exception& error) {  // one that left a library's initialisation would end the process
    std::fprintf(stderr, "libtileproof_torch_when_loaded.so registers nothing: %s\n", error.what());
    return false;
  }
}();

}  // namespace

}  // namespace tileproof::kernels
