// Levels of 4 or 2 bits, and signs of one bit, to the bytes of a panel of weights (qgemm/pack.h), whatever the packing
// of the panel is: memory holds a panel in blocks of its bytes, and a block holds those bytes that lie a vector apart
// side by side, so that a mask and a shift bring them to their places.
//
//   block of 4 bits: byte i < 64 is panel bytes i and i + 64, from the lowest bits on
//   block of 2 bits: byte i < 32 is panel bytes i, i + 32, i + 64 and i + 96
//   block of signs:  byte i < 16 is panel bytes i, i + 16, ... and i + 112
//
// What is stored is unsigned. out[i] = stored(i) - zeros[i % kQUnpackBlock], modulo 256: the zeros of a panel repeat,
// because the columns of a panel do. A set bit of signs counts 2, so that with zeros of 1 they are -1 and 1.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa_id.h"

namespace octavo {

// Bytes of a panel in a block.
constexpr size_t kQUnpackBlock = 128;

using QUnpackFunction = void (*)(const uint8_t* stored, const uint8_t* zeros, size_t blocks, int8_t* out);

struct QUnpackKernels {
  Isa isa;
  QUnpackFunction fours, twos, signs;

  // Of levels of so many bits; null: no kernel has them.
  QUnpackFunction of(int bits) const { return bits == 4 ? fours : bits == 2 ? twos : bits == 1 ? signs : nullptr; }
};

const QUnpackKernels& qunpack_kernels();  // the best for this machine

// The way back, at load: every byte of the panel plus its zero is a level of `bits` bits.
void qunpack_store(const int8_t* panel, const uint8_t* zeros, size_t blocks, int bits, uint8_t* stored);

// Blocks that hold so many bytes of a panel.
constexpr size_t qunpack_blocks(size_t panel_bytes) { return (panel_bytes + kQUnpackBlock - 1) / kQUnpackBlock; }

// Bytes that a block takes.
constexpr size_t qunpack_bytes(int bits) { return kQUnpackBlock / 8 * static_cast<size_t>(bits); }

}  // namespace octavo
