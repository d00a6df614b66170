// Products a second of every kernel over the layers of a 1-bit network, beside the int8 kernel of the same instruction
// set over the same shape: what a bit for each operand is worth.
#include <algorithm>
#include <vector>

#include "cpu/isa.h"
#include "kernels/bitgemm/bitgemm.h"
#include "kernels/qgemm/pack.h"
#include "test/bench.h"

namespace octavo {

#define OCTAVO_TABLE BitKernel
#define OCTAVO_TABLES "kernels/bitgemm/kernels.inc"
#include "kernels/tables.inc"

namespace {

struct Size {
  const char* name;
  size_t m, n, k, taps;
};

constexpr Size kSizes[] = {{"784x256x256 3x3", 784, 256, 256, 9},
                           {"196x512x512 3x3", 196, 512, 512, 9},
                           {"3136x128x128 3x3", 3136, 128, 128, 9}};

double seconds_of(const BitKernel& kernel, const Size& s, bool masked) {
  const size_t mr = static_cast<size_t>(kernel.mr), nr = static_cast<size_t>(kernel.nr), words = s.k / 32;
  const size_t panels = (s.n + nr - 1) / nr, panel = s.taps * words * nr;
  std::vector<uint32_t> a(s.m * s.taps * words, 0x12345678u), w(panels * panel, 0x9ABCDEF0u);
  std::vector<int32_t> sums(mr * nr), bias(nr), present(mr);
  std::vector<const uint32_t*> rows(mr * s.taps);
  return bench::seconds([&] {
    for (size_t row = 0; row < s.m; row += mr) {
      for (size_t tap = 0; tap < s.taps; ++tap)
        for (size_t r = 0; r < mr; ++r)
          rows[tap * mr + r] = a.data() + (std::min(row + r, s.m - 1) * s.taps + tap) * words;
      for (size_t p = 0; p < panels; ++p)
        kernel.run({rows.data(), masked ? rows.data() : nullptr, s.taps, words, w.data() + p * panel, bias.data(),
                    present.data(), sums.data()});
    }
  });
}

double seconds_of(const QGemmKernel& kernel, const Size& s) {
  QGemmLayout layout;
  if (!make_qgemm_layout(kernel, s.taps, s.k, s.n, &layout)) return 0;
  const size_t mr = static_cast<size_t>(kernel.mr), nr = layout.nr;
  std::vector<uint8_t> a(s.m * s.k * s.taps + kQGemmOverRead, 3), w(s.n * s.k * s.taps, 5);
  std::vector<int8_t> packed(layout.bytes());
  std::vector<int32_t> bias(layout.columns()), sums(mr * nr);
  layout.pack({w.data(), s.k, 1, s.taps * s.k, 0}, 0, layout.panels, packed.data(), bias.data());
  std::vector<const uint8_t*> rows(mr * s.taps);
  return bench::seconds([&] {
    for (size_t row = 0; row < s.m; row += mr) {
      QGemmTile t;
      t.m = std::min(mr, s.m - row);
      for (size_t tap = 0; tap < s.taps; ++tap)
        for (size_t r = 0; r < mr; ++r)
          rows[tap * mr + r] = a.data() + (std::min(row + r, s.m - 1) * s.taps + tap) * s.k;
      t.operands.rows = rows.data(), t.operands.taps = s.taps, t.operands.k = s.k;
      t.epilogue.store = QGemmStore::kInt32, t.epilogue.c_stride = nr * sizeof(int32_t), t.epilogue.c = sums.data();
      for (size_t panel = 0; panel < layout.panels; ++panel) {
        t.operands.panel = packed.data() + panel * layout.panel_bytes;
        t.epilogue.bias = bias.data() + panel * nr, t.n = std::min(nr, s.n - panel * nr);
        kernel.run(t);
      }
    }
  });
}

}  // namespace

BENCH(bitgemm) {
  size_t others = 0;
  const QGemmKernel* int8 = qgemm_kernels(&others);
  for (const BitKernel* each : kTables)
    for (const Size& s : kSizes) {
      const BitKernel& kernel = *each;
      if (!bench::wanted(kernel.isa, s.name) || (kernel.runs_here && !kernel.runs_here())) continue;
      const double products = static_cast<double>(s.m * s.n) * static_cast<double>(s.k * s.taps);
      const auto report = [&](const char* name, double seconds) {
        bench::report("bitgemm", {isa_name(kernel.isa), name, s.name, false, bench::Unit::kGmacs, products, seconds});
      };
      report(kernel.name, seconds_of(kernel, s, false));
      report("masked", seconds_of(kernel, s, true));
      const QGemmKernel* same =
          std::find_if(int8, int8 + others, [&](const QGemmKernel& k) { return k.isa == kernel.isa; });
      if (same != int8 + others && same->packing == &qgemm_k_groups) report(same->name, seconds_of(*same, s));
    }
}

}  // namespace octavo
