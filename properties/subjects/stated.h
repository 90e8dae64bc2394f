/// Capabilities as a user's file states them: lines NAME=VALUE, a name again for each further value.
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
  std::string one(const char* name) { return all(name).empty() ? "" : all(name).front(); }

 private:
  std::map<std::string, std::vector<std::string>> all_;
};

/// What a file takes that states its functions ("function"), FORMAT, SCHEMES, TYPES and GROUP_SIZES. It may have none
/// of the functions.
/// @param format  by --format, if the file states none; "" if it is not given
/// @throws UsageError for a statement that is not legal
Capabilities stated_capabilities(Facts&, const std::string& file, const std::string& format);

}  // namespace tileproof
