/// Problems that once showed something and are run again: text files of one problem a line, what it showed in the
/// comment (#) above it. `fuzz/corpus/` holds those that every commit is held to; a working corpus, those that
/// campaigns run on this machine have found.
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
/// @throws UsageError for a line that is no problem, or none that can exist any more: which, and why
std::vector<CorpusLine> corpus_lines(const std::string& text, const std::string& name);

/// Those of fuzz/corpus/, as they were when the program was built.
const std::vector<CorpusLine>& own_corpus();

/// A working corpus: three files of a folder.
///
///   crashing.txt    smallest cases that fail, as far as anybody knows
///   incubating.txt  that failed once and do not any more: they are watched
///   coverage.txt    of each property with a bound, the case that came closest to it
class WorkingCorpus {
 public:
  /// Nothing is made before something is kept.
  /// @throws UsageError where a file of the folder cannot be read as a corpus
  explicit WorkingCorpus(std::filesystem::path folder);

  /// All that it holds of a subject.
  std::vector<CorpusLine> of_subject(const std::string& subject) const;

  // Each reads the file again, for other campaigns may write to it, and replaces it whole.
  // @throws UsageError as above; std::runtime_error where it cannot be written
  void keep_crashing(const Problem&, const std::string& comment);
  /// Where it is among those that crash.
  void keep_incubating(const Problem&, const std::string& comment);
  /// In place of the case of the same property and subject that is there.
  void keep_coverage(const Problem&, const std::string& comment);

 private:
  using Lines = std::vector<CorpusLine>;
  Lines lines_of(const char* file) const;
  void write(const char* file, const Lines&) const;
  /// Calls `change` with what the files hold while nobody else does, and writes what it has changed.
  void change(const std::function<void(Lines& crashing, Lines& incubating, Lines& coverage)>& change);

  std::filesystem::path folder_;
};

}  // namespace tileproof
