/// Escapes text for XML that CI servers read. Internal to reports/.
#pragma once

#include <cstdint>
#include <string>

namespace tileproof::reports::xml {

/// Escapes text for use as an element's content.
std::string content(const std::string& text);
/// An attribute with its value escaped, and a space before it.
std::string attribute(const std::string& name, const std::string& value);

// Elements of JUnit's files.
struct Counts {
  std::uint64_t tests = 0, failures = 0, skipped = 0;

  std::string attributes() const;
};
/// @param attributes  further ones, as attribute() writes them
/// @param inside      elements, each on lines of its own
std::string testcase(const std::string& classname, const std::string& name, const std::string& attributes,
                     const std::string& inside);
std::string testsuites(const std::string& attributes, const std::string& suites);

}  // namespace tileproof::reports::xml
