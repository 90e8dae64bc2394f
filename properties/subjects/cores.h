/// The number of cores that this process may use, which sets its number of threads and processes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace tileproof {

/// The cores of the process' affinity mask, but no more than the CPU quota of its control group is worth; at least 1.
std::size_t cores();

/// The cores that the CPU quota is worth, rounded up; 0 if there is no quota.
/// @param groups  text of /proc/self/cgroup: a line for each hierarchy, "0::/path" in version 2, "4:cpu,cpuacct:/path"
///                in 1
/// @param mounts  where control groups are mounted: /sys/fs/cgroup
std::size_t cores_of_quota(const std::string& groups, const std::filesystem::path& mounts);

}  // namespace tileproof
