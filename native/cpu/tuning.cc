#include "cpu/tuning.h"

#include <cstdint>
#include <cstdio>
#include <cstring>

#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace octavo {
namespace {

#if defined(__linux__)

// One line of a small file of /sys or /proc; false when there is none.
bool read_line(const char* path, char* line, size_t size) {
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return false;
  const bool ok = std::fgets(line, static_cast<int>(size), file) != nullptr;
  std::fclose(file);
  return ok;
}

size_t cache_size(const char* text) {
  unsigned long value = 0;
  char unit = 'K';
  if (std::sscanf(text, "%lu%c", &value, &unit) < 1) return 0;
  return static_cast<size_t>(value) * (unit == 'M' ? 1024 * 1024 : 1024);
}

// "0-3,8": how many
int list_length(const char* text) {
  int count = 0, begin = 0, end = 0, used = 0;
  while (std::sscanf(text, "%d%n", &begin, &used) == 1) {
    text += used;
    end = begin;
    if (*text == '-' && std::sscanf(text + 1, "%d%n", &end, &used) == 1) text += 1 + used;
    count += end - begin + 1;
    if (*text != ',') break;
    ++text;
  }
  return count < 1 ? 1 : count;
}

// linux/Documentation/ABI/testing/sysfs-devices-system-cpu
void read_caches(Tuning& t) {
  for (int i = 0; i < 8; ++i) {
    char path[128], text[256];
    const auto field = [&](const char* name) {
      std::snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", i, name);
      return read_line(path, text, sizeof text);
    };
    if (!field("level")) return;
    const char level = text[0];
    if (!field("type") || text[0] == 'I' || !field("size")) continue;
    const size_t size = cache_size(text);
    if (size == 0) continue;
    const size_t sharers = field("shared_cpu_list") ? static_cast<size_t>(list_length(text)) : 1;
    if (level == '1') t.l1_bytes = size;
    if (level == '2') t.l2_bytes = size / sharers;
  }
}

#endif

#if defined(__linux__) && (defined(__aarch64__) || defined(__arm__))

// Part numbers of the Main ID Register (Arm technical reference manuals); 0x41 is Arm Ltd.
void read_core(Tuning& t) {
  std::FILE* file = std::fopen("/proc/cpuinfo", "re");
  if (file == nullptr) return;
  unsigned implementer = 0, part = 0;
  char line[256];
  while (part == 0 && std::fgets(line, sizeof line, file) != nullptr) {
    const char* colon = std::strchr(line, ':');
    if (colon == nullptr) continue;
    if (std::strncmp(line, "CPU implementer", 15) == 0) std::sscanf(colon + 1, "%x", &implementer);
    if (std::strncmp(line, "CPU part", 8) == 0) std::sscanf(colon + 1, "%x", &part);
  }
  std::fclose(file);
  const bool in_order =
      part == 0xC07 || part == 0xD03 || part == 0xD04 || part == 0xD05 || part == 0xD46;  // A7 A53 A35 A55 A510
  if (implementer == 0x41 && in_order) t.core = Core::kInOrder;
}

#else

void read_core(Tuning&) {}

#endif

Tuning find_tuning() {
  Tuning t;
#if defined(__linux__)
  read_caches(t);
#elif defined(__APPLE__)
  const auto read = [](const char* key, size_t& into) {
    int64_t value = 0;
    size_t size = sizeof value;
    if (sysctlbyname(key, &value, &size, nullptr, 0) == 0 && value > 0) into = static_cast<size_t>(value);
  };
  read("hw.l1dcachesize", t.l1_bytes);
  read("hw.l2cachesize", t.l2_bytes);
#endif
  read_core(t);
  return t;
}

}  // namespace

const Tuning& tuning() {
  static const Tuning found = find_tuning();
  return found;
}

}  // namespace octavo
