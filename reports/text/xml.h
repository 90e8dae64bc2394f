/// XML for CI servers, escaped. Internal to reports/.
#pragma once

#include <string>

namespace tileproof::reports::xml {

/// As an element's content.
std::string content(const std::string& text);
/// An attribute and the space before it.
std::string attribute(const std::string& name, const std::string& value);

}  // namespace tileproof::reports::xml
