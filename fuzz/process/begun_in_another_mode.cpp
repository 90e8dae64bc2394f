// A library that sets flush-to-zero in the thread that loads it, as one linked with -ffast-math may. A test preloads it
// into the program.
namespace {

__attribute__((constructor)) void flush_to_zero() {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040u);  // FTZ and DAZ
#elif defined(__aarch64__)
  __builtin_aarch64_set_fpcr(__builtin_aarch64_get_fpcr() | (1u << 24));  // FZ
#endif
}

}  // namespace
