// Write and read: every output element is written, nothing else is, and nothing outside the inputs is read. Every call
// of every property is guarded; these properties add a second poison and a second fence, which show what one call
// cannot.
#include "properties/case/calls.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/specification.h"

namespace tileproof {

namespace {

constexpr Fill usual = {.poison = 0xffa5, .fence = 0xff};
constexpr Fill other_poison = {.poison = 0xffda, .fence = 0xff};
constexpr Fill other_fence = {.poison = 0xffa5, .fence = 0x3c};  // finite in every type; codes 12 and 3

/// Runs an operation under two fills and expects equal results. They differ where the call leaves an output element
/// unwritten or reads outside its inputs.
void operation_is_the_same_under(Case& c, const Fill& other, Operation operation) {
  const CallData data = drawn_data(c, operation);
  c.elements_are("a result over other bytes outside the inputs, expected the one over the usual bytes");
  c.fill(usual);
  const Result first = c.run(operation, data);
  c.fill(other);
  const Result second = c.run(operation, data);
  c.fill(usual);
  c.expect_equal(second, first);
}

/// The packed codes, with any codes in the padding.
std::vector<std::uint32_t> with_other_padding(const Case& c, std::vector<std::uint32_t> packed) {
  specified::fill_padding(*c.problem.format, c.problem.size(), packed, [&](std::int64_t slot) {
    return static_cast<std::uint32_t>(c.choice(static_cast<std::uint64_t>(slot)) & 15);
  });
  return packed;
}

/// Padding may hold any code without changing the result.
void padding_never_matters(Case& c) {
  const Matrix<std::uint8_t> codes = c.codes();
  const Parameters parameters = c.parameters();
  const std::vector<std::uint32_t> clean = specified::packed(*c.problem.format, codes);
  const std::vector<std::uint32_t> dirty = with_other_padding(c, clean);
  c.elements_are("a result with other padding, expected the one with the usual padding");
  c.expect_equal(c.unpack(dirty), c.unpack(clean));
  c.expect_equal(c.dequantize(dirty, parameters), c.dequantize(clean, parameters));
}

void padding_is_never_converted(Case& c) {
  const Matrix<std::uint8_t> codes = c.codes();
  const std::vector<std::uint32_t> clean = specified::packed(*c.problem.format, codes);
  c.expect_equal(c.convert(with_other_padding(c, clean)), c.convert(clean));
}

}  // namespace

std::vector<Property> memory_properties() {
  std::vector<Property> rows;
  const auto add = [&rows](const char* kind, const char* sentence, const char* finds, const Fill& other) {
    for (const Operation operation : pointer_operations) {
      rows.push_back(
          operation_property(kind, operation, sentence, finds, shapes_of(operation),
                             [other](Case& c, Operation one) { operation_is_the_same_under(c, other, one); }));
      rows.back().watches_memory = true;
    }
  };
  add("write", "writes_every_element_and_nothing_else", "tails skipped, stores past the end, stale output",
      other_poison);
  add("read", "reads_nothing_outside_its_inputs", "loads outside that reach the result; on a host any load outside",
      other_fence);
  rows.push_back({"padding/rows_past_the_end_never_matter",
                  "a last tile computed from padding",
                  {Operation::unpack, Operation::dequantize},
                  shapes_of(Operation::dequantize),
                  {},
                  padding_never_matters,
                  &with_padding});
  rows.push_back(operation_property("padding", Operation::convert, "gives_none_of_the_rows_past_the_end",
                                    "padding that is converted too", shapes_of(Operation::convert),
                                    padding_is_never_converted));
  rows.back().about = &with_padding;
  return rows;
}

}  // namespace tileproof
