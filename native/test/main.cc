// octavo_tests [--list] [part of a name or file]...: runs the tests whose "file:name" contains one of the parts.
#include <chrono>
#include <string>
#include <vector>

#include "test/check.h"

namespace octavo::test {
namespace {

Case* first_case = nullptr;
Case** last_link = &first_case;
int failures_of_case = 0;
bool case_skipped = false;

}  // namespace

void add(Case* test_case) {
  *last_link = test_case;
  last_link = &test_case->next;
}

void fail(const char* file, int line, const std::string& what) {
  // The first few of a case tell the story; a broken kernel would print millions.
  if (++failures_of_case <= 5) std::printf("  %s:%d: %s\n", file, line, what.c_str());
}

void skip(const std::string& why) {
  case_skipped = true;
  std::printf("  skipped: %s\n", why.c_str());
}

namespace {

bool selected(const std::string& name, const std::vector<std::string>& parts) {
  if (parts.empty()) return true;
  for (const std::string& part : parts)
    if (name.find(part) != std::string::npos) return true;
  return false;
}

int run_all(const std::vector<std::string>& parts, bool list) {
  int passed = 0, failed = 0, skipped = 0;
  for (Case* c = first_case; c != nullptr; c = c->next) {
    const std::string file = c->file;
    const size_t root = file.rfind("native/");
    const std::string name = (root == std::string::npos ? file : file.substr(root + 7)) + ":" + c->name;
    if (!selected(name, parts)) continue;
    if (list) {
      std::printf("%s\n", name.c_str());
      continue;
    }
    std::printf("%s\n", name.c_str());
    std::fflush(stdout);
    failures_of_case = 0;
    case_skipped = false;
    const auto begin = std::chrono::steady_clock::now();
    c->body();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (failures_of_case > 0) std::printf("  FAILED: %d failures\n", failures_of_case);
    if (seconds > 1) std::printf("  %.1f s\n", seconds);
    if (failures_of_case > 0) ++failed;
    else if (case_skipped) ++skipped;
    else ++passed;
  }
  if (!list) std::printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace octavo::test

int main(int argc, char** argv) {
  std::vector<std::string> parts;
  bool list = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--list") list = true;
    else parts.push_back(argument);
  }
  return octavo::test::run_all(parts, list);
}
