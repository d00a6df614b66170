// Elementwise kernels of quantized activations ("q8": uint8 or int8 bytes) and their borders with float32.
// All arithmetic is that of docs/steps.md. Inputs may be read up to kReadSlack bytes past their end; nothing past an
// output is written. Outputs do not overlap inputs.
#pragma once

#include <cstdint>

#include "cpu/isa_id.h"

namespace octavo {

// Operand b of a binary operation is an array, or one value for all of a.
struct Q8Binary {
  bool a_signed, b_signed;
  bool b_scalar;  // b[0] for all
  float ra, rb;   // add: rint(ra * (a - za) + rb * (b - zb) + odd) + zy - odd with odd = zy & 1; sub negates rb
  float m;        // mul: rint((a - za) * (b - zb) * m) + zy
  int32_t za, zb, zy;
  int32_t qmin, qmax;  // within the type of the output
};

struct Q8Kernels {
  Isa isa;
  // y[i] = table[x[i]]
  void (*lookup)(const uint8_t* x, uint8_t* y, int64_t n, const uint8_t table[256]);
  void (*add)(const Q8Binary& p, const uint8_t* a, const uint8_t* b, uint8_t* y, int64_t n);
  void (*mul)(const Q8Binary& p, const uint8_t* a, const uint8_t* b, uint8_t* y, int64_t n);
  // y = clamp(rint(x / scale) + zp, qmin, qmax); NaN gives zp. The low byte is stored, whatever its signedness.
  void (*quantize)(const float* x, uint8_t* y, int64_t n, float scale, int32_t zp, int32_t qmin, int32_t qmax);
  // y = float(x - zp) * scale
  void (*dequantize)(const uint8_t* x, bool is_signed, float* y, int64_t n, float scale, int32_t zp);
  // y = clamp(rint(float(x) * m), qmin - zp, qmax - zp) + zp, of sums already less n * zero point
  void (*requantize)(const int32_t* x, uint8_t* y, int64_t n, float m, int32_t zp, int32_t qmin, int32_t qmax);
  // y = clamp(rint(x * m), qmin - zp, qmax - zp) + zp
  void (*scale_to_bytes)(const float* x, uint8_t* y, int64_t n, float m, int32_t zp, int32_t qmin, int32_t qmax);
  // Pooling of channels: y[c] = max over taps of x[tap][c], of at least one tap, which may be y itself;
  // sum[c] += the sum over rows of x[row * stride + c].
  void (*max_of)(const uint8_t* const* x, int64_t taps, bool is_signed, uint8_t* y, int64_t n);
  void (*add_rows)(const uint8_t* x, int64_t rows, int64_t stride, bool is_signed, int32_t* sum, int64_t n);
  // The sum of n values.
  int64_t (*sum)(const uint8_t* x, bool is_signed, int64_t n);
  // y[3 * i + k] = plane k [i]
  void (*interleave3)(const uint8_t* a, const uint8_t* b, const uint8_t* c, uint8_t* y, int64_t n);
};

const Q8Kernels& q8_kernels();  // the best for this machine

}  // namespace octavo
