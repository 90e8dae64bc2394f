/// Escapes text for XML that CI servers read. Internal to reports/.
#pragma once

#include <string>

namespace tileproof::reports::xml {

/// Escapes text for use as an element's content.
std::string content(const std::string& text);
/// An attribute with its value escaped, and a space before it.
std::string attribute(const std::string& name, const std::string& value);

}  // namespace tileproof::reports::xml
