// Names the mutant of an example operator library (example_operators.cpp): PLANTED_MUTANT, set with -D.
namespace example {

extern const char* const canary_mutants;
const char* const canary_mutants = PLANTED_MUTANT;

}  // namespace example

#if defined(NEEDS_A_MISSING_SYMBOL)
extern "C" void example_symbol_that_nobody_defines();
[[maybe_unused]] extern void (*const example_needs_it)();
void (*const example_needs_it)() = example_symbol_that_nobody_defines;
#endif

#if defined(IS_A_PYTHON_MODULE)
// Like a library built by torch.utils.cpp_extension, which is also a Python module and finds Python's symbols in the
// process that loads it. The symbols are declared here, because Python.h may not be installed.
extern "C" {
extern void* PyExc_RuntimeError;
void PyErr_SetString(void* type, const char* message);
void* PyModule_Create2(void* definition, int version);

__attribute__((visibility("default"))) void* PyInit_example() {
  static const void* definition[13] = {};  // a PyModuleDef, whose sixth word is the module's name
  definition[5] = "example";
  void* module = PyModule_Create2(definition, 1013);
  if (module == nullptr) PyErr_SetString(PyExc_RuntimeError, "example: no module");
  return module;
}
}
#endif
