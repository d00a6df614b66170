// Every compiled instruction set against scalar.cc bit for bit, and scalar.cc against the definition.
#include "kernels/hybrid/hybrid.h"

#include <cmath>

#include "cpu/float_mode.h"
#include "cpu/isa.h"
#include "test/vector_sizes.h"

namespace octavo {

#define OCTAVO_TABLE HybridKernel
#define OCTAVO_TABLES "kernels/hybrid/kernels.inc"
#include "kernels/tables.inc"

namespace {

struct Case {
  size_t rows, columns, depth;
};

constexpr Case kCases[] = {{1, 32, 1}, {1, 1, 7}, {2, 31, 64}, {3, 32, 129}, {5, 9, 0}, {4, 17, 33}, {7, 30, 5}};

}  // namespace

TEST(hybrid_every_instruction_set_gives_the_bits_of_scalar) {
  const FlushSubnormals mode;
  for (const Case& s : kCases) {
    test::Random random(s.rows * 1000 + s.columns + s.depth);
    const size_t stride = s.columns + 3;
    test::Array<float> a(s.rows * s.depth), scale(kHybridColumns), bias(kHybridColumns), want(s.rows * stride);
    std::vector<int8_t> plain(s.columns * s.depth), b(hybrid_packed_size(s.depth, s.columns) + 64);
    for (size_t i = 0; i < s.rows * s.depth; ++i) a[i] = random.real(-2, 2);
    for (int8_t& w : plain) w = static_cast<int8_t>(random.between(-128, 127));
    for (size_t j = 0; j < kHybridColumns; ++j) scale[j] = random.real(0.001f, 0.1f), bias[j] = random.real(-1, 1);
    hybrid_pack(plain.data(), s.depth, s.columns, b.data());
    const auto run = [&](const HybridKernel& kernel, float* c) {
      kernel.panel({s.rows, s.columns, s.depth, a.data(), s.depth, b.data(), scale.data(), bias.data(), c, stride});
    };
    run(hybrid_scalar, want.data());
    for (size_t i = 0; i < s.rows; ++i)
      for (size_t j = 0; j < s.columns; ++j) {
        double sum = 0;
        for (size_t k = 0; k < s.depth; ++k) sum += static_cast<double>(a[i * s.depth + k]) * plain[j * s.depth + k];
        EXPECT(std::fabs(sum * scale[j] + bias[j] - want[i * stride + j]) < 1e-3);
      }
    for (const HybridKernel* kernel : kTables) {
      if (!isa_supported(kernel->isa)) continue;
      test::Array<float> got(s.rows * stride);
      run(*kernel, got.data());
      EXPECT(got.intact());
      for (size_t i = 0; i < s.rows; ++i)
        test::expect_same_floats(got.data() + i * stride, want.data() + i * stride, s.columns, kernel->name, __FILE__,
                                 __LINE__);
    }
  }
}

}  // namespace octavo
