// Write and read: every output element is written, nothing else is, and nothing outside the inputs is read. Every call
// of every property is guarded; these properties add a second poison and a second fence, which show what one call
// cannot.
#include "properties/catalogue/properties.h"
#include "properties/problem/specification.h"

namespace tileproof {

namespace {

constexpr Fill usual = {.poison = 0xffa5, .fence = 0xff};
constexpr Fill other_poison = {.poison = 0xffda, .fence = 0xff};
constexpr Fill other_fence = {.poison = 0xffa5, .fence = 0x3c};  // finite in every type; codes 12 and 3

/// Runs an operation under two fills and expects equal results. They differ where the call leaves an output element
/// unwritten or reads outside its inputs.
template <class Run>
void same_under(Case& c, const Fill& other, Run run) {
  c.elements_are("a result over other bytes outside the inputs, expected the one over the usual bytes");
  c.fill(usual);
  const auto first = run();
  c.fill(other);
  const auto second = run();
  c.fill(usual);
  c.expect_equal(second, first);
}

void operation_is_the_same_under(Case& c, const Fill& other, Operation operation) {
  const Matrix<std::uint8_t> codes = c.codes();
  const std::vector<std::uint32_t> packed = specified::packed(*c.problem.format, codes);
  if (operation == Operation::pack) return same_under(c, other, [&] { return c.pack(codes); });
  if (operation == Operation::unpack) return same_under(c, other, [&] { return c.unpack(packed); });
  const Parameters parameters = c.parameters();
  same_under(c, other, [&] { return c.dequantize(packed, parameters); });
}

/// Padding rows may hold any code without changing the result.
void padding_never_matters(Case& c) {
  const Matrix<std::uint8_t> codes = c.codes();
  const Parameters parameters = c.parameters();
  const Size padded_size = c.problem.layout().padded(c.problem.size());
  Matrix<std::uint8_t> padded(padded_size.n, padded_size.k);
  for (std::size_t i = 0; i < padded.elements.size(); ++i) {
    padded.elements[i] = i < codes.elements.size() ? codes.elements[i] : static_cast<std::uint8_t>(c.choice(i) & 15);
  }
  const std::vector<std::uint32_t> clean = specified::packed(*c.problem.format, codes);
  const std::vector<std::uint32_t> dirty = specified::packed(*c.problem.format, padded);
  c.elements_are("a result with other padding, expected the one with code 0 there");
  c.expect_equal(c.unpack(dirty), c.unpack(clean));
  c.expect_equal(c.dequantize(dirty, parameters), c.dequantize(clean, parameters));
}

/// The coverage goals of an operation's cases. Only weights have groups and types.
std::vector<const CoverageGoals*> shapes_of(Operation operation) {
  std::vector<const CoverageGoals*> coverage = {&every_format, &with_padding, &not_square, &both_alignments};
  if (operation == Operation::dequantize) coverage.insert(coverage.end(), {&several_groups, &every_type});
  return coverage;
}

Sampling draws_of(Operation operation) {
  return operation == Operation::dequantize ? Sampling() : Sampling{.of_codes = true};
}

}  // namespace

std::vector<Property> memory_properties() {
  std::vector<Property> rows;
  const auto add = [&rows](const std::string& kind, Operation operation, const std::string& sentence,
                           const std::string& finds, const Fill& other) {
    rows.push_back({.name = kind + name_of(operation) + sentence,
                    .finds = finds,
                    .needs = {operation},
                    .meets = shapes_of(operation),
                    .sampling = draws_of(operation),
                    .body = [=](Case& c) { operation_is_the_same_under(c, other, operation); }});
  };
  for (const Operation operation : operations_on_the_layout) {
    add("write/", operation, "_writes_every_element_and_nothing_else",
        "tails skipped, stores past the end, stale output", other_poison);
  }
  for (const Operation operation : operations_on_the_layout) {
    add("read/", operation, "_reads_nothing_outside_its_inputs",
        "loads outside that reach the result; on a host any load outside", other_fence);
  }
  rows.push_back({"padding/rows_past_the_end_never_matter",
                  "a last tile computed from padding",
                  {Operation::unpack, Operation::dequantize},
                  shapes_of(Operation::dequantize),
                  {},
                  padding_never_matters});
  return rows;
}

}  // namespace tileproof
