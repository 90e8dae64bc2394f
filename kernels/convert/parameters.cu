/// Convert of parameters: scales and zeros of one format into those of another. Scales stay the numbers that they are,
/// and lie where the target has them. A weight is (code - 8) * scale plus a constant. A format has the constant as a
/// zero, which is a number, or as a zero point, which is a whole number of scales:
///
///   zero = (8 - zero_point) * scale        zero_point = 8 - zero / scale
///
/// so that the zero is the weight of code 8. Whether a group can be converted is not deduced: its sixteen weights are
/// computed before and after, by the arithmetic of dequantize.
#include <cmath>
#include <type_traits>

#include "kernels/dequantize/groups.h"
#include "kernels/kernels.h"
#include "kernels/slots.h"

namespace tileproof::kernels {

namespace {

using Arguments = ConvertParametersArguments;

template <class T>
TILEPROOF_DEVICE double number_of(typename T::Bits bits) {
  if constexpr (std::is_same_v<T, Fp32>) return float_of(bits);
  if constexpr (std::is_same_v<T, Bf16>) return float_of(std::uint32_t{bits} << 16);
  if constexpr (std::is_same_v<T, Fp16>) return T::value(bits);
}

/// The parameters of a group.
template <class T>
struct Group {
  static constexpr bool is_in_twos = sizeof(typename T::Bits) == 2;
  static constexpr auto sign_bit =
      static_cast<typename T::Bits>(typename T::Bits{1} << (sizeof(typename T::Bits) * 8 - 1));

  typename T::Bits scale;
  bool has_zero;  // or a zero point
  typename T::Bits zero;
  int zero_point;

  /// Two codes, or one, as registers hold them.
  TILEPROOF_DEVICE std::uint32_t weights(std::uint32_t codes) const {
    if (has_zero) {
      return FloatDomain<T>::weight(codes,
                                    {T::biased_by_code(midpoint_of_codes), T::from_bits(scale), T::from_bits(zero)});
    }
    return IntegerDomain<T>::weight(codes, {T::biased(zero_point), T::from_bits(scale)});
  }
  TILEPROOF_DEVICE double constant() const {
    return has_zero ? number_of<T>(zero) : (midpoint_of_codes - zero_point) * number_of<T>(scale);
  }

  /// With a zero in place of the zero point: rounded once.
  TILEPROOF_DEVICE Group with_zero() const {
    Group group = {scale, true, zero, 0};
    if (has_zero) return group;
    if (zero_point != midpoint_of_codes) {
      group.zero = static_cast<typename T::Bits>(weights(midpoint_of_codes));
    } else {
      // The zero is 0. Where the scale is 0, it is -0: added to a product, that keeps the product's sign. Elsewhere it
      // has the sign of the scale, so that code 8 keeps its own; 0 * scale is no number where the scale is infinite.
      const bool is_zero = (scale & ~sign_bit) == 0;
      group.zero = static_cast<typename T::Bits>(is_zero ? sign_bit : scale & sign_bit);
    }
    return group;
  }
  /// With the nearest of the zero points from `first` to `last`, ties to even.
  TILEPROOF_DEVICE Group with_zero_point(int first, int last) const {
    const int nearest = has_zero ? nearest_zero_point() : zero_point;
    return {scale, false, 0, nearest < first ? first : nearest > last ? last : nearest};
  }

  TILEPROOF_DEVICE bool has_weights_of(const Group& other) const {
    bool same = true;
    TILEPROOF_UNROLL
    for (std::uint32_t code = 0; code < 16; code += is_in_twos ? 2 : 1) {
      const std::uint32_t codes = is_in_twos ? code | (code + 1) << 16 : code;
      same &= weights(codes) == other.weights(codes);
    }
    return same;
  }
  /// Whether the constant is another's but for half a scale. Doubles hold all that is near that exactly.
  TILEPROOF_DEVICE bool is_near(const Group& other) const {
    const double distance = ::fabs(constant() - other.constant()), half = ::fabs(number_of<T>(scale)) / 2;
    return distance <= half && half < INFINITY;  // not a number: no
  }

 private:
  TILEPROOF_DEVICE int nearest_zero_point() const {
    const double divisor = number_of<T>(scale);
    // With scale 0 and zero 0 every weight is a zero, and the zero point decides the signs. Of zero -0 it is 8, for -0
    // changes no product; of zero +0 it is one that makes every product +0.
    if (divisor == 0) return zero != 0 ? midpoint_of_codes : (scale & sign_bit) != 0 ? 16 : 0;
    // A quotient of two numbers of 24 bits that is no tie is 2^-25 away from one, which a double shows.
    const double nearest = ::rint(midpoint_of_codes - number_of<T>(zero) / divisor);
    constexpr double beyond = 1024;  // any zero point
    if (!(::fabs(nearest) < beyond)) return nearest > 0 ? 1024 : nearest < 0 ? -1024 : midpoint_of_codes;
    return static_cast<int>(nearest);
  }
};

/// The tensors of a format. Their columns are numbered through all groups: of a group, those from group * n on.
template <class T>
struct Tensors {
  static constexpr int nibbles_of_word = 8;

  const typename T::Bits* scales;  // floating: pairs of a scale and a zero
  const void* zeros;
  Formula formula;
  ZeroPoints zero_points;
  WholeNumbers range;
  Slots of_scales, of_zeros;

  Tensors(const Format& format, const void* const* tensors, const Arguments& a)
      : scales(static_cast<const typename T::Bits*>(tensors[0])),
        zeros(tensors[1]),
        formula(format.formula),
        zero_points(format.zero_points),
        range(format.zero_point_range()),
        of_scales(format.order_of_scales(a.k / a.group_size), a.n, a.experts * (a.k / a.group_size)),
        of_zeros(order_of(format.zero_points), a.n, a.experts * (a.k / a.group_size)) {}

  TILEPROOF_DEVICE Group<T> group_of(std::int64_t row, std::int64_t group) const {
    const std::int64_t at = of_scales.slot_of(row, group);
    if (formula == Formula::floating) return {loaded(scales + 2 * at), true, loaded(scales + 2 * at + 1), 0};
    return {loaded(scales + at), false, 0, zero_point_of(row, group)};
  }

 private:
  TILEPROOF_DEVICE int zero_point_of(std::int64_t row, std::int64_t group) const {
    if (formula != Formula::integer) return range.first;
    const std::int64_t slot = of_zeros.slot_of(row, group);
    if (!are_packed(zero_points)) return loaded(static_cast<const std::int8_t*>(zeros) + slot);
    const std::uint32_t word = loaded(static_cast<const std::uint32_t*>(zeros) + slot / nibbles_of_word);
    return static_cast<int>(word >> (slot % nibbles_of_word * 4) & 15) + stored_less(zero_points);
  }
};

/// A thread that converts eight neighbours of a group: those of a word of zero points, where the target packs them.
template <class T>
struct ThreadOfParameters {
  static constexpr int columns = 8;

  Tensors<T> source, target;
  std::int64_t n, all_groups;
  bool is_nearest;
  std::uint64_t* refused;  // or nullptr: the target takes every group
  FastDivmod threads_of_group;

  explicit ThreadOfParameters(const Arguments& a)
      : source(*a.source, a.parameters, a),
        target(*a.target, a.converted, a),
        n(a.n),
        all_groups(a.experts * (a.k / a.group_size)),
        is_nearest(a.is_nearest),
        refused(is_always_convertible(*a.source, *a.target) ? nullptr : a.refused),
        threads_of_group((a.n + columns - 1) / columns) {}

  std::int64_t threads() const { return all_groups * threads_of_group.divisor; }

  TILEPROOF_DEVICE void operator()(std::int64_t thread) const {
    const std::int64_t group = threads_of_group.quotient(thread);
    const std::int64_t first = (thread - group * threads_of_group.divisor) * columns;
    std::uint32_t word = 0;
    for (int i = 0; i < columns && first + i < n; ++i) {
      std::int64_t row = 0, of_group = 0;
      target.of_zeros.find(group * n + first + i, row, of_group);
      const Group<T> given = source.group_of(row, group);
      const bool has_zero = target.formula == Formula::floating;
      const Group<T> found =
          has_zero ? given.with_zero() : given.with_zero_point(target.range.first, target.range.last);
      if (refused != nullptr && !found.has_weights_of(given) && !(is_nearest && found.is_near(given))) {
        // The first one of all is the largest number.
        raise_to(refused, static_cast<std::uint64_t>(all_groups * n - (group * n + row)));
      }
      put(found, row, group);
      word |= static_cast<std::uint32_t>(found.zero_point - stored_less(target.zero_points)) << (4 * i);
    }
    if (target.formula == Formula::integer && are_packed(target.zero_points)) {
      static_cast<std::uint32_t*>(const_cast<void*>(target.zeros))[(group * n + first) / Tensors<T>::nibbles_of_word] =
          word;
    }
  }

 private:
  /// Stores what is not packed.
  TILEPROOF_DEVICE void put(const Group<T>& found, std::int64_t row, std::int64_t group) const {
    auto* const scales = const_cast<typename T::Bits*>(target.scales);
    const std::int64_t at = target.of_scales.slot_of(row, group);
    if (found.has_zero) {
      scales[2 * at] = found.scale;
      scales[2 * at + 1] = found.zero;
      return;
    }
    scales[at] = found.scale;
    if (target.formula == Formula::integer && !are_packed(target.zero_points)) {
      static_cast<std::int8_t*>(const_cast<void*>(target.zeros))[target.of_zeros.slot_of(row, group)] =
          static_cast<std::int8_t>(found.zero_point);
    }
  }
};

template <class Use>
void with_kernel(const Arguments& a, Use use) {
  if (a.experts == 0 || a.n == 0 || a.k == 0) return;
  with_type(a.type, [&]<class T>(T) {
    const ThreadOfParameters<T> thread(a);
    use(thread, thread.threads());
  });
}

}  // namespace

TILEPROOF_DEFINE_OPERATION(convert_parameters, ConvertParametersArguments)

}  // namespace tileproof::kernels
