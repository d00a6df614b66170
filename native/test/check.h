// The test harness: TEST(name) { EXPECT(condition); EXPECT_EQ(a, b); }. Tests register themselves.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <string>
#include <type_traits>

namespace octavo::test {

struct Case {
  const char* file;
  const char* name;
  void (*body)();
  Case* next;
};

void add(Case* test_case);
void fail(const char* file, int line, const std::string& what);
// Counts the running test as skipped and prints why. The test returns by itself.
void skip(const std::string& why);

struct Registration {
  Case test_case;
  Registration(const char* file, const char* name, void (*body)()) : test_case{file, name, body, nullptr} {
    add(&test_case);
  }
};

template <class T>
std::string show(const T& value) {
  std::ostringstream out;
  if constexpr (sizeof(T) == 1) out << static_cast<int>(value);
  else if constexpr (std::is_enum_v<T>) out << static_cast<int64_t>(value);
  else out << value;
  return out.str();
}

template <class A, class B>
void expect_eq(const A& a, const B& b, const char* text_a, const char* text_b, const char* file, int line) {
  if (a == b) return;
  fail(file, line, std::string(text_a) + " is " + show(a) + ", expected " + text_b + " = " + show(b));
}

// Compares arrays byte for byte and names the first difference.
template <class T>
void expect_same(const T* got, const T* want, size_t count, const std::string& where, const char* file, int line) {
  for (size_t i = 0; i < count; ++i) {
    if (std::memcmp(got + i, want + i, sizeof(T)) == 0) continue;
    fail(file, line, where + ": element " + std::to_string(i) + " is " + show(got[i]) + ", expected " + show(want[i]));
    return;
  }
}

// A small generator with the same numbers everywhere (splitmix64).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(next() % static_cast<uint64_t>(high - low + 1));
  }
  float real(float low, float high) {
    return low + (high - low) * static_cast<float>(next() >> 40) * (1.0f / 16777216.0f);
  }

 private:
  uint64_t state_;
};

}  // namespace octavo::test

#define OCTAVO_JOIN2(a, b) a##b
#define OCTAVO_JOIN(a, b) OCTAVO_JOIN2(a, b)

#define TEST(name)                                                                                     \
  static void octavo_test_##name();                                                                    \
  static ::octavo::test::Registration octavo_registration_##name(__FILE__, #name, octavo_test_##name); \
  static void octavo_test_##name()

#define EXPECT(condition)                                                               \
  do {                                                                                  \
    if (!(condition)) ::octavo::test::fail(__FILE__, __LINE__, "expected " #condition); \
  } while (0)
#define EXPECT_EQ(a, b) ::octavo::test::expect_eq((a), (b), #a, #b, __FILE__, __LINE__)
#define EXPECT_SAME(got, want, count, where) \
  ::octavo::test::expect_same((got), (want), (count), (where), __FILE__, __LINE__)
#define EXPECT_OK(expression)                                                                                      \
  do {                                                                                                             \
    const ::octavo::Status octavo_status_ = (expression);                                                          \
    if (!octavo_status_.ok()) ::octavo::test::fail(__FILE__, __LINE__, #expression ": " + octavo_status_.message); \
  } while (0)
#define EXPECT_CODE(expression, expected)                                                                             \
  do {                                                                                                                \
    const ::octavo::Status octavo_status_ = (expression);                                                             \
    if (octavo_status_.code != (expected))                                                                            \
      ::octavo::test::fail(__FILE__, __LINE__,                                                                        \
                           #expression ": expected " #expected ", got code " +                                        \
                               std::to_string(static_cast<int>(octavo_status_.code)) + " " + octavo_status_.message); \
  } while (0)
