#include <cstring>

#include "test/bench.h"

namespace octavo::bench {

static Bench* first = nullptr;
Bench::Bench(const char* bench_name, void (*bench_body)()) : name(bench_name), body(bench_body), next(first) { first = this; }

}  // namespace octavo::bench

int main(int argc, char** argv) {
  for (octavo::bench::Bench* b = octavo::bench::first; b != nullptr; b = b->next)
    if (argc < 2 || std::strstr(b->name, argv[1]) != nullptr) b->body();
}
