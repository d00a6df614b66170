#include "cpu/probe.h"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__linux__) && (defined(__aarch64__) || defined(__arm__))
#include <sys/auxv.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace octavo {
namespace {

[[maybe_unused]] bool is(const char* a, const char* b) { return std::strcmp(a, b) == 0; }

#if defined(__x86_64__)

struct X86 {
  bool avx2 = false, avxvnni = false, avx512vnni = false;
};

uint64_t enabled_registers() {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
}

// Intel SDM vol. 2, CPUID; vol. 1, 13.3: the operating system says in XCR0 which registers it saves.
X86 probe_x86() {
  X86 found;
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return found;
  const bool osxsave = c >> 27 & 1, fma = c >> 12 & 1, f16c = c >> 29 & 1;
  if (!osxsave || !fma || !f16c) return found;
  const uint64_t xcr0 = enabled_registers();
  const bool ymm = (xcr0 & 0x06) == 0x06, zmm = (xcr0 & 0xE6) == 0xE6;
  if (!ymm || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return found;
  const uint32_t subleaves = a;
  found.avx2 = b >> 5 & 1;
  const bool avx512 = (b >> 16 & 1) && (b >> 17 & 1) && (b >> 30 & 1) && (b >> 31 & 1);  // F, DQ, BW, VL
  found.avx512vnni = found.avx2 && zmm && avx512 && (c >> 11 & 1);
  if (subleaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) found.avxvnni = found.avx2 && (a >> 4 & 1);
  return found;
}

#endif

}  // namespace

bool probe_isa(const char* name) {
  if (std::strcmp(name, "scalar") == 0) return true;
#if defined(__x86_64__)
  static const X86 x86 = probe_x86();
  if (is(name, "x86_avx2")) return x86.avx2;
  if (is(name, "x86_avxvnni")) return x86.avxvnni;
  if (is(name, "x86_avx512vnni")) return x86.avx512vnni;
#elif defined(__aarch64__)
  if (is(name, "arm_neon")) return true;  // part of ARMv8.0-A
#if defined(__linux__)
  // linux/arch/arm64/include/uapi/asm/hwcap.h
  if (is(name, "arm_neondot")) return (getauxval(AT_HWCAP) >> 20 & 1) != 0;
  if (is(name, "arm64_i8mm")) return (getauxval(AT_HWCAP) >> 20 & 1) != 0 && (getauxval(AT_HWCAP2) >> 13 & 1) != 0;
#elif defined(__APPLE__)
  const auto feature = [](const char* key) {
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname(key, &value, &size, nullptr, 0) == 0 && value == 1;
  };
  if (is(name, "arm_neondot")) return feature("hw.optional.arm.FEAT_DotProd");
  if (is(name, "arm64_i8mm")) return feature("hw.optional.arm.FEAT_DotProd") && feature("hw.optional.arm.FEAT_I8MM");
#endif
#elif defined(__arm__) && defined(__linux__)
  // linux/arch/arm/include/uapi/asm/hwcap.h: NEON is bit 12, VFPv4 bit 16
  if (is(name, "armv7_neon")) return (getauxval(AT_HWCAP) >> 12 & 1) != 0 && (getauxval(AT_HWCAP) >> 16 & 1) != 0;
#endif
  return false;
}

}  // namespace octavo
