// Which fault an example operator library has (example_operators.cpp): PLANTED_FAULT, given with -D.

namespace example {

extern const char* const planted_fault;
const char* const planted_fault = PLANTED_FAULT;

}  // namespace example

#if defined(NEEDS_A_MISSING_SYMBOL)
extern "C" void example_symbol_that_nobody_defines();
[[maybe_unused]] extern void (*const example_needs_it)();
void (*const example_needs_it)() = example_symbol_that_nobody_defines;
#endif
