// Capabilities come back unchanged from the JSON in which processes exchange them and journals store them.
#include "fuzz/records/protocol.h"

#include <gtest/gtest.h>

#include "properties/mutants/mutants.h"
#include "properties/problem/tinygemm.h"

namespace tileproof {

namespace {

using nlohmann::json;

/// A campaign numbers its cases by the lists in its capabilities, so their order must be kept.
TEST(Capabilities, ComeBackInTheirOrder) {
  std::vector<Capabilities> all;
  for (const SubjectRow& row : subjects()) all.push_back(row.capabilities);
  for (const SubjectRow& row : mutant_subjects()) all.push_back(row.capabilities);
  Capabilities narrow = kernel_capabilities();
  narrow.formats = {tinygemm(8), tinygemm(2)};
  narrow.types = {Types(Type::fp32, Type::bf16), Type::fp16};
  all.push_back(narrow);
  for (const Capabilities& one : all) {
    const Capabilities back = capabilities_of(json_of(one));
    EXPECT_EQ(json_of(back), json_of(one));
    EXPECT_EQ(back.formats, one.formats);
    EXPECT_EQ(back.formats_to, one.formats_to);
    EXPECT_EQ(back.formats_of, one.formats_of);
    EXPECT_EQ(back.schemes, one.schemes);
    EXPECT_EQ(back.types, one.types);
  }
}

TEST(Capabilities, OfNamesThatThereAreNotAreRefused) {
  const json whole = json_of(kernel_capabilities());
  for (const char* field : {"operations", "formats", "formats_to", "schemes"}) {
    for (const json& wrong : {json("nothing"), json(""), json(7)}) {
      json changed = whole;
      changed[field][0] = wrong;
      EXPECT_THROW(capabilities_of(changed), json::exception) << field << " " << wrong;
    }
  }
  json changed = json_of(production_capabilities());
  changed["formats_of"]["nothing"] = json::array();
  EXPECT_THROW(capabilities_of(changed), json::exception);
  changed = json_of(production_capabilities());
  changed["formats_of"]["pack"][0] = "nothing";
  EXPECT_THROW(capabilities_of(changed), json::exception);
  changed = whole;
  changed["types"][0][1] = "double";
  EXPECT_THROW(capabilities_of(changed), json::exception);
  changed["types"][0] = json::array({"bf16"});
  EXPECT_THROW(capabilities_of(changed), json::exception);
}

}  // namespace

}  // namespace tileproof
