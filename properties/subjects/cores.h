/// How many cores this process may use, which is what threads and processes are counted by.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace tileproof {

/// The cores of its affinity mask, and no more than the quota of its control group gives it time on; at least one.
std::size_t cores();

/// Cores that a quota of CPU time is worth, rounded up; 0: there is none.
/// @param groups  /proc/self/cgroup: a line for each hierarchy, "0::/path" in version 2, "4:cpu,cpuacct:/path" in 1
/// @param mounts  where control groups are mounted: /sys/fs/cgroup
std::size_t cores_of_quota(const std::string& groups, const std::filesystem::path& mounts);

}  // namespace tileproof
