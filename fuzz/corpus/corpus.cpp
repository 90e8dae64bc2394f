#include "fuzz/corpus/corpus.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "fuzz/process/file_lock.h"
#include "fuzz/records/records.h"
#include "own_corpus.h"
#include "properties/case/property.h"
#include "properties/registry.h"

namespace tileproof {

namespace {

namespace fs = std::filesystem;

constexpr const char* crashing_file = "crashing.txt";
constexpr const char* incubating_file = "incubating.txt";

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string text_of(const std::vector<CorpusLine>& lines) {
  std::string text;
  for (const CorpusLine& line : lines) {
    std::istringstream comment(line.comment);
    for (std::string part; std::getline(comment, part);) text += "# " + part + "\n";
    text += line_of(line.problem) + "\n";
  }
  return text;
}

bool has(const std::vector<CorpusLine>& lines, const Problem& problem) {
  return std::any_of(lines.begin(), lines.end(), [&](const CorpusLine& line) { return line.problem == problem; });
}

void drop(std::vector<CorpusLine>& lines, const Problem& problem) {
  std::erase_if(lines, [&](const CorpusLine& line) { return line.problem == problem; });
}

}  // namespace

std::vector<CorpusLine> corpus_lines(const std::string& text, const std::string& name) {
  std::vector<CorpusLine> lines;
  std::istringstream stream(text);
  std::string comment;
  int number = 0;
  for (std::string line; std::getline(stream, line);) {
    const std::string place = name + ", line " + std::to_string(++number);
    line = trimmed(line);
    if (line.empty()) {
      comment.clear();
    } else if (line.front() == '#') {
      comment += (comment.empty() ? "" : "\n") + trimmed(line.substr(1));
    } else {
      try {
        lines.push_back({comment, possible_problem(line), place});
      } catch (const UsageError& illegal) {
        throw UsageError(place + ": " + illegal.what() + "; mend the line, or take it out");
      }
      comment.clear();
    }
  }
  return lines;
}

const std::vector<CorpusLine>& own_corpus() {
  static const std::vector<CorpusLine> lines = [] {
    std::vector<CorpusLine> all;
    for (const OwnCorpusFile& file : own_corpus_files) {
      for (CorpusLine& line : corpus_lines(file.text, file.name)) all.push_back(std::move(line));
    }
    return all;
  }();
  return lines;
}

WorkingCorpus::WorkingCorpus(fs::path folder) : folder_(std::move(folder)) {
  for (const char* file : {crashing_file, incubating_file}) lines_of(file);
}

WorkingCorpus::Lines WorkingCorpus::lines_of(const char* file) const {
  const fs::path path = folder_ / file;
  std::error_code error;
  if (!fs::exists(path, error) && !error) return {};
  std::ifstream stream(path);
  std::string text;
  char buffer[4096];
  while (stream.read(buffer, sizeof buffer) || stream.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(stream.gcount()));
  }
  const bool is_file = fs::is_regular_file(path, error);
  if (!is_file || stream.bad() || !stream.eof()) {
    throw UsageError("--memory", "'" + path.string() + "' (it cannot be read)", "a corpus that can be read");
  }
  return corpus_lines(text, path.string());
}

std::vector<CorpusLine> WorkingCorpus::of_subject(const std::string& subject) const {
  Lines all;
  for (const char* file : {crashing_file, incubating_file}) {
    for (CorpusLine& line : lines_of(file)) {
      if (line.problem.subject == subject) all.push_back(std::move(line));
    }
  }
  return all;
}

void WorkingCorpus::change(const std::function<void(Lines&, Lines&)>& change) {
  fs::create_directories(folder_);
  const FileLock lock(folder_ / "lock");
  struct Part {  // a file of the corpus
    const char* file;
    Lines lines;
    std::string before;
  };
  Part all[] = {{crashing_file, {}, ""}, {incubating_file, {}, ""}};
  for (Part& kept : all) {
    kept.lines = lines_of(kept.file);
    kept.before = text_of(kept.lines);
  }
  change(all[0].lines, all[1].lines);
  // Write the files that have grown first: a line that moves is then briefly in two files, and never in none.
  for (const bool has_grown : {true, false}) {
    for (const Part& kept : all) {
      const std::string text = text_of(kept.lines);
      if (text != kept.before && (text.size() > kept.before.size()) == has_grown) write_file(folder_ / kept.file, text);
    }
  }
}

void WorkingCorpus::keep_crashing(const Problem& problem, const std::string& comment) {
  change([&](Lines& crashing, Lines& incubating) {
    drop(incubating, problem);
    if (!has(crashing, problem)) crashing.push_back({comment, problem, ""});
  });
}

void WorkingCorpus::keep_incubating(const Problem& problem, const std::string& comment) {
  change([&](Lines& crashing, Lines& incubating) {
    if (!has(crashing, problem)) return;
    drop(crashing, problem);
    if (!has(incubating, problem)) incubating.push_back({comment, problem, ""});
  });
}

}  // namespace tileproof
