// Division by multiplication: against the machine's own, where the next whole number is nearest.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "kernels/device.h"

namespace tileproof::kernels {
namespace {

constexpr std::int64_t limit = std::int64_t{1} << 31;

std::vector<std::int64_t> around_powers_of_two(int most_bits) {
  std::vector<std::int64_t> numbers = {3, 5, 7, 10, 11, 13, 86, 172, 344, 1000, 11008 / 16, 1'000'003, 999'999'937};
  for (int bits = 0; bits <= most_bits; ++bits) {
    for (std::int64_t number = (std::int64_t{1} << bits) - 2; number <= (std::int64_t{1} << bits) + 2; ++number) {
      if (number > 0) numbers.push_back(number);
    }
  }
  return numbers;
}

TEST(FastDivmod, GivesTheQuotientBesideEveryMultiple) {
  for (const std::int64_t number : around_powers_of_two(40)) {
    const FastDivmod divisor(number);
    EXPECT_EQ(divisor.multiplier != 0, number < limit) << number;  // else it has nothing to show here
    for (const std::int64_t times : around_powers_of_two(31)) {
      if (times > limit / number + 1) continue;
      for (std::int64_t a = times * number - 1; a <= times * number + 1 && a < limit; ++a) {
        ASSERT_EQ(divisor.quotient(a), a / number) << a << " / " << number;
      }
    }
    for (const std::int64_t a : {std::int64_t{0}, limit - 2, limit - 1, limit / number * number - 1}) {
      ASSERT_EQ(divisor.quotient(a), a / number) << a << " / " << number;
    }
  }
}

TEST(FastDivmod, DividesNumbersOfMoreThan31BitsToo) {
  for (const std::int64_t number : around_powers_of_two(50)) {
    const FastDivmod divisor(number);
    for (const std::int64_t a : {limit, limit + 1, (limit << 1) - 1, limit << 1, limit << 12, (limit << 20) + 7}) {
      ASSERT_EQ(divisor.quotient(a), a / number) << a << " / " << number;
    }
  }
  // Just below a multiple, where a product that is too large reaches the next whole number first.
  for (std::int64_t number = 1; number < 3000; ++number) {
    const FastDivmod divisor(number);
    for (const std::int64_t beyond : {limit << 1, limit << 2, limit << 12}) {
      const std::int64_t a = beyond / number * number - 1;
      ASSERT_EQ(divisor.quotient(a), a / number) << a << " / " << number;
    }
  }
}

}  // namespace
}  // namespace tileproof::kernels
