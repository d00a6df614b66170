// Every kernel against the definition, guards around what is written; and the way back.
#include "kernels/qunpack/qunpack.h"

#include "cpu/isa.h"
#include "test/vector_sizes.h"

namespace octavo {

#define OCTAVO_TABLE QUnpackKernels
#define OCTAVO_TABLES "kernels/qunpack/kernels.inc"
#include "kernels/tables.inc"

namespace {

void check(const QUnpackKernels& k, int bits, size_t blocks) {
  const size_t bytes = qunpack_bytes(bits), all = blocks * kQUnpackBlock;
  test::Random random(blocks * 10 + static_cast<size_t>(bits));
  test::Array<uint8_t> stored(blocks * bytes), zeros(kQUnpackBlock), again(blocks * bytes);
  test::Array<int8_t> got(all), want(all);
  for (size_t i = 0; i < blocks * bytes; ++i) stored[i] = static_cast<uint8_t>(random.next() >> 32);
  for (size_t i = 0; i < kQUnpackBlock; ++i) zeros[i] = static_cast<uint8_t>(random.next() >> 32 & ((1 << bits) - 1));
  for (size_t i = 0; i < all; ++i) {
    const size_t in = i % kQUnpackBlock;
    const uint8_t byte = stored[i / kQUnpackBlock * bytes + in % bytes];
    const int level = byte >> (in / bytes * static_cast<size_t>(bits)) & ((1 << bits) - 1);
    want[i] = static_cast<int8_t>((bits == 1 ? 2 * level : level) - zeros[in]);
  }
  k.of(bits)(stored.data(), zeros.data(), blocks, got.data());
  qunpack_store(want.data(), zeros.data(), blocks, bits, again.data());
  const std::string where = std::string(isa_name(k.isa)) + " " + std::to_string(bits) + " bits";
  EXPECT(got.intact() && again.intact());
  EXPECT_SAME(got.data(), want.data(), all, where);
  EXPECT_SAME(again.data(), stored.data(), blocks * bytes, where + " stored");
}

}  // namespace

TEST(qunpack_blocks) {
  for (const QUnpackKernels* k : kTables) {
    if (!isa_supported(k->isa)) continue;
    EXPECT(k->of(8) == nullptr && k->of(3) == nullptr);
    for (int bits : {4, 2, 1})
      for (size_t blocks : {0, 1, 2, 3, 7, 32}) check(*k, bits, blocks);
  }
}

}  // namespace octavo
