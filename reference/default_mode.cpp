// Test programs compute in IEEE 754's default mode, whatever mode a library that was loaded before them has set: the
// machine's own arithmetic, and MPFR's numbers made of it, are what the tests compare with.
#include <cfenv>

namespace {

[[maybe_unused]] const int is_set = std::fesetenv(FE_DFL_ENV);

}  // namespace
