// Rows of floats times int8 weights, a scale for each column afterwards: what a state in floats is multiplied by. The
// weights are unpacked in registers. A column adds its products in the order of k, each rounded before it is added, so
// that the bits are the same for every width of vector.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/isa_id.h"

namespace octavo {

constexpr size_t kHybridColumns = 32;  // of a panel, on every instruction set

// c[i][j] = (sum over k < depth of a[i * a_stride + k] * b[k][j]) * scale[j] + bias[j], j < columns.
struct HybridPanel {
  size_t rows;
  size_t columns;  // 1..kHybridColumns written
  size_t depth;
  const float* a;
  size_t a_stride;
  const int8_t* b;     // [depth][kHybridColumns]
  const float* scale;  // [kHybridColumns]
  const float* bias;   // [kHybridColumns]
  float* c;
  size_t c_stride;
};

struct HybridKernel {
  Isa isa;
  const char* name;
  void (*panel)(const HybridPanel& panel);
};

const HybridKernel& hybrid_kernel();  // the best for this machine

// Bytes of packed weights of k rows and n columns: panels, one after the other.
size_t hybrid_packed_size(size_t k, size_t n);
// Packs weights whose column j lies at b + j * k; zeros in the last columns.
void hybrid_pack(const int8_t* b, size_t k, size_t n, int8_t* packed);

}  // namespace octavo
