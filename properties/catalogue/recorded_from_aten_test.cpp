// The bytes recorded from aten: a text that is not whole is refused, by its line.
#include "properties/catalogue/recorded_from_aten.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "properties/judging/properties_for_tests.h"

namespace tileproof {

namespace {

std::string why_refused(const std::string& text) {
  try {
    recorded_in(text);
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "taken";
}

TEST(RecordedFromAten, IsRefusedWhereItIsMalformedOrEmpty) {
  EXPECT_SAYS(why_refused(""), "line 0: no matrix");
  EXPECT_SAYS(why_refused("# alone\n"), "line 1: no matrix");
  EXPECT_SAYS(why_refused("codes 00\n"), "line 1: not expected: codes");
  const std::string matrix = "matrix 8 32 tinygemm-2 32\n";
  EXPECT_SAYS(why_refused("matrix 8 32\n"), "line 1: no size");
  EXPECT_SAYS(why_refused("matrix 0 32 tinygemm-2 32\n"), "line 1: no size");
  EXPECT_SAYS(why_refused("matrix 8 32 tinygemm-2 0\n"), "line 1: no size");
  EXPECT_SAYS(why_refused("matrix 8 32 tinygemm-3 32\n"), "line 1: no such format: tinygemm-3");
  EXPECT_SAYS(why_refused(matrix + "nibbles 0\n"), "line 2: not expected: nibbles");
  EXPECT_SAYS(why_refused(matrix + "codes 1\n"), "line 2: not of 2 hexadecimal digits: 1");
  EXPECT_SAYS(why_refused(matrix + "codes 00 0x\n"), "line 2: not of 2 hexadecimal digits: 0x");
  EXPECT_SAYS(why_refused(matrix + "codes 00\n"), "line 2: the matrix ends");
  EXPECT_SAYS(why_refused(matrix + "codes 00\n" + matrix), "line 3: the matrix ends");
}

}  // namespace

}  // namespace tileproof
