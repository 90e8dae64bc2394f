/// Which properties a Python module can be asked, before it runs: for the tests that tileproof/pytest_plugin.py
/// collects.
#pragma once

namespace tileproof {

/// @param facts  what the module states, lines NAME=VALUE as of stated_capabilities()
/// @return       a JSON object: "properties", a list of names, or "error"; valid until the next call in the same thread
const char* askable_properties(const char* facts);

}  // namespace tileproof
