// The specification as a subject: a doubted property can be seen to pass here, and to fail on the mutants of
// mutants.cpp.
#include "reference/matrix.h"
#include "reference/quantize.h"

#include "properties/subjects/rows.h"

namespace tileproof {

namespace {

class ReferenceSubject : public SubjectByOperation {
 public:
  Memory& memory() override { return *memory_; }

  void run(const Call& batch) override {
    for (std::int64_t expert = 0; expert < batch.experts; ++expert) {
      SubjectByOperation::run(call_of_expert(batch, expert));
    }
  }

 private:
  void pack(const Call& c) override {
    reference::with_layout(index_of(*c.format), [&]<class L>() {
      using Unit = typename L::Storage;
      reference::convert<reference::Plain, L>(c.pairs(), c.size(), c.at<Unit>(Role::packed));
    });
  }

  void unpack(const Call& c) override {
    reference::with_layout(index_of(*c.format), [&]<class L>() {
      using Unit = typename L::Storage;
      reference::unpack<L>(c.at<const Unit>(Role::packed), c.size(), c.codes());
    });
  }

  void choose(const Call& c) override {
    c.types.weight == Type::fp32 ? choose<std::uint32_t>(c) : choose<std::uint16_t>(c);
  }
  template <class Bits>
  static void choose(const Call& c) {
    const auto* weights = c.at<const Bits>(Role::weights);
    const reference::FloatFormat format = float_format_of(c.types.weight);
    for (std::int64_t group = 0; group < c.k / c.group_size; ++group) {
      for (std::int64_t row = 0; row < c.n; ++row) {
        const Bits* first = weights + row * c.k + group * c.group_size;
        const reference::Extent extent = reference::extent_of(format, first, c.group_size);
        const std::int64_t at = group * c.n + row;
        if (c.scheme->zero_kind == Zero::value) {
          const reference::FloatParameters chosen = reference::chosen_float(format, extent);
          c.at<Bits>(Role::scales)[at] = static_cast<Bits>(chosen.scale);
          c.at<Bits>(Role::zeros)[at] = static_cast<Bits>(chosen.zero);
        } else {
          const reference::IntegerParameters chosen =
              reference::chosen_integer(format, extent, reference::eps_of(format));
          c.at<Bits>(Role::scales)[at] = static_cast<Bits>(chosen.scale);
          c.zero_points()[at] = static_cast<std::int8_t>(chosen.zero_point);
        }
      }
    }
  }

  void quantize(const Call& c) override {
    c.types.weight == Type::fp32 ? quantize<std::uint32_t>(c) : quantize<std::uint16_t>(c);
  }
  template <class Bits>
  static void quantize(const Call& c) {
    const reference::FloatFormat format = float_format_of(c.types.weight);
    for (std::int64_t i = 0; i < c.n * c.k; ++i) {
      const std::int64_t at = i % c.k / c.group_size * c.n + i / c.k;
      const std::uint32_t weight = c.at<const Bits>(Role::weights)[i];
      const std::uint32_t scale = c.at<const Bits>(Role::scales)[at];
      c.codes()[i] = c.scheme->zero_kind == Zero::value
                         ? reference::quantized_float(format, weight, {scale, c.at<const Bits>(Role::zeros)[at]})
                         : reference::quantized_integer(format, weight, {scale, c.zero_points()[at]});
    }
  }

  void dequantize_eagerly(const Call& c) override {
    c.types.weight == Type::fp32 ? dequantize_eagerly<std::uint32_t>(c) : dequantize_eagerly<std::uint16_t>(c);
  }
  template <class Bits>
  static void dequantize_eagerly(const Call& c) {
    const reference::FloatFormat format = float_format_of(c.types.weight);
    for (std::int64_t i = 0; i < c.n * c.k; ++i) {
      const std::int64_t at = i % c.k / c.group_size * c.n + i / c.k;
      const std::uint32_t scale = c.at<const Bits>(Role::scales)[at];
      const std::uint32_t weight =
          c.scheme->zero_kind == Zero::value
              ? reference::eager::dequantized_float(format, c.codes()[i], scale, c.at<const Bits>(Role::zeros)[at])
              : reference::eager::dequantized_integer(format, c.codes()[i], scale, c.zero_points()[at]);
      c.at<Bits>(Role::weights)[i] = static_cast<Bits>(weight);
    }
  }

  void dequantize(const Call& c) override {
    c.types.parameter == Type::fp32 ? dequantize<std::uint32_t>(c) : dequantize<std::uint16_t>(c);
  }
  template <class Bits>
  static void dequantize(const Call& c) {
    c.types.weight == Type::fp32 ? dequantize<Bits, std::uint32_t>(c) : dequantize<Bits, std::uint16_t>(c);
  }
  template <class Bits, class Weight>
  static void dequantize(const Call& c) {
    reference::with_format(index_of(*c.format), [&]<class F>() {
      const auto dequantize = [&]<class Used>() {
        using Unit = typename F::Codes::Storage;
        using Zeros = typename Used::Parameters::template ZeroElement<Bits>;
        const auto* zeros = c.at<const Zeros>(c.scheme->tensor_count == 1 ? Role::scales : Role::zeros);
        reference::dequantize<F, Used>(float_format_of(c.types.weight), float_format_of(c.types.parameter),
                                       c.at<const Unit>(Role::packed), c.at<const Bits>(Role::scales), zeros, c.size(),
                                       c.group_size, c.at<Weight>(Role::weights));
      };
      reference::with_scheme(index_of(*c.scheme), [&]<class Used>() {
        if constexpr (reference::has_type<Used>(typename F::Schemes())) dequantize.template operator()<Used>();
      });
    });
  }

  std::unique_ptr<Memory> memory_ = make_host_memory();
};

}  // namespace

MadeSubject make_reference_subject() { return {std::make_unique<ReferenceSubject>(), ""}; }

}  // namespace tileproof
