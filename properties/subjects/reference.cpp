// The specification as a subject: a doubted property can be seen to pass here, and to fail on the mutants of
// mutants.cpp.
#include "reference/matrix.h"

#include <vector>

#include "properties/subjects/rows.h"
#include "reference/quantize.h"

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
      reference::pack_from<L>([&](reference::Element e) { return reference::code_of_pairs(c.pairs(), e.n, e.k, c.k); },
                              c.size(), c.at<Unit>(Role::packed));
    });
  }

  void unpack(const Call& c) override {
    reference::with_layout(index_of(*c.format), [&]<class L>() {
      using Unit = typename L::Storage;
      reference::unpack<L>(c.at<const Unit>(Role::packed), c.size(), c.codes());
    });
  }

  void convert(const Call& c) override {
    const reference::Layout& from = c.format->layout;
    const auto code_of = [&](reference::Element e) {
      return reference::code_at(c.at<const std::uint8_t>(Role::packed), from.slot_of(e, c.size()));
    };
    reference::with_layout(index_of(*c.format_to), [&]<class L>() {
      reference::pack_from<L>(code_of, c.size(), c.at<typename L::Storage>(Role::converted));
    });
  }

  void choose(const Call& c) override {
    const Type type = c.types.weight;
    const reference::FloatFormat format = float_format_of(type);
    std::vector<std::uint32_t> weights(static_cast<std::size_t>(c.group_size));
    for (std::int64_t at = 0; at < c.groups().k * c.n; ++at) {
      const std::int64_t first = at % c.n * c.k + at / c.n * c.group_size;
      for (std::size_t i = 0; i < weights.size(); ++i) {
        weights[i] = loaded(c.weights(), type, first + static_cast<std::int64_t>(i));
      }
      const reference::Extent extent = reference::extent_of(format, weights.data(), c.group_size);
      if (c.scheme->zero_kind == Zero::value) {
        const reference::FloatParameters chosen = reference::chosen_float(format, extent);
        stored(c.scales(), type, at, chosen.scale);
        stored(c.zeros(), type, at, chosen.zero);
      } else {
        const reference::IntegerParameters chosen =
            reference::chosen_integer(format, extent, reference::eps_of(format));
        stored(c.scales(), type, at, chosen.scale);
        c.zero_points()[at] = static_cast<std::int8_t>(chosen.zero_point);
      }
    }
  }

  void quantize(const Call& c) override {
    const reference::FloatFormat format = float_format_of(c.types.weight);
    for_each_weight(c, [&](std::int64_t i, std::uint32_t scale, std::int64_t at) {
      const std::uint32_t weight = loaded(c.weights(), c.types.weight, i);
      c.codes()[i] = c.scheme->zero_kind == Zero::value
                         ? reference::quantized_float(format, weight, {scale, loaded(c.zeros(), c.types.weight, at)})
                         : reference::quantized_integer(format, weight, {scale, c.zero_points()[at]});
    });
  }

  void dequantize_eagerly(const Call& c) override {
    const reference::FloatFormat format = float_format_of(c.types.weight);
    for_each_weight(c, [&](std::int64_t i, std::uint32_t scale, std::int64_t at) {
      const int code = c.codes()[i];
      const std::uint32_t weight =
          c.scheme->zero_kind == Zero::value
              ? reference::eager::dequantized_float(format, code, scale, loaded(c.zeros(), c.types.weight, at))
              : reference::eager::dequantized_integer(format, code, scale, c.zero_points()[at]);
      stored(c.weights(), c.types.weight, i, weight);
    });
  }

  /// @param use  (index of the weight, its scale, index of its parameters)
  template <class Use>
  static void for_each_weight(const Call& c, Use use) {
    for (std::int64_t i = 0; i < c.n * c.k; ++i) {
      const std::int64_t at = c.parameter_at(i / c.k, i % c.k);
      use(i, loaded(c.scales(), c.types.weight, at), at);
    }
  }

  void dequantize(const Call& c) override {
    const std::int64_t bytes = bytes_of(c.types.parameter);
    if (bytes == 1) return dequantize<std::uint8_t>(c);
    bytes == 4 ? dequantize<std::uint32_t>(c) : dequantize<std::uint16_t>(c);
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
