// Every kernel this CPU runs against the definition, bit for bit.
#include <algorithm>
#include <cmath>
#include <vector>

#include "cpu/isa.h"
#include "kernels/qgemm/pack.h"
#include "test/op_fixture.h"

namespace octavo::test {
namespace {

uint8_t extreme(Random& r, bool narrow) {
  const int64_t pick = r.between(0, 5);
  if (pick == 0) return narrow ? 0x81 : 0x80;
  if (pick == 1) return 0x7F;
  const uint8_t b = static_cast<uint8_t>(r.between(0, 255));
  return narrow && b == 0x80 ? 0x81 : b;
}

enum class Store {
  kInt32,
  kBytes,
  kCorrected,
  kCorrectedInt32,
  kSmall,
  kLarge,
  kSigned,
  kUnsigned,
  kResidual,
  kSmallResidual,
  kInfiniteResidual
};

// Multipliers whose products fit in an int32, or not; bounds within a type, or those of the type.
Requantize bounds(Store store) {
  if (store == Store::kSigned) return {-130.0f, 125.0f, 2, true};
  if (store == Store::kUnsigned) return {-3.0f, 252.0f, 3, true};
  return {-100.0f, 120.0f, 3, store == Store::kSmall || store == Store::kSmallResidual};
}

void check(const QGemmKernel& kernel, size_t m, size_t n, size_t k, size_t taps, bool all_lowest, uint64_t seed) {
  Random r(seed);
  QGemmLayout layout;
  EXPECT(make_qgemm_layout(kernel, taps, k, n, &layout));
  std::vector<uint8_t> w(taps * k * n);
  for (uint8_t& b : w) b = all_lowest ? (kernel.narrow ? 0x81 : 0x80) : extreme(r, kernel.narrow);
  std::vector<int8_t> packed(layout.bytes());
  std::vector<int32_t> sums(layout.columns()), bias(layout.columns());
  std::vector<float> multiplier(layout.columns());
  layout.pack({w.data(), k, 1, taps * k, 0}, 0, layout.panels, packed.data(), sums.data());
  for (size_t i = 0; i < n; ++i) bias[i] = static_cast<int32_t>(r.next()), multiplier[i] = r.real(1e-9f, 1e-7f);

  const size_t mr = static_cast<size_t>(kernel.mr), nr = static_cast<size_t>(kernel.nr);
  std::vector<Guarded> memory;
  for (size_t i = 0; i < taps * m; ++i) {
    memory.emplace_back(k, i % 2 ? uint8_t{0xFF} : uint8_t{0x80});
    for (size_t j = 0; j < k; ++j) memory.back().data()[j] = all_lowest ? 0x80 : extreme(r, false);
  }
  std::vector<const uint8_t*> rows;
  for (size_t t = 0; t < taps; ++t)
    for (size_t i = 0; i < mr; ++i) rows.push_back(memory[t * m + (i < m ? i : 0)].data());

  std::vector<int32_t> row_bias(mr * 4);
  for (size_t i = 0; i < mr; ++i) std::fill_n(row_bias.data() + i * 4, 4, static_cast<int32_t>(r.next()));

  // Bounds of a type, or within one.
  ResidualAdd add = {
      0.75f, -0.3125f,      1.0f, seed % 2 ? -6.0f : -90.0f, seed % 2 ? 249.0f : 100.0f, seed % 5 ? 17 : -3,
      6,     seed % 3 == 0, false};
  Guarded residual(m * n, 0xAA), zipped(kernel.has(kInterleavesRows) ? mr * taps * ((k + 15) / 16 * 16) : 0, 0x55);
  for (size_t i = 0; i < m * n; ++i) residual.data()[i] = static_cast<uint8_t>(r.next());
  for (const Store store :
       {Store::kInt32, Store::kBytes, Store::kCorrected, Store::kCorrectedInt32, Store::kSmall, Store::kSigned,
        Store::kUnsigned, Store::kSmallResidual, Store::kLarge, Store::kResidual, Store::kInfiniteResidual}) {
    const bool adds = store == Store::kResidual || store == Store::kSmallResidual || store == Store::kInfiniteResidual;
    const bool corrected = store == Store::kCorrected || store == Store::kCorrectedInt32;
    if ((adds && !kernel.has(kAddsResidual)) || (corrected && !kernel.has(kRowBias))) continue;
    // Scales far apart: infinities, and NaN where they meet or meet zero.
    if (store == Store::kInfiniteResidual) add.ra = INFINITY, add.rb = -INFINITY;
    add.fits_int32 = store == Store::kSmallResidual;
    if (store == Store::kLarge)
      for (float& value : multiplier) value *= 1e8f;
    const bool bytes = store != Store::kInt32 && store != Store::kCorrectedInt32;
    const size_t element = bytes ? 1 : 4, stride = n * element;
    Guarded c(m * stride, 0x55);
    const size_t step = kernel.has(kPanels) ? 1 + seed % 3 : 1;
    for (size_t panel = 0; panel < layout.panels; panel += step) {
      QGemmTile t;
      t.operands.rows = rows.data(), t.operands.taps = taps, t.operands.k = k;
      t.operands.panel = packed.data() + panel * layout.panel_bytes;
      t.epilogue.bias = bias.data() + panel * nr, t.epilogue.multiplier = multiplier.data() + panel * nr;
      t.epilogue.requantize = bounds(store);
      t.epilogue.add = add;
      if (corrected) t.epilogue.row_bias = row_bias.data();
      if (adds) t.epilogue.residual = residual.data() + panel * nr;
      t.epilogue.store = bytes ? QGemmStore::kBytes : QGemmStore::kInt32;
      t.epilogue.c = c.data() + panel * nr * element, t.epilogue.c_stride = stride;
      t.m = m, t.n = std::min(step * nr, n - panel * nr);
      t.operands.interleaved = zipped.data();
      kernel.run(t);
    }
    EXPECT(c.intact() && zipped.intact());
    std::vector<uint8_t> want(m * stride);
    for (size_t i = 0; i < m; ++i)
      for (size_t j = 0; j < n; ++j) {
        int64_t sum = int64_t{bias[j]} + (corrected ? row_bias[i * 4] : 0);
        for (size_t t = 0; t < taps; ++t)
          for (size_t d = 0; d < k; ++d) {
            const uint8_t a = memory[t * m + i].data()[d];
            sum += int64_t{kernel.a_signed() ? static_cast<int8_t>(a) : a} *
                   static_cast<int8_t>(w[(j * taps + t) * k + d]);
          }
        const int32_t acc = static_cast<int32_t>(static_cast<uint32_t>(sum));
        const int32_t q = requantize_one(acc, multiplier[j], bounds(store));
        if (!bytes) std::memcpy(&want[(i * n + j) * 4], &acc, 4);
        else
          want[i * n + j] = static_cast<uint8_t>(
              adds ? add_residual_one(q - bounds(store).zero_point, residual.data()[i * n + j], add) : q);
      }
    EXPECT_SAME(c.data(), want.data(), want.size(),
                std::string(kernel.name) + " m " + std::to_string(m) + " n " + std::to_string(n) + " k " +
                    std::to_string(k) + " taps " + std::to_string(taps));
  }
}

// Sums that the weights bound, of columns that end within a panel and of whole ones; some with a residual.
void check_bounded(const QGemmKernel& kernel, size_t m, size_t n, size_t k, uint64_t seed) {
  Random r(seed);
  const size_t taps = 1 + seed % 2, mr = static_cast<size_t>(kernel.mr);
  QGemmLayout layout;
  EXPECT(make_qgemm_layout(kernel, taps, k, n, &layout));
  std::vector<uint8_t> w(taps * k * n);
  for (uint8_t& b : w) b = extreme(r, true);
  std::vector<int8_t> packed(layout.bytes());
  std::vector<int32_t> sums(layout.columns()), bias(layout.columns());
  std::vector<float> multiplier(layout.columns());
  layout.pack({w.data(), k, 1, taps * k, 0}, 0, layout.panels, packed.data(), sums.data());
  const double bound = 150000 + 255.0 * 127 * static_cast<double>(taps * k);
  for (size_t i = 0; i < n; ++i) {
    bias[i] = static_cast<int32_t>(r.between(-100000, 100000));
    multiplier[i] = r.real(1e-5f, static_cast<float>((seed % 3 ? 1000 : Requantize::kInt16Bound) / bound));
  }
  std::vector<Guarded> memory;
  for (size_t i = 0; i < taps * m; ++i) {
    memory.emplace_back(k, uint8_t{0x80});
    for (size_t j = 0; j < k; ++j) memory.back().data()[j] = extreme(r, false);
  }
  std::vector<const uint8_t*> rows;
  for (size_t t = 0; t < taps; ++t)
    for (size_t i = 0; i < mr; ++i) rows.push_back(memory[t * m + (i < m ? i : 0)].data());
  Guarded residual(m * n, 0xAA), zipped(kernel.has(kInterleavesRows) ? mr * taps * ((k + 15) / 16 * 16) : 0, 0x55),
      c(m * n, 0x55);
  for (size_t i = 0; i < m * n; ++i) residual.data()[i] = static_cast<uint8_t>(r.next());

  const Requantize all[] = {{0, 255, -128},  {-131, 124, 3}, {-13, 230, 15},
                            {-100, 90, -20}, {0, 255, 0},    {-128, 127, 0}};
  const bool adds = kernel.has(kAddsResidual) && seed % 2, corrected = kernel.has(kRowBias) && seed % 4 > 1;
  std::vector<int32_t> row_bias(mr * 4);
  for (size_t i = 0; i < mr && corrected; ++i)
    std::fill_n(row_bias.data() + i * 4, 4, static_cast<int32_t>(r.between(-50000, 50000)));
  QGemmTile t;
  t.epilogue.row_bias = corrected ? row_bias.data() : nullptr;
  t.operands.rows = rows.data(), t.operands.taps = taps, t.operands.k = k;
  t.epilogue.requantize = all[seed / 2 % 6];
  t.epilogue.requantize.fits_int32 = multiplier[0] < 0.5f;
  t.epilogue.requantize.fits_int16 = true, t.epilogue.requantize.exact_float = bound < Requantize::kExactBound;
  // Both bounds, and the zero point, of int8 or uint8.
  const bool relu = seed % 5 == 0, is_signed = seed % 3 > 0;
  const int even = relu ? (is_signed ? -128 : 0) : 6;
  t.epilogue.add = {r.real(0.01f, 2.0f),
                    r.real(-2.0f, 20.0f),
                    0,
                    static_cast<float>((is_signed ? -128 : 0) - even),
                    static_cast<float>((is_signed ? 127 : 255) - even),
                    relu ? (is_signed ? -128 : 0) : 17,
                    even,
                    is_signed,
                    true,
                    true};
  t.epilogue.store = QGemmStore::kBytes;
  t.epilogue.c_stride = n, t.m = m, t.operands.interleaved = zipped.data();
  const size_t nr = layout.nr, step = kernel.has(kPanels) ? layout.panels : 1;
  for (size_t panel = 0; panel < layout.panels; panel += step) {
    t.operands.panel = packed.data() + panel * layout.panel_bytes;
    t.epilogue.bias = bias.data() + panel * nr, t.epilogue.multiplier = multiplier.data() + panel * nr;
    t.epilogue.c = c.data() + panel * nr, t.n = std::min(step * nr, n - panel * nr);
    if (adds) t.epilogue.residual = residual.data() + panel * nr;
    kernel.run(t);
  }
  EXPECT(c.intact() && zipped.intact());
  std::vector<uint8_t> want(m * n);
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < n; ++j) {
      int32_t sum = bias[j] + row_bias[i * 4];
      for (size_t tap = 0; tap < taps; ++tap)
        for (size_t d = 0; d < k; ++d) {
          const uint8_t a = memory[tap * m + i].data()[d];
          sum += (kernel.a_signed() ? static_cast<int8_t>(a) : a) * static_cast<int8_t>(w[(j * taps + tap) * k + d]);
        }
      const int32_t q = requantize_one(sum, multiplier[j], t.epilogue.requantize);
      want[i * n + j] = static_cast<uint8_t>(
          adds ? add_residual_one(q - t.epilogue.requantize.zero_point, residual.data()[i * n + j], t.epilogue.add)
               : q);
    }
  EXPECT_SAME(c.data(), want.data(), want.size(),
              std::string(kernel.name) + " bounded, m " + std::to_string(m) + " n " + std::to_string(n) + " k " +
                  std::to_string(k));
}

}  // namespace

TEST(qgemm_kernels_of_4_bits_agree_with_those_of_bytes) {
  size_t count = 0;
  const QGemmKernel* kernels = qgemm_kernels(&count);
  for (size_t i = 0; i < count; ++i) {
    const QGemmKernel& kernel = kernels[i];
    if (kernel.fours == nullptr || !isa_supported(kernel.isa)) continue;
    uint64_t seed = 0;
    for (size_t m = 1; m <= static_cast<size_t>(kernel.mr); ++m)
      for (size_t n : {1, 16, 17, 32})
        for (size_t k : {1, 4, 7, 33, 130})
          for (size_t taps : {1, 3}) {
            Random r(++seed);
            const size_t mr = static_cast<size_t>(kernel.mr);
            QGemmLayout bytes, layout;
            EXPECT(make_qgemm_layout(kernel, taps, k, n, &bytes) && make_qgemm_layout(kernel, taps, k, n, &layout));
            EXPECT(bytes.panels == 1 && store_in_bits(4, &layout));
            std::vector<uint8_t> zeros(layout.nr), w(taps * k * n);
            for (uint8_t& z : zeros) z = static_cast<uint8_t>(r.between(0, 15));
            for (size_t c = 0; c < n; ++c)
              for (size_t d = 0; d < taps * k; ++d)
                w[c * taps * k + d] = static_cast<uint8_t>(r.between(0, 15) - zeros[c]);
            const RepeatedZeros repeated(layout, zeros.data());
            const size_t blocks = qunpack_blocks(layout.panel_bytes);
            std::vector<int8_t> packed(blocks * kQUnpackBlock);
            std::vector<int32_t> sums(layout.nr), bias(layout.nr);
            bytes.pack({w.data(), k, 1, taps * k, 0}, 0, 1, packed.data(), sums.data());
            Guarded stored(layout.stored_bytes, 0xAA);
            qunpack_store(packed.data(), repeated.of_block, blocks, 4, stored.data());
            for (int32_t& b : bias) b = static_cast<int32_t>(r.next());
            std::vector<float> multiplier(layout.nr, 1e-4f);
            std::vector<Guarded> memory;
            std::vector<const uint8_t*> rows;
            for (size_t t = 0; t < taps * mr; ++t) {
              memory.emplace_back(k, uint8_t{0x80});
              for (size_t d = 0; d < k; ++d) memory.back().data()[d] = static_cast<uint8_t>(r.next());
            }
            for (Guarded& row : memory) rows.push_back(row.data());
            for (const bool levels : {false, true}) {
              const size_t stride = n * (levels ? 1 : 4);
              Guarded want(m * stride, 0x55), got(m * stride, 0x55);
              QGemmTile t;
              t.m = m, t.n = n;
              t.operands.rows = rows.data(), t.operands.taps = taps, t.operands.k = k;
              t.operands.panel = packed.data();
              t.epilogue.bias = bias.data(), t.epilogue.multiplier = multiplier.data();
              t.epilogue.requantize = {-100, 155, 100};
              t.epilogue.store = levels ? QGemmStore::kBytes : QGemmStore::kInt32;
              t.epilogue.c = want.data(), t.epilogue.c_stride = stride;
              kernel.run(t);
              t.operands.panel = reinterpret_cast<const int8_t*>(stored.data()), t.operands.zeros = repeated.of_block;
              t.epilogue.c = got.data();
              kernel.fours(t);
              EXPECT(got.intact());
              EXPECT_SAME(got.data(), want.data(), m * stride,
                          std::string(kernel.name) + " in 4 bits, m " + std::to_string(m) + " n " + std::to_string(n) +
                              " k " + std::to_string(k));
            }
          }
  }
}

TEST(qgemm_kernels_agree_with_the_definition) {
  size_t count = 0;
  const QGemmKernel* kernels = qgemm_kernels(&count);
  for (size_t i = 0; i < count; ++i) {
    const QGemmKernel& kernel = kernels[i];
    if (!isa_supported(kernel.isa)) {
      std::printf("  %s: not on this CPU\n", kernel.name);
      continue;
    }
    uint64_t seed = 1;
    for (size_t m = 1; m <= static_cast<size_t>(kernel.mr); ++m)
      for (size_t n : {1, 3, 7, 8, 15, 16, 17, 31, 32, 33})
        for (size_t k : {0, 1, 3, 4, 7, 8, 15, 16, 17, 33})
          check(kernel, m, n, k, 1 + seed % 3, seed % 7 == 0, seed), ++seed;
    for (size_t m = 1; m <= static_cast<size_t>(kernel.mr); ++m)
      for (size_t n : {5, 8, 16, 29, 64})
        for (size_t k : {1, 8, 19, 60, 100}) check_bounded(kernel, m, n, k, ++seed);
    // Kernels that widen a row piece by piece: pieces that end within a tap, at its end, after several.
    for (size_t k : {5, 62, 63, 64, 65, 129})
      for (size_t taps : {1, 2, 15}) check(kernel, static_cast<size_t>(kernel.mr), 16, k, taps, false, seed), ++seed;
    check(kernel, static_cast<size_t>(kernel.mr), 16, 512, 9, true, 1);
  }
}

}  // namespace octavo::test
