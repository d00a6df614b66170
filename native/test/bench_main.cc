#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cpu/isa.h"
#include "test/bench.h"

namespace octavo::bench {

static Bench* first = nullptr;
Bench::Bench(const char* bench_name, void (*bench_body)()) : name(bench_name), body(bench_body), next(first) {
  first = this;
}

static Options chosen;
const Options& options() { return chosen; }

bool wanted(const char* isa, const std::string& shape) {
  if (!isa_supported(isa) || (!chosen.isa.empty() && chosen.isa != isa)) return false;
  return shape.find(chosen.shape) != std::string::npos;
}

void report(const char* family, const Result& r) {
  const double rate = r.work / r.seconds * 1e-9;
  const char* unit = r.unit == Unit::kGmacs ? "GMAC/s" : "GB/s";
  const char* format = chosen.json ? "{\"family\":\"%s\",\"isa\":\"%s\",\"kernel\":\"%s\",\"shape\":\"%s\",\"rate\":%."
                                     "4g,\"unit\":\"%s\",\"microseconds\":%.5g,\"float\":%s}\n"
                                   : "%-10s %-15s %-40s %-28s %8.4g %-6s %10.5g us%s\n";
  const char* last = chosen.json ? (r.is_float ? "true" : "false") : "";
  std::printf(format, family, r.isa, r.kernel, r.shape.c_str(), rate, unit, r.seconds * 1e6, last);
  std::fflush(stdout);
}

static int usage(const char* program) {
  std::fprintf(stderr,
               "usage: %s [--json] [--isa NAME] [--shape TEXT] [--milliseconds N] [--samples N] [--bytes N] [part of a "
               "bench's name]\n"
               "benches:",
               program);
  for (const Bench* b = first; b != nullptr; b = b->next) std::fprintf(stderr, " %s", b->name);
  std::fprintf(stderr, "\n");
  return 2;
}

}  // namespace octavo::bench

int main(int argc, char** argv) {
  using namespace octavo::bench;
  const char* part = "";
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const bool valued =
        flag == "--isa" || flag == "--shape" || flag == "--milliseconds" || flag == "--samples" || flag == "--bytes";
    if (valued && i + 1 == argc) return usage(argv[0]);
    if (flag == "--json") chosen.json = true;
    else if (flag == "--isa") chosen.isa = argv[++i];
    else if (flag == "--shape") chosen.shape = argv[++i];
    else if (flag == "--milliseconds") chosen.sample_seconds = std::atof(argv[++i]) * 1e-3;
    else if (flag == "--samples") chosen.samples = std::atoi(argv[++i]);
    else if (flag == "--bytes") chosen.bytes = std::strtoull(argv[++i], nullptr, 10);
    else if (flag[0] == '-') return usage(argv[0]);
    else part = argv[i];
  }
  int ran = 0;
  for (const Bench* b = first; b != nullptr; b = b->next)
    if (std::strstr(b->name, part) != nullptr) b->body(), ++ran;
  return ran > 0 ? 0 : usage(argv[0]);
}
