/// Problems that once showed something and are run again: text files with one problem a line, below a comment (#) that
/// says what it showed. `fuzz/corpus/` holds those that every commit must pass; a working corpus holds those that
/// campaigns on this machine have found.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "properties/judging/judge.h"

namespace tileproof {

struct CorpusLine {
  std::string comment;  // without the #; its lines joined by '\n'
  Problem problem;
  std::string place;  // "crashing.txt, line 3"
};

/// @param name  of the file, for messages
/// @throws UsageError for a line that is no problem, or whose problem is no longer possible: which line, and why
std::vector<CorpusLine> corpus_lines(const std::string& text, const std::string& name);

/// The lines of fuzz/corpus/ when the program was built.
const std::vector<CorpusLine>& own_corpus();

/// A working corpus: two files in a folder.
///
///   crashing.txt    smallest known cases that fail
///   incubating.txt  cases that failed once and pass now; they are watched
class WorkingCorpus {
 public:
  /// Creates nothing until something is kept.
  /// @throws UsageError if a file of the folder cannot be read as a corpus
  explicit WorkingCorpus(std::filesystem::path folder);

  /// All lines about a subject.
  std::vector<CorpusLine> of_subject(const std::string& subject) const;

  // Each function reads the files again, because other campaigns may write to them, and replaces them whole.
  // @throws UsageError as the constructor; std::runtime_error if a file cannot be written
  void keep_crashing(const Problem&, const std::string& comment);
  /// Moves the problem here if it is in crashing.txt.
  void keep_incubating(const Problem&, const std::string& comment);

 private:
  using Lines = std::vector<CorpusLine>;
  Lines lines_of(const char* file) const;
  /// Calls `change` with the contents of the files while no other process may change them, and writes what it changed.
  void change(const std::function<void(Lines& crashing, Lines& incubating)>& change);

  std::filesystem::path folder_;
};

}  // namespace tileproof
