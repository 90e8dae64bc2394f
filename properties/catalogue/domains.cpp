// Domains: the cost of converting a zero point between the integer and the float domain, as stated and proved in
// reference/domains.h, is compared with the weights themselves. These properties test the specification alone and call
// no subject.
#include "properties/catalogue/domains.h"

#include <bit>
#include <cmath>
#include <sstream>

#include "properties/catalogue/domains_measures.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/draw.h"
#include "properties/problem/specification.h"
#include "reference/dequantize.h"

namespace tileproof::domains {

namespace {

// Real numbers are doubles here, independent of the reference's integers. A double holds exactly every scale, zero and
// weight, (8 - zero_point) * scale, the difference of two weights of one code, and the difference of a zero and the
// nearest multiple of its scale: each needs only a few bits more than the format has.

/// The position of a value on the real line. An infinity stands at the smallest power of two that rounds to it.
class Line {
 public:
  explicit Line(FloatFormat format) : format_(format), table_(format.bits() == 16 ? &table_of(format) : nullptr) {}

  double operator()(std::uint32_t pattern) const {
    return table_ != nullptr ? (*table_)[pattern] : computed(format_, pattern);
  }

  /// The number of steps between neighbouring values from one pattern to the other.
  double steps(std::uint32_t a, std::uint32_t b) const { return std::fabs(ordinal(a) - ordinal(b)); }

 private:
  static double computed(FloatFormat format, std::uint32_t pattern) {
    const bool is_infinite = (pattern & (format.sign_bit() - 1)) == format.infinity();
    if (!is_infinite) return specified::value(format, pattern);
    const double magnitude = std::ldexp(1, format.bias() + 1);
    return (pattern & format.sign_bit()) != 0 ? -magnitude : magnitude;
  }
  static const std::vector<double>& table_of(FloatFormat format) {
    static const std::vector<double> tables[] = {tabulated(reference::bf16), tabulated(reference::fp16)};
    return tables[format == reference::bf16 ? 0 : 1];
  }
  static std::vector<double> tabulated(FloatFormat format) {
    std::vector<double> table(65536);
    for (std::uint32_t pattern = 0; pattern < 65536; ++pattern) table[pattern] = computed(format, pattern);
    return table;
  }
  double ordinal(std::uint32_t pattern) const {
    const double magnitude = pattern & (format_.sign_bit() - 1);
    return (pattern & format_.sign_bit()) != 0 ? -magnitude : magnitude;
  }

  FloatFormat format_;
  const std::vector<double>* table_;
};

struct Point {
  std::uint32_t scale = 0;
  std::uint32_t zero = 0;
  int zero_point = 0;
  int code = 0;
};

std::string text_of(FloatFormat format, const Point& p) {
  std::ostringstream text;
  text << std::hex << "scale 0x" << p.scale << ", zero 0x" << p.zero << std::dec << " ("
       << specified::value(format, p.scale) << ", " << specified::value(format, p.zero) << "), zero point "
       << p.zero_point << ", code " << p.code;
  return text.str();
}

/// The largest value of a measure, and the point where it occurred.
class Largest {
 public:
  explicit Largest(const Measure& measure) : name_(measure.name) {}
  void consider(double value, const Point& point) {
    if (value <= value_) return;
    value_ = value;
    point_ = point;
  }
  void report(Case& c) const {
    if (value_ >= 0) c.measured(name_, value_, text_of(float_format_of(c.problem.types.weight), point_));
  }

 private:
  const char* name_;
  double value_ = -1;
  Point point_;
};

/// Lists the first ten points where a prediction fails, and counts all of them.
class Wrong {
 public:
  explicit Wrong(Case& c) : case_(c) {}
  void at(const Point& point, const std::string& what) {
    if (++count_ > 10) return;
    listed_ += "\n  " + text_of(float_format_of(case_.problem.types.weight), point) + ": " + what;
  }
  /// @throws Failure if any point is wrong
  void report() const {
    if (count_ == 0) return;
    throw Failure("mismatch", std::to_string(count_) + (count_ == 1 ? " point is wrong" : " points are wrong") +
                                  (count_ > 10 ? "; the first ten:" : ":") + listed_);
  }

 private:
  Case& case_;
  std::int64_t count_ = 0;
  std::string listed_;
};

double value(const Exact& exact) { return specified::value(exact); }

bool is_finite(FloatFormat format, std::uint32_t pattern) {
  return (pattern & (format.sign_bit() - 1)) < format.infinity();
}
bool is_zero(FloatFormat format, std::uint32_t pattern) { return (pattern & (format.sign_bit() - 1)) == 0; }

/// Calls use(index) for the case's points in a domain of 2^bits.
template <class Use>
void for_each_index(const Case& c, int bits, Use use) {
  const auto count = static_cast<std::uint64_t>(c.problem.n * c.problem.k);
  for (std::uint64_t i = 0; i < count; ++i) use(spread(c.problem.seed + i, bits));
}

/// Calls `use` with (scale, zero point) pairs and the float-domain zero that follows from them.
template <class Use>
void for_each_pair_of_integers(const Case& c, Use use) {
  const FloatFormat format = float_format_of(c.problem.types.weight);
  for_each_index(c, format.bits() + 8, [&](std::uint64_t index) {
    Point p;
    p.scale = static_cast<std::uint32_t>(index >> 8);
    p.zero_point = static_cast<int>(index & 255) - 128;
    p.zero = reference::float_zero_of(format, p.scale, p.zero_point);
    use(p);
  });
}

bool is_of_four_bits(int zero_point) { return zero_point >= 0 && zero_point <= 15; }

constexpr const char* no_scale = "the scale is no finite number";
constexpr const char* zero_rounded = "(8 - zero point) * scale is no value of the format: the zero is rounded";
constexpr const char* zero_overflowed = "(8 - zero point) * scale overflows: the zero is infinite";

/// The distance from a finite value to the next one away from 0.
double last_place(FloatFormat format, const Line& line, std::uint32_t pattern) {
  const std::uint32_t magnitude = pattern & (format.sign_bit() - 1);
  return line(magnitude + 1) - line(magnitude);
}

}  // namespace

void conversion_rounds_where_predicted(Case& c, const Predictions& predicted) {
  const FloatFormat format = float_format_of(c.problem.types.weight);
  const Line line(format);
  const double two_to_p = std::ldexp(1, format.fraction_bits + 1);
  Wrong wrong(c);
  Largest moved(zero_in_scales);
  Largest moved_4_bits(zero_in_scales_4_bits);
  Largest in_last_places(zero_in_steps);
  Largest in_last_places_4_bits(zero_in_steps_4_bits);
  std::int64_t without_scale = 0;
  std::int64_t rounded = 0;
  std::int64_t overflowed = 0;
  for_each_pair_of_integers(c, [&](const Point& p) {
    c.count_check(p.zero);
    const bool is_exact = predicted.is_exact(format, p.scale, p.zero_point);
    const bool overflows = predicted.overflows(format, p.scale, p.zero_point);
    if (!is_finite(format, p.scale)) {
      ++without_scale;
      if (is_exact || overflows) wrong.at(p, "predicted exact or overflowing, with no scale");
      return;
    }
    const int steps = 8 - p.zero_point;
    const double scale = line(p.scale);
    const double difference = std::fabs(line(p.zero) - steps * scale);
    const bool is_infinite = !is_finite(format, p.zero);
    if (overflows != is_infinite) wrong.at(p, overflows ? "predicted to overflow" : "not predicted to overflow");
    if (is_exact != (!is_infinite && difference == 0)) wrong.at(p, is_exact ? "predicted exact" : "predicted to round");
    if (is_infinite) return static_cast<void>(++overflowed);
    if (difference != 0) ++rounded;
    if (difference * two_to_p > std::abs(steps) * std::fabs(scale))
      wrong.at(p, "moved by more than |8 - zero point| / 2^p");
    if (is_of_four_bits(p.zero_point) && difference * two_to_p > 7 * std::fabs(scale)) {
      wrong.at(p, "moved by more than 7 / 2^p scales");
    }
    if (scale == 0) return;
    if (predicted.nearest(format, p.scale, p.zero) != p.zero_point) wrong.at(p, "does not come back");
    moved.consider(difference / std::fabs(scale), p);
    const double last_places = difference / last_place(format, line, p.zero);
    in_last_places.consider(last_places, p);
    if (!is_of_four_bits(p.zero_point)) return;
    moved_4_bits.consider(difference / std::fabs(scale), p);
    in_last_places_4_bits.consider(last_places, p);
  });
  wrong.report();
  for (const Largest* one : {&moved, &moved_4_bits, &in_last_places, &in_last_places_4_bits}) one->report(c);
  c.count_explained(no_scale, without_scale);
  c.count_explained(zero_rounded, rounded);
  c.count_explained(zero_overflowed, overflowed);
}

void converted_weights_are_within_the_bound(Case& c, const Predictions& predicted) {
  const FloatFormat format = float_format_of(c.problem.types.weight);
  const Line line(format);
  Wrong wrong(c);
  Largest of_bound(weight_of_bound);
  Largest in_scales(weight_in_scales);
  Largest in_scales_4_bits(weight_in_scales_4_bits);
  Largest in_steps(weight_in_steps);
  Largest in_steps_4_bits(weight_in_steps_4_bits);
  Largest of_zero(weight_of_zero);
  std::int64_t without_scale = 0;
  std::int64_t overflowed = 0;
  std::int64_t turned = 0;
  std::int64_t differing = 0;
  for_each_pair_of_integers(c, [&](Point p) {
    const bool has_scale = is_finite(format, p.scale);
    const bool is_exact = predicted.is_exact(format, p.scale, p.zero_point);
    const bool overflows = predicted.overflows(format, p.scale, p.zero_point);
    for (p.code = 0; p.code < 16; ++p.code) {
      const std::uint32_t of_integer = reference::dequantized_integer(format, p.code, p.scale, p.zero_point);
      const std::uint32_t of_float = reference::dequantized_float(format, p.code, p.scale, p.zero);
      c.count_check(of_float);
      const bool same = of_integer == of_float;
      if (!has_scale) {
        if (!same) ++without_scale;
        if (!same && of_float != format.canonical_nan()) wrong.at(p, "neither the same nor NaN, with no scale");
      } else if (overflows) {
        if (!same) ++overflowed;
        if (of_float != p.zero) wrong.at(p, "not the infinite zero");
      } else if (is_exact) {
        const bool turns = predicted.turns_a_zero(format, p.code, p.scale, p.zero_point);
        if (turns) ++turned;
        const bool as_predicted =
            turns ? (of_integer ^ of_float) == format.sign_bit() && is_zero(format, of_float) : same;
        if (!as_predicted) wrong.at(p, "an exact conversion changed the weight, or did not turn a zero");
      } else {
        if (!same) ++differing;
        const double scale = std::fabs(line(p.scale));
        const double difference = std::fabs(line(of_float) - line(of_integer));
        const double bound = value(predicted.bound(format, p.code, p.scale, p.zero_point));
        if (difference > bound) wrong.at(p, "differs by more than the bound");
        of_bound.consider(difference / bound, p);
        in_scales.consider(difference / scale, p);
        if (is_of_four_bits(p.zero_point)) in_scales_4_bits.consider(difference / scale, p);
        if (p.code == p.zero_point) {
          of_zero.consider(difference / scale, p);
        } else {
          in_steps.consider(line.steps(of_float, of_integer), p);
          if (is_of_four_bits(p.zero_point)) in_steps_4_bits.consider(line.steps(of_float, of_integer), p);
        }
      }
    }
  });
  wrong.report();
  for (const Largest* one : {&of_bound, &in_scales, &in_scales_4_bits, &in_steps, &in_steps_4_bits, &of_zero}) {
    one->report(c);
  }
  c.count_explained(no_scale, without_scale);
  c.count_explained(zero_overflowed, overflowed);
  c.count_explained("the conversion is exact, and a weight of 0 has the other sign", turned);
  c.count_explained(zero_rounded, differing);
}

void nearest_zero_point_is_the_nearest(Case& c, const Predictions& predicted) {
  const FloatFormat format = float_format_of(c.problem.types.weight);
  const Line line(format);
  Wrong wrong(c);
  Largest moved(nearest_zero);
  std::int64_t without_answer = 0;
  std::int64_t clamped = 0;
  std::int64_t came_back_rounded = 0;
  std::int64_t changed = 0;
  for_each_index(c, 2 * format.bits(), [&](std::uint64_t index) {
    Point p;
    p.scale = static_cast<std::uint32_t>(index >> format.bits());
    p.zero = static_cast<std::uint32_t>(index & ((std::uint64_t{1} << format.bits()) - 1));
    const std::optional<int> nearest = predicted.nearest(format, p.scale, p.zero);
    c.count_check(static_cast<std::uint32_t>(nearest.value_or(1000)));
    if (!is_finite(format, p.scale) || !is_finite(format, p.zero) || is_zero(format, p.scale)) {
      ++without_answer;
      if (nearest) wrong.at(p, "an answer where there is none");
      return;
    }
    if (!nearest) return wrong.at(p, "no answer");
    p.zero_point = *nearest;
    const double scale = std::fabs(line(p.scale));
    const double zero = line(p.scale) < 0 ? -line(p.zero) : line(p.zero);
    // distance beyond the multiple, towards smaller zero points
    const double beyond = zero - (8 - p.zero_point) * scale;
    const bool below = p.zero_point == -128 && beyond > scale / 2;
    const bool above = p.zero_point == 127 && beyond < -scale / 2;
    if (below || above) return static_cast<void>(++clamped);
    if (std::fabs(beyond) > scale / 2) wrong.at(p, "another zero point is nearer");
    // A tie between 127 and 128 goes to the even 128, which is then clamped to 127.
    const bool is_tie = std::fabs(beyond) == scale / 2 && !(p.zero_point == 127 && beyond < 0);
    if (is_tie && p.zero_point % 2 != 0) wrong.at(p, "a tie that does not go to even");
    const bool has_exact = reference::zero_point_of(format, p.scale, p.zero) == nearest;
    if (has_exact != (beyond == 0)) wrong.at(p, has_exact ? "taken for exact" : "not taken for exact");
    moved.consider(std::fabs(beyond) / scale, p);
    const std::uint32_t back = reference::float_zero_of(format, p.scale, p.zero_point);
    const bool comes_back = line(back) == line(p.zero);
    if (beyond == 0 && !comes_back) wrong.at(p, "exact, and does not come back");
    if (beyond != 0) ++(comes_back ? came_back_rounded : changed);
  });
  wrong.report();
  moved.report(c);
  c.count_explained("no finite scale other than 0, or no finite zero: there is no zero point", without_answer);
  c.count_explained("the nearest zero point is beyond int8: clamped", clamped);
  c.count_explained("the zero is a multiple of the scale, rounded: it comes back", came_back_rounded);
  c.count_explained("the zero is no multiple of the scale: it is moved to the nearest", changed);
}

void nearest_weights_are_within_the_bound(Case& c, const Predictions& predicted) {
  const FloatFormat format = float_format_of(c.problem.types.weight);
  const Line line(format);
  Wrong wrong(c);
  Largest of_bound(nearest_weight_of_bound);
  Largest in_scales(nearest_weight_in_scales);
  Largest in_scales_4_bits(nearest_weight_in_scales_4_bits);
  std::int64_t without_answer = 0;
  std::int64_t clamped = 0;
  std::int64_t differing = 0;
  std::int64_t turned = 0;
  for_each_index(c, 2 * format.bits(), [&](std::uint64_t index) {
    Point p;
    p.scale = static_cast<std::uint32_t>(index >> format.bits());
    p.zero = static_cast<std::uint32_t>(index & ((std::uint64_t{1} << format.bits()) - 1));
    c.count_check(p.zero);
    if (!is_finite(format, p.scale) || !is_finite(format, p.zero) || is_zero(format, p.scale)) {
      return static_cast<void>(++without_answer);
    }
    const double scale = std::fabs(line(p.scale));
    // beyond int8 for either sign of scale and zero
    if (std::fabs(line(p.zero)) > 136.5 * scale) return static_cast<void>(++clamped);
    p.zero_point = predicted.nearest(format, p.scale, p.zero).value();
    const double moved = std::fabs(line(p.zero) - (8 - p.zero_point) * line(p.scale));
    if (moved > scale / 2) {
      if (p.zero_point != -128 && p.zero_point != 127) wrong.at(p, "is further than half a scale, and not clamped");
      return static_cast<void>(++clamped);
    }
    bool has_turned = false;
    bool has_moved = false;
    for (p.code = 0; p.code < 16; ++p.code) {
      const std::uint32_t of_integer = reference::dequantized_integer(format, p.code, p.scale, p.zero_point);
      const std::uint32_t of_float = reference::dequantized_float(format, p.code, p.scale, p.zero);
      if (of_integer == of_float) continue;
      const double difference = std::fabs(line(of_float) - line(of_integer));
      (moved == 0 ? has_turned : has_moved) = true;
      if (moved == 0) {
        if (difference != 0) wrong.at(p, "an exact zero point changed the weight");
        continue;
      }
      const double bound = value(predicted.nearest_bound(format, p.code, p.scale, p.zero_point));
      if (difference > bound) wrong.at(p, "differs by more than the bound");
      of_bound.consider(difference / bound, p);
      in_scales.consider(difference / scale, p);
      if (is_of_four_bits(p.zero_point)) in_scales_4_bits.consider(difference / scale, p);
    }
    if (has_turned) ++turned;
    if (has_moved) ++differing;
  });
  wrong.report();
  of_bound.report(c);
  in_scales.report(c);
  in_scales_4_bits.report(c);
  c.count_explained("no finite scale other than 0, or no finite zero: there is no zero point", without_answer);
  c.count_explained("the nearest zero point is beyond int8: clamped", clamped);
  c.count_explained("the zero point is exact, and a weight of 0 has the other sign", turned);
  c.count_explained("the zero is no multiple of the scale: it is moved to the nearest", differing);
}

}  // namespace tileproof::domains

namespace tileproof {

namespace {

using Body = void (*)(Case&, const domains::Predictions&);

/// One enumeration for each 16-bit type that the subject takes: 2^bits points in steps of 2^bits_of_step.
std::vector<Enumeration> enumerated(const Capabilities& capabilities, const std::string& point, int bits,
                                    int bits_of_step) {
  std::vector<Enumeration> all;
  for (const Type type : {Type::bf16, Type::fp16}) {
    Problem problem;
    problem.k = 4096;
    problem.n = (std::int64_t{1} << bits_of_step) / problem.k;
    problem.scheme = scheme::integer;
    problem.types = type;
    if (!capabilities.takes(problem)) continue;
    all.push_back({.steps = std::int64_t{1} << (bits - bits_of_step),
                   .points_of_step = std::uint64_t{1} << bits_of_step,
                   .point = std::string(name_of(type)) + " " + point,
                   .problem = with_seeds(problem, [=](std::int64_t step) { return step << bits_of_step; })});
  }
  return all;
}

Property property_of_domains(const char* name, const char* finds, std::vector<Types> types, Body body,
                             const char* point, int bits, int bits_of_step) {
  return {.name = std::string("domains/") + name,
          .finds = finds,
          .needs = {},
          .meets = {},
          .sampling = {.schemes = {scheme::integer}, .types = std::move(types), .most_k = 1024, .most_elements = 1024},
          .body = [body](Case& c) { body(c, {}); },
          .of_specification = true,
          .proof = "domains",
          .enumerations =
              [=](const Capabilities& capabilities) { return enumerated(capabilities, point, bits, bits_of_step); }};
}

}  // namespace

std::vector<Property> domains_properties() {
  const std::vector<Types> types = {Type::bf16, Type::fp16, Type::fp32};
  const std::vector<Types> of_16_bits = {Type::bf16, Type::fp16};
  // A step takes some 0.1 s on one core: within a budget, a task that began can use up the time of the others by no
  // more.
  return {
      property_of_domains(
          "a_converted_zero_rounds_exactly_where_predicted",
          "a condition for an exact conversion that is too wide or too narrow; a zero point that is lost", types,
          domains::conversion_rounds_where_predicted, "(scale, zero point) pairs", 24, 17),
      property_of_domains("a_converted_weight_differs_by_one_last_place_at_most",
                          "a bound that does not hold; a difference where the conversion is exact", types,
                          domains::converted_weights_are_within_the_bound,
                          "(scale, zero point) pairs with all 16 codes", 24, 15),
      property_of_domains("the_nearest_zero_point_is_found",
                          "ties to odd, a clamp too early, an answer where there is none", of_16_bits,
                          domains::nearest_zero_point_is_the_nearest, "(scale, zero) pairs", 32, 20),
      property_of_domains("a_weight_of_the_nearest_zero_point_stays_within_the_bound", "a bound that does not hold",
                          of_16_bits, domains::nearest_weights_are_within_the_bound,
                          "(scale, zero) pairs with all 16 codes", 32, 18),
  };
}

}  // namespace tileproof
