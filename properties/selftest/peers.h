/// The peers' criteria: what public test suites of int4 weight kernels accept, put to the same mutants as our
/// properties, on the data and the shapes that such suites use. They are criteria of others, labelled so, and judge
/// nothing of ours.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "properties/mutants/mutants.h"

namespace tileproof {

/// What a suite looks at of one result: weights as numbers, beside those of the identity matmul (one rounding) and of
/// the eager formula (two).
struct ErrorSums {
  double largest_from_identity = 0;  // NaN where any is
  double largest_from_eager = 0;
  double largest_of_identity_from_eager = 0;
  bool all_close = true;     // |got - identity| <= 1e-2 + 1e-2 * |identity|, each
  double sum_of_errors = 0;  // of magnitudes
  double sum_of_identity = 0;
  double squares_of_errors = 0;
  double squares_of_identity = 0;
  bool codes_come_back = true;  // unpack(pack(codes)) == codes
};

struct PeerCriterion {
  std::string name;
  std::string what;
  std::string source;
  bool (*accepts)(const ErrorSums&);
  bool of_codes = false;  // looks at pack and unpack alone
};
const std::vector<PeerCriterion>& peer_criteria();

struct PeerShape {
  std::int64_t n, k;
  const Format* format;
  std::int64_t group_size;
  std::string text() const;
};
/// The five shapes of such suites, each with one format and group size of theirs, so that all of those occur.
const std::vector<PeerShape>& peer_shapes();

/// Which of peer_criteria() have rejected a subject.
using Rejections = std::vector<bool>;

/// Mutants put to the criteria, shape after shape. A subject that every criterion has rejected is not asked
/// again; each is one subject from the first shape to the last, as in a test process.
class Peers {
 public:
  /// @param threads  of which each has a result of the largest shape: some 10 bytes an element
  Peers(std::vector<const Mutant*> mutants, std::uint64_t seed, int threads);
  ~Peers();

  /// @param stop  asked between subjects. @return whether all were judged
  bool judge(const PeerShape&, const std::function<bool()>& stop = nullptr);

  const std::vector<const Mutant*>& mutants() const;
  const Rejections& rejections_of(std::size_t mutant) const;
  /// Rejections of the correct control: none, or the criterion is wrong here.
  const Rejections& rejections_of_control() const;

 private:
  struct Judged;
  struct Data;
  std::uint64_t seed_;
  int threads_;
  std::vector<const Mutant*> mutants_;
  std::vector<Judged> judged_;  // the control is the last
};

}  // namespace tileproof
