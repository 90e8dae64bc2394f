/// Properties, subjects and problems for the tests of judging.
#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <functional>
#include <string>
#include <vector>

#include "properties/case/property.h"
#include "properties/judging/judge.h"

namespace tileproof {

/// Makes a name legal for a test: only letters, digits and underscores.
inline std::string identifier_of(std::string name) {
  for (char& letter : name) letter = std::isalnum(static_cast<unsigned char>(letter)) != 0 ? letter : '_';
  return name;
}
inline std::string identifier_of_parameter(const testing::TestParamInfo<std::string>& info) {
  return identifier_of(info.param);
}

/// A subject that is never asked for anything.
class Idle : public Subject {
 public:
  Memory& memory() override { return host_memory(); }
};

inline SubjectRow row_with(Capabilities capabilities) {
  return {"mine", "a subject of this test", false, std::move(capabilities), nullptr};
}

inline Property property_with(std::function<void(Case&)> body, std::vector<const CoverageGoals*> meets = {},
                              Sampling sampling = {}) {
  return {"test/property", "", {}, std::move(meets), std::move(sampling), std::move(body)};
}

/// Compares two elements with different values.
inline void compare_something(Case& c) {
  c.expect_equal(std::vector<std::uint32_t>{1, 2}, std::vector<std::uint32_t>{1, 2});
}

inline Problem problem_with(const std::string& flags) { return problem_of("--property=c --subject=s " + flags); }

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

}  // namespace tileproof
