#include "fuzz/campaign/shares.h"

#include <algorithm>
#include <numeric>

namespace tileproof {

std::vector<std::size_t> least_first(const std::vector<double>& needs) {
  std::vector<std::size_t> order(needs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return needs[a] < needs[b]; });
  return order;
}

double share_of_first(const std::vector<double>& needs, double left) {
  if (left <= 0) return 0;
  // The least parts of all tasks together are a tenth of the time, however many there are.
  const auto count = static_cast<double>(needs.size());
  const double least_part = 0.1 * left / count;
  double of_others = 0;
  for (std::size_t i = 1; i < needs.size(); ++i) of_others += std::min(needs[i], least_part);
  const double need = needs.front();
  const double most = left - of_others;
  if (need > most) return left / count;
  // Give a task more than it is thought to need: time that it leaves comes back to the others, but a task that is cut
  // off loses all its work.
  constexpr double times = 4;
  const double all = std::accumulate(needs.begin(), needs.end(), 0.0);
  return std::min(most, std::max(times * need, need + (left - all) / count));
}

}  // namespace tileproof
