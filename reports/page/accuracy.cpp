// Sections of the page: the accuracy table, the worst cases, and what explains differences.
#include <algorithm>
#include <map>
#include <tuple>

#include "reports/page/section.h"
#include "reports/text.h"

namespace tileproof::reports {

namespace {

constexpr const char* command_of_measurement = "./tileproof verify";

std::string limit(const Quantile& quantile) { return (quantile.is_exact ? "" : "<= ") + error_text(quantile.value); }

std::string maximum(bool is_sampled, double value) { return (is_sampled ? ">= " : "= ") + error_text(value); }

std::string bias(double value) { return value == 0 ? "0" : (value > 0 ? "+" : "") + short_number(value); }

Status word_of(const ReportContext& context, const AccuracyRow& row) {
  const std::string name = row.key.text() + " of " + row.key.subject;
  const auto found = std::find_if(context.assessment.items.begin(), context.assessment.items.end(),
                                  [&](const Item& item) { return item.kind == "accuracy" && item.name == name; });
  return found == context.assessment.items.end() ? Status::not_run : found->word;
}

const std::vector<Column> columns = {{"subject"},
                                     {"operation"},
                                     {"scheme"},
                                     {"type"},
                                     {"inner k tiles", true},
                                     {"group", true},
                                     {""},
                                     {"elements", true},
                                     {"bit-equal", true},
                                     {"unexplained", true},
                                     {"max ulp", true},
                                     {"max, of the largest term", true},
                                     {"p99.9", true},
                                     {"p99", true},
                                     {"median", true},
                                     {"bias", true},
                                     {"non-finite disagreements", true},
                                     {"signs of zero lost", true},
                                     {"subnormals that differ", true},
                                     {"SQNR, of ordinary values", true}};

std::vector<Markup> cells(const ReportContext& context, const AccuracyRow& row) {
  const auto& ulp = row.ulp;
  const std::string of_subnormals =
      with_commas(row.subnormals_differing) +
      (row.subnormals_flushed == 0 ? "" : ", " + with_commas(row.subnormals_flushed) + " flushed") + " of " +
      with_commas(row.subnormals_expected);
  return {row.key.subject,
          row.key.operation,
          row.key.scheme,
          row.key.type,
          row.key.format,
          row.key.group,
          badge(word_of(context, row)),
          with_commas(row.elements),
          percent(row.bit_equal, row.elements),
          with_commas(row.unexplained),
          ulp ? maximum(row.is_sampled, ulp->max) : "-",
          row.max_of_terms ? maximum(row.is_sampled, *row.max_of_terms) : "-",
          ulp ? limit(ulp->p99_9) : "-",
          ulp ? limit(ulp->p99) : "-",
          ulp ? limit(ulp->median) : "-",
          ulp ? bias(ulp->bias) : "-",
          with_commas(row.non_finite_disagreements) + "; " + with_commas(row.non_finite_expected) + " expected",
          with_commas(row.signs_of_zero_lost),
          of_subnormals,
          row.sqnr.empty() ? "-" : row.sqnr};
}

/// Sums up the rows that differ only in format and group.
struct Short {
  std::size_t rows = 0, exact = 0;
  std::uint64_t elements = 0, bit_equal = 0, unexplained = 0, non_finite = 0;
  double max = 0, p99_9 = 0;
  std::optional<double> max_of_terms;
  bool is_sampled = false;
  Status word = Status::exact;  // the worst of all rows

  void add(const ReportContext& context, const AccuracyRow& row) {
    ++rows;
    exact += row.is_exact() ? 1 : 0;
    elements += row.elements;
    bit_equal += row.bit_equal;
    unexplained += row.unexplained;
    max = std::max(max, row.max_ulp());
    if (row.max_of_terms) max_of_terms = std::max(max_of_terms.value_or(0), *row.max_of_terms);
    if (row.ulp) p99_9 = std::max(p99_9, row.ulp->p99_9.value);
    non_finite += row.non_finite_disagreements;
    is_sampled = is_sampled || row.is_sampled;
    word = std::min(word, word_of(context, row));
  }
};

Markup in_short(const ReportContext& context, const std::vector<const AccuracyRow*>& rows) {
  std::map<std::tuple<std::string, std::string, std::string, std::string>, Short> kinds;
  for (const AccuracyRow* row : rows) {
    kinds[{row->key.subject, row->key.operation, row->key.scheme, row->key.type}].add(context, *row);
  }
  std::multimap<Status, std::vector<Markup>> lines;  // the worst first
  for (const auto& [key, all] : kinds) {
    const auto& [subject, operation, scheme, type] = key;
    lines.insert({all.word,
                  {subject, operation, scheme, type, badge(all.word),
                   std::to_string(all.exact) + " of " + std::to_string(all.rows), with_commas(all.elements),
                   percent(all.bit_equal, all.elements), with_commas(all.unexplained), maximum(all.is_sampled, all.max),
                   all.max_of_terms ? maximum(all.is_sampled, *all.max_of_terms) : "-", "<= " + error_text(all.p99_9),
                   with_commas(all.non_finite)}});
  }
  std::vector<std::vector<Markup>> cells_of_lines;
  for (const auto& [word, cells] : lines) cells_of_lines.push_back(cells);
  return shortened_table({{"subject"},
                          {"operation"},
                          {"scheme"},
                          {"type"},
                          {""},
                          {"exact rows", true},
                          {"elements", true},
                          {"bit-equal", true},
                          {"unexplained", true},
                          {"max ulp", true},
                          {"max, of the largest term", true},
                          {"p99.9", true},
                          {"non-finite disagreements", true}},
                         std::move(cells_of_lines), 80);
}

}  // namespace

Markup accuracy_section(ReportContext& context) {
  std::vector<const AccuracyRow*> differing, exact;
  for (const auto& found : context.now.measured) {
    for (const AccuracyRow& row : found.record.rows) (row.is_exact() ? exact : differing).push_back(&row);
  }
  if (differing.empty() && exact.empty())
    return absent("how far results are from the specification", command_of_measurement);
  std::stable_sort(differing.begin(), differing.end(), [&](const AccuracyRow* a, const AccuracyRow* b) {
    return std::tuple(word_of(context, *a), b->unexplained, b->max_ulp()) <
           std::tuple(word_of(context, *b), a->unexplained, a->max_ulp());
  });
  const auto rows_of = [&](const std::vector<const AccuracyRow*>& which) {
    std::vector<std::vector<Markup>> rows;
    for (const AccuracyRow* row : which) rows.push_back(cells(context, *row));
    return rows;
  };
  Markup all = paragraph(
      std::to_string(exact.size()) + " of " + counted(exact.size() + differing.size(), "row") +
      " are bit-equal to the specification everywhere. A maximum of a sample is a lower limit (>=), of an "
      "enumeration the maximum (=); a quantile from a bucket is an upper limit (<=). An error in ulp is |got - "
      "expected| / ulp(expected), and ulp(expected) the spacing of the format there, as CUDA, glibc and JAX "
      "define it; at 0 and among subnormals it is the smallest subnormal. Infinities and NaNs have none: they "
      "are the disagreements. Of the largest term: the same error in last places of the larger of (code - 8) "
      "* scale and zero, which stays small where a sum nearly cancels. Bias is the signed mean in ulp.");
  std::vector<const AccuracyRow*> rows = differing;
  rows.insert(rows.end(), exact.begin(), exact.end());
  all += in_short(context, rows);
  // The summary above is for a reader with ten minutes; the details are folded.
  const auto folded = [&](const char* role, const std::string& title, const std::vector<const AccuracyRow*>& which) {
    if (which.empty()) return Markup();
    return of_class("details", role,
                    element("summary", title + ": " + std::to_string(which.size())) +
                        shortened_table(columns, rows_of(which), 500));
  };
  return all + folded("printed", "Rows that differ somewhere, each format and group", differing) +
         folded("unprinted", "Rows that are bit-equal everywhere", exact);
}

namespace {

Markup card(const WorstCase& worst) {
  const auto fact = [](const std::string& name, const Markup& value) {
    return value.empty() ? Markup() : element("dt", name) + element("dd", value);
  };
  const auto bits = [](const std::string& text) { return text.empty() ? Markup() : code_of(text); };
  Markup everybody;
  for (const auto& [name, one] : worst.subjects) everybody += element("div", code_of(one) + " " + name);
  const Markup why =
      worst.why.empty() ? of_class("strong", "bad-text", "unexplained") : Markup("explained: " + worst.why);
  const std::string distance = !worst.ulp              ? std::string("not finite")
                               : worst.type == "codes" ? error_text(*worst.ulp)
                                                       : in_ulp(*worst.ulp);
  const Markup of_terms = worst.of_terms ? Markup(error_text(*worst.of_terms) + " of its last places") : Markup();
  return of_class("div", "card",
                  element("h4", worst.subject + " " + worst.operation + ", " + worst.scheme +
                                    (worst.scheme.empty() ? "" : " ") + worst.type + ": " + distance) +
                      element("dl", fact("", why) +
                                        fact("place", "row " + worst.row + ", column " + worst.column +
                                                          (worst.place.empty() ? "" : " (" + worst.place + ")")) +
                                        fact("code", worst.code) + fact("scale", bits(worst.scale)) +
                                        fact("zero", bits(worst.zero)) + fact("expected", bits(worst.expected)) +
                                        fact("got", bits(worst.got)) + fact("of the largest term", of_terms) +
                                        fact("everybody", everybody)) +
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
  for (const auto& found : context.now.measured) {
    for (const AccuracyRow& row : found.record.rows) {
      for (const auto& [reason, count] : row.explained) counts[{row.key.subject, reason}].measured += count;
    }
  }
  for (const auto& found : context.now.verified) {
    for (const Judgement& judgement : found.record.judgements) {
      for (const auto& [reason, count] : judgement.explained) counts[{judgement.subject, reason}].judged += count;
    }
  }
  std::vector<std::vector<Markup>> rows;
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
