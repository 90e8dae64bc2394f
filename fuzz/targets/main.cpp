// Runs a fuzz target without a fuzzer, over every file of the given folders. It prints each name first, so that after a
// crash the last name is the cause.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

#include "fuzz/targets/target.h"

int main(int count, char** folders) {
  namespace fs = std::filesystem;
  std::set<fs::path> files;  // sorted, so that every machine has one order
  for (int i = 1; i < count; ++i) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folders[i])) {
      if (entry.is_regular_file()) files.insert(entry.path());
    }
  }
  for (const fs::path& file : files) {
    std::cout << file.string() << std::endl;
    std::ifstream stream(file, std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(stream), {});
    if (!stream) {
      std::cerr << file.string() << " cannot be read\n";
      return 1;
    }
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  }
  std::cout << "ran " << files.size() << " inputs\n";
  return files.empty() ? 1 : 0;
}
