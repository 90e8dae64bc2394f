/// For the tests of calls: legal calls of problems of every shape, and a walk over the elements of a tensor.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "properties/case/calls.h"
#include "properties/subjects/mutable_operators_for_tests.h"

namespace tileproof {

/// A case on correct operators, with everything that it needs.
struct CallBench {
  explicit CallBench(const std::string& flags) : problem(problem_of("--property=c --subject=s --seed=0x9 " + flags)) {}

  Problem problem;
  Capabilities capabilities = library_capabilities({std::begin(operator_operations), std::end(operator_operations)});
  MutableOperators subject;
  Coverage coverage;
  Case one{problem, capabilities, subject, coverage};
};

inline const std::vector<std::string> call_problems = {"--n=8",
                                                       "--n=1 --k=64",
                                                       "--n=13 --k=96",
                                                       "--n=24 --k=128 --group-size=64",
                                                       "--n=9 --k=128 --format=tinygemm-4",
                                                       "--n=16 --k=256 --format=tinygemm-8 --group-size=64",
                                                       "--n=5 --k=256 --format=tinygemm-8 --group-size=256"};

/// Calls `use` for every problem with every operation and its legal call.
template <class Use>
void for_each_legal_call(Use use) {
  for (const std::string& flags : call_problems) {
    for (const Operation operation : operator_operations) {
      SCOPED_TRACE(flags + ", " + name_of(operation));
      CallBench b(flags);
      const CallData data = drawn_data(b.one, operation);
      use(b, data, legal_call(b.problem, operation, data));
    }
  }
}

/// Calls `use` for every tensor of every legal call.
template <class Use>
void for_each_tensor(Use use) {
  for_each_legal_call([&](CallBench&, const CallData&, const OperatorCall& call) {
    for (const Argument& argument : call.arguments) {
      if (!argument.number) use(argument);
    }
  });
}

inline bool same(const Argument& a, const Argument& b) {
  return a.name == b.name && a.number == b.number && a.element == b.element && a.sizes == b.sizes &&
         a.strides == b.strides && a.offset == b.offset && a.storage == b.storage && a.where == b.where;
}

/// Calls `use` with every element's position in the storage, in elements; the last dimension is the fastest.
template <class Use>
void walk(const Argument& tensor, std::size_t dimension, std::int64_t place, Use& use) {
  if (dimension == tensor.sizes.size()) return use(place);
  for (std::int64_t i = 0; i < tensor.sizes[dimension]; ++i) {
    walk(tensor, dimension + 1, place + i * tensor.strides[dimension], use);
  }
}

inline std::vector<std::int64_t> places_of(const Argument& tensor) {
  std::vector<std::int64_t> places;
  const auto keep = [&](std::int64_t place) { places.push_back(place); };
  walk(tensor, 0, tensor.offset, keep);
  return places;
}

/// The bytes of the elements in the order of their indices; empty if an element lies outside the storage.
inline std::vector<std::uint8_t> elements_of(const Argument& tensor) {
  const std::int64_t step = bytes_of(tensor.element);
  std::vector<std::uint8_t> bytes;
  for (const std::int64_t place : places_of(tensor)) {
    if (place < 0 || (place + 1) * step > static_cast<std::int64_t>(tensor.storage.size())) return {};
    bytes.insert(bytes.end(), tensor.storage.begin() + place * step, tensor.storage.begin() + (place + 1) * step);
  }
  return bytes;
}

}  // namespace tileproof
