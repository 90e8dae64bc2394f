/// Draws problems from a sample space. Its kinds of problems (a format, and what it is converted to, with a scheme and
/// types) take turns, so that one of few cells is drawn as often as one of many. A kind visits all its cells before it
/// visits any again, evenly from the start, and RapidCheck draws a problem within each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "properties/case/cells.h"
#include "properties/case/sample_space.h"

namespace tileproof {

class Sampler {
 public:
  /// Properties, and names beside them, draw different problems from the same seed.
  Sampler(const Property& property, const std::string& subject, const SampleSpace&, std::uint64_t seed,
          const std::string& name_beside = "");

  /// The problem of a turn. It depends on the turn and on what the constructor was given, and on nothing else.
  /// @throws std::logic_error if there are no cells, and what RapidCheck throws
  Problem at(std::uint64_t turn) const;
  /// The cell of a turn's problem.
  Cell cell_at(std::uint64_t turn) const { return cell(number_at(turn)); }

  std::uint64_t cell_count() const { return shapes_.size() * cells_of_shape(); }
  /// A cell by its number, below cell_count().
  Cell cell(std::uint64_t number) const;
  bool has_cells_of(const Sampler&) const;

 private:
  /// Cells that differ in alignment and profile alone.
  struct Shape {
    Cell cell;                                   // aligned, without a profile
    std::vector<std::int64_t> group_sizes = {};  // the class's sizes that have a multiple in the range of k
    bool operator==(const Shape&) const = default;
  };
  static std::vector<Shape> shapes_of(const SampleSpace&, Operation);
  /// The number of a turn's cell.
  std::uint64_t number_at(std::uint64_t turn) const;
  const Shape& shape_of(std::uint64_t number) const { return shapes_[number / cells_of_shape()]; }
  std::uint64_t cells_of_shape() const { return 2 * space_.sampling.profiles.size(); }

  const Property& property_;
  std::string subject_;
  SampleSpace space_;
  std::uint64_t seed_;
  std::vector<Shape> shapes_;       // kind by kind
  std::vector<std::size_t> kinds_;  // where each kind's shapes begin, and the end
};

}  // namespace tileproof
