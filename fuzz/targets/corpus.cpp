// A text as a corpus: either it gives a possible problem for each line that is neither empty nor a comment, and these
// can be written and read back; or it is a UsageError.
#include <sstream>

#include "fuzz/corpus/corpus.h"
#include "fuzz/targets/target.h"

namespace tileproof {

namespace {

std::size_t lines_with_content(const std::string& text) {
  std::istringstream stream(text);
  std::size_t count = 0;
  for (std::string line; std::getline(stream, line);) {
    const std::size_t first = line.find_first_not_of(" \t\r");
    count += first != std::string::npos && line[first] != '#' ? 1 : 0;
  }
  return count;
}

void check(const std::string& text) {
  std::vector<CorpusLine> lines;
  try {
    lines = corpus_lines(text, "corpus.txt");
  } catch (const UsageError&) {
    return;
  }
  require(lines.size() == lines_with_content(text), "not every line is a problem");
  std::string again;
  for (const CorpusLine& line : lines) {
    require_possible(line.problem);
    again += line_of(line.problem) + "\n";
  }
  const std::vector<CorpusLine> read_back = corpus_lines(again, "again.txt");
  require(read_back.size() == lines.size(), "lines were lost");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    require(read_back[i].problem == lines[i].problem, lines[i].place + " reads back as another problem");
  }
}

}  // namespace

}  // namespace tileproof

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tileproof::check(tileproof::text_of(data, size));
  return 0;
}
