// Oracle: the specification's arithmetic equals MPFR's over whole domains.
#include "properties/catalogue/oracle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "properties/catalogue/mpfr_format.h"
#include "properties/catalogue/properties.h"
#include "properties/problem/named.h"

namespace tileproof {

namespace {

using Bits = Judged::Bits;
using mpfr::Form;
using mpfr::Number;

// A case tests n * k / 16 points from its seed on, modulo the domain: drawn problems are a sample, the steps of an
// enumeration are all of it. fp32 is tested over the scales and zeros that bf16 represents, since every pattern would
// be 2^68 triples; without a zero point, over every scale.

/// Counts comparisons, and keeps the first ten differences as text.
class Comparison {
 public:
  Comparison(Case& c, const char* what)
      : case_(c), what_(what), digits_(float_format_of(c.problem.types.weight).bits() / 4) {}

  /// @param describe  prints the inputs; called only for a difference that is listed
  template <class Describe>
  void add(Bits expected, Bits got, Describe describe) {
    case_.count_check(expected);
    ++compared_;
    if (expected == got) return;
    if (++wrong_ > most_listed) return;
    listed_ << "\n  ";
    describe(*this);
    listed_ << ": expected " << hexadecimal(expected) << ", got " << hexadecimal(got);
  }
  template <class T>
  Comparison& operator<<(const T& text) {
    listed_ << text;
    return *this;
  }
  std::string hexadecimal(Bits bits) const { return hex_text(bits, digits_); }

  /// @throws Failure if anything differed
  void finish() const {
    if (wrong_ == 0) return;
    throw Failure("mismatch", std::to_string(wrong_) + " of " + std::to_string(compared_) + " " + what_ +
                                  " differ from what MPFR computes" +
                                  (wrong_ > most_listed ? "; the first ten:" : ":") + listed_.str());
  }

 private:
  static constexpr std::int64_t most_listed = 10;
  Case& case_;
  const char* what_;
  int digits_;
  std::int64_t compared_ = 0;
  std::int64_t wrong_ = 0;
  std::ostringstream listed_;
};

/// Compares something at every point of the problem.
/// @param use  takes the comparison and the index of a point
template <class Use>
void compare_points(Case& c, const char* what, Use use) {
  const Problem& p = c.problem;
  Comparison comparison(c, what);
  const auto count = static_cast<std::uint64_t>(p.n * (p.k / 16));
  for (std::uint64_t i = 0; i < count; ++i) use(comparison, p.seed + i);
  comparison.finish();
}

/// The value of a 16-bit pattern. In fp32, the pattern stands for the bf16 value that it is the upper half of.
const Number& operand(Type type, Bits pattern) {
  return mpfr::all_values(type == Type::fp32 ? Type::bf16 : type)[pattern];
}
Bits widened(Type type, Bits pattern) { return type == Type::fp32 ? pattern << 16 : pattern; }

constexpr Bits no_pattern = ~Bits{0};

/// For each number of doublings 0 to 3 and each pattern of operand(), the pattern of the value times 2^doublings;
/// no_pattern where the format has no such value.
using Doubled = std::array<std::vector<Bits>, 4>;
Doubled made_doubled(Type type) {
  Doubled all;
  Number x(mpfr::form_of(type).precision);
  for (std::size_t doublings = 0; doublings < all.size(); ++doublings) {
    for (const Number& value : mpfr::all_values(type)) {
      mpfr_mul_2ui(x.get(), value.get(), doublings, MPFR_RNDN);
      const Bits pattern = mpfr::settled(mpfr::form_of(type), x.get(), 0);
      const bool is_it = mpfr_equal_p(x.get(), mpfr::all_values(type)[pattern].get()) != 0 &&
                         mpfr_inf_p(value.get()) == mpfr_inf_p(x.get());
      all[doublings].push_back(is_it ? pattern : no_pattern);
    }
  }
  return all;
}
const Doubled& doubled(Type type) {
  static const Doubled bf16 = made_doubled(Type::bf16);
  static const Doubled fp16 = made_doubled(Type::fp16);
  return type == Type::fp16 ? fp16 : bf16;
}

/// MPFR's (code - 8) * scale + zero, with sums cached by product. A product is an odd factor times a scale, and since
/// twice a scale is usually a scale too, several codes and scales share one. A sum is valid while the zero stays; an
/// exact product is valid while pair_at() gives the same scales, which it does for very many zeros.
class FloatDomainSums {
 public:
  explicit FloatDomainSums(Type type) : type_(type), form_(mpfr::form_of(type)), x_(form_.precision) {}

  /// @param scale, zero  16-bit patterns, as operand() takes them
  void set(Bits scale, Bits zero) {
    for (std::size_t doublings = 0; doublings < multiples_.size(); ++doublings) {
      multiples_[doublings] = doubled(type_)[doublings][scale];
    }
    scale_ = scale;
    zero_ = zero;
  }

  Bits of(int code) {
    const int factor = code - 8;
    const auto magnitude = static_cast<unsigned>(std::abs(factor));
    const int doublings = magnitude == 0 ? 0 : std::countr_zero(magnitude);
    const Bits multiple = multiples_[static_cast<std::size_t>(doublings)];
    if (multiple == no_pattern) {
      set_product(once_, factor, scale_);
      return rounded_sum(once_);
    }
    const Bits odd = magnitude >> doublings;  // 0, 1, 3, 5 or 7
    const Bits signed_multiple = multiple ^ (factor < 0 ? 0x8000 : 0);
    const Bits key = odd << 16 | signed_multiple;
    Remembered& sum = remembered_[odd << 10 | signed_multiple >> 6];
    if (sum.key != key) {
      if (!sum.product) sum.product.emplace(bits_of_product);
      set_product(*sum.product, static_cast<int>(odd), signed_multiple);
      sum.key = key;
      sum.zero = no_pattern;
    }
    if (sum.zero != zero_) {
      sum.bits = rounded_sum(*sum.product);
      sum.zero = zero_;
    }
    return sum.bits;
  }

 private:
  struct Remembered {
    Bits key = no_pattern;  // identifies the product
    Bits zero = no_pattern;
    Bits bits = 0;  // the rounded sum
    std::optional<Number> product;
  };

  void set_product(Number& product, int factor, Bits scale) {
    if (mpfr_mul_si(product.get(), operand(type_, scale).get(), factor, MPFR_RNDN) != 0) {
      throw std::logic_error("the oracle rounded a product that was to be exact");
    }
  }
  Bits rounded_sum(const Number& product) {
    const int ternary = mpfr_add(x_.get(), product.get(), operand(type_, zero_).get(), MPFR_RNDN);
    return mpfr::settled(form_, x_.get(), ternary);
  }

  static constexpr mpfr_prec_t bits_of_product = 4 + 11;  // 4 bits of a factor and 11 of a scale
  Type type_;
  const Form& form_;
  Number x_;
  Number once_{bits_of_product};
  std::array<Bits, 4> multiples_ = {};
  Bits scale_ = 0;
  Bits zero_ = 0;
  std::vector<Remembered> remembered_{std::size_t{8} << 10};
};

void float_domain(Case& c, const Judged& judged) {
  const Type type = c.problem.types.weight;
  const Judged::FloatFormat format = float_format_of(type);
  FloatDomainSums sums(type);
  compare_points(c, "weights", [&](Comparison& comparison, std::uint64_t i) {
    const auto [zero_pattern, scale_pattern] = pair_at(i);
    const Bits scale = widened(type, scale_pattern);
    const Bits zero = widened(type, zero_pattern);
    sums.set(scale_pattern, zero_pattern);
    for (int code = 0; code < 16; ++code) {
      comparison.add(sums.of(code), judged.weight_float(format, code, scale, zero), [&](Comparison& to) {
        to << "code " << code << ", scale " << to.hexadecimal(scale) << ", zero " << to.hexadecimal(zero);
      });
    }
  });
}

/// The patterns of a scale times each whole factor of a range. Computed when the scale changes.
class RoundedProducts {
 public:
  RoundedProducts(Type type, int first, int last) : type_(type), first_(first), last_(last), exact_(first, last) {
    patterns_.resize(static_cast<std::size_t>(last - first + 1));
  }
  void set(Bits scale) {
    if (scale == scale_) return;
    scale_ = scale;
    exact_.set(operand(type_, scale).get());
    for (int factor = first_; factor <= last_; ++factor) {
      const int ternary = mpfr_set(x_.get(), exact_.of(factor).get(), MPFR_RNDN);
      patterns_[static_cast<std::size_t>(factor - first_)] = mpfr::settled(mpfr::form_of(type_), x_.get(), ternary);
    }
  }
  Bits of(int factor) const { return patterns_[static_cast<std::size_t>(factor - first_)]; }

 private:
  Type type_;
  int first_;
  int last_;
  mpfr::Products exact_;
  Number x_{mpfr::form_of(type_).precision};
  Bits scale_ = ~Bits{0};
  std::vector<Bits> patterns_;
};

/// The i-th of all pairs of a scale, as a 16-bit pattern, and a zero point.
struct ScaleAndZeroPoint {
  explicit ScaleAndZeroPoint(std::uint64_t i)
      : scale(static_cast<Bits>(spread(i >> 8 & 0xffff, 16))), zero_point(static_cast<int>(i & 255) - 128) {}
  Bits scale;
  int zero_point;
};

void integer_domain(Case& c, const Judged& judged) {
  const Type type = c.problem.types.weight;
  const Judged::FloatFormat format = float_format_of(type);
  RoundedProducts products(type, 0 - 127, 15 + 128);  // only the difference code - zero point matters to MPFR
  compare_points(c, "weights", [&](Comparison& comparison, std::uint64_t i) {
    const ScaleAndZeroPoint at(i);
    products.set(at.scale);
    const Bits scale = widened(type, at.scale);
    for (int code = 0; code < 16; ++code) {
      comparison.add(products.of(code - at.zero_point), judged.weight_integer(format, code, scale, at.zero_point),
                     [&](Comparison& to) {
                       to << "code " << code << ", scale " << to.hexadecimal(scale) << ", zero point " << at.zero_point;
                     });
    }
  });
}

void float_zero(Case& c, const Judged& judged) {
  const Type type = c.problem.types.weight;
  const Judged::FloatFormat format = float_format_of(type);
  RoundedProducts products(type, 8 - 127, 8 + 128);
  compare_points(c, "zeros", [&](Comparison& comparison, std::uint64_t i) {
    const ScaleAndZeroPoint at(i);
    products.set(at.scale);
    const Bits scale = widened(type, at.scale);
    comparison.add(
        products.of(8 - at.zero_point), judged.float_zero(format, scale, at.zero_point),
        [&](Comparison& to) { to << "scale " << to.hexadecimal(scale) << ", zero point " << at.zero_point; });
  });
}

void no_zero_point(Case& c, const Judged& judged) {
  const Type type = c.problem.types.weight;
  const Judged::FloatFormat format = float_format_of(type);
  const Form& form = mpfr::form_of(type);
  Number value(form.precision);
  Number x(form.precision);
  compare_points(c, "weights", [&](Comparison& comparison, std::uint64_t i) {
    const auto scale = static_cast<Bits>(spread(i & ((std::uint64_t{1} << form.bits) - 1), form.bits));
    mpfr_set_d(value.get(), mpfr::value_of(type, scale), MPFR_RNDN);
    for (int code = 0; code < 16; ++code) {
      const int ternary = mpfr_mul_ui(x.get(), value.get(), static_cast<unsigned>(code), MPFR_RNDN);
      comparison.add(mpfr::settled(form, x.get(), ternary), judged.weight_none(format, code, scale),
                     [&](Comparison& to) { to << "code " << code << ", scale " << to.hexadecimal(scale); });
    }
  });
}

void rounding(Case& c, const Judged& judged) {
  const Judged::FloatFormat format = float_format_of(c.problem.types.weight);
  const Form& form = mpfr::form_of(c.problem.types.weight);
  Number x(form.precision);
  compare_points(c, "roundings", [&](Comparison& comparison, std::uint64_t i) {
    const auto value = static_cast<Bits>(spread(i & 0xffffffff, 32));
    const int ternary = mpfr_set_d(x.get(), mpfr::value_of(Type::fp32, value), MPFR_RNDN);
    comparison.add(mpfr::settled(form, x.get(), ternary), judged.rounded_from_fp32(format, value),
                   [&](Comparison& to) { to << "fp32 " << hex_text(value, 8); });
  });
}

/// A step of eager arithmetic, and the MPFR operation that it is compared with.
struct Step {
  const char* name;
  Bits (*Judged::*judged)(Judged::FloatFormat, Bits, Bits);
  int (*operation)(mpfr_ptr, mpfr_srcptr, mpfr_srcptr, mpfr_rnd_t);
};

constexpr Step steps[] = {{"add", &Judged::add, mpfr_add},
                          {"subtract", &Judged::subtract, mpfr_sub},
                          {"multiply", &Judged::multiply, mpfr_mul},
                          {"divide", &Judged::divide, mpfr_div}};

/// This cannot show whether a step rounds to fp32 first. Where results are normal, that changes nothing for bf16 and
/// fp16, because fp32 has at least two bits more than twice theirs (S. Figueroa, "When is double rounding innocuous?",
/// SIGNUM Newsletter 30, 1995).
void eager_step(Case& c, const Judged& judged) {
  const Type type = c.problem.types.weight;
  const Judged::FloatFormat format = float_format_of(type);
  const Form& form = mpfr::form_of(type);
  const Form& fp32 = mpfr::form_of(Type::fp32);
  const Step* step = nullptr;
  for (const Step& one : steps) step = c.problem.variant == one.name ? &one : step;
  Number in_fp32(fp32.precision);
  Number x(form.precision);
  compare_points(c, "results", [&](Comparison& comparison, std::uint64_t i) {
    const PatternPair pair = pair_at(i);
    const Bits a = widened(type, pair.first);
    const Bits b = widened(type, pair.second);
    int ternary =
        step->operation(in_fp32.get(), operand(type, pair.first).get(), operand(type, pair.second).get(), MPFR_RNDN);
    Bits expected = mpfr::settled(fp32, in_fp32.get(), ternary);  // leaves in_fp32 rounded to a value of fp32
    if (type != Type::fp32) {
      ternary = mpfr_set(x.get(), in_fp32.get(), MPFR_RNDN);
      expected = mpfr::settled(form, x.get(), ternary);
    }
    comparison.add(expected, (judged.*step->judged)(format, a, b), [&](Comparison& to) {
      to << step->name << " " << to.hexadecimal(a) << " and " << to.hexadecimal(b);
    });
  });
}

/// How the domain of a property is cut for one format: steps of n * k / 16 indices each, about one second of MPFR.
struct Cut {
  int index_bits;  // the domain has 2^index_bits indices; 0: as many as the type has patterns
  std::int64_t most_n;
  std::int64_t k;
  std::uint64_t points_of_index;
  std::string points;   // "pairs in ", before the name of the type
  std::string of_fp32;  // the limits of the domain in fp32, after it
};

std::vector<Enumeration> enumerated(const Sampling& sampling, const Capabilities& capabilities, const Cut& cut) {
  std::vector<Enumeration> all;
  const Scheme& scheme = *sampling.schemes.front();
  for (const Types types : types_of(scheme, sampling.types)) {
    const Type type = types.weight;
    Problem problem;
    problem.scheme = &scheme;
    problem.types = types;
    if (!capabilities.takes(problem)) continue;
    const std::int64_t indices = std::int64_t{1}
                                 << (cut.index_bits == 0 ? float_format_of(type).bits() : cut.index_bits);
    problem.k = cut.k;
    problem.n = std::min(cut.most_n, indices / (cut.k / 16));
    const std::int64_t indices_of_step = problem.n * (cut.k / 16);
    for (const std::string& variant : sampling.variants) {
      problem.variant = variant;
      all.push_back({.steps = indices / indices_of_step,
                     .points_of_step = static_cast<std::uint64_t>(indices_of_step) * cut.points_of_index,
                     .point = (variant.empty() ? "" : variant + ": ") + cut.points + name_of(type) +
                              (type == Type::fp32 ? cut.of_fp32 : ""),
                     .problem = with_seeds(problem, [=](std::int64_t step) { return step * indices_of_step; })});
    }
  }
  return all;
}

Property oracle_property(const std::string& name, const char* finds, const Judged& judged, const Sampling& sampling,
                         void (*body)(Case&, const Judged&), const Cut& cut) {
  Property property = {"oracle/" + name, finds, {}, {}, sampling, [=](Case& c) { body(c, judged); }};
  if (sampling.types == every_types()) property.meets = {&every_type};
  property.of_specification = true;
  property.proof = "oracle";
  property.enumerations = [=](const Capabilities& capabilities) { return enumerated(sampling, capabilities, cut); };
  return property;
}

}  // namespace

std::vector<Property> oracle_properties_about(const Judged& judged) {
  const Sampling of_float = {.schemes = {scheme::floating}};
  const Sampling of_integer = {.schemes = {scheme::integer}};
  const Sampling of_none = {.schemes = {scheme::none}};
  const Sampling narrower = {.schemes = {scheme::none}, .types = {Type::bf16, Type::fp16}};
  const Sampling of_steps = {.schemes = {scheme::floating}, .variants = names_of_rows(steps)};
  const char* wrong_rounding = "ties, subnormals, overflow, signs of zero and NaN of the specification itself";
  return {
      oracle_property("every_fp32_is_rounded_as_mpfr_rounds_it", wrong_rounding, judged, narrower, rounding,
                      {32, 4096, 32768, 1, "fp32 patterns, rounded to ", ""}),
      oracle_property(
          "the_float_domain_is_rounded_as_mpfr_rounds_it", wrong_rounding, judged, of_float, float_domain,
          {32, 1024, 16384, 16, "(code, scale, zero) triples in ", ", scale and zero representable in bf16"}),
      oracle_property("the_integer_domain_is_rounded_as_mpfr_rounds_it", wrong_rounding, judged, of_integer,
                      integer_domain,
                      {24, 1024, 16384, 16, "(code, scale, zero point) triples in ", ", scale representable in bf16"}),
      oracle_property("no_zero_point_is_rounded_as_mpfr_rounds_it", wrong_rounding, judged, of_none, no_zero_point,
                      {0, 1024, 16384, 16, "(code, scale) pairs in ", ""}),
      oracle_property("a_float_domain_zero_is_rounded_as_mpfr_rounds_it",
                      "a conversion between domains that rounds wrongly", judged, of_integer, float_zero,
                      {24, 2048, 32768, 1, "(scale, zero point) pairs in ", ", scale representable in bf16"}),
      oracle_property("an_eager_step_is_rounded_as_mpfr_rounds_it",
                      "a division that multiplies by a reciprocal, a sum of rounded parts", judged, of_steps,
                      eager_step, {32, 4096, 32768, 1, "pairs in ", ", both representable in bf16"}),
  };
}

std::vector<Property> oracle_properties() { return oracle_properties_about({}); }

}  // namespace tileproof
