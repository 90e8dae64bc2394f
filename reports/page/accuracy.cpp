// Sections of the page: the accuracy table, the worst cases, and what explains differences.
#include <algorithm>
#include <map>
#include <tuple>

#include "reports/page/section.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

constexpr const char* command_of_measurement = "./tileproof verify";

/// A line of a table: a row of the record, or the sum of rows that differ only in format and group.
struct Line : AccuracyRow {
  Status word = Status::exact;  // the worst of its rows
  std::size_t rows = 0, exact = 0;
};

Line line_of(const ReportContext& context, const AccuracyRow& row) {
  const Item* item = context.assessment.find("accuracy", row.key.text() + " of " + row.key.subject);
  return {row, item == nullptr ? Status::not_run : item->word};
}

void add(Line& sum, const Line& row) {
  sum.is_sampled = sum.rows == 0 ? row.is_sampled : sum.is_sampled || row.is_sampled;
  ++sum.rows;
  sum.exact += row.is_exact() ? 1 : 0;
  sum.word = std::min(sum.word, row.word);
  sum.elements += row.elements;
  sum.bit_equal += row.bit_equal;
  sum.unexplained += row.unexplained;
  sum.non_finite_disagreements += row.non_finite_disagreements;
  if (row.max_of_terms) sum.max_of_terms = std::max(sum.max_of_terms.value_or(0), *row.max_of_terms);
  if (!row.ulp) return;
  if (!sum.ulp) sum.ulp = UlpFigures();
  sum.ulp->max = std::max(sum.ulp->max, row.ulp->max);
  sum.ulp->p99_9 = {std::max(sum.ulp->p99_9.value, row.ulp->p99_9.value), /*is_exact=*/false};
}

Markup maximum(const Line& line, const std::optional<double>& value) {
  return value ? (line.is_sampled ? ">= " : "= ") + error_text(*value) : "-";
}

Markup max_ulp(const Line& line) { return maximum(line, line.ulp ? std::optional(line.ulp->max) : std::nullopt); }

Markup limit(const Line& line, Quantile UlpFigures::*figure) {
  if (!line.ulp) return "-";
  const Quantile quantile = (*line.ulp).*figure;
  return (quantile.is_exact ? "" : "<= ") + error_text(quantile.value);
}

Markup bias(const Line& line) {
  return line.ulp ? (line.ulp->bias > 0 ? "+" : "") + short_number(line.ulp->bias) : "-";
}

Markup exact_rows(const Line& line) { return std::to_string(line.exact) + " of " + std::to_string(line.rows); }

Markup subnormals(const Line& line) {
  return with_commas(line.subnormals_differing) +
         (line.subnormals_flushed == 0 ? "" : ", " + with_commas(line.subnormals_flushed) + " flushed") + " of " +
         with_commas(line.subnormals_expected);
}

Markup disagreements(const Line& line) { return with_commas(line.non_finite_disagreements); }

Markup non_finite(const Line& line) {
  return with_commas(line.non_finite_disagreements) + "; " + with_commas(line.non_finite_expected) + " expected";
}

Markup signs_of_zero(const Line& line) { return with_commas(line.signs_of_zero_lost); }
Markup sqnr(const Line& line) { return line.sqnr.empty() ? "-" : line.sqnr; }

enum class In { sums, rows, both };  // the tables that have a column
struct AccuracyColumn {
  In tables;
  Column title;
  Markup (*cell)(const Line&);
};

const AccuracyColumn accuracy_columns[] = {
    {In::both, {"subject"}, [](const Line& line) { return Markup(line.key.subject); }},
    {In::both, {"operation"}, [](const Line& line) { return Markup(line.key.operation); }},
    {In::both, {"scheme"}, [](const Line& line) { return Markup(line.key.scheme); }},
    {In::both, {"type"}, [](const Line& line) { return Markup(line.key.type); }},
    {In::rows, {"format", true}, [](const Line& line) { return Markup(line.key.format); }},
    {In::rows, {"group", true}, [](const Line& line) { return Markup(line.key.group); }},
    {In::both, {""}, [](const Line& line) { return badge(line.word); }},
    {In::sums, {"exact rows", true}, exact_rows},
    {In::both, {"elements", true}, [](const Line& line) { return Markup(with_commas(line.elements)); }},
    {In::both, {"bit-equal", true}, [](const Line& line) { return Markup(percent(line.bit_equal, line.elements)); }},
    {In::both, {"unexplained", true}, [](const Line& line) { return Markup(with_commas(line.unexplained)); }},
    {In::both, {"max ulp", true}, max_ulp},
    {In::both, {"max, of the largest term", true}, [](const Line& line) { return maximum(line, line.max_of_terms); }},
    {In::both, {"p99.9", true}, [](const Line& line) { return limit(line, &UlpFigures::p99_9); }},
    {In::rows, {"p99", true}, [](const Line& line) { return limit(line, &UlpFigures::p99); }},
    {In::rows, {"median", true}, [](const Line& line) { return limit(line, &UlpFigures::median); }},
    {In::rows, {"bias", true}, bias},
    {In::sums, {"non-finite disagreements", true}, disagreements},
    {In::rows, {"non-finite disagreements", true}, non_finite},
    {In::rows, {"signs of zero lost", true}, signs_of_zero},
    {In::rows, {"subnormals that differ", true}, subnormals},
    {In::rows, {"SQNR, of ordinary values", true}, sqnr},
};

Markup table_of(const std::vector<Line>& lines, In which, std::size_t most) {
  std::vector<Column> titles;
  TableRows rows(lines.size());
  for (const AccuracyColumn& column : accuracy_columns) {
    if (column.tables != which && column.tables != In::both) continue;
    titles.push_back(column.title);
    for (std::size_t i = 0; i < lines.size(); ++i) rows[i].push_back(column.cell(lines[i]));
  }
  return shortened_table(titles, std::move(rows), most);
}

/// The sums of rows that differ only in format and group, the worst first.
std::vector<Line> sums_of(const std::vector<Line>& rows) {
  std::map<AccuracyKey, Line> sums;
  for (const Line& row : rows) {
    AccuracyKey key = row.key;
    key.format = key.group = "";
    Line& sum = sums[key];
    sum.key = key;
    add(sum, row);
  }
  std::vector<Line> lines;
  for (const auto& [key, sum] : sums) lines.push_back(sum);
  std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
    return std::tie(a.word, a.key.subject) < std::tie(b.word, b.key.subject);
  });
  return lines;
}

/// Details are folded, because the table of sums is for a reader with ten minutes.
Markup folded_table(const char* class_name, const std::string& title, const std::vector<Line>& lines) {
  if (lines.empty()) return {};
  return of_class("details", class_name,
                  element("summary", title + ": " + std::to_string(lines.size())) + table_of(lines, In::rows, 500));
}

}  // namespace

Markup accuracy_section(ReportContext& context) {
  std::vector<Line> rows;
  for (const AccuracyRow& row : parts_of(context.now.measured, &Accuracy::rows)) rows.push_back(line_of(context, row));
  if (rows.empty()) return absent("how far results are from the specification", command_of_measurement);
  const auto first_exact =
      std::stable_partition(rows.begin(), rows.end(), [](const Line& row) { return !row.is_exact(); });
  std::vector<Line> differing(rows.begin(), first_exact);
  const std::vector<Line> exact(first_exact, rows.end());
  std::stable_sort(differing.begin(), differing.end(), [](const Line& a, const Line& b) {
    return std::tuple(a.word, b.unexplained, b.max_ulp()) < std::tuple(b.word, a.unexplained, a.max_ulp());
  });
  return paragraph(
             std::to_string(exact.size()) + " of " + counted(rows.size(), "row") +
             " are bit-equal to the specification everywhere. A maximum of a sample is a lower limit (>=), of an "
             "enumeration the maximum (=); a quantile from a bucket is an upper limit (<=). An error in ulp is |got - "
             "expected| / ulp(expected), and ulp(expected) the spacing of the format there, as CUDA, glibc and JAX "
             "define it; at 0 and among subnormals it is the smallest subnormal. Infinities and NaNs have none: they "
             "are the disagreements. Of the largest term: the same error in last places of the larger of (code - 8) "
             "* scale and zero, which stays small where a sum nearly cancels. Bias is the signed mean in ulp.") +
         table_of(sums_of(rows), In::sums, 80) +
         folded_table("printed", "Rows that differ somewhere, each format and group", differing) +
         folded_table("unprinted", "Rows that are bit-equal everywhere", exact);
}

namespace {

Markup card(const WorstCase& worst) {
  const auto bits = [](const std::string& text) { return text.empty() ? Markup() : code_of(text); };
  Markup everybody;
  for (const auto& [name, one] : worst.subjects) everybody += element("div", code_of(one) + " " + name);
  const Markup why =
      worst.why.empty() ? of_class("strong", "bad-text", "unexplained") : Markup("explained: " + worst.why);
  const std::string distance = !worst.ulp              ? std::string("not finite")
                               : worst.type == "codes" ? error_text(*worst.ulp)
                                                       : in_ulp(*worst.ulp);
  const Markup of_terms = worst.of_terms ? Markup(error_text(*worst.of_terms) + " of its last places") : Markup();
  return card(worst.subject + " " + worst.operation + ", " + worst.scheme + (worst.scheme.empty() ? "" : " ") +
                  worst.type + ": " + distance,
              fact("", why) +
                  fact("place", "row " + worst.row + ", column " + worst.column +
                                    (worst.place.empty() ? "" : " (" + worst.place + ")")) +
                  fact("code", worst.code) + fact("scale", bits(worst.scale)) + fact("zero", bits(worst.zero)) +
                  fact("expected", bits(worst.expected)) + fact("got", bits(worst.got)) +
                  fact("of the largest term", of_terms) + fact("everybody", everybody),
              to_copy(worst.replay));
}

}  // namespace

Markup worst_section(ReportContext& context) {
  constexpr int most_of_a_kind = 2;
  constexpr std::size_t most = 40;
  std::vector<const WorstCase*> cases;
  std::size_t left_out = 0;
  for (const auto& found : context.now.measured) {
    std::map<std::tuple<std::string, std::string, std::string, std::string>, int> of_kind;
    for (const WorstCase& worst : found.record.worst) {
      const bool is_shown = ++of_kind[{worst.subject, worst.operation, worst.scheme, worst.type}] <= most_of_a_kind;
      if (is_shown) cases.push_back(&worst);
      left_out += is_shown ? 0 : 1;
    }
  }
  if (context.now.measured.empty()) return absent("which cases are furthest off", command_of_measurement);
  if (cases.empty()) return paragraph("No element differs from the specification.");
  std::stable_sort(cases.begin(), cases.end(),
                   [](const WorstCase* a, const WorstCase* b) { return a->why.empty() && !b->why.empty(); });
  if (cases.size() > most) {
    left_out += cases.size() - most;
    cases.resize(most);
  }
  Markup cards;
  for (const WorstCase* worst : cases) cards += card(*worst);
  return paragraph(
             "The furthest off of each subject, operation, scheme and type, in the bits of the type. One click on a "
             "line selects it." +
             (left_out == 0 ? std::string() : " " + std::to_string(left_out) + " more are in accuracy.json.")) +
         of_class("div", "charts", cards);
}

Markup explained_section(ReportContext& context) {
  struct Count {
    std::uint64_t measured = 0, judged = 0;
  };
  std::map<std::pair<std::string, std::string>, Count> counts;  // by subject and reason
  for (const AccuracyRow& row : parts_of(context.now.measured, &Accuracy::rows)) {
    for (const auto& [reason, count] : row.explained) counts[{row.key.subject, reason}].measured += count;
  }
  for (const Judgement& judgement : parts_of(context.now.verified, &Summary::judgements)) {
    for (const auto& [reason, count] : judgement.explained) counts[{judgement.subject, reason}].judged += count;
  }
  TableRows rows;
  for (const auto& [key, count] : counts) {
    rows.push_back({key.first, key.second, with_commas(count.measured), with_commas(count.judged)});
  }
  Markup all;
  if (context.now.measured.empty()) all += absent("what explains measured differences", command_of_measurement);
  if (rows.empty()) return all + paragraph("No difference here has an explanation.");
  return all +
         paragraph(
             "Differences are explained where a formula predicts them bit for bit: two roundings where there "
             "should be one, -0 or Inf through a matrix product. One that nothing explains fails this report.") +
         table(
             {{"subject"}, {"explained by"}, {"elements measured", true}, {"elements that properties compared", true}},
             rows);
}

}  // namespace tileproof::reports
