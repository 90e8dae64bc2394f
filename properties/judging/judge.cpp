#include "properties/judging/judge.h"

#include <rapidcheck.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <new>

#include "properties/case/sample_space.h"
#include "properties/case/sampler.h"
#include "properties/judging/patterns.h"
#include "properties/judging/shrinking.h"
#include "properties/problem/named.h"
#include "properties/problem/stopwatch.h"
#include "properties/registry.h"
#include "properties/subjects/float_mode.h"

namespace tileproof {

namespace {

/// Runs the body. An exception is a finding, because a body that throws has not passed; exempt are a refusal that the
/// property does not forbid, something unavailable, a discarded problem and std::bad_alloc.
CaseOutcome run_case(const Property& property, const Problem& problem, const Capabilities& capabilities,
                     Subject& subject, Coverage& coverage) {
  const auto failed = [&problem](const std::string& kind, const std::string& details, bool device_lost) {
    return CaseOutcome{.finding = Finding{problem, kind, details}, .device_lost = device_lost};
  };
  try {
    Case one(problem, capabilities, subject, coverage);
    property.body(one);
    return {};
  } catch (const Failure& failure) {
    CaseOutcome outcome = failed(failure.kind, failure.what(), failure.device_lost);
    outcome.finding->smaller = failure.smaller;
    outcome.finding->wrong = failure.wrong;
    outcome.finding->cause = failure.cause;
    return outcome;
  } catch (const Refused& refused) {
    if (property.on_refusal == OnRefusal::failed) {
      return failed("refusal", std::string("refuses a legal call: ") + refused.what(), false);
    }
    return {.refused = refused.what()};
  } catch (const Unavailable& unavailable) {
    return {.unavailable = unavailable.what()};
  } catch (const SubjectError& error) {
    return failed("error", error.what(), error.device_lost);
  } catch (const rc::detail::CaseResult& result) {  // RC_PRE, RC_ASSERT and the like
    if (result.type == rc::detail::CaseResult::Type::Discard) return {.discarded = true};
    return failed("assertion", result.description, false);
  } catch (const std::bad_alloc&) {
    throw;  // the machine's fault, or the problem's size: no verdict on the subject
  } catch (const std::exception& error) {
    return failed("error", error.what(), false);
  } catch (...) {
    return failed("error", "the property's body threw what is no exception", false);
  }
}

/// Whether the conditions of a row hold for a problem.
bool holds_for(const ExpectedFailure& row, const Problem& problem) {
  const auto is = [](const std::string& wanted, const std::string& here) { return wanted.empty() || wanted == here; };
  return is(row.variant, problem.variant) && is(row.format, problem.format->name) &&
         is(row.scheme, problem.scheme != nullptr ? problem.scheme->name : "") &&
         is(row.weight_type, name_of(problem.types.weight)) && (row.where.empty() || is_of_class(problem, row.where));
}

/// Kinds of findings of a call that gave nothing to look at.
constexpr const char* kinds_without_result[] = {"error", "crash", "hang"};

/// All cases of one property on one subject.
class Run {
 public:
  Run(const Property& property, const SubjectRow& row, const SampleSpace& space, CaseRunner& runner,
      const Observer& observer, const std::vector<ExpectedFailure>* expected_failures, Patience& patience,
      const std::function<bool()>& stop)
      : property_(property), space_(space), runner_(runner), observer_(observer), patience_(patience), stop_(stop) {
    judgement_.property = property.name;
    judgement_.subject = row.name;
    if (expected_failures == nullptr) return;
    for (const ExpectedFailure& known : *expected_failures) {
      if (known.property == property.name && known.subject == row.name) judgement_.known.push_back({known, 0, {}});
    }
  }

  /// Runs a problem and counts it. While shrinking, a problem only fails if it fails with the same kind.
  CaseOutcome take(const Problem& problem) {
    const Clock::time_point begin = Clock::now();
    Coverage coverage;
    CaseOutcome outcome = runner_.run(property_, problem, coverage);
    judgement_.device_lost |= outcome.device_lost;
    // A failure of another kind than the one being shrunk is no finding here, and neither is an expected failure.
    const bool otherwise = outcome.finding && finding_ && outcome.finding->kind != finding_->kind;
    const std::vector<const ExpectedFailure*> expecting =
        outcome.finding && !otherwise ? expecting_of(*outcome.finding) : std::vector<const ExpectedFailure*>();
    const bool known = !expecting.empty();
    const bool has_result =
        known && std::ranges::count(kinds_without_result, outcome.finding->kind) == 0 && !outcome.process_lost;
    const bool has_shown = known && (has_result || coverage.compared != 0 ||
                                     std::ranges::all_of(expecting, &ExpectedFailure::says_which_cases));
    const std::string apart = otherwise ? "another failure: " + outcome.finding->kind : known ? "known" : "";
    if (!apart.empty()) outcome.finding.reset();
    if (observer_ && !outcome.discarded) {
      observer_({problem, apart.empty() ? status_of(outcome) : "gave_up", apart.empty() ? kind_of(outcome) : apart,
                 seconds_since(begin)});
    }
    if (has_shown && !finding_) {
      judgement_.met_known.include(coverage);
      judgement_.known_has_shown = true;
    }
    count(problem, outcome, coverage, known);
    if (outcome.finding && !finding_) finding_ = outcome.finding;
    return outcome;
  }

  /// Draws problems of one variant until the cases are used up or one fails, then shrinks the failure. An error that is
  /// only unclear does not end the draws: a later case may show that the call is accepted.
  void draw(const SampleSpace& space, std::int64_t cases, std::uint64_t seed) {
    const Sampler problems(property_, judgement_.subject, space, seed, space.sampling.variants.front());
    judgement_.cells_in_reach = problems.cell_count();
    const std::int64_t most_discarded = 10 * cases;
    std::int64_t taken = 0;
    std::int64_t discarded = 0;
    std::optional<Finding> unclear;
    constexpr std::int64_t least_where_unclear = 30;
    const auto wanted = [&] { return unclear ? std::max(cases, least_where_unclear) : cases; };
    for (std::uint64_t index = 0; taken < wanted() && discarded <= most_discarded; ++index) {
      const std::optional<Problem> one = drawn_or_given_up(problems, index);
      if (!one) return;
      const CaseOutcome outcome = take(*one);
      ++(outcome.discarded ? discarded : taken);
      if (outcome.finding && outcome.finding->kind == "unclear") {
        if (!unclear) unclear = finding_;
        unclear_ = unclear;
        finding_.reset();
        continue;
      }
      if (ends_draws(outcome, *one)) break;
    }
    if (discarded > most_discarded) give_up("more than ten problems were discarded for every case that was wanted");
    keep_finding();
    unclear_.reset();
    if (!unclear) return;
    finding_ = unclear;
    if (!judgement_.device_lost) shrink();
    keep_finding();
  }

  /// Draws more problems for the goals that no case has met, and runs only problems that meet one: chance alone may not
  /// meet them if the subject's capabilities are narrow.
  void draw_for_goals(std::uint64_t seed) {
    constexpr std::uint64_t most_drawn = 4096;
    std::int64_t cases = 64;                        // at most this many are run
    if (judgement_.coverage.compared == 0) return;  // the cases showed nothing, and more would not either
    if (!judgement_.findings.empty() || judgement_.device_lost || !judgement_.gave_up.empty()) return;
    const Goals goals = goals_of(property_.meets, space_.capabilities);
    const auto is_missing = [&](const CoverageGoal* goal) { return !goal->is_met(judgement_.coverage, goal->name); };
    SampleSpace space = space_;
    space.sampling.variants.resize(1);
    const Sampler problems(property_, judgement_.subject, space, seed, " for goals");
    for (std::uint64_t index = 0; index < most_drawn && cases > 0; ++index) {
      if (std::none_of(goals.in_reach.begin(), goals.in_reach.end(), is_missing) || (stop_ && stop_())) break;
      const std::optional<Problem> one = drawn_or_given_up(problems, index);
      if (!one) return;
      Coverage of_problem;
      count_problem(*one, of_problem);
      const bool meets_one = std::any_of(goals.in_reach.begin(), goals.in_reach.end(), [&](const CoverageGoal* goal) {
        return is_missing(goal) && goal->is_met(of_problem, goal->name);
      });
      if (!meets_one) continue;
      --cases;
      if (ends_draws(take(*one), *one)) break;
    }
    keep_finding();
  }

  bool has_lost_the_device() const { return judgement_.device_lost; }
  void give_up(const std::string& why) { judgement_.gave_up = why; }

  /// Ends a variant: confirms its finding, if any, and stores it.
  void keep_finding() {
    if (finding_) {
      confirm();
      judgement_.findings.push_back(*finding_);
    }
    finding_.reset();
  }

  /// Stores the finding as it is, because the machine has no process left to look into it further.
  /// @return whether anything was found
  bool keeps_what_was_found(const std::string& why) {
    if (!finding_) finding_ = unclear_;
    if (finding_) {
      finding_->details += "\n  (it could not be looked into further: " + why + ")";
      judgement_.findings.push_back(*finding_);
    }
    finding_.reset();
    return !judgement_.findings.empty();
  }

  Judgement finished() {
    judgement_.seconds = seconds_since(begin_);
    judgement_.settle(property_, space_);
    return judgement_;
  }

 private:
  static const char* status_of(const CaseOutcome& outcome) {
    return outcome.finding ? "failed" : outcome.refused || outcome.unavailable ? "gave_up" : "passed";
  }
  static std::string kind_of(const CaseOutcome& outcome) {
    return outcome.finding ? outcome.finding->kind : outcome.refused ? "refused" : outcome.unavailable.value_or("");
  }

  /// The problem of a turn; nothing if the sampler throws, and the judgement then gives up.
  std::optional<Problem> drawn_or_given_up(const Sampler& problems, std::uint64_t turn) {
    try {
      return problems.at(turn);
    } catch (const std::exception& error) {
      give_up(error.what());
      return std::nullopt;
    }
  }

  /// Whether the draws end after a case. A finding is shrunk first.
  bool ends_draws(const CaseOutcome& outcome, const Problem& one) {
    const bool patient = patience_.outlasts(outcome);
    if (outcome.finding) {
      if (patient) shrink();
      return true;
    }
    // A case without a finding that ended its process is an expected failure, which has now been seen. The next case
    // would lack what this one lacks, unless another case of the variant has shown something.
    const bool lacking = outcome.unavailable && !judgement_.variants_run.contains(one.variant);
    return judgement_.device_lost || outcome.process_lost || lacking || !patient;
  }

  /// Runs the steps of shrinking. They are observed like other cases, but not counted.
  class Steps : public CaseRunner {
   public:
    explicit Steps(Run& run) : run_(run) {}
    CaseOutcome run(const Property&, const Problem& problem, Coverage&) override {
      CaseOutcome outcome = run_.take(problem);
      is_patient_ = run_.patience_.outlasts(outcome);
      return outcome;
    }
    bool is_patient() const { return is_patient_; }

   private:
    Run& run_;
    bool is_patient_ = true;
  };

  static constexpr std::int64_t most_shrinks = 400;

  /// Shrinks the finding to the smallest that fails with the same kind, or until the steps have cost enough.
  void shrink() {
    Steps steps(*this);
    const auto stop = [&] { return judgement_.device_lost || !steps.is_patient() || (stop_ && stop_()); };
    finding_ =
        shrunk(property_, space_, *finding_, steps, are_of_one_kind, {.tries = most_shrinks, .stop = stop}).finding;
  }

  /// Runs the finding's problem alone in a fresh process, if the runner can: if it passes there, what ran before had a
  /// part in the failure. A process takes time to start, so only the property's first finding is confirmed.
  void confirm() {
    if (!judgement_.findings.empty() || patience_.crashes <= 0 || (stop_ && stop_())) return;
    const auto any = [](const Finding&, const Finding&) { return true; };
    if (failures_alone(property_, *finding_, runner_, any, 1) != 0) return;
    finding_->details +=
        "\n  (it did not fail when it was run again, alone in a fresh process: what ran before it had its part)";
  }

  /// The rows of the ledger that expect a finding, and counts it.
  std::vector<const ExpectedFailure*> expecting_of(const Finding& finding) {
    std::vector<const ExpectedFailure*> rows;
    for (const KnownCases& known : judgement_.known) rows.push_back(&known.row);
    const std::vector<const ExpectedFailure*> expecting = rows_that_expect(rows, finding);
    if (finding_) return expecting;  // a step of shrinking is not counted as a case
    for (KnownCases& known : judgement_.known) {
      if (std::ranges::count(expecting, &known.row) == 0) continue;
      if (known.cases++ == 0) known.first = finding;
    }
    return expecting;
  }

  void count(const Problem& problem, const CaseOutcome& outcome, const Coverage& coverage, bool known) {
    if (outcome.discarded || finding_) return;
    ++judgement_.cases;
    ++judgement_.cases_of[problem.variant];
    judgement_.asked.add(property_, problem);
    if (known) ++judgement_.known_of[problem.variant];
    if (outcome.refused) ++judgement_.refused_of[problem.variant];
    judgement_.coverage.add(coverage);
    if (outcome.refused || outcome.unavailable) judgement_.met_apart.include(coverage);
    for (KnownCases& one : judgement_.known) {
      if (!outcome.unavailable && holds_for(one.row, problem)) ++one.chances;
    }
    if (outcome.unavailable) {
      judgement_.unavailable[problem.variant] = *outcome.unavailable;
      ++judgement_.unavailable_cases;
    }
    const bool has_shown = coverage.compared != 0 || outcome.refused || known || outcome.finding;
    if (has_shown && !outcome.unavailable) judgement_.variants_run.insert(problem.variant);
    if (!outcome.refused) return;
    if (judgement_.refused_cases++ == 0) judgement_.first_refusal = *outcome.refused;
  }

  const Property& property_;
  const SampleSpace& space_;
  CaseRunner& runner_;
  const Observer& observer_;
  Patience& patience_;
  std::function<bool()> stop_;
  Judgement judgement_;
  std::optional<Finding> finding_;  // the finding of the current variant
  std::optional<Finding> unclear_;  // its unclear error, not yet shrunk
  Clock::time_point begin_ = Clock::now();
};

/// A finding for each expected failure that no case met, though cases ran that could have met it. A property's own
/// problems are all that there are.
std::vector<Finding> expired(const Judgement& judgement, bool has_own_problems) {
  std::vector<Finding> findings;
  for (const KnownCases& known : judgement.known) {
    const std::string& variant = known.row.variant;
    const bool could = variant.empty() ? !judgement.variants_run.empty() : judgement.variants_run.contains(variant);
    // A finding ends the cases of its variant, so a later case might have met the row.
    const bool cut = std::any_of(judgement.findings.begin(), judgement.findings.end(), [&](const Finding& finding) {
      return variant.empty() || finding.problem.variant == variant;
    });
    const std::int64_t may_miss = has_own_problems ? 0 : known.row.may_miss();
    if (known.cases != 0 || !could || cut || known.chances <= may_miss) continue;
    Problem nothing;
    nothing.property = "";
    nothing.variant = known.row.variant;
    findings.push_back({nothing, "expired",
                        "the known finding " + known.row.id + " (" + known.row.what +
                            ") did not occur: correct the ledger. It was to expire: " + known.row.expires});
  }
  return findings;
}

}  // namespace

const char* name_of(Verdict verdict) {
  constexpr const char* names[] = {"PASSED", "FAILED", "SKIPPED", "MISTRUSTED", "KNOWN"};
  return names[static_cast<int>(verdict)];
}

std::vector<const ExpectedFailure*> rows_that_expect(const std::vector<const ExpectedFailure*>& rows,
                                                     const Finding& finding) {
  std::vector<const ExpectedFailure*> about;
  std::ranges::copy_if(rows, std::back_inserter(about), [&](const ExpectedFailure* row) {
    return holds_for(*row, finding.problem) && (row->kind.empty() || row->kind == finding.kind) &&
           finding.details.find(row->says) != std::string::npos;
  });
  const auto whole = std::ranges::find_if(about, [](const auto* row) { return row->pattern.empty(); });
  if (whole != about.end()) return {*whole};
  std::vector<const ExpectedFailure*> expecting;
  for (const WrongElement& element : finding.wrong) {
    const auto row = std::ranges::find_if(
        about, [&](const auto* one) { return is_expected_by(one->pattern, finding.problem, element); });
    if (row == about.end()) return {};
    if (std::ranges::count(expecting, *row) == 0) expecting.push_back(*row);
  }
  return expecting;
}

CaseOutcome InThisProcess::run(const Property& property, const Problem& problem, Coverage& coverage) {
  compute_in_default_mode();  // a library may have changed it when it was loaded, or in an earlier case
  return run_case(property, problem, capabilities_, subject_, coverage);
}

void Asked::add(const Property& property, const Problem& p) {
  Asked one;
  one.formats = {p.format->name};
  if (p.format->scheme_count > 1) one.schemes = {p.scheme->name};
  // 0 stands for rows of one group of no multiple of 16.
  one.group_sizes = {group_class_of(p.group_size, *p.format) == GroupClass::an_uneven_row ? 0 : p.group_size};
  one.ranges = {{"n", {p.n, p.n}}, {"k", {p.k, p.k}}, {"groups", {p.groups().k, p.groups().k}}};
  one.cells = {cell_of(property, p)};
  add(one);
}

void Asked::add(const Asked& other) {
  formats.insert(other.formats.begin(), other.formats.end());
  schemes.insert(other.schemes.begin(), other.schemes.end());
  group_sizes.insert(other.group_sizes.begin(), other.group_sizes.end());
  cells.insert(other.cells.begin(), other.cells.end());
  for (const auto& [name, range] : other.ranges) {
    Range& own = ranges.try_emplace(name, range).first->second;
    own = {std::min(own.least, range.least), std::max(own.most, range.most)};
  }
}

namespace {

/// The goals of a property on a subject. If the subject does not take some recorded matrices, the goals that only those
/// meet are out of reach.
Goals goals_on(const Property& judged, const SampleSpace& space) {
  Goals goals = goals_of(judged.meets, space.capabilities);
  const std::string& not_watched = space.capabilities.not_watched;
  if (judged.watches_memory && !not_watched.empty()) goals.out_of_reach.push_back(not_watched);
  if (judged.sampling.fixed.empty() || judged.sampling.fixed_for) return goals;
  Coverage whole, taken;
  std::int64_t left_out = 0;
  for (const Problem& problem : judged.sampling.fixed) {
    count_problem(problem, whole);
    if (space.capabilities.takes(problem)) {
      count_problem(problem, taken);
    } else {
      ++left_out;
    }
  }
  if (left_out == 0) return goals;
  std::erase_if(goals.in_reach, [&](const CoverageGoal* goal) {
    const bool is_lost = goal->is_met(whole, goal->name) && !goal->is_met(taken, goal->name);
    if (is_lost) goals.out_of_reach.push_back(goal->name);
    return is_lost;
  });
  goals.out_of_reach.push_back(std::to_string(left_out) + " of " + std::to_string(judged.sampling.fixed.size()) +
                               " recorded matrices");
  return goals;
}

}  // namespace

void Judgement::settle_variants(const Property& judged, const SampleSpace& space) {
  variants.clear();
  if (space.sampling.variants == std::vector<std::string>{""}) return;
  for (const std::string& variant : space.sampling.variants) {
    const auto count = [&](const std::map<std::string, std::int64_t>& of) {
      const auto found = of.find(variant);
      return found == of.end() ? std::int64_t{0} : found->second;
    };
    VariantVerdict& own = variants[variant];
    own.cases = count(cases_of);
    const auto finding = std::find_if(findings.begin(), findings.end(),
                                      [&](const Finding& one) { return one.problem.variant == variant; });
    if (finding != findings.end()) {
      own.verdict = Verdict::failed;
      own.reason = finding->kind;
    } else if (count(known_of) != 0) {
      own.verdict = Verdict::known;
    } else if (variants_run.contains(variant)) {
      own.verdict = Verdict::passed;
      const bool all_refused = own.cases != 0 && count(refused_of) == own.cases;
      if (all_refused) own.verdict = judged.on_refusal == OnRefusal::allowed ? Verdict::skipped : Verdict::mistrusted;
      if (all_refused) own.reason = "the subject refuses every case: " + first_refusal;
    } else if (const auto why = unavailable.find(variant); why != unavailable.end()) {
      own.verdict = Verdict::skipped;
      own.reason = why->second;
    } else {
      own.reason = own.cases == 0 ? "not run" : "nothing was compared";
    }
  }
}

void Judgement::settle(const Property& judged, const SampleSpace& space) {
  settle_variants(judged, space);
  const Goals goals = goals_on(judged, space);
  out_of_reach = goals.out_of_reach;
  elements = coverage.compared;
  output_hash = coverage.output_hash;
  classes = coverage.classes;
  explained = coverage.explained;
  reason.clear();
  std::erase_if(findings, [](const Finding& finding) { return finding.kind == "expired"; });
  for (const Finding& finding : expired(*this, space.sampling.is_fixed())) findings.push_back(finding);
  if (!findings.empty()) {
    verdict = Verdict::failed;
    return;
  }
  const bool any_known = std::any_of(known.begin(), known.end(), [](const KnownCases& one) { return one.cases != 0; });
  // A case that ran and compared nothing must not make the property SKIPPED.
  const bool none_ran = cases != 0 && refused_cases + unavailable_cases == cases;
  if (coverage.compared == 0 && gave_up.empty() && !any_known && none_ran) {
    const bool rightly = refused_cases == 0 || judged.on_refusal == OnRefusal::allowed;
    verdict = rightly ? Verdict::skipped : Verdict::mistrusted;
    reason = refused_cases != 0 ? "the subject refuses every case: " + first_refusal : unavailable.begin()->second;
    return;
  }
  Coverage with_known = coverage;
  with_known.include(met_known);
  Coverage with_apart = with_known;
  with_apart.include(met_apart);
  std::vector<std::string> missing, missing_everywhere;
  // Known findings of another kind than a comparison, as of a call that should have been refused, compare nothing.
  if (coverage.compared != 0 || !known_has_shown) {
    missing = unmet(with_known, goals);
    missing_everywhere = unmet(with_apart, goals);
  }
  for (std::string& name : missing) {
    const bool everywhere =
        std::find(missing_everywhere.begin(), missing_everywhere.end(), name) != missing_everywhere.end();
    if (!everywhere) name += " (but where the subject refuses)";
  }
  for (const std::string& variant : space.sampling.variants) {
    if (!variants_run.contains(variant) && !unavailable.contains(variant)) missing.push_back(variant_class(variant));
    const auto own = variants.find(variant);
    const bool is_refused =
        variants_run.contains(variant) && own != variants.end() && own->second.verdict == Verdict::mistrusted;
    if (is_refused) missing.push_back(variant_class(variant) + " (" + own->second.reason + ")");
  }
  verdict = !missing.empty() || !gave_up.empty() ? Verdict::mistrusted : any_known ? Verdict::known : Verdict::passed;
  for (const std::string& name : missing) reason += (reason.empty() ? "never met: " : "; ") + name;
  if (!gave_up.empty()) reason = "the generator gave up: " + gave_up;
  if (verdict == Verdict::mistrusted) return;
  // A PASSED or KNOWN that leaves something out says so.
  for (const auto& [variant, why] : unavailable) {
    reason += (reason.empty() ? "in part, without " : "; ") + (variant.empty() ? "some cases" : variant) + ": " + why;
  }
}

void Judgement::add(const Judgement& round, const Property& judged, const Capabilities& capabilities) {
  if (verdict == Verdict::skipped && round.verdict == Verdict::skipped) return;
  cases += round.cases;
  seconds += round.seconds;
  device_lost |= round.device_lost;
  coverage.add(round.coverage);
  met_apart.include(round.met_apart);
  met_known.include(round.met_known);
  known_has_shown |= round.known_has_shown;
  variants_run.insert(round.variants_run.begin(), round.variants_run.end());
  if (refused_cases == 0) first_refusal = round.first_refusal;
  refused_cases += round.refused_cases;
  unavailable_cases += round.unavailable_cases;
  unavailable.insert(round.unavailable.begin(), round.unavailable.end());
  for (const Finding& finding : round.findings) {
    const bool has_one = std::any_of(findings.begin(), findings.end(), [&](const Finding& one) {
      return one.problem.variant == finding.problem.variant && one.kind != "expired";
    });
    if (!has_one) findings.push_back(finding);
    // An unclear error does not hide a graver finding of a later round.
    const auto unclear = std::find_if(findings.begin(), findings.end(), [&](const Finding& one) {
      return one.problem.variant == finding.problem.variant && one.kind == "unclear" && finding.kind != "unclear";
    });
    if (has_one && unclear != findings.end()) findings.insert(unclear, finding);
  }
  for (std::size_t i = 0; i < std::min(known.size(), round.known.size()); ++i) {
    if (known[i].cases == 0) known[i].first = round.known[i].first;
    known[i].cases += round.known[i].cases;
    known[i].chances += round.known[i].chances;
  }
  if (gave_up.empty()) gave_up = round.gave_up;
  for (const auto& [own, others] : {std::pair(&cases_of, &round.cases_of), std::pair(&refused_of, &round.refused_of),
                                    std::pair(&known_of, &round.known_of)}) {
    for (const auto& [variant, count] : *others) (*own)[variant] += count;
  }
  asked.add(round.asked);
  std::string ignored;
  settle(judged, sample_space_of(judged, capabilities, &ignored));
}

Judgement skipped(const Property& property, const std::string& subject_name, const std::string& why) {
  Judgement judgement;
  judgement.property = property.name;
  judgement.subject = subject_name;
  judgement.verdict = Verdict::skipped;
  judgement.reason = why;
  return judgement;
}

namespace {

/// The property's own problems that the subject takes.
std::vector<Problem> fixed_problems(const Property& property, const SubjectRow& row, const SampleSpace& space) {
  std::vector<Problem> problems;
  for (Problem problem : space.sampling.fixed) {
    problem.property = property.name;
    problem.subject = row.name;
    if (space.capabilities.takes(problem)) problems.push_back(problem);
  }
  return problems;
}

}  // namespace

Judgement judge(const Property& property, const SubjectRow& row, CaseRunner& runner, const Effort& effort,
                const Observer& observer) {
  std::string why_not;
  const SampleSpace space = sample_space_of(property, row.capabilities, &why_not);
  if (!why_not.empty()) return skipped(property, row.name, why_not);
  const std::vector<Problem> fixed = fixed_problems(property, row, space);
  const Goals goals = goals_on(property, space);
  // The recorded matrices that are left show something, whatever goals the others would have met.
  const bool lacks_goals = property.sampling.fixed.empty() && !property.meets.empty() && goals.in_reach.empty();
  const bool lacks_subject_matter =
      property.about != nullptr && goals_of({property.about}, space.capabilities).in_reach.empty();
  const bool has_nothing = (fixed.empty() && property.sampling.is_fixed()) || lacks_goals || lacks_subject_matter;
  if (has_nothing) {
    const std::string what =
        goals.out_of_reach.empty() ? "all of the property's problems" : joined(goals.out_of_reach, "; ");
    Judgement judgement = skipped(property, row.name, "out of reach of what the subject takes: " + what);
    judgement.out_of_reach = goals.out_of_reach;
    return judgement;
  }
  Patience own;
  Run run(property, row, space, runner, observer, effort.expected_failures,
          effort.patience != nullptr ? *effort.patience : own, effort.stop);
  const std::vector<std::string>& variants = space.sampling.variants;
  const std::int64_t share = std::max<std::int64_t>(3, effort.cases / static_cast<std::int64_t>(variants.size()));
  try {
    if (property.begins_afresh) runner.start_afresh();
    for (const std::string& variant : variants) {
      SampleSpace of_variant = space;
      of_variant.sampling.variants = {variant};
      if (fixed.empty()) run.draw(of_variant, variants.size() == 1 ? effort.cases : share, effort.seed);
      for (Problem problem : fixed) {
        problem.variant = variant;
        const CaseOutcome outcome = run.take(problem);
        if (outcome.discarded) run.give_up("a property's own problem was discarded");
        if (outcome.finding || outcome.device_lost) break;
      }
      run.keep_finding();
      if (run.has_lost_the_device()) break;
    }
    if (fixed.empty() && effort.draws_for_goals) run.draw_for_goals(effort.seed);
  } catch (const std::runtime_error& error) {  // the machine cannot start another process
    if (!run.keeps_what_was_found(error.what())) throw;
  }
  return run.finished();
}

Judgement judge(const Property& property, const SubjectRow& row, Subject& subject, const Effort& effort,
                const Observer& observer) {
  InThisProcess here(row.capabilities, subject);
  return judge(property, row, here, effort, observer);
}

Judgement judge_one(const Problem& problem, const SubjectRow& row, CaseRunner& runner) {
  const Property& property = property_of(problem.property);
  require_possible(problem);
  if (problem.n == 0) throw UsageError("--n", "0", "1 or more here: a problem without elements shows nothing");
  if (problem.k == 0) throw UsageError("--k", "0", "1 or more here: a problem without elements shows nothing");
  std::string why_not;
  const SampleSpace space = sample_space_of(property, row.capabilities, &why_not);
  if (!why_not.empty()) return skipped(property, row.name, why_not);
  require_within(problem, space);
  // One case need not meet the property's coverage goals.
  Property alone = property;
  alone.meets.clear();
  SampleSpace of_case = space;
  of_case.sampling.variants.clear();
  const Observer nobody;
  Patience patience;
  Run run(alone, row, of_case, runner, nobody, nullptr, patience, nullptr);
  run.take(problem);
  run.keep_finding();
  return run.finished();
}

Judgement judge_one(const Problem& problem, const SubjectRow& row, Subject& subject) {
  InThisProcess here(row.capabilities, subject);
  return judge_one(problem, row, here);
}

}  // namespace tileproof
