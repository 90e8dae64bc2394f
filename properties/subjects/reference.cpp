// The specification as a subject: whoever doubts a property sees it pass here, and fail in mutants.cpp.
#include "reference/matrix.h"
#include "reference/quantize.h"

#include "properties/subjects/experts.h"
#include "properties/subjects/rows.h"

namespace tileproof {

namespace {

class ReferenceSubject : public Subject {
 public:
  Memory& memory() override { return *memory_; }

  void run(const PackCall& batch) override {
    for (std::int64_t expert = 0; expert < batch.experts; ++expert) {
      const PackCall c = call_of_expert(batch, expert);
      reference::with_layout(index_of(*c.format), [&]<class L>() {
        using Unit = typename L::Storage;
        reference::convert<reference::Plain, L>(c.codes, {c.n, c.k}, reinterpret_cast<Unit*>(c.packed));
      });
    }
  }
  void run(const UnpackCall& batch) override {
    for (std::int64_t expert = 0; expert < batch.experts; ++expert) {
      const UnpackCall c = call_of_expert(batch, expert);
      reference::with_layout(index_of(*c.format), [&]<class L>() {
        using Unit = typename L::Storage;
        reference::unpack<L>(reinterpret_cast<const Unit*>(c.packed), {c.n, c.k}, c.codes);
      });
    }
  }
  void run(const DequantizeCall& batch) override {
    for (std::int64_t expert = 0; expert < batch.experts; ++expert) {
      const DequantizeCall c = call_of_expert(batch, expert);
      const auto of_weights = [&]<class Bits>() {
        c.types.weight == Type::fp32 ? dequantize<Bits, std::uint32_t>(c) : dequantize<Bits, std::uint16_t>(c);
      };
      c.types.parameter == Type::fp32 ? of_weights.template operator()<std::uint32_t>()
                                      : of_weights.template operator()<std::uint16_t>();
    }
  }
  void run(const ChooseCall& c) override { c.type == Type::fp32 ? choose<std::uint32_t>(c) : choose<std::uint16_t>(c); }
  void run(const QuantizeCall& c) override {
    c.type == Type::fp32 ? quantize<std::uint32_t>(c) : quantize<std::uint16_t>(c);
  }
  void run(const DequantizeEagerlyCall& c) override {
    c.type == Type::fp32 ? dequantize_eagerly<std::uint32_t>(c) : dequantize_eagerly<std::uint16_t>(c);
  }

 private:
  template <class Bits>
  static void choose(const ChooseCall& c) {
    const auto* weights = static_cast<const Bits*>(c.weights);
    const reference::FloatFormat format = float_format_of(c.type);
    for (std::int64_t group = 0; group < c.k / c.group_size; ++group) {
      for (std::int64_t row = 0; row < c.n; ++row) {
        const Bits* first = weights + row * c.k + group * c.group_size;
        const reference::Extent extent = reference::extent_of(format, first, c.group_size);
        const std::int64_t at = group * c.n + row;
        if (c.scheme->zero_kind == Zero::value) {
          const reference::FloatParameters chosen = reference::chosen_float(format, extent);
          static_cast<Bits*>(c.scales)[at] = static_cast<Bits>(chosen.scale);
          static_cast<Bits*>(c.zeros)[at] = static_cast<Bits>(chosen.zero);
        } else {
          const reference::IntegerParameters chosen =
              reference::chosen_integer(format, extent, reference::eps_of(format));
          static_cast<Bits*>(c.scales)[at] = static_cast<Bits>(chosen.scale);
          c.zero_points[at] = static_cast<std::int8_t>(chosen.zero_point);
        }
      }
    }
  }

  template <class Bits>
  static void quantize(const QuantizeCall& c) {
    const reference::FloatFormat format = float_format_of(c.type);
    for (std::int64_t i = 0; i < c.n * c.k; ++i) {
      const std::int64_t at = i % c.k / c.group_size * c.n + i / c.k;
      const std::uint32_t weight = static_cast<const Bits*>(c.weights)[i];
      const std::uint32_t scale = static_cast<const Bits*>(c.scales)[at];
      c.codes[i] = c.scheme->zero_kind == Zero::value
                       ? reference::quantized_float(format, weight, {scale, static_cast<const Bits*>(c.zeros)[at]})
                       : reference::quantized_integer(format, weight, {scale, c.zero_points[at]});
    }
  }

  template <class Bits>
  static void dequantize_eagerly(const DequantizeEagerlyCall& c) {
    const reference::FloatFormat format = float_format_of(c.type);
    for (std::int64_t i = 0; i < c.n * c.k; ++i) {
      const std::int64_t at = i % c.k / c.group_size * c.n + i / c.k;
      const std::uint32_t scale = static_cast<const Bits*>(c.scales)[at];
      const std::uint32_t weight =
          c.scheme->zero_kind == Zero::value
              ? reference::eager::dequantized_float(format, c.codes[i], scale, static_cast<const Bits*>(c.zeros)[at])
              : reference::eager::dequantized_integer(format, c.codes[i], scale, c.zero_points[at]);
      static_cast<Bits*>(c.weights)[i] = static_cast<Bits>(weight);
    }
  }

  template <class Bits, class Weight>
  static void dequantize(const DequantizeCall& c) {
    reference::with_format(index_of(*c.format), [&]<class F>() {
      const auto dequantize = [&]<class Used>() {
        using Unit = typename F::Codes::Storage;
        using Zeros = typename Used::Parameters::template ZeroElement<Bits>;
        const void* zeros = c.scheme->tensor_count == 1 ? c.scales : c.zeros;
        reference::dequantize<F, Used>(float_format_of(c.types.weight), float_format_of(c.types.parameter),
                                       reinterpret_cast<const Unit*>(c.packed), static_cast<const Bits*>(c.scales),
                                       static_cast<const Zeros*>(zeros), {c.n, c.k}, c.group_size,
                                       static_cast<Weight*>(c.weights));
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
