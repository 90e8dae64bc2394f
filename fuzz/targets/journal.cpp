// A text as a journal: either it gives contents that a campaign can continue from, or it is a UsageError. If the last
// line is cut, everything before it must still be read.
#include <sstream>

#include "fuzz/records/journal.h"
#include "fuzz/records/protocol.h"
#include "fuzz/targets/target.h"

namespace tileproof {

namespace {

JournalContents contents_of(const std::string& text) {
  std::istringstream stream(text);
  return journal_of(stream, "journal.jsonl");
}

/// The conditions that resuming a campaign and merging shards rely on.
void check_contents(const JournalContents& contents) {
  const CampaignIdentity& identity = contents.identity;
  require(identity.shard < identity.shards, "a shard that does not exist");
  for (const std::uint64_t batch : unfinished_batches(contents)) {
    require(batch % identity.shards == identity.shard, "a batch of another shard");
    require(cases_of(batch).size() == cases_of_batch, "a batch that is not whole");
  }
  for (const std::uint64_t batch : contents.begun) require(!contents.done.contains(batch), "begun, and done");
  for (const FailedCase& one : contents.failed) {
    require(problem_of(line_of(one.finding.problem)) == one.finding.problem, "a problem that does not read back");
  }
  BatchCounts all;
  for (const auto& [batch, counts] : contents.done) {
    all.add(counts);
    require(json_of(batch_counts_of(json_of(counts))) == json_of(counts), "counts that do not read back");
  }
  require(all.cases() >= 0, "fewer cases than none");
}

void check(const std::string& text) {
  JournalContents contents;
  try {
    contents = contents_of(text);
  } catch (const UsageError&) {
    return;
  }
  check_contents(contents);

  const std::size_t end = text.find_last_not_of('\n');
  const std::size_t before = text.rfind('\n', end);
  if (before == std::string::npos || contents.lines < 2) return;
  const std::size_t kept = (end - before + 1) / 2;
  const JournalContents cut = contents_of(text.substr(0, before + 1 + kept));
  require(cut.lines + 1 >= contents.lines, "more is lost than a line that was cut");
}

}  // namespace

}  // namespace tileproof

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tileproof::check(tileproof::text_of(data, size));
  return 0;
}
