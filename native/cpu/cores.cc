#include "cpu/cores.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#if defined(__linux__)
#include <sched.h>
#endif

namespace octavo {
namespace {

#if defined(__linux__)

int affinity_cores() {
  // The mask of the process may be larger than cpu_set_t on machines with more than 1,024 CPUs.
  alignas(cpu_set_t) unsigned char mask[8192 / 8];
  std::memset(mask, 0, sizeof mask);
  cpu_set_t* const set = reinterpret_cast<cpu_set_t*>(mask);
  if (sched_getaffinity(0, sizeof mask, set) != 0) return 0;
  return CPU_COUNT_S(sizeof mask, set);
}

bool read_numbers(const char* path, const char* format, long long* a, long long* b) {
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return false;
  const int want = b == nullptr ? 1 : 2;
  const int got = b == nullptr ? std::fscanf(file, format, a) : std::fscanf(file, format, a, b);
  std::fclose(file);
  return got == want;
}

// The process's own group is below these in a host, and is these in a container.
int quota_cores() {
  long long quota = 0, period = 0;
  char path[512] = "/sys/fs/cgroup/cpu.max", group[400];
  bool found = read_numbers(path, "%lld %lld", &quota, &period);
  std::FILE* file = std::fopen("/proc/self/cgroup", "re");
  if (file != nullptr) {
    char line[450];
    while (!found && std::fgets(line, sizeof line, file) != nullptr) {
      if (std::sscanf(line, "0::%399s", group) != 1) continue;
      std::snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
      found = read_numbers(path, "%lld %lld", &quota, &period);
    }
    std::fclose(file);
  }
  if (!found) {
    found = read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "%lld", &quota, nullptr) &&
            read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "%lld", &period, nullptr);
  }
  if (!found || quota <= 0 || period <= 0) return 0;
  return static_cast<int>(std::max(1LL, std::min(quota / period, 1024LL)));
}

#endif

}  // namespace

int usable_cores() {
  int cores = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
#if defined(__linux__)
  const int affinity = affinity_cores(), quota = quota_cores();
  if (affinity > 0) cores = affinity;
  if (quota > 0) cores = std::min(cores, quota);
#endif
  return std::max(1, std::min(cores, 256));
}

}  // namespace octavo
