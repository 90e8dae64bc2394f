#include "fuzz/campaign/fingerprint.h"

#include "properties/judging/patterns.h"

namespace tileproof {

bool are_alike(const Finding& a, const Finding& b) {
  const Problem &p = a.problem, &q = b.problem;
  const bool same_place = p.property == q.property && p.subject == q.subject && p.variant == q.variant &&
                          p.scheme == q.scheme && p.types == q.types && p.format == q.format &&
                          p.format_to == q.format_to;
  if (!same_place || a.kind != b.kind) return false;
  const std::string pattern = pattern_of(a), other = pattern_of(b);
  return pattern == other || a.wrong.size() < 2 || b.wrong.size() < 2;
}

std::string fingerprint_of(const Finding& finding) {
  const Problem& p = finding.problem;
  const std::string pattern = pattern_of(finding);
  const std::string to = p.format_to == nullptr ? "" : std::string(" to ") + p.format_to->name;
  return p.property + (p.variant.empty() ? "" : " (" + p.variant + ")") + " on " + p.subject + ": " + p.format->name +
         to + " " + p.scheme->name + " " + name_of(p.types) + ": " + finding.kind +
         (pattern.empty() ? "" : ": " + pattern);
}

}  // namespace tileproof
