// Subnormals are flushed to zero while a plan runs: part of the arithmetic of every step (docs/steps.md), and the
// same on NEON of ARMv7, which knows nothing else.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace octavo {

class FlushSubnormals {
 public:
  FlushSubnormals() : saved_(read()) { write((saved_ & ~kRounding) | kFlush); }
  ~FlushSubnormals() { write(saved_); }
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

  // For threads of the pool, which do nothing else.
  static void set() { write((read() & ~kRounding) | kFlush); }

 private:
#if defined(__x86_64__)
  // MXCSR: FZ (bit 15), DAZ (bit 6); rounding control bits 13, 14: nearest even is 0
  static constexpr uint64_t kFlush = 0x8040, kRounding = 0x6000;
  static uint64_t read() { return _mm_getcsr(); }
  static void write(uint64_t value) { _mm_setcsr(static_cast<unsigned>(value)); }
#elif defined(__aarch64__)
  // FPCR: FZ (bit 24); RMode bits 22, 23
  static constexpr uint64_t kFlush = 1u << 24, kRounding = 3u << 22;
  static uint64_t read() {
    uint64_t value;
    __asm__ volatile("mrs %0, fpcr" : "=r"(value));
    return value;
  }
  static void write(uint64_t value) { __asm__ volatile("msr fpcr, %0" : : "r"(value)); }
#elif defined(__arm__)
  // FPSCR: as FPCR
  static constexpr uint64_t kFlush = 1u << 24, kRounding = 3u << 22;
  static uint64_t read() {
    uint32_t value;
    __asm__ volatile("vmrs %0, fpscr" : "=r"(value));
    return value;
  }
  static void write(uint64_t value) { __asm__ volatile("vmsr fpscr, %0" : : "r"(static_cast<uint32_t>(value))); }
#else
  static constexpr uint64_t kFlush = 0, kRounding = 0;
  static uint64_t read() { return 0; }
  static void write(uint64_t) {}
#endif

  uint64_t saved_;
};

}  // namespace octavo
