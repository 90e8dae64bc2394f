/// The criteria by which public test suites of int4 weight kernels accept a result, applied to our mutants on the data
/// and shapes of such suites. They are labelled as the criteria of others and never judge our kernels.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "properties/mutants/mutants.h"

namespace tileproof {

/// The figures that a suite computes from one result: its weights compared with the identity matmul (one rounding) and
/// the eager formula (two roundings).
struct ErrorSums {
  double largest_from_identity = 0;  // NaN if any weight is NaN
  double largest_from_eager = 0;
  double largest_of_identity_from_eager = 0;
  bool all_close = true;     // |got - identity| <= 1e-2 + 1e-2 * |identity| for each weight
  double sum_of_errors = 0;  // sum of magnitudes
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
  bool of_codes = false;  // uses only pack and unpack
};
const std::vector<PeerCriterion>& peer_criteria();

struct PeerShape {
  std::int64_t n, k;
  const Format* format;
  std::int64_t group_size;
  std::string text() const;
};
/// Five shapes of such suites, each with one of their formats and group sizes; together they use all of those.
const std::vector<PeerShape>& peer_shapes();

/// For each of peer_criteria(), whether it has rejected a subject.
using Rejections = std::vector<bool>;

/// Applies the criteria to mutants, shape by shape. A subject that every criterion has rejected is not run again. Each
/// mutant is one subject for all shapes, as in a test process.
class Peers {
 public:
  /// @param threads  each holds a result of the largest shape, some 10 bytes an element
  Peers(std::vector<const Mutant*> mutants, std::uint64_t seed, std::size_t threads);

  /// @param stop  called between subjects
  /// @return whether all were judged
  bool judge(const PeerShape&, const std::function<bool()>& stop = nullptr);

  const std::vector<const Mutant*>& mutants() const { return mutants_; }
  const Rejections& rejections_of(std::size_t mutant) const { return judged_.at(mutant).rejections; }
  /// The criteria that reject the correct control. Any such criterion is reproduced wrongly here.
  const Rejections& rejections_of_control() const { return judged_.back().rejections; }

 private:
  struct Judged {
    Mutation parts;
    bool has_memory;
    std::unique_ptr<Subject> subject;
    Rejections rejections;

    bool done() const;
  };

  std::uint64_t seed_;
  std::size_t threads_;
  std::vector<const Mutant*> mutants_;
  std::vector<Judged> judged_;  // the control is the last
};

}  // namespace tileproof
