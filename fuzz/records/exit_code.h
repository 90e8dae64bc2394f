/// Exit codes of the program. Records contain them too.
#pragma once

namespace tileproof {

/// A process reports one of these when it ends.
namespace exit_code {
inline constexpr int passed = 0;
inline constexpr int failed = 1;
inline constexpr int wrong_usage = 2;
inline constexpr int mistrusted = 3;  // or nothing ran
inline constexpr int machine_at_fault = 4;
}  // namespace exit_code

}  // namespace tileproof
