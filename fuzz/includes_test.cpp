// The folders depend on each other one way: every #include line of the tree is held to the table below.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace tileproof {

namespace {

namespace fs = std::filesystem;

using Names = std::vector<std::string>;

struct FolderRow {
  const char* folder;
  Names may_include;  // each listed folder brings what its own row lists
};

// An include of ours is a path from the top of the tree; a name without a folder is a header that CMake generates. A
// folder may include itself and what its row lists; "fuzz" in a row is every folder of fuzz/, and "fuzz/" is the files
// directly in fuzz/.
const FolderRow rows[] = {
    {"reference/layouts", {}},
    {"reference/schemes", {"reference/layouts", "reference/"}},  // for arithmetic.h, which schemes use
    {"reference/", {"reference/layouts", "reference/schemes"}},  // for formats.h and matrix.h, which join both

    {"kernels/", {}},
    {"kernels/warps", {"kernels/"}},
    {"kernels/convert", {"kernels/dequantize", "kernels/warps"}},
    {"kernels/dequantize", {"kernels/warps"}},
    {"kernels/tinygemm", {"kernels/dequantize"}},
    {"kernels/torch", {"kernels/tinygemm"}},

    {"properties/problem", {"reference", "kernels"}},
    {"properties/memory", {"properties/problem"}},
    {"properties/subjects", {"properties/memory"}},
    {"properties/mutants", {"properties/subjects"}},
    {"properties/case", {"properties/subjects"}},
    {"properties/catalogue", {"properties/case"}},
    {"properties/judging", {"properties/catalogue"}},
    {"properties/accuracy", {"properties/case"}},
    {"properties/timing", {"properties/case"}},
    {"properties/", {"properties/catalogue", "properties/mutants", "properties/accuracy", "properties/timing"}},
    {"properties/selftest", {"properties/judging", "properties/mutants", "properties/"}},

    {"reports/", {}},
    {"reports/records", {"reports/"}},
    {"reports/assessment", {"reports/records"}},
    {"reports/text", {"reports/assessment"}},
    {"reports/page", {"reports/text"}},

    {"fuzz/records", {"properties", "reports"}},
    {"fuzz/process", {"fuzz/records"}},
    {"fuzz/python", {"properties"}},
    {"fuzz/corpus", {"fuzz/process"}},
    {"fuzz/campaign", {"fuzz/corpus"}},
    {"fuzz/commands", {"fuzz/campaign"}},
    {"fuzz/targets", {"fuzz/campaign"}},
    {"fuzz/", {"fuzz/commands"}},
};

/// Tests and their helpers stand beside the code that they test, and may include every folder of their top folder.
const std::regex of_tests("(_test|_for_tests|/running)[.](cpp|h)$");

struct Exception {
  const char* file;
  const char* include;
  const char* reason;
};
const Exception exceptions[] = {
    {"properties/judging/judge.cpp", "properties/registry.h", "judge_one() judges a problem, which names its property"},
    {"properties/mutants/misbehaving.cpp", "properties/registry.h",
     "a misbehaving row is the row of the reference, changed"},
};

const Names generated = {"built_without_cuda.h", "flags_used.h", "expected_failures_json.h", "own_corpus.h",
                         "recorded_from_aten_text.h"};

bool holds(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string top_of(const std::string& path) { return path.substr(0, path.find('/')); }

/// The folder "kernels/torch" for "kernels/torch/given.h", and "kernels/" for "kernels/rules.h".
std::string folder_of(const std::string& file) {
  const std::size_t first = file.find('/');
  const std::size_t second = file.find('/', first + 1);
  return second == std::string::npos ? file.substr(0, first + 1) : file.substr(0, second);
}

const FolderRow* row_of(const std::string& folder) {
  const auto found =
      std::find_if(std::begin(rows), std::end(rows), [&](const auto& row) { return row.folder == folder; });
  return found == std::end(rows) ? nullptr : found;
}

/// Adds a folder and, recursively, the folders in its row.
void add_legal(const std::string& folder, Names& legal) {
  if (holds(legal, folder)) return;
  legal.push_back(folder);
  for (const std::string& name : row_of(folder)->may_include) {
    if (row_of(name) != nullptr) {
      add_legal(name, legal);
      continue;
    }
    for (const FolderRow& row : rows) {
      if (top_of(row.folder) == name) add_legal(row.folder, legal);
    }
  }
}

/// The folders that a file may include.
Names legal_for(const std::string& file) {
  Names legal;
  if (row_of(folder_of(file)) == nullptr) return legal;
  add_legal(folder_of(file), legal);
  if (std::regex_search(file, of_tests)) {
    for (const FolderRow& row : rows) {
      if (top_of(row.folder) == top_of(file)) add_legal(row.folder, legal);
    }
  }
  return legal;
}

/// @param text     contents of the file
/// @param is_there whether the tree has a file
/// @return a line for each include that is not legal
Names wrong_includes(const std::string& file, const std::string& text,
                     const std::function<bool(const std::string&)>& is_there) {
  static const std::regex include("^[ \t]*#[ \t]*include[ \t]*\"([^\"]*)\"");
  Names wrong;
  std::istringstream lines(text);
  std::smatch found;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("include") == std::string::npos) continue;  // a quick test, because std::regex is slow
    if (!std::regex_search(line, found, include) || holds(generated, found[1])) continue;
    const std::string included = found[1];
    const std::string what = file + " includes \"" + included + "\"; legal is ";
    if (!is_there(included)) {
      wrong.push_back(what + "a path from the top of the tree to a file that exists");
      continue;
    }
    const auto is_this = [&](const Exception& one) { return one.file == file && one.include == included; };
    if (std::any_of(std::begin(exceptions), std::end(exceptions), is_this)) continue;
    const Names legal = legal_for(file);
    if (holds(legal, folder_of(included))) continue;
    std::string folders;
    for (const std::string& folder : legal) folders += (folders.empty() ? "" : ", ") + folder;
    wrong.push_back(what + (folders.empty() ? "nothing: the table has no row for the folder" : folders));
  }
  return wrong;
}

std::map<std::string, std::string> sources() {
  std::map<std::string, std::string> all;
  const fs::path tree = TILEPROOF_SOURCE;
  for (const char* top : {"reference", "kernels", "properties", "reports", "fuzz"}) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(tree / top)) {
      if (!holds({".cpp", ".h", ".cu"}, entry.path().extension().string())) continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      all[entry.path().lexically_relative(tree).generic_string()] = text.str();
    }
  }
  return all;
}

TEST(Includes, PointOneWay) {
  const std::map<std::string, std::string> all = sources();
  EXPECT_GT(all.size(), 300u) << "too few files: is " << TILEPROOF_SOURCE << " the tree?";
  for (const auto& [file, text] : all) {
    for (const std::string& wrong : wrong_includes(file, text, [&](const auto& name) { return all.contains(name); })) {
      ADD_FAILURE() << wrong;
    }
  }
}

TEST(Includes, HaveNoExceptionThatIsNotNeeded) {
  const std::map<std::string, std::string> all = sources();
  for (const Exception& one : exceptions) {
    const std::string line = "#include \"" + std::string(one.include) + "\"";
    ASSERT_TRUE(all.contains(one.file)) << one.file;
    EXPECT_NE(all.at(one.file).find(line), std::string::npos) << one.file << " no longer needs " << one.include;
    EXPECT_FALSE(holds(legal_for(one.file), folder_of(one.include))) << one.file << " may include " << one.include;
  }
}

Names wrong_in(const std::string& file, const std::string& text) {
  return wrong_includes(file, text, [](const std::string& name) { return name.find('/') != std::string::npos; });
}

TEST(Includes, ThatAreWrongAreNoticed) {
  const std::string up = "#include <vector>\n\n#include \"properties/case/case.h\"\n";
  ASSERT_EQ(wrong_in("properties/memory/a.cpp", up).size(), 1u);
  EXPECT_TRUE(
      wrong_in("properties/memory/a.cpp", up)
          .front()
          .starts_with("properties/memory/a.cpp includes \"properties/case/case.h\"; legal is properties/memory, "));
  EXPECT_EQ(wrong_in("properties/catalogue/a.cpp", up), Names());
  EXPECT_EQ(wrong_in("properties/memory/a_test.cpp", up), Names());

  // Tests too must keep reference and kernels apart, and reports apart from the rest.
  const std::string specification = "#  include \"reference/matrix.h\"\n", kernel = "#include \"kernels/kernels.h\"\n";
  EXPECT_EQ(wrong_in("kernels/tinygemm/a_test.cpp", specification).size(), 1u);
  EXPECT_EQ(wrong_in("reference/a.h", kernel).size(), 1u);
  EXPECT_EQ(wrong_in("properties/problem/a.h", specification + kernel), Names());
  EXPECT_EQ(wrong_in("reports/page/a.cpp", up).size(), 1u);
  EXPECT_EQ(wrong_in("fuzz/process/a.h", "#include \"fuzz/campaign/campaign.h\"\n" + up).size(), 1u);

  // A name without a folder must be a generated header; a folder without a row may include nothing.
  EXPECT_EQ(wrong_in("properties/case/a.h", "#include \"case.h\"\n").size(), 1u);
  EXPECT_EQ(wrong_in("fuzz/records/a.cpp", "#include \"flags_used.h\"\n"), Names());
  EXPECT_EQ(wrong_in("fuzz/elsewhere/a.cpp", up).size(), 1u);
}

}  // namespace

}  // namespace tileproof
