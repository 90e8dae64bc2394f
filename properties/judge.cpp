#include "judge.h"

#include <chrono>
#include <new>
#include <sstream>

#include "draw.h"
#include "generator.h"

namespace tileproof {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// A claim's own seed, so that a claim draws the same problems whichever others run.
std::uint64_t seed_of(const std::string& claim, std::uint64_t seed) {
  std::uint64_t hash = mixed(seed + 1);
  for (const char letter : claim) hash = mixed(hash ^ static_cast<unsigned char>(letter));
  return hash;
}

/// What came of a case.
struct CaseOutcome {
  std::optional<Finding> finding = std::nullopt;
  bool device_lost = false;
  bool discarded = false;  // the body did not want the problem
};

/// Runs the body. Whatever leaves it is a finding: a body that throws has not passed.
CaseOutcome run_case(const Claim& claim, const Problem& problem, const SubjectRow& row, Subject& subject, Met& met) {
  const auto failed = [&problem](const std::string& kind, const std::string& details, bool device_lost) {
    return CaseOutcome{.finding = Finding{problem, kind, details, 0}, .device_lost = device_lost};
  };
  try {
    Case one(problem, row.envelope, subject, met);
    claim.body(one);
    return {};
  } catch (const Failure& failure) {
    return failed(failure.kind, failure.what(), failure.device_lost);
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
    return failed("error", "the claim's body threw what is no exception", false);
  }
}

/// RapidCheck's own reports are not ours: findings are printed from records.
class Silence : public rc::detail::TestListener {
  void onTestCaseFinished(const rc::detail::CaseDescription&) override {}
  void onShrinkTried(const rc::detail::CaseDescription&, bool) override {}
  void onTestFinished(const rc::detail::TestMetadata&, const rc::detail::TestResult&) override {}
};

/// All cases of one claim on one subject.
class Run {
 public:
  Run(const Claim& claim, const SubjectRow& row, Subject& subject, const Observer& observer)
      : claim_(claim), row_(row), subject_(subject), observer_(observer) {
    judgement_.claim = claim.name;
    judgement_.subject = row.name;
  }

  /// Runs a problem and counts it. While shrinking, a problem fails only if it fails in the same kind.
  CaseOutcome take(const Problem& problem) {
    const Clock::time_point begin = Clock::now();
    Met met;
    CaseOutcome outcome = run_case(claim_, problem, row_, subject_, met);
    judgement_.device_lost |= outcome.device_lost;
    const bool shrinking = judgement_.finding.has_value();
    if (shrinking && outcome.finding && outcome.finding->kind != judgement_.finding->kind) outcome.finding.reset();
    if (outcome.discarded) return outcome;
    if (!shrinking) {
      ++judgement_.cases;
      judgement_.met.add(met);
    }
    const bool failed = outcome.finding.has_value();
    if (observer_) observer_({problem, failed, failed ? outcome.finding->kind : "", seconds_since(begin)});
    if (failed) {
      outcome.finding->shrinks = shrinking ? judgement_.finding->shrinks + 1 : 0;
      judgement_.finding = outcome.finding;
    }
    return outcome;
  }

  /// Draws problems until the cases are used up or one fails, then smaller ones. Every failing problem that RapidCheck
  /// proposes is smaller than the last, so the last one taken is the smallest.
  void draw(const Domains& domains, const Effort& effort) {
    constexpr std::int64_t most_shrinks = 400;
    std::int64_t tries = 0;
    const rc::Gen<Problem> problems = tileproof::problems(claim_.name, judgement_.subject, domains);
    rc::detail::TestParams params;
    params.seed = seed_of(claim_.name, effort.seed);
    params.maxSuccess = static_cast<int>(effort.cases);
    Silence silence;
    const std::unordered_map<std::string, rc::detail::Reproduce>
        nothing_to_reproduce;  // else RC_PARAMS is read, and reported
    const auto result = rc::detail::checkTestable(
        [&] {
          const Problem problem = *problems;
          const bool give_up = judgement_.device_lost || (judgement_.finding && ++tries > most_shrinks);
          if (give_up) return;
          const CaseOutcome outcome = take(problem);
          if (outcome.discarded) RC_DISCARD();
          RC_ASSERT_FALSE(outcome.finding.has_value());
        },
        rc::detail::TestMetadata(), params, silence, nothing_to_reproduce);
    if (result.is<rc::detail::FailureResult>() && !judgement_.finding) {
      judgement_.gave_up = result.get<rc::detail::FailureResult>().description;
    }
    if (result.is<rc::detail::GaveUpResult>()) judgement_.gave_up = result.get<rc::detail::GaveUpResult>().description;
    if (result.is<rc::detail::Error>()) judgement_.gave_up = result.get<rc::detail::Error>().description;
  }

  Judgement finished(const Claim& claim, const Envelope& envelope) {
    judgement_.seconds = seconds_since(begin_);
    judgement_.settle(claim, envelope);
    return judgement_;
  }

 private:
  const Claim& claim_;
  const SubjectRow& row_;
  Subject& subject_;
  const Observer& observer_;
  Judgement judgement_;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace

const char* name_of(Verdict verdict) {
  constexpr const char* names[] = {"PASSED", "FAILED", "SKIPPED", "MISTRUSTED"};
  return names[static_cast<int>(verdict)];
}

void Judgement::settle(const Claim& judged, const Envelope& envelope) {
  elements = met.compared;
  output_hash = met.output_hash;
  classes = met.classes;
  explained = met.explained;
  reason.clear();
  if (finding) {
    verdict = Verdict::failed;
    return;
  }
  const std::vector<std::string> missing = unmet(met, judged.meets, envelope);
  verdict = missing.empty() && gave_up.empty() ? Verdict::passed : Verdict::mistrusted;
  for (const std::string& name : missing) reason += (reason.empty() ? "never met: " : "; ") + name;
  if (!gave_up.empty()) reason = "the generator gave up: " + gave_up;
}

void Judgement::add(const Judgement& round, const Claim& judged, const Envelope& envelope) {
  if (verdict == Verdict::skipped) return;
  cases += round.cases;
  seconds += round.seconds;
  device_lost |= round.device_lost;
  met.add(round.met);
  if (!finding) finding = round.finding;
  if (gave_up.empty()) gave_up = round.gave_up;
  std::string ignored;
  settle(judged, domains_of(judged, envelope, &ignored).envelope);
}

Judgement skipped(const Claim& claim, const std::string& subject_name, const std::string& why) {
  Judgement judgement;
  judgement.claim = claim.name;
  judgement.subject = subject_name;
  judgement.verdict = Verdict::skipped;
  judgement.reason = why;
  return judgement;
}

Judgement judge(const Claim& claim, const SubjectRow& row, Subject& subject, const Effort& effort,
                const Observer& observer) {
  std::string why_not;
  const Domains domains = domains_of(claim, row.envelope, &why_not);
  if (!why_not.empty()) return skipped(claim, row.name, why_not);
  Run run(claim, row, subject, observer);
  if (claim.draws.fixed.empty()) {
    run.draw(domains, effort);
  } else {
    for (Problem problem : claim.draws.fixed) {
      problem.claim = claim.name;
      problem.subject = row.name;
      if (run.take(problem).finding) break;
    }
  }
  return run.finished(claim, domains.envelope);
}

Judgement judge_one(const Problem& problem, const SubjectRow& row, Subject& subject) {
  const Claim& claim = claim_of(problem.claim);
  require_possible(problem);
  if (problem.n == 0) throw Illegal("--n", "0", "1 or more here: a problem without elements shows nothing");
  if (problem.k == 0) throw Illegal("--k", "0", "1 or more here: a problem without elements shows nothing");
  std::string why_not;
  const Domains domains = domains_of(claim, row.envelope, &why_not);
  if (!why_not.empty()) return skipped(claim, row.name, why_not);
  require_within(problem, domains);
  const Observer nobody;
  Run run(claim, row, subject, nobody);
  run.take(problem);
  // One case need not meet all that a claim is about.
  Claim alone = claim;
  alone.meets.clear();
  return run.finished(alone, domains.envelope);
}

}  // namespace tileproof
