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

/// The capabilities of a file that states its functions ("function"), FORMAT, FORMAT_TO beside convert, SCHEMES, TYPES,
/// GROUP_SIZES, N_MULTIPLE, K_MULTIPLE, MAX_N and MAX_K. It may have none of the functions.
/// @param format  by --format, if the file states none; "" if it is not given
/// @throws UsageError for a statement that is not legal
Capabilities stated_capabilities(Facts&, const std::string& file, const std::string& format);

/// The types whose weights have the stated types; if none is stated fp16, or the scheme's first.
/// @param argument  where they are stated
/// @throws UsageError for a type that no scheme's weights have
std::vector<Types> stated_types(const char* argument, const std::vector<const Scheme*>&,
                                const std::vector<std::string>& names);
/// Takes the stated group sizes of the only format; if none is stated those of aten's operators, or all usual ones
/// where the format takes none of these. -1 stands for one group a row, of any legal k.
/// @throws UsageError for a size that the format does not take
void state_group_sizes(Capabilities&, const char* argument, const std::vector<std::string>& texts);

}  // namespace tileproof
