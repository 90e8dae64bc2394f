#include "properties/subjects/cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>
#include <vector>

namespace tileproof {

namespace {

namespace fs = std::filesystem;

/// The cores of the affinity mask. If the kernel knows more CPUs than a mask of the usual size holds, longer masks are
/// tried.
std::size_t cores_of_affinity() {
  for (std::size_t cpus = CPU_SETSIZE; cpus <= (std::size_t{1} << 20); cpus *= 4) {
    std::vector<cpu_set_t> mask(cpus / CPU_SETSIZE);
    const std::size_t bytes = mask.size() * sizeof(cpu_set_t);
    if (sched_getaffinity(0, bytes, mask.data()) == 0) {
      return static_cast<std::size_t>(CPU_COUNT_S(bytes, mask.data()));
    }
  }
  return std::thread::hardware_concurrency();
}

/// The cores that a quota for each period is worth; 0 if there is no quota, as in a cpu.max of "max 100000".
std::size_t cores_of(double quota, double period) {
  const bool is_quota = quota > 0 && period > 0;
  return is_quota ? static_cast<std::size_t>(std::ceil(quota / period)) : 0;
}

double number_in(const fs::path& file) {
  double value = -1;
  std::ifstream(file) >> value;
  return value;
}

std::size_t quota_of_group(const fs::path& group) {
  double quota = -1, period = -1;
  if (std::ifstream(group / "cpu.max") >> quota >> period) return cores_of(quota, period);
  return cores_of(number_in(group / "cpu.cfs_quota_us"), number_in(group / "cpu.cfs_period_us"));
}

}  // namespace

std::size_t cores_of_quota(const std::string& groups, const fs::path& mounts) {
  std::size_t least = 0;
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool has_cpu = controllers.empty() || ("," + controllers + ",").find(",cpu,") != std::string::npos;
    if (!has_cpu) continue;
    // Every group above has a quota of its own. In a container the path may be the host's; the mount is the group then.
    const fs::path mount = mounts / controllers;
    for (fs::path path = fs::path(line.substr(second + 1)).relative_path();; path = path.parent_path()) {
      for (const fs::path& root : {mount, mounts / "cpu", mounts}) {
        const std::size_t cores = quota_of_group(root / path);
        if (cores != 0) least = least == 0 ? cores : std::min(least, cores);
      }
      if (path.empty()) break;
    }
  }
  return least;
}

std::size_t cores() {
  static const std::size_t found = [] {
    std::ifstream file("/proc/self/cgroup");
    const std::string groups((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const std::size_t quota = cores_of_quota(groups, "/sys/fs/cgroup");
    const std::size_t allowed = std::max<std::size_t>(1, cores_of_affinity());
    return quota == 0 ? allowed : std::min(allowed, quota);
  }();
  return found;
}

}  // namespace tileproof
