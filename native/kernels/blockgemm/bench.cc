// Rows by weights with a scale for each block of k, beside a loop that only reads the same packed bytes. "warm" takes
// one matrix again and again, "cold" one after the other out of 300 MB.
#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/blockgemm/blockgemm.h"
#include "test/bench.h"

namespace octavo {

#define OCTAVO_TABLE BlockGemmKernel
#define OCTAVO_TABLES "kernels/blockgemm/kernels.inc"
#include "kernels/tables.inc"

namespace {

struct Size {
  const char* name;
  size_t rows, k, n;
  int bits;
  size_t block;
  BlockZeros zeros;
  bool integer, cold;
};

constexpr Size kSizes[] = {
    {"int4 g32 1x2048x2048 warm", 1, 2048, 2048, 4, 32, BlockZeros::kOne, true, false},
    {"int4 g32 1x2048x2048 cold", 1, 2048, 2048, 4, 32, BlockZeros::kOne, true, true},
    {"int4 g32 zeros 1x2048x2048 warm", 1, 2048, 2048, 4, 32, BlockZeros::kLevels, true, false},
    {"int4 channel 1x2048x2048 warm", 1, 2048, 2048, 4, 2048, BlockZeros::kOne, true, false},
    {"int4 g32 1x4096x11008 warm", 1, 4096, 11008, 4, 32, BlockZeros::kOne, true, false},
    {"int4 g32 1x4096x11008 cold", 1, 4096, 11008, 4, 32, BlockZeros::kOne, true, true},
    {"int4 g32 128x2048x2048", 128, 2048, 2048, 4, 32, BlockZeros::kOne, true, false},
    {"int4 channel 128x2048x2048", 128, 2048, 2048, 4, 2048, BlockZeros::kOne, true, false},
    {"int2 g64 1x2048x2048 warm", 1, 2048, 2048, 2, 64, BlockZeros::kOne, true, false},
    {"int8 g32 1x2048x2048 warm", 1, 2048, 2048, 8, 32, BlockZeros::kOne, true, false},
    {"int8 g32 128x2048x2048", 128, 2048, 2048, 8, 32, BlockZeros::kOne, true, false},
    {"int4 g32 1x2048x2048 real", 1, 2048, 2048, 4, 32, BlockZeros::kOne, false, false},
    {"int8 g32 1x2048x2048 real", 1, 2048, 2048, 8, 32, BlockZeros::kOne, false, false},
    {"int4 g32 128x2048x2048 real", 128, 2048, 2048, 4, 32, BlockZeros::kOne, false, false},
};

constexpr size_t kColdBytes = size_t{300} << 20, kTaskRows = 32;

uint64_t read_all(const uint8_t* from, size_t bytes) {
  uint64_t words[8] = {}, total = 0;
  for (size_t i = 0; i + 64 <= bytes; i += 64) {
    uint64_t line[8];
    std::memcpy(line, from + i, 64);
    for (int j = 0; j < 8; ++j) words[j] += line[j];
  }
  for (const uint64_t word : words) total += word;
  return total;
}

// All that a product needs, with arbitrary weights.
class Product {
 public:
  explicit Product(const Size& s) : size_(s), x_(s.rows * s.k), c_(s.rows * s.n) {
    layout_.bits = s.bits, layout_.n = s.n, layout_.k = s.k, layout_.block = s.block;
    layout_.half_scales = true, layout_.zeros = s.zeros, layout_.zero = 1 << (s.bits - 1);
    if (!make_block_layout(&layout_)) return;
    matrices_ = s.cold ? kColdBytes / layout_.bytes() + 1 : 1;
    packed_.resize(matrices_ * layout_.bytes() + 8192);
    for (size_t i = 0; i < packed_.size(); ++i) packed_[i] = static_cast<uint8_t>(i * 37 + (i >> 7));
    for (size_t m = 0; m < matrices_; ++m)
      for (size_t p = 0; p < layout_.panels; ++p) {
        // 0.11 as a float16: any bytes might be a NaN.
        auto* scales = reinterpret_cast<uint16_t*>(matrix(m) + p * layout_.panel_bytes + layout_.scales_at);
        std::fill(scales, scales + layout_.blocks * kBlockColumns, uint16_t{0x2F00});
      }
    for (size_t i = 0; i < x_.size(); ++i) x_[i] = static_cast<float>(i * 31 % 97) - 48;
    q_.resize(s.rows * layout_.depth);
    scales_.resize(s.rows * layout_.parts);
    sums_.resize(s.rows * layout_.parts);
  }
  void run(const BlockGemmKernel& kernel) {
    const BlockLayout& l = layout_;
    if (size_.integer)
      for (size_t r = 0; r < size_.rows; ++r)
        kernel.quantize(l, x_.data() + r * size_.k, size_.k, q_.data() + r * l.depth, scales_.data() + r,
                        sums_.data() + r, size_.rows);
    const size_t tall = std::min(size_.rows, kTaskRows);
    const size_t panels = std::max<size_t>(1, (1 << 18) / (tall * l.depth * kBlockColumns));
    const uint8_t* packed = next();
    for (size_t row = 0; row < size_.rows; row += kTaskRows)
      for (size_t first = 0; first < l.panels; first += panels) {
        BlockGemm g{};
        g.layout = &l, g.packed = packed + first * l.panel_bytes, g.panels = std::min(panels, l.panels - first);
        g.columns = std::min(g.panels * kBlockColumns, l.n - first * kBlockColumns);
        g.rows = std::min(kTaskRows, size_.rows - row);
        g.quantized = {q_.data() + row * l.depth, scales_.data() + row, sums_.data() + row, size_.rows};
        g.x = x_.data() + row * size_.k, g.x_stride = g.x_depth = size_.k;
        g.c = c_.data() + row * size_.n + first * kBlockColumns, g.c_stride = size_.n;
        (size_.integer ? kernel.integer : kernel.real)(g);
      }
  }
  void read() { sink_ += read_all(next(), layout_.bytes()); }
  double bytes() const { return static_cast<double>(layout_.bytes()); }

 private:
  uint8_t* matrix(size_t m) { return packed_.data() + m * layout_.bytes(); }
  const uint8_t* next() { return matrix(turn_++ % matrices_); }

  const Size& size_;
  BlockLayout layout_;
  size_t matrices_ = 0, turn_ = 0;
  std::vector<uint8_t> packed_;
  std::vector<float> x_, c_, scales_;
  std::vector<int8_t> q_;
  std::vector<int32_t> sums_;
  volatile uint64_t sink_ = 0;
};

}  // namespace

BENCH(blockgemm) {
  for (const Size& s : kSizes) {
    if (!bench::wanted("scalar", s.name) && !bench::wanted(kTables[0]->isa, s.name) && bench::options().isa.empty())
      continue;
    Product product(s);
    bool read = false;
    for (const BlockGemmKernel* kernel : kTables) {
      if (kernel->isa == Isa::scalar || !bench::wanted(kernel->isa, s.name)) continue;
      if (!read && s.rows == 1)
        bench::report("blockgemm", {"any", "read loop", s.name, false, bench::Unit::kGigabytes, product.bytes(),
                                    bench::seconds([&] { product.read(); })});
      read = true;
      bench::report("blockgemm", {isa_name(kernel->isa), kernel->name, s.name, !s.integer, bench::Unit::kGmacs,
                                  static_cast<double>(s.rows * s.k) * static_cast<double>(s.n),
                                  bench::seconds([&] { product.run(*kernel); })});
    }
  }
}

}  // namespace octavo
