/// Capabilities as a user's file states them, in lines NAME=VALUE. A name stands again for each further value.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "properties/subjects/subject.h"

namespace tileproof {

std::vector<std::string> lines_of(const std::string& text);

class Facts {
 public:
  explicit Facts(const std::string& text);
  /// Every value that is stated under a name, in order; none if nothing is.
  const std::vector<std::string>& all(const char* name) { return all_[name]; }
  /// @throws UsageError if several values are stated
  std::string one(const char* name);
  std::vector<std::string> names() const;

 private:
  std::map<std::string, std::vector<std::string>> all_;
};

/// The capabilities of a file that states its functions ("function"), FORMAT, SCHEMES, TYPES, GROUP_SIZES, N_MULTIPLE,
/// MAX_N and MAX_K. It may have none of the functions.
/// @param format  by --format, if the file states none; "" if it is not given
/// @throws UsageError for a statement that is not legal
Capabilities stated_capabilities(Facts&, const std::string& file, const std::string& format);

}  // namespace tileproof
