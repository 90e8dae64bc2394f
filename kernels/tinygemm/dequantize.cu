/// Dequantize: weights from the tensor-core-tiled layout, in three domains and three types, each with one rounding. The
/// walk is strips.h; here a pair of codes becomes two weights. A store's columns never straddle a group: groups are
/// multiples of 16.
#include "kernels/tinygemm/strips.h"

namespace tileproof::kernels {

namespace {

constexpr int midpoint_of_codes = 8;

/// What a group's parameters look like in memory and do to a code, in each domain.
template <class T>
struct FloatDomain {
  const typename T::Bits* scales_and_zeros;  // [expert][group][n][2]
  bool pairs_are_aligned;

  struct Parameters {
    decltype(T::biased(0)) offset;
    typename T::Value scale, zero;
  };
  TILEPROOF_DEVICE Parameters of(std::int64_t group_row) const {
    const typename T::Bits* scale_and_zero = scales_and_zeros + group_row * 2;
    if (pairs_are_aligned) {
      const auto two = loaded_two(scale_and_zero);
      return {T::biased_by_code(midpoint_of_codes), T::from_bits(two.x), T::from_bits(two.y)};
    }
    return {T::biased_by_code(midpoint_of_codes), T::from_bits(loaded(scale_and_zero)),
            T::from_bits(loaded(scale_and_zero + 1))};
  }
  static TILEPROOF_DEVICE std::uint32_t weight(std::uint32_t codes, const Parameters& p) {
    return T::fma(T::minus(codes, p.offset), p.scale, p.zero);
  }
};

template <class T>
struct IntegerDomain {
  const typename T::Bits* scales;  // [expert][group][n]
  const std::int8_t* zero_points;  // [expert][group][n]

  struct Parameters {
    decltype(T::biased(0)) offset;
    typename T::Value scale;
  };
  TILEPROOF_DEVICE Parameters of(std::int64_t group_row) const {
    return {T::biased(loaded(zero_points + group_row)), T::from_bits(loaded(scales + group_row))};
  }
  static TILEPROOF_DEVICE std::uint32_t weight(std::uint32_t codes, const Parameters& p) {
    return T::product(T::minus(codes, p.offset), p.scale);
  }
};

template <class T>
struct NoZeroPoint {
  const typename T::Bits* scales;  // [expert][group][n]

  struct Parameters {
    decltype(T::biased(0)) offset;
    typename T::Value scale;
  };
  TILEPROOF_DEVICE Parameters of(std::int64_t group_row) const {
    return {T::biased_by_code(0), T::from_bits(loaded(scales + group_row))};
  }
  static TILEPROOF_DEVICE std::uint32_t weight(std::uint32_t codes, const Parameters& p) {
    return T::product(T::minus(codes, p.offset), p.scale);
  }
};

/// @tparam T  Bf16 or Fp16: two weights a register; Fp32: one
template <class T, class DomainOfT>
struct CodesAsWeights {
  static constexpr int element_bytes = sizeof(typename T::Bits);
  static constexpr int strips_of_thread = 2;  // one: 4 % slower; four: 2 %, with groups of 32 8 % (H100)

  DomainOfT domain;
  std::int64_t n;
  std::int64_t groups;
  FastDivmod group_size;

  std::int64_t columns_of_group() const { return group_size.divisor; }
  /// Where the row's first group is among [expert][group][n].
  TILEPROOF_DEVICE std::int64_t parameters_of(std::int64_t expert, std::int64_t row) const {
    return expert * groups * n + row;
  }
  TILEPROOF_DEVICE typename DomainOfT::Parameters group(std::int64_t parameters, std::int64_t column) const {
    return domain.of(group_size.quotient(column) * n + parameters);
  }

  TILEPROOF_DEVICE Quad operator()(const std::uint32_t (&pairs)[8 / element_bytes],
                                   const typename DomainOfT::Parameters& p) const {
    if constexpr (element_bytes == 2) {
      return {domain.weight(pairs[0], p), domain.weight(pairs[1], p), domain.weight(pairs[2], p),
              domain.weight(pairs[3], p)};
    } else {
      return {domain.weight(pairs[0] & 0xffff, p), domain.weight(pairs[0] >> 16, p),
              domain.weight(pairs[1] & 0xffff, p), domain.weight(pairs[1] >> 16, p)};
    }
  }
};

template <class T>
Outcome run_type(const DequantizeArguments& a, Where where) {
  const auto* scales = static_cast<const typename T::Bits*>(a.scales);
  const auto with = [&](auto domain) {
    return run_strips(a, a.weights,
                      CodesAsWeights<T, decltype(domain)>{domain, a.n, a.k / a.group_size, FastDivmod(a.group_size)},
                      where);
  };
  if (a.domain == Domain::floating) {
    return with(FloatDomain<T>{scales, reinterpret_cast<std::uintptr_t>(scales) % (2 * sizeof *scales) == 0});
  }
  if (a.domain == Domain::integer) return with(IntegerDomain<T>{scales, a.zero_points});
  return with(NoZeroPoint<T>{scales});
}

}  // namespace

Outcome dequantize(const DequantizeArguments& a, Where where) {
#if defined(__CUDACC__)
  if (Outcome outcome; refused(a, &outcome)) return outcome;
  if (a.experts == 0 || a.n == 0 || a.k == 0) return nothing_to_do;
#endif
  if (a.type == Type::bf16) return run_type<Bf16>(a, where);
  if (a.type == Type::fp16) return run_type<Fp16>(a, where);
  return run_type<Fp32>(a, where);
}

#if !defined(__CUDACC__)
std::int64_t threads_of(const DequantizeArguments& a) {
  const auto of_type = [&]<class T>() { return threads_of_strips<CodesAsWeights<T, NoZeroPoint<T>>>(a); };
  if (a.type == Type::bf16) return of_type.template operator()<Bf16>();
  if (a.type == Type::fp16) return of_type.template operator()<Fp16>();
  return of_type.template operator()<Fp32>();
}
#endif

}  // namespace tileproof::kernels
