#include "reports/assessment/differences.h"

#include <algorithm>
#include <iterator>

#include "reports/text.h"

namespace tileproof::reports {

namespace {

/// What a finding must have for the words to be true of it. Empty: anything.
struct DifferenceRow {
  std::string words;
  std::string property = "";  // how its name begins
  std::string kind = "";
  std::string pattern = "";
  std::string class_of_problem = "";
  std::string says = "";   // a part of the details
  std::string cause = "";  // as the finding says it
  bool is_quoted = false;  // the finding's first line follows the words
};

// The first row that fits decides: what became of the process and its memory, then where it is wrong, then how.
const DifferenceRow difference_rows[] = {
    {.words = "hangs", .kind = "hang"},
    {.words = "crashes", .kind = "crash"},
    {.words = "reads outside its inputs", .kind = "guard", .says = "read "},
    {.words = "changes its input", .kind = "guard", .says = "changed its input"},
    {.words = "leaves elements unwritten", .kind = "guard", .says = "never wrote"},
    {.words = "gives back memory that is not its own", .kind = "guard", .says = "gives memory"},
    {.words = "gives back memory that is not its own", .kind = "guard", .says = "gives back memory"},
    {.words = "writes outside its memory", .kind = "guard"},
    {.words = "a known difference no longer occurs", .kind = "expired"},
    {.words = "takes an illegal call", .kind = "accepted"},
    {.words = "refuses without naming the argument", .kind = "unclear"},
    {.words = "refuses", .kind = "refusal", .is_quoted = true},
    {.words = "raises", .kind = "error", .is_quoted = true},
    {.words = "changes the state of its process", .kind = "state"},
    {.words = "gives other bits when it is run again", .property = "determinism/"},
    {.words = "wrong on strides", .property = "stride/"},
    {.words = "wrong at offsets", .property = "offset/"},
    {.words = "wrong in batches", .property = "batch/"},
    {.words = "wrong on streams", .property = "stream/"},
    {.words = "wrong from several threads", .property = "threads/"},
    {.words = "wrong in its form", .property = "fake/"},
    {.words = "loses the sign of a zero", .pattern = "the sign of a zero"},
    {.words = "flushes subnormals", .pattern = "a subnormal that became zero"},
    {.words = "flushes subnormals and loses the sign of a zero",
     .pattern = "a zero in place of another zero or of a subnormal"},
    {.words = "rounds twice", .pattern = "a weight of two roundings"},
    {.words = "wrong where a group crosses rows", .kind = "mismatch", .class_of_problem = "a group crosses rows"},
    {.words = "wrong in the padding", .property = "padding/"},
    {.words = "uses another group's parameters", .property = "group/"},
    {.words = "one last place off", .pattern = "the neighbouring value"},
    {.words = "wrong by a sign", .pattern = "the sign alone"},
    {.words = "wrong by a power of two", .pattern = "a power of two"},
    {.words = "wrong NaN or infinity", .pattern = "a NaN or an infinity"},
    {.words = "wrong values", .cause = "value"},
    {.words = "wrong codes or places", .property = "index/", .kind = "mismatch"},
    {.words = "wrong codes", .property = "bits/", .kind = "mismatch"},
    {.words = "wrong codes", .property = "words/", .kind = "mismatch"},
    {.words = "wrong codes", .property = "codes/", .kind = "mismatch"},
    {.words = "wrong weights", .property = "value/", .kind = "mismatch"},
    {.words = "wrong weights", .property = "arithmetic/", .kind = "mismatch"},
    {.words = "wrong in large matrices", .property = "size/", .kind = "mismatch"},
};

bool fits_row(const DifferenceRow& row, const std::string& property, const Finding& finding) {
  const auto is = [](const std::string& wanted, const std::string& got) { return wanted.empty() || wanted == got; };
  return property.starts_with(row.property) && is(row.kind, finding.kind) && is(row.pattern, finding.pattern) &&
         is(row.cause, finding.cause) &&
         (row.class_of_problem.empty() || finding.classes.contains(row.class_of_problem)) &&
         finding.details.find(row.says) != std::string::npos;
}

}  // namespace

std::string difference(const std::string& property, const Finding& finding) {
  const auto row = std::find_if(std::begin(difference_rows), std::end(difference_rows),
                                [&](const DifferenceRow& one) { return fits_row(one, property, finding); });
  const bool found = row != std::end(difference_rows);
  const std::string own = shortened(first_line(finding.details), most_quoted);
  if (!found) return finding.kind + ": " + own;
  return row->words + (row->is_quoted ? ": " + own : "");
}

Finding finding_of(const ExpectedFailure& known) {
  return {known.problem, known.kind, known.details, "", 0, known.replay, known.pattern, known.classes};
}

}  // namespace tileproof::reports
